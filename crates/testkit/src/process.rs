//! Starting children: the only place in this crate that does.
//!
//! A child never inherits this process's environment, and is killed when its handle is dropped.
#![expect(
    clippy::disallowed_methods,
    reason = "children are started here and nowhere else in testkit"
)]

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::process::Child;

/// A program with everything it needs to start. `environment` is the whole environment of the
/// child.
#[derive(Clone, Debug)]
pub struct Launch {
    program: OsString,
    arguments: Vec<OsString>,
    directory: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

/// How a child ended and what it wrote.
#[derive(Debug)]
#[must_use = "assert the status or look at what was written"]
pub struct Ended {
    /// The exit status.
    pub status: ExitStatus,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
}

impl Launch {
    /// `program` to be started in `directory` with an empty environment.
    pub fn new(program: impl AsRef<OsStr>, directory: impl AsRef<Path>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            directory: directory.as_ref().to_owned(),
            environment: Vec::new(),
        }
    }

    /// Adds arguments.
    pub fn arguments<Argument: AsRef<OsStr>>(
        mut self,
        arguments: impl IntoIterator<Item = Argument>,
    ) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Adds variables to the environment; a later value wins.
    pub fn environment<Name: Into<OsString>, Text: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (Name, Text)>,
    ) -> Self {
        self.environment
            .extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// The entry of a client's configuration that makes it start this as an MCP server. Clients
    /// have no field for the directory: their servers start in theirs.
    ///
    /// # Panics
    /// When a part of it is not UTF-8.
    pub(crate) fn mcp_config(&self) -> Value {
        let text = |part: &OsStr| part.to_str().expect("a launch of tests is UTF-8").to_owned();
        let environment = self
            .variables()
            .map(|(name, value)| (text(name), text(value).into()))
            .collect::<Map<String, Value>>();
        let arguments = self.arguments.iter().map(|argument| text(argument));
        json!({
            "type": "stdio",
            "command": text(&self.program),
            "args": arguments.collect::<Vec<_>>(),
            "env": environment,
        })
    }

    /// Lets the child find the program of `other` in its PATH and start it in the environment of `other`. Of what
    /// both set, the child's own stays; the arguments of `other` do not count.
    ///
    /// # Panics
    /// When the program of `other` is not named with its directory.
    pub(crate) fn with_program(mut self, other: &Self) -> Self {
        let program = Path::new(&other.program);
        let directory = program.parent().expect("a program of tests has a directory");
        let mut path = directory.as_os_str().to_owned();
        path.push(":/usr/bin:/bin");
        let mut environment = other.environment.clone();
        environment.append(&mut self.environment);
        self.environment = environment;
        self.environment([("PATH", path)])
    }

    /// Starts the child with stdin, stdout and stderr as pipes.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn spawn(&self) -> Child {
        self.command(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {:?}: {error}", self.program))
    }

    /// Starts the child with these as stdin, stdout and stderr.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub(crate) fn spawn_with(&self, stdin: Stdio, stdout: Stdio, stderr: Stdio) -> Child {
        let mut command = self.command(stdin);
        command.stdout(stdout).stderr(stderr);
        let child = command.spawn();
        child.unwrap_or_else(|error| panic!("cannot start {:?}: {error}", self.program))
    }

    /// Runs the child with empty input to its end.
    ///
    /// # Panics
    /// When it cannot be started or has not ended after `limit`; it is killed then.
    pub async fn run(&self, limit: Duration) -> Ended {
        let child = self.command(Stdio::null()).output();
        match tokio::time::timeout(limit, child).await {
            Ok(Ok(output)) => Ended::from(output),
            Ok(Err(error)) => panic!("cannot run {:?}: {error}", self.program),
            Err(_) => panic!("{:?} {:?} still ran after {limit:?}", self.program, self.arguments),
        }
    }

    /// Runs a short command to its end from code that is not async.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run_blocking(&self) -> Ended {
        let mut command = std::process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.directory)
            .env_clear()
            .envs(self.variables());
        let output = command.stdin(Stdio::null()).output();
        Ended::from(output.unwrap_or_else(|error| panic!("cannot run {:?}: {error}", self.program)))
    }

    fn command(&self, stdin: Stdio) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.directory)
            .env_clear()
            .envs(self.variables());
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.environment.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

impl Ended {
    /// Returns stdout of a child that succeeded.
    ///
    /// # Panics
    /// When it failed, with all it wrote.
    pub fn success(self) -> String {
        assert!(
            self.status.success(),
            "{}\nstdout: {}\nstderr: {}",
            self.status,
            self.stdout,
            self.stderr
        );
        self.stdout
    }
}

impl From<std::process::Output> for Ended {
    fn from(output: std::process::Output) -> Self {
        Self {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
