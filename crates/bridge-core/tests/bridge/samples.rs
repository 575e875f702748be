//! What scripts say by a name alone: one thing of each kind.

use bridge_core::*;

pub(crate) fn place(working_directory: &str) -> Place {
    Place {
        working_directory: working_directory.to_owned(),
        writable: vec![working_directory.to_owned()],
        confined: true,
        network: false,
        copy: (working_directory != "/w").then(|| (working_directory.to_owned(), "/w".to_owned())),
    }
}

pub(crate) fn change_set(id: &str) -> ChangeSet {
    ChangeSet {
        id: id.to_owned(),
        kind: Changes::Propose,
        files: 1,
        added: 2,
        removed: 3,
        paths: vec!["a.rs".to_owned()],
        ignored: 0,
        notes: Vec::new(),
    }
}

pub(crate) fn info() -> AppServerInfo {
    AppServerInfo {
        program: "codex".to_owned(),
        pid: 1,
        version: Some("0.169.0".to_owned()),
        codex_home: None,
    }
}

pub(crate) fn start_failure(kind: &str) -> StartFailure {
    let kind = match kind {
        "missing" => StartFailureKind::NotFound,
        "crashed" => StartFailureKind::ExitedEarly,
        other => panic!("the script has no failed start {other}"),
    };
    StartFailure { program: "codex".to_owned(), kind, detail: "why".to_owned() }
}

pub(crate) fn opened(thread: &str, working_directory: &str) -> ThreadOpened {
    ThreadOpened {
        thread: ThreadId(thread.to_owned()),
        working_directory: Some(working_directory.to_owned()),
        model: Some("base".to_owned()),
        effort: None,
        approval_policy: None,
    }
}

pub(crate) fn rejected(message: &str) -> RequestFailure {
    RequestFailure::Rejected { code: -32600, message: message.to_owned(), data: None }
}

pub(crate) fn account() -> Account {
    Account { kind: Some("apiKey".to_owned()), plan: None, login_required: true }
}

pub(crate) fn probe() -> SandboxProbe {
    SandboxProbe { exit_code: 0, stderr: String::new() }
}

pub(crate) fn error(kind: &str) -> CodexError {
    CodexError {
        kind: kind.to_owned(),
        http_status: None,
        message: "it broke".to_owned(),
        details: None,
        resets_at: None,
    }
}

pub(crate) fn plan(step: &str) -> Plan {
    let steps = vec![PlanStep { step: step.to_owned(), status: StepStatus::InProgress }];
    Plan { explanation: None, steps }
}

pub(crate) fn message(text: &str) -> Item {
    let (item, text) = (ItemId("whole".to_owned()), text.to_owned());
    Item::Message(Message { item, phase: None, text, complete: true })
}

pub(crate) fn patch(path: &str) -> Item {
    let kind = ChangeKind::Delete;
    Item::Patch(Patch {
        item: ItemId("p".to_owned()),
        changes: vec![FileChange { path: path.to_owned(), kind, diff: String::new() }],
        status: CommandStatus::InProgress,
    })
}

pub(crate) fn command(command: &str, status: CommandStatus) -> Item {
    Item::Command(Command {
        item: ItemId("c".to_owned()),
        command: command.to_owned(),
        working_directory: "/w".to_owned(),
        status,
        exit_code: None,
        output: "0123456789abc".to_owned(),
        output_chars: 13,
        duration: None,
    })
}
