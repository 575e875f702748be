//! Every error that there is: each is produced here by what leads to it, with the real Codex where that can be made to
//! do it, and reaches a client with its code, its remedy and what is known of a retry.
//!
//! A code that no scenario produces, or two, does not compile.

mod calls;
mod codex_kinds;
mod life;
mod patches;
mod size;
mod stage;
mod workspace;

use bridge_core::WorkspaceFailure;
use codex_mcp::error::{Code, Retry, reference_markdown};
use expect_test::{Expect, expect, expect_file};
use serde_json::json;
use testkit::fake_app_server::Play;
use testkit::model::{fails, http, reply, says};

use calls::{asked, thread_call};
use stage::{Told, played, provider, refused, started, turn_fails};

/// More than this of an error is not shown to Claude Code's model.
const CUT: usize = 10_000;

fn check(code: Code, name: &str, told: &Told, expected: &Expect) {
    let entry = code.entry();
    let Told { text, data } = told;
    assert_eq!((data["code"].as_str(), entry.name), (Some(name), name), "{text}");
    expected.assert_eq(&format!("{}\n", text.lines().next().unwrap_or_default()));
    let remedy = data["remedy"].as_str().unwrap_or_default();
    assert!(remedy.ends_with(entry.remedy), "{text}");
    assert!(text.contains(&format!("\nWhat to do: {remedy}\nRetry: ")), "{text}");
    assert!(text.chars().count() < CUT, "{text}");
    let retryable = data["retryable"] == true;
    assert_eq!(retryable, data["retryAfterSeconds"].is_u64(), "{data}");
    match entry.retry {
        Retry::No | Retry::AfterLooking => assert!(!retryable, "{data}"),
        Retry::After(_) => assert!(retryable, "{data}"),
        Retry::AfterReset => {}
    }
}

macro_rules! errors {
    ($($code:ident $name:ident: $scenario:expr => $expected:expr;)+) => {
        /// Every code is here once.
        #[deny(unreachable_patterns)]
        const fn is_produced(code: Code) -> bool {
            match code {
                $(Code::$code => true,)+
            }
        }

        $(#[tokio::test]
        async fn $name() {
            check(Code::$code, stringify!($name), &$scenario.await, &$expected);
        })+
    };
}

#[test]
fn every_code_says_what_it_means_and_what_to_do() {
    for code in Code::ALL {
        let entry = code.entry();
        assert!(is_produced(*code));
        assert_eq!(Code::of_name(entry.name), Some(*code), "two codes have one name");
        for sentence in [entry.meaning, entry.remedy] {
            assert!(sentence.len() > 10 && sentence.ends_with('.'), "{}: {sentence:?}", entry.name);
        }
    }
}

#[test]
fn the_reference_is_up_to_date() {
    expect_file!["../../../../docs/errors.md"].assert_eq(&reference_markdown());
}

errors! {
    InvalidArguments invalid_arguments: asked("codex", json!({}), &[]) => expect![[r#"
        Error invalid_arguments: missing argument `prompt`
    "#]];
    PromptTooLarge prompt_too_large: asked("codex", json!({ "prompt": "four" }), &["--max-prompt-chars=3"]) => expect![[r#"
        Error prompt_too_large: the prompt has 4 characters; the limit is 3
    "#]];
    DirectoryNotFound directory_not_found: asked("codex", json!({ "prompt": "x", "cwd": "nowhere" }), &[]) => expect![[r#"
        Error directory_not_found: `cwd`: "nowhere" does not exist (looked for [workspace]/nowhere); give an existing directory in one of [workspace]
    "#]];
    OutsideWorkspace outside_workspace: asked("codex", json!({ "prompt": "x", "cwd": "/etc" }), &[]) => expect![[r#"
        Error outside_workspace: `cwd`: "/etc" is /etc, outside the workspace roots [workspace]; give a directory in one of them, or start the server with --workspace-root for it
    "#]];
    SandboxRequired sandbox_required: asked("codex", json!({ "prompt": "x", "sandbox": "danger-full-access" }), &[]) => expect![[r#"
        Error sandbox_required: `sandbox: danger-full-access` asks for work without Codex's sandbox
    "#]];
    ConfigKeyRefused config_key_refused: asked("codex", json!({ "prompt": "x", "config": { "notify": ["touch"] } }), &[]) => expect![[r#"
        Error config_key_refused: `config` may not set "notify"; it may set compact_prompt, hide_agent_reasoning, model, model_auto_compact_token_limit, model_context_window, model_reasoning_effort, model_reasoning_summary, model_supports_reasoning_summaries, model_verbosity, personality, plan_mode_reasoning_effort, project_doc_max_bytes, service_tier, show_raw_agent_reasoning, tool_output_token_limit, tools.update_plan, tools.view_image, tools.web_search, web_search
    "#]];
    TokenInvalid token_invalid: asked("codex.read", json!({ "token": "token" }), &[]) => expect![[r#"
        Error token_invalid: `token`: the token is incomplete or garbled
    "#]];
    OutputExpired output_expired: life::an_output_that_is_gone() => expect![[r#"
        Error output_expired: output 01010101010101010101010101010101 is no longer kept
    "#]];
    CallCancelled call_cancelled: life::a_call_that_is_given_up() => expect![[r#"
        Error call_cancelled: the call was cancelled
    "#]];

    CodexNotFound codex_not_found: started("/nowhere/codex", 1) => expect![[r#"
        Error codex_not_found: /nowhere/codex is not an executable file; set --codex-bin or CODEX_MCP_CODEX_BIN to the Codex program
    "#]];
    CodexNotExecutable codex_not_executable: stage::started_script("#!/nowhere/sh\n") => expect![[r#"
        Error codex_not_executable: [program]/program cannot be executed: No such file or directory (os error 2)
    "#]];
    NotCodex not_codex: stage::started_script("#!/bin/sh\nexec cat\n") => expect![[r#"
        Error not_codex: [program]/program is not a Codex app-server: it asked for initialize instead of answering
    "#]];
    CodexTooOld codex_too_old: played(&Play::greets("0.101.0"), &[]) => expect![[r#"
        Error codex_too_old: Codex [version] is too old: [version] is the oldest that works
    "#]];
    CodexStartFailed codex_start_failed: started("/bin/false", 1) => expect![[r#"
        Error codex_start_failed: /bin/false exited with code 1 before it was ready
    "#]];
    CodexConfigInvalid codex_config_invalid: life::a_configuration_that_is_broken() => expect![[r#"
        Error codex_config_invalid: Codex says: failed to load configuration: [codex-home]/config.toml:13:22: duplicate key
    "#]];
    CodexExited codex_exited: played(&Play::new().begins_turn(1).says_in(1, "Half").line(&json!({ "stderr": "it broke" })).line(&json!({ "exit": 101 })), &[]) => expect![[r#"
        Error codex_exited: the app-server exited with code 101; its last words: it broke
    "#]];
    CodexQuarantined codex_quarantined: started("/bin/false", 2) => expect![[r#"
        Error codex_quarantined: /bin/false exited with code 1 before it was ready; that was failure 3 in a row
    "#]];
    CodexProcessLimit codex_process_limit: life::a_server_without_places() => expect![[r#"
        Error codex_process_limit: 0 app-servers are at work already
    "#]];
    CodexHung codex_hung: played(&Play::new().awaits("turn/start"), &["--request-deadline-seconds=1"]) => expect![[r#"
        Error codex_hung: the app-server did not answer `thread/resume` and was ended
    "#]];
    CodexOverloaded codex_overloaded: refused(-32001, "Server overloaded; retry later.") => expect![[r#"
        Error codex_overloaded: `turn/start` was not sent: too many requests are under way
    "#]];
    CodexRefused codex_refused: refused(-32600, "Invalid request: missing field `input`") => expect![[r#"
        Error codex_refused: Codex refused `turn/start`: Invalid request: missing field `input`
    "#]];
    CodexLacksFeature codex_lacks_feature: refused(-32600, "turn/start.environments requires experimentalApi capability") => expect![[r#"
        Error codex_lacks_feature: Codex says: turn/start.environments requires experimentalApi capability
    "#]];
    CodexInternalError codex_internal_error: refused(-32603, "failed to submit turn input: ActiveTurnOutputSchemaMismatch") => expect![[r#"
        Error codex_internal_error: Codex failed to carry out `turn/start`: failed to submit turn input: ActiveTurnOutputSchemaMismatch
    "#]];
    CodexUnreadable codex_unreadable: played(&Play::greets("0.169.0").answers("thread/start", json!("hello")), &[]) => expect![[r#"
        Error codex_unreadable: the answer to `thread/start` cannot be read: invalid type: string "hello", expected struct ThreadStartResponse at line 1 column 7
    "#]];
    SandboxFailed sandbox_failed: turn_fails("sandboxError", "the sandbox cannot start") => expect![[r#"
        Error sandbox_failed: the sandbox cannot start
    "#]];

    LoginRequired login_required: provider(testkit::model::unauthorized(), &[]) => expect![[r#"
        Error login_required: unexpected status 401 Unauthorized: Incorrect API key provided, url: http://127.0.0.1:[port]/v1/responses
    "#]];
    ProviderKeyMissing provider_key_missing: life::a_key_that_is_not_passed_on() => expect![[r#"
        Error provider_key_missing: Missing environment variable: `MOCK_API_KEY`.
    "#]];
    AccessDenied access_denied: provider(http(403, "{}"), &[]) => expect![[r#"
        Error access_denied: unexpected status 403 Forbidden: {}, url: http://127.0.0.1:[port]/v1/responses
    "#]];
    UsageLimit usage_limit: provider(testkit::model::usage_limit_reached(3600), &[]) => expect![[r#"
        Error usage_limit: You’ve hit your usage limit. Upgrade to Pro (https://chatgpt.com/explore/pro), visit https://chatgpt.com/settings/usage to purchase more credits or try again later.
    "#]];
    BudgetUsedUp budget_used_up: turn_fails("sessionBudgetExceeded", "the budget is used up") => expect![[r#"
        Error budget_used_up: the budget is used up
    "#]];
    RateLimited rate_limited: provider(testkit::model::rate_limited(1), &[]) => expect![[r#"
        Error rate_limited: exceeded retry limit, last status: 429 Too Many Requests
    "#]];
    ProviderOverloaded provider_overloaded: provider(fails("server_is_overloaded"), &[]) => expect![[r#"
        Error provider_overloaded: Selected model is at capacity. Please try a different model.
    "#]];
    ProviderError provider_error: provider(testkit::model::server_error(500), &[]) => expect![[r#"
        Error provider_error: We’re currently experiencing high demand, which may cause temporary errors.
    "#]];
    ProviderUnreachable provider_unreachable: provider(testkit::model::html(), &[]) => expect![[r#"
        Error provider_unreachable: stream disconnected before completion: stream closed before response.completed
    "#]];
    ProviderSilent provider_silent: provider(testkit::model::silent(), &["--silence-limit-seconds=1"]) => expect![[r#"
        Error provider_silent: nothing came for 1 s, so the turn was interrupted
    "#]];
    ContextFull context_full: provider(fails("context_length_exceeded"), &[]) => expect![[r#"
        Error context_full: Codex ran out of room in the model's context window. Start a new thread or clear earlier history before retrying.
    "#]];
    AnswerTooLong answer_too_long: provider(reply().streams("Half").stops_short("max_output_tokens"), &[]) => expect![[r#"
        Error answer_too_long: Incomplete response returned, reason: max_output_tokens
    "#]];
    ModelNotFound model_not_found: provider(http(404, r#"{"error":{"code":"model_not_found","message":"no such model"}}"#), &[]) => expect![[r#"
        Error model_not_found: no such model
    "#]];
    ContentRefused content_refused: provider(fails("cyber_policy"), &[]) => expect![[r#"
        Error content_refused: scripted failure: cyber_policy
    "#]];
    TooManyDenials too_many_denials: turn_fails("tooManyDenials", "too much was declined") => expect![[r#"
        Error too_many_denials: too much was declined
    "#]];
    ReviewUnreadable review_unreadable: calls::of_a_review(says("Looks good to me.")) => expect![[r#"
        Error review_unreadable: the review cannot be read: expected value at line 1 column 1. It says: Looks good to me.
    "#]];
    CodexFailed codex_failed: provider(http(400, r#"{"error":{"message":"nonsense"}}"#), &[]) => expect![[r#"
        Error codex_failed: {"error":{"message":"nonsense"}}
    "#]];

    ThreadNotFound thread_not_found: life::a_thread_that_is_not_there() => expect![[r#"
        Error thread_not_found: there is no thread [uuid-1] in the workspace roots
    "#]];
    ThreadBusy thread_busy: life::during_a_turn(&[], "codex.thread.archive", json!({})) => expect![[r#"
        Error thread_busy: a turn runs or waits on thread [uuid-1]
    "#]];
    ThreadBusyElsewhere thread_busy_elsewhere: life::a_thread_that_is_open_elsewhere() => expect![[r#"
        Error thread_busy_elsewhere: Codex says: thread [uuid-1] already has an active writer
    "#]];
    ThreadArchived thread_archived: life::a_thread_that_is_put_away() => expect![[r#"
        Error thread_archived: Codex says: session [uuid-1] is archived. Run `codex unarchive [uuid-1]` to unarchive it first.
    "#]];
    ThreadHasForks thread_has_forks: life::a_thread_that_was_forked() => expect![[r#"
        Error thread_has_forks: Codex says: cannot delete thread [uuid-1]: forked history still references it
    "#]];
    ThreadClosed thread_closed: played(&Play::new().begins_turn(1).tells("thread/closed", json!({ "threadId": "thread" })), &[]) => expect![[r#"
        Error thread_closed: the thread was closed while its turn ran
    "#]];
    QueueFull queue_full: life::a_queue_that_is_full() => expect![[r#"
        Error queue_full: 1 turns wait on the thread already
    "#]];
    TooManyTurns too_many_turns: life::during_a_turn(&["--max-turns-per-minute=1"], "codex-reply", json!({ "prompt": "x" })) => expect![[r#"
        Error too_many_turns: 1 turns were asked for on this thread within a minute
    "#]];
    PlanConflict plan_conflict: life::after_a_turn(&[
        ("codex.plan.update", json!({ "steps": [{ "step": "read" }] })),
        ("codex.plan.update", json!({ "steps": [{ "step": "write" }], "expectedVersion": 0 })),
    ]) => expect![[r#"
        Error plan_conflict: version 1, by client, is newer than version 0, so nothing was changed
    "#]];
    NoRunningTurn no_running_turn: life::after_a_turn(&[("codex.steer", json!({ "prompt": "x" }))]) => expect![[r#"
        Error no_running_turn: no turn runs on thread [uuid-1]
    "#]];
    NothingToCancel nothing_to_cancel: life::after_a_turn(&[("codex.cancel", json!({}))]) => expect![[r#"
        Error nothing_to_cancel: no turn runs or waits on thread [uuid-1]
    "#]];
    WrongTurn wrong_turn: life::during_a_turn(&[], "codex.steer", json!({ "prompt": "x", "turnId": "another" })) => expect![[r#"
        Error wrong_turn: turn another does not run; turn [uuid-1] does
    "#]];
    TurnNotSteerable turn_not_steerable: thread_call(&Play::new().begins_turn(1).refuses("turn/steer", -32600, "cannot steer a review turn"), "codex.steer", json!({ "prompt": "x" })) => expect![[r#"
        Error turn_not_steerable: Codex says: cannot steer a review turn
    "#]];
    TurnNotFound turn_not_found: life::a_turn_that_is_not_there() => expect![[r#"
        Error turn_not_found: thread [uuid-1] has no turn [uuid-2]
    "#]];
    TurnTimeLimit turn_time_limit: life::a_turn_that_takes_too_long() => expect![[r#"
        Error turn_time_limit: the turn was interrupted after 1 s
    "#]];
    ExecLimit exec_limit: life::what_exec_started_takes_too_much() => expect![[r#"
        Error exec_limit: what the turn had started used more than 128 MB of memory, and was stopped with it
    "#]];
    TurnCut turn_cut: life::a_turn_whose_engine_is_killed() => expect![[r#"
        Error turn_cut: the server ended while this turn ran
    "#]];
    TurnNeverStarted turn_never_started: life::a_waiting_turn_whose_engine_is_killed() => expect![[r#"
        Error turn_never_started: the server ended before Codex had begun this turn
    "#]];

    WorkspaceTooLarge workspace_too_large: workspace::refused(WorkspaceFailure::TooLarge, "/w has 9 GB; the limit is 1 GB") => expect![[r#"
        Error workspace_too_large: /w has 9 GB; the limit is 1 GB
    "#]];
    WorkspaceUnreadable workspace_unreadable: workspace::refused(WorkspaceFailure::Unreadable, "/w/a: permission denied") => expect![[r#"
        Error workspace_unreadable: /w/a: permission denied
    "#]];
    WorkspaceNoSpace workspace_no_space: workspace::refused(WorkspaceFailure::NoSpace, "/w: no space left on device") => expect![[r#"
        Error workspace_no_space: /w: no space left on device
    "#]];
    PatchNotFound patch_not_found: asked("codex.patch.preview", json!({ "patchId": "p-0123456789abcdef" }), &[]) => expect![[r#"
        Error patch_not_found: there is no patch "[patch-1]" of the threads in the workspace roots
    "#]];
    DiffInvalid diff_invalid: asked("codex.patch.preview", json!({ "diff": "not a diff" }), &[]) => expect![[r#"
        Error diff_invalid: line 0: there is no diff here; a file's diff begins with `diff --git a/name b/name`, or with `--- a/name` and `+++ b/name`
    "#]];
    PatchConflicts patch_conflicts: asked("codex.patch.preview", json!({ "diff": patches::OTHER }), &[]) => expect![[r#"
        Error patch_conflicts: other.txt: `other.txt` is not there
    "#]];
    PatchNotApplied patch_not_applied: asked("codex.patch.apply", json!({ "diff": patches::NEW, "reverse": true }), &[]) => expect![[r#"
        Error patch_not_applied: patch [patch-1] was not applied, or was taken back already
    "#]];
    FilesChanged files_changed: patches::changed_meanwhile() => expect![[r#"
        Error files_changed: new.txt was changed meanwhile
    "#]];
    ScratchGone scratch_gone: patches::tests_of_a_diff() => expect![[r#"
        Error scratch_gone: patch [patch-1] has no scratch workspace: it was brought as a diff
    "#]];
    PatchFailed patch_failed: patches::without_a_journal() => expect![[r#"
        Error patch_failed: the change cannot be prepared: File exists (os error 17); nothing was changed
    "#]];
    WorkspaceFailed workspace_failed: workspace::refused(WorkspaceFailure::Other, "not available") => expect![[r#"
        Error workspace_failed: not available
    "#]];

    GitNotFound git_not_found: asked("codex.repo.status", json!({}), &["--git-bin=/no/git"]) => expect![[r#"
        Error git_not_found: /no/git is not an executable file
    "#]];
    GitTooOld git_too_old: calls::of_an_old_git() => expect![[r#"
        Error git_too_old: git [version] is too old; 2.31 is the oldest that works
    "#]];
    NotARepository not_a_repository: asked("codex.repo.status", json!({ "cwd": ".git" }), &[]) => expect![[r#"
        Error not_a_repository: [workspace]/.git is inside of a `.git` folder, where there are no files to compare
    "#]];
    GitFailed git_failed: asked("codex.repo.status", json!({}), &["--git-bin=/bin/false"]) => expect![[r#"
        Error git_failed: `git version` failed: exit code 1
    "#]];
    NoTestRunner no_test_runner: asked("codex.tests.run", json!({}), &[]) => expect![[r#"
        Error no_test_runner: [workspace] has nothing by which a test runner is known; looked for Cargo.toml; package.json with a `test` script, vitest, jest or mocha; pytest in pyproject.toml, pytest.ini, setup.cfg, tox.ini or conftest.py; test*.py; go.mod; pom.xml; build.gradle; *.sln or *.csproj; .rspec or spec/; phpunit.xml; build/CTestTestfile.cmake; t/*.t; a makefile with `test` or `check`
    "#]];
    TestProgramMissing test_program_missing: asked("codex.tests.run", json!({}), &["--test-command=no-such-program"]) => expect![[r#"
        Error test_program_missing: the tests are run by `no-such-program`, and there is no such program on PATH
    "#]];
    RunNotFound run_not_found: asked("codex.tests.run", json!({ "runId": "x" }), &[]) => expect![[r#"
        Error run_not_found: there is no test run "x" in the workspace roots
    "#]];
    TooManyRuns too_many_runs: calls::more_runs_than_may_be() => expect![[r#"
        Error too_many_runs: there are too many test runs under way
    "#]];

    EngineLost engine_lost: life::a_call_whose_engine_is_killed() => expect![[r#"
        Error engine_lost: the engine ended while this call ran
    "#]];
    NoEngine no_engine: life::an_engine_that_cannot_start() => expect![[r#"
        Error no_engine: no engine serves this client: the lock [root]/broken/engine.lock cannot be used; name another directory with --state-dir: Is a directory (os error 21)
    "#]];
    StoreUnavailable store_unavailable: life::records_that_are_broken() => expect![[r#"
        Error store_unavailable: the directory of the store [home]/.local/state/codex-mcp cannot be made private: Is a directory (os error 21)
    "#]];
    ShuttingDown shutting_down: life::an_engine_that_is_told_to_end() => expect![[r#"
        Error shutting_down: the server is ending
    "#]];
    ArgumentTooLarge argument_too_large: asked("codex", json!({ "prompt": "x", "developer-instructions": "x".repeat(1_001) }), &["--max-instructions-chars=1000"]) => expect![[r#"
        Error argument_too_large: argument `developer-instructions` has 1001 characters; the limit is 1000
    "#]];
    ConsentRequired consent_required: life::after_a_turn(&[("codex.thread.archive", json!({ "action": "delete" }))]) => expect![[r#"
        Error consent_required: nobody allowed to delete thread [uuid-1] with all its messages: this client cannot ask its user
    "#]];
    NestedTooDeep nested_too_deep: life::a_client_inside_codex() => expect![[r#"
        Error nested_too_deep: this client is 1 below a Codex that this server started, and 0 is the most
    "#]];
    IdempotencyConflict idempotency_conflict: life::a_key_for_something_else() => expect![[r#"
        Error idempotency_conflict: the idempotencyKey "k" was used for another call
    "#]];
}
