//! One tool call on its way through the engine: its progress, its cancellation, its outcome.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bridge_core::{
    Attachment, CallId, CallRequest, Caller, Changes, Failure, Outcome, Person, TurnNumber,
    TurnOptions, TurnReport,
};
use bridge_store::{PlanVersion, Reader, TurnRow, Write};
use rmcp::RoleServer;
use rmcp::service::RequestContext;

use super::asker::Asker;
use super::claude::HookMemory;
use super::input_limits::InputLimits;
use super::outputs::Outputs;
use super::paging::ClientLimits;
use super::progress::ProgressSink;
use super::render::{self, Answer, AttachmentResult, StartedBy, TurnResult};
use super::repeat::Key;
use super::resources::News;
use super::retry::Said;
use super::server::Server;
use super::threads::Threads;
use super::{artifacts, consent, is_modern, plans, retry, tasks};
use crate::clock;
use crate::config::Config;
use crate::daemon::Version;
use crate::engine::{Asking, Next};
use crate::error::{Code, Problem};
use crate::ledger::Ledger;
use crate::test_run::TestRuns;
use crate::workspace::git::{At, Git, Repositories};
use crate::workspace::{Places, Roots, WorkingDirectory};

/// How many paths a call may name.
const MAX_PATHS: usize = 200;

/// What a tool may use.
pub(super) struct ToolCall<'a> {
    server: &'a Server,
    /// The tool's name.
    tool: &'a str,
    context: RequestContext<RoleServer>,
    /// What the person said, if the call has asked before.
    said: Option<Said>,
    /// How much news it was sent, over all its turns.
    sent: AtomicU64,
    /// What became of its attachments, if it has started a turn.
    pub(super) attached: OnceLock<Vec<AttachmentResult>>,
}

impl<'a> ToolCall<'a> {
    pub(super) fn new(
        server: &'a Server,
        tool: &'a str,
        context: RequestContext<RoleServer>,
    ) -> Self {
        let (said, sent, attached) = Default::default();
        Self { server, tool, context, said, sent, attached }
    }

    pub(super) fn server(&self) -> &Server {
        self.server
    }

    /// The same call with what the person said meanwhile.
    pub(super) fn with(self, said: Said) -> Self {
        Self { said: Some(said), ..self }
    }

    /// Who makes the call, and how the person behind it can be asked.
    fn caller(&self) -> Caller {
        let capabilities = self.context.client_capabilities();
        let elicits = capabilities.and_then(|client| client.elicitation.clone());
        let person = match elicits {
            // A client of the first revisions that elicit names no mode and has the only one that there was.
            Some(modes) if modes.form.is_some() || modes.url.is_none() => {
                match is_modern(&self.context) {
                    true => Person::Instead,
                    false => Person::During,
                }
            }
            Some(_) | None => Person::Absent,
        };
        Caller { connection: self.server.connection(), person, session: self.server.session() }
    }

    /// Makes sure that something may be destroyed: by the configuration, or because the person behind the call says so.
    /// Some clients ask them between two calls; then the answer to this one is the question.
    ///
    /// # Errors
    /// Nobody allowed it.
    pub(super) async fn consent(&self, what: &str) -> Result<Option<Answer>, Problem> {
        let patience = self.config().approval_deadline;
        if self.config().destructive_operations {
            return Ok(None);
        }
        // A yes to something else is none.
        if let Some(said) = self.said.as_ref().filter(|said| said.what == what) {
            return consent::said(what, said.agreed).map(|()| None);
        }
        match self.caller().person {
            Person::During => consent::ask(&self.context, what, patience).await.map(|()| None),
            Person::Instead => {
                let refusal = consent::refused(what, "the user has not been asked yet");
                match retry::ask_consent(self.server.connection(), self.tool, what, patience) {
                    Some(asks) => Ok(Some(Answer::from(refusal).with_input(asks))),
                    None => Err(refusal),
                }
            }
            Person::Absent => Err(consent::refused(what, "this client cannot ask its user")),
        }
    }

    pub(super) fn config(&self) -> &Arc<Config> {
        self.server.config()
    }

    /// Runs of projects' tests.
    pub(super) fn test_runs(&self) -> &TestRuns {
        self.server.test_runs()
    }

    /// The workspace root that a directory lies in.
    pub(super) fn root_of(&self, directory: &Path) -> Option<PathBuf> {
        let roots = self.server.roots();
        roots.iter().find(|root| directory.starts_with(root)).map(Path::to_owned)
    }

    /// The configuration that the client's engine was started with.
    pub(super) fn engine_config(&self) -> &Config {
        self.server.engine().config()
    }

    /// The configuration that the process of all engines was started with.
    pub(super) fn process_config(&self) -> &Config {
        self.server.engine().process_config()
    }

    /// What is kept on disk.
    pub(super) fn ledger(&self) -> &Ledger {
        self.server.engine().ledger()
    }

    /// Tells those who watch what changed.
    pub(super) fn tell_watchers(&self, news: &News) {
        self.server.engine().tell_watchers(news);
    }

    /// The home of Codex that the client's threads lie in.
    pub(super) fn home(&self) -> &str {
        self.server.engine().codex_home()
    }

    pub(super) fn context(&self) -> &RequestContext<RoleServer> {
        &self.context
    }

    /// The threads that the client may see.
    pub(super) fn threads(&self) -> Threads<'_> {
        Threads::of(self.server)
    }

    /// App-servers of all clients.
    pub(super) fn codex_processes(&self) -> usize {
        self.server.engine().room().taken()
    }

    /// The version of the client's front, where that is newer than this engine.
    pub(super) fn newer_client(&self) -> Option<Version> {
        self.server.newer_client()
    }

    /// How large the parts of the call may be.
    pub(super) fn input_limits(&self) -> InputLimits<'_> {
        InputLimits(self.config())
    }

    /// The directories in which Codex may work.
    pub(super) fn workspace_roots(&self) -> Vec<String> {
        self.server.roots().iter().map(|root| root.display().to_string()).collect()
    }

    /// Where Codex may work.
    pub(super) fn roots(&self) -> &Roots {
        self.server.roots()
    }

    /// Checks a working directory against the workspace roots.
    ///
    /// # Errors
    /// It does not exist, is no directory, or lies outside.
    pub(super) fn working_directory(
        &self,
        given: Option<&str>,
    ) -> Result<WorkingDirectory, Problem> {
        self.roots().resolve(given).map_err(|error| Problem::from(&error))
    }

    /// The path of a working directory, looked at last thing before it is given to Codex.
    ///
    /// # Errors
    /// Something else is in its place, or its name is not one that Codex can be given.
    pub(super) fn confirmed(directory: &WorkingDirectory) -> Result<String, Problem> {
        let path = directory.confirm().map_err(|error| Problem::from(&error))?;
        path.into_os_string().into_string().map_err(|path| {
            let message = format!("the path {} is not valid UTF-8", path.to_string_lossy());
            Problem::new(Code::DirectoryNotFound, message)
        })
    }

    /// The folder that is copied, or of which a snapshot is taken, for a turn that may change files in a directory: the
    /// working tree that it belongs to, or itself.
    ///
    /// # Errors
    /// Git is there and cannot read what is there.
    pub(super) async fn workspace(&self, directory: &Path) -> Result<PathBuf, Problem> {
        let root = self.roots().outermost(directory).unwrap_or(directory);
        let top = match self.git() {
            Ok(git) => git.top(directory, root).await?,
            // Without git there are no rules about what belongs together.
            Err(_) => None,
        };
        Ok(top.unwrap_or_else(|| directory.to_owned()))
    }

    /// Completes a turn that may change files in a directory, once that is allowed. Some clients have to be asked first:
    /// then the answer to this call is the question.
    ///
    /// # Errors
    /// Nobody allowed it; the directory cannot be looked at.
    pub(super) async fn allow_changes(
        &self,
        options: &mut TurnOptions,
        directory: &Path,
    ) -> Result<Option<Answer>, Problem> {
        let place = directory.display();
        let asks = match options.changes {
            Changes::None => return Ok(None),
            Changes::Propose => None,
            Changes::Direct => self.consent(&format!("let Codex change files in {place}")).await?,
            Changes::Unconfined => {
                let what =
                    format!("let Codex work in {place} without its sandbox, on everything you may");
                self.consent(&what).await?
            }
        };
        let workspace = self.workspace(directory).await?;
        options.workspace = Some(workspace.to_string_lossy().into_owned());
        Ok(asks)
    }

    /// Git as this client has it, for as long as the call is wanted.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn git(&self) -> Result<Git, Problem> {
        let config = self.config();
        let program = config.find_git_bin();
        let program = program.map_err(|message| Problem::new(Code::GitNotFound, message))?;
        Ok(Git {
            program,
            environment: config.codex_environment(),
            time_limit: config.command_time_limit,
            cancel: self.context.ct.clone(),
        })
    }

    /// Where turns may change files, and what they changed.
    pub(super) fn places(&self) -> &Places {
        self.server.engine().places()
    }

    /// What git says of repositories.
    pub(super) fn repositories(&self) -> &Repositories {
        self.server.repositories()
    }

    /// The place in a repository that arguments name: a working directory, and paths that start there.
    ///
    /// # Errors
    /// As [`ToolCall::working_directory`]; there are too many paths.
    pub(super) fn at(&self, cwd: Option<&str>, paths: Option<Vec<String>>) -> Result<At, Problem> {
        let directory = self.working_directory(cwd)?;
        let directory = directory.confirm().map_err(|error| Problem::from(&error))?;
        let root = self.roots().outermost(&directory).unwrap_or(&directory).to_owned();
        let paths = paths.unwrap_or_default();
        if paths.len() > MAX_PATHS {
            let given = format!("there are {}", paths.len());
            return Err(Problem::argument("paths", &given, &format!("at most {MAX_PATHS}")));
        }
        Ok(At { root, directory, paths })
    }

    /// How much the client can be shown at once.
    pub(super) fn limits(&self) -> ClientLimits {
        let client = self.context.client_info();
        self.server.limits(client.as_ref().map(|client| client.name.as_str()))
    }

    /// Who makes this call.
    pub(super) fn started_by(&self) -> StartedBy {
        let client = self.context.client_info();
        let (client, version) = client.map(|client| (client.name, client.version)).unzip();
        let claude_session = self.server.claude_session().map(str::to_owned);
        StartedBy { client, version, claude_session }
    }

    /// The Claude Code session that makes it.
    pub(super) fn claude_session(&self) -> Option<&str> {
        self.server.claude_session()
    }

    /// What the hooks of that session remember.
    pub(super) fn hook_memory(&self) -> &HookMemory {
        self.server.hook_memory()
    }

    /// Where the whole of a long result is kept.
    pub(super) fn outputs(&self) -> &Outputs {
        self.server.outputs()
    }

    /// A turn as this client can be shown it. What is too long for that is kept first.
    pub(super) async fn turn_result(&self, report: TurnReport) -> TurnResult {
        let plan = self.kept_plan(&report).await;
        if let (Some(thread), Some(plan)) = (&report.thread, &plan) {
            self.session_knows(thread, plan.plan.version);
        }
        let attached = self.attached.get().cloned().unwrap_or_default();
        let result = TurnResult::from(report).with_plan(plan).with_attachments(attached);
        artifacts::shown(self.server, self.limits(), result).await
    }

    /// The plan of a turn with its version, which only the records know. An answer comes after them.
    async fn kept_plan(&self, report: &TurnReport) -> Option<PlanVersion> {
        let (number, thread) = report.number.zip(report.thread.clone())?;
        let said = report.transcript.plan.clone()?;
        let kept = move |store: &Reader| match store.plan_of_turn(number)? {
            Some(kept) => Ok(Some(kept)),
            // Codex said what the plan was already.
            None => Ok(store.plan(&thread, None)?.filter(|kept| kept.plan.follow(&said).is_none())),
        };
        self.ledger().read(kept).await.ok().flatten()
    }

    /// Starts a turn, and answers with its result; `None` if the outcome is not a turn's. A background turn is a task for
    /// a client that knows tasks.
    pub(super) async fn run_turn(
        &self,
        key: Option<&Key>,
        request: CallRequest,
        attachment: Attachment,
    ) -> Option<Answer> {
        let number = self.server.engine().number_call();
        if let Some(key) = key {
            let row = key.row(self.home(), TurnNumber(number.0));
            self.ledger().write(vec![Write::Key(row)]);
        }
        let outcome = self.run_numbered(number, request).await;
        let number = TurnNumber(number.0);
        if let Outcome::Turn(report) | Outcome::Asked { turn: report, .. } = &outcome
            && let Some(thread) = &report.thread
        {
            self.session_uses(thread);
        }
        if let Outcome::Turn(report) = &outcome
            && let (Some(thread), Some(failure @ Failure::Request { .. })) =
                (&report.thread, &report.failure)
        {
            self.threads().reconcile(thread, failure).await;
        }
        let goes_on = match &outcome {
            Outcome::Turn(report) => !report.state.is_end(),
            Outcome::Asked { .. }
            | Outcome::Steered { .. }
            | Outcome::PlanTold { .. }
            | Outcome::Cancelled { .. }
            | Outcome::NotLive
            | Outcome::Turns(_)
            | Outcome::Threads(_)
            | Outcome::ThreadChanged
            | Outcome::Health(_)
            | Outcome::Failed(_) => false,
        };
        let answer = self.turn_answer(outcome).await?;
        let knows_tasks =
            || self.context.client_capabilities().is_some_and(|client| client.supports_tasks());
        Some(match attachment {
            Attachment::Background if goes_on && is_modern(&self.context) && knows_tasks() => {
                answer.with_task(tasks::of_new_turn(number))
            }
            Attachment::Background | Attachment::Foreground => answer,
        })
    }

    /// The answer of a tool that starts or awaits a turn; `None` if the outcome is not a turn's.
    pub(super) async fn turn_answer(&self, outcome: Outcome) -> Option<Answer> {
        match outcome {
            Outcome::Turn(report) => {
                if report.state.is_end() {
                    report.number.into_iter().for_each(|number| self.server.heard(number));
                }
                Some(Answer::of_turn(&self.turn_result(*report).await))
            }
            Outcome::Failed(failure) => Some(Answer::from(Problem::from(&failure))),
            Outcome::Asked { turn, number, asks } => {
                let connection = self.server.connection();
                let input = retry::ask(connection, self.tool, (&turn, number), &asks);
                let answer = Answer::of_turn(&self.turn_result(*turn).await);
                Some(match input {
                    Some(input) => answer.with_input(input),
                    None => answer,
                })
            }
            Outcome::Steered { .. }
            | Outcome::PlanTold { .. }
            | Outcome::Cancelled { .. }
            | Outcome::NotLive
            | Outcome::Turns(_)
            | Outcome::Threads(_)
            | Outcome::ThreadChanged
            | Outcome::Health(_) => None,
        }
    }

    /// The answer for a turn that is kept on disk.
    pub(super) async fn stored_answer(&self, row: TurnRow) -> Answer {
        self.server.heard(row.number);
        if let (Some(thread), Some(plan)) = (&row.report.thread, &row.plan) {
            self.session_knows(thread, plan.plan.version);
        }
        Answer::of_turn(&artifacts::shown(self.server, self.limits(), TurnResult::from(row)).await)
    }

    /// Goes on with a turn that waits for the answers that this call brings.
    pub(super) async fn resume(&self, request: CallRequest) -> Answer {
        let outcome = self.run(request).await;
        let over = || {
            let problem = Problem::new(Code::TurnNotFound, "the turn of these answers is over");
            Answer::from(problem.with_hint("`codex.wait` gives its result."))
        };
        self.turn_answer(outcome).await.unwrap_or_else(over)
    }

    /// Lets the engine carry out a request, passes its news on, and waits for its outcome. If the client gives the
    /// call up, so does the engine.
    pub(super) async fn run(&self, request: CallRequest) -> Outcome {
        self.run_numbered(self.server.engine().number_call(), request).await
    }

    /// The same under a number of its own, which is the turn's if it asks for one.
    async fn run_numbered(&self, number: CallId, mut request: CallRequest) -> Outcome {
        if let CallRequest::ContinueThread { thread, plan, .. } = &mut request {
            *plan = plans::untold(self, thread).await;
        }
        let mut call = self.server.engine().call_as(number, self.caller(), request).await;
        let mut asker = Asker::new(self.context.peer.clone());
        let sink = ProgressSink::of(&self.context);
        loop {
            let update = tokio::select! {
                biased;
                () = self.context.ct.cancelled() => {
                    asker.stop_all().await;
                    return call.cancel().await;
                }
                (approval, answer) = asker.next() => {
                    call.answer(approval, answer).await;
                    continue;
                }
                next = call.next() => match next {
                    Next::News(update) => update,
                    Next::Ask(Asking::Ask(ask)) => {
                        asker.ask(*ask).await;
                        continue;
                    }
                    Next::Ask(Asking::Stop(approval)) => {
                        asker.stop(approval).await;
                        continue;
                    }
                    Next::Outcome(outcome) => {
                        asker.stop_all().await;
                        return outcome;
                    }
                },
            };
            if let Some(sink) = &sink {
                let sent = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
                let (message, meta) =
                    render::progress(&update, &self.context.id, clock::timestamp());
                // A client that can hear no more is noticed by its connection.
                let _ = sink.notify(sent, &message, meta).await;
            }
        }
    }
}
