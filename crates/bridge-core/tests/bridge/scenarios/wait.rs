//! The way back to a turn.

use expect_test::expect;

use super::{READY, RUNNING, check};

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
              -> answer 2 InProgress T/t1 after 60s effort=medium
              -> answer 3 InProgress T/t1 after 60s effort=medium
            wait 4 T
              -> tell 4 StillRunning { doing: None, elapsed: 60s }
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 60s effort=medium
              -> answer 4 Completed T/t1 after 60s effort=medium
        "#]],
    );
}

#[test]
fn something_old_is_read_from_disk() {
    check(
        READY,
        r#"
            read 1 T t0
            nothing-read
        "#,
        expect![[r#"
            read 1 T t0
              -> send thread/turns/list T Some(TurnId("t0"))
            nothing-read
              -> answer 1 NoSuchTurn { thread: ThreadId("T"), turn: Some(TurnId("t0")) }
        "#]],
    );
}
