//! Whether Claude Code knows this server: by the plugin, in the user's own configuration, for this folder, or in the
//! project's file.

use std::path::Path;

use serde_json::Value;

use super::Check;
use crate::config::Environment;
use crate::text_file;

/// The largest file that is read, in bytes. Claude Code keeps more than servers in its own.
const MAX_BYTES: u64 = 64 << 20;

/// The plugin, as Claude Code calls it.
const PLUGIN: &str = "codex@codex-mcp";

pub(super) fn check(environment: &Environment) -> Check {
    match find(environment) {
        Some((name, place)) => Check::ok("Claude Code", format!("knows it as `{name}` ({place})")),
        None => Check::warning(
            "Claude Code",
            "does not know this server in this folder",
            "If you use Claude Code: `codex-mcp setup claude`.",
        ),
    }
}

/// The name under which a server of this program is registered, and where.
fn find(environment: &Environment) -> Option<(String, String)> {
    let folder = environment.working_directory().map(Path::to_path_buf);
    let own = environment.absolute("CLAUDE_CONFIG_DIR").or_else(|| environment.absolute("HOME"));
    let own = own.and_then(|home| read(&home.join(".claude.json")));
    let in_user = own.as_ref().and_then(|own| server_in(own.get("mcpServers")?));
    let in_folder = || {
        let projects = own.as_ref()?.get("projects")?;
        let project = projects.get(folder.as_ref()?.to_str()?)?;
        server_in(project.get("mcpServers")?)
    };
    let in_project = || server_in(read(&folder.as_ref()?.join(".mcp.json"))?.get("mcpServers")?);
    let by_plugin = installed(environment).then(|| PLUGIN.to_owned());
    let found = by_plugin.map(|name| (name, "a plugin"));
    let found = found.or_else(|| Some((in_user?, "for you everywhere")));
    let found = found.or_else(|| Some((in_folder()?, "for you in this folder")));
    let found = found.or_else(|| Some((in_project()?, "in .mcp.json of this folder")));
    found.map(|(name, place)| (name, place.to_owned()))
}

/// Whether the plugin is installed, for anybody or for some folder.
fn installed(environment: &Environment) -> bool {
    let own = environment.absolute("CLAUDE_CONFIG_DIR").map(Path::to_owned);
    let own = own.or_else(|| Some(environment.absolute("HOME")?.join(".claude")));
    let list = own.and_then(|own| read(&own.join("plugins/installed_plugins.json")));
    list.is_some_and(|list| list["plugins"].get(PLUGIN).is_some())
}

fn read(path: &Path) -> Option<Value> {
    serde_json::from_str(&text_file::read(path, MAX_BYTES).ok()?).ok()
}

fn server_in(servers: &Value) -> Option<String> {
    let is_ours = |server: &Value| {
        let arguments = server["args"].as_array().into_iter().flatten();
        let words = std::iter::once(&server["command"]).chain(arguments);
        let mut words = words.filter_map(Value::as_str);
        words.any(|word| Path::new(word).file_name().is_some_and(|name| name == "codex-mcp"))
    };
    let servers = servers.as_object()?;
    servers.iter().find(|(_, server)| is_ours(server)).map(|(name, _)| name.clone())
}
