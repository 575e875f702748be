//! JavaScript: the `test` script of a `package.json`, which package manager runs it, and which runner it ends in.
//!
//! A script that ends in a runner is run as it is, and what we add reaches that runner, because package managers append
//! arguments at the end. Node's own runner takes its options only before its files, so it is run without the script
//! where that is plain enough to be taken apart.

use serde_json::Value;

use super::{Facts, Found};
use crate::runner::Runner;
use crate::tally::plain;

/// What npm writes into a new `package.json`.
const NO_TEST: &str = "no test specified";
/// How much of a script is told, in characters.
const MAX_SHOWN: usize = 100;
/// The longest script that is taken apart, in bytes.
const MAX_SCRIPT: usize = 1_000;
/// What only a shell understands.
const SHELL: &[char] =
    &['&', '|', ';', '<', '>', '$', '`', '"', '\'', '\\', '(', ')', '{', '}', '*', '?', '#'];

pub(super) fn javascript(facts: &Facts) -> Vec<Found> {
    let Ok(package) = serde_json::from_str::<Value>(facts.text("package.json")) else {
        return Vec::new();
    };
    let manager = manager(facts, &package);
    let script = package["scripts"]["test"].as_str().filter(|script| !script.contains(NO_TEST));
    let mut found: Vec<_> = script.map(|script| of_script(script, manager)).into_iter().collect();
    let depends = |name: &str| {
        ["dependencies", "devDependencies"].iter().any(|field| package[*field][name].is_string())
    };
    for (runner, name) in
        [(Runner::Vitest, "vitest"), (Runner::Jest, "jest"), (Runner::Mocha, "mocha")]
    {
        let is_new = found.iter().all(|found| found.runner != runner);
        if depends(name) && is_new {
            let local = format!("node_modules/.bin/{name}");
            let command: &[&str] = if facts.has("node_modules/.bin", name) {
                &[&local]
            } else {
                &["npx", "--no-install", name]
            };
            found.push(Found::new(runner, format!("{name} among the dependencies"), command));
        }
    }
    found
}

/// The package manager, by its lock file.
fn manager(facts: &Facts, package: &Value) -> &'static str {
    let named = package["packageManager"].as_str().unwrap_or_default();
    let of_name = ["pnpm", "yarn", "bun", "npm"].into_iter().find(|name| named.starts_with(name));
    let of_lock = || {
        [
            ("pnpm-lock.yaml", "pnpm"),
            ("yarn.lock", "yarn"),
            ("bun.lock", "bun"),
            ("bun.lockb", "bun"),
        ]
        .into_iter()
        .find(|(file, _)| facts.has("", file))
        .map(|(_, name)| name)
    };
    of_name.or_else(of_lock).unwrap_or("npm")
}

fn of_script(script: &str, manager: &str) -> Found {
    let shown: String = plain(script).chars().take(MAX_SHOWN).collect();
    let reason = format!("the `test` script of package.json: {shown}");
    let words: Vec<&str> = script.split_whitespace().collect();
    if script.len() <= MAX_SCRIPT
        && !script.contains(SHELL)
        && let ["node", rest @ ..] = words.as_slice()
        && rest.contains(&"--test")
    {
        let rest = rest.iter().filter(|word| **word != "--test");
        let command: Vec<&str> = ["node", "--test"].into_iter().chain(rest.copied()).collect();
        return Found::new(Runner::Node, reason, &command);
    }
    let runner = last_program(script).map_or(Runner::Script, |program| match program {
        "vitest" => Runner::Vitest,
        "jest" => Runner::Jest,
        "mocha" => Runner::Mocha,
        _ => Runner::Script,
    });
    // What follows is added for the runner; pnpm would hand a `--` on.
    let command: &[&str] = match (manager, runner) {
        ("npm", Runner::Script) => &["npm", "test"],
        ("npm", _) => &["npm", "test", "--"],
        ("bun", _) => &["bun", "run", "test"],
        (manager, _) => &[manager, "test"],
    };
    Found::new(runner, reason, command)
}

/// The program that the last command of a script runs, to which added arguments go; none if they would go elsewhere.
fn last_program(script: &str) -> Option<&str> {
    if script.contains(['|', '>', '<', '#']) || script.trim_end().ends_with(['&', ';']) {
        return None;
    }
    let last = script.rsplit(['&', ';']).next()?;
    let is_prefix =
        |word: &&str| word.contains('=') || matches!(*word, "cross-env" | "npx" | "env");
    let program = last.split_whitespace().find(|word| !is_prefix(word))?;
    program.rsplit('/').next()
}
