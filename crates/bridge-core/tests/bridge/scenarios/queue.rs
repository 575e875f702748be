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
