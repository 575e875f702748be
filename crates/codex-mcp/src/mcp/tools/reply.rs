//! `codex-reply`: the next turn of a thread, also of one that a Codex terminal started.

use std::path::Path;

use bridge_core::{CallRequest, ThreadId, TurnRequest};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Definition, Visibility, unexpected};
use crate::codex::thread_config;
use crate::error::Problem;
use crate::mcp::arguments::{Approval, Changes, Effort, Sandbox, TurnArguments, parse, thread_id};
use crate::mcp::attachments::{Attachment, Attachments};
use crate::mcp::call::ToolCall;
use crate::mcp::input_limits::InputLimits;
use crate::mcp::render::{Answer, TurnResult};
use crate::mcp::repeat::{self, Key};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Arguments {
    /// The next message to Codex. It remembers the thread.
    prompt: String,
    /// Needed: the thread, as `codex` returned it.
    thread_id: Option<String>,
    /// A model's name, for this turn only. Codex may summarise the thread's history when its model changes.
    model: Option<String>,
    /// How hard the model thinks, for this turn only.
    effort: Option<Effort>,
    /// As in `codex`.
    #[schemars(with = "Option<Vec<JsonObject>>")]
    attachments: Option<Vec<Attachment>>,
    /// As in `codex`.
    #[schemars(range(min = 100))]
    attachment_tokens: Option<u32>,
    /// As in `codex`.
    output_schema: Option<JsonObject>,
    /// As in `codex`.
    background: Option<bool>,
    /// As in `codex`.
    idempotency_key: Option<String>,
    /// As in `codex`.
    #[schemars(range(min = 1, max = 86400))]
    time_limit_seconds: Option<u32>,
    /// As in `codex`; `propose` goes on in the thread's copy, if it has one.
    changes: Option<Changes>,
    /// As in `codex`.
    sandbox: Option<Sandbox>,
    /// As in `codex`.
    #[serde(rename = "approval-policy")]
    approval_policy: Option<Approval>,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex-reply",
        title: "Continue a Codex thread",
        description: "Send the next message to a Codex thread that `codex` started (or that a Codex terminal did, \
            given its id): a follow-up, an answer, more detail. The thread keeps its memory, also across restarts. \
            If its previous turn still runs, this one waits in the queue; to add to the running turn use codex.steer. \
            Options hold for this turn only. Returns `threadId` and `content` like `codex`.",
        search_hint: "openai gpt follow up continue resume conversation session thread",
        annotations: ToolAnnotations::new().read_only(false).destructive(false).idempotent(false).open_world(true),
        visibility: Visibility::Always,
    }
    .tool::<Arguments, TurnResult>()
}

/// What a call asks for.
pub(super) struct Asked {
    key: Option<Key>,
    thread: ThreadId,
    turn: TurnRequest,
    attachments: Attachments,
}

/// Reads the arguments.
pub(super) fn read(
    arguments: Option<JsonObject>,
    limits: &InputLimits<'_>,
) -> Result<Asked, Problem> {
    let asked = repeat::digest("codex-reply", arguments.as_ref());
    let arguments: Arguments = parse(arguments)?;
    let key = Key::new(arguments.idempotency_key, asked)?;
    let allowed = "the `threadId` that `codex` returned (`conversationId` is accepted too)";
    let thread = arguments
        .thread_id
        .ok_or_else(|| Problem::argument("threadId", "it is missing", allowed))?;
    let (given, tokens) = (arguments.attachments, arguments.attachment_tokens);
    let attachments = Attachments::read(given, tokens, limits.0)?;
    let turn = TurnArguments {
        prompt: arguments.prompt,
        model: arguments.model,
        effort: arguments.effort,
        output_schema: arguments.output_schema,
        background: arguments.background,
        time_limit_seconds: arguments.time_limit_seconds,
        changes: arguments.changes,
        sandbox: arguments.sandbox,
        approval_policy: arguments.approval_policy,
    };
    let turn = turn.check(limits)?;
    Ok(Asked { key, thread: thread_id(&thread)?, turn, attachments })
}

pub(super) async fn call(
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Result<Answer, Problem> {
    let Asked { key, thread, mut turn, attachments } = read(arguments, &call.input_limits())?;
    let attachment = turn.attachment;
    let thread = call.threads().find(&thread).await?;
    let directory = Path::new(thread.working_directory());
    if let Some(asks) = call.allow_changes(&mut turn.options, directory).await? {
        return Ok(asks);
    }
    let config = thread_config::resume(
        thread.options(),
        Path::new(thread.working_directory()),
        call.config().codex_home().as_deref(),
    );
    let request = CallRequest::ContinueThread {
        thread: thread.id().clone(),
        config: Some(config),
        working_directory: Some(thread.working_directory().to_owned()),
        // Added on the way: what of the plan Codex does not know.
        plan: None,
        turn,
    };
    call.run_once(key.as_ref(), request, attachment, &attachments)
        .await?
        .ok_or_else(|| unexpected("codex-reply"))
}
