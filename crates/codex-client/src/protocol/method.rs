//! Which methods we call, and what each takes and gives.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::*;
use crate::error::RequestError;

/// A method of the app-server.
pub trait Method {
    /// As on the wire.
    const NAME: &'static str;
    /// What it takes.
    type Params: Serialize;
    /// What it gives.
    type Response: DeserializeOwned;

    /// Reads a result that arrived as [`crate::Incoming::Response`].
    ///
    /// # Errors
    /// [`RequestError::Unreadable`].
    fn read(result: &RawValue) -> Result<Self::Response, RequestError> {
        decode(result).map_err(|source| RequestError::Unreadable { method: Self::NAME, source })
    }
}

macro_rules! methods {
    ($($name:literal $method:ident($params:ty) -> $response:ty;)+) => {
        /// The methods that are called from here.
        pub const METHODS: &[&str] = &[$($name),+];

        $(
            #[doc = concat!("`", $name, "`")]
            #[derive(Debug)]
            pub enum $method {}

            impl Method for $method {
                const NAME: &'static str = $name;
                type Params = $params;
                type Response = $response;
            }
        )+
    };
}

methods! {
    "initialize" Initialize(InitializeParams) -> InitializeResponse;
    "thread/start" ThreadStart(ThreadStartParams) -> ThreadStartResponse;
    "thread/resume" ThreadResume(ThreadResumeParams) -> ThreadResumeResponse;
    "thread/read" ThreadRead(ThreadReadParams) -> ThreadReadResponse;
    "thread/list" ThreadList(ThreadListParams) -> ThreadListResponse;
    "thread/loaded/list" ThreadLoadedList(ThreadLoadedListParams) -> ThreadLoadedListResponse;
    "thread/turns/list" ThreadTurnsList(ThreadTurnsListParams) -> ThreadTurnsListResponse;
    "thread/name/set" ThreadSetName(ThreadSetNameParams) -> Empty;
    "thread/unsubscribe" ThreadUnsubscribe(ThreadIdParams) -> ThreadUnsubscribeResponse;
    "thread/archive" ThreadArchive(ThreadIdParams) -> Empty;
    "thread/unarchive" ThreadUnarchive(ThreadIdParams) -> Empty;
    "thread/delete" ThreadDelete(ThreadIdParams) -> Empty;
    "thread/backgroundTerminals/list" BackgroundTerminalsList(BackgroundTerminalsListParams)
        -> BackgroundTerminalsListResponse;
    "thread/backgroundTerminals/clean" BackgroundTerminalsClean(ThreadIdParams) -> Empty;
    "turn/start" TurnStart(TurnStartParams) -> TurnStartResponse;
    "turn/steer" TurnSteer(TurnSteerParams) -> TurnSteerResponse;
    "review/start" ReviewStart(ReviewStartParams) -> ReviewStartResponse;
    "turn/interrupt" TurnInterrupt(TurnInterruptParams) -> Empty;
    "account/read" AccountRead(AccountReadParams) -> AccountReadResponse;
    "account/rateLimits/read" RateLimitsRead(()) -> RateLimitsReadResponse;
    "model/list" ModelList(ModelListParams) -> ModelListResponse;
    "command/exec" CommandExec(CommandExecParams) -> CommandExecResponse;
}
