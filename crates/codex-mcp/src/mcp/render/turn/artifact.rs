//! What a turn brought forth beside its answer, by name: its patch, long logs and images. The whole of each is a resource.

use std::fmt;

use bridge_core::{Artifact, ArtifactKind, FailingLine};
use schemars::JsonSchema;
use serde::Serialize;

use super::patch::PatchResult;
use super::{MoreResult, Status, TurnResult};
use crate::image::ImageFormat;
use crate::mcp::outputs::Outputs;
use crate::mcp::paging::{OutputId, ResumeToken};
use crate::mcp::resources::ResourceUri;

/// How much of an artifact's name its link has.
const LINK_CHARS: usize = 40;

/// Something that a turn brought forth.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ArtifactResult {
    kind: KindWord,
    /// The patch's id, the command, the image's file or the tool that gave it.
    name: String,
    /// The whole as a resource.
    uri: String,
    mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// Of a log: gives it with codex.read, from its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// Of a log: the first lines that tell of a failure, before what `commands` shows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failing: Vec<FailingResult>,
    #[serde(skip)]
    output: Option<OutputId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum KindWord {
    Patch,
    Log,
    Image,
}

/// A line of a log that tells of a failure.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FailingResult {
    line: u64,
    text: String,
    /// Gives the log from this line on with codex.read.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip)]
    offset: u64,
}

/// An image to be shown in place.
#[derive(Clone, Debug)]
pub(in crate::mcp) struct ShownImage {
    /// Its content in base64.
    pub(in crate::mcp) data: String,
    pub(in crate::mcp) format: ImageFormat,
}

/// A resource that a result points at, in the form that every client knows.
pub(in crate::mcp) struct Link {
    pub(in crate::mcp) uri: String,
    pub(in crate::mcp) name: String,
    pub(in crate::mcp) mime: Option<String>,
    pub(in crate::mcp) bytes: Option<u64>,
}

/// The artifacts of a turn: its patch first.
pub(super) fn all(patch: Option<&PatchResult>, others: Vec<Artifact>) -> Vec<ArtifactResult> {
    let patch = patch.map(|patch| ArtifactResult::of_patch(&patch.patch_id));
    patch.into_iter().chain(others.into_iter().filter_map(ArtifactResult::of)).collect()
}

impl TurnResult {
    /// What a client that shows links is pointed at.
    pub(in crate::mcp) fn links(&self) -> Vec<Link> {
        let artifacts = self.artifacts.iter().map(ArtifactResult::link);
        artifacts.chain(self.more.iter().map(MoreResult::link)).collect()
    }

    /// The images that are shown in place.
    pub(in crate::mcp) fn images(&self) -> &[ShownImage] {
        &self.images
    }

    /// The id of a patch that may be small enough to be shown in place.
    pub(in crate::mcp) fn small_patch(&self) -> Option<&str> {
        let patch = self.patch.as_ref().filter(|_| self.is_answer())?;
        patch.is_small().then_some(patch.patch_id.as_str())
    }

    /// Shows the diff of the patch in place.
    pub(in crate::mcp) fn show_diff(&mut self, diff: String) {
        if let Some(patch) = &mut self.patch {
            patch.diff = Some(diff);
        }
    }

    /// The outputs of the first images that are not larger than `bytes`.
    pub(in crate::mcp) fn small_images(&self, count: usize, bytes: u64) -> Vec<OutputId> {
        let images = self.artifacts.iter().filter_map(|artifact| artifact.small_image(bytes));
        images.take(if self.is_answer() { count } else { 0 }).collect()
    }

    /// Shows images in place.
    pub(in crate::mcp) fn show_images(&mut self, images: Vec<ShownImage>) {
        self.images = images;
    }

    /// Whether the turn has ended, and without an error: of an error clients show the text alone.
    fn is_answer(&self) -> bool {
        let has_ended = match self.status {
            Status::Queued | Status::InProgress => false,
            Status::Completed | Status::Interrupted | Status::Failed => true,
        };
        has_ended && self.error.is_none()
    }
}

impl ArtifactResult {
    /// The artifact that a patch is.
    fn of_patch(id: &str) -> Self {
        Self {
            kind: KindWord::Patch,
            name: id.to_owned(),
            uri: ResourceUri::Patch(id.to_owned()).to_string(),
            mime_type: "text/x-diff".to_owned(),
            bytes: None,
            token: None,
            failing: Vec::new(),
            output: None,
        }
    }

    /// One that is kept as an output; `None` if that has no name that we know.
    fn of(artifact: Artifact) -> Option<Self> {
        let output: OutputId = artifact.output.parse().ok()?;
        let (kind, name) = match artifact.kind {
            ArtifactKind::Log => {
                let words = super::super::progress::shell_words(&artifact.name);
                (KindWord::Log, words.to_owned())
            }
            ArtifactKind::Image => (KindWord::Image, artifact.name),
        };
        let failing = |of: FailingLine| FailingResult {
            line: of.line,
            text: of.text,
            token: None,
            offset: of.offset,
        };
        Some(Self {
            kind,
            name,
            uri: ResourceUri::Output(output).to_string(),
            mime_type: artifact.mime,
            bytes: Some(artifact.bytes),
            token: None,
            failing: artifact.failing.into_iter().map(failing).collect(),
            output: Some(output),
        })
    }

    /// Makes the tokens with which a log is read.
    pub(super) fn seal(&mut self, outputs: &Outputs) {
        let (Some(output), KindWord::Log) = (self.output, self.kind) else { return };
        let token = |offset: u64| {
            let page = if offset == 0 { 1 } else { 2 };
            Some(ResumeToken { output, offset, page }.seal(outputs.token_key()))
        };
        self.token = token(0);
        self.failing.iter_mut().for_each(|line| line.token = token(line.offset));
    }

    /// The output of an image of at most so many bytes.
    fn small_image(&self, bytes: u64) -> Option<OutputId> {
        let is_small = self.kind == KindWord::Image && self.bytes.is_some_and(|all| all <= bytes);
        self.output.filter(|_| is_small)
    }

    fn link(&self) -> Link {
        let what = match self.kind {
            KindWord::Patch => "patch",
            KindWord::Log => "log of",
            KindWord::Image => "image",
        };
        let name: String = self.name.chars().take(LINK_CHARS).collect();
        Link {
            uri: self.uri.clone(),
            name: format!("{what} {name}"),
            mime: Some(self.mime_type.clone()),
            bytes: self.bytes,
        }
    }
}

/// A line for a reader, and one for each line of a log that is named. A patch has lines of its own.
impl fmt::Display for ArtifactResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, uri, mime_type, token, failing, .. } = self;
        let bytes = self.bytes.unwrap_or_default();
        match self.kind {
            KindWord::Patch => return Ok(()),
            KindWord::Image => {
                return write!(f, "\nImage {name} ({mime_type}, {bytes} bytes): {uri}");
            }
            KindWord::Log => write!(f, "\nLog of `{name}` ({bytes} bytes): {uri}")?,
        }
        if let Some(token) = token {
            write!(f, "; read it with codex.read, token {token}")?;
        }
        for FailingResult { line, text, token, .. } in failing {
            write!(f, "\n  line {line}: {text}")?;
            if let Some(token) = token {
                write!(f, " (from there: token {token})")?;
            }
        }
        Ok(())
    }
}
