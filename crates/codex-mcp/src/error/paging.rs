//! From refused resume tokens and outputs that are gone to our codes.

use super::{Code, Problem};
use crate::mcp::outputs::SliceError;
use crate::mcp::paging::TokenError;

impl From<&TokenError> for Problem {
    fn from(error: &TokenError) -> Self {
        match error {
            TokenError::Malformed | TokenError::Version(_) | TokenError::Forged => {
                Self::new(Code::TokenInvalid, format!("`token`: {error}"))
            }
        }
    }
}

impl From<&SliceError> for Problem {
    fn from(error: &SliceError) -> Self {
        let code = match error {
            SliceError::Expired(_) => Code::OutputExpired,
            // A sealed token names only places that exist, unless the output was replaced.
            SliceError::Offset { .. } => Code::TokenInvalid,
            SliceError::Store(problem) => return problem.clone(),
        };
        Self::new(code, error.to_string())
    }
}
