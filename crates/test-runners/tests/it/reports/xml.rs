//! JUnit's XML in its dialects, and Visual Studio's.

use expect_test::expect;
use test_runners::Format;

use super::check;

#[test]
fn pytest() {
    check(
        Format::Junit,
        r#"<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4" time="0.031" timestamp="2026-01-01T00:00:00"><testcase classname="tests.test_a" name="test_good" file="tests/test_a.py" line="1" time="0.001"/><testcase classname="tests.test_a" name="test_bad[1-&lt;2&gt;]" file="tests/test_a.py" line="4" time="0.002"><failure message="assert 1 == 2&#10;  +where">def test_bad():
&gt;       assert 1 == 2
E       assert 1 == 2

tests/test_a.py:6: AssertionError</failure></testcase><testcase classname="tests.test_a" name="test_skipped" time="0"><skipped type="pytest.skip" message="later">x</skipped></testcase><testcase classname="" name="tests.test_b" time="0"><error message="collection failure">E   ImportError: no module</error></testcase></testsuite></testsuites>"#,
        &expect![[r#"
            1 passed, 2 failed, 1 skipped in 3 ms
            test_bad[1-<2>] | tests.test_a | tests/test_a.py:4 | assert 1 == 2
              +where
                def test_bad():
                >       assert 1 == 2
                E       assert 1 == 2
    
                tests/test_a.py:6: AssertionError
            tests.test_b | - | -:- | collection failure
                E   ImportError: no module
        "#]],
    );
}

#[test]
fn node() {
    check(
        Format::Junit,
        r#"<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testsuite name="math" time="0.003" disabled="0" errors="0" tests="2" failures="1" skipped="0" hostname="x">
		<testcase name="adds" time="0.001" classname="test" file="/project/a.test.js"/>
		<testcase name="divides" time="0.002" classname="test" file="/project/a.test.js">
			<failure type="testCodeFailure" message="Expected 1 &amp; got 2">
[Error [ERR_TEST_FAILURE]: Expected] {
  cause: AssertionError [ERR_ASSERTION]: Expected
      at TestContext.&lt;anonymous&gt; (file:///project/a.test.js:7:10)
      at Test.runInAsyncScope (node:async_hooks:203:9)
}
			</failure>
		</testcase>
	</testsuite>
	<!-- tests 2 -->
</testsuites>"#,
        &expect![[r#"
            1 passed, 1 failed, 0 skipped in 3 ms
            divides | test | a.test.js:7 | Expected 1 & got 2
                [Error [ERR_TEST_FAILURE]: Expected] {
                  cause: AssertionError [ERR_ASSERTION]: Expected
                      at TestContext.<anonymous> (file:///project/a.test.js:7:10)
                      at Test.runInAsyncScope (node:async_hooks:203:9)
                }
        "#]],
    );
}

#[test]
fn surefire_with_output_before_the_failure() {
    check(
        Format::Junit,
        r#"<testsuite name="com.example.ATest" time="0.05" tests="2" errors="0" skipped="1" failures="1"><properties><property name="a" value="b"/></properties><testcase name="one" classname="com.example.ATest" time="1,234.5"><system-out><![CDATA[printed <b>]]></system-out><failure message="expected: &lt;1&gt;" type="AssertionFailedError"><![CDATA[org.opentest4j.AssertionFailedError: expected: <1>
	at com.example.ATest.one(ATest.java:12)
]]></failure></testcase><testcase name="two" classname="com.example.ATest"><skipped/></testcase></testsuite>"#,
        &expect![[r#"
    0 passed, 1 failed, 1 skipped in 1234500 ms
    one | com.example.ATest | ATest.java:12 | expected: <1>
        org.opentest4j.AssertionFailedError: expected: <1>
        	at com.example.ATest.one(ATest.java:12)
"#]],
    );
}

#[test]
fn nextest_phpunit_and_ctest() {
    check(
        Format::Junit,
        r#"<testsuites name="nextest-run" tests="1"><testsuite name="demo"><testcase name="tests::fails" classname="demo" time="0.01"><failure type="test failure with exit code 101">thread 'tests::fails' (1) panicked at src/lib.rs:9:9:
assertion failed</failure><system-out>running 1 test</system-out></testcase></testsuite></testsuites>"#,
        &expect![[r#"
            0 passed, 1 failed, 0 skipped in 10 ms
            tests::fails | demo | src/lib.rs:9 | assertion failed
                thread 'tests::fails' (1) panicked at src/lib.rs:9:9:
                assertion failed
        "#]],
    );
    check(
        Format::Junit,
        r#"<testsuites><testsuite name="ATest" file="/project/tests/ATest.php"><testcase name="testB" file="/project/tests/ATest.php" line="10" class="ATest" classname="ATest" time="0.01"><failure type="X">ATest::testB
Failed asserting that 2 matches expected 1.

/project/tests/ATest.php:12</failure></testcase></testsuite></testsuites>"#,
        &expect![[r#"
            0 passed, 1 failed, 0 skipped in 10 ms
            testB | ATest | tests/ATest.php:10 | ATest::testB
                ATest::testB
                Failed asserting that 2 matches expected 1.
    
                /project/tests/ATest.php:12
        "#]],
    );
    check(
        Format::Junit,
        r#"<testsuite name="(empty)" tests="2" failures="1" disabled="0" skipped="0"><testcase name="good" classname="good" time="0.01" status="run"><system-out>ok</system-out></testcase><testcase name="bad" classname="bad" time="0.02" status="fail"><failure message=""/><system-out>it broke
</system-out></testcase></testsuite>"#,
        &expect![[r#"
    1 passed, 1 failed, 0 skipped in 30 ms
    bad | bad | -:- | it broke
        it broke
"#]],
    );
}

#[test]
fn what_is_cut_off_or_hostile() {
    check(
        Format::Junit,
        r#"<testsuites><testsuite name="a"><testcase name="b"/><testcase name="c"><failure message="d">e"#,
        &expect![[r#"
        1 passed, 0 failed, 0 skipped
    "#]],
    );
    check(
        Format::Junit,
        r#"<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname"><!ENTITY y "&x;&x;">]><testsuite name="s"><testcase name="t"><failure message="&x;">[&x;&y;&#65;]</failure></testcase></testsuite>"#,
        &expect![[r#"
        0 passed, 1 failed, 0 skipped
        t | s | -:- | [A]
            [A]
    "#]],
    );
    check(
        Format::Junit,
        "<html><body>no</body></html>",
        &expect![[r#"
        no report
    "#]],
    );
    check(
        Format::Junit,
        "",
        &expect![[r#"
        no report
    "#]],
    );
    check(
        Format::Junit,
        "not XML at all",
        &expect![[r#"
        no report
    "#]],
    );
    let deep = format!("<testsuite>{}", "<testsuite name=\"x\">".repeat(50_000));
    check(
        Format::Junit,
        &deep,
        &expect![[r#"
        0 passed, 0 failed, 0 skipped
    "#]],
    );
}

#[test]
fn visual_studio() {
    check(
        Format::Trx,
        r#"<?xml version="1.0"?><TestRun id="1" xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results><UnitTestResult testName="A.B.Good" outcome="Passed" duration="00:00:00.0100000"/><UnitTestResult testName="A.B.Bad" outcome="Failed" duration="00:01:00.5"><Output><ErrorInfo><Message>Assert.Equal() Failure</Message><StackTrace>   at A.B.Bad() in /project/B.cs:line 12</StackTrace></ErrorInfo></Output></UnitTestResult><UnitTestResult testName="A.B.No" outcome="NotExecuted"/></Results></TestRun>"#,
        &expect![[r#"
        1 passed, 1 failed, 1 skipped in 60510 ms
        A.B.Bad | - | B.cs:12 | Assert.Equal() Failure
               at A.B.Bad() in /project/B.cs:line 12
    "#]],
    );
    check(
        Format::Trx,
        "<testsuite/>",
        &expect![[r#"
        no report
    "#]],
    );
}
