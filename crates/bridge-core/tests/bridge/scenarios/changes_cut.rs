//! Turns that may change files and do not come to their own end: stopped, cut, or found by a shutdown.

use expect_test::expect;

use super::{PROPOSING, READY, check};

#[test]
fn a_turn_that_is_stopped_while_its_place_is_made_is_over_at_once() {
    check(
        READY,
        r#"
            reply 1 T propose "hi"
            reply 2 T propose "two"
            opened T
            give-up 1
            prepared 1 /copy
            cancel 3 T
            prepare-failed 2 "too late"
            reply 4 T "look"
        "#,
        expect![[r#"
            reply 1 T propose "hi"
              -> send thread/resume T
              -> tell 1 Starting
            reply 2 T propose "two"
              -> tell 2 Queued { position: 2 }
            opened T
              -> keep thread T
              -> keep Foreground turn 1 of T "hi"
              -> keep Foreground turn 2 of T "two"
              -> prepare Propose of turn 1 of T in /w
            give-up 1
              -> stop preparing turn 1
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/- after 0ns stopped by CallCancelled
              -> prepare Propose of turn 2 of T in /w
            prepared 1 /copy
            cancel 3 T
              -> stop preparing turn 2
              -> keep end of turn 2: Interrupted
              -> answer 2 Interrupted T/- after 0ns stopped by Requested { reason: None }
              -> answer 3 cancelled [Interrupted T/- after 0ns stopped by Requested { reason: None }] and 0 waiting
            prepare-failed 2 "too late"
            reply 4 T "look"
              -> keep Foreground turn 4 of T "look"
              -> send turn/start T "look" model=base effort=-
              -> tell 4 Starting
        "#]],
    );
}

#[test]
fn a_stop_comes_too_late_while_changes_are_collected() {
    check(
        PROPOSING,
        r#"
            completed T t1
            give-up 1
            cancel 2 T
            steer 3 T "more"
            wait 4 T
            +50s
            collected 1 c1
        "#,
        expect![[r#"
            completed T t1
              -> collect turn 1 of T
            give-up 1
            cancel 2 T
            steer 3 T "more"
              -> answer 3 NoRunningTurn { thread: ThreadId("T") }
            wait 4 T
              -> tell 2 Collecting
              -> tell 4 Collecting
            +50s
              -> tell 2 Collecting
              -> tell 4 Collecting
            collected 1 c1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium c1 changes 1
              -> answer 2 cancelled [Completed T/t1 after 0ns effort=medium c1 changes 1] and 0 waiting
              -> answer 4 Completed T/t1 after 0ns effort=medium c1 changes 1
        "#]],
    );
}

#[test]
fn a_stopped_turn_is_collected_when_nothing_of_it_runs_any_more() {
    check(
        PROPOSING,
        r#"
            give-up 1
            interrupted T t1
            done thread/backgroundTerminals/clean
            +100s
            collected 1 c1
        "#,
        expect![[r#"
            give-up 1
              -> send turn/interrupt T/t1
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> collect turn 1 of T
            +100s
            collected 1 c1
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium stopped by CallCancelled c1 changes 1
        "#]],
    );
}

#[test]
fn the_end_of_the_app_server_touches_no_turn_that_it_does_not_have() {
    check(
        PROPOSING,
        r#"
            reply 2 T propose "two"
            completed T t1
            exited
            collected 1 c1
            ready
            opened T /copy
            unloaded T
            prepared 2 /other
            opened T /copy
            exited
            +1s
            ready
            opened T /copy
            started t2
        "#,
        expect![[r#"
            reply 2 T propose "two"
              -> keep Foreground turn 2 of T "two"
              -> tell 2 Queued { position: 1 }
            completed T t1
              -> collect turn 1 of T
            exited
              -> start the app-server
            collected 1 c1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium c1 changes 1
            ready
              -> send thread/resume T
            opened T /copy
              -> keep thread T
              -> prepare Propose of turn 2 of T in /w
            unloaded T
            prepared 2 /other
              -> send thread/resume T
            opened T /copy
              -> keep thread T
              -> send turn/start T "two" model=base effort=- writes=/other cwd=/other
            exited
            +1s
              -> start the app-server
              -> tell 2 Preparing
            ready
              -> send thread/resume T
            opened T /copy
              -> keep thread T
              -> send turn/start T "two" model=base effort=- writes=/other cwd=/other
            started t2
        "#]],
    );
}

#[test]
fn a_turn_that_is_cut_is_collected_and_one_that_had_not_begun_keeps_its_place() {
    check(
        PROPOSING,
        r#"
            exited
            ready
            opened T /copy
            started t2
            ran T t2 "cargo test"
            exited
            collected 1 c1
        "#,
        expect![[r#"
            exited
              -> start the app-server
            ready
              -> send thread/resume T
            opened T /copy
              -> keep thread T
              -> send turn/start T "hi" model=base effort=- writes=/copy
            started t2
            ran T t2 "cargo test"
              -> keep item of turn 1: Command(Command { item: ItemId("c"), command: "cargo test", working_directory: "/w", status: Completed, exit_code: None, output: "3456789abc", output_chars: 13, duration: None })
            exited
              -> collect turn 1 of T
              -> start the app-server
            collected 1 c1
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium because AppServerExited(Exit { code: None, signal: Some(9), stderr: "" }) c1 changes 1 warning "Codex ended before it had begun to work on this turn, so the turn was run again"
        "#]],
    );
}

#[test]
fn a_shutdown_waits_for_no_place_and_no_change_set() {
    check(
        PROPOSING,
        r#"
            reply 2 U propose "hi"
            opened U
            reply 3 V propose "hi"
            opened V
            prepared 3 /other
            started t3
            completed V t3
            shutdown
            prepared 2 /late
            collected 3 c3
        "#,
        expect![[r#"
            reply 2 U propose "hi"
              -> send thread/resume U
              -> tell 2 Starting
            opened U
              -> keep thread U
              -> keep Foreground turn 2 of U "hi"
              -> prepare Propose of turn 2 of U in /w
            reply 3 V propose "hi"
              -> send thread/resume V
              -> tell 3 Starting
            opened V
              -> keep thread V
              -> keep Foreground turn 3 of V "hi"
              -> prepare Propose of turn 3 of V in /w
            prepared 3 /other
              -> send turn/start V "hi" model=base effort=- writes=/other cwd=/other
            started t3
              -> keep turn 3 started as t3
            completed V t3
              -> collect turn 3 of V
            shutdown
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium because ShuttingDown stopped by Shutdown warning "the server ended before the changes of this turn were collected: they are collected when it starts again"
              -> stop preparing turn 2
              -> keep end of turn 2: Interrupted
              -> answer 2 Interrupted U/- after 0ns because ShuttingDown stopped by Shutdown
              -> keep end of turn 3: Completed
              -> answer 3 Completed V/t3 after 0ns effort=medium warning "the server ended before the changes of this turn were collected: they are collected when it starts again"
              -> stop the app-server
            prepared 2 /late
            collected 3 c3
        "#]],
    );
}

#[test]
fn a_place_that_is_made_while_no_app_server_can_be_had_is_given_up() {
    check(
        READY,
        r#"
            reply 1 T propose "hi"
            opened T
            exited
            reply 2 U "look"
            start-failed crashed
            +500ms
            start-failed crashed
            prepared 1 /copy
        "#,
        expect![[r#"
            reply 1 T propose "hi"
              -> send thread/resume T
              -> tell 1 Starting
            opened T
              -> keep thread T
              -> keep Foreground turn 1 of T "hi"
              -> prepare Propose of turn 1 of T in /w
            exited
              -> start the app-server
            reply 2 U "look"
              -> tell 2 StartingCodex
            start-failed crashed
            +500ms
              -> start the app-server
              -> tell 2 StartingCodex
              -> tell 1 Preparing
            start-failed crashed
              -> answer 2 Failed U/- after 0ns because Start(StartFailure { program: "codex", kind: ExitedEarly, detail: "why" })
            prepared 1 /copy
              -> stop preparing turn 1
              -> keep end of turn 1: Failed
              -> answer 1 Failed T/- after 0ns because Quarantined { failures: 3, rest: 5s, last: Start(StartFailure { program: "codex", kind: ExitedEarly, detail: "why" }) }
        "#]],
    );
}
