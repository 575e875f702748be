//! What somebody who means harm, or a model that is lost, would try: each is refused with the right error, leaves no
//! trace, and the next call is served.
//!
//! The attempts are data, in the tables beside this file. They are sent as text, because some are nothing that a JSON
//! library would write.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};
use testkit::model::{Script, says};
use testkit::peer::Line;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::bridge::{Setup, TestBridge, content, text};

/// What Claude Code shows of an error, in characters.
const SHOWN: usize = 10_000;

/// What each request of a client of the newest revision brings, one that knows tasks.
const MODERN: &str = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"x","version":"0"},"io.modelcontextprotocol/clientCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}}"#;

/// Where each table's attempts come from.
const CALLS: &str = include_str!("hostile/calls.txt");
const PIPE: &str = include_str!("hostile/pipe.txt");
const STRANGERS: &str = include_str!("hostile/strangers.txt");

/// One attempt, a line of a table.
#[derive(Clone, Copy)]
struct Attempt {
    name: &'static str,
    /// Where it comes in: a tool, a method, the pipe, the engine's socket or the command line.
    way: (&'static str, &'static str),
    input: &'static str,
    /// The code that answers it, and what the message has to say besides.
    code: &'static str,
    says: &'static str,
}

/// Reads a table. Its first line says what the columns are.
fn attempts(table: &'static str) -> Vec<Attempt> {
    table.lines().skip(1).map(attempt).collect()
}

fn attempt(line: &'static str) -> Attempt {
    let columns: Vec<&str> = line.split('|').map(str::trim).collect();
    let [name, way, input, code, says] = columns[..] else { panic!("not five columns: {line}") };
    Attempt { name, way: way.split_once(' ').unwrap_or((way, "")), input, code, says }
}

/// Writes out what would be too long for a table.
fn filled(text: &str) -> String {
    text.replace("$NUL", "\0")
        .replace("$LONG", &"x".repeat(100_000))
        .replace("$DEEP", &format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)))
        .replace("$TABLES", &format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000)))
        .replace("$DIGITS", &"9".repeat(5_000))
        .replace("$UP", &"../".repeat(1_000))
}

/// A server in a workspace that somebody has prepared.
struct Scene {
    bridge: TestBridge,
    before: BTreeMap<PathBuf, String>,
}

impl Scene {
    async fn open() -> Self {
        let bridge = TestBridge::start([]).await;
        prepare(&bridge.home.workspace());
        let mut scene = Self { bridge, before: BTreeMap::new() };
        // Everything that a healthy server writes is there once it has looked at Codex.
        scene.bridge.call("codex.health", json!({})).await;
        scene.before = scene.traces();
        scene
    }

    /// The files that no refused attempt may change: those of the user, and the names of ours.
    fn traces(&self) -> BTreeMap<PathBuf, String> {
        let mut traces = BTreeMap::new();
        let home = &self.bridge.home;
        list(&home.workspace(), Detail::Contents, &mut traces);
        list(&home.home(), Detail::Names, &mut traces);
        traces.insert(home.config_path(), home.config_text());
        for path in [home.root(), &home.codex_home().join("rules"), Path::new("/etc/codex")] {
            let entries = fs::read_dir(path).map_or(0, Iterator::count);
            traces.insert(path.to_owned(), format!("{entries} entries"));
        }
        traces
    }

    /// What an attempt was answered with: a code and a message.
    async fn answer(&mut self, attempt: &Attempt, id: &str) -> (String, String) {
        let input = filled(attempt.input).replace("$ID", id);
        let call = |method: &str, params: &str| {
            format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"{method}","params":{params}}}"#)
        };
        let line = match attempt.way {
            ("call", tool) => {
                call("tools/call", &format!(r#"{{"name":"{tool}","arguments":{input}}}"#))
            }
            ("request", method) => call(method, &input),
            ("modern", method) => {
                let params = input.strip_suffix('}').expect("params are an object");
                call(method, &format!(r#"{params},"_meta":{MODERN}}}"#))
            }
            ("line", _) => input,
            ("greeting", _) => return self.greet(&input).await,
            ("program", _) => return self.start(&input).await,
            (way, _) => panic!("{}: there is no way {way:?}", attempt.name),
        };
        let peer = &mut self.bridge.client.peer;
        peer.send_raw(format!("{line}\n").as_bytes()).await;
        let answers = |message: &Value| {
            message["id"] == id || (message.get("error").is_some() && message["id"].is_null())
        };
        let reply = peer.find(id, answers).await;
        read(&reply)
    }

    async fn greet(&self, line: &str) -> (String, String) {
        let socket = self.bridge.home.home().join(".local/state/codex-mcp/engine.sock");
        let mut stream = UnixStream::connect(socket).await.unwrap();
        // Who is refused early does not read to the end.
        let _ = stream.write_all(format!("{line}\n").as_bytes()).await;
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        let said = String::from_utf8(said).unwrap();
        let welcome: Value = serde_json::from_str(&said).unwrap_or_default();
        (text(&welcome["answer"]), welcome["message"].as_str().unwrap_or_default().to_owned())
    }

    async fn start(&self, words: &str) -> (String, String) {
        let words: Vec<&str> = words.split(' ').collect();
        let ended = self.bridge.command(&words).await;
        (format!("exit {}", ended.status.code().unwrap_or(-1)), ended.stderr + &ended.stdout)
    }

    /// Makes an attempt, and says what does not hold after it.
    async fn check(&mut self, attempt: &Attempt, id: &str) -> Vec<String> {
        let Attempt { name, code, says, .. } = attempt;
        let (got, message) = self.answer(attempt, id).await;
        let pong = self.bridge.client.request("ping", json!({})).await;
        let start: String = message.chars().take(300).collect();
        let traces = self.traces();
        [
            (got != *code, format!("{name}: {got} and not {code}: {start}")),
            (!message.contains(says), format!("{name}: it does not say {says:?}: {start}")),
            (message.chars().count() >= SHOWN, format!("{name}: {} bytes", message.len())),
            (traces != self.before, format!("{name}: a trace in {traces:?}")),
            (!pong["result"].is_object(), format!("{name}: then {pong}")),
        ]
        .into_iter()
        .filter_map(|(is_wrong, problem)| is_wrong.then_some(problem))
        .collect()
    }

    async fn close(mut self, attempts: usize) {
        let ids = (0..attempts).map(|number| format!("hostile-{number}"));
        for id in ids {
            assert!(answers(self.bridge.client.peer.transcript(), &id) <= 1, "{id}");
        }
        let listed = self.bridge.call("codex.thread.list", json!({})).await;
        assert_eq!(listed["structuredContent"]["threads"], json!([]), "a thread was made");
        assert!(self.bridge.model.captured().is_empty(), "the model was asked");
        self.bridge.finish().await;
    }
}

fn answers(transcript: &[Line], id: &str) -> usize {
    let is_answer = |line: &&Line| match line {
        Line::Sent(_) => false,
        Line::Received(line) => serde_json::from_str::<Value>(line).unwrap()["id"] == id,
    };
    transcript.iter().filter(is_answer).count()
}

/// The code and the message of an answer.
fn read(reply: &Value) -> (String, String) {
    if let Some(error) = reply.get("error") {
        return (error["code"].to_string(), text(&error["message"]));
    }
    let result = &reply["result"];
    match result["isError"] == true {
        true => (
            text(&result["structuredContent"]["error"]["code"]),
            text(&result["content"][0]["text"]),
        ),
        false => ("accepted".to_owned(), result.to_string()),
    }
}

/// What an attacker may have put into the workspace.
fn prepare(workspace: &Path) {
    for (link, target) in [
        ("etc", "/etc"),
        ("passwd", "/etc/passwd"),
        ("up", ".."),
        ("loop", "loop"),
        ("gone", "nowhere"),
        ("proc", "/proc/self/cwd/.."),
        ("far", "up/../../.."),
    ] {
        symlink(target, workspace.join(link)).unwrap();
    }
    for name in ["\n", "-f", "--config=sandbox_mode=danger-full-access", "CON"] {
        fs::write(workspace.join(name), "").unwrap();
    }
    fs::create_dir(workspace.join("-x")).unwrap();
}

#[derive(Clone, Copy)]
enum Detail {
    Names,
    Contents,
}

fn list(directory: &Path, detail: Detail, traces: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        let shown = match detail {
            Detail::Names => String::new(),
            Detail::Contents => {
                let time = metadata.modified().unwrap().duration_since(SystemTime::UNIX_EPOCH);
                format!("{} bytes, {:?}", metadata.len(), time.unwrap())
            }
        };
        traces.insert(entry.path(), shown);
        if metadata.is_dir() {
            list(&entry.path(), detail, traces);
        }
    }
}

async fn check_all(table: &'static str) {
    let attempts = attempts(table);
    let mut scene = Scene::open().await;
    let mut problems = Vec::new();
    for (number, attempt) in attempts.iter().enumerate() {
        problems.extend(scene.check(attempt, &format!("hostile-{number}")).await);
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    scene.close(attempts.len()).await;
}

#[tokio::test]
async fn arguments_that_mean_harm() {
    check_all(CALLS).await;
}

#[tokio::test]
async fn lines_and_requests_that_mean_harm() {
    check_all(PIPE).await;
}

#[tokio::test]
async fn strangers_at_the_socket_and_command_lines_that_mean_harm() {
    check_all(STRANGERS).await;
}

#[test]
fn every_attempt_is_another_one() {
    let all = [CALLS, PIPE, STRANGERS].into_iter().flat_map(attempts);
    let mut names: Vec<&str> = all.map(|attempt| attempt.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), count >= 60), (count, true));
}

/// What looks like an option, a command or markup is passed on as it is: nothing on the way interprets it.
#[tokio::test]
async fn a_prompt_is_only_a_text() {
    let prompts = [
        "--config sandbox_mode=danger-full-access",
        "-c approval_policy=never",
        "--",
        "$(touch made.txt); `touch made.txt` && touch made.txt",
        "\u{1b}]0;title\u{7}\u{1b}[2J \u{202e}gnp.exe",
        "{\"method\": \"turn/interrupt\"}\n{\"jsonrpc\": \"2.0\"}",
        "a NUL \u{0} byte, \u{feff} a mark, \u{2028} a separator",
    ];
    let mut bridge = TestBridge::start_with(Script::always(says("Well.")), Setup::default()).await;
    fs::create_dir(bridge.home.workspace().join("-x")).unwrap();
    for (number, prompt) in prompts.iter().enumerate() {
        let arguments = json!({ "prompt": prompt, "cwd": "-x", "name": prompt });
        assert_eq!(content(&bridge.call("codex", arguments).await), "Well.", "{prompt:?}");
        let asked = bridge.model.captured()[number].texts("user");
        assert_eq!(asked.last().map(String::as_str), Some(*prompt));
    }
    assert_eq!(bridge.home.git(&["status", "--porcelain"]), "");
    bridge.finish().await;
}
