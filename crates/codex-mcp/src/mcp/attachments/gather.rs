//! Reads the attachments of a turn that is about to start, each with no more than there is room for.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use bridge_core::{CallRequest, Material};

use super::fit::Fitting;
use super::{Attachments, Item, Source, field, load};
use crate::error::{Code, Problem};
use crate::mcp::call::ToolCall;
use crate::mcp::render::AttachmentResult;
use crate::workspace::Roots;
use crate::workspace::files::{GlobError, is_pattern};

/// How many files a pattern may stand for.
const MAX_MATCHES: usize = 100;
/// How many attachments there may be once patterns stand for files.
const MAX_FILES: usize = 200;
/// Units of a budget in a token.
const UNITS_A_TOKEN: usize = 4;
/// What the texts of one turn may have together, with some room for what else Codex is told. It takes 1,048,576 characters.
const MAX_INPUT_CHARS: usize = 1_000_000;

impl ToolCall<'_> {
    /// Reads what a call attaches, and puts it into the turn that it starts.
    ///
    /// # Errors
    /// Something that was named cannot be attached.
    pub(in crate::mcp) async fn attach(
        &self,
        attachments: &Attachments,
        request: &mut CallRequest,
    ) -> Result<(), Problem> {
        let directory = works_in(request).unwrap_or_default();
        let (CallRequest::StartThread { turn, .. } | CallRequest::ContinueThread { turn, .. }) =
            request
        else {
            return Ok(());
        };
        if attachments.items.is_empty() {
            return Ok(());
        }
        let room = MAX_INPUT_CHARS.saturating_sub(turn.prompt.chars().count());
        let units = (attachments.tokens * UNITS_A_TOKEN).min(room);
        let items = self.expand(&attachments.items, &directory).await?;
        let (material, results) = self.gather(items, &directory, units, attachments.tokens).await?;
        turn.material = Arc::new(material);
        // A call starts one turn.
        let _ = self.attached.set(results);
        Ok(())
    }

    /// Puts files in the place of patterns, and what is to be shown first before the rest.
    async fn expand(&self, items: &[Item], directory: &str) -> Result<Vec<Item>, Problem> {
        let (items, directory) = (items.to_vec(), directory.to_owned());
        let roots = self.roots().clone();
        let expand = move || {
            let mut all = Vec::new();
            for item in items {
                all.extend(item.expand(&roots, Path::new(&directory))?);
            }
            forget_second(&mut all);
            Ok::<_, Problem>(all)
        };
        let mut items = load::aside(expand).await??;
        if items.len() > MAX_FILES {
            let given = format!("they stand for {} files and texts", items.len());
            return Err(Problem::argument("attachments", &given, &format!("{MAX_FILES} in all")));
        }
        items.sort_by_key(|item| item.priority);
        Ok(items)
    }

    async fn gather(
        &self,
        items: Vec<Item>,
        directory: &str,
        units: usize,
        tokens: usize,
    ) -> Result<(Material, Vec<AttachmentResult>), Problem> {
        let names: Vec<_> = items.iter().map(|item| item.source.name()).collect();
        let mut fitting = Fitting::new(units);
        for (index, item) in items.into_iter().enumerate() {
            let room = fitting.room(&names[index + 1..]);
            let piece = self.load(item, directory, room).await?;
            fitting.add(piece, room);
        }
        Ok(fitting.finish(tokens))
    }
}

/// Leaves out files that a pattern fits and that are there already.
fn forget_second(items: &mut Vec<Item>) {
    let named = items.iter().filter_map(|item| match &item.source {
        Source::Path { path, lines: None } => Some(path.clone()),
        Source::Path { lines: Some(_), .. }
        | Source::Found { .. }
        | Source::Text { .. }
        | Source::Resource(_)
        | Source::Diff { .. } => None,
    });
    let mut known: HashSet<_> = named.collect();
    items.retain(|item| match &item.source {
        Source::Found { path } => known.insert(path.clone()),
        Source::Path { .. } | Source::Text { .. } | Source::Resource(_) | Source::Diff { .. } => {
            true
        }
    });
}

/// Where a turn works: paths start there.
fn works_in(request: &CallRequest) -> Option<String> {
    if let CallRequest::StartThread { options, .. } = request {
        return Some(options.working_directory.clone());
    }
    if let CallRequest::ContinueThread { working_directory, .. } = request {
        return working_directory.clone();
    }
    None
}

impl Item {
    /// The attachment itself, or those of the files that its pattern fits.
    fn expand(mut self, roots: &Roots, directory: &Path) -> Result<Vec<Self>, Problem> {
        let Source::Path { path, lines } = &mut self.source else {
            return Ok(vec![self]);
        };
        // A turn may work in a copy, where only this leads to the copy's own.
        if let Some(below) = Path::new(&*path).strip_prefix(directory).ok().and_then(Path::to_str) {
            *path = below.to_owned();
        }
        let (path, lines) = (path.clone(), *lines);
        if !is_pattern(&path) || roots.is_there(directory, &path) {
            return Ok(vec![self]);
        }
        if lines.is_some() {
            let allowed = "lines of a single file";
            let given = "the path is a glob";
            return Err(Problem::argument(&field(self.number, "lines"), given, allowed));
        }
        let found = roots.matching(directory, &path, MAX_MATCHES);
        let found = found.map_err(|error| refused(&self, &path, &error))?;
        let item = |path| Self { source: Source::Found { path }, ..self };
        Ok(found.into_iter().map(item).collect())
    }
}

fn refused(item: &Item, pattern: &str, error: &GlobError) -> Problem {
    if let GlobError::Folder(error) = error {
        return load::no_file(&field(item.number, "path"), pattern, error);
    }
    let given = format!("{:?}: {error}", crate::redact::shortened(pattern, 60));
    let allowed = format!("a glob that fits 1 to {MAX_MATCHES} files");
    Problem::argument(&field(item.number, "path"), &given, &allowed)
}

/// The work was given up, because the server ends.
pub(super) fn given_up() -> Problem {
    Problem::new(Code::CallCancelled, "the server ends")
}
