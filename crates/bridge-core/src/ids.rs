//! Identifiers. Numbers are minted by us, strings come from Codex and are never parsed.

use std::fmt;

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);
    };
}

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub String);

        impl $name {
            /// Returns the text that Codex gave.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

number_id! {
    /// One run of `codex exec`. Minted by the core.
    ExecId
}
number_id! {
    /// One live MCP connection. Minted by the shell.
    ConnectionId
}
number_id! {
    /// One MCP `tools/call`. Minted by the shell, unique over all connections and, for the records, over restarts.
    CallId
}
number_id! {
    /// One `codex app-server` process. Minted by the core, never reused.
    AppServerId
}
number_id! {
    /// One request from us to an app-server. Minted by the core, never reused.
    RequestId
}
/// One question of Codex that is open. Minted by the core, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApprovalId {
    /// The turn that waits for the answer.
    pub turn: TurnNumber,
    /// Tells apart the questions of one turn.
    pub number: u64,
}
number_id! {
    /// One turn, from the queue to its end: the number of the call that asked for it.
    TurnNumber
}
string_id! {
    /// A Codex thread.
    ThreadId
}
string_id! {
    /// A Codex turn.
    TurnId
}
string_id! {
    /// A client's own name for the session that it belongs to, which outlives its connections. Never parsed.
    SessionId
}
string_id! {
    /// A Codex item inside a turn.
    ItemId
}
string_id! {
    /// A request from Codex to us, as the JSON text of its id: numbers and strings are different ids.
    ServerRequestId
}
string_id! {
    /// JSON text that the core carries and never reads.
    Json
}

/// Our own name for a thread: it has one before Codex gives it a [`ThreadId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ThreadKey(pub(crate) u64);

/// Mints every number the core needs.
#[derive(Debug, Default)]
pub(crate) struct Counter(u64);

impl Counter {
    pub(crate) fn mint(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}
