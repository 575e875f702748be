//! Puts the program `fake-app-server` in place of Codex, for what the real one cannot be made to
//! do.
//!
//! The program plays a script and knows nothing of Codex; see `src/bin/fake-app-server.rs` for the
//! script's lines.

mod play;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

pub use play::{Play, THREAD, command_begins};

/// Makes `directory/codex`, a program that plays `script` each time it is started, and returns its
/// path.
///
/// It is a link with the script beside it, so the script needs neither an argument nor a variable,
/// and a server that scrubs the environment of its children still starts the right one.
///
/// # Panics
/// When the directory is not writable, or the program has not been built.
pub fn install(directory: &Path, script: &str) -> PathBuf {
    let link = directory.join("codex");
    symlink(program(), &link).expect("no codex in this directory yet");
    fs::write(directory.join("codex.jsonl"), script).expect("the directory is writable");
    link
}

/// The built program, which Cargo puts beside the programs of the same profile. Cargo builds it
/// with this crate's tests and with the whole workspace, but not for the tests of one other crate.
fn program() -> PathBuf {
    let running = std::env::current_exe().expect("the running program has a path");
    let built = running
        .ancestors()
        .map(|directory| directory.join("fake-app-server"))
        .skip(1)
        .take(2)
        .find(|path| path.is_file());
    built.unwrap_or_else(|| panic!("fake-app-server is not built: run `cargo build -p testkit`"))
}
