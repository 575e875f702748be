//! How a turn gets to run: the app-server, the thread, the options, the background.

use expect_test::expect;

use super::{READY, RUNNING, check};

#[test]
fn a_new_thread_starts_warm_and_its_turn_is_answered() {
    check(
        "",
        r#"
            connect 1
            ready
            codex 1 "hi"
            opened T
            started t1
            turn-started T t1
            says T t1 "hel"
            says T t1 "lo"
            completed T t1
        "#,
        expect![[r#"
            connect 1
              -> start the app-server
            ready
            codex 1 "hi"
              -> send thread/start
              -> tell 1 Starting
            opened T
              -> keep new thread T
              -> keep Foreground turn 1 of T "hi"
              -> send turn/start T "hi" model=base effort=-
            started t1
              -> keep turn 1 started as t1
            turn-started T t1
            says T t1 "hel"
            says T t1 "lo"
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium "hello"
        "#]],
    );
}

#[test]
fn a_call_that_comes_before_the_app_server_waits_for_it() {
    check(
        "",
        r#"
            connect 1
            codex 1 "hi"
            ready
            opened T
            started t1
        "#,
        expect![[r#"
            connect 1
              -> start the app-server
            codex 1 "hi"
              -> tell 1 StartingCodex
            ready
              -> send thread/start
            opened T
              -> keep new thread T
              -> keep Foreground turn 1 of T "hi"
              -> send turn/start T "hi" model=base effort=-
            started t1
              -> keep turn 1 started as t1
        "#]],
    );
}

#[test]
fn a_thread_that_is_not_loaded_is_resumed_first() {
    check(
        READY,
        r#"
            reply 1 T "hi"
            opened T
            started t1
            completed T t1
            reply 2 T "again"
            started t2
        "#,
        expect![[r#"
            reply 1 T "hi"
              -> send thread/resume T
              -> tell 1 Starting
            opened T
              -> keep thread T
              -> keep Foreground turn 1 of T "hi"
              -> send turn/start T "hi" model=base effort=-
            started t1
              -> keep turn 1 started as t1
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
            reply 2 T "again"
              -> keep Foreground turn 2 of T "again"
              -> send turn/start T "again" model=base effort=-
              -> tell 2 Starting
            started t2
              -> keep turn 2 started as t2
        "#]],
    );
}

#[test]
fn options_hold_for_their_turn_only() {
    check(
        RUNNING,
        r#"
            reply 2 T model=big effort=high "two"
            completed T t1
            started t2
            reply 3 T "three"
            completed T t2
        "#,
        expect![[r#"
            reply 2 T model=big effort=high "two"
              -> keep Foreground turn 2 of T "two"
              -> tell 2 Queued { position: 1 }
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
              -> send turn/start T "two" model=big effort=high
            started t2
              -> keep turn 2 started as t2
            reply 3 T "three"
              -> keep Foreground turn 3 of T "three"
              -> tell 3 Queued { position: 1 }
            completed T t2
              -> keep end of turn 2: Completed
              -> answer 2 Completed T/t2 after 0ns effort=high warning "the thread's model changed from base to big: Codex may have summarised the history"
              -> send turn/start T "three" model=base effort=default
        "#]],
    );
}

#[test]
fn a_background_call_is_answered_when_its_turn_runs() {
    check(
        READY,
        r#"
            codex 1 background "hi"
            opened T
            started t1
            says T t1 "late"
            completed T t1
            wait 2 T
        "#,
        expect![[r#"
            codex 1 background "hi"
              -> send thread/start
              -> tell 1 Starting
            opened T
              -> keep new thread T
              -> keep Background turn 1 of T "hi"
              -> send turn/start T "hi" model=base effort=-
            started t1
              -> keep turn 1 started as t1
              -> answer 1 InProgress T/t1 after 0ns effort=medium
            says T t1 "late"
            completed T t1
              -> keep end of turn 1: Completed
            wait 2 T
              -> answer 2 Completed T/t1 after 0ns effort=medium "late"
        "#]],
    );
}

#[test]
fn a_background_call_behind_a_running_turn_is_answered_at_once() {
    check(
        RUNNING,
        r#"
            reply 2 T background "two"
            completed T t1
            started t2
            wait 3 T t2
            completed T t2
        "#,
        expect![[r#"
            reply 2 T background "two"
              -> keep Background turn 2 of T "two"
              -> tell 2 Queued { position: 1 }
              -> answer 2 Queued { position: 1 } T/- after 0ns
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
              -> send turn/start T "two" model=base effort=-
            started t2
              -> keep turn 2 started as t2
            wait 3 T t2
              -> tell 3 StillRunning { doing: None, elapsed: 0ns }
            completed T t2
              -> keep end of turn 2: Completed
              -> answer 3 Completed T/t2 after 0ns effort=medium
        "#]],
    );
}

#[test]
fn a_thread_that_cannot_be_opened_fails_its_turns() {
    check(
        READY,
        r#"
            reply 1 T "hi"
            reply 2 T "two"
            rejected thread/resume "no rollout found for thread id T"
            reply 3 T "again"
        "#,
        expect![[r#"
            reply 1 T "hi"
              -> send thread/resume T
              -> tell 1 Starting
            reply 2 T "two"
              -> tell 2 Queued { position: 2 }
            rejected thread/resume "no rollout found for thread id T"
              -> answer 1 Failed T/- after 0ns because Request { method: "thread/resume", failure: Rejected { code: -32600, message: "no rollout found for thread id T", data: None } }
              -> answer 2 Failed T/- after 0ns because Request { method: "thread/resume", failure: Rejected { code: -32600, message: "no rollout found for thread id T", data: None } }
            reply 3 T "again"
              -> send thread/resume T
              -> tell 3 Starting
        "#]],
    );
}

#[test]
fn a_turn_that_is_refused_fails_alone() {
    check(
        READY,
        r#"
            reply 1 T "hi"
            reply 2 T "two"
            opened T
            rejected turn/start "nope"
            started t2
        "#,
        expect![[r#"
            reply 1 T "hi"
              -> send thread/resume T
              -> tell 1 Starting
            reply 2 T "two"
              -> tell 2 Queued { position: 2 }
            opened T
              -> keep thread T
              -> keep Foreground turn 1 of T "hi"
              -> keep Foreground turn 2 of T "two"
              -> send turn/start T "hi" model=base effort=-
            rejected turn/start "nope"
              -> keep end of turn 1: Failed
              -> answer 1 Failed T/- after 0ns effort=medium because Request { method: "turn/start", failure: Rejected { code: -32600, message: "nope", data: None } }
              -> send turn/start T "two" model=base effort=- cwd=/w
            started t2
              -> keep turn 2 started as t2
        "#]],
    );
}
