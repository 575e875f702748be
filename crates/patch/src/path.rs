//! Names of files in a tree.

use std::fmt;
use std::path::Path;

use crate::quote::quote;

/// The longest path that Linux takes, without the NUL.
const MAX_BYTES: usize = 4095;

/// A relative path below the root of a tree: components between `/`, in bytes.
///
/// It never leads out of the tree by its own letters (links can still lead out, which only the caller can see), and
/// never into a repository's own folder, in any spelling that some file system takes for `.git`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Box<[u8]>);

/// Why a name is no path in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    /// There is nothing, or nothing between two slashes or after the last.
    #[error("the path, or a part of it between two slashes, is empty")]
    Empty,
    /// It begins with a slash, or with a drive.
    #[error("the path is absolute")]
    Absolute,
    /// A component is `.` or `..`.
    #[error("the path has `.` or `..` in it")]
    Dots,
    /// A name cannot hold a NUL.
    #[error("the path has a NUL in it")]
    Nul,
    /// It is longer than 4,095 bytes.
    #[error("the path is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// A component is `.git`, or what some file system takes for it.
    #[error("the path leads into a repository's own `.git`")]
    Repository,
}

impl TreePath {
    /// Takes a name as it stands in a tree or a diff, without its prefix.
    ///
    /// # Errors
    /// When it is not a relative path that stays in its tree and out of `.git`.
    pub fn new(path: impl AsRef<[u8]>) -> Result<Self, InvalidPath> {
        let path = path.as_ref();
        if path.starts_with(b"/") {
            return Err(InvalidPath::Absolute);
        }
        if path.len() > MAX_BYTES {
            return Err(InvalidPath::TooLong);
        }
        if path.contains(&0) {
            return Err(InvalidPath::Nul);
        }
        for component in path.split(|&byte| byte == b'/') {
            match component {
                b"" => return Err(InvalidPath::Empty),
                b"." | b".." => return Err(InvalidPath::Dots),
                _ if is_repository(component) => return Err(InvalidPath::Repository),
                _ => {}
            }
        }
        Ok(Self(path.into()))
    }

    /// The path as it is.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The names of the folders and, last, of the file.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&byte| byte == b'/')
    }

    /// The last component.
    #[must_use]
    pub fn file_name(&self) -> &[u8] {
        let start = memchr::memrchr(b'/', &self.0).map_or(0, |at| at + 1);
        &self.0[start..]
    }

    /// The folder; none at the root of the tree.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let end = memchr::memrchr(b'/', &self.0)?;
        Some(Self(self.0[..end].into()))
    }

    /// The path as the system has it, relative to the root of the tree.
    #[cfg(unix)]
    #[must_use]
    pub fn to_path(&self) -> &Path {
        use std::os::unix::ffi::OsStrExt as _;
        Path::new(std::ffi::OsStr::from_bytes(&self.0))
    }
}

/// As git writes it: quoted only where it has to be.
impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quote(&self.0))
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreePath({self})")
    }
}

/// Whether a file system could take the name for `.git`: case is folded, HFS+ ignores some characters, NTFS ignores
/// dots and spaces at the end, has a short name for it, and names streams after a colon.
fn is_repository(component: &[u8]) -> bool {
    let seen = without_ignored(component).to_ascii_lowercase();
    let rest = seen.strip_prefix(b".git").or_else(|| seen.strip_prefix(b"git~1"));
    rest.is_some_and(|rest| {
        let end = rest.iter().find(|&&byte| byte != b'.' && byte != b' ');
        matches!(end, None | Some(b':' | b'\\'))
    })
}

fn without_ignored(component: &[u8]) -> Vec<u8> {
    let mut seen = Vec::with_capacity(component.len());
    for chunk in component.utf8_chunks() {
        for c in chunk.valid().chars().filter(|&c| !is_ignored(c)) {
            seen.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        seen.extend_from_slice(chunk.invalid());
    }
    seen
}

/// What HFS+ leaves out when it compares names.
fn is_ignored(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}
