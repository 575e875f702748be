//! `codex.review`: Codex's review of changes, as findings.
//!
//! The changes are read here and given to a new thread as material, in parts where they are long. Codex answers in a form
//! of ours; what it says of places is checked against the changes. Nothing is written: the sandbox is read-only, and
//! nobody is asked for more.

mod changes;
mod findings;
mod native;
mod places;
mod prompt;
mod uncommitted;

use std::fmt;

use bridge_core::{
    CallRequest, Outcome, ReviewTarget, ThreadId, ThreadOptions, TurnReport, TurnRequest, TurnState,
};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Definition, Visibility, unexpected};
use crate::codex::thread_config::{self, Given};
use crate::error::{Code, Problem, brief};
use crate::mcp::arguments::{Approval, Effort, TurnArguments, parse};
use crate::mcp::call::ToolCall;
use crate::mcp::paging::{Budget, Kind, cost, split};
use crate::mcp::render::{Answer, MoreResult, fmt_more};
use crate::workspace::WorkingDirectory;
use changes::{Changes, Target};
use findings::{Finding, Review, Verdict};
use prompt::Parts;
pub(in crate::mcp) use uncommitted::{Reviewed, Uncommitted};

/// What the fields around the findings may cost, and the summary among them.
const FRAME_UNITS: usize = 6_000;
const SUMMARY_UNITS: usize = 4_000;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Arguments {
    /// A folder of the repository. Default: the client's project.
    cwd: Option<String>,
    /// Review what was changed since this branch, uncommitted changes too.
    base_branch: Option<String>,
    /// Review this commit.
    commit: Option<String>,
    /// Review `a..b` or `a...b`.
    range: Option<String>,
    /// Review this unified diff.
    diff: Option<String>,
    /// Review what Codex proposed: a turn's `patch.patchId`.
    patch_id: Option<String>,
    /// Only these files and folders, relative to `cwd`.
    paths: Option<Vec<String>>,
    /// What to look at, besides what any review does.
    instructions: Option<String>,
    /// `true`: Codex's own reviewer, for uncommitted changes, `baseBranch`, `commit`, or what `instructions` alone say.
    native: Option<bool>,
    /// A model's name.
    model: Option<String>,
    /// How hard the model thinks.
    effort: Option<Effort>,
    /// Interrupt a turn after this long.
    #[schemars(range(min = 1, max = 86400))]
    time_limit_seconds: Option<u32>,
}

/// The findings of a review.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Page {
    verdict: Verdict,
    summary: String,
    /// The worst first.
    findings: Vec<Finding>,
    /// What was reviewed.
    reviewed: String,
    /// How many files that are, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_count: Option<usize>,
    /// Files that were not reviewed, or not to their end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
    /// The thread of the review; ask it further questions with codex-reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_id: Option<String>,
    /// The tokens that it took, input and output.
    tokens: u64,
    /// Where `findings` or `summary` go on. Read on with codex.read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    more: Vec<MoreResult>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

pub(super) fn definition() -> Tool {
    Definition {
        name: "codex.review",
        title: "Review changes with Codex",
        description: "Codex reviews changes: all that is uncommitted (the default), since a base branch, a commit, a range, \
            a diff that you pass or a patch of Codex; `instructions` narrow it. Returns findings with severity, file, lines, confidence \
            and recommendation, and a verdict. Changes nothing.",
        search_hint: "code review bugs findings pull request pr diff audit check my changes",
        annotations: ToolAnnotations::new().read_only(false).destructive(false).idempotent(false).open_world(true),
        visibility: Visibility::Searched,
    }
    .tool::<Arguments, Page>()
}

/// Reads the arguments.
pub(super) fn read(arguments: Option<JsonObject>) -> Result<Arguments, Problem> {
    parse(arguments)
}

pub(super) async fn call(
    arguments: Option<JsonObject>,
    call: ToolCall<'_>,
) -> Result<Answer, Problem> {
    let mut arguments = read(arguments)?;
    call.input_limits().instructions("instructions", arguments.instructions.as_deref())?;
    let directory = call.working_directory(arguments.cwd.as_deref())?;
    let target = Target::of(&mut arguments)?;
    let native = match arguments.native {
        Some(true) => Some(target.native(&arguments)?),
        Some(false) | None => None,
    };
    let is_custom = matches!(native, Some(ReviewTarget::Custom(_)));
    let changes = match is_custom {
        true => Changes::of_instructions(),
        false => Changes::read(target, &arguments, &call).await?,
    };
    let mut page = Page::of(&changes);
    if is_custom || !changes.diff.is_empty() {
        match native {
            Some(target) => {
                native::run(&mut page, target, &changes, &arguments, &directory, &call).await?
            }
            None => page.run(&changes, &arguments, &directory, &call).await?,
        }
        page.fit(&call).await;
    }
    Ok(Answer::success(page.to_string(), &page))
}

impl Page {
    fn of(changes: &Changes) -> Self {
        Self {
            verdict: Verdict::NothingToReview,
            summary: "There is nothing to review.".to_owned(),
            findings: Vec::new(),
            reviewed: changes.what.clone(),
            file_count: (!changes.places.is_empty()).then(|| changes.places.count()),
            left_out: changes.left_out.clone(),
            thread_id: None,
            tokens: 0,
            more: Vec::new(),
            warnings: changes.warnings.clone(),
        }
    }

    /// Has each part reviewed, one turn after the other on one thread. What came before a failure is kept.
    async fn run(
        &mut self,
        changes: &Changes,
        arguments: &Arguments,
        directory: &WorkingDirectory,
        call: &ToolCall<'_>,
    ) -> Result<(), Problem> {
        let instructions = arguments.instructions.as_deref();
        let room = call.config().max_prompt_chars;
        let parts = Parts::of(&changes.diff, room, instructions.map_or(0, str::len));
        let count = parts.parts.len();
        let mark = prompt::mark(&changes.diff);
        let mut summaries = Vec::new();
        let reviewed = changes.diff.len() - parts.rest.len();
        self.left_out.extend(prompt::files(&changes.diff, reviewed..changes.diff.len()));
        let mut end = 0;
        for (index, part) in parts.parts.iter().enumerate() {
            let start = end;
            end += part.len();
            let place = (index + 1, count);
            let prompt = prompt::of_part(part, place, &changes.what, instructions, &mark);
            match self.turn(prompt, arguments, directory, call).await {
                Ok(review) => {
                    self.verdict = self.verdict.max(review.verdict);
                    summaries.push(review.summary.trim().to_owned());
                    self.findings.extend(review.findings(&changes.places));
                }
                Err(problem) if index == 0 => return Err(problem),
                Err(problem) => {
                    self.left_out.extend(prompt::files(&changes.diff, start..end));
                    let place = format!("part {} of {count} was not reviewed", index + 1);
                    self.warnings.push(format!("{place}: {}", brief(problem.message)));
                    if problem.code != Code::ReviewUnreadable {
                        self.left_out.extend(prompt::files(&changes.diff, end..reviewed));
                        break;
                    }
                }
            }
        }
        self.summary = summaries.join("\n\n");
        self.left_out.sort();
        self.left_out.dedup();
        Ok(())
    }

    async fn turn(
        &mut self,
        prompt: String,
        arguments: &Arguments,
        directory: &WorkingDirectory,
        call: &ToolCall<'_>,
    ) -> Result<Review, Problem> {
        let turn = turn(prompt, Some(findings::schema()), arguments, call)?;
        let request = match &self.thread_id {
            Some(thread) => {
                let codex_home = call.config().codex_home();
                let config = thread_config::resume(None, directory.path(), codex_home.as_deref());
                let thread = ThreadId(thread.clone());
                let working_directory = Some(directory.path().to_string_lossy().into_owned());
                CallRequest::ContinueThread {
                    thread,
                    config: Some(config),
                    working_directory,
                    plan: None,
                    turn,
                }
            }
            None => CallRequest::StartThread { options: options(directory, None, call)?, turn },
        };
        let answer = self.answer(request, call).await?;
        Review::read(&answer).map_err(|reason| self.unreadable(&reason, answer))
    }

    /// Codex's last word in a turn that came to its end.
    async fn answer(
        &mut self,
        request: CallRequest,
        call: &ToolCall<'_>,
    ) -> Result<String, Problem> {
        let report = match call.run(request).await {
            Outcome::Turn(report) => report,
            Outcome::Failed(failure) => return Err(Problem::from(&failure)),
            Outcome::Asked { .. }
            | Outcome::Steered { .. }
            | Outcome::Cancelled { .. }
            | Outcome::NotLive
            | Outcome::Turns(_)
            | Outcome::Threads(_)
            | Outcome::PlanTold { .. }
            | Outcome::ThreadChanged
            | Outcome::Health(_) => return Err(unexpected("codex.review")),
        };
        self.thread_id = report.thread.clone().map(|thread| thread.0);
        self.tokens +=
            report.transcript.usage.map_or(0, |usage| usage.turn.input + usage.turn.output);
        ended_well(&report).map_err(|problem| self.naming_thread(problem))?;
        let answer = report.transcript.answer().map(|answer| answer.text.clone());
        Ok(answer.unwrap_or_default())
    }

    fn unreadable(&self, reason: &str, answer: String) -> Problem {
        let message = format!("the review cannot be read: {reason}. It says: {}", brief(answer));
        self.naming_thread(Problem::new(Code::ReviewUnreadable, message))
    }

    fn naming_thread(&self, problem: Problem) -> Problem {
        let thread = self.thread_id.as_deref().unwrap_or("unknown");
        let hint = format!("The review's thread is {thread}.");
        if problem.hint.is_none() { problem.with_hint(hint) } else { problem }
    }

    /// Sorts the findings, and leaves out what does not fit, after keeping it.
    async fn fit(&mut self, call: &ToolCall<'_>) {
        self.findings.sort_by(|one, other| {
            let key =
                |finding: &Finding| (finding.severity, finding.file.clone(), finding.start_line);
            key(one).cmp(&key(other))
        });
        let mut room = call.limits().result().units().saturating_sub(FRAME_UNITS);
        let line = |finding: &Finding| serde_json::to_string(finding).unwrap_or_default() + "\n";
        let lines: Vec<_> = self.findings.iter().map(line).collect();
        let fits = |line: &&String| {
            let is_within = cost(line) <= room;
            room = room.saturating_sub(cost(line));
            is_within
        };
        let count = lines.iter().take_while(fits).count();
        let shown = lines[..count].iter().map(String::len).sum();
        self.findings.truncate(count);
        let summary = self.summary.clone();
        self.summary.truncate(split(&summary, Budget::new(SUMMARY_UNITS), Kind::Markdown));
        for (field, whole, kind, shown) in [
            ("findings", lines.concat(), Kind::Json, shown),
            ("summary", summary, Kind::Markdown, self.summary.len()),
        ] {
            match MoreResult::keep(field, whole, kind, shown, call.outputs()).await {
                Ok(more) => self.more.extend(more),
                Err(warning) => self.warnings.push(warning),
            }
        }
    }
}

fn turn(
    prompt: String,
    output_schema: Option<JsonObject>,
    arguments: &Arguments,
    call: &ToolCall<'_>,
) -> Result<TurnRequest, Problem> {
    let turn = TurnArguments {
        prompt,
        model: arguments.model.clone(),
        effort: arguments.effort,
        output_schema,
        background: None,
        time_limit_seconds: arguments.time_limit_seconds,
        changes: None,
        sandbox: None,
        approval_policy: Some(Approval::Never),
    };
    turn.check(&call.input_limits())
}

fn options(
    directory: &WorkingDirectory,
    config: Option<JsonObject>,
    call: &ToolCall<'_>,
) -> Result<ThreadOptions, Problem> {
    let codex_home = call.config().codex_home();
    let config = thread_config::build(Given {
        config,
        profile: None,
        compact_prompt: None,
        mcp_servers: None,
        allowed: &[],
        working_directory: directory.path(),
        codex_home: codex_home.as_deref(),
    })?;
    Ok(ThreadOptions {
        working_directory: ToolCall::confirmed(directory)?,
        model: None,
        approval_policy: None,
        config: Some(config),
        base_instructions: None,
        developer_instructions: None,
        name: Some("Review".to_owned()),
        metadata: Some(call.started_by().to_json()),
    })
}

fn ended_well(report: &TurnReport) -> Result<(), Problem> {
    if let Some(failure) = &report.failure {
        return Err(Problem::from(failure));
    }
    match report.state {
        TurnState::Completed => Ok(()),
        TurnState::Queued { .. }
        | TurnState::InProgress
        | TurnState::Interrupted
        | TurnState::Failed => {
            Err(Problem::new(Code::CallCancelled, "the review was stopped before its end"))
        }
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::NothingToReview => "nothing to review",
            Verdict::NotGiven => "not given",
            Verdict::Approve => "approve",
            Verdict::RequestChanges => "request changes",
        };
        write!(f, "Verdict: {verdict} ({}", self.reviewed)?;
        if let Some(count) = self.file_count {
            write!(f, ", {count} {}", if count == 1 { "file" } else { "files" })?;
        }
        f.write_str(").")?;
        write!(f, "\n{}", self.summary)?;
        for finding in &self.findings {
            write!(f, "\n\n{finding}")?;
        }
        if !self.left_out.is_empty() {
            write!(f, "\n\nNot reviewed: {}.", self.left_out.join(", "))?;
        }
        for warning in &self.warnings {
            write!(f, "\nWarning: {warning}.")?;
        }
        if let Some(thread) = &self.thread_id {
            write!(f, "\n[threadId {thread}]")?;
        }
        fmt_more(&self.more, f)
    }
}
