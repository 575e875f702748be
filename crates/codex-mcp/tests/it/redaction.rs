//! Secrets are in nothing that is kept, logged, traced or told in an error.

use std::fs;
use std::path::Path;
use std::time::Duration;

use codex_mcp::error::{Code, Problem};
use codex_mcp::logging;
use serde_json::json;
use testkit::model::{reply, says};
use testkit::poll;

use crate::bridge::{Setup, TestBridge, content};

/// One is known by its value, the other by its shape.
const SECRETS: [&str; 2] = ["correct-horse-battery", "sk-abcdefghij0123456789"];

/// Every file below a directory: its name, and what is in it.
pub(crate) fn files(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            found.push((path.display().to_string(), text));
        }
    }
    found
}

#[tokio::test]
async fn both_pipes_are_traced_and_no_file_has_a_secret() {
    let [value, shape] = SECRETS;
    let setup = || Setup {
        arguments: vec!["--verbose".into()],
        variables: vec![
            ("SERVICE_API_KEY", value.into()),
            ("CODEX_MCP_ENVIRONMENT_ALLOW", "MOCK_API_KEY,SERVICE_API_KEY".into()),
        ],
        ..Setup::default()
    };
    let answer = format!("The keys are {value} and {shape}.");
    let script = [reply().runs(format!("printf '{value} {shape}'")), says(&answer)];
    let mut bridge = TestBridge::start_with(script, setup()).await;
    let arguments = json!({
        "prompt": format!("Use {value} and {shape}."),
        "developer-instructions": format!("Never say {shape}."),
        "name": format!("About {value}"),
    });
    // Its own client gets the answer as the model gave it.
    assert_eq!(content(&bridge.call("codex", arguments).await), answer);
    bridge.client.peer.close_input();
    bridge.client.peer.wait_exit().await;
    poll::until(Duration::from_secs(10), || match bridge.processes("daemon run") {
        engines if engines.is_empty() => Ok(()),
        engines => Err(engines),
    })
    .await;
    let kept = files(&bridge.home.home().join(".local/state/codex-mcp"));
    for (name, text) in &kept {
        for secret in SECRETS {
            assert!(!text.contains(secret), "{name} has {secret}: {text}");
        }
    }
    let log = &kept.iter().find(|(name, _)| name.ends_with(".log")).expect("there is a log").1;
    for direction in
        ["from the client", "to the client", "from the app-server", "to the app-server"]
    {
        assert!(log.contains(direction), "nothing {direction}: {log}");
    }
    assert!(log.contains("[redacted]"), "{log}");
    bridge.restart(Setup::default()).await;
    bridge.finish().await;
}

#[test]
fn the_last_words_of_an_engine_repeat_no_secret() {
    let mut said = Vec::new();
    logging::say_redacted(&format!("panicked at src/x.rs:1:1:\n{}", SECRETS[1]), &mut said);
    assert_eq!(String::from_utf8(said).unwrap(), "panicked at src/x.rs:1:1:\n[redacted]\n");
}

#[test]
fn an_error_repeats_no_secret() {
    let problem = Problem::new(Code::LoginRequired, format!("Incorrect API key: {}", SECRETS[1]));
    let problem = problem.with_hint("Try https://me:hunter2@example.com.");
    let text = problem.to_string();
    assert!(text.contains("Incorrect API key: [redacted]"), "{text}");
    assert!(text.contains("https://me:[redacted]@example.com"), "{text}");
}
