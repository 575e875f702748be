//! Full queues: each one waits, refuses or closes as it says, and none of them blocks another.

use std::time::Duration;

use codex_client::{Connection, Incoming, Limits, RequestError};
use expect_test::expect;
use serde_json::json;
use testkit::faulty_pipe::{Fault, FaultyPipe};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use crate::rig::{Rig, SECOND, all};

/// Lets every task run until it waits for something: time is paused, so it passes only then.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn at_most_64_requests_are_in_flight_and_the_rest_follow_in_order() {
    let mut rig = Rig::new();
    for tag in 1..=100 {
        rig.submit(tag);
    }
    for tag in 1..=64 {
        assert_eq!(rig.read().await["params"]["tag"], tag);
    }
    settle().await;
    let more = tokio::time::timeout(Duration::from_millis(100), rig.input.next_line()).await;
    assert!(more.is_err(), "a 65th was sent");
    rig.write(r#"{"id":5,"result":null}"#).await;
    assert_eq!(rig.recv().await, "5: null");
    assert_eq!(rig.read().await["params"]["tag"], 65);
}

#[tokio::test(start_paused = true)]
async fn more_than_320_requests_are_refused() {
    let mut rig = Rig::new();
    for tag in 1..=322 {
        rig.submit(tag);
    }
    let overloaded = "Overloaded: test/method was not taken on: too many requests are under way";
    assert_eq!(rig.recv().await, format!("321: {overloaded}"));
    assert_eq!(rig.recv().await, format!("322: {overloaded}"));
    let mut ended = 0;
    while ended < 320 {
        assert!(rig.recv().await.contains("DeadlineExceeded"));
        ended += 1;
    }
    rig.submit(400);
    while rig.read().await["params"]["tag"] != 400 {}
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waited_too_long_is_never_sent() {
    let limits = Limits { in_flight: 1, ..Limits::default() };
    let mut rig = Rig::with(limits, 64 * 1024);
    rig.submit_with_deadline(1, 3 * SECOND);
    rig.submit_with_deadline(2, SECOND);
    rig.submit_with_deadline(3, 10 * SECOND);
    assert!(rig.recv().await.starts_with("2: DeadlineExceeded"));
    assert!(rig.recv().await.starts_with("1: DeadlineExceeded"));
    assert_eq!(rig.read().await["params"]["tag"], 1);
    assert_eq!(rig.read().await["params"]["tag"], 3);
}

#[tokio::test(start_paused = true)]
async fn a_blocked_writer_blocks_nothing_else() {
    let mut rig = Rig::with(Limits::default(), 64);
    for tag in 1..=10 {
        rig.submit(tag);
    }
    settle().await;
    rig.write(r#"{"method":"still/heard"}"#).await;
    assert_eq!(rig.recv().await, "still/heard null");
    for tag in 1..=10 {
        assert!(rig.recv().await.starts_with(&format!("{tag}: DeadlineExceeded")));
    }
    rig.submit(11);
    // What the pipe and the writer already had comes out; what was reported as failed does not.
    let mut sent = Vec::new();
    while sent.last() != Some(&11) {
        sent.push(rig.read().await["params"]["tag"].as_u64().expect("a tag"));
    }
    assert!(sent.len() <= 4, "sent after their deadline: {sent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_broken_input_fails_what_is_not_written_and_the_output_is_still_read() {
    let (output, mut writer) = tokio::io::simplex(1024);
    let input = FaultyPipe::new(tokio::io::sink(), [Fault::Cut]);
    let tasks = TaskTracker::new();
    let (connection, mut inbox) = Connection::open(output, input, Limits::default(), &tasks);
    let submit = |tag| connection.submit(tag, "test/method", &(), SECOND).expect("there is room");
    submit(1);
    settle().await;
    submit(2);
    submit(3);
    settle().await;
    submit(4);
    writer.write_all(b"{\"id\":1,\"result\":1}\n").await.expect("the pipe is open");
    writer.shutdown().await.expect("can be closed");
    expect![[r#"
        2: Closed: test/method was not answered: the connection to the app-server is closed
        3: Closed: test/method was not answered: the connection to the app-server is closed
        4: Closed: test/method was not answered: the connection to the app-server is closed
        1: 1
        closed: the app-server closed its output
    "#]]
    .assert_eq(&all(&mut inbox).await);
}

#[tokio::test(start_paused = true)]
async fn an_app_server_that_never_reads_is_given_up() {
    let mut rig = Rig::with(Limits::default(), 64);
    for _ in 0..2 {
        for _ in 0..600 {
            rig.connection.notify("ping", Some(&json!({}))).expect("there is room");
        }
        settle().await;
    }
    assert_eq!(rig.recv().await, "closed: the app-server does not read its input");
    rig.tasks.wait().await;
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_does_not_read_can_still_send() {
    let limits = Limits { inbox: 1, ..Limits::default() };
    let rig = Rig::with(limits, 1024);
    let flood = "{\"method\":\"n\"}\n".repeat(20_000);
    let Rig { connection, mut inbox, mut output, .. } = rig;
    let mut flooding = JoinSet::new();
    flooding.spawn(async move { output.write_all(flood.as_bytes()).await });
    settle().await;
    assert!(flooding.try_join_next().is_none(), "the pipe was read although nobody wanted it");
    for tag in 1..=500 {
        connection.submit(tag, "test/method", &(), SECOND).expect("there is room");
        settle().await;
    }
    let (mut notifications, mut responses) = (0, 0);
    while notifications + responses < 20_500 {
        match inbox.recv().await.expect("open") {
            Incoming::Notification { .. } => notifications += 1,
            Incoming::Response { .. } => responses += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((notifications, responses), (20_000, 500));
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_sends_thousands_without_reading_is_refused() {
    let rig = Rig::with(Limits { inbox: 1, ..Limits::default() }, 1024);
    let mut refused = 0;
    for tag in 0..10_000 {
        let result = rig.connection.submit(tag, "test/method", &(), SECOND);
        refused += usize::from(matches!(result, Err(RequestError::Overloaded { .. })));
        tokio::task::yield_now().await;
    }
    assert!((7_000..9_000).contains(&refused), "{refused}");
    let taken = 10_000 - refused;
    let mut inbox = rig.inbox;
    for _ in 0..taken {
        assert!(matches!(inbox.recv().await, Some(Incoming::Response { .. })));
    }
}
