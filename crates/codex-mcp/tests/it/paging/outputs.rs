//! What is kept of long results; and how much a client is shown at once.

use std::path::Path;

use codex_mcp::config::{Config, Environment, Flags};
use codex_mcp::ledger::Ledger;
use codex_mcp::mcp::outputs::{NewOutput, Outputs, SliceError};
use codex_mcp::mcp::paging::{Kind, OutputId, PageRule, PageSize};

async fn open(directory: &Path) -> Outputs {
    let environment = Environment::new([("HOME", directory)], directory);
    let config = Config::load(&environment, &Flags::default()).unwrap();
    Outputs::open(Ledger::open(&config), config.max_output_megabytes).await
}

fn output(text: &str) -> NewOutput {
    NewOutput {
        text: text.to_owned(),
        kind: Kind::Diff,
        thread: Some("thread".to_owned()),
        turn: None,
    }
}

#[tokio::test]
async fn a_slice_has_whole_characters() {
    let directory = tempfile::tempdir().unwrap();
    let outputs = open(directory.path()).await;
    let id = outputs.keep(output("aé中")).await.unwrap();
    for (offset, max, expected) in
        [(0, 100, "aé中"), (0, 2, "a"), (1, 2, "é"), (3, 2, ""), (3, 3, "中"), (6, 9, "")]
    {
        let slice = outputs.slice(id, offset, max).await.unwrap();
        assert_eq!((slice.text.as_str(), slice.total_bytes), (expected, 6), "{offset} {max}");
        assert_eq!(slice.kind, Kind::Diff);
    }
    for offset in [2, 7, usize::MAX] {
        let refused = outputs.slice(id, offset, 9).await.unwrap_err();
        assert_eq!(refused, SliceError::Offset { id, offset });
    }
    let unknown = OutputId([7; 16]);
    assert_eq!(outputs.slice(unknown, 0, 9).await, Err(SliceError::Expired(unknown)));
}

#[tokio::test]
async fn the_same_text_of_the_same_turn_keeps_its_name_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let outputs = open(directory.path()).await;
    let id = outputs.keep(output("12345")).await.unwrap();
    assert_eq!(outputs.keep(output("12345")).await.unwrap(), id);
    assert_ne!(outputs.keep(output("1234")).await.unwrap(), id);
    drop(outputs);
    let outputs = open(directory.path()).await;
    assert_eq!(outputs.slice(id, 0, 9).await.unwrap().text, "12345");
    assert_eq!(outputs.keep(output("12345")).await.unwrap(), id);
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
