//! What is let go when nobody uses it: threads, and an app-server that is too large or in the way.

use expect_test::expect;

use super::{READY, RUNNING, check};

#[test]
fn a_thread_that_nobody_uses_is_let_go_and_comes_back() {
    check(
        RUNNING,
        r#"
            codex 2 "hi"
            opened U
            started u1
            runs U u1 "make"
            completed T t1
            +399s
            +1s
            done thread/unsubscribe
            reply 3 T "two"
            opened T
        "#,
        expect![[r#"
            codex 2 "hi"
              -> send thread/start
              -> tell 2 Starting
            opened U
              -> keep new thread U
              -> keep Foreground turn 2 of U "hi"
              -> send turn/start U "hi" model=base effort=-
            started u1
              -> keep turn 2 started as u1
            runs U u1 "make"
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
            +399s
              -> tell 2 Started { thread: ThreadId("U"), turn: TurnId("u1") }
            +1s
              -> send thread/unsubscribe T
              -> tell 2 Command { item: ItemId("c"), command: "make", state: Started }
            done thread/unsubscribe
            reply 3 T "two"
              -> keep Foreground turn 3 of T "two"
              -> send thread/resume T
              -> tell 3 Starting
            opened T
              -> keep thread T
              -> send turn/start T "two" model=base effort=-
        "#]],
    );
}

#[test]
fn a_thread_is_held_until_codex_has_let_go_of_it() {
    check(
        RUNNING,
        r#"
            codex 2 "hi"
            opened U
            started u1
            runs U u1 "make"
            completed T t1
            holds T
            +399s
            +1s
            holds T
            done thread/unsubscribe
            holds T
            unloaded T
            holds T
            reply 3 T "two"
            holds T
        "#,
        expect![[r#"
            codex 2 "hi"
              -> send thread/start
              -> tell 2 Starting
            opened U
              -> keep new thread U
              -> keep Foreground turn 2 of U "hi"
              -> send turn/start U "hi" model=base effort=-
            started u1
              -> keep turn 2 started as u1
            runs U u1 "make"
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
            holds T
              yes
            +399s
              -> tell 2 Started { thread: ThreadId("U"), turn: TurnId("u1") }
            +1s
              -> send thread/unsubscribe T
              -> tell 2 Command { item: ItemId("c"), command: "make", state: Started }
            holds T
              yes
            done thread/unsubscribe
            holds T
              yes
            unloaded T
            holds T
              no
            reply 3 T "two"
              -> keep Foreground turn 3 of T "two"
              -> send thread/resume T
              -> tell 3 Starting
            holds T
              yes
        "#]],
    );
}

#[test]
fn a_thread_that_cannot_be_opened_is_not_held() {
    check(
        READY,
        r#"
            reply 1 T "one"
            holds T
            rejected thread/resume "no rollout found"
            holds T
        "#,
        expect![[r#"
            reply 1 T "one"
              -> send thread/resume T
              -> tell 1 Starting
            holds T
              yes
            rejected thread/resume "no rollout found"
              -> answer 1 Failed T/- after 0ns because Request { method: "thread/resume", failure: Rejected { code: -32600, message: "no rollout found", data: None } }
            holds T
              no
        "#]],
    );
}

#[test]
fn a_thread_at_work_stays() {
    check(
        RUNNING,
        r#"
            runs T t1 "make"
            +500s
        "#,
        expect![[r#"
            runs T t1 "make"
            +500s
              -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("t1") }
        "#]],
    );
}

#[test]
fn one_thread_too_many_lets_the_oldest_go() {
    check(
        RUNNING,
        r#"
            completed T t1
            codex 2 "hi"
            opened U
            started u1
            completed U u1
            +1s
            codex 3 "hi"
            opened V
        "#,
        expect![[r#"
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
            codex 2 "hi"
              -> send thread/start
              -> tell 2 Starting
            opened U
              -> keep new thread U
              -> keep Foreground turn 2 of U "hi"
              -> send turn/start U "hi" model=base effort=-
            started u1
              -> keep turn 2 started as u1
            completed U u1
              -> keep end of turn 2: Completed
              -> answer 2 Completed U/u1 after 0ns effort=medium
            +1s
            codex 3 "hi"
              -> send thread/start
              -> tell 3 Starting
            opened V
              -> keep new thread V
              -> keep Foreground turn 3 of V "hi"
              -> send turn/start V "hi" model=base effort=-
              -> send thread/unsubscribe T
        "#]],
    );
}

#[test]
fn an_app_server_that_has_grown_is_replaced_when_it_is_idle() {
    check(
        RUNNING,
        r#"
            measured 1001
            +1s
            completed T t1
            +0s
            exited
            reply 2 T "two"
        "#,
        expect![[r#"
            measured 1001
            +1s
              -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("t1") }
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 1s effort=medium
            +0s
              -> stop the app-server
            exited
            reply 2 T "two"
              -> start the app-server
              -> tell 2 StartingCodex
        "#]],
    );
}

#[test]
fn an_app_server_within_its_limit_stays() {
    check(
        READY,
        r#"
            measured 1000
            +1s
        "#,
        expect![[r#"
            measured 1000
            +1s
        "#]],
    );
}

#[test]
fn room_is_made_only_by_who_is_idle() {
    check(
        RUNNING,
        r#"
            room-wanted
            completed T t1
            room-wanted
            exited
        "#,
        expect![[r#"
            room-wanted
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
            room-wanted
              -> stop the app-server
            exited
        "#]],
    );
}
