//! How git writes a name that would not survive as it is, and how such a name is read.

use std::borrow::Cow;
use std::fmt::Write as _;

/// As git does with `core.quotePath=false`, but for bytes that are no UTF-8, which would break a text: quoted only
/// when there is a control character, a quotation mark or a backslash.
pub(crate) fn quote(name: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(name)
        && !name.iter().any(|&byte| needs_escape(byte))
    {
        return Cow::Borrowed(text);
    }
    let mut quoted = String::from("\"");
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_escaped(&mut quoted, c);
        }
        for &byte in chunk.invalid() {
            push_octal(&mut quoted, byte);
        }
    }
    quoted.push('"');
    Cow::Owned(quoted)
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f || byte == b'"' || byte == b'\\'
}

fn push_escaped(quoted: &mut String, c: char) {
    let short = match c {
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '"' | '\\' => c,
        '\0'..='\x1f' | '\x7f' => return push_octal(quoted, c as u8),
        _ => return quoted.push(c),
    };
    quoted.push('\\');
    quoted.push(short);
}

fn push_octal(quoted: &mut String, byte: u8) {
    write!(quoted, "\\{byte:03o}").expect("a string takes every text");
}

/// Reads a name that begins with a quotation mark, and gives what follows it; none when it is not well-formed.
pub(crate) fn unquote(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = text.strip_prefix(b"\"")?;
    let mut name = Vec::new();
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((name, rest)),
            b'\\' => {
                let (byte, after) = unescape(rest)?;
                name.push(byte);
                rest = after;
            }
            _ => name.push(byte),
        }
    }
}

fn unescape(text: &[u8]) -> Option<(u8, &[u8])> {
    let (&first, rest) = text.split_first()?;
    let byte = match first {
        b'a' => 0x07,
        b'b' => 0x08,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 0x0b,
        b'f' => 0x0c,
        b'r' => b'\r',
        b'"' | b'\\' => first,
        b'0'..=b'3' => {
            let digits = text.get(..3)?;
            let mut value = 0;
            for digit in digits {
                if !(b'0'..=b'7').contains(digit) {
                    return None;
                }
                value = value * 8 + (digit - b'0');
            }
            return Some((value, &text[3..]));
        }
        _ => return None,
    };
    Some((byte, rest))
}
