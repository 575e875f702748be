//! Resume tokens: what comes back is what was given, and nothing else is taken.

use codex_mcp::mcp::paging::{OutputId, ResumeToken, TokenError, TokenKey};
use proptest::prelude::*;

const TOKEN: ResumeToken = ResumeToken { output: OutputId([7; 16]), offset: 4096, page: 2 };

fn key() -> TokenKey {
    TokenKey::new(&[1; 32])
}

#[test]
fn a_token_needs_no_escaping() {
    let token = TOKEN.seal(&key());
    assert_eq!(token.len(), 82);
    assert!(token.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{token}");
}

#[test]
fn what_is_no_token_is_said_to_be_none() {
    let sealed = TOKEN.seal(&key());
    let open = |text: &str| ResumeToken::open(text, &key());
    assert_eq!(open(""), Err(TokenError::Malformed));
    assert_eq!(open("token"), Err(TokenError::Malformed));
    assert_eq!(open(&sealed[..40]), Err(TokenError::Malformed));
    assert_eq!(open(&format!("{sealed}AAAA")), Err(TokenError::Malformed));
    assert_eq!(open(&sealed.replacen('A', "C", 1)), Err(TokenError::Version(9)));
    // Blanks around it are a matter of copying.
    assert_eq!(open(&format!(" {sealed}\n")), Ok(TOKEN));
}

#[test]
fn a_token_of_another_state_directory_is_refused() {
    let other = TokenKey::new(&[2; 32]);
    assert_eq!(ResumeToken::open(&TOKEN.seal(&other), &key()), Err(TokenError::Forged));
}

#[test]
fn a_key_does_not_show_itself() {
    assert_eq!(format!("{:?}", key()), "TokenKey");
}

proptest! {
    #[test]
    fn a_token_comes_back(id: [u8; 16], offset: u64, page: u32) {
        let token = ResumeToken { output: OutputId(id), offset, page };
        prop_assert_eq!(ResumeToken::open(&token.seal(&key()), &key()), Ok(token));
        prop_assert_eq!(token.output.to_string().parse(), Ok(token.output));
    }

    #[test]
    fn a_changed_token_is_refused(at in 0usize..82, to in "[A-Za-z0-9_-]") {
        let sealed = TOKEN.seal(&key());
        let mut changed = sealed.clone();
        changed.replace_range(at..=at, &to);
        prop_assume!(changed != sealed);
        prop_assert!(ResumeToken::open(&changed, &key()).is_err());
    }

    #[test]
    fn anything_can_be_tried(text: String) {
        prop_assert!(ResumeToken::open(&text, &key()).is_err());
        prop_assert!(text.parse::<OutputId>().is_err() || text.len() == 32);
    }
}
