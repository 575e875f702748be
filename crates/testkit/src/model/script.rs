//! Which reply a request gets: an ordered queue, replies reserved for a prompt, and a reply for
//! everything else.

use std::collections::VecDeque;

use super::Reply;

/// The replies of a model. An array or vector of [`Reply`] converts into one.
///
/// A request takes the first reply whose [`Reply::when`] is in its newest user message, else the
/// first reply without a `when`, else the one of [`Self::otherwise`].
#[derive(Debug, Default)]
pub struct Script {
    queue: VecDeque<Reply>,
    otherwise: Option<Reply>,
    pub(super) capture: Capture,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Capture {
    #[default]
    Everything,
    Nothing,
}

impl Script {
    /// A script of replies that are each used once.
    pub fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self { queue: replies.into_iter().collect(), ..Self::default() }
    }

    /// A script that answers every request with the same reply.
    pub fn always(reply: Reply) -> Self {
        Self::default().otherwise(reply)
    }

    /// Sets the reply for all requests that the rest of the script does not cover.
    pub fn otherwise(mut self, reply: Reply) -> Self {
        self.otherwise = Some(reply);
        self
    }

    /// Neither keeps nor checks requests, so that a long bench does not grow.
    pub fn without_capture(mut self) -> Self {
        self.capture = Capture::Nothing;
        self
    }

    pub(super) fn add(&mut self, replies: impl IntoIterator<Item = Reply>) {
        self.queue.extend(replies);
    }

    pub(super) fn reads_prompts(&self) -> bool {
        self.queue.iter().any(|reply| reply.when.is_some())
    }

    pub(super) fn take(&mut self, prompt: &str) -> Option<Reply> {
        let reserved = self
            .queue
            .iter()
            .position(|reply| reply.when.as_deref().is_some_and(|part| prompt.contains(part)));
        let chosen = reserved.or_else(|| self.queue.iter().position(|reply| reply.when.is_none()));
        match chosen {
            Some(index) => self.queue.remove(index),
            None => self.otherwise.clone(),
        }
    }

    pub(super) fn left(&self) -> usize {
        self.queue.len()
    }
}

impl<const N: usize> From<[Reply; N]> for Script {
    fn from(replies: [Reply; N]) -> Self {
        Self::new(replies)
    }
}

impl From<Vec<Reply>> for Script {
    fn from(replies: Vec<Reply>) -> Self {
        Self::new(replies)
    }
}
