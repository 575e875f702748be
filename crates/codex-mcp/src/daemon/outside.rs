//! The outside of messages, which is all that a front looks at: id, method, the name of a tool, a few parameters.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The outside of a message.
#[derive(Deserialize)]
pub(super) struct Outside<'a> {
    #[serde(borrow)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) params: Option<&'a RawValue>,
}

/// What matters of its parameters.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Params<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) request_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) uri: Option<Cow<'a, str>>,
}

impl Params<'_> {
    /// The parameters of a message; those that are not understood are the engine's to refuse.
    pub(super) fn of<'a>(outside: &Outside<'a>) -> Params<'a> {
        let params = outside.params.and_then(|params| serde_json::from_str(params.get()).ok());
        params.unwrap_or_default()
    }
}

/// What a request does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Asking again changes nothing.
    Again,
    /// A tool that does something.
    Tool,
    /// Another request that does something.
    Other,
}

impl Kind {
    pub(super) fn of(method: &str, params: &Params<'_>) -> Self {
        let tool = params.name.as_deref().unwrap_or_default();
        match method {
            "tools/call" if READING_TOOLS.contains(&tool) => Self::Again,
            "tools/call" => Self::Tool,
            method if READING.contains(&method) => Self::Again,
            _ => Self::Other,
        }
    }
}

/// Tools that only read, so that their calls can be made again. The list of tools says the same with `readOnlyHint`.
const READING_TOOLS: &[&str] = &[
    "codex.health",
    "codex.patch.preview",
    "codex.plan.get",
    "codex.read",
    "codex.repo.diff",
    "codex.repo.status",
    "codex.thread.list",
    "codex.thread.read",
    "codex.wait",
];

/// Requests without effects.
const READING: &[&str] = &[
    "initialize",
    "ping",
    "server/discover",
    "tools/list",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "subscriptions/listen",
    "completion/complete",
    "logging/setLevel",
    "tasks/get",
];

/// An id in one way of writing it: the two ends may write the same one differently.
pub(super) fn id_of(id: &RawValue) -> String {
    serde_json::from_str(id.get()).map_or_else(|_| id.get().to_owned(), |id: Value| id.to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tools_that_only_read_are_those_that_say_so() {
        assert_eq!(crate::mcp::reading_tools(), super::READING_TOOLS);
    }
}
