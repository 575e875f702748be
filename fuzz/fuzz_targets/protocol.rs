//! See `codex_mcp::fuzzing::protocol`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| codex_mcp::fuzzing::protocol(bytes));
