//! Finds the id of a request in the two ends of a line that is too long to be read.
//!
//! Clients write the id either before the params or last. It never guesses: an id inside the params, or one
//! that is cut, is not taken.

use std::fmt;

use memchr::memmem;
use rmcp::model::RequestId;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

/// The id of the message that starts with `head` and ends with `tail`, where one of them shows it.
pub(super) fn find_id(head: &[u8], tail: &[u8]) -> Option<RequestId> {
    id_at_start(head).or_else(|| id_at_end(tail))
}

/// Reads the members of the outermost object up to the id. The end of the head is an error for the parser,
/// so what the visitor has found by then is all that counts.
fn id_at_start(head: &[u8]) -> Option<RequestId> {
    let mut found = None;
    let _cut = serde_json::Deserializer::from_slice(head).deserialize_map(IdVisitor(&mut found));
    found
}

/// `… "id": 7}` at the very end: the last brace closes the message, so the id before it is the message's.
fn id_at_end(tail: &[u8]) -> Option<RequestId> {
    let members = tail.trim_ascii_end().strip_suffix(b"}")?;
    let key = memmem::rfind(members, br#""id""#)?;
    let value = members[key + br#""id""#.len()..].trim_ascii_start();
    serde_json::from_slice(value.strip_prefix(b":")?).ok()
}

struct IdVisitor<'a>(&'a mut Option<RequestId>);

impl<'de> Visitor<'de> for IdVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON-RPC message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key::<String>()? {
            if key == "id" {
                let id = members.next_value()?;
                // A number that is followed by nothing may have been cut.
                members.next_key::<IgnoredAny>()?;
                *self.0 = Some(id);
                return Ok(());
            }
            members.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}
