//! From the core's requests and answers to Codex's wire types.
//!
//! Threads are opened read-only and every turn gets its sandbox by itself: a thread that is started with a wider one
//! makes Codex write a trust entry into the user's configuration (measured with Codex 0.169).

use std::time::Duration;

use bridge_core::{
    ApprovalPolicy, Effort, Json, Material, Place, Request, RequestId, ReviewTarget, ThreadId,
    ThreadOptions, ThreadQuery, TurnDetail, TurnId, TurnOptions, TurnQuery,
};
use codex_client::protocol as wire;
use codex_client::protocol::Method;
use codex_client::{Connection, RequestError};
use serde_json::{Map, Value};

/// How long the probe of the sandbox may take, in milliseconds.
const PROBE_TIMEOUT_MS: i64 = 5000;

/// Sends a request; its answer arrives in the inbox under the request's number.
pub(crate) fn send(
    connection: &Connection,
    id: RequestId,
    request: &Request,
    deadline: Duration,
) -> Result<(), RequestError> {
    let to = Sender { connection, id, deadline };
    match request {
        Request::StartThread(options) => to.submit::<wire::ThreadStart>(&thread_start(options)),
        Request::ResumeThread { thread, config } => {
            to.submit::<wire::ThreadResume>(&thread_resume(thread, config.as_ref()))
        }
        Request::NameThread { thread, name } => {
            to.submit::<wire::ThreadSetName>(&set_name(thread, name))
        }
        Request::StartTurn {
            thread,
            plan,
            material,
            prompt,
            options,
            effort,
            place,
            working_directory,
        } => {
            let input = input(plan.as_deref(), material, prompt);
            let at = (place.as_ref(), working_directory.clone());
            to.submit::<wire::TurnStart>(&turn_start(&thread.0, input, options, effort, at))
        }
        Request::StartReview { thread, target } => {
            to.submit::<wire::ReviewStart>(&review_start(thread, target))
        }
        Request::SteerTurn { thread, turn, prompt } => {
            to.submit::<wire::TurnSteer>(&turn_steer(thread, turn, prompt))
        }
        Request::InterruptTurn { thread, turn } => {
            to.submit::<wire::TurnInterrupt>(&interrupt(thread, turn))
        }
        Request::CleanTerminals(thread) => {
            to.submit::<wire::BackgroundTerminalsClean>(&of_thread(thread))
        }
        Request::ListThreads(query) => to.submit::<wire::ThreadList>(&thread_list(query)),
        Request::ArchiveThread(thread) => to.submit::<wire::ThreadArchive>(&of_thread(thread)),
        Request::UnarchiveThread(thread) => to.submit::<wire::ThreadUnarchive>(&of_thread(thread)),
        Request::DeleteThread(thread) => to.submit::<wire::ThreadDelete>(&of_thread(thread)),
        Request::UnsubscribeThread(thread) => {
            to.submit::<wire::ThreadUnsubscribe>(&of_thread(thread))
        }
        Request::ReadTurn { thread, .. } => {
            to.submit::<wire::ThreadTurnsList>(&newest_turns(thread))
        }
        Request::ReadTurns { thread, query } => {
            to.submit::<wire::ThreadTurnsList>(&turns(thread, query))
        }
        Request::ReadThread(thread) => to.submit::<wire::ThreadRead>(&thread_read(thread)),
        Request::ReadAccount => to.submit::<wire::AccountRead>(&Default::default()),
        Request::ListModels => to.submit::<wire::ModelList>(&all_models()),
        Request::ProbeSandbox => to.submit::<wire::CommandExec>(&sandbox_probe()),
    }
}

/// Turns in one part of a thread, however much of each is read: the same place begins the same part.
const READ_TURNS: u32 = 50;

/// The way for one request.
struct Sender<'a> {
    connection: &'a Connection,
    id: RequestId,
    deadline: Duration,
}

impl Sender<'_> {
    fn submit<M: Method>(&self, params: &M::Params) -> Result<(), RequestError> {
        self.connection.submit(self.id.0, M::NAME, params, self.deadline)
    }
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

fn thread_resume(thread: &ThreadId, config: Option<&Json>) -> wire::ThreadResumeParams {
    wire::ThreadResumeParams {
        thread_id: thread.0.clone(),
        exclude_turns: true,
        sandbox: Some(wire::SandboxMode::ReadOnly),
        config: config.and_then(object),
        ..Default::default()
    }
}

fn review_start(thread: &ThreadId, target: &ReviewTarget) -> wire::ReviewStartParams {
    let target = match target.clone() {
        ReviewTarget::Uncommitted => wire::ReviewTarget::UncommittedChanges,
        ReviewTarget::BaseBranch(branch) => wire::ReviewTarget::BaseBranch { branch },
        ReviewTarget::Commit(sha) => wire::ReviewTarget::Commit { sha },
        ReviewTarget::Custom(instructions) => wire::ReviewTarget::Custom { instructions },
    };
    wire::ReviewStartParams { thread_id: thread.0.clone(), target }
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

/// From the oldest on, so that what is added later moves nothing.
fn turns(thread: &ThreadId, query: &TurnQuery) -> wire::ThreadTurnsListParams {
    let items_view = match query.detail {
        TurnDetail::Outline => wire::TurnItemsView::NotLoaded,
        TurnDetail::Whole => wire::TurnItemsView::Full,
    };
    wire::ThreadTurnsListParams {
        thread_id: thread.0.clone(),
        cursor: query.cursor.clone(),
        limit: Some(READ_TURNS),
        sort_direction: Some(wire::SortDirection::Ascending),
        items_view: Some(items_view),
    }
}

fn thread_read(thread: &ThreadId) -> wire::ThreadReadParams {
    wire::ThreadReadParams { thread_id: thread.0.clone(), include_turns: false }
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

fn all_models() -> wire::ModelListParams {
    wire::ModelListParams { include_hidden: Some(true), ..Default::default() }
}

fn sandbox_probe() -> wire::CommandExecParams {
    wire::CommandExecParams {
        command: vec!["true".to_owned()],
        timeout_ms: Some(PROBE_TIMEOUT_MS),
        sandbox_policy: Some(read_only()),
        ..Default::default()
    }
}

/// What Codex reads, in order; the prompt comes last.
fn input(plan: Option<&str>, material: &Material, prompt: &str) -> Vec<wire::UserInput> {
    let before = plan.into_iter().chain(material.text.as_deref()).map(wire::UserInput::text);
    let images = material.images.iter().map(wire::UserInput::image);
    before.chain(images).chain([wire::UserInput::text(prompt)]).collect()
}

fn turn_start(
    thread: &str,
    input: Vec<wire::UserInput>,
    options: &TurnOptions,
    effort: &Effort,
    (place, working_directory): (Option<&Place>, Option<String>),
) -> wire::TurnStartParams {
    let (effort, collaboration_mode) = match effort {
        Effort::Unchanged => (None, None),
        Effort::Named(effort) => (Some(effort.clone()), None),
        Effort::ModelDefault => (None, options.model.as_deref().map(model_default_effort)),
    };
    wire::TurnStartParams {
        thread_id: thread.to_owned(),
        input,
        cwd: working_directory,
        sandbox_policy: Some(place.map_or_else(read_only, sandbox)),
        approval_policy: options.approval_policy.map(approval_policy),
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

fn read_only() -> wire::SandboxPolicy {
    wire::SandboxPolicy::ReadOnly(wire::ReadOnlySandbox::default())
}

/// What the place names, and nothing else: not the folders for temporary files, which others use too. Without `.git`
/// among what may be written, Codex keeps that read-only (measured with Codex 0.169).
fn sandbox(place: &Place) -> wire::SandboxPolicy {
    match place.confined {
        true => wire::SandboxPolicy::WorkspaceWrite(wire::WorkspaceWriteSandbox {
            writable_roots: place.writable.clone(),
            network_access: place.network,
            exclude_tmpdir_env_var: true,
            exclude_slash_tmp: true,
        }),
        false => wire::SandboxPolicy::DangerFullAccess(wire::Empty::default()),
    }
}

fn approval_policy(policy: ApprovalPolicy) -> wire::ApprovalPolicy {
    match policy {
        ApprovalPolicy::Untrusted => wire::ApprovalPolicy::Untrusted,
        ApprovalPolicy::OnRequest => wire::ApprovalPolicy::OnRequest,
        ApprovalPolicy::Never => wire::ApprovalPolicy::Never,
    }
}

/// The shell made this text from an object, so it is one.
pub(super) fn object(json: &Json) -> Option<Map<String, Value>> {
    serde_json::from_str(json.as_str()).ok()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(confined: bool, expected: Expect) {
        let place = Place {
            working_directory: "/copy/src".to_owned(),
            writable: vec!["/copy".to_owned(), "/copy/.git".to_owned()],
            confined,
            network: false,
            copy: None,
        };
        let policy = serde_json::to_string(&sandbox(&place)).expect("it is plain data");
        expected.assert_eq(&policy);
    }

    #[test]
    fn a_turn_may_write_where_its_place_says() {
        check(
            true,
            expect![[
                r#"{"type":"workspaceWrite","writableRoots":["/copy","/copy/.git"],"networkAccess":false,"excludeTmpdirEnvVar":true,"excludeSlashTmp":true}"#
            ]],
        );
        check(false, expect![[r#"{"type":"dangerFullAccess"}"#]]);
    }
}
