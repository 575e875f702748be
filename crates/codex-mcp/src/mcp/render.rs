//! What clients are shown: turns, errors and progress, each as text for a reader and as data for a program.
//!
//! Claude Code shows its model only the data of a success and only the text of an error, so both say everything.

mod attachment;
mod fitting;
mod patch;
mod plan;
mod progress;
mod size;
mod test_run;
mod thread;
mod turn;

use rmcp::model::{
    CallToolResponse, CallToolResult, ContentBlock, CreateTaskResult, InputRequiredResult,
    Resource, Task,
};
use serde::Serialize;
use serde_json::{Value, json};

pub(super) use attachment::{AttachmentResult, Sent};
pub(super) use fitting::Fitting;
pub(super) use patch::{FileResult, Looked, look};
pub(super) use plan::{ChangeResult, PlanVersionResult, StatusWord, StepResult};
pub(super) use progress::progress;
pub(super) use test_run::{TestRunResult, test_progress};
pub(super) use thread::{StartedBy, ThreadResult};
use turn::Link;
pub(crate) use turn::stopped_by;
pub(super) use turn::{MoreResult, ShownImage, TurnResult, fmt_more};

use crate::error::{ErrorResult, Problem};

/// The answer to a call.
#[derive(Debug)]
pub(super) struct Answer {
    text: String,
    data: Value,
    is_error: bool,
    /// What is shown beside the text: links and images.
    beside: Vec<ContentBlock>,
    instead: Option<Instead>,
}

/// What a client is told in the place of a result.
#[derive(Debug)]
enum Instead {
    /// The call has become a task.
    Task(Box<Task>),
    /// The person behind it has to say something first.
    Input(Box<InputRequiredResult>),
}

impl Answer {
    pub(super) fn success(text: String, data: &impl Serialize) -> Self {
        Self { text, data: to_value(data), is_error: false, beside: Vec::new(), instead: None }
    }

    /// The answer of a tool that starts or awaits a turn.
    pub(super) fn of_turn(result: &TurnResult) -> Self {
        let is_error = result.error.is_some();
        let text = result.to_string();
        let text = if is_error { size::within_cut(text) } else { text };
        let beside = beside(result);
        Self { text, data: to_value(result), is_error, beside, instead: None }
    }

    /// An error with what belongs to it: as data under a name, and as text.
    pub(super) fn of_problem(
        problem: Problem,
        name: &str,
        data: &impl Serialize,
        text: &str,
    ) -> Self {
        let mut answer = Self::from(problem);
        answer.text = size::within_cut(format!("{}\n\n{text}", answer.text));
        answer.data[name] = to_value(data);
        answer
    }

    pub(super) fn into_response(self) -> CallToolResponse {
        match self.instead {
            Some(Instead::Task(task)) => CreateTaskResult::new(*task).into(),
            Some(Instead::Input(input)) => (*input).into(),
            None => self.into_result().into(),
        }
    }

    pub(super) fn into_result(self) -> CallToolResult {
        let mut content = vec![ContentBlock::text(self.text)];
        content.extend(self.beside);
        let mut result = match self.is_error {
            true => CallToolResult::error(content),
            false => CallToolResult::success(content),
        };
        result.structured_content = Some(self.data);
        result
    }

    /// Tells the client of a task instead, whose result this will be.
    pub(super) fn with_task(self, task: Task) -> Self {
        Self { instead: Some(Instead::Task(Box::new(task))), ..self }
    }

    /// Asks the client for something first; this is what is known so far.
    pub(super) fn with_input(self, input: InputRequiredResult) -> Self {
        Self { instead: Some(Instead::Input(Box::new(input))), ..self }
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let problem = size::shortened(problem);
        let data = json!({ "error": to_value(&ErrorResult::from(&problem)) });
        let text = size::within_cut(problem.to_string());
        Self { text, data, is_error: true, beside: Vec::new(), instead: None }
    }
}

/// What a turn's result points at, and what of it is shown in place. Claude Code shows its model both beside the data; of an
/// error it shows the links alone.
fn beside(result: &TurnResult) -> Vec<ContentBlock> {
    let links = result.links().into_iter().map(|link| {
        let Link { uri, name, mime, bytes } = link;
        let mut resource = Resource::new(uri, name);
        resource.mime_type = mime;
        resource.size = bytes;
        ContentBlock::resource_link(resource)
    });
    let images = result.images().iter();
    let images = images.map(|image| ContentBlock::image(image.data.clone(), image.format.mime()));
    links.chain(images).collect()
}

fn to_value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).expect("a result has string keys and cannot fail to serialise")
}
