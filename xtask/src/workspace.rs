//! Where things are in the checkout.
//!
//! The only file that knows the layout that the commands share; it never creates anything.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A checkout of the project.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The checkout that this program was built from.
    pub(crate) fn locate() -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().expect("xtask is a folder of the workspace").to_owned();
        Self { root }
    }

    /// `tools/`: the pinned list of node tools and its lock file.
    pub(crate) fn tools_manifest(&self) -> PathBuf {
        self.root.join("tools")
    }

    /// `.tools/`: where the node tools are installed, ignored by git.
    pub(crate) fn tools(&self) -> PathBuf {
        self.root.join(".tools")
    }

    /// `fuzz/`: the fuzzer's programs and the kept corpus.
    pub(crate) fn fuzz(&self) -> PathBuf {
        self.root.join("fuzz")
    }

    /// A command that runs in the root of the checkout.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// The cargo that started this program, so that a toolchain override holds for what it starts.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let program = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut command = self.command(&program);
        command.args(arguments);
        command
    }
}
