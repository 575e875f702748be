//! Plays a script in place of `codex app-server`. It knows no Codex behaviour, so it cannot drift
//! from the real one.
//!
//! The script is `<own path>.jsonl` if that exists, else the file named by the last argument. Each
//! line is one act; `"times": n` beside any of them repeats it:
//!
//! | line | act |
//! | --- | --- |
//! | `{"version": "codex-cli 9.9.9"}` | if started with `--version`, print this and end; skipped otherwise |
//! | `{"expect": {"method": "initialize"}}` | read lines until one has these fields; remember its `id` |
//! | `{"send": {"id": "$id", "result": {}}}` | write a line; `"$id"` stands for the remembered id |
//! | `{"garbage": "text"}` | write this line as it is |
//! | `{"partial": "text"}` | write this without a line feed |
//! | `{"stderr": "text"}` | write this line to stderr |
//! | `{"close_stdout": true}` | close stdout and go on |
//! | `{"ignore_sigterm": true}` | survive SIGTERM from here on |
//! | `{"hang": true}` | do nothing for ever, deaf to the end of input |
//! | `{"exit": 3}` | end with this code |
//!
//! After the last line, or when the input ends during an `expect`, it reads to the end of its input
//! and exits with 0.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, StdinLock, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let wants_version = arguments.iter().any(|argument| argument == "--version");
    let script = fs::read_to_string(script_path(&arguments)).expect("the script is readable");
    let mut player =
        Player { input: io::stdin().lock(), id: Value::Null, wants_version, signals: None };
    for line in script.lines().filter(|line| !line.trim().is_empty()) {
        let act: Value = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("{error} in script line {line}"));
        for _ in 0..act["times"].as_u64().unwrap_or(1) {
            if let Next::Exit(code) = player.act(&act) {
                return ExitCode::from(code);
            }
        }
    }
    player.read_to_end();
    ExitCode::SUCCESS
}

fn script_path(arguments: &[OsString]) -> PathBuf {
    let program = arguments.first().expect("a program has a name");
    let mut beside = program.clone();
    beside.push(".jsonl");
    let beside = PathBuf::from(beside);
    if beside.exists() { beside } else { arguments.last().expect("a program has a name").into() }
}

enum Next {
    GoOn,
    Exit(u8),
}

struct Player {
    input: StdinLock<'static>,
    id: Value,
    wants_version: bool,
    /// Kept because the handler of SIGTERM lives as long as its runtime.
    signals: Option<Runtime>,
}

impl Player {
    fn act(&mut self, act: &Value) -> Next {
        let (name, value) = act
            .as_object()
            .and_then(|fields| fields.iter().find(|(name, _)| *name != "times"))
            .unwrap_or_else(|| panic!("not an act: {act}"));
        let text = value.as_str().unwrap_or_default();
        match name.as_str() {
            "version" if self.wants_version => {
                write_out(&format!("{text}\n"));
                return Next::Exit(0);
            }
            "version" => {}
            "expect" => return self.expect(value),
            "send" => write_out(&format!("{}\n", with_id(value, &self.id))),
            "garbage" => write_out(&format!("{text}\n")),
            "partial" => write_out(text),
            "stderr" => {
                // Nobody may be reading, which is not this program's concern.
                let _ = writeln!(io::stderr(), "{text}");
            }
            "close_stdout" => {
                let null =
                    File::options().write(true).open("/dev/null").expect("/dev/null can be opened");
                rustix::stdio::dup2_stdout(null).expect("stdout can be replaced");
            }
            "ignore_sigterm" => self.ignore_sigterm(),
            "hang" => loop {
                std::thread::park();
            },
            "exit" => {
                return Next::Exit(
                    value.as_u64().and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
                );
            }
            _ => panic!("unknown act: {act}"),
        }
        Next::GoOn
    }

    fn expect(&mut self, fields: &Value) -> Next {
        let wanted = fields.as_object().expect("`expect` takes an object");
        let mut line = String::new();
        while self.input.read_line(&mut line).is_ok_and(|count| count > 0) {
            let message: Value = serde_json::from_str(&line).unwrap_or_default();
            if wanted.iter().all(|(name, value)| message.get(name) == Some(value)) {
                self.id = message["id"].clone();
                return Next::GoOn;
            }
            line.clear();
        }
        Next::Exit(0)
    }

    fn ignore_sigterm(&mut self) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
        let entered = runtime.enter();
        // The handler stays installed after the listener is dropped, and nothing acts on the
        // signal.
        drop(signal(SignalKind::terminate()).expect("a handler for SIGTERM"));
        drop(entered);
        self.signals = Some(runtime);
    }

    fn read_to_end(&mut self) {
        let _ = io::copy(&mut self.input, &mut io::sink());
    }
}

fn with_id(value: &Value, id: &Value) -> Value {
    match value {
        Value::String(text) if text == "$id" => id.clone(),
        Value::Array(items) => items.iter().map(|item| with_id(item, id)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), with_id(field, id))).collect()
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => value.clone(),
    }
}

/// A closed reader is not this program's concern.
fn write_out(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
