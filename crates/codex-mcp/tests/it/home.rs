//! A home directory with settings in it, for the tests that read settings.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use codex_mcp::cli;
use codex_mcp::config::{Config, ConfigError, Environment};

/// A home with a working directory, and the layers to read in it. `$TEST` stands for its path, everywhere.
pub(crate) struct Home {
    directory: tempfile::TempDir,
    variables: Vec<(OsString, OsString)>,
}

impl Home {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("work/sub")).unwrap();
        let home = directory.path().into();
        Self { directory, variables: vec![("HOME".into(), home)] }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes the user's configuration file.
    pub(crate) fn file(self, text: &str) -> Self {
        self.write(".config/codex-mcp/config.toml", text)
    }

    pub(crate) fn write(self, path: &str, text: &str) -> Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, self.filled(text)).unwrap();
        self
    }

    /// Sets variables, given as `NAME=value`.
    pub(crate) fn variables(mut self, variables: &[&str]) -> Self {
        for variable in variables {
            let variable = self.filled(variable);
            let (name, value) = variable.split_once('=').unwrap();
            self.variables.push((name.into(), value.into()));
        }
        self
    }

    pub(crate) fn environment(&self) -> Environment {
        Environment::new(self.variables.clone(), self.path().join("work"))
    }

    pub(crate) fn load(&self, flags: &[&str]) -> Result<Config, ConfigError> {
        let words = std::iter::once("codex-mcp").chain(flags.iter().copied());
        let invocation = cli::parse(words.map(|word| self.filled(word))).unwrap();
        Config::load(&self.environment(), &invocation.flags)
    }

    pub(crate) fn filled(&self, text: &str) -> String {
        text.replace("$TEST", self.path().to_str().unwrap())
    }

    pub(crate) fn shown(&self, text: &str) -> String {
        text.replace(self.path().to_str().unwrap(), "$TEST")
    }
}
