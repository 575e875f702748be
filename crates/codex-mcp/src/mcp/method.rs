//! The requests that this server understands, by method: raw params in, a typed request or the reason why not.
//!
//! rmcp tries every request type in turn and treats params that fit none of them as an unknown method. Here
//! the method decides, so a mistake in the params is reported as what it is. Whether the server offers a
//! method is not decided here.

use rmcp::model::{
    ClientRequest, CustomRequest, ErrorData, GetMeta, JsonObject, PingRequest, Request,
    RequestMetaObject, RequestOptionalParam,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

/// The key in `_meta` with which a request says that it belongs to a revision without a handshake.
const STATELESS_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// Methods that 2026-07-28 removed, apart from those that rmcp refuses by itself.
const GONE_WITH_THE_HANDSHAKE: &[&str] =
    &["logging/setLevel", "resources/subscribe", "resources/unsubscribe"];

/// Builds the typed request. An unknown method becomes a [`CustomRequest`], which the service refuses.
///
/// # Errors
/// `-32602` with a message that names the method, the field and what is wrong with it.
pub(super) fn request(method: &str, params: Option<&RawValue>) -> Result<ClientRequest, ErrorData> {
    build(method, params).map_err(|problem| {
        ErrorData::invalid_params(format!("invalid params of {method}: {problem}"), None)
    })
}

fn build(method: &str, params: Option<&RawValue>) -> Result<ClientRequest, String> {
    let mut params = object(params)?;
    let meta = match params.remove("_meta") {
        None | Some(Value::Null) => JsonObject::new(),
        Some(Value::Object(meta)) => meta,
        Some(other) => {
            return Err(format!("_meta: must be an object, not {}", type_name(&other)));
        }
    };
    let stateless = meta.contains_key(STATELESS_VERSION);
    let mut request = match method {
        // Whatever its params are, the method is gone.
        _ if stateless && GONE_WITH_THE_HANDSHAKE.contains(&method) => {
            ClientRequest::CustomRequest(CustomRequest::new(method, None))
        }
        "initialize" => ClientRequest::InitializeRequest(required(params)?),
        "server/discover" => ClientRequest::DiscoverRequest(required(params)?),
        "ping" => ClientRequest::PingRequest(PingRequest::default()),
        "completion/complete" => ClientRequest::CompleteRequest(required(params)?),
        "logging/setLevel" => ClientRequest::SetLevelRequest(required(params)?),
        "prompts/get" => ClientRequest::GetPromptRequest(required(params)?),
        "prompts/list" => ClientRequest::ListPromptsRequest(optional(params)?),
        "resources/list" => ClientRequest::ListResourcesRequest(optional(params)?),
        "resources/templates/list" => {
            ClientRequest::ListResourceTemplatesRequest(optional(params)?)
        }
        "resources/read" => ClientRequest::ReadResourceRequest(required(params)?),
        "resources/subscribe" => ClientRequest::SubscribeRequest(required(params)?),
        "resources/unsubscribe" => ClientRequest::UnsubscribeRequest(required(params)?),
        "subscriptions/listen" => ClientRequest::SubscriptionsListenRequest(required(params)?),
        "tasks/get" => ClientRequest::GetTaskRequest(required(params)?),
        "tasks/update" => ClientRequest::UpdateTaskRequest(required(params)?),
        "tasks/cancel" => ClientRequest::CancelTaskRequest(required(params)?),
        "tools/call" => ClientRequest::CallToolRequest(required(params)?),
        "tools/list" => ClientRequest::ListToolsRequest(optional(params)?),
        _ => ClientRequest::CustomRequest(CustomRequest::new(method, Some(Value::Object(params)))),
    };
    // rmcp hands `_meta` to a handler from the extensions of the request, not from its params.
    *request.get_meta_mut() = RequestMetaObject::from(meta);
    Ok(request)
}

fn object(params: Option<&RawValue>) -> Result<JsonObject, String> {
    let Some(params) = params.filter(|params| params.get() != "null") else {
        return Ok(JsonObject::new());
    };
    let params = serde_json::from_str(params.get()).map_err(|error| error.to_string())?;
    match params {
        Value::Object(params) => Ok(params),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(format!("must be an object, not {}", type_name(&params)))
        }
    }
}

fn required<M: Default, P: DeserializeOwned>(params: JsonObject) -> Result<Request<M, P>, String> {
    typed(params).map(Request::new)
}

fn optional<M: Default, P: DeserializeOwned>(
    params: JsonObject,
) -> Result<RequestOptionalParam<M, P>, String> {
    typed(params).map(RequestOptionalParam::with_param)
}

fn typed<P: DeserializeOwned>(params: JsonObject) -> Result<P, String> {
    serde_path_to_error::deserialize(Value::Object(params)).map_err(|error| {
        let path = error.path().to_string();
        match path.as_str() {
            "." => error.inner().to_string(),
            _ => format!("{path}: {}", error.inner()),
        }
    })
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
