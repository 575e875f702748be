//! The settings: where they come from, what they may be, and what to say when they are wrong.
//!
//! This module is the only reader of environment variables and of configuration files. The layers are, from weak to
//! strong: defaults, `$XDG_CONFIG_HOME/codex-mcp/config.toml`, a `CODEX_MCP_<KEY>` variable for every key, flags.
//! Every layer is checked, also where a stronger one overrides it, and all problems are reported together.
//!
//! Each key is declared once, in [`keys`]; the reference, the flags, the checks and `config show` follow from it.
//! The module never writes a file, never changes the environment, and never starts a program.

mod approvals;
mod codex_bin;
mod codex_environment;
mod environment;
mod file;
mod isolation;
mod key_paths;
mod keys;
mod kind;
mod layer;
mod names;
mod number;
mod page;
mod place;
mod problem;
mod programs;
mod reference;
mod secrets;
mod words;

use std::path::{Path, PathBuf};

pub use codex_bin::CodexBinError;
pub use environment::Environment;
pub use key_paths::KeyPath;
pub(crate) use keys::all as all_keys;
pub use keys::{Config, Setting};
pub(crate) use kind::FlagShape;
pub use layer::Flags;
pub use names::NamePattern;
pub use problem::{ConfigError, Origin, Problem};
pub use reference::reference_markdown;
pub(crate) use secrets::is_secret;

use file::ConfigFile;

use crate::mcp::paging::PageRule;

impl Config {
    /// Reads the user's configuration file (which may be missing), the variables and the flags.
    ///
    /// # Errors
    /// Every problem of every layer, each with its place, what was given and what is allowed.
    pub fn load(environment: &Environment, flags: &Flags) -> Result<Self, ConfigError> {
        let file = default_file(environment).map_or(ConfigFile::Absent, ConfigFile::Optional);
        load(&file, environment, flags)
    }

    /// Does what [`Config::load`] does, with `file` (which must exist) in the place of the user's own.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_file(
        file: &Path,
        environment: &Environment,
        flags: &Flags,
    ) -> Result<Self, ConfigError> {
        load(&ConfigFile::Required(file.to_owned()), environment, flags)
    }

    /// How large a page of a long result may be: `result_page_chars`, and what the user set for Claude Code with
    /// `MAX_MCP_OUTPUT_TOKENS`. A value of that which is no number says nothing: the variable is the client's, not ours.
    pub fn page_rule(&self) -> PageRule {
        let tokens = self.environment.get("MAX_MCP_OUTPUT_TOKENS").and_then(|text| text.to_str());
        let output_tokens = tokens.and_then(|text| text.trim().parse().ok());
        PageRule { size: self.result_page_size, output_tokens }
    }

    /// Every key with its value and origin, in the order of the reference.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }
}

/// Does what [`Config::load_file`] does with a file that says this, for [`fuzzing`](crate::fuzzing).
pub(crate) fn load_text(text: &str, environment: &Environment) -> Result<Config, ConfigError> {
    load(&ConfigFile::Text(text.to_owned()), environment, &Flags::default())
}

/// Where the user's configuration file is looked for; nowhere if neither `XDG_CONFIG_HOME` nor `HOME` is set.
pub fn default_file(environment: &Environment) -> Option<PathBuf> {
    let directory = environment.base_directory("XDG_CONFIG_HOME", ".config")?;
    Some(directory.join("codex-mcp").join("config.toml"))
}

fn load(
    file: &ConfigFile,
    environment: &Environment,
    flags: &Flags,
) -> Result<Config, ConfigError> {
    let mut problems = Vec::new();
    let given = layer::read(file, environment, flags, &mut problems);
    let config = keys::settle(&given, environment, &mut problems);
    problems.sort_by(|one, other| one.origin.cmp(&other.origin));
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        Some(_) | None => Err(ConfigError { problems }),
    }
}
