//! Kinds of value that are places in the file system: a program, the state directory, the workspace roots.
//!
//! A place is absolute once it is read: `~` is the home directory, and a relative path joins the working directory,
//! except in a file, which is read from wherever the server happens to be started.

use std::error::Error as _;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::kind::{Describe, FlagShape, Kind, Raw};
use super::problem::Origin;
use crate::workspace::Roots;

/// A program: a bare name, looked for on `PATH` when it is needed, or a path.
pub(super) struct Program(pub(super) &'static str);

impl Describe for Program {
    fn type_name(&self) -> &'static str {
        "string"
    }

    fn allowed(&self) -> String {
        format!("the name of a program on PATH, or {PATH}")
    }

    fn default_text(&self) -> String {
        format!("`{}`", self.0)
    }

    fn flag(&self) -> FlagShape {
        FlagShape::Once("PROGRAM")
    }
}

impl Kind for Program {
    type Value = PathBuf;

    fn default(&self, _environment: &Environment) -> Result<(PathBuf, Origin), String> {
        Ok((PathBuf::from(self.0), Origin::Default))
    }

    fn parse(&self, raw: &Raw, environment: &Environment) -> Result<PathBuf, String> {
        let text = raw.text().ok_or_else(|| self.expected(raw))?;
        let is_name = Path::new(text).file_name() == Some(text);
        let program = if is_name && text != "~" {
            Some(PathBuf::from(text))
        } else {
            absolute(text, base(raw, environment), environment)
        };
        program.ok_or_else(|| self.expected(raw))
    }

    fn to_toml(&self, value: &PathBuf) -> toml::Value {
        path_to_toml(value)
    }
}

/// The directory for what the server keeps.
pub(super) struct StateDir;

impl Describe for StateDir {
    fn type_name(&self) -> &'static str {
        "string"
    }

    fn allowed(&self) -> String {
        PATH.to_owned()
    }

    fn default_text(&self) -> String {
        "`$XDG_STATE_HOME/codex-mcp`, else `~/.local/state/codex-mcp`".to_owned()
    }

    fn flag(&self) -> FlagShape {
        FlagShape::Once("DIR")
    }
}

impl Kind for StateDir {
    type Value = PathBuf;

    fn default(&self, environment: &Environment) -> Result<(PathBuf, Origin), String> {
        let directory = environment.base_directory("XDG_STATE_HOME", ".local/state").ok_or(
            "there is no default, because neither XDG_STATE_HOME nor HOME is set; set --state-dir",
        )?;
        Ok((directory.join("codex-mcp"), Origin::Default))
    }

    fn parse(&self, raw: &Raw, environment: &Environment) -> Result<PathBuf, String> {
        raw.text()
            .and_then(|text| absolute(text, base(raw, environment), environment))
            .ok_or_else(|| self.expected(raw))
    }

    /// Accepts a directory that does not exist yet: it is made when something is first written.
    fn check(&self, value: &PathBuf) -> Result<(), String> {
        match fs::read_dir(value) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(format!("{value:?} cannot be used as a directory: {error}")),
        }
    }

    fn to_toml(&self, value: &PathBuf) -> toml::Value {
        path_to_toml(value)
    }
}

/// The directories in which Codex may work.
pub(super) struct WorkspaceRoots;

impl Describe for WorkspaceRoots {
    fn type_name(&self) -> &'static str {
        "list of strings"
    }

    fn allowed(&self) -> String {
        format!("one or more existing directories, each {PATH}")
    }

    fn default_text(&self) -> String {
        "`$CLAUDE_PROJECT_DIR`, else the working directory".to_owned()
    }

    fn flag(&self) -> FlagShape {
        FlagShape::Repeatable("DIR")
    }
}

impl Kind for WorkspaceRoots {
    type Value = Vec<PathBuf>;

    fn default(&self, environment: &Environment) -> Result<(Vec<PathBuf>, Origin), String> {
        let project = "CLAUDE_PROJECT_DIR";
        if let Some(directory) = environment.absolute(project) {
            let origin = Origin::Variable(project.to_owned());
            return Ok((vec![directory.to_owned()], origin));
        }
        let directory = environment
            .working_directory()
            .ok_or("there is no default, because the working directory cannot be read; set --workspace-root")?;
        Ok((vec![directory.to_owned()], Origin::Default))
    }

    fn parse(&self, raw: &Raw, environment: &Environment) -> Result<Vec<PathBuf>, String> {
        let texts: Option<Vec<OsString>> = match raw {
            Raw::Toml(value) => value.as_array().and_then(|array| {
                array.iter().map(|item| item.as_str().map(OsString::from)).collect()
            }),
            Raw::Variable(text) => {
                Some(std::env::split_paths(text).map(PathBuf::into_os_string).collect())
            }
            Raw::Flag(texts) => Some(texts.clone()),
        };
        texts
            .and_then(|texts| {
                let base = base(raw, environment);
                let places = texts.iter().map(|text| absolute(text, base, environment));
                places.collect::<Option<Vec<_>>>()
            })
            .filter(|places| !places.is_empty())
            .ok_or_else(|| self.expected(raw))
    }

    fn check(&self, value: &Vec<PathBuf>) -> Result<(), String> {
        Roots::new(value).map(drop).map_err(|error| match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        })
    }

    fn to_toml(&self, value: &Vec<PathBuf>) -> toml::Value {
        value.iter().map(|path| path_to_toml(path)).collect::<Vec<_>>().into()
    }
}

const PATH: &str =
    "a path that is absolute or begins with `~/` (relative paths only in variables and flags)";

/// Returns what relative paths of a layer join.
fn base<'a>(raw: &Raw, environment: &'a Environment) -> Option<&'a Path> {
    match raw {
        Raw::Toml(_) => None,
        Raw::Variable(_) | Raw::Flag(_) => environment.working_directory(),
    }
}

fn absolute(text: &OsStr, base: Option<&Path>, environment: &Environment) -> Option<PathBuf> {
    if text.is_empty() || text.as_encoded_bytes().contains(&0) {
        return None;
    }
    let path = Path::new(text);
    match path.strip_prefix("~") {
        Ok(below_home) => Some(environment.home()?.join(below_home)),
        Err(_) if path.is_absolute() => Some(path.to_owned()),
        Err(_) => Some(base?.join(path)),
    }
}

/// A path that is not Unicode is shown with replacement characters; a file could not hold it either.
fn path_to_toml(path: &Path) -> toml::Value {
    toml::Value::String(path.to_string_lossy().into_owned())
}
