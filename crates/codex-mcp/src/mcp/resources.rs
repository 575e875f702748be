//! What clients can read by name: `codex://…`.
//!
//! A resource of a long text is whole up to 1 MiB. Beyond that `resources/read`, which knows no pages, gives the first
//! part exactly, and beside it a second content that says so and holds the token for codex.read: the first content
//! stays a clean beginning of the text, and neither a person nor a model can take it for the whole.

mod document;
mod news;
mod uri;

use bridge_store::ThreadFilter;
use rmcp::ErrorData;
use rmcp::model::{MetaObject, Resource, ResourceContents, ResourceTemplate};
use serde_json::json;

use super::cursor;
use super::outputs::NewOutput;
use super::paging::{Budget, Kind, OutputId, ResumeToken, split};
use super::server::Server;
use super::threads::Threads;
use crate::error::Problem;
use document::Document;

pub use news::News;
pub use uri::{ResourceUri, UriError};

/// The most of a text that one read gives.
const MAX_READ: Budget = Budget::new(1 << 20);
/// Threads on one page of the list.
const LISTED: usize = 50;

/// A page of the resources that are listed: all threads at once, then each. Plans, diffs and turns have templates;
/// outputs are named by the results that they belong to.
///
/// # Errors
/// The cursor is none of ours.
pub(super) async fn list(
    server: &Server,
    after: Option<&str>,
) -> Result<(Vec<Resource>, Option<String>), ErrorData> {
    let invalid = |problem: Problem| ErrorData::invalid_params(problem.to_string(), None);
    let after = after.map(cursor::read).transpose().map_err(invalid)?;
    let mut resources = Vec::new();
    if after.is_none() {
        let all = Resource::new(ResourceUri::Threads.to_string(), "threads")
            .with_title("Codex threads")
            .with_description("The threads in the workspace roots, newest first")
            .with_mime_type("application/json");
        resources.push(all);
    }
    // Without a store there are no threads to list; codex.health says so.
    let Ok(page) = Threads::of(server).list(ThreadFilter::default(), LISTED, after).await else {
        return Ok((resources, None));
    };
    for row in page.threads {
        let name = row.thread.0.clone();
        let title = row.name.or(row.topic).filter(|title| !title.is_empty());
        let resource = Resource::new(ResourceUri::Thread(row.thread).to_string(), name)
            .with_mime_type("application/json");
        resources.push(match title {
            Some(title) => resource.with_title(title),
            None => resource,
        });
    }
    Ok((resources, page.next.as_ref().map(cursor::write)))
}

/// The forms of names under which something can be read.
pub(super) fn templates() -> Vec<ResourceTemplate> {
    let json = "application/json";
    let template = |uri: &str, name: &str, title: &str, description: &str| {
        ResourceTemplate::new(uri, name).with_title(title).with_description(description)
    };
    vec![
        template(
            "codex://threads/{threadId}",
            "thread",
            "A thread",
            "What is known of a thread, with its newest turns",
        )
        .with_mime_type(json),
        template(
            "codex://threads/{threadId}/plan",
            "plan",
            "A thread's plan",
            "The newest version of the plan",
        )
        .with_mime_type(json),
        template(
            "codex://threads/{threadId}/diff",
            "diff",
            "A thread's changes",
            "All that Codex changed on the thread with its patch tool, oldest first",
        )
        .with_mime_type("text/x-diff"),
        template(
            "codex://threads/{threadId}/turns/{turnId}",
            "turn",
            "A turn",
            "The result of a turn, as codex.wait gives it",
        )
        .with_mime_type(json),
        template("codex://patches/{patchId}", "patch", "A patch", "One change by Codex, as a diff")
            .with_mime_type("text/x-diff"),
        template(
            "codex://outputs/{outputId}",
            "output",
            "A long result",
            "The whole of a text that was too long for one answer, a long log or an image; `more` and `artifacts` in a \
             result name it",
        ),
    ]
}

/// Reads what a URI names.
///
/// # Errors
/// There is nothing of this name that the client may see, or it is no longer kept: -32002, which rmcp turns into
/// -32602 for newer clients.
pub(super) async fn read(uri: &str, server: &Server) -> Result<Vec<ResourceContents>, ErrorData> {
    let missing = |reason: &str| {
        let message = format!("there is no resource {uri:?}: {reason}");
        ErrorData::resource_not_found(message, Some(json!({ "uri": uri })))
    };
    let resource: ResourceUri =
        uri.parse().map_err(|error: UriError| missing(&error.to_string()))?;
    if let ResourceUri::Output(id) = resource {
        return read_output(uri, id, server).await.map_err(|reason| missing(&reason));
    }
    let document = document::of(&resource, server).await;
    let document = document.map_err(|problem| missing(&problem.message))?;
    show(uri, document, server).await.map_err(|reason| missing(&reason))
}

/// The text of a resource, or as much of it as was wanted.
pub(super) struct ResourceText {
    pub(super) text: String,
    pub(super) kind: Kind,
    /// Whether there is more of it.
    pub(super) is_cut: bool,
}

/// Reads a resource for another tool. A kept output may be long: of that no more is read than wanted.
///
/// # Errors
/// There is none that the client may see, or the store cannot be read.
pub(super) async fn text(
    uri: &ResourceUri,
    server: &Server,
    max_bytes: usize,
) -> Result<ResourceText, Problem> {
    if let ResourceUri::Output(id) = uri {
        let slice = Threads::of(server).slice(*id, 0, max_bytes).await;
        let slice = slice.map_err(|error| Problem::from(&error))?;
        let is_cut = slice.text.len() < slice.total_bytes;
        return Ok(ResourceText { text: slice.text, kind: slice.kind, is_cut });
    }
    let Document { text, kind, .. } = document::of(uri, server).await?;
    Ok(ResourceText { text, kind, is_cut: false })
}

/// Shows a document; the whole of a very long one is kept first.
async fn show(
    uri: &str,
    document: Document,
    server: &Server,
) -> Result<Vec<ResourceContents>, String> {
    let Document { text, kind, thread } = document;
    if split(&text, MAX_READ, kind) == text.len() {
        return Ok(vec![ResourceContents::text(text, uri).with_mime_type(kind.mime())]);
    }
    let thread = thread.map(|thread| thread.0);
    let kept = server.outputs().keep(NewOutput { text, kind, thread, turn: None }).await;
    read_output(uri, kept.map_err(|error| error.to_string())?, server).await
}

async fn read_output(
    uri: &str,
    id: OutputId,
    server: &Server,
) -> Result<Vec<ResourceContents>, String> {
    let slice = Threads::of(server).slice(id, 0, MAX_READ.window()).await;
    let slice = slice.map_err(|error| error.to_string())?;
    if let Kind::Image(format) = slice.kind {
        // It was taken on because it is not too large, and a part of it would be of no use.
        let whole = Threads::of(server).slice(id, 0, usize::MAX).await;
        let whole = whole.map_err(|error| error.to_string())?;
        let blob = ResourceContents::blob(whole.text, uri).with_mime_type(format.mime());
        return Ok(vec![blob]);
    }
    let mut text = slice.text;
    text.truncate(split(&text, MAX_READ, slice.kind));
    let end = text.len();
    let first = ResourceContents::text(text, uri).with_mime_type(slice.kind.mime());
    if end == slice.total_bytes {
        return Ok(vec![first]);
    }
    let token = ResumeToken { output: id, offset: end as u64, page: 2 };
    let token = token.seal(server.outputs().token_key());
    let total = slice.total_bytes;
    let note = format!(
        "[The text above is the first {end} of {total} bytes. Go on with codex.read, token {token}]"
    );
    let mut meta = MetaObject::default();
    meta.insert("token".to_owned(), json!(token));
    meta.insert("totalBytes".to_owned(), json!(total));
    Ok(vec![first, ResourceContents::text(note, uri).with_meta(meta)])
}
