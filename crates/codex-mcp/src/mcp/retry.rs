//! Asks the person behind a call by answering it, as 2026-07-28 wants it: the client makes the call again with the answers
//! and with a state that only this process can have made, for this client, this tool and a limited time.

use std::sync::LazyLock;
use std::time::Duration;

use bridge_core::{
    Answer, ApprovalId, Ask, CallRequest, ConnectionId, ThreadId, TurnId, TurnNumber, TurnReport,
};
use rmcp::model::{
    CallToolRequestParams, ElicitRequest, ElicitResult, ErrorData, InputRequest, InputRequests,
    InputRequiredResult, RequestStateCodec, RequestStateError, SealOptions,
};
use serde::{Deserialize, Serialize};

use super::elicit;

/// How much longer than the question a state is good for, so that a late answer finds its turn.
const GRACE: Duration = Duration::from_secs(24 * 3600);

/// The state dies with the process, as the turns do that it speaks of.
static SEAL: LazyLock<RequestStateCodec> = LazyLock::new(|| {
    let mut key = [0; 32];
    getrandom::fill(&mut key).expect("the system gives random numbers");
    RequestStateCodec::try_new(key).expect("the key is long enough")
});

/// What a call that comes again belongs to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
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

/// The questions, as the answer to a call.
pub(super) fn ask(
    connection: ConnectionId,
    tool: &str,
    (turn, number): (&TurnReport, TurnNumber),
    asks: &[Ask],
) -> Option<InputRequiredResult> {
    let mut requests = InputRequests::new();
    let mut state = State {
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
    let binding = binding(connection, tool);
    let options = SealOptions::new().associated_data(binding.as_bytes()).ttl(patience + GRACE);
    let state = serde_json::to_vec(&state).ok()?;
    Some(InputRequiredResult::new(Some(requests), Some(SEAL.seal_with(&state, &options))))
}

/// What a call that comes again asks of the engine; `None` if it is an ordinary call.
///
/// # Errors
/// `-32602` for a state that was forged, changed, made for somebody else or is too old.
pub(super) fn request(
    connection: ConnectionId,
    params: &CallToolRequestParams,
) -> Result<Option<CallRequest>, ErrorData> {
    let Some(sealed) = &params.request_state else {
        return Ok(None);
    };
    let binding = binding(connection, &params.name);
    let opened = SEAL.open_with(sealed, binding.as_bytes()).map_err(|error| refused(&error))?;
    let state: State = serde_json::from_slice(&opened)
        .map_err(|error| refused(&RequestStateError::Deserialization(error)))?;
    let responses = params.input_responses.as_ref();
    let answer = |asked: &Asked| -> Option<(ApprovalId, Answer)> {
        let response = responses?.get(&key(asked.approval))?.clone();
        // What is no result of an elicitation is no answer, and the question is asked again.
        let result: ElicitResult = serde_json::from_value(response).ok()?;
        let approval = ApprovalId { turn: TurnNumber(state.turn), number: asked.approval };
        Some((approval, elicit::answer(asked.is_form, result)))
    };
    Ok(Some(CallRequest::Resume {
        thread: ThreadId(state.thread),
        turn: TurnNumber(state.turn),
        id: state.turn_id.map(TurnId),
        answers: state.asked.iter().filter_map(answer).collect(),
    }))
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
