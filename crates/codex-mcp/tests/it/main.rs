//! The behaviour of the shell, a module for each.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails, fails the test that called it"
)]

mod bridge;
mod cli;
mod codex;
mod codex_process;
mod config;
mod home;
mod logging;
mod roots;
