//! Codex's questions, from the wire and back: what is asked, and how each kind of question takes its answer.

use std::collections::BTreeMap;

use bridge_core::{Answer, Choice, Decision, Field, ItemId, Json, Question, ThreadId};
use codex_client::protocol as wire;
use codex_client::protocol::ServerRequest;
use codex_client::{Connection, RequestError, RpcError};
use serde_json::{Value, json};

/// The thread of a question, and what it asks.
pub(crate) fn from_wire(request: ServerRequest) -> (Option<ThreadId>, Question) {
    let (thread, question) = match request {
        ServerRequest::CommandApproval(asked) => (asked.thread_id.clone(), command(asked)),
        ServerRequest::FileChangeApproval(asked) => {
            let question = Question::FileChange {
                item: ItemId(asked.item_id),
                grants: asked.grant_root,
                reason: asked.reason,
            };
            (asked.thread_id, question)
        }
        ServerRequest::PermissionsApproval(asked) => {
            let wanted = Json(wanted(asked.permissions).to_string());
            (asked.thread_id, Question::Permissions { wanted, reason: asked.reason })
        }
        ServerRequest::UserInput(asked) => {
            let fields = asked.questions.into_iter().map(field).collect();
            (asked.thread_id, Question::UserInput { fields })
        }
        ServerRequest::Elicitation(asked) => (asked.thread_id.clone(), elicitation(asked)),
        ServerRequest::DynamicToolCall(asked) => {
            let method = format!("item/tool/call {}", asked.tool);
            (asked.thread_id, Question::Unknown { method })
        }
        ServerRequest::Other { method, .. } => return (None, Question::Unknown { method }),
    };
    (Some(ThreadId(thread)), question)
}

/// The permissions without those that are not asked for.
fn wanted(mut permissions: Value) -> Value {
    if let Value::Object(fields) = &mut permissions {
        fields.retain(|_, value| !value.is_null());
    }
    permissions
}

fn command(asked: wire::CommandApprovalParams) -> Question {
    let reason = asked.reason;
    match (asked.network_approval_context, asked.command) {
        (Some(network), _) => Question::Network { host: network.host, reason },
        (None, command) => Question::Command {
            command: command.unwrap_or_else(|| "a command".to_owned()),
            working_directory: asked.cwd,
            reason,
        },
    }
}

fn field(asked: wire::UserInputQuestion) -> Field {
    let choice = |option: wire::UserInputOption| Choice {
        label: option.label,
        description: option.description,
    };
    let choices: Vec<_> = asked.options.unwrap_or_default().into_iter().map(choice).collect();
    let (choices, question) = match asked.is_other {
        false => (choices, asked.question),
        // Any text is an answer, so what could be chosen is only a proposal.
        true => (Vec::new(), with_proposals(asked.question, &choices)),
    };
    Field { id: asked.id, header: asked.header, question, choices, is_secret: asked.is_secret }
}

fn with_proposals(question: String, choices: &[Choice]) -> String {
    match choices {
        [] => question,
        _ => {
            let labels: Vec<_> = choices.iter().map(|choice| choice.label.as_str()).collect();
            format!("{question} ({}, or something else)", labels.join(", "))
        }
    }
}

fn elicitation(asked: wire::ElicitationParams) -> Question {
    let meta = asked.meta.unwrap_or_default();
    let message = asked.message.unwrap_or_default();
    let is_tool_call = meta["codex_approval_kind"] == "mcp_tool_call";
    let tool = is_tool_call.then(|| tool_name(&meta, &message).to_owned());
    let message = match asked.url {
        Some(url) => format!("{message} ({url})"),
        None => message,
    };
    let schema = asked.requested_schema.filter(|_| tool.is_none());
    Question::Elicitation {
        server: asked.server_name,
        message,
        tool,
        schema: schema.map(|schema| Json(schema.to_string())),
    }
}

/// The name of the tool that Codex asks about: in its data, else what it quotes.
fn tool_name<'a>(meta: &'a Value, message: &'a str) -> &'a str {
    let named = meta["tool_name"].as_str().or_else(|| message.split('"').nth(1));
    named.or_else(|| meta["tool_title"].as_str()).unwrap_or("of unknown name")
}

/// Answers a question, in the form that it takes.
///
/// # Errors
/// The connection has ended.
pub(crate) fn answer(
    connection: &Connection,
    id: &codex_client::RequestId,
    question: &Question,
    answer: &Answer,
) -> Result<(), RequestError> {
    match question {
        Question::Command { .. } | Question::Network { .. } | Question::FileChange { .. } => {
            connection.answer(id, Ok(&wire::ApprovalResponse { decision: decision(answer) }))
        }
        Question::Permissions { wanted, .. } => {
            connection.answer(id, Ok(&permissions(wanted, answer.decision)))
        }
        Question::UserInput { fields } => connection.answer(id, Ok(&user_input(fields, answer))),
        Question::Elicitation { tool, .. } => {
            connection.answer(id, Ok(&elicited(tool.as_deref(), answer)))
        }
        Question::Unknown { method } => {
            connection.answer::<Value>(id, Err(&RpcError::method_not_found(method)))
        }
    }
}

fn decision(answer: &Answer) -> wire::ApprovalDecision {
    match answer.decision {
        Decision::Accept => wire::ApprovalDecision::Accept,
        Decision::AcceptForSession => wire::ApprovalDecision::AcceptForSession,
        Decision::Decline => wire::ApprovalDecision::Decline,
        Decision::Cancel => wire::ApprovalDecision::Cancel,
    }
}

fn permissions(wanted: &Json, decision: Decision) -> wire::PermissionsApprovalResponse {
    let granted = match decision.is_yes() {
        true => serde_json::from_str(&wanted.0).unwrap_or_default(),
        false => json!({}),
    };
    let scope = match decision {
        Decision::AcceptForSession => wire::PermissionScope::Session,
        Decision::Accept | Decision::Decline | Decision::Cancel => wire::PermissionScope::Turn,
    };
    wire::PermissionsApprovalResponse { permissions: granted, scope }
}

fn user_input(fields: &[Field], answer: &Answer) -> wire::UserInputResponse {
    let content = content(answer);
    let given = |field: &Field| {
        let text = content[&field.id].as_str()?.to_owned();
        Some((field.id.clone(), wire::UserInputAnswer { answers: vec![text] }))
    };
    let answers: BTreeMap<_, _> = match answer.decision.is_yes() {
        true => fields.iter().filter_map(given).collect(),
        false => BTreeMap::new(),
    };
    wire::UserInputResponse { answers }
}

fn elicited(tool: Option<&str>, answer: &Answer) -> wire::ElicitationResponse {
    let action = match answer.decision {
        Decision::Accept | Decision::AcceptForSession => wire::ElicitationAction::Accept,
        Decision::Decline => wire::ElicitationAction::Decline,
        Decision::Cancel => wire::ElicitationAction::Cancel,
    };
    // The word with which Codex remembers a tool for a thread.
    let remembered = tool.filter(|_| answer.decision == Decision::AcceptForSession);
    let meta = remembered.map(|_| json!({ "persist": "session" }));
    let content = answer.decision.is_yes().then(|| content(answer));
    wire::ElicitationResponse { action, content, meta }
}

fn content(answer: &Answer) -> Value {
    let content = answer.content.as_ref().map(|content| serde_json::from_str(&content.0));
    content.and_then(Result::ok).unwrap_or_else(|| json!({}))
}
