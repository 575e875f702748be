//! A handler with one tool for each way in which a call can go.

use std::sync::{Arc, Mutex};

use codex_mcp::mcp::is_modern;
use codex_mcp::mcp::progress::ProgressSink;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    Implementation, JsonObject, ListToolsResult, MetaObject, PaginatedRequestParams,
    ServerCapabilities, ServerConfig, SubscriptionFilter, Tool, ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::{Value, json};
use testkit::gate::Gate;

/// The handler and the test's view of it.
#[derive(Clone)]
pub(super) struct Dummy {
    /// Where `hold` waits, unless it is cancelled first.
    pub(super) gate: Gate,
    /// Passed by a `hold` that saw its cancellation.
    pub(super) cancelled: Gate,
    /// The context of the last call.
    pub(super) last: Arc<Mutex<Option<RequestContext<RoleServer>>>>,
}

impl Dummy {
    pub(super) fn new() -> Self {
        let cancelled = Gate::new("cancelled");
        cancelled.open();
        Self { gate: Gate::new("hold"), cancelled, last: Arc::default() }
    }

    /// The context of the last call, also when that call is over.
    pub(super) fn last_context(&self) -> RequestContext<RoleServer> {
        let last = self.last.lock().expect("no test panics with it");
        last.clone().expect("a call was made")
    }

    async fn hold(&self, context: &RequestContext<RoleServer>) -> CallToolResult {
        let outcome = tokio::select! {
            () = context.ct.cancelled() => {
                self.cancelled.pass().await;
                "cancelled"
            }
            () = self.gate.pass() => "released",
        };
        CallToolResult::success(vec![ContentBlock::text(outcome)])
    }

    async fn count(&self, context: &RequestContext<RoleServer>, steps: u64) -> CallToolResult {
        if let Some(progress) = ProgressSink::of(context) {
            for step in 1..=steps {
                let event = object(json!({"event": "progress", "data": {"step": step}}));
                let message = format!("step {step}");
                if progress.notify(step, &message, event).await.is_err() {
                    break;
                }
            }
        }
        CallToolResult::success(vec![])
    }
}

impl ServerHandler for Dummy {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_tool_list_changed();
        ServerConfig::new(capabilities.build()).with_server_info(Implementation::new("dummy", "1"))
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema = object(json!({"type": "object", "properties": {"text": {"type": "string"}}}));
        let tool = Tool::new("echo", "Returns what it is given.", schema.clone())
            .with_title("Echo")
            .with_annotations(ToolAnnotations::new().read_only(true).open_world(false))
            .with_raw_output_schema(schema.into())
            .with_meta(MetaObject(object(json!({"anthropic/alwaysLoad": true}))));
        Ok(ListToolsResult::with_all_items(vec![tool])
            .with_ttl_ms(60_000)
            .with_cache_scope(CacheScope::Private))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        *self.last.lock().expect("no test panics with it") = Some(context.clone());
        let arguments = call.arguments.unwrap_or_default();
        let result = match call.name.as_ref() {
            "echo" => {
                let mut result = CallToolResult::structured(Value::Object(arguments));
                result.meta = Some(MetaObject(object(json!({"dummy/kind": "echo"}))));
                result
            }
            "fill" => {
                let bytes = arguments.get("bytes").and_then(Value::as_u64);
                let text = "x".repeat(usize::try_from(bytes.unwrap_or(0)).unwrap_or(0));
                CallToolResult::success(vec![ContentBlock::text(text)])
            }
            "fails" => CallToolResult::error(vec![ContentBlock::text("it did not work")]),
            "who" => CallToolResult::structured(json!({
                "id": context.id,
                "toolUseId": context.meta.get("claudecode/toolUseId"),
                "progressToken": context.meta.get_progress_token(),
                "client": context.client_info().map(|client| client.name),
                "elicitation": context.client_capabilities().is_some_and(|client| client.elicitation.is_some()),
                "version": context.protocol_version(),
                "modern": is_modern(&context),
            })),
            "hold" => self.hold(&context).await,
            "ignore" => std::future::pending().await,
            "count" => {
                let steps = arguments.get("steps").and_then(Value::as_u64);
                self.count(&context, steps.unwrap_or(3)).await
            }
            "panic" => panic!("as asked"),
            name => {
                return Err(ErrorData::invalid_params(format!("unknown tool: {name}"), None));
            }
        };
        Ok(result.into())
    }
}

fn object(value: Value) -> JsonObject {
    value.as_object().expect("an object").clone()
}
