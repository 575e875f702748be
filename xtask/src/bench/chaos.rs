//! An app-server that is killed again and again while clients work: every call is answered, rightly or with an error that
//! says to try again, and no turn runs twice.
//!
//! Clients pause between calls as people and models do. A kill that hits a turn before its model has said a word costs
//! nothing: the turn is run again. Later it costs that turn, because nobody can know what it has done already.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use testkit::home::CodexHome;
use testkit::model::{CapturedRequest, FakeModel, Script, says};

use super::lab::{self, Lab};
use super::party::Ours;
use super::process;
use super::row::{Outcome, Row, Target};
use super::samples::Samples;

const CLIENTS: usize = 4;
/// Calls of each client.
const CALLS: usize = 500;
const KILLS: usize = 40;
/// What the model answers.
const ANSWER: &str = "pong";
/// The longest pause of a client.
const PAUSE_MS: u64 = 500;

/// How the calls went.
#[derive(Default)]
struct Tally {
    right: AtomicUsize,
    retryable: AtomicUsize,
}

pub(super) fn rows(lab: &Lab) -> Result<Vec<Row>> {
    let model = FakeModel::start(Script::always(says(ANSWER)));
    let home = lab::home(&model);
    let tally = Tally::default();
    let done = AtomicBool::new(false);
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Ours::start(&lab.server, &home)?);
    }
    let killed = std::thread::scope(|scope| -> Result<usize> {
        let (tally, done, home) = (&tally, &done, &home);
        let killer = scope.spawn(move || kill(home, tally, done));
        let working = (1_u64..).zip(clients.iter_mut());
        let working: Vec<_> =
            working.map(|(number, ours)| scope.spawn(move || work(ours, number, tally))).collect();
        let worked: Result<Vec<()>> = working
            .into_iter()
            .map(|client| client.join().unwrap_or_else(|_| bail!("a client panicked")))
            .collect();
        done.store(true, Ordering::Relaxed);
        let killed = killer.join().unwrap_or_else(|_| bail!("the killer panicked"))?;
        worked?;
        Ok(killed)
    })?;
    for ours in &mut clients {
        ours.client.end().context("a client does not end")?;
    }
    let (again, twice) = asked_again(&model.captured());
    let (right, retryable) =
        (tally.right.load(Ordering::Relaxed), tally.retryable.load(Ordering::Relaxed));
    println!(
        "  {killed} kills, {right} calls right, {retryable} to be tried again, {again} turns run again"
    );
    let row = |what, unit, value, target| Row {
        what,
        unit,
        ours: Samples::new(vec![value]),
        other: None,
        outcome: Outcome::Median,
        target: Some(target),
    };
    let all = (CLIENTS * CALLS) as f64;
    let (right, retryable) = (right as f64, retryable as f64);
    Ok(vec![
        row("chaos: calls answered rightly", "%", right / all * 100.0, Target::AtLeast(99.5)),
        row(
            "chaos: calls answered",
            "%",
            (right + retryable) / all * 100.0,
            Target::AtLeast(100.0),
        ),
        row("chaos: turns that ran twice", "turns", twice as f64, Target::AtMost(0.0)),
        row("chaos: kills", "kills", killed as f64, Target::AtLeast(KILLS as f64)),
    ])
}

/// How many prompts the model was asked again before it had answered them, and how many after that: those turns ran
/// twice.
fn asked_again(requests: &[CapturedRequest]) -> (usize, usize) {
    let (mut asked, mut answered) = (BTreeSet::new(), BTreeSet::new());
    let (mut again, mut twice) = (0, 0);
    for request in requests {
        let mut last = None;
        for message in request.input() {
            let text = || message["content"][0]["text"].as_str().map(str::to_owned);
            match message["role"].as_str() {
                Some("user") => last = text(),
                Some("assistant") => answered.extend(last.take()),
                _ => {}
            }
        }
        let prompt = request.prompt();
        twice += usize::from(answered.contains(&prompt));
        again += usize::from(!asked.insert(prompt));
    }
    (again - twice, twice)
}

/// Makes one client's calls: turns, and what looks at them.
fn work(ours: &mut Ours, number: u64, tally: &Tally) -> Result<()> {
    let mut chance = Chance(number);
    let mut thread = None;
    for call in 0..CALLS {
        std::thread::sleep(Duration::from_millis(chance.below(PAUSE_MS)));
        let prompt = format!("client {number}, call {call}");
        let (tool, arguments) = match (call % 4, &thread) {
            (_, None) => ("codex", json!({ "prompt": prompt })),
            (0 | 2, Some(thread)) => {
                ("codex-reply", json!({ "prompt": prompt, "threadId": thread }))
            }
            (1, Some(thread)) => ("codex.wait", json!({ "threadId": thread })),
            (_, Some(thread)) if call % 8 == 3 => {
                ("codex.thread.read", json!({ "threadId": thread, "limit": 5 }))
            }
            (_, Some(_)) => ("codex.thread.list", json!({ "limit": 5 })),
        };
        let id = ours.begin(tool, arguments)?;
        let answer = ours.client.answer(id)?;
        let result = &answer["result"]["structuredContent"];
        if let Some(id) = result["threadId"].as_str() {
            thread = Some(id.to_owned());
        }
        match judge(tool, &answer) {
            Judgement::Right => tally.right.fetch_add(1, Ordering::Relaxed),
            Judgement::Retryable => tally.retryable.fetch_add(1, Ordering::Relaxed),
            Judgement::Wrong => bail!("a wrong answer to {tool}: {answer}"),
        };
    }
    Ok(())
}

enum Judgement {
    Right,
    Retryable,
    Wrong,
}

fn judge(tool: &str, answer: &Value) -> Judgement {
    let result = &answer["result"]["structuredContent"];
    let error = &result["error"];
    // A look at a turn that was cut tells of its error, and is right in doing so.
    let tells_of_a_cut = tool == "codex.wait" && result["status"] == "interrupted";
    let is_turn = matches!(tool, "codex" | "codex-reply" | "codex.wait");
    if tells_of_a_cut {
        return Judgement::Right;
    }
    match answer["result"]["isError"].as_bool() {
        Some(false) if !is_turn || result["content"] == ANSWER => Judgement::Right,
        Some(true) if error["code"].is_string() && error["retryable"] == true => {
            Judgement::Retryable
        }
        Some(_) | None => Judgement::Wrong,
    }
}

/// Kills the app-server at random moments, evenly over the calls.
fn kill(home: &CodexHome, tally: &Tally, done: &AtomicBool) -> Result<usize> {
    let mut chance = Chance(7);
    let mut killed = 0;
    while killed < KILLS && !done.load(Ordering::Relaxed) {
        let answered =
            tally.right.load(Ordering::Relaxed) + tally.retryable.load(Ordering::Relaxed);
        if answered < (killed + 1) * CLIENTS * CALLS / (KILLS + 2) {
            std::thread::sleep(Duration::from_millis(5));
            continue;
        }
        std::thread::sleep(Duration::from_millis(chance.below(PAUSE_MS)));
        for pid in process::named(home, "app-server") {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            if pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok()) {
                killed += 1;
            }
        }
    }
    Ok(killed)
}

/// Numbers that look random and are the same in each run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        // Knuth's constants for a linear congruential generator; the high bits are the good ones.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
