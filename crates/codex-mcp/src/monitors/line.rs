//! News as one line of text. What Codex or the user said stands in quotation marks and cannot leave them: it is on one
//! line, without secrets, marks and tags, and cut.

use std::time::Duration;

use bridge_core::{SessionNews, StopCause, ThreadId, TurnId, TurnReport, TurnState};
use bridge_store::CutTurn;

use crate::error::{Code, Problem};
use crate::mcp::stopped_by;
use crate::redact;

/// The longest line, in characters.
const MAX_LINE: usize = 300;
/// How much of a prompt is shown.
const MAX_PROMPT: usize = 40;
/// How much of an id is shown. Codex's have 36 characters.
const MAX_ID: usize = 64;
/// How much of a text is looked at: more than is shown, so that a secret at the end of that is whole.
const MAX_READ: usize = 4_096;

/// The line for news of a session.
pub(super) fn of(news: &SessionNews) -> String {
    match news {
        SessionNews::Ended { prompt, report } => ended(prompt, report),
        SessionNews::Asked { thread, turn, prompt, what, patience, .. } => {
            let beginning = format!("Codex waits for the user in {}: it asks ", topic(prompt));
            let end = format!(
                " — {} lets them answer within {}",
                wait(Some(thread), turn.as_ref()),
                time(*patience)
            );
            join(&beginning, what, &end)
        }
    }
}

/// The line for a turn that an engine before this one did not bring to its end.
pub(super) fn of_cut(cut: &CutTurn) -> String {
    let (code, words) = match cut.turn {
        Some(_) => (Code::TurnCut, "the server ended while this turn ran"),
        None => (Code::TurnNeverStarted, "the server ended before this turn had begun"),
    };
    let how = format!("interrupted, {}", code.entry().name);
    end(&how, &cut.prompt, words, &wait(Some(&cut.thread), cut.turn.as_ref()))
}

/// The line in the place of news that there was no room for.
pub(super) fn missed(count: usize) -> String {
    format!(
        "{count} further news of Codex turns were not told: codex.thread.list shows which turns ended or wait"
    )
}

fn ended(prompt: &str, report: &TurnReport) -> String {
    let state = match report.state {
        TurnState::Completed => "completed",
        TurnState::Interrupted => "interrupted",
        TurnState::Failed => "failed",
        TurnState::Queued { .. } | TurnState::InProgress => "not at its end",
    };
    let call = wait(report.thread.as_ref(), report.turn.as_ref());
    if let Some(failure) = &report.failure {
        let problem = Problem::from(failure);
        let how = format!("{state}, {}", problem.code.entry().name);
        return end(&how, prompt, &problem.message, &call);
    }
    let answer = report.transcript.answer().map(|answer| answer.text.as_str());
    let words = match (&report.stopped, answer) {
        (Some(cause), _) => stopped(cause),
        (None, Some(answer)) => answer.to_owned(),
        (None, None) => String::new(),
    };
    end(state, prompt, &words, &call)
}

fn stopped(cause: &StopCause) -> String {
    format!("stopped by {}", stopped_by(cause))
}

fn end(how: &str, prompt: &str, words: &str, call: &str) -> String {
    join(
        &format!("Codex turn ended ({how}) for {}: ", topic(prompt)),
        words,
        &format!(" — read it: {call}"),
    )
}

/// A prompt as the name of its turn.
fn topic(prompt: &str) -> String {
    quoted(prompt, MAX_PROMPT)
}

/// The call that gives a turn.
fn wait(thread: Option<&ThreadId>, turn: Option<&TurnId>) -> String {
    let id = |name: &str, id: &str| format!("\"{name}\":{}", quoted(id, MAX_ID));
    let thread = thread.map(|thread| id("threadId", thread.as_str()));
    let turn = turn.map(|turn| id("turnId", turn.as_str()));
    let arguments: Vec<_> = thread.into_iter().chain(turn).collect();
    format!("codex.wait {{{}}}", arguments.join(","))
}

/// A line whose middle is quoted, as far as there is room for it.
fn join(beginning: &str, middle: &str, end: &str) -> String {
    let taken = beginning.chars().count() + end.chars().count() + 2;
    let middle = quoted(middle, MAX_LINE.saturating_sub(taken));
    format!("{beginning}{middle}{end}").chars().take(MAX_LINE).collect()
}

/// A text as data: on one line, with nothing that ends the quotation or a tag, and cut to so many characters.
fn quoted(text: &str, chars: usize) -> String {
    let beginning =
        redact::shortened(text.get(..text.floor_char_boundary(MAX_READ)).unwrap_or(text), MAX_READ);
    let visible: String =
        beginning.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let words: Vec<_> = visible.split_whitespace().collect();
    let text: String = words.join(" ").chars().filter_map(harmless).collect();
    match text.char_indices().nth(chars) {
        None => format!("\"{text}\""),
        Some(_) => {
            let kept: String = text.chars().take(chars.saturating_sub(1)).collect();
            format!("\"{}…\"", kept.trim_end())
        }
    }
}

/// A character that can stand in a quotation; nothing in the place of one that is not seen.
fn harmless(char: char) -> Option<char> {
    match char {
        '"' => Some('\''),
        '<' => Some('‹'),
        '>' => Some('›'),
        // Without a width, of another direction, or of tags: what is not seen can be read all the same.
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}' => None,
        char => Some(char),
    }
}

fn time(patience: Duration) -> String {
    match patience.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}
