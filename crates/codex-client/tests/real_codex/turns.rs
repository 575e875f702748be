//! Turns with the real Codex.

use codex_client::protocol::*;
use codex_client::{Connection, Incoming, Limits, RequestError};
use expect_test::expect;
use testkit::gate::Gate;
use testkit::home::CodexHome;
use testkit::model::{FakeModel, reply, runs, says};
use testkit::process::Launch;
use testkit::tools;
use tokio::io::AsyncWriteExt;
use tokio_util::task::TaskTracker;

use crate::rig::{Codex, PATIENCE, labels};

fn turn_id(messages: &[Incoming]) -> String {
    let started = messages.iter().find_map(|message| match message {
        Incoming::Response { tag: 1, result: Ok(result) } => TurnStart::read(result).ok(),
        _ => None,
    });
    started.expect("the turn started").turn.id
}

#[tokio::test]
async fn a_turn_end_to_end() {
    let model = FakeModel::start([runs("echo hi"), reply().streams("po").streams("ng")]);
    let mut codex = Codex::start(&model).await;
    let thread = codex.start_thread().await;
    codex.submit_turn(&thread, "ping");
    let messages = codex.until_notified("turn/completed").await;
    expect![[r#"
        thread/started
        response 1 ok
        thread/status/changed active
        turn/started
        item/started userMessage
        item/completed userMessage
        item/started commandExecution
        item/completed commandExecution
        thread/tokenUsage/updated
        account/rateLimits/updated
        item/started agentMessage
        item/agentMessage/delta "po"
        item/agentMessage/delta "ng"
        item/completed agentMessage
        thread/tokenUsage/updated
        account/rateLimits/updated
        thread/status/changed idle
        turn/completed completed
    "#]]
    .assert_eq(&labels(&messages));
    codex.stop().await;
    model.finish();
}

#[tokio::test]
async fn a_turn_is_steered() {
    let gate = Gate::new("the first answer");
    let model =
        FakeModel::start([reply().streams("one").holds(&gate).streams("two"), says("three")]);
    let mut codex = Codex::start(&model).await;
    let thread = codex.start_thread().await;
    codex.submit_turn(&thread, "count");
    let messages = codex.until_notified("item/agentMessage/delta").await;
    let turn = turn_id(&messages);
    let wrong = TurnSteerParams {
        thread_id: thread.clone(),
        input: vec![UserInput::text("no")],
        expected_turn_id: "wrong".to_owned(),
        ..Default::default()
    };
    let refused = codex.server.connection().request::<TurnSteer>(&wrong, PATIENCE).await;
    assert!(matches!(refused, Err(RequestError::Rejected { code: -32600, .. })), "{refused:?}");
    let steer = TurnSteerParams {
        expected_turn_id: turn.clone(),
        input: vec![UserInput::text("faster")],
        ..wrong
    };
    assert_eq!(codex.request::<TurnSteer>(steer).await.turn_id, turn);
    gate.open();
    codex.until_notified("turn/completed").await;
    let last = model.captured().pop().expect("the model was asked");
    assert!(last.texts("user").iter().any(|text| text == "faster"), "{:?}", last.texts("user"));
    codex.stop().await;
    model.finish();
}

/// The answer to a steer says less: only what is shown is in the turn.
#[tokio::test]
async fn a_steered_message_is_shown_when_it_is_taken() {
    let gate = Gate::new("the first answer");
    let model =
        FakeModel::start([reply().streams("one").holds(&gate).streams("two"), says("three")]);
    let mut codex = Codex::start(&model).await;
    let thread = codex.start_thread().await;
    codex.submit_turn(&thread, "count");
    let messages = codex.until_notified("item/agentMessage/delta").await;
    let steer = TurnSteerParams {
        thread_id: thread,
        input: vec![UserInput::text("faster")],
        expected_turn_id: turn_id(&messages),
        ..Default::default()
    };
    codex.request::<TurnSteer>(steer).await;
    gate.open();
    let messages = codex.until_notified("turn/completed").await;
    expect![[r#"
        account/rateLimits/updated
        item/started userMessage
        item/completed userMessage
        item/started agentMessage
        item/agentMessage/delta "three"
        item/completed agentMessage
        thread/tokenUsage/updated
        account/rateLimits/updated
        thread/status/changed idle
        turn/completed completed
    "#]]
    .assert_eq(&labels(&messages));
    codex.stop().await;
    model.finish();
}

/// What the turn had not taken when it was interrupted, its model never reads.
#[tokio::test]
async fn a_steered_message_may_be_lost_with_its_turn() {
    let model = FakeModel::start([runs("sleep 600"), says("next")]);
    let mut codex = Codex::start(&model).await;
    let thread_id = codex.start_thread().await;
    codex.submit_turn(&thread_id, "count");
    let messages = codex
        .until(|message| labels(std::slice::from_ref(message)).contains("commandExecution"))
        .await;
    let turn_id = turn_id(&messages);
    let steer = TurnSteerParams {
        thread_id: thread_id.clone(),
        input: vec![UserInput::text("faster")],
        expected_turn_id: turn_id.clone(),
        ..Default::default()
    };
    codex.request::<TurnSteer>(steer).await;
    let interrupt = TurnInterruptParams { thread_id: thread_id.clone(), turn_id };
    codex.request::<TurnInterrupt>(interrupt).await;
    let messages = codex.until_notified("turn/completed").await;
    expect![[r#"
        thread/tokenUsage/updated
        account/rateLimits/updated
        thread/status/changed idle
        turn/completed interrupted
    "#]]
    .assert_eq(&labels(&messages));
    codex.submit_turn(&thread_id, "go on");
    codex.until_notified("turn/completed").await;
    let last = model.captured().pop().expect("the model was asked");
    let texts = last.texts("user");
    assert!(texts.iter().any(|text| text == "count"), "{texts:?}");
    assert!(!texts.iter().any(|text| text == "faster"), "{texts:?}");
    codex.stop().await;
    model.finish();
}

#[tokio::test]
async fn a_turn_is_interrupted() {
    let gate = Gate::new("an answer that is never finished");
    let model = FakeModel::start([reply().streams("one").holds(&gate)]);
    let mut codex = Codex::start(&model).await;
    let thread_id = codex.start_thread().await;
    codex.submit_turn(&thread_id, "count");
    let messages = codex.until_notified("item/agentMessage/delta").await;
    let turn_id = turn_id(&messages);
    codex.request::<TurnInterrupt>(TurnInterruptParams { thread_id, turn_id }).await;
    let messages = codex.until_notified("turn/completed").await;
    assert!(labels(&messages).ends_with("turn/completed interrupted\n"), "{}", labels(&messages));
    gate.abandoned().await;
    codex.stop().await;
    model.finish();
}

#[tokio::test]
async fn a_question_is_answered() {
    let model =
        FakeModel::start([reply().runs_escalated("touch made.txt", "need it"), says("done")]);
    let mut codex = Codex::start(&model).await;
    let thread = codex.start_thread().await;
    let params = TurnStartParams {
        thread_id: thread,
        input: vec![UserInput::text("make it")],
        approval_policy: Some(ApprovalPolicy::OnRequest),
        ..Default::default()
    };
    codex.request::<TurnStart>(params).await;
    let mut messages = codex.until(|message| matches!(message, Incoming::Request { .. })).await;
    let Some(Incoming::Request { id, method, params }) = messages.pop() else { unreachable!() };
    let ServerRequest::CommandApproval(question) = ServerRequest::decode(&method, &params) else {
        panic!("{method}: {params}");
    };
    assert_eq!(question.reason.as_deref(), Some("need it"));
    let answer = ApprovalResponse { decision: ApprovalDecision::Decline };
    codex.server.connection().answer(&id, Ok(&answer)).expect("there is room");
    let messages = codex.until_notified("turn/completed").await;
    let resolved = messages.iter().any(|message| match message {
        Incoming::Notification { method, params, .. } => matches!(
            Notification::decode(method, params),
            Notification::ServerRequestResolved(resolved) if resolved.request_id == id
        ),
        _ => false,
    });
    assert!(resolved, "{}", labels(&messages));
    assert!(!codex.home.workspace().join("made.txt").exists());
    codex.stop().await;
    model.finish();
}

#[tokio::test]
async fn an_unknown_method_is_rejected() {
    let model = FakeModel::start([]);
    let mut codex = Codex::start(&model).await;
    codex.server.connection().submit(1, "no/such", &(), PATIENCE).expect("there is room");
    let mut messages = codex.until(|message| matches!(message, Incoming::Response { .. })).await;
    let Some(Incoming::Response {
        result: Err(RequestError::Rejected { code, message, .. }), ..
    }) = messages.pop()
    else {
        panic!("not rejected");
    };
    assert_eq!(code, -32600);
    assert!(message.starts_with("Invalid request: unknown variant `no/such`"), "{message}");
    codex.stop().await;
}

#[tokio::test]
async fn codex_survives_a_garbage_line() {
    let home = CodexHome::new("http://127.0.0.1:9/v1");
    let launch = Launch::new(tools::codex(), home.workspace());
    let mut child = launch.arguments(["app-server"]).environment(home.environment()).spawn();
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(b"garbage\n").await.expect("it reads");
    let stdout = child.stdout.take().expect("piped");
    let tasks = TaskTracker::new();
    let (connection, inbox) = Connection::open(stdout, stdin, Limits::default(), &tasks);
    let early = AccountReadParams::default();
    let refused = connection.request::<AccountRead>(&early, PATIENCE).await;
    let Err(RequestError::Rejected { message, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(message, "Not initialized");
    drop((connection, inbox));
    assert!(child.wait().await.expect("it ends").success());
}
