//! What is not a usable Codex is told apart, and nothing is left of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use codex_client::{AppServer, Limits, StartError};
use expect_test::{Expect, expect};
use testkit::fake_app_server;
use testkit::home::CodexHome;
use testkit::tools;

use crate::rig::{PATIENCE, greeting, launch, start_error};

async fn check(program: &Path, expected: Expect) -> StartError {
    let error = start_error(program, PATIENCE).await;
    expected.assert_eq(&error.to_string().replace(&*program.to_string_lossy(), "PROGRAM"));
    error
}

/// A home to put programs in.
fn home() -> CodexHome {
    CodexHome::new("http://127.0.0.1:9/v1")
}

fn script(home: &CodexHome, text: &str, mode: u32) -> PathBuf {
    let path = home.root().join("program");
    fs::write(&path, text).expect("the directory is writable");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("the file is ours");
    path
}

#[tokio::test]
async fn programs_that_end_at_once() {
    let error =
        check(Path::new("/bin/true"), expect!["PROGRAM exited with code 0 before it was ready"])
            .await;
    assert!(matches!(error, StartError::Exited { exit, .. } if exit.code == Some(0)));
    let home = home();
    let broken = script(&home, "#!/bin/sh\necho 'no configuration' >&2\nexit 3\n", 0o755);
    let error = check(&broken, expect!["PROGRAM exited with code 3 before it was ready"]).await;
    let StartError::Exited { exit, .. } = error else { panic!("{error:?}") };
    assert_eq!((exit.code, exit.stderr_tail.as_str()), (Some(3), "no configuration\n"));
}

#[tokio::test]
async fn programs_that_are_not_codex() {
    let error =
        check(Path::new("/bin/cat"), expect!["PROGRAM exited with code 1 before it was ready"])
            .await;
    assert!(matches!(error, StartError::Exited { .. }));
    let home = home();
    let error = check(
        &script(&home, "#!/bin/sh\nexec cat\n", 0o755),
        expect!["PROGRAM is not a Codex app-server: it asked for initialize instead of answering"],
    )
    .await;
    assert!(matches!(error, StartError::NotCodex { .. }));
    let greets = "#!/bin/sh\necho hello\nread line\n";
    let error = check(
        &script(&home, greets, 0o755),
        expect!["PROGRAM is not a Codex app-server: a line is not a message: hello"],
    )
    .await;
    assert!(matches!(error, StartError::NotCodex { .. }));
    let error = check(
        &script(&home, "#!/bin/sh\nyes\n", 0o755),
        expect!["PROGRAM is not a Codex app-server: a line is not a message: y"],
    )
    .await;
    assert!(matches!(error, StartError::NotCodex { .. }));
}

#[tokio::test]
async fn programs_that_cannot_be_started() {
    let home = home();
    let error = check(&home.root().join("missing"), expect!["there is no program PROGRAM"]).await;
    assert!(matches!(error, StartError::NotFound { .. }));
    let error =
        check(&script(&home, "#!/bin/sh\n", 0o644), expect!["PROGRAM cannot be executed"]).await;
    assert!(matches!(error, StartError::NotExecutable { .. }));
    let error = check(
        &script(&home, "#!/no/such/interpreter\n", 0o755),
        expect!["PROGRAM cannot be executed"],
    )
    .await;
    assert!(matches!(error, StartError::NotExecutable { .. }));
    let error = check(home.root(), expect!["PROGRAM cannot be executed"]).await;
    assert!(matches!(error, StartError::NotExecutable { .. }));

    let mut launch = launch(tools::codex(), &home);
    launch.working_directory = home.root().join("missing");
    let error = AppServer::start(&launch, Limits::default(), &greeting(PATIENCE)).await;
    assert!(matches!(error, Err(StartError::SpawnFailed { .. })), "{error:?}");
}

#[tokio::test]
async fn a_codex_that_is_too_old_or_refuses() {
    for (answer, expected) in [
        (
            r#""result":{"userAgent":"fake/0.129.9 (Test)"}"#,
            expect!["Codex 0.129.9 is too old: 0.130.0 is the oldest that works"],
        ),
        (
            r#""error":{"code":-32600,"message":"no"}"#,
            expect!["PROGRAM is not a Codex app-server: initialize was rejected: no (code -32600)"],
        ),
        (
            r#""result":"hello""#,
            expect!["PROGRAM is not a Codex app-server: the answer to initialize cannot be read"],
        ),
    ] {
        let home = home();
        let script = format!(
            "{{\"expect\":{{\"method\":\"initialize\"}}}}\n{{\"send\":{{\"id\":\"$id\",{answer}}}}}\n{{\"hang\":true}}"
        );
        check(&fake_app_server::install(home.root(), &script), expected).await;
    }
}

#[tokio::test]
async fn a_version_that_cannot_be_read_is_let_through() {
    let home = home();
    let script = r#"{"expect":{"method":"initialize"}}
        {"send":{"id":"$id","result":{"userAgent":"fake/dev"}}}"#;
    let program = fake_app_server::install(home.root(), script);
    let codex = crate::rig::Codex::start_program(program, home).await;
    assert_eq!(codex.info.version, None);
    codex.stop().await;
}

#[tokio::test]
async fn a_program_that_says_nothing() {
    let home = home();
    let program =
        fake_app_server::install(home.root(), "{\"stderr\":\"thinking\"}\n{\"hang\":true}");
    let error = start_error(&program, Duration::from_millis(300)).await;
    let StartError::DeadlineExceeded { after, stderr_tail, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!((after, stderr_tail.as_str()), (Duration::from_millis(300), "thinking\n"));
}
