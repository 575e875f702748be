//! Paths of keys in Codex's configuration, and the key that lists them.

use std::fmt;

use super::environment::Environment;
use super::kind::{Describe, FlagShape, Kind, Raw};
use super::problem::Origin;

/// A key of Codex's configuration with the tables that it stands in, such as `tools.web_search`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPath(String);

impl KeyPath {
    /// Whether a text has the form of a path: no part is empty, none has to be quoted.
    pub(crate) fn is_one(text: &str) -> bool {
        let fits = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        text.split('.').all(|part| !part.is_empty() && part.chars().all(fits))
    }

    /// The path, dotted.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        Self::is_one(text).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Keys that calls may set besides our own list.
pub(super) struct KeyPaths;

impl Describe for KeyPaths {
    fn type_name(&self) -> &'static str {
        "list of strings"
    }

    fn allowed(&self) -> String {
        "dotted keys of Codex's configuration (letters, digits, `-`, `_`); one allows what lies below it too".to_owned()
    }

    fn default_text(&self) -> String {
        "none".to_owned()
    }

    fn flag(&self) -> FlagShape {
        FlagShape::Repeatable("KEY")
    }
}

impl Kind for KeyPaths {
    type Value = Vec<KeyPath>;

    fn default(&self, _environment: &Environment) -> Result<(Vec<KeyPath>, Origin), String> {
        Ok((Vec::new(), Origin::Default))
    }

    fn parse(&self, raw: &Raw, _environment: &Environment) -> Result<Vec<KeyPath>, String> {
        let paths: Option<Vec<KeyPath>> = match raw {
            Raw::Toml(value) => value.as_array().and_then(|items| {
                items.iter().map(|item| KeyPath::parse(item.as_str()?)).collect()
            }),
            Raw::Variable(text) => text
                .to_str()
                .and_then(|text| text.split(',').map(|key| KeyPath::parse(key.trim())).collect()),
            Raw::Flag(texts) => texts.iter().map(|text| KeyPath::parse(text.to_str()?)).collect(),
        };
        paths.ok_or_else(|| self.expected(raw))
    }

    fn to_toml(&self, value: &Vec<KeyPath>) -> toml::Value {
        value.iter().map(KeyPath::to_string).collect::<Vec<_>>().into()
    }
}
