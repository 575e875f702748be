//! Codex's own review: a turn with two names, whose words are Codex's and which takes none.

use bridge_core::Limits;
use expect_test::expect;

use super::{READY, check};
use crate::support::{Script, limits};

/// A review runs: call 1, thread T, turn r1. Its other name is not known yet.
const REVIEWING: &str = "connect 1\nready\nreview 1 \"main\"\nopened T\nreview-started r1\n";

#[test]
fn a_review_is_the_first_turn_of_a_new_thread() {
    check(
        READY,
        r#"
            review 1 "main"
            opened T
            review-started r1
            turn-started T r2
            says T r1 "{}"
            said T r1 "Good."
            completed T r1
            reply 2 T "why?"
        "#,
        expect![[r#"
            review 1 "main"
              -> send thread/start
              -> tell 1 Starting
            opened T
              -> keep new thread T
              -> keep Foreground turn 1 of T "Review what was changed since main."
              -> send review/start T BaseBranch("main")
            review-started r1
              -> keep turn 1 started as r1
            turn-started T r2
            says T r1 "{}"
            said T r1 "Good."
              -> keep item of turn 1: Message(Message { item: ItemId("whole"), phase: None, text: "Good.", complete: true })
            completed T r1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/r1 after 0ns effort=medium "Good."
            reply 2 T "why?"
              -> keep Foreground turn 2 of T "why?"
              -> send turn/start T "why?" model=base effort=-
              -> tell 2 Starting
        "#]],
    );
}

#[test]
fn a_review_is_interrupted_by_its_other_name() {
    check(
        REVIEWING,
        r#"
            turn-started T r2
            cancel 2 T r1
            interrupted T r1
            done thread/backgroundTerminals/clean
        "#,
        expect![[r#"
            turn-started T r2
            cancel 2 T r1
              -> send turn/interrupt T/r2
              -> tell 2 Stopping
            interrupted T r1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/r1 after 0ns effort=medium stopped by Requested { reason: None }
              -> answer 2 cancelled [Interrupted T/r1 after 0ns effort=medium stopped by Requested { reason: None }] and 0 waiting
        "#]],
    );
}

#[test]
fn a_stop_waits_until_the_other_name_is_known() {
    check(
        REVIEWING,
        r#"
            give-up 1
            turn-started T r2
            interrupted T r1
            done thread/backgroundTerminals/clean
        "#,
        expect![[r#"
            give-up 1
            turn-started T r2
              -> send turn/interrupt T/r2
            interrupted T r1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/r1 after 0ns effort=medium stopped by CallCancelled
        "#]],
    );
    check(
        READY,
        r#"
            review 1 "main"
            opened T
            give-up 1
            turn-started T r2
            review-started r1
        "#,
        expect![[r#"
            review 1 "main"
              -> send thread/start
              -> tell 1 Starting
            opened T
              -> keep new thread T
              -> keep Foreground turn 1 of T "Review what was changed since main."
              -> send review/start T BaseBranch("main")
            give-up 1
            turn-started T r2
            review-started r1
              -> keep turn 1 started as r1
              -> send turn/interrupt T/r2
        "#]],
    );
}

#[test]
fn a_review_whose_other_name_never_comes_is_not_waited_for() {
    check(
        REVIEWING,
        r#"
            give-up 1
            +3s
            exited
        "#,
        expect![[r#"
            give-up 1
            +3s
              -> kill the app-server
            exited
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/r1 after 3s effort=medium stopped by CallCancelled
        "#]],
    );
}

#[test]
fn a_review_takes_no_input() {
    check(
        READY,
        r#"
            review 1 "main"
            opened T
            steer 2 T "more"
            review-started r1
            steer 3 T r1 "more"
        "#,
        expect![[r#"
            review 1 "main"
              -> send thread/start
              -> tell 1 Starting
            opened T
              -> keep new thread T
              -> keep Foreground turn 1 of T "Review what was changed since main."
              -> send review/start T BaseBranch("main")
            steer 2 T "more"
              -> answer 2 ReviewTakesNoInput
            review-started r1
              -> keep turn 1 started as r1
            steer 3 T r1 "more"
              -> answer 3 ReviewTakesNoInput
        "#]],
    );
}

#[test]
fn a_plan_waits_behind_a_review_for_the_next_turn() {
    check(
        REVIEWING,
        r#"
            turn-started T r2
            tell-plan 2 T 1
            completed T r1
            reply 3 T "next"
        "#,
        expect![[r#"
            turn-started T r2
            tell-plan 2 T 1
              -> answer 2 plan waits
            completed T r1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/r1 after 0ns effort=medium
            reply 3 T "next"
              -> keep Foreground turn 3 of T "next"
              -> send turn/start T [plan 1] "next" model=base effort=-
              -> tell 3 Starting
        "#]],
    );
}

#[test]
fn a_review_that_was_cut_before_its_first_word_is_run_again() {
    check(
        REVIEWING,
        r#"
            turn-started T r2
            exited
            ready
            opened T
            review-started r3
            cancel 2 T r1
            turn-started T r4
            interrupted T r3
            done thread/backgroundTerminals/clean
        "#,
        expect![[r#"
            turn-started T r2
            exited
              -> start the app-server
            ready
              -> send thread/resume T
            opened T
              -> keep thread T
              -> send review/start T BaseBranch("main")
            review-started r3
            cancel 2 T r1
              -> tell 2 Stopping
            turn-started T r4
              -> send turn/interrupt T/r4
            interrupted T r3
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/r1 after 0ns effort=medium stopped by Requested { reason: None } warning "Codex ended before it had begun to work on this turn, so the turn was run again"
              -> answer 2 cancelled [Interrupted T/r1 after 0ns effort=medium stopped by Requested { reason: None } warning "Codex ended before it had begun to work on this turn, so the turn was run again"] and 0 waiting
        "#]],
    );
}

#[test]
fn a_review_that_codex_refuses_or_does_not_answer_ends() {
    let script = "connect 1\nready\nreview 1 \"main\"\nopened T\n";
    check(
        script,
        r#"rejected review/start "no""#,
        expect![[r#"
        rejected review/start "no"
          -> keep end of turn 1: Failed
          -> answer 1 Failed T/- after 0ns effort=medium because Request { method: "review/start", failure: Rejected { code: -32600, message: "no", data: None } }
    "#]],
    );
    check(
        script,
        "late review/start\nexited",
        expect![[r#"
        late review/start
          -> kill the app-server
        exited
          -> start the app-server
    "#]],
    );
    check(
        REVIEWING,
        "turn-started T r2\n+100s",
        expect![[r#"
        turn-started T r2
        +100s
          -> send turn/interrupt T/r2
          -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("r1") }
    "#]],
    );
}

#[test]
fn a_review_is_not_run_through_exec() {
    let script = r#"
        connect 1
        start-failed crashed
        review 1 "main"
        start-failed crashed
        +1s
        start-failed crashed
    "#;
    let limits = Limits { exec_fallback: true, ..limits() };
    expect![[r#"
        connect 1
          -> start the app-server
        start-failed crashed
        review 1 "main"
          -> start the app-server
          -> tell 1 StartingCodex
        start-failed crashed
        +1s
          -> start the app-server
          -> tell 1 StartingCodex
        start-failed crashed
          -> answer 1 Failed -/- after 0ns because Quarantined { failures: 3, rest: 5s, last: Start(StartFailure { program: "codex", kind: ExitedEarly, detail: "why" }) }
    "#]].assert_eq(&Script::with(limits).play(script));
}
