//! The app-server processes: started, read, written to, stopped. Each one's news reach the loop in order.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bridge_core::{
    AppServerId, AppServerInfo, Event, Exit, Question, Request, RequestId, ServerRequestId,
    StartFailure,
};
use codex_client::orphan::{self, Marker};
use codex_client::protocol::{Notification, ServerRequest};
use codex_client::{AppServer, Inbox, Incoming, RequestError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Input;
use crate::codex::{from_wire, launch, to_wire};
use crate::config::Config;

/// How long each step of the stop ladder may take. Codex ends within 35 ms of the end of its input.
const STOP_GRACE: Duration = Duration::from_millis(300);

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
    /// It was to stop before it had started, and did.
    Abandoned {
        app_server: AppServerId,
    },
}

/// All processes.
pub(super) struct Servers {
    config: Arc<Config>,
    inputs: mpsc::WeakSender<Input>,
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
    /// Codex's questions under way, by the text of their ids.
    questions: HashMap<ServerRequestId, codex_client::RequestId>,
}

impl Servers {
    pub(super) fn new(
        config: Arc<Config>,
        inputs: mpsc::WeakSender<Input>,
        tasks: TaskTracker,
    ) -> Self {
        Self { config, inputs, tasks, servers: HashMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    pub(super) fn start(&mut self, app_server: AppServerId) {
        let stop = CancellationToken::new();
        self.servers.insert(app_server, State::Starting { stop: stop.clone() });
        let (config, inputs) = (self.config.clone(), self.inputs.clone());
        let tasks = self.tasks.clone();
        self.tasks.spawn(async move {
            let marker = Marker::mint();
            let started = tokio::select! {
                started = launch::start(&config, &marker) => started,
                () = stop.cancelled() => return tell(&inputs, ServerNews::Abandoned { app_server }).await,
            };
            match started {
                Ok((server, inbox, info)) => {
                    tell(&inputs, ServerNews::Started { app_server, result: Ok((server, info)) }).await;
                    read(inbox, app_server, inputs).await;
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
    ) -> Result<(), RequestError> {
        let Some(State::Running(running)) = self.servers.get_mut(&app_server) else {
            return Err(RequestError::Closed { method: request.method() });
        };
        to_wire::send(running.server.connection(), id, &request, self.config.request_deadline)?;
        running.requests.insert(id.0, request);
        Ok(())
    }

    pub(super) fn decline(
        &mut self,
        app_server: AppServerId,
        id: &ServerRequestId,
        question: &Question,
    ) {
        let Some(State::Running(running)) = self.servers.get_mut(&app_server) else {
            return;
        };
        let Some(id) = running.questions.remove(id) else {
            return;
        };
        if let Err(error) = to_wire::decline(running.server.connection(), &id, question) {
            tracing::warn!(?app_server, %error, "a question of Codex could not be answered");
        }
    }

    /// Takes news, and gives what the core has to know of them.
    pub(super) fn take(&mut self, news: ServerNews) -> Option<Event> {
        match news {
            ServerNews::Started { app_server, result: Ok((server, info)) } => {
                tracing::info!(
                    ?app_server,
                    pid = info.pid,
                    version = info.version,
                    "an app-server is ready"
                );
                self.started(app_server, server);
                Some(Event::AppServerReady { app_server, info })
            }
            ServerNews::Started { app_server, result: Err(failure) } => {
                tracing::warn!(?app_server, detail = failure.detail, "an app-server did not start");
                self.servers.remove(&app_server);
                Some(Event::AppServerFailed { app_server, failure })
            }
            ServerNews::Abandoned { app_server } => {
                self.servers.remove(&app_server);
                Some(Event::AppServerExited { app_server, exit: Exit::default() })
            }
            ServerNews::Received { app_server, incoming } => self.received(app_server, incoming),
        }
    }

    fn started(&mut self, app_server: AppServerId, server: AppServer) {
        let stopped = match self.servers.get(&app_server) {
            Some(State::Starting { stop }) => stop.is_cancelled(),
            Some(State::Running(_)) | None => false,
        };
        let running = Running {
            server: Arc::new(server),
            requests: HashMap::new(),
            questions: HashMap::new(),
        };
        self.servers.insert(app_server, State::Running(Box::new(running)));
        if stopped {
            self.stop(app_server);
        }
    }

    fn received(&mut self, app_server: AppServerId, incoming: Incoming) -> Option<Event> {
        let Some(State::Running(running)) = self.servers.get_mut(&app_server) else {
            return None;
        };
        match incoming {
            Incoming::Notification { method, params, .. } => {
                from_wire::notification(app_server, Notification::decode(&method, &params))
            }
            Incoming::Request { id, method, params } => {
                let name = ServerRequestId(serde_json::to_string(&id).unwrap_or_default());
                running.questions.insert(name.clone(), id);
                let (thread, question) =
                    from_wire::question(ServerRequest::decode(&method, &params));
                Some(Event::QuestionAsked { app_server, id: name, thread, question })
            }
            Incoming::Response { tag, result } => {
                let request = running.requests.remove(&tag)?;
                let result = from_wire::reply(&request, result);
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
        }
    }
}

/// Passes on what a process sends until it has ended.
async fn read(mut inbox: Inbox, app_server: AppServerId, inputs: mpsc::WeakSender<Input>) {
    while let Some(incoming) = inbox.recv().await {
        tell(&inputs, ServerNews::Received { app_server, incoming }).await;
    }
}

/// A loop that has ended needs no news.
async fn tell(inputs: &mpsc::WeakSender<Input>, news: ServerNews) {
    if let Some(inputs) = inputs.upgrade() {
        let _ = inputs.send(Input::Server(news)).await;
    }
}
