//! The header of one file, and what the file's diff comes to.

use super::cursor::{Cursor, shown, shown_name};
use super::error::{ParseError, ParseProblem};
use super::name::{self, Name, Side};
use super::{Action, FilePatch};
use crate::hunk::Hunk;
use crate::mode::Mode;
use crate::path::TreePath;

/// Whether a file's diff begins in the next line.
pub(super) fn begins(cursor: &Cursor<'_>) -> bool {
    let mut ahead = cursor.clone();
    ahead.take(b"diff --git ").is_some()
        || (ahead.take(b"--- ").is_some() && ahead.take(b"+++ ").is_some())
}

/// Reads the diff of one file, hunks and all.
pub(super) fn file<'a>(
    cursor: &mut Cursor<'a>,
    hunks_left: &mut usize,
    hunks_limit: usize,
) -> Result<FilePatch<'a>, ParseError> {
    let mut header = Header { line: cursor.line, ..Header::default() };
    if let Some(names) = cursor.take(b"diff --git ") {
        header.is_git = true;
        header.found = names;
        header.pair = name::pair(cursor, names)?;
        while header.extended(cursor)? {}
    }
    header.sides(cursor)?;
    let at = header.line;
    let fail = |problem| ParseError { line: at, problem };
    let (source, path) = header.names().map_err(fail)?;
    header.refuse_binary(cursor, &path)?;
    let hunks = super::hunks::hunks(cursor, hunks_left, hunks_limit)?;
    header.finish(source, path, hunks).map_err(fail)
}

/// What the lines before the hunks say.
#[derive(Default)]
struct Header<'a> {
    line: usize,
    is_git: bool,
    /// The names of `diff --git`, as they stand there.
    found: &'a [u8],
    /// The same, where they can be told apart; with their prefixes.
    pair: Option<(Name<'a>, Name<'a>)>,
    old_mode: Option<Mode>,
    new_mode: Option<Mode>,
    created: bool,
    deleted: bool,
    renamed: bool,
    copied: bool,
    from: Option<Name<'a>>,
    to: Option<Name<'a>>,
    sides: Option<(Side<'a>, Side<'a>)>,
}

impl<'a> Header<'a> {
    /// Reads one of the lines that only git writes; false when there is none.
    fn extended(&mut self, cursor: &mut Cursor<'a>) -> Result<bool, ParseError> {
        if let Some(text) = cursor.take(b"old mode ") {
            self.old_mode = Some(mode(cursor, text)?);
        } else if let Some(text) = cursor.take(b"new mode ") {
            self.new_mode = Some(mode(cursor, text)?);
        } else if let Some(text) = cursor.take(b"deleted file mode ") {
            self.deleted = true;
            self.old_mode = Some(mode(cursor, text)?);
        } else if let Some(text) = cursor.take(b"new file mode ") {
            self.created = true;
            self.new_mode = Some(mode(cursor, text)?);
        } else if let Some(text) = cursor.take(b"rename from ") {
            self.renamed = true;
            self.from = Some(name::alone(cursor, text)?);
        } else if let Some(text) = cursor.take(b"copy from ") {
            self.copied = true;
            self.from = Some(name::alone(cursor, text)?);
        } else if let Some(text) = cursor.take(b"rename to ").or_else(|| cursor.take(b"copy to ")) {
            self.to = Some(name::alone(cursor, text)?);
        } else if let Some(text) = cursor.take(b"index ") {
            if let Some(at) = memchr::memrchr(b' ', text) {
                let mode = mode(cursor, &text[at + 1..])?;
                self.old_mode = self.old_mode.or(Some(mode));
            }
        } else {
            let similarity = cursor.take(b"similarity index ");
            return Ok(similarity.or_else(|| cursor.take(b"dissimilarity index ")).is_some());
        }
        Ok(true)
    }

    /// Reads `--- ` and `+++ `.
    fn sides(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ParseError> {
        let mut ahead = cursor.clone();
        let Some(old) = ahead.take(b"--- ") else {
            return Ok(());
        };
        let old = name::side(&ahead, old)?;
        let Some(new) = ahead.take(b"+++ ") else {
            return Ok(());
        };
        let new = name::side(&ahead, new)?;
        *cursor = ahead;
        self.sides = Some((old, new));
        Ok(())
    }

    /// The file that is read, where it is another, and the one that is written.
    fn names(&self) -> Result<(Option<TreePath>, TreePath), ParseProblem> {
        let (old, new) =
            self.sides.as_ref().map_or((None, None), |(old, new)| (old.name(), new.name()));
        let (old, new) = (old.map(|name| &**name), new.map(|name| &**name));
        if self.from.is_some() || self.to.is_some() {
            let (Some(from), Some(to)) = (&self.from, &self.to) else {
                return Err(self.no_name());
            };
            consistent(old, from)?;
            consistent(new, to)?;
            return Ok((Some(name::path(from)?), name::path(to)?));
        }
        if let Some((first, second)) = &self.pair {
            same(old, first)?;
            same(new, second)?;
            return one_path(name::strip(Some(first), Some(second))).map(|path| (None, path));
        }
        if old.is_none() && new.is_none() {
            return Err(self.no_name());
        }
        one_path(name::strip(old, new)).map(|path| (None, path))
    }

    fn no_name(&self) -> ParseProblem {
        let found = if self.is_git { shown(self.found) } else { "/dev/null".to_owned() };
        ParseProblem::NoName { found }
    }

    fn refuse_binary(&self, cursor: &Cursor<'_>, path: &TreePath) -> Result<(), ParseError> {
        let path = path.to_string();
        match cursor.peek_header() {
            Some(b"GIT binary patch") => cursor.here(ParseProblem::BinaryPatch { path }),
            Some(line) if line.starts_with(b"Binary files ") && line.ends_with(b" differ") => {
                cursor.here(ParseProblem::BinaryWithoutContent { path })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn finish(
        self,
        source: Option<TreePath>,
        path: TreePath,
        hunks: Vec<Hunk<'a>>,
    ) -> Result<FilePatch<'a>, ParseProblem> {
        let (creates, deletes) = self.ends(&hunks);
        let contradiction = |one, other| Err(ParseProblem::Contradiction { one, other });
        let action = match source {
            Some(_) if creates || deletes => {
                return contradiction("that the file has another name", "that it is new or goes");
            }
            Some(_) if self.renamed && self.copied => {
                return contradiction("that the file is renamed", "that it is copied");
            }
            Some(from) if self.copied => Action::Copy { from },
            Some(from) => Action::Rename { from },
            None if creates && deletes => {
                return contradiction("that the file is new", "that it is deleted");
            }
            None if creates => Action::Create,
            None if deletes => Action::Delete,
            None => Action::Modify,
        };
        one_sided(&action, &hunks)?;
        let same_mode = self.new_mode.is_none() || self.new_mode == self.old_mode;
        if action == Action::Modify && hunks.is_empty() && same_mode {
            return Err(ParseProblem::Nothing { path: path.to_string() });
        }
        let Self { old_mode, new_mode, line, .. } = self;
        if let (Some(old), Some(new)) = (old_mode, new_mode)
            && old.kind() != new.kind()
        {
            return contradiction(
                "that a file becomes a link or a link a file",
                "that it is changed",
            );
        }
        Ok(FilePatch { path, action, old_mode, new_mode, hunks, line })
    }

    /// Whether the file is new, and whether it goes.
    fn ends(&self, hunks: &[Hunk<'_>]) -> (bool, bool) {
        let (mut creates, mut deletes) = (self.created, self.deleted);
        if let Some((old, new)) = &self.sides {
            let none = |side: &Side<'_>, is_empty: bool| match side {
                Side::None => true,
                Side::Missing(_) => is_empty,
                Side::File(_) => false,
            };
            creates |= none(old, hunks.iter().all(|hunk| hunk.old_lines == 0));
            deletes |= none(new, hunks.iter().all(|hunk| hunk.new_lines == 0));
        }
        (creates, deletes)
    }
}

/// A file that is new has no old lines, one that goes no new ones.
fn one_sided(action: &Action<'_>, hunks: &[Hunk<'_>]) -> Result<(), ParseProblem> {
    let (state, side, fits) = match action {
        Action::Create => ("new", "an old one", hunks.iter().all(|hunk| hunk.old_lines == 0)),
        Action::Delete => ("deleted", "a new one", hunks.iter().all(|hunk| hunk.new_lines == 0)),
        Action::Modify | Action::Rename { .. } | Action::Copy { .. } | Action::Replace { .. } => {
            return Ok(());
        }
    };
    if fits && hunks.len() <= 1 { Ok(()) } else { Err(ParseProblem::HunkSide { state, side }) }
}

/// The name in `--- ` or `+++ `, where it names a file, is the one of `diff --git`.
fn same(side: Option<&[u8]>, name: &[u8]) -> Result<(), ParseProblem> {
    match side {
        Some(side) if side != name => Err(names(side, name)),
        Some(_) | None => Ok(()),
    }
}

/// The same, for a name that has no prefix here.
fn consistent(side: Option<&[u8]>, name: &[u8]) -> Result<(), ParseProblem> {
    match side.map(|side| (side, side.strip_suffix(name))) {
        None | Some((_, Some([] | [_, b'/']))) => Ok(()),
        Some((side, _)) => Err(names(side, name)),
    }
}

fn one_path(names_found: (Option<&[u8]>, Option<&[u8]>)) -> Result<TreePath, ParseProblem> {
    match names_found {
        (Some(old), Some(new)) if old == new || old.strip_suffix(b".orig") == Some(new) => {
            name::path(new)
        }
        (Some(old), Some(new)) => {
            name::path(old)?;
            name::path(new)?;
            Err(names(old, new))
        }
        (Some(name), None) | (None, Some(name)) => name::path(name),
        (None, None) => Err(ParseProblem::NoName { found: "/dev/null".to_owned() }),
    }
}

fn names(one: &[u8], other: &[u8]) -> ParseProblem {
    ParseProblem::Names { one: shown_name(one), other: shown_name(other) }
}

fn mode(cursor: &Cursor<'_>, text: &[u8]) -> Result<Mode, ParseError> {
    let octal = std::str::from_utf8(text).ok().filter(|text| text.len() == 6);
    let value = octal.and_then(|text| u32::from_str_radix(text, 8).ok()).unwrap_or(0);
    match value & 0o170_000 {
        0o100_000 => Ok(Mode::regular(value)),
        0o120_000 => Ok(Mode::SYMLINK),
        0o160_000 => cursor.behind(ParseProblem::Submodule),
        _ => cursor.behind(ParseProblem::Mode { found: shown(text) }),
    }
}
