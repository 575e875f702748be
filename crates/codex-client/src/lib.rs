//! codex-client
