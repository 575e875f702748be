//! Reads one attachment, from wherever it comes.

use std::io;
use std::path::Path;

use super::fit::{Content, Lines, Piece, Text, range};
use super::gather::given_up;
use super::{Item, LineRange, Source, at, field, read_diff};
use crate::codex::attachments::data_url;
use crate::error::{Code, Problem};
use crate::image::ImageFormat;
use crate::mcp::call::ToolCall;
use crate::mcp::paging::{Budget, Kind};
use crate::mcp::resources::{self, ResourceUri};
use crate::mcp::tools::repo_diff::{self, DEFAULT_CONTEXT};
use crate::redact;
use crate::workspace::Roots;
use crate::workspace::files::{FileError, OpenFile};
use crate::workspace::git::{DiffRequest, GitError, TextLimit, Untracked};

/// The largest image that is sent. It stays in memory while its turn waits and runs.
const MAX_IMAGE_BYTES: u64 = 4 << 20;
/// What stands in a file whose text is not UTF-8.
const LOSSY: &str = "bytes that are no UTF-8 are shown as U+FFFD";
/// How Codex gets at the rest of a file.
const READ_FILE: &str = "read the file";
/// How much of a text is shown in its name.
const NAME_CHARS: usize = 40;

impl Source {
    /// What the attachment is called in the result.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Path { path, .. } | Self::Found { path } => path.clone(),
            Self::Text { name: Some(name), .. } | Self::Text { path: Some(name), .. } => {
                name.clone()
            }
            Self::Text { text, .. } => {
                let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
                format!("text {:?}", redact::shortened(line.trim(), NAME_CHARS))
            }
            Self::Resource(uri) => uri.to_string(),
            Self::Diff { words, path: None } => format!("diff {words}"),
            Self::Diff { words, path: Some(path) } => format!("diff {words} of {path}"),
        }
    }
}

impl ToolCall<'_> {
    /// Reads an attachment, or as much of it as there is room for.
    pub(super) async fn load(
        &self,
        item: Item,
        directory: &str,
        room: usize,
    ) -> Result<Piece, Problem> {
        let name = item.source.name();
        let number = item.number;
        match item.source {
            Source::Path { path, lines } => {
                let field = field(number, "path");
                let wanted = (path.clone(), lines, Images::Shown);
                let piece = self.file(wanted, directory, room).await?;
                piece.map_err(|error| error.problem(number, &field, &path))
            }
            Source::Found { path } => {
                let wanted = (path.clone(), None, Images::Named);
                let piece = self.file(wanted, directory, room).await?;
                Ok(piece.unwrap_or_else(|error| named(path, error.to_string())))
            }
            Source::Text { text, name: title, path, lines } => {
                Ok(given_text(name, text, title, path, lines))
            }
            Source::Resource(uri) => {
                self.resource(name, &uri, room).await.map_err(|problem| at(number, problem))
            }
            Source::Diff { words, path } => self.diff(name, &words, path, directory, number).await,
        }
    }

    async fn file(
        &self,
        (path, lines, images): (String, Option<LineRange>, Images),
        directory: &str,
        room: usize,
    ) -> Result<Result<Piece, LoadError>, Problem> {
        let (roots, directory) = (self.roots().clone(), directory.to_owned());
        let limit = self.config().max_attachment_bytes as u64;
        let window = Budget::new(room).window();
        let read = move || read_file(&roots, &directory, path, lines, (limit, window), images);
        aside(read).await
    }

    async fn resource(
        &self,
        name: String,
        uri: &ResourceUri,
        room: usize,
    ) -> Result<Piece, Problem> {
        let found = resources::text(uri, self.server(), Budget::new(room).window()).await?;
        let text = Text {
            text: found.text,
            kind: found.kind,
            is_cut: found.is_cut,
            place: None,
            hint: None,
        };
        let attributes = vec![("uri", uri.to_string())];
        Ok(Piece { name, attributes, note: None, content: Content::Text(text) })
    }

    async fn diff(
        &self,
        name: String,
        words: &str,
        path: Option<String>,
        directory: &str,
        number: usize,
    ) -> Result<Piece, Problem> {
        let of_this = |problem| at(number, problem);
        let sides = read_diff(words).map_err(of_this)?;
        let request = DiffRequest {
            from: sides.from,
            to: sides.to,
            arguments: sides.arguments,
            base: sides.base,
            context: DEFAULT_CONTEXT,
            text: TextLimit::Bytes(self.process_config().max_output_megabytes << 20),
            untracked: Untracked::Content,
        };
        let place = self.at(Some(directory), path.clone().map(|path| vec![path]));
        let (place, git) = (place.map_err(of_this)?, self.git().map_err(of_this)?);
        let diff = self.repositories().diff(&git, &place, &request).await;
        let (_, diff) = diff.map_err(|error| {
            if let GitError::BadPath { given } = &error {
                let allowed = "a path in the repository and inside the workspace roots";
                return Problem::argument_text(&field(number, "path"), given, allowed);
            }
            of_this(Problem::from(error))
        })?;
        let mut notes = repo_diff::warnings(&diff);
        if diff.files.is_empty() {
            notes.push("nothing differs".to_owned());
        }
        let text = Text {
            text: diff.text.clone(),
            kind: Kind::Diff,
            is_cut: false,
            place: None,
            hint: Some("ask git"),
        };
        let path = path.map(|path| ("path", path));
        let attributes = [("diff", words.to_owned())].into_iter().chain(path).collect();
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        Ok(Piece { name, attributes, note, content: Content::Text(text) })
    }
}

/// Does what waits for a disk beside the runtime's own threads.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|_ended| given_up())
}

/// Why a file is not attached.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error(transparent)]
    File(#[from] FileError),
    /// It has fewer lines.
    #[error("its last line is {total}")]
    Beyond { total: u64 },
    /// It has none.
    #[error("it is an image")]
    Image,
}

impl From<io::Error> for LoadError {
    fn from(error: io::Error) -> Self {
        Self::File(FileError::Unreadable(error))
    }
}

impl LoadError {
    fn problem(&self, number: usize, path_field: &str, path: &str) -> Problem {
        match self {
            Self::File(error) => no_file(path_field, path, error),
            Self::Beyond { .. } | Self::Image => {
                let given = format!("{:?}: {self}", redact::shortened(path, 60));
                Problem::argument(&field(number, "lines"), &given, "lines that the file has")
            }
        }
    }
}

/// The error of a path that leads to no file.
pub(super) fn no_file(field: &str, path: &str, error: &FileError) -> Problem {
    let given = format!("{:?}: {error}", redact::shortened(path, 60));
    let allowed = "a file inside the workspace roots; a glob such as `src/**` for all in a folder";
    match error {
        FileError::Outside { .. } => {
            Problem::new(Code::OutsideWorkspace, format!("argument `{field}`: {given}"))
        }
        FileError::NoPath(_)
        | FileError::Missing(_)
        | FileError::OfGit
        | FileError::NotFile(_)
        | FileError::Moved
        | FileError::Unreadable(_) => Problem::argument(field, &given, allowed),
    }
}

/// Whether a file that is an image is sent as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Images {
    Shown,
    /// A pattern may fit many that nobody thought of.
    Named,
}

fn named(path: String, note: String) -> Piece {
    let attributes = vec![("path", path.clone())];
    Piece { name: path, attributes, note: Some(note), content: Content::Named }
}

/// Reads a file, in so many bytes at most, if it is no larger than a limit.
fn read_file(
    roots: &Roots,
    directory: &str,
    path: String,
    lines: Option<LineRange>,
    (limit, window): (u64, usize),
    images: Images,
) -> Result<Piece, LoadError> {
    let file = roots.open(Path::new(directory), &path)?;
    let bytes = file.bytes;
    if bytes > limit {
        return Ok(named(path, format!("{bytes} bytes, which is too large; {READ_FILE}")));
    }
    if let Some(format) = ImageFormat::of(&file.beginning()?) {
        return match (lines, images) {
            (Some(_), _) => Err(LoadError::Image),
            (None, Images::Shown) if bytes <= MAX_IMAGE_BYTES => {
                let url = data_url(format, &file.read(MAX_IMAGE_BYTES)?);
                let attributes = vec![("path", path.clone())];
                Ok(Piece { name: path, attributes, note: None, content: Content::Image(url) })
            }
            (None, Images::Shown) => Ok(named(
                path,
                format!("an image of {bytes} bytes; at most {MAX_IMAGE_BYTES} are sent"),
            )),
            (None, Images::Named) => {
                Ok(named(path, "an image; to show it, attach its own path".to_owned()))
            }
        };
    }
    read_text(file, path, lines, window)
}

fn read_text(
    file: OpenFile,
    path: String,
    lines: Option<LineRange>,
    window: usize,
) -> Result<Piece, LoadError> {
    let bytes = file.bytes;
    let LineRange { from, to } = lines.unwrap_or(LineRange { from: 1, to: None });
    let read = file.lines(from, to, window)?;
    if read.is_binary {
        return Ok(named(path, format!("binary, {bytes} bytes")));
    }
    let total = read.total;
    if from > total.max(1) {
        return Err(LoadError::Beyond { total });
    }
    let place = Lines { first: from, last: to.map_or(total, |to| to.min(total)), total };
    let kind = kind_of(Path::new(&path));
    let is_cut = read.is_cut;
    let (text, is_lossy) = text_of(read.bytes, is_cut);
    let note = match (is_lossy, total) {
        (true, _) => Some(LOSSY.to_owned()),
        (false, 0) => Some("empty".to_owned()),
        (false, _) => None,
    };
    let place = (total > 0).then_some(place);
    let text = Text { text, kind, is_cut, place, hint: Some(READ_FILE) };
    let attributes = vec![("path", path.clone())];
    Ok(Piece { name: path, attributes, note, content: Content::Text(text) })
}

/// The text of a file, and whether it has bytes that are none. A character that a cut went through is not one of those.
fn text_of(mut bytes: Vec<u8>, is_cut: bool) -> (String, bool) {
    if let Err(error) = std::str::from_utf8(&bytes)
        && error.error_len().is_none()
        && is_cut
    {
        bytes.truncate(error.valid_up_to());
    }
    match String::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), true),
    }
}

/// What a file holds, by its name.
fn kind_of(path: &Path) -> Kind {
    match path.extension().and_then(|ending| ending.to_str()) {
        None | Some("md" | "markdown" | "txt" | "rst" | "adoc") => Kind::Markdown,
        Some("diff" | "patch") => Kind::Diff,
        Some("log" | "out") => Kind::Log,
        Some("json" | "jsonl") => Kind::Json,
        Some(_) => Kind::Code,
    }
}

/// A text of the call itself.
fn given_text(
    name: String,
    text: String,
    title: Option<String>,
    path: Option<String>,
    lines: Option<LineRange>,
) -> Piece {
    let kind = match (&path, text.trim_start()) {
        (Some(path), _) => kind_of(Path::new(path)),
        (None, text) if text.starts_with("diff ") => Kind::Diff,
        (None, text) if text.starts_with('#') => Kind::Markdown,
        (None, _) => Kind::Log,
    };
    let hint = path.as_ref().map(|_| READ_FILE);
    let note =
        path.as_ref().map(|_| "as the editor has it: the file may say something else".to_owned());
    let lines = lines.map(|LineRange { from, to }| match to {
        Some(to) => range(from, to),
        None => format!("{from}-"),
    });
    let title = title.or_else(|| path.is_none().then(|| "text".to_owned()));
    let attributes = [("name", title), ("path", path), ("lines", lines)];
    let attributes = attributes.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let attributes = attributes.collect();
    let text = Text { text, kind, is_cut: false, place: None, hint };
    Piece { name, attributes, note, content: Content::Text(text) }
}
