//! How a person is asked what Codex wants to know: a question as an elicitation, and an elicitation's result as an answer.

use std::collections::BTreeMap;

use bridge_core::{Answer, Ask, Decision, Field, Json, Question};
use rmcp::model::{
    ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema, EnumSchema,
    PrimitiveSchemaDefinition, StringSchema,
};
use serde_json::Value;

/// The field of a yes-or-no question; a client that leaves it out says yes once.
const SCOPE: &str = "scope";
/// What it may say, with what that means.
const SCOPES: [(&str, &str, Decision); 3] = [
    ("once", "Yes, this once", Decision::Accept),
    ("thread", "Yes, and do not ask again on this thread", Decision::AcceptForSession),
    ("stop", "No, and end the turn", Decision::Cancel),
];
/// How much of a diff is shown, in characters.
const MAX_DIFF: usize = 3_000;

/// The elicitation for a question; `None` if its form is one that no client can show.
pub(super) fn params(ask: &Ask) -> Option<ElicitRequestParams> {
    let requested_schema = schema(&ask.question)?;
    let message = message(ask);
    Some(ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema })
}

fn message(ask: &Ask) -> String {
    let mut message = format!("Codex asks {}.", ask.what);
    match &ask.question {
        Question::Command { working_directory, .. } => {
            let place = working_directory.as_deref().unwrap_or("its working directory");
            message.push_str(&format!(" It would run in {place}, outside the sandbox."));
        }
        Question::Elicitation { message: said, tool: Some(_), .. } => {
            message.push_str(&format!(" {said}"));
        }
        Question::FileChange { .. }
        | Question::Network { .. }
        | Question::Permissions { .. }
        | Question::UserInput { .. }
        | Question::Elicitation { tool: None, .. }
        | Question::Unknown { .. } => {}
    }
    if let Some(reason) = ask.question.reason() {
        message.push_str(&format!(" Its reason: {reason}"));
    }
    message.push_str(&format!(
        " (thread {}; declined in {} s)",
        ask.thread,
        ask.patience.as_secs()
    ));
    if let Some(diff) = &ask.diff {
        let shown =
            diff.char_indices().nth(MAX_DIFF).map_or(diff.as_str(), |(end, _)| &diff[..end]);
        message.push_str(&format!("\n\n{shown}"));
        if shown.len() < diff.len() {
            message.push_str("\n[the rest of the diff is left out here]");
        }
    }
    message
}

fn schema(question: &Question) -> Option<ElicitationSchema> {
    match question {
        Question::UserInput { fields } => {
            let required = fields.iter().map(|field| field.id.clone()).collect();
            let properties = fields.iter().map(|field| (field.id.clone(), input(field))).collect();
            Some(ElicitationSchema::new(properties).with_required(required))
        }
        Question::Elicitation { tool: None, schema: Some(Json(schema)), .. } => {
            // Codex's own server speaks the same language; what it may not say, it does not get to ask.
            serde_json::from_str(schema).ok()
        }
        Question::Command { .. }
        | Question::Network { .. }
        | Question::FileChange { .. }
        | Question::Permissions { .. }
        | Question::Elicitation { .. }
        | Question::Unknown { .. } => {
            let words = SCOPES.map(|(word, meaning, _)| format!("{word}: {meaning}"));
            let scope =
                one_of(SCOPES.map(|(word, ..)| word.to_owned()).into(), "Answer", words.join("; "));
            Some(ElicitationSchema::new(BTreeMap::from([(SCOPE.to_owned(), scope)])))
        }
    }
}

fn input(field: &Field) -> PrimitiveSchemaDefinition {
    if field.choices.is_empty() {
        let text = StringSchema::new().title(field.header.clone());
        return PrimitiveSchemaDefinition::String(text.description(field.question.clone()));
    }
    let labels = field.choices.iter().map(|choice| choice.label.clone()).collect();
    let meanings = field.choices.iter().filter(|choice| !choice.description.is_empty());
    let meanings = meanings.map(|choice| format!("{}: {}", choice.label, choice.description));
    let description = std::iter::once(field.question.clone()).chain(meanings);
    one_of(labels, &field.header, description.collect::<Vec<_>>().join("; "))
}

/// A choice in the form that every revision of the protocol knows.
fn one_of(values: Vec<String>, title: &str, description: String) -> PrimitiveSchemaDefinition {
    let schema = EnumSchema::builder(values).title(title.to_owned()).description(description);
    PrimitiveSchemaDefinition::Enum(schema.build())
}

/// Whether the answer to a question is a filled in form, rather than a yes or a no.
pub(super) fn is_form(question: &Question) -> bool {
    match question {
        Question::UserInput { .. } => true,
        Question::Elicitation { tool, schema, .. } => tool.is_none() && schema.is_some(),
        Question::Command { .. }
        | Question::Network { .. }
        | Question::FileChange { .. }
        | Question::Permissions { .. }
        | Question::Unknown { .. } => false,
    }
}

/// What a result says to a form or to a yes-or-no question. What was put away without a word is a no.
pub(super) fn answer(is_form: bool, result: ElicitResult) -> Answer {
    let content = result.content.filter(Value::is_object);
    let scope = content.as_ref().and_then(|content| content.get(SCOPE)).filter(|_| !is_form);
    let decision = match scope {
        // Also an action that this program does not know is no yes.
        _ if result.action != ElicitationAction::Accept => Decision::Decline,
        None => Decision::Accept,
        Some(scope) => {
            // A word that was not offered is no yes.
            let known = SCOPES.iter().find(|(word, ..)| scope == word);
            known.map_or(Decision::Decline, |(_, _, decision)| *decision)
        }
    };
    let content = content.filter(|_| decision.is_yes()).map(|content| Json(content.to_string()));
    Answer { decision, content }
}
