//! The state of a repository of 100,000 files: asked of us, and of git itself.

use std::fs::{self, File, FileTimes};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use serde_json::json;
use testkit::home::CodexHome;

use super::lab::{Lab, time};
use super::party::{Ours, run};
use super::row::{Outcome, Row, Target};
use super::samples::Samples;

const FOLDERS: usize = 1_000;
const FILES_A_FOLDER: usize = 100;

/// The first call after a change, and the same call again.
pub(super) fn rows(lab: &Lab) -> Result<Vec<Row>> {
    let home = lab.home();
    fill(&home)?;
    let mut ours = Ours::start(&lab.server, &home)?;
    let changed = home.workspace().join("0/0/0.txt");
    let mut times: [Vec<Duration>; 6] = Default::default();
    for sample in 0..lab.samples(20) {
        // A change that git has to look into, long enough ago for the index to be sure of it.
        touch(&changed, sample)?;
        let mut git = git(&home);
        times[0].push(time(|| run(&mut git))?);
        for (at, tool) in ["codex.repo.status", "codex.repo.diff"].into_iter().enumerate() {
            touch(&changed, sample)?;
            for place in [1, 2] {
                let taken = time(|| ours.call(tool, json!({})).map(drop))?;
                times[2 * at + place].push(taken);
            }
        }
        // From a folder that nobody has asked from there is no answer yet, and no watch.
        let elsewhere = json!({ "cwd": format!("0/{sample}") });
        times[5].push(time(|| ours.call("codex.repo.status", elsewhere).map(drop))?);
    }
    ours.client.end().context("the server does not end")?;
    let [git, status, status_again, diff, diff_again, first] =
        times.map(|times| Samples::of_times(&times));
    let row = |what, ours, limit| Row {
        what,
        unit: "ms",
        ours,
        other: Some(("git status", git.clone())),
        outcome: Outcome::Ratio,
        target: Some(Target::AtMost(limit)),
    };
    Ok(vec![
        row("status of 100,000 files, the first of all", first, 1.2),
        row("status of 100,000 files after a change", status, 1.2),
        row("status of 100,000 files, the same call again", status_again, 0.1),
        row("diff of 100,000 files after a change", diff, 1.2),
        row("diff of 100,000 files, the same call again", diff_again, 0.1),
    ])
}

fn fill(home: &CodexHome) -> Result<()> {
    for folder in 0..FOLDERS {
        let folder = home.workspace().join(format!("{}/{folder}", folder / 50));
        fs::create_dir_all(&folder).context("no room for many files")?;
        for file in 0..FILES_A_FOLDER {
            fs::write(folder.join(format!("{file}.txt")), format!("{file}\n"))?;
        }
    }
    home.git(&["add", "--all"]);
    home.git(&["commit", "--quiet", "--message", "Many"]);
    Ok(())
}

fn touch(file: &Path, sample: usize) -> Result<()> {
    let ago = Duration::from_secs(3_600 + sample as u64);
    let times = FileTimes::new().set_modified(SystemTime::now() - ago);
    File::options().write(true).open(file)?.set_times(times).context("a file keeps its time")
}

/// What we are compared with: git as it is, but for the writing of its index, which would help the next one.
fn git(home: &CodexHome) -> Command {
    let mut git = Command::new("git");
    git.env_clear().envs(home.environment()).current_dir(home.workspace());
    git.args(["--no-optional-locks", "status", "--porcelain=v2"]).stdout(Stdio::null());
    git
}
