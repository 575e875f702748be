//! Small projects of many runners, each with a suite that passes, one that fails, one that hangs and one that floods.

use std::fs;
use std::os::unix::fs::symlink;

use expect_test::{Expect, expect};
use serde_json::json;
use testkit::tools;

use super::{Project, all};

/// A project: the file that its tests are in, what passes, fails, hangs and floods, and the other files.
struct Sample {
    runner: &'static str,
    file: &'static str,
    fails: &'static str,
    passes: &'static str,
    hangs: &'static str,
    floods: &'static str,
    others: &'static [(&'static str, &'static str)],
}

/// Runs each of the suites of a sample.
async fn check(sample: &Sample, fails: Expect, passes: Expect) {
    let mut project = Project::open_with(sample.others, &["--max-output-megabytes=1"]).await;
    link_modules(&project);
    project.write(&[(sample.file, sample.fails)]);
    let answer = project.run(all()).await;
    assert_eq!(answer["structuredContent"]["runner"], sample.runner, "{answer:#}");
    fails.assert_eq(&super::outcome(&answer));
    project.write(&[(sample.file, sample.passes)]);
    passes.assert_eq(&project.outcome(all()).await);
    project.write(&[(sample.file, sample.hangs)]);
    let hangs = project.outcome(json!({ "timeLimitSeconds": 3 })).await;
    assert!(hangs.starts_with("timeLimit"), "{hangs}");
    project.write(&[(sample.file, sample.floods)]);
    let floods = project.outcome(all()).await;
    assert!(floods.starts_with("outputLimit"), "{floods}");
    project.close().await;
}

/// Installs the pinned runners of JavaScript.
fn link_modules(project: &Project) {
    let installed = tools::workspace_root().join(".tools/node_modules");
    let modules = project.bridge.home.workspace().join("node_modules");
    fs::create_dir_all(modules.join(".bin")).unwrap();
    for name in ["vitest", "jest", "mocha"] {
        symlink(installed.join(name), modules.join(name)).unwrap();
        symlink(installed.join(".bin").join(name), modules.join(".bin").join(name)).unwrap();
    }
}

#[tokio::test]
async fn cargo() {
    let sample = Sample {
        runner: "cargo",
        file: "src/lib.rs",
        fails: "#[test]\nfn adds() {}\n#[test]\nfn divides() {\n    assert_eq!(1, 2);\n}\n#[test]\n#[ignore]\nfn later() {}\n",
        passes: "#[test]\nfn adds() {}\n",
        hangs: "#[test]\nfn hangs() {\n    loop { std::thread::park() }\n}\n",
        floods: "#[test]\nfn floods() {\n    use std::io::Write;\n    loop { std::io::stderr().write_all(b\"0123456789abcdef\\n\").unwrap() }\n}\n",
        others: &[(
            "Cargo.toml",
            "[package]\nname = \"sample\"\nedition = \"2024\"\n[workspace]\n",
        )],
    };
    check(
        &sample,
        expect![[r#"
        failed 1/1/1
        -: divides at src/lib.rs:5: assertion `left == right` failed |   left: 1 |  right: 2
    "#]],
        expect![[r#"
        passed 1/0/0
    "#]],
    )
    .await;
}

/// The suites of Node's own runner, which others understand as well.
const NODE: Sample = Sample {
    runner: "node",
    file: "a.test.mjs",
    fails: "import assert from 'node:assert';\nimport { test } from 'node:test';\ntest('adds', () => {});\ntest('divides', () => {\n  assert.strictEqual(1, 2);\n});\ntest('later', { skip: true }, () => {});\n",
    passes: "import { test } from 'node:test';\ntest('adds', () => {});\n",
    hangs: "import { test } from 'node:test';\ntest('hangs', () => new Promise(() => setInterval(() => {}, 1000)));\n",
    floods: "import { spawnSync } from 'node:child_process';\nimport { test } from 'node:test';\ntest('floods', () => { spawnSync('yes', { stdio: 'inherit' }); });\n",
    others: &[("package.json", r#"{ "scripts": { "test": "node --test" } }"#)],
};

#[tokio::test]
async fn node() {
    check(
        &NODE,
        expect![[r#"
        failed 1/1/1
        test: divides at a.test.mjs:5: Expected values to be strictly equal:1 !== 2
    "#]],
        expect![[r#"
        passed 1/0/0
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_script_of_npm() {
    let sample = Sample {
        runner: "script",
        others: &[(
            "package.json",
            r#"{ "scripts": { "test": "echo first && node --test | cat" } }"#,
        )],
        fails: "import { test } from 'node:test';\ntest('adds', () => {});\ntest('divides', () => { throw new Error('no'); });\n",
        ..NODE
    };
    check(
        &sample,
        expect![[r#"
        failed 1/1/0
        -: divides at a.test.mjs:3: no
    "#]],
        expect![[r#"
        passed 1/0/0
    "#]],
    )
    .await;
}

#[tokio::test]
async fn vitest() {
    let sample = Sample {
        runner: "vitest",
        file: "src/a.test.ts",
        fails: "import { describe, expect, it } from 'vitest';\ndescribe('math', () => {\n  it('adds', () => {});\n  it('divides', () => {\n    const one: number = 1;\n    expect(one).toBe(2);\n  });\n  it.skip('later', () => {});\n});\n",
        passes: "import { it } from 'vitest';\nit('adds', () => {});\n",
        hangs: "import { it } from 'vitest';\nit('hangs', () => { for (;;) {} });\n",
        floods: "import { spawnSync } from 'node:child_process';\nimport { it } from 'vitest';\nit('floods', () => { spawnSync('yes', { stdio: 'inherit' }); });\n",
        others: &[("package.json", r#"{ "type": "module", "scripts": { "test": "vitest" } }"#)],
    };
    check(
        &sample,
        expect![[r#"
        failed 1/1/1
        math: divides at src/a.test.ts:6: AssertionError: expected 1 to be 2 // Object.is equality
    "#]],
        expect![[r#"
        passed 1/0/0
    "#]],
    )
    .await;
}

#[tokio::test]
async fn jest() {
    let sample = Sample {
        runner: "jest",
        file: "a.test.js",
        fails: "describe('math', () => {\n  test('adds', () => {});\n  test('divides', () => {\n    expect(1).toBe(2);\n  });\n  test.skip('later', () => {});\n});\n",
        passes: "test('adds', () => {});\n",
        hangs: "test('hangs', () => { for (;;) {} });\n",
        floods: "test('floods', () => { require('child_process').spawnSync('yes', { stdio: 'inherit' }); });\n",
        others: &[("package.json", r#"{ "scripts": { "test": "NODE_ENV=test jest" } }"#)],
    };
    check(
        &sample,
        expect![[r#"
        failed 1/1/1
        math: divides at a.test.js:4: Error: expect(received).toBe(expected) // Object.is equality
    "#]],
        expect![[r#"
        passed 1/0/0
    "#]],
    )
    .await;
}

#[tokio::test]
async fn mocha() {
    let sample = Sample {
        runner: "mocha",
        file: "test/a.js",
        fails: "const assert = require('assert');\ndescribe('math', () => {\n  it('adds', () => {});\n  it('divides', () => {\n    assert.strictEqual(1, 2);\n  });\n  it.skip('later', () => {});\n});\n",
        passes: "it('adds', () => {});\n",
        hangs: "it('hangs', () => { for (;;) {} });\n",
        floods: "it('floods', () => { require('child_process').spawnSync('yes', { stdio: 'inherit' }); });\n",
        others: &[("package.json", r#"{ "scripts": { "test": "mocha" } }"#)],
    };
    check(
        &sample,
        expect![[r#"
        failed 1/1/1
        math: divides at test/a.js:5: Expected values to be strictly equal:
    "#]],
        expect![[r#"
        passed 1/0/0
    "#]],
    )
    .await;
}

#[tokio::test]
async fn unittest() {
    let sample = Sample {
        runner: "unittest",
        file: "tests/test_a.py",
        fails: "import unittest\n\nclass Math(unittest.TestCase):\n    def test_adds(self):\n        pass\n    def test_divides(self):\n        self.assertEqual(1, 2)\n    @unittest.skip('later')\n    def test_later(self):\n        pass\n",
        passes: "import unittest\n\nclass Math(unittest.TestCase):\n    def test_adds(self):\n        pass\n",
        hangs: "import unittest\n\nclass Hangs(unittest.TestCase):\n    def test_hangs(self):\n        import signal\n        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n        while True:\n            pass\n",
        floods: "import unittest\n\nclass Floods(unittest.TestCase):\n    def test_floods(self):\n        import os\n        while True:\n            os.write(1, b'0123456789abcdef\\n')\n",
        others: &[],
    };
    check(
        &sample,
        expect![[r#"
        failed 1/1/1
        test_a.Math.test_divides: test_divides at tests/test_a.py:7: AssertionError: 1 != 2
    "#]],
        expect![[r#"
        passed 1/0/0
    "#]],
    )
    .await;
}

#[tokio::test]
async fn prove() {
    let sample = Sample {
        runner: "prove",
        file: "t/a.t",
        fails: "use Test::More tests => 3;\nok(1, 'adds');\nis(1, 2, 'divides');\nSKIP: { skip 'later', 1; }\n",
        passes: "use Test::More tests => 1;\nok(1, 'adds');\n",
        hangs: "while (1) { sleep 100; }\n",
        floods: "system('yes >&2');\n",
        others: &[],
    };
    check(
        &sample,
        expect![[r#"
        failed 1/1/1
        t/a.t: divides at t/a.t:3: got: '1'
    "#]],
        expect![[r#"
        passed 1/0/0
    "#]],
    )
    .await;
}

#[tokio::test]
async fn make() {
    let sample = Sample {
        runner: "make",
        file: "check.sh",
        fails: "echo '2 passed, 1 failed, 1 skipped'\nexit 1\n",
        passes: "echo '2 passed, 0 failed'\n",
        hangs: "trap '' TERM INT HUP\nwhile :; do sleep 100; done\n",
        floods: "while :; do echo 0123456789abcdef; done\n",
        others: &[("Makefile", ".PHONY: test\ntest:\n\t@sh check.sh\n")],
    };
    check(
        &sample,
        expect![[r#"
        failed 2/1/1
    "#]],
        expect![[r#"
        passed 2/0/0
    "#]],
    )
    .await;
}

/// Filters are parts of names, and never options; paths are files of the project.
#[tokio::test]
async fn filters_and_paths() {
    let mut project = Project::open(NODE.others).await;
    let suite =
        "import { test } from 'node:test';\ntest('adds', () => {});\ntest('--help', () => {});\n";
    project.write(&[("a.test.mjs", suite), ("b c.test.mjs", suite)]);
    for (arguments, expected) in [
        (json!({}), "passed 4/0/0\n"),
        (json!({ "paths": ["a.test.mjs"] }), "passed 2/0/0\n"),
        (json!({ "paths": ["b c.test.mjs"] }), "passed 2/0/0\n"),
        (json!({ "filter": ["--help"], "paths": ["a.test.mjs"] }), "passed 1/0/0\n"),
        (json!({ "filter": ["adds", "--help"], "paths": ["a.test.mjs"] }), "passed 2/0/0\n"),
    ] {
        assert_eq!(project.outcome(arguments.clone()).await, expected, "{arguments}");
    }
    project.close().await;
}
