//! While no app-server can be had, turns run through `codex exec`, and come back to the app-server after its rest.

use bridge_core::Limits;
use expect_test::{Expect, expect};

use crate::support;

/// The app-server failed as often as it may: turns go without it for five seconds.
pub(super) const RESTS: &str = "connect 1\nstart-failed crashed\ncodex 1 \"hi\"\nstart-failed crashed\n+1s\nstart-failed crashed\n";

/// Plays `before` and `script` where turns may go without an app-server, and compares what followed from `script`.
#[track_caller]
pub(super) fn check(before: &str, script: &str, expected: Expect) {
    let play = |script: &str| {
        let limits = Limits { exec_fallback: true, ..support::limits() };
        support::Script::with(limits).play(script)
    };
    let before_output = play(before);
    let output = play(&format!("{before}{script}"));
    let output = output
        .strip_prefix(&before_output)
        .expect("a script's beginning does not depend on its end");
    expected.assert_eq(output);
}

#[test]
fn a_turn_that_waited_for_the_app_server_runs_without_it() {
    check(
        "",
        RESTS,
        expect![[r#"
        connect 1
          -> start the app-server
        start-failed crashed
        codex 1 "hi"
          -> start the app-server
          -> tell 1 StartingCodex
        start-failed crashed
        +1s
          -> start the app-server
          -> tell 1 StartingCodex
        start-failed crashed
          -> run codex exec on new "hi" model=-
    "#]],
    );
}

#[test]
fn a_new_thread_is_kept_as_usual() {
    let script = r#"
        exec-started T t1
        exec-ran "ls"
        exec-warns "careful"
        exec-completed
    "#;
    check(
        RESTS,
        script,
        expect![[r#"
        exec-started T t1
          -> keep new thread T
          -> keep Foreground turn 1 of T "hi"
          -> keep turn 1 started as t1
        exec-ran "ls"
          -> keep item of turn 1: Command(Command { item: ItemId("c"), command: "ls", working_directory: "/w", status: Completed, exit_code: None, output: "3456789abc", output_chars: 13, duration: None })
        exec-warns "careful"
        exec-completed
          -> keep end of turn 1: Completed
          -> answer 1 Completed T/t1 after 0ns warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong" warning "careful"
    "#]],
    );
}

#[test]
fn the_next_turn_of_a_thread_waits_for_the_one_that_runs() {
    let script = r#"
        exec-started T t1
        reply 2 T "more"
        exec-completed
        exec-started T t2
        exec-completed
    "#;
    check(
        RESTS,
        script,
        expect![[r#"
        exec-started T t1
          -> keep new thread T
          -> keep Foreground turn 1 of T "hi"
          -> keep turn 1 started as t1
        reply 2 T "more"
          -> keep Foreground turn 2 of T "more"
          -> tell 2 Queued { position: 1 }
        exec-completed
          -> keep end of turn 1: Completed
          -> answer 1 Completed T/t1 after 0ns warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
          -> run codex exec on T "more" model=-
        exec-started T t2
          -> keep turn 2 started as t2
        exec-completed
          -> keep end of turn 2: Completed
          -> answer 2 Completed T/t2 after 0ns warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
    "#]],
    );
}

#[test]
fn after_the_rest_turns_have_an_app_server_again() {
    let script = r#"
        exec-started T t1
        exec-completed
        +6s
        reply 2 T "more"
        ready
        opened T
        started t2
        completed T t2
    "#;
    check(
        RESTS,
        script,
        expect![[r#"
        exec-started T t1
          -> keep new thread T
          -> keep Foreground turn 1 of T "hi"
          -> keep turn 1 started as t1
        exec-completed
          -> keep end of turn 1: Completed
          -> answer 1 Completed T/t1 after 0ns warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
        +6s
        reply 2 T "more"
          -> keep Foreground turn 2 of T "more"
          -> start the app-server
          -> tell 2 StartingCodex
        ready
          -> send thread/resume T
        opened T
          -> keep thread T
          -> send turn/start T "more" model=- effort=-
        started t2
          -> keep turn 2 started as t2
        completed T t2
          -> keep end of turn 2: Completed
          -> answer 2 Completed T/t2 after 0ns
    "#]],
    );
}

#[test]
fn an_app_server_that_fails_again_is_done_without_again() {
    let script = r#"
        exec-started T t1
        exec-completed
        +6s
        reply 2 T "more"
        start-failed crashed
    "#;
    check(
        RESTS,
        script,
        expect![[r#"
        exec-started T t1
          -> keep new thread T
          -> keep Foreground turn 1 of T "hi"
          -> keep turn 1 started as t1
        exec-completed
          -> keep end of turn 1: Completed
          -> answer 1 Completed T/t1 after 0ns warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
        +6s
        reply 2 T "more"
          -> keep Foreground turn 2 of T "more"
          -> start the app-server
          -> tell 2 StartingCodex
        start-failed crashed
          -> run codex exec on T "more" model=-
    "#]],
    );
}

#[test]
fn such_a_turn_takes_no_input() {
    check(
        RESTS,
        "exec-started T t1\nsteer 2 T t1 \"and\"\n",
        expect![[r#"
        exec-started T t1
          -> keep new thread T
          -> keep Foreground turn 1 of T "hi"
          -> keep turn 1 started as t1
        steer 2 T t1 "and"
          -> answer 2 ExecTakesNoInput
    "#]],
    );
}

#[test]
fn a_cancelled_call_ends_the_process_and_is_answered_when_it_is_gone() {
    let script = r#"
        exec-started T t1
        cancel 2 T
        exec-exited
    "#;
    check(
        RESTS,
        script,
        expect![[r#"
        exec-started T t1
          -> keep new thread T
          -> keep Foreground turn 1 of T "hi"
          -> keep turn 1 started as t1
        cancel 2 T
          -> stop codex exec
          -> tell 2 Stopping
        exec-exited
          -> keep end of turn 1: Interrupted
          -> answer 1 Interrupted T/t1 after 0ns stopped by Requested { reason: None } warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
          -> answer 2 cancelled [Interrupted T/t1 after 0ns stopped by Requested { reason: None } warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"] and 0 waiting
    "#]],
    );
}

#[test]
fn a_process_that_does_not_end_is_told_again_and_no_app_server_dies_for_it() {
    let script = r#"
        exec-started T t1
        give-up 1
        +3s
        exec-exited
    "#;
    check(
        RESTS,
        script,
        expect![[r#"
        exec-started T t1
          -> keep new thread T
          -> keep Foreground turn 1 of T "hi"
          -> keep turn 1 started as t1
        give-up 1
          -> stop codex exec
        +3s
          -> stop codex exec
        exec-exited
          -> keep end of turn 1: Interrupted
          -> answer 1 Interrupted T/t1 after 3s stopped by CallCancelled warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
    "#]],
    );
}

#[test]
fn a_turn_that_failed_says_why() {
    check(
        RESTS,
        "exec-started T t1\nexec-failed \"usageLimitExceeded\"\n",
        expect![[r#"
            exec-started T t1
              -> keep new thread T
              -> keep Foreground turn 1 of T "hi"
              -> keep turn 1 started as t1
            exec-failed "usageLimitExceeded"
              -> keep end of turn 1: Failed
              -> answer 1 Failed T/t1 after 0ns because Codex(CodexError { kind: "usageLimitExceeded", http_status: None, message: "it broke", details: None, resets_at: None }) warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
        "#]],
    );
}

#[test]
fn a_process_that_says_nothing_of_the_end_cut_its_turn() {
    check(
        RESTS,
        "exec-started T t1\nexec-exited\n",
        expect![[r#"
        exec-started T t1
          -> keep new thread T
          -> keep Foreground turn 1 of T "hi"
          -> keep turn 1 started as t1
        exec-exited
          -> keep end of turn 1: Interrupted
          -> answer 1 Interrupted T/t1 after 0ns because ExecExited(Exit { code: None, signal: None, stderr: "" }) warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
    "#]],
    );
}

#[test]
fn a_process_that_never_began_leaves_no_thread() {
    check(
        RESTS,
        "exec-exited\n",
        expect![[r#"
            exec-exited
              -> answer 1 Failed -/- after 0ns because Start(StartFailure { program: "codex", kind: ExitedEarly, detail: "why" }) warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
        "#]],
    );
}

#[test]
fn a_call_in_the_background_is_answered_when_its_turn_runs() {
    let script = r#"
        exec-started U u1
        codex 2 background "go"
        exec-started T t1
        wait 3 T t1
        exec-completed
    "#;
    check(
        RESTS,
        script,
        expect![[r#"
        exec-started U u1
          -> keep new thread U
          -> keep Foreground turn 1 of U "hi"
          -> keep turn 1 started as u1
        codex 2 background "go"
          -> run codex exec on new "go" model=-
          -> tell 2 RunningExec
        exec-started T t1
          -> keep new thread T
          -> keep Background turn 2 of T "go"
          -> keep turn 2 started as t1
          -> answer 2 InProgress T/t1 after 0ns warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
        wait 3 T t1
          -> tell 3 StillRunning { doing: None, elapsed: 0ns }
        exec-completed
          -> keep end of turn 2: Completed
          -> answer 3 Completed T/t1 after 0ns warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
    "#]],
    );
}

#[test]
fn a_missing_program_is_not_done_without() {
    check(
        "connect 1\n",
        "codex 1 \"hi\"\nstart-failed missing\n",
        expect![[r#"
        codex 1 "hi"
          -> tell 1 StartingCodex
        start-failed missing
          -> answer 1 Failed -/- after 0ns because Start(StartFailure { program: "codex", kind: NotFound, detail: "why" })
    "#]],
    );
}

#[test]
fn the_death_of_an_app_server_that_came_back_leaves_such_a_turn_alone() {
    let script = r#"
        exec-started T t1
        +6s
        reply 2 U "other"
        ready
        exited
        exec-completed
    "#;
    check(
        RESTS,
        script,
        expect![[r#"
        exec-started T t1
          -> keep new thread T
          -> keep Foreground turn 1 of T "hi"
          -> keep turn 1 started as t1
        +6s
          -> tell 1 RunningExec
        reply 2 U "other"
          -> start the app-server
          -> tell 2 StartingCodex
        ready
          -> send thread/resume U
        exited
          -> run codex exec on U "other" model=-
        exec-completed
          -> answer 2 Completed U/- after 0ns warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
    "#]],
    );
}

#[test]
fn the_end_of_the_server_ends_the_process() {
    check(
        RESTS,
        "exec-started T t1\nshutdown\nexec-exited\n",
        expect![[r#"
        exec-started T t1
          -> keep new thread T
          -> keep Foreground turn 1 of T "hi"
          -> keep turn 1 started as t1
        shutdown
          -> stop codex exec
          -> keep end of turn 1: Interrupted
          -> answer 1 Interrupted T/t1 after 0ns because ShuttingDown stopped by Shutdown warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
        exec-exited
    "#]],
    );
}

#[test]
fn what_is_read_is_refused_and_health_says_how_turns_run() {
    check(
        RESTS,
        "list 2\nhealth 3\n",
        expect![[r#"
            list 2
              -> answer 2 Quarantined { failures: 3, rest: 5s, last: Start(StartFailure { program: "codex", kind: ExitedEarly, detail: "why" }) }
            health 3
              -> answer 3 HealthReport { process: Quarantined { failures: 3, rest: 5s }, falls_back: true, info: None, resident_bytes: None, last_exit: None, account: Err(Quarantined { failures: 3, rest: 5s, last: Start(StartFailure { program: "codex", kind: ExitedEarly, detail: "why" }) }), sandbox: Err(Quarantined { failures: 3, rest: 5s, last: Start(StartFailure { program: "codex", kind: ExitedEarly, detail: "why" }) }), usage: [], threads_loaded: 0, turns_running: 1, turns_queued: 0, connections: 1 }
        "#]],
    );
}

#[test]
fn a_turn_that_may_change_files_has_its_place_made_first() {
    check(
        RESTS,
        r#"
            codex 2 propose "no name yet"
            reply 3 T home=/u propose "hi"
            steer 4 T "and this"
            prepared 3 /copy
            exec-started T x1
        "#,
        expect![[r#"
            codex 2 propose "no name yet"
              -> answer 2 Failed -/- after 0ns because Quarantined { failures: 3, rest: 5s, last: Start(StartFailure { program: "codex", kind: ExitedEarly, detail: "why" }) }
            reply 3 T home=/u propose "hi"
              -> prepare Propose of turn 3 of T in /u
              -> tell 3 Preparing
            steer 4 T "and this"
            prepared 3 /copy
              -> answer 4 ExecTakesNoInput
              -> run codex exec on T "hi" model=- writes=/copy
            exec-started T x1
              -> keep thread T in /u
              -> keep Foreground turn 3 of T "hi"
              -> keep turn 3 started as x1
        "#]],
    );
    check(
        RESTS,
        r#"
            exec-completed
            reply 3 T home=/u propose "hi"
            +10s
            prepared 3 /copy
        "#,
        expect![[r#"
            exec-completed
              -> answer 1 Completed -/- after 0ns warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
            reply 3 T home=/u propose "hi"
              -> prepare Propose of turn 3 of T in /u
              -> tell 3 Preparing
            +10s
            prepared 3 /copy
              -> start the app-server
              -> tell 3 StartingCodex
        "#]],
    );
    check(
        RESTS,
        r#"
            exec-completed
            reply 3 T home=/u propose "hi"
            prepared 3 /copy
            exec-started T x1
            exec-completed
            reply 4 T "look"
            +10s
            collected 3 c3
        "#,
        expect![[r#"
            exec-completed
              -> answer 1 Completed -/- after 0ns warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
            reply 3 T home=/u propose "hi"
              -> prepare Propose of turn 3 of T in /u
              -> tell 3 Preparing
            prepared 3 /copy
              -> run codex exec on T "hi" model=- writes=/copy
            exec-started T x1
              -> keep thread T in /u
              -> keep Foreground turn 3 of T "hi"
              -> keep turn 3 started as x1
            exec-completed
              -> collect turn 3 of T
            reply 4 T "look"
              -> keep Foreground turn 4 of T "look"
              -> tell 4 Queued { position: 1 }
            +10s
              -> tell 3 RunningExec
            collected 3 c3
              -> keep end of turn 3: Completed
              -> answer 3 Completed T/x1 after 0ns c3 changes 1 warning "Codex's app-server cannot be used now, so this turn ran through `codex exec`: it could not be steered, and asked for no approval; `codex.health` says what is wrong"
              -> start the app-server
        "#]],
    );
}
