//! The MCP server of one connection: says what it is, lists the tools, and hands calls to them.

use std::sync::Arc;

use bridge_core::ConnectionId;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};

use super::call::ToolCall;
use super::hardened::is_modern;
use super::tools;
use crate::config::Config;
use crate::engine::{Engine, EngineConnection};
use crate::workspace::Roots;

/// How a model is told to use the tools. Claude Code cuts it at 4,096 characters.
const INSTRUCTIONS: &str = "Works with OpenAI's Codex through a live Codex process. `codex` starts a thread and \
    returns its `threadId`; `codex-reply` continues it; both return Codex's final answer as `content`, with its \
    thinking, commands, plan and token usage apart. Codex reads the workspace and runs commands in a read-only \
    sandbox; it changes no files. Different threads run side by side; turns of one thread run in order. While a turn \
    runs, `codex.steer` adds to it and `codex.cancel` stops it with everything it started. For long work pass \
    `background: true` and collect the result with `codex.wait`. Errors name a code, the cause and the next step; \
    `codex.health` tells what is wrong with the installation. Some clients show the dots in tool names as underscores.";

/// What this client may keep of the tool list, in milliseconds: it does not change while the server runs.
const TOOL_LIST_TTL_MS: u64 = 3_600_000;

/// Serves one connection.
pub struct Server {
    engine: Engine,
    /// Tells the engine when this connection ends.
    connection: EngineConnection,
    config: Arc<Config>,
    roots: Arc<Roots>,
    tools: Arc<[Tool]>,
}

impl Server {
    /// A server for a new connection; the engine warms an app-server for it.
    pub async fn connect(engine: Engine, config: Arc<Config>, roots: Arc<Roots>) -> Self {
        let connection = engine.connect().await;
        Self { engine, connection, config, roots, tools: tools::definitions().into() }
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn connection(&self) -> ConnectionId {
        self.connection.id()
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn roots(&self) -> &Roots {
        &self.roots
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let implementation =
            Implementation::new("codex-mcp", env!("CARGO_PKG_VERSION")).with_title("Codex");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(implementation)
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let list = ListToolsResult::with_all_items(self.tools.to_vec());
        Ok(match is_modern(&context) {
            true => list.with_ttl_ms(TOOL_LIST_TTL_MS).with_cache_scope(CacheScope::Public),
            // Older revisions know neither field.
            false => list,
        })
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match tools::call(&request.name, request.arguments, ToolCall::new(self, context)).await {
            Some(answer) => Ok(answer.into_response()),
            None => {
                let known =
                    self.tools.iter().map(|tool| tool.name.as_ref()).collect::<Vec<_>>().join(", ");
                let message = format!("there is no tool {:?}; the tools are {known}", request.name);
                Err(ErrorData::invalid_params(message, None))
            }
        }
    }
}
