//! The catalogue: each code with its meaning, its remedy and whether a retry can help.

use std::time::Duration;

/// What the reference says of a code.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The code as clients see it.
    pub name: &'static str,
    /// Where in the reference it stands.
    pub group: Group,
    /// What it means.
    pub meaning: &'static str,
    /// What to do next.
    pub remedy: &'static str,
    /// Whether trying again can help.
    pub retry: Retry,
}

/// Whether the same call can succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Not unless something changes.
    No,
    /// After about this long.
    After(Duration),
    /// When what is used up is there again, if it is known when that is.
    AfterReset,
    /// Only by who has looked at what became of the first try.
    AfterLooking,
}

const NOW: Retry = Retry::After(Duration::ZERO);

const fn seconds(seconds: u64) -> Retry {
    Retry::After(Duration::from_secs(seconds))
}

macro_rules! catalogue {
    ($($group:ident $title:literal { $($variant:ident = $name:literal, $meaning:literal, $remedy:literal, $retry:expr;)+ })+) => {
        /// What an error is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Group {
            $(#[doc = $title] $group,)+
        }

        impl Group {
            /// All groups, in the order of the reference.
            pub const ALL: &[Self] = &[$(Self::$group),+];

            /// Its heading.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$group => $title,)+
                }
            }
        }

        /// Every error that a client can get.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[doc = $meaning] $variant,)+)+
        }

        impl Code {
            /// All codes, in the order of the reference.
            pub const ALL: &[Self] = &[$($(Self::$variant),+),+];

            /// The code of this name.
            #[must_use]
            pub fn of_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.entry().name == name)
            }

            /// What the reference says of it.
            #[must_use]
            pub const fn entry(self) -> Entry {
                match self {
                    $($(Self::$variant => Entry {
                        name: $name, group: Group::$group, meaning: $meaning, remedy: $remedy, retry: $retry,
                    },)+)+
                }
            }
        }
    };
}

catalogue! {
    Call "The call" {
    InvalidArguments = "invalid_arguments", "An argument is missing, unknown, of the wrong type or out of range.",
        "Correct the argument; the tool's input schema lists all of them.", Retry::No;
    PromptTooLarge = "prompt_too_large", "The prompt is longer than the limit.",
        "Shorten it, or write the text to a file in the workspace and ask Codex to read that.", Retry::No;
    ArgumentTooLarge = "argument_too_large", "An argument, or all of a call together, is larger than the limit.",
        "Shorten it, or write it to a file in the workspace and name that in the prompt.", Retry::No;
    DirectoryNotFound = "directory_not_found", "The working directory does not exist or is no directory.",
        "Give the absolute path of an existing directory as `cwd`, or leave it out.", Retry::No;
    OutsideWorkspace = "outside_workspace", "The working directory, or a file that is attached, lies outside the workspace roots.",
        "Use a path inside a root, or start the server with a further `--workspace-root`.", Retry::No;
    SandboxRequired = "sandbox_required", "The call asks for work without Codex's sandbox, which the configuration does not allow.",
        "Use `changes: propose`, or `direct`, which keep the sandbox. The user can allow it with `danger_full_access = true`.", Retry::No;
    ConfigKeyRefused = "config_key_refused", "A key of `config` is not among those that a call may set.",
        "Leave it out, or set it in your own Codex configuration file. The user can allow further keys with `config_allow`.", Retry::No;
    ConsentRequired = "consent_required", "Something would be destroyed, and nobody allowed it.",
        "Ask the user. They can agree when the client asks them, or start the server with `destructive_operations = true`.", Retry::No;
    NestedTooDeep = "nested_too_deep", "The client runs inside a Codex that this server started, and may not use a further one: that could go round for ever.",
        "Do the work with what you have, without this server. The user can leave it out of Codex's own `mcp_servers`, or raise `max_depth`.", Retry::No;
    TokenInvalid = "token_invalid", "The resume token was changed, cut short, or made by a server with another state directory.",
        "Copy the whole `token` of the last page or of `more`; or ask for the turn again with `codex.wait`.", Retry::No;
    OutputExpired = "output_expired", "The text that the resume token continues is no longer kept.",
        "Ask for the turn again with `codex.wait`: it gives new tokens; or let Codex repeat it in shorter form.", Retry::No;
    CallCancelled = "call_cancelled", "The client gave the call up.",
        "Nothing: this was asked for.", Retry::No;
    }
    Codex "The Codex program" {
    CodexNotFound = "codex_not_found", "The Codex program was not found.",
        "Install it with `npm install -g @openai/codex`, or name it with `--codex-bin` or `CODEX_MCP_CODEX_BIN`.", Retry::No;
    CodexNotExecutable = "codex_not_executable", "The Codex program may not be executed.",
        "Check the file's permissions and that it was built for this system, or name another with `--codex-bin`.", Retry::No;
    NotCodex = "not_codex", "The program that was started is not a Codex app-server.",
        "Point `--codex-bin` at the Codex CLI; `codex --version` tells whether it is one.", Retry::No;
    CodexTooOld = "codex_too_old", "The Codex CLI is older than this server needs.",
        "Upgrade it with `npm install -g @openai/codex@latest`.", Retry::No;
    CodexStartFailed = "codex_start_failed", "The Codex app-server ended, or was not ready in time, while starting.",
        "Run `codex app-server` in a terminal to see what it says: a broken Codex configuration file is the usual cause. Check that `codex_bin` names the Codex CLI.", seconds(5);
    CodexConfigInvalid = "codex_config_invalid", "Codex cannot load its configuration.",
        "Correct what the message names, in the user's Codex configuration or in the project's `.codex/config.toml`.", Retry::No;
    CodexExited = "codex_exited", "The Codex app-server ended in the middle of the work.",
        "Send the prompt again with `codex-reply` on the same thread: earlier turns are kept and a new process is started.", NOW;
    CodexQuarantined = "codex_quarantined", "The Codex app-server failed several times in a row, so none is started for a while.",
        "The next start is tried when the time to wait is over.", seconds(5);
    CodexProcessLimit = "codex_process_limit", "As many Codex app-servers as there may be are at work already.",
        "Wait for their turns to end, or raise `max_codex_processes`.", seconds(30);
    CodexHung = "codex_hung", "The Codex app-server stopped answering and was ended.",
        "Send the prompt again with `codex-reply` on the same thread; check first what the turn may have done already.", NOW;
    CodexOverloaded = "codex_overloaded", "The Codex app-server has too many requests under way.",
        "Wait for other turns to end, then try again.", seconds(2);
    CodexRefused = "codex_refused", "Codex refused the request.",
        "The message is Codex's own; correct what it names.", Retry::No;
    CodexLacksFeature = "codex_lacks_feature", "This version of Codex does not have what was asked for, or not for this thread.",
        "Upgrade Codex with `npm install -g @openai/codex@latest`; for a thread of an older version, start a new one with `codex`.", Retry::No;
    CodexInternalError = "codex_internal_error", "Something failed inside Codex while it carried out the request.",
        "Try again; if it fails again, start a new thread with `codex`, or upgrade Codex.", seconds(5);
    CodexUnreadable = "codex_unreadable", "Codex answered in a form that this version does not understand.",
        "Check the versions with `codex.health`; upgrade this server if Codex is newer.", Retry::No;
    SandboxFailed = "sandbox_failed", "Codex's sandbox cannot start, so it can run no commands.",
        "Allow unprivileged user namespaces on this system (containers often forbid them), or install bubblewrap; `codex.health` tells whether the sandbox works.", Retry::No;
    }
    Provider "The model and its provider" {
    LoginRequired = "login_required", "The model provider refused the login (HTTP 401).",
        "The user has to log in with `codex login`, or set a valid API key, and then try again.", Retry::No;
    ProviderKeyMissing = "provider_key_missing", "Codex is not given the variable that holds its provider's key.",
        "Set the variable where this server is started, and name it in `environment_allow` (`--environment-allow`).", Retry::No;
    AccessDenied = "access_denied", "The model provider refused access (HTTP 403).",
        "Check the account, its region and any proxy; this server cannot change them.", Retry::No;
    UsageLimit = "usage_limit", "The account's usage limit or quota is used up.",
        "Wait for the reset that the message names, or change the plan; retrying before does not help.", Retry::AfterReset;
    BudgetUsedUp = "budget_used_up", "The budget of the Codex session is used up.",
        "Raise the budget in the Codex configuration, or start a new thread with `codex`.", Retry::No;
    RateLimited = "rate_limited", "The model provider received too many requests (HTTP 429).",
        "Wait, and run fewer turns at once.", seconds(30);
    ProviderOverloaded = "provider_overloaded", "The model provider is overloaded.",
        "Wait, or choose another `model`.", seconds(60);
    ProviderError = "provider_error", "The model provider failed (HTTP 5xx).",
        "Try again later with `codex-reply` on the same thread.", seconds(60);
    ProviderUnreachable = "provider_unreachable", "Codex could not reach its model provider, or lost it, and gave up retrying.",
        "Check the network, the proxy and the provider's base URL in the Codex configuration.", seconds(30);
    ProviderSilent = "provider_silent", "Nothing came from Codex or its model for too long.",
        "Try again with `codex-reply`; for models that think long, raise `silence_limit_seconds`.", NOW;
    ContextFull = "context_full", "The thread's context window is full.",
        "Start a new thread with `codex` and a summary of this one.", Retry::No;
    AnswerTooLong = "answer_too_long", "The model's answer reached the provider's limit on its length and is incomplete.",
        "Ask for less at a time with `codex-reply`: one file, one section, a summary.", Retry::No;
    ModelNotFound = "model_not_found", "The model does not exist or the account may not use it.",
        "Leave `model` out to use the default, or choose one that `codex` lists for this account.", Retry::No;
    ContentRefused = "content_refused", "The provider's content policy refused the request.",
        "Rephrase the prompt; the same one will be refused again.", Retry::No;
    TooManyDenials = "too_many_denials", "Codex gave the turn up because too much of what it asked for was declined.",
        "Say in the prompt what it may not do, or allow what it needs with `approvals` in this server's configuration.", Retry::No;
    ReviewUnreadable = "review_unreadable", "Codex's review is not in the form that it was asked for.",
        "Read its own words with `codex.thread.read`, or ask for the review again, perhaps with another `model`.", Retry::No;
    CodexFailed = "codex_failed", "Codex ended the turn with an error of another kind.",
        "The message is Codex's own; act on what it says.", Retry::No;
    }
    Thread "Threads and turns" {
    ThreadNotFound = "thread_not_found", "There is no such thread, or it works outside the workspace roots.",
        "Use a `threadId` that `codex` or `codex.thread.list` gave, or start a new thread with `codex`.", Retry::No;
    ThreadBusy = "thread_busy", "A turn runs or waits on the thread.",
        "Wait for it with `codex.wait`, or stop it with `codex.cancel`, and then try again.", seconds(5);
    ThreadBusyElsewhere = "thread_busy_elsewhere", "Another process (a Codex terminal, another server) has the thread open.",
        "Close it there, or start a new thread with `codex`.", seconds(60);
    ThreadArchived = "thread_archived", "The thread is archived.",
        "Bring it back with `codex.thread.archive` (`action: unarchive`), or start a new thread with `codex`.", Retry::No;
    ThreadHasForks = "thread_has_forks", "The thread cannot be deleted while threads that were forked from it exist.",
        "Delete the forks first, or archive the thread instead (`action: archive`).", Retry::No;
    ThreadClosed = "thread_closed", "The thread was archived, deleted or unloaded while its turn ran.",
        "Send the prompt again with `codex-reply`; if the thread is gone, start a new one with `codex`.", NOW;
    QueueFull = "queue_full", "Too many turns wait on the thread.",
        "Wait for them with `codex.wait`, or use another thread: different threads run side by side.", seconds(30);
    TooManyTurns = "too_many_turns", "Too many turns were asked for within a minute.",
        "Wait as long as is said, and ask for more in one turn: an agent that calls in a loop is what this stops.", seconds(10);
    IdempotencyConflict = "idempotency_conflict", "The `idempotencyKey` was used for a call with other arguments.",
        "Use a new key for a new call; repeat a call with exactly its arguments to get its answer.", Retry::No;
    PlanConflict = "plan_conflict", "The plan has changed since the version that the change was made for.",
        "Nothing was changed. Look at the newest version with `codex.plan.get`, and make the change for that one.", Retry::No;
    NoRunningTurn = "no_running_turn", "No turn runs on the thread.",
        "Send the text with `codex-reply`: it starts the next turn.", Retry::No;
    NothingToCancel = "nothing_to_cancel", "No turn runs or waits on the thread, so there is nothing to stop.",
        "Nothing: the thread is at rest. `codex.wait` gives its newest turn.", Retry::No;
    WrongTurn = "wrong_turn", "The named turn is not the one that runs.",
        "Leave `turnId` out to mean the running turn, or name that one.", Retry::No;
    TurnNotSteerable = "turn_not_steerable", "The running turn takes no further input.",
        "Wait for its end with `codex.wait`, then send the text with `codex-reply`.", seconds(5);
    TurnNotFound = "turn_not_found", "The thread has no such turn.",
        "Leave `turnId` out to get the newest turn.", Retry::No;
    TurnTimeLimit = "turn_time_limit", "The turn ran into its time limit and was interrupted.",
        "Continue with `codex-reply`, with a smaller task or a larger `timeLimitSeconds`.", NOW;
    ExecLimit = "exec_limit", "What a turn through `codex exec` had started used more than it may.",
        "Continue with `codex-reply`, with a smaller task, or raise the limit.", NOW;
    TurnCut = "turn_cut", "The server ended while the turn ran; what was known of it by then is kept.",
        "Look at what it may have done already, then send the prompt again with `codex-reply` on the same thread.", NOW;
    TurnNeverStarted = "turn_never_started", "The server ended while the turn waited; Codex had not begun it.",
        "Send the prompt again with `codex-reply` on the same thread: nothing happens twice.", NOW;
    }
    Workspace "Changes and the workspace" {
    WorkspaceTooLarge = "workspace_too_large", "The working directory is larger than what a turn that proposes changes may copy.",
        "Work in a directory further down (`cwd`), let git ignore what needs no copy, or ask without `changes`.", Retry::No;
    WorkspaceUnreadable = "workspace_unreadable", "Something in the working directory cannot be read, so that it cannot be copied.",
        "Make readable what the message names, or remove it.", Retry::No;
    WorkspaceNoSpace = "workspace_no_space", "There is no room for a copy of the working directory.",
        "Free some disk space, or delete threads that have proposed changes: their copies go with them.", seconds(60);
    PatchNotFound = "patch_not_found", "There is no such patch, or it is none of this client's.",
        "Use the `patchId` that a turn with `changes` returned; `codex.wait` gives a turn's result again.", Retry::No;
    DiffInvalid = "diff_invalid", "The diff cannot be read, or names what no diff may.",
        "Correct the line that the message names. Paths are relative to `cwd`; hunks need the lines around them as they are.", Retry::No;
    PatchConflicts = "patch_conflicts", "The patch does not fit the files as they are now. Nothing was changed.",
        "`codex.patch.preview` shows where. Apply the other files with `paths`, or let Codex propose it again.", Retry::No;
    PatchNotApplied = "patch_not_applied", "There is nothing to take back: the patch was not applied, or was taken back already.",
        "`codex.patch.preview` says where it stands.", Retry::No;
    FilesChanged = "files_changed", "Somebody changed a file while the patch was being applied. Nothing was changed.",
        "Look with `codex.patch.preview` whether it still fits, and apply it again.", NOW;
    ScratchGone = "scratch_gone", "The scratch workspace of a patch is not there, or holds something later.",
        "Let Codex go on with `changes: propose`: it gets a scratch workspace, and a new patch.", Retry::No;
    PatchFailed = "patch_failed", "The patch could not be read, or the files not be written.",
        "Act on what the message says.", Retry::No;
    WorkspaceFailed = "workspace_failed", "No place could be made in which the turn may change files.",
        "Act on what the message says; nothing of the turn has run. Without `changes` the turn needs no such place.", Retry::No;
    }
    Repository "The repository" {
    GitNotFound = "git_not_found", "The git program was not found, or cannot be run.",
        "Install git, or name it with `--git-bin` or `CODEX_MCP_GIT_BIN`. Codex itself works without.", Retry::No;
    GitTooOld = "git_too_old", "The git program is older than this server needs to run it safely.",
        "Upgrade git to 2.31 or newer, or name another one with `--git-bin` or `CODEX_MCP_GIT_BIN`.", Retry::No;
    NotARepository = "not_a_repository", "The folder is not part of the working tree of a git repository.",
        "Give a `cwd` inside one; without git, let Codex look at the files.", Retry::No;
    GitFailed = "git_failed", "Git could not do what it was asked.",
        "The message is git's own; correct what it names, with git in a terminal if the repository is damaged.", Retry::No;
    }
    Tests "Test runs" {
    NoTestRunner = "no_test_runner", "It was not found how the project is tested.",
        "Name the folder of the project with `cwd`, or set `test_command` in this server's configuration.", Retry::No;
    TestProgramMissing = "test_program_missing", "The program that runs the tests is not there.",
        "Install it, choose another `runner`, or set `test_command` in this server's configuration.", Retry::No;
    RunNotFound = "run_not_found", "There is no such test run, or no longer.",
        "Start the tests again: how a run ended is known until the engine ends, and of the latest runs only.", Retry::No;
    TooManyRuns = "too_many_runs", "As many test runs as there may be are under way.",
        "Wait for one with `runId`, or stop it with `stop: true`.", seconds(10);
    }
    Server "This server" {
    EngineLost = "engine_lost", "The engine ended while the call ran. What it had begun may go on or be cut.",
        "Look first at what became of it: `codex.wait` gives the newest turn of a thread, `codex.thread.list` the newest threads. Send the prompt again only if it did not run.", Retry::AfterLooking;
    NoEngine = "no_engine", "The engine, a process of this server in the background, cannot be started or reached.",
        "Do what the message says; `codex-mcp daemon status` tells of the engine, and `codex-mcp daemon stop` ends one that hangs. The next request looks for one again.", seconds(5);
    StoreUnavailable = "store_unavailable", "What is kept on disk cannot be read.",
        "Turns still run. `codex.health` and `codex-mcp store check` say what is wrong.", Retry::No;
    ShuttingDown = "shutting_down", "The server is about to end.",
        "Start it again; threads are kept by Codex and can be continued with `codex-reply`.", Retry::No;
    }
}
