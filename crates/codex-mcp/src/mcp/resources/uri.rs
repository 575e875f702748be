//! The names of resources: `codex://` and a path. Whether there is anything under a name is not known here.

use std::fmt;
use std::str::FromStr;

use bridge_core::{ThreadId, TurnId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::mcp::paging::OutputId;

/// What every name begins with.
const SCHEME: &str = "codex://";
/// The longest id, in characters; more is not an id of anything.
const MAX_ID: usize = 200;

/// What is escaped in an id: all but letters, digits and what a URI leaves unreserved.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceUri {
    /// `codex://threads`: the list of threads.
    Threads,
    /// `codex://threads/{threadId}`
    Thread(ThreadId),
    /// `codex://threads/{threadId}/plan`
    Plan(ThreadId),
    /// `codex://threads/{threadId}/diff`
    Diff(ThreadId),
    /// `codex://threads/{threadId}/turns/{turnId}`
    Turn(ThreadId, TurnId),
    /// `codex://patches/{patchId}`
    Patch(String),
    /// `codex://outputs/{outputId}`
    Output(OutputId),
}

/// Why a text names no resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// It is of another scheme.
    #[error("a resource of this server begins with codex://")]
    Scheme,
    /// There are no resources of this form.
    #[error(
        "there are codex://threads, codex://threads/ID, codex://threads/ID/plan, codex://threads/ID/diff, \
         codex://threads/ID/turns/ID, codex://patches/ID and codex://outputs/ID"
    )]
    Path,
    /// An id holds what no id holds.
    #[error("an id is 1 to 200 letters, digits, `-` and `_`")]
    Id,
}

impl FromStr for ResourceUri {
    type Err = UriError;

    /// Reads a URI. Escapes are decoded within a segment, so none can make up a further one; a query, a fragment and
    /// dots find no place in an id.
    fn from_str(text: &str) -> Result<Self, UriError> {
        let (scheme, path) = text.split_at_checked(SCHEME.len()).ok_or(UriError::Scheme)?;
        // The scheme is the one part of a URI in which case does not matter.
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return Err(UriError::Scheme);
        }
        let segments: Vec<&str> = path.splitn(5, '/').collect();
        match segments.as_slice() {
            ["threads"] => Ok(Self::Threads),
            ["threads", thread] => Ok(Self::Thread(ThreadId(id(thread)?))),
            ["threads", thread, "plan"] => Ok(Self::Plan(ThreadId(id(thread)?))),
            ["threads", thread, "diff"] => Ok(Self::Diff(ThreadId(id(thread)?))),
            ["threads", thread, "turns", turn] => {
                Ok(Self::Turn(ThreadId(id(thread)?), TurnId(id(turn)?)))
            }
            ["patches", patch] => Ok(Self::Patch(id(patch)?)),
            ["outputs", output] => {
                id(output)?.parse().map(Self::Output).map_err(|_invalid| UriError::Id)
            }
            _ => Err(UriError::Path),
        }
    }
}

fn id(segment: &str) -> Result<String, UriError> {
    let decoded = percent_decode_str(segment).decode_utf8().map_err(|_bytes| UriError::Id)?;
    let fits = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    if decoded.is_empty() || decoded.len() > MAX_ID || !decoded.chars().all(fits) {
        return Err(UriError::Id);
    }
    Ok(decoded.into_owned())
}

impl fmt::Display for ResourceUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |id| utf8_percent_encode(id, ESCAPED);
        f.write_str(SCHEME)?;
        match self {
            Self::Threads => write!(f, "threads"),
            Self::Thread(ThreadId(thread)) => write!(f, "threads/{}", escaped(thread)),
            Self::Plan(ThreadId(thread)) => write!(f, "threads/{}/plan", escaped(thread)),
            Self::Diff(ThreadId(thread)) => write!(f, "threads/{}/diff", escaped(thread)),
            Self::Turn(ThreadId(thread), TurnId(turn)) => {
                write!(f, "threads/{}/turns/{}", escaped(thread), escaped(turn))
            }
            Self::Patch(patch) => write!(f, "patches/{}", escaped(patch)),
            Self::Output(output) => write!(f, "outputs/{output}"),
        }
    }
}
