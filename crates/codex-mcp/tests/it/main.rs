//! The behaviour of the shell, a module for each.

#![expect(clippy::unwrap_used, reason = "a helper that fails, fails the test that called it")]

mod approvals;
mod bad_input;
mod bridge;
mod cancel;
mod claude_code;
mod cli;
mod codex;
mod codex_process;
mod config;
mod conformance;
mod connections;
mod crash;
mod crowd;
mod daemon;
mod environments;
mod exec_fallback;
mod faults;
mod front;
mod health;
mod home;
mod inspector;
mod lifecycle;
mod logging;
mod orphans;
mod paging;
mod progress;
mod read;
mod reply;
mod resources;
mod roots;
mod steer;
mod store;
mod subscriptions;
mod supervision;
mod takeover;
mod tasks;
mod thread_archive;
mod thread_list;
mod thread_read;
mod tools;
mod transport;
mod visibility;
mod wait;
