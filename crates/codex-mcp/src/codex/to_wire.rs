//! From the core's requests and answers to Codex's wire types.
//!
//! Threads are opened read-only and every turn gets its sandbox by itself: a thread that is started with a wider one
//! makes Codex write a trust entry into the user's configuration (measured with Codex 0.169).

use std::time::Duration;

use bridge_core::{
    ApprovalPolicy, Effort, Json, Request, RequestId, ThreadId, ThreadOptions, ThreadQuery, TurnId,
    TurnOptions,
};
use codex_client::protocol as wire;
use codex_client::protocol::Method;
use codex_client::{Connection, RequestError};
use serde_json::{Map, Value, json};

/// How long the probe of the sandbox may take, in milliseconds.
const PROBE_TIMEOUT_MS: i64 = 5000;

/// Sends a request; its answer arrives in the inbox under the request's number.
pub(crate) fn send(
    connection: &Connection,
    id: RequestId,
    request: &Request,
    deadline: Duration,
) -> Result<(), RequestError> {
    match request {
        Request::StartThread(options) => {
            submit::<wire::ThreadStart>(connection, id, &thread_start(options), deadline)
        }
        Request::ResumeThread(thread) => {
            submit::<wire::ThreadResume>(connection, id, &thread_resume(thread), deadline)
        }
        Request::NameThread { thread, name } => {
            submit::<wire::ThreadSetName>(connection, id, &set_name(thread, name), deadline)
        }
        Request::StartTurn { thread, prompt, options, effort } => {
            let params = turn_start(&thread.0, prompt, options, effort);
            submit::<wire::TurnStart>(connection, id, &params, deadline)
        }
        Request::SteerTurn { thread, turn, prompt } => {
            submit::<wire::TurnSteer>(connection, id, &turn_steer(thread, turn, prompt), deadline)
        }
        Request::InterruptTurn { thread, turn } => {
            submit::<wire::TurnInterrupt>(connection, id, &interrupt(thread, turn), deadline)
        }
        Request::CleanTerminals(thread) => {
            submit::<wire::BackgroundTerminalsClean>(connection, id, &of_thread(thread), deadline)
        }
        Request::ListThreads(query) => {
            submit::<wire::ThreadList>(connection, id, &thread_list(query), deadline)
        }
        Request::ArchiveThread(thread) => {
            submit::<wire::ThreadArchive>(connection, id, &of_thread(thread), deadline)
        }
        Request::UnarchiveThread(thread) => {
            submit::<wire::ThreadUnarchive>(connection, id, &of_thread(thread), deadline)
        }
        Request::DeleteThread(thread) => {
            submit::<wire::ThreadDelete>(connection, id, &of_thread(thread), deadline)
        }
        Request::UnsubscribeThread(thread) => {
            submit::<wire::ThreadUnsubscribe>(connection, id, &of_thread(thread), deadline)
        }
        Request::ReadTurn { thread, .. } | Request::ReadTurns(thread) => {
            submit::<wire::ThreadTurnsList>(connection, id, &newest_turns(thread), deadline)
        }
        Request::ReadAccount => {
            submit::<wire::AccountRead>(connection, id, &Default::default(), deadline)
        }
        Request::ListModels => {
            let params = wire::ModelListParams { include_hidden: Some(true), ..Default::default() };
            submit::<wire::ModelList>(connection, id, &params, deadline)
        }
        Request::ProbeSandbox => {
            submit::<wire::CommandExec>(connection, id, &sandbox_probe(), deadline)
        }
    }
}

/// Turns that are looked through for the one that is meant.
const READ_TURNS: u32 = 50;

fn submit<M: Method>(
    connection: &Connection,
    id: RequestId,
    params: &M::Params,
    deadline: Duration,
) -> Result<(), RequestError> {
    connection.submit(id.0, M::NAME, params, deadline)
}

fn thread_start(options: &ThreadOptions) -> wire::ThreadStartParams {
    wire::ThreadStartParams {
        cwd: Some(options.working_directory.clone()),
        model: options.model.clone(),
        approval_policy: options.approval_policy.map(approval_policy),
        sandbox: Some(wire::SandboxMode::ReadOnly),
        config: options.config.as_ref().and_then(object),
        base_instructions: options.base_instructions.clone(),
        developer_instructions: options.developer_instructions.clone(),
        ..Default::default()
    }
}

fn thread_resume(thread: &ThreadId) -> wire::ThreadResumeParams {
    wire::ThreadResumeParams {
        thread_id: thread.0.clone(),
        exclude_turns: true,
        sandbox: Some(wire::SandboxMode::ReadOnly),
        config: Some(resume_config()),
        ..Default::default()
    }
}

fn turn_steer(thread: &ThreadId, turn: &TurnId, prompt: &str) -> wire::TurnSteerParams {
    wire::TurnSteerParams {
        thread_id: thread.0.clone(),
        input: vec![wire::UserInput::text(prompt)],
        expected_turn_id: turn.0.clone(),
        client_user_message_id: None,
    }
}

fn set_name(thread: &ThreadId, name: &str) -> wire::ThreadSetNameParams {
    wire::ThreadSetNameParams { thread_id: thread.0.clone(), name: name.to_owned() }
}

fn interrupt(thread: &ThreadId, turn: &TurnId) -> wire::TurnInterruptParams {
    wire::TurnInterruptParams { thread_id: thread.0.clone(), turn_id: turn.0.clone() }
}

fn of_thread(thread: &ThreadId) -> wire::ThreadIdParams {
    wire::ThreadIdParams { thread_id: thread.0.clone() }
}

fn newest_turns(thread: &ThreadId) -> wire::ThreadTurnsListParams {
    wire::ThreadTurnsListParams {
        thread_id: thread.0.clone(),
        limit: Some(READ_TURNS),
        items_view: Some(wire::TurnItemsView::Full),
        ..Default::default()
    }
}

/// Everything a person may have started, on any provider; what Codex starts for itself is left out.
fn thread_list(query: &ThreadQuery) -> wire::ThreadListParams {
    let sources = ["cli", "vscode", "exec", "appServer", "unknown"];
    wire::ThreadListParams {
        cursor: query.cursor.clone(),
        limit: Some(query.limit),
        sort_key: Some("updated_at".to_owned()),
        sort_direction: Some(wire::SortDirection::Descending),
        model_providers: Some(Vec::new()),
        source_kinds: Some(sources.map(str::to_owned).to_vec()),
        archived: Some(query.archived),
        ..Default::default()
    }
}

fn sandbox_probe() -> wire::CommandExecParams {
    wire::CommandExecParams {
        command: vec!["true".to_owned()],
        timeout_ms: Some(PROBE_TIMEOUT_MS),
        sandbox_policy: Some(read_only()),
        ..Default::default()
    }
}

fn turn_start(
    thread: &str,
    prompt: &str,
    options: &TurnOptions,
    effort: &Effort,
) -> wire::TurnStartParams {
    let (effort, collaboration_mode) = match effort {
        Effort::Unchanged => (None, None),
        Effort::Named(effort) => (Some(effort.clone()), None),
        Effort::ModelDefault => (None, options.model.as_deref().map(model_default_effort)),
    };
    wire::TurnStartParams {
        thread_id: thread.to_owned(),
        input: vec![wire::UserInput::text(prompt)],
        approval_policy: options.approval_policy.map(approval_policy),
        sandbox_policy: Some(read_only()),
        model: options.model.clone(),
        effort,
        output_schema: options
            .output_schema
            .as_ref()
            .and_then(|schema| object(schema).map(Value::Object)),
        collaboration_mode,
        ..Default::default()
    }
}

/// The only way back to the model's default effort: neither an absent nor a null `effort` changes it, nor does
/// `thread/settings/update` (measured with Codex 0.169).
fn model_default_effort(model: &str) -> wire::CollaborationMode {
    wire::CollaborationMode {
        mode: wire::CollaborationModeKind::Default,
        settings: wire::CollaborationSettings {
            model: model.to_owned(),
            reasoning_effort: None,
            developer_instructions: None,
        },
    }
}

/// A resumed thread forgets that its plan tool was switched on.
fn resume_config() -> Map<String, Value> {
    Map::from_iter([("tools.update_plan.enabled".to_owned(), json!(true))])
}

fn read_only() -> wire::SandboxPolicy {
    wire::SandboxPolicy::ReadOnly(wire::ReadOnlySandbox::default())
}

fn approval_policy(policy: ApprovalPolicy) -> wire::ApprovalPolicy {
    match policy {
        ApprovalPolicy::Untrusted => wire::ApprovalPolicy::Untrusted,
        ApprovalPolicy::OnRequest => wire::ApprovalPolicy::OnRequest,
        ApprovalPolicy::Never => wire::ApprovalPolicy::Never,
    }
}

/// The shell made this text from an object, so it is one.
fn object(json: &Json) -> Option<Map<String, Value>> {
    serde_json::from_str(json.as_str()).ok()
}
