//! Asks the person behind a call whether something may be destroyed. Silence, and every answer but a yes, is a no.

use std::collections::BTreeMap;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{ClientResult, ElicitRequestParams, ElicitationAction, ElicitationSchema};
use rmcp::service::RequestContext;

use super::asker;
use crate::error::{Code, Problem};

/// The question.
pub(super) fn params(what: &str, patience: Duration) -> ElicitRequestParams {
    let message = format!("May codex-mcp {what}? (declined in {} s)", patience.as_secs());
    let requested_schema = ElicitationSchema::new(BTreeMap::new());
    ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema }
}

/// What follows from what the person said.
///
/// # Errors
/// [`Code::ConsentRequired`] for a no.
pub(super) fn said(what: &str, agreed: bool) -> Result<(), Problem> {
    if agreed { Ok(()) } else { Err(refused(what, "the user did not agree")) }
}

/// Asks while the call goes on.
///
/// # Errors
/// [`Code::ConsentRequired`], with what the person said instead of yes.
pub(super) async fn ask(
    context: &RequestContext<RoleServer>,
    what: &str,
    patience: Duration,
) -> Result<(), Problem> {
    let sent = asker::send(&context.peer, params(what, patience)).await;
    let mut handle = sent.map_err(|_gone| refused(what, "the client could not be asked"))?;
    let why = tokio::select! {
        biased;
        () = context.ct.cancelled() => "the call was given up",
        answer = &mut handle.rx => return match answer {
            Ok(Ok(ClientResult::ElicitResult(result))) => {
                // Also an action that this program does not know is no yes.
                said(what, result.action == ElicitationAction::Accept)
            }
            Ok(_) | Err(_) => Err(refused(what, "the client did not ask the user")),
        },
        () = tokio::time::sleep(patience) => "nobody answered in time",
    };
    asker::withdraw(handle).await;
    Err(refused(what, why))
}

/// The refusal of what nobody allowed.
pub(super) fn refused(what: &str, why: &str) -> Problem {
    Problem::new(Code::ConsentRequired, format!("nobody allowed to {what}: {why}"))
}
