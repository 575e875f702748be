//! What is rendered, parsed and placed is what it was.

use patch::{FilePatch, Hunk, HunkId, Outcome, hunks, merge, select, stat};
use proptest::prelude::*;

use crate::texts::{applied, diff, file, parse_one, text};

proptest! {
    #[test]
    fn a_diff_makes_the_new_side_of_the_old_one(before in text(), after in text(), context in 0_usize..5) {
        prop_assume!(before != after);
        // Without context, the first lines of a file look like what fills an empty one.
        let first = hunks(&before, &after, context)[0].old_start;
        prop_assume!(first > 0 || before.is_empty());
        let diff = diff(Some(&before), Some(&after), context);
        prop_assert_eq!(parse_one(&diff).hunks, hunks(&before, &after, context));
        prop_assert_eq!(applied(&diff, Some(&before)), Some(after));
    }

    #[test]
    fn any_bytes_survive(before in prop::collection::vec(1_u8.., 0..60), after in prop::collection::vec(1_u8.., 0..60)) {
        prop_assume!(before != after);
        let diff = diff(Some(&before), Some(&after), 3);
        prop_assert_eq!(applied(&diff, Some(&before)), Some(after));
    }

    #[test]
    fn files_come_and_go(content in text()) {
        prop_assert_eq!(applied(&diff(None, Some(&content), 3), None), Some(content.clone()));
        prop_assert_eq!(applied(&diff(Some(&content), None, 3), Some(&content)), None);
    }

    #[test]
    fn hunks_add_up(before in text(), after in text(), context in 0_usize..5) {
        let hunks = hunks(&before, &after, context);
        let ids: Vec<_> = hunks.iter().map(Hunk::id).collect();
        prop_assert_eq!(select(&before, &after, &ids, context).unwrap(), after.clone());
        prop_assert_eq!(select(&before, &after, &[], context).unwrap(), before.clone());
        let stat = stat(&hunks);
        let count = |text| patch::lines(text).count();
        prop_assert_eq!(count(&before) + stat.added, count(&after) + stat.removed);
    }

    #[test]
    fn some_hunks_apply_as_they_are_selected(before in text(), after in text(), keep in prop::collection::vec(any::<bool>(), 24)) {
        prop_assume!(before != after);
        let diff = diff(Some(&before), Some(&after), 1);
        let all = parse_one(&diff);
        let chosen: Vec<_> = all.hunks.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(hunk, _)| hunk.clone()).collect();
        let ids: Vec<HunkId> = chosen.iter().map(Hunk::id).collect();
        let selected = select(&before, &after, &ids, 1).unwrap();
        let some = FilePatch { hunks: chosen, ..all };
        match some.place(|_| Some(file(&before))).unwrap().outcome {
            Outcome::Write { content, .. } => prop_assert_eq!(content, selected),
            Outcome::AlreadyApplied => prop_assert_eq!(before, selected),
            Outcome::Delete => prop_assert!(false),
        }
    }

    #[test]
    fn one_sided_merges_are_that_side(base in text(), side in text()) {
        let merged = |ours, theirs| merge(&base, ours, theirs, patch::Labels::default());
        for merge in [merged(&side, &base), merged(&base, &side), merged(&side, &side)] {
            prop_assert_eq!(&merge.content, &side);
            prop_assert_eq!(merge.conflicts, vec![]);
        }
    }
}
