//! Paths as git knows them, bytes below the top level, as callers give and see them.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

/// A path as a text: as it is, or between quotes with escapes, as git writes it, if it is no text of one line.
pub(crate) fn shown(path: &[u8]) -> String {
    match std::str::from_utf8(path) {
        Ok(text)
            if !text.contains(|character: char| character.is_control() || character == '"') =>
        {
            text.to_owned()
        }
        Ok(_) | Err(_) => quoted(path),
    }
}

/// The path as git writes it where it has to be quoted.
pub(super) fn quoted(path: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for byte in path {
        match byte {
            b'"' => quoted.push_str("\\\""),
            b'\\' => quoted.push_str("\\\\"),
            b'\n' => quoted.push_str("\\n"),
            b'\t' => quoted.push_str("\\t"),
            b'\r' => quoted.push_str("\\r"),
            0x20..=0x7e => quoted.push(char::from(*byte)),
            other => quoted.push_str(&format!("\\{other:03o}")),
        }
    }
    quoted.push('"');
    quoted
}

/// Reads a path that [`shown`] or git has quoted; any other text is the path itself.
pub(crate) fn unquoted(text: &str) -> Option<Vec<u8>> {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return Some(text.as_bytes().to_vec());
    };
    let mut bytes = inner.bytes();
    let mut path = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            path.push(byte);
            continue;
        }
        path.push(match bytes.next()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'a' => 7,
            b'b' => 8,
            b'v' => 11,
            b'f' => 12,
            first @ b'0'..=b'3' => {
                let digits = [first, bytes.next()?, bytes.next()?];
                let digits = std::str::from_utf8(&digits).ok()?.to_owned();
                u8::from_str_radix(&digits, 8).ok()?
            }
            plain @ (b'\\' | b'"') => plain,
            _ => return None,
        });
    }
    Some(path)
}

/// A path that limits what is looked at, below the top level. It is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pathspec(PathBuf);

impl Pathspec {
    /// A path that a caller gives, from the folder that it works in; it may name what is no longer there. It has to lie in
    /// `root`.
    pub(crate) fn read(given: &str, directory: &Path, root: &Path, top: &Path) -> Option<Self> {
        let given = unquoted(given).filter(|path| !path.is_empty() && !path.contains(&0))?;
        let path = lexical(&directory.join(OsString::from_vec(given)))?;
        path.starts_with(root).then_some(())?;
        path.strip_prefix(top).ok().map(|below| Self(below.to_owned()))
    }

    /// One path of git's.
    pub(super) fn of_path(path: &[u8]) -> Self {
        Self(OsString::from_vec(path.to_vec()).into())
    }

    /// All of a folder, if it is below the top level; above it there is nothing to leave out.
    pub(super) fn of_folder(folder: &Path, top: &Path) -> Option<Self> {
        let below = folder.strip_prefix(top).ok()?;
        (!below.as_os_str().is_empty()).then(|| Self(below.to_owned()))
    }

    pub(super) fn argument(&self) -> OsString {
        let mut argument = b":(top,literal)".to_vec();
        argument.extend_from_slice(self.0.as_os_str().as_bytes());
        OsString::from_vec(argument)
    }
}

impl fmt::Display for Pathspec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&shown(self.0.as_os_str().as_bytes()))
    }
}

/// The path without `.` and `..`, which are taken at their word: links are git's own to follow or not.
fn lexical(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop().then_some(())?;
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                plain.push(component)
            }
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Pathspec, shown, unquoted};

    #[test]
    fn what_is_shown_can_be_given_back() {
        for path in
            [&b"plain/file name.rs"[..], "é".as_bytes(), b"a\nb", b"\xff\"\\", b"-x", b"\x01"]
        {
            assert_eq!(unquoted(&shown(path)).as_deref(), Some(path), "{}", shown(path));
        }
        assert_eq!(shown(b"a\nb\xff"), r#""a\nb\377""#);
        assert_eq!(unquoted(r#""\4""#), None);
    }

    #[test]
    fn a_path_stays_in_its_root() {
        let read = |given| {
            let spec = Pathspec::read(
                given,
                Path::new("/r/top/sub"),
                Path::new("/r/top"),
                Path::new("/r"),
            );
            spec.map(|spec| spec.argument().into_string().unwrap())
        };
        assert_eq!(read("a").as_deref(), Some(":(top,literal)top/sub/a"));
        assert_eq!(read("../b*").as_deref(), Some(":(top,literal)top/b*"));
        assert_eq!(read("/r/top").as_deref(), Some(":(top,literal)top"));
        for outside in ["../..", "/etc", "../../top2/x", "", "a\0b", "/../../../r"] {
            assert_eq!(read(outside), None, "{outside}");
        }
    }
}
