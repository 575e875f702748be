//! How much of the account's limits is used, as `codex.health` shows it.

use std::fmt;

use bridge_core::UsageWindow;
use bridge_store::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::clock;

/// One window of a limit.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Usage {
    used_percent: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    window_minutes: Option<u64>,
    /// When the window begins anew, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    resets_at: Option<String>,
}

impl From<&UsageWindow> for Usage {
    fn from(window: &UsageWindow) -> Self {
        let resets_at = window.resets_at.and_then(|seconds| seconds.checked_mul(1000));
        Self {
            used_percent: window.used_percent,
            window_minutes: window.length.map(|length| length.as_secs() / 60),
            resets_at: resets_at.map(|at| clock::show(Timestamp(at))),
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Usage limit: {} % used", self.used_percent)?;
        if let Some(minutes) = self.window_minutes {
            write!(f, " of {minutes} minutes")?;
        }
        match &self.resets_at {
            Some(at) => write!(f, ", begins anew at {at}"),
            None => Ok(()),
        }
    }
}
