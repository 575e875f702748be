//! The names in the headers of a diff.

use std::borrow::Cow;

use super::cursor::{Cursor, shown, shown_name};
use super::error::{ParseError, ParseProblem};
use crate::path::TreePath;
use crate::quote::unquote;

/// What git puts before the old and the new name: as ever, and by `diff.mnemonicPrefix`.
const PREFIXES: [(&[u8], &[u8]); 7] = [
    (b"a/", b"b/"),
    (b"i/", b"w/"),
    (b"c/", b"i/"),
    (b"c/", b"w/"),
    (b"o/", b"w/"),
    (b"1/", b"2/"),
    (b"b/", b"a/"),
];

/// A name as it stands in a header.
pub(super) type Name<'a> = Cow<'a, [u8]>;

/// What stands after `--- ` or `+++ `: a file, or that there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Side<'a> {
    /// `/dev/null`, or a time stamp at the beginning of time.
    None,
    File(Name<'a>),
    /// With a time stamp that says that there was no file; the name is still one.
    Missing(Name<'a>),
}

impl<'a> Side<'a> {
    pub(super) fn name(&self) -> Option<&Name<'a>> {
        match self {
            Self::None => None,
            Self::File(name) | Self::Missing(name) => Some(name),
        }
    }
}

/// Reads the rest of a `--- ` or `+++ ` line.
pub(super) fn side<'a>(cursor: &Cursor<'_>, text: &'a [u8]) -> Result<Side<'a>, ParseError> {
    let (name, stamp) = if text.starts_with(b"\"") {
        let (name, rest) = quoted(cursor, text)?;
        (Cow::Owned(name), rest)
    } else {
        let end = memchr::memchr(b'\t', text).unwrap_or(text.len());
        (Cow::Borrowed(&text[..end]), &text[end..])
    };
    let stamp = stamp.trim_ascii_start();
    let never = [&b"1970-01-01 "[..], b"1969-12-31 "].iter().any(|day| stamp.starts_with(day));
    Ok(if &*name == b"/dev/null" {
        Side::None
    } else if never {
        Side::Missing(name)
    } else {
        Side::File(name)
    })
}

/// Reads the rest of a `rename from ` line or one of its kind.
pub(super) fn alone<'a>(cursor: &Cursor<'_>, text: &'a [u8]) -> Result<Name<'a>, ParseError> {
    if text.starts_with(b"\"") {
        return quoted(cursor, text).map(|(name, _)| Cow::Owned(name));
    }
    Ok(Cow::Borrowed(text))
}

/// The two names of a `diff --git ` line. Without quotation marks they can only be told apart when they are the same.
pub(super) fn pair<'a>(
    cursor: &Cursor<'_>,
    text: &'a [u8],
) -> Result<Option<(Name<'a>, Name<'a>)>, ParseError> {
    if text.starts_with(b"\"") {
        let (old, rest) = quoted(cursor, text)?;
        let new = alone(cursor, rest.trim_ascii_start())?;
        return Ok(Some((Cow::Owned(old), new)));
    }
    if let Some(at) = memchr::memmem::find(text, b" \"") {
        let new = alone(cursor, &text[at + 1..])?;
        return Ok(Some((Cow::Borrowed(&text[..at]), new)));
    }
    for at in memchr::memchr_iter(b' ', text) {
        let (old, new) = (&text[..at], &text[at + 1..]);
        if old == new || PREFIXES.iter().any(|&prefixes| same_after(old, new, prefixes)) {
            return Ok(Some((Cow::Borrowed(old), Cow::Borrowed(new))));
        }
    }
    Ok(None)
}

fn same_after(old: &[u8], new: &[u8], (a, b): (&[u8], &[u8])) -> bool {
    old.strip_prefix(a).is_some_and(|old| new.strip_prefix(b) == Some(old))
}

/// Takes the prefixes off both names, when both have them; one alone is left only where there is no other name.
pub(super) fn strip<'n>(
    old: Option<&'n [u8]>,
    new: Option<&'n [u8]>,
) -> (Option<&'n [u8]>, Option<&'n [u8]>) {
    match (old, new) {
        (Some(old), Some(new)) => {
            for (a, b) in PREFIXES {
                let is_usual = a == b"a/";
                if (is_usual || same_after(old, new, (a, b)))
                    && let (Some(old), Some(new)) = (old.strip_prefix(a), new.strip_prefix(b))
                {
                    return (Some(old), Some(new));
                }
            }
            (Some(old), Some(new))
        }
        (Some(old), None) => (Some(old.strip_prefix(b"a/").unwrap_or(old)), None),
        (None, Some(new)) => (None, Some(new.strip_prefix(b"b/").unwrap_or(new))),
        (None, None) => (None, None),
    }
}

/// A name that is one in the tree.
pub(super) fn path(name: &[u8]) -> Result<TreePath, ParseProblem> {
    TreePath::new(name).map_err(|reason| ParseProblem::Path { path: shown_name(name), reason })
}

fn quoted<'a>(cursor: &Cursor<'_>, text: &'a [u8]) -> Result<(Vec<u8>, &'a [u8]), ParseError> {
    match unquote(text) {
        Some(name) => Ok(name),
        None => cursor.behind(ParseProblem::Quoting { found: shown(text) }),
    }
}
