//! The environment as a value, so that everything that reads it can be given another one.
//!
//! Only [`Environment::of_process`] looks at the process. Nothing here changes it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use codex_client::ancestry;

use super::codex_bin::is_executable;

/// Variables and working directory, as they were at one moment.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    working_directory: Option<PathBuf>,
}

impl Environment {
    /// Takes a snapshot of this process, its depth below app-servers of ours included. The working directory is absent if it was deleted or cannot be read.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the process environment"
    )]
    pub fn of_process() -> Self {
        let mut environment = Self {
            variables: std::env::vars_os().collect(),
            working_directory: std::env::current_dir().ok(),
        };
        // Codex does not pass its depth on to its MCP servers; and whoever says less than is so is not believed.
        let depth = ancestry::depth_above();
        if depth > environment.depth() {
            let (name, value) = ancestry::variable(depth);
            environment.variables.insert(name, value);
        }
        environment
    }

    /// How many app-servers of ours stand above whoever has this environment.
    pub(crate) fn depth(&self) -> u32 {
        let given = self.get(ancestry::VARIABLE).and_then(OsStr::to_str);
        given.and_then(|depth| depth.parse().ok()).unwrap_or(0)
    }

    /// Makes an environment of the given variables and working directory.
    pub fn new<N, V>(
        variables: impl IntoIterator<Item = (N, V)>,
        working_directory: impl Into<PathBuf>,
    ) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            working_directory: Some(working_directory.into()),
        }
    }

    /// Makes the environment of a client that introduced itself.
    pub(crate) fn of_client(
        variables: impl IntoIterator<Item = (String, String)>,
        working_directory: Option<PathBuf>,
    ) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self { variables: variables.collect(), working_directory }
    }

    /// Returns the value of a variable; one that is set to nothing counts as not set.
    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        let value = self.variables.get(OsStr::new(name))?;
        (!value.is_empty()).then_some(value.as_os_str())
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    pub(crate) fn working_directory(&self) -> Option<&Path> {
        self.working_directory.as_deref()
    }

    /// All variables, for a program of the user's own.
    pub(crate) fn all(&self) -> Vec<(OsString, OsString)> {
        self.variables.clone().into_iter().collect()
    }

    pub(super) fn home(&self) -> Option<&Path> {
        self.absolute("HOME")
    }

    /// Returns an XDG base directory.
    pub(crate) fn base_directory(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        self.absolute(variable).map(Path::to_owned).or_else(|| Some(self.home()?.join(below_home)))
    }

    /// Looks for a program in the directories of `PATH`; the error says in which.
    pub(crate) fn find_on_path(&self, name: &Path) -> Result<PathBuf, Vec<PathBuf>> {
        // A relative directory in PATH would be looked up in the workspace, which Codex itself may write.
        let path = self.get("PATH").unwrap_or_default();
        let directories: Vec<PathBuf> =
            std::env::split_paths(path).filter(|path| path.is_absolute()).collect();
        let found = directories
            .iter()
            .map(|directory| directory.join(name))
            .find(|path| is_executable(path));
        found.ok_or(directories)
    }

    /// Returns a path from a variable; a relative one, which nobody can mean, is ignored.
    pub(crate) fn absolute(&self, name: &str) -> Option<&Path> {
        self.get(name).map(Path::new).filter(|path| path.is_absolute())
    }
}

impl fmt::Debug for Environment {
    /// Leaves the values out: they hold keys and tokens, and debug output ends in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys())
            .field("working_directory", &self.working_directory)
            .finish()
    }
}
