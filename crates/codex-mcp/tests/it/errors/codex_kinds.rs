//! Every kind of error and every refusal of Codex that is known, and some that are not: what each becomes.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use testkit::fake_app_server::{Play, THREAD};
use testkit::model::{fails, http, reply};

use super::stage::{Stage, played, provider};
use crate::bridge::error_code;

/// Plays a turn for each, on the same thread if there is one, and compares what becomes of it.
async fn check(play: Play, shown: &[String], expected: Expect) {
    let flags = ["--max-turns-per-minute=100", "--max-client-turns-per-minute=100"];
    let mut stage = Stage::open(&play, &flags).await;
    let mut text = String::new();
    let mut thread = Value::Null;
    for shown in shown {
        let answer = match thread.is_null() {
            true => stage.bridge.call("codex", json!({ "prompt": "x" })).await,
            false => {
                let reply = json!({ "prompt": "x", "threadId": thread });
                stage.bridge.call("codex-reply", reply).await
            }
        };
        thread = answer["structuredContent"]["threadId"].clone();
        let code = error_code(&answer);
        let pause = answer["structuredContent"]["error"]["retryAfterSeconds"].as_u64();
        let pause = pause.map_or_else(String::new, |pause| format!(", again after {pause} s"));
        writeln!(text, "{shown}\n    {code}{pause}").unwrap();
    }
    expected.assert_eq(&text);
    stage.close().await;
}

#[tokio::test]
async fn every_kind_of_error_has_its_code() {
    let status = |kind: &str, status: Value| json!({ kind: { "httpStatusCode": status } });
    let kinds = [
        (json!("contextWindowExceeded"), "full"),
        (json!("sessionBudgetExceeded"), "used up"),
        (json!("usageLimitExceeded"), "You have hit your usage limit. Try again later."),
        (
            json!("usageLimitExceeded"),
            "You have hit your usage limit. Try again in 2 hours 5 minutes.",
        ),
        (json!("rateLimitExceeded"), "Rate limit reached. Please try again in 11.054s."),
        (json!("serverOverloaded"), "at capacity"),
        (json!("flexUnavailable"), "no capacity"),
        (json!("policyCapacityUnavailable"), "no capacity"),
        (json!("cyberPolicy"), "refused"),
        (json!("misalignmentPolicyViolation"), "refused"),
        (json!("inferenceHookDenied"), "a hook said no"),
        (json!("tooManyDenials"), "declined"),
        (json!("modelNotFound"), "no such model"),
        (json!("internalServerError"), "broken"),
        (json!("unauthorized"), "log in"),
        (json!("badRequest"), "nonsense"),
        (json!("sandboxError"), "bwrap"),
        (json!("other"), "anything"),
        (json!("other"), "stream disconnected before completion: idle timeout waiting for SSE"),
        (json!("other"), "Missing environment variable: `KEY`."),
        (json!("other"), "Incomplete response returned, reason: max_output_tokens"),
        (status("httpConnectionFailed", json!(401)), "who are you"),
        (status("httpConnectionFailed", json!(403)), "not you"),
        (status("httpConnectionFailed", json!(503)), "broken"),
        (status("httpConnectionFailed", json!(418)), "a teapot"),
        (status("httpConnectionFailed", json!(null)), "refused"),
        (status("responseStreamConnectionFailed", json!(502)), "broken"),
        (status("responseStreamDisconnected", json!(null)), "cut"),
        (status("responseTooManyFailedAttempts", json!(429)), "too many"),
        (json!({ "activeTurnNotSteerable": { "turnKind": "review" } }), "busy"),
        (json!("somethingNew"), "new"),
        (status("somethingNew", json!(429)), "new"),
        (json!(null), "no kind at all"),
    ];
    let mut play = Play::new();
    for (number, (kind, message)) in (1..).zip(&kinds) {
        let error =
            json!({ "message": message, "codexErrorInfo": kind, "additionalDetails": null });
        play = play.begins_turn(number).fails_turn(number, &error);
    }
    let shown = kinds.map(|(kind, message)| format!("{kind} {message}"));
    check(
        play,
        &shown,
        expect![[r#"
        "contextWindowExceeded" full
            context_full
        "sessionBudgetExceeded" used up
            budget_used_up
        "usageLimitExceeded" You have hit your usage limit. Try again later.
            usage_limit
        "usageLimitExceeded" You have hit your usage limit. Try again in 2 hours 5 minutes.
            usage_limit, again after 7500 s
        "rateLimitExceeded" Rate limit reached. Please try again in 11.054s.
            rate_limited, again after 11 s
        "serverOverloaded" at capacity
            provider_overloaded, again after 60 s
        "flexUnavailable" no capacity
            provider_overloaded, again after 60 s
        "policyCapacityUnavailable" no capacity
            provider_overloaded, again after 60 s
        "cyberPolicy" refused
            content_refused
        "misalignmentPolicyViolation" refused
            content_refused
        "inferenceHookDenied" a hook said no
            content_refused
        "tooManyDenials" declined
            too_many_denials
        "modelNotFound" no such model
            model_not_found
        "internalServerError" broken
            provider_error, again after 60 s
        "unauthorized" log in
            login_required
        "badRequest" nonsense
            codex_failed
        "sandboxError" bwrap
            sandbox_failed
        "other" anything
            codex_failed
        "other" stream disconnected before completion: idle timeout waiting for SSE
            provider_unreachable, again after 30 s
        "other" Missing environment variable: `KEY`.
            provider_key_missing
        "other" Incomplete response returned, reason: max_output_tokens
            answer_too_long
        {"httpConnectionFailed":{"httpStatusCode":401}} who are you
            login_required
        {"httpConnectionFailed":{"httpStatusCode":403}} not you
            access_denied
        {"httpConnectionFailed":{"httpStatusCode":503}} broken
            provider_error, again after 60 s
        {"httpConnectionFailed":{"httpStatusCode":418}} a teapot
            codex_failed
        {"httpConnectionFailed":{"httpStatusCode":null}} refused
            provider_unreachable, again after 30 s
        {"responseStreamConnectionFailed":{"httpStatusCode":502}} broken
            provider_error, again after 60 s
        {"responseStreamDisconnected":{"httpStatusCode":null}} cut
            provider_unreachable, again after 30 s
        {"responseTooManyFailedAttempts":{"httpStatusCode":429}} too many
            rate_limited, again after 30 s
        {"activeTurnNotSteerable":{"turnKind":"review"}} busy
            turn_not_steerable, again after 5 s
        "somethingNew" new
            codex_failed
        {"somethingNew":{"httpStatusCode":429}} new
            rate_limited, again after 30 s
        null no kind at all
            codex_failed
    "#]],
    )
    .await;
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    let refusals = [
        (-32600, "thread not found: 01a205a5"),
        (-32600, "no rollout found for thread id 01a205a5"),
        (-32600, "no archived rollout found for thread id 01a205a5"),
        (-32600, "thread not loaded: 01a205a5"),
        (-32600, "invalid thread id: x"),
        (-32600, "thread 01a205a5 already has an active writer"),
        (-32600, "session 01a205a5 is archived. Run `codex unarchive 01a205a5`"),
        (-32600, "cannot delete thread 01a205a5: forked history still references it"),
        (-32600, "turn not found: 01a205a5"),
        (-32600, "expected active turn id `a` but found `b`"),
        (-32600, "no active turn to steer"),
        (-32600, "no active turn to interrupt"),
        (-32603, "failed to submit turn input: ActiveTurnNotSteerable { turn_kind: Review }"),
        (-32603, "failed to submit turn input: ActiveTurnOutputSchemaMismatch"),
        (-32602, "invalid params"),
        (-32601, "thread/items/list is not supported yet"),
        (-32600, "thread/revert only supports paginated threads"),
        (-32600, "ephemeral threads do not support includeTurns"),
        (-32600, "turn/start.permissions requires experimentalApi capability"),
        (-32600, "Invalid request: unknown variant `thread/start`, expected one of `initialize`"),
        (-32600, "Invalid request: unknown variant `bogus`, expected one of `never`"),
        (-32600, "failed to load configuration: Model provider `nope` not found"),
        (-32600, "codex account authentication required to read rate limits"),
        (-32600, "remote image URLs are not supported; use an inline data URL instead"),
        (-32600, "Not initialized"),
        (-32001, "Server overloaded; retry later."),
        (-32000, "something new"),
    ];
    let refuse =
        |play: Play, (code, message): (i64, &str)| play.refuses("thread/start", code, message);
    let play = refusals.into_iter().fold(Play::greets("0.169.0"), refuse);
    let shown = refusals.map(|(code, message)| format!("{code} {message}"));
    check(
        play,
        &shown,
        expect![[r#"
            -32600 thread not found: 01a205a5
                thread_not_found
            -32600 no rollout found for thread id 01a205a5
                thread_not_found
            -32600 no archived rollout found for thread id 01a205a5
                thread_not_found
            -32600 thread not loaded: 01a205a5
                thread_not_found
            -32600 invalid thread id: x
                thread_not_found
            -32600 thread 01a205a5 already has an active writer
                thread_busy_elsewhere, again after 60 s
            -32600 session 01a205a5 is archived. Run `codex unarchive 01a205a5`
                thread_archived
            -32600 cannot delete thread 01a205a5: forked history still references it
                thread_has_forks
            -32600 turn not found: 01a205a5
                turn_not_found
            -32600 expected active turn id `a` but found `b`
                wrong_turn
            -32600 no active turn to steer
                no_running_turn
            -32600 no active turn to interrupt
                no_running_turn
            -32603 failed to submit turn input: ActiveTurnNotSteerable { turn_kind: Review }
                turn_not_steerable, again after 5 s
            -32603 failed to submit turn input: ActiveTurnOutputSchemaMismatch
                codex_internal_error, again after 5 s
            -32602 invalid params
                codex_refused
            -32601 thread/items/list is not supported yet
                codex_lacks_feature
            -32600 thread/revert only supports paginated threads
                codex_lacks_feature
            -32600 ephemeral threads do not support includeTurns
                codex_lacks_feature
            -32600 turn/start.permissions requires experimentalApi capability
                codex_lacks_feature
            -32600 Invalid request: unknown variant `thread/start`, expected one of `initialize`
                codex_lacks_feature
            -32600 Invalid request: unknown variant `bogus`, expected one of `never`
                codex_refused
            -32600 failed to load configuration: Model provider `nope` not found
                codex_config_invalid
            -32600 codex account authentication required to read rate limits
                login_required
            -32600 remote image URLs are not supported; use an inline data URL instead
                codex_refused
            -32600 Not initialized
                codex_refused
            -32001 Server overloaded; retry later.
                codex_overloaded, again after 2 s
            -32000 something new
                codex_refused
        "#]],
    )
    .await;
}

#[tokio::test]
async fn what_the_provider_breaks_off_is_a_provider_out_of_reach() {
    for answer in [reply().streams("Half").cuts(), fails("something_else")] {
        let told = provider(answer, &[]).await;
        assert_eq!(told.data["code"], "provider_unreachable", "{}", told.text);
    }
}

/// Codex says it in local time, and names the day.
#[tokio::test]
async fn the_end_of_a_usage_limit_is_known() {
    let error = json!({
        "type": "usage_limit_reached", "message": "The usage limit has been reached",
        "plan_type": "plus", "resets_at": 4_102_444_800_u64,
    });
    let answer = http(429, json!({ "error": error }).to_string());
    let told = provider(answer.header("content-type", "application/json"), &[]).await;
    assert_eq!(told.data["code"], "usage_limit", "{}", told.text);
    assert_eq!(told.data["retryable"], true, "{}", told.text);
    // It ends with the century.
    let seconds = told.data["retryAfterSeconds"].as_u64().expect("a time to wait");
    assert!((1_000_000_000..2_400_000_000).contains(&seconds), "{seconds}: {}", told.text);
}

#[tokio::test]
async fn a_prompt_that_is_too_large_for_codex_is_known_by_its_data() {
    let data = json!({ "input_error_code": "input_too_large", "max_chars": 1_048_576 });
    let error = json!({ "code": -32602, "message": "too much", "data": data });
    let told = played(&Play::new().refuses_with("turn/start", &error), &[]).await;
    assert_eq!(told.data["code"], "prompt_too_large", "{}", told.text);
}

#[tokio::test]
async fn a_sandbox_that_cannot_start_is_said_though_the_turn_ends_well() {
    let command = json!({
        "type": "commandExecution", "id": "item", "command": "/bin/bash -lc ls", "cwd": "/", "status": "failed",
        "exitCode": 1, "aggregatedOutput": "bwrap: Creating new namespace failed: Operation not permitted\n",
    });
    let turn = json!({ "id": "turn-1", "status": "completed", "items": [] });
    let play = Play::new()
        .begins_turn(1)
        .tells("item/completed", json!({ "threadId": THREAD, "turnId": "turn-1", "item": command }))
        .tells("turn/completed", json!({ "threadId": THREAD, "turn": turn }));
    let mut stage = Stage::open(&play, &[]).await;
    let answer = stage.bridge.call("codex", json!({ "prompt": "x" })).await;
    assert_eq!(answer["isError"], false, "{answer}");
    let warnings = answer["structuredContent"]["warnings"].to_string();
    assert!(warnings.contains("sandbox did not start"), "{answer}");
    assert!(warnings.contains("user namespaces"), "{answer}");
    stage.close().await;
}
