//! The scratch project that Codex is asked about: a small shell program with a real bug, and a test that shows it.
//!
//! It is plain shell, so that it runs wherever the demo does.

use std::fs;

use anyhow::{Context as _, Result};
use testkit::home::CodexHome;

/// What the project is about.
pub(super) const ABOUT: &str =
    "split.sh splits a bill between friends; its test fails (a scratch git repository)";

/// The line that its test prints, because the division's remainder is lost.
pub(super) const SYMPTOM: &str = "FAIL  1000 cents, 3 friends: they pay 999";

const PROGRAM: &str = r#"#!/bin/sh
# split.sh CENTS FRIENDS: what each friend pays of a bill, one a line.
cents=$1
friends=$2
share=$((cents / friends))
for friend in $(seq "$friends"); do
    echo "$share"
done
"#;

const TEST: &str = r#"#!/bin/sh
# The shares of a bill add up to the bill.
failed=0
while read -r cents friends; do
    paid=0
    for share in $(sh split.sh "$cents" "$friends"); do
        paid=$((paid + share))
    done
    if [ "$paid" -eq "$cents" ]; then
        echo "ok    $cents cents, $friends friends"
    else
        echo "FAIL  $cents cents, $friends friends: they pay $paid"
        failed=1
    fi
done <<END
900 3
1000 3
END
exit $failed
"#;

/// Writes the project into the home's workspace, which is a git repository, and commits it.
pub(super) fn write(home: &CodexHome) -> Result<()> {
    let files = [
        ("README.md", "# split\n\nSplits a bill between friends.\n"),
        ("split.sh", PROGRAM),
        ("test.sh", TEST),
    ];
    for (name, text) in files {
        fs::write(home.workspace().join(name), text)
            .with_context(|| format!("cannot write {name}"))?;
    }
    home.git(&["add", "--all"]);
    home.git(&["commit", "--quiet", "--message", "Split a bill between friends"]);
    Ok(())
}

/// Says whether nothing was changed, added or removed since.
pub(super) fn is_untouched(home: &CodexHome) -> bool {
    home.git(&["status", "--porcelain"]).is_empty()
}
