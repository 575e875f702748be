//! Codex's own configuration files, as far as they are read here: the user's, a profile's, a project's.
//!
//! They are never written, and one that is no plain file or too large is not read.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Map, Value};

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Reads a file; `None` if it is not there.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn read(path: &Path) -> Result<Option<Map<String, Value>>, String> {
    let text = match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err("it is no file".to_owned()),
        Ok(metadata) if metadata.len() > MAX_BYTES => {
            return Err(format!("it has {} bytes; at most {MAX_BYTES} are read", metadata.len()));
        }
        Ok(_) => fs::read_to_string(path).map_err(|error| error.to_string())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    toml::from_str(&text).map(Some).map_err(|error| error.message().to_owned())
}
