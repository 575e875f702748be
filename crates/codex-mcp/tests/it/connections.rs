//! One engine for many clients, over any pair of streams: each has its own calls, all share one app-server.

use std::sync::Arc;
use std::time::Duration;

use bridge_core::{CallRequest, Caller, Outcome, Person, ThreadId};
use bridge_store::{SeenThread, Settings, Store, Timestamp, Write};
use codex_mcp::config::{Config, Environment, Flags};
use codex_mcp::engine::{self, Engine, Room, Services};
use codex_mcp::error::Problem;
use codex_mcp::ledger::Ledger;
use codex_mcp::mcp::outputs::Outputs;
use codex_mcp::mcp::subscriptions::Subscriptions;
use codex_mcp::mcp::{Server, Shared, connection};
use codex_mcp::test_run::{self, TestRuns};
use codex_mcp::workspace::{Places, Roots};
use serde_json::json;
use testkit::gate::Gate;
use testkit::home::{CodexHome, KEY_VARIABLE};
use testkit::leaks::programs_under;
use testkit::mcp::McpDriver;
use testkit::model::{FakeModel, reply, says};
use testkit::peer::Peer;
use testkit::tools;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bridge::{content, result_of, text};

/// What a pipe in memory holds.
const PIPE_BYTES: usize = 64 << 10;

/// An engine in this process, for any number of clients.
pub(crate) struct House {
    engine: Engine,
    pub(crate) shared: Shared,
    tasks: TaskTracker,
}

impl House {
    pub(crate) async fn open(home: &CodexHome) -> Self {
        Self::open_with_room(home, Room::new(8)).await
    }

    /// The same, with other places for app-servers.
    pub(crate) async fn open_with_room(home: &CodexHome, room: Room) -> Self {
        let mut variables = home.environment();
        variables.push(("CODEX_MCP_CODEX_BIN".into(), tools::codex().into()));
        variables.push(("CODEX_MCP_ENVIRONMENT_ALLOW".into(), KEY_VARIABLE.into()));
        let environment = Environment::new(variables, home.workspace());
        let config = Arc::new(Config::load(&environment, &Flags::default()).unwrap());
        let roots = Arc::new(Roots::new(&config.workspace_roots).unwrap());
        let tasks = TaskTracker::new();
        let ledger = Ledger::open(&config);
        let outputs = Arc::new(Outputs::open(ledger.clone(), config.max_output_megabytes).await);
        let subscriptions = Arc::new(Subscriptions::default());
        let (room, activity) = (Arc::new(room), Arc::default());
        let test_runs = TestRuns::open(
            &config,
            test_run::Services {
                outputs: outputs.clone(),
                activity: Arc::clone(&activity),
                room: room.clone(),
                tasks: tasks.clone(),
            },
        );
        let services = Services {
            config: config.clone(),
            places: Places::new(config.clone(), ledger.clone()),
            ledger,
            subscriptions: subscriptions.clone(),
            monitors: Arc::default(),
            activity,
            room,
            switchboard: Arc::default(),
            tasks: tasks.clone(),
        };
        let engine = engine::start(config.clone(), services);
        let shared = Shared {
            config,
            roots,
            outputs,
            repositories: Arc::default(),
            subscriptions,
            test_runs: Arc::new(test_runs),
            newer_client: None,
            claude_session: None,
        };
        Self { engine, shared, tasks }
    }

    /// The same, with threads in its records that work in the home's workspace.
    pub(crate) async fn open_knowing(home: &CodexHome, threads: &[String]) -> Self {
        // Far ahead, so that none is too old.
        let now = Timestamp(4_000_000_000_000);
        let settings = Settings {
            thread_days: 1,
            archived_days: 1,
            output_days: 1,
            max_bytes: 1 << 30,
            patience: Duration::from_secs(5),
        };
        let directory = home.home().join(".local/state/codex-mcp");
        let store = Store::open(&directory, settings, now, "{}", "{}").unwrap();
        let seen = |thread: &String| SeenThread {
            thread: ThreadId(thread.clone()),
            codex_home: home.codex_home().display().to_string(),
            cwd: home.workspace().display().to_string(),
            name: None,
            topic: None,
            source: "cli".to_owned(),
            created_at: now,
            updated_at: now,
            archived: false,
        };
        store.write(vec![Write::ThreadsSeen(threads.iter().map(seen).collect())], now);
        // Dropping it waits until it is written.
        drop(store);
        Self::open(home).await
    }

    pub(crate) async fn client(&self) -> McpDriver {
        let mut client = self.stranger().await;
        client.initialize_legacy("2025-11-25").await;
        client
    }

    /// A client that has said nothing yet.
    pub(crate) async fn stranger(&self) -> McpDriver {
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        let page_rule = self.shared.config.page_rule();
        let server = Server::connect(self.engine.clone(), self.shared.clone(), page_rule).await;
        let (input, output) = tokio::io::split(theirs);
        self.tasks.spawn(connection::serve(server, input, output, CancellationToken::new()));
        let (output, input) = tokio::io::split(ours);
        McpDriver::over(Peer::over(output, input))
    }

    /// What becomes of a call that its client gives up at once.
    pub(crate) async fn give_up_a_call(&self) -> Problem {
        let connection = self.engine.connect().await;
        let caller = Caller { connection: connection.id(), person: Person::Absent, session: None };
        let call = self.engine.call(caller, CallRequest::Health).await;
        let outcome = call.cancel().await;
        let Outcome::Failed(failure) = outcome else {
            panic!("not given up: {outcome:?}");
        };
        Problem::from(&failure)
    }

    pub(crate) async fn close(self) {
        self.engine.shut_down().await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

#[tokio::test]
async fn clients_share_the_app_server_and_leave_each_other_alone() {
    let gates = [Gate::new("first"), Gate::new("second")];
    let script = [
        reply().when("first").holds(&gates[0]).says("one"),
        reply().when("second").holds(&gates[1]).says("two"),
        says("three").when("third"),
    ];
    let model = FakeModel::start(script);
    let home = CodexHome::new(&model.base_url()).with_git();
    let house = House::open(&home).await;
    let (mut leaving, mut staying) = (house.client().await, house.client().await);

    leaving.start_call("codex", json!({ "prompt": "first" })).await;
    let second = staying.start_call("codex", json!({ "prompt": "second" })).await;
    gates[0].reached().await;
    gates[1].reached().await;
    assert_eq!(programs_under(home.root(), "app-server").len(), 1);

    drop(leaving);
    gates[0].abandoned().await;
    gates[1].open();
    let answer = result_of(staying.peer.reply(second).await);
    assert_eq!(content(&answer), "two");

    // A thread belongs to everybody who has its workspace: a further client continues it.
    let thread = text(&answer["structuredContent"]["threadId"]);
    let mut joining = house.client().await;
    let third = json!({ "prompt": "third", "threadId": thread });
    assert_eq!(content(&result_of(joining.call_tool("codex-reply", third).await)), "three");

    drop((staying, joining));
    house.close().await;
    home.check_leaks();
    model.finish();
}
