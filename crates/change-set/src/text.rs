//! Paths as text in what is kept: readable, and without loss for names that are not UTF-8.

use patch::TreePath;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str};
use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

/// What is written as `%XX`, besides bytes that are not ASCII.
const SET: &AsciiSet = &CONTROLS.add(b'%');

pub(crate) fn write(path: &TreePath) -> String {
    match std::str::from_utf8(path.as_bytes()) {
        Ok(text) if !text.contains(|c: char| c.is_control() || c == '%') => text.to_owned(),
        _ => percent_encoding::percent_encode(path.as_bytes(), SET).to_string(),
    }
}

pub(crate) fn read(text: &str) -> Option<TreePath> {
    TreePath::new(percent_decode_str(text).collect::<Vec<u8>>()).ok()
}

pub(crate) fn serialize<S: Serializer>(path: &TreePath, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&write(path))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TreePath, D::Error> {
    let text = String::deserialize(from)?;
    read(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is no path in a tree")))
}
