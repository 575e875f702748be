//! What a call sends along with its prompt: files, texts, resources, a diff, images.
//!
//! This file says what may be asked for. [`gather`] reads it when the turn is about to start, [`fit`] decides how much of it
//! Codex is shown.

mod fit;
mod gather;
mod load;

use schemars::JsonSchema;
use serde::Deserialize;

use super::resources::ResourceUri;
use super::tools::repo_diff::{Sides, sides};
use crate::config::Config;
use crate::error::Problem;
use crate::workspace::files::no_path;

/// How many attachments a call may name.
pub(super) const MAX_ATTACHMENTS: usize = 100;
/// The smallest budget of a call, in tokens.
const MIN_TOKENS: usize = 100;
/// The longest name that a caller gives, in characters.
const MAX_NAME: usize = 200;

/// One attachment, as an argument.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Attachment {
    /// A file, image or glob, relative to `cwd`. With `text`: its place. With `diff`: only this.
    path: Option<String>,
    /// `10-40` or `10-`.
    lines: Option<String>,
    /// A plan, output, an editor's selection.
    text: Option<String>,
    /// `codex://…`
    uri: Option<String>,
    /// `worktree`, `staged`, a commit to compare with, or `a..b`.
    diff: Option<String>,
    // A title for `text`.
    name: Option<String>,
    // Which ones get their room first.
    priority: Option<Priority>,
}

// In which order attachments get their room. No doc comment: a model would be sent it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Priority {
    High,
    #[default]
    Normal,
    Low,
}

/// All attachments of a call, checked as far as that can be done without looking.
#[derive(Debug, Default)]
pub(super) struct Attachments {
    items: Vec<Item>,
    /// What they may cost together, in tokens.
    tokens: usize,
}

/// One of them.
#[derive(Clone, Debug)]
struct Item {
    /// Its place among the arguments.
    number: usize,
    priority: Priority,
    source: Source,
}

/// Where the content of an attachment comes from.
#[derive(Clone, Debug)]
enum Source {
    /// A file, or all that fit a pattern.
    Path {
        path: String,
        lines: Option<LineRange>,
    },
    /// A file that fits a pattern.
    Found {
        path: String,
    },
    /// The call itself.
    Text {
        text: String,
        name: Option<String>,
        path: Option<String>,
        lines: Option<LineRange>,
    },
    Resource(ResourceUri),
    Diff {
        words: String,
        path: Option<String>,
    },
}

/// Lines of a file, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LineRange {
    from: u64,
    /// The last one; without it, to the end.
    to: Option<u64>,
}

impl Attachments {
    /// Reads the arguments.
    ///
    /// # Errors
    /// One that names the argument, and what is wrong with it.
    pub(super) fn read(
        given: Option<Vec<Attachment>>,
        tokens: Option<u32>,
        config: &Config,
    ) -> Result<Self, Problem> {
        let given = given.unwrap_or_default();
        if given.len() > MAX_ATTACHMENTS {
            let (there, allowed) =
                (format!("there are {}", given.len()), format!("at most {MAX_ATTACHMENTS}"));
            return Err(Problem::argument("attachments", &there, &allowed));
        }
        let max = config.max_attachment_tokens;
        let tokens = tokens.map_or(max, |tokens| usize::try_from(tokens).unwrap_or(usize::MAX));
        if !(MIN_TOKENS..=max).contains(&tokens) {
            let allowed = format!("{MIN_TOKENS} to {max}");
            let problem = Problem::argument("attachmentTokens", &tokens.to_string(), &allowed);
            return Err(problem.of_limit("max_attachment_tokens"));
        }
        let items = given.into_iter().enumerate();
        let items = items.map(|(number, attachment)| attachment.check(number));
        Ok(Self { items: items.collect::<Result<_, _>>()?, tokens })
    }
}

impl Attachment {
    fn check(self, number: usize) -> Result<Item, Problem> {
        let field = |name| field(number, name);
        let Self { path, lines, text, uri, diff, name, priority } = self;
        let wrong = |name, given: &str, allowed| Problem::argument(&field(name), given, allowed);
        if let Some((path, problem)) = path.as_deref().and_then(|path| Some((path, no_path(path)?)))
        {
            let given = crate::redact::shortened(path, 60);
            return Err(wrong("path", &format!("{given:?} {problem}"), "a path, or a glob"));
        }
        let lines = match lines.as_deref().map(|text| (text, LineRange::read(text))) {
            Some((text, None)) => {
                let allowed = "one line or a range in order, counted from 1: `7`, `10-40`, `10-`";
                return Err(Problem::argument_text(&field("lines"), text, allowed));
            }
            Some((_, lines)) if text.is_some() || path.is_some() && diff.is_none() => lines,
            Some(_) => return Err(wrong("lines", "there is no file", "lines beside `path`")),
            None => None,
        };
        if name.as_ref().is_some_and(|name| name.chars().count() > MAX_NAME) {
            return Err(wrong("name", "it is too long", "at most 200 characters"));
        }
        if name.is_some() && text.is_none() {
            return Err(wrong("name", "there is no text", "a title beside `text`"));
        }
        let source = match (path, text, uri, diff) {
            (path, Some(text), None, None) => Source::Text { text, name, path, lines },
            (None, None, Some(uri), None) => Source::Resource(read_uri(&field("uri"), &uri)?),
            (path, None, None, Some(words)) => Source::Diff { words, path },
            (Some(path), None, None, None) => Source::Path { path, lines },
            (None, None, None, None) => {
                return Err(Problem::argument(
                    &format!("attachments[{number}]"),
                    "it has nothing in it",
                    "one of `path`, `text`, `uri` and `diff`",
                ));
            }
            (_, Some(_), _, _) => return Err(wrong("text", "it is not alone", BESIDE_TEXT)),
            (_, None, Some(_), _) => {
                return Err(wrong(
                    "uri",
                    "it is not alone",
                    "no `path`, `text` or `diff` beside it",
                ));
            }
        };
        if let Source::Diff { words, .. } = &source {
            if words.is_empty() {
                let allowed = "`worktree`, `staged`, a commit or branch, or a range";
                return Err(wrong("diff", "it is empty", allowed));
            }
            read_diff(words).map_err(|problem| at(number, problem))?;
        }
        Ok(Item { number, priority: priority.unwrap_or_default(), source })
    }
}

/// What may stand beside a text.
const BESIDE_TEXT: &str =
    "`path` and `lines` beside it, which say where it stands; no `uri` and no `diff`";

impl LineRange {
    fn read(text: &str) -> Option<Self> {
        let number = |text: &str| text.trim().parse::<u64>().ok().filter(|number| *number > 0);
        let (from, to) = match text.split_once('-') {
            None => (number(text)?, Some(number(text)?)),
            Some((from, to)) if to.trim().is_empty() => (number(from)?, None),
            Some((from, to)) => (number(from)?, Some(number(to)?)),
        };
        to.is_none_or(|to| from <= to).then_some(Self { from, to })
    }
}

/// An argument by its full name.
fn field(number: usize, name: &str) -> String {
    format!("attachments[{number}].{name}")
}

/// The error of one attachment, which did not know of which.
fn at(number: usize, mut problem: Problem) -> Problem {
    problem.message = format!("`attachments[{number}]`: {}", problem.message);
    problem
}

fn read_uri(field: &str, uri: &str) -> Result<ResourceUri, Problem> {
    uri.parse().map_err(|error: super::resources::UriError| {
        Problem::argument_text(field, uri, &error.to_string())
    })
}

/// What is compared with what.
fn read_diff(words: &str) -> Result<Sides, Problem> {
    match words {
        "worktree" => sides("diff", Some("HEAD"), None),
        "staged" => sides("diff", Some("HEAD"), Some("index")),
        words => sides("diff", Some(words), None),
    }
}
