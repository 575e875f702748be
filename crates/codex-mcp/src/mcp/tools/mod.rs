//! The tools: one file each, with its arguments, its result and what it asks of the engine.
//!
//! Their names, parameters and order are a public contract.

mod cancel;
mod codex;
mod health;
mod patch_apply;
mod patch_preview;
mod plan_get;
mod plan_update;
mod read;
mod reply;
pub(super) mod repo_diff;
mod repo_status;
pub(super) mod review;
mod steer;
mod tests_run;
mod thread_archive;
mod thread_list;
mod thread_read;
mod wait;

use rmcp::model::{JsonObject, MetaObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde_json::json;

use super::call::ToolCall;
use super::input_limits::InputLimits;
use super::paging::TokenKey;
use super::render::Answer;
use super::schema;
use crate::error::{Code, Problem};
use crate::workspace::Roots;

/// What a result may have in characters before Claude Code puts it into a file. Its own ceiling is 500,000.
const MAX_RESULT_CHARS: u32 = 400_000;

/// A tool, as the list shows it.
struct Definition {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// Further words by which a client's tool search shall find it.
    search_hint: &'static str,
    annotations: ToolAnnotations,
    visibility: Visibility,
}

/// Whether Claude Code shows a tool to its model from the beginning, or when it is searched for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Visibility {
    Always,
    Searched,
}

impl Definition {
    fn tool<Arguments: JsonSchema, Output: JsonSchema>(self) -> Tool {
        let mut meta = MetaObject::default();
        meta.insert("anthropic/maxResultSizeChars".to_owned(), json!(MAX_RESULT_CHARS));
        meta.insert("anthropic/searchHint".to_owned(), json!(self.search_hint));
        if self.visibility == Visibility::Always {
            meta.insert("anthropic/alwaysLoad".to_owned(), json!(true));
        }
        Tool::new(self.name, self.description, schema::of_arguments::<Arguments>())
            .with_title(self.title)
            .with_raw_output_schema(schema::of_result::<Output>())
            .with_annotations(self.annotations)
            .with_meta(meta)
    }
}

/// All tools, in the order of the contract.
pub(super) fn definitions() -> Vec<Tool> {
    vec![
        codex::definition(),
        reply::definition(),
        steer::definition(),
        wait::definition(),
        cancel::definition(),
        review::definition(),
        plan_get::definition(),
        plan_update::definition(),
        patch_preview::definition(),
        patch_apply::definition(),
        repo_status::definition(),
        repo_diff::definition(),
        tests_run::definition(),
        thread_list::definition(),
        thread_read::definition(),
        thread_archive::definition(),
        read::definition(),
        health::definition(),
    ]
}

/// Runs a tool; `None` if there is none of this name.
pub(super) async fn call(
    name: &str,
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Option<Answer> {
    if let Err(problem) = call.input_limits().arguments(arguments.as_ref()) {
        return Some(Answer::from(problem));
    }
    let result = match name {
        "codex" => codex::call(arguments, call).await,
        "codex-reply" => reply::call(arguments, call).await,
        "codex.steer" => steer::call(arguments, call).await,
        "codex.wait" => wait::call(arguments, call).await,
        "codex.cancel" => cancel::call(arguments, call).await,
        "codex.review" => review::call(arguments, call).await,
        "codex.plan.get" => plan_get::call(arguments, call).await,
        "codex.plan.update" => plan_update::call(arguments, call).await,
        "codex.repo.status" => repo_status::call(arguments, call).await,
        "codex.repo.diff" => repo_diff::call(arguments, call).await,
        "codex.tests.run" => tests_run::call(arguments, call).await,
        "codex.thread.list" => thread_list::call(arguments, call).await,
        "codex.thread.read" => thread_read::call(arguments, call).await,
        "codex.thread.archive" => thread_archive::call(arguments, call).await,
        "codex.read" => read::call(arguments, call).await,
        "codex.patch.preview" => patch_preview::call(arguments, call).await,
        "codex.patch.apply" => patch_apply::call(arguments, call).await,
        "codex.health" => health::call(arguments, call).await,
        _ => return None,
    };
    Some(result.unwrap_or_else(Answer::from))
}

/// Does what [`call`] does before it asks the engine, for [`fuzzing`](crate::fuzzing).
pub(super) fn check(
    name: &str,
    arguments: Option<JsonObject>,
    limits: &InputLimits<'_>,
    roots: &Roots,
    key: &TokenKey,
) -> Option<Result<(), Problem>> {
    if let Err(problem) = limits.arguments(arguments.as_ref()) {
        return Some(Err(problem));
    }
    Some(match name {
        "codex" => codex::read(arguments, limits, roots).map(drop),
        "codex-reply" => reply::read(arguments, limits).map(drop),
        "codex.steer" => steer::read(arguments, limits).map(drop),
        "codex.wait" => wait::read(arguments).map(drop),
        "codex.cancel" => cancel::read(arguments).map(drop),
        "codex.thread.list" => thread_list::read(arguments, roots).map(drop),
        "codex.thread.read" => thread_read::read(arguments).map(drop),
        "codex.thread.archive" => thread_archive::read(arguments).map(drop),
        "codex.read" => read::read(arguments, key).map(drop),
        "codex.health" => health::read(arguments),
        "codex.review" => review::read(arguments).map(drop),
        "codex.plan.get" => plan_get::read(arguments).map(drop),
        "codex.plan.update" => plan_update::read(arguments).map(drop),
        "codex.patch.preview" => patch_preview::read(arguments).map(drop),
        "codex.patch.apply" => patch_apply::read(arguments).map(drop),
        "codex.repo.status" => repo_status::read(arguments).map(drop),
        "codex.repo.diff" => repo_diff::read(arguments).map(drop),
        "codex.tests.run" => tests_run::read(arguments).map(drop),
        _ => return None,
    })
}

/// An outcome that no request of this tool can have.
pub(super) fn unexpected(tool: &str) -> Problem {
    Problem::new(
        Code::CodexUnreadable,
        format!("{tool} got an answer that belongs to another tool"),
    )
}
