//! The limits that are really in force on a client, and where its own settings say otherwise.
//!
//! Clients whose Codex would be started in the same way share an engine, and all engines a process. Each is set up by the
//! client for which it was started.

use std::collections::BTreeMap;
use std::fmt;

use bridge_core::{MAX_PLAN_STEPS, MAX_PLAN_TEXT_CHARS};
use schemars::JsonSchema;
use serde::Serialize;

use crate::config::{Config, Setting};
use crate::daemon::MAX_CLIENTS;
use crate::diagnosis::Finding;
use crate::mcp::attachments::MAX_ATTACHMENTS;

/// Words in the names of the settings that are limits.
const LIMITS: &[&str] = &[
    "max_",
    "test_",
    "_limit_seconds",
    "_deadline_seconds",
    "idle_stop_seconds",
    "thread_idle_seconds",
    "store_",
    "scratch_",
    "command_output_chars",
    "stop_gate_reviews",
    "exec_memory_megabytes",
    "exec_cpu_seconds",
    "exec_file_megabytes",
];

/// Limits that hold for each client by itself.
const OF_CLIENT: &[&str] = &[
    "max_prompt_chars",
    "max_instructions_chars",
    "max_object_bytes",
    "max_argument_bytes",
    "max_attachment_tokens",
    "max_attachment_bytes",
    "command_time_limit_seconds",
    "test_memory_megabytes",
    "test_cpu_seconds",
    "test_file_megabytes",
    "test_processes",
    "test_command",
    "stop_gate_reviews",
    "stop_gate_time_limit_seconds",
];
/// Limits that hold for all engines of a process together.
const OF_PROCESS: &[&str] = &[
    "max_codex_processes",
    "max_output_megabytes",
    "scratch_max_files",
    "scratch_max_megabytes",
    "scratch_max_count",
    "scratch_days",
    "store_thread_days",
    "store_archived_days",
    "store_output_days",
    "store_max_megabytes",
];

/// A limit in force.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Limit {
    value: u64,
    /// Who set it: a line of a file, a variable, a flag, `default`, or `fixed` if nobody can.
    set_by: String,
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.set_by.as_str() {
            "default" => write!(formatter, "{}", self.value),
            set_by => write!(formatter, "{} ({set_by})", self.value),
        }
    }
}

/// The settings that can decide on a limit.
pub(super) struct Settings<'a> {
    pub(super) client: &'a Config,
    pub(super) engine: &'a Config,
    pub(super) process: &'a Config,
}

impl Settings<'_> {
    /// The limits by the names of their settings.
    pub(super) fn in_force(&self) -> BTreeMap<String, Limit> {
        let settings = self.limits().filter_map(|(_, held)| {
            let value = held.value.parse().ok()?;
            Some((held.key.to_owned(), Limit { value, set_by: held.origin.to_string() }))
        });
        let fixed = [
            ("max_attachments", MAX_ATTACHMENTS),
            ("max_clients", MAX_CLIENTS),
            ("max_plan_steps", MAX_PLAN_STEPS),
            ("max_plan_text_chars", MAX_PLAN_TEXT_CHARS),
        ];
        let fixed = fixed.map(|(name, value)| {
            let value = u64::try_from(value).unwrap_or(u64::MAX);
            (name.to_owned(), Limit { value, set_by: "fixed".to_owned() })
        });
        settings.chain(fixed).collect()
    }

    /// The client's own limits that are not in force.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let other = self.limits().filter(|(own, held)| own.value != held.value);
        let other: Vec<_> = other
            .map(|(own, held)| format!("`{}` is {} and not {}", own.key, held.value, own.value))
            .collect();
        if other.is_empty() {
            return Vec::new();
        }
        vec![Finding {
            problem: format!(
                "this client shares an engine that was started with other settings: {}",
                other.join(", ")
            ),
            remedy: "Give all clients the same settings. The engine takes new ones when it is started anew: \
                     `codex-mcp daemon stop` ends it, and the turns that run."
                .to_owned(),
        }]
    }

    /// Each limit as the client sets it, and as it is in force.
    fn limits(&self) -> impl Iterator<Item = (&Setting, &Setting)> {
        let is_limit = |own: &&Setting| LIMITS.iter().any(|part| own.key.contains(part));
        self.client.settings().iter().filter(is_limit).filter_map(|own| {
            let deciding = match own.key {
                key if OF_CLIENT.contains(&key) => self.client,
                key if OF_PROCESS.contains(&key) => self.process,
                _ => self.engine,
            };
            let held = deciding.settings().iter().find(|setting| setting.key == own.key)?;
            Some((own, held))
        })
    }
}
