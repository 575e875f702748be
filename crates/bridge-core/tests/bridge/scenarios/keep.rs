//! What is kept, and when: before the answer that speaks of it.

use expect_test::expect;

use super::check;

#[test]
fn a_turn_from_its_beginning_to_its_end() {
    check(
        "",
        r#"
        connect 1
        ready
        codex 1 "do it"
        opened t
        started a
        plans t a "step"
        ran t a "ls"
        asks t "rm"
        says t a "done"
        completed t a
        "#,
        expect![[r#"
            connect 1
              -> start the app-server
            ready
            codex 1 "do it"
              -> send thread/start
              -> tell 1 Starting
            opened t
              -> keep new thread t
              -> keep Foreground turn 1 of t "do it"
              -> send turn/start t "do it" model=base effort=-
            started a
              -> keep turn 1 started as a
            plans t a "step"
              -> keep plan of turn 1: Plan { explanation: None, steps: [PlanStep { step: "step", status: InProgress }] }
            ran t a "ls"
              -> keep item of turn 1: Command(Command { item: ItemId("c"), command: "ls", working_directory: "/w", status: Completed, exit_code: None, output: "3456789abc", output_chars: 13, duration: None })
            asks t "rm"
              -> keep Decline by Policy(2) in turn 1: to run: rm
              -> say Decline to Command { command: "rm", working_directory: None, reason: None }
            says t a "done"
            completed t a
              -> keep end of turn 1: Completed
              -> answer 1 Completed t/a after 0ns effort=medium "done" Decline by Policy(2) "to run: rm"
        "#]],
    );
}

#[test]
fn a_thread_that_cannot_be_opened_leaves_no_trace() {
    check(
        "",
        r#"
        connect 1
        ready
        reply 1 t "x"
        rejected thread/resume "no rollout found for thread id t"
        "#,
        expect![[r#"
            connect 1
              -> start the app-server
            ready
            reply 1 t "x"
              -> send thread/resume t
              -> tell 1 Starting
            rejected thread/resume "no rollout found for thread id t"
              -> answer 1 Failed t/- after 0ns because Request { method: "thread/resume", failure: Rejected { code: -32600, message: "no rollout found for thread id t", data: None } }
        "#]],
    );
}

#[test]
fn a_waiting_turn_of_a_known_thread_is_kept_at_once() {
    check(
        "",
        r#"
        connect 1
        ready
        codex 1 "one"
        opened t
        started a
        reply 2 t background "two"
        thinks t a "hm"
        exited
        ready
        opened t
        started b
        "#,
        expect![[r#"
            connect 1
              -> start the app-server
            ready
            codex 1 "one"
              -> send thread/start
              -> tell 1 Starting
            opened t
              -> keep new thread t
              -> keep Foreground turn 1 of t "one"
              -> send turn/start t "one" model=base effort=-
            started a
              -> keep turn 1 started as a
            reply 2 t background "two"
              -> keep Background turn 2 of t "two"
              -> tell 2 Queued { position: 1 }
              -> answer 2 Queued { position: 1 } t/- after 0ns
            thinks t a "hm"
            exited
              -> keep end of turn 1: Interrupted
              -> answer 1 Interrupted t/a after 0ns effort=medium because AppServerExited(Exit { code: None, signal: Some(9), stderr: "" })
              -> start the app-server
            ready
              -> send thread/resume t
            opened t
              -> keep thread t
              -> send turn/start t "two" model=base effort=-
            started b
              -> keep turn 2 started as b
        "#]],
    );
}

#[test]
fn a_turn_that_is_not_known_any_more_is_looked_for_elsewhere() {
    check(
        "",
        r#"
        connect 1
        ready
        wait 1 t
        read 2 t
        nothing-read
        "#,
        expect![[r#"
            connect 1
              -> start the app-server
            ready
            wait 1 t
              -> answer 1 not live
            read 2 t
              -> send thread/turns/list t None
            nothing-read
              -> answer 2 NoSuchTurn { thread: ThreadId("t"), turn: None }
        "#]],
    );
}

#[test]
fn a_thread_is_put_away_and_comes_back() {
    check(
        "",
        r#"
        connect 1
        ready
        codex 1 "one"
        opened t
        started a
        archive 2 t
        completed t a
        archive 3 t
        reply 4 t "two"
        done thread/archive
        opened t
        started b
        "#,
        expect![[r#"
            connect 1
              -> start the app-server
            ready
            codex 1 "one"
              -> send thread/start
              -> tell 1 Starting
            opened t
              -> keep new thread t
              -> keep Foreground turn 1 of t "one"
              -> send turn/start t "one" model=base effort=-
            started a
              -> keep turn 1 started as a
            archive 2 t
              -> answer 2 ThreadBusy { thread: ThreadId("t") }
            completed t a
              -> keep end of turn 1: Completed
              -> answer 1 Completed t/a after 0ns effort=medium
            archive 3 t
              -> send thread/archive t
            reply 4 t "two"
              -> keep Foreground turn 4 of t "two"
              -> tell 4 Starting
            done thread/archive
              -> keep archived t
              -> answer 3 changed
              -> send thread/resume t
            opened t
              -> keep thread t
              -> send turn/start t "two" model=base effort=-
            started b
              -> keep turn 4 started as b
        "#]],
    );
}

#[test]
fn threads_are_listed_by_codex() {
    check(
        "",
        r#"
        list 1
        ready
        listed
        "#,
        expect![[r#"
            list 1
              -> start the app-server
            ready
              -> send thread/list ThreadQuery { archived: false, cursor: None, limit: 10 }
            listed
              -> answer 1 ThreadList { threads: [], next: None }
        "#]],
    );
}
