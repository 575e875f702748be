//! From the core's records to the store's: one exhaustive match.

use bridge_core::{
    ApprovalPolicy, Attachment, Changes, Question, Record, ThreadOptions, TurnOptions, TurnReport,
};
use bridge_store::{ApprovalRow, EndedTurn, QueuedTurn, ThreadOfOurs, Write};
use serde_json::json;

use super::{clean, to_json};
use crate::error::Problem;
use crate::mcp::stopped_by;

pub(crate) fn writes(record: Record, home: &str) -> Vec<Write> {
    let write = match clean::record(record) {
        Record::ThreadOpened { thread, connection: _, working_directory, options, model } => {
            let name = options.as_ref().and_then(|options| options.name.clone());
            let metadata = options.as_ref().and_then(|options| options.metadata.clone());
            let metadata = metadata.map(|metadata| metadata.as_str().to_owned());
            let asked = options.as_ref().map(|options| options.working_directory.clone());
            Write::Thread(ThreadOfOurs {
                thread,
                codex_home: home.to_owned(),
                cwd: asked.or(working_directory),
                name,
                metadata,
                options: options.map(|options| thread_options(&options)),
                model,
            })
        }
        Record::TurnQueued { turn, thread, prompt, options, attachment, session } => {
            Write::TurnQueued(QueuedTurn {
                number: turn,
                thread,
                prompt,
                options: Some(turn_options(&options)),
                background: attachment == Attachment::Background,
                session,
            })
        }
        Record::TurnStarted { turn, thread: _, id, model, effort } => {
            Write::TurnStarted { number: turn, turn: id, model, effort }
        }
        Record::ItemCompleted { turn, item } => Write::Item { number: turn, item },
        Record::PlanUpdated { turn, thread, plan } => Write::Plan { thread, number: turn, plan },
        Record::PlanDelivered { thread, version, turn } => {
            Write::PlanTold { thread, version, turn }
        }
        Record::Decided { turn, thread, question, decided } => Write::Approval(ApprovalRow {
            thread,
            number: Some(turn),
            kind: question_kind(&question).to_owned(),
            what: decided.what,
            reason: decided.reason,
            decision: decided.decision.as_str().to_owned(),
            decided_by: decided.decider.to_string(),
        }),
        Record::TurnEnded { turn, report } => Write::TurnEnded(Box::new(ended(turn, *report))),
        Record::ThreadArchived { thread } => Write::ThreadArchived { thread },
        Record::ThreadUnarchived { thread } => Write::ThreadUnarchived { thread },
        Record::ThreadDeleted { thread } => Write::ThreadDeleted { thread },
    };
    vec![write]
}

fn ended(number: bridge_core::TurnNumber, report: TurnReport) -> EndedTurn {
    EndedTurn {
        number,
        error: report.failure.as_ref().map(|failure| to_json(&Problem::from(failure))),
        stopped_by: report.stopped.as_ref().map(stopped_by),
        report,
    }
}

fn question_kind(question: &Question) -> &'static str {
    match question {
        Question::Command { .. } => "command",
        Question::Network { .. } => "network",
        Question::FileChange { .. } => "fileChange",
        Question::Permissions { .. } => "permissions",
        Question::UserInput { .. } => "userInput",
        Question::Elicitation { .. } => "elicitation",
        Question::Unknown { .. } => "unknown",
    }
}

fn policy(policy: ApprovalPolicy) -> &'static str {
    match policy {
        ApprovalPolicy::Untrusted => "untrusted",
        ApprovalPolicy::OnRequest => "on-request",
        ApprovalPolicy::Never => "never",
    }
}

fn thread_options(options: &ThreadOptions) -> String {
    let config = options.config.as_ref().map(bridge_core::Json::as_str);
    json!({
        "model": options.model,
        "approvalPolicy": options.approval_policy.map(policy),
        "config": config.and_then(|config| serde_json::from_str::<serde_json::Value>(config).ok()),
        "baseInstructions": options.base_instructions,
        "developerInstructions": options.developer_instructions,
    })
    .to_string()
}

fn turn_options(options: &TurnOptions) -> String {
    let mut json = json!({
        "model": options.model,
        "effort": options.effort,
        "approvalPolicy": options.approval_policy.map(policy),
        "outputSchema": options.output_schema.is_some(),
    });
    if let Some(changes) = changes(options.changes) {
        json["changes"] = changes.into();
    }
    json.to_string()
}

/// What a turn may change, where it may change anything.
fn changes(changes: Changes) -> Option<&'static str> {
    match changes {
        Changes::None => None,
        Changes::Propose => Some("propose"),
        Changes::Direct => Some("direct"),
        Changes::Unconfined => Some("unconfined"),
    }
}
