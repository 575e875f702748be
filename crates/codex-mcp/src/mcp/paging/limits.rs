//! How large a result may be for the client that asked for it.
//!
//! Measured with Claude Code 2.1.330: a result is cut or put into a file above `MAX_MCP_OUTPUT_TOKENS` (25,000 unless
//! set) and above 50,000 characters, except that the tool's `anthropic/maxResultSizeChars` lifts both, up to 500,000
//! characters. What counts is the JSON of `structuredContent` for a success, and the text, cut at about 10,000
//! characters, for an error. Which model reads it, no client tells, so the estimate of tokens is one for all models.

use super::Budget;

/// What Claude Code allows a result in tokens, unless its user says otherwise.
const CLAUDE_CODE_TOKENS: usize = 25_000;
/// What a client is given of which nothing is known: 10,000 tokens.
const UNKNOWN_CLIENT_UNITS: usize = 40_000;
/// Of an error a client may show no more than this.
const ERROR_UNITS: usize = 9_000;
/// The smallest page: less would hide the answer behind the frame around it.
const MIN_UNITS: usize = 2_000;
/// The largest page: with the frame it stays below what the tools declare as `anthropic/maxResultSizeChars`.
const MAX_UNITS: usize = 380_000;
/// Units of [`Budget`] in a token.
const UNITS_A_TOKEN: usize = 4;

/// What the user says of the size of a page (`result_page_chars`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSize {
    /// By what is known of the client.
    Auto,
    /// So many characters, whoever the client is; a Chinese character counts as four.
    Chars(usize),
}

/// What decides the size of a page, apart from the client's name: what its user says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRule {
    /// What our own settings say.
    pub size: PageSize,
    /// `MAX_MCP_OUTPUT_TOKENS`, if it is set in the client's environment.
    pub output_tokens: Option<usize>,
}

impl PageRule {
    /// The limits of a client that introduced itself by `name`.
    #[must_use]
    pub fn limits(self, name: Option<&str>) -> ClientLimits {
        let units = match (self.size, self.output_tokens, name) {
            (PageSize::Chars(chars), _, _) => chars,
            (PageSize::Auto, Some(tokens), _) => tokens.saturating_mul(UNITS_A_TOKEN),
            (PageSize::Auto, None, Some("claude-code")) => CLAUDE_CODE_TOKENS * UNITS_A_TOKEN,
            (PageSize::Auto, None, _) => UNKNOWN_CLIENT_UNITS,
        };
        let result = units.clamp(MIN_UNITS, MAX_UNITS);
        ClientLimits { result: Budget::new(result), error: Budget::new(result.min(ERROR_UNITS)) }
    }
}

/// How much one answer to a client may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientLimits {
    result: Budget,
    error: Budget,
}

impl ClientLimits {
    /// What a result may cost, its frame included.
    #[must_use]
    pub fn result(self) -> Budget {
        self.result
    }

    /// What an error may cost, its frame included.
    #[must_use]
    pub fn error(self) -> Budget {
        self.error
    }
}
