//! The inputs that strangers write, each as a function of bytes: for the fuzzer, and for the test that replays what it
//! found. No part of the interface; public because the fuzzer's programs are crates of their own.
//!
//! A function here does what the server does with such bytes, as far as that takes no process, no disk of ours and no other
//! task, and asserts what holds whatever they are. It is never used by the server.

mod pipe;

use std::sync::LazyLock;

use bridge_core::{ExecEvent, TurnId};
use codex_client::protocol::{Notification, ServerRequest};
use serde_json::value::RawValue;

pub use crate::mcp::fuzzing::{client_lines, request_state, tokens, tool_arguments};
pub use pipe::app_server;

use crate::codex::exec::{self, rollout};
use crate::config::{self, Config, Environment, Flags, Origin};
use crate::daemon::guest;
use crate::mcp::fuzzing::render_turn_event;

/// A name, and what is done with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// What is fuzzed, by the names of the fuzzer's programs and of the folders of the corpus.
pub const TARGETS: &[Target] = &[
    ("app_server", app_server),
    ("client_lines", client_lines),
    ("configuration", configuration),
    ("exec_events", exec_events),
    ("introduction", introduction),
    ("protocol", protocol),
    ("request_state", request_state),
    ("tokens", tokens),
    ("tool_arguments", tool_arguments),
];

/// A client without a home, a program or a project.
fn environment() -> Environment {
    Environment::new([("HOME", "/nonexistent")], "/")
}

/// The settings of such a client.
pub(crate) static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    Config::load(&environment(), &Flags::default()).expect("the defaults are good")
});

/// The first line of who connects to the engine's socket.
pub fn introduction(line: &[u8]) {
    if let Err(message) = guest::check(line) {
        assert!(!message.is_empty(), "a refusal says why");
    }
}

/// The text of a configuration file. What is accepted is written down by `config show`, and means the same again.
pub fn configuration(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    match config::load_text(text, &environment()) {
        Ok(config) => {
            let shown = shown(&config);
            let again = config::load_text(&shown, &environment()).expect("it was accepted before");
            assert_eq!(self::shown(&again), shown);
        }
        Err(error) => assert!(!error.to_string().is_empty(), "a refusal says why"),
    }
}

/// The settings of a file, as a file.
fn shown(config: &Config) -> String {
    let of_file = config.settings().iter().filter(|setting| match setting.origin {
        Origin::File { .. } => true,
        Origin::Default | Origin::Variable(_) | Origin::Flag(_) => false,
    });
    of_file.map(|setting| format!("{} = {}\n", setting.key, setting.value)).collect()
}

/// What `codex exec --json` writes, and lines of a thread's file.
pub fn exec_events(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    for is_new in [true, false] {
        let mut reader = exec::Reader::new(TurnId("t1".to_owned()), "/w".to_owned(), is_new);
        for line in text.lines() {
            if let Some(ExecEvent::Turn(event)) = reader.read(line) {
                render_turn_event(event);
            }
        }
    }
    for line in text.lines() {
        let _known = (rollout::name(line), rollout::folder(line));
    }
}

/// The parameters of a notification or a question of Codex, behind its method: `METHOD PARAMS`. What is known is written
/// and read again, and is the same then.
pub fn protocol(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Some((method, params)) = text.split_once(' ') else { return };
    let Ok(params) = serde_json::from_str::<&RawValue>(params) else { return };
    let to_raw = |written: Result<String, serde_json::Error>| {
        let written = written.expect("what was read can be written");
        RawValue::from_string(written).expect("what serde_json writes is JSON")
    };
    let told = Notification::decode(method, params);
    if !matches!(told, Notification::Other { .. }) {
        let raw = to_raw(serde_json::to_string(&told));
        let again = Notification::decode(method, &raw);
        assert!(!matches!(again, Notification::Other { .. }), "{raw} cannot be read again");
    }
    let asked = ServerRequest::decode(method, params);
    if !matches!(asked, ServerRequest::Other { .. }) {
        let raw = to_raw(serde_json::to_string(&asked));
        let again = ServerRequest::decode(method, &raw);
        assert!(!matches!(again, ServerRequest::Other { .. }), "{raw} cannot be read again");
    }
}
