//! A review of all that is uncommitted in the client's project, for who wants to know first what that is.

use sha2::{Digest as _, Sha256};

use super::changes::{Changes, Target};
use super::findings::Verdict;
use super::{Arguments, Page};
use crate::error::Problem;
use crate::mcp::call::ToolCall;
use crate::workspace::WorkingDirectory;

/// What is uncommitted.
pub(in crate::mcp) struct Uncommitted {
    changes: Changes,
    arguments: Arguments,
    directory: WorkingDirectory,
}

/// What came of its review.
pub(in crate::mcp) struct Reviewed {
    pub(in crate::mcp) asks_for_changes: bool,
    /// All of it, for a reader.
    pub(in crate::mcp) text: String,
    /// What it took.
    pub(in crate::mcp) tokens: u64,
}

impl Uncommitted {
    /// # Errors
    /// The project is no repository, or cannot be read.
    pub(in crate::mcp) async fn read(call: &ToolCall<'_>) -> Result<Self, Problem> {
        let arguments = Arguments::default();
        let directory = call.working_directory(None)?;
        let changes = Changes::read(Target::Uncommitted, &arguments, call).await?;
        Ok(Self { changes, arguments, directory })
    }

    /// Stands for what it is, and for nothing else; `None` if there is nothing.
    pub(in crate::mcp) fn digest(&self) -> Option<[u8; 32]> {
        let diff = &self.changes.diff;
        (!diff.is_empty()).then(|| Sha256::digest(diff).into())
    }

    /// # Errors
    /// As `codex.review`.
    pub(in crate::mcp) async fn review(&self, call: &ToolCall<'_>) -> Result<Reviewed, Problem> {
        let mut page = Page::of(&self.changes);
        page.run(&self.changes, &self.arguments, &self.directory, call).await?;
        page.fit(call).await;
        let asks_for_changes = page.verdict == Verdict::RequestChanges;
        Ok(Reviewed { asks_for_changes, text: page.to_string(), tokens: page.tokens })
    }
}
