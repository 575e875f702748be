//! What a file is besides its bytes.

use std::fmt;

/// What kind of file stands at a path. Everything else (folders, submodules, devices) is not the text of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A regular file.
    Regular,
    /// A symbolic link; its content is its target.
    Symlink,
}

/// The kind of a file and, for a regular one, its nine permission bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mode {
    kind: Kind,
    permissions: u16,
}

impl Mode {
    /// A regular file as git writes it: `rw-r--r--`.
    pub const FILE: Self = Self::regular(0o644);
    /// An executable file as git writes it: `rwxr-xr-x`.
    pub const EXECUTABLE: Self = Self::regular(0o755);
    /// A symbolic link.
    pub const SYMLINK: Self = Self { kind: Kind::Symlink, permissions: 0o777 };

    /// A regular file with these permissions; only the nine bits of `rwxrwxrwx` are kept.
    #[must_use]
    pub const fn regular(permissions: u32) -> Self {
        Self { kind: Kind::Regular, permissions: (permissions & 0o777) as u16 }
    }

    /// The kind of the file.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.kind
    }

    /// The nine permission bits; those of a link mean nothing.
    #[must_use]
    pub const fn permissions(self) -> u32 {
        self.permissions as u32
    }

    /// Whether a regular file may be run by its owner, which is all that git keeps of the permissions.
    #[must_use]
    pub const fn is_executable(self) -> bool {
        matches!(self.kind, Kind::Regular) && self.permissions & 0o100 != 0
    }

    /// As git writes it: `100644`, `100755` or `120000`.
    #[must_use]
    pub const fn git(self) -> &'static str {
        match self.kind {
            Kind::Regular if self.is_executable() => "100755",
            Kind::Regular => "100644",
            Kind::Symlink => "120000",
        }
    }

    /// The same permissions, with the executable bit of `other` wherever the file can be read.
    #[must_use]
    pub(crate) const fn with_executable_of(self, other: Self) -> Self {
        if self.is_executable() == other.is_executable() {
            self
        } else if other.is_executable() {
            let readable = self.permissions & 0o444;
            Self { kind: self.kind, permissions: self.permissions | readable >> 2 | 0o100 }
        } else {
            Self { kind: self.kind, permissions: self.permissions & 0o666 }
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.git())
    }
}

/// One side of a file: what it is and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side<'a> {
    /// Its kind and permissions.
    pub mode: Mode,
    /// Its bytes, or the target of a link.
    pub content: &'a [u8],
}
