//! Reads small text files that others may have put there: a link to a device or a pipe does not hold the reader.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Reads a regular file of at most so many bytes.
pub(crate) fn read(path: &Path, max_bytes: u64) -> io::Result<String> {
    // Opening a pipe would wait for its writer, so it is looked at first.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut text = String::new();
    // Its size may have changed since, or mean nothing, as under /proc.
    File::open(path)?.take(max_bytes + 1).read_to_string(&mut text)?;
    match text.len() as u64 > max_bytes {
        true => Err(io::Error::other(format!("it has more than {max_bytes} bytes"))),
        false => Ok(text),
    }
}
