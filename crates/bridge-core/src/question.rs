//! What Codex asks, as data.

use crate::policy::Matter;
use crate::{ItemId, Json, shell};

/// Something that Codex wants to know before it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// May this command run outside the sandbox?
    Command {
        /// The command line.
        command: String,
        /// Where it would run.
        working_directory: Option<String>,
        /// Codex's reason.
        reason: Option<String>,
    },
    /// May there be a connection to this host?
    Network {
        /// The host.
        host: String,
        /// Codex's reason.
        reason: Option<String>,
    },
    /// May these files change?
    FileChange {
        /// The item that shows the change.
        item: ItemId,
        /// A folder in which everything may be changed from now on, if that is asked for as well.
        grants: Option<String>,
        /// Codex's reason.
        reason: Option<String>,
    },
    /// May the turn have more permissions?
    Permissions {
        /// The permissions, in Codex's form.
        wanted: Json,
        /// Codex's reason.
        reason: Option<String>,
    },
    /// Questions for the user.
    UserInput {
        /// The questions.
        fields: Vec<Field>,
    },
    /// A question of one of Codex's own MCP servers, or whether one of its tools may run.
    Elicitation {
        /// The server.
        server: String,
        /// Its message.
        message: String,
        /// The tool that is to run, if that is the question.
        tool: Option<String>,
        /// A JSON schema for the values that are asked for.
        schema: Option<Json>,
    },
    /// A request that this bridge has no answer for.
    Unknown {
        /// The protocol method.
        method: String,
    },
}

impl Question {
    /// Whether a person can be asked by the means of this bridge.
    pub(crate) fn can_be_asked(&self) -> bool {
        match self {
            Self::UserInput { fields } => fields.iter().all(|field| !field.is_secret),
            Self::Unknown { .. } => false,
            Self::Command { .. }
            | Self::Network { .. }
            | Self::FileChange { .. }
            | Self::Permissions { .. }
            | Self::Elicitation { .. } => true,
        }
    }

    /// Codex's reason for asking.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Command { reason, .. }
            | Self::Network { reason, .. }
            | Self::FileChange { reason, .. }
            | Self::Permissions { reason, .. } => reason.as_deref(),
            Self::UserInput { .. } | Self::Elicitation { .. } | Self::Unknown { .. } => None,
        }
    }
}

/// One question for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in the answer.
    pub id: String,
    /// A title of a few words.
    pub header: String,
    /// The question.
    pub question: String,
    /// What can be chosen; nothing if any text is an answer.
    pub choices: Vec<Choice>,
    /// Whether the answer must not be seen. It is then not asked for: no client promises that.
    pub is_secret: bool,
}

/// One thing that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What it is called, in the answer too.
    pub label: String,
    /// What it means.
    pub description: String,
}

/// What a question is about, in words that follow "Codex asks".
pub(crate) fn describe(question: &Question, paths: &[String]) -> String {
    match question {
        Question::Command { command, .. } => format!("to run: {}", shell::unwrapped(command)),
        Question::Network { host, .. } => format!("to connect to {host}"),
        Question::FileChange { grants, .. } => {
            let what = if paths.is_empty() { "files".to_owned() } else { paths.join(", ") };
            match grants {
                Some(folder) => format!("to change {what}, and from now on anything in {folder}"),
                None => format!("to change {what}"),
            }
        }
        Question::Permissions { wanted, .. } => format!("for more permissions: {}", wanted.0),
        Question::UserInput { fields } => {
            let texts: Vec<_> = fields.iter().map(|field| field.question.as_str()).collect();
            format!("for an answer: {}", texts.join(" / "))
        }
        Question::Elicitation { server, message, tool, .. } => match tool {
            Some(tool) => format!("to use the tool {tool} of the MCP server {server}"),
            None => format!("for the MCP server {server}: {message}"),
        },
        Question::Unknown { method } => {
            format!("something this version does not know ({method})")
        }
    }
}

/// Everything that a question is about, for the policy.
pub(crate) fn matters<'a>(question: &'a Question, paths: &'a [String]) -> Vec<Matter<'a>> {
    match question {
        Question::Command { command, .. } => vec![Matter::CommandLine(command)],
        Question::Network { host, .. } => vec![Matter::Host(host)],
        // What is not known to be about certain files is about any.
        Question::FileChange { .. } if paths.is_empty() => vec![Matter::Other],
        Question::FileChange { grants, .. } => {
            paths.iter().chain(grants).map(|path| Matter::File(path)).collect()
        }
        Question::Elicitation { server, tool: Some(tool), .. } => {
            vec![Matter::Tool { server, tool }]
        }
        Question::Permissions { .. }
        | Question::UserInput { .. }
        | Question::Elicitation { tool: None, .. }
        | Question::Unknown { .. } => vec![Matter::Other],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_about_its_files_and_about_what_it_would_open() {
        let question = |grants: Option<&str>| Question::FileChange {
            item: ItemId("i".to_owned()),
            grants: grants.map(str::to_owned),
            reason: None,
        };
        let paths = ["/w/a".to_owned(), "/w/b".to_owned()];
        let (plain, opens) = (question(None), question(Some("/etc")));
        assert_eq!(matters(&plain, &paths), [Matter::File("/w/a"), Matter::File("/w/b")]);
        let with_folder = [Matter::File("/w/a"), Matter::File("/w/b"), Matter::File("/etc")];
        assert_eq!(matters(&opens, &paths), with_folder);
        for question in [&plain, &opens] {
            assert_eq!(matters(question, &[]), [Matter::Other]);
        }
        assert_eq!(describe(&plain, &paths), "to change /w/a, /w/b");
        let what = "to change /w/a, /w/b, and from now on anything in /etc";
        assert_eq!(describe(&opens, &paths), what);
        assert_eq!(describe(&plain, &[]), "to change files");
    }
}
