//! `codex exec --json`: how a turn is run through it, and what the lines that it writes mean.
//!
//! Measured with Codex 0.169:
//! - `thread.started` and `turn.started` come first, then items; no line has the turn's name. `turn.completed` ends a turn that
//!   went well (exit code 0), `turn.failed` one that did not (exit code 1), and its error is a message without a kind.
//! - A thread that it cannot resume is one line on standard error and exit code 1, without any event. It refuses a thread
//!   that an app-server has loaded.
//! - It works in the folder in which it is started, also on a thread that worked elsewhere before. `resume` knows neither
//!   `--sandbox` nor `--cd`: they stand before it.
//! - It never asks: the approval policy is `never`, whatever is configured. It writes no trust entry.
//! - The tokens of `turn.completed` are those of the whole thread.
//! - The steps of its list are done or not; which one is under way is not told.
//! - On SIGTERM it ends within 30 ms, and a sandboxed command with it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use bridge_core::{
    ExecRun, ExecThread, Exit, Failure, Json, Place, RequestFailure, ThreadId, ThreadOptions,
};
use serde_json::Value;

use super::to_wire::object;

mod events;
pub(crate) mod rollout;

pub(crate) use events::Reader;
pub(crate) use rollout::Rollout;

/// What a run is given as files.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Files<'a> {
    /// The output schema.
    pub(crate) schema: Option<&'a Path>,
    /// The images that come with the prompt.
    pub(crate) images: &'a [PathBuf],
}

/// The arguments of a run; the prompt goes through standard input.
pub(crate) fn arguments(run: &ExecRun, files: Files<'_>) -> Vec<OsString> {
    let mut arguments = Arguments(Vec::new());
    arguments.words(&["exec", "--json", "--skip-git-repo-check", "--sandbox"]);
    arguments.sandbox(run.place.as_ref());
    match &run.thread {
        ExecThread::New(options) => arguments.thread(options),
        ExecThread::Known { config, .. } => arguments.config(config.as_ref()),
    }
    arguments.set("approval_policy", &Value::from("never"));
    arguments.set_text("model", run.options.model.as_deref());
    arguments.set_text("model_reasoning_effort", run.options.effort.as_deref());
    if let Some(schema) = files.schema {
        arguments.0.extend(["--output-schema".into(), schema.into()]);
    }
    if let ExecThread::Known { id: thread, .. } = &run.thread {
        // A resumed thread forgets that its plan tool was switched on.
        arguments.set("tools.update_plan.enabled", &Value::Bool(true));
        arguments.words(&["resume", thread.as_str()]);
    }
    arguments.images(files.images);
    arguments.words(&["-"]);
    arguments.0
}

/// Whether a thread's name can be told on a command line without being taken for an option.
pub(crate) fn is_plain(thread: &ThreadId) -> bool {
    let name = thread.as_str();
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|other| other.is_ascii_alphanumeric() || other == '-')
}

/// What of a new thread's options `codex exec` cannot take.
pub(crate) fn left_out(run: &ExecRun) -> Option<&'static str> {
    match &run.thread {
        ExecThread::New(options) if options.base_instructions.is_some() => {
            Some("`codex exec` takes no base instructions: this turn ran with Codex's own")
        }
        ExecThread::New(_) | ExecThread::Known { .. } => None,
    }
}

/// Why a run ended that said nothing of its turn's end. What it could not resume is Codex's refusal.
pub(crate) fn failure(exit: Exit) -> Failure {
    let refusal = exit.stderr.lines().rev().find_map(|line| line.strip_prefix("Error: thread/"));
    match refusal {
        Some(refusal) => {
            let failure = RequestFailure::Rejected {
                code: -32600,
                message: format!("thread/{refusal}"),
                data: None,
            };
            Failure::Request { method: "thread/resume", failure }
        }
        None => Failure::ExecExited(exit),
    }
}

struct Arguments(Vec<OsString>);

impl Arguments {
    fn words(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(OsString::from));
    }

    /// The same as a turn of the app-server gets. The folder is the one in which the process is started.
    fn sandbox(&mut self, place: Option<&Place>) {
        match place {
            None => self.words(&["read-only"]),
            Some(place) if place.confined => {
                self.words(&["workspace-write"]);
                let key = |name| format!("sandbox_workspace_write.{name}");
                self.set(&key("writable_roots"), &Value::from(place.writable.clone()));
                self.set(&key("network_access"), &Value::from(place.network));
                self.set(&key("exclude_tmpdir_env_var"), &Value::Bool(true));
                self.set(&key("exclude_slash_tmp"), &Value::Bool(true));
            }
            Some(_) => self.words(&["danger-full-access"]),
        }
    }

    /// Each with its option: one that is given alone would take the words behind it as well.
    fn images(&mut self, images: &[PathBuf]) {
        for image in images {
            let mut option = OsString::from("--image=");
            option.push(image);
            self.0.push(option);
        }
    }

    fn thread(&mut self, options: &ThreadOptions) {
        self.config(options.config.as_ref());
        self.set_text("model", options.model.as_deref());
        self.set_text("developer_instructions", options.developer_instructions.as_deref());
    }

    fn config(&mut self, config: Option<&Json>) {
        for (key, value) in config.and_then(object).unwrap_or_default() {
            self.leaves(&key, &value);
        }
    }

    /// Sets each value below a key by itself: a whole table would take the place of the one in the file.
    fn leaves(&mut self, key: &str, value: &Value) {
        let Value::Object(below) = value else {
            return self.set(key, value);
        };
        for (name, value) in below {
            if name.contains('.') {
                tracing::warn!(key, name, "a setting cannot be told to `codex exec`");
            } else {
                self.leaves(&format!("{key}.{name}"), value);
            }
        }
    }

    fn set_text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.set(key, &Value::from(value));
        }
    }

    /// Sets a key of the configuration. The value is written in TOML, so that no text is taken for anything else.
    fn set(&mut self, key: &str, value: &Value) {
        match toml::Value::try_from(value) {
            Ok(value) => self.0.extend(["--config".into(), format!("{key}={value}").into()]),
            Err(error) => tracing::warn!(key, %error, "a setting cannot be told to `codex exec`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use bridge_core::TurnOptions;

    use super::*;

    fn check(thread: ExecThread, expected: &[&str]) {
        check_in(None, thread, expected);
    }

    fn check_in(place: Option<Place>, thread: ExecThread, expected: &[&str]) {
        let options = TurnOptions { effort: Some("high".to_owned()), ..TurnOptions::default() };
        let (material, prompt) = (Default::default(), "--help".to_owned());
        let run = ExecRun { thread, plan: None, material, prompt, options, place };
        assert_eq!(arguments(&run, Files::default()), expected);
    }

    #[test]
    fn every_value_is_an_argument_of_its_own_and_no_text_is_an_option() {
        let options = ThreadOptions {
            model: Some("--oss".to_owned()),
            config: Some(Json(
                r#"{"model_context_window":9,"web_search":"live","mcp_servers":{"own":{"enabled":false}}}"#
                    .to_owned(),
            )),
            developer_instructions: Some("Say \"hi\".\nTwice.".to_owned()),
            ..ThreadOptions::default()
        };
        check(
            ExecThread::New(Box::new(options)),
            &[
                "exec",
                "--json",
                "--skip-git-repo-check",
                "--sandbox",
                "read-only",
                "--config",
                "model_context_window=9",
                "--config",
                "web_search=\"live\"",
                "--config",
                "mcp_servers.own.enabled=false",
                "--config",
                "model=\"--oss\"",
                "--config",
                "developer_instructions=\"\"\"\nSay \"hi\".\nTwice.\"\"\"",
                "--config",
                "approval_policy=\"never\"",
                "--config",
                "model_reasoning_effort=\"high\"",
                "-",
            ],
        );
        check(
            ExecThread::Known {
                id: ThreadId("01a2-b".to_owned()),
                config: Some(Json(r#"{"mcp_servers":{"own":{"enabled":false}}}"#.to_owned())),
            },
            &[
                "exec",
                "--json",
                "--skip-git-repo-check",
                "--sandbox",
                "read-only",
                "--config",
                "mcp_servers.own.enabled=false",
                "--config",
                "approval_policy=\"never\"",
                "--config",
                "model_reasoning_effort=\"high\"",
                "--config",
                "tools.update_plan.enabled=true",
                "resume",
                "01a2-b",
                "-",
            ],
        );
    }

    #[test]
    fn a_turn_may_write_where_its_place_says() {
        let place = |confined| Place {
            working_directory: "/copy".to_owned(),
            writable: vec!["/copy".to_owned(), "/copy/.git".to_owned()],
            confined,
            network: false,
            copy: None,
        };
        let known = || ExecThread::Known { id: ThreadId("01a2-b".to_owned()), config: None };
        let before = ["exec", "--json", "--skip-git-repo-check", "--sandbox"];
        let after = [
            "--config",
            "approval_policy=\"never\"",
            "--config",
            "model_reasoning_effort=\"high\"",
            "--config",
            "tools.update_plan.enabled=true",
            "resume",
            "01a2-b",
            "-",
        ];
        let confined = [
            "workspace-write",
            "--config",
            "sandbox_workspace_write.writable_roots=[\"/copy\", \"/copy/.git\"]",
            "--config",
            "sandbox_workspace_write.network_access=false",
            "--config",
            "sandbox_workspace_write.exclude_tmpdir_env_var=true",
            "--config",
            "sandbox_workspace_write.exclude_slash_tmp=true",
        ];
        check_in(Some(place(true)), known(), &[&before[..], &confined, &after].concat());
        let free = ["danger-full-access"];
        check_in(Some(place(false)), known(), &[&before[..], &free, &after].concat());
    }

    #[test]
    fn a_thread_whose_name_could_be_an_option_is_not_plain() {
        let cases = [("01a213b5-2072", true), ("--last", false), ("", false), ("a b", false)];
        for (name, expected) in cases {
            assert_eq!(is_plain(&ThreadId(name.to_owned())), expected, "{name:?}");
        }
    }
}
