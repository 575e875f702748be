//! What comes with a prompt: Codex gets it with each start of the turn, and its warnings stay with the turn.

use expect_test::expect;

use super::{READY, check, exec};

#[test]
fn codex_reads_it_before_the_prompt_also_when_the_turn_is_run_again() {
    check(
        READY,
        r#"
            codex 1 with=notes image=data: warning=cut "hi"
            opened T
            started t1
            exited
            ready
            opened T
            started t2
            completed T t2
        "#,
        expect![[r#"
            codex 1 with=notes image=data: warning=cut "hi"
              -> send thread/start
              -> tell 1 Starting
            opened T
              -> keep new thread T
              -> keep Foreground turn 1 of T "hi"
              -> send turn/start T with "notes" with image "data:" "hi" model=base effort=-
            started t1
              -> keep turn 1 started as t1
            exited
              -> start the app-server
            ready
              -> send thread/resume T
            opened T
              -> keep thread T
              -> send turn/start T with "notes" with image "data:" "hi" model=base effort=-
            started t2
            completed T t2
              -> keep end of turn 1: Completed
              -> answer 1 Completed T/t1 after 0ns effort=medium warning "cut" warning "Codex ended before it had begun to work on this turn, so the turn was run again"
        "#]],
    );
}

#[test]
fn what_comes_with_a_prompt_comes_with_the_run() {
    let before = exec::RESTS.replace("\"hi\"", "with=notes image=data: \"hi\"");
    let before = before.strip_suffix("start-failed crashed\n").expect("it ends so");
    exec::check(
        before,
        "start-failed crashed\n",
        expect![[r#"
        start-failed crashed
          -> run codex exec on new with "notes" with image "data:" "hi" model=-
    "#]],
    );
}
