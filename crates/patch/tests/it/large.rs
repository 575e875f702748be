//! Texts so large that they are compared in pieces.

use patch::{Hunk, Labels, hunks, merge, select};

/// A generator of numbers that are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// All hunks make the new side, none the old one.
#[track_caller]
fn check(before: &str, after: &str) -> usize {
    let (before, after) = (before.as_bytes(), after.as_bytes());
    let hunks = hunks(before, after, 3);
    let ids: Vec<_> = hunks.iter().map(Hunk::id).collect();
    assert!(select(before, after, &ids, 3).as_deref() == Ok(after));
    assert!(select(before, after, &[], 3).as_deref() == Ok(before));
    hunks.len()
}

#[test]
fn many_small_changes_are_found_one_by_one() {
    let before: String = (0..25_000).map(|line| format!("line {line}\n")).collect();
    let after = before.replace("00\n", "00 changed\n");
    let theirs = before.replace("50\n", "50 theirs\n");
    assert_eq!(check(&before, &after), 249);
    let merged = merge(before.as_bytes(), after.as_bytes(), theirs.as_bytes(), Labels::default());
    assert_eq!(merged.conflicts, []);
    assert!(merged.content == after.replace("50\n", "50 theirs\n").as_bytes());
}

#[test]
fn lines_that_repeat_themselves_take_no_time_to_speak_of() {
    let mut numbers = Numbers(1);
    let mut text = |lines: usize, different: u64| -> String {
        (0..lines).map(|_| format!("{}\n", numbers.below(different))).collect()
    };
    check(&text(40_000, 2), &text(40_000, 2));
    check(&text(40_000, 100), &text(40_000, 100));
    check(&text(25_000, 20_000), &text(25_000, 20_000));
}
