//! Takes secrets out of what is kept, logged, traced and told in errors.
//!
//! A secret is known by its value, where a variable holds it whose name says so, or by its shape. The log, the trace
//! and the errors lose everything that looks like one ([`text`]). What the user and the model say to each other, and
//! the whole of long results, lose only what cannot be anything else ([`certain`], [`masked`]), and only on disk: their
//! own client gets them as they are. Diffs are never touched, or they would not apply any more.
//!
//! What is known by value is of the whole process, because the log is: a client's key is as secret in the turn of
//! another.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{LazyLock, PoisonError, RwLock};

use regex::Regex;

use crate::config::Config;

/// What stands in the place of a secret.
pub(crate) const MARK: &str = "[redacted]";
/// A shorter value is no secret: it would be found in every other line.
const MIN_CHARS: usize = 8;
/// How many values are known at most; the oldest are forgotten first.
const MAX_VALUES: usize = 1024;

// No upper bounds: they make the expressions slow to build, and every expression searches in linear time without them.

/// Shapes that are nothing but secrets. The first group, where there is one, is the secret; else it is all of it.
const CERTAIN: &[&str] = &[
    // OpenAI, Anthropic, Stripe.
    r"(?-u:\b)[sr]k[-_][A-Za-z0-9_-]{16,}",
    // GitHub, GitLab, Hugging Face, npm, Google.
    r"(?-u:\b)gh[opsur]_[A-Za-z0-9]{20,}",
    r"(?-u:\b)github_pat_[A-Za-z0-9_]{20,}",
    r"(?-u:\b)glpat-[A-Za-z0-9_-]{16,}",
    r"(?-u:\b)(?:hf|npm)_[A-Za-z0-9]{30,}",
    r"(?-u:\b)AIza[A-Za-z0-9_-]{30,}",
    // Slack.
    r"(?-u:\b)xox[abeoprs]-[A-Za-z0-9-]{10,}",
    // Amazon's ids of keys.
    r"(?-u:\b)A[KS]IA[A-Z0-9]{16}(?-u:\b)",
    // JSON Web Tokens.
    r"(?-u:\b)eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    // Private keys, also one that was cut, on either side.
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----((?s:.)*?)(?:-----END|\z)",
    r"((?:[A-Za-z0-9+/=]{16,}(?:\\n|[ \t\r\n])+)*[A-Za-z0-9+/=]+)(?:\\n|[ \t\r\n])*-----END [A-Z0-9 ]*PRIVATE KEY-----",
];

/// Shapes that are secrets more often than not.
const LIKELY: &[&str] = &[
    r#"(?i-u:\bbearer)[ ]+([A-Za-z0-9._~+/=-]{16,})"#,
    r#"(?i-u:\bauthorization)\\?["']?[ ]*[:=][ ]*\\?["']?(?i-u:[a-z]+)[ ]+([A-Za-z0-9._~+/=-]{8,})"#,
    r#"://[^/?#@:"'<>\\ \t\r\n]*:([^/?#@"'<>\\ \t\r\n]+)@"#,
    r#"(?i-u:(?:api[_-]?key|token|secret|secret[_-]?key|password|passwd|passphrase))\\?["']?[ ]*[:=][ ]*\\?["']?([^"'\\,;& \t\r\n]{8,})"#,
    r#"(?-u:\b)[A-Z][A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)=["']?([^"'\\;& \t\r\n]{8,})"#,
];

static CERTAIN_SHAPES: LazyLock<Regex> = LazyLock::new(|| any_of(CERTAIN, &[]));
static ALL_SHAPES: LazyLock<Regex> = LazyLock::new(|| any_of(CERTAIN, LIKELY));
static VALUES: RwLock<Vec<Box<str>>> = RwLock::new(Vec::new());

/// Remembers the secrets of a client's environment for as long as the process lives.
pub fn learn(config: &Config) {
    for secret in config.secrets() {
        learn_value(secret);
        // How it looks inside JSON.
        let quoted = serde_json::Value::from(secret).to_string();
        learn_value(quoted.trim_matches('"'));
    }
}

fn learn_value(value: &str) {
    let mut values = VALUES.write().unwrap_or_else(PoisonError::into_inner);
    if value.chars().count() < MIN_CHARS || values.iter().any(|known| &**known == value) {
        return;
    }
    if values.len() == MAX_VALUES {
        values.remove(0);
    }
    values.push(value.into());
}

/// For the log, the trace, errors, and what Codex does: without anything that looks like a secret.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    replace(text, &ALL_SHAPES, &|_| MARK.into())
}

/// For words that are kept: without what is certainly a secret.
#[must_use]
pub fn certain(text: &str) -> Cow<'_, str> {
    replace(text, &CERTAIN_SHAPES, &|_| MARK.into())
}

/// The same for a text into which others point: as long as it was, in bytes.
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    replace(text, &CERTAIN_SHAPES, &|bytes| "*".repeat(bytes).into())
}

/// The beginning of what [`text`] makes of a text, of so many characters. Cut first, half a secret would have no shape.
#[must_use]
pub(crate) fn shortened(text: &str, chars: usize) -> String {
    self::text(text).chars().take(chars).collect()
}

/// How far around the place of a cut secrets are looked for, in bytes.
const CUT_WINDOW: usize = 8 << 10;

/// The first place from `from` on where a text can begin anew without the end of a secret that is known or has a shape:
/// what would tell that it is one may stand before it.
#[must_use]
pub(crate) fn after_secrets(text: &str, from: usize) -> usize {
    let from = text.ceil_char_boundary(from);
    let start = text.floor_char_boundary(from.saturating_sub(CUT_WINDOW));
    let end = text.ceil_char_boundary(from.saturating_add(CUT_WINDOW));
    let near = &text[start..end];
    let shapes = ALL_SHAPES.find_iter(near).map(|found| found.range());
    let values = VALUES.read().unwrap_or_else(PoisonError::into_inner);
    let values = values
        .iter()
        .flat_map(|value| near.match_indices(&**value).map(|(at, value)| at..at + value.len()));
    let at = from - start;
    let cut = shapes.chain(values).filter(|found| found.start < at && at < found.end);
    start + cut.map(|found| found.end).max().unwrap_or(at)
}

fn any_of(shapes: &[&str], more: &[&str]) -> Regex {
    let shapes: Vec<_> = shapes.iter().chain(more).map(|shape| format!("(?:{shape})")).collect();
    Regex::new(&shapes.join("|")).expect("the shapes are regular expressions, as a test shows")
}

fn replace<'a>(
    text: &'a str,
    shapes: &Regex,
    mark: &dyn Fn(usize) -> Cow<'static, str>,
) -> Cow<'a, str> {
    let secrets = find(text, shapes);
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut from = 0;
    for secret in secrets {
        clean.push_str(&text[from..secret.start]);
        clean.push_str(&mark(secret.len()));
        from = secret.end;
    }
    clean.push_str(&text[from..]);
    Cow::Owned(clean)
}

/// Where secrets stand: in order, apart from each other.
fn find(text: &str, shapes: &Regex) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for captures in shapes.captures_iter(text) {
        let group = captures.iter().skip(1).flatten().next();
        found.extend(group.or_else(|| captures.get(0)).map(|secret| secret.range()));
    }
    for value in VALUES.read().unwrap_or_else(PoisonError::into_inner).iter() {
        found.extend(text.match_indices(&**value).map(|(at, value)| at..at + value.len()));
    }
    found.sort_by_key(|secret| secret.start);
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for secret in found {
        match apart.last_mut() {
            Some(last) if secret.start < last.end => last.end = last.end.max(secret.end),
            Some(_) | None => apart.push(secret),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::{CERTAIN, LIKELY, after_secrets, certain, learn_value, masked, shortened, text};

    /// What is written, and what is left of it in a log and on disk.
    const CASES: &[[&str; 3]] = &[
        ["nothing here", "nothing here", "nothing here"],
        ["key sk-abcdefghij0123456789.", "key [redacted].", "key [redacted]."],
        ["sk-ant-api03-abc_def-0123456789", "[redacted]", "[redacted]"],
        [
            "a risk-free task-list_of_sixteen",
            "a risk-free task-list_of_sixteen",
            "a risk-free task-list_of_sixteen",
        ],
        ["ghp_0123456789abcdefghijABCDEFGHIJ012345", "[redacted]", "[redacted]"],
        ["github_pat_11ABCDEFG0123456789_abcdef", "[redacted]", "[redacted]"],
        ["glpat-abcdefghij0123456789", "[redacted]", "[redacted]"],
        ["xoxb-123456789012-abcdefghij", "[redacted]", "[redacted]"],
        ["id AKIAIOSFODNN7EXAMPLE of", "id [redacted] of", "id [redacted] of"],
        [
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3.SflKxwRJSMeKKF2QT4",
            "[redacted]",
            "[redacted]",
        ],
        [
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nmore",
            "-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----\nmore",
            "-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----\nmore",
        ],
        [
            "-----BEGIN PRIVATE KEY-----\\nMIIE",
            "-----BEGIN PRIVATE KEY-----[redacted]",
            "-----BEGIN PRIVATE KEY-----[redacted]",
        ],
        [
            "MIIEowIBAAKCAQEA1234\nabcd==\n-----END PRIVATE KEY-----\nmore",
            "[redacted]\n-----END PRIVATE KEY-----\nmore",
            "[redacted]\n-----END PRIVATE KEY-----\nmore",
        ],
        [
            "Authorization: Bearer abcdefgh.ijklmnop",
            "Authorization: Bearer [redacted]",
            "Authorization: Bearer abcdefgh.ijklmnop",
        ],
        [
            "authorization: basic dXNlcjpwYXNz",
            "authorization: basic [redacted]",
            "authorization: basic dXNlcjpwYXNz",
        ],
        [
            "bearer authentication is used",
            "bearer authentication is used",
            "bearer authentication is used",
        ],
        [
            "https://me:hunter2@example.com/a:b@c",
            "https://me:[redacted]@example.com/a:b@c",
            "https://me:hunter2@example.com/a:b@c",
        ],
        [
            "https://example.com:8080/a@b",
            "https://example.com:8080/a@b",
            "https://example.com:8080/a@b",
        ],
        ["?api_key=abcdefgh1&x=1", "?api_key=[redacted]&x=1", "?api_key=abcdefgh1&x=1"],
        [
            r#"{"api-key": "abcdefgh1"}"#,
            r#"{"api-key": "[redacted]"}"#,
            r#"{"api-key": "abcdefgh1"}"#,
        ],
        [
            r#"{\"password\":\"abcdefgh1\"}"#,
            r#"{\"password\":\"[redacted]\"}"#,
            r#"{\"password\":\"abcdefgh1\"}"#,
        ],
        ["DB_PASSWORD='correct-horse'", "DB_PASSWORD='[redacted]'", "DB_PASSWORD='correct-horse'"],
        [
            "password: String, token: Token",
            "password: String, token: Token",
            "password: String, token: Token",
        ],
        [
            "known-by-its-value and known-by-its-value",
            "[redacted] and [redacted]",
            "[redacted] and [redacted]",
        ],
    ];

    /// The program is built without the tables of Unicode, which the tests' own dependencies bring along.
    #[test]
    fn no_shape_needs_the_tables_of_unicode() {
        for shape in CERTAIN.iter().chain(LIKELY) {
            let plain = shape.replace(r"(?-u:\b)", "").replace(r"(?i-u:\b", "");
            for class in [r"\b", r"\d", r"\s", r"\w", r"\p", "(?i)"] {
                assert!(!plain.contains(class), "{shape} has {class}");
            }
        }
    }

    #[test]
    fn secrets_are_found_by_value_and_by_shape() {
        learn_value("known-by-its-value");
        learn_value("short");
        for [written, logged, kept] in CASES {
            assert_eq!(text(written), *logged);
            assert_eq!(certain(written), *kept);
            assert_eq!(masked(written).len(), written.len());
        }
        assert_eq!(text("a short one"), "a short one");
        assert_eq!(masked("é sk-abcdefghij0123456789 é"), "é *********************** é");
    }

    /// Where secrets stand, and what nobody may see of them.
    const SECRETS: &[(&str, &str)] = &[
        ("sk-QWERTZUIOP0123456789", "QWERTZUIOP0123456789"),
        ("Authorization: Basic QWERTZUIOP0123456789", "QWERTZUIOP0123456789"),
        ("password=QWERTZUIOP0123456789", "QWERTZUIOP0123456789"),
        (r#"{\"token\": \"QWERTZUIOP0123456789\"}"#, "QWERTZUIOP0123456789"),
        ("postgres://me:QWERTZUIOP0123456789@host/db", "QWERTZUIOP0123456789"),
        (
            "-----BEGIN PRIVATE KEY-----\nQWERTZUIOP0123456789\n-----END PRIVATE KEY-----",
            "QWERTZUIOP0123456789",
        ),
        ("QWERTZUIOP-known-by-its-value", "QWERTZUIOP-known-by-its-value"),
    ];
    /// So much of a secret tells nothing.
    const HARMLESS: usize = 4;

    fn shows(text: &str, secret: &str) -> bool {
        (0..=secret.len() - HARMLESS).any(|at| text.contains(&secret[at..at + HARMLESS]))
    }

    proptest! {
        /// Wherever a text is cut, no part of a secret is left: of its beginning, and of its end.
        #[test]
        fn a_cut_leaves_no_half_of_a_secret(
            before in "[a-z é]{0,40}",
            (written, secret) in select(SECRETS),
            after in "[a-z é]{0,40}",
            cut in 0_usize..150,
        ) {
            learn_value("QWERTZUIOP-known-by-its-value");
            let whole = format!("{before} {written} {after}");
            let beginning = shortened(&whole, cut);
            prop_assert!(!shows(&beginning, secret), "{beginning}");
            let end = &whole[after_secrets(&whole, cut.min(whole.len()))..];
            let end = text(end);
            prop_assert!(!shows(&end, secret), "{end}");
        }
    }
}
