//! Keeps what is told of an error short, whatever was given: a client cuts long errors, and its remedy comes last.

use crate::redact;

/// How much of the beginning and of the end of a long text is shown, in characters.
const HEAD: usize = 3_000;
const TAIL: usize = 1_000;

/// A text without secrets, and with its middle left out if it is long.
pub(crate) fn brief(text: String) -> String {
    // First, for half a secret would have no shape.
    let text = redact::text(&text).into_owned();
    match ends(&text, HEAD, TAIL) {
        Some((head, left_out, tail)) => format!("{head} [{left_out} characters left out] {tail}"),
        None => text,
    }
}

/// The beginning and the end of a text, of so many characters each, and how many stand between them; `None` if none do.
pub(crate) fn ends(text: &str, head: usize, tail: usize) -> Option<(&str, usize, &str)> {
    // Bytes are an upper bound for characters, and cheap.
    if text.len() <= head + tail {
        return None;
    }
    let (head, _) = text.char_indices().nth(head)?;
    let (tail, _) = text.char_indices().nth_back(tail.checked_sub(1)?)?;
    (head < tail).then(|| (&text[..head], text[head..tail].chars().count(), &text[tail..]))
}

#[cfg(test)]
mod tests {
    use super::brief;

    #[test]
    fn only_the_middle_of_a_long_text_is_left_out() {
        for count in [0, 1, 3_999, 4_000] {
            let text = "é".repeat(count);
            assert_eq!(brief(text.clone()), text);
        }
        let text = format!("{}{}{}", "a".repeat(3_000), "é".repeat(7), "z".repeat(1_000));
        let expected =
            format!("{} [7 characters left out] {}", "a".repeat(3_000), "z".repeat(1_000));
        assert_eq!(brief(text), expected);
    }
}
