//! The part of [`fuzzing`](crate::fuzzing) that is about MCP: what a client writes, and what it is told.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use bridge_core::{Ask, CallRequest, ConnectionId, Outcome, Transcript, TurnEvent, Update};
use rmcp::model::{CallToolRequestParams, JsonObject, NumberOrString, ProtocolVersion};
use rmcp::transport::Transport as _;

use super::connection::{Ending, Limits};
use super::input_limits::InputLimits;
use super::outbox::Outbox;
use super::paging::{OutputId, ResumeToken, TokenError, TokenKey};
use super::render::{self, Answer, TurnResult};
use super::resources::ResourceUri;
use super::retry::{self, Again};
use super::transport::LineTransport;
use super::{cursor, elicit, tools};
use crate::error::Problem;
use crate::fuzzing::CONFIG;
use crate::workspace::Roots;

/// The longest line that is read: short enough to be reached.
const MAX_LINE: usize = 4096;
/// Messages that are taken before the client counts as read out.
const MAX_MESSAGES: usize = 10_000;

static ROOTS: LazyLock<Roots> =
    LazyLock::new(|| Roots::new(&[PathBuf::from("/")]).expect("there is a root directory"));
static KEY: LazyLock<TokenKey> = LazyLock::new(|| TokenKey::new(&[7; 32]));

/// What a client writes, up to what the service gets to see. Every refusal is one line of JSON.
pub fn client_lines(bytes: &[u8]) {
    let limits = Limits { max_line_bytes: MAX_LINE, max_in_flight: 8, ..Limits::default() };
    let outbox = Arc::new(Outbox::new(limits.max_unread_bytes));
    let versions = Cow::Borrowed(ProtocolVersion::KNOWN_VERSIONS);
    let reader = std::io::Cursor::new(bytes.to_vec());
    let mut transport =
        LineTransport::new(reader, outbox.clone(), Arc::new(Ending::default()), limits, versions);
    for _ in 0..MAX_MESSAGES {
        let mut receiving = std::pin::pin!(transport.receive());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match receiving.as_mut().poll(&mut context) {
            std::task::Poll::Ready(Some(message)) => {
                serde_json::to_string(&message).expect("what was read can be written");
            }
            std::task::Poll::Ready(None) => break,
            // It lets others have their turn.
            std::task::Poll::Pending => {}
        }
    }
}

/// Arguments of a tool, which the first byte chooses.
pub fn tool_arguments(bytes: &[u8]) {
    let Some((first, arguments)) = bytes.split_first() else { return };
    let Ok(arguments) = serde_json::from_slice::<Option<JsonObject>>(arguments) else { return };
    let tools = tools::definitions();
    let name = &tools[usize::from(*first) % tools.len()].name;
    let limits = InputLimits(&CONFIG);
    let checked = tools::check(name, arguments, &limits, &ROOTS, &KEY);
    if let Err(problem) = checked.expect("it is the name of a tool") {
        assert!(!problem.message.is_empty(), "a refusal says why");
        let _answer = Answer::from(problem).into_response();
    }
}

/// Texts that clients are given to give back: tokens, cursors and names of resources. What is taken for one of ours is one.
pub fn tokens(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(token) = ResumeToken::open(text, &KEY) {
            assert_eq!(token.seal(&KEY), text.trim());
        }
        if let Ok(cursor) = cursor::read(text) {
            assert_eq!(cursor::read(&cursor::write(&cursor)), Ok(cursor));
        }
        if let Ok(uri) = text.parse::<ResourceUri>() {
            assert_eq!(uri.to_string().parse(), Ok(uri));
        }
    }
    changed_token(bytes);
}

/// A token of ours in which bytes were changed is none.
fn changed_token(changes: &[u8]) {
    let token = ResumeToken { output: OutputId([1; 16]), offset: 1000, page: 2 };
    let sealed = token.seal(&KEY);
    let mut bytes = data_encoding::BASE64URL_NOPAD.decode(sealed.as_bytes()).expect("it is ours");
    for pair in changes.chunks_exact(2) {
        let index = usize::from(pair[0]) % bytes.len();
        bytes[index] ^= pair[1];
    }
    let changed = data_encoding::BASE64URL_NOPAD.encode(&bytes);
    match ResumeToken::open(&changed, &KEY) {
        Ok(opened) => assert_eq!((opened, &changed), (token, &sealed)),
        Err(TokenError::Malformed | TokenError::Version(_) | TokenError::Forged) => {
            assert_ne!(changed, sealed);
        }
    }
}

/// A call that comes again: the first line is a state, sealed here as if it were ours, the rest is what the call brings.
/// What was not sealed here is refused.
pub fn request_state(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (state, responses) = text.split_once('\n').unwrap_or((text, ""));
    let client = ConnectionId(1);
    let mut params = CallToolRequestParams::new("codex");
    params.input_responses = serde_json::from_str(responses).ok();
    params.request_state = Some(state.to_owned());
    assert!(retry::read(client, &params).is_err(), "{state:?} was not sealed");
    params.request_state = Some(retry::seal_for(client, "codex", state.as_bytes()));
    assert!(retry::read(ConnectionId(2), &params).is_err(), "it is somebody else's");
    match retry::read(client, &params) {
        Ok(Some(Again::Turn(request))) => {
            assert!(matches!(*request, CallRequest::Resume { .. }));
        }
        Ok(Some(Again::Consent(said))) => {
            let _said = super::consent::said(&said.what, said.agreed);
        }
        Ok(None) => {}
        Err(error) => assert!(!error.message.is_empty(), "a refusal says why"),
    }
}

/// Makes of an outcome what its client is told.
pub(crate) fn render_outcome(outcome: Outcome) {
    let (report, asks) = match outcome {
        Outcome::Turn(report) | Outcome::Cancelled { turn: Some(report), .. } => (report, vec![]),
        Outcome::Asked { turn, asks, .. } => (turn, asks),
        Outcome::Failed(failure) => {
            let _answer = Answer::from(Problem::from(&failure)).into_response();
            return;
        }
        Outcome::Cancelled { turn: None, .. }
        | Outcome::Steered { .. }
        | Outcome::NotLive
        | Outcome::Turns(_)
        | Outcome::Threads(_)
        | Outcome::ThreadChanged
        | Outcome::PlanTold { .. }
        | Outcome::Health(_) => return,
    };
    asks.iter().for_each(render_ask);
    let _answer = Answer::of_turn(&TurnResult::from(*report)).into_response();
}

/// Makes of a question what a person is asked.
pub(crate) fn render_ask(ask: &Ask) {
    if let Some(params) = elicit::params(ask) {
        serde_json::to_string(&params).expect("a question has string keys");
    }
}

/// Makes of news what a client is told.
pub(crate) fn render_update(update: &Update) {
    let (message, _meta) = render::progress(update, &NumberOrString::Number(1), String::new());
    assert!(!message.contains('\n'), "{message:?} is one line");
}

/// Makes of an event of a turn what a transcript keeps.
pub(crate) fn render_turn_event(event: TurnEvent) {
    if let TurnEvent::ItemCompleted(item) = event {
        Transcript::default().item_completed(item, 100);
    }
}
