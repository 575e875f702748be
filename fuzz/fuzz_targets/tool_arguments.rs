//! See `codex_mcp::fuzzing::tool_arguments`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| codex_mcp::fuzzing::tool_arguments(bytes));
