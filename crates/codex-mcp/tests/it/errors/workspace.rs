//! Places that cannot be made for a turn, as what the core says of them reaches a client.

use std::future::{Ready, ready};

use bridge_core::{Failure, WorkspaceFailure};
use codex_mcp::error::{ErrorResult, Problem};
use serde_json::json;

use super::stage::Told;

pub(super) fn refused(kind: WorkspaceFailure, detail: &str) -> Ready<Told> {
    let problem = Problem::from(&Failure::Workspace { kind, detail: detail.to_owned() });
    ready(Told { text: problem.to_string(), data: json!(ErrorResult::from(&problem)) })
}
