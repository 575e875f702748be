//! What a file is, apart from its name.

use patch::{Kind, Mode};
use rustix::fs::Stat;
use serde::{Deserialize, Serialize};

use crate::ContentId;

/// One file or link of a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its kind and permissions.
    #[serde(with = "mode")]
    pub mode: Mode,
    /// The length of the content in bytes.
    pub size: u64,
    /// The content; of a link its target.
    pub content: ContentId,
}

impl Entry {
    /// Whether it is a link.
    #[must_use]
    pub fn is_link(&self) -> bool {
        match self.mode.kind() {
            Kind::Symlink => true,
            Kind::Regular => false,
        }
    }

    pub(crate) fn of_file(stat: &Stat, content: ContentId, size: u64) -> Self {
        Self { mode: Mode::regular(stat.st_mode & 0o777), size, content }
    }

    pub(crate) fn of_link(target: &[u8]) -> Self {
        let size = target.len() as u64;
        Self { mode: Mode::SYMLINK, size, content: ContentId::of(target) }
    }
}

/// A mode as text: the permissions in octal, or `link`.
mod mode {
    use patch::{Kind, Mode};
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(mode: &Mode, to: S) -> Result<S::Ok, S::Error> {
        match mode.kind() {
            Kind::Symlink => to.serialize_str("link"),
            Kind::Regular => to.collect_str(&format_args!("{:o}", mode.permissions())),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Mode, D::Error> {
        match String::deserialize(from)?.as_str() {
            "link" => Ok(Mode::SYMLINK),
            text => u32::from_str_radix(text, 8)
                .map(Mode::regular)
                .map_err(|_| D::Error::custom(format!("{text:?} is no mode"))),
        }
    }
}
