//! The kind of the key `isolation`.

use super::environment::Environment;
use super::kind::{Describe, FlagShape, Kind, Raw};
use super::problem::Origin;
use crate::engine::Isolation;

const WORDS: [(&str, Isolation); 2] =
    [("shared", Isolation::Shared), ("thread", Isolation::Thread)];

/// `shared` or `thread`.
pub(super) struct IsolationWord;

impl Describe for IsolationWord {
    fn type_name(&self) -> &'static str {
        "string"
    }

    fn allowed(&self) -> String {
        "`shared` or `thread`".to_owned()
    }

    fn default_text(&self) -> String {
        "`shared`".to_owned()
    }

    fn flag(&self) -> FlagShape {
        FlagShape::Once("shared|thread")
    }
}

impl Kind for IsolationWord {
    type Value = Isolation;

    fn default(&self, _environment: &Environment) -> Result<(Isolation, Origin), String> {
        Ok((Isolation::default(), Origin::Default))
    }

    fn parse(&self, raw: &Raw, _environment: &Environment) -> Result<Isolation, String> {
        let word = raw.text().and_then(|text| text.to_str());
        let known = WORDS.into_iter().find(|(known, _)| Some(*known) == word);
        known.map(|(_, isolation)| isolation).ok_or_else(|| self.expected(raw))
    }

    fn to_toml(&self, value: &Isolation) -> toml::Value {
        let known = WORDS.into_iter().find(|(_, isolation)| isolation == value);
        toml::Value::String(known.map(|(word, _)| word.to_owned()).unwrap_or_default())
    }
}
