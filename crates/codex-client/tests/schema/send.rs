//! What we send: valid with every field set and with as few as possible, and no field that Codex would
//! silently ignore.

use std::collections::BTreeMap;

use codex_client::protocol::*;
use serde::Serialize;
use serde_json::{Value, json};

use crate::codex::{params_of, reference, validate};

fn request<M: Method>(params: M::Params) {
    let params = serde_json::to_value(params).expect("it serialises");
    validate(params_of("ClientRequest", M::NAME), &params);
}

fn answer<T: Serialize>(definition: &str, answer: T) {
    let answer = serde_json::to_value(answer).expect("it serialises");
    validate(&json!({ "$ref": reference(definition) }), &answer);
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn object(value: Value) -> Option<serde_json::Map<String, Value>> {
    value.as_object().cloned()
}

fn sandboxes() -> [SandboxPolicy; 4] {
    [
        SandboxPolicy::DangerFullAccess(Empty {}),
        SandboxPolicy::ReadOnly(ReadOnlySandbox { network_access: true }),
        SandboxPolicy::ExternalSandbox(ExternalSandbox { network_access: NetworkAccess::Enabled }),
        SandboxPolicy::WorkspaceWrite(WorkspaceWriteSandbox {
            writable_roots: vec!["/work".to_owned()],
            network_access: true,
            exclude_tmpdir_env_var: true,
            exclude_slash_tmp: true,
        }),
    ]
}

fn inputs() -> Vec<UserInput> {
    let named = || NamedPath { name: "n".to_owned(), path: "/p".to_owned() };
    vec![
        UserInput::text("hello"),
        UserInput::Image(ImageInput { url: "data:image/png;base64,".to_owned() }),
        UserInput::LocalImage(LocalImageInput { path: "/p".to_owned() }),
        UserInput::Skill(named()),
        UserInput::Mention(named()),
    ]
}

#[test]
fn handshake() {
    let client_info =
        ClientInfo { name: "n".to_owned(), title: text("N"), version: "1".to_owned() };
    let capabilities = InitializeCapabilities {
        experimental_api: true,
        opt_out_notification_methods: vec!["thread/settings/updated".to_owned()],
    };
    request::<Initialize>(InitializeParams { client_info, capabilities });
}

#[test]
fn threads() {
    request::<ThreadStart>(ThreadStartParams::default());
    request::<ThreadStart>(ThreadStartParams {
        cwd: text("/work"),
        model: text("m"),
        model_provider: text("p"),
        approval_policy: Some(ApprovalPolicy::OnRequest),
        sandbox: Some(SandboxMode::WorkspaceWrite),
        config: object(json!({ "tools": { "update_plan": { "enabled": true } } })),
        base_instructions: text("b"),
        developer_instructions: text("d"),
        ephemeral: Some(true),
        dynamic_tools: Some(vec![DynamicTool {
            name: "t".to_owned(),
            description: "d".to_owned(),
            input_schema: json!({ "type": "object" }),
        }]),
    });
    request::<ThreadResume>(ThreadResumeParams {
        thread_id: "t".to_owned(),
        exclude_turns: true,
        cwd: text("/work"),
        model: text("m"),
        model_provider: text("p"),
        approval_policy: Some(ApprovalPolicy::Never),
        sandbox: Some(SandboxMode::ReadOnly),
        config: object(json!({})),
        base_instructions: text("b"),
        developer_instructions: text("d"),
    });
    request::<ThreadRead>(ThreadReadParams { thread_id: "t".to_owned(), include_turns: true });
    request::<ThreadList>(ThreadListParams {
        cursor: text("c"),
        limit: Some(1),
        sort_key: text("updated_at"),
        sort_direction: Some(SortDirection::Ascending),
        model_providers: Some(vec![]),
        source_kinds: Some(vec!["exec".to_owned()]),
        archived: Some(false),
        cwd: Some(vec!["/work".to_owned()]),
        search_term: text("s"),
    });
    request::<ThreadLoadedList>(ThreadLoadedListParams { cursor: text("c"), limit: Some(1) });
    request::<ThreadTurnsList>(ThreadTurnsListParams {
        thread_id: "t".to_owned(),
        cursor: text("c"),
        limit: Some(1),
        sort_direction: Some(SortDirection::Descending),
        items_view: Some(TurnItemsView::Full),
    });
    let name = "n".to_owned();
    request::<ThreadSetName>(ThreadSetNameParams { thread_id: "t".to_owned(), name });
    request::<ThreadUnsubscribe>(ThreadIdParams { thread_id: "t".to_owned() });
    request::<ThreadArchive>(ThreadIdParams { thread_id: "t".to_owned() });
    request::<BackgroundTerminalsClean>(ThreadIdParams { thread_id: "t".to_owned() });
    request::<BackgroundTerminalsList>(BackgroundTerminalsListParams {
        thread_id: "t".to_owned(),
        cursor: text("c"),
        limit: Some(1),
    });
}

#[test]
fn turns() {
    request::<TurnStart>(TurnStartParams { thread_id: "t".to_owned(), ..Default::default() });
    for sandbox_policy in sandboxes() {
        request::<TurnStart>(TurnStartParams {
            thread_id: "t".to_owned(),
            input: inputs(),
            client_user_message_id: text("u"),
            cwd: text("/work"),
            approval_policy: Some(ApprovalPolicy::Untrusted),
            sandbox_policy: Some(sandbox_policy),
            model: text("m"),
            effort: text("high"),
            summary: Some(ReasoningSummary::Concise),
            output_schema: Some(json!({ "type": "object" })),
            collaboration_mode: Some(CollaborationMode {
                mode: CollaborationModeKind::Plan,
                settings: CollaborationSettings {
                    model: "m".to_owned(),
                    reasoning_effort: None,
                    developer_instructions: None,
                },
            }),
        });
    }
    request::<TurnSteer>(TurnSteerParams {
        thread_id: "t".to_owned(),
        input: inputs(),
        expected_turn_id: "u".to_owned(),
        client_user_message_id: text("u"),
    });
    let (thread_id, turn_id) = ("t".to_owned(), "u".to_owned());
    request::<TurnInterrupt>(TurnInterruptParams { thread_id, turn_id });
}

#[test]
fn reviews() {
    for target in [
        ReviewTarget::UncommittedChanges,
        ReviewTarget::BaseBranch { branch: "b".to_owned() },
        ReviewTarget::Commit { sha: "c".to_owned() },
        ReviewTarget::Custom { instructions: "i".to_owned() },
    ] {
        request::<ReviewStart>(ReviewStartParams { thread_id: "t".to_owned(), target });
    }
}

#[test]
fn the_rest() {
    request::<AccountRead>(AccountReadParams { refresh_token: true });
    request::<RateLimitsRead>(());
    request::<ModelList>(ModelListParams {
        cursor: text("c"),
        limit: Some(1),
        include_hidden: Some(true),
    });
    for sandbox_policy in sandboxes() {
        request::<CommandExec>(CommandExecParams {
            command: vec!["true".to_owned()],
            cwd: text("/work"),
            env: Some(BTreeMap::from([("A".to_owned(), text("b")), ("C".to_owned(), None)])),
            timeout_ms: Some(1),
            output_bytes_cap: Some(1),
            disable_output_cap: Some(true),
            sandbox_policy: Some(sandbox_policy),
            process_id: text("p"),
            stream_stdout_stderr: Some(true),
        });
    }
}

#[test]
fn answers() {
    for decision in [
        ApprovalDecision::Accept,
        ApprovalDecision::AcceptForSession,
        ApprovalDecision::Decline,
        ApprovalDecision::Cancel,
    ] {
        answer("CommandExecutionRequestApprovalResponse", ApprovalResponse { decision });
        answer("FileChangeRequestApprovalResponse", ApprovalResponse { decision });
    }
    for scope in [PermissionScope::Turn, PermissionScope::Session] {
        let permissions = json!({ "network": { "enabled": true } });
        answer(
            "PermissionsRequestApprovalResponse",
            PermissionsApprovalResponse { permissions, scope },
        );
    }
    let given = UserInputAnswer { answers: vec!["yes".to_owned()] };
    answer(
        "ToolRequestUserInputResponse",
        UserInputResponse { answers: BTreeMap::from([("q".to_owned(), given)]) },
    );
    for (action, content) in [
        (ElicitationAction::Accept, Some(json!({ "a": 1 }))),
        (ElicitationAction::Decline, None),
        (ElicitationAction::Cancel, None),
    ] {
        answer(
            "McpServerElicitationRequestResponse",
            ElicitationResponse { action, content, meta: None },
        );
    }
    let content_items = vec![DynamicToolOutput::text("done")];
    answer("DynamicToolCallResponse", DynamicToolCallResponse { content_items, success: true });
}
