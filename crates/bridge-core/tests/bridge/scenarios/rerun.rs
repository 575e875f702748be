//! Turns whose app-server dies under them before their model has said a word: they are run again.

use expect_test::expect;

use super::{RUNNING, check};

#[test]
fn a_turn_that_was_cut_before_its_first_word_is_run_again_under_its_name() {
    check(
        RUNNING,
        r#"
            exited
            wait 2 T t1
            ready
            opened T
            started t2
            says T t1 "from the dead"
            says T t2 "Done."
            steer 3 T t1 "more"
            completed T t2
        "#,
        expect![[r#"
            exited
              -> start the app-server
            wait 2 T t1
              -> tell 2 StartingCodex
            ready
              -> send thread/resume T
            opened T
              -> keep thread T
              -> send turn/start T "hi" model=base effort=-
            started t2
            says T t1 "from the dead"
            says T t2 "Done."
            steer 3 T t1 "more"
              -> send turn/steer T/t2 "more"
            completed T t2
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium "Done." warning "Codex ended before it had begun to work on this turn, so the turn was run again"
              -> answer 2 Completed T/t1 after 0ns effort=medium "Done." warning "Codex ended before it had begun to work on this turn, so the turn was run again"
        "#]],
    );
}

#[test]
fn what_follows_keeps_its_place_behind_it() {
    check(
        RUNNING,
        r#"
            reply 2 T "two"
            exited
            ready
            opened T
            started t2
            completed T t2
        "#,
        expect![[r#"
            reply 2 T "two"
              -> keep Foreground turn 2 of T "two"
              -> tell 2 Queued { position: 1 }
            exited
              -> start the app-server
            ready
              -> send thread/resume T
            opened T
              -> keep thread T
              -> send turn/start T "hi" model=base effort=-
            started t2
            completed T t2
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium warning "Codex ended before it had begun to work on this turn, so the turn was run again"
              -> send turn/start T "two" model=base effort=-
        "#]],
    );
}

#[test]
fn a_turn_whose_model_has_begun_is_not_run_again() {
    check(
        RUNNING,
        r#"
            runs T t1 "rm -r build"
            exited
        "#,
        expect![[r#"
            runs T t1 "rm -r build"
            exited
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium because AppServerExited(Exit { code: None, signal: Some(9), stderr: "" })
              -> start the app-server
        "#]],
    );
}

#[test]
fn a_turn_that_was_steered_or_asked_is_not_run_again() {
    check(
        RUNNING,
        r#"
            codex 2 "two"
            opened U
            started u1
            steer 3 T "more"
            asks U "ls"
            exited
        "#,
        expect![[r#"
            codex 2 "two"
              -> send thread/start
              -> tell 2 Starting
            opened U
              -> keep new thread U
              -> keep Foreground turn 2 of U "two"
              -> send turn/start U "two" model=base effort=-
            started u1
              -> keep turn 2 started as u1
            steer 3 T "more"
              -> send turn/steer T/t1 "more"
            asks U "ls"
              -> keep Decline by Nobody in turn 2: to run: ls
              -> say Decline to Command { command: "ls", working_directory: None, reason: None }
            exited
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium because AppServerExited(Exit { code: None, signal: Some(9), stderr: "" })
              -> keep end of turn 2: Interrupted
              -> answer 2 Interrupted U/u1 after 0ns effort=medium because AppServerExited(Exit { code: None, signal: Some(9), stderr: "" }) Decline by Nobody "to run: ls"
              -> answer 3 AppServerExited(Exit { code: None, signal: Some(9), stderr: "" })
              -> start the app-server
        "#]],
    );
}

#[test]
fn a_turn_that_kills_codex_each_time_is_given_up() {
    check(
        RUNNING,
        r#"
            exited
            ready
            opened T
            started t2
            exited
            +500ms
            ready
            opened T
            started t3
            exited
        "#,
        expect![[r#"
            exited
              -> start the app-server
            ready
              -> send thread/resume T
            opened T
              -> keep thread T
              -> send turn/start T "hi" model=base effort=-
            started t2
            exited
            +500ms
              -> start the app-server
              -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("t1") }
            ready
              -> send thread/resume T
            opened T
              -> keep thread T
              -> send turn/start T "hi" model=base effort=-
            started t3
            exited
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 500ms effort=medium because AppServerExited(Exit { code: None, signal: Some(9), stderr: "" }) warning "Codex ended before it had begun to work on this turn, so the turn was run again"
        "#]],
    );
}

#[test]
fn a_turn_that_waits_to_be_run_again_can_be_stopped() {
    check(
        RUNNING,
        r#"
            exited
            steer 2 T "more"
            cancel 3 T t1
            ready
        "#,
        expect![[r#"
            exited
              -> start the app-server
            steer 2 T "more"
              -> answer 2 NoRunningTurn { thread: ThreadId("T") }
            cancel 3 T t1
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium stopped by Requested { reason: None }
              -> answer 3 cancelled [Interrupted T/t1 after 0ns effort=medium stopped by Requested { reason: None }] and 0 waiting
            ready
        "#]],
    );
}

#[test]
fn a_thread_that_died_with_its_process_ends_the_turn_with_what_cut_it() {
    check(
        RUNNING,
        r#"
            exited
            ready
            rejected thread/resume "no rollout found for thread id T"
        "#,
        expect![[r#"
            exited
              -> start the app-server
            ready
              -> send thread/resume T
            rejected thread/resume "no rollout found for thread id T"
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium because AppServerExited(Exit { code: None, signal: Some(9), stderr: "" })
        "#]],
    );
}
