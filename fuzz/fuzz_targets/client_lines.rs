//! See `codex_mcp::fuzzing::client_lines`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| codex_mcp::fuzzing::client_lines(bytes));
