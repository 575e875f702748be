//! What is kept of long results, and for how long; and how much a client is shown at once.

use codex_mcp::mcp::outputs::{KeepError, NewOutput, Outputs, SliceError};
use codex_mcp::mcp::paging::{Kind, PageRule, PageSize};

fn output(text: &str) -> NewOutput {
    NewOutput {
        text: text.to_owned(),
        kind: Kind::Log,
        thread: Some("thread".to_owned()),
        turn: None,
    }
}

#[tokio::test]
async fn a_slice_has_whole_characters() {
    let outputs = Outputs::in_memory(100).unwrap();
    let id = outputs.keep(output("aé中")).await.unwrap();
    for (offset, max, expected) in
        [(0, 100, "aé中"), (0, 2, "a"), (1, 2, "é"), (3, 2, ""), (3, 3, "中"), (6, 9, "")]
    {
        let slice = outputs.slice(id, offset, max).await.unwrap();
        assert_eq!((slice.text.as_str(), slice.total_bytes), (expected, 6), "{offset} {max}");
    }
    for offset in [2, 7, usize::MAX] {
        let refused = outputs.slice(id, offset, 9).await.unwrap_err();
        assert_eq!(refused, SliceError::Offset { id, offset });
    }
}

#[tokio::test]
async fn the_one_that_was_not_used_for_longest_makes_room() {
    let outputs = Outputs::in_memory(10).unwrap();
    let old = outputs.keep(output("12345")).await.unwrap();
    let unused = outputs.keep(output("67890")).await.unwrap();
    assert_eq!(outputs.keep(output("12345")).await.unwrap(), old, "the same text keeps its name");
    let new = outputs.keep(output("abcde")).await.unwrap();
    assert_eq!(outputs.slice(unused, 0, 9).await, Err(SliceError::Expired(unused)));
    assert_eq!(outputs.slice(old, 0, 9).await.unwrap().text, "12345");
    let too_large = outputs.keep(output(&"x".repeat(11))).await.unwrap_err();
    assert!(matches!(too_large, KeepError::TooLarge { bytes: 11, capacity: 10 }));
    assert_eq!(outputs.slice(new, 0, 9).await.unwrap().text, "abcde");
}

#[test]
fn a_page_fits_the_client() {
    let cases = [
        ((PageSize::Auto, None, None), (40_000, 9_000)),
        ((PageSize::Auto, None, Some("claude-code")), (100_000, 9_000)),
        ((PageSize::Auto, Some(10_000), Some("claude-code")), (40_000, 9_000)),
        ((PageSize::Auto, Some(1_000), None), (4_000, 4_000)),
        ((PageSize::Auto, Some(0), None), (2_000, 2_000)),
        ((PageSize::Auto, Some(usize::MAX), None), (380_000, 9_000)),
        ((PageSize::Chars(5_000), Some(10_000), Some("claude-code")), (5_000, 5_000)),
    ];
    for (given, expected) in cases {
        let (size, output_tokens, client) = given;
        let limits = PageRule { size, output_tokens }.limits(client);
        assert_eq!((limits.result().units(), limits.error().units()), expected, "{given:?}");
    }
}
