//! JSON.

use expect_test::expect;
use test_runners::{Format, Runner};

use super::{check, check_log};

#[test]
fn jest() {
    check(
        Format::Jest,
        r#"{"numTotalTests":3,"success":false,"testResults":[{"name":"/project/a.test.js","status":"failed","message":"","assertionResults":[{"ancestorTitles":["math"],"fullName":"math adds","status":"passed","title":"adds","duration":2,"failureMessages":[]},{"ancestorTitles":["math","deep"],"status":"failed","title":"divides","duration":3,"failureMessages":["Error: \u001b[2mexpect(\u001b[22mreceived).toBe(expected)\n\nExpected: 2\nReceived: 1\n    at Object.toBe (/project/a.test.js:5:20)\n    at Promise (/project/node_modules/jest/x.js:1:1)"]},{"ancestorTitles":[],"status":"pending","title":"later","failureMessages":[]}]},{"name":"/project/b.test.js","status":"failed","message":"  \u25cf Test suite failed to run\n\n    SyntaxError: /project/b.test.js: Unexpected token (1:9)","assertionResults":[]}]}"#,
        &expect![[r#"
            1 passed, 2 failed, 1 skipped in 5 ms
            divides | math > deep | a.test.js:5 | Error: expect(received).toBe(expected)
                Error: expect(received).toBe(expected)
    
                Expected: 2
                Received: 1
                    at Object.toBe (/project/a.test.js:5:20)
                    at Promise (/project/node_modules/jest/x.js:1:1)
            the file could not be run | - | b.test.js:- | ● Test suite failed to run
                  ● Test suite failed to run
    
                    SyntaxError: /project/b.test.js: Unexpected token (1:9)
        "#]],
    );
    check(
        Format::Jest,
        r#"{"numTotalTests":0,"success":true,"testResults":[]}"#,
        &expect![[r#"
        0 passed, 0 failed, 0 skipped in 0 ms
    "#]],
    );
    check(
        Format::Jest,
        r#"{"testResults":[{"assertionResults":["#,
        &expect![[r#"
        no report
    "#]],
    );
}

#[test]
fn mocha() {
    check(
        Format::Mocha,
        r#"{"stats":{"suites":1,"tests":3,"passes":1,"pending":1,"failures":1,"duration":7},"failures":[{"title":"divides","fullTitle":"math divides","file":"/project/test/a.js","duration":1,"err":{"message":"expected 1 to equal 2\n+ more","stack":"AssertionError: expected 1 to equal 2\n    at Context.<anonymous> (test/a.js:9:12)\n    at process.processImmediate (node:internal/timers:478:21)"}}]}"#,
        &expect![[r#"
        1 passed, 1 failed, 1 skipped in 7 ms
        divides | math | test/a.js:9 | expected 1 to equal 2
            AssertionError: expected 1 to equal 2
                at Context.<anonymous> (test/a.js:9:12)
                at process.processImmediate (node:internal/timers:478:21)
    "#]],
    );
    check(
        Format::Mocha,
        "[]",
        &expect![[r#"
        no report
    "#]],
    );
}

#[test]
fn rspec() {
    check(
        Format::Rspec,
        r#"{"examples":[{"id":"./spec/a_spec.rb[1:1]","description":"adds","full_description":"Math adds","status":"passed","file_path":"./spec/a_spec.rb","line_number":3},{"description":"divides","full_description":"Math divides","status":"failed","file_path":"./spec/a_spec.rb","line_number":7,"exception":{"class":"RSpec::Expectations::ExpectationNotMetError","message":"\nexpected: 2\n     got: 1\n","backtrace":["./spec/a_spec.rb:8:in `block'"]}},{"full_description":"x","status":"pending"}],"summary":{"duration":0.02,"example_count":3,"failure_count":1,"pending_count":1,"errors_outside_of_examples_count":1}}"#,
        &expect![[r#"
            1 passed, 2 failed, 1 skipped in 20 ms
            Math divides | - | spec/a_spec.rb:7 | expected: 2
                expected: 2
                     got: 1
    
                ./spec/a_spec.rb:8:in `block'
        "#]],
    );
}

#[test]
fn go() {
    check_log(
        Runner::Go,
        r#"{"Time":"2026-01-01T00:00:00Z","Action":"start","Package":"example.com/a"}
{"Action":"run","Package":"example.com/a","Test":"TestGood"}
{"Action":"output","Package":"example.com/a","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"pass","Package":"example.com/a","Test":"TestGood","Elapsed":0}
{"Action":"output","Package":"example.com/a","Test":"TestBad","Output":"=== RUN   TestBad\n"}
{"Action":"output","Package":"example.com/a","Test":"TestBad","Output":"    a_test.go:12: got 1, want 2\n"}
{"Action":"output","Package":"example.com/a","Test":"TestBad","Output":"--- FAIL: TestBad (0.00s)\n"}
{"Action":"fail","Package":"example.com/a","Test":"TestBad","Elapsed":0}
{"Action":"skip","Package":"example.com/a","Test":"TestLater","Elapsed":0}
{"Action":"fail","Package":"example.com/a","Elapsed":0.25}
{"ImportPath":"example.com/b [example.com/b.test]","Action":"build-output","Output":"b/b.go:3:1: syntax error\n"}
{"ImportPath":"example.com/b [example.com/b.test]","Action":"build-fail"}
{"Action":"output","Package":"example.com/b","Output":"FAIL\texample.com/b [build failed]\n"}
{"Action":"fail","Package":"example.com/b","Elapsed":0,"FailedBuild":"example.com/b"}
"#,
        &expect![[r#"
    1 passed, 2 failed, 1 skipped in 250 ms
    TestBad | example.com/a | a_test.go:12 | a_test.go:12: got 1, want 2
        === RUN   TestBad
            a_test.go:12: got 1, want 2
        --- FAIL: TestBad (0.00s)
    the package could not be tested | example.com/b | b/b.go:3 | FAIL	example.com/b [build failed]
        FAIL	example.com/b [build failed]
        b/b.go:3:1: syntax error
"#]],
    );
    check_log(
        Runner::Go,
        "{\"Action\":\"output\",\"Package\":\"p\",\"Output\":\"?   \\tp\\t[no test files]\\n\"}\n{\"Action\":\"skip\",\"Package\":\"p\",\"Elapsed\":0}\n",
        &expect![[r#"
        0 passed, 0 failed, 0 skipped
    "#]],
    );
}
