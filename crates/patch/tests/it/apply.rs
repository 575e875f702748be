//! What we make of a diff is what `git apply` makes of it.

use patch::{Outcome, lines};
use proptest::prelude::*;

use crate::git::Folder;
use crate::texts::{applied, diff, edited, edits, file, numbered, parse_one, text};

const NAME: &str = "src/lib.rs";

/// What `git apply` makes of a content.
fn git_apply(diff: &[u8], current: Option<&[u8]>) -> Result<Option<Vec<u8>>, String> {
    let folder = Folder::new();
    if let Some(content) = current {
        folder.write(NAME, content);
    }
    folder.apply(diff)?;
    Ok(folder.read(NAME))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn git_takes_our_diffs(before in prop::option::of(text()), after in prop::option::of(text())) {
        prop_assume!(before != after);
        let diff = diff(before.as_deref(), after.as_deref(), 3);
        let by_git = git_apply(&diff, before.as_deref());
        prop_assert_eq!(by_git.as_ref(), Ok(&after));
        prop_assert_eq!(applied(&diff, before.as_deref()), after);
    }

    #[test]
    fn we_do_the_same_with_a_file_that_moved_on(
        lines in 4_usize..30,
        after_edits in edits(),
        moved_edits in edits(),
    ) {
        // No line comes twice: where it does, each may take another of two places that are as good.
        let before = numbered(lines);
        let after = edited(&before, &after_edits, "new");
        let current = edited(&before, &moved_edits, "moved");
        let (before, after, current) = (before.concat(), after.concat(), current.concat());
        prop_assume!(before != after);
        let diff = diff(Some(before.as_bytes()), Some(after.as_bytes()), 3);
        if let Ok(by_git) = git_apply(&diff, Some(current.as_bytes())) {
            prop_assert_eq!(applied(&diff, Some(current.as_bytes())), by_git);
        }
    }

    #[test]
    fn what_is_at_its_place_is_put_where_git_puts_it(before in text(), after in text(), current in text()) {
        prop_assume!(before != after);
        let diff = diff(Some(&before), Some(&after), 3);
        let ours = parse_one(&diff).place(|_| Some(file(&current)));
        if let Ok(placed) = ours
            && placed.hunks.iter().all(|hunk| hunk.offset == 0)
            && let Outcome::Write { content, .. } = placed.outcome
            && let Ok(by_git) = git_apply(&diff, Some(&current))
        {
            prop_assert_eq!(Some(content), by_git);
        }
    }
}

#[test]
fn a_text_has_as_many_lines_as_git_counts() {
    let count = |text: &str| lines(text.as_bytes()).count();
    assert_eq!(
        [count(""), count("a"), count("a\n"), count("\n\n"), count("a\r\nb")],
        [0, 1, 1, 2, 2]
    );
}
