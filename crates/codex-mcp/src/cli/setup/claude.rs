//! Claude Code: the plugin, with the server in it, from a marketplace that is written out of this program.
//!
//! Everything is done by Claude Code's own commands and looked at through them.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use codex_client::Launch;
use codex_client::program::{Kept, Limits, Program, Reach, Reason};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::made::Made;
use super::{Setup, fail, plugin, tell};
use crate::cli::Exit;

/// The marketplace, as it calls itself, and the plugin in it.
const MARKETPLACE: &str = "codex-mcp";
const PLUGIN: &str = "codex@codex-mcp";
/// How Claude Code calls the plugin's server.
const SERVER: &str = "plugin:codex:codex";

/// A command of Claude Code's may wait for name servers, and for a server that starts.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(90),
    grace: Duration::from_secs(1),
    output_bytes: 4 << 20,
    kept_bytes: 1 << 20,
};

/// Registers, or takes it back.
pub(super) async fn run(
    setup: &Setup<'_>,
    program: Option<&Path>,
    undo: bool,
    made: &mut Made,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let Some(program) = find(setup, program) else {
        let remedy = "Install it (`npm install -g @anthropic-ai/claude-code`), or name it with `--claude-bin`.";
        return fail(out, "there is no `claude` on PATH", remedy);
    };
    let claude = Claude { setup, program };
    let version = match claude.ask(&["--version"]).await {
        Ok(version) => version,
        Err(problem) => return fail(out, &problem, "Try it in a terminal."),
    };
    let name = version.lines().next().unwrap_or_default().trim();
    let name = name.strip_suffix(" (Claude Code)").unwrap_or(name);
    tell(out, "found", &format!("Claude Code {name} at {}", claude.program.display()))?;
    let known = match claude.known().await {
        Ok(known) => known,
        Err(problem) => {
            return fail(
                out,
                &problem,
                "Upgrade Claude Code: it has to know `claude plugin list --json`.",
            );
        }
    };
    match undo {
        false => claude.register(&known, made, out).await,
        true => claude.take_back(&known, made, out).await,
    }
}

fn find(setup: &Setup<'_>, given: Option<&Path>) -> Option<PathBuf> {
    match given {
        Some(path) if path.components().count() > 1 => {
            let path = setup.environment.working_directory()?.join(path);
            path.is_file().then_some(path)
        }
        named => setup.environment.find_on_path(named.unwrap_or(Path::new("claude"))).ok(),
    }
}

/// The user's Claude Code.
struct Claude<'a> {
    setup: &'a Setup<'a>,
    program: PathBuf,
}

/// What it knows already.
struct Known {
    /// Where its marketplace of our name lies.
    marketplace: Option<Marketplace>,
    plugin: Option<Installed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marketplace {
    name: String,
    path: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Installed {
    id: String,
    #[serde(default)]
    enabled: bool,
    read_from_folder: Option<PathBuf>,
}

impl Claude<'_> {
    async fn register(
        &self,
        known: &Known,
        made: &mut Made,
        out: &mut impl Write,
    ) -> anyhow::Result<Exit> {
        let folder = plugin::folder(&self.setup.data);
        let place = folder.display().to_string();
        if let Some(other) = known.elsewhere(&folder) {
            tell(
                out,
                "kept",
                &format!("the plugin `{PLUGIN}` that is there already, from {other}"),
            )?;
            return self.check("", out).await;
        }
        if self.setup.dry_run {
            tell(out, "would", &format!("write the plugin to {place}"))?;
            if known.marketplace.is_none() {
                tell(out, "would", &format!("run: claude plugin marketplace add {place}"))?;
            }
            if known.plugin.is_none() {
                tell(out, "would", &format!("run: claude plugin install {PLUGIN}"))?;
            }
            return Ok(Exit::Success);
        }
        let is_new = plugin::write(&folder, &self.setup.program)?;
        tell(out, if is_new { "wrote" } else { "kept" }, &format!("the plugin in {place}"))?;
        if known.marketplace.is_none() {
            // Before it is so: what was begun can be taken back.
            made.claude.marketplace = true;
            made.keep()?;
            if let Err(problem) = self.ask(&["plugin", "marketplace", "add", &place]).await {
                return fail(out, &problem, "Mend that, and run this again.");
            }
            tell(out, "added", &format!("its marketplace `{MARKETPLACE}`"))?;
        }
        match &known.plugin {
            None => {
                made.claude.plugin = true;
                made.keep()?;
                if let Err(problem) = self.ask(&["plugin", "install", PLUGIN]).await {
                    return fail(out, &problem, "Mend that, and run this again.");
                }
                tell(out, "installed", &format!("the plugin `{PLUGIN}`"))?;
            }
            Some(_) => tell(out, "kept", &format!("the plugin `{PLUGIN}`, which is installed"))?,
        }
        if known.plugin.as_ref().is_some_and(|plugin| !plugin.enabled) {
            let remedy = format!("`claude plugin enable {PLUGIN}`");
            return fail(out, "the plugin is switched off", &remedy);
        }
        self.check(" `--undo` takes this back.", out).await
    }

    /// Lets Claude Code connect. The last line ends with `further`.
    async fn check(&self, further: &str, out: &mut impl Write) -> anyhow::Result<Exit> {
        let list = match self.ask(&["mcp", "list"]).await {
            Ok(list) => list,
            Err(problem) => return fail(out, &problem, "Try `claude mcp list` in a terminal."),
        };
        let of_server = |line: &&str| line.starts_with(&format!("{SERVER}:"));
        let connected = "✔ Connected";
        match list.lines().find(of_server) {
            Some(line) if line.contains(connected) => {
                tell(out, "checked", "Claude Code connects to the server")?;
            }
            Some(line) => {
                let what = format!("Claude Code does not connect to the server: {line}");
                return fail(out, &what, "`codex-mcp doctor` says what is wrong.");
            }
            None => {
                return fail(
                    out,
                    "Claude Code does not list the plugin's server",
                    "Try `claude mcp list` in a terminal.",
                );
            }
        }
        let others = list.lines().filter(|line| !of_server(line));
        let others = others.filter_map(|line| line.split_once(": "));
        let is_ours = |command: &str| {
            command
                .split_whitespace()
                .any(|word| Path::new(word).file_name().is_some_and(|name| name == "codex-mcp"))
        };
        for (name, _) in others.filter(|(_, command)| is_ours(command)) {
            let hint = format!(
                "the server `{name}` is this program too: `claude mcp remove {name}` leaves one of them"
            );
            tell(out, "note", &hint)?;
        }
        tell(out, "done", &format!("Start Claude Code anew and type /codex:status.{further}"))?;
        Ok(Exit::Success)
    }

    async fn take_back(
        &self,
        known: &Known,
        made: &mut Made,
        out: &mut impl Write,
    ) -> anyhow::Result<Exit> {
        let folder = plugin::folder(&self.setup.data);
        if !made.claude.marketplace && !made.claude.plugin && !folder.exists() {
            tell(out, "kept", "everything: nothing of it was made by this command")?;
            return Ok(Exit::Success);
        }
        let ours = known.elsewhere(&folder).is_none();
        let mut steps = Vec::new();
        if made.claude.plugin && ours && known.plugin.is_some() {
            steps.push((["plugin", "uninstall", PLUGIN].as_slice(), "the plugin"));
        }
        if made.claude.marketplace && ours && known.marketplace.is_some() {
            steps.push((
                ["plugin", "marketplace", "remove", MARKETPLACE].as_slice(),
                "its marketplace",
            ));
        }
        for (words, what) in steps {
            if self.setup.dry_run {
                tell(out, "would", &format!("run: claude {}", words.join(" ")))?;
                continue;
            }
            if let Err(problem) = self.ask(words).await {
                return fail(out, &problem, "Mend that, and run this again.");
            }
            tell(out, "removed", what)?;
        }
        let place = folder.display();
        if self.setup.dry_run {
            tell(out, "would", &format!("remove the plugin's files in {place}"))?;
            return Ok(Exit::Success);
        }
        plugin::remove(&folder);
        made.claude = super::made::Claude::default();
        made.keep()?;
        tell(out, "removed", &format!("the plugin's files in {place}"))?;
        Ok(Exit::Success)
    }

    /// What it knows of our names.
    async fn known(&self) -> Result<Known, String> {
        let marketplaces = self.ask(&["plugin", "marketplace", "list", "--json"]).await?;
        let plugins = self.ask(&["plugin", "list", "--json"]).await?;
        let unreadable = |error: serde_json::Error| {
            format!("Claude Code's list of plugins cannot be read: {error}")
        };
        let marketplaces: Vec<Marketplace> =
            serde_json::from_str(&marketplaces).map_err(unreadable)?;
        let plugins: Vec<Installed> = serde_json::from_str(&plugins).map_err(unreadable)?;
        Ok(Known {
            marketplace: marketplaces.into_iter().find(|known| known.name == MARKETPLACE),
            plugin: plugins.into_iter().find(|known| known.id == PLUGIN),
        })
    }

    /// Runs one of its commands and gives what it says; else what went wrong.
    async fn ask(&self, words: &[&str]) -> Result<String, String> {
        let command = || format!("`claude {}`", words.join(" "));
        let directory = self.setup.environment.working_directory();
        let launch = Launch {
            program: self.program.clone(),
            args: words.iter().map(OsString::from).collect(),
            environment: self.setup.environment.all(),
            working_directory: directory.unwrap_or(Path::new("/")).to_owned(),
        };
        let program = Program { launch, input: Vec::new(), reach: Reach::Everything };
        let ended = program.run(LIMITS, &CancellationToken::new(), |_, _| {}).await;
        let ended = ended.map_err(|error| format!("{} does not start: {error}", command()))?;
        let text = |kept: Kept| {
            let (head, tail) = kept.into_parts();
            String::from_utf8_lossy(&[head, tail].concat()).into_owned()
        };
        match (ended.reason, ended.code) {
            (Reason::Finished, Some(0)) => Ok(text(ended.stdout)),
            (Reason::Finished, code) => {
                let said = format!("{}{}", text(ended.stderr), text(ended.stdout));
                Err(match (said.trim(), code) {
                    ("", Some(code)) => format!("{} failed with exit code {code}", command()),
                    ("", None) => format!("{} was killed", command()),
                    (said, _) => format!("{} failed: {said}", command()),
                })
            }
            (Reason::TimeLimit, _) => {
                Err(format!("{} did not end within {} s", command(), LIMITS.time.as_secs()))
            }
            (Reason::OutputLimit | Reason::Cancelled, _) => {
                Err(format!("{} was stopped", command()))
            }
        }
    }
}

impl Known {
    /// Where our names lead, if that is not our folder.
    fn elsewhere(&self, folder: &Path) -> Option<String> {
        let place = self.marketplace.as_ref()?.path.as_deref();
        let of_plugin = self.plugin.as_ref().and_then(|plugin| plugin.read_from_folder.as_deref());
        let is_ours = |path: &Path| path.starts_with(folder) || same(path, folder);
        match place.or(of_plugin) {
            Some(path) if is_ours(path) => None,
            Some(path) => Some(path.display().to_string()),
            None => Some(format!("the marketplace `{MARKETPLACE}`")),
        }
    }
}

/// Whether two paths are one folder, perhaps through links.
fn same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        (Ok(_) | Err(_), _) => false,
    }
}
