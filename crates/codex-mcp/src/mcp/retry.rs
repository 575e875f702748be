//! Asks the person behind a call by answering it, as 2026-07-28 wants it: the client makes the call again with the answers
//! and with a state that only this process can have made, for this client, this tool and a limited time.

use std::sync::LazyLock;
use std::time::Duration;

use bridge_core::{
    Answer, ApprovalId, Ask, CallRequest, ConnectionId, ThreadId, TurnId, TurnNumber, TurnReport,
};
use rmcp::model::{
    CallToolRequestParams, ElicitRequest, ElicitResult, ElicitationAction, ErrorData, InputRequest,
    InputRequests, InputRequiredResult, RequestStateCodec, RequestStateError, SealOptions,
};
use serde::{Deserialize, Serialize};

use super::{consent, elicit};

/// How much longer than the question a state is good for, so that a late answer finds its turn.
const GRACE: Duration = Duration::from_secs(24 * 3600);

/// The state dies with the process, as the turns do that it speaks of.
static SEAL: LazyLock<RequestStateCodec> = LazyLock::new(|| {
    let mut key = [0; 32];
    getrandom::fill(&mut key).expect("the system gives random numbers");
    RequestStateCodec::try_new(key).expect("the key is long enough")
});

/// The one question of a call that asks for consent.
const CONSENT: &str = "consent";

/// What a call that comes again belongs to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum State {
    /// A turn that waits for answers.
    Turn(WaitingTurn),
    /// Something that would be destroyed.
    Consent(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WaitingTurn {
    thread: String,
    turn: u64,
    turn_id: Option<String>,
    asked: Vec<Asked>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    approval: u64,
    is_form: bool,
}

/// A call that comes again with what the person said.
pub(super) enum Again {
    /// It goes on with a turn.
    Turn(Box<CallRequest>),
    /// It brings a yes or a no.
    Consent(Said),
}

/// What a person said of something that would be destroyed.
pub(super) struct Said {
    pub(super) what: String,
    pub(super) agreed: bool,
}

/// The questions, as the answer to a call.
pub(super) fn ask(
    connection: ConnectionId,
    tool: &str,
    (turn, number): (&TurnReport, TurnNumber),
    asks: &[Ask],
) -> Option<InputRequiredResult> {
    let mut requests = InputRequests::new();
    let mut state = WaitingTurn {
        thread: turn.thread.as_ref()?.0.clone(),
        turn: number.0,
        turn_id: turn.turn.as_ref().map(|turn| turn.0.clone()),
        asked: Vec::new(),
    };
    let mut patience = Duration::ZERO;
    for ask in asks {
        if let Some(params) = elicit::params(ask) {
            let request = InputRequest::Elicitation(ElicitRequest::new(params));
            requests.insert(key(ask.approval.number), request);
            let is_form = elicit::is_form(&ask.question);
            state.asked.push(Asked { approval: ask.approval.number, is_form });
            patience = patience.max(ask.patience);
        }
    }
    required(requests, &State::Turn(state), &binding(connection, tool), patience + GRACE)
}

/// The question whether something may be destroyed, as the answer to a call.
pub(super) fn ask_consent(
    connection: ConnectionId,
    tool: &str,
    what: &str,
    patience: Duration,
) -> Option<InputRequiredResult> {
    let request = ElicitRequest::new(consent::params(what, patience));
    let requests = [(CONSENT.to_owned(), InputRequest::Elicitation(request))];
    let state = State::Consent(what.to_owned());
    required(requests.into_iter().collect(), &state, &binding(connection, tool), patience)
}

fn required(
    requests: InputRequests,
    state: &State,
    binding: &str,
    ttl: Duration,
) -> Option<InputRequiredResult> {
    let state = serde_json::to_vec(state).ok()?;
    Some(InputRequiredResult::new(Some(requests), Some(seal(&state, binding, ttl))))
}

fn seal(state: &[u8], binding: &str, ttl: Duration) -> String {
    let options = SealOptions::new().associated_data(binding.as_bytes()).ttl(ttl);
    SEAL.seal_with(state, &options)
}

/// Seals any state for a client's calls of a tool, for [`fuzzing`](crate::fuzzing).
pub(super) fn seal_for(connection: ConnectionId, tool: &str, state: &[u8]) -> String {
    seal(state, &binding(connection, tool), GRACE)
}

/// What a call brings that comes again; `None` if it is an ordinary call.
///
/// # Errors
/// `-32602` for a state that was forged, changed, made for somebody else or is too old.
pub(super) fn read(
    connection: ConnectionId,
    params: &CallToolRequestParams,
) -> Result<Option<Again>, ErrorData> {
    let Some(sealed) = &params.request_state else {
        return Ok(None);
    };
    let binding = binding(connection, &params.name);
    let opened = SEAL.open_with(sealed, binding.as_bytes()).map_err(|error| refused(&error))?;
    let state: State = serde_json::from_slice(&opened)
        .map_err(|error| refused(&RequestStateError::Deserialization(error)))?;
    // What is no result of an elicitation is no answer, and the question is asked again.
    let response = |key: &str| -> Option<ElicitResult> {
        serde_json::from_value(params.input_responses.as_ref()?.get(key)?.clone()).ok()
    };
    Ok(match state {
        State::Turn(state) => Some(Again::Turn(Box::new(state.resume(response)))),
        State::Consent(what) => response(CONSENT).map(|result| {
            // Also an action that this program does not know is no yes.
            Again::Consent(Said { what, agreed: result.action == ElicitationAction::Accept })
        }),
    })
}

impl WaitingTurn {
    fn resume(self, response: impl Fn(&str) -> Option<ElicitResult>) -> CallRequest {
        let answer = |asked: &Asked| -> Option<(ApprovalId, Answer)> {
            let result = response(&key(asked.approval))?;
            let approval = ApprovalId { turn: TurnNumber(self.turn), number: asked.approval };
            Some((approval, elicit::answer(asked.is_form, result)))
        };
        CallRequest::Resume {
            answers: self.asked.iter().filter_map(answer).collect(),
            thread: ThreadId(self.thread),
            turn: TurnNumber(self.turn),
            id: self.turn_id.map(TurnId),
        }
    }
}

fn key(approval: u64) -> String {
    format!("approval-{approval}")
}

fn binding(connection: ConnectionId, tool: &str) -> String {
    format!("{}|{tool}", connection.0)
}

fn refused(error: &RequestStateError) -> ErrorData {
    let message = format!(
        "invalid requestState: {error}. Make the call without it to begin anew, or use codex.wait with the threadId to \
         see what became of the turn"
    );
    ErrorData::invalid_params(message, None)
}
