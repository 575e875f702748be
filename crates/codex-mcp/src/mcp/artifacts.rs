//! Shows in place what of a turn's artifacts is small, before the result is made to fit.

use super::paging::{ClientLimits, Kind, OutputId};
use super::render::{ShownImage, TurnResult};
use super::server::Server;
use crate::workspace::patches;

/// The longest diff that is shown in place, in bytes.
const MAX_DIFF: usize = 4_000;
/// The largest image that is shown in place: 1 MB in base64.
const MAX_IMAGE: u64 = 750_000;
/// How many are.
const MAX_IMAGES: usize = 3;

/// A turn's result as a client can be shown it. What is too long for that is kept first.
pub(super) async fn shown(
    server: &Server,
    limits: ClientLimits,
    mut result: TurnResult,
) -> TurnResult {
    if let Some(id) = result.small_patch().map(str::to_owned)
        && let Some(diff) = diff(server, id).await
        && diff.len() <= MAX_DIFF.min(limits.result().units() / 4)
    {
        result.show_diff(diff);
    }
    let mut images = Vec::new();
    for id in result.small_images(MAX_IMAGES, MAX_IMAGE) {
        images.extend(image(server, id).await);
    }
    result.show_images(images);
    result.fit(limits, server.outputs()).await
}

/// The diff of a patch, if it can be read.
async fn diff(server: &Server, id: String) -> Option<String> {
    let kept = server.engine().ledger().read(move |store| store.change_set(&id)).await;
    let row = kept.ok().flatten()?;
    let contents = server.engine().places().contents().clone();
    let read = move || patches::diff(&row.changes, &contents);
    tokio::task::spawn_blocking(read).await.ok()?.ok()
}

async fn image(server: &Server, id: OutputId) -> Option<ShownImage> {
    let slice = server.outputs().slice(id, 0, usize::MAX).await.ok()?;
    match slice.kind {
        Kind::Image(format) => Some(ShownImage { data: slice.text, format }),
        Kind::Markdown | Kind::Diff | Kind::Log | Kind::Code | Kind::Json => None,
    }
}
