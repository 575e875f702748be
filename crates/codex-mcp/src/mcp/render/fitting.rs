//! Fits lists and texts into one answer, and keeps what is left of them for reading on.

use serde::Serialize;

use super::MoreResult;
use crate::mcp::outputs::Outputs;
use crate::mcp::paging::{Budget, ClientLimits, Kind, cost, split};

/// What the fields around may cost.
const FRAME_UNITS: usize = 4_000;

/// The room of one answer.
pub(in crate::mcp) struct Fitting<'a> {
    room: usize,
    outputs: &'a Outputs,
    /// Where a field goes on.
    pub(in crate::mcp) more: Vec<MoreResult>,
    pub(in crate::mcp) warnings: Vec<String>,
}

impl<'a> Fitting<'a> {
    pub(in crate::mcp) fn new(limits: ClientLimits, outputs: &'a Outputs) -> Self {
        let room = limits.result().units().saturating_sub(FRAME_UNITS);
        Self { room, outputs, more: Vec::new(), warnings: Vec::new() }
    }

    /// As many of a list's entries as fit into a part of the room that is left. The whole is kept as JSON, an entry a line.
    pub(in crate::mcp) async fn list<T: Serialize>(
        &mut self,
        field: &'static str,
        entries: Vec<T>,
        one_of: usize,
    ) -> Vec<T> {
        let line = |entry: &T| serde_json::to_string(entry).unwrap_or_default() + "\n";
        let whole: String = entries.iter().map(line).collect();
        let mut room = self.room / one_of;
        let (mut shown, mut taken) = (0, Vec::new());
        for entry in entries {
            let text = line(&entry);
            let price = cost(&text);
            if room < price {
                break;
            }
            room -= price;
            self.room -= price;
            shown += text.len();
            taken.push(entry);
        }
        self.keep(field, whole, Kind::Json, shown).await;
        taken
    }

    /// As much of a text as fits into the room that is left.
    pub(in crate::mcp) async fn text(
        &mut self,
        field: &'static str,
        text: String,
        kind: Kind,
    ) -> String {
        let shown = split(&text, Budget::new(self.room), kind);
        let beginning = text[..shown].to_owned();
        self.room = self.room.saturating_sub(cost(&beginning));
        self.keep(field, text, kind, shown).await;
        beginning
    }

    async fn keep(&mut self, field: &'static str, text: String, kind: Kind, shown: usize) {
        match MoreResult::keep(field, text, kind, shown, self.outputs).await {
            Ok(more) => self.more.extend(more),
            Err(warning) => self.warnings.push(warning),
        }
    }
}
