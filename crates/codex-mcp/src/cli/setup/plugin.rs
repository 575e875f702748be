//! The plugin inside the program, and how it is written out: as a marketplace of its own, in which this program stands by
//! its path.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

/// The files, by their paths in the repository.
const FILES: &[(&str, &str)] = &[
    (
        ".claude-plugin/marketplace.json",
        include_str!("../../../../../.claude-plugin/marketplace.json"),
    ),
    (
        "plugin/.claude-plugin/plugin.json",
        include_str!("../../../../../plugin/.claude-plugin/plugin.json"),
    ),
    ("plugin/.mcp.json", include_str!("../../../../../plugin/.mcp.json")),
    ("plugin/README.md", include_str!("../../../../../plugin/README.md")),
    ("plugin/agents/delegate.md", include_str!("../../../../../plugin/agents/delegate.md")),
    ("plugin/commands/cancel.md", include_str!("../../../../../plugin/commands/cancel.md")),
    ("plugin/commands/delegate.md", include_str!("../../../../../plugin/commands/delegate.md")),
    ("plugin/commands/plan.md", include_str!("../../../../../plugin/commands/plan.md")),
    ("plugin/commands/propose.md", include_str!("../../../../../plugin/commands/propose.md")),
    ("plugin/commands/resume.md", include_str!("../../../../../plugin/commands/resume.md")),
    ("plugin/commands/review.md", include_str!("../../../../../plugin/commands/review.md")),
    ("plugin/commands/setup.md", include_str!("../../../../../plugin/commands/setup.md")),
    ("plugin/commands/status.md", include_str!("../../../../../plugin/commands/status.md")),
    ("plugin/hooks/hooks.json", include_str!("../../../../../plugin/hooks/hooks.json")),
    ("plugin/monitors/monitors.json", include_str!("../../../../../plugin/monitors/monitors.json")),
    (
        "plugin/skills/working-with-codex/SKILL.md",
        include_str!("../../../../../plugin/skills/working-with-codex/SKILL.md"),
    ),
];

/// The folder of the marketplace.
pub(super) fn folder(data: &Path) -> PathBuf {
    data.join("claude")
}

/// Writes the plugin, in place of an older one. Says whether anything is new.
///
/// # Errors
/// A file cannot be written.
pub(super) fn write(folder: &Path, program: &Path) -> anyhow::Result<bool> {
    let mut is_new = false;
    for (path, text) in FILES {
        let file = folder.join(path);
        let text = with_program(path, text, program)?;
        if fs::read_to_string(&file).is_ok_and(|there| there == text) {
            continue;
        }
        is_new = true;
        let context = || format!("cannot write {}", file.display());
        fs::create_dir_all(file.parent().unwrap_or(folder)).with_context(context)?;
        fs::write(&file, text).with_context(context)?;
    }
    Ok(is_new)
}

/// Removes what was written, and the folder if there is nothing else in it.
pub(super) fn remove(folder: &Path) {
    for (path, _) in FILES {
        // What is gone already is removed.
        let _ = fs::remove_file(folder.join(path));
    }
    let parents =
        FILES.iter().filter_map(|(path, _)| folder.join(path).parent().map(Path::to_owned));
    let mut folders: Vec<_> = parents
        .flat_map(|parent| parent.ancestors().map(Path::to_owned).collect::<Vec<_>>())
        .collect();
    folders.retain(|parent| parent.starts_with(folder));
    folders.sort_by_key(|parent| std::cmp::Reverse(parent.components().count()));
    folders.dedup();
    for parent in folders {
        // One in which somebody put something stays.
        let _ = fs::remove_dir(parent);
    }
}

/// A file as it is written: where it starts this program by its name, with the program's path.
fn with_program(path: &str, text: &str, program: &Path) -> anyhow::Result<String> {
    let program = program.to_str().context("the path of this program is not UTF-8")?;
    let mut value: Value = match path {
        "plugin/.mcp.json" | "plugin/monitors/monitors.json" => serde_json::from_str(text)?,
        _ => return Ok(text.to_owned()),
    };
    if let Some(server) = value.pointer_mut("/mcpServers/codex/command") {
        *server = program.into();
    }
    for monitor in value.as_array_mut().into_iter().flatten() {
        // A shell reads it.
        let quoted = format!("'{}'", program.replace('\'', "'\\''"));
        let command = monitor["command"].as_str().unwrap_or_default();
        monitor["command"] = command.replacen("codex-mcp", &quoted, 1).into();
    }
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn files(root: &Path, below: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(root.join(below)).expect("a folder of the repository") {
            let entry = entry.expect("it can be read");
            let path = below.join(entry.file_name());
            match entry.path().is_dir() {
                true => files(root, &path, found),
                false => drop(found.insert(path.to_string_lossy().into_owned())),
            }
        }
    }

    #[test]
    fn the_whole_plugin_is_in_the_program() {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut there = BTreeSet::new();
        for folder in [".claude-plugin", "plugin"] {
            files(&root, Path::new(folder), &mut there);
        }
        let inside: BTreeSet<_> = super::FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(inside, there);
    }

    #[test]
    fn what_starts_the_program_starts_it_by_its_path() {
        let program = Path::new("/opt/it's mine/codex-mcp");
        let written = super::FILES.iter().map(|(path, text)| {
            let text = super::with_program(path, text, program).expect("the path is UTF-8");
            (*path, text)
        });
        let names: Vec<_> = written.filter(|(_, text)| text.contains("/opt/")).collect();
        expect_test::expect![[r#"
            [
                (
                    "plugin/.mcp.json",
                    "{\n  \"mcpServers\": {\n    \"codex\": {\n      \"command\": \"/opt/it's mine/codex-mcp\"\n    }\n  }\n}\n",
                ),
                (
                    "plugin/monitors/monitors.json",
                    "[\n  {\n    \"name\": \"codex-turns\",\n    \"command\": \"'/opt/it'\\\\''s mine/codex-mcp' monitor\",\n    \"description\": \"Background turns of Codex: when one ends or needs an answer\"\n  }\n]\n",
                ),
            ]
        "#]].assert_debug_eq(&names);
    }
}
