//! The life of the app-server: failed starts, crashes, idleness, health.

use expect_test::expect;

use super::{READY, RUNNING, check};

#[test]
fn a_dead_app_server_ends_its_turns_and_the_queue_goes_on() {
    check(
        RUNNING,
        r#"
            reply 2 T "two"
            steer 3 T "more"
            exited
            ready
            opened T
            started t2
        "#,
        expect![[r#"
            reply 2 T "two"
              -> keep Foreground turn 2 of T "two"
              -> tell 2 Queued { position: 1 }
            steer 3 T "more"
              -> send turn/steer T/t1 "more"
            exited
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium because AppServerExited(Exit { code: None, signal: Some(9), stderr: "" })
              -> answer 3 AppServerExited(Exit { code: None, signal: Some(9), stderr: "" })
              -> start the app-server
            ready
              -> send thread/resume T
            opened T
              -> keep thread T
              -> send turn/start T "two" model=base effort=-
            started t2
              -> keep turn 2 started as t2
        "#]],
    );
}

#[test]
fn news_from_a_dead_app_server_are_ignored() {
    check(
        RUNNING,
        r#"
            thinks T t1 "hm"
            exited
            completed T t1
            reply 2 T "two"
            ready
        "#,
        expect![[r#"
            thinks T t1 "hm"
            exited
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted T/t1 after 0ns effort=medium because AppServerExited(Exit { code: None, signal: Some(9), stderr: "" })
              -> start the app-server
            completed T t1
            reply 2 T "two"
              -> keep Foreground turn 2 of T "two"
              -> tell 2 StartingCodex
            ready
              -> send thread/resume T
        "#]],
    );
}

#[test]
fn a_program_that_cannot_start_is_not_tried_again() {
    check(
        "",
        r#"
            connect 1
            start-failed missing
            codex 1 "hi"
            start-failed missing
        "#,
        expect![[r#"
            connect 1
              -> start the app-server
            start-failed missing
            codex 1 "hi"
              -> start the app-server
              -> tell 1 StartingCodex
            start-failed missing
              -> answer 1 Failed -/- after 0ns because Start(StartFailure { program: "codex", kind: NotFound, detail: "why" })
        "#]],
    );
}

#[test]
fn a_start_that_may_pass_is_tried_again_with_pauses_and_then_refused_for_a_while() {
    check(
        "",
        r#"
            connect 1
            codex 1 "hi"
            start-failed crashed
            start-failed crashed
            +500ms
            start-failed crashed
            codex 2 "hi"
            health 3
            +5s
            codex 4 "hi"
            start-failed crashed
            +9s
            codex 5 "hi"
            +1s
            codex 6 "hi"
            ready
            opened T
        "#,
        expect![[r#"
            connect 1
              -> start the app-server
            codex 1 "hi"
              -> tell 1 StartingCodex
            start-failed crashed
              -> start the app-server
            start-failed crashed
            +500ms
              -> start the app-server
              -> tell 1 StartingCodex
            start-failed crashed
              -> answer 1 Failed -/- after 0ns because Start(StartFailure { program: "codex", kind: ExitedEarly, detail: "why" })
            codex 2 "hi"
              -> answer 2 Quarantined { failures: 3, rest: 5s, last: Start(StartFailure { program: "codex", kind: ExitedEarly, detail: "why" }) }
            health 3
              -> answer 3 HealthReport { process: Quarantined { failures: 3, rest: 5s }, falls_back: false, info: None, resident_bytes: None, last_exit: None, account: Err(Quarantined { failures: 3, rest: 5s, last: Start(StartFailure { program: "codex", kind: ExitedEarly, detail: "why" }) }), sandbox: Err(Quarantined { failures: 3, rest: 5s, last: Start(StartFailure { program: "codex", kind: ExitedEarly, detail: "why" }) }), usage: [], threads_loaded: 0, turns_running: 0, turns_queued: 0, connections: 1 }
            +5s
            codex 4 "hi"
              -> start the app-server
              -> tell 4 StartingCodex
            start-failed crashed
              -> answer 4 Failed -/- after 0ns because Start(StartFailure { program: "codex", kind: ExitedEarly, detail: "why" })
            +9s
            codex 5 "hi"
              -> answer 5 Quarantined { failures: 4, rest: 1s, last: Start(StartFailure { program: "codex", kind: ExitedEarly, detail: "why" }) }
            +1s
            codex 6 "hi"
              -> start the app-server
              -> tell 6 StartingCodex
            ready
              -> send thread/start
            opened T
              -> keep new thread T
              -> keep Foreground turn 6 of T "hi"
              -> send turn/start T "hi" model=base effort=-
        "#]],
    );
}

#[test]
fn a_start_without_an_answer_kills_the_app_server() {
    check(
        READY,
        r#"
            reply 1 T "hi"
            opened T
            late turn/start
            exited
            ready
            opened T
            started t1
        "#,
        expect![[r#"
            reply 1 T "hi"
              -> send thread/resume T
              -> tell 1 Starting
            opened T
              -> keep thread T
              -> keep Foreground turn 1 of T "hi"
              -> send turn/start T "hi" model=base effort=-
            late turn/start
              -> kill the app-server
            exited
              -> start the app-server
            ready
              -> send thread/resume T
            opened T
              -> keep thread T
              -> send turn/start T "hi" model=base effort=-
            started t1
              -> keep turn 1 started as t1
        "#]],
    );
}

#[test]
fn an_idle_app_server_is_stopped_and_comes_back() {
    check(
        RUNNING,
        r#"
            completed T t1
            +299s
            +1s
            exited
            reply 2 T "two"
            ready
        "#,
        expect![[r#"
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
            +299s
            +1s
              -> stop the app-server
            exited
            reply 2 T "two"
              -> start the app-server
              -> tell 2 StartingCodex
            ready
              -> send thread/resume T
        "#]],
    );
}

#[test]
fn a_call_while_the_app_server_stops_gets_a_new_one() {
    check(
        RUNNING,
        r#"
            completed T t1
            +300s
            reply 2 T "two"
            exited
            ready
        "#,
        expect![[r#"
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
            +300s
              -> stop the app-server
            reply 2 T "two"
              -> keep Foreground turn 2 of T "two"
              -> tell 2 StartingCodex
            exited
              -> start the app-server
            ready
              -> send thread/resume T
        "#]],
    );
}

#[test]
fn health_asks_for_both_parts() {
    check(
        READY,
        r#"
            health 1
            account
            sandbox
        "#,
        expect![[r#"
            health 1
              -> send account/read
              -> send command/exec
            account
            sandbox
              -> answer 1 HealthReport { process: Ready { uptime: 0ns }, falls_back: false, info: Some(AppServerInfo { program: "codex", pid: 1, version: Some("0.169.0"), codex_home: None }), resident_bytes: None, last_exit: None, account: Ok(Account { kind: Some("apiKey"), plan: None, login_required: true }), sandbox: Ok(SandboxProbe { exit_code: 0, stderr: "" }), usage: [], threads_loaded: 0, turns_running: 0, turns_queued: 0, connections: 1 }
        "#]],
    );
}

#[test]
fn health_without_an_app_server_says_why() {
    check(
        "",
        r#"
            health 1
            start-failed missing
        "#,
        expect![[r#"
            health 1
              -> start the app-server
            start-failed missing
              -> answer 1 HealthReport { process: Stopped, falls_back: false, info: None, resident_bytes: None, last_exit: None, account: Err(Start(StartFailure { program: "codex", kind: NotFound, detail: "why" })), sandbox: Err(Start(StartFailure { program: "codex", kind: NotFound, detail: "why" })), usage: [], threads_loaded: 0, turns_running: 0, turns_queued: 0, connections: 0 }
        "#]],
    );
}

#[test]
fn an_app_server_is_idle_only_from_the_end_of_its_last_turn() {
    check(
        RUNNING,
        r#"
            runs T t1 "make"
            +400s
            completed T t1
            +299s
            +1s
        "#,
        expect![[r#"
            runs T t1 "make"
            +400s
              -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("t1") }
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 400s effort=medium
            +299s
            +1s
              -> stop the app-server
        "#]],
    );
}
