//! What is printed.

use expect_test::expect;
use test_runners::{Runner, found_nothing};

use super::check_log;

#[test]
fn libtest() {
    check_log(
        Runner::Cargo,
        "\u{1b}[32m   Compiling\u{1b}[0m demo v0.1.0 (/project)
     Running unittests src/lib.rs (target/debug/deps/demo-1)

running 4 tests
test tests::adds ... ok
test tests::later ... ignored, not yet
test tests::divides ... FAILED
test tests::prints ... FAILED

failures:

---- tests::divides stdout ----

thread 'tests::divides' (4) panicked at src/lib.rs:12:9:
assertion `left == right` failed
  left: 1
 right: 2
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace

---- tests::prints stdout ----
Error: \"no\"


failures:
    tests::divides
    tests::prints

test result: FAILED. 1 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s

   Doc-tests demo

running 1 test
test src/lib.rs - (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s
",
        &expect![[r#"
            2 passed, 2 failed, 1 skipped in 210 ms
            tests::divides | - | src/lib.rs:12 | assertion `left == right` failed
              left: 1
             right: 2
                thread 'tests::divides' (4) panicked at src/lib.rs:12:9:
                assertion `left == right` failed
                  left: 1
                 right: 2
                note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
            tests::prints | - | -:- | Error: "no"
                Error: "no"
        "#]],
    );
    check_log(
        Runner::Cargo,
        "running 2 tests\ntest a ... ok\ntest b has been running for over 60 seconds\n",
        &expect![[r#"
        1 passed, 0 failed, 0 skipped
    "#]],
    );
    check_log(
        Runner::Cargo,
        "error[E0425]: cannot find value `x`\n --> src/lib.rs:1:1\n",
        &expect![[r#"
        no report
    "#]],
    );
}

#[test]
fn tap() {
    check_log(
        Runner::Prove,
        concat!(
            "t/a.t .. \nok 1 - adds\nnot ok 2 - divides\n#   Failed test 'divides'\n#   at t/a.t line 5.\n#          got: '1'\n#     expected: '2'\nok 3 # skip not here\nnot ok 4 - later # TO",
            "DO soon\n    ok 1 - inner\n1..4\nDubious, test returned 1\nt/b.t .. \nok 1\n1..1\nok\nResult: FAIL\n"
        ),
        &expect![[r#"
            2 passed, 1 failed, 2 skipped
            divides | t/a.t | t/a.t:5 | got: '1'
                #   Failed test 'divides'
                #   at t/a.t line 5.
                #          got: '1'
                #     expected: '2'
        "#]],
    );
    check_log(
        Runner::Prove,
        "\n#   Failed test 'divides'\n#   at t/a.t line 3.\n#          got: '1'\n# Looks like you failed 1 test of 2.\nt/a.t .. \n1..2\nok 1 - adds\nnot ok 2 - divides\nDubious, test returned 1\n",
        &expect![[r#"
            1 passed, 1 failed, 0 skipped
            divides | t/a.t | -:- | Dubious, test returned 1
                Dubious, test returned 1
        "#]],
    );
    check_log(
        Runner::Command,
        "TAP version 13\n1..2\nok 1 - a\nnot ok 2 - b\n  ---\n  message: 'no'\n  at: 'x'\n  ...\n",
        &expect![[r#"
            1 passed, 1 failed, 0 skipped
            b | - | -:- | no
                  ---
                  message: 'no'
                  at: 'x'
                  ...
        "#]],
    );
}

#[test]
fn unittest() {
    check_log(
        Runner::Unittest,
        "test_good (test_a.T.test_good) ... ok
test_bad (test_a.T.test_bad) ... FAIL

======================================================================
FAIL: test_bad (test_a.T.test_bad)
----------------------------------------------------------------------
Traceback (most recent call last):
  File \"/project/test_a.py\", line 6, in test_bad
    self.assertEqual(1, 2)
AssertionError: 1 != 2

======================================================================
ERROR: test_b (unittest.loader._FailedTest.test_b)
----------------------------------------------------------------------
ImportError: Failed to import test module: test_b

----------------------------------------------------------------------
Ran 4 tests in 0.003s

FAILED (failures=1, errors=1, skipped=1)
",
        &expect![[r#"
    1 passed, 2 failed, 1 skipped in 3 ms
    test_bad | test_a.T.test_bad | test_a.py:6 | AssertionError: 1 != 2
        Traceback (most recent call last):
          File "/project/test_a.py", line 6, in test_bad
            self.assertEqual(1, 2)
        AssertionError: 1 != 2
    test_b | unittest.loader._FailedTest.test_b | -:- | ImportError: Failed to import test module: test_b
        ImportError: Failed to import test module: test_b
"#]],
    );
    check_log(
        Runner::Unittest,
        "\n----------------------------------------------------------------------\nRan 0 tests in 0.000s\n\nOK\n",
        &expect![[r#"
        0 passed, 0 failed, 0 skipped in 0 ms
    "#]],
    );
}

#[test]
fn the_last_lines_of_others() {
    for (log, expected) in [
        (
            "     Summary [   0.02s] 4 tests run: 2 passed (1 slow), 1 failed, 1 timed out, 3 skipped",
            (2, 2, 3),
        ),
        ("     Summary [   0.02s] 1 test run: 1 passed, 0 skipped", (1, 0, 0)),
        ("Tests:       1 failed, 1 skipped, 2 passed, 4 total", (2, 1, 1)),
        ("Tests:       2 passed, 2 total", (2, 0, 0)),
        ("      Tests  1 failed | 2 passed | 1 skipped (4)", (2, 1, 1)),
        ("      Tests  2 passed (2)", (2, 0, 0)),
        (
            "=================== 1 failed, 2 passed, 1 skipped in 0.03s ===================",
            (2, 1, 1),
        ),
        ("============ 2 passed, 1 xfailed, 3 warnings in 1.00s ============", (2, 0, 0)),
        ("========= 1 failed, 1 error in 1.00s =========", (0, 2, 0)),
        ("[ERROR] Tests run: 3, Failures: 1, Errors: 1, Skipped: 0", (1, 2, 0)),
        ("OK (3 tests, 4 assertions)", (3, 0, 0)),
        ("Tests: 4, Assertions: 4, Errors: 1, Failures: 1, Skipped: 1.", (1, 2, 1)),
        ("3 examples, 1 failure, 1 pending", (1, 1, 1)),
        ("67% tests passed, 1 tests failed out of 3", (2, 1, 0)),
        (
            "Failed!  - Failed:     1, Passed:     2, Skipped:     0, Total:     3, Duration: 1 s",
            (2, 1, 0),
        ),
        ("Result: 5 passed, 1 failed", (5, 1, 0)),
        (
            "ℹ tests 3\nℹ suites 0\nℹ pass 2\nℹ fail 1\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0",
            (2, 1, 0),
        ),
        ("  2 passing (5ms)\n  1 pending\n  1 failing\n", (2, 1, 1)),
    ] {
        let report = test_runners::read_log(Runner::Script, log, "/project", &Default::default());
        let counts = report.unwrap_or_else(|| panic!("nothing in {log}")).counts;
        assert_eq!((counts.passed, counts.failed, counts.skipped), expected, "{log}");
    }
}

#[test]
fn what_counts_nothing() {
    check_log(
        Runner::Make,
        "gcc -o a a.c\n./a\nall fine\n",
        &expect![[r#"
        no report
    "#]],
    );
    check_log(
        Runner::Script,
        "",
        &expect![[r#"
        no report
    "#]],
    );
    for (log, expected) in [
        ("No tests found, exiting with code 1", true),
        ("No test files found, exiting with code 1", true),
        ("Error: No test files found: \"test\"", true),
        ("NO TESTS RAN", true),
        ("===== no tests ran in 0.01s =====", true),
        ("Ran 1 test", false),
    ] {
        assert_eq!(found_nothing(log), expected, "{log}");
    }
}
