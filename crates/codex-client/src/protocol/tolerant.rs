//! Decoding that survives change: unknown kinds are kept raw, and a field of an unexpected type is
//! treated as absent rather than losing the message around it.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use serde_path_to_error::{Path, Segment};

/// How many fields of one value may be dropped before it counts as unreadable.
const MAX_REPAIRS: usize = 8;

/// A value of a kind that this version does not know, or cannot read.
#[derive(Debug, Clone)]
pub struct Unrecognised {
    /// Its `type`; empty if it has none.
    pub kind: String,
    /// All of it.
    pub raw: Box<RawValue>,
}

impl Serialize for Unrecognised {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw.serialize(serializer)
    }
}

/// Reads a value. Where a field has an unexpected type, the field is dropped, as if Codex had not sent
/// it; where it cannot be done without, so is what contains it.
///
/// # Errors
/// The first error, when nothing that could be read is left.
pub fn decode<T: DeserializeOwned>(raw: &RawValue) -> Result<T, serde_json::Error> {
    serde_json::from_str(raw.get()).or_else(|error| repair(raw).ok_or(error))
}

fn repair<T: DeserializeOwned>(raw: &RawValue) -> Option<T> {
    let mut value: Value = serde_json::from_str(raw.get()).ok()?;
    for _ in 0..MAX_REPAIRS {
        match serde_path_to_error::deserialize(&value) {
            Ok(read) => return Some(read),
            Err(error) => {
                tracing::debug!(%error, "left out what cannot be read");
                remove(&mut value, error.path())?;
            }
        }
    }
    None
}

/// Removes what `path` leads to; `None` when that is the whole value.
fn remove(value: &mut Value, path: &Path) -> Option<()> {
    let segments: Vec<_> = path.iter().collect();
    let (last, parents) = segments.split_last()?;
    let mut parent = value;
    for segment in parents {
        parent = match segment {
            Segment::Map { key } => parent.get_mut(key)?,
            Segment::Seq { index } => parent.get_mut(index)?,
            Segment::Enum { .. } | Segment::Unknown => return None,
        };
    }
    match (last, parent) {
        (Segment::Map { key }, Value::Object(fields)) => fields.remove(key).map(drop),
        (Segment::Seq { index }, Value::Array(items)) if *index < items.len() => {
            items.remove(*index);
            Some(())
        }
        (
            Segment::Map { .. } | Segment::Seq { .. } | Segment::Enum { .. } | Segment::Unknown,
            _,
        ) => None,
    }
}

/// The `type` of a tagged value.
pub(super) fn kind_of(raw: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Tag<'a> {
        #[serde(rename = "type", borrow)]
        kind: Cow<'a, str>,
    }
    serde_json::from_str::<Tag<'_>>(raw.get()).map(|tag| tag.kind.into_owned()).unwrap_or_default()
}

/// An enum over strings, with `Other` for those that are not known.
macro_rules! open_string {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$doc])* $variant,)+
            /// One that is not known here.
            Other(String),
        }

        impl $name {
            /// As on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$variant,)+
                    _ => Self::Other(text),
                }
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }
    };
}
pub(super) use open_string;

/// An enum over objects told apart by `type`, with `Other` for those that are not known or cannot be
/// read. Each variant holds a struct, which tolerates on its own what is wrong inside it.
macro_rules! open_tagged {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $kind:literal => $variant:ident($body:ty),)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, serde::Serialize)]
        #[serde(tag = "type")]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $kind)] $variant($body),)+
            /// One that is not known here.
            #[serde(untagged)]
            Other($crate::protocol::Unrecognised),
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let raw = <Box<serde_json::value::RawValue>>::deserialize(deserializer)?;
                let kind = $crate::protocol::tolerant::kind_of(&raw);
                let known = match kind.as_str() {
                    $($kind => $crate::protocol::decode(&raw).map(Self::$variant).ok(),)+
                    _ => None,
                };
                Ok(known.unwrap_or(Self::Other($crate::protocol::Unrecognised { kind, raw })))
            }
        }
    };
}
pub(super) use open_tagged;
