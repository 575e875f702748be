//! The least that can drive a child that speaks JSON-RPC in lines: what it costs itself is not worth measuring.
//!
//! It looks for the parts of a line that matter and reads JSON only where a caller wants the result.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

/// A child and its pipes. Killed when dropped.
pub(super) struct LineClient {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    line: String,
    last_id: u64,
}

impl LineClient {
    /// Starts the child. What it writes to stderr is dropped.
    pub(super) fn spawn(command: &mut Command) -> Result<Self> {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let output = child.stdout.take().expect("stdout is a pipe");
        Ok(Self {
            input: child.stdin.take(),
            output: BufReader::new(output),
            child,
            line: String::new(),
            last_id: 0,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes a message as one line.
    pub(super) fn send(&mut self, message: &Value) -> Result<()> {
        let input = self.input.as_mut().context("the input is closed")?;
        let line = format!("{message}\n");
        input.write_all(line.as_bytes()).context("the child does not read")
    }

    /// Sends a request and returns its id.
    pub(super) fn start(&mut self, method: &str, params: Value) -> Result<u64> {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))?;
        Ok(id)
    }

    /// The next line.
    pub(super) fn next_line(&mut self) -> Result<&str> {
        self.line.clear();
        let count = self.output.read_line(&mut self.line).context("the child cannot be read")?;
        if count == 0 {
            bail!("the child closed its output");
        }
        Ok(&self.line)
    }

    /// Reads up to the line that contains `part`.
    pub(super) fn wait_for(&mut self, part: &str) -> Result<&str> {
        while !self.next_line()?.contains(part) {}
        Ok(&self.line)
    }

    /// Waits for the reply to a request and returns its result.
    pub(super) fn reply(&mut self, id: u64) -> Result<Value> {
        let mut message = self.answer(id)?;
        if message.get("error").is_some() || message["result"]["isError"] == true {
            bail!("a request was refused: {message}");
        }
        Ok(message["result"].take())
    }

    /// Waits for the reply to a request, whatever it says.
    pub(super) fn answer(&mut self, id: u64) -> Result<Value> {
        loop {
            let line = self.next_line()?;
            // Notifications have no id, and arrive in great numbers.
            if !line.contains("\"id\":") {
                continue;
            }
            let message: Value = serde_json::from_str(line).context("a line is no JSON")?;
            if message["id"] == id && message.get("method").is_none() {
                return Ok(message);
            }
        }
    }

    /// Sends a request and waits for its result.
    pub(super) fn request(&mut self, method: &str, params: Value) -> Result<Value> {
        let id = self.start(method, params)?;
        self.reply(id)
    }

    /// Closes the child's input and waits for its end.
    pub(super) fn end(&mut self) -> Result<ExitStatus> {
        self.input = None;
        self.child.wait().context("the child cannot be waited for")
    }
}

impl Drop for LineClient {
    fn drop(&mut self) {
        // Fails for a child that has ended, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
