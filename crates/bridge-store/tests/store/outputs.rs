//! Long texts come back byte for byte, whatever the pages.

use bridge_store::{NewOutput, Write};
use proptest::prelude::*;

use crate::support::{at, directory, open, read, thread};

fn output(text: &str) -> Write {
    Write::Output(NewOutput {
        output: "o".to_owned(),
        thread: Some(bridge_core::ThreadId("t".to_owned())),
        kind: "text".to_owned(),
        text: text.to_owned(),
    })
}

/// Reads it in pages of `max` bytes.
fn reassemble(text: &str, max: usize) -> String {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("t", "/w"), output(text)], at(1));
    read(&store, move |reader| {
        let mut whole = String::new();
        loop {
            let page = reader
                .output_slice("o", whole.len() as u64, max)
                .expect("an output")
                .expect("a page");
            if page.is_empty() {
                return whole;
            }
            assert!(page.len() <= max);
            whole.push_str(&page);
        }
    })
}

#[test]
fn a_text_of_many_pieces() {
    let text: String = (0..60_000).map(|line| format!("{line} äöü 漢字 🙂\n")).collect();
    assert_eq!(reassemble(&text, 100_003), text);
}

#[test]
fn an_output_that_is_not_there() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![output("ä")], at(1));
    let answers = read(&store, |reader| {
        ["none", "o", "o"].map(|id| reader.output_slice(id, u64::from(id == "o"), 10).unwrap())
    });
    assert_eq!(answers, [None, None, None], "no such output, and an offset inside a character");
    let (end, meta) = read(&store, |reader| {
        (reader.output_slice("o", 99, 10).unwrap(), reader.output("o").unwrap())
    });
    assert_eq!(end.as_deref(), Some(""));
    assert_eq!(
        meta.map(|meta| (meta.bytes, meta.thread)),
        Some((2, None)),
        "its thread was never kept"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn every_byte_comes_back(text in "\\PC{0,400}", max in 4_usize..64) {
        prop_assert_eq!(reassemble(&text, max), text);
    }
}
