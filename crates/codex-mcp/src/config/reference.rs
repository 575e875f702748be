//! Writes `docs/config.md` from the declared keys. A test compares the two.

use std::fmt::Write as _;

use super::codex_environment::{NEVER, PASSED, WITHHELD};
use super::keys;
use super::kind::FlagShape;

const INTRODUCTION: &str = "\
<!-- Generated from the program by its tests; run them with UPDATE_EXPECT=1 to write this file anew. -->

# Configuration

Settings come from four layers; a later one overrides an earlier one:

1. the defaults below;
2. the file `$XDG_CONFIG_HOME/codex-mcp/config.toml` (`~/.config/codex-mcp/config.toml`), which may be missing;
3. a variable for every key; one that is set to nothing counts as not set;
4. a flag for every key.

A value that is not allowed, and a key that does not exist, are refused at start, in whichever layer they stand. All
problems are reported together, each with its file and line, variable or flag.

`codex-mcp config show` prints every key with its value and origin, in a form that is itself a valid file.
`codex-mcp config check [FILE]` says whether the configuration can be used.

In values that are paths, `~/` is the home directory. Relative paths are accepted in variables and flags, where they
join the working directory, but not in the file.
";

/// Returns the text of `docs/config.md`.
pub fn reference_markdown() -> String {
    let mut text = format!("{INTRODUCTION}\n## Keys\n");
    for key in keys::all() {
        let flag = key.flag;
        let flag = match key.kind.flag() {
            FlagShape::Switch => format!("`--{flag}[=true|false]`"),
            FlagShape::Once(value) => format!("`--{flag} {value}`"),
            FlagShape::Repeatable(value) => format!("`--{flag} {value}`, repeatable"),
        };
        let meaning: Vec<_> = key.meaning.iter().map(|line| line.trim()).collect();
        let rows = [
            ("type", key.kind.type_name().to_owned()),
            ("default", key.kind.default_text()),
            ("allowed", key.kind.allowed()),
            ("variable", format!("`{}`", keys::variable(key.name))),
            ("flag", flag),
        ];
        let _ = write!(text, "\n### `{}`\n\n{}\n\n", key.name, meaning.join("\n"));
        for (name, value) in rows {
            let _ = writeln!(text, "- {name}: {value}");
        }
    }
    text + &environment()
}

fn environment() -> String {
    let mut text = "
## The environment of Codex

Codex runs commands that a model wrote, and this server inherits everything that its client has. Codex is therefore
given only these variables, and of them only those that are set:

"
    .to_owned();
    for (purpose, patterns) in PASSED {
        let _ = writeln!(text, "- {purpose}: {}", code_list(patterns));
    }
    let _ = write!(
        text,
        "
Not covered by `CODEX_*`: {}. They describe a Codex that this server may itself run under, or move commands out of the
workspace.

A custom model provider reads its key from the variable that its `env_key` names: list that variable under
`environment_allow`, and likewise a token that commands or Codex's own MCP servers need. Never passed, even if listed:
{}.
",
        code_list(WITHHELD),
        code_list(NEVER)
    );
    text
}

fn code_list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ")
}
