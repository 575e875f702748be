//! From Codex's wire types to the core's events. What the core has no word for shows only that a turn is alive.

mod item;

use std::path::Path;
use std::time::Duration;

use bridge_core::{
    Account, AppServerId, ApprovalPolicy, CodexError, Event, ItemId, Plan, PlanStep, Reply,
    Request, RequestFailure, SandboxProbe, ServerRequestId, StepStatus, ThreadId, ThreadList,
    ThreadOpened, ThreadSummary, Tokens, Transcript, TurnEvent, TurnId, TurnList, TurnRecord,
    TurnState, UsageWindow,
};
use codex_client::RequestError;
use codex_client::protocol as wire;
use codex_client::protocol::{Method, Notification};
use serde_json::value::RawValue;

use self::item::{Completeness, PARAGRAPH, item, millis};
use super::{artifact, attachments, plan_note};

/// What a notification means; `None` if nothing.
pub(crate) fn notification(app_server: AppServerId, notification: Notification) -> Option<Event> {
    let (thread, turn, event) = match notification {
        Notification::Warning(warning) => return Some(warned(app_server, warning)),
        Notification::ThreadClosed(closed) => {
            let thread = ThreadId(closed.thread_id);
            return Some(Event::ThreadClosed { app_server, thread });
        }
        Notification::ServerRequestResolved(of) => {
            let id = request_id(&of.request_id);
            return Some(Event::QuestionWithdrawn { app_server, id });
        }
        Notification::RateLimitsUpdated(told) => {
            return Some(Event::UsageTold { app_server, windows: usage(told.rate_limits) });
        }
        Notification::Error(error) => error_reported(error),
        Notification::TokenUsageUpdated(usage) => tokens_counted(usage),
        Notification::TurnStarted(of) => (of.thread_id, of.turn.id, TurnEvent::Started),
        Notification::TurnCompleted(of) => turn_completed(of),
        Notification::PlanUpdated(of) => plan_updated(of),
        Notification::ModelRerouted(of) => {
            (of.thread_id, of.turn_id, TurnEvent::ModelChanged { model: of.to_model })
        }
        Notification::ItemStarted(of) => {
            let item = item(of.item, Completeness::Begun);
            (of.thread_id, of.turn_id, TurnEvent::ItemStarted(item))
        }
        Notification::ItemCompleted(of) => {
            let event = item_completed(of.item);
            (of.thread_id, of.turn_id, event)
        }
        Notification::AgentMessageDelta(of) => {
            let event = TurnEvent::MessageDelta { item: ItemId(of.item_id), text: of.delta };
            (of.thread_id, of.turn_id, event)
        }
        Notification::ReasoningSummaryDelta(of) | Notification::ReasoningTextDelta(of) => {
            let item = ItemId(of.item_id);
            (of.thread_id, of.turn_id, TurnEvent::ThinkingDelta { item, text: of.delta })
        }
        Notification::ReasoningSummaryPartAdded(of) => {
            let (item, text) = (ItemId(of.item_id), PARAGRAPH.to_owned());
            (of.thread_id, of.turn_id, TurnEvent::ThinkingDelta { item, text })
        }
        Notification::PlanDelta(of) | Notification::CommandOutputDelta(of) => {
            activity(of.thread_id, of.turn_id)
        }
        Notification::PatchUpdated(of) => activity(of.thread_id, of.turn_id),
        Notification::McpToolCallProgress(of) => activity(of.thread_id, of.turn_id),
        Notification::ConfigWarning(_)
        | Notification::DeprecationNotice(_)
        | Notification::ThreadStarted(_)
        | Notification::ThreadStatusChanged(_)
        | Notification::ThreadNameUpdated(_)
        | Notification::DiffUpdated(_)
        | Notification::CommandExecOutput(_)
        | Notification::AccountUpdated(_)
        | Notification::Other { .. } => return None,
    };
    Some(Event::Turn { app_server, thread: ThreadId(thread), turn: TurnId(turn), event })
}

fn warned(app_server: AppServerId, warning: wire::WarningNotification) -> Event {
    let thread = warning.thread_id.map(ThreadId);
    Event::Warned { app_server, thread, message: warning.message }
}

/// A sign of life that says nothing else.
fn activity(thread: String, turn: String) -> (String, String, TurnEvent) {
    (thread, turn, TurnEvent::Activity)
}

/// A thread, a turn of it, and what happened there.
type InTurn = (String, String, TurnEvent);

fn error_reported(of: wire::ErrorNotification) -> InTurn {
    let error = turn_error(of.error);
    (of.thread_id, of.turn_id, TurnEvent::ErrorReported { error, will_retry: of.will_retry })
}

fn turn_completed(of: wire::TurnNotification) -> InTurn {
    let state = turn_state(&of.turn.status);
    let error = of.turn.error.map(turn_error);
    (of.thread_id, of.turn.id, TurnEvent::Completed { state, error })
}

fn plan_updated(of: wire::PlanUpdatedNotification) -> InTurn {
    let steps = of.plan.into_iter().map(plan_step).collect();
    let plan = Plan { explanation: of.explanation, steps };
    (of.thread_id, of.turn_id, TurnEvent::PlanUpdated(plan))
}

/// The name of a question, by the text of Codex's id for it.
pub(crate) fn request_id(id: &codex_client::RequestId) -> ServerRequestId {
    ServerRequestId(serde_json::to_string(id).unwrap_or_default())
}

/// Reads the answer to a request.
pub(crate) fn reply(
    request: &Request,
    result: Result<Box<RawValue>, RequestError>,
) -> Result<Reply, RequestFailure> {
    let raw = result.map_err(request_failure)?;
    let read = match request {
        Request::StartThread(_) => wire::ThreadStart::read(&raw).map(thread_opened),
        Request::ResumeThread { .. } => wire::ThreadResume::read(&raw).map(thread_opened),
        Request::StartTurn { .. } => {
            wire::TurnStart::read(&raw).map(|response| Reply::TurnStarted(TurnId(response.turn.id)))
        }
        Request::StartReview { .. } => wire::ReviewStart::read(&raw)
            .map(|response| Reply::TurnStarted(TurnId(response.turn.id))),
        Request::SteerTurn { .. } => {
            wire::TurnSteer::read(&raw).map(|response| Reply::TurnStarted(TurnId(response.turn_id)))
        }
        Request::ReadTurn { turn, .. } => wire::ThreadTurnsList::read(&raw).map(|response| {
            let meant =
                |candidate: &wire::Turn| turn.as_ref().is_none_or(|turn| turn.0 == candidate.id);
            Reply::TurnRead(
                response.data.into_iter().find(meant).map(|turn| Box::new(turn_record(turn))),
            )
        }),
        Request::ReadAccount => wire::AccountRead::read(&raw).map(account),
        Request::ListModels => wire::ModelList::read(&raw).map(models),
        Request::ProbeSandbox => wire::CommandExec::read(&raw).map(|response| {
            Reply::Sandbox(SandboxProbe {
                exit_code: i64::from(response.exit_code),
                stderr: response.stderr,
            })
        }),
        Request::ReadTurns { .. } => wire::ThreadTurnsList::read(&raw).map(|response| {
            Reply::TurnsRead(TurnList {
                turns: response.data.into_iter().map(turn_record).collect(),
                next: response.next_cursor,
            })
        }),
        Request::ListThreads(query) => wire::ThreadList::read(&raw).map(|response| {
            let summary = |thread| thread_summary(thread, query.archived);
            Reply::Threads(ThreadList {
                threads: response.data.into_iter().map(summary).collect(),
                next: response.next_cursor,
            })
        }),
        Request::ReadThread(_) => wire::ThreadRead::read(&raw).map(|response| {
            let archived = is_archived(&response.thread);
            let threads = vec![thread_summary(response.thread, archived)];
            Reply::Threads(ThreadList { threads, next: None })
        }),
        Request::NameThread { .. }
        | Request::UnsubscribeThread(_)
        | Request::InterruptTurn { .. }
        | Request::CleanTerminals(_)
        | Request::ArchiveThread(_)
        | Request::UnarchiveThread(_)
        | Request::DeleteThread(_) => Ok(Reply::Done),
    };
    read.map_err(request_failure)
}

/// Why a request has no answer.
pub(crate) fn request_failure(error: RequestError) -> RequestFailure {
    match error {
        RequestError::Rejected { code, message, data, .. } => RequestFailure::Rejected {
            code,
            message,
            data: data.map(|data| bridge_core::Json(data.get().to_owned())),
        },
        RequestError::DeadlineExceeded { after, .. } => RequestFailure::DeadlineExceeded { after },
        RequestError::Overloaded { .. } => RequestFailure::Overloaded,
        RequestError::Closed { .. } => RequestFailure::Closed,
        RequestError::Unreadable { source, .. } => {
            RequestFailure::Unreadable { detail: source.to_string() }
        }
    }
}

fn thread_opened(response: wire::ThreadStartResponse) -> Reply {
    let approval_policy = response.approval_policy.and_then(|policy| match policy {
        wire::ApprovalPolicy::Untrusted => Some(ApprovalPolicy::Untrusted),
        wire::ApprovalPolicy::OnRequest => Some(ApprovalPolicy::OnRequest),
        wire::ApprovalPolicy::Never => Some(ApprovalPolicy::Never),
        wire::ApprovalPolicy::Other(_) => None,
    });
    Reply::ThreadOpened(ThreadOpened {
        working_directory: response.cwd.or(response.thread.cwd),
        thread: ThreadId(response.thread.id),
        model: response.model.or(response.thread.model),
        effort: response.reasoning_effort,
        approval_policy,
    })
}

fn thread_summary(thread: wire::Thread, archived: bool) -> ThreadSummary {
    ThreadSummary {
        thread: ThreadId(thread.id),
        name: thread.name.filter(|name| !name.is_empty()),
        preview: Some(attachments::without(&thread.preview).to_owned())
            .filter(|preview| !preview.is_empty()),
        working_directory: thread.cwd.unwrap_or_default(),
        source: source(thread.source.as_ref()),
        created_at: thread.created_at.unwrap_or_default(),
        updated_at: thread.updated_at.or(thread.created_at).unwrap_or_default(),
        archived,
    }
}

/// Whether a thread was put away: only the place of its file tells (measured with Codex 0.169).
fn is_archived(thread: &wire::Thread) -> bool {
    let folder = thread.path.as_deref().and_then(|path| Path::new(path).parent());
    folder.is_some_and(|folder| folder.ends_with("archived_sessions"))
}

/// Codex's word for where a thread was made; of an object its only key.
fn source(source: Option<&serde_json::Value>) -> String {
    let word = source.and_then(|source| match source.as_object() {
        Some(object) => object.keys().next().map(String::as_str),
        None => source.as_str(),
    });
    word.unwrap_or("unknown").to_owned()
}

fn turn_record(turn: wire::Turn) -> TurnRecord {
    let mut transcript = Transcript::default();
    let prompt = turn.items.iter().find_map(prompt);
    let plans_told = turn.items.iter().flat_map(texts).filter_map(plan_note::read);
    let plans_told = plans_told.map(|(version, _)| version).collect();
    for read in turn.items {
        transcript.item_completed(item(read, Completeness::Whole), usize::MAX);
    }
    TurnRecord {
        turn: TurnId(turn.id),
        prompt,
        plans_told,
        state: turn_state(&turn.status),
        transcript,
        error: turn.error.map(turn_error),
        started_at: turn.started_at,
        duration: millis(turn.duration_ms).unwrap_or_default(),
    }
}

/// An item that has ended. A message that has a plan in it shows that the turn has taken that.
fn item_completed(of: wire::ThreadItem) -> TurnEvent {
    let plan = texts(&of).find_map(plan_note::read).map(|(version, _)| version);
    match plan {
        Some(version) => TurnEvent::PlanTaken { version },
        None => TurnEvent::ItemCompleted(item(of, Completeness::Whole)),
    }
}

/// What the user said, if this is what the user said. Notes of plans are ours, and so is the frame of attachments.
fn prompt(item: &wire::ThreadItem) -> Option<String> {
    let wire::ThreadItem::UserMessage(_) = item else { return None };
    let said = texts(item).filter_map(|text| {
        let after_note = plan_note::read(text).map(|(_, rest)| rest);
        let after_all = attachments::rest(after_note.unwrap_or(text));
        match after_all.or(after_note) {
            Some(rest) => (!rest.is_empty()).then_some(rest),
            None => Some(text),
        }
    });
    Some(said.collect::<Vec<_>>().join("\n"))
}

/// The texts of what came from outside into a turn.
fn texts(item: &wire::ThreadItem) -> impl Iterator<Item = &str> {
    let content = if let wire::ThreadItem::UserMessage(message) = item {
        message.content.as_slice()
    } else {
        &[]
    };
    content.iter().filter_map(|input| match input {
        wire::UserInput::Text(input) => Some(input.text.as_str()),
        wire::UserInput::Image(_)
        | wire::UserInput::LocalImage(_)
        | wire::UserInput::Skill(_)
        | wire::UserInput::Mention(_)
        | wire::UserInput::Other(_) => None,
    })
}

fn models(response: wire::ModelListResponse) -> Reply {
    let model = |model: wire::Model| {
        let name = model.model.unwrap_or(model.id);
        model.default_reasoning_effort.map(|effort| (name, effort))
    };
    Reply::Models(response.data.into_iter().filter_map(model).collect())
}

fn turn_state(status: &wire::TurnStatus) -> TurnState {
    match status {
        wire::TurnStatus::Completed => TurnState::Completed,
        wire::TurnStatus::Interrupted => TurnState::Interrupted,
        wire::TurnStatus::InProgress => TurnState::InProgress,
        // An end of a kind that is not known here is none that went well.
        wire::TurnStatus::Failed | wire::TurnStatus::Other(_) => TurnState::Failed,
    }
}

fn turn_error(error: wire::TurnError) -> CodexError {
    let (kind, http_status) = match error.codex_error_info {
        Some(info) => (info.kind, info.http_status_code),
        None => ("other".to_owned(), None),
    };
    CodexError {
        kind,
        http_status,
        message: error.message,
        details: error.additional_details,
        resets_at: None,
    }
}

fn usage(told: wire::RateLimitSnapshot) -> Vec<UsageWindow> {
    let minutes =
        |minutes: i64| Some(Duration::from_secs(u64::try_from(minutes).ok()?.saturating_mul(60)));
    let window = |window: wire::RateLimitWindow| UsageWindow {
        // A cast keeps what is no percentage inside the numbers that there are.
        used_percent: window.used_percent.round() as u32,
        length: window.window_duration_mins.and_then(minutes),
        resets_at: window.resets_at,
    };
    [told.primary, told.secondary].into_iter().flatten().map(window).collect()
}

fn account(response: wire::AccountReadResponse) -> Reply {
    let (kind, plan) = match response.account {
        Some(account) => (Some(account.kind), account.plan_type),
        None => (None, None),
    };
    Reply::Account(Account { kind, plan, login_required: response.requires_openai_auth })
}

fn plan_step(step: wire::PlanStep) -> PlanStep {
    let status = match step.status {
        wire::PlanStepStatus::Completed => StepStatus::Completed,
        wire::PlanStepStatus::InProgress => StepStatus::InProgress,
        wire::PlanStepStatus::Pending | wire::PlanStepStatus::Other(_) => StepStatus::Pending,
    };
    PlanStep { step: step.step, status }
}

fn tokens_counted(of: wire::TokenUsageUpdatedNotification) -> InTurn {
    let count = |tokens: i64| u64::try_from(tokens).unwrap_or(0);
    let tokens = |usage: &wire::TokenUsage| Tokens {
        input: count(usage.input_tokens),
        cached_input: count(usage.cached_input_tokens),
        output: count(usage.output_tokens),
        reasoning_output: count(usage.reasoning_output_tokens),
        total: count(usage.total_tokens),
    };
    let usage = of.token_usage;
    let context_window = usage.model_context_window.map(count);
    let (last, thread) = (tokens(&usage.last), tokens(&usage.total));
    (of.thread_id, of.turn_id, TurnEvent::TokensCounted { last, thread, context_window })
}
