//! What looks like a secret.

use std::fmt;
use std::sync::LazyLock;

use regex::bytes::Regex;

/// What kind of secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretKind {
    /// The beginning of a private key.
    PrivateKey,
    /// The id of a key at Amazon.
    Aws,
    /// A token of GitHub.
    GitHub,
    /// A token of GitLab.
    GitLab,
    /// A key of Anthropic.
    Anthropic,
    /// A key of OpenAI, or of who writes theirs in the same way.
    OpenAi,
    /// A key of Stripe.
    Stripe,
    /// A token of Slack.
    Slack,
    /// A key of Google.
    Google,
    /// A token of Hugging Face or npm.
    Registry,
    /// A signed token.
    Jwt,
    /// A password in an address.
    Address,
    /// A value that is given to a name such as `password`, and looks random.
    Assigned,
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PrivateKey => "a private key",
            Self::Aws => "a key of Amazon Web Services",
            Self::GitHub => "a token of GitHub",
            Self::GitLab => "a token of GitLab",
            Self::Anthropic => "a key of Anthropic",
            Self::OpenAi => "a key of OpenAI",
            Self::Stripe => "a key of Stripe",
            Self::Slack => "a token of Slack",
            Self::Google => "a key of Google",
            Self::Registry => "a token of a package or model registry",
            Self::Jwt => "a signed token",
            Self::Address => "a password in an address",
            Self::Assigned => "a password, a token or a secret",
        })
    }
}

/// Each shape alone is a secret. The more special stand first.
const SHAPES: &[(SecretKind, &str)] = &[
    (SecretKind::PrivateKey, r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----"),
    (SecretKind::Aws, r"\bA[KS]IA[A-Z0-9]{16}\b"),
    (SecretKind::GitHub, r"\b(?:gh[opsur]_[A-Za-z0-9]{20}|github_pat_[A-Za-z0-9_]{20})"),
    (SecretKind::GitLab, r"\bglpat-[A-Za-z0-9_-]{16}"),
    (SecretKind::Anthropic, r"\bsk-ant-[A-Za-z0-9_-]{16}"),
    (SecretKind::Stripe, r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{16}"),
    (SecretKind::OpenAi, r"\bsk-[A-Za-z0-9_-]{16}"),
    (SecretKind::Slack, r"\bxox[abeoprs]-[A-Za-z0-9-]{10}"),
    (SecretKind::Google, r"\bAIza[A-Za-z0-9_-]{30}"),
    (SecretKind::Registry, r"\b(?:hf|npm)_[A-Za-z0-9]{30}"),
    (SecretKind::Jwt, r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    (SecretKind::Address, r#"://[^/?#@:"'<>\\\s]*:[^/?#@"'<>\\\s${}]{4,}@"#),
];

/// A name of a secret and what it is given. The group is the value.
const ASSIGNED: &str = r#"(?i:api[_-]?key|token|secret|secret[_-]?key|password|passwd|passphrase|credentials?)["']?\s*(?::=|=>|[:=])\s*["'`]?([^"'`,;&\s]{8,})"#;

static ALONE: LazyLock<Vec<(SecretKind, Regex)>> =
    LazyLock::new(|| SHAPES.iter().map(|&(kind, shape)| (kind, regex(shape))).collect());
static GIVEN: LazyLock<Regex> = LazyLock::new(|| regex(ASSIGNED));

fn regex(shape: &str) -> Regex {
    Regex::new(&format!("(?-u:{shape})")).expect("the shape is well-formed, as a test shows")
}

/// What a secret in a line is, if there is one.
pub(super) fn find(line: &[u8]) -> Option<SecretKind> {
    if let Some((kind, _)) = ALONE.iter().find(|(_, shape)| shape.is_match(line)) {
        return Some(*kind);
    }
    let mut given = GIVEN.captures_iter(line).filter_map(|captures| captures.get(1));
    given.any(|value| is_random(value.as_bytes())).then_some(SecretKind::Assigned)
}

/// Whether a value looks drawn and not written: it mixes letters and digits and has much information for its length.
fn is_random(value: &[u8]) -> bool {
    const MIN_BITS: f64 = 3.0;
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    let is_plain =
        value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-+/=.~!@#%^*".contains(byte));
    is_plain
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && bits_per_byte(value) >= MIN_BITS
}

fn bits_per_byte(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    value.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    let length = value.len() as f64;
    let share = |&count: &u32| f64::from(count) / length;
    counts.iter().filter(|&&count| count > 0).map(share).map(|share| -share * share.log2()).sum()
}
