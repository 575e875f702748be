//! From refused working directories to our codes.

use super::{Code, Problem};
use crate::workspace::RootError;

impl From<&RootError> for Problem {
    fn from(error: &RootError) -> Self {
        let code = match error {
            RootError::Outside { .. } => Code::OutsideWorkspace,
            RootError::Empty { .. }
            | RootError::Nul { .. }
            | RootError::TooLong { .. }
            | RootError::Tilde { .. }
            | RootError::Missing { .. }
            | RootError::Moved { .. }
            | RootError::RootMoved { .. }
            | RootError::NotDirectory { .. }
            | RootError::Unreadable { .. } => Code::DirectoryNotFound,
        };
        Self::new(code, format!("`cwd`: {error}"))
    }
}
