//! Names of environment variables, alone or with a trailing `*`, and the key that lists them.

use std::ffi::OsStr;
use std::fmt;

use super::codex_environment::is_never_passed;
use super::environment::Environment;
use super::kind::{Describe, FlagShape, Kind, Raw};
use super::problem::Origin;

/// A name of a variable, or with a trailing `*` all names that begin so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern(String);

impl NamePattern {
    fn parse(text: &str) -> Option<Self> {
        let name = text.strip_suffix('*').unwrap_or(text);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        (!name.is_empty() && name.chars().all(is_name)).then(|| Self(text.to_owned()))
    }

    pub(super) fn matches(&self, name: &OsStr) -> bool {
        matches(&self.0, name)
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `name` is the pattern, or begins with what stands before its `*`.
pub(super) fn matches(pattern: &str, name: &OsStr) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.as_encoded_bytes().starts_with(prefix.as_bytes()),
        None => name == pattern,
    }
}

/// The names that are passed to Codex besides our own list.
pub(super) struct VariableNames;

impl Describe for VariableNames {
    fn type_name(&self) -> &'static str {
        "list of strings"
    }

    fn allowed(&self) -> String {
        "names of variables (letters, digits, `_`), each with or without a trailing `*`".to_owned()
    }

    fn default_text(&self) -> String {
        "none".to_owned()
    }

    fn flag(&self) -> FlagShape {
        FlagShape::Repeatable("NAME")
    }
}

impl Kind for VariableNames {
    type Value = Vec<NamePattern>;

    fn default(&self, _environment: &Environment) -> Result<(Vec<NamePattern>, Origin), String> {
        Ok((Vec::new(), Origin::Default))
    }

    fn parse(&self, raw: &Raw, _environment: &Environment) -> Result<Vec<NamePattern>, String> {
        let patterns: Option<Vec<NamePattern>> = match raw {
            Raw::Toml(value) => value.as_array().and_then(|items| {
                items.iter().map(|item| NamePattern::parse(item.as_str()?)).collect()
            }),
            Raw::Variable(text) => text.to_str().and_then(|text| {
                text.split(',').map(|name| NamePattern::parse(name.trim())).collect()
            }),
            Raw::Flag(texts) => {
                texts.iter().map(|text| NamePattern::parse(text.to_str()?)).collect()
            }
        };
        let patterns = patterns.ok_or_else(|| self.expected(raw))?;
        let refused = patterns.iter().find(|pattern| {
            let name = pattern.0.trim_end_matches('*');
            is_never_passed(OsStr::new(name))
        });
        match refused {
            Some(pattern) => Err(format!(
                "`{pattern}` is never passed to Codex; pass the value under another name"
            )),
            None => Ok(patterns),
        }
    }

    fn to_toml(&self, value: &Vec<NamePattern>) -> toml::Value {
        value.iter().map(NamePattern::to_string).collect::<Vec<_>>().into()
    }
}
