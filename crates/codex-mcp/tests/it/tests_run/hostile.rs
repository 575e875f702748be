//! Suites that mean harm. Each is a line of Python or of shell, run as the command of the configuration.

use std::fs;

use serde_json::{Value, json};

use super::{Project, all, outcome};
use crate::bridge::text;

/// A project whose tests are one script.
async fn python(script: &str, flags: &[&str]) -> Project {
    let command = ["--test-command=python3", "--test-command=suite.py", "--test-command={junit}"];
    let flags: Vec<&str> = command.iter().chain(flags).copied().collect();
    Project::open_with(&[("suite.py", script)], &flags).await
}

async fn check(script: &str, flags: &[&str], expected: &str) {
    let mut project = python(script, flags).await;
    let answer = project.run(all()).await;
    assert_eq!(outcome(&answer), expected, "{answer:#}");
    project.close().await;
}

#[tokio::test]
async fn children_that_are_left_behind_are_ended() {
    // They leave the group, the session and their environment.
    let script = "import os\nfor _ in range(5):\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n            os.execve('/bin/sleep', ['sleep', '1000'], {})\n        os._exit(0)\nprint('1 passed, 0 failed', flush=True)\n";
    check(script, &[], "passed 1/0/0\n").await;
}

#[tokio::test]
async fn memory_is_limited_over_all_processes() {
    let script = "import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n        a = bytearray(os.urandom(1 << 20) * 30)\n        time.sleep(1000)\nos.wait()\n";
    check(script, &["--test-memory-megabytes=80"], "memoryLimit\n").await;
}

#[tokio::test]
async fn what_processes_share_counts_once() {
    let script = "import os, time\na = bytearray(os.urandom(1 << 20) * 40)\nfor _ in range(3):\n    if os.fork() == 0:\n        time.sleep(1)\n        os._exit(0)\nfor _ in range(3):\n    os.wait()\nprint('1 passed, 0 failed')\n";
    check(script, &["--test-memory-megabytes=100"], "passed 1/0/0\n").await;
}

#[tokio::test]
async fn processes_are_limited() {
    let script = "import os, time\nfor _ in range(60):\n    if os.fork() == 0:\n        time.sleep(1000)\nos.wait()\n";
    check(script, &["--test-processes=40"], "processLimit\n").await;
}

#[tokio::test]
async fn time_on_processors_is_limited_over_all_processes() {
    let script = "import os\nos.fork()\nwhile True:\n    pass\n";
    check(script, &["--test-cpu-seconds=1"], "cpuLimit\n").await;
}

#[tokio::test]
async fn files_are_limited() {
    let script = "import sys\ntry:\n    with open('huge', 'wb') as file:\n        for _ in range(5):\n            file.write(b'x' * (1 << 20))\n            file.flush()\nexcept OSError as error:\n    print('0 passed, 1 failed', error.strerror)\n    sys.exit(1)\n";
    let mut project = python(script, &["--test-file-megabytes=2"]).await;
    let answer = project.run(all()).await;
    assert_eq!(outcome(&answer), "failed 0/1/0\n", "{answer:#}");
    assert!(text(&answer["structuredContent"]["log"]).contains("File too large"), "{answer:#}");
    let size = fs::metadata(project.bridge.home.workspace().join("huge")).unwrap().len();
    assert!(size <= 2 << 20, "{size}");
    project.close().await;
}

/// It may write in the project, in its own temporary folder and nowhere else, and there is no network.
#[tokio::test]
async fn the_rest_of_the_system_is_out_of_reach() {
    let script = "import os, socket\nhere = os.getcwd()\ndef attempt(name, act):\n    try:\n        act()\n        print(name, 'done', flush=True)\n    except OSError as error:\n        print(name, error.strerror, flush=True)\nattempt('project', lambda: open('made', 'w'))\nattempt('temporary', lambda: open(os.environ['TMPDIR'] + '/a', 'w'))\nattempt('beside', lambda: open(here + '/../outside', 'w'))\nattempt('home', lambda: open(os.environ['HOME'] + '/outside', 'w'))\nattempt('codex', lambda: open(os.environ['CODEX_HOME'] + '/config.toml', 'a'))\nattempt('git', lambda: open('.git/hooks/pre-commit', 'w'))\nattempt('network', lambda: socket.create_connection(('127.0.0.1', 9)))\nprint('secrets', sorted(name for name in os.environ if 'KEY' in name))\nprint('1 passed, 0 failed')\n";
    let mut project = python(script, &[]).await;
    let answer = project.run(all()).await;
    let log = text(&answer["structuredContent"]["log"]);
    let read_only = "Read-only file system";
    for (name, end) in [
        ("project", "done"),
        ("temporary", "done"),
        ("beside", read_only),
        ("home", read_only),
        ("codex", read_only),
        ("git", read_only),
        ("network", "Operation not permitted"),
        ("secrets", "[]"),
    ] {
        assert!(log.contains(&format!("{name} {end}\n")), "{name}: {log}");
    }
    assert!(!project.bridge.home.root().join("outside").exists());
    project.close().await;
}

#[tokio::test]
async fn what_steers_a_terminal_and_secrets_are_taken_out() {
    let script = "print('\\033]0;title\\007\\033[31mred\\033[0m \\033[2Jsk-abcdefghijklmnopqrstuvwxyz0123 end')\nprint('1 passed, 0 failed')\n";
    let mut project = python(script, &["--command-output-chars=30"]).await;
    let answer = project.run(all()).await;
    let shown = answer.to_string();
    assert!(!shown.contains("sk-abc") && !shown.contains("\\u001b"), "{shown}");
    let token = answer["structuredContent"]["more"][0]["token"].clone();
    let whole = project.bridge.call("codex.read", json!({ "token": token })).await;
    assert_eq!(
        whole["structuredContent"]["content"], "red [redacted] end\n1 passed, 0 failed\n",
        "{whole}"
    );
    project.close().await;
}

/// No report is believed against the exit code, and none is read that is something else.
#[tokio::test]
async fn reports_that_lie_are_not_believed() {
    for (script, expected) in [
        (
            "import sys\nopen(sys.argv[1], 'w').write('<testsuite><testcase name=\"a\"/></testsuite>')\nsys.exit(3)\n",
            "failed 1/0/0\nwarning: no test failed, but the command ended with code 3\n",
        ),
        (
            "import sys\nprint('test result: ok. 100 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out')\nsys.exit(3)\n",
            "failed 100/0/0\nwarning: no test failed, but the command ended with code 3\n",
        ),
        (
            "import sys\nopen(sys.argv[1], 'w').write('<testsuite><testcase name=\"a\"><failure/></testcase></testsuite>')\n",
            "failed 0/1/0\n-: a at -:null: \n",
        ),
        (
            "import os, sys\nopen('real.xml', 'w').write('<testsuite><testcase name=\"a\"/></testsuite>')\nos.symlink(os.path.abspath('real.xml'), sys.argv[1])\n",
            "passed\nwarning: the command ended well, but nothing that it wrote counts tests\n",
        ),
        ("import os, sys\nos.mkfifo(sys.argv[1])\nprint('1 passed, 0 failed')\n", "passed 1/0/0\n"),
        (
            "import sys\nopen(sys.argv[1], 'wb').write(b'<testsuite>' + b'<a>' * (12 << 20))\nprint('1 passed, 0 failed')\n",
            "passed 1/0/0\n",
        ),
    ] {
        check(script, &[], expected).await;
    }
}

/// Several at once, of which one fails, one hangs, one floods and one forks: each ends as it would alone.
#[tokio::test]
async fn hostile_suites_side_by_side() {
    let suites: &[(&str, &str)] = &[
        ("a/Makefile", "test:\n\t@echo '1 passed, 0 failed'\n"),
        ("b/Makefile", "test:\n\t@trap '' TERM; while :; do sleep 100; done\n"),
        ("c/Makefile", "test:\n\t@yes\n"),
        (
            "d/Makefile",
            "test:\n\t@for i in 1 2 3; do setsid sleep 1000 & done; echo '0 passed, 1 failed'; exit 1\n",
        ),
    ];
    let mut project = Project::open_with(suites, &["--max-output-megabytes=1"]).await;
    let mut runs = Vec::new();
    for folder in ["a", "b", "c", "d"] {
        let arguments = json!({ "cwd": folder, "background": true, "timeLimitSeconds": 5 });
        let answer = project.run(arguments).await;
        runs.push(answer["structuredContent"]["runId"].clone());
    }
    let mut outcomes: Vec<Value> = Vec::new();
    for run in &runs {
        let answer = project.run(json!({ "runId": run })).await;
        assert_eq!(answer["isError"], false, "{answer:#}");
        outcomes.push(answer["structuredContent"]["status"].clone());
    }
    assert_eq!(outcomes, ["passed", "timeLimit", "outputLimit", "failed"]);
    project.close().await;
}
