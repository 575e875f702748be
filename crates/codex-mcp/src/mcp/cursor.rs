//! Where the next page of a list begins, as a text that a client gives back. It is no secret, and one that somebody made
//! up only begins elsewhere in what the client may see anyway.

use bridge_store::Cursor;
use data_encoding::BASE64URL_NOPAD;

use crate::error::Problem;

/// The longest cursor, in bytes; every one of ours is shorter.
const MAX: usize = 600;

pub(super) fn write(cursor: &Cursor) -> String {
    BASE64URL_NOPAD.encode(format!("{} {}", cursor.key, cursor.id).as_bytes())
}

/// Reads a cursor.
///
/// # Errors
/// It is none of ours.
pub(super) fn read(text: &str) -> Result<Cursor, Problem> {
    let known = || {
        let bytes = (text.len() <= MAX).then(|| BASE64URL_NOPAD.decode(text.trim().as_bytes()))?;
        let decoded = String::from_utf8(bytes.ok()?).ok()?;
        let (key, id) = decoded.split_once(' ')?;
        Some(Cursor { key: key.parse().ok()?, id: id.to_owned() })
    };
    known().ok_or_else(|| Problem::argument_text("cursor", text, "a `nextCursor` of this list"))
}

#[cfg(test)]
mod tests {
    use bridge_store::Cursor;

    use super::{read, write};

    #[test]
    fn a_cursor_comes_back() {
        let cursor = Cursor { key: -3, id: "01 x/é".to_owned() };
        assert_eq!(read(&write(&cursor)), Ok(cursor));
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "x", "%%%", "MQ", "eCB5", "MSB\u{e9}"] {
            let problem = read(text).expect_err(text);
            assert!(problem.message.starts_with("argument `cursor`: "), "{problem}");
        }
        assert!(read(&"MSB5".repeat(200)).is_err());
    }
}
