//! What ARCHITECTURE.md promises of itself.

use std::fs;

use crate::assert_none;
use crate::repository::root;

const MOST_LINES: usize = 250;
const INVARIANT: &str = "**Invariant:**";

fn too_long(text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines > MOST_LINES {
        vec![format!("{lines} lines, more than {MOST_LINES}")]
    } else {
        Vec::new()
    }
}

/// The invariants that do not name what holds them. An invariant goes on to the next one, list item or empty line.
fn unheld(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.contains(INVARIANT)) {
        let ends = |line: &&str| {
            line.trim().is_empty() || line.contains(INVARIANT) || line.trim().starts_with("- ")
        };
        let further = lines[index + 1..].iter().take_while(|line| !ends(line));
        let whole = further.fold(line.trim().to_owned(), |whole, next| whole + " " + next.trim());
        let holder = whole.split_once("(held by ").and_then(|(_, rest)| rest.split_once(')'));
        if holder.is_none_or(|(holder, _)| holder.trim().is_empty()) {
            problems.push(format!("line {}: {whole}", index + 1));
        }
    }
    problems
}

fn architecture() -> String {
    fs::read_to_string(root().join("ARCHITECTURE.md"))
        .expect("ARCHITECTURE.md is in the root of the repository")
}

#[test]
fn architecture_is_short() {
    assert_none(&too_long(&architecture()), "move the detail to docs/design and keep the map");
}

#[test]
fn each_invariant_names_what_holds_it() {
    let text = architecture();
    assert!(text.contains(INVARIANT), "ARCHITECTURE.md states no invariant");
    assert_none(
        &unheld(&text),
        "end it with `(held by …)`: the test, the lint or the manifest, or say `review`",
    );
}

#[test]
fn a_long_document_is_found() {
    assert!(too_long(&"x\n".repeat(250)).is_empty());
    assert_eq!(too_long(&"x\n".repeat(251)), ["251 lines, more than 250"]);
}

#[test]
fn an_invariant_that_nothing_holds_is_found() {
    let held =
        "**Invariant:** the core never\nreads the clock (held by\n`clippy.toml`).\n\nText.\n";
    assert!(unheld(held).is_empty());
    assert_eq!(
        unheld("- **Invariant:** a\n  b\n- c (held by d)\n"),
        ["line 1: - **Invariant:** a b"]
    );
    assert_eq!(unheld("**Invariant:** a (held by )\n"), ["line 1: **Invariant:** a (held by )"]);
}
