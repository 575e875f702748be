//! The size of a page of a long result: a number, or by what the client can take.

use std::ffi::OsStr;

use super::environment::Environment;
use super::kind::{Describe, FlagShape, Kind, Raw};
use super::problem::Origin;
use crate::mcp::paging::PageSize;

const AUTO: &str = "auto";
/// Fewer characters would show more frame than answer; more would end in a file at Claude Code.
const ALLOWED: std::ops::RangeInclusive<usize> = 2_000..=380_000;

/// A number of characters, or `auto`.
pub(super) struct PageChars;

impl Describe for PageChars {
    fn type_name(&self) -> &'static str {
        "integer or string"
    }

    fn allowed(&self) -> String {
        format!("`{AUTO}` or an integer from {} to {}", ALLOWED.start(), ALLOWED.end())
    }

    fn default_text(&self) -> String {
        format!("`{AUTO}`")
    }

    fn flag(&self) -> FlagShape {
        FlagShape::Once("CHARS|auto")
    }
}

impl Kind for PageChars {
    type Value = PageSize;

    fn default(&self, _environment: &Environment) -> Result<(PageSize, Origin), String> {
        Ok((PageSize::Auto, Origin::Default))
    }

    fn parse(&self, raw: &Raw, _environment: &Environment) -> Result<PageSize, String> {
        if raw.text() == Some(OsStr::new(AUTO)) {
            return Ok(PageSize::Auto);
        }
        let typed = raw.toml().and_then(toml::Value::as_integer);
        let typed = typed.and_then(|number| usize::try_from(number).ok());
        typed
            .or_else(|| raw.untyped()?.parse().ok())
            .filter(|chars| ALLOWED.contains(chars))
            .map(PageSize::Chars)
            .ok_or_else(|| self.expected(raw))
    }

    fn to_toml(&self, value: &PageSize) -> toml::Value {
        match *value {
            PageSize::Auto => toml::Value::String(AUTO.to_owned()),
            PageSize::Chars(chars) => {
                toml::Value::Integer(i64::try_from(chars).unwrap_or(i64::MAX))
            }
        }
    }
}
