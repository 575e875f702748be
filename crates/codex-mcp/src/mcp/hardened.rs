//! A service around the handler that keeps one call's failure from being any other's.
//!
//! A panic becomes that call's answer, a call that outlives its connection is dropped, and what rmcp leaves
//! to the author of a 2026-07-28 server is done here, once for all methods. It knows no tool.

use std::any::Any;
use std::borrow::Cow;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use rmcp::model::{
    ClientNotification, ClientRequest, ErrorCode, ErrorData, MetaObject, ProtocolVersion,
    ServerConfig, ServerResult,
};
use rmcp::service::{NotificationContext, RequestContext};
use rmcp::{RoleServer, ServerHandler, Service};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::error::brief;

/// The key under which a result names the server, by the 2026-07-28 specification.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// The longest data of an error, in bytes. It repeats what the client has sent.
const MAX_DATA: usize = 2_000;

/// Whether a request is served by the rules of 2026-07-28 or later, which have no handshake.
pub fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| !version.has_initialize())
}

/// The handler, hardened.
pub(super) struct Hardened<H> {
    handler: H,
    server_info: Value,
    /// Ends every call that is still running, for a connection that has used up its time.
    abort: CancellationToken,
}

impl<H: ServerHandler> Hardened<H> {
    pub(super) fn new(handler: H, abort: CancellationToken) -> Self {
        let server_info = serde_json::to_value(handler.get_info().server_info)
            .expect("a server's name and version have a JSON form");
        Self { handler, server_info, abort }
    }

    /// Runs the handler to its end, to its panic or to the end of the connection, whatever comes first.
    async fn run(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let method = request.method().to_owned();
        let handled = Service::handle_request(&self.handler, request, context);
        // The handler is shared by all calls, so whatever a panic leaves half done is behind its own locks.
        let caught = AssertUnwindSafe(handled).catch_unwind();
        tokio::select! {
            biased;
            result = caught => result.unwrap_or_else(|panic| Err(panicked(&method, panic.as_ref()))),
            () = self.abort.cancelled() => Err(ErrorData::internal_error("the connection has ended", None)),
        }
    }
}

impl<H: ServerHandler> Service<RoleServer> for Hardened<H> {
    async fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let modern = is_modern(&context);
        if let ClientRequest::CustomRequest(custom) = &request {
            return Err(short(unknown_method(&custom.method)));
        }
        if modern && matches!(request, ClientRequest::SetLevelRequest(_)) {
            return Err(unknown_method(request.method()));
        }
        let mut result = self.run(request, context).await.map_err(short)?;
        if modern && let Some(meta) = meta_mut(&mut result) {
            meta.entry(SERVER_INFO).or_insert_with(|| self.server_info.clone());
        }
        Ok(result)
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Service::handle_notification(&self.handler, notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        self.handler.get_info()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.handler.supported_protocol_versions()
    }
}

/// Leaves out of an error what a client made long.
fn short(mut error: ErrorData) -> ErrorData {
    error.message = brief(error.message.into_owned()).into();
    error.data = error.data.filter(|data| data.to_string().len() <= MAX_DATA);
    error
}

fn unknown_method(method: &str) -> ErrorData {
    let message = format!("method not found: {method}");
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None)
}

fn panicked(method: &str, panic: &(dyn Any + Send)) -> ErrorData {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(method, panic = text, "a call panicked");
    let message = format!(
        "internal error: {method} failed because of a defect in the server; \
         only this request is affected and the server goes on"
    );
    ErrorData::internal_error(message, None)
}

/// The `_meta` of a result. The results that are not listed have none, name the server already, or belong to
/// extensions that are not offered.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rmcp's list of results is open and longer than ours"
)]
fn meta_mut(result: &mut ServerResult) -> Option<&mut MetaObject> {
    let meta = match result {
        ServerResult::DiscoverResult(result) => &mut result.meta,
        ServerResult::CompleteResult(result) => &mut result.meta,
        ServerResult::GetPromptResult(result) => &mut result.meta,
        ServerResult::ListPromptsResult(result) => &mut result.meta,
        ServerResult::ListResourcesResult(result) => &mut result.meta,
        ServerResult::ListResourceTemplatesResult(result) => &mut result.meta,
        ServerResult::ReadResourceResult(result) => &mut result.meta,
        ServerResult::ListToolsResult(result) => &mut result.meta,
        ServerResult::CallToolResult(result) => &mut result.meta,
        ServerResult::InputRequiredResult(result) => &mut result.meta,
        _ => return None,
    };
    Some(meta.get_or_insert_default())
}
