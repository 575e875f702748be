//! What the scripted model does in a turn, act by act, and what a client is shown of each act.
//!
//! Before each act the model waits at a gate, which the demo opens when the act before was shown. So everything is
//! real time, and yet each run shows the same.

use std::borrow::Cow;

use testkit::gate::Gate;
use testkit::model::{Reply, StepStatus, reply};

/// One act of the model.
#[derive(Clone, Copy)]
pub(super) enum Act {
    /// A summary of its reasoning.
    Thinks(&'static str),
    /// The plan, at this step, counted from 1.
    Plans(usize, &'static [&'static str]),
    /// A command that succeeds.
    Runs(&'static str),
    /// A change of one file through Codex's patch tool.
    Edits(&'static str, &'static str),
    /// A command that fails.
    RunsInVain(&'static str),
    /// A command that goes on until it is stopped.
    Starts(&'static str),
    /// The first words of an answer that is never finished.
    Begins(&'static str),
    /// Its answer.
    Answers(&'static str),
}

impl Act {
    /// The message of the progress notification that shows this act, if one does.
    pub(super) fn shown(self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Thinks(text) => format!("thinking: {text}").into(),
            Self::Plans(at, steps) if at > steps.len() => {
                format!("plan {0}/{0}: done", steps.len()).into()
            }
            Self::Plans(at, steps) => {
                format!("plan {at}/{}: {}", steps.len(), steps[at - 1]).into()
            }
            Self::Begins(text) => format!("says: {text}").into(),
            Self::Runs(command) => format!("ran: {command}").into(),
            Self::Edits(path, _) => format!("edited: {path}").into(),
            Self::RunsInVain(command) => format!("failed: {command}").into(),
            Self::Starts(command) => format!("running: {command}").into(),
            Self::Answers(_) => return None,
        })
    }

    fn play(self, reply: Reply) -> Reply {
        match self {
            Self::Thinks(text) => reply.thinks(text),
            Self::Plans(at, steps) => reply.plans("", &plan(at, steps)),
            Self::Runs(command) | Self::RunsInVain(command) | Self::Starts(command) => {
                reply.runs(command)
            }
            Self::Edits(_, patch) => reply.patches(patch),
            Self::Begins(text) => reply.streams(text).hangs(),
            Self::Answers(text) => reply.streams(text),
        }
    }

    /// Codex asks again after these: it has a tool's output, or new input.
    fn ends_the_reply(self) -> bool {
        match self {
            Self::Plans(..)
            | Self::Runs(_)
            | Self::Edits(..)
            | Self::RunsInVain(_)
            | Self::Starts(_)
            | Self::Begins(_)
            | Self::Answers(_) => true,
            Self::Thinks(_) => false,
        }
    }
}

fn plan(at: usize, steps: &'static [&'static str]) -> Vec<(&'static str, StepStatus)> {
    let status = |number: usize| match number.cmp(&at) {
        std::cmp::Ordering::Less => StepStatus::Completed,
        std::cmp::Ordering::Equal => StepStatus::InProgress,
        std::cmp::Ordering::Greater => StepStatus::Pending,
    };
    let numbered = steps.iter().enumerate();
    numbered.map(|(index, step)| (*step, status(index + 1))).collect()
}

/// An act, and the gate at which the model waits before it.
pub(super) struct Cue {
    pub(super) act: Act,
    pub(super) gate: Gate,
}

/// The replies that the acts make up, and the cue for each act.
pub(super) fn prepare(acts: &[Act]) -> (Vec<Reply>, Vec<Cue>) {
    let (mut replies, mut cues) = (Vec::new(), Vec::new());
    let mut open = None;
    for act in acts.iter().copied() {
        let gate = Gate::new(act.shown().unwrap_or_default());
        let so_far = open.take().unwrap_or_else(reply);
        let so_far = act.play(so_far.holds(&gate));
        cues.push(Cue { act, gate });
        if act.ends_the_reply() {
            replies.push(so_far);
        } else {
            open = Some(so_far);
        }
    }
    replies.extend(open);
    (replies, cues)
}
