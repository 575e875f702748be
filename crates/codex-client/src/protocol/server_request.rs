//! Which questions Codex asks.

use serde_json::value::RawValue;

use super::{
    CommandApprovalParams, DynamicToolCallParams, ElicitationParams, FileChangeApprovalParams,
    PermissionsApprovalParams, UserInputParams, decode,
};

macro_rules! server_requests {
    ($($(#[$doc:meta])* $method:literal => $variant:ident($params:ty),)+) => {
        /// A question of Codex.
        #[derive(Debug, Clone, serde::Serialize)]
        #[serde(untagged)]
        pub enum ServerRequest {
            $(#[doc = concat!("`", $method, "`")] $(#[$doc])* $variant($params),)+
            /// One that is not known here or cannot be read. It wants an answer all the same.
            Other { method: String, params: Box<RawValue> },
        }

        impl ServerRequest {
            /// The methods that are known here.
            pub const METHODS: &'static [&'static str] = &[$($method),+];

            /// Reads a question.
            pub fn decode(method: &str, params: &RawValue) -> Self {
                let known = match method {
                    $($method => decode(params).map(Self::$variant).ok(),)+
                    _ => None,
                };
                known.unwrap_or_else(|| Self::Other {
                    method: method.to_owned(),
                    params: params.to_owned(),
                })
            }
        }
    };
}

server_requests! {
    /// Answered with an `ApprovalResponse`.
    "item/commandExecution/requestApproval" => CommandApproval(CommandApprovalParams),
    /// Answered with an `ApprovalResponse`.
    "item/fileChange/requestApproval" => FileChangeApproval(FileChangeApprovalParams),
    /// Answered with a `PermissionsApprovalResponse`.
    "item/permissions/requestApproval" => PermissionsApproval(PermissionsApprovalParams),
    /// Answered with a `UserInputResponse`.
    "item/tool/requestUserInput" => UserInput(UserInputParams),
    /// Answered with an `ElicitationResponse`.
    "mcpServer/elicitation/request" => Elicitation(ElicitationParams),
    /// Answered with a `DynamicToolCallResponse`.
    "item/tool/call" => DynamicToolCall(DynamicToolCallParams),
}
