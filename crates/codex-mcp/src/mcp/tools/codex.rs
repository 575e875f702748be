//! `codex`: a new thread and its first turn. A drop-in for the removed official tool of the same name.

use std::path::Path;

use bridge_core::{CallRequest, ThreadOptions, TurnRequest};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Definition, Visibility, unexpected};
use crate::codex::thread_config::{self, Given};
use crate::error::Problem;
use crate::mcp::arguments::{Approval, Changes, Effort, Sandbox, TurnArguments, parse};
use crate::mcp::attachments::{Attachment, Attachments};
use crate::mcp::call::ToolCall;
use crate::mcp::input_limits::InputLimits;
use crate::mcp::render::{Answer, TurnResult};
use crate::mcp::repeat::{self, Key};
use crate::workspace::Roots;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Arguments {
    /// What Codex is to do, with all it needs to know: it sees the workspace, not your conversation.
    prompt: String,
    /// A model's name. Default: the user's own Codex setting.
    model: Option<String>,
    /// How hard the model thinks.
    effort: Option<Effort>,
    /// The working directory, inside a workspace root. Default: the client's project.
    cwd: Option<String>,
    /// A title for the thread.
    name: Option<String>,
    /// What comes with the prompt: each has one of `path`, `text`, `uri`, `diff`.
    attachments: Option<Vec<Attachment>>,
    /// What they may cost.
    #[schemars(range(min = 100))]
    attachment_tokens: Option<u32>,
    /// A JSON schema that the final answer follows.
    output_schema: Option<JsonObject>,
    /// `true`: answer as soon as the turn runs; get the result with codex.wait.
    background: Option<bool>,
    /// Your own name for this call. A call with the same key and arguments is the same turn: safe to retry.
    idempotency_key: Option<String>,
    /// Interrupt the turn after this long.
    #[schemars(range(min = 1, max = 86400))]
    time_limit_seconds: Option<u32>,
    /// `propose`: Codex works in a copy and its changes come back as a patch; `direct`: in the files, if the user agrees.
    changes: Option<Changes>,
    /// `changes` in Codex's words: `workspace-write` is `direct`.
    sandbox: Option<Sandbox>,
    /// When Codex asks for more than its sandbox allows. The user is asked, by rules first, or it is declined.
    #[serde(rename = "approval-policy")]
    approval_policy: Option<Approval>,
    /// A profile of the user's Codex configuration.
    profile: Option<String>,
    /// Further Codex settings for this thread, such as `model_verbosity`.
    config: Option<JsonObject>,
    /// Which of Codex's own MCP servers the thread has, by name; `[]`: none. Default: all.
    mcp_servers: Option<Vec<String>>,
    /// Instructions added to Codex's own.
    #[serde(rename = "developer-instructions")]
    developer_instructions: Option<String>,
    /// Instructions in place of Codex's own.
    #[serde(rename = "base-instructions")]
    base_instructions: Option<String>,
    /// The prompt that Codex compacts the thread with.
    #[serde(rename = "compact-prompt")]
    compact_prompt: Option<String>,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex",
        title: "Ask Codex",
        description: "Start a new OpenAI Codex thread and run its first turn: a second opinion, an investigation, a \
            review, an explanation, a plan, a change. Codex reads files and runs commands in a read-only sandbox; with \
            `changes: propose` it edits a copy and returns a patch. Put what it needs to know into `prompt`, what you have at hand into `attachments`. Returns `threadId` (continue with codex-reply) and \
            `content` (its final answer). Long work: set `background` and collect the result with codex.wait.",
        search_hint: "openai gpt delegate second opinion ask another model agent review investigate",
        annotations: ToolAnnotations::new().read_only(false).destructive(false).idempotent(false).open_world(true),
        visibility: Visibility::Always,
    }
    .tool::<Arguments, TurnResult>()
}

/// What a call asks for.
pub(super) struct Asked {
    key: Option<Key>,
    options: ThreadOptions,
    turn: TurnRequest,
    attachments: Attachments,
}

/// Reads the arguments.
pub(super) fn read(
    arguments: Option<JsonObject>,
    limits: &InputLimits<'_>,
    roots: &Roots,
) -> Result<Asked, Problem> {
    let asked = repeat::digest("codex", arguments.as_ref());
    let arguments: Arguments = parse(arguments)?;
    let key = Key::new(arguments.idempotency_key, asked)?;
    let working_directory = roots.resolve(arguments.cwd.as_deref());
    let working_directory = working_directory.map_err(|error| Problem::from(&error))?;
    let codex_home = limits.0.codex_home();
    limits.object("config", arguments.config.as_ref())?;
    for (name, text) in [
        ("developer-instructions", &arguments.developer_instructions),
        ("base-instructions", &arguments.base_instructions),
        ("compact-prompt", &arguments.compact_prompt),
    ] {
        limits.instructions(name, text.as_deref())?;
    }
    let given = Given {
        config: arguments.config,
        profile: arguments.profile.as_deref(),
        compact_prompt: arguments.compact_prompt.as_deref(),
        mcp_servers: arguments.mcp_servers.as_deref(),
        allowed: &limits.0.config_allow,
        working_directory: working_directory.path(),
        codex_home: codex_home.as_deref(),
    };
    let config = thread_config::build(given)?;
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
    let mut turn = turn.check(limits)?;
    let options = ThreadOptions {
        working_directory: ToolCall::confirmed(&working_directory)?,
        // What the first call says holds for the thread, as it did with the official tool.
        model: turn.options.model.take(),
        approval_policy: turn.options.approval_policy.take(),
        config: Some(config),
        base_instructions: arguments.base_instructions,
        developer_instructions: arguments.developer_instructions,
        name: arguments.name.filter(|name| !name.trim().is_empty()),
        metadata: None,
    };
    Ok(Asked { key, options, turn, attachments })
}

pub(super) async fn call(
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Result<Answer, Problem> {
    let Asked { key, options, mut turn, attachments } =
        read(arguments, &call.input_limits(), call.roots())?;
    let directory = Path::new(&options.working_directory);
    if let Some(asks) = call.allow_changes(&mut turn.options, directory).await? {
        return Ok(asks);
    }
    let options = ThreadOptions { metadata: Some(call.started_by().to_json()), ..options };
    let attachment = turn.attachment;
    let request = CallRequest::StartThread { options, turn };
    call.run_once(key.as_ref(), request, attachment, &attachments)
        .await?
        .ok_or_else(|| unexpected("codex"))
}
