//! Bytes to messages, however they arrive.

use codex_client::{Incoming, Limits};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use testkit::faulty_pipe::{Fault, FaultyPipe};

use crate::rig::received;

async fn check(bytes: &'static [u8], expected: Expect) {
    expected.assert_eq(&received(bytes, Limits::default()).await);
}

#[tokio::test]
async fn a_message_may_be_split_at_every_byte() {
    let bytes =
        "{\"method\":\"a\",\"params\":{\"x\":\"é\"}}\n{\"id\":7,\"method\":\"b\"}\n".as_bytes();
    let whole = received(bytes, Limits::default()).await;
    for at in 1..bytes.len() {
        let pipe = FaultyPipe::new(bytes, [Fault::Pass(at)]);
        assert_eq!(received(pipe, Limits::default()).await, whole, "split at {at}");
    }
    let pipe = FaultyPipe::split_every(bytes, 1);
    assert_eq!(received(pipe, Limits::default()).await, whole);
    expect![[r#"
        a {"x":"é"}
        request 7 b null
        closed: the app-server closed its output
    "#]]
    .assert_eq(&whole);
}

#[tokio::test]
async fn two_messages_may_come_in_one_read() {
    check(
        b"{\"method\":\"a\"}\r\n\n{\"method\":\"b\",\"params\":[1]}\n",
        expect![[r#"
            a null
            b [1]
            closed: the app-server closed its output
        "#]],
    )
    .await;
}

#[tokio::test]
async fn what_is_no_message_is_reported_and_the_next_line_is_read() {
    check(
        b"garbage\n{\"id\":null,\"error\":{}}\n{\"id\":1}\n[]\n{\"text\":\"\xff\"}\n{\"method\":\"good\"}\n",
        expect![[r#"
            malformed: a line is not a message: garbage
            malformed: a line is not a message: {"id":null,"error":{}}
            malformed: a line is not a message: {"id":1}
            malformed: a line is not a message: []
            malformed: a line is not UTF-8: {"text":"�"}
            good null
            closed: the app-server closed its output
        "#]],
    )
    .await;
}

#[tokio::test]
async fn what_is_unknown_in_an_envelope_is_ignored() {
    check(
        b"{\"jsonrpc\":\"2.0\",\"new\":{},\"method\":\"a\\u0062\",\"emittedAtMs\":\"soon\"}\n{\"id\":\"x\",\"method\":\"b\"}\n",
        expect![[r#"
            ab null
            request x b null
            closed: the app-server closed its output
        "#]],
    )
    .await;
}

#[tokio::test]
async fn the_end_of_the_stream_may_cut_a_line() {
    check(
        b"{\"method\":\"a\"}\n{\"method\":\"b\"",
        expect![[r#"
            a null
            malformed: the stream ended within a line: {"method":"b"
            closed: the app-server closed its output
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_read_may_fail() {
    let bytes = &b"{\"method\":\"a\"}\n{\"method\":\"b\"}\n"[..];
    let pipe = FaultyPipe::new(bytes, [Fault::Pass(20), Fault::Fail(std::io::ErrorKind::Other)]);
    expect![[r#"
        a null
        closed: the app-server's output cannot be read
    "#]]
    .assert_eq(&received(pipe, Limits::default()).await);
}

#[tokio::test]
async fn a_line_above_the_limit_is_left_out_whole() {
    let limits = || Limits { max_line_bytes: 100, ..Limits::default() };
    let long = "x".repeat(200_000);
    let bytes = format!("{{\"method\":\"{long}\"}}\n{{\"method\":\"a\"}}\n{long}");
    let text = received(std::io::Cursor::new(bytes.clone()), limits()).await;
    expect![[r#"
        malformed: a line of 200013 bytes is above the limit
        a null
        malformed: a line of 200000 bytes is above the limit
        closed: the app-server closed its output
    "#]]
    .assert_eq(&text);
    let slowly = FaultyPipe::split_every(std::io::Cursor::new(bytes), 77);
    assert_eq!(received(slowly, limits()).await, text);
}

#[tokio::test]
async fn the_limit_counts_what_is_before_the_newline() {
    let limits = Limits { max_line_bytes: 14, ..Limits::default() };
    let bytes = &b"{\"method\":\"a\"}\n{\"method\":\"bb\"}\n"[..];
    expect![[r#"
        a null
        malformed: a line of 15 bytes is above the limit
        closed: the app-server closed its output
    "#]]
    .assert_eq(&received(bytes, limits).await);
}

#[tokio::test]
async fn a_line_of_20_mb_arrives_whole() {
    let text = "y".repeat(20_000_000);
    let bytes = format!("{{\"method\":\"big\",\"params\":\"{text}\"}}\n{{\"method\":\"small\"}}\n");
    let text = received(std::io::Cursor::new(bytes), Limits::default()).await;
    expect![[r#"
        big 20000002 bytes
        small null
        closed: the app-server closed its output
    "#]]
    .assert_eq(&text);
}

proptest! {
    #[test]
    fn chunks_do_not_matter(
        messages in prop::collection::vec(("[a-zé\"\\\\]{0,40}", 0u32..1000), 0..30),
        chunks in prop::collection::vec(1usize..200, 0..60),
    ) {
        let sent: Vec<_> = messages
            .iter()
            .map(|(method, number)| (method.clone(), number.to_string()))
            .collect();
        let bytes: String = sent
            .iter()
            .map(|(method, params)| {
                serde_json::json!({ "method": method }).to_string().trim_end_matches('}').to_owned()
                    + &format!(",\"params\":{params}}}\n")
            })
            .collect();
        let pipe = FaultyPipe::new(
            std::io::Cursor::new(bytes),
            chunks.into_iter().map(Fault::Pass),
        );
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let got = runtime.block_on(notifications(pipe));
        prop_assert_eq!(got, sent);
    }
}

async fn notifications<R>(output: R) -> Vec<(String, String)>
where
    R: tokio::io::AsyncRead + Unpin + Send + 'static,
{
    let tasks = tokio_util::task::TaskTracker::new();
    let (_connection, mut inbox) =
        codex_client::Connection::open(output, tokio::io::sink(), Limits::default(), &tasks);
    let mut got = Vec::new();
    while let Some(Incoming::Notification { method, params, .. }) = inbox.recv().await {
        got.push((method, params.get().to_owned()));
    }
    got
}
