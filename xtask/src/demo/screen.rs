//! How the demo looks: one column for times and marks, one for what happens, colours only on a terminal.
//!
//! It never decides what is shown, and never goes back over what was.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::Value;

/// The widest line, in characters.
const WIDTH: usize = 96;
/// Where the second column begins.
const INDENT: usize = 12;

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "1;31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const BLUE: &str = "34";
const MAGENTA: &str = "35";
const CYAN: &str = "1;36";

/// Where the demo is shown.
#[derive(Clone, Copy)]
pub(super) struct Screen {
    colours: bool,
}

impl Screen {
    /// Standard output; in colours if that is a terminal and `NO_COLOR` is not set.
    pub(super) fn new() -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        Self { colours: io::stdout().is_terminal() && !refused && !dumb }
    }

    /// The first line.
    pub(super) fn title(self, text: &str) {
        self.line(&format!("\n{}", self.paint(BOLD, text)));
    }

    /// The beginning of a scene.
    pub(super) fn scene(self, number: usize, title: &str) {
        let heading = format!("{number}  {title}");
        let rule = "─".repeat(WIDTH.saturating_sub(heading.chars().count() + 1));
        self.line(&format!("\n{} {}\n", self.paint(CYAN, &heading), self.paint(DIM, &rule)));
    }

    /// A line with a name before it.
    pub(super) fn fact(self, name: &str, text: &str) {
        self.entry(name, DIM, text, "");
    }

    /// What the client asks: the tool and its arguments, one a line.
    pub(super) fn request(self, tool: &str, arguments: &Value) {
        self.entry("→", CYAN, tool, BOLD);
        for (name, value) in arguments.as_object().into_iter().flatten() {
            let value =
                value.as_str().map_or_else(|| value.to_string(), |text| format!("“{text}”"));
            self.entry("", DIM, &format!("{name}: {value}"), "");
        }
    }

    /// A progress notification, with the time since its call began.
    pub(super) fn news(self, at: Duration, message: &str) {
        let colour = match message.split_once(':').map_or("", |(kind, _)| kind) {
            "thinking" => MAGENTA,
            "running" | "ran" => BLUE,
            "failed" => RED,
            "says" => GREEN,
            kind if kind.starts_with("plan") => YELLOW,
            _ => DIM,
        };
        self.entry(&format!("{:.1} s", at.as_secs_f64()), DIM, message, colour);
    }

    /// The first line of an answer, and what it says.
    pub(super) fn answer(self, state: &str, content: &str) {
        self.entry("←", GREEN, state, GREEN);
        for line in content.lines() {
            self.entry("", DIM, line, "");
        }
    }

    /// The first line of an error, and what it says.
    pub(super) fn error(self, state: &str, content: &str) {
        self.entry("←", RED, state, RED);
        for line in content.lines() {
            self.entry("", DIM, line, "");
        }
    }

    /// Something that is done to the processes from outside.
    pub(super) fn blow(self, what: &str) {
        self.entry("✗", RED, what, RED);
    }

    /// Something that was checked. Fails if it does not hold.
    pub(super) fn check(self, claim: &str, holds: bool) -> Result<()> {
        if !holds {
            self.entry("✗", RED, claim, RED);
            bail!("it does not hold that {claim}");
        }
        self.entry("✓", GREEN, claim, "");
        Ok(())
    }

    /// An empty line.
    pub(super) fn gap(self) {
        self.line("");
    }

    /// A mark in the first column, and a text that is wrapped in the second.
    fn entry(self, mark: &str, mark_colour: &str, text: &str, colour: &str) {
        let mut mark = mark;
        for line in wrap(text, WIDTH - INDENT) {
            let padding = " ".repeat((INDENT - 2).saturating_sub(mark.chars().count()));
            let mark_shown = self.paint(mark_colour, mark);
            self.line(&format!("{padding}{mark_shown}  {}", self.paint(colour, &line)));
            mark = "";
        }
    }

    fn paint(self, colour: &str, text: &str) -> String {
        if self.colours && !colour.is_empty() && !text.is_empty() {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn line(self, line: &str) {
        // Whoever closes the output does not want to see the rest; the checks still count.
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{}", line.trim_end()).and_then(|()| out.flush());
    }
}

/// Breaks a line at its spaces. What is indented is meant as it stands and stays whole.
fn wrap(text: &str, width: usize) -> Vec<String> {
    if text.starts_with(' ') || text.chars().count() <= width {
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a last line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_break_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 4), ["unbreakable"]);
        assert_eq!(wrap("  kept as it is", 4), ["  kept as it is"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
