//! `codex-mcp setup`: what it says and makes, that it can be taken back, and that it touches nothing else.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use expect_test::{Expect, expect};
use serde_json::json;
use testkit::claude::{self, ClaudeCode};
use testkit::home::CodexHome;
use testkit::messages::{self, FakeMessages, calls_tool};
use testkit::model::FakeModel;
use testkit::normalise::Normaliser;
use testkit::process::{Ended, Launch};
use testkit::tools;

use crate::bridge::{Setup, TestBridge, launch};
use crate::plugin::tool;

const LIMIT: Duration = Duration::from_secs(60);
const PROGRAM: &str = env!("CARGO_BIN_EXE_codex-mcp");

/// A home directory of somebody with clients.
struct Home {
    codex: CodexHome,
    model: FakeModel,
    own: PathBuf,
}

impl Home {
    fn new() -> Self {
        let model = FakeModel::start([]);
        let codex = CodexHome::new(&model.base_url());
        let own = claude::own_directory(&codex);
        Self { codex, model, own }
    }

    fn launch(&self, words: &[&str]) -> Launch {
        Launch::new(PROGRAM, self.codex.workspace())
            .environment([("HOME", self.own.as_os_str()), ("PATH", "/usr/bin:/bin".as_ref())])
            .arguments(["setup"])
            .arguments(words)
    }

    async fn setup(&self, words: &[&str]) -> Ended {
        self.launch(words).run(LIMIT).await
    }

    /// What is said, with an exit code that is none of success.
    async fn said(&self, words: &[&str]) -> String {
        self.told(self.setup(words).await)
    }

    fn told(&self, ended: Ended) -> String {
        let code = ended.status.code().expect("it ended by itself");
        let said = format!("{}{}", ended.stdout, ended.stderr).replace(PROGRAM, "[program]");
        let said = said.replace(&self.own.display().to_string(), "~");
        let said = said.replace(&tools::claude().display().to_string(), "[claude]");
        let said = Normaliser::for_home(&self.codex).text(&said);
        if code == 0 { said } else { format!("{said}exit {code}\n") }
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.own.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn finish(self) {
        self.codex.check_leaks();
        self.model.finish();
    }
}

/// All files below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => drop(found.insert(path.clone(), fs::read(&path).unwrap_or_default())),
            }
        }
    }
    found
}

const COMMENTED: &str = "{\n\t// mine\n\t\"mcpServers\": {\n\t\t\"other\": { \"command\": \"x\" } /* why */\n\t},\n\t\"theme\": 1.50\n}\n";

#[tokio::test]
async fn an_entry_is_set_and_taken_out_and_the_rest_stays() {
    let home = Home::new();
    let file = home.write(".cursor/mcp.json", COMMENTED);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    expect![[r#"
        would     set `mcpServers.codex` in ~/.cursor/mcp.json to {"command":"[program]"}
    "#]]
    .assert_eq(&home.said(&["cursor", "--dry-run"]).await);
    assert_eq!(fs::read_to_string(&file).unwrap(), COMMENTED);
    expect![[r#"
        wrote     `codex` in ~/.cursor/mcp.json
        done      Start Cursor anew. `--undo` takes this back.
    "#]]
    .assert_eq(&home.said(&["cursor"]).await);
    expect![[r#"
        {
        	// mine
        	"mcpServers": {
        		"other": { "command": "x" }, /* why */
        		"codex": {
        			"command": "[program]"
        		}
        	},
        	"theme": 1.50
        }
    "#]]
    .assert_eq(&fs::read_to_string(&file).unwrap().replace(PROGRAM, "[program]"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    expect![[r#"
        kept      `codex` in ~/.cursor/mcp.json, which is this program already
    "#]]
    .assert_eq(&home.said(&["cursor"]).await);
    expect![[r#"
        would     take `codex` out of ~/.cursor/mcp.json
    "#]]
    .assert_eq(&home.said(&["cursor", "--undo", "--dry-run"]).await);
    expect![[r#"
        removed   `codex` from ~/.cursor/mcp.json
    "#]]
    .assert_eq(&home.said(&["cursor", "--undo"]).await);
    assert_eq!(fs::read_to_string(&file).unwrap(), COMMENTED);
    expect![[r#"
        kept      everything: nothing of it was made by this command
    "#]]
    .assert_eq(&home.said(&["cursor", "--undo"]).await);
    assert_eq!(files(&home.own).into_keys().collect::<Vec<_>>(), [file]);
    home.finish();
}

#[tokio::test]
async fn a_file_that_was_made_for_it_goes_with_it() {
    let home = Home::new();
    for (client, path) in [
        ("claude-desktop", ".config/Claude/claude_desktop_config.json"),
        ("vscode", ".config/Code/User/mcp.json"),
        ("windsurf", ".codeium/windsurf/mcp_config.json"),
    ] {
        let path = home.own.join(path);
        assert!(home.setup(&[client]).await.status.success());
        let text = fs::read_to_string(&path).unwrap();
        let servers = if client == "vscode" { "servers" } else { "mcpServers" };
        let expected = json!({ servers: { "codex": { "command": PROGRAM } } });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), expected);
        assert!(home.setup(&[client, "--undo"]).await.status.success());
        assert!(!path.exists(), "{client}");
    }
    home.finish();
}

#[tokio::test]
async fn what_is_not_its_own_is_left_alone() {
    let home = Home::new();
    let cases: &[(&str, Expect)] = &[
        (
            "[]",
            expect![[r#"
            FAILED    ~/.cursor/mcp.json does not hold a JSON object
                      What to do: Add this to `mcpServers` in that file by hand: {"codex":{"command":"[program]"}}
            exit 1
        "#]],
        ),
        (
            "{",
            expect![[r#"
            FAILED    ~/.cursor/mcp.json is not valid JSON: Unterminated object on line 1 column 1
                      What to do: Add this to `mcpServers` in that file by hand: {"codex":{"command":"[program]"}}
            exit 1
        "#]],
        ),
        (
            "{} trailing",
            expect![[r#"
            FAILED    ~/.cursor/mcp.json is not valid JSON: Text cannot contain more than one JSON value on line 1 column 4
                      What to do: Add this to `mcpServers` in that file by hand: {"codex":{"command":"[program]"}}
            exit 1
        "#]],
        ),
        (
            "{\"mcpServers\": []}",
            expect![[r#"
            FAILED    ~/.cursor/mcp.json has a `mcpServers` that is no object
                      What to do: Add this to `mcpServers` in that file by hand: {"codex":{"command":"[program]"}}
            exit 1
        "#]],
        ),
        (
            "{\"mcpServers\": {\"codex\": {\"command\": \"mine\"}}}",
            expect![[r#"
            FAILED    ~/.cursor/mcp.json has another server `codex`: {"command":"mine"}
                      What to do: Rename or remove it, and run this again.
            exit 1
        "#]],
        ),
        (
            "\u{feff}null",
            expect![[r#"
            FAILED    ~/.cursor/mcp.json is not valid JSON: Unexpected token on line 1 column 1
                      What to do: Add this to `mcpServers` in that file by hand: {"codex":{"command":"[program]"}}
            exit 1
        "#]],
        ),
    ];
    for (text, expected) in cases {
        let file = home.write(".cursor/mcp.json", text);
        expected.assert_eq(&home.said(&["cursor"]).await);
        assert_eq!(fs::read_to_string(&file).unwrap(), *text);
    }
    let file = home.write(".cursor/mcp.json", "{}");
    fs::write(&file, vec![b' '; 5 << 20]).unwrap();
    expect![[r#"
        FAILED    ~/.cursor/mcp.json cannot be read: it has more than 4194304 bytes
                  What to do: Add this to `mcpServers` in that file by hand: {"codex":{"command":"[program]"}}
        exit 1
    "#]].assert_eq(&home.said(&["cursor"]).await);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    expect![[r#"
        FAILED    ~/.cursor/mcp.json cannot be read: it is no regular file
                  What to do: Add this to `mcpServers` in that file by hand: {"codex":{"command":"[program]"}}
        exit 1
    "#]].assert_eq(&home.said(&["cursor"]).await);
    fs::remove_dir(&file).unwrap();
    let file = home.write(".cursor/mcp.json", "{\"mcpServers\": {}, \"mcpServers\": {}}");
    expect![[r#"
        FAILED    ~/.cursor/mcp.json has `mcpServers` more than once
                  What to do: Add this to `mcpServers` in that file by hand: {"codex":{"command":"[program]"}}
        exit 1
    "#]].assert_eq(&home.said(&["cursor"]).await);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    expect![[r#"
        FAILED    ~/.cursor/mcp.json may not be written
                  What to do: Add this to `mcpServers` in that file by hand: {"codex":{"command":"[program]"}}
        exit 1
    "#]].assert_eq(&home.said(&["cursor"]).await);
    fs::remove_file(&file).unwrap();
    // A link stays a link, and the file behind it is edited.
    let behind = home.write("dotfiles/mcp.json", "{}\n");
    symlink(&behind, &file).unwrap();
    assert!(home.setup(&["cursor"]).await.status.success());
    assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
    assert!(fs::read_to_string(&behind).unwrap().contains("codex"));
    // Somebody changed the entry: it is theirs now.
    fs::write(&behind, json!({ "mcpServers": { "codex": { "command": "mine" } } }).to_string())
        .unwrap();
    expect![[r#"
        kept      ~/.cursor/mcp.json: `codex` there is not what this command wrote
    "#]]
    .assert_eq(&home.said(&["cursor", "--undo"]).await);
    assert!(fs::read_to_string(&behind).unwrap().contains("mine"));
    home.write(".local/share/codex-mcp/setup.json", "no record");
    expect![[r#"
        codex-mcp: ~/.local/share/codex-mcp/setup.json is not the record of a setup: expected ident at line 1 column 2
        exit 1
    "#]].assert_eq(&home.said(&["cursor"]).await);
    let ended = home.setup(&["emacs"]).await;
    assert_eq!(ended.status.code(), Some(2), "{ended:#?}");
    home.finish();
}

/// A program that stands in the place of Claude Code.
fn fake_claude(home: &Home, script: &str) -> String {
    let path = home.write("bin/claude", &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn a_claude_code_that_cannot_be_used_is_named() {
    let home = Home::new();
    expect![[r#"
        FAILED    there is no `claude` on PATH
                  What to do: Install it (`npm install -g @anthropic-ai/claude-code`), or name it with `--claude-bin`.
        exit 1
    "#]].assert_eq(&home.said(&["claude"]).await);
    for (script, expected) in [
        (
            "exit 3",
            expect![[r#"
                FAILED    `claude --version` failed with exit code 3
                          What to do: Try it in a terminal.
                exit 1
            "#]],
        ),
        (
            "echo '1.0 (Claude Code)'; test \"$1\" = --version",
            expect![[r#"
                found     Claude Code 1.0 at ~/bin/claude
                FAILED    `claude plugin marketplace list --json` failed: 1.0 (Claude Code)
                          What to do: Upgrade Claude Code: it has to know `claude plugin list --json`.
                exit 1
            "#]],
        ),
        (
            "echo '[{}]'",
            expect![[r#"
            found     Claude Code [{}] at ~/bin/claude
            FAILED    Claude Code's list of plugins cannot be read: missing field `name` at line 1 column 3
                      What to do: Upgrade Claude Code: it has to know `claude plugin list --json`.
            exit 1
        "#]],
        ),
    ] {
        let program = fake_claude(&home, script);
        expected.assert_eq(&home.said(&["claude", "--claude-bin", &program]).await);
    }
    let elsewhere = "case \"$*\" in
        --version) echo '9.0 (Claude Code)';;
        'plugin marketplace list --json') echo '[{\"name\":\"codex-mcp\",\"path\":\"/checkout\"}]';;
        'plugin list --json') echo '[{\"id\":\"codex@codex-mcp\",\"enabled\":true,\"readFromFolder\":\"/checkout/plugin\"}]';;
        'mcp list') echo 'plugin:codex:codex: codex-mcp  - ✔ Connected'; echo 'own: /opt/codex-mcp  - ✔ Connected';;
        *) exit 9;;
    esac";
    let program = fake_claude(&home, elsewhere);
    expect![[r#"
        found     Claude Code 9.0 at ~/bin/claude
        kept      the plugin `codex@codex-mcp` that is there already, from /checkout
        checked   Claude Code connects to the server
        note      the server `own` is this program too: `claude mcp remove own` leaves one of them
        done      Start Claude Code anew and type /codex:status.
    "#]]
    .assert_eq(&home.said(&["claude", "--claude-bin", &program]).await);
    expect![[r#"
        found     Claude Code 9.0 at ~/bin/claude
        kept      everything: nothing of it was made by this command
    "#]]
    .assert_eq(&home.said(&["claude", "--undo", "--claude-bin", &program]).await);
    let left = files(&home.own);
    assert_eq!(left.into_keys().collect::<Vec<_>>(), [home.own.join("bin/claude")]);
    home.finish();
}

/// By what the README says, in a home in which nothing was installed.
#[tokio::test]
async fn claude_code_gets_the_plugin_uses_it_and_loses_it() {
    let bridge = TestBridge::start([]).await;
    let own = claude::own_directory(&bridge.home);
    // The plugin starts the program by its path, with the state directory of the bridge's own.
    let state = bridge.home.home().join(".local/state/codex-mcp");
    let variables = vec![("CODEX_MCP_STATE_DIR", state.into_os_string())];
    let server = launch(&bridge.home, Setup { variables, ..Setup::default() });
    let run = async |words: &[&str]| -> String {
        let setup = claude::starter(PROGRAM, &bridge.home, &server, &own);
        let setup = setup.arguments(["setup", "claude"]).arguments(words);
        let setup = setup.arguments([OsString::from("--claude-bin"), tools::claude().into()]);
        let ended = setup.run(LIMIT).await;
        assert!(ended.status.success(), "{ended:#?}");
        let said = ended.stdout.replace(&own.display().to_string(), "~");
        said.replace(&tools::claude().display().to_string(), "[claude]")
    };
    expect![[r#"
        found     Claude Code 2.1.330 at [claude]
        would     write the plugin to ~/.local/share/codex-mcp/claude
        would     run: claude plugin marketplace add ~/.local/share/codex-mcp/claude
        would     run: claude plugin install codex@codex-mcp
    "#]]
    .assert_eq(&run(&["--dry-run"]).await);
    assert!(!own.join(".local").exists());
    expect![[r#"
        found     Claude Code 2.1.330 at [claude]
        wrote     the plugin in ~/.local/share/codex-mcp/claude
        added     its marketplace `codex-mcp`
        installed the plugin `codex@codex-mcp`
        checked   Claude Code connects to the server
        done      Start Claude Code anew and type /codex:status. `--undo` takes this back.
    "#]]
    .assert_eq(&run(&[]).await);
    expect![[r#"
        found     Claude Code 2.1.330 at [claude]
        kept      the plugin in ~/.local/share/codex-mcp/claude
        kept      the plugin `codex@codex-mcp`, which is installed
        checked   Claude Code connects to the server
        done      Start Claude Code anew and type /codex:status. `--undo` takes this back.
    "#]]
    .assert_eq(&run(&[]).await);

    // The program was elsewhere when the plugin was installed.
    let servers = own.join(".local/share/codex-mcp/claude/plugin/.mcp.json");
    let now = fs::read_to_string(&servers).unwrap();
    fs::write(&servers, now.replace(PROGRAM, "/elsewhere/codex-mcp")).unwrap();
    expect![[r#"
        found     Claude Code 2.1.330 at [claude]
        wrote     the plugin in ~/.local/share/codex-mcp/claude
        kept      the plugin `codex@codex-mcp`, which is installed
        checked   Claude Code connects to the server
        done      Start Claude Code anew and type /codex:status. `--undo` takes this back.
    "#]]
    .assert_eq(&run(&[]).await);
    assert_eq!(fs::read_to_string(&servers).unwrap(), now);

    let script = [calls_tool(tool("codex_health"), json!({})), messages::says("That is it.")];
    let model = FakeMessages::start(script).await;
    let claude = ClaudeCode::of_user(&bridge.home, &model, &server, &own);
    let used = claude.ask("/codex:status").await;
    assert!(used.status.success(), "{used:#?}");
    let requests = model.finish();
    let health = requests.last().expect("the model was asked").tool_results().remove(0);
    assert_eq!(health.json()["healthy"], true, "{}", health.text);

    expect![[r#"
        found     Claude Code 2.1.330 at [claude]
        removed   the plugin
        removed   its marketplace
        removed   the plugin's files in ~/.local/share/codex-mcp/claude
    "#]]
    .assert_eq(&run(&["--undo"]).await);
    expect![[r#"
        found     Claude Code 2.1.330 at [claude]
        kept      everything: nothing of it was made by this command
    "#]]
    .assert_eq(&run(&["--undo"]).await);
    assert_eq!(files(&own.join(".local/share")), BTreeMap::new());
    bridge.finish().await;
}
