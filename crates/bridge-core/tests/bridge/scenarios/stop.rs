//! Stopping a turn at every stage, and answering everybody who waits for it.

use expect_test::expect;

use super::{READY, RUNNING, check};

#[test]
fn a_cancelled_call_interrupts_cleans_and_is_answered_once() {
    check(
        RUNNING,
        r#"
            give-up 1
            interrupted T t1
            done thread/backgroundTerminals/clean
            done turn/interrupt
            give-up 1
        "#,
        expect![[r#"
            give-up 1
              -> send turn/interrupt T/t1
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium stopped by CallCancelled
            done turn/interrupt
            give-up 1
        "#]],
    );
}

#[test]
fn a_call_cancelled_while_its_thread_opens_never_starts() {
    check(
        READY,
        r#"
            codex 1 "hi"
            give-up 1
            opened T
        "#,
        expect![[r#"
            codex 1 "hi"
              -> send thread/start
              -> tell 1 Starting
            give-up 1
              -> answer 1 Interrupted -/- after 0ns stopped by CallCancelled
            opened T
              -> keep new thread T
        "#]],
    );
}

#[test]
fn a_call_cancelled_while_its_turn_starts_interrupts_it_then() {
    check(
        READY,
        r#"
            codex 1 "hi"
            opened T
            give-up 1
            started t1
            interrupted T t1
            done thread/backgroundTerminals/clean
        "#,
        expect![[r#"
            codex 1 "hi"
              -> send thread/start
              -> tell 1 Starting
            opened T
              -> keep new thread T
              -> keep Foreground turn 1 of T "hi"
              -> send turn/start T "hi" model=base effort=-
            give-up 1
            started t1
              -> keep turn 1 started as t1
              -> send turn/interrupt T/t1
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium stopped by CallCancelled
        "#]],
    );
}

#[test]
fn a_call_cancelled_while_the_app_server_starts_is_answered() {
    check(
        "",
        r#"
            connect 1
            codex 1 "hi"
            give-up 1
            ready
        "#,
        expect![[r#"
            connect 1
              -> start the app-server
            codex 1 "hi"
              -> tell 1 StartingCodex
            give-up 1
              -> answer 1 Interrupted -/- after 0ns stopped by CallCancelled
            ready
        "#]],
    );
}

#[test]
fn cancel_stops_the_running_turn_and_the_queue() {
    check(
        RUNNING,
        r#"
            reply 2 T "two"
            cancel 3 T
            interrupted T t1
            done thread/backgroundTerminals/clean
        "#,
        expect![[r#"
            reply 2 T "two"
              -> keep Foreground turn 2 of T "two"
              -> tell 2 Queued { position: 1 }
            cancel 3 T
              -> keep end of turn 2: Interrupted
              -> answer 2 Interrupted T/- after 0ns stopped by Requested { reason: None }
              -> send turn/interrupt T/t1
              -> tell 3 Stopping
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium stopped by Requested { reason: None }
              -> answer 3 cancelled [Interrupted T/t1 after 0ns effort=medium stopped by Requested { reason: None }] and 1 waiting
        "#]],
    );
}

#[test]
fn cancel_by_turn_leaves_the_queue() {
    check(
        RUNNING,
        r#"
            reply 2 T "two"
            cancel 3 T t1
            interrupted T t1
            done thread/backgroundTerminals/clean
        "#,
        expect![[r#"
            reply 2 T "two"
              -> keep Foreground turn 2 of T "two"
              -> tell 2 Queued { position: 1 }
            cancel 3 T t1
              -> send turn/interrupt T/t1
              -> tell 3 Stopping
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium stopped by Requested { reason: None }
              -> answer 3 cancelled [Interrupted T/t1 after 0ns effort=medium stopped by Requested { reason: None }] and 0 waiting
              -> send turn/start T "two" model=base effort=-
        "#]],
    );
}

#[test]
fn cancel_of_nothing_says_so() {
    check(
        RUNNING,
        r#"
            cancel 2 T t9
            completed T t1
            cancel 3 T
            cancel 4 T t1
            cancel 5 U
        "#,
        expect![[r#"
            cancel 2 T t9
              -> answer 2 WrongTurn { given: TurnId("t9"), running: Some(TurnId("t1")) }
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
            cancel 3 T
              -> answer 3 NoRunningTurn { thread: ThreadId("T") }
            cancel 4 T t1
              -> answer 4 cancelled [Completed T/t1 after 0ns effort=medium] and 0 waiting
            cancel 5 U
              -> answer 5 NoRunningTurn { thread: ThreadId("U") }
        "#]],
    );
}

#[test]
fn a_turn_that_ends_before_its_interrupt_is_complete() {
    check(
        RUNNING,
        r#"
            cancel 2 T
            rejected turn/interrupt "no active turn to interrupt"
            completed T t1
            done thread/backgroundTerminals/clean
        "#,
        expect![[r#"
            cancel 2 T
              -> send turn/interrupt T/t1
              -> tell 2 Stopping
            rejected turn/interrupt "no active turn to interrupt"
            completed T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
              -> answer 2 cancelled [Completed T/t1 after 0ns effort=medium] and 0 waiting
        "#]],
    );
}

#[test]
fn commands_that_cannot_be_stopped_are_named() {
    check(
        RUNNING,
        r#"
            cancel 2 T
            interrupted T t1
            rejected thread/backgroundTerminals/clean "requires experimentalApi capability"
        "#,
        expect![[r#"
            cancel 2 T
              -> send turn/interrupt T/t1
              -> tell 2 Stopping
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            rejected thread/backgroundTerminals/clean "requires experimentalApi capability"
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium stopped by Requested { reason: None } warning "Codex refused to stop the commands of this turn: some may still be running"
              -> answer 2 cancelled [Interrupted T/t1 after 0ns effort=medium stopped by Requested { reason: None } warning "Codex refused to stop the commands of this turn: some may still be running"] and 0 waiting
        "#]],
    );
}

#[test]
fn an_interrupt_without_effect_kills_the_app_server() {
    check(
        RUNNING,
        r#"
            reply 2 T "two"
            give-up 1
            +3s
            exited
            ready
            opened T
            started t2
        "#,
        expect![[r#"
            reply 2 T "two"
              -> keep Foreground turn 2 of T "two"
              -> tell 2 Queued { position: 1 }
            give-up 1
              -> send turn/interrupt T/t1
            +3s
              -> kill the app-server
            exited
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 3s effort=medium stopped by CallCancelled
              -> start the app-server
            ready
              -> send thread/resume T
            opened T
              -> keep thread T
              -> send turn/start T "two" model=base effort=-
            started t2
              -> keep turn 2 started as t2
              -> tell 2 Started { thread: ThreadId("T"), turn: TurnId("t2") }
        "#]],
    );
}

#[test]
fn a_client_that_leaves_takes_its_turns_along() {
    check(
        RUNNING,
        r#"
            reply 2 T "two"
            reply 3 U background "three"
            opened U
            started u1
            close 1
            interrupted T t1
            done thread/backgroundTerminals/clean
            completed U u1
        "#,
        expect![[r#"
            reply 2 T "two"
              -> keep Foreground turn 2 of T "two"
              -> tell 2 Queued { position: 1 }
            reply 3 U background "three"
              -> send thread/resume U
              -> tell 3 Starting
            opened U
              -> keep thread U
              -> keep Background turn 3 of U "three"
              -> send turn/start U "three" model=base effort=-
            started u1
              -> keep turn 3 started as u1
              -> answer 3 InProgress U/u1 after 0ns effort=medium
            close 1
              -> send turn/interrupt T/t1
              -> keep end of turn 2: Interrupted
              -> answer 2 Interrupted T/- after 0ns stopped by ClientGone
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium stopped by ClientGone
            completed U u1
              -> keep end of turn 3: Completed
        "#]],
    );
}

#[test]
fn an_unloaded_thread_ends_its_turn_and_is_resumed() {
    check(
        RUNNING,
        r#"
            unloaded T
            reply 2 T "two"
        "#,
        expect![[r#"
            unloaded T
              -> keep end of turn 1: Failed
              -> answer 1 Failed T/t1 after 0ns effort=medium because ThreadClosed
            reply 2 T "two"
              -> keep Foreground turn 2 of T "two"
              -> send thread/resume T
              -> tell 2 Starting
        "#]],
    );
}

#[test]
fn shutdown_answers_everything_and_refuses_the_rest() {
    check(
        RUNNING,
        r#"
            reply 2 T "two"
            health 3
            shutdown
            reply 4 T "four"
            exited
        "#,
        expect![[r#"
            reply 2 T "two"
              -> keep Foreground turn 2 of T "two"
              -> tell 2 Queued { position: 1 }
            health 3
              -> send account/read
              -> send command/exec
            shutdown
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium because ShuttingDown stopped by Shutdown
              -> keep end of turn 2: Interrupted
              -> answer 2 Interrupted T/- after 0ns because ShuttingDown stopped by Shutdown
              -> answer 3 HealthReport { process: Ready { uptime: 0ns }, falls_back: false, info: Some(AppServerInfo { program: "codex", pid: 1, version: Some("0.169.0"), codex_home: None }), resident_bytes: None, last_exit: None, account: Err(ShuttingDown), sandbox: Err(ShuttingDown), usage: [], threads_loaded: 1, turns_running: 0, turns_queued: 0, connections: 1 }
              -> stop the app-server
            reply 4 T "four"
              -> answer 4 ShuttingDown
            exited
        "#]],
    );
}

#[test]
fn one_turn_is_stopped_wherever_it_is() {
    check(
        RUNNING,
        r#"
            reply 2 T background "two"
            reply 3 T "three"
            stop 4 T 2
            stop 5 T 99
            stop 6 T 1
            interrupted T t1
            done thread/backgroundTerminals/clean
        "#,
        expect![[r#"
            reply 2 T background "two"
              -> keep Background turn 2 of T "two"
              -> tell 2 Queued { position: 1 }
              -> answer 2 Queued { position: 1 } T/- after 0ns
            reply 3 T "three"
              -> keep Foreground turn 3 of T "three"
              -> tell 3 Queued { position: 2 }
            stop 4 T 2
              -> keep end of turn 2: Interrupted
              -> answer 4 cancelled [no turn] and 1 waiting
            stop 5 T 99
              -> answer 5 cancelled [no turn] and 0 waiting
            stop 6 T 1
              -> send turn/interrupt T/t1
              -> tell 6 Stopping
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium stopped by Requested { reason: None }
              -> answer 6 cancelled [Interrupted T/t1 after 0ns effort=medium stopped by Requested { reason: None }] and 0 waiting
              -> send turn/start T "three" model=base effort=-
        "#]],
    );
}
