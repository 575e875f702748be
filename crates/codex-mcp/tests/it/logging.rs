//! Logging: what is written where, and that nothing about it stops the server.

use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use codex_mcp::logging::{self, Colour};
use expect_test::{Expect, expect};
use tracing::dispatcher;

use crate::home::Home;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Logs a few lines and returns what standard error got, without the times.
fn log(home: &Home, flags: &[&str]) -> String {
    let stderr = Captured::default();
    let (dispatch, guard) =
        logging::dispatch(&home.load(flags).unwrap(), stderr.clone(), Colour::Plain);
    dispatcher::with_default(&dispatch, || {
        tracing::error!("an error");
        tracing::warn!(answer = 42, "a warning");
        tracing::info!("information");
        tracing::info!(target: "rmcp::service", "information of a library");
        tracing::trace!(target: "codex_client::pipe", "a line");
    });
    drop(dispatch);
    drop(guard);
    let text = String::from_utf8(stderr.0.lock().unwrap().clone()).unwrap();
    without_times(home, &text)
}

fn without_times(home: &Home, text: &str) -> String {
    let process = format!("{} ", std::process::id());
    let lines = text.lines().map(|line| line.split_once(&process).map_or(line, |(_, rest)| rest));
    home.shown(&lines.map(|line| format!("{line}\n")).collect::<String>())
}

fn check(home: &Home, flags: &[&str], expected: Expect) {
    expected.assert_eq(&log(home, flags));
}

#[test]
fn the_level_decides_what_is_written() {
    let home = Home::new();
    check(
        &home,
        &[],
        expect![[r#"
        ERROR it::logging: an error
         WARN it::logging: a warning answer=42
    "#]],
    );
    check(
        &home,
        &["--log-level=error"],
        expect![[r#"
        ERROR it::logging: an error
    "#]],
    );
    check(
        &home,
        &["--log-level=trace"],
        expect![[r#"
        ERROR it::logging: an error
         WARN it::logging: a warning answer=42
         INFO it::logging: information
        TRACE codex_client::pipe: a line
    "#]],
    );
    check(
        &home,
        &["--verbose"],
        expect![[r#"
        ERROR it::logging: an error
         WARN it::logging: a warning answer=42
        TRACE codex_client::pipe: a line
    "#]],
    );
}

#[test]
fn the_file_gets_the_same_lines_and_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let stderr = log(&home, &[]);
    let logs = home.path().join(".local/state/codex-mcp/logs");
    let files: Vec<_> = fs::read_dir(&logs).unwrap().map(|file| file.unwrap().path()).collect();
    let [file] = files.as_slice() else {
        panic!("one file, not {files:?}");
    };
    assert_eq!(without_times(&home, &fs::read_to_string(file).unwrap()), stderr);
    assert_eq!(fs::metadata(&logs).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn without_a_file_it_says_so_and_goes_on() {
    let home =
        Home::new().write(".local/state/codex-mcp/logs", "a file where a directory should be");
    check(
        &home,
        &[],
        expect![[r#"
         WARN codex_mcp::logging: logging to standard error only error=cannot make the directory $TEST/.local/state/codex-mcp/logs error.sources=[File exists (os error 17)]
        ERROR it::logging: an error
         WARN it::logging: a warning answer=42
    "#]],
    );
}
