//! The normaliser names what differs from run to run.

use std::path::Path;

use expect_test::{Expect, expect};
use testkit::normalise::Normaliser;

fn check(lines: &[&str], expected: Expect) {
    let mut normaliser = Normaliser::new()
        .with_path(Path::new("/tmp/x/workspace"), "[workspace]")
        .with_path(Path::new("/tmp/x"), "[root]");
    let named: Vec<_> = lines.iter().map(|line| normaliser.line(line)).collect();
    expected.assert_eq(&named.join("\n"));
}

#[test]
fn ids_are_named_by_their_place_and_keep_their_names() {
    check(
        &[
            r#"{"result":{"thread":{"id":"01a20528-0000-7000-8000-000000000001","sessionId":"01a20528-0000-7000-8000-000000000001"}}}"#,
            r#"{"params":{"turnId":"01a20528-0000-7000-8000-000000000002","threadId":"01a20528-0000-7000-8000-000000000003"}}"#,
            r#"{"turns":[{"id":"01a20528-0000-7000-8000-000000000002","items":[{"id":"call_1"}]}]}"#,
            "resume 01a20528-0000-7000-8000-000000000001, not 01a20528-0000-7000-8000-000000000009",
        ],
        expect![[r#"
            {"result":{"thread":{"id":"[thread-1]","sessionId":"[thread-1]"}}}
            {"params":{"threadId":"[thread-2]","turnId":"[turn-1]"}}
            {"turns":[{"id":"[turn-1]","items":[{"id":"call_1"}]}]}
            resume [thread-1], not [uuid-1]"#]],
    );
}

#[test]
fn times_paths_ports_and_versions_are_named() {
    check(
        &[
            r#"{"emittedAtMs":1795388316620,"durationMs":12,"createdAt":null,"window":300,"url":"http://127.0.0.1:41325/v1"}"#,
            r#"{"path":"/tmp/x/home/sessions/2026/11/22/rollout-2026-11-22T23-12-15-01a20528-0000-7000-8000-000000000001.jsonl"}"#,
            "lab/0.169.0 (Debian 12.0.0; x86_64) at 2026-11-22T23:12:15.123Z in /tmp/x/workspace/a.rs on 127.0.0.1, not 1.5",
        ],
        expect![[r#"
            {"createdAt":null,"durationMs":"[time]","emittedAtMs":"[time]","url":"http://127.0.0.1:[port]/v1","window":300}
            {"path":"[root]/home/sessions/[time]/rollout-[time]-[uuid-1].jsonl"}
            lab/[version] (Debian [version]; x86_64) at [time] in [workspace]/a.rs on 127.0.0.1, not 1.5"#]],
    );
}
