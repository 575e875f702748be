//! The guard sees what a test leaves behind, and only that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use testkit::gate::Gate;
use testkit::home::CodexHome;
use testkit::leaks::{LeakGuard, processes_under, programs_under};
use testkit::model::{FakeModel, reply, runs};
use testkit::peer::Peer;
use testkit::poll;
use testkit::process::Launch;

use crate::support::{app_server, home_for, start_turn, stop};

/// Leaves a process behind that only `launch` connects to the home, and returns what the guard
/// says.
async fn check(launch: impl FnOnce(&CodexHome) -> Launch) -> String {
    let home = CodexHome::new("http://127.0.0.1:9/v1");
    let left = Peer::spawn(&launch(&home));
    let pid = left.pid();
    // A spawn returns a moment before the kernel shows the new program's arguments.
    poll::until(Duration::from_secs(5), || {
        let all = processes_under(home.root());
        if all.iter().any(|process| !process.command_line.is_empty()) { Ok(()) } else { Err(all) }
    })
    .await;
    let guard = LeakGuard::new(home.root()).with_grace(Duration::ZERO);
    let panic =
        catch_unwind(AssertUnwindSafe(|| drop(guard))).expect_err("the guard fails the test");
    let message = panic.downcast_ref::<String>().expect("a message").clone();
    assert!(message.contains(&format!("pid {pid}: ")), "{message}");
    // Dropping the home and its own guard shows that the first one killed what it reported.
    message
}

#[tokio::test]
async fn a_process_is_known_by_its_working_directory() {
    let message =
        check(|home| Launch::new("/bin/sleep", home.workspace()).arguments(["600"])).await;
    assert!(message.ends_with("/bin/sleep 600"), "{message}");
}

#[tokio::test]
async fn a_process_is_known_by_its_command_line() {
    check(|home| Launch::new("/usr/bin/tail", "/").arguments(["-f".into(), home.config_path()]))
        .await;
}

#[tokio::test]
async fn a_process_is_known_by_its_environment() {
    check(|home| {
        Launch::new("/bin/sleep", "/").arguments(["600"]).environment([("HOME", home.home())])
    })
    .await;
}

#[tokio::test]
async fn a_fork_is_no_program_of_its_own() {
    let home = CodexHome::new("http://127.0.0.1:1");
    // The shell in parentheses is a fork that stays one.
    let shell = Launch::new("/bin/sh", home.workspace()).arguments(["-c", "(read line); true"]);
    let mut shell = shell.spawn();
    poll::until(Duration::from_secs(5), || match processes_under(home.root()).as_slice() {
        [one, other] if one.command_line == other.command_line => Ok(()),
        other => Err(other.to_vec()),
    })
    .await;
    let programs = programs_under(home.root(), "read line");
    let pids: Vec<_> = programs.iter().map(|program| u32::try_from(program.pid).ok()).collect();
    assert_eq!(pids, [shell.id()]);
    assert!(programs_under(home.root(), "something else").is_empty());
    drop(shell.stdin.take());
    shell.wait().await.unwrap();
}

#[tokio::test]
async fn nothing_is_left_when_codex_is_stopped_in_the_middle_of_a_command() {
    let gate = Gate::new("after the command");
    let model = FakeModel::start([runs("sleep 600"), reply().holds(&gate)]);
    let home = home_for(&model);
    let (mut codex, thread) = app_server(&home).await;
    start_turn(&mut codex, &thread, "run").await;
    codex
        .find("the command", |message| message["params"]["item"]["type"] == "commandExecution")
        .await;
    poll::until(Duration::from_secs(5), || {
        let all = processes_under(home.root());
        if all.iter().any(|process| process.command_line.ends_with("sleep 600")) {
            Ok(())
        } else {
            Err(all)
        }
    })
    .await;
    stop(codex).await;
    home.check_leaks();
}
