//! Runs a program and says what went wrong in words.
//!
//! Never retries, and never hides a program's own output.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Prints the command line, runs it with our output streams, and fails unless it exits with 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = render(command);
    println!("$ {line}");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if status.success() { Ok(()) } else { bail!("`{line}` failed ({status})") }
}

/// Runs the command silently and returns what it wrote to stdout, trimmed.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let line = render(command);
    let output = command.output().with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        bail!(
            "`{line}` failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The command line as a person would type it.
fn render(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        let value = value.unwrap_or_default().to_string_lossy();
        words.push(format!("{}='{value}'", name.to_string_lossy()));
    }
    let program = std::path::Path::new(command.get_program());
    words.push(program.file_stem().unwrap_or_default().to_string_lossy().into_owned());
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}
