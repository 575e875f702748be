//! Long texts in pages: where to cut them, how large a page may be for a client, and how a client asks for the next.
//!
//! Everything here is a function of its arguments: no text is kept ([`outputs`](super::outputs) does that), nothing is
//! sent, no clock is read. The pages of a text, one after the other, are the text, byte for byte.

mod boundary;
mod limits;
mod split;
mod token;

use crate::image::ImageFormat;

pub use limits::{ClientLimits, PageRule, PageSize};
pub use split::split;
pub use token::{OutputId, ResumeToken, TokenError, TokenKey};

/// What a text is, which decides where a reader would cut it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Prose, such as an answer of Codex.
    Markdown,
    /// A unified diff.
    Diff,
    /// The output of commands and tests.
    Log,
    /// JSON, a value a line.
    Json,
    /// An image, in base64. It has no pages.
    Image(ImageFormat),
    /// A program.
    Code,
}

impl Kind {
    /// The word under which it is kept.
    pub(in crate::mcp) const fn name(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Diff => "diff",
            Self::Log => "log",
            Self::Json => "json",
            Self::Image(format) => format.mime(),
            Self::Code => "code",
        }
    }

    /// The kind of this word; what a later version may add is plain text here.
    pub(in crate::mcp) fn of_name(name: &str) -> Self {
        let known = [Self::Markdown, Self::Diff, Self::Log, Self::Json, Self::Code];
        let image = || ImageFormat::of_mime(name).map(Self::Image);
        known.into_iter().find(|kind| kind.name() == name).or_else(image).unwrap_or(Self::Log)
    }

    /// Its media type.
    #[must_use]
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Markdown => "text/markdown",
            Self::Diff => "text/x-diff",
            Self::Log | Self::Code => "text/plain",
            Self::Json => "application/json",
            Self::Image(format) => format.mime(),
        }
    }
}

/// How much a page may cost a client.
///
/// The unit is a quarter of a token, estimated: a character costs its bytes as they stand in a JSON string, and one
/// from U+2E80 on (Chinese, Japanese, Korean, emoji) costs four, because models spend about a token on it. So a cost
/// is never less than the number of bytes, nor than the number of characters that a client counts in our JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Budget(usize);

impl Budget {
    /// The smallest page, so that every page has room for text and each call gets on.
    pub const MIN: Self = Self(64);

    /// A budget of so many units, or [`Budget::MIN`] if that is more.
    #[must_use]
    pub const fn new(units: usize) -> Self {
        if units < Self::MIN.0 { Self::MIN } else { Self(units) }
    }

    /// The budget in units.
    #[must_use]
    pub const fn units(self) -> usize {
        self.0
    }

    /// How many bytes of a text [`split`] has to see, at least, to find a page's end as if it saw the whole text.
    #[must_use]
    pub const fn window(self) -> usize {
        self.0 + LOOKAHEAD
    }
}

/// Room for the first character that does not fit and for what rounding to whole characters takes away.
const LOOKAHEAD: usize = 8;

/// What a text costs, in the unit of [`Budget`].
#[must_use]
pub fn cost(text: &str) -> usize {
    text.chars().map(cost_of).sum()
}

/// What a character costs: see [`Budget`].
fn cost_of(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        '\u{2e80}'.. => 4,
        _ => character.len_utf8(),
    }
}
