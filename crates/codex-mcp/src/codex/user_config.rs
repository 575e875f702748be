//! Codex's own configuration files, as far as they are read here: the user's, a profile's, a project's.
//!
//! They are never written, and one that is no plain file or too large is not read.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;
use serde_json::{Map, Value};

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Reads a file; `None` if it is not there.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn read(path: &Path) -> Result<Option<Map<String, Value>>, String> {
    let text = match open(path) {
        Ok(file) => read_file(file)?,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    toml::from_str(&text).map(Some).map_err(|error| error.message().to_owned())
}

/// Opens without waiting: what stands in a workspace may be a pipe that nobody writes to.
fn open(path: &Path) -> io::Result<File> {
    let no_waiting = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    OpenOptions::new().read(true).custom_flags(no_waiting).open(path)
}

fn is_absent(error: &io::Error) -> bool {
    [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind())
}

/// Looks at what was opened, which nobody can exchange any more.
fn read_file(file: File) -> Result<String, String> {
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut text = String::new();
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    match text.len() as u64 {
        0..=MAX_BYTES => Ok(text),
        _ => Err(format!("it has {} bytes; at most {MAX_BYTES} are read", metadata.len())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::{MAX_BYTES, read};

    #[test]
    fn only_a_plain_file_of_some_size_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("good"), "a.b = 1").unwrap();
        fs::write(path("bad"), "a b").unwrap();
        fs::write(path("large"), " ".repeat(MAX_BYTES as usize + 1)).unwrap();
        fs::create_dir(path("directory")).unwrap();
        symlink("/dev/zero", path("endless")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe"), rustix::fs::Mode::RWXU).unwrap();
        let text = serde_json::Value::Object(read(&path("good")).unwrap().unwrap()).to_string();
        assert_eq!(text, r#"{"a":{"b":1}}"#);
        for name in ["missing", "good/below"] {
            assert_eq!(read(&path(name)), Ok(None), "{name}");
        }
        for name in ["bad", "large", "directory", "endless", "pipe"] {
            assert!(read(&path(name)).is_err(), "{name}");
        }
    }
}
