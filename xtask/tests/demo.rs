//! The demo as a newcomer sees it, without its pauses: what it prints is compared with a golden text.
//!
//! It checks by itself everything that it prints, and that nothing is left behind; so this test needs only to see
//! that it ends well and still tells its story.

#![expect(clippy::disallowed_methods, reason = "starts the demo")]

use std::path::Path;
use std::process::Command;

use expect_test::expect_file;
use testkit::leaks::processes_under;
use testkit::normalise::Normaliser;

#[test]
fn the_demo_shows_what_it_says() {
    let xtask = Path::new(env!("CARGO_BIN_EXE_xtask"));
    let server = xtask.with_file_name("codex-mcp");
    assert!(server.is_file(), "codex-mcp is not built: run `cargo xtask test`");
    let output = Command::new(xtask)
        .args(["demo", "--fast", "--server"])
        .arg(&server)
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}\n{complaints}");
    assert_eq!(complaints, "");
    assert_eq!(processes_under(&server), [], "the server is left");
    expect_file!["demo.txt"].assert_eq(&normalise(&shown));
}

/// What differs from run to run: ids, versions, process ids and times.
fn normalise(shown: &str) -> String {
    let shown = Normaliser::new().text(shown);
    let lines = shown.lines().map(without_numbers);
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}

/// The line without the numbers that name a time or a process.
fn without_numbers(line: &str) -> String {
    let words: Vec<_> = line.split(' ').collect();
    let mut out: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
    for (index, pair) in words.windows(2).enumerate() {
        match pair {
            [number, unit] if is_time(number, unit) => out[index] = "[time]".to_owned(),
            ["-9", _pid] => out[index + 1] = "[pid]:".to_owned(),
            _ => {}
        }
    }
    out.join(" ")
}

fn is_time(number: &str, unit: &str) -> bool {
    number.parse::<f64>().is_ok() && ["s", "s,", "ms"].contains(&unit)
}
