//! The page `docs/errors.md`, made from the catalogue.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Code, Entry, Group, Retry};

/// What stands before the codes.
const INTRODUCTION: &str = "\
# Errors

Every error has one of the codes below, and says what happened, what to do and whether to try again. A model reads it as
text:

```text
Error thread_busy: a turn runs or waits on thread 01a205a5-c192-74e0-9472-ab51cb27f43e
What to do: Wait for it with `codex.wait`, or stop it with `codex.cancel`, and then try again.
Retry: yes, after 5 s.
```

A program reads it in `structuredContent`:

| field | what it says |
| --- | --- |
| `error.code` | the code: it keeps its name and its meaning |
| `error.message` | what happened and why, often in Codex's own words; one that is too long for a client is cut, and says so |
| `error.remedy` | what to do next, in this case first and then in general |
| `error.retryable` | whether the same call can succeed later |
| `error.retryAfterSeconds` | how long to wait before that; absent where trying again does not help |

An error of a turn comes with what the turn had said and done by then; a message that was cut is continued by the token
in `more`. That no engine can be had is said to every request: for one that calls no tool, the fields of `error` are the
`data` of a JSON-RPC error.

";

/// The page.
///
/// # Panics
/// Never: a string takes every write.
#[must_use]
pub fn reference_markdown() -> String {
    let mut page = String::from(INTRODUCTION);
    for group in Group::ALL {
        let title = group.title();
        let names: Vec<_> = entries(*group).map(|entry| link(entry.name)).collect();
        writeln!(page, "- **{title}**: {}", names.join(", ")).expect("a string takes every write");
    }
    for group in Group::ALL {
        write!(page, "\n## {}\n", group.title()).expect("a string takes every write");
        for Entry { name, meaning, remedy, retry, .. } in entries(*group) {
            let retry = retry_words(retry);
            write!(
                page,
                "\n### `{name}`\n\n{meaning}\n\n- What to do: {remedy}\n- Retry: {retry}\n"
            )
            .expect("a string takes every write");
        }
    }
    page
}

fn entries(group: Group) -> impl Iterator<Item = Entry> {
    Code::ALL.iter().map(|code| code.entry()).filter(move |entry| entry.group == group)
}

fn link(name: &str) -> String {
    format!("[`{name}`](#{name})")
}

fn retry_words(retry: Retry) -> String {
    match retry {
        Retry::No => "only after changing something.".to_owned(),
        Retry::After(Duration::ZERO) => "yes, at once.".to_owned(),
        Retry::After(pause) => {
            format!("yes, after {} s, or as long as the error says.", pause.as_secs())
        }
        Retry::AfterReset => {
            "yes, as long after as the error says; if it says no time, only after changing something."
                .to_owned()
        }
        Retry::AfterLooking => "only if it did not run.".to_owned(),
    }
}
