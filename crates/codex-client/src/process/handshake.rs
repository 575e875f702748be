//! The handshake, and telling apart the ways in which a program turns out not to be a usable Codex.

use std::collections::VecDeque;

use super::{Exit, Greeting, Launch, MINIMUM_VERSION, ServerInfo, StartError, Version};
use crate::connection::{Connection, Inbox, Incoming};
use crate::error::RequestError;
use crate::protocol::{Initialize, InitializeCapabilities, InitializeParams, InitializeResponse};

/// How much may arrive before the answer to `initialize`. Codex sends nothing.
const MAX_EARLY: usize = 256;

/// How the handshake failed, before it is known how the process ended.
pub(super) enum Failure {
    /// The process closed its output. `said` is the first line that was no message.
    Ended {
        said: Option<String>,
    },
    /// No answer in time.
    Silent {
        said: Option<String>,
    },
    NotCodex {
        said: String,
    },
    TooOld {
        version: Version,
    },
}

impl Failure {
    pub(super) fn into_error(self, launch: &Launch, greeting: &Greeting, exit: Exit) -> StartError {
        let program = launch.program.clone();
        match self {
            Self::NotCodex { said }
            | Self::Ended { said: Some(said) }
            | Self::Silent { said: Some(said) } => StartError::NotCodex { program, said },
            Self::Ended { said: None } => StartError::Exited { program, exit },
            Self::Silent { said: None } => StartError::DeadlineExceeded {
                program,
                after: greeting.deadline,
                stderr_tail: exit.stderr_tail,
            },
            Self::TooOld { version } => StartError::TooOld { version },
        }
    }
}

/// Sends `initialize`, waits for the answer and sends `initialized`. What arrives before the answer is
/// put back into the inbox. A line that is no message may come from a wrapper script and is forgiven.
pub(super) async fn greet(
    connection: &Connection,
    inbox: &mut Inbox,
    greeting: &Greeting,
) -> Result<InitializeResponse, Failure> {
    let params = InitializeParams {
        client_info: greeting.client_info.clone(),
        capabilities: InitializeCapabilities {
            experimental_api: true,
            opt_out_notification_methods: greeting.opt_out_notification_methods.clone(),
        },
    };
    let mut early = VecDeque::new();
    let mut said = None;
    let mut closed = false;
    let answer = connection.request::<Initialize>(&params, greeting.deadline);
    tokio::pin!(answer);
    let result = loop {
        tokio::select! {
            biased;
            result = &mut answer, if !closed => match result {
                // What it said before its end is still in the inbox.
                Err(RequestError::Closed { .. }) => closed = true,
                result => break result,
            },
            message = inbox.recv() => match message {
                Some(Incoming::Request { method, .. }) => {
                    let said = format!("it asked for {method} instead of answering");
                    return Err(Failure::NotCodex { said });
                }
                None | Some(Incoming::Closed { .. } | Incoming::Exited(_)) => {
                    return Err(Failure::Ended { said });
                }
                Some(_) if early.len() >= MAX_EARLY => {
                    let said = said.unwrap_or_else(|| "it talks without answering".to_owned());
                    return Err(Failure::NotCodex { said });
                }
                Some(Incoming::Malformed(malformed)) => {
                    said.get_or_insert_with(|| malformed.to_string());
                    early.push_back(Incoming::Malformed(malformed));
                }
                Some(message @ (Incoming::Notification { .. } | Incoming::Response { .. })) => {
                    early.push_back(message);
                }
            },
        }
    };
    let initialized = accept(result, said)?;
    connection
        .notify::<()>("initialized", None)
        .map_err(|_closed| Failure::Ended { said: None })?;
    inbox.put_back(early);
    Ok(initialized)
}

/// What the answer to `initialize` comes to.
fn accept(
    result: Result<InitializeResponse, RequestError>,
    said: Option<String>,
) -> Result<InitializeResponse, Failure> {
    let initialized = result.map_err(|error| match error {
        RequestError::DeadlineExceeded { .. } => Failure::Silent { said },
        RequestError::Closed { .. } => Failure::Ended { said },
        RequestError::Rejected { .. }
        | RequestError::Overloaded { .. }
        | RequestError::Unreadable { .. } => Failure::NotCodex { said: error.to_string() },
    })?;
    match Version::from_user_agent(&initialized.user_agent) {
        Some(version) if version < MINIMUM_VERSION => return Err(Failure::TooOld { version }),
        Some(_) => (),
        None => tracing::warn!(user_agent = initialized.user_agent, "unknown Codex version"),
    }
    Ok(initialized)
}

pub(super) fn server_info(initialized: InitializeResponse, pid: u32) -> ServerInfo {
    ServerInfo {
        version: Version::from_user_agent(&initialized.user_agent),
        user_agent: initialized.user_agent,
        codex_home: initialized.codex_home.map(Into::into),
        platform_family: initialized.platform_family,
        platform_os: initialized.platform_os,
        pid,
    }
}
