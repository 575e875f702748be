//! See `codex_mcp::fuzzing::configuration`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| codex_mcp::fuzzing::configuration(bytes));
