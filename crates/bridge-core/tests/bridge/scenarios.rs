//! Every rule of behaviour as a script of events with the effects that follow.

mod approval;
mod changes;
mod changes_cut;
mod exec;
mod idle;
mod keep;
mod material;
mod news;
mod plan;
mod process;
mod queue;
mod rerun;
mod review;
mod session;
mod start;
mod steer;
mod stop;
mod wait;
mod watchdog;

use expect_test::Expect;

use crate::support;

/// The beginning of most scripts: an app-server is ready.
const READY: &str = "connect 1\nready\n";
/// A turn runs: call 1, thread T, turn t1.
const RUNNING: &str = "connect 1\nready\ncodex 1 \"hi\"\nopened T\nstarted t1\n";
/// A turn that proposes changes runs in its place: call 1, thread T, turn t1.
const PROPOSING: &str =
    "connect 1\nready\ncodex 1 propose \"hi\"\nopened T\nprepared 1 /copy\nstarted t1\n";

/// Plays `before` and `script`, and compares what followed from `script`.
#[track_caller]
fn check(before: &str, script: &str, expected: Expect) {
    let before_output = support::Script::new().play(before);
    let output = support::Script::new().play(&format!("{before}{script}"));
    let output = output
        .strip_prefix(&before_output)
        .expect("a script's beginning does not depend on its end");
    expected.assert_eq(output);
}
