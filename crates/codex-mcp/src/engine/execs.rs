//! Turns that run through `codex exec`: a process each, read to its end, with what it left ended before that is told.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bridge_core::{
    Event, ExecEvent, ExecId, ExecRun, ExecThread, Failure, Item, RequestFailure, Resource,
    StartFailure, StartFailureKind, ThreadId, TurnEvent, TurnId,
};
use codex_client::orphan::{self, Marker};
use codex_client::{Exec, Launch};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Input, Room, servers};
use crate::cli::limited;
use crate::codex::artifact::{Keeper, Kept};
use crate::codex::{attachments, exec, launch, output};
use crate::config::Config;
use crate::ledger::Ledger;
use crate::workspace::is_itself;

/// How long a run may take to end when it is told to. Codex needs 30 ms; a cancelled call waits for it.
const STOP_GRACE: Duration = Duration::from_millis(200);
/// How often is looked what its commands use.
const EVERY: Duration = Duration::from_millis(250);
/// How much more than all together a single process may be on a processor, in seconds: who looks is to be first.
const CPU_MARGIN: u64 = 5;
/// How long it may take to end by itself once it has said how its turn ended.
const END_GRACE: Duration = Duration::from_secs(5);

/// News of a run.
#[derive(Debug)]
pub(super) struct ExecNews {
    exec: ExecId,
    event: ExecEvent,
}

/// All runs.
pub(super) struct Execs {
    config: Arc<Config>,
    inputs: mpsc::WeakSender<Input>,
    room: Arc<Room>,
    ledger: Ledger,
    tasks: TaskTracker,
    running: HashMap<ExecId, CancellationToken>,
}

impl Execs {
    pub(super) fn new(
        config: Arc<Config>,
        inputs: mpsc::WeakSender<Input>,
        room: Arc<Room>,
        ledger: Ledger,
        tasks: TaskTracker,
    ) -> Self {
        Self { config, inputs, room, ledger, tasks, running: HashMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    pub(super) fn start(&mut self, exec: ExecId, run: ExecRun) {
        let stop = CancellationToken::new();
        self.running.insert(exec, stop.clone());
        let (config, inputs) = (self.config.clone(), self.inputs.clone());
        let (room, ledger) = (self.room.clone(), self.ledger.clone());
        self.tasks.spawn(async move {
            let way = Way { exec, inputs, config: config.clone(), ledger: ledger.clone() };
            let place = tokio::select! {
                place = room.enter() => place.ok_or_else(|| servers::full(&config, &room)),
                () = stop.cancelled() => Err(stopped(&config)),
            };
            let end = match place {
                Ok(_place) => play(&config, &ledger, run, &stop, &way).await,
                Err(failure) => Err(Failure::Start(failure)),
            };
            way.tell(ExecEvent::Ended(end)).await;
        });
    }

    pub(super) fn stop(&mut self, exec: ExecId) {
        if let Some(stop) = self.running.get(&exec) {
            stop.cancel();
        }
    }

    /// Takes news, and gives what the core has to know of them.
    pub(super) fn take(&mut self, news: ExecNews) -> Event {
        let ExecNews { exec, event } = news;
        if let ExecEvent::Ended(end) = &event {
            tracing::info!(?exec, ?end, "a run of `codex exec` has ended");
            self.running.remove(&exec);
        }
        Event::Exec { exec, event }
    }
}

/// The way to the loop.
struct Way {
    exec: ExecId,
    inputs: mpsc::WeakSender<Input>,
    config: Arc<Config>,
    ledger: Ledger,
}

impl Way {
    /// Keeps long logs. Of images `codex exec` tells nothing.
    fn keeper<'a>(&'a self, thread: Option<&'a ThreadId>) -> Keeper<'a> {
        Keeper {
            ledger: &self.ledger,
            max_bytes: self.config.max_output_megabytes << 20,
            output_chars: self.config.command_output_chars,
            thread,
            folder: None,
            codex_home: Path::new(""),
        }
    }

    /// A loop that has ended needs no news.
    async fn tell(&self, event: ExecEvent) {
        if let Some(inputs) = self.inputs.upgrade() {
            let _ = inputs.send(Input::Exec(ExecNews { exec: self.exec, event })).await;
        }
    }
}

/// Runs one turn, and gives how it ended once nothing of it is left.
async fn play(
    config: &Config,
    ledger: &Ledger,
    run: ExecRun,
    stop: &CancellationToken,
    way: &Way,
) -> Result<(), Failure> {
    let working_directory = match &run.place {
        Some(place) => place.working_directory.clone(),
        None => working_directory(config, ledger, &run.thread).await?,
    };
    let program = launch::program(config).map_err(Failure::Start)?;
    let marker = Marker::mint();
    let files = Handed::write(config, &run, &marker)?;
    let launch = Launch {
        args: exec::arguments(&run, files.named()),
        environment: launch::environment(config, &marker),
        working_directory: PathBuf::from(&working_directory),
        program: program.clone(),
    };
    let launch = within_limits(config, launch)?;
    let is_new = matches!(run.thread, ExecThread::New(_));
    let rollout = look_up(config, &run.thread).await;
    let left_out = exec::left_out(&run);
    let started = Exec::start(&launch, run.input(), config.max_line_bytes);
    let process =
        started.map_err(|error| Failure::Start(launch::start_failure(&program, &error)))?;
    let turn = TurnId(format!("exec-{marker}").replace('.', "-"));
    let reader = exec::Reader::new(turn, working_directory, is_new);
    let ceilings = Ceilings { marker: marker.clone(), config };
    let end = follow(process, (reader, rollout), left_out, (stop, ceilings), way).await;
    // What it left must be gone before anybody is told that it is.
    let swept = tokio::task::spawn_blocking(move || orphan::sweep(&marker)).await;
    if swept.is_ok_and(|ended| ended > 0) {
        tracing::warn!(exec = ?way.exec, "ended what a run of `codex exec` had left behind");
    }
    end
}

/// The same behind this program's own `limited`, which no file can grow beyond.
fn within_limits(config: &Config, launch: Launch) -> Result<Launch, Failure> {
    let cpu_seconds = config.exec_cpu.as_secs() + CPU_MARGIN;
    let prefix = limited::prefix(cpu_seconds, config.exec_file_megabytes);
    let (program, words) =
        prefix.map_err(|error| refused(config, &format!("this program is gone: {error}")))?;
    let words = words.into_iter().map(OsString::from);
    let args = words.chain([launch.program.into_os_string()]).chain(launch.args).collect();
    Ok(Launch { program, args, ..launch })
}

/// What the commands of a run may use together, for the system limits each only by itself.
struct Ceilings<'a> {
    marker: Marker,
    config: &'a Config,
}

impl Ceilings<'_> {
    async fn exceeded(&self, process: &Exec) -> Option<Failure> {
        let (marker, pid) = (self.marker.clone(), process.id());
        let (megabytes, cpu) = (self.config.exec_memory_megabytes as u64, self.config.exec_cpu);
        let look = move || orphan::usage(&marker, pid, megabytes << 20);
        let usage = tokio::task::spawn_blocking(look).await.ok()??;
        if usage.memory_bytes > megabytes << 20 {
            return Some(Failure::ExecLimit { resource: Resource::Memory, limit: megabytes });
        }
        let limit = cpu.as_secs();
        (usage.cpu > cpu).then_some(Failure::ExecLimit { resource: Resource::Processor, limit })
    }
}

/// Passes on what a run tells until it has ended.
async fn follow(
    mut process: Exec,
    (mut reader, rollout): (exec::Reader, Option<Arc<exec::Rollout>>),
    left_out: Option<&'static str>,
    (stop, ceilings): (&CancellationToken, Ceilings<'_>),
    way: &Way,
) -> Result<(), Failure> {
    let mut known = None;
    let mut looks = tokio::time::interval(EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while reader.end().is_none() {
        let line = tokio::select! {
            line = process.line() => line,
            _ = looks.tick() => match ceilings.exceeded(&process).await {
                Some(failure) => {
                    process.stop(STOP_GRACE).await;
                    return Err(failure);
                }
                None => continue,
            },
            () = stop.cancelled() => {
                return Err(Failure::ExecExited(launch::exit(process.stop(STOP_GRACE).await)));
            }
        };
        let Some(line) = line else {
            break;
        };
        let Some(mut event) = reader.read(&line) else {
            continue;
        };
        let begins = matches!(event, ExecEvent::Started { .. });
        let mut log = None;
        if let ExecEvent::Turn(event) = &mut event {
            log = way.keeper(known.as_ref()).log(event);
            output::keep_end(event, way.config.command_output_chars);
        }
        if let ExecEvent::Started { thread, turn, .. } = &mut event {
            known = Some(thread.clone());
            if let Some(name) = name(rollout.clone(), thread).await {
                *turn = name;
            }
        }
        way.tell(event).await;
        if let Some(log) = log {
            way.tell(kept(log)).await;
        }
        if let Some(warning) = left_out.filter(|_| begins) {
            way.tell(ExecEvent::Warned(warning.to_owned())).await;
        }
    }
    let exit = launch::exit(process.end(END_GRACE).await);
    reader.end().cloned().unwrap_or_else(|| Err(exec::failure(exit)))
}

/// What the core is told of a log.
fn kept(log: Kept) -> ExecEvent {
    match log {
        Ok(artifact) => ExecEvent::Turn(TurnEvent::ItemCompleted(Item::Artifact(artifact))),
        Err(warning) => ExecEvent::Warned(warning),
    }
}

/// The thread's file, beside the runtime's own threads, for it has to be looked for.
async fn look_up(config: &Config, thread: &ExecThread) -> Option<Arc<exec::Rollout>> {
    let (codex_home, thread) = (config.codex_home(), thread.clone());
    let found = tokio::task::spawn_blocking(move || exec::Rollout::before(codex_home, &thread));
    found.await.ok().map(Arc::new)
}

/// Codex's name for the turn that has just begun.
async fn name(rollout: Option<Arc<exec::Rollout>>, thread: &ThreadId) -> Option<TurnId> {
    let (rollout, thread) = (rollout?, thread.clone());
    tokio::task::spawn_blocking(move || rollout.turn(&thread)).await.ok().flatten()
}

/// Where a run works. Of a thread that was there before, our records know it, or Codex's own file does.
async fn working_directory(
    config: &Config,
    ledger: &Ledger,
    thread: &ExecThread,
) -> Result<String, Failure> {
    match thread {
        ExecThread::New(options) if !is_itself(Path::new(&options.working_directory)) => {
            let failure = RequestFailure::Misplaced { folder: options.working_directory.clone() };
            Err(Failure::Request { method: "thread/start", failure })
        }
        ExecThread::New(options) => Ok(options.working_directory.clone()),
        ExecThread::Known { id, .. } if exec::is_plain(id) => known_place(config, ledger, id)
            .await
            .ok_or_else(|| refused(config, &format!("it is not known where thread {id} works"))),
        ExecThread::Known { id, .. } => {
            Err(refused(config, &format!("{:?} is not the name of a thread", id.as_str())))
        }
    }
}

async fn known_place(config: &Config, ledger: &Ledger, thread: &ThreadId) -> Option<String> {
    let wanted = thread.clone();
    let place = ledger.read(move |store| store.thread_place(&wanted)).await.ok().flatten();
    let recorded = place.map(|place| place.cwd).filter(|cwd| !cwd.is_empty());
    let (codex_home, thread) = (config.codex_home(), thread.clone());
    let find = move || {
        let folder = recorded.or_else(|| exec::rollout::working_directory(&codex_home?, &thread));
        folder.filter(|folder| is_itself(Path::new(folder)) && Path::new(folder).is_dir())
    };
    tokio::task::spawn_blocking(find).await.ok().flatten()
}

fn refused(config: &Config, why: &str) -> Failure {
    Failure::Start(StartFailure {
        program: config.codex_bin.display().to_string(),
        kind: StartFailureKind::System,
        detail: format!("the turn cannot run through `codex exec`: {why}"),
    })
}

fn stopped(config: &Config) -> StartFailure {
    StartFailure {
        program: config.codex_bin.display().to_string(),
        kind: StartFailureKind::NoPlace,
        detail: "the turn was stopped before it began".to_owned(),
    }
}

/// What `codex exec` takes only by the names of files; they go with this.
#[derive(Default)]
struct Handed {
    schema: Option<PathBuf>,
    images: Vec<PathBuf>,
}

impl Handed {
    fn write(config: &Config, run: &ExecRun, marker: &Marker) -> Result<Self, Failure> {
        let mut files = Self::default();
        if let Some(schema) = &run.options.output_schema {
            let path = config.state_dir.join(format!("output-schema-{marker}.json"));
            let path = files.schema.insert(path);
            write_file(config, path, schema.as_str().as_bytes())?;
        }
        let images = run.material.images.iter().filter_map(|url| attachments::image(url));
        for (number, (ending, bytes)) in images.enumerate() {
            let path = config.state_dir.join(format!("image-{marker}-{number}.{ending}"));
            files.images.push(path.clone());
            write_file(config, &path, &bytes)?;
        }
        Ok(files)
    }

    fn named(&self) -> exec::Files<'_> {
        exec::Files { schema: self.schema.as_deref(), images: &self.images }
    }
}

fn write_file(config: &Config, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = std::fs::write(path, bytes);
    written.map_err(|error| refused(config, &format!("{}: {error}", path.display())))
}

impl Drop for Handed {
    fn drop(&mut self) {
        for path in self.schema.iter().chain(&self.images) {
            // One that cannot be removed is of no use and no harm.
            let _ = std::fs::remove_file(path);
        }
    }
}
