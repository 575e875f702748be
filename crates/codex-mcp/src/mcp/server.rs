//! The MCP server of one connection: says what it is, lists the tools, and hands calls to them.

use std::sync::Arc;

use bridge_core::{ConnectionId, SessionId, TurnNumber};
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CancelTaskParams, GetTaskParams,
    GetTaskResult, Implementation, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
    ReadResourceResult, ServerCapabilities, ServerConfig, SubscribeRequestParams,
    SubscriptionFilter, Tool, UnsubscribeRequestParams, UpdateTaskParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};

use super::call::ToolCall;
use super::claude::{self, HookMemory};
use super::hardened::is_modern;
use super::outputs::Outputs;
use super::paging::{ClientLimits, PageRule};
use super::render::Answer;
use super::resources;
use super::retry::{self, Again};
use super::subscriptions::{ClientSubscriptions, Subscriptions};
use super::threads::Threads;
use super::{tasks, tools};
use crate::config::Config;
use crate::daemon::Version;
use crate::engine::{Engine, EngineConnection};
use crate::error::{Code, Problem};
use crate::monitors;
use crate::test_run::TestRuns;
use crate::workspace::{Repositories, Roots};

/// How a model is told to use the tools. Claude Code cuts it at 4,096 characters.
const INSTRUCTIONS: &str = "Works with OpenAI's Codex through a live Codex process. `codex` starts a thread and \
    returns its `threadId`; `codex-reply` continues it; both return Codex's final answer as `content`, with its \
    thinking, commands, plan and token usage apart. Codex reads the workspace and runs commands in a read-only \
    sandbox; with `changes: propose` it works in a copy and returns a patch: see it with `codex.patch.preview`, carry \
    it over with `codex.patch.apply`. Different threads run side by side; turns of one thread run in order. While a turn \
    runs, `codex.steer` adds to it and `codex.cancel` stops it with everything it started. For long work pass \
    `background: true` and collect the result with `codex.wait`. `codex.thread.list` and `codex.thread.read` find earlier \
    threads, also those of a Codex terminal. `codex.review` answers with findings on changes; `codex.repo.status` and \
    `codex.repo.diff` tell of a git repository, and `codex.tests.run` runs the project's tests, without a turn. A result \
    that is too long has `more`: read on with \
    `codex.read`. Errors name a code, the cause and the next step; \
    `codex.health` tells what is wrong with the installation. Some clients show the dots in tool names as underscores.";

/// How long a client may keep what does not change while the server runs, in milliseconds.
const FIXED_TTL_MS: u64 = 3_600_000;

/// Serves one connection.
pub struct Server {
    engine: Engine,
    /// Tells the engine when this connection ends.
    connection: EngineConnection,
    config: Arc<Config>,
    roots: Arc<Roots>,
    tools: Arc<[Tool]>,
    outputs: Arc<Outputs>,
    repositories: Arc<Repositories>,
    subscriptions: ClientSubscriptions,
    test_runs: Arc<TestRuns>,
    page_rule: PageRule,
    newer_client: Option<Version>,
    claude_session: Option<String>,
    hook_memory: HookMemory,
}

/// What the servers of all connections have in common, besides the engine.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The settings.
    pub config: Arc<Config>,
    /// Where Codex may work.
    pub roots: Arc<Roots>,
    /// The whole of long results.
    pub outputs: Arc<Outputs>,
    /// What git says of repositories.
    pub repositories: Arc<Repositories>,
    /// Who watches which resource.
    pub subscriptions: Arc<Subscriptions>,
    /// Runs of projects' tests.
    pub test_runs: Arc<TestRuns>,
    /// The version of the client's front, where that is newer than this engine.
    pub newer_client: Option<Version>,
    /// The Claude Code session that the client belongs to.
    pub claude_session: Option<String>,
}

impl Server {
    /// A server for a new connection; the engine warms an app-server for it. The rule of pages is the client's own, which
    /// may have another environment than this process.
    pub async fn connect(engine: Engine, shared: Shared, page_rule: PageRule) -> Self {
        let Shared {
            config,
            roots,
            outputs,
            repositories,
            subscriptions,
            test_runs,
            newer_client,
            claude_session,
        } = shared;
        let connection = match config.is_too_deep() {
            true => engine.connect_idle(),
            false => engine.connect().await,
        };
        let subscriptions = subscriptions.join(connection.id());
        let tools = tools::definitions().into();
        Self {
            engine,
            connection,
            config,
            roots,
            tools,
            outputs,
            repositories,
            subscriptions,
            test_runs,
            page_rule,
            newer_client,
            claude_session,
            hook_memory: HookMemory::default(),
        }
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn connection(&self) -> ConnectionId {
        self.connection.id()
    }

    pub(super) fn config(&self) -> &Arc<Config> {
        &self.config
    }

    pub(super) fn test_runs(&self) -> &TestRuns {
        &self.test_runs
    }

    pub(super) fn roots(&self) -> &Roots {
        &self.roots
    }

    pub(super) fn newer_client(&self) -> Option<Version> {
        self.newer_client
    }

    /// The session whose monitor is told what no call of it waits for.
    pub(super) fn session(&self) -> Option<SessionId> {
        self.claude_session.as_deref().and_then(monitors::session)
    }

    /// That session hears of the end of a turn by an answer.
    pub(super) fn heard(&self, turn: TurnNumber) {
        if let Some(session) = self.session() {
            self.engine.monitors().heard(&session, turn);
        }
    }

    pub(super) fn claude_session(&self) -> Option<&str> {
        self.claude_session.as_deref()
    }

    /// What the hooks of that session remember.
    pub(super) fn hook_memory(&self) -> &HookMemory {
        &self.hook_memory
    }

    pub(super) fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    pub(super) fn repositories(&self) -> &Repositories {
        &self.repositories
    }

    /// How much a client of this name can be shown at once.
    pub(super) fn limits(&self, client: Option<&str>) -> ClientLimits {
        self.page_rule.limits(client)
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let implementation =
            Implementation::new("codex-mcp", env!("CARGO_PKG_VERSION")).with_title("Codex");
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_resources_list_changed()
            .enable_tasks();
        ServerConfig::new(capabilities.build())
            .with_server_info(implementation)
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut tools = self.tools.to_vec();
        if context.client_info().is_some_and(|client| client.name == claude::CLIENT) {
            tools.push(claude::definition());
        }
        let list = ListToolsResult::with_all_items(tools);
        Ok(match is_modern(&context) {
            true => list.with_ttl_ms(FIXED_TTL_MS).with_cache_scope(CacheScope::Public),
            // Older revisions know neither field.
            false => list,
        })
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if self.config.is_too_deep() {
            return Ok(Answer::from(too_deep(&self.config)).into_response());
        }
        if request.name == claude::HOOK_TOOL {
            let call = ToolCall::new(self, claude::HOOK_TOOL, context);
            return Ok(claude::hook(request.arguments, call).await.into());
        }
        let again = retry::read(self.connection(), &request)?;
        let call = ToolCall::new(self, &request.name, context);
        let call = match again {
            Some(Again::Turn(turn)) => return Ok(call.resume(*turn).await.into_response()),
            Some(Again::Consent(said)) => call.with(said),
            None => call,
        };
        match tools::call(&request.name, request.arguments.clone(), call).await {
            Some(answer) => Ok(answer.into_response()),
            None => {
                let known =
                    self.tools.iter().map(|tool| tool.name.as_ref()).collect::<Vec<_>>().join(", ");
                let message = format!("there is no tool {:?}; the tools are {known}", request.name);
                Err(ErrorData::invalid_params(message, None))
            }
        }
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let cursor = request.and_then(|request| request.cursor);
        let (resources, next) = resources::list(self, cursor.as_deref()).await?;
        let list = ListResourcesResult {
            next_cursor: next,
            ..ListResourcesResult::with_all_items(resources)
        };
        Ok(match is_modern(&context) {
            // Stale at once: who wants to know of changes listens for them.
            true => list.with_ttl_ms(0u64).with_cache_scope(CacheScope::Private),
            false => list,
        })
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let list = ListResourceTemplatesResult::with_all_items(resources::templates());
        Ok(match is_modern(&context) {
            true => list.with_ttl_ms(FIXED_TTL_MS).with_cache_scope(CacheScope::Public),
            false => list,
        })
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let result = ReadResourceResult::new(resources::read(&request.uri, self).await?);
        Ok(match is_modern(&context) {
            true => result.with_ttl_ms(0u64).with_cache_scope(CacheScope::Private),
            false => result,
        }
        .into())
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        let client = context.client_info();
        let limits = self.limits(client.as_ref().map(|client| client.name.as_str()));
        tasks::get(self, limits, &request.task_id).await.map(GetTaskResult::new)
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        tasks::update(self, &request.task_id).await
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        tasks::cancel(self, &request.task_id).await
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        self.subscriptions.opened(context.peer);
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.subscriptions.subscribe(&request.uri, Threads::of(self)).await
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.subscriptions.unsubscribe(&request.uri)
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(self.subscriptions.accept(requested))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        self.subscriptions.listen(context, Threads::of(self)).await;
        Ok(())
    }
}

/// Why the tools of a client inside a Codex of ours do nothing.
fn too_deep(config: &Config) -> Problem {
    let message = format!(
        "this client is {} below a Codex that this server started, and {} is the most",
        config.depth(),
        config.max_depth - 1
    );
    Problem::new(Code::NestedTooDeep, message).with_hint("The limit is `max_depth`.")
}
