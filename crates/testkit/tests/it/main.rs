//! Testkit checked against the real Codex: one binary, a module for each part.

mod fake_app_server;
mod faulty_pipe;
mod leaks;
mod mcp;
mod model_faults;
mod normalise;
mod real_codex;
mod support;
mod tools;
