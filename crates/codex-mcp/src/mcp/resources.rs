//! What clients can read by name: `codex://…`.
//!
//! A resource of a long text is whole up to 1 MiB. Beyond that `resources/read`, which knows no pages, gives the first
//! part exactly, and beside it a second content that says so and holds the token for codex.read: the first content
//! stays a clean beginning of the text, and neither a person nor a model can take it for the whole.

mod uri;

use rmcp::ErrorData;
use rmcp::model::{MetaObject, Resource, ResourceContents, ResourceTemplate};
use serde_json::json;

use super::outputs::Outputs;
use super::paging::{Budget, OutputId, ResumeToken, split};

pub use uri::{ResourceUri, UriError};

/// The most of a text that one read gives.
const MAX_READ: Budget = Budget::new(1 << 20);

/// The resources that are listed. Outputs are not: a result names the ones that belong to it.
pub(super) fn list() -> Vec<Resource> {
    Vec::new()
}

/// The forms of names under which something can be read.
pub(super) fn templates() -> Vec<ResourceTemplate> {
    vec![
        ResourceTemplate::new("codex://outputs/{outputId}", "output")
            .with_title("A long result")
            .with_description(
                "The whole of a text that was too long for one answer; `more` in a result names it",
            ),
    ]
}

/// Reads what a URI names.
///
/// # Errors
/// There is nothing of this name, or it is no longer kept: -32002, which rmcp turns into -32602 for newer clients.
pub(super) async fn read(uri: &str, outputs: &Outputs) -> Result<Vec<ResourceContents>, ErrorData> {
    let missing = |reason: &str| {
        let message = format!("there is no resource {uri:?}: {reason}");
        ErrorData::resource_not_found(message, Some(json!({ "uri": uri })))
    };
    let resource: ResourceUri =
        uri.parse().map_err(|error: UriError| missing(&error.to_string()))?;
    match resource {
        ResourceUri::Output(id) => {
            read_output(uri, id, outputs).await.map_err(|reason| missing(&reason))
        }
        ResourceUri::Threads
        | ResourceUri::Thread(_)
        | ResourceUri::Plan(_)
        | ResourceUri::Diff(_)
        | ResourceUri::Turn(..)
        | ResourceUri::Patch(_) => Err(missing("this version serves outputs only")),
    }
}

async fn read_output(
    uri: &str,
    id: OutputId,
    outputs: &Outputs,
) -> Result<Vec<ResourceContents>, String> {
    let slice = outputs.slice(id, 0, MAX_READ.window()).await.map_err(|error| error.to_string())?;
    let mut text = slice.text;
    text.truncate(split(&text, MAX_READ, slice.kind));
    let end = text.len();
    let first = ResourceContents::text(text, uri).with_mime_type(slice.kind.mime());
    if end == slice.total_bytes {
        return Ok(vec![first]);
    }
    let token = ResumeToken { output: id, offset: end as u64, page: 2 }.seal(outputs.token_key());
    let total = slice.total_bytes;
    let note = format!(
        "[The text above is the first {end} of {total} bytes. Go on with codex.read, token {token}]"
    );
    let mut meta = MetaObject::default();
    meta.insert("token".to_owned(), json!(token));
    meta.insert("totalBytes".to_owned(), json!(total));
    Ok(vec![first, ResourceContents::text(note, uri).with_meta(meta)])
}
