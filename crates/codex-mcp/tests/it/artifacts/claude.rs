//! What the model of the real Claude Code is shown of artifacts, and that it gets at each of them.

use std::fmt::Write as _;

use expect_test::expect_file;
use regex::Regex;
use serde_json::{Value, json};
use testkit::claude::ClaudeCode;
use testkit::home::CodexHome;
use testkit::messages::{FakeMessages, ToolResult, calls_tool, calls_tool_with};
use testkit::model::{FakeModel, fails, runs, says};
use testkit::normalise::Normaliser;

use super::{DRAWS, draws};
use crate::bridge::{Setup, launch, text};

/// Two megabytes, with a line in its first part that tells of a failure.
const NOISY: &str = "seq 1 9; echo 'error: it is wrong here'; seq -w 1 250000";

#[tokio::test]
async fn artifacts_in_claude_code() {
    check(Negotiation::Default).await;
}

#[tokio::test]
async fn artifacts_in_a_legacy_claude_code() {
    check(Negotiation::Legacy).await;
}

#[derive(Clone, Copy)]
enum Negotiation {
    Default,
    Legacy,
}

/// Both negotiations show the same.
async fn check(negotiation: Negotiation) {
    let codex_model = FakeModel::start([
        draws(),
        runs(NOISY),
        runs("echo more >> README.md"),
        says("It is longer now."),
        draws(),
        runs(NOISY),
        fails("invalid_prompt"),
    ]);
    let home = CodexHome::new(&codex_model.base_url()).with_config(DRAWS).with_git();
    let read = |uri: fn(&[ToolResult]) -> Value| {
        calls_tool_with(
            "ReadMcpResourceTool",
            move |request| json!({ "server": "x", "uri": uri(&request.tool_results()) }),
        )
    };
    let claude_model = FakeMessages::start([
        calls_tool("mcp__x__codex", json!({ "prompt": "Longer.", "changes": "propose" })),
        read(|results| of_kind(results, "patch")["uri"].clone()),
        read(|results| of_kind(results, "image")["uri"].clone()),
        calls_tool_with("mcp__x__codex_read", |request| {
            json!({ "token": of_kind(&request.tool_results(), "log")["failing"][0]["token"] })
        }),
        calls_tool_with(
            "mcp__x__codex_patch_preview",
            |request| json!({ "patchId": request.tool_results()[0].json()["patch"]["patchId"] }),
        ),
        calls_tool("mcp__x__codex", json!({ "prompt": "Fail." })),
        testkit::messages::says("That is it."),
    ])
    .await;
    let variables = vec![
        ("CODEX_MCP_COMMAND_OUTPUT_CHARS", "70".into()),
        ("CODEX_MCP_RESULT_PAGE_CHARS", "8000".into()),
    ];
    let server = launch(&home, Setup { variables, ..Setup::default() });
    let claude = ClaudeCode::new(&home, &claude_model, &server);
    let claude = match negotiation {
        Negotiation::Default => claude,
        Negotiation::Legacy => claude.legacy(),
    };
    let run = claude.ask("Ask Codex.").await;
    assert!(run.status.success(), "{run:#?}");
    let requests = claude_model.finish();
    let mut shown = Shown::new(&home);
    for result in requests.last().unwrap().tool_results() {
        shown.add(&result);
    }
    expect_file!["claude.txt"].assert_eq(&shown.page);
    home.check_leaks();
    codex_model.finish();
}

/// The first artifact of this kind in the first result.
fn of_kind(results: &[ToolResult], kind: &str) -> Value {
    let data = results[0].json();
    let artifacts = data["artifacts"].as_array().expect("there are artifacts");
    let found = artifacts.iter().find(|artifact| artifact["kind"] == kind);
    found.cloned().unwrap_or_default()
}

/// What a model was shown, with what differs from run to run taken out.
struct Shown {
    normaliser: Normaliser,
    page: String,
}

impl Shown {
    fn new(home: &CodexHome) -> Self {
        Self { normaliser: Normaliser::for_home(home), page: String::new() }
    }

    fn add(&mut self, result: &ToolResult) {
        let mark = if result.is_error { "error" } else { "result" };
        writeln!(self.page, "=== {mark}").unwrap();
        for block in &result.blocks {
            let shown = match text(&block["type"]).as_str() {
                "image" => {
                    let source = &block["source"];
                    let bytes = text(&source["data"]).len();
                    format!("<{}, {bytes} characters in base64>", text(&source["media_type"]))
                }
                _ => self.text(&text(&block["text"])),
            };
            writeln!(self.page, "{shown}").unwrap();
        }
    }

    fn text(&mut self, text: &str) -> String {
        let shown = match serde_json::from_str::<Value>(text) {
            Ok(data) => format!("{:#}", self.normaliser.json(&shortened(data))),
            Err(_) => self.normaliser.text(text),
        };
        let names = [
            (r"\b[0-9a-f]{32}\b", "[output]"),
            ("[A-Za-z0-9_-]{82}", "[token]"),
            (r#"\[root\][^ "]*\.png"#, "[saved].png"),
            (r", \d+\.\d s", ", [time]"),
        ];
        names.iter().fold(shown, |shown, (pattern, name)| {
            Regex::new(pattern).unwrap().replace_all(&shown, *name).into_owned()
        })
    }
}

/// The same with the middle of a long page left out.
fn shortened(mut data: Value) -> Value {
    if let Some(content) = data["content"].as_str().filter(|content| content.len() > 500) {
        let (head, tail) = (&content[..60], &content[content.len() - 30..]);
        data["content"] = json!(format!("{head}…{tail}"));
    }
    data
}
