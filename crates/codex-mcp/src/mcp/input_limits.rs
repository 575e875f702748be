//! How large the parts of a call may be. Each limit is a setting, and an error that speaks of one names it.

use std::io;

use rmcp::model::JsonObject;
use serde::Serialize;

use crate::config::Config;
use crate::error::{Code, Problem};

/// The limits of a client's calls.
pub(super) struct InputLimits<'a>(pub(super) &'a Config);

impl InputLimits<'_> {
    /// Checks all arguments of a call together.
    pub(super) fn arguments(&self, arguments: Option<&JsonObject>) -> Result<(), Problem> {
        let bytes = arguments.map_or(0, json_bytes);
        let what = || "the arguments of the call have".to_owned();
        within(bytes, "bytes", self.0.max_argument_bytes, "max_argument_bytes", what)
    }

    /// Checks one argument that is an object of the caller's own making.
    pub(super) fn object(&self, name: &str, value: Option<&JsonObject>) -> Result<(), Problem> {
        let bytes = value.map_or(0, json_bytes);
        let what = || format!("argument `{name}` has");
        within(bytes, "bytes", self.0.max_object_bytes, "max_object_bytes", what)
    }

    /// Checks one argument that tells Codex how to behave.
    pub(super) fn instructions(&self, name: &str, value: Option<&str>) -> Result<(), Problem> {
        let chars = value.map_or(0, |text| text.chars().count());
        let what = || format!("argument `{name}` has");
        let limit = self.0.max_instructions_chars;
        within(chars, "characters", limit, "max_instructions_chars", what)
    }

    /// Checks a prompt.
    pub(super) fn prompt(&self, prompt: String) -> Result<String, Problem> {
        if prompt.trim().is_empty() {
            let allowed = "a text with at least one visible character";
            return Err(Problem::argument("prompt", "it is empty", allowed));
        }
        let limit = self.0.max_prompt_chars;
        // Bytes are an upper bound for characters, and cheap.
        if prompt.len() > limit {
            let chars = prompt.chars().count();
            if chars > limit {
                let message = format!("the prompt has {chars} characters; the limit is {limit}");
                let problem = Problem::new(Code::PromptTooLarge, message);
                return Err(problem.of_limit("max_prompt_chars"));
            }
        }
        Ok(prompt)
    }
}

fn within(
    size: usize,
    unit: &str,
    limit: usize,
    key: &str,
    what: impl FnOnce() -> String,
) -> Result<(), Problem> {
    if size <= limit {
        return Ok(());
    }
    let message = format!("{} {size} {unit}; the limit is {limit}", what());
    Err(Problem::new(Code::ArgumentTooLarge, message).of_limit(key))
}

/// The length of the shortest JSON text of a value.
fn json_bytes(value: &impl Serialize) -> usize {
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, value).expect("JSON can be written, and counting succeeds");
    counter.0
}

struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
