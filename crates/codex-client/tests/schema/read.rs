//! What we read. Every type is read from samples and written again: a field that is misspelt here, or
//! was renamed by Codex, shows as one that the sample does not have.

use codex_client::protocol::*;
use expect_test::{expect, expect_file};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::codex::{params_of, reference, resolve};
use crate::sample::{Fields, samples};

fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).expect("a value is JSON")
}

/// Fails unless all that was read is in the sample, and the sample's value is what was read.
fn assert_within(read: &Value, sample: &Value, path: &str) {
    match (read, sample) {
        (Value::Object(read), Value::Object(sample)) => {
            for (name, value) in read {
                let path = format!("{path}.{name}");
                let there =
                    sample.get(name).unwrap_or_else(|| panic!("{path} is not in the schema"));
                assert_within(value, there, &path);
            }
        }
        (Value::Array(read), Value::Array(sample)) => {
            assert_eq!(read.len(), sample.len(), "{path}: items were lost");
            for (index, (value, there)) in read.iter().zip(sample).enumerate() {
                assert_within(value, there, &format!("{path}[{index}]"));
            }
        }
        (Value::Number(read), Value::Number(sample)) => {
            assert_eq!(read.as_f64(), sample.as_f64(), "{path}");
        }
        (read, sample) => assert_eq!(read, sample, "{path}"),
    }
}

/// Reads samples of a definition strictly, that is, without dropping a field.
fn check<T: DeserializeOwned + Serialize>(definition: &str) {
    check_part(definition, resolve(&reference(definition)), |sample| {
        serde_json::from_value::<T>(sample.clone())
            .unwrap_or_else(|error| panic!("{definition}: {error} in {sample}"))
    });
}

fn check_part<T: Serialize>(name: &str, part: &'static Value, read: impl Fn(&Value) -> T) {
    for sample in samples(part, Fields::Required) {
        read(&sample);
    }
    for sample in samples(part, Fields::All) {
        let again = serde_json::to_value(read(&sample)).expect("it serialises");
        assert_within(&again, &sample, name);
    }
}

#[test]
fn results() {
    check::<InitializeResponse>("InitializeResponse");
    check::<ThreadStartResponse>("ThreadStartResponse");
    check::<ThreadResumeResponse>("ThreadResumeResponse");
    check::<ThreadReadResponse>("ThreadReadResponse");
    check::<ThreadListResponse>("ThreadListResponse");
    check::<ThreadLoadedListResponse>("ThreadLoadedListResponse");
    check::<ThreadTurnsListResponse>("ThreadTurnsListResponse");
    check::<ThreadUnsubscribeResponse>("ThreadUnsubscribeResponse");
    check::<BackgroundTerminalsListResponse>("ThreadBackgroundTerminalsListResponse");
    check::<TurnStartResponse>("TurnStartResponse");
    check::<ReviewStartResponse>("ReviewStartResponse");
    check::<TurnSteerResponse>("TurnSteerResponse");
    check::<AccountReadResponse>("GetAccountResponse");
    check::<RateLimitsReadResponse>("GetAccountRateLimitsResponse");
    check::<ModelListResponse>("ModelListResponse");
    check::<CommandExecResponse>("CommandExecResponse");
    for name in [
        "ThreadSetNameResponse",
        "ThreadArchiveResponse",
        "ThreadBackgroundTerminalsCleanResponse",
        "TurnInterruptResponse",
    ] {
        check::<Empty>(name);
    }
}

#[test]
fn every_variant_of_what_results_contain() {
    check::<Account>("Account");
    check::<CommandAction>("CommandAction");
    check::<CodexErrorInfo>("CodexErrorInfo");
    check::<DynamicToolOutput>("DynamicToolCallOutputContentItem");
    check::<ElicitationParams>("McpServerElicitationRequestParams");
    check::<PatchChangeKind>("PatchChangeKind");
    check::<SandboxPolicy>("SandboxPolicy");
    check::<ThreadStatus>("ThreadStatus");
    check::<UserInput>("UserInput");
}

#[test]
fn notifications() {
    for method in Notification::METHODS {
        check_part(method, params_of("ServerNotification", method), |sample| {
            let read = Notification::decode(method, &raw(sample));
            assert!(!matches!(read, Notification::Other { .. }), "{method} is not read: {sample}");
            read
        });
    }
}

#[test]
fn questions() {
    for method in ServerRequest::METHODS {
        check_part(method, params_of("ServerRequest", method), |sample| {
            let read = ServerRequest::decode(method, &raw(sample));
            assert!(!matches!(read, ServerRequest::Other { .. }), "{method} is not read: {sample}");
            read
        });
    }
}

/// What the fuzzer begins with, and what other tests make messages of, is as the schema has it.
#[test]
fn the_fuzzers_corpus() {
    let unions =
        [("ServerNotification", Notification::METHODS), ("ServerRequest", ServerRequest::METHODS)];
    for (union, methods) in unions {
        for method in methods {
            let whole = samples(params_of(union, method), Fields::All).swap_remove(0);
            let name = method.replace('/', "-");
            expect_file![format!("../../../../fuzz/corpus/protocol/{name}.txt")]
                .assert_eq(&format!("{method} {whole}\n"));
        }
    }
}

#[test]
fn items() {
    check::<ThreadItem>("ThreadItem");
    let samples = samples(resolve(&reference("ThreadItem")), Fields::Required);
    let unknown: Vec<_> = samples
        .into_iter()
        .filter_map(|sample| match serde_json::from_value(sample).expect("any item is read") {
            ThreadItem::Other(other) => Some(other.kind),
            _ => None,
        })
        .collect();
    expect!["hookPrompt functionCallOutput collabAgentToolCall subAgentActivity sleep"]
        .assert_eq(&unknown.join(" "));
}

/// Every string that Codex knows is one that we know.
#[test]
fn strings() {
    fn check<T: From<String>>(definition: &str, is_other: impl Fn(&T) -> bool) {
        let texts = crate::sample::strings(resolve(&reference(definition)));
        assert!(!texts.is_empty(), "{definition} is no string enum any more");
        let unknown: Vec<_> =
            texts.into_iter().filter(|text| is_other(&T::from((*text).to_owned()))).collect();
        assert!(unknown.is_empty(), "{definition} also has {unknown:?}");
    }
    check("TurnStatus", |status| matches!(status, TurnStatus::Other(_)));
    check("TurnItemsView", |view| matches!(view, TurnItemsView::Other(_)));
    check("ThreadActiveFlag", |flag| matches!(flag, ThreadActiveFlag::Other(_)));
    check("ThreadUnsubscribeStatus", |it| matches!(it, ThreadUnsubscribeStatus::Other(_)));
    check("MessagePhase", |phase| matches!(phase, MessagePhase::Other(_)));
    check("CommandExecutionStatus", |status| matches!(status, ItemStatus::Other(_)));
    check("PatchApplyStatus", |status| matches!(status, ItemStatus::Other(_)));
    check("McpToolCallStatus", |status| matches!(status, ItemStatus::Other(_)));
    check("DynamicToolCallStatus", |status| matches!(status, ItemStatus::Other(_)));
    check("CommandExecutionSource", |source| matches!(source, CommandSource::Other(_)));
    check("TurnPlanStepStatus", |status| matches!(status, PlanStepStatus::Other(_)));
    check("SandboxMode", |mode| matches!(mode, SandboxMode::Other(_)));
    check("AskForApproval", |policy| matches!(policy, ApprovalPolicy::Other(_)));
    check("NetworkAccess", |access| matches!(access, NetworkAccess::Other(_)));
    check("ReasoningSummary", |summary| matches!(summary, ReasoningSummary::Other(_)));
    check("SortDirection", |direction| matches!(direction, SortDirection::Other(_)));
    check("ModeKind", |mode| matches!(mode, CollaborationModeKind::Other(_)));
}
