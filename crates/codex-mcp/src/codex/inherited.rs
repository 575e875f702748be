//! Codex's own MCP servers, which a thread inherits from the user's configuration: all, none, or those that a call names.
//!
//! This very server is never among them: a Codex of ours that had it could call itself in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::user_config;
use crate::error::Problem;

/// The table of them in a configuration.
const TABLE: &str = "mcp_servers";
/// The name of our program, whatever folder it lies in.
const OURS: &str = "codex-mcp";

/// The servers that a thread would have.
#[derive(Debug, Default)]
pub(super) struct Inherited {
    servers: BTreeMap<String, Server>,
}

#[derive(Debug)]
struct Server {
    is_ours: bool,
    /// How it is reached, for one of a project: Codex takes no entry without, and may not read the project's file.
    transport: Option<(&'static str, Value)>,
}

impl Inherited {
    /// Looks into a thread's own configuration, the user's and those of the folders above its own. What cannot be read,
    /// Codex cannot read either.
    pub(super) fn find(
        config: &Map<String, Value>,
        codex_home: Option<&Path>,
        working_directory: &Path,
    ) -> Self {
        let mut inherited = Self::default();
        for folder in working_directory.ancestors() {
            let file = folder.join(".codex/config.toml");
            inherited.add(&user_config::read(&file).ok().flatten().unwrap_or_default(), transport);
        }
        if let Some(home) = codex_home {
            let file = home.join("config.toml");
            inherited.add(&user_config::read(&file).ok().flatten().unwrap_or_default(), |_| None);
        }
        inherited.add(config, |_| None);
        inherited
    }

    fn add(
        &mut self,
        config: &Map<String, Value>,
        transport: impl Fn(&Value) -> Option<(&'static str, Value)>,
    ) {
        let servers = config.get(TABLE).and_then(Value::as_object);
        for (name, definition) in servers.into_iter().flatten() {
            // Which of several files Codex goes by is its own affair.
            let was_ours = self.servers.get(name).is_some_and(|server| server.is_ours);
            let is_ours = was_ours || is_ours(definition);
            let server = Server { is_ours, transport: transport(definition) };
            self.servers.insert(name.clone(), server);
        }
    }

    /// Those that a thread goes without. `wanted` are the only ones that it keeps; without a wish it keeps all.
    ///
    /// # Errors
    /// There is none of a wanted name.
    pub(super) fn unwanted(&self, wanted: Option<&[String]>) -> Result<BTreeSet<String>, Problem> {
        let others = || self.servers.iter().filter(|(_, server)| !server.is_ours);
        let is_known = |name: &&String| others().any(|(known, _)| known == *name);
        if let Some(unknown) = wanted.into_iter().flatten().find(|name| !is_known(name)) {
            let known: Vec<_> = others().map(|(name, _)| name.as_str()).collect();
            let allowed = match known.as_slice() {
                [] => "`[]`, for Codex has no MCP server of its own".to_owned(),
                known => format!("names among {}", known.join(", ")),
            };
            return Err(Problem::argument_text("mcpServers", unknown, &allowed));
        }
        let is_kept = |name: &String| wanted.is_none_or(|wanted| wanted.contains(name));
        let unwanted =
            self.servers.iter().filter(|(name, server)| server.is_ours || !is_kept(name));
        Ok(unwanted.map(|(name, _)| name.clone()).collect())
    }

    /// Switches servers off in a thread's configuration. Those that there are no more need nothing.
    pub(super) fn switch_off(&self, unwanted: &BTreeSet<String>, config: &mut Map<String, Value>) {
        for (name, server) in self.servers.iter().filter(|(name, _)| unwanted.contains(*name)) {
            let server = server.transport.clone().into_iter().chain([("enabled", json!(false))]);
            for (key, value) in server {
                set(config, &[TABLE, name.as_str(), key], value);
            }
        }
    }
}

/// The servers that a configuration switches off.
pub(super) fn switched_off(config: &Value) -> BTreeSet<String> {
    let servers = config.get(TABLE).and_then(Value::as_object).into_iter().flatten();
    let off = servers.filter(|(_, server)| server.get("enabled") == Some(&json!(false)));
    off.map(|(name, _)| name.clone()).collect()
}

/// Sets a key of nested tables; what stands in the way and is no table gives way.
pub(super) fn set(config: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] => {
            config.insert((*key).to_owned(), value);
        }
        [table, rest @ ..] => {
            let table = config.entry(*table).or_insert_with(|| json!({}));
            if !table.is_object() {
                *table = json!({});
            }
            if let Some(table) = table.as_object_mut() {
                set(table, rest, value);
            }
        }
    }
}

fn is_ours(definition: &Value) -> bool {
    let command = definition.get("command").and_then(Value::as_str);
    command.is_some_and(|command| Path::new(command).file_name() == Some(OsStr::new(OURS)))
}

fn transport(definition: &Value) -> Option<(&'static str, Value)> {
    ["command", "url"].into_iter().find_map(|key| Some((key, definition.get(key)?.clone())))
}
