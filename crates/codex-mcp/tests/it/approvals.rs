//! What Codex asks, as a person behind an MCP client is asked: while the call goes on, or by answering it.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use testkit::model::{Reply, patches, reply, says};
use testkit::normalise::Normaliser;

use crate::bridge::{Setup, TestBridge, content, text};

const PATCH: &str = "*** Begin Patch\n*** Add File: made.txt\n+made\n*** End Patch";

fn asking() -> Setup {
    Setup { elicits: true, ..Setup::default() }
}

fn with_rules(rules: &str) -> Setup {
    Setup { variables: vec![("CODEX_MCP_APPROVALS", rules.into())], ..asking() }
}

fn escalates(command: &str) -> Reply {
    reply().runs_escalated(command, "It has to be.")
}

fn prompt() -> Value {
    json!({ "prompt": "Make it.", "approval-policy": "on-request" })
}

fn made(bridge: &TestBridge) -> bool {
    bridge.home.workspace().join("made.txt").exists()
}

/// What was asked and decided, on one line each.
fn decisions(answer: &Value) -> String {
    let data = &answer["structuredContent"];
    let lines = [&data["approved"], &data["declined"]].into_iter().filter_map(Value::as_array);
    let line = |decided: &Value| {
        let [decision, by] = [&decided["decision"], &decided["decidedBy"]].map(text);
        format!("{decision} by {by}: {}\n", text(&decided["what"]))
    };
    lines.flatten().map(line).collect()
}

/// A command that wants out of the sandbox, asked while the call goes on and answered with `result`.
async fn check_legacy(result: Value, expected: Expect) {
    let script = [escalates("touch made.txt"), says("Done.")];
    let mut bridge = TestBridge::start_with(script, asking()).await;
    let call = bridge.begin("codex", prompt()).await;
    let asked = bridge.client.peer.incoming("elicitation/create").await;
    bridge.client.peer.respond(&asked["id"], result).await;
    let answer = bridge.result(call).await;
    let status = text(&answer["structuredContent"]["status"]);
    let seen = format!("{}{status}, made: {}\n", decisions(&answer), made(&bridge));
    expected.assert_eq(&seen);
    bridge.finish().await;
}

#[tokio::test]
async fn a_yes_runs_the_command_outside_the_sandbox() {
    check_legacy(
        json!({ "action": "accept", "content": { "scope": "once" } }),
        expect![[r#"
        accept by person: to run: touch made.txt
        completed, made: true
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_yes_without_a_word_is_a_yes() {
    check_legacy(
        json!({ "action": "accept", "content": {} }),
        expect![[r#"
        accept by person: to run: touch made.txt
        completed, made: true
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_yes_with_a_word_that_was_not_offered_is_a_no() {
    let content = json!({ "scope": "always" });
    check_legacy(
        json!({ "action": "accept", "content": content }),
        expect![[r#"
        decline by person: to run: touch made.txt
        completed, made: false
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_no_is_a_no() {
    check_legacy(
        json!({ "action": "decline" }),
        expect![[r#"
        decline by person: to run: touch made.txt
        completed, made: false
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_form_that_is_put_away_is_a_no() {
    check_legacy(
        json!({ "action": "cancel" }),
        expect![[r#"
        decline by person: to run: touch made.txt
        completed, made: false
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_bogus_answer_is_a_no() {
    check_legacy(
        json!({ "action": "whatever" }),
        expect![[r#"
        decline by nobody: to run: touch made.txt
        completed, made: false
    "#]],
    )
    .await;
}

#[tokio::test]
async fn the_question_says_what_where_and_why() {
    let script = [escalates("touch made.txt"), patches(PATCH), says("Done.")];
    let mut bridge = TestBridge::start_with(script, asking()).await;
    let call = bridge.begin("codex", prompt()).await;
    let mut shown = String::new();
    for _ in 0..2 {
        let asked = bridge.client.peer.incoming("elicitation/create").await;
        bridge.client.peer.respond(&asked["id"], json!({ "action": "decline" })).await;
        let mut params = asked["params"].clone();
        params.as_object_mut().unwrap().remove("_meta");
        shown.push_str(&format!("{}\n", text(&params["message"])));
        shown.push_str(&format!("{}\n", params["requestedSchema"]));
    }
    let answer = bridge.result(call).await;
    let shown = Normaliser::for_home(&bridge.home).text(&shown);
    expect![[r#"
        Codex asks to run: touch made.txt. It would run in [workspace], outside the sandbox. Its reason: It has to be. (thread [uuid-1]; declined in 300 s)
        {"type":"object","properties":{"scope":{"type":"string","title":"Answer","description":"once: Yes, this once; thread: Yes, and do not ask again on this thread; stop: No, and end the turn","enum":["once","thread","stop"]}}}
        Codex asks to change [workspace]/made.txt. (thread [uuid-1]; declined in 300 s)

        diff --git a[workspace]/made.txt b[workspace]/made.txt
        new file mode 100644
        --- /dev/null
        +++ b[workspace]/made.txt
        @@ -0,0 +1,1 @@
        +made

        {"type":"object","properties":{"scope":{"type":"string","title":"Answer","description":"once: Yes, this once; thread: Yes, and do not ask again on this thread; stop: No, and end the turn","enum":["once","thread","stop"]}}}
    "#]].assert_eq(&shown);
    assert_eq!(content(&answer), "Done.");
    bridge.finish().await;
}

#[tokio::test]
async fn a_change_that_is_allowed_is_made_and_asked_no_more_on_the_thread() {
    let second =
        PATCH.replace("Add File: made.txt\n+made", "Update File: made.txt\n@@\n-made\n+more");
    let script = [patches(PATCH), patches(second), says("Done.")];
    let mut bridge = TestBridge::start_with(script, asking()).await;
    let call = bridge.begin("codex", prompt()).await;
    let asked = bridge.client.peer.incoming("elicitation/create").await;
    let yes = json!({ "action": "accept", "content": { "scope": "thread" } });
    bridge.client.peer.respond(&asked["id"], yes).await;
    let answer = bridge.result(call).await;
    assert_eq!(content(&answer), "Done.");
    expect![[r#"
        acceptForSession by person: to change [w]/made.txt
    "#]]
    .assert_eq(&decisions(&answer).replace(&bridge.home.workspace().display().to_string(), "[w]"));
    let file = std::fs::read_to_string(bridge.home.workspace().join("made.txt")).unwrap();
    assert_eq!(file, "more\n");
    bridge.finish().await;
}

#[tokio::test]
async fn silence_is_a_no_and_the_client_is_told_to_stop_asking() {
    let script = [escalates("touch made.txt"), says("Done.")];
    let setup = Setup { arguments: vec!["--approval-deadline-seconds=1".into()], ..asking() };
    let mut bridge = TestBridge::start_with(script, setup).await;
    let call = bridge.begin("codex", prompt()).await;
    let asked = bridge.client.peer.incoming("elicitation/create").await;
    let stopped = bridge.client.peer.incoming("notifications/cancelled").await;
    assert_eq!(stopped["params"]["requestId"], asked["id"]);
    // Too late, and twice.
    for _ in 0..2 {
        bridge.client.peer.respond(&asked["id"], json!({ "action": "accept" })).await;
    }
    let answer = bridge.result(call).await;
    expect![[r#"
        decline by deadline: to run: touch made.txt
    "#]]
    .assert_eq(&decisions(&answer));
    assert!(!made(&bridge));
    bridge.finish().await;
}

#[tokio::test]
async fn a_client_that_cannot_ask_is_not_waited_for() {
    let script = [escalates("touch made.txt"), says("Done.")];
    let mut bridge = TestBridge::start(script).await;
    let answer = bridge.call("codex", prompt()).await;
    expect![[r#"
        decline by nobody: to run: touch made.txt
    "#]]
    .assert_eq(&decisions(&answer));
    bridge.finish().await;
}

#[tokio::test]
async fn rules_decide_without_asking() {
    let rules = r#"deny command ["rm"]; allow command ["touch", "made.txt"]"#;
    let script = [escalates("rm -r ."), escalates("touch made.txt"), says("Done.")];
    let mut bridge = TestBridge::start_with(script, with_rules(rules)).await;
    let answer = bridge.call("codex", prompt()).await;
    assert_eq!(content(&answer), "Done.");
    expect![[r#"
        accept by policy 2: to run: touch made.txt
        decline by policy 1: to run: rm -r .
    "#]]
    .assert_eq(&decisions(&answer));
    assert!(made(&bridge));
    let thread = &answer["structuredContent"]["threadId"];
    let arguments = json!({ "threadId": thread, "kinds": ["approvals"] });
    let read = bridge.call("codex.thread.read", arguments).await;
    let entries = read["structuredContent"]["entries"].as_array().unwrap();
    let shown: Vec<_> = entries
        .iter()
        .map(|entry| format!("{} | {}", text(&entry["detail"]), text(&entry["text"])))
        .collect();
    assert_eq!(
        shown,
        [
            "decline by policy 1 | to run: rm -r .\nIt has to be.",
            "accept by policy 2 | to run: touch made.txt\nIt has to be."
        ]
    );
    bridge.finish().await;
}

/// Answers a call with questions until it has a result.
async fn come_again(
    bridge: &mut TestBridge,
    arguments: &Value,
    mut reply: Value,
    answer: &Value,
) -> Value {
    while reply["result"]["resultType"] == "input_required" {
        let requests = reply["result"]["inputRequests"].as_object().unwrap();
        let responses: serde_json::Map<_, _> =
            requests.keys().map(|key| (key.clone(), answer.clone())).collect();
        let params = json!({
            "name": "codex", "arguments": arguments,
            "inputResponses": responses, "requestState": reply["result"]["requestState"],
        });
        reply = bridge.client.request("tools/call", params).await;
    }
    reply
}

async fn check_modern(result: Value, expected: Expect) {
    let script = [escalates("touch made.txt"), says("Done.")];
    let mut bridge = TestBridge::spawn(script, asking());
    bridge.client.use_modern();
    let first = bridge.client.call_tool("codex", prompt()).await;
    assert_eq!(first["result"]["resultType"], "input_required", "{first}");
    let last = come_again(&mut bridge, &prompt(), first, &result).await;
    let answer = &last["result"];
    let status = text(&answer["structuredContent"]["status"]);
    let seen = format!("{}{status}, made: {}\n", decisions(answer), made(&bridge));
    expected.assert_eq(&seen);
    bridge.finish().await;
}

#[tokio::test]
async fn a_call_that_comes_again_with_a_yes_goes_on_with_the_same_turn() {
    check_modern(
        json!({ "action": "accept" }),
        expect![[r#"
        accept by person: to run: touch made.txt
        completed, made: true
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_call_that_comes_again_with_a_no_goes_on_with_the_same_turn() {
    check_modern(
        json!({ "action": "decline" }),
        expect![[r#"
        decline by person: to run: touch made.txt
        completed, made: false
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_state_that_was_changed_is_refused_and_nothing_is_lost() {
    let script = [escalates("touch made.txt"), says("Done.")];
    let mut bridge = TestBridge::spawn(script, asking());
    bridge.client.use_modern();
    let first = bridge.client.call_tool("codex", prompt()).await;
    let state = text(&first["result"]["requestState"]);
    let yes = json!({ "approval-1": { "action": "accept" } });
    let mut states = vec![String::new(), "rs1.x.y".to_owned(), state[..state.len() - 2].to_owned()];
    let swapped = if state.ends_with('A') { "B" } else { "A" };
    states.push(format!("{}{swapped}", &state[..state.len() - 1]));
    for state in states {
        let params = json!({
            "name": "codex", "arguments": prompt(), "inputResponses": yes, "requestState": state,
        });
        let refused = bridge.client.request("tools/call", params).await;
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
        assert!(text(&refused["error"]["message"]).contains("requestState"), "{refused}");
    }
    // Another tool is not what it was made for.
    let params = json!({
        "name": "codex-reply", "arguments": prompt(), "inputResponses": yes, "requestState": state,
    });
    let refused = bridge.client.request("tools/call", params).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    let yes = json!({ "action": "accept" });
    let last = come_again(&mut bridge, &prompt(), first, &yes).await;
    assert_eq!(content(&last["result"]), "Done.");
    assert!(made(&bridge));
    bridge.finish().await;
}

#[tokio::test]
async fn an_answer_that_comes_after_the_deadline_gets_the_result() {
    let script = [escalates("touch made.txt"), says("Done.")];
    let setup = Setup { arguments: vec!["--approval-deadline-seconds=1".into()], ..asking() };
    let mut bridge = TestBridge::spawn(script, setup);
    bridge.client.use_modern();
    let first = bridge.client.call_tool("codex", prompt()).await;
    let structured = &first["result"];
    assert_eq!(structured["resultType"], "input_required", "{first}");
    let threads = bridge.client.call_tool("codex.thread.list", json!({})).await;
    let thread = text(&threads["result"]["structuredContent"]["threads"][0]["threadId"]);
    let waited =
        bridge.client.call_tool("codex.wait", json!({ "threadId": thread, "waitSeconds": 20 }));
    let waited = waited.await;
    let again = come_again(&mut bridge, &json!({ "threadId": thread }), waited, &json!({})).await;
    assert_eq!(content(&again["result"]), "Done.");
    let last = come_again(&mut bridge, &prompt(), first, &json!({ "action": "accept" })).await;
    assert_eq!(content(&last["result"]), "Done.");
    expect![[r#"
        decline by deadline: to run: touch made.txt
    "#]]
    .assert_eq(&decisions(&last["result"]));
    assert!(!made(&bridge));
    bridge.finish().await;
}

#[tokio::test]
async fn a_background_turn_waits_for_somebody_who_can_be_asked() {
    let script = [escalates("touch made.txt"), says("Done.")];
    let mut bridge = TestBridge::start(script).await;
    let mut arguments = prompt();
    arguments["background"] = json!(true);
    let begun = bridge.call("codex", arguments).await;
    let thread = text(&begun["structuredContent"]["threadId"]);
    let wait = json!({ "threadId": thread, "waitSeconds": 20 });
    let mut other = bridge.beside(asking()).await;
    let call = other.start_call("codex.wait", wait).await;
    let asked = other.peer.incoming("elicitation/create").await;
    let here = bridge.call("codex.wait", json!({ "threadId": thread, "waitSeconds": 0 })).await;
    let waits = &here["structuredContent"]["asking"];
    assert_eq!(*waits, json!(["to run: touch made.txt"]), "{here}");
    other.peer.respond(&asked["id"], json!({ "action": "accept" })).await;
    let answer = other.peer.reply(call).await;
    assert_eq!(content(&answer["result"]), "Done.");
    assert!(made(&bridge));
    other.peer.close_input();
    other.peer.wait_exit().await;
    bridge.finish().await;
}

#[tokio::test]
async fn an_end_of_the_turn_is_offered_too() {
    let script = [escalates("touch made.txt")];
    let mut bridge = TestBridge::start_with(script, asking()).await;
    let call = bridge.begin("codex", prompt()).await;
    let asked = bridge.client.peer.incoming("elicitation/create").await;
    let stop = json!({ "action": "accept", "content": { "scope": "stop" } });
    bridge.client.peer.respond(&asked["id"], stop).await;
    let answer = bridge.result(call).await;
    assert_eq!(answer["structuredContent"]["status"], "interrupted", "{answer}");
    assert_eq!(answer["structuredContent"]["stoppedBy"], "the answer to a question of Codex");
    assert!(!made(&bridge));
    bridge.finish().await;
}

#[tokio::test]
async fn a_call_that_is_given_up_takes_its_question_along() {
    let script = [escalates("touch made.txt")];
    let mut bridge = TestBridge::start_with(script, asking()).await;
    let call = bridge.begin("codex", prompt()).await;
    let asked = bridge.client.peer.incoming("elicitation/create").await;
    bridge.client.cancel(call, "enough").await;
    let stopped = bridge.client.peer.incoming("notifications/cancelled").await;
    assert_eq!(stopped["params"]["requestId"], asked["id"]);
    bridge.finish().await;
}

/// Asks with the tools of Codex that are about permissions and questions for the user, and answers each with a yes.
#[tokio::test]
async fn permissions_and_questions_for_the_user_are_asked_too() {
    let permissions =
        json!({ "reason": "To look.", "permissions": { "network": { "enabled": true } } });
    let options =
        json!([{ "label": "Red", "description": "Warm" }, { "label": "Blue", "description": "" }]);
    let questions = json!({ "questions": [
        { "id": "colour", "header": "Colour", "question": "Which one?", "options": options }
    ] });
    let script = [
        reply().calls("request_permissions", permissions),
        reply().calls("request_user_input", questions),
        says("Done."),
    ];
    let config = "features.request_permissions_tool = true\nfeatures.default_mode_request_user_input = true\n\
        suppress_unstable_features_warning = true";
    let mut bridge = TestBridge::start_with(script, Setup { config, ..asking() }).await;
    let call = bridge.begin("codex", prompt()).await;
    let mut shown = String::new();
    for answer in [json!({ "scope": "thread" }), json!({ "colour": "Blue" })] {
        let asked = bridge.client.peer.incoming("elicitation/create").await;
        shown.push_str(&format!("{}\n", text(&asked["params"]["message"])));
        let accept = json!({ "action": "accept", "content": answer });
        bridge.client.peer.respond(&asked["id"], accept).await;
    }
    let answer = bridge.result(call).await;
    shown.push_str(&decisions(&answer));
    let outputs = bridge.model.captured();
    for call in ["call_1", "call_2"] {
        let output = outputs.last().unwrap().tool_output(call);
        shown.push_str(&format!("{}\n", output.unwrap_or_default()));
    }
    let shown = Normaliser::for_home(&bridge.home).text(&shown);
    expect![[r#"
        Codex asks for more permissions: {"network":{"enabled":true}}. Its reason: To look. (thread [uuid-1]; declined in 300 s)
        Codex asks for an answer: Which one? (Red, Blue, or something else). (thread [uuid-1]; declined in 300 s)
        acceptForSession by person: for more permissions: {"network":{"enabled":true}}
        accept by person: for an answer: Which one? (Red, Blue, or something else)
        {"permissions":{"network":{"enabled":true},"file_system":null},"scope":"session"}
        {"answers":{"colour":{"answers":["Blue"]}}}
    "#]].assert_eq(&shown);
    assert_eq!(content(&answer), "Done.");
    bridge.finish().await;
}
