//! Turns that may change files: a place first, then the turn in it, then what it changed, and the user's folder again.

use expect_test::expect;

use super::{PROPOSING, READY, check};

#[test]
fn a_turn_runs_in_its_place_and_is_answered_when_its_changes_are_collected() {
    check(
        READY,
        r#"
            codex 1 propose "hi"
            opened T
            +20s
            prepared 1 /copy
            started t1
            +5s
            completed T t1
            says T t1 "too late"
            completed T t1
            asks T "rm x"
            +20s
            collected 1 c1
            collected 1 c2
        "#,
        expect![[r#"
            codex 1 propose "hi"
              -> send thread/start
              -> tell 1 Starting
            opened T
              -> keep new thread T
              -> keep Foreground turn 1 of T "hi"
              -> prepare Propose of turn 1 of T in /w
            +20s
              -> tell 1 Preparing
            prepared 1 /copy
              -> send turn/start T "hi" model=base effort=- writes=/copy cwd=/copy
            started t1
              -> keep turn 1 started as t1
            +5s
              -> tell 1 Starting
            completed T t1
              -> collect turn 1 of T
            says T t1 "too late"
            completed T t1
            asks T "rm x"
              -> say Decline to Command { command: "rm x", working_directory: None, reason: None }
            +20s
              -> tell 1 Started { thread: ThreadId("T"), turn: TurnId("t1") }
            collected 1 c1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 5s effort=medium c1 changes 1
            collected 1 c2
        "#]],
    );
}

#[test]
fn the_next_turn_is_read_only_in_the_users_folder() {
    check(
        PROPOSING,
        r#"
            reply 2 T "look"
            completed T t1
            collected 1
            started t2
            completed T t2
            reply 3 T propose "more"
            prepared 3 /copy
            started t3
            failed T t3 "other"
            collected 3 "the copy is gone"
        "#,
        expect![[r#"
            reply 2 T "look"
              -> keep Foreground turn 2 of T "look"
              -> tell 2 Queued { position: 1 }
            completed T t1
              -> collect turn 1 of T
            collected 1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
              -> send turn/start T "look" model=base effort=- cwd=/w
            started t2
              -> keep turn 2 started as t2
            completed T t2
              -> keep end of turn 2: Completed
              -> answer 2 Completed T/t2 after 0ns effort=medium
            reply 3 T propose "more"
              -> keep Foreground turn 3 of T "more"
              -> prepare Propose of turn 3 of T in /w
              -> tell 3 Preparing
            prepared 3 /copy
              -> send turn/start T "more" model=base effort=- writes=/copy cwd=/copy
            started t3
              -> keep turn 3 started as t3
            failed T t3 "other"
              -> collect turn 3 of T
            collected 3 "the copy is gone"
              -> keep end of turn 3: Failed
              -> answer 3 Failed T/t3 after 0ns effort=medium because Codex(CodexError { kind: "other", http_status: None, message: "it broke", details: None, resets_at: None }) warning "the copy is gone"
        "#]],
    );
}

#[test]
fn a_thread_that_codex_knows_in_a_copy_is_recorded_and_continued_in_its_own_folder() {
    check(
        READY,
        r#"
            reply 1 T home=/u "look"
            opened T /copy
            started t1
            completed T t1
            reply 2 T home=/u propose "more"
            prepared 2 /u
        "#,
        expect![[r#"
            reply 1 T home=/u "look"
              -> send thread/resume T
              -> tell 1 Starting
            opened T /copy
              -> keep thread T in /u
              -> keep Foreground turn 1 of T "look"
              -> send turn/start T "look" model=base effort=- cwd=/u
            started t1
              -> keep turn 1 started as t1
            completed T t1
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium
            reply 2 T home=/u propose "more"
              -> keep Foreground turn 2 of T "more"
              -> prepare Propose of turn 2 of T in /u
              -> tell 2 Preparing
            prepared 2 /u
              -> send turn/start T "more" model=base effort=- writes=/u
        "#]],
    );
}

#[test]
fn a_place_that_cannot_be_made_fails_the_turn_alone() {
    check(
        READY,
        r#"
            reply 1 T propose "hi"
            reply 2 T "two"
            opened T
            prepare-failed 1 "9 GB"
            started t2
        "#,
        expect![[r#"
            reply 1 T propose "hi"
              -> send thread/resume T
              -> tell 1 Starting
            reply 2 T "two"
              -> tell 2 Queued { position: 2 }
            opened T
              -> keep thread T
              -> keep Foreground turn 1 of T "hi"
              -> keep Foreground turn 2 of T "two"
              -> prepare Propose of turn 1 of T in /w
            prepare-failed 1 "9 GB"
              -> keep end of turn 1: Failed
              -> answer 1 Failed T/- after 0ns because Workspace { kind: TooLarge, detail: "9 GB" }
              -> send turn/start T "two" model=base effort=-
            started t2
              -> keep turn 2 started as t2
        "#]],
    );
}

#[test]
fn input_for_a_turn_waits_until_its_place_is_made() {
    check(
        READY,
        r#"
            codex 1 propose "hi"
            opened T
            steer 2 T "and this"
            prepared 1 /copy
            started t1
        "#,
        expect![[r#"
            codex 1 propose "hi"
              -> send thread/start
              -> tell 1 Starting
            opened T
              -> keep new thread T
              -> keep Foreground turn 1 of T "hi"
              -> prepare Propose of turn 1 of T in /w
            steer 2 T "and this"
            prepared 1 /copy
              -> send turn/start T "hi" model=base effort=- writes=/copy cwd=/copy
            started t1
              -> keep turn 1 started as t1
              -> send turn/steer T/t1 "and this"
        "#]],
    );
}

#[test]
fn a_background_call_is_answered_while_the_place_is_made() {
    check(
        READY,
        r#"
            codex 1 background propose "hi"
            opened T
            prepared 1 /copy
        "#,
        expect![[r#"
            codex 1 background propose "hi"
              -> send thread/start
              -> tell 1 Starting
            opened T
              -> keep new thread T
              -> keep Background turn 1 of T "hi"
              -> prepare Propose of turn 1 of T in /w
              -> answer 1 InProgress T/- after 0ns
            prepared 1 /copy
              -> send turn/start T "hi" model=base effort=- writes=/copy cwd=/copy
        "#]],
    );
}

#[test]
fn a_turn_that_is_being_prepared_or_collected_has_a_running_place() {
    check(
        READY,
        r#"
            reply 1 T propose "hi"
            reply 2 U propose "hi"
            reply 3 V "hi"
            reply 4 W propose "hi"
            opened T
            opened U
            opened V
            opened W
            prepared 1 /copy
            prepare-failed 2 "no"
        "#,
        expect![[r#"
            reply 1 T propose "hi"
              -> send thread/resume T
              -> tell 1 Starting
            reply 2 U propose "hi"
              -> send thread/resume U
              -> tell 2 Starting
            reply 3 V "hi"
              -> send thread/resume V
              -> tell 3 Starting
            reply 4 W propose "hi"
              -> send thread/resume W
              -> tell 4 Starting
            opened T
              -> keep thread T
              -> keep Foreground turn 1 of T "hi"
              -> prepare Propose of turn 1 of T in /w
            opened U
              -> keep thread U
              -> keep Foreground turn 2 of U "hi"
              -> prepare Propose of turn 2 of U in /w
            opened V
              -> keep thread V
              -> keep Foreground turn 3 of V "hi"
              -> send turn/start V "hi" model=base effort=-
            opened W
              -> keep thread W
              -> keep Foreground turn 4 of W "hi"
            prepared 1 /copy
              -> send turn/start T "hi" model=base effort=- writes=/copy cwd=/copy
            prepare-failed 2 "no"
              -> keep end of turn 2: Failed
              -> answer 2 Failed U/- after 0ns because Workspace { kind: TooLarge, detail: "no" }
              -> prepare Propose of turn 4 of W in /w
              -> send thread/unsubscribe U
        "#]],
    );
}

#[test]
fn rules_and_persons_know_the_users_paths_alone() {
    check(
        "connect 1\nready\ncodex 1 during propose \"hi\"\nopened T\nprepared 1 /copy\nstarted t1\n",
        r#"
            patches T t1 "/copy/src/a.rs"
            asks-patch T
            patches T t1 "/copy/secret/key"
            asks-patch T
            patches T t1 "/copying/a.rs"
            asks-patch T
            answers 0 accept
            ran T t1 "cargo test"
        "#,
        expect![[r#"
            patches T t1 "/copy/src/a.rs"
            asks-patch T
              -> keep Accept by Policy(4) in turn 1: to change /w/src/a.rs
              -> say Accept to FileChange { item: ItemId("p"), grants: None, reason: None }
            patches T t1 "/copy/secret/key"
            asks-patch T
              -> keep Decline by Policy(3) in turn 1: to change /w/secret/key
              -> say Decline to FileChange { item: ItemId("p"), grants: None, reason: None }
            patches T t1 "/copying/a.rs"
            asks-patch T
              -> ask 1 within 200s: to change /copying/a.rs
            answers 0 accept
              -> stop asking 1
              -> keep Accept by Person in turn 1: to change /copying/a.rs
              -> say Accept to FileChange { item: ItemId("p"), grants: None, reason: None }
            ran T t1 "cargo test"
              -> keep item of turn 1: Command(Command { item: ItemId("c"), command: "cargo test", working_directory: "/w", status: Completed, exit_code: None, output: "3456789abc", output_chars: 13, duration: None })
        "#]],
    );
}
