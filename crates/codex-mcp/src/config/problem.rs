//! What is wrong with the configuration, and where.
//!
//! The texts are for the person who wrote the value: they name the place, what was given and what is allowed.

use std::fmt;
use std::path::PathBuf;

/// Where a value comes from. The order is that of the layers, from weak to strong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of a configuration file; `None` is the file as a whole.
    File {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: Option<usize>,
    },
    /// An environment variable, by name.
    Variable(String),
    /// A flag, with its dashes.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: Some(line) } => write!(f, "{}:{line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is wrong.
    pub origin: Origin,
    /// The key whose value is wrong; `None` where the place itself is (an unknown key, a file that is not TOML).
    pub key: Option<&'static str>,
    /// What was given and what is allowed.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, key, message } = self;
        match (origin, key) {
            // A variable or a flag says in its own name which key it is.
            (Origin::Variable(_) | Origin::Flag(_), _) | (_, None) => {
                write!(f, "{origin}: {message}")
            }
            (Origin::Default | Origin::File { .. }, Some(key)) => {
                write!(f, "{origin}: {key}: {message}")
            }
        }
    }
}

/// The configuration cannot be used. The text has a line for each problem.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is not valid{}", bullets(.problems))]
pub struct ConfigError {
    /// At least one, in the order of the layers and of the lines.
    pub problems: Vec<Problem>,
}

fn bullets(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n- {problem}")).collect()
}
