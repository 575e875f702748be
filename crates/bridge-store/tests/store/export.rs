//! What is handed out is of one moment.

use std::io;

use bridge_store::{Store, export};

use crate::support::{at, directory, open, settle, thread, turn};

/// Takes lines, and has a thread with a turn written as soon as the first one comes.
struct Meddler<'a> {
    store: &'a Store,
    lines: Vec<u8>,
}

impl io::Write for Meddler<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.lines.is_empty() {
            self.store.write(vec![thread("late", "/w")], at(2));
            self.store.write(turn(2, "late", "late prompt", "late answer"), at(2));
            settle(self.store);
        }
        self.lines.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_written_meanwhile_is_in_no_table() {
    let directory = directory();
    let store = open(&directory);
    store.write(vec![thread("early", "/w")], at(1));
    store.write(turn(1, "early", "early prompt", "early answer"), at(1));
    settle(&store);
    let mut meddler = Meddler { store: &store, lines: Vec::new() };
    export(directory.path(), &mut meddler).unwrap();
    let lines = String::from_utf8(meddler.lines).unwrap();
    assert!(lines.contains("early answer") && !lines.contains("late"), "{lines}");
    assert_eq!(store.status().failures, 0);
}
