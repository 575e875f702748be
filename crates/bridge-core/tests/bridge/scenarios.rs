//! Every rule of behaviour as a script of events with the effects that follow.

use expect_test::{Expect, expect};

use crate::support;

/// The beginning of most scripts: an app-server is ready.
const READY: &str = "connect 1\nready\n";
/// A turn runs: call 1, thread T, turn t1.
const RUNNING: &str = "connect 1\nready\ncodex 1 \"hi\"\nopened T\nstarted t1\n";

/// Plays `before` and `script`, and compares what followed from `script`.
#[track_caller]
fn check(before: &str, script: &str, expected: Expect) {
    let before_output = support::Script::new().play(before);
    let output = support::Script::new().play(&format!("{before}{script}"));
    let output = output
        .strip_prefix(&before_output)
        .expect("a script's beginning does not depend on its end");
    expected.assert_eq(output);
}

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
              -> send turn/start T "hi" model=base effort=-
            started t1
            turn-started T t1
            says T t1 "hel"
            says T t1 "lo"
            completed T t1
              -> answer 1 Completed T/t1 after 0ns "hello"
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
              -> send turn/start T "hi" model=base effort=-
            started t1
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
              -> send turn/start T "hi" model=base effort=-
            started t1
            completed T t1
              -> answer 1 Completed T/t1 after 0ns
            reply 2 T "again"
              -> send turn/start T "again" model=base effort=-
              -> tell 2 Starting
            started t2
        "#]],
    );
}

#[test]
fn a_busy_thread_takes_turns_in_order_and_says_the_place() {
    check(
        RUNNING,
        r#"
            reply 2 T "two"
            reply 3 T "three"
            reply 4 T "four"
            completed T t1
            started t2
            +1s
        "#,
        expect![[r#"
            reply 2 T "two"
              -> tell 2 Queued { position: 1 }
            reply 3 T "three"
              -> tell 3 Queued { position: 2 }
            reply 4 T "four"
              -> answer 4 QueueFull { limit: 2 }
            completed T t1
              -> answer 1 Completed T/t1 after 0ns
              -> send turn/start T "two" model=base effort=-
            started t2
            +1s
              -> tell 2 Started { thread: ThreadId("T"), turn: TurnId("t2") }
              -> tell 3 Queued { position: 1 }
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
              -> tell 2 Queued { position: 1 }
            completed T t1
              -> answer 1 Completed T/t1 after 0ns
              -> send turn/start T "two" model=big effort=high
            started t2
            reply 3 T "three"
              -> tell 3 Queued { position: 1 }
            completed T t2
              -> answer 2 Completed T/t2 after 0ns warning "the thread's model changed from base to big: Codex may have summarised the history"
              -> send turn/start T "three" model=base effort=default
        "#]],
    );
}

#[test]
fn threads_do_not_wait_for_each_other() {
    check(
        RUNNING,
        r#"
            reply 2 U "two"
            opened U
            started u1
            completed U u1
        "#,
        expect![[r#"
            reply 2 U "two"
              -> send thread/resume U
              -> tell 2 Starting
            opened U
              -> send turn/start U "two" model=base effort=-
            started u1
            completed U u1
              -> answer 2 Completed U/u1 after 0ns
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
              -> send turn/start T "hi" model=base effort=-
            started t1
              -> answer 1 InProgress T/t1 after 0ns
            says T t1 "late"
            completed T t1
            wait 2 T
              -> answer 2 Completed T/t1 after 0ns "late"
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
              -> tell 2 Queued { position: 1 }
              -> answer 2 Queued { position: 1 } T/- after 0ns
            completed T t1
              -> answer 1 Completed T/t1 after 0ns
              -> send turn/start T "two" model=base effort=-
            started t2
            wait 3 T t2
              -> tell 3 StillRunning { doing: None, elapsed: 0ns }
            completed T t2
              -> answer 3 Completed T/t2 after 0ns
        "#]],
    );
}

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
              -> answer 1 Interrupted T/t1 after 0ns stopped by CallCancelled
            done turn/interrupt
            give-up 1
        "#]],
    );
}

#[test]
fn a_call_cancelled_in_the_queue_never_starts() {
    check(
        RUNNING,
        r#"
            reply 2 T "two"
            give-up 2
            completed T t1
        "#,
        expect![[r#"
            reply 2 T "two"
              -> tell 2 Queued { position: 1 }
            give-up 2
              -> answer 2 Interrupted T/- after 0ns stopped by CallCancelled
            completed T t1
              -> answer 1 Completed T/t1 after 0ns
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
              -> send turn/start T "hi" model=base effort=-
            give-up 1
            started t1
              -> send turn/interrupt T/t1
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> answer 1 Interrupted T/t1 after 0ns stopped by CallCancelled
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
              -> tell 2 Queued { position: 1 }
            cancel 3 T
              -> answer 2 Interrupted T/- after 0ns stopped by Requested { reason: None }
              -> send turn/interrupt T/t1
              -> tell 3 Stopping
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> answer 1 Interrupted T/t1 after 0ns stopped by Requested { reason: None }
              -> answer 3 cancelled [Interrupted T/t1 after 0ns stopped by Requested { reason: None }] and 1 waiting
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
              -> tell 2 Queued { position: 1 }
            cancel 3 T t1
              -> send turn/interrupt T/t1
              -> tell 3 Stopping
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> answer 1 Interrupted T/t1 after 0ns stopped by Requested { reason: None }
              -> answer 3 cancelled [Interrupted T/t1 after 0ns stopped by Requested { reason: None }] and 0 waiting
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
              -> answer 1 Completed T/t1 after 0ns
            cancel 3 T
              -> answer 3 NoRunningTurn { thread: ThreadId("T") }
            cancel 4 T t1
              -> answer 4 cancelled [Completed T/t1 after 0ns] and 0 waiting
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
              -> answer 1 Completed T/t1 after 0ns
              -> answer 2 cancelled [Completed T/t1 after 0ns] and 0 waiting
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
              -> answer 1 Interrupted T/t1 after 0ns stopped by Requested { reason: None } warning "Codex refused to stop the commands of this turn: some may still be running"
              -> answer 2 cancelled [Interrupted T/t1 after 0ns stopped by Requested { reason: None } warning "Codex refused to stop the commands of this turn: some may still be running"] and 0 waiting
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
              -> tell 2 Queued { position: 1 }
            give-up 1
              -> send turn/interrupt T/t1
            +3s
              -> kill the app-server
            exited
              -> answer 1 Interrupted T/t1 after 3s stopped by CallCancelled
              -> start the app-server
            ready
              -> send thread/resume T
            opened T
              -> send turn/start T "two" model=base effort=-
            started t2
              -> tell 2 Started { thread: ThreadId("T"), turn: TurnId("t2") }
        "#]],
    );
}

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
              -> send turn/start T "hi" model=base effort=-
            reply 2 T "two"
              -> tell 2 Queued { position: 1 }
            steer 3 T "more"
            started t1
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
              -> answer 1 Completed T/t1 after 0ns
            steer 4 T "more"
              -> answer 4 NoRunningTurn { thread: ThreadId("T") }
            reply 5 T "five"
              -> send turn/start T "five" model=base effort=-
              -> tell 5 Starting
            started t5
            cancel 6 T
              -> send turn/interrupt T/t5
              -> tell 6 Stopping
            steer 7 T "more"
              -> answer 7 TurnStopping
        "#]],
    );
}

#[test]
fn a_wait_is_answered_by_the_end_or_by_its_deadline() {
    check(
        RUNNING,
        r#"
            wait 2 T
            wait 3 T t1
            +60s
            wait 4 T
            completed T t1
        "#,
        expect![[r#"
            wait 2 T
              -> tell 2 StillRunning { doing: None, elapsed: 0ns }
            wait 3 T t1
              -> tell 3 StillRunning { doing: None, elapsed: 0ns }
            +60s
              -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("t1") }
              -> answer 2 InProgress T/t1 after 60s
              -> answer 3 InProgress T/t1 after 60s
            wait 4 T
              -> tell 4 StillRunning { doing: None, elapsed: 60s }
            completed T t1
              -> answer 1 Completed T/t1 after 60s
              -> answer 4 Completed T/t1 after 60s
        "#]],
    );
}

#[test]
fn a_wait_for_something_old_reads_it_from_disk() {
    check(
        READY,
        r#"
            wait 1 T t0
            nothing-read
        "#,
        expect![[r#"
            wait 1 T t0
              -> send thread/turns/list T Some(TurnId("t0"))
            nothing-read
              -> answer 1 NoSuchTurn { thread: ThreadId("T"), turn: Some(TurnId("t0")) }
        "#]],
    );
}

#[test]
fn a_dead_app_server_ends_its_turns_and_the_queue_goes_on() {
    check(
        RUNNING,
        r#"
            reply 2 T "two"
            steer 3 T "more"
            exited
            ready
            opened T
            started t2
        "#,
        expect![[r#"
            reply 2 T "two"
              -> tell 2 Queued { position: 1 }
            steer 3 T "more"
              -> send turn/steer T/t1 "more"
            exited
              -> answer 1 Failed T/t1 after 0ns because AppServerExited(Exit { code: None, signal: Some(9), stderr: "" })
              -> answer 3 AppServerExited(Exit { code: None, signal: Some(9), stderr: "" })
              -> start the app-server
            ready
              -> send thread/resume T
            opened T
              -> send turn/start T "two" model=base effort=-
            started t2
        "#]],
    );
}

#[test]
fn news_from_a_dead_app_server_are_ignored() {
    check(
        RUNNING,
        r#"
            exited
            completed T t1
            reply 2 T "two"
            ready
        "#,
        expect![[r#"
            exited
              -> answer 1 Failed T/t1 after 0ns because AppServerExited(Exit { code: None, signal: Some(9), stderr: "" })
              -> start the app-server
            completed T t1
            reply 2 T "two"
              -> tell 2 StartingCodex
            ready
              -> send thread/resume T
        "#]],
    );
}

#[test]
fn a_program_that_cannot_start_is_not_tried_again() {
    check(
        "",
        r#"
            connect 1
            start-failed missing
            codex 1 "hi"
            start-failed missing
        "#,
        expect![[r#"
            connect 1
              -> start the app-server
            start-failed missing
            codex 1 "hi"
              -> start the app-server
              -> tell 1 StartingCodex
            start-failed missing
              -> answer 1 Failed -/- after 0ns because Start(StartFailure { program: "codex", kind: NotFound, detail: "why" })
        "#]],
    );
}

#[test]
fn a_start_that_may_pass_is_tried_again_with_pauses() {
    check(
        "",
        r#"
            connect 1
            codex 1 "hi"
            start-failed crashed
            start-failed crashed
            +500ms
            start-failed crashed
            codex 2 "hi"
            ready
            opened T
        "#,
        expect![[r#"
            connect 1
              -> start the app-server
            codex 1 "hi"
              -> tell 1 StartingCodex
            start-failed crashed
              -> start the app-server
            start-failed crashed
            +500ms
              -> start the app-server
              -> tell 1 StartingCodex
            start-failed crashed
              -> answer 1 Failed -/- after 0ns because Start(StartFailure { program: "codex", kind: ExitedEarly, detail: "why" })
            codex 2 "hi"
              -> start the app-server
              -> tell 2 StartingCodex
            ready
              -> send thread/start
            opened T
              -> send turn/start T "hi" model=base effort=-
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
              -> send turn/start T "hi" model=base effort=-
            rejected turn/start "nope"
              -> answer 1 Failed T/- after 0ns because Request { method: "turn/start", failure: Rejected { code: -32600, message: "nope", data: None } }
              -> send turn/start T "two" model=base effort=-
            started t2
        "#]],
    );
}

#[test]
fn a_start_without_an_answer_kills_the_app_server() {
    check(
        READY,
        r#"
            reply 1 T "hi"
            opened T
            late turn/start
            exited
        "#,
        expect![[r#"
            reply 1 T "hi"
              -> send thread/resume T
              -> tell 1 Starting
            opened T
              -> send turn/start T "hi" model=base effort=-
            late turn/start
              -> kill the app-server
            exited
              -> answer 1 Failed T/- after 0ns because AppServerHung { method: "turn/start" }
        "#]],
    );
}

#[test]
fn codex_says_why_a_turn_failed() {
    check(
        RUNNING,
        r#"
            failed T t1 "usageLimitExceeded"
        "#,
        expect![[r#"
            failed T t1 "usageLimitExceeded"
              -> answer 1 Failed T/t1 after 0ns because Codex(CodexError { kind: "usageLimitExceeded", http_status: None, message: "it broke", details: None })
        "#]],
    );
}

#[test]
fn a_turn_has_a_time_limit() {
    check(
        READY,
        r#"
            codex 1 limit=10 "hi"
            opened T
            started t1
            +10s
            interrupted T t1
            done thread/backgroundTerminals/clean
        "#,
        expect![[r#"
            codex 1 limit=10 "hi"
              -> send thread/start
              -> tell 1 Starting
            opened T
              -> send turn/start T "hi" model=base effort=-
            started t1
            +10s
              -> send turn/interrupt T/t1
              -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("t1") }
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> answer 1 Interrupted T/t1 after 10s because TimeLimit { limit: 10s } stopped by Limit
        "#]],
    );
}

#[test]
fn silence_ends_a_turn() {
    check(
        RUNNING,
        r#"
            says T t1 "he"
            +14s
            +99s
            interrupted T t1
            done thread/backgroundTerminals/clean
        "#,
        expect![[r#"
            says T t1 "he"
            +14s
              -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("t1") }
            +99s
              -> send turn/interrupt T/t1
              -> tell 1 Stopping
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> answer 1 Interrupted T/t1 after 113s "he" because Silent { after: 100s } stopped by Limit
        "#]],
    );
}

#[test]
fn a_running_command_may_be_silent() {
    check(
        RUNNING,
        r#"
            runs T t1 "make"
            +101s
            ran T t1 "make"
            +100s
        "#,
        expect![[r#"
            runs T t1 "make"
            +101s
              -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("t1") }
            ran T t1 "make"
            +100s
              -> send turn/interrupt T/t1
              -> tell 1 Command { item: ItemId("c"), command: "make", state: Completed }
        "#]],
    );
}

#[test]
fn retries_without_progress_end_a_turn() {
    check(
        RUNNING,
        r#"
            retries T t1 "httpConnectionFailed"
            +40s
            retries T t1 "httpConnectionFailed"
            +10s
            interrupted T t1
            done thread/backgroundTerminals/clean
        "#,
        expect![[r#"
            retries T t1 "httpConnectionFailed"
            +40s
              -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("t1") }
            retries T t1 "httpConnectionFailed"
            +10s
              -> send turn/interrupt T/t1
              -> tell 1 Retrying { message: "it broke" }
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> answer 1 Interrupted T/t1 after 50s because ProviderUnreachable { after: 50s, last: CodexError { kind: "httpConnectionFailed", http_status: None, message: "it broke", details: None } } stopped by Limit
        "#]],
    );
}

#[test]
fn retries_that_heal_do_not() {
    check(
        RUNNING,
        r#"
            retries T t1 "x"
            +40s
            says T t1 "ok"
            +20s
        "#,
        expect![[r#"
            retries T t1 "x"
            +40s
              -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("t1") }
            says T t1 "ok"
            +20s
              -> tell 1 Retrying { message: "it broke" }
        "#]],
    );
}

#[test]
fn bursts_are_merged_and_the_newest_wins() {
    check(
        RUNNING,
        r#"
            +1s
            thinks T t1 "a"
            thinks T t1 "b"
            thinks T t1 "c"
            runs T t1 "ls"
            plans T t1 "one"
            plans T t1 "two"
            +100ms
            +100ms
            +100ms
            +100ms
        "#,
        expect![[r#"
            +1s
              -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("t1") }
            thinks T t1 "a"
            thinks T t1 "b"
            thinks T t1 "c"
            runs T t1 "ls"
            plans T t1 "one"
            plans T t1 "two"
            +100ms
              -> tell 1 Command { item: ItemId("c"), command: "ls", state: Started }
            +100ms
              -> tell 1 Plan(Plan { explanation: None, steps: [PlanStep { step: "two", status: InProgress }] })
            +100ms
              -> tell 1 Thinking { text: "abc" }
            +100ms
        "#]],
    );
}

#[test]
fn a_silent_turn_still_beats() {
    check(
        RUNNING,
        r#"
            runs T t1 "make"
            +1s
            +15s
            +15s
        "#,
        expect![[r#"
            runs T t1 "make"
            +1s
              -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("t1") }
            +15s
              -> tell 1 Command { item: ItemId("c"), command: "make", state: Started }
            +15s
              -> tell 1 StillRunning { doing: Some("make"), elapsed: 31s }
        "#]],
    );
}

#[test]
fn questions_are_declined_in_writing() {
    check(
        RUNNING,
        r#"
            asks T "rm -rf /"
            warns T "careful"
            warns T "careful"
            completed T t1
        "#,
        expect![[r#"
            asks T "rm -rf /"
              -> decline Command { command: "rm -rf /", reason: None }
            warns T "careful"
            warns T "careful"
            completed T t1
              -> answer 1 Completed T/t1 after 0ns declined "to run: rm -rf /" warning "careful"
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
              -> tell 2 Queued { position: 1 }
            reply 3 U background "three"
              -> send thread/resume U
              -> tell 3 Starting
            opened U
              -> send turn/start U "three" model=base effort=-
            started u1
              -> answer 3 InProgress U/u1 after 0ns
            close 1
              -> send turn/interrupt T/t1
              -> answer 2 Interrupted T/- after 0ns stopped by ClientGone
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> answer 1 Interrupted T/t1 after 0ns stopped by ClientGone
            completed U u1
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
              -> answer 1 Failed T/t1 after 0ns because ThreadClosed
            reply 2 T "two"
              -> send thread/resume T
              -> tell 2 Starting
        "#]],
    );
}

#[test]
fn an_idle_app_server_is_stopped_and_comes_back() {
    check(
        RUNNING,
        r#"
            completed T t1
            +299s
            +1s
            exited
            reply 2 T "two"
            ready
        "#,
        expect![[r#"
            completed T t1
              -> answer 1 Completed T/t1 after 0ns
            +299s
            +1s
              -> stop the app-server
            exited
            reply 2 T "two"
              -> start the app-server
              -> tell 2 StartingCodex
            ready
              -> send thread/resume T
        "#]],
    );
}

#[test]
fn a_call_while_the_app_server_stops_gets_a_new_one() {
    check(
        RUNNING,
        r#"
            completed T t1
            +300s
            reply 2 T "two"
            exited
            ready
        "#,
        expect![[r#"
            completed T t1
              -> answer 1 Completed T/t1 after 0ns
            +300s
              -> stop the app-server
            reply 2 T "two"
              -> tell 2 StartingCodex
            exited
              -> start the app-server
            ready
              -> send thread/resume T
        "#]],
    );
}

#[test]
fn health_asks_for_both_parts() {
    check(
        READY,
        r#"
            health 1
            account
            sandbox
        "#,
        expect![[r#"
            health 1
              -> send account/read
              -> send command/exec
            account
            sandbox
              -> answer 1 HealthReport { process: Ready { uptime: 0ns }, info: Some(AppServerInfo { program: "codex", pid: 1, version: Some("0.169.0"), codex_home: None }), last_exit: None, account: Ok(Account { kind: Some("apiKey"), plan: None, login_required: true }), sandbox: Ok(SandboxProbe { exit_code: 0, stderr: "" }), threads_loaded: 0, turns_running: 0, turns_queued: 0, connections: 1 }
        "#]],
    );
}

#[test]
fn health_without_an_app_server_says_why() {
    check(
        "",
        r#"
            health 1
            start-failed missing
        "#,
        expect![[r#"
            health 1
              -> start the app-server
            start-failed missing
              -> answer 1 HealthReport { process: Stopped, info: None, last_exit: None, account: Err(Start(StartFailure { program: "codex", kind: NotFound, detail: "why" })), sandbox: Err(Start(StartFailure { program: "codex", kind: NotFound, detail: "why" })), threads_loaded: 0, turns_running: 0, turns_queued: 0, connections: 0 }
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
              -> tell 2 Queued { position: 1 }
            health 3
              -> send account/read
              -> send command/exec
            shutdown
              -> answer 1 Interrupted T/t1 after 0ns because ShuttingDown stopped by Shutdown
              -> answer 2 Interrupted T/- after 0ns because ShuttingDown stopped by Shutdown
              -> answer 3 HealthReport { process: Ready { uptime: 0ns }, info: Some(AppServerInfo { program: "codex", pid: 1, version: Some("0.169.0"), codex_home: None }), last_exit: None, account: Err(ShuttingDown), sandbox: Err(ShuttingDown), threads_loaded: 1, turns_running: 0, turns_queued: 0, connections: 1 }
              -> stop the app-server
            reply 4 T "four"
              -> answer 4 ShuttingDown
            exited
        "#]],
    );
}

#[test]
fn an_app_server_is_idle_only_from_the_end_of_its_last_turn() {
    check(
        RUNNING,
        r#"
            runs T t1 "make"
            +400s
            completed T t1
            +299s
            +1s
        "#,
        expect![[r#"
            runs T t1 "make"
            +400s
              -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("t1") }
            completed T t1
              -> answer 1 Completed T/t1 after 400s
            +299s
            +1s
              -> stop the app-server
        "#]],
    );
}
