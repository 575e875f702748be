//! See `codex_mcp::fuzzing::app_server`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| codex_mcp::fuzzing::app_server(bytes));
