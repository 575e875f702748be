//! The keys. Each is declared once, with its meaning, type, default and range; everything else follows from it.
//!
//! A key that nothing enforces does not belong here.

use std::path::PathBuf;
use std::time::Duration;

use bridge_core::Policy;
use tracing::Level;

use super::approvals::ApprovalRules;
use super::environment::Environment;
use super::isolation::IsolationWord;
use super::key_paths::{KeyPath, KeyPaths};
use super::kind::{Describe, Kind, LogLevel, Switch};
use super::layer::Given;
use super::names::{NamePattern, VariableNames};
use super::number::{count, seconds, seconds_or_never};
use super::page::PageChars;
use super::place::{Program, StateDir, WorkspaceRoots};
use super::problem::{Origin, Problem};
use super::words::Words;
use crate::engine::Isolation;
use crate::mcp::paging::PageSize;

/// What the variable of every key begins with.
pub(super) const VARIABLE_PREFIX: &str = "CODEX_MCP_";

/// A key, as the reference and the command line need it.
pub(crate) struct Key {
    /// The name in a file.
    pub(crate) name: &'static str,
    /// The flag, without its dashes.
    pub(crate) flag: &'static str,
    /// What it does: the lines of its doc comment.
    pub(crate) meaning: &'static [&'static str],
    /// What its values are.
    pub(crate) kind: Box<dyn Describe>,
}

/// A key with the value that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The name in a file.
    pub key: &'static str,
    /// The value, as it would stand in a file.
    pub value: String,
    /// Who set it.
    pub origin: Origin,
}

macro_rules! declare_keys {
    ($( $(#[doc = $line:literal])+ $name:literal, $flag:literal => $field:ident: $value:ty = $kind:expr; )+) => {
        /// The settings that hold. Every path is absolute, except a `codex_bin` that is looked for on `PATH`.
        #[derive(Debug, Clone)]
        pub struct Config {
            $( $(#[doc = $line])+ pub $field: $value, )+
            pub(super) settings: Vec<Setting>,
            pub(super) environment: Environment,
        }

        /// Every key, in the order of the reference.
        pub(crate) fn all() -> Vec<Key> {
            vec![$( Key { name: $name, flag: $flag, meaning: &[$($line),+], kind: Box::new($kind) } ),+]
        }

        const NAMES: &[&str] = &[$($name),+];

        /// Decides every key. What it returns may be used only if no problem was noted.
        pub(super) fn settle(given: &[Given], environment: &Environment, problems: &mut Vec<Problem>) -> Option<Config> {
            let mut settler = Settler { given, environment, problems, settings: Vec::new() };
            $( let $field = settler.settle($name, &$kind); )+
            Some(Config { $( $field: $field?, )+ settings: settler.settings, environment: environment.clone() })
        }
    };
}

declare_keys! {
    /// The Codex program. A bare name is looked for on `PATH` when Codex is first needed; relative directories of
    /// `PATH` are skipped.
    "codex_bin", "codex-bin" => codex_bin: PathBuf = Program("codex");

    /// The git program, for what is told of repositories. A bare name is looked for as `codex_bin` is.
    "git_bin", "git-bin" => git_bin: PathBuf = Program("git");

    /// Where the server keeps what outlives it: its records in `store.sqlite3`, the log files under `logs/`. It is made, for its owner alone,
    /// when something is first written.
    "state_dir", "state-dir" => state_dir: PathBuf = StateDir;

    /// The directories in which Codex may work. A working directory that a call names must lie in one of them, links
    /// resolved; the first is the default. In the variable they are separated as in `PATH`.
    "workspace_roots", "workspace-root" => workspace_roots: Vec<PathBuf> = WorkspaceRoots;

    /// How much is logged, on standard error and in the log file.
    "log_level", "log-level" => log_level: Level = LogLevel;

    /// Log everything that this program itself does, with each line that goes over the client's pipe and Codex's, whatever
    /// `log_level` says. Secrets are taken out, as of every log.
    "verbose", "verbose" => verbose: bool = Switch::Off;

    /// The longest prompt that is passed on, in characters. Codex itself refuses more than 1048576.
    "max_prompt_chars", "max-prompt-chars" => max_prompt_chars: usize = count("CHARS", 1_000_000, 1..=1_048_576);

    /// The longest instructions of a call, in characters: `developer-instructions`, `base-instructions` and
    /// `compact-prompt` each.
    "max_instructions_chars", "max-instructions-chars" => max_instructions_chars: usize = count("CHARS", 200_000, 1..=1_048_576);

    /// The largest object that a call may pass on, in bytes of JSON: `config` and `outputSchema` each.
    "max_object_bytes", "max-object-bytes" => max_object_bytes: usize = count("BYTES", 256 << 10, 2..=16 << 20);

    /// How large the arguments of a call may be together, in bytes of JSON.
    "max_argument_bytes", "max-argument-bytes" => max_argument_bytes: usize = count("BYTES", 8 << 20, 64..=64 << 20);

    /// What all attachments of a call may cost together, in tokens, as estimated. A call can ask for less
    /// (`attachmentTokens`). What does not fit is cut, or only named.
    "max_attachment_tokens", "max-attachment-tokens" => max_attachment_tokens: usize = count("TOKENS", 32_000, 100..=200_000);

    /// The largest file that is read for an attachment, in bytes. A larger one is only named.
    "max_attachment_bytes", "max-attachment-bytes" => max_attachment_bytes: usize = count("BYTES", 64 << 20, 1..=4 << 30);

    /// How many turns may wait behind the running one of a thread; a further one is refused.
    "max_queue_per_thread", "max-queue-per-thread" => max_queue_per_thread: usize = count("TURNS", 16, 1..=256);

    /// How many turns may run at once, over all threads of an engine. Further ones wait for a place.
    "max_running_turns", "max-running-turns" => max_running_turns: usize = count("TURNS", 16, 1..=256);

    /// How many turns may be asked for within a minute on one thread; a further one is refused.
    "max_turns_per_minute", "max-turns-per-minute" => max_turns_per_minute: usize = count("TURNS", 30, 1..=100_000);

    /// How many turns one client may ask for within a minute, over all threads; a further one is refused.
    "max_client_turns_per_minute", "max-client-turns-per-minute" => max_client_turns_per_minute: usize = count("TURNS", 30, 1..=100_000);

    /// How long a turn may take before it is interrupted.
    "turn_time_limit_seconds", "turn-time-limit-seconds" => turn_time_limit: Duration = seconds(3600, 1..=86_400);

    /// How long a running turn may show no sign of life before it is interrupted.
    "silence_limit_seconds", "silence-limit-seconds" => silence_limit: Duration = seconds(600, 1..=86_400);

    /// How long Codex may report that it is reconnecting to its provider, without any progress, before the turn is
    /// interrupted.
    "provider_retry_limit_seconds", "provider-retry-limit-seconds" => provider_retry_limit: Duration = seconds(120, 1..=86_400);

    /// What is decided without asking anybody when Codex asks to run a command outside its sandbox, to change a file, to
    /// connect or to use a tool: the first rule that fits. What no rule is about is asked of the person behind the call. A
    /// command line of several commands is allowed only if each is, and never if it is more than plain commands. In
    /// the variable rules are separated by semicolons.
    "approvals", "approval" => approvals: Policy = ApprovalRules;

    /// Destroy what a call asks to be destroyed, such as a thread, without asking the user first.
    "destructive_operations", "destructive-operations" => destructive_operations: bool = Switch::Off;

    /// Let a call ask for work without Codex's sandbox (`sandbox: danger-full-access`). Each such call is still asked of the
    /// user, unless `destructive_operations` is set as well.
    "danger_full_access", "danger-full-access" => danger_full_access: bool = Switch::Off;

    /// How many files a workspace may have that is copied for a turn which proposes changes, or of which a snapshot is taken
    /// for one that makes them.
    "scratch_max_files", "scratch-max-files" => scratch_max_files: usize = count("FILES", 200_000, 1..=10_000_000);

    /// How large such a workspace may be, in megabytes.
    "scratch_max_megabytes", "scratch-max-megabytes" => scratch_max_megabytes: usize = count("MEGABYTES", 4096, 1..=1_048_576);

    /// How many scratch workspaces are kept. Of more, the ones that were used longest ago are removed; the patches stay.
    "scratch_max_count", "scratch-max-count" => scratch_max_count: usize = count("WORKSPACES", 20, 1..=10_000);

    /// How long a scratch workspace is kept that nobody works in.
    "scratch_days", "scratch-days" => scratch_days: usize = count("DAYS", 14, 1..=36_500);

    /// Before Claude Code stops, let Codex review what was changed since your last words; if it asks for changes, Claude Code
    /// goes on with what was found. Needs the plugin. It spends tokens.
    "stop_gate", "stop-gate" => stop_gate: bool = Switch::Off;

    /// How often it may do that in a session.
    "stop_gate_reviews", "stop-gate-reviews" => stop_gate_reviews: usize = count("REVIEWS", 3, 1..=100);

    /// How long such a review may take. Claude Code itself waits ten minutes.
    "stop_gate_time_limit_seconds", "stop-gate-time-limit-seconds" => stop_gate_time_limit: Duration = seconds(240, 1..=580);

    /// How long a person may take to answer a question of Codex before it is declined.
    "approval_deadline_seconds", "approval-deadline-seconds" => approval_deadline: Duration = seconds(300, 1..=86_400);

    /// How long the app-server may take to answer a request.
    "request_deadline_seconds", "request-deadline-seconds" => request_deadline: Duration = seconds(30, 1..=600);

    /// How long a new app-server may take until it can be used.
    "start_deadline_seconds", "start-deadline-seconds" => start_deadline: Duration = seconds(20, 1..=600);

    /// Run turns through `codex exec` while the app-server, having failed several times in a row, is not started. Such a
    /// turn cannot be steered and asks for no approval; its result says so.
    "exec_fallback", "exec-fallback" => exec_fallback: bool = Switch::On;

    /// How much memory the commands of such a turn may use together, in megabytes, before it is stopped.
    "exec_memory_megabytes", "exec-memory-megabytes" => exec_memory_megabytes: usize = count("MEGABYTES", 4096, 16..=1_048_576);

    /// How long the commands of such a turn may be on a processor, added up, in seconds.
    "exec_cpu_seconds", "exec-cpu-seconds" => exec_cpu: Duration = seconds(3600, 1..=864_000);

    /// How large a file may be that such a turn writes, in megabytes.
    "exec_file_megabytes", "exec-file-megabytes" => exec_file_megabytes: usize = count("MEGABYTES", 1024, 1..=1_048_576);

    /// How long an app-server may be unused before it is stopped. The next turn starts a new one.
    "idle_stop_seconds", "idle-stop-seconds" => idle_stop: Option<Duration> = seconds_or_never(900, 86_400);

    /// Which threads share an app-server process: `shared` is all of them, `thread` gives each its own, which costs more
    /// memory and a start for each thread.
    "isolation", "isolation" => isolation: Isolation = IsolationWord;

    /// How many app-servers there may be at once. A further one waits until another is idle, which is then stopped.
    "max_codex_processes", "max-codex-processes" => max_codex_processes: usize = count("PROCESSES", 8, 1..=256);

    /// How much memory an app-server may need for itself, in megabytes, before it is replaced in its next idle moment.
    "max_codex_megabytes", "max-codex-megabytes" => max_codex_megabytes: usize = count("MEGABYTES", 2048, 1..=1_048_576);

    /// How many threads an app-server keeps in its memory. Beyond that the ones that were idle longest are let go; their
    /// next turn brings them back.
    "max_loaded_threads", "max-loaded-threads" => max_loaded_threads: usize = count("THREADS", 64, 1..=10_000);

    /// How long a thread that nobody uses stays in the app-server's memory.
    "thread_idle_seconds", "thread-idle-seconds" => thread_idle: Option<Duration> = seconds_or_never(600, 86_400);

    /// The longest line, in bytes, that is read from the app-server. A longer one is dropped, and the log says so.
    "max_line_bytes", "max-line-bytes" => max_line_bytes: usize = count("BYTES", 64 << 20, 1 << 20..=1 << 30);

    /// How long a command that the server itself runs may take, such as `git`, before it is stopped.
    "command_time_limit_seconds", "command-time-limit-seconds" => command_time_limit: Duration = seconds(300, 1..=86_400);

    /// How a project is tested, as an argument array: instead of what is found in it. Where a word has `{junit}` in it, that
    /// stands for the path of the JUnit report that the command is to write. In the variable it is a JSON array, or
    /// words separated by blanks.
    "test_command", "test-command" => test_command: Vec<String> = Words;

    /// How much memory the processes of a test run may use together, in megabytes.
    "test_memory_megabytes", "test-memory-megabytes" => test_memory_megabytes: usize = count("MEGABYTES", 4096, 16..=1_048_576);

    /// How long the processes of a test run may be on a processor, added up, in seconds.
    "test_cpu_seconds", "test-cpu-seconds" => test_cpu: Duration = seconds(3600, 1..=864_000);

    /// How large a file may be that a test run writes, in megabytes.
    "test_file_megabytes", "test-file-megabytes" => test_file_megabytes: usize = count("MEGABYTES", 1024, 1..=1_048_576);

    /// How many processes and threads a test run may have at once.
    "test_processes", "test-processes" => test_processes: usize = count("PROCESSES", 2048, 16..=1_048_576);

    /// How much of a command's output a result shows, in characters, counted from its end.
    "command_output_chars", "command-output-chars" => command_output_chars: usize = count("CHARS", 4000, 0..=100_000);

    /// How long a thread is kept in the server's own records after it last changed. Codex keeps its own.
    "store_thread_days", "store-thread-days" => store_thread_days: usize = count("DAYS", 180, 1..=36_500);

    /// How long an archived thread is kept in the server's own records after it was put away. Codex keeps its own.
    "store_archived_days", "store-archived-days" => store_archived_days: usize = count("DAYS", 30, 1..=36_500);

    /// The longest text that is kept for reading on, in megabytes: an answer, the output of a command, a diff. Of a longer
    /// one only what the result shows can be read.
    "max_output_megabytes", "max-output-megabytes" => max_output_megabytes: usize = count("MEGABYTES", 10, 1..=64);

    /// How long a long result can be read by its resume token.
    "store_output_days", "store-output-days" => store_output_days: usize = count("DAYS", 30, 1..=36_500);

    /// How large the server's own records may grow, in megabytes. Above it the oldest are forgotten: long results, then
    /// archived threads, then threads.
    "store_max_megabytes", "store-max-megabytes" => store_max_megabytes: usize = count("MEGABYTES", 1024, 1..=1_048_576);

    /// Run the engine inside this process instead of starting one that outlives it. Other clients of the state directory
    /// still share it; an engine that runs already is used until it ends.
    "no_daemon", "no-daemon" => no_daemon: bool = Switch::Off;

    /// How long an engine that nobody uses stays.
    "engine_linger_seconds", "engine-linger-seconds" => engine_linger: Duration = seconds(60, 0..=86_400);
    /// How much of a long result one answer shows, in characters of plain text; a Chinese one counts for four. `auto`
    /// takes the client's own limit: `MAX_MCP_OUTPUT_TOKENS`, or what is known of the client. `codex.read` gives the
    /// rest.
    "result_page_chars", "result-page-chars" => result_page_size: PageSize = PageChars;

    /// How many Codexes may stand one below the other. 1: a Codex of this server that has this server among its own MCP
    /// servers cannot use it, so that nothing calls itself in a circle.
    "max_depth", "max-depth" => max_depth: usize = count("LEVELS", 1, 1..=8);

    /// Keys of Codex's configuration that calls may set with `config` besides the harmless ones. With the right keys a call
    /// can run programs, leave the sandbox or send your login elsewhere. In the variable they are separated by commas.
    "config_allow", "config-allow" => config_allow: Vec<KeyPath> = KeyPaths;

    /// Names of variables that are passed to Codex besides the usual ones, for example the `env_key` of a custom
    /// provider. In the variable they are separated by commas.
    "environment_allow", "environment-allow" => environment_allow: Vec<NamePattern> = VariableNames;
}

/// Returns the names of all keys.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied()
}

/// Returns the declared name that equals `name`.
pub(super) fn find(name: &str) -> Option<&'static str> {
    names().find(|key| *key == name)
}

/// Returns the variable of a key.
pub(super) fn variable(key: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", key.to_ascii_uppercase())
}

struct Settler<'a> {
    given: &'a [Given],
    environment: &'a Environment,
    problems: &'a mut Vec<Problem>,
    settings: Vec<Setting>,
}

impl Settler<'_> {
    /// Takes the strongest layer's value of a key, and notes every problem on the way. `None`: there is no value.
    fn settle<K: Kind>(&mut self, key: &'static str, kind: &K) -> Option<K::Value> {
        let mut strongest = None;
        for given in self.given.iter().filter(|given| given.key == key) {
            match kind.parse(&given.raw, self.environment) {
                Ok(value) => strongest = Some((value, given.origin.clone())),
                Err(message) => self.note(key, given.origin.clone(), message),
            }
        }
        let (value, origin) = match strongest.map_or_else(|| kind.default(self.environment), Ok) {
            Ok(decided) => decided,
            Err(message) => {
                self.note(key, Origin::Default, message);
                return None;
            }
        };
        if let Err(message) = kind.check(&value) {
            self.note(key, origin, message);
            return None;
        }
        self.settings.push(Setting { key, value: kind.to_toml(&value).to_string(), origin });
        Some(value)
    }

    fn note(&mut self, key: &'static str, origin: Origin, message: String) {
        self.problems.push(Problem { origin, key: Some(key), message });
    }
}
