//! What a client did to a plan reaches Codex: once, at once where a turn runs, else with the next one.

use bridge_core::Limits;
use expect_test::expect;

use super::{READY, RUNNING, check};
use crate::support;

#[test]
fn a_running_turn_is_told_at_once() {
    check(
        RUNNING,
        r#"
            tell-plan 2 T 3
            tell-plan 3 T 4
            steered t1
            takes-plan T t1 3
            steered t1
            takes-plan T t1 4
            completed T t1
            reply 4 T "next"
        "#,
        expect![[r#"
            tell-plan 2 T 3
              -> send turn/steer T/t1 "plan 3"
            tell-plan 3 T 4
              -> answer 3 plan waits
            steered t1
              -> answer 2 plan told in t1
            takes-plan T t1 3
              -> keep plan 3 told in t1
              -> send turn/steer T/t1 "plan 4"
            steered t1
            takes-plan T t1 4
              -> keep plan 4 told in t1
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
            reply 4 T "next"
              -> keep Foreground turn 4 of T "next"
              -> send turn/start T "next" model=base effort=-
              -> tell 4 Starting
        "#]],
    );
}

#[test]
fn an_idle_thread_is_told_with_its_next_turn() {
    check(
        RUNNING,
        r#"
            completed T t1
            tell-plan 2 T 3
            tell-plan 3 T 4
            reply 4 T plan=4 "next"
            started t2
            takes-plan T t2 4
            completed T t2
            reply 5 T plan=4 "and"
        "#,
        expect![[r#"
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
            tell-plan 2 T 3
              -> answer 2 plan waits
            tell-plan 3 T 4
              -> answer 3 plan waits
            reply 4 T plan=4 "next"
              -> keep Foreground turn 4 of T "next"
              -> send turn/start T [plan 4] "next" model=base effort=-
              -> tell 4 Starting
            started t2
              -> keep turn 4 started as t2
            takes-plan T t2 4
              -> keep plan 4 told in t2
            completed T t2
              -> keep end of turn 4: Completed
              -> answer 4 Completed T/t2 after 0ns effort=medium
            reply 5 T plan=4 "and"
              -> keep Foreground turn 5 of T "and"
              -> send turn/start T "and" model=base effort=-
              -> tell 5 Starting
        "#]],
    );
}

#[test]
fn a_thread_that_is_not_here_waits_in_the_records() {
    check(
        READY,
        r#"
            tell-plan 1 T 3
            reply 2 T plan=3 "next"
            opened T
            started t1
            takes-plan T t1 3
        "#,
        expect![[r#"
            tell-plan 1 T 3
              -> answer 1 plan waits
            reply 2 T plan=3 "next"
              -> send thread/resume T
              -> tell 2 Starting
            opened T
              -> keep thread T
              -> keep Foreground turn 2 of T "next"
              -> send turn/start T [plan 3] "next" model=base effort=-
            started t1
              -> keep turn 2 started as t1
            takes-plan T t1 3
              -> keep plan 3 told in t1
        "#]],
    );
}

#[test]
fn a_turn_that_starts_is_told_when_it_runs() {
    check(
        READY,
        r#"
            reply 1 T "one"
            opened T
            tell-plan 2 T 3
            started t1
            steered t1
            takes-plan T t1 3
        "#,
        expect![[r#"
            reply 1 T "one"
              -> send thread/resume T
              -> tell 1 Starting
            opened T
              -> keep thread T
              -> keep Foreground turn 1 of T "one"
              -> send turn/start T "one" model=base effort=-
            tell-plan 2 T 3
              -> answer 2 plan waits
            started t1
              -> keep turn 1 started as t1
              -> send turn/steer T/t1 "plan 3"
            steered t1
            takes-plan T t1 3
              -> keep plan 3 told in t1
        "#]],
    );
}

#[test]
fn what_a_turn_does_not_take_waits_for_the_next() {
    check(
        RUNNING,
        r#"
            tell-plan 2 T 3
            rejected turn/steer "no active turn to steer"
            completed T t1
            reply 3 T "next"
            rejected turn/start "broken"
            reply 4 T "again"
            started t2
            takes-plan T t2 3
        "#,
        expect![[r#"
            tell-plan 2 T 3
              -> send turn/steer T/t1 "plan 3"
            rejected turn/steer "no active turn to steer"
              -> answer 2 plan waits
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
            reply 3 T "next"
              -> keep Foreground turn 3 of T "next"
              -> send turn/start T [plan 3] "next" model=base effort=-
              -> tell 3 Starting
            rejected turn/start "broken"
              -> keep end of turn 3: Failed
              -> answer 3 Failed T/- after 0ns effort=medium because Request { method: "turn/start", failure: Rejected { code: -32600, message: "broken", data: None } }
            reply 4 T "again"
              -> keep Foreground turn 4 of T "again"
              -> send turn/start T [plan 3] "again" model=base effort=- cwd=/w
              -> tell 4 Starting
            started t2
              -> keep turn 4 started as t2
            takes-plan T t2 3
              -> keep plan 3 told in t2
        "#]],
    );
}

#[test]
fn what_a_turn_accepts_and_does_not_read_waits_for_the_next() {
    check(
        RUNNING,
        r#"
            tell-plan 2 T 3
            steered t1
            cancel 3 T
            interrupted T t1
            done thread/backgroundTerminals/clean
            reply 4 T plan=3 "next"
        "#,
        expect![[r#"
            tell-plan 2 T 3
              -> send turn/steer T/t1 "plan 3"
            steered t1
              -> answer 2 plan told in t1
            cancel 3 T
              -> send turn/interrupt T/t1
              -> tell 3 Stopping
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium stopped by Requested { reason: None }
              -> answer 3 cancelled [Interrupted T/t1 after 0ns effort=medium stopped by Requested { reason: None }] and 0 waiting
            reply 4 T plan=3 "next"
              -> keep Foreground turn 4 of T "next"
              -> send turn/start T [plan 3] "next" model=base effort=-
              -> tell 4 Starting
        "#]],
    );
}

#[test]
fn what_was_on_its_way_into_a_process_that_died_is_told_again() {
    check(
        RUNNING,
        r#"
            tell-plan 2 T 3
            exited
            reply 3 T plan=3 "next"
            ready
            opened T
            started t2
            takes-plan T t2 3
        "#,
        expect![[r#"
            tell-plan 2 T 3
              -> send turn/steer T/t1 "plan 3"
            exited
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium because AppServerExited(Exit { code: None, signal: Some(9), stderr: "" })
              -> answer 2 AppServerExited(Exit { code: None, signal: Some(9), stderr: "" })
              -> start the app-server
            reply 3 T plan=3 "next"
              -> keep Foreground turn 3 of T "next"
              -> tell 3 StartingCodex
            ready
              -> send thread/resume T
            opened T
              -> keep thread T
              -> send turn/start T [plan 3] "next" model=base effort=-
            started t2
              -> keep turn 3 started as t2
            takes-plan T t2 3
              -> keep plan 3 told in t2
        "#]],
    );
}

#[test]
fn a_turn_that_is_run_again_is_told_what_it_had_not_read() {
    let before =
        format!("{RUNNING}completed T t1\ntell-plan 2 T 3\nreply 3 T \"next\"\nstarted t2\n");
    check(
        &before,
        r#"
            exited
            ready
            opened T
        "#,
        expect![[r#"
            exited
              -> start the app-server
            ready
              -> send thread/resume T
            opened T
              -> keep thread T
              -> send turn/start T [plan 3] "next" model=base effort=-
        "#]],
    );
    check(
        &before,
        r#"
            takes-plan T t2 3
            exited
            ready
            opened T
        "#,
        expect![[r#"
            takes-plan T t2 3
              -> keep plan 3 told in t2
            exited
              -> start the app-server
            ready
              -> send thread/resume T
            opened T
              -> keep thread T
              -> send turn/start T "next" model=base effort=-
        "#]],
    );
}

#[test]
fn a_turn_that_is_being_stopped_is_told_nothing() {
    check(
        RUNNING,
        r#"
            cancel 2 T
            tell-plan 3 T 3
            interrupted T t1
            done thread/backgroundTerminals/clean
            reply 4 T "next"
        "#,
        expect![[r#"
            cancel 2 T
              -> send turn/interrupt T/t1
              -> tell 2 Stopping
            tell-plan 3 T 3
              -> answer 3 plan waits
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium stopped by Requested { reason: None }
              -> answer 2 cancelled [Interrupted T/t1 after 0ns effort=medium stopped by Requested { reason: None }] and 0 waiting
            reply 4 T "next"
              -> keep Foreground turn 4 of T "next"
              -> send turn/start T [plan 3] "next" model=base effort=-
              -> tell 4 Starting
        "#]],
    );
}

#[test]
fn a_turn_without_an_app_server_reads_it_too() {
    let limits = Limits { exec_fallback: true, ..support::limits() };
    let output = support::Script::with(limits).play(
        r#"
            connect 1
            start-failed crashed
            tell-plan 1 T 3
            reply 2 T plan=3 "next"
            start-failed crashed
            +1s
            start-failed crashed
            exec-started T t1
            tell-plan 3 T 4
            exec-completed
            reply 4 T plan=4 "and"
        "#,
    );
    expect![[r#"
        connect 1
          -> start the app-server
        start-failed crashed
        tell-plan 1 T 3
          -> answer 1 plan waits
        reply 2 T plan=3 "next"
          -> start the app-server
          -> tell 2 StartingCodex
        start-failed crashed
        +1s
          -> start the app-server
          -> tell 2 StartingCodex
        start-failed crashed
          -> run codex exec on T [plan 3] "next" model=-
        exec-started T t1
          -> keep thread T
          -> keep Foreground turn 2 of T "next"
          -> keep turn 2 started as t1
          -> keep plan 3 told in t1
        tell-plan 3 T 4
          -> answer 3 plan waits
        exec-completed
          -> keep end of turn 2: Completed
          -> answer 2 Completed T/t1 after 0ns warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
        reply 4 T plan=4 "and"
          -> keep Foreground turn 4 of T "and"
          -> run codex exec on T [plan 4] "and" model=-
          -> tell 4 RunningExec
    "#]].assert_eq(&output);
}
