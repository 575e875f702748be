//! A running Codex and what its owner does with it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use codex_client::protocol::*;
use codex_client::{
    AppServer, Exit, Greeting, Inbox, Incoming, Launch, Limits, ServerInfo, StartError,
};
use testkit::home::CodexHome;
use testkit::model::FakeModel;
use testkit::tools;

/// Longer than anything here takes; reached only by a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn greeting(deadline: Duration) -> Greeting {
    Greeting {
        client_info: ClientInfo {
            name: "codex-client-test".to_owned(),
            title: None,
            version: "0.1.0".to_owned(),
        },
        opt_out_notification_methods: vec!["thread/settings/updated".to_owned()],
        deadline,
    }
}

pub(crate) fn launch(program: impl Into<PathBuf>, home: &CodexHome) -> Launch {
    Launch {
        program: program.into(),
        args: vec!["app-server".into()],
        environment: home.environment(),
        working_directory: home.workspace(),
    }
}

/// Starts a program that is expected to fail, and checks that nothing is left of it.
pub(crate) async fn start_error(program: &Path, deadline: Duration) -> StartError {
    let home = CodexHome::new("http://127.0.0.1:9/v1");
    let launch = launch(program, &home);
    let error = AppServer::start(&launch, Limits::default(), &greeting(deadline))
        .await
        .expect_err("it is no Codex");
    home.check_leaks();
    error
}

/// A running app-server. End it with [`Codex::stop`].
pub(crate) struct Codex {
    pub(crate) server: AppServer,
    pub(crate) inbox: Inbox,
    pub(crate) info: ServerInfo,
    pub(crate) home: CodexHome,
}

impl Codex {
    /// The real one.
    pub(crate) async fn start(model: &FakeModel) -> Self {
        Self::start_program(tools::codex(), CodexHome::new(&model.base_url())).await
    }

    pub(crate) async fn start_program(program: impl Into<PathBuf>, home: CodexHome) -> Self {
        let (server, inbox, info) =
            AppServer::start(&launch(program, &home), Limits::default(), &greeting(PATIENCE))
                .await
                .expect("it starts");
        Self { server, inbox, info, home }
    }

    pub(crate) async fn request<M: Method>(&self, params: M::Params) -> M::Response {
        let result = self.server.connection().request::<M>(&params, PATIENCE).await;
        result.unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) async fn start_thread(&self) -> String {
        let params = ThreadStartParams {
            cwd: Some(self.home.workspace().to_str().expect("UTF-8").to_owned()),
            sandbox: Some(SandboxMode::ReadOnly),
            approval_policy: Some(ApprovalPolicy::Never),
            ..Default::default()
        };
        self.request::<ThreadStart>(params).await.thread.id
    }

    /// Submits a turn, so that its result is in the stream, with the tag 1.
    pub(crate) fn submit_turn(&self, thread_id: &str, prompt: &str) {
        let params = TurnStartParams {
            thread_id: thread_id.to_owned(),
            input: vec![UserInput::text(prompt)],
            ..Default::default()
        };
        let submitted = self.server.connection().submit(1, TurnStart::NAME, &params, PATIENCE);
        submitted.expect("there is room");
    }

    /// Receives up to and including the first message that `last` accepts.
    pub(crate) async fn until(&mut self, last: impl Fn(&Incoming) -> bool) -> Vec<Incoming> {
        let mut messages = Vec::new();
        loop {
            let message = tokio::time::timeout(PATIENCE, self.inbox.recv()).await;
            let message = message
                .unwrap_or_else(|_| panic!("nothing more came after {messages:#?}"))
                .unwrap_or_else(|| panic!("it ended after {messages:#?}"));
            let found = last(&message);
            messages.push(message);
            if found {
                return messages;
            }
        }
    }

    pub(crate) async fn until_notified(&mut self, wanted: &'static str) -> Vec<Incoming> {
        self.until(
            |message| matches!(message, Incoming::Notification { method, .. } if method == wanted),
        )
        .await
    }

    /// Stops it, reads what is left and checks that nothing runs any more.
    pub(crate) async fn stop(mut self) -> Exit {
        let exit = self.server.stop(Duration::from_secs(5)).await;
        self.expect_end(&exit).await;
        exit
    }

    /// Reads to the end, which is this exit, and checks that nothing runs any more.
    pub(crate) async fn expect_end(&mut self, exit: &Exit) {
        let rest = self.until(|message| matches!(message, Incoming::Exited(_))).await;
        let mut last = rest.iter().rev();
        assert!(matches!(last.next(), Some(Incoming::Exited(ended)) if ended == exit));
        assert!(matches!(last.next(), Some(Incoming::Closed { .. })));
        assert!(self.inbox.recv().await.is_none());
        self.server.joined().await;
        self.home.check_leaks();
    }
}

/// The messages in short, those that are not known left out.
pub(crate) fn labels(messages: &[Incoming]) -> String {
    let mut text = String::new();
    for message in messages {
        if let Some(label) = label(message) {
            text += &label;
            text.push('\n');
        }
    }
    text
}

fn label(message: &Incoming) -> Option<String> {
    Some(match message {
        Incoming::Notification { method, params, .. } => match Notification::decode(method, params)
        {
            Notification::ItemStarted(event) | Notification::ItemCompleted(event) => {
                format!("{method} {}", kind(&event.item))
            }
            Notification::ThreadStatusChanged(event) => {
                format!("{method} {}", event.status.kind.as_str())
            }
            Notification::TurnCompleted(event) => {
                format!("{method} {}", event.turn.status.as_str())
            }
            Notification::AgentMessageDelta(event) => format!("{method} {:?}", event.delta),
            // The output of a command that ends at once comes in a delta only on a busy machine.
            Notification::Other { .. }
            | Notification::ConfigWarning(_)
            | Notification::CommandOutputDelta(_) => return None,
            _ => method.clone(),
        },
        Incoming::Response { tag, result } => {
            format!("response {tag} {}", if result.is_ok() { "ok" } else { "error" })
        }
        Incoming::Request { method, .. } => format!("request {method}"),
        Incoming::Malformed(malformed) => malformed.to_string(),
        Incoming::Closed { reason } => reason.to_string(),
        Incoming::Exited(exit) => exit.to_string(),
    })
}

fn kind(item: &ThreadItem) -> String {
    let item = serde_json::to_value(item).expect("it serialises");
    item["type"].as_str().unwrap_or_default().to_owned()
}
