//! Reads a configuration file: which keys it sets, and in which line.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use toml::de::{DeTable, ValueDeserializer};

use super::keys;
use super::kind::Raw;
use super::layer::{Given, unknown};
use super::problem::{Origin, Problem};
use crate::text_file;

/// The largest file that is read, in bytes. Ours have a few dozen lines.
const MAX_BYTES: u64 = 1 << 20;

/// The file to read.
pub(super) enum ConfigFile {
    /// There is no place for one.
    Absent,
    /// Read it if it is there.
    Optional(PathBuf),
    /// It has to be there.
    Required(PathBuf),
    /// It says this.
    Text(String),
}

impl ConfigFile {
    pub(super) fn read(&self, problems: &mut Vec<Problem>) -> Vec<Given> {
        let (path, may_be_missing) = match self {
            Self::Absent => return Vec::new(),
            Self::Optional(path) => (path, true),
            Self::Required(path) => (path, false),
            Self::Text(text) => return parse(Path::new("config.toml"), text, problems),
        };
        match text_file::read(path, MAX_BYTES) {
            Ok(text) => parse(path, &text, problems),
            Err(error) if may_be_missing && error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                problems.push(Problem {
                    origin: Origin::File { path: path.clone(), line: None },
                    key: None,
                    message: format!("the file cannot be read: {error}"),
                });
                Vec::new()
            }
        }
    }
}

/// A file with errors of syntax gives no values, because those that can be seen may not be those that were meant.
fn parse(path: &Path, text: &str, problems: &mut Vec<Problem>) -> Vec<Given> {
    let origin = |line| Origin::File { path: path.to_owned(), line: Some(line) };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let line = line_of(text, error.span().map_or(0, |span| span.start));
        let shown = text.lines().nth(line - 1).unwrap_or_default();
        problems.push(Problem {
            origin: origin(line),
            key: None,
            message: format!("not TOML: {}, in `{shown}`", error.message()),
        });
    }
    if !errors.is_empty() {
        return Vec::new();
    }
    let mut given = Vec::new();
    for (name, value) in table.into_inner() {
        let origin = origin(line_of(text, name.span().start));
        let name = name.into_inner();
        let Some(key) = keys::find(&name) else {
            let message = format!("`{name}`: {}", unknown(&name, str::to_owned));
            problems.push(Problem { origin, key: None, message });
            continue;
        };
        match toml::Value::deserialize(ValueDeserializer::from(value)) {
            Ok(value) => given.push(Given { key, origin, raw: Raw::Toml(value) }),
            // An integer that TOML allows and no type of ours holds.
            Err(error) => {
                let message = error.message().to_owned();
                problems.push(Problem { origin, key: Some(key), message });
            }
        }
    }
    given
}

/// Returns the line of an offset into the text, counted from 1.
fn line_of(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}
