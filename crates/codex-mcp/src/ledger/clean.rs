//! Takes secrets out of records before they are kept. See [`crate::redact`] for what is taken out of what.
//!
//! Diffs are left as they are, or they would not apply; so are names, paths and numbers.

use bridge_core::{
    Artifact, Decided, Item, Json, Plan, Record, StopCause, ThreadOptions, TurnReport,
};

use crate::config::is_secret;
use crate::redact;

/// The record without secrets.
pub(super) fn record(mut record: Record) -> Record {
    match &mut record {
        Record::ThreadOpened { options, .. } => {
            if let Some(options) = options {
                thread_options(options);
            }
        }
        Record::TurnQueued { prompt, .. } => said(prompt),
        Record::ItemCompleted { item, .. } => clean_item(item),
        Record::PlanUpdated { plan, .. } => clean_plan(plan),
        Record::Decided { decided, .. } => clean_decided(decided),
        Record::TurnEnded { report, .. } => clean_report(report),
        Record::TurnStarted { .. }
        | Record::PlanDelivered { .. }
        | Record::ThreadArchived { .. }
        | Record::ThreadUnarchived { .. }
        | Record::ThreadDeleted { .. } => {}
    }
    record
}

fn thread_options(options: &mut ThreadOptions) {
    let texts =
        [&mut options.base_instructions, &mut options.developer_instructions, &mut options.name];
    texts.into_iter().flatten().for_each(said);
    if let Some(config) = &mut options.config
        && let Ok(mut value) = serde_json::from_str(config.as_str())
    {
        clean_json(&mut value);
        *config = Json(value.to_string());
    }
}

/// Texts inside JSON one by one: what goes over several of them would leave none.
fn clean_json(value: &mut serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::String(text) => said(text),
        Value::Array(values) => values.iter_mut().for_each(clean_json),
        Value::Object(table) => {
            for (name, value) in table {
                clean_json(value);
                // Such as in the environment of an MCP server that a profile brings.
                if value.is_string() && is_secret(name.as_ref()) {
                    *value = redact::MARK.into();
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn clean_item(item: &mut Item) {
    match item {
        Item::Message(message) => said(&mut message.text),
        Item::Thinking(thinking) => said(&mut thinking.text),
        Item::Command(command) => {
            done(&mut command.command);
            done(&mut command.output);
        }
        Item::Artifact(artifact) => clean_artifact(artifact),
        Item::Patch(_) | Item::Tool(_) | Item::Other { .. } | Item::Record => {}
    }
}

fn clean_artifact(artifact: &mut Artifact) {
    done(&mut artifact.name);
    artifact.failing.iter_mut().for_each(|line| done(&mut line.text));
}

fn clean_plan(plan: &mut Plan) {
    plan.explanation.iter_mut().for_each(said);
    plan.steps.iter_mut().for_each(|step| said(&mut step.step));
}

fn clean_decided(decided: &mut Decided) {
    done(&mut decided.what);
    decided.reason.iter_mut().for_each(done);
}

fn clean_report(report: &mut TurnReport) {
    let transcript = &mut report.transcript;
    transcript.messages.iter_mut().for_each(|message| said(&mut message.text));
    transcript.thinking.iter_mut().for_each(|thinking| said(&mut thinking.text));
    for command in &mut transcript.commands {
        done(&mut command.command);
        done(&mut command.output);
    }
    transcript.artifacts.iter_mut().for_each(clean_artifact);
    transcript.plan.iter_mut().for_each(clean_plan);
    transcript.decisions.iter_mut().for_each(clean_decided);
    transcript.warnings.iter_mut().for_each(done);
    report.asking.iter_mut().for_each(done);
    if let Some(StopCause::Requested { reason }) = &mut report.stopped {
        reason.iter_mut().for_each(said);
    }
}

/// What the user and the model say.
fn said(text: &mut String) {
    if let std::borrow::Cow::Owned(clean) = redact::certain(text) {
        *text = clean;
    }
}

/// What was done, and what programs say.
fn done(text: &mut String) {
    if let std::borrow::Cow::Owned(clean) = redact::text(text) {
        *text = clean;
    }
}
