//! Proposals on a workspace of 50,000 files: the copy that a turn works in, and the look at what it has changed.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::json;
use testkit::home::CodexHome;
use testkit::model::{runs, says};

use super::lab::{Lab, time};
use super::party::{Ours, run};
use super::row::{Outcome, Row};
use super::samples::Samples;

const FOLDERS: usize = 500;
const FILES_A_FOLDER: usize = 100;

/// A thread's first proposal makes the copy, a further one goes on with it; beside them what a person would do.
pub(super) fn rows(lab: &Lab) -> Result<Vec<Row>> {
    let home = lab.home();
    fill(&home)?;
    let mut ours = Ours::start(&lab.server, &home)?;
    let mut times: [Vec<Duration>; 4] = Default::default();
    for sample in 0..lab.samples(5) {
        let copy = home.root().join(format!("copy-{sample}"));
        times[0].push(time(|| run(&mut copied(&home, &copy)))?);
        fs::remove_dir_all(&copy).context("the copy cannot be removed")?;
        let answers = || [runs("echo changed > 0/0/0.txt"), says("Done.")];
        lab.model.add(answers().into_iter().chain(answers()).chain(answers()));
        let mut thread = String::new();
        let mut turn = |tool: &str, changes: &str, thread: &mut String| -> Result<Duration> {
            let mut arguments = json!({ "prompt": "Change it.", "changes": changes });
            if tool == "codex-reply" {
                arguments["threadId"] = json!(thread);
            }
            time(|| {
                let data = ours.call(tool, arguments)?;
                *thread = data["threadId"].as_str().unwrap_or_default().to_owned();
                Ok(())
            })
        };
        times[3].push(turn("codex", "none", &mut thread)?);
        times[1].push(turn("codex-reply", "propose", &mut thread)?);
        times[2].push(turn("codex-reply", "propose", &mut thread)?);
        ours.call("codex.thread.archive", json!({ "threadId": thread }))?;
    }
    ours.client.end().context("the server does not end")?;
    let [copy, first, next, plain] = times.map(|times| Samples::of_times(&times));
    let row = |what, ours, other| Row {
        what,
        unit: "ms",
        ours,
        other: Some(other),
        outcome: Outcome::Ratio,
        target: None,
    };
    Ok(vec![
        row("first proposal on 50,000 files", first, ("`cp -a`", copy)),
        row("next proposal on 50,000 files", next, ("a turn that changes nothing", plain)),
    ])
}

fn fill(home: &CodexHome) -> Result<()> {
    for folder in 0..FOLDERS {
        let folder = home.workspace().join(format!("{}/{folder}", folder / 50));
        fs::create_dir_all(&folder).context("no room for many files")?;
        for file in 0..FILES_A_FOLDER {
            let line = format!("line of file {file}\n");
            fs::write(folder.join(format!("{file}.txt")), line.repeat(file + 1))?;
        }
    }
    home.git(&["add", "--all"]);
    home.git(&["commit", "--quiet", "--message", "Many"]);
    Ok(())
}

fn copied(home: &CodexHome, to: &std::path::Path) -> Command {
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(home.workspace()).arg(to).stdout(Stdio::null());
    copy
}
