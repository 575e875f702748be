//! Turns of one thread run one after the other, those of different threads side by side.

use expect_test::expect;

use super::{RUNNING, check};

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
              -> keep Foreground turn 2 of T "two"
              -> tell 2 Queued { position: 1 }
            reply 3 T "three"
              -> keep Foreground turn 3 of T "three"
              -> tell 3 Queued { position: 2 }
            reply 4 T "four"
              -> answer 4 QueueFull { limit: 2 }
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
              -> send turn/start T "two" model=base effort=-
            started t2
              -> keep turn 2 started as t2
            +1s
              -> tell 2 Started { thread: ThreadId("T"), turn: TurnId("t2") }
              -> tell 3 Queued { position: 1 }
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
              -> keep thread U
              -> keep Foreground turn 2 of U "two"
              -> send turn/start U "two" model=base effort=-
            started u1
              -> keep turn 2 started as u1
            completed U u1
              -> keep end of turn 2: Completed
              -> answer 2 Completed U/u1 after 0ns effort=medium
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
              -> keep Foreground turn 2 of T "two"
              -> tell 2 Queued { position: 1 }
            give-up 2
              -> keep end of turn 2: Interrupted
              -> answer 2 Interrupted T/- after 0ns stopped by CallCancelled
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
        "#]],
    );
}

#[test]
fn a_turn_too_many_in_a_minute_is_refused_with_the_time_to_wait() {
    check(
        RUNNING,
        r#"
            completed T t1
            +10s
            reply 2 T "two"
            started t2
            completed T t2
            reply 3 T "three"
            started t3
            completed T t3
            reply 4 T "four"
            started t4
            completed T t4
            reply 5 T "five"
            codex 6 "hi"
            codex 7 "hi"
            codex 8 "hi"
            +50s
            reply 9 T "nine"
        "#,
        expect![[r#"
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
            +10s
            reply 2 T "two"
              -> keep Foreground turn 2 of T "two"
              -> send turn/start T "two" model=base effort=-
              -> tell 2 Starting
            started t2
              -> keep turn 2 started as t2
            completed T t2
              -> keep end of turn 2: Completed
              -> answer 2 Completed T/t2 after 0ns effort=medium
            reply 3 T "three"
              -> keep Foreground turn 3 of T "three"
              -> send turn/start T "three" model=base effort=-
              -> tell 3 Starting
            started t3
              -> keep turn 3 started as t3
            completed T t3
              -> keep end of turn 3: Completed
              -> answer 3 Completed T/t3 after 0ns effort=medium
            reply 4 T "four"
              -> keep Foreground turn 4 of T "four"
              -> send turn/start T "four" model=base effort=-
              -> tell 4 Starting
            started t4
              -> keep turn 4 started as t4
            completed T t4
              -> keep end of turn 4: Completed
              -> answer 4 Completed T/t4 after 0ns effort=medium
            reply 5 T "five"
              -> answer 5 TooManyTurns { scope: Thread, limit: 4, wait: 50s }
            codex 6 "hi"
              -> send thread/start
              -> tell 6 Starting
            codex 7 "hi"
              -> send thread/start
              -> tell 7 Starting
            codex 8 "hi"
              -> answer 8 TooManyTurns { scope: Client, limit: 6, wait: 50s }
            +50s
              -> tell 6 StillRunning { doing: None, elapsed: 0ns }
              -> tell 7 StillRunning { doing: None, elapsed: 0ns }
            reply 9 T "nine"
              -> keep Foreground turn 9 of T "nine"
              -> send turn/start T "nine" model=base effort=-
              -> tell 9 Starting
        "#]],
    );
}

#[test]
fn one_running_turn_too_many_waits_for_a_place() {
    check(
        RUNNING,
        r#"
            codex 2 "two"
            opened U
            started u1
            codex 3 "three"
            opened V
            started v1
            codex 4 "four"
            opened W
            completed U u1
            started w1
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
            codex 3 "three"
              -> send thread/start
              -> tell 3 Starting
            opened V
              -> keep new thread V
              -> keep Foreground turn 3 of V "three"
              -> send turn/start V "three" model=base effort=-
            started v1
              -> keep turn 3 started as v1
            codex 4 "four"
              -> send thread/start
              -> tell 4 Starting
            opened W
              -> keep new thread W
              -> keep Foreground turn 4 of W "four"
            completed U u1
              -> keep end of turn 2: Completed
              -> answer 2 Completed U/u1 after 0ns effort=medium
              -> send turn/start W "four" model=base effort=-
              -> send thread/unsubscribe U
            started w1
              -> keep turn 4 started as w1
        "#]],
    );
}
