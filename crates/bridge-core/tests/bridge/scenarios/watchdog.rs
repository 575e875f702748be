//! Turns that end by an error, a limit or silence.

use expect_test::expect;

use super::{READY, RUNNING, check};

#[test]
fn codex_says_why_a_turn_failed() {
    check(
        RUNNING,
        r#"
            failed T t1 "usageLimitExceeded"
        "#,
        expect![[r#"
            failed T t1 "usageLimitExceeded"
              -> keep end of turn 1: Failed
              -> answer 1 Failed T/t1 after 0ns effort=medium because Codex(CodexError { kind: "usageLimitExceeded", http_status: None, message: "it broke", details: None, resets_at: None })
        "#]],
    );
}

#[test]
fn what_is_used_up_is_told_with_its_end() {
    check(
        RUNNING,
        r#"
            usage 99 500
            usage 100 700
            failed T t1 "usageLimitExceeded"
        "#,
        expect![[r#"
            usage 99 500
            usage 100 700
            failed T t1 "usageLimitExceeded"
              -> keep end of turn 1: Failed
              -> answer 1 Failed T/t1 after 0ns effort=medium because Codex(CodexError { kind: "usageLimitExceeded", http_status: None, message: "it broke", details: None, resets_at: Some(700) })
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
              -> keep new thread T
              -> keep Foreground turn 1 of T "hi"
              -> send turn/start T "hi" model=base effort=-
            started t1
              -> keep turn 1 started as t1
            +10s
              -> send turn/interrupt T/t1
              -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("t1") }
            interrupted T t1
              -> send thread/backgroundTerminals/clean T
            done thread/backgroundTerminals/clean
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 10s effort=medium because TimeLimit { limit: 10s } stopped by Limit
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
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 113s effort=medium "he" because Silent { after: 100s } stopped by Limit
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
              -> keep item of turn 1: Command(Command { item: ItemId("c"), command: "make", working_directory: "/w", status: Completed, exit_code: None, output: "3456789abc", output_chars: 13, duration: None })
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
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 50s effort=medium because ProviderUnreachable { after: 50s, last: CodexError { kind: "httpConnectionFailed", http_status: None, message: "it broke", details: None, resets_at: None } } stopped by Limit
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
