//! Runs the real MCP Inspector, pinned, from its command line against one MCP server.
//!
//! Each run is one method on a server of its own. The Inspector gets a home of its own, so no
//! catalogue of a user is read.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::home::CodexHome;
use crate::process::{Ended, Launch};
use crate::tools;

const LIMIT: Duration = Duration::from_secs(30);

/// Which protocol versions the Inspector speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// Those with `initialize`.
    Legacy,
    /// 2026-07-28, with `server/discover`.
    Modern,
}

/// The Inspector, ready to be started. Its exit code is 0 when all went well, 5 when the tool does
/// not exist or gave an error, 6 when a schema would not work with every model, and 1 when the
/// protocol was not kept.
#[derive(Debug)]
pub struct Inspector {
    launch: Launch,
}

impl Inspector {
    /// An inspector of the server that `server` starts, in the workspace of `home`.
    ///
    /// # Panics
    /// When its files cannot be written.
    pub fn new(home: &CodexHome, server: &Launch, era: Era) -> Self {
        let own = home.root().join("inspector");
        fs::create_dir_all(&own).expect("a directory in a fresh home");
        let config = own.join("mcp.json");
        let servers = json!({ "mcpServers": { "x": server.mcp_config() } });
        fs::write(&config, servers.to_string()).expect("a file in a fresh directory");
        let era = match era {
            Era::Legacy => "legacy",
            Era::Modern => "modern",
        };
        let launch = Launch::new(tools::node(), home.workspace())
            .environment([("PATH", "/usr/bin:/bin"), ("LANG", "C.UTF-8")])
            .environment([("HOME", own)])
            .arguments([tools::inspector()])
            .arguments(["--cli", "--server", "x", "--format", "json"])
            .arguments(["--protocol-era", era])
            .arguments(["--config".as_ref(), config.as_os_str()]);
        Self { launch }
    }

    /// Lists the tools and looks for what not every model would understand in their schemas. Stdout
    /// is the list, with `schemaFindings` if there are any.
    pub async fn list_tools_strictly(self) -> Ended {
        let launch = self.launch.arguments(["--method", "tools/list", "--strict"]);
        launch.run(LIMIT).await
    }

    /// Calls a tool. Stdout is its result; on stderr comes an `error` with a `code` instead.
    pub async fn call_tool(self, name: &str, arguments: Value) -> Ended {
        let launch = self
            .launch
            .arguments(["--method", "tools/call", "--quiet"])
            .arguments(["--tool-name", name])
            .arguments(["--tool-args-json", &arguments.to_string()]);
        launch.run(LIMIT).await
    }
}
