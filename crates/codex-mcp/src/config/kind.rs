//! The kinds of value that a key can have: how each is read from a layer, described, and written down.
//!
//! A kind knows nothing of keys and layers. Numbers, places in the file system and names of variables have modules of
//! their own.

use std::ffi::{OsStr, OsString};
use std::fmt;

use tracing::Level;

use super::environment::Environment;
use super::problem::Origin;

/// A value as a layer gives it.
#[derive(Debug)]
pub(super) enum Raw {
    /// From a file: already typed.
    Toml(toml::Value),
    /// From a variable: one text, which a kind may split.
    Variable(OsString),
    /// From a flag: a text for each time it was given.
    Flag(Vec<OsString>),
}

impl Raw {
    /// Returns the one text of a value that is given once.
    pub(super) fn text(&self) -> Option<&OsStr> {
        match self {
            Self::Toml(value) => value.as_str().map(OsStr::new),
            Self::Variable(text) => Some(text),
            Self::Flag(texts) => texts.first().map(OsString::as_os_str),
        }
    }

    /// Returns the text where values have no types; a file writes numbers and switches as themselves.
    pub(super) fn untyped(&self) -> Option<&str> {
        match self {
            Self::Toml(_) => None,
            Self::Variable(_) | Self::Flag(_) => self.text()?.to_str(),
        }
    }

    pub(super) fn toml(&self) -> Option<&toml::Value> {
        match self {
            Self::Toml(value) => Some(value),
            Self::Variable(_) | Self::Flag(_) => None,
        }
    }
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Toml(value) => write!(f, "{value}"),
            Self::Variable(text) => write!(f, "{text:?}"),
            Self::Flag(texts) => {
                let texts: Vec<_> = texts.iter().map(|text| format!("{text:?}")).collect();
                f.write_str(&texts.join(", "))
            }
        }
    }
}

/// How a key looks on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlagShape {
    /// `--key` or `--key=false`.
    Switch,
    /// `--key VALUE`, once; holds the word for the value.
    Once(&'static str),
    /// `--key VALUE`, as often as wanted; holds the word for the value.
    Repeatable(&'static str),
}

/// What the reference and the command line say about a kind.
pub(crate) trait Describe {
    /// The type in a word or two.
    fn type_name(&self) -> &'static str;
    /// The allowed values, as the end of "expected …".
    fn allowed(&self) -> String;
    /// The default, in Markdown.
    fn default_text(&self) -> String;
    /// The flag.
    fn flag(&self) -> FlagShape;
}

/// What is done with the values of a kind.
pub(super) trait Kind: Describe {
    /// The value as the program uses it.
    type Value;

    /// Returns the value of a key that nobody set; the error says what to set.
    fn default(&self, environment: &Environment) -> Result<(Self::Value, Origin), String>;

    /// Reads a value; the error says what was expected and what was given.
    fn parse(&self, raw: &Raw, environment: &Environment) -> Result<Self::Value, String>;

    /// Checks the value that holds in the end against the world; overridden ones are not asked to exist.
    fn check(&self, _value: &Self::Value) -> Result<(), String> {
        Ok(())
    }

    /// Writes the value as it would stand in a file.
    fn to_toml(&self, value: &Self::Value) -> toml::Value;

    /// Returns the message for a value that is not of this kind.
    fn expected(&self, raw: &Raw) -> String {
        format!("expected {}, got {raw}", self.allowed())
    }
}

/// On or off; as it says unless set.
pub(super) enum Switch {
    /// Off unless set.
    Off,
    /// On unless set.
    On,
}

impl Describe for Switch {
    fn type_name(&self) -> &'static str {
        "boolean"
    }

    fn allowed(&self) -> String {
        "true or false".to_owned()
    }

    fn default_text(&self) -> String {
        match self {
            Self::Off => "`false`".to_owned(),
            Self::On => "`true`".to_owned(),
        }
    }

    fn flag(&self) -> FlagShape {
        FlagShape::Switch
    }
}

impl Kind for Switch {
    type Value = bool;

    fn default(&self, _environment: &Environment) -> Result<(bool, Origin), String> {
        Ok((matches!(self, Self::On), Origin::Default))
    }

    fn parse(&self, raw: &Raw, _environment: &Environment) -> Result<bool, String> {
        let typed = raw.toml().and_then(toml::Value::as_bool);
        typed.or_else(|| raw.untyped()?.parse().ok()).ok_or_else(|| self.expected(raw))
    }

    fn to_toml(&self, value: &bool) -> toml::Value {
        toml::Value::Boolean(*value)
    }
}

/// How much is logged; warnings and errors unless set.
pub(super) struct LogLevel;

const LEVELS: [(&str, Level); 5] = [
    ("error", Level::ERROR),
    ("warn", Level::WARN),
    ("info", Level::INFO),
    ("debug", Level::DEBUG),
    ("trace", Level::TRACE),
];

impl Describe for LogLevel {
    fn type_name(&self) -> &'static str {
        "string"
    }

    fn allowed(&self) -> String {
        format!("one of {}", LEVELS.map(|(name, _)| name).join(", "))
    }

    fn default_text(&self) -> String {
        "`warn`".to_owned()
    }

    fn flag(&self) -> FlagShape {
        FlagShape::Once("LEVEL")
    }
}

impl Kind for LogLevel {
    type Value = Level;

    fn default(&self, _environment: &Environment) -> Result<(Level, Origin), String> {
        Ok((Level::WARN, Origin::Default))
    }

    fn parse(&self, raw: &Raw, _environment: &Environment) -> Result<Level, String> {
        let text = raw.text().and_then(OsStr::to_str);
        LEVELS
            .iter()
            .find(|(name, _)| Some(*name) == text)
            .map(|(_, level)| *level)
            .ok_or_else(|| self.expected(raw))
    }

    fn to_toml(&self, value: &Level) -> toml::Value {
        toml::Value::String(value.as_str().to_ascii_lowercase())
    }
}
