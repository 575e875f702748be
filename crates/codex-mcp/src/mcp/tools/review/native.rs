//! Codex's own review (`review/start`): what is asked, and the findings that are read back out of its text.
//!
//! Codex makes text of what its reviewer answers and leaves out verdict, confidence and severity, but for the `[P1]` that a
//! title may begin with. An answer that is not quite in the reviewer's form comes as it is (measured with Codex 0.169).

use std::path::Path;

use bridge_core::{CallRequest, ReviewTarget};
use serde::Deserialize;

use super::changes::Changes;
use super::findings::{Finding, Severity, Verdict, without_fence};
use super::places::Places;
use super::{Arguments, Page};
use crate::codex::thread_config;
use crate::error::Problem;
use crate::mcp::call::ToolCall;
use crate::workspace::WorkingDirectory;

/// What stands before the findings: of one, of several.
const HEADINGS: [&str; 2] = ["Review comment:", "Full review comments:"];
/// What Codex says for a reviewer that said nothing, in a turn that counts as completed.
const NO_ANSWER: [&str; 2] = [
    "Reviewer failed to output a response.",
    "Review was interrupted. Please re-run /review and wait for it to complete.",
];

/// Has Codex review, in one turn and with its own words.
pub(super) async fn run(
    page: &mut Page,
    target: ReviewTarget,
    changes: &Changes,
    arguments: &Arguments,
    directory: &WorkingDirectory,
    call: &ToolCall<'_>,
) -> Result<(), Problem> {
    let turn = super::turn(target.to_string(), None, arguments, call)?;
    // Codex takes all of these from the thread, and a model of the user's own for reviews before the thread's.
    let effort = turn.options.effort.map(|it| ("model_reasoning_effort".to_owned(), it.into()));
    let mut options = super::options(directory, Some(effort.into_iter().collect()), call)?;
    if let (Some(model), Some(config)) = (&turn.options.model, &mut options.config) {
        thread_config::set_review_model(config, model);
    }
    options.model = turn.options.model;
    options.approval_policy = turn.options.approval_policy;
    let request = CallRequest::StartReview { options, target, time_limit: turn.time_limit };
    let answer = page.answer(request, call).await?;
    if answer.trim().is_empty() || NO_ANSWER.contains(&answer.as_str()) {
        return Err(page.unreadable("the reviewer said nothing", answer));
    }
    let top = changes.top.as_deref().unwrap_or(directory.path());
    let said = Said::read(&answer);
    page.findings
        .extend(said.findings.into_iter().map(|raised| raised.finding(top, &changes.places)));
    page.verdict = said.verdict;
    page.summary = said.summary;
    // Codex has read the changes by itself, and whole.
    page.left_out.clear();
    page.warnings.clear();
    if page.verdict == Verdict::NotGiven {
        page.warnings
            .push("Codex's review gives no verdict, and no findings that can be told apart: read the summary".to_owned());
    }
    Ok(())
}

/// What the review says.
#[derive(Debug, PartialEq)]
struct Said {
    verdict: Verdict,
    summary: String,
    findings: Vec<Raised>,
}

/// A finding before its place is checked.
#[derive(Debug, PartialEq)]
struct Raised {
    severity: Severity,
    title: String,
    body: String,
    file: String,
    lines: (u64, u64),
    confidence: Option<f64>,
}

/// The reviewer's own form, as far as it is needed. What is optional is what models leave out.
#[derive(Deserialize)]
struct Form {
    findings: Vec<FormFinding>,
    overall_correctness: Option<String>,
    #[serde(default)]
    overall_explanation: String,
}

#[derive(Deserialize)]
struct FormFinding {
    title: String,
    #[serde(default)]
    body: String,
    confidence_score: Option<f64>,
    priority: Option<u8>,
    code_location: FormPlace,
}

#[derive(Deserialize)]
struct FormPlace {
    absolute_file_path: String,
    line_range: FormLines,
}

#[derive(Deserialize)]
struct FormLines {
    start: u64,
    end: u64,
}

impl Said {
    fn read(text: &str) -> Self {
        if let Ok(form) = serde_json::from_str::<Form>(without_fence(text)) {
            return Self::of_form(form);
        }
        let (summary, findings) = of_text(text).unwrap_or_else(|| (text.trim(), Vec::new()));
        let verdict = match findings.is_empty() {
            true => Verdict::NotGiven,
            false => Verdict::RequestChanges,
        };
        Self { verdict, summary: summary.to_owned(), findings }
    }

    fn of_form(form: Form) -> Self {
        let verdict = match (form.overall_correctness.as_deref(), form.findings.is_empty()) {
            (_, false) | (Some("patch is incorrect"), true) => Verdict::RequestChanges,
            (Some("patch is correct"), true) => Verdict::Approve,
            (Some(_) | None, true) => Verdict::NotGiven,
        };
        let findings = form.findings.into_iter().map(FormFinding::raised).collect();
        Self { verdict, summary: form.overall_explanation, findings }
    }
}

/// The summary and the findings of a text; `None` if it has none in Codex's form.
fn of_text(text: &str) -> Option<(&str, Vec<Raised>)> {
    let heading = |line: &str| HEADINGS.contains(&line.trim_end());
    let mut at = 0;
    let begin = text.split_inclusive('\n').find_map(|line| {
        at += line.len();
        heading(line).then_some((at - line.len(), at))
    });
    let (before, after) = begin?;
    let mut findings: Vec<Raised> = Vec::new();
    for line in text[after..].lines() {
        if let Some(body) = line.strip_prefix("  ") {
            let body_so_far = &mut findings.last_mut()?.body;
            body_so_far.push_str(body);
            body_so_far.push('\n');
        } else if let Some(first) = line.strip_prefix("- ") {
            findings.push(Raised::of_line(first)?);
        } else if !line.trim().is_empty() {
            return None;
        }
    }
    for finding in &mut findings {
        finding.body.truncate(finding.body.trim_end().len());
    }
    (!findings.is_empty()).then(|| (text[..before].trim(), findings))
}

impl Raised {
    /// Reads `[P1] Title — /path:1-2`.
    fn of_line(line: &str) -> Option<Self> {
        let (title, place) = line.rsplit_once(" — ")?;
        let (file, lines) = place.trim_end().rsplit_once(':')?;
        let (start, end) = lines.split_once('-').unwrap_or((lines, lines));
        let (severity, title) = severity(title, None);
        Some(Self {
            severity,
            title: title.to_owned(),
            body: String::new(),
            file: file.to_owned(),
            lines: (start.parse().ok()?, end.parse().ok()?),
            confidence: None,
        })
    }

    fn finding(self, top: &Path, places: &Places) -> Finding {
        let inside = Path::new(&self.file).strip_prefix(top).ok().and_then(Path::to_str);
        let file = inside.unwrap_or(&self.file);
        let found = places.find(file, self.lines);
        Finding {
            severity: self.severity,
            title: self.title,
            body: self.body,
            file: found.map_or(file, |(name, _)| name).to_owned(),
            start_line: self.lines.0,
            end_line: self.lines.1,
            confidence: self.confidence,
            recommendation: None,
            outside_diff: !places.is_empty() && !found.is_some_and(|(_, shows)| shows),
        }
    }
}

impl FormFinding {
    fn raised(self) -> Raised {
        let (severity, title) = severity(&self.title, self.priority);
        let FormPlace { absolute_file_path, line_range } = self.code_location;
        Raised {
            severity,
            title: title.to_owned(),
            body: self.body,
            file: absolute_file_path,
            lines: (line_range.start, line_range.end),
            confidence: self.confidence_score.filter(|score| (0.0..=1.0).contains(score)),
        }
    }
}

/// How much a finding matters, and its title without the mark of that. One that nobody marked is in the middle.
fn severity(title: &str, priority: Option<u8>) -> (Severity, &str) {
    let marked = title.strip_prefix("[P").and_then(|rest| rest.split_once(']'));
    let marked = marked.and_then(|(mark, rest)| Some((mark.parse().ok()?, rest.trim_start())));
    let (priority, title) = match marked {
        Some((mark, rest)) => (Some(mark), rest),
        None => (priority, title),
    };
    let severity = match priority {
        Some(0) => Severity::Critical,
        Some(1) => Severity::High,
        Some(2) | None => Severity::Medium,
        Some(_) => Severity::Low,
    };
    (severity, title)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use expect_test::{Expect, expect};

    use super::Said;
    use crate::mcp::tools::review::places::Places;

    /// Reads a review of a repository in `/w` whose file `sub/a` was changed in line 2.
    fn check(text: &str, expected: Expect) {
        let said = Said::read(text);
        let mut shown = format!("{:?}: {:?}", said.verdict, said.summary);
        let places = Places::of("--- a/sub/a\n+++ b/sub/a\n@@ -2 +2 @@\n-a\n+b\n");
        for raised in said.findings {
            shown += &format!("\n{:?}", raised.finding(Path::new("/w"), &places).to_string());
        }
        expected.assert_eq(&shown);
    }

    #[test]
    fn findings_are_read_out_of_the_text() {
        check(
            "Because.\n\nFull review comments:\n\n- [P0] One — of two — /w/sub/a:1-2\n  It breaks.\n  \n    x\n\n- [P3] \
             Two — /w/b:7-9\n\n- Three — c:4\n  - no finding — /w/c:1-1",
            expect![[r#"
                RequestChanges: "Because."
                "[critical] One — of two (sub/a:1-2)\nIt breaks.\n\n  x"
                "[low] Two (b:7-9, not shown by the diff)\n"
                "[medium] Three (c:4-4, not shown by the diff)\n- no finding — /w/c:1-1""#]],
        );
        check(
            "Review comment:\n\n- [P2] One — /w/sub/a:2-2\n  It.",
            expect![[r#"
            RequestChanges: ""
            "[medium] One (sub/a:2-2)\nIt.""#]],
        );
    }

    #[test]
    fn a_text_in_another_form_is_the_summary() {
        for text in [
            "Looks good to me.",
            "Well.\n\nReview comment:\n",
            "Review comment:\n\n- One at /w/a",
            "Review comment:\n\n- One — /w/a:x-y",
            "Review comment:\n\nOne — /w/a:1-2",
            "Review comment:\n  body\n- One — /w/a:1-2",
            "{\"findings\": 1}",
        ] {
            let said = Said::read(text);
            assert_eq!((said.summary.as_str(), said.findings.len()), (text.trim(), 0));
        }
    }

    #[test]
    fn the_reviewers_own_form_is_read_too() {
        let place =
            r#""code_location":{"absolute_file_path":"/w/sub/a","line_range":{"start":2,"end":3}}"#;
        let form = |findings: &str, verdict: &str| {
            format!(
                r#"{{"findings":[{findings}],"overall_correctness":"{verdict}","overall_explanation":"Well.","more":1}}"#
            )
        };
        let one = format!(r#"{{"title":"[P1] One","body":"It.","confidence_score":0.5,{place}}}"#);
        let two = format!(r#"{{"title":"Two","priority":0,"confidence_score":7,{place}}}"#);
        check(
            &form(&format!("{one},{two}"), "patch is incorrect"),
            expect![[r#"
            RequestChanges: "Well."
            "[high] One (sub/a:2-3; confidence 0.5)\nIt."
            "[critical] Two (sub/a:2-3)\n""#]],
        );
        check(&form("", "patch is correct"), expect![[r#"Approve: "Well.""#]]);
        check(
            &format!("```json\n{}\n```", form("", "patch is incorrect")),
            expect![[r#"RequestChanges: "Well.""#]],
        );
        check(&form("", "maybe"), expect![[r#"NotGiven: "Well.""#]]);
    }
}
