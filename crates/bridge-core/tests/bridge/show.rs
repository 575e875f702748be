//! Effects, each in one short line.

#![expect(clippy::unwrap_used, reason = "writing to a string cannot fail")]

use std::fmt::Write as _;

use bridge_core::*;

/// Writes an effect in one short line.
pub(crate) fn show(effect: &Effect) -> String {
    match effect {
        Effect::StartAppServer { .. } => "start the app-server".to_owned(),
        Effect::StopAppServer { .. } => "stop the app-server".to_owned(),
        Effect::KillAppServer { .. } => "kill the app-server".to_owned(),
        Effect::RunExec { run, .. } => {
            let ExecRun { thread, plan, material, prompt, options, place } = &**run;
            let thread = match thread {
                ExecThread::New(_) => "new",
                ExecThread::Known { id: thread, .. } => thread.as_str(),
            };
            let place = show_place(place.as_ref());
            let model = or_none(&options.model);
            let (plan, with) = (show_plan(plan.as_ref()), show_material(material));
            format!("run codex exec on {thread} {plan}{with}{prompt:?} model={model}{place}")
        }
        Effect::StopExec { .. } => "stop codex exec".to_owned(),
        Effect::Prepare { turn, thread, changes, workspace: _, working_directory } => {
            format!("prepare {changes:?} of turn {} of {thread} in {working_directory}", turn.0)
        }
        Effect::StopPreparing { turn } => format!("stop preparing turn {}", turn.0),
        Effect::Collect { turn, thread } => format!("collect turn {} of {thread}", turn.0),
        Effect::Send { request, .. } => format!("send {}", show_request(request)),
        Effect::Reply { question, answer, .. } => {
            format!("say {:?} to {question:?}", answer.decision)
        }
        Effect::Ask { call, ask } => {
            format!("ask {} within {:?}: {}", call.0, ask.patience, ask.what)
        }
        Effect::StopAsking { call, .. } => format!("stop asking {}", call.0),
        Effect::Record(record) => format!("keep {}", show_record(record)),
        Effect::TellSession { session, news } => format!("tell {session} of {}", show_news(news)),
        Effect::Report { call, update } => format!("tell {} {update:?}", call.0),
        Effect::Answer { call, outcome } => format!("answer {} {}", call.0, show_outcome(outcome)),
    }
}

fn show_news(news: &SessionNews) -> String {
    match news {
        SessionNews::Ended { prompt, report } => {
            format!("the end of {prompt:?}: {}", show_report(report))
        }
        SessionNews::Asked { thread, prompt, what, patience, .. } => {
            format!("a question within {patience:?} in {prompt:?} of {thread}: {what}")
        }
    }
}

fn show_record(record: &Record) -> String {
    match record {
        Record::ThreadOpened { thread, options, working_directory, .. } => {
            let new = if options.is_some() { "new " } else { "" };
            let elsewhere = working_directory.as_deref().filter(|folder| *folder != "/w");
            let elsewhere = elsewhere.map(|folder| format!(" in {folder}")).unwrap_or_default();
            format!("{new}thread {thread}{elsewhere}")
        }
        Record::TurnQueued { turn, thread, prompt, attachment, .. } => {
            format!("{attachment:?} turn {} of {thread} {prompt:?}", turn.0)
        }
        Record::TurnStarted { turn, id, .. } => format!("turn {} started as {id}", turn.0),
        Record::ItemCompleted { turn, item } => format!("item of turn {}: {item:?}", turn.0),
        Record::PlanUpdated { turn, plan, .. } => format!("plan of turn {}: {plan:?}", turn.0),
        Record::PlanDelivered { version, turn, .. } => format!("plan {version} told in {turn}"),
        Record::Decided { turn, decided: Decided { what, decision, decider, .. }, .. } => {
            format!("{decision:?} by {decider:?} in turn {}: {what}", turn.0)
        }
        Record::TurnEnded { turn, report } => {
            format!("end of turn {}: {:?}", turn.0, report.state)
        }
        Record::ThreadArchived { thread } => format!("archived {thread}"),
        Record::ThreadUnarchived { thread } => format!("unarchived {thread}"),
        Record::ThreadDeleted { thread } => format!("deleted {thread}"),
    }
}

fn show_request(request: &Request) -> String {
    let method = request.method();
    match request {
        Request::StartThread(_)
        | Request::ReadAccount
        | Request::ProbeSandbox
        | Request::ListModels => method.to_owned(),
        Request::ListThreads(query) => format!("{method} {query:?}"),
        Request::ResumeThread { thread, .. }
        | Request::ReadThread(thread)
        | Request::ReadTurns { thread, .. }
        | Request::UnsubscribeThread(thread)
        | Request::ArchiveThread(thread)
        | Request::UnarchiveThread(thread)
        | Request::DeleteThread(thread)
        | Request::CleanTerminals(thread) => {
            format!("{method} {thread}")
        }
        Request::NameThread { thread, name } => format!("{method} {thread} {name}"),
        Request::StartTurn {
            thread,
            plan,
            material,
            prompt,
            options,
            effort,
            place,
            working_directory,
        } => {
            let (plan, with) = (show_plan(plan.as_ref()), show_material(material));
            let effort = match effort {
                Effort::Unchanged => "-",
                Effort::Named(effort) => effort,
                Effort::ModelDefault => "default",
            };
            let model = or_none(&options.model);
            let place = show_place(place.as_ref());
            let moved = working_directory.as_ref().map(|to| format!(" cwd={to}"));
            let moved = moved.unwrap_or_default();
            format!(
                "{method} {thread} {plan}{with}{prompt:?} model={model} effort={effort}{place}{moved}"
            )
        }
        Request::StartReview { thread, target } => format!("{method} {thread} {target:?}"),
        Request::SteerTurn { thread, turn, prompt } => {
            format!("{method} {thread}/{turn} {prompt:?}")
        }
        Request::InterruptTurn { thread, turn } => format!("{method} {thread}/{turn}"),
        Request::ReadTurn { thread, turn } => format!("{method} {thread} {turn:?}"),
    }
}

fn show_place(place: Option<&Place>) -> String {
    place.map(|place| format!(" writes={}", place.writable.join(","))).unwrap_or_default()
}

fn show_material(material: &Material) -> String {
    let text = material.text.as_ref().map(|text| format!("with {text:?} "));
    let images = material.images.iter().map(|image| format!("with image {image:?} "));
    text.into_iter().chain(images).collect()
}

fn show_plan(plan: Option<&String>) -> String {
    plan.map(|plan| format!("[{plan}] ")).unwrap_or_default()
}

fn or_none(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("-")
}

fn show_outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Turn(report) => show_report(report),
        Outcome::Asked { turn, asks, .. } => {
            let asks: Vec<_> = asks.iter().map(|ask| ask.what.as_str()).collect();
            format!("asks {} [{}]", asks.join(", "), show_report(turn))
        }
        Outcome::Steered { thread, turn } => format!("steered {thread}/{turn}"),
        Outcome::PlanTold { turn: Some(turn) } => format!("plan told in {turn}"),
        Outcome::PlanTold { turn: None } => "plan waits".to_owned(),
        Outcome::Cancelled { turn, dropped } => {
            let turn = turn.as_ref().map_or("no turn".to_owned(), |report| show_report(report));
            format!("cancelled [{turn}] and {dropped} waiting")
        }
        Outcome::NotLive => "not live".to_owned(),
        Outcome::Turns(list) => format!("{} turns", list.turns.len()),
        Outcome::Threads(list) => format!("{list:?}"),
        Outcome::ThreadChanged => "changed".to_owned(),
        Outcome::Health(report) => format!("{report:?}"),
        Outcome::Failed(failure) => format!("{failure:?}"),
    }
}

fn show_report(report: &TurnReport) -> String {
    let id = |id: Option<&str>| id.unwrap_or("-").to_owned();
    let thread = id(report.thread.as_ref().map(ThreadId::as_str));
    let turn = id(report.turn.as_ref().map(TurnId::as_str));
    let mut text = format!("{:?} {thread}/{turn} after {:?}", report.state, report.duration);
    if let Some(effort) = &report.effort {
        write!(text, " effort={effort}").unwrap();
    }
    if let Some(answer) = report.transcript.answer() {
        write!(text, " {:?}", answer.text).unwrap();
    }
    if let Some(failure) = &report.failure {
        write!(text, " because {failure:?}").unwrap();
    }
    if let Some(cause) = &report.stopped {
        write!(text, " stopped by {cause:?}").unwrap();
    }
    if let Some(ChangeSet { id, files, .. }) = &report.change_set {
        write!(text, " {id} changes {files}").unwrap();
    }
    for asking in &report.asking {
        write!(text, " asking {asking:?}").unwrap();
    }
    for Decided { what, decision, decider, .. } in &report.transcript.decisions {
        write!(text, " {decision:?} by {decider:?} {what:?}").unwrap();
    }
    for warning in &report.transcript.warnings {
        write!(text, " warning {warning:?}").unwrap();
    }
    text
}
