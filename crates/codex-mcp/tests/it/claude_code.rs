//! The real Claude Code as the client: what its model is offered, and what it is shown of the answers.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use testkit::claude::{ClaudeCode, answer, interrupt, user_message};
use testkit::gate::Gate;
use testkit::home::CodexHome;
use testkit::leaks::{Process, programs_under};
use testkit::messages::{self, FakeMessages, MessagesRequest, calls_tool, calls_tool_with};
use testkit::model::{self, FakeModel, reply, runs, says};
use testkit::peer::Peer;
use testkit::poll;

use crate::bridge::{Setup, launch, text};

const SERVER: &str = env!("CARGO_BIN_EXE_codex-mcp");
const CODEX: &str = "mcp__x__codex";
const REPLY: &str = "mcp__x__codex-reply";
/// What a model may be sent of all the tools, in bytes.
const DEFINITIONS_LIMIT: usize = 20_000;
/// How long the command of a turn may take to be there, or to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything around one Claude Code. Fields are dropped in this order.
struct Rig {
    home: CodexHome,
    codex_model: FakeModel,
    claude_model: FakeMessages,
    config_before: String,
}

impl Rig {
    async fn start(
        codex_script: impl Into<model::Script>,
        claude_script: impl IntoIterator<Item = messages::Reply>,
    ) -> Self {
        let codex_model = FakeModel::start(codex_script);
        let home = CodexHome::new(&codex_model.base_url()).with_git();
        let claude_model = FakeMessages::start(claude_script).await;
        let config_before = home.config_text();
        Self { home, codex_model, claude_model, config_before }
    }

    fn claude(&self) -> ClaudeCode {
        let server = launch(&self.home, Setup::default());
        ClaudeCode::new(&self.home, &self.claude_model, &server)
    }

    /// The processes whose command line contains `part`.
    fn processes(&self, part: &str) -> Vec<Process> {
        programs_under(self.home.root(), part)
    }

    /// Checks what is left once Claude Code has ended, and gives what its model was sent.
    fn finish(self) -> Vec<MessagesRequest> {
        self.home.check_leaks();
        assert_eq!(
            self.home.config_text(),
            self.config_before,
            "the user's Codex configuration was written"
        );
        self.codex_model.finish();
        self.claude_model.finish()
    }
}

/// What differs between the two ways to open a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Negotiation {
    Default,
    Legacy,
}

#[tokio::test]
async fn a_conversation_by_the_default_negotiation_is_stateless() {
    check_conversation(Negotiation::Default).await;
}

#[tokio::test]
async fn a_conversation_by_the_legacy_negotiation_has_a_handshake() {
    check_conversation(Negotiation::Legacy).await;
}

/// `codex`, then `codex-reply` on the thread that it returned.
async fn check_conversation(negotiation: Negotiation) {
    let codex_script = [runs("printf hello"), says("It says hello."), says("Still hello.")];
    let claude_script = [
        calls_tool(CODEX, json!({"prompt": "What does it say?"})),
        calls_tool_with(REPLY, |request| {
            let first = request.tool_results()[0].json();
            json!({"prompt": "And now?", "threadId": first["threadId"]})
        }),
        messages::says("Hello, twice."),
    ];
    let rig = Rig::start(codex_script, claude_script).await;
    let claude = match negotiation {
        Negotiation::Default => rig.claude(),
        Negotiation::Legacy => rig.claude().legacy(),
    };
    let run = claude.ask("Ask Codex.").await;
    assert!(run.status.success(), "{run:#?}");
    assert_eq!(run.event("result")["result"], "Hello, twice.");

    // A server names itself in the `_meta` of a result only where there was no handshake to do it in.
    let told = &run.event("user")["tool_use_result"]["_meta"]["io.modelcontextprotocol/serverInfo"];
    match negotiation {
        Negotiation::Default => assert_eq!(told["name"], "codex-mcp"),
        Negotiation::Legacy => assert_eq!(*told, Value::Null),
    }

    let requests = rig.finish();
    let shown = requests.last().unwrap().tool_results();
    let [first, second] = shown.as_slice() else {
        panic!("not two results: {shown:#?}");
    };
    for (result, answer) in [(first, "It says hello."), (second, "Still hello.")] {
        assert!(!result.is_error, "{}", result.text);
        assert_eq!(result.json()["content"], answer, "{}", result.text);
        assert_eq!(result.json()["status"], "completed", "{}", result.text);
    }
    assert_eq!(first.json()["threadId"], second.json()["threadId"]);
    assert_eq!(first.json()["commands"][0]["output"], "hello", "{}", first.text);
}

#[tokio::test]
async fn the_two_tools_for_turns_are_offered_at_once_and_the_others_on_demand() {
    let rig = Rig::start([], [messages::says("done")]).await;
    let run = rig.claude().ask("Hello.").await;
    assert!(run.status.success(), "{run:#?}");

    let listed: Vec<_> = run.event("system")["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(text)
        .filter(|tool| tool.starts_with("mcp__x__"))
        .collect();
    let requests = rig.finish();
    let request = &requests[0];
    let mut offered = request.tool_names();
    offered.retain(|tool| tool.starts_with("mcp__x__"));
    offered.sort_unstable();
    assert_eq!(offered, [CODEX, REPLY]);

    let context = request.context();
    let deferred = listed.iter().filter(|tool| !offered.contains(&tool.as_str()));
    let unmentioned: Vec<_> = deferred.filter(|tool| !context.contains(*tool)).collect();
    assert!(unmentioned.is_empty(), "the model cannot find {unmentioned:?}");
    assert!(listed.len() > offered.len(), "no tool is deferred: {listed:?}");

    let heading = "## x\n";
    let (_, instructions) = context.split_once(heading).expect("the server's instructions");
    assert!(instructions.starts_with("Works with OpenAI's Codex"), "{context}");
    let (instructions, _) = instructions.split_once("\n\n").unwrap();
    assert!(!instructions.contains("[truncated]"), "{instructions}");
}

#[tokio::test]
async fn the_definitions_of_all_tools_are_small() {
    let rig = Rig::start([], [messages::says("done")]).await;
    let run = rig.claude().without_own_tools().ask("Hello.").await;
    assert!(run.status.success(), "{run:#?}");

    let requests = rig.finish();
    let tools = requests[0].tools().iter();
    let ours = tools.filter(|tool| text(&tool["name"]).starts_with("mcp__x__"));
    let sizes: Vec<_> = ours.map(|tool| (text(&tool["name"]), tool.to_string().len())).collect();
    let total: usize = sizes.iter().map(|(_, size)| size).sum();
    assert!(sizes.len() >= 6, "{sizes:?}");
    assert!(total < DEFINITIONS_LIMIT, "{total} bytes: {sizes:?}");
}

#[tokio::test]
async fn a_long_answer_is_a_page_in_place_and_not_a_file() {
    let answer = "One line of a long answer, \"quoted\" in part.\n".repeat(7_000);
    let claude_script = [calls_tool(CODEX, json!({"prompt": "All."})), messages::says("done")];
    let rig = Rig::start([says(answer.as_str())], claude_script).await;
    let run = rig.claude().ask("Ask Codex.").await;
    assert!(run.status.success(), "{run:#?}");

    let requests = rig.finish();
    let shown = requests.last().unwrap().tool_results().pop().unwrap();
    let result = shown.json();
    let content = text(&result["content"]);
    assert!(answer.starts_with(&content) && content.ends_with('\n'), "{}", shown.text);
    // What Claude Code allows without being told otherwise: 25,000 tokens.
    assert!((80_000..100_000).contains(&shown.text.len()), "{}", shown.text.len());
    assert_eq!(result["more"][0]["totalChars"], answer.len(), "{}", result["more"]);
}

#[tokio::test]
async fn an_error_is_shown_with_its_code_and_its_remedy() {
    let unknown = "0199a0aa-0000-7000-8000-000000000000";
    let claude_script = [
        calls_tool(CODEX, json!({"prompt": ""})),
        calls_tool(REPLY, json!({"prompt": "Go on.", "threadId": unknown})),
        calls_tool("mcp__x__codex_steer", json!({"prompt": "Stop.", "threads": unknown})),
        messages::says("done"),
    ];
    let rig = Rig::start([], claude_script).await;
    let run = rig.claude().ask("Ask Codex.").await;
    assert!(run.status.success(), "{run:#?}");

    let requests = rig.finish();
    let shown = requests.last().unwrap().tool_results();
    let expected = [
        ("Error invalid_arguments: ", "`prompt`", "What to do: "),
        ("Error thread_not_found: ", unknown, "start a new thread with `codex`"),
        ("Error invalid_arguments: ", "`threads`", "What to do: "),
    ];
    assert_eq!(shown.len(), expected.len(), "{shown:#?}");
    for (result, (code, subject, remedy)) in shown.iter().zip(expected) {
        assert!(result.is_error, "{}", result.text);
        assert!(result.text.starts_with(code), "{}", result.text);
        assert!(result.text.contains(subject), "{}", result.text);
        assert!(result.text.contains(remedy), "{}", result.text);
    }
}

#[tokio::test]
async fn an_interrupt_by_the_user_ends_the_turn_and_its_command_and_leaves_the_server() {
    let gate = Gate::new("the stream behind the command");
    let claude_script = [
        calls_tool(CODEX, json!({"prompt": "Wait long."})),
        calls_tool("mcp__x__codex_health", json!({})),
        messages::says("All is well."),
    ];
    let rig = Rig::start([reply().runs("sleep 600").holds(&gate)], claude_script).await;
    let mut claude = rig.claude().converse();
    claude.send(&user_message("Ask Codex.")).await;
    gate.reached().await;
    poll::until(PATIENCE, || match rig.processes("sleep 600") {
        running if running.is_empty() => Err("the command does not run"),
        _ => Ok(()),
    })
    .await;
    let server = rig.processes(SERVER);
    assert_eq!(server.len(), 2, "a front and its engine: {server:#?}");

    claude.send(&interrupt()).await;
    let ended = claude.find("the end of the turn", |event| event["type"] == "result").await;
    assert_eq!(ended["subtype"], "error_during_execution", "{ended}");
    gate.abandoned().await;
    poll::until(PATIENCE, || match rig.processes("sleep 600") {
        running if running.is_empty() => Ok(()),
        running => Err(running),
    })
    .await;

    claude.send(&user_message("How is it?")).await;
    let ended = claude.find("the end of the next turn", |event| event["type"] == "result").await;
    assert_eq!(ended["result"], "All is well.", "{ended}");
    assert_eq!(rig.processes(env!("CARGO_BIN_EXE_codex-mcp")), server, "not the same server");
    claude.close_input();
    claude.wait_exit().await;

    let requests = rig.finish();
    let health = requests.last().unwrap().tool_results().pop().unwrap();
    assert_eq!(health.json()["healthy"], true, "{}", health.text);
    assert_eq!(health.json()["work"]["turnsRunning"], 0, "{}", health.text);
}

/// A Claude Code of its own in the rig's home, which asks Codex one thing. Its model is the second.
async fn asks(rig: &Rig, prompt: &str) -> (Peer, FakeMessages) {
    let script = [calls_tool(CODEX, json!({ "prompt": prompt })), messages::says("done")];
    let model = FakeMessages::start(script).await;
    let server = launch(&rig.home, Setup::default());
    let mut claude = ClaudeCode::new(&rig.home, &model, &server).converse();
    claude.send(&user_message("Ask Codex.")).await;
    (claude, model)
}

/// Waits for the end of a Claude Code's turn, and gives what Codex answered it.
async fn answered(claude: &mut Peer, model: FakeMessages) -> String {
    let ended = claude.find("the end of the turn", |event| event["type"] == "result").await;
    assert_eq!(ended["result"], "done", "{ended}");
    claude.close_input();
    claude.wait_exit().await;
    let shown = model.finish().pop().unwrap().tool_results().pop().unwrap();
    text(&shown.json()["content"])
}

#[tokio::test]
async fn two_share_an_engine_and_neither_end_hurts_the_other() {
    let gates = [Gate::new("first"), Gate::new("second"), Gate::new("third")];
    let script = [
        reply().when("first").holds(&gates[0]).says("one"),
        reply().when("second").holds(&gates[1]).says("two"),
        reply().when("third").holds(&gates[2]).says("three"),
    ];
    let rig = Rig::start(script, []).await;
    let (mut first, first_model) = asks(&rig, "first").await;
    let (mut second, second_model) = asks(&rig, "second").await;
    gates[0].reached().await;
    gates[1].reached().await;
    let engines = rig.processes("daemon run");
    assert_eq!((engines.len(), rig.processes("app-server").len()), (1, 1), "{engines:#?}");

    first.signal(Signal::KILL);
    first.wait_exit().await;
    gates[0].abandoned().await;
    drop(first_model);
    // The second one's turn goes on, and so does one that begins now and outlives it.
    let (mut third, third_model) = asks(&rig, "third").await;
    gates[2].reached().await;
    gates[1].open();
    assert_eq!(answered(&mut second, second_model).await, "two");
    gates[2].open();
    assert_eq!(rig.processes("daemon run"), engines, "not the same engine");
    assert_eq!(answered(&mut third, third_model).await, "three");
    rig.finish();
}

/// What a person says who sits before Claude Code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Yes,
    No,
    /// The form is put away.
    Nothing,
    /// Nobody is there.
    Silence,
}

/// Codex asks to run a command outside its sandbox, and Claude Code's host is asked.
async fn check_approval(negotiation: Negotiation, says_what: Says) {
    let codex_script = [reply().runs_escalated("touch made.txt", "It has to be."), says("Done.")];
    let prompt = json!({"prompt": "Make it.", "approval-policy": "on-request"});
    let claude_script = [calls_tool(CODEX, prompt), messages::says("That is it.")];
    let rig = Rig::start(codex_script, claude_script).await;
    let deadline = if says_what == Says::Silence { "1" } else { "60" };
    let setup = Setup {
        variables: vec![("CODEX_MCP_APPROVAL_DEADLINE_SECONDS", deadline.into())],
        ..Setup::default()
    };
    let server = launch(&rig.home, setup);
    let claude = ClaudeCode::new(&rig.home, &rig.claude_model, &server);
    let mut host = match negotiation {
        Negotiation::Default => claude.converse(),
        Negotiation::Legacy => claude.legacy().converse(),
    };
    host.send(&user_message("Ask Codex.")).await;
    let is_question = |event: &Value| event["request"]["subtype"] == "elicitation";
    let asked = host.find("a question", is_question).await;
    assert!(text(&asked["request"]["message"]).contains("touch made.txt"), "{asked}");
    let response = match says_what {
        Says::Yes => Some(json!({"action": "accept", "content": {"scope": "once"}})),
        Says::No => Some(json!({"action": "decline"})),
        Says::Nothing => Some(json!({"action": "cancel"})),
        Says::Silence => None,
    };
    if let Some(response) = response {
        host.send(&answer(&asked, response)).await;
    } else if negotiation == Negotiation::Default {
        // Nothing tells a stateless client that the time is over; the answer finds the turn all the same.
        poll::until(PATIENCE, || match rig.codex_model.captured().len() {
            2 => Ok(()),
            requests => Err(requests),
        })
        .await;
        host.send(&answer(&asked, json!({"action": "accept"}))).await;
    }
    host.find("the end", |event| event["type"] == "result").await;
    host.close_input();
    host.wait_exit().await;
    let made = rig.home.workspace().join("made.txt").exists();
    let requests = rig.finish();
    let results = requests.last().expect("Claude's model was asked").tool_results();
    let result = results.last().expect("the tool had a result").json();
    assert_eq!(result["content"], "Done.", "{result}");
    let (list, decision, by) = match says_what {
        Says::Yes => ("approved", "accept", "person"),
        Says::No | Says::Nothing => ("declined", "decline", "person"),
        Says::Silence => ("declined", "decline", "deadline"),
    };
    assert_eq!(result[list][0]["decision"], decision, "{result}");
    assert_eq!(result[list][0]["decidedBy"], by, "{result}");
    assert_eq!(made, says_what == Says::Yes);
}

macro_rules! approvals {
    ($($name:ident: $negotiation:ident $says:ident;)+) => {
        $(#[tokio::test]
        async fn $name() {
            check_approval(Negotiation::$negotiation, Says::$says).await;
        })+
    };
}

approvals! {
    a_yes_in_claude_code: Default Yes;
    a_no_in_claude_code: Default No;
    a_form_put_away_in_claude_code: Default Nothing;
    silence_in_claude_code: Default Silence;
    a_yes_in_a_legacy_claude_code: Legacy Yes;
    a_no_in_a_legacy_claude_code: Legacy No;
    a_form_put_away_in_a_legacy_claude_code: Legacy Nothing;
    silence_in_a_legacy_claude_code: Legacy Silence;
}

/// A thread is to be deleted, which nobody allowed beforehand, and Claude Code's host is asked.
async fn check_consent(negotiation: Negotiation, says_what: Says) {
    let claude_script = [
        calls_tool(CODEX, json!({"prompt": "Hello."})),
        calls_tool_with("mcp__x__codex_thread_archive", |request| {
            let first = request.tool_results()[0].json();
            json!({"threadId": first["threadId"], "action": "delete"})
        }),
        messages::says("That is it."),
    ];
    let rig = Rig::start([says("Hello.")], claude_script).await;
    let mut host = match negotiation {
        Negotiation::Default => rig.claude().converse(),
        Negotiation::Legacy => rig.claude().legacy().converse(),
    };
    host.send(&user_message("Ask Codex.")).await;
    let is_question = |event: &Value| event["request"]["subtype"] == "elicitation";
    let asked = host.find("a question", is_question).await;
    let action = if says_what == Says::Yes { "accept" } else { "decline" };
    host.send(&answer(&asked, json!({ "action": action, "content": {} }))).await;
    host.find("the end", |event| event["type"] == "result").await;
    host.close_input();
    host.wait_exit().await;

    let requests = rig.finish();
    let shown = requests.last().expect("Claude's model was asked").tool_results();
    let [first, second] = shown.as_slice() else { panic!("not two results: {shown:#?}") };
    let thread = text(&first.json()["threadId"]);
    let question = format!("May codex-mcp delete thread {thread} with all its messages?");
    assert!(text(&asked["request"]["message"]).starts_with(&question), "{asked}");
    if says_what == Says::Yes {
        assert_eq!(second.json(), json!({ "threadId": thread, "state": "deleted" }));
    } else {
        assert!(second.text.starts_with("Error consent_required: nobody allowed"), "{second:?}");
        assert!(second.text.contains("the user did not agree"), "{second:?}");
    }
}

#[tokio::test]
async fn a_yes_to_a_deletion_in_claude_code() {
    check_consent(Negotiation::Default, Says::Yes).await;
}

#[tokio::test]
async fn a_no_to_a_deletion_in_claude_code() {
    check_consent(Negotiation::Default, Says::No).await;
}

#[tokio::test]
async fn a_yes_to_a_deletion_in_a_legacy_claude_code() {
    check_consent(Negotiation::Legacy, Says::Yes).await;
}

#[tokio::test]
async fn a_no_to_a_deletion_in_a_legacy_claude_code() {
    check_consent(Negotiation::Legacy, Says::No).await;
}
