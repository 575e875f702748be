//! Whole numbers within a range: counts and lengths of time.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::environment::Environment;
use super::kind::{Describe, FlagShape, Kind, Raw};
use super::problem::Origin;

/// A whole number within a range, which becomes a `T`.
pub(super) struct Number<T> {
    default: u64,
    allowed: RangeInclusive<u64>,
    unit: &'static str,
    zero: &'static str,
    from_u64: fn(u64) -> T,
    to_u64: fn(&T) -> u64,
}

/// A number of things: `unit` is their name, in capitals.
pub(super) fn count(
    unit: &'static str,
    default: u64,
    allowed: RangeInclusive<u64>,
) -> Number<usize> {
    Number {
        default,
        allowed,
        unit,
        zero: "",
        // Ranges end far below 2^32, so neither direction loses anything.
        from_u64: |number| usize::try_from(number).unwrap_or(usize::MAX),
        to_u64: |number| *number as u64,
    }
}

/// A length of time.
pub(super) fn seconds(default: u64, allowed: RangeInclusive<u64>) -> Number<Duration> {
    Number {
        default,
        allowed,
        unit: "SECONDS",
        zero: "",
        from_u64: Duration::from_secs,
        to_u64: Duration::as_secs,
    }
}

/// A length of time up to `longest`, or 0 for none.
pub(super) fn seconds_or_never(default: u64, longest: u64) -> Number<Option<Duration>> {
    Number {
        default,
        allowed: 0..=longest,
        unit: "SECONDS",
        zero: " (0 is never)",
        from_u64: |number| (number > 0).then_some(Duration::from_secs(number)),
        to_u64: |time| time.map_or(0, |time| time.as_secs()),
    }
}

impl<T> Describe for Number<T> {
    fn type_name(&self) -> &'static str {
        "integer"
    }

    fn allowed(&self) -> String {
        let (min, max) = (self.allowed.start(), self.allowed.end());
        format!("an integer from {min} to {max}{}", self.zero)
    }

    fn default_text(&self) -> String {
        format!("`{}`", self.default)
    }

    fn flag(&self) -> FlagShape {
        FlagShape::Once(self.unit)
    }
}

impl<T> Kind for Number<T> {
    type Value = T;

    fn default(&self, _environment: &Environment) -> Result<(T, Origin), String> {
        Ok(((self.from_u64)(self.default), Origin::Default))
    }

    fn parse(&self, raw: &Raw, _environment: &Environment) -> Result<T, String> {
        let typed = raw
            .toml()
            .and_then(toml::Value::as_integer)
            .and_then(|number| u64::try_from(number).ok());
        typed
            .or_else(|| raw.untyped()?.parse().ok())
            .filter(|number| self.allowed.contains(number))
            .map(self.from_u64)
            .ok_or_else(|| self.expected(raw))
    }

    fn to_toml(&self, value: &T) -> toml::Value {
        let number = i64::try_from((self.to_u64)(value)).unwrap_or(i64::MAX);
        toml::Value::Integer(number)
    }
}
