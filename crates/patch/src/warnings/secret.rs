//! What looks like a secret.

use std::fmt;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexSet};

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
    (SecretKind::Stripe, r"\b[sr]k_[A-Za-z0-9_-]{16}"),
    (SecretKind::OpenAi, r"\b[sr]k-[A-Za-z0-9_-]{16}"),
    (SecretKind::Slack, r"\bxox[abeoprs]-[A-Za-z0-9-]{10}"),
    (SecretKind::Google, r"\bAIza[A-Za-z0-9_-]{30}"),
    (SecretKind::Registry, r"\b(?:hf|npm)_[A-Za-z0-9]{30}"),
    (SecretKind::Jwt, r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    (SecretKind::Address, r#"://[^/?#@:"'<>\\\s]*:[^/?#@"'<>\\\s${}]{4,}@"#),
];

/// What is given to the name of a secret; the group is the value. In quotation marks, or after a variable of a shell, or
/// alone behind the name in a line of its own.
const GIVEN: &[&str] = &[
    r#"(?i:api_?key|(?:access|auth|encryption|private|secret|signing)[_-]?key|token|secret|password|passwd|passphrase|credentials?)["']?\s*(?:=>|:=|[:=])\s*["'`]([^"'`\s]{8,})["'`]"#,
    r#"\b[A-Z][A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)=([^"'`;,&()\s]{8,})"#,
    r#"^\s*(?i:[a-z0-9_.-]*(?:api_?key|token|secret|password|passwd|passphrase))\s*[:=]\s*([A-Za-z0-9+/=_-]{12,})\s*$"#,
    r#"(?i:\bbearer)\s+([A-Za-z0-9._~+/=-]{16,})"#,
];

static ALONE: LazyLock<RegexSet> = LazyLock::new(|| {
    let shapes = SHAPES.iter().map(|(_, shape)| bytes(shape));
    RegexSet::new(shapes).expect("the shapes are well-formed, as a test shows")
});
static NAMED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let shape =
        |shape| Regex::new(&bytes(shape)).expect("the shapes are well-formed, as a test shows");
    GIVEN.iter().map(|given| shape(given)).collect()
});

/// The expression for bytes that may be no UTF-8.
fn bytes(shape: &str) -> String {
    format!("(?-u:{shape})")
}

/// What a secret in a line is, if there is one.
pub(super) fn find(line: &[u8]) -> Option<SecretKind> {
    if let Some(first) = ALONE.matches(line).iter().next() {
        return Some(SHAPES[first].0);
    }
    let given = |shape: &Regex| {
        let mut values = shape.captures_iter(line).filter_map(|captures| captures.get(1));
        values.any(|value| is_random(value.as_bytes()))
    };
    NAMED.iter().any(given).then_some(SecretKind::Assigned)
}

/// Whether a value looks drawn and not written: letters and digits are mixed, and few come twice.
fn is_random(value: &[u8]) -> bool {
    const MIN_BITS_PER_BYTE: f64 = 3.0;
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    let is_plain =
        value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-+/=.~!@#%^*".contains(byte));
    is_plain
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && bits_per_byte(value) >= MIN_BITS_PER_BYTE
}

fn bits_per_byte(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    value.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    let length = value.len() as f64;
    let share = |&count: &u32| f64::from(count) / length;
    counts.iter().filter(|&&count| count > 0).map(share).map(|share| -share * share.log2()).sum()
}
