//! `codex-mcp doctor`: what it finds, what it says to do, and how it ends. It changes nothing and asks no model.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use expect_test::{Expect, expect};
use serde_json::json;
use testkit::fake_app_server;
use testkit::home::CodexHome;
use testkit::model::FakeModel;
use testkit::normalise::Normaliser;

use crate::bridge::{Setup, launch};

/// How long a look at everything may take.
const LIMIT: Duration = Duration::from_secs(20);

/// An installation to look at, well unless something is done to it.
struct Patient {
    home: CodexHome,
    model: FakeModel,
    setup: Setup,
}

impl Patient {
    fn new() -> Self {
        let model = FakeModel::start([]);
        let home = CodexHome::new(&model.base_url()).with_git();
        let patient = Self { home, model, setup: Setup::default() };
        patient.register(json!({ "command": "codex-mcp" }))
    }

    fn write(self, path: &str, text: &str) -> Self {
        let path = self.home.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Changes Codex's configuration.
    fn configured(self, from: &str, to: &str) -> Self {
        let text = self.home.config_text();
        assert!(text.contains(from), "{text}");
        self.write("codex-home/config.toml", &text.replace(from, to))
    }

    /// Registers a server with Claude Code, for the user.
    fn register(self, server: serde_json::Value) -> Self {
        let servers = json!({ "mcpServers": { "codex": server } });
        self.write("home/.claude.json", &servers.to_string())
    }

    /// Puts a program in the place of Codex that plays these lines once it was greeted.
    fn fake(mut self, version: &str, lines: &[serde_json::Value]) -> Self {
        let greeting = json!({ "id": "$id", "result": { "userAgent": format!("x/{version}") } });
        let mut script = format!(
            "{}\n{}\n",
            json!({ "expect": { "method": "initialize" } }),
            json!({ "send": greeting })
        );
        script.extend(lines.iter().map(|line| format!("{line}\n")));
        let directory = self.home.root().join("bin");
        fs::create_dir(&directory).unwrap();
        self.setup.codex = Some(fake_app_server::install(&directory, &script).into());
        self
    }

    fn flags(mut self, flags: &[&str]) -> Self {
        self.setup.arguments = flags.iter().map(Into::into).collect();
        self
    }

    /// Compares what is not well.
    async fn check_findings(self, expected: Expect) {
        let text = self.examine().await;
        let findings = text.lines().filter(|line| !line.starts_with("ok "));
        expected.assert_eq(&findings.map(|line| format!("{line}\n")).collect::<String>());
    }

    /// Compares everything that is printed.
    async fn check(self, expected: Expect) {
        expected.assert_eq(&self.examine().await);
    }

    /// Runs the doctor: what it prints and how it ends. Checks what it leaves.
    async fn examine(mut self) -> String {
        self.setup.arguments.insert(0, "doctor".into());
        let before = self.files();
        let config = self.home.config_text();
        let ended = launch(&self.home, self.setup).run(LIMIT).await;
        let text = Normaliser::for_home(&self.home).text(&ended.stdout);
        let program = testkit::tools::codex().display().to_string();
        let text = text.replace(&program, "[codex]");
        let exit = ended.status.code().unwrap();
        assert_eq!(ended.stderr, "");
        assert_eq!(self.home.config_text(), config);
        assert_eq!(files(&self.home), before, "it made or removed something");
        assert!(self.model.captured().is_empty(), "a model was asked");
        self.home.check_leaks();
        self.model.finish();
        format!("{text}exit code: {exit}\n")
    }

    fn files(&self) -> BTreeSet<PathBuf> {
        files(&self.home)
    }
}

/// All files except Codex's own, which an app-server of any kind writes.
fn files(home: &CodexHome) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    list(&home.home(), &mut files);
    list(&home.workspace(), &mut files);
    files
}

fn list(directory: &Path, files: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(&path, files);
        }
        files.insert(path);
    }
}

#[tokio::test]
async fn a_good_installation() {
    Patient::new()
        .check(expect![[r#"
            ok       codex-mcp      version [version]
            ok       configuration  valid; `codex-mcp config show` tells where each value comes from
            ok       roots          Codex may work in [workspace]
            ok       program        [codex]
            ok       app-server     Codex [version] answers
            ok       login          none, and the provider needs none
            FAILURE  Codex          commands cannot run in Codex's sandbox (exit code 101): note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
                                    What to do: Turns work, but every command in them fails. Allow unprivileged user namespaces, or install bubblewrap.
            ok       provider       127.0.0.1:[port] takes connections
            ok       engine         none runs; the next client starts it
            ok       store          no records yet in [home]/.local/state/codex-mcp
            ok       Claude Code    knows it as `codex` (for you everywhere)
            1 thing has to be put right.
            exit code: 1
        "#]])
        .await;
}

#[tokio::test]
async fn a_good_installation_as_json() {
    Patient::new()
        .flags(&["--json"])
        .check(expect![[r#"
            [
              {
                "name": "codex-mcp",
                "verdict": "ok",
                "found": "version [version]"
              },
              {
                "name": "configuration",
                "verdict": "ok",
                "found": "valid; `codex-mcp config show` tells where each value comes from"
              },
              {
                "name": "roots",
                "verdict": "ok",
                "found": "Codex may work in [workspace]"
              },
              {
                "name": "program",
                "verdict": "ok",
                "found": "[codex]"
              },
              {
                "name": "app-server",
                "verdict": "ok",
                "found": "Codex [version] answers"
              },
              {
                "name": "login",
                "verdict": "ok",
                "found": "none, and the provider needs none"
              },
              {
                "name": "Codex",
                "verdict": "failure",
                "found": "commands cannot run in Codex's sandbox (exit code 101): note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
                "remedy": "Turns work, but every command in them fails. Allow unprivileged user namespaces, or install bubblewrap."
              },
              {
                "name": "provider",
                "verdict": "ok",
                "found": "127.0.0.1:[port] takes connections"
              },
              {
                "name": "engine",
                "verdict": "ok",
                "found": "none runs; the next client starts it"
              },
              {
                "name": "store",
                "verdict": "ok",
                "found": "no records yet in [home]/.local/state/codex-mcp"
              },
              {
                "name": "Claude Code",
                "verdict": "ok",
                "found": "knows it as `codex` (for you everywhere)"
              }
            ]
            exit code: 1
        "#]])
        .await;
}

#[tokio::test]
async fn a_program_that_is_not_there() {
    let mut patient = Patient::new();
    patient.setup.codex = Some("/nowhere/codex".into());
    patient.check_findings(expect![[r#"
        FAILURE  program        /nowhere/codex is not an executable file; set --codex-bin or CODEX_MCP_CODEX_BIN to the Codex program
                                What to do: Install the Codex CLI, or name it with --codex-bin or `codex_bin`.
        1 thing has to be put right.
        exit code: 1
    "#]]).await;
}

#[tokio::test]
async fn a_program_that_is_not_there_as_json() {
    let mut patient = Patient::new().flags(&["--json"]);
    patient.setup.codex = Some("/nowhere/codex".into());
    patient.check(expect![[r#"
        [
          {
            "name": "codex-mcp",
            "verdict": "ok",
            "found": "version [version]"
          },
          {
            "name": "configuration",
            "verdict": "ok",
            "found": "valid; `codex-mcp config show` tells where each value comes from"
          },
          {
            "name": "roots",
            "verdict": "ok",
            "found": "Codex may work in [workspace]"
          },
          {
            "name": "program",
            "verdict": "failure",
            "found": "/nowhere/codex is not an executable file; set --codex-bin or CODEX_MCP_CODEX_BIN to the Codex program",
            "remedy": "Install the Codex CLI, or name it with --codex-bin or `codex_bin`."
          },
          {
            "name": "provider",
            "verdict": "ok",
            "found": "127.0.0.1:[port] takes connections"
          },
          {
            "name": "engine",
            "verdict": "ok",
            "found": "none runs; the next client starts it"
          },
          {
            "name": "store",
            "verdict": "ok",
            "found": "no records yet in [home]/.local/state/codex-mcp"
          },
          {
            "name": "Claude Code",
            "verdict": "ok",
            "found": "knows it as `codex` (for you everywhere)"
          }
        ]
        exit code: 1
    "#]]).await;
}

#[tokio::test]
async fn a_codex_that_is_too_old() {
    Patient::new()
        .fake("0.101.0", &[json!({ "hang": true })])
        .check_findings(expect![[r#"
            FAILURE  Codex          Codex [version] is too old: [version] is the oldest that works
                                    What to do: Upgrade it with `npm install -g @openai/codex@latest`.
            1 thing has to be put right.
            exit code: 1
        "#]])
        .await;
}

#[tokio::test]
async fn a_sandbox_that_does_not_start() {
    let lines = [
        json!({ "expect": { "method": "account/read" } }),
        json!({ "send": { "id": "$id", "result": { "account": null, "requiresOpenaiAuth": false } } }),
        json!({ "expect": { "method": "command/exec" } }),
        json!({ "send": { "id": "$id", "result": { "exitCode": 1, "stderr": "bwrap: no namespaces" } } }),
    ];
    Patient::new().fake("0.169.0", &lines).check_findings(expect![[r#"
        FAILURE  Codex          commands cannot run in Codex's sandbox (exit code 1): bwrap: no namespaces
                                What to do: Turns work, but every command in them fails. Allow unprivileged user namespaces, or install bubblewrap.
        1 thing has to be put right.
        exit code: 1
    "#]]).await;
}

#[tokio::test]
async fn nobody_is_logged_in() {
    let patient = Patient::new();
    let url = format!("openai_base_url = {:?}", patient.model.base_url());
    let patient = patient
        .configured("model_provider = \"mock\"", &format!("model_provider = \"openai\"\n{url}"));
    patient
        .check_findings(expect![[r#"
            FAILURE  Codex          nobody is logged in, and the configured provider needs a login
                                    What to do: The user has to run `codex login`, or set an API key.
            FAILURE  Codex          commands cannot run in Codex's sandbox (exit code 101): note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
                                    What to do: Turns work, but every command in them fails. Allow unprivileged user namespaces, or install bubblewrap.
            2 things have to be put right.
            exit code: 1
        "#]])
        .await;
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached() {
    // The port is taken and nobody listens.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap();
    drop(taken);
    let patient = Patient::new();
    let url = patient.model.base_url();
    patient.configured(&url, &format!("http://{port}/v1")).check_findings(expect![[r#"
        FAILURE  Codex          commands cannot run in Codex's sandbox (exit code 101): note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
                                What to do: Turns work, but every command in them fails. Allow unprivileged user namespaces, or install bubblewrap.
        FAILURE  provider       127.0.0.1:[port]: Connection refused (os error 111)
                                What to do: Check the network, the proxy, and `base_url` of the provider in Codex's configuration.
        2 things have to be put right.
        exit code: 1
    "#]]).await;
}

#[tokio::test]
async fn a_store_that_is_damaged() {
    let patient = Patient::new().write("home/.local/state/codex-mcp/store.sqlite3", "no database");
    patient
        .check_findings(expect![[r#"
            FAILURE  Codex          commands cannot run in Codex's sandbox (exit code 101): note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
                                    What to do: Turns work, but every command in them fails. Allow unprivileged user namespaces, or install bubblewrap.
            FAILURE  store          the store cannot be read: file is not a database
                                    What to do: Run `codex-mcp store check`.
            2 things have to be put right.
            exit code: 1
        "#]])
        .await;
}

#[tokio::test]
async fn an_engine_of_another_version() {
    let patient = Patient::new().write("home/.local/state/codex-mcp/engine.lock", "");
    let socket = patient.home.home().join(".local/state/codex-mcp/engine.sock");
    let listener = UnixListener::bind(socket).unwrap();
    let engine = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut asked = String::new();
        BufReader::new(&stream).read_line(&mut asked).unwrap();
        let status = json!({
            "answer": "status", "version": "9.8.7", "pid": 1, "startedAt": "2026-01-01T00:00:00Z",
            "busy": false, "retiring": false, "clients": [],
        });
        (&stream).write_all(format!("{status}\n").as_bytes()).unwrap();
        asked
    });
    patient.check_findings(expect![[r#"
        FAILURE  Codex          commands cannot run in Codex's sandbox (exit code 101): note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
                                What to do: Turns work, but every command in them fails. Allow unprivileged user namespaces, or install bubblewrap.
        warning  engine         version [version] runs as process 1 with 0 clients
                                What to do: Another version serves until it is idle; `codex-mcp daemon stop` ends it at once.
        1 thing has to be put right.
        exit code: 1
    "#]]).await;
    assert_eq!(engine.join().unwrap(), "{\"codexMcp\":\"status\"}\n");
}

#[tokio::test]
async fn a_configuration_that_is_not_valid() {
    let patient = Patient::new().write(
        "home/.config/codex-mcp/config.toml",
        "verbos = true\nlog_level = \"loud\"\nmax_prompt_chars = 0\n",
    );
    patient.check_findings(expect![[r#"
        FAILURE  configuration  the configuration is not valid
        - [home]/.config/codex-mcp/config.toml:1: `verbos`: there is no such key; did you mean `verbose`?
        - [home]/.config/codex-mcp/config.toml:2: log_level: expected one of error, warn, info, debug, trace, got "loud"
        - [home]/.config/codex-mcp/config.toml:3: max_prompt_chars: expected an integer from 1 to 1048576, got 0
                                What to do: Correct what is named; `docs/config.md` says what each key allows.
        1 thing has to be put right.
        exit code: 1
    "#]]).await;
}

#[tokio::test]
async fn a_root_that_is_not_there() {
    Patient::new().flags(&["--workspace-root", "nowhere"]).check_findings(expect![[r#"
        FAILURE  configuration  the configuration is not valid
        - --workspace-root: the workspace root "[workspace]/nowhere" does not exist
                                What to do: Correct what is named; `docs/config.md` says what each key allows.
        1 thing has to be put right.
        exit code: 1
    "#]]).await;
}

/// What is said of Claude Code's registration.
async fn registration(mut patient: Patient) -> String {
    patient.setup.codex = Some("/nowhere/codex".into());
    patient.setup.arguments.insert(0, "doctor".into());
    let ended = launch(&patient.home, patient.setup).run(LIMIT).await;
    patient.model.finish();
    let about = ended.stdout.lines().skip_while(|line| !line.contains("Claude Code"));
    about.take(2).map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn claude_code_knows_the_server_in_three_places() {
    let elsewhere = || Patient::new().register(json!({ "command": "codex" }));
    let server = json!({ "codex": { "command": "npx", "args": ["-y", "codex-mcp"] } });
    expect![[r#"
        ok       Claude Code    knows it as `codex` (for you everywhere)
        1 thing has to be put right.
    "#]]
    .assert_eq(&registration(Patient::new()).await);
    let plugins = r#"{"version":2,"plugins":{"codex@codex-mcp":[{}]}}"#;
    let patient = Patient::new().write("home/.claude/plugins/installed_plugins.json", plugins);
    expect![[r#"
        ok       Claude Code    knows it as `codex@codex-mcp` (a plugin)
        1 thing has to be put right.
    "#]]
    .assert_eq(&registration(patient).await);
    let folder = elsewhere();
    let path = folder.home.workspace().display().to_string();
    let folders = json!({ "projects": { path: { "mcpServers": server } } }).to_string();
    expect![[r#"
        ok       Claude Code    knows it as `codex` (for you in this folder)
        1 thing has to be put right.
    "#]]
    .assert_eq(&registration(folder.write("home/.claude.json", &folders)).await);
    let project = json!({ "mcpServers": server }).to_string();
    let project = elsewhere().write("workspace/.mcp.json", &project);
    expect![[r#"
        ok       Claude Code    knows it as `codex` (in .mcp.json of this folder)
        1 thing has to be put right.
    "#]]
    .assert_eq(&registration(project).await);
    expect![[r#"
        warning  Claude Code    does not know this server in this folder
                                What to do: If you use Claude Code: `codex-mcp setup claude`.
    "#]]
    .assert_eq(&registration(elsewhere()).await);
}

/// What somebody may have put where Claude Code's files are.
#[tokio::test]
async fn what_is_no_registration_does_not_hold_the_doctor() {
    let nothing = registration(Patient::new().write("home/.claude.json", "")).await;
    assert!(nothing.contains("does not know this server"), "{nothing}");
    for text in ["[]", r#"{"mcpServers": 3}"#, r#"{"mcpServers": {"x": ["codex-mcp"]}}"#] {
        let said = registration(Patient::new().write("home/.claude.json", text)).await;
        assert_eq!(said, nothing, "{text}");
    }
    let patient = Patient::new().write("home/.claude.json", "{}");
    std::os::unix::fs::symlink("/dev/zero", patient.home.workspace().join(".mcp.json")).unwrap();
    assert_eq!(registration(patient).await, nothing);
}
