//! Where a text is cut.

use codex_mcp::mcp::paging::{Budget, Kind, cost, split};
use expect_test::{Expect, expect};
use proptest::prelude::*;

const KINDS: [Kind; 5] = [Kind::Markdown, Kind::Diff, Kind::Log, Kind::Json, Kind::Code];

fn pages(text: &str, budget: Budget, kind: Kind) -> Vec<&str> {
    let mut rest = text;
    let mut pages = Vec::new();
    while !rest.is_empty() {
        let (page, behind) = rest.split_at(split(rest, budget, kind));
        assert!(!page.is_empty(), "no progress");
        pages.push(page);
        rest = behind;
    }
    pages
}

/// Shows where the pages of a text lie, with a rule between them.
fn check(kind: Kind, budget: usize, text: &str, expected: &Expect) {
    let shown = pages(text, Budget::new(budget), kind).join("=====\n");
    expected.assert_eq(&shown);
}

#[test]
fn a_text_that_fits_is_one_page() {
    for kind in KINDS {
        let text = "x".repeat(64);
        assert_eq!(split(&text, Budget::MIN, kind), 64);
        assert_eq!(split("", Budget::MIN, kind), 0);
    }
}

#[test]
fn an_answer_is_cut_before_a_heading_near_the_end() {
    let text = "# One\n\nFirst paragraph of the text, which is longer.\n\n## Two\nSecond paragraph.\nIts end.\n";
    check(
        Kind::Markdown,
        72,
        text,
        &expect![[r"
            # One

            First paragraph of the text, which is longer.

            =====
            ## Two
            Second paragraph.
            Its end.
        "]],
    );
}

#[test]
fn a_program_is_cut_between_functions_and_not_below_their_comments() {
    let text = "fn one() {\n    first();\n\n    last();\n}\n\n/// Two.\n#[test]\nfn two() {}\nfn more() {}\n";
    check(
        Kind::Code,
        80,
        text,
        &expect![[r#"
            fn one() {
                first();

                last();
            }

            =====
            /// Two.
            #[test]
            fn two() {}
            fn more() {}
        "#]],
    );
    let text = "def one():\n    first = 1\n    return first\n\n# Two.\n@wraps\ndef two():\n    a = 1\n    return a\n";
    check(
        Kind::Code,
        80,
        text,
        &expect![[r#"
        def one():
            first = 1
            return first

        =====
        # Two.
        @wraps
        def two():
            a = 1
            return a
    "#]],
    );
}

#[test]
fn a_diff_is_cut_between_files_and_hunks() {
    let text = "\
diff --git a/one b/one
--- a/one
+++ b/one
@@ -1,2 +1,2 @@
 kept
-old
+new
@@ -9,2 +9,2 @@
 kept
-old
+new
diff --git a/two b/two
--- a/two
+++ b/two
@@ -1 +1 @@
-old
+new
";
    check(
        Kind::Diff,
        100,
        text,
        &expect![[r"
            diff --git a/one b/one
            --- a/one
            +++ b/one
            @@ -1,2 +1,2 @@
             kept
            -old
            +new
            =====
            @@ -9,2 +9,2 @@
             kept
            -old
            +new
            =====
            diff --git a/two b/two
            --- a/two
            +++ b/two
            @@ -1 +1 @@
            -old
            +new
        "]],
    );
}

#[test]
fn a_hunk_longer_than_a_page_is_cut_between_lines() {
    let text = format!("@@ -0,0 +1,9 @@\n{}", "+a line of the file\n".repeat(9));
    let pages = pages(&text, Budget::new(80), Kind::Diff);
    assert!(pages.len() > 2, "{pages:?}");
    assert!(pages.iter().all(|page| page.ends_with('\n')), "{pages:?}");
}

#[test]
fn a_line_longer_than_a_page_is_cut_after_a_word_or_a_whole_character() {
    let words = "word ".repeat(40);
    for page in pages(&words, Budget::MIN, Kind::Markdown) {
        assert!(page.ends_with(' '), "{page:?}");
    }
    // A family of four is one character to a reader: seven code points, 25 bytes.
    let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}";
    for page in pages(&family.repeat(9), Budget::MIN, Kind::Markdown) {
        assert_eq!(page.len() % family.len(), 0, "{page:?}");
    }
    for page in pages(&"e\u{301}".repeat(99), Budget::MIN, Kind::Log) {
        assert!(page.ends_with('\u{301}'), "{page:?}");
    }
    // More marks than a page holds: cut between them, never inside one.
    let marks = format!("e{}", "\u{301}".repeat(99));
    assert_eq!(pages(&marks, Budget::MIN, Kind::Log).concat(), marks);
}

#[test]
fn chinese_costs_a_token_a_character() {
    assert_eq!(cost("中文"), 8);
    assert_eq!(cost("text"), 4);
    assert_eq!(cost("\"\n\u{1}"), 10);
}

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[ -~\n]{0,80}",
        Just("\r\n".to_owned()),
        Just("\n\n## heading\n".to_owned()),
        Just("e\u{301}\u{200d}👩‍👩‍👧".to_owned()),
        Just("中文字符".repeat(9)),
        Just("x".repeat(200)),
        Just("diff --git a/x b/x\n@@ -1 +1 @@\n".to_owned()),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Hunks of a few lines each, and how the diff is made of them.
fn hunks() -> impl Strategy<Value = Vec<String>> {
    let line = "[ +-][a-z@ ]{0,12}\n";
    let body = prop::collection::vec(line, 1..12);
    let hunk = body.prop_map(|lines| format!("@@ -1 +1 @@\n{}", lines.concat()));
    prop::collection::vec(hunk, 1..12)
}

proptest! {
    #[test]
    fn the_pages_are_the_text(text in text(), units in 64usize..400, kind in prop::sample::select(&KINDS)) {
        let budget = Budget::new(units);
        let pages = pages(&text, budget, kind);
        prop_assert_eq!(pages.concat(), text.as_str());
        for pair in pages.windows(2) {
            prop_assert!(!(pair[0].ends_with('\r') && pair[1].starts_with('\n')), "{:?}", pair);
        }
        for page in pages {
            prop_assert!(cost(page) <= units && cost(page) >= page.len());
        }
    }

    #[test]
    fn a_window_is_cut_like_the_whole(text in text(), units in 64usize..400, kind in prop::sample::select(&KINDS)) {
        let budget = Budget::new(units);
        let window = &text[..text.floor_char_boundary(budget.window())];
        prop_assert_eq!(split(window, budget, kind), split(&text, budget, kind));
    }

    #[test]
    fn a_line_that_fits_is_never_split(lines in prop::collection::vec("[ -~]{0,60}\n", 0..40), kind in prop::sample::select(&KINDS)) {
        // A quotation mark or a backslash costs two.
        let budget = Budget::new(122);
        for page in pages(&lines.concat(), budget, kind) {
            prop_assert!(page.ends_with('\n'));
        }
    }

    #[test]
    fn a_hunk_that_fits_is_never_split(hunks in hunks(), units in 64usize..300) {
        let text = format!("diff --git a/x b/x\n--- a/x\n+++ b/x\n{}", hunks.concat());
        let pages = pages(&text, Budget::new(units), Kind::Diff);
        for hunk in hunks.iter().filter(|hunk| cost(hunk) <= units) {
            prop_assert!(pages.iter().any(|page| page.contains(hunk.as_str())), "{hunk:?} in {pages:#?}");
        }
    }
}
