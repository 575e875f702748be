//! An argument array: a list of words of which none is taken apart.

use super::environment::Environment;
use super::kind::{Describe, FlagShape, Kind, Raw};
use super::problem::Origin;

/// A program and its arguments; nothing unless set.
pub(super) struct Words;

impl Describe for Words {
    fn type_name(&self) -> &'static str {
        "list of strings"
    }

    fn allowed(&self) -> String {
        "a program and its arguments, without NUL bytes".to_owned()
    }

    fn default_text(&self) -> String {
        "none".to_owned()
    }

    fn flag(&self) -> FlagShape {
        FlagShape::Repeatable("WORD")
    }
}

impl Kind for Words {
    type Value = Vec<String>;

    fn default(&self, _environment: &Environment) -> Result<(Vec<String>, Origin), String> {
        Ok((Vec::new(), Origin::Default))
    }

    fn parse(&self, raw: &Raw, _environment: &Environment) -> Result<Vec<String>, String> {
        let words: Option<Vec<String>> = match raw {
            Raw::Toml(value) => value.as_array().and_then(|items| {
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
            }),
            Raw::Variable(text) => {
                text.to_str().and_then(|text| match text.trim_start().starts_with('[') {
                    true => serde_json::from_str(text).ok(),
                    false => Some(text.split_whitespace().map(str::to_owned).collect()),
                })
            }
            Raw::Flag(texts) => texts.iter().map(|text| text.to_str().map(str::to_owned)).collect(),
        };
        let is_command = |words: &Vec<String>| {
            words.first().is_none_or(|program| !program.is_empty())
                && words.iter().all(|word| !word.contains('\0'))
        };
        words.filter(is_command).ok_or_else(|| self.expected(raw))
    }

    fn to_toml(&self, value: &Vec<String>) -> toml::Value {
        value.clone().into()
    }
}
