//! Clients with a file of servers: one entry is set in it, or taken out, and everything else stays byte for byte.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use serde_json::{Value, json};

use super::made::{Entry, Made};
use super::{Setup, fail, tell, write_whole};
use crate::cli::Exit;
use crate::text_file;

/// The largest file that is edited, in bytes.
const MAX_BYTES: u64 = 4 << 20;
/// The name of the entry.
const NAME: &str = "codex";

/// A client.
pub(super) struct Client {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// Its own name.
    title: &'static str,
    /// The file, by system.
    place: Place,
    /// The object of the servers in it.
    servers: &'static str,
}

/// Where a file lies.
enum Place {
    /// Below the home directory.
    Home(&'static str),
    /// Below the directory for settings.
    Settings(&'static str),
}

impl Client {
    /// All of them.
    pub(super) const ALL: &[Self] = &[
        Self {
            name: "claude-desktop",
            title: "Claude Desktop",
            place: Place::Settings("Claude/claude_desktop_config.json"),
            servers: "mcpServers",
        },
        Self {
            name: "cursor",
            title: "Cursor",
            place: Place::Home(".cursor/mcp.json"),
            servers: "mcpServers",
        },
        Self {
            name: "vscode",
            title: "VS Code",
            place: Place::Settings("Code/User/mcp.json"),
            servers: "servers",
        },
        Self {
            name: "windsurf",
            title: "Windsurf",
            place: Place::Home(".codeium/windsurf/mcp_config.json"),
            servers: "mcpServers",
        },
    ];

    /// Sets the entry.
    pub(super) fn register(
        &self,
        setup: &Setup<'_>,
        made: &mut Made,
        out: &mut impl Write,
    ) -> anyhow::Result<Exit> {
        let file = self.file(setup)?;
        let program = setup.program.to_str().context("the path of this program is not UTF-8")?;
        let entry = json!({ "command": program });
        let place = file.display().to_string();
        let by_hand = format!(
            "Add this to `{}` in that file by hand: {}",
            self.servers,
            json!({ NAME: entry })
        );
        let (text, is_there) = match self.read(&file) {
            Ok(read) => read,
            Err(problem) => return fail(out, &problem, &by_hand),
        };
        let document = match Document::parse(&text, self.servers) {
            Ok(document) => document,
            Err(problem) => return fail(out, &format!("{place} {problem}"), &by_hand),
        };
        let known = made.clients.get(self.name).filter(|known| known.file == file);
        match document.entry() {
            Some(there) if there == entry => {
                tell(out, "kept", &format!("`{NAME}` in {place}, which is this program already"))?;
                return Ok(Exit::Success);
            }
            Some(there) if known.is_none_or(|known| known.entry != there) => {
                let what = format!("{place} has another server `{NAME}`: {there}");
                return fail(out, &what, "Rename or remove it, and run this again.");
            }
            Some(_) | None => {}
        }
        if setup.dry_run {
            tell(out, "would", &format!("set `{}.{NAME}` in {place} to {entry}", self.servers))?;
            return Ok(Exit::Success);
        }
        let made_file = !is_there || known.is_some_and(|known| known.made_file);
        // Before it is so: what was begun can be taken back.
        let text = document.with(&entry);
        made.clients.insert(self.name.to_owned(), Entry { file: file.clone(), entry, made_file });
        made.keep()?;
        write_whole(&file, &text)?;
        tell(out, "wrote", &format!("`{NAME}` in {place}"))?;
        tell(out, "done", &format!("Start {} anew. `--undo` takes this back.", self.title))?;
        Ok(Exit::Success)
    }

    /// Takes the entry out, if it is still what was made.
    pub(super) fn undo(
        &self,
        setup: &Setup<'_>,
        made: &mut Made,
        out: &mut impl Write,
    ) -> anyhow::Result<Exit> {
        let Some(known) = made.clients.get(self.name).cloned() else {
            tell(out, "kept", "everything: nothing of it was made by this command")?;
            return Ok(Exit::Success);
        };
        let place = known.file.display().to_string();
        let by_hand = format!("Remove `{NAME}` from `{}` in that file by hand.", self.servers);
        let (text, _) = match self.read(&known.file) {
            Ok(read) => read,
            Err(problem) => return fail(out, &problem, &by_hand),
        };
        let document = match Document::parse(&text, self.servers) {
            Ok(document) => document,
            Err(problem) => return fail(out, &format!("{place} {problem}"), &by_hand),
        };
        let is_ours = document.entry().as_ref() == Some(&known.entry);
        if setup.dry_run {
            let what = if is_ours { "take `codex` out of" } else { "leave" };
            tell(out, "would", &format!("{what} {place}"))?;
            return Ok(Exit::Success);
        }
        match is_ours {
            true => {
                let left = document.without();
                match known.made_file && is_bare(&left, self.servers) {
                    true => fs::remove_file(&known.file)
                        .with_context(|| format!("cannot remove {place}"))?,
                    false => write_whole(&known.file, &left)?,
                }
                tell(out, "removed", &format!("`{NAME}` from {place}"))?;
            }
            false => tell(
                out,
                "kept",
                &format!("{place}: `{NAME}` there is not what this command wrote"),
            )?,
        }
        made.clients.remove(self.name);
        made.keep()?;
        Ok(Exit::Success)
    }

    fn file(&self, setup: &Setup<'_>) -> anyhow::Result<PathBuf> {
        let home = || setup.environment.absolute("HOME").context("HOME is not set");
        Ok(match self.place {
            Place::Home(path) => home()?.join(path),
            Place::Settings(path) if cfg!(target_os = "macos") => {
                home()?.join("Library/Application Support").join(path)
            }
            Place::Settings(path) => {
                let settings = setup.environment.base_directory("XDG_CONFIG_HOME", ".config");
                settings.context("HOME is not set")?.join(path)
            }
        })
    }

    /// The file's text, and whether there is one.
    fn read(&self, file: &Path) -> Result<(String, bool), String> {
        match fs::symlink_metadata(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok((String::new(), false)),
            Err(error) => Err(format!("{} cannot be read: {error}", file.display())),
            Ok(_) if fs::metadata(file).is_ok_and(|file| file.permissions().readonly()) => {
                Err(format!("{} may not be written", file.display()))
            }
            Ok(_) => match text_file::read(file, MAX_BYTES) {
                Ok(text) => Ok((text, true)),
                Err(error) => Err(format!("{} cannot be read: {error}", file.display())),
            },
        }
    }
}

/// A file's text, taken apart.
struct Document {
    root: CstRootNode,
    servers: &'static str,
}

impl Document {
    /// # Errors
    /// It is not JSON, comments aside, or has something else where the servers belong.
    fn parse(text: &str, servers: &'static str) -> Result<Self, String> {
        let text = if text.trim().is_empty() { "{}\n" } else { text };
        let root = CstRootNode::parse(text, &ParseOptions::default());
        let root = root.map_err(|error| format!("is not valid JSON: {error}"))?;
        let object = root.object_value().ok_or("does not hold a JSON object")?;
        let names = object.properties().into_iter().filter_map(|property| property.decoded_name());
        if names.filter(|name| name == servers).count() > 1 {
            return Err(format!("has `{servers}` more than once"));
        }
        if let Some(property) = object.get(servers)
            && property.object_value().is_none()
        {
            return Err(format!("has a `{servers}` that is no object"));
        }
        Ok(Self { root, servers })
    }

    fn servers(&self) -> Option<CstObject> {
        self.root.object_value()?.object_value(self.servers)
    }

    fn entry(&self) -> Option<Value> {
        let property = self.servers()?.get(NAME)?;
        property.value()?.to_serde_value()
    }

    fn with(self, entry: &Value) -> String {
        let command = entry["command"].as_str().unwrap_or_default().to_owned();
        let value = vec![("command".to_owned(), CstInputValue::String(command))];
        let value = CstInputValue::Object(value);
        let servers = self.root.object_value_or_set().object_value_or_set(self.servers);
        match servers.get(NAME) {
            Some(property) => property.set_value(value),
            None => drop(servers.append(NAME, value)),
        }
        self.root.to_string()
    }

    fn without(self) -> String {
        if let Some(property) = self.servers().and_then(|servers| servers.get(NAME)) {
            property.remove();
        }
        self.root.to_string()
    }
}

/// Whether there is nothing in a file but an empty object of servers.
fn is_bare(text: &str, servers: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value == json!({ servers: {} }))
}
