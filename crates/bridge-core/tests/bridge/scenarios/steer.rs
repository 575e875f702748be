//! More input for a running turn.

use expect_test::expect;

use super::{READY, RUNNING, check};

#[test]
fn a_steer_reaches_the_running_turn() {
    check(
        RUNNING,
        r#"
            steer 2 T "more"
            steered t1
            steer 3 T t1 "more"
            rejected turn/steer "no active turn to steer"
        "#,
        expect![[r#"
            steer 2 T "more"
              -> send turn/steer T/t1 "more"
            steered t1
              -> answer 2 steered T/t1
            steer 3 T t1 "more"
              -> send turn/steer T/t1 "more"
            rejected turn/steer "no active turn to steer"
              -> answer 3 Request { method: "turn/steer", failure: Rejected { code: -32600, message: "no active turn to steer", data: None } }
        "#]],
    );
}

#[test]
fn a_steer_waits_for_the_turn_to_start() {
    check(
        READY,
        r#"
            codex 1 "hi"
            opened T
            reply 2 T "two"
            steer 3 T "more"
            started t1
        "#,
        expect![[r#"
            codex 1 "hi"
              -> send thread/start
              -> tell 1 Starting
            opened T
              -> keep new thread T
              -> keep Foreground turn 1 of T "hi"
              -> send turn/start T "hi" model=base effort=-
            reply 2 T "two"
              -> keep Foreground turn 2 of T "two"
              -> tell 2 Queued { position: 1 }
            steer 3 T "more"
            started t1
              -> keep turn 1 started as t1
              -> send turn/steer T/t1 "more"
        "#]],
    );
}

#[test]
fn a_steer_never_becomes_a_turn() {
    check(
        RUNNING,
        r#"
            steer 2 T t9 "more"
            steer 3 U "more"
            completed T t1
            steer 4 T "more"
            reply 5 T "five"
            started t5
            cancel 6 T
            steer 7 T "more"
        "#,
        expect![[r#"
            steer 2 T t9 "more"
              -> answer 2 WrongTurn { given: TurnId("t9"), running: Some(TurnId("t1")) }
            steer 3 U "more"
              -> answer 3 NoRunningTurn { thread: ThreadId("U") }
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
            steer 4 T "more"
              -> answer 4 NoRunningTurn { thread: ThreadId("T") }
            reply 5 T "five"
              -> keep Foreground turn 5 of T "five"
              -> send turn/start T "five" model=base effort=-
              -> tell 5 Starting
            started t5
              -> keep turn 5 started as t5
            cancel 6 T
              -> send turn/interrupt T/t5
              -> tell 6 Stopping
            steer 7 T "more"
              -> answer 7 TurnStopping
        "#]],
    );
}
