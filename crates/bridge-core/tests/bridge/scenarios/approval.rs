//! What Codex asks: who decides, how a person is asked, and what comes late, twice or never.

use expect_test::expect;

use super::check;

/// A turn runs whose client can be asked while the call goes on.
const DURING: &str = "connect 1\nready\ncodex 2 during \"two\"\nopened U\nstarted u1\n";
/// A turn runs whose client can be asked by an answer.
const INSTEAD: &str = "connect 1\nready\ncodex 2 instead \"two\"\nopened U\nstarted u1\n";
/// A turn runs that nobody waits for.
const BACKGROUND: &str = "connect 1\nready\ncodex 2 background \"two\"\nopened U\nstarted u1\n";

#[test]
fn a_rule_decides_before_anybody_is_asked() {
    check(
        DURING,
        r#"
            asks U "cargo test --all"
            asks U "rm -rf /"
            asks U "cargo test && rm x"
        "#,
        expect![[r#"
            asks U "cargo test --all"
              -> keep Accept by Policy(1) in turn 2: to run: cargo test --all
              -> say Accept to Command { command: "cargo test --all", working_directory: None, reason: None }
            asks U "rm -rf /"
              -> keep Decline by Policy(2) in turn 2: to run: rm -rf /
              -> say Decline to Command { command: "rm -rf /", working_directory: None, reason: None }
            asks U "cargo test && rm x"
              -> keep Decline by Policy(2) in turn 2: to run: cargo test && rm x
              -> say Decline to Command { command: "cargo test && rm x", working_directory: None, reason: None }
        "#]],
    );
}

#[test]
fn a_person_is_asked_while_the_call_goes_on() {
    check(
        DURING,
        r#"
            asks U "make"
            answers 0 accept
            answers 0 decline
            completed U u1
        "#,
        expect![[r#"
            asks U "make"
              -> ask 2 within 200s: to run: make
            answers 0 accept
              -> stop asking 2
              -> keep Accept by Person in turn 2: to run: make
              -> say Accept to Command { command: "make", working_directory: None, reason: None }
            answers 0 decline
            completed U u1
              -> keep end of turn 2: Completed
              -> answer 2 Completed U/u1 after 0ns effort=medium Accept by Person "to run: make"
        "#]],
    );
}

#[test]
fn a_person_may_take_their_time_and_silence_is_no() {
    check(
        DURING,
        r#"
            asks U "make"
            +199s
            +1s
            answers 0 accept
        "#,
        expect![[r#"
            asks U "make"
              -> ask 2 within 200s: to run: make
            +199s
              -> tell 2 Started { thread: ThreadId("U"), turn: TurnId("u1") }
            +1s
              -> stop asking 2
              -> keep Decline by Deadline in turn 2: to run: make
              -> tell 2 Asking { what: "to run: make" }
              -> say Decline to Command { command: "make", working_directory: None, reason: None }
            answers 0 accept
        "#]],
    );
}

#[test]
fn a_call_is_answered_with_the_question_and_made_again() {
    check(
        INSTEAD,
        r#"
            asks U "make"
            resume 3 U 2 u1 session instead
            resume 4 U 2 u1 decline instead
            completed U u1
            resume 5 U 2 u1 accept instead
        "#,
        expect![[r#"
            asks U "make"
              -> answer 2 asks to run: make [InProgress U/u1 after 0ns effort=medium asking "to run: make"]
            resume 3 U 2 u1 session instead
              -> keep AcceptForSession by Person in turn 2: to run: make
              -> tell 3 Decided { what: "to run: make", decision: AcceptForSession, decider: Person }
              -> say AcceptForSession to Command { command: "make", working_directory: None, reason: None }
            resume 4 U 2 u1 decline instead
              -> tell 4 StillRunning { doing: None, elapsed: 0ns }
            completed U u1
              -> keep end of turn 2: Completed
              -> answer 3 Completed U/u1 after 0ns effort=medium AcceptForSession by Person "to run: make"
              -> answer 4 Completed U/u1 after 0ns effort=medium AcceptForSession by Person "to run: make"
            resume 5 U 2 u1 accept instead
              -> answer 5 Completed U/u1 after 0ns effort=medium AcceptForSession by Person "to run: make"
        "#]],
    );
}

#[test]
fn what_was_not_answered_is_asked_again() {
    check(
        INSTEAD,
        r#"
            asks U "make"
            resume 3 U 2 u1 - instead
        "#,
        expect![[r#"
            asks U "make"
              -> answer 2 asks to run: make [InProgress U/u1 after 0ns effort=medium asking "to run: make"]
            resume 3 U 2 u1 - instead
              -> tell 3 StillRunning { doing: None, elapsed: 0ns }
              -> answer 3 asks to run: make [InProgress U/u1 after 0ns effort=medium asking "to run: make"]
        "#]],
    );
}

#[test]
fn a_call_that_never_comes_again_is_no() {
    check(
        INSTEAD,
        r#"
            asks U "make"
            +200s
            completed U u1
            wait 3 U u1
        "#,
        expect![[r#"
            asks U "make"
              -> answer 2 asks to run: make [InProgress U/u1 after 0ns effort=medium asking "to run: make"]
            +200s
              -> keep Decline by Deadline in turn 2: to run: make
              -> say Decline to Command { command: "make", working_directory: None, reason: None }
            completed U u1
              -> keep end of turn 2: Completed
            wait 3 U u1
              -> answer 3 Completed U/u1 after 200s effort=medium Decline by Deadline "to run: make"
        "#]],
    );
}

#[test]
fn a_client_that_is_gone_does_not_come_again() {
    check(
        INSTEAD,
        r#"
            asks U "make"
            close 1
            interrupted U u1
            done thread/backgroundTerminals/clean
        "#,
        expect![[r#"
            asks U "make"
              -> answer 2 asks to run: make [InProgress U/u1 after 0ns effort=medium asking "to run: make"]
            close 1
              -> send turn/interrupt U/u1
            interrupted U u1
              -> send thread/backgroundTerminals/clean U
            done thread/backgroundTerminals/clean
              -> keep Decline by Withdrawn in turn 2: to run: make
              -> keep end of turn 2: Interrupted
        "#]],
    );
}

#[test]
fn a_background_turn_asks_whoever_comes() {
    check(
        BACKGROUND,
        r#"
            asks U "make"
            wait 3 U u1
            wait 4 U u1 during
            answers 0 session
        "#,
        expect![[r#"
            asks U "make"
            wait 3 U u1
              -> tell 3 StillRunning { doing: None, elapsed: 0ns }
            wait 4 U u1 during
              -> tell 4 StillRunning { doing: None, elapsed: 0ns }
              -> ask 4 within 200s: to run: make
            answers 0 session
              -> stop asking 4
              -> keep AcceptForSession by Person in turn 2: to run: make
              -> say AcceptForSession to Command { command: "make", working_directory: None, reason: None }
        "#]],
    );
}

#[test]
fn a_question_goes_to_another_call_when_its_own_is_gone() {
    check(
        BACKGROUND,
        r#"
            wait 3 U u1 during
            wait 4 U u1 during
            asks U "make"
            give-up 3
            answers 1 accept
        "#,
        expect![[r#"
            wait 3 U u1 during
              -> tell 3 StillRunning { doing: None, elapsed: 0ns }
            wait 4 U u1 during
              -> tell 4 StillRunning { doing: None, elapsed: 0ns }
            asks U "make"
              -> ask 3 within 200s: to run: make
            give-up 3
              -> answer 3 CallCancelled
              -> ask 4 within 200s: to run: make
            answers 1 accept
              -> stop asking 4
              -> keep Accept by Person in turn 2: to run: make
              -> say Accept to Command { command: "make", working_directory: None, reason: None }
        "#]],
    );
}

#[test]
fn an_end_of_the_turn_is_an_answer() {
    check(
        DURING,
        r#"
            asks U "make"
            answers 0 stop
            interrupted U u1
            done thread/backgroundTerminals/clean
        "#,
        expect![[r#"
            asks U "make"
              -> ask 2 within 200s: to run: make
            answers 0 stop
              -> stop asking 2
              -> keep Cancel by Person in turn 2: to run: make
              -> say Cancel to Command { command: "make", working_directory: None, reason: None }
              -> send turn/interrupt U/u1
            interrupted U u1
              -> send thread/backgroundTerminals/clean U
            done thread/backgroundTerminals/clean
              -> keep end of turn 2: Interrupted
              -> answer 2 Interrupted U/u1 after 0ns effort=medium stopped by Declined Cancel by Person "to run: make"
        "#]],
    );
}

#[test]
fn codex_may_take_a_question_back() {
    check(
        DURING,
        r#"
            asks U "make"
            withdrawn
            answers 0 accept
        "#,
        expect![[r#"
            asks U "make"
              -> ask 2 within 200s: to run: make
            withdrawn
              -> stop asking 2
              -> keep Decline by Withdrawn in turn 2: to run: make
            answers 0 accept
        "#]],
    );
}

#[test]
fn a_turn_that_ends_takes_its_questions_along() {
    check(
        DURING,
        r#"
            asks U "make"
            exited
        "#,
        expect![[r#"
            asks U "make"
              -> ask 2 within 200s: to run: make
            exited
              -> stop asking 2
              -> keep Decline by Withdrawn in turn 2: to run: make
              -> keep end of turn 2: Interrupted
              -> answer 2 Interrupted U/u1 after 0ns effort=medium because AppServerExited(Exit { code: None, signal: Some(9), stderr: "" }) Decline by Withdrawn "to run: make"
              -> start the app-server
        "#]],
    );
}
