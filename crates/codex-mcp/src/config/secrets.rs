//! Which variables hold secrets, by their names.

use std::ffi::OsStr;

use super::keys::Config;

/// How the name of a variable ends whose value is nobody's business.
const ENDINGS: &[&str] =
    &["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "CREDENTIALS"];

impl Config {
    /// The values of all variables that look like secrets, whether Codex gets them or not.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let secret = self.environment.variables().filter(|(name, _)| is_secret(name));
        secret.filter_map(|(_, value)| value.to_str())
    }
}

/// Whether something of this name is a secret.
pub(crate) fn is_secret(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}
