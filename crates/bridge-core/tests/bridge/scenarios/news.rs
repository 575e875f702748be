//! What a client hears of its call, and how often.

use expect_test::expect;

use super::{RUNNING, check};

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
              -> keep plan of turn 1: Plan { explanation: None, steps: [PlanStep { step: "one", status: InProgress }] }
            plans T t1 "two"
              -> keep plan of turn 1: Plan { explanation: None, steps: [PlanStep { step: "two", status: InProgress }] }
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
              -> keep Decline by Policy(2) in turn 1: to run: rm -rf /
              -> say Decline to Command { command: "rm -rf /", working_directory: None, reason: None }
            warns T "careful"
            warns T "careful"
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium Decline by Policy(2) "to run: rm -rf /" warning "careful"
        "#]],
    );
}
