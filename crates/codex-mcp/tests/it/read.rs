//! `codex.read`: long results, page by page, without a gap.

use codex_mcp::mcp::paging::{OutputId, ResumeToken};
use serde_json::{Value, json};
use testkit::home::CodexHome;
use testkit::model::{FakeModel, fails, reply, says};

use crate::bridge::{Setup, TestBridge, content, error_code, result_of, text};
use crate::connections::House;

/// A client whose user allows results of 2,000 tokens.
fn small_pages() -> Setup {
    Setup { variables: vec![("MAX_MCP_OUTPUT_TOKENS", "2000".into())], ..Setup::default() }
}

/// What such a client may be given at once, in bytes.
const PAGE_BYTES: usize = 8_000;

/// About 300 kB of an answer with all that an answer can have: headings, long lines, tables, emoji, Chinese.
fn long_answer() -> String {
    let section = |number: usize| {
        let words = "The parser reads one token ahead. ".repeat(9);
        format!(
            "## Part {number}\n\n{words}\r\n\n- naïve \u{1f469}\u{200d}\u{1f4bb} 解析器\n\n```rust\nfn part() {{}}\n```\n"
        )
    };
    (0..800).map(section).collect()
}

fn entry<'a>(answer: &'a Value, field: &str) -> &'a Value {
    let more = answer["structuredContent"]["more"].as_array().expect("a result that goes on");
    more.iter().find(|entry| entry["field"] == field).unwrap_or_else(|| panic!("{more:#?}"))
}

/// Reads everything behind a token.
async fn rest(bridge: &mut TestBridge, token: &Value) -> String {
    let mut token = token.clone();
    let mut rest = String::new();
    for number in 1.. {
        let answer = bridge.call("codex.read", json!({ "token": token })).await;
        let page = &answer["structuredContent"];
        assert_eq!(answer["isError"], false, "{answer}");
        assert!(page.to_string().len() <= PAGE_BYTES, "{} bytes", page.to_string().len());
        assert!(page["page"].as_u64().unwrap() >= number, "{page}");
        rest += &text(&page["content"]);
        let end = page["offset"].as_u64().unwrap() as usize + text(&page["content"]).len();
        assert_eq!(page["done"], end as u64 == page["totalBytes"], "{page}");
        assert_eq!(page["done"] == true, page.get("token").is_none(), "{page}");
        if page["done"] == true {
            break;
        }
        token = page["token"].clone();
    }
    rest
}

#[tokio::test]
async fn a_long_answer_comes_back_whole() {
    let whole = long_answer();
    assert!(whole.len() > 300_000, "{}", whole.len());
    let mut bridge = TestBridge::start_with([says(whole.as_str())], small_pages()).await;
    let answer = bridge.call("codex", json!({ "prompt": "all" })).await;
    let first = content(&answer);
    assert!(answer["structuredContent"].to_string().len() <= PAGE_BYTES, "{answer}");
    assert!(first.len() > PAGE_BYTES / 2, "{}", first.len());

    let more = entry(&answer, "content");
    assert_eq!(more["totalChars"], whole.chars().count(), "{more}");
    let shown = text(&answer["content"][0]["text"]);
    let last_line = shown.lines().last().unwrap();
    assert!(
        last_line.contains("codex.read") && last_line.contains(&text(&more["token"])),
        "{shown}"
    );

    let rest = rest(&mut bridge, &more["token"]).await;
    assert!(first + &rest == whole, "the pages are not the answer");
    let resource = bridge.client.request("resources/read", json!({ "uri": more["uri"] })).await;
    let resource = &result_of(resource)["contents"][0];
    assert_eq!(resource["mimeType"], "text/markdown");
    assert!(resource["text"] == whole, "the resource is not the answer");
    bridge.finish().await;
}

#[tokio::test]
async fn what_led_to_an_answer_goes_on_too() {
    let thinking = "First think about it. ".repeat(900);
    let comment = "On the way I saw this. ".repeat(900);
    let script = [
        reply().thinks(thinking.as_str()).comments(comment.as_str()).runs("seq 1 3000"),
        says("Short."),
    ];
    let mut setup = small_pages();
    setup.arguments = vec!["--command-output-chars=100000".into()];
    let mut bridge = TestBridge::start_with(script, setup).await;
    let answer = bridge.call("codex", json!({ "prompt": "all" })).await;
    assert_eq!(content(&answer), "Short.");
    let result = &answer["structuredContent"];
    assert!(result.to_string().len() <= PAGE_BYTES, "{}", result.to_string().len());

    let output = text(&result["commands"][0]["output"]);
    let log = output.clone() + &rest(&mut bridge, &entry(&answer, "commands")["token"]).await;
    assert!(log.starts_with("1\n2\n") && log.contains("\n2999\n3000"), "{log}");
    assert!(output.ends_with('\n'), "cut inside a line: {output:?}");
    for (field, whole) in [("commentary", comment.as_str()), ("thinking", thinking.trim())] {
        let shown = result[field][0].as_str().unwrap_or_default();
        let rest = rest(&mut bridge, &entry(&answer, field)["token"]).await;
        assert!(format!("{shown}{rest}") == whole, "{field}: {rest}");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn an_error_leaves_room_for_its_remedy() {
    let failing = reply().says("I saw it. ".repeat(9_000)).runs("true");
    let mut bridge = TestBridge::start([failing, fails("invalid_prompt")]).await;
    let answer = bridge.call("codex", json!({ "prompt": "all" })).await;
    error_code(&answer);
    let shown = text(&answer["content"][0]["text"]);
    // Claude Code cuts an error at about 10,000 characters.
    assert!(shown.len() < 10_000, "{}", shown.len());
    assert!(shown.starts_with("Error ") && shown.ends_with(']'), "{shown}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_running_turn_shows_its_beginning_and_keeps_nothing() {
    let gate = testkit::gate::Gate::new("running");
    let script = [reply().streams("word ".repeat(9_000)).holds(&gate).streams("end")];
    let mut bridge = TestBridge::start_with(script, small_pages()).await;
    let started = bridge.call("codex", json!({ "prompt": "all", "background": true })).await;
    gate.reached().await;
    let thread = text(&started["structuredContent"]["threadId"]);
    let look = json!({ "threadId": thread, "waitSeconds": 0 });
    // What was streamed reaches us some time after the model sent it.
    let result = loop {
        let answer = bridge.call("codex.wait", look.clone()).await;
        if answer["structuredContent"]["warnings"].is_array() {
            break answer["structuredContent"].clone();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(result["status"], "inProgress");
    assert!(text(&result["warnings"][0]).contains("when the turn has ended"), "{result}");
    assert!(result.get("more").is_none(), "{result}");
    gate.open();
    let ended = bridge.call("codex.wait", json!({ "threadId": thread })).await;
    assert_eq!(entry(&ended, "content")["totalChars"], 45_003);
    bridge.finish().await;
}

#[tokio::test]
async fn a_token_that_is_not_ours_is_refused() {
    let mut bridge = TestBridge::start_with([says("word ".repeat(9_000))], small_pages()).await;
    let answer = bridge.call("codex", json!({ "prompt": "all" })).await;
    let token = text(&entry(&answer, "content")["token"]);
    let changed = if token.ends_with('A') { "B" } else { "A" };
    let forged = format!("{}{changed}{}", &token[..40], &token[41..]);
    for bad in ["", "token", "../../etc/passwd", &token[..60], &forged] {
        if bad == token {
            continue;
        }
        let refused = bridge.call("codex.read", json!({ "token": bad })).await;
        assert_eq!(error_code(&refused), "token_invalid", "{bad}: {refused}");
    }
    let missing = bridge.call("codex.read", json!({})).await;
    assert_eq!(error_code(&missing), "invalid_arguments", "{missing}");
    bridge.finish().await;
}

#[tokio::test]
async fn what_cannot_be_kept_is_cut_and_said_to_be_lost() {
    let model = FakeModel::start([says("word ".repeat(30_000))]);
    let home = CodexHome::new(&model.base_url()).with_git();
    // In the place of the database lies something else.
    let broken = home.home().join(".local/state/codex-mcp/store.sqlite3");
    std::fs::create_dir_all(broken).unwrap();
    let house = House::open(&home).await;
    let mut client = house.client().await;
    let answer = result_of(client.call_tool("codex", json!({ "prompt": "all" })).await);
    let shown = content(&answer).len();
    assert!(answer["structuredContent"].get("more").is_none(), "{answer}");
    let warnings = answer["structuredContent"]["warnings"].as_array().unwrap();
    let warnings: Vec<_> = warnings.iter().map(text).collect();
    assert!(warnings[0].starts_with("nothing is kept on disk: "), "{warnings:#?}");
    let cut =
        format!("`content` shows {shown} of its 150000 characters; the rest could not be kept: ");
    assert!(warnings[1].starts_with(&cut), "{warnings:#?}");
    drop(client);
    house.close().await;
    home.check_leaks();
    model.finish();
}

#[tokio::test]
async fn a_token_is_good_after_a_restart() {
    let whole = "word ".repeat(9_000);
    let mut bridge = TestBridge::start_with([says(whole.clone())], small_pages()).await;
    let answer = bridge.call("codex", json!({ "prompt": "all" })).await;
    let token = entry(&answer, "content")["token"].clone();
    bridge.restart(small_pages()).await;
    let rest = rest(&mut bridge, &token).await;
    assert!(content(&answer) + &rest == whole);
    bridge.finish().await;
}

#[tokio::test]
async fn a_token_outlives_its_output() {
    let model = FakeModel::start([]);
    let home = CodexHome::new(&model.base_url()).with_git();
    let house = House::open(&home).await;
    let mut client = house.client().await;
    let token = ResumeToken { output: OutputId([1; 16]), offset: 0, page: 2 };
    let token = token.seal(house.shared.outputs.token_key());
    let expired = result_of(client.call_tool("codex.read", json!({ "token": token })).await);
    assert_eq!(error_code(&expired), "output_expired", "{expired}");
    drop(client);
    house.close().await;
    home.check_leaks();
    model.finish();
}
