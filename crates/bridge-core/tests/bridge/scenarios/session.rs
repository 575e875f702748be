//! What a session is told of turns that go on without a call.

use expect_test::expect;

use super::check;

/// A turn of a session runs that nobody waits for.
const BACKGROUND: &str =
    "connect 1\nready\ncodex 2 background session=s \"two\"\nopened U\nstarted u1\n";

#[test]
fn the_end_of_a_turn_that_nobody_waits_for() {
    check(
        BACKGROUND,
        r#"
            says U u1 "done"
            completed U u1
        "#,
        expect![[r#"
            says U u1 "done"
            completed U u1
              -> keep end of turn 2: Completed
              -> tell s of the end of "two": Completed U/u1 after 0ns effort=medium "done"
        "#]],
    );
}

#[test]
fn a_failed_turn_says_why() {
    check(
        BACKGROUND,
        r#"failed U u1 "no""#,
        expect![[r#"
        failed U u1 "no"
          -> keep end of turn 2: Failed
          -> tell s of the end of "two": Failed U/u1 after 0ns effort=medium because Codex(CodexError { kind: "no", http_status: None, message: "it broke", details: None, resets_at: None })
    "#]],
    );
}

#[test]
fn who_waits_hears_it_by_the_call() {
    check(
        BACKGROUND,
        r#"
            wait 3 U u1 session=s
            completed U u1
        "#,
        expect![[r#"
            wait 3 U u1 session=s
              -> tell 3 StillRunning { doing: None, elapsed: 0ns }
            completed U u1
              -> keep end of turn 2: Completed
              -> answer 3 Completed U/u1 after 0ns effort=medium
        "#]],
    );
}

#[test]
fn a_wait_that_was_given_up_or_came_to_its_time_is_none() {
    check(
        BACKGROUND,
        r#"
            wait 3 U u1 session=s
            give-up 3
            wait 4 U u1 session=s
            +60s
            completed U u1
        "#,
        expect![[r#"
            wait 3 U u1 session=s
              -> tell 3 StillRunning { doing: None, elapsed: 0ns }
            give-up 3
              -> answer 3 CallCancelled
            wait 4 U u1 session=s
              -> tell 4 StillRunning { doing: None, elapsed: 0ns }
            +60s
              -> answer 4 InProgress U/u1 after 60s effort=medium
            completed U u1
              -> keep end of turn 2: Completed
              -> tell s of the end of "two": Completed U/u1 after 60s effort=medium
        "#]],
    );
}

#[test]
fn another_session_that_waits_does_not_hear_it_for_this_one() {
    check(
        BACKGROUND,
        r#"
            wait 3 U u1 session=other
            wait 4 U u1
            completed U u1
        "#,
        expect![[r#"
            wait 3 U u1 session=other
              -> tell 3 StillRunning { doing: None, elapsed: 0ns }
            wait 4 U u1
              -> tell 4 StillRunning { doing: None, elapsed: 0ns }
            completed U u1
              -> keep end of turn 2: Completed
              -> answer 3 Completed U/u1 after 0ns effort=medium
              -> answer 4 Completed U/u1 after 0ns effort=medium
              -> tell s of the end of "two": Completed U/u1 after 0ns effort=medium
        "#]],
    );
}

#[test]
fn a_question_is_told_once_and_only_while_nobody_can_be_asked() {
    check(
        BACKGROUND,
        r#"
            asks U "make"
            wait 3 U u1 during session=s
            give-up 3
            wait 4 U u1 during session=s
            answers 0 accept
            asks U "make two"
            +60s
            +199s
            +1s
        "#,
        expect![[r#"
            asks U "make"
              -> tell s of a question within 200s in "two" of U: to run: make
            wait 3 U u1 during session=s
              -> tell 3 StillRunning { doing: None, elapsed: 0ns }
              -> ask 3 within 200s: to run: make
            give-up 3
              -> answer 3 CallCancelled
            wait 4 U u1 during session=s
              -> tell 4 StillRunning { doing: None, elapsed: 0ns }
              -> ask 4 within 200s: to run: make
            answers 0 accept
              -> stop asking 4
              -> keep Accept by Person in turn 2: to run: make
              -> say Accept to Command { command: "make", working_directory: None, reason: None }
            asks U "make two"
              -> ask 4 within 200s: to run: make two
            +60s
              -> answer 4 InProgress U/u1 after 60s effort=medium asking "to run: make two" Accept by Person "to run: make"
            +199s
              -> keep Decline by Deadline in turn 2: to run: make two
              -> say Decline to Command { command: "make two", working_directory: None, reason: None }
            +1s
        "#]],
    );
}

#[test]
fn who_cancelled_knows_it() {
    check(
        BACKGROUND,
        r#"
            cancel 3 U u1 session=s
            interrupted U u1
            done thread/backgroundTerminals/clean
        "#,
        expect![[r#"
            cancel 3 U u1 session=s
              -> send turn/interrupt U/u1
              -> tell 3 Stopping
            interrupted U u1
              -> send thread/backgroundTerminals/clean U
            done thread/backgroundTerminals/clean
              -> keep end of turn 2: Interrupted
              -> answer 3 cancelled [Interrupted U/u1 after 0ns effort=medium stopped by Requested { reason: None }] and 0 waiting
        "#]],
    );
}

#[test]
fn a_start_that_was_given_up_is_no_news() {
    check(
        "connect 1\nready\n",
        r#"
            codex 2 background session=s "two"
            opened U
            give-up 2
            started u1
            interrupted U u1
            done thread/backgroundTerminals/clean
        "#,
        expect![[r#"
            codex 2 background session=s "two"
              -> send thread/start
              -> tell 2 Starting
            opened U
              -> keep new thread U
              -> keep Background turn 2 of U "two"
              -> send turn/start U "two" model=base effort=-
            give-up 2
            started u1
              -> keep turn 2 started as u1
              -> send turn/interrupt U/u1
              -> answer 2 InProgress U/u1 after 0ns effort=medium stopped by CallCancelled
            interrupted U u1
              -> send thread/backgroundTerminals/clean U
            done thread/backgroundTerminals/clean
              -> keep end of turn 2: Interrupted
        "#]],
    );
}

#[test]
fn a_turn_that_ends_with_the_server() {
    check(
        BACKGROUND,
        "shutdown\nexited",
        expect![[r#"
        shutdown
          -> keep end of turn 2: Interrupted
          -> tell s of the end of "two": Interrupted U/u1 after 0ns effort=medium because ShuttingDown stopped by Shutdown
          -> stop the app-server
        exited
    "#]],
    );
}
