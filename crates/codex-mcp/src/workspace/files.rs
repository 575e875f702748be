//! Single files of the user: found inside the roots, opened without following anything out, read no further than wanted.
//!
//! A path is resolved as a working directory is, and what is found is opened from the root's own handle without links. What is
//! no regular file is not opened, so no pipe and no device can block or be set going.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use ignore::WalkBuilder;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, openat, statat};

use super::folder::Folder;
use super::roots::{MAX_PATH, Roots};

/// How many files and folders are looked at for one pattern.
const MAX_VISITED: usize = 200_000;
/// How much of a file is read at once.
const BUFFER: usize = 64 << 10;
/// How many of its first bytes tell what a file is.
const BEGINNING: usize = 16;
/// What makes a pattern of a path.
const MARKS: &[char] = &['*', '?', '[', '{'];

/// A regular file, open.
#[derive(Debug)]
pub(crate) struct OpenFile {
    file: File,
    /// Its size when it was opened.
    pub(crate) bytes: u64,
}

/// Why a path gives no file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// It is no path.
    #[error("it {0}")]
    NoPath(&'static str),
    /// Nothing is there.
    #[error("it does not exist (looked for {})", .0.display())]
    Missing(PathBuf),
    /// It leads out of every root.
    #[error("it is {}, outside the workspace roots {roots}", .resolved.display())]
    Outside { resolved: PathBuf, roots: Roots },
    /// It is git's own.
    #[error("it lies in `.git`, which is git's own")]
    OfGit,
    /// It is something else.
    #[error("it is {0}")]
    NotFile(&'static str),
    /// Something else was put in its place.
    #[error("it was moved, deleted or replaced meanwhile")]
    Moved,
    /// The system does not give it.
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
}

/// Why a pattern gives no files.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GlobError {
    /// It cannot be read.
    #[error("it is no pattern: {0}")]
    Invalid(String),
    /// Its folder cannot be looked through.
    #[error("the folder that it begins with: {0}")]
    Folder(FileError),
    /// Nothing fits.
    #[error("no file fits it that git does not ignore")]
    Empty,
    /// Too much fits.
    #[error("more than {0} files fit it")]
    TooMany(usize),
    /// There is too much to look through.
    #[error("more than {MAX_VISITED} files and folders would have to be looked through")]
    TooLarge,
}

/// Whether a path can be meant as a pattern. One that exists as it is written is none.
pub(crate) fn is_pattern(given: &str) -> bool {
    given.contains(MARKS)
}

impl Roots {
    /// Opens a file that is named from a folder.
    ///
    /// # Errors
    /// See [`FileError`].
    pub(crate) fn open(&self, directory: &Path, given: &str) -> Result<OpenFile, FileError> {
        let (root, resolved) = self.find(directory, given)?;
        let (Some(parent), Some(name)) = (resolved.parent(), resolved.file_name()) else {
            return Err(FileError::NotFile("a folder"));
        };
        if resolved == root.path() {
            return Err(FileError::NotFile("a folder"));
        }
        let folder = root.below(parent.to_owned()).map_err(|_swapped| FileError::Moved)?;
        let moved = |_error| FileError::Moved;
        let found = statat(folder.handle(), name, AtFlags::SYMLINK_NOFOLLOW).map_err(moved)?;
        regular(FileType::from_raw_mode(found.st_mode))?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = openat(folder.handle(), name, flags | OFlags::CLOEXEC, Mode::empty());
        let file = file.map_err(|error| FileError::Unreadable(error.into()))?;
        let held = fstat(&file).map_err(|error| FileError::Unreadable(error.into()))?;
        regular(FileType::from_raw_mode(held.st_mode))?;
        Ok(OpenFile { file: file.into(), bytes: u64::try_from(held.st_size).unwrap_or(0) })
    }

    /// Whether a path, named from a folder, leads to something.
    pub(crate) fn is_there(&self, directory: &Path, given: &str) -> bool {
        !matches!(self.find(directory, given), Err(FileError::Missing(_)))
    }

    /// The files that fit a pattern, as paths from the same folder, in order. What git ignores is left out, and names that
    /// begin with a dot where the pattern does not say so.
    ///
    /// # Errors
    /// See [`GlobError`].
    pub(crate) fn matching(
        &self,
        directory: &Path,
        pattern: &str,
        limit: usize,
    ) -> Result<Vec<String>, GlobError> {
        let (before, rest) = parted(pattern);
        let (_, base) = self.find(directory, before).map_err(GlobError::Folder)?;
        if !base.is_dir() {
            return Err(GlobError::Folder(FileError::NotFile("no folder")));
        }
        let matcher = matcher(rest)?;
        let mut found = Vec::new();
        for (visited, entry) in walker(&base, rest).build().enumerate() {
            if visited > MAX_VISITED {
                return Err(GlobError::TooLarge);
            }
            // What cannot be looked at is not among what fits.
            let Ok(entry) = entry else { continue };
            let Ok(below) = entry.path().strip_prefix(&base) else { continue };
            if entry.file_type().is_some_and(|kind| kind.is_file()) && matcher.is_match(below) {
                // A name that is no text could not be told.
                let Some(below) = below.to_str() else { continue };
                found.push(if before == "." { below.to_owned() } else { join(before, below) });
            }
            if found.len() > limit {
                return Err(GlobError::TooMany(limit));
            }
        }
        found.sort_unstable();
        if found.is_empty() { Err(GlobError::Empty) } else { Ok(found) }
    }

    /// The root that a path lies in, and what it resolves to.
    fn find(&self, directory: &Path, given: &str) -> Result<(&Folder, PathBuf), FileError> {
        if let Some(problem) = no_path(given) {
            return Err(FileError::NoPath(problem));
        }
        let path = directory.join(given);
        let is_missing = |error: &io::Error| {
            matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
        };
        let resolved = path.canonicalize().map_err(|error| match is_missing(&error) {
            true => FileError::Missing(path.clone()),
            false => FileError::Unreadable(error),
        })?;
        let Some(root) = self.holding(&resolved) else {
            return Err(FileError::Outside { resolved, roots: self.clone() });
        };
        let below = resolved.strip_prefix(root.path()).unwrap_or(&resolved);
        let is_git = |part: Component<'_>| part.as_os_str().eq_ignore_ascii_case(".git");
        if below.components().any(is_git) {
            return Err(FileError::OfGit);
        }
        if root.is_in_place() { Ok((root, resolved)) } else { Err(FileError::Moved) }
    }
}

/// Why a text is no path.
pub(crate) fn no_path(given: &str) -> Option<&'static str> {
    match given {
        "" => Some("is empty"),
        given if given.contains('\0') => Some("has a NUL byte in it"),
        given if given.len() > MAX_PATH => Some("is longer than any path"),
        given if Path::new(given).starts_with("~") => {
            Some("begins with `~`, which is not expanded")
        }
        _ => None,
    }
}

fn regular(kind: FileType) -> Result<(), FileError> {
    match kind {
        FileType::RegularFile => Ok(()),
        FileType::Directory => Err(FileError::NotFile("a folder")),
        FileType::Fifo => Err(FileError::NotFile("a named pipe")),
        FileType::Socket => Err(FileError::NotFile("a socket")),
        FileType::CharacterDevice | FileType::BlockDevice => Err(FileError::NotFile("a device")),
        FileType::Symlink => Err(FileError::Moved),
        FileType::Unknown => Err(FileError::NotFile("no regular file")),
    }
}

/// A pattern's folders before its first mark, and the rest.
fn parted(pattern: &str) -> (&str, &str) {
    let mark = pattern.find(MARKS).unwrap_or(pattern.len());
    match pattern[..mark].rfind('/') {
        Some(0) => ("/", &pattern[1..]),
        Some(slash) => (&pattern[..slash], &pattern[slash + 1..]),
        None => (".", pattern),
    }
}

fn join(before: &str, below: &str) -> String {
    format!("{}/{below}", before.trim_end_matches('/'))
}

fn matcher(pattern: &str) -> Result<GlobMatcher, GlobError> {
    if pattern.split('/').any(|part| part == "..") {
        return Err(GlobError::Invalid("`..` stands behind a mark".to_owned()));
    }
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let glob = glob.map_err(|error| GlobError::Invalid(error.kind().to_string()))?;
    Ok(glob.compile_matcher())
}

fn walker(base: &Path, pattern: &str) -> WalkBuilder {
    let names_hidden = pattern.split('/').any(|part| part.starts_with('.'));
    let depth = (!pattern.contains("**")).then(|| pattern.split('/').count());
    let mut walker = WalkBuilder::new(base);
    walker
        .hidden(!names_hidden)
        .ignore(false)
        .require_git(false)
        .follow_links(false)
        .max_depth(depth)
        .filter_entry(|entry| !entry.file_name().eq_ignore_ascii_case(".git"));
    walker
}

/// Some lines of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lines {
    /// The wanted lines, or as much of them as was wanted.
    pub(crate) bytes: Vec<u8>,
    /// Whether there is more of them.
    pub(crate) is_cut: bool,
    /// Whether there is a NUL byte among them.
    pub(crate) is_binary: bool,
    /// How many lines the file has.
    pub(crate) total: u64,
}

impl OpenFile {
    /// Reads all of it, up to a limit.
    ///
    /// # Errors
    /// The system does not give it.
    pub(crate) fn read(self, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Its first bytes, which tell what it is.
    ///
    /// # Errors
    /// The system does not give it.
    pub(crate) fn beginning(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; BEGINNING];
        let length = self.file.read_at(&mut bytes, 0)?;
        bytes.truncate(length);
        Ok(bytes)
    }

    /// Reads lines, from one to another or to the end, in so many bytes at most; the others are counted, and nothing of them
    /// is held. No more is read than the file had when it was opened.
    ///
    /// # Errors
    /// The system does not give it.
    pub(crate) fn lines(self, from: u64, to: Option<u64>, max_bytes: usize) -> io::Result<Lines> {
        let mut file = self.file.take(self.bytes);
        let mut lines = Lines { bytes: Vec::new(), is_cut: false, is_binary: false, total: 0 };
        let mut buffer = vec![0; BUFFER];
        let mut line = 1;
        let mut ended = true;
        loop {
            let length = file.read(&mut buffer)?;
            if length == 0 {
                break;
            }
            for piece in buffer[..length].split_inclusive(|byte| *byte == b'\n') {
                if line >= from && to.is_none_or(|to| line <= to) {
                    lines.take(piece, max_bytes);
                }
                ended = piece.ends_with(b"\n");
                line += u64::from(ended);
            }
            if lines.is_binary {
                break;
            }
        }
        lines.total = if ended { line - 1 } else { line };
        Ok(lines)
    }
}

impl Lines {
    fn take(&mut self, piece: &[u8], max_bytes: usize) {
        let room = max_bytes - self.bytes.len();
        self.is_cut |= piece.len() > room;
        let taken = &piece[..piece.len().min(room)];
        self.is_binary |= memchr::memchr(0, taken).is_some();
        self.bytes.extend_from_slice(taken);
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::{Roots, matcher, parted};

    fn check(content: &[u8], from: u64, to: Option<u64>, max_bytes: usize, expected: Expect) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        std::fs::write(path.join("file"), content).unwrap();
        let roots = Roots::new(std::slice::from_ref(&path)).unwrap();
        let lines = roots.open(&path, "file").unwrap().lines(from, to, max_bytes).unwrap();
        let text = String::from_utf8_lossy(&lines.bytes).into_owned();
        let (cut, binary) = (lines.is_cut, lines.is_binary);
        expected.assert_eq(&format!("{text:?} of {}, cut {cut}, binary {binary}", lines.total));
    }

    #[test]
    fn lines_are_taken_and_the_others_counted() {
        let three = b"one\ntwo\nthree";
        check(three, 1, None, 99, expect![[r#""one\ntwo\nthree" of 3, cut false, binary false"#]]);
        check(three, 2, Some(2), 99, expect![[r#""two\n" of 3, cut false, binary false"#]]);
        check(three, 2, None, 5, expect![[r#""two\nt" of 3, cut true, binary false"#]]);
        check(three, 9, None, 99, expect![[r#""" of 3, cut false, binary false"#]]);
        check(b"one\n", 1, None, 4, expect![[r#""one\n" of 1, cut false, binary false"#]]);
        check(b"", 1, None, 99, expect![[r#""" of 0, cut false, binary false"#]]);
        check(b"a\0b\n", 1, None, 99, expect![[r#""a\0b\n" of 1, cut false, binary true"#]]);
        let long = [b"x".repeat(200_000), b"\nlast\n".to_vec()].concat();
        check(&long, 2, Some(2), 99, expect![[r#""last\n" of 2, cut false, binary false"#]]);
        check(&long, 1, None, 3, expect![[r#""xxx" of 2, cut true, binary false"#]]);
    }

    #[test]
    fn a_pattern_begins_in_its_folders_without_marks() {
        for (pattern, expected) in [
            ("*.rs", (".", "*.rs")),
            ("src/**/*.rs", ("src", "**/*.rs")),
            ("/a/b?/c", ("/a", "b?/c")),
            ("/*", ("/", "*")),
            ("a/{b,c}/d", ("a", "{b,c}/d")),
        ] {
            assert_eq!(parted(pattern), expected);
        }
        for (pattern, path, fits) in [
            ("*.rs", "a.rs", true),
            ("*.rs", "b/a.rs", false),
            ("**/*.rs", "a.rs", true),
            ("**/*.rs", "b/c/a.rs", true),
            ("[ab]?.txt", "b1.txt", true),
            ("{a,b}/*", "b/c", true),
        ] {
            assert_eq!(matcher(pattern).unwrap().is_match(path), fits, "{pattern} {path}");
        }
    }
}
