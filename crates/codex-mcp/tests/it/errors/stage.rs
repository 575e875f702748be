//! What leads to errors: a program in Codex's place that plays a script, and a provider that answers badly.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use testkit::fake_app_server::{self, Play};
use testkit::home::CodexHome;
use testkit::model::Reply;
use testkit::normalise::Normaliser;

use crate::bridge::{Setup, TestBridge, text};

/// An error, as its client got it.
pub(super) struct Told {
    pub(super) text: String,
    pub(super) data: Value,
}

impl Told {
    /// The error that a tool answered with; what differs from run to run is taken out of its text.
    #[track_caller]
    pub(super) fn of(bridge: &TestBridge, answer: &Value) -> Self {
        let told = Self::of_result(&bridge.home, answer);
        Self { text: told.text.replace(&bridge.model.base_url(), "[provider]"), ..told }
    }

    /// The same, without a bridge.
    #[track_caller]
    pub(super) fn of_result(home: &CodexHome, answer: &Value) -> Self {
        assert_eq!(answer["isError"], true, "not an error: {answer}");
        let shown = text(&answer["content"][0]["text"]);
        let mut data = answer["structuredContent"]["error"].clone();
        let mut normaliser = Normaliser::for_home(home);
        data["remedy"] = json!(normaliser.text(&text(&data["remedy"])));
        Self { text: normaliser.text(&shown), data }
    }
}

/// A bridge with a program in the place of Codex, which lies in a home of its own.
pub(super) struct Stage {
    pub(super) bridge: TestBridge,
    program: CodexHome,
}

impl Stage {
    pub(super) async fn open(play: &Play, flags: &[&str]) -> Self {
        let arguments = flags.iter().map(OsString::from).collect();
        Self::set(play, Setup { arguments, ..Setup::default() }).await
    }

    /// The same, with a client that can ask its user.
    pub(super) async fn open_asking(play: &Play) -> Self {
        Self::set(play, Setup { elicits: true, ..Setup::default() }).await
    }

    async fn set(play: &Play, setup: Setup) -> Self {
        let program = CodexHome::new("http://127.0.0.1:9");
        let codex = fake_app_server::install(program.root(), &play.clone().script());
        let setup = Setup { codex: Some(codex.into()), ..setup };
        Self { bridge: TestBridge::start_with([], setup).await, program }
    }

    pub(super) fn told(&self, answer: &Value) -> Told {
        let told = Told::of(&self.bridge, answer);
        let root = self.program.root().display().to_string();
        Told { text: told.text.replace(&root, "[program]"), ..told }
    }

    pub(super) async fn close(self) {
        close(self.bridge).await;
    }
}

/// Ends a bridge on which a turn may still run in the background, for which its engine would wait.
pub(super) async fn close(bridge: TestBridge) {
    bridge.command(&["daemon", "stop"]).await.success();
    bridge.finish().await;
}

/// What a turn says whose Codex plays a script.
pub(super) async fn played(play: &Play, flags: &[&str]) -> Told {
    let mut stage = Stage::open(play, flags).await;
    let answer = stage.bridge.call("codex", json!({ "prompt": "x" })).await;
    let told = stage.told(&answer);
    stage.close().await;
    told
}

/// What a turn says that Codex refuses to start.
pub(super) async fn refused(code: i64, message: &str) -> Told {
    played(&Play::new().refuses("turn/start", code, message), &[]).await
}

/// What a turn says that Codex ends with an error of this kind.
pub(super) async fn turn_fails(kind: &str, message: &str) -> Told {
    let error = json!({ "message": message, "codexErrorInfo": kind, "additionalDetails": null });
    played(&Play::new().begins_turn(1).fails_turn(1, &error), &[]).await
}

/// What the last of so many turns says where this program is in the place of Codex.
pub(super) async fn started(program: impl Into<OsString>, turns: usize) -> Told {
    let arguments = vec!["--exec-fallback=false".into()];
    let setup = Setup { codex: Some(program.into()), arguments, ..Setup::default() };
    let mut bridge = TestBridge::start_with([], setup).await;
    let mut answer = Value::Null;
    for _ in 0..turns {
        answer = bridge.call("codex", json!({ "prompt": "x" })).await;
    }
    let told = Told::of(&bridge, &answer);
    bridge.finish().await;
    told
}

/// The same with a script for a shell.
pub(super) async fn started_script(script: &str) -> Told {
    let home = CodexHome::new("http://127.0.0.1:9");
    let program = home.root().join("program");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let told = started(&program, 1).await;
    Told { text: told.text.replace(&home.root().display().to_string(), "[program]"), ..told }
}

/// What a turn of the real Codex says whose provider answers like this.
pub(super) async fn provider(answer: Reply, flags: &[&str]) -> Told {
    let setup = Setup { arguments: flags.iter().map(OsString::from).collect(), ..Setup::default() };
    let mut bridge = TestBridge::start_with([answer], setup).await;
    let answer = bridge.call("codex", json!({ "prompt": "x" })).await;
    let told = Told::of(&bridge, &answer);
    bridge.finish().await;
    told
}
