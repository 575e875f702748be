//! Programs that end, flood, hang, leave something behind or are none. Each is a line of shell.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use codex_client::program::{Ended, Limits, Program, Reach, Source};
use codex_client::{Launch, StartError};
use expect_test::{Expect, expect};
use testkit::leaks::{LeakGuard, processes_under};
use testkit::poll;
use tokio_util::sync::CancellationToken;

const LONG: Duration = Duration::from_secs(60);
const LIMITS: Limits = Limits { time: LONG, grace: LONG, output_bytes: 1000, kept_bytes: 100 };

fn shell(directory: &Path, script: &str) -> Program {
    let launch = Launch {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
        working_directory: directory.to_owned(),
    };
    Program { launch, input: Vec::new(), reach: Reach::Group }
}

async fn run(program: Program, limits: Limits) -> String {
    match program.run(limits, &CancellationToken::new(), |_, _| {}).await {
        Ok(ended) => show(ended),
        Err(error) => failure(&error),
    }
}

fn failure(error: &StartError) -> String {
    match error {
        StartError::NotFound { .. } => "not found".to_owned(),
        StartError::NotExecutable { .. } => "not executable".to_owned(),
        StartError::SpawnFailed { .. } => "spawn failed".to_owned(),
        StartError::Exited { .. }
        | StartError::NotCodex { .. }
        | StartError::TooOld { .. }
        | StartError::DeadlineExceeded { .. } => panic!("no error of a program: {error}"),
    }
}

fn show(ended: Ended) -> String {
    let how = match (ended.code, ended.signal) {
        (Some(code), _) => format!("code {code}"),
        (None, signal) => format!("signal {signal:?}"),
    };
    let mut lines = vec![format!("{:?}, {how}", ended.reason)];
    for (name, kept) in [("stdout", ended.stdout), ("stderr", ended.stderr)] {
        let (written, left_out) = (kept.written(), kept.left_out());
        let (head, tail) = kept.into_parts();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        match (written, left_out) {
            (0, _) => {}
            (_, 0) => lines.push(format!("{name}: {}{}", text(head), text(tail))),
            (_, left_out) => {
                lines.push(format!("{name}: {}[{left_out}]{}", text(head), text(tail)))
            }
        }
    }
    lines.join("\n")
}

async fn check(script: &str, limits: Limits, expected: Expect) {
    let directory = tempfile::tempdir().expect("a directory");
    let _guard = LeakGuard::new(directory.path());
    expected.assert_eq(&run(shell(directory.path(), script), limits).await);
}

#[tokio::test]
async fn one_that_ends_tells_its_code_and_what_it_wrote() {
    check(
        "printf out; printf err >&2; exit 3",
        LIMITS,
        expect![[r#"
        Finished, code 3
        stdout: out
        stderr: err"#]],
    )
    .await;
}

#[tokio::test]
async fn it_reads_its_input_to_the_end() {
    let directory = tempfile::tempdir().expect("a directory");
    let program = Program { input: b"given".to_vec(), ..shell(directory.path(), "cat; printf .") };
    assert_eq!(run(program, LIMITS).await, "Finished, code 0\nstdout: given.");
}

#[tokio::test]
async fn one_that_reads_nothing_of_a_long_input_ends_all_the_same() {
    let directory = tempfile::tempdir().expect("a directory");
    let program = Program { input: vec![b'x'; 1 << 20], ..shell(directory.path(), "exit 0") };
    assert_eq!(run(program, LIMITS).await, "Finished, code 0");
}

#[tokio::test]
async fn its_environment_is_what_it_is_given_and_the_marker() {
    check(
        "env | cut -d= -f1 | grep -v -e PWD -e OLDPWD -e SHLVL -e ^_ | sort",
        LIMITS,
        expect![[r#"
        Finished, code 0
        stdout: CODEX_MCP_APP_SERVER
        PATH
    "#]],
    )
    .await;
}

#[tokio::test]
async fn it_may_write_exactly_as_much_as_the_limit() {
    let limits = Limits { output_bytes: 10, ..LIMITS };
    check(
        "printf 12345; printf 67890 >&2",
        limits,
        expect![[r#"
        Finished, code 0
        stdout: 12345
        stderr: 67890"#]],
    )
    .await;
    check(
        "printf 1234567890x; exec sleep 600",
        limits,
        expect![[r#"
        OutputLimit, signal Some(15)
        stdout: 1234567890[1]"#]],
    )
    .await;
}

#[tokio::test]
async fn of_much_output_the_first_and_the_last_part_are_kept() {
    let limits = Limits { kept_bytes: 8, ..LIMITS };
    check(
        "printf abcdefgh",
        limits,
        expect![[r#"
        Finished, code 0
        stdout: abcdefgh"#]],
    )
    .await;
    check(
        "printf abcdefghijk",
        limits,
        expect![[r#"
        Finished, code 0
        stdout: abcd[3]hijk"#]],
    )
    .await;
    check(
        "for i in 1 2 3 4 5; do printf $i$i$i; done",
        limits,
        expect![[r#"
        Finished, code 0
        stdout: 1112[7]4555"#]],
    )
    .await;
}

#[tokio::test]
async fn a_flood_is_stopped() {
    let directory = tempfile::tempdir().expect("a directory");
    let _guard = LeakGuard::new(directory.path());
    let limits = Limits { output_bytes: 1 << 20, kept_bytes: 10, ..LIMITS };
    let mut heard = 0;
    let flood = shell(directory.path(), "yes & yes >&2");
    let ended = flood.run(limits, &CancellationToken::new(), |_, chunk| heard += chunk.len()).await;
    let ended = ended.expect("it runs");
    assert_eq!((format!("{:?}", ended.reason), heard), ("OutputLimit".to_owned(), 1 << 20));
    assert!(ended.stdout.written() + ended.stderr.written() > 1 << 20);
    let kept = [ended.stdout, ended.stderr].map(|kept| kept.into_parts());
    assert!(kept.iter().all(|(head, tail)| head.len() + tail.len() <= 10), "{kept:?}");
}

#[tokio::test]
async fn one_that_hangs_is_stopped() {
    let limits = Limits { time: Duration::from_millis(50), ..LIMITS };
    check("exec sleep 600", limits, expect!["TimeLimit, signal Some(15)"]).await;
}

#[tokio::test]
async fn one_that_is_deaf_is_killed_after_the_grace() {
    let directory = tempfile::tempdir().expect("a directory");
    let _guard = LeakGuard::new(directory.path());
    let cancel = CancellationToken::new();
    let script = "trap '' TERM; echo ready; sleep 600";
    let limits = Limits { grace: Duration::from_millis(50), ..LIMITS };
    let program = shell(directory.path(), script);
    let ended = program.run(limits, &cancel, |_, _| cancel.cancel()).await.expect("it runs");
    assert_eq!(show(ended), "Cancelled, signal Some(9)\nstdout: ready\n");
}

#[tokio::test]
async fn one_that_is_cancelled_may_still_say_something() {
    let directory = tempfile::tempdir().expect("a directory");
    let _guard = LeakGuard::new(directory.path());
    let cancel = CancellationToken::new();
    // It waits within the shell itself: a child would be told to end as well, and the shell would say so.
    let script =
        "mkfifo pipe; trap 'echo bye; exit 7' TERM; exec 3<>pipe; echo ready; read line <&3";
    let program = shell(directory.path(), script);
    let mut heard = String::new();
    let listen = |source, chunk: &[u8]| {
        assert_eq!(source, Source::Stdout);
        heard.push_str(std::str::from_utf8(chunk).expect("text"));
        cancel.cancel();
    };
    let ended = program.run(LIMITS, &cancel, listen).await.expect("it runs");
    assert_eq!(show(ended), "Cancelled, code 7\nstdout: ready\nbye\n");
    assert_eq!(heard, "ready\nbye\n");
}

#[tokio::test]
async fn what_it_leaves_in_its_group_ends_with_it() {
    check(
        "sleep 600 & printf done",
        LIMITS,
        expect![[r#"
        Finished, code 0
        stdout: done"#]],
    )
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_leaves_its_group_ends_with_it_if_that_is_asked() {
    let directory = tempfile::tempdir().expect("a directory");
    let _guard = LeakGuard::new(directory.path());
    let script = "setsid sh -c 'echo there; exec sleep 600' & read line; printf done";
    let program = shell(directory.path(), script);
    let program = Program { reach: Reach::Everything, input: b"\n".to_vec(), ..program };
    let ended = run(program, LIMITS).await;
    assert!(ended.starts_with("Finished, code 0\n"), "{ended}");
}

#[tokio::test]
async fn giving_a_run_up_kills_its_group() {
    let directory = tempfile::tempdir().expect("a directory");
    let _guard = LeakGuard::new(directory.path());
    let cancel = CancellationToken::new();
    let started = tokio::sync::Notify::new();
    let program = shell(directory.path(), "sleep 600 & echo started; wait");
    tokio::select! {
        _ = program.run(LIMITS, &cancel, |_, _| started.notify_one()) => panic!("it waits"),
        () = started.notified() => {}
    }
    poll::until(LONG, || {
        let left = processes_under(directory.path());
        if left.is_empty() { Ok(()) } else { Err(left) }
    })
    .await;
}

#[tokio::test]
async fn what_is_no_program_is_told_apart() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    fs::write(&file, "\0").expect("written");
    let at = |path: &Path| {
        let mut program = shell(directory.path(), "");
        program.launch.program = path.to_owned();
        program
    };
    assert_eq!(run(at(Path::new("/no/such/program")), LIMITS).await, "not found");
    assert_eq!(run(at(&file), LIMITS).await, "not executable");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("set");
    assert_eq!(run(at(&file), LIMITS).await, "not executable");
    assert_eq!(run(at(directory.path()), LIMITS).await, "not executable");
    let mut nowhere = shell(directory.path(), "");
    nowhere.launch.working_directory = directory.path().join("none");
    assert_eq!(run(nowhere, LIMITS).await, "spawn failed");
}
