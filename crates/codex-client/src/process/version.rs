//! Reads Codex's version, which it tells only within its user agent.

use std::fmt;

/// The oldest Codex that has the methods a bridge needs.
pub const MINIMUM_VERSION: Version = Version { major: 0, minor: 130, patch: 0 };

/// A Codex version. A pre-release counts as its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

impl Version {
    /// The first version that follows a slash, as in `codex-mcp/0.169.0 (Debian 12.0.0; x86_64)`.
    pub(crate) fn from_user_agent(user_agent: &str) -> Option<Self> {
        user_agent.split('/').skip(1).find_map(Self::leading)
    }

    /// The version in what `codex --version` prints: `codex-cli 0.169.0`.
    pub(crate) fn from_command_line(line: &str) -> Option<Self> {
        line.strip_prefix("codex-cli ").and_then(Self::leading)
    }

    /// Reads `1.2.3` at the start of `text`, whatever follows.
    fn leading(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        let rest = parts.next()?;
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let patch = rest[..digits].parse().ok()?;
        Some(Self { major, minor, patch })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn reads_what_codex_says() {
        let read = |text| Version::from_user_agent(text).map(|version| version.to_string());
        assert_eq!(
            read("lab/0.169.0 (Debian 12.0.0; x86_64) dumb (lab; 0.1)").as_deref(),
            Some("0.169.0")
        );
        assert_eq!(read("a b/c/1.2.30-alpha.4 (x)").as_deref(), Some("1.2.30"));
        assert_eq!(read("lab/dev (Debian 12.0.0)"), None);
        assert_eq!(read(""), None);
        let read = |text| Version::from_command_line(text).map(|version| version.to_string());
        assert_eq!(read("codex-cli 0.169.0").as_deref(), Some("0.169.0"));
        assert_eq!(read("git version 2.39.5"), None);
        assert_eq!(read("codex-cli of my own"), None);
    }
}
