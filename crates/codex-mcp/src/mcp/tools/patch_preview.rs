//! `codex.patch.preview`: a patch whole, and whether it still applies. Nothing is changed.

use std::fmt;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Definition, Visibility};
use crate::error::{Code, Problem};
use crate::mcp::arguments::parse;
use crate::mcp::call::ToolCall;
use crate::mcp::paging::Kind;
use crate::mcp::patches::{Patch, Which};
use crate::mcp::render::{Answer, FileResult, Fitting, Looked, MoreResult, fmt_more, look};
use crate::workspace::patches;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Arguments {
    /// A turn's `patch.patchId`.
    patch_id: Option<String>,
    /// Instead: a unified diff, relative to `cwd`. The answer gives it a `patchId`.
    diff: Option<String>,
    /// Where the diff belongs. Default: the client's project.
    cwd: Option<String>,
    /// Only these files.
    paths: Option<Vec<String>>,
}

/// A patch, and how it fits.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Preview {
    patch_id: String,
    /// The thread that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_id: Option<String>,
    /// The folder that its paths start in.
    root: String,
    /// `clean`: it can be applied as it is; `merges`: with `threeWay`; `conflicts` or `blocked`: not all of it; `applied`:
    /// it is there.
    fit: &'static str,
    /// Whether it was applied and can be taken back.
    reversible: bool,
    file_count: usize,
    /// Lines in all.
    added: usize,
    removed: usize,
    files: Vec<FileResult>,
    /// The unified diff, or its beginning.
    diff: String,
    /// Files that conflict, with all sides between markers.
    #[serde(skip_serializing_if = "String::is_empty")]
    conflicts: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    /// Where a field goes on. Read on with codex.read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    more: Vec<MoreResult>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.patch.preview",
        title: "See a patch before it is applied",
        description: "The real diff of what Codex proposed (`patchId` of a turn with `changes: propose`) or of a diff \
            of your own: files and hunks by name, what to look at first (secrets, scripts that run, lock files), and \
            whether it still applies to the files as they are now. Changes nothing.",
        search_hint: "patch diff preview proposed changes hunks conflicts",
        annotations: ToolAnnotations::new().read_only(true).idempotent(true).open_world(false),
        visibility: Visibility::Searched,
    }
    .tool::<Arguments, Preview>()
}

/// Reads the arguments.
pub(super) fn read(arguments: Option<JsonObject>) -> Result<Arguments, Problem> {
    parse(arguments)
}

pub(super) async fn call(
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Result<Answer, Problem> {
    let arguments = read(arguments)?;
    let Arguments { patch_id, diff, cwd, paths } = &arguments;
    let patch =
        call.patch(Which::of(patch_id.as_deref(), diff.as_deref(), cwd.as_deref())?).await?;
    let (patch, looked) = looked(&call, patch, paths.clone()).await?;
    let preview = preview(&call, &patch, looked).await;
    Ok(Answer::success(preview.to_string(), &preview))
}

/// The files of a patch with how they fit, or those of them that are named.
///
/// # Errors
/// A name is none of a file of the patch; the files or contents cannot be read.
pub(super) async fn looked(
    call: &ToolCall<'_>,
    patch: Patch,
    paths: Option<Vec<String>>,
) -> Result<(Patch, Vec<(patches::File, Looked)>), Problem> {
    let contents = call.places().contents().clone();
    let looking = tokio::task::spawn_blocking(move || {
        let failed = |error: std::io::Error| {
            Problem::new(Code::PatchFailed, format!("the patch cannot be read: {error}"))
        };
        let mut files = patches::read(&patch.changes, &contents).map_err(failed)?;
        if let Some(paths) = paths {
            choose(&mut files, &paths)?;
        }
        let mut looked = Vec::new();
        for file in files {
            let result = look(&file, &patch.root, &contents).map_err(failed)?;
            looked.push((file, result));
        }
        Ok((patch, looked))
    });
    looking.await.unwrap_or_else(|panic| Err(Problem::new(Code::PatchFailed, panic.to_string())))
}

/// Leaves only the files that are named.
fn choose(files: &mut Vec<patches::File>, paths: &[String]) -> Result<(), Problem> {
    let is_named = |file: &patches::File, path: &String| {
        let moved_from = file.from.as_ref().map(|(from, _)| from.to_string());
        file.path.to_string() == *path || moved_from.as_ref() == Some(path)
    };
    if let Some(unknown) = paths.iter().find(|path| !files.iter().any(|file| is_named(file, path)))
    {
        let names: Vec<_> = files.iter().take(20).map(|file| file.path.to_string()).collect();
        let allowed = format!("files of the patch, such as {}", names.join(", "));
        return Err(Problem::argument_text("paths", unknown, &allowed));
    }
    files.retain(|file| paths.iter().any(|path| is_named(file, path)));
    Ok(())
}

/// How a patch fits as a whole: as its worst file does.
pub(super) fn worst(looked: &[(patches::File, Looked)]) -> &'static str {
    let order = ["blocked", "conflicts", "merges", "clean"];
    let has = |fit: &&str| looked.iter().any(|(_, looked)| looked.result.fit == *fit);
    order.into_iter().find(has).unwrap_or("applied")
}

async fn preview(
    call: &ToolCall<'_>,
    patch: &Patch,
    looked: Vec<(patches::File, Looked)>,
) -> Preview {
    let fit = worst(&looked);
    let diff: Vec<u8> = looked.iter().flat_map(|(file, _)| file.diff()).collect();
    let (mut conflicts, mut files) = (String::new(), Vec::new());
    for (file, looked) in looked {
        if let Some(marked) = looked.marked {
            conflicts.push_str(&format!("--- {}\n{}", file.path, String::from_utf8_lossy(&marked)));
        }
        files.push(looked.result);
    }
    let mut fitting = Fitting::new(call.limits(), call.outputs());
    if std::str::from_utf8(&diff).is_err() {
        fitting.warnings.push(
            "bytes that are no UTF-8 are shown as U+FFFD; the patch itself has them".to_owned(),
        );
    }
    let diff = String::from_utf8_lossy(&diff).into_owned();
    let (added, removed) = files
        .iter()
        .fold((0, 0), |(added, removed), file| (added + file.added, removed + file.removed));
    let file_count = files.len();
    // The diff names all files again, so the list may take no more than half.
    let files = fitting.list("files", files, 2).await;
    let conflicts = fitting.text("conflicts", conflicts, Kind::Diff).await;
    let diff = fitting.text("diff", diff, Kind::Diff).await;
    Preview {
        patch_id: patch.row.id.clone(),
        thread_id: patch.row.thread.as_ref().map(|thread| thread.0.clone()),
        root: patch.row.root.clone(),
        fit,
        reversible: patch.applied().is_some(),
        file_count,
        added,
        removed,
        files,
        diff,
        conflicts,
        notes: patch.row.notes.clone(),
        more: fitting.more,
        warnings: fitting.warnings,
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { patch_id, file_count, added, removed, root, fit, .. } = self;
        let what = if *file_count == 1 { "file" } else { "files" };
        write!(f, "Patch {patch_id}: {file_count} {what}, +{added} -{removed}, in {root}. ")?;
        f.write_str(match *fit {
            "clean" => "It applies as it is.",
            "merges" => "It applies with `threeWay`: files have changed elsewhere.",
            "conflicts" => "Files have changed in the same lines.",
            "blocked" => "Not all of it can be applied.",
            _ => "Everything of it is there already.",
        })?;
        if self.reversible {
            f.write_str(" It was applied and can be taken back.")?;
        }
        for file in &self.files {
            write!(f, "\n{file}")?;
        }
        for note in &self.notes {
            write!(f, "\nNote: {note}.")?;
        }
        for warning in &self.warnings {
            write!(f, "\nWarning: {warning}.")?;
        }
        if !self.conflicts.is_empty() {
            write!(f, "\n\nConflicts:\n{}", self.conflicts)?;
        }
        if !self.diff.is_empty() {
            write!(f, "\n\n{}", self.diff)?;
        }
        fmt_more(&self.more, f)
    }
}
