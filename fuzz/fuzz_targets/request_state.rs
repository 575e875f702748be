//! See `codex_mcp::fuzzing::request_state`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| codex_mcp::fuzzing::request_state(bytes));
