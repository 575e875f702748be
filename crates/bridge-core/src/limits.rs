//! The limits that the core enforces. Their defaults stand in the shell's configuration.

use std::time::Duration;

/// How long and how much. Every field is enforced by the core and shown by `codex.health`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Turns that may wait on one thread behind the running one.
    pub queue_per_thread: usize,
    /// Turns that may run at once, over all threads. Further ones wait.
    pub running_turns: usize,
    /// Turns that may be asked for in a minute, on one thread.
    pub turns_a_minute_of_thread: usize,
    /// Turns that may be asked for in a minute, by one client.
    pub turns_a_minute_of_client: usize,
    /// How long a turn may run, unless the call asks for less or more.
    pub turn_time: Duration,
    /// How long a running turn may be silent while nothing that it started is still going.
    pub silence: Duration,
    /// How long Codex may report retries to its provider without any progress.
    pub provider_retry: Duration,
    /// How long a person may take to answer a question before it is declined.
    pub approval: Duration,
    /// How long an interrupt may take before the app-server counts as hung.
    pub interrupt_grace: Duration,
    /// How long an app-server may be unused before it is stopped. `None`: for ever.
    pub idle_stop: Option<Duration>,
    /// How often in a row an app-server may fail to start, or die, before waiting calls are answered.
    pub start_attempts: u32,
    /// The pause before the second start in a row; it doubles with each further one.
    pub restart_pause: Duration,
    /// How long nothing is started after so many failures in a row; it doubles with each further one. Calls are refused
    /// meanwhile.
    pub quarantine: Duration,
    /// Moves each pause by up to a quarter, so that many bridges do not start at once after a common failure. 0: no
    /// pause is moved.
    pub jitter: u64,
    /// Whether turns run through `codex exec` while the app-server rests after such failures.
    pub exec_fallback: bool,
    /// Threads that an app-server keeps in memory; the one that was idle longest is let go. Running ones are not.
    pub loaded_threads: usize,
    /// How long a thread stays in memory that nobody uses. `None`: for as long as the app-server.
    pub thread_idle: Option<Duration>,
    /// How much memory an app-server may need for itself, in bytes, before it is replaced in its next idle moment.
    pub app_server_memory: u64,
    /// Characters of a command's output that a transcript keeps (its end).
    pub command_output_chars: usize,
    /// Finished turns that are kept in memory for each thread, for `codex.wait`.
    pub finished_per_thread: usize,
}
