//! The app-server processes: started, read, written to, stopped. Each one's news reach the loop in order.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bridge_core::{
    Answer, AppServerId, AppServerInfo, Event, Exit, Item, Question, Reply, Request,
    RequestFailure, RequestId, ServerRequestId, StartFailure, StartFailureKind, ThreadId,
    TurnEvent,
};
use codex_client::orphan::{self, Marker};
use codex_client::protocol::{Notification, ServerRequest};
use codex_client::{AppServer, Inbox, Incoming};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Input, Room};
use crate::codex::artifact::{self, Keeper};
use crate::codex::{from_wire, launch, output, question, real_path, to_wire};
use crate::config::Config;
use crate::ledger::Ledger;
use crate::workspace::is_itself;

/// How long each step of the stop ladder may take. Codex ends within 35 ms of the end of its input.
const STOP_GRACE: Duration = Duration::from_millis(300);

/// How often the memory of an app-server is looked at.
const MEASURE_EVERY: Duration = Duration::from_secs(10);

/// What happens to a process.
#[derive(Debug)]
pub(super) enum ServerNews {
    Started {
        app_server: AppServerId,
        result: Result<(AppServer, AppServerInfo), StartFailure>,
    },
    Received {
        app_server: AppServerId,
        incoming: Incoming,
    },
    /// How much memory it needs for itself.
    Measured {
        app_server: AppServerId,
        resident_bytes: u64,
    },
    /// It was to stop before it had started, and did.
    Abandoned {
        app_server: AppServerId,
    },
}

/// All processes.
pub(super) struct Servers {
    config: Arc<Config>,
    inputs: mpsc::WeakSender<Input>,
    room: Arc<Room>,
    ledger: Ledger,
    /// Codex's own folder.
    codex_home: Arc<str>,
    tasks: TaskTracker,
    servers: HashMap<AppServerId, State>,
}

enum State {
    Starting { stop: CancellationToken },
    Running(Box<Running>),
}

struct Running {
    server: Arc<AppServer>,
    /// Requests under way: their answers can only be read by what was asked.
    requests: HashMap<u64, Request>,
    /// Where the threads work that were opened here.
    folders: HashMap<ThreadId, String>,
    /// Where their newest turns work, if that is elsewhere: in a copy.
    grounds: HashMap<ThreadId, String>,
    /// Codex's questions under way, by the text of their ids.
    questions: HashMap<ServerRequestId, codex_client::RequestId>,
}

impl Servers {
    pub(super) fn new(
        config: Arc<Config>,
        inputs: mpsc::WeakSender<Input>,
        room: Arc<Room>,
        (ledger, codex_home): (Ledger, Arc<str>),
        tasks: TaskTracker,
    ) -> Self {
        Self { config, inputs, room, ledger, codex_home, tasks, servers: HashMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    pub(super) fn start(&mut self, app_server: AppServerId) {
        let stop = CancellationToken::new();
        self.servers.insert(app_server, State::Starting { stop: stop.clone() });
        let (config, inputs) = (self.config.clone(), self.inputs.clone());
        let (tasks, room) = (self.tasks.clone(), self.room.clone());
        self.tasks.spawn(async move {
            let marker = Marker::mint();
            let start = async {
                let place = room.enter().await.ok_or_else(|| full(&config, &room))?;
                let (server, inbox, info) = launch::start(&config, &marker).await?;
                Ok((server, inbox, info, place))
            };
            let started = tokio::select! {
                started = start => started,
                () = stop.cancelled() => return tell(&inputs, ServerNews::Abandoned { app_server }).await,
            };
            match started {
                Ok((server, inbox, info, place)) => {
                    let pid = info.pid;
                    tell(&inputs, ServerNews::Started { app_server, result: Ok((server, info)) }).await;
                    read(inbox, app_server, pid, inputs).await;
                    drop(place);
                    // Beside, so that nobody waits for it; the end of the process does.
                    tasks.spawn_blocking(move || match orphan::sweep(&marker) {
                        0 => {}
                        ended => tracing::warn!(?app_server, ended, "ended what an app-server had left behind"),
                    });
                }
                Err(failure) => tell(&inputs, ServerNews::Started { app_server, result: Err(failure) }).await,
            }
        });
    }

    /// Ends a process gently: what it is doing is cut off by Codex itself, commands included.
    pub(super) fn stop(&mut self, app_server: AppServerId) {
        match self.servers.get(&app_server) {
            Some(State::Starting { stop }) => stop.cancel(),
            Some(State::Running(running)) => {
                let server = running.server.clone();
                self.tasks.spawn(async move {
                    let exit = server.stop(STOP_GRACE).await;
                    tracing::debug!(?app_server, %exit, "the app-server was stopped");
                });
            }
            None => {}
        }
    }

    pub(super) fn kill(&mut self, app_server: AppServerId) {
        if let Some(State::Running(running)) = self.servers.get(&app_server) {
            tracing::warn!(?app_server, "the app-server does not answer and is killed");
            running.server.kill();
        }
    }

    pub(super) fn send(
        &mut self,
        app_server: AppServerId,
        id: RequestId,
        request: Request,
    ) -> Result<(), RequestFailure> {
        let Some(State::Running(running)) = self.servers.get_mut(&app_server) else {
            return Err(RequestFailure::Closed);
        };
        if let Some(folder) = running.misplaced(&request) {
            return Err(RequestFailure::Misplaced { folder });
        }
        to_wire::send(running.server.connection(), id, &request, self.config.request_deadline)
            .map_err(from_wire::request_failure)?;
        running.begin(&request);
        running.requests.insert(id.0, request);
        Ok(())
    }

    pub(super) fn reply(
        &mut self,
        app_server: AppServerId,
        id: &ServerRequestId,
        asked: &Question,
        answer: &Answer,
    ) {
        let Some(State::Running(running)) = self.servers.get_mut(&app_server) else {
            return;
        };
        let Some(id) = running.questions.remove(id) else {
            return;
        };
        if let Err(error) = question::answer(running.server.connection(), &id, asked, answer) {
            tracing::warn!(?app_server, %error, "a question of Codex could not be answered");
        }
    }

    /// Takes news, and gives what the core has to know of them.
    pub(super) fn take(&mut self, news: ServerNews) -> Vec<Event> {
        let event = match news {
            ServerNews::Started { app_server, result: Ok((server, info)) } => {
                tracing::info!(
                    ?app_server,
                    pid = info.pid,
                    version = info.version,
                    "an app-server is ready"
                );
                self.started(app_server, server);
                Event::AppServerReady { app_server, info }
            }
            ServerNews::Started { app_server, result: Err(failure) } => {
                tracing::warn!(?app_server, detail = failure.detail, "an app-server did not start");
                self.servers.remove(&app_server);
                Event::AppServerFailed { app_server, failure }
            }
            ServerNews::Abandoned { app_server } => {
                self.servers.remove(&app_server);
                Event::AppServerExited { app_server, exit: Exit::default() }
            }
            ServerNews::Measured { app_server, resident_bytes } => {
                if resident_bytes > (self.config.max_codex_megabytes as u64) << 20 {
                    tracing::warn!(
                        ?app_server,
                        resident_bytes,
                        "an app-server has grown beyond `max_codex_megabytes`"
                    );
                }
                Event::AppServerMeasured { app_server, resident_bytes }
            }
            ServerNews::Received { app_server, incoming } => {
                return self.received(app_server, incoming);
            }
        };
        vec![event]
    }

    fn started(&mut self, app_server: AppServerId, server: AppServer) {
        let stopped = match self.servers.get(&app_server) {
            Some(State::Starting { stop }) => stop.is_cancelled(),
            Some(State::Running(_)) | None => false,
        };
        let running = Running {
            server: Arc::new(server),
            requests: HashMap::new(),
            folders: HashMap::new(),
            grounds: HashMap::new(),
            questions: HashMap::new(),
        };
        self.servers.insert(app_server, State::Running(Box::new(running)));
        if stopped {
            self.stop(app_server);
        }
    }

    fn received(&mut self, app_server: AppServerId, incoming: Incoming) -> Vec<Event> {
        let Some(State::Running(running)) = self.servers.get_mut(&app_server) else {
            return Vec::new();
        };
        let event = match incoming {
            Incoming::Notification { method, params, .. } => {
                let told = Notification::decode(&method, &params);
                return self.told(app_server, told);
            }
            Incoming::Request { id, method, params } => {
                let name = from_wire::request_id(&id);
                running.questions.insert(name.clone(), id);
                let (thread, mut question) =
                    question::from_wire(ServerRequest::decode(&method, &params));
                real_path::of_question(&mut question);
                Some(Event::QuestionAsked { app_server, id: name, thread, question })
            }
            Incoming::Response { tag, result } => {
                let Some(request) = running.requests.remove(&tag) else {
                    return Vec::new();
                };
                let result = from_wire::reply(&request, result);
                running.learn(&request, &result);
                Some(Event::Response { app_server, request: RequestId(tag), result })
            }
            Incoming::Malformed(malformed) => {
                tracing::warn!(?app_server, %malformed, "the app-server sent something that is no message");
                None
            }
            Incoming::Closed { reason } => {
                tracing::debug!(?app_server, %reason, "the app-server's output has ended");
                None
            }
            Incoming::Exited(exit) => {
                tracing::info!(?app_server, %exit, "an app-server has ended");
                self.servers.remove(&app_server);
                Some(Event::AppServerExited { app_server, exit: launch::exit(exit) })
            }
        };
        event.into_iter().collect()
    }

    /// What the core has to know of a notification. Long logs and images are kept apart first.
    fn told(&mut self, app_server: AppServerId, told: Notification) -> Vec<Event> {
        let Some(State::Running(running)) = self.servers.get_mut(&app_server) else {
            return Vec::new();
        };
        let images = artifact::images(&told);
        let Some(mut event) = from_wire::notification(app_server, told) else {
            return Vec::new();
        };
        if let Event::QuestionWithdrawn { id, .. } = &event {
            // The core answers it no more.
            running.questions.remove(id);
        }
        let mut events = Vec::new();
        if let Event::Turn { app_server, thread, turn, event } = &mut event {
            let keeper = Keeper {
                ledger: &self.ledger,
                max_bytes: self.config.max_output_megabytes << 20,
                output_chars: self.config.command_output_chars,
                thread: Some(thread),
                folder: running.folder(thread),
                codex_home: Path::new(&*self.codex_home),
            };
            let log = keeper.log(event);
            let kept = log.into_iter().chain(images.into_iter().map(|image| keeper.image(image)));
            events.extend(kept.map(|kept| match kept {
                Ok(artifact) => Event::Turn {
                    app_server: *app_server,
                    thread: thread.clone(),
                    turn: turn.clone(),
                    event: TurnEvent::ItemCompleted(Item::Artifact(artifact)),
                },
                Err(message) => {
                    Event::Warned { app_server: *app_server, thread: Some(thread.clone()), message }
                }
            }));
            output::keep_end(event, self.config.command_output_chars);
            real_path::of_event(event);
        }
        events.insert(0, event);
        events
    }
}

impl Running {
    /// The folder of a turn that is about to begin, if something else is in its place by now. One that is gone is Codex's to
    /// judge, except for a new thread.
    fn misplaced(&self, request: &Request) -> Option<String> {
        let (folder, may_be_gone) = match request {
            Request::StartThread(options) => (&options.working_directory, false),
            Request::StartTurn { place: Some(place), .. } => (&place.working_directory, false),
            Request::StartTurn { working_directory: Some(folder), .. } => (folder, true),
            Request::StartTurn { thread, .. } | Request::StartReview { thread, .. } => {
                (self.folders.get(thread)?, true)
            }
            Request::ResumeThread { .. }
            | Request::NameThread { .. }
            | Request::SteerTurn { .. }
            | Request::InterruptTurn { .. }
            | Request::CleanTerminals(_)
            | Request::ListThreads(_)
            | Request::ArchiveThread(_)
            | Request::UnarchiveThread(_)
            | Request::DeleteThread(_)
            | Request::ReadTurn { .. }
            | Request::UnsubscribeThread(_)
            | Request::ReadTurns { .. }
            | Request::ReadThread(_)
            | Request::ReadAccount
            | Request::ProbeSandbox
            | Request::ListModels => return None,
        };
        let path = Path::new(folder);
        let is_well = is_itself(path) || (may_be_gone && !path.exists());
        (!is_well).then(|| folder.clone())
    }

    /// Where the newest turn of a thread works.
    fn folder(&self, thread: &ThreadId) -> Option<&str> {
        self.grounds.get(thread).or_else(|| self.folders.get(thread)).map(String::as_str)
    }

    /// Remembers where a turn works that is about to begin.
    fn begin(&mut self, request: &Request) {
        if let Request::StartTurn { thread, place, .. } = request {
            match place.as_ref().and_then(|place| place.copy.as_ref()) {
                Some((copy, _)) => self.grounds.insert(thread.clone(), copy.clone()),
                None => self.grounds.remove(thread),
            };
        }
    }

    /// Remembers where a thread works, for as long as it is there.
    fn learn(&mut self, request: &Request, result: &Result<Reply, RequestFailure>) {
        if let Ok(Reply::ThreadOpened(opened)) = result
            && let Some(folder) = &opened.working_directory
        {
            self.folders.insert(opened.thread.clone(), folder.clone());
        }
        if let (Request::UnsubscribeThread(thread) | Request::DeleteThread(thread), Ok(_)) =
            (request, result)
        {
            self.folders.remove(thread);
            self.grounds.remove(thread);
        }
    }
}

/// Passes on what a process sends until it has ended.
async fn read(
    mut inbox: Inbox,
    app_server: AppServerId,
    pid: u32,
    inputs: mpsc::WeakSender<Input>,
) {
    let mut look = tokio::time::interval(MEASURE_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let news = tokio::select! {
            incoming = inbox.recv() => match incoming {
                Some(incoming) => ServerNews::Received { app_server, incoming },
                None => return,
            },
            _ = look.tick() => match orphan::resident_bytes(pid) {
                Some(resident_bytes) => ServerNews::Measured { app_server, resident_bytes },
                None => continue,
            },
        };
        tell(&inputs, news).await;
    }
}

/// There is no place for another process.
pub(super) fn full(config: &Config, room: &Room) -> StartFailure {
    StartFailure {
        program: config.codex_bin.display().to_string(),
        kind: StartFailureKind::NoPlace,
        detail: format!("{} app-servers are at work already", room.size()),
    }
}

/// A loop that has ended needs no news.
async fn tell(inputs: &mpsc::WeakSender<Input>, news: ServerNews) {
    if let Some(inputs) = inputs.upgrade() {
        let _ = inputs.send(Input::Server(news)).await;
    }
}
