//! `codex.review`: Codex's review of changes, as findings.
//!
//! The changes are read here and given to a new thread as material, in parts where they are long. Codex answers in a form
//! of ours; what it says of places is checked against the changes. Nothing is written: the sandbox is read-only, and
//! nobody is asked for more.

mod findings;
mod places;
mod prompt;

use std::fmt;

use bridge_core::{CallRequest, Outcome, ThreadId, ThreadOptions, TurnReport, TurnState};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::repo_diff::{self, Sides, revision, sides};
use super::{Definition, Visibility, unexpected};
use crate::codex::thread_config::{self, Given};
use crate::error::{Code, Problem, brief};
use crate::mcp::arguments::{Approval, Effort, TurnArguments, parse};
use crate::mcp::call::ToolCall;
use crate::mcp::paging::{Kind, cost};
use crate::mcp::patches::Which;
use crate::mcp::render::{Answer, MoreResult, fmt_more};
use crate::workspace::WorkingDirectory;
use crate::workspace::git::{Base, DiffRequest, Revision, TextLimit, Untracked, shown};
use findings::{Finding, Review, Verdict};
use places::Places;
use prompt::Parts;

/// Lines around a change: more than a reader needs, as Codex can look for itself.
const CONTEXT: u32 = 5;
/// What the fields around the findings may cost.
const FRAME_UNITS: usize = 6_000;

#[derive(Debug, Deserialize, JsonSchema)]
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
    /// A model's name.
    model: Option<String>,
    /// How hard the model thinks.
    effort: Option<Effort>,
    /// Interrupt a turn after this long.
    #[schemars(range(min = 1, max = 86400))]
    time_limit_seconds: Option<u32>,
}

/// What is reviewed. A further kind of changes is a variant here, a line in [`Target::of`] and one in [`Changes::read`].
enum Target {
    Uncommitted,
    BaseBranch(String),
    Commit(String),
    Range(String),
    Diff(String),
    Patch(String),
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
    /// How many files that are.
    file_count: usize,
    /// Files that were not reviewed, or not to their end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
    /// The thread of the review; ask it further questions with codex-reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_id: Option<String>,
    /// Where `findings` go on. Read on with codex.read.
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
    let changes = Changes::read(target, &arguments, &call).await?;
    let mut page = Page::of(&changes);
    if !changes.diff.is_empty() {
        page.run(&changes, &arguments, &directory, &call).await?;
        page.fit(&call).await;
    }
    Ok(Answer::success(page.to_string(), &page))
}

impl Target {
    fn of(arguments: &mut Arguments) -> Result<Self, Problem> {
        let mut given = [
            arguments.base_branch.take().map(Self::BaseBranch),
            arguments.commit.take().map(Self::Commit),
            arguments.range.take().map(Self::Range),
            arguments.diff.take().map(Self::Diff),
            arguments.patch_id.take().map(Self::Patch),
        ]
        .into_iter()
        .flatten();
        let target = given.next().unwrap_or(Self::Uncommitted);
        match (given.next(), &target, &arguments.paths) {
            (Some(_), _, _) => {
                let message =
                    "give only one of `baseBranch`, `commit`, `range`, `diff` and `patchId`";
                Err(Problem::new(Code::InvalidArguments, message))
            }
            (None, Self::Diff(_) | Self::Patch(_), Some(_)) => {
                let given = "a diff or a patch is given too";
                Err(Problem::argument("paths", given, "nothing beside a diff or a patch"))
            }
            (None, _, _) => Ok(target),
        }
    }
}

/// What is reviewed, read.
struct Changes {
    /// In words.
    what: String,
    diff: String,
    places: Places,
    warnings: Vec<String>,
    left_out: Vec<String>,
}

impl Changes {
    async fn read(
        target: Target,
        arguments: &Arguments,
        call: &ToolCall<'_>,
    ) -> Result<Self, Problem> {
        let uncommitted = |from, base, argument| Sides {
            from,
            to: Revision::Worktree,
            arguments: [argument, argument],
            base,
        };
        let (what, sides) = match target {
            Target::Diff(diff) => return Self::of_text("a diff that was passed".to_owned(), diff),
            Target::Patch(id) => {
                let diff = call.patch_diff(Which::Known(&id)).await?;
                return Self::of_text(format!("patch {id}"), diff);
            }
            Target::Uncommitted => {
                let head = Revision::Commit("HEAD".to_owned());
                ("what is not committed".to_owned(), uncommitted(head, Base::Itself, "cwd"))
            }
            Target::BaseBranch(branch) => {
                let what = format!("what was changed since {branch}, uncommitted changes too");
                let from = commit("baseBranch", &branch)?;
                (what, uncommitted(from, Base::Common, "baseBranch"))
            }
            Target::Commit(name) => {
                let (what, to) = (format!("commit {name}"), commit("commit", &name)?);
                let arguments = ["commit", "commit"];
                (what, Sides { from: Revision::Before(name), to, arguments, base: Base::Itself })
            }
            Target::Range(range) if range.contains("..") => {
                let sides = sides("range", Some(&range), None)?;
                (range, sides)
            }
            Target::Range(range) => {
                return Err(Problem::argument_text("range", &range, "`a..b` or `a...b`"));
            }
        };
        let Sides { from, to, arguments: names, base } = sides;
        let bytes = call.process_config().max_output_megabytes << 20;
        let text = TextLimit::Bytes(bytes);
        let untracked = Untracked::Content;
        let request =
            DiffRequest { from, to, arguments: names, base, context: CONTEXT, text, untracked };
        let at = call.at(arguments.cwd.as_deref(), arguments.paths.clone())?;
        let (_, diff) = call.repositories().diff(&call.git()?, &at, &request).await?;
        Ok(Self {
            what,
            places: Places::of(&diff.text),
            warnings: repo_diff::warnings(&diff),
            left_out: diff.left_out.iter().map(|(path, _)| shown(path)).collect(),
            diff: diff.text.clone(),
        })
    }

    fn of_text(what: String, diff: String) -> Result<Self, Problem> {
        let places = Places::of(&diff);
        if places.is_empty() && !diff.trim().is_empty() {
            let allowed = "a unified diff, as `git diff` writes it";
            return Err(Problem::argument("diff", "it names no file", allowed));
        }
        let diff = if places.is_empty() { String::new() } else { diff };
        let (warnings, left_out) = (Vec::new(), Vec::new());
        Ok(Self { what, diff, places, warnings, left_out })
    }
}

/// The name of a commit, and of nothing else.
fn commit(argument: &str, name: &str) -> Result<Revision, Problem> {
    match revision(argument, name)? {
        Revision::Commit(name) => Ok(Revision::Commit(name)),
        Revision::Worktree | Revision::Index | Revision::Before(_) => {
            Err(Problem::argument_text(argument, name, "the name of a commit"))
        }
    }
}

impl Page {
    fn of(changes: &Changes) -> Self {
        Self {
            verdict: Verdict::NothingToReview,
            summary: "There is nothing to review.".to_owned(),
            findings: Vec::new(),
            reviewed: changes.what.clone(),
            file_count: changes.places.count(),
            left_out: changes.left_out.clone(),
            thread_id: None,
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
        self.left_out.extend(parts.left_out(&changes.diff));
        for (index, part) in parts.parts.iter().enumerate() {
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
                    self.left_out.extend(Places::of(part).names().map(str::to_owned));
                    let place = format!("part {} of {count} was not reviewed", index + 1);
                    self.warnings.push(format!("{place}: {}", brief(problem.message)));
                    if problem.code != Code::ReviewUnreadable {
                        let rest = parts.parts[index + 1..].concat();
                        self.left_out.extend(Places::of(&rest).names().map(str::to_owned));
                        break;
                    }
                }
            }
        }
        self.summary = summaries.join("\n\n");
        self.left_out.sort();
        self.left_out.dedup();
        self.findings.sort_by(|one, other| {
            let key =
                |finding: &Finding| (finding.severity, finding.file.clone(), finding.start_line);
            key(one).cmp(&key(other))
        });
        Ok(())
    }

    async fn turn(
        &mut self,
        prompt: String,
        arguments: &Arguments,
        directory: &WorkingDirectory,
        call: &ToolCall<'_>,
    ) -> Result<Review, Problem> {
        let turn = TurnArguments {
            prompt,
            model: arguments.model.clone(),
            effort: arguments.effort,
            output_schema: Some(findings::schema()),
            background: None,
            time_limit_seconds: arguments.time_limit_seconds,
            changes: None,
            sandbox: None,
            approval_policy: Some(Approval::Never),
        };
        let turn = turn.check(&call.input_limits())?;
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
            None => CallRequest::StartThread { options: options(directory, call)?, turn },
        };
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
        let thread = self.thread_id.as_deref().unwrap_or("unknown");
        read_answer(&report).map_err(|problem| {
            let hint = format!("The review's thread is {thread}.");
            if problem.hint.is_none() { problem.with_hint(hint) } else { problem }
        })
    }

    /// Leaves out what does not fit, after keeping it.
    async fn fit(&mut self, call: &ToolCall<'_>) {
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
        let kept = MoreResult::keep("findings", lines.concat(), Kind::Json, shown, call.outputs());
        match kept.await {
            Ok(more) => self.more.extend(more),
            Err(warning) => self.warnings.push(warning),
        }
    }
}

fn options(directory: &WorkingDirectory, call: &ToolCall<'_>) -> Result<ThreadOptions, Problem> {
    let codex_home = call.config().codex_home();
    let config = thread_config::build(Given {
        config: None,
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

/// What a turn found, if it came to its end and says so in the form that was asked for.
fn read_answer(report: &TurnReport) -> Result<Review, Problem> {
    if let Some(failure) = &report.failure {
        return Err(Problem::from(failure));
    }
    match report.state {
        TurnState::Completed => {}
        TurnState::Queued { .. }
        | TurnState::InProgress
        | TurnState::Interrupted
        | TurnState::Failed => {
            return Err(Problem::new(Code::CallCancelled, "the review was stopped before its end"));
        }
    }
    let answer = report.transcript.answer().map(|answer| answer.text.as_str()).unwrap_or_default();
    Review::read(answer).map_err(|reason| {
        let message =
            format!("the review cannot be read: {reason}. It says: {}", brief(answer.to_owned()));
        Problem::new(Code::ReviewUnreadable, message)
    })
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::NothingToReview => "nothing to review",
            Verdict::Approve => "approve",
            Verdict::RequestChanges => "request changes",
        };
        write!(f, "Verdict: {verdict} ({}, {} files).", self.reviewed, self.file_count)?;
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

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, body, file, start_line, end_line, confidence, recommendation, .. } = self;
        let severity = format!("{:?}", self.severity).to_lowercase();
        let outside = if self.outside_diff { ", not shown by the diff" } else { "" };
        write!(
            f,
            "[{severity}] {title} ({file}:{start_line}-{end_line}{outside}; confidence {confidence})"
        )?;
        write!(f, "\n{body}\nRecommendation: {recommendation}")
    }
}
