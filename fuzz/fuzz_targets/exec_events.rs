//! See `codex_mcp::fuzzing::exec_events`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| codex_mcp::fuzzing::exec_events(bytes));
