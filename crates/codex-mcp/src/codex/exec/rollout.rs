//! Codex's own name for a turn of `codex exec`, which tells none: it is in the thread's file, where it is written before
//! the turn is said to run (measured with Codex 0.169). With it the turn is the same one wherever it is told of.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use bridge_core::{ExecThread, ThreadId, TurnId};
use serde_json::Value;

/// How much of the file is read. A turn's name is at its beginning, behind the instructions of a new thread.
const MAX_BYTES: u64 = 1 << 20;

/// The file of a thread, as it was before the run.
#[derive(Debug)]
pub(crate) struct Rollout {
    sessions: Option<PathBuf>,
    /// Where it is, and its length, if it was there.
    before: Option<(PathBuf, u64)>,
}

impl Rollout {
    /// Looks for the file of a thread that is about to run. Blocks for some milliseconds.
    pub(crate) fn before(codex_home: Option<PathBuf>, thread: &ExecThread) -> Self {
        let sessions = codex_home.map(|home| home.join("sessions"));
        let file = match thread {
            ExecThread::New(_) => None,
            ExecThread::Known { id: thread, .. } => {
                sessions.as_deref().and_then(|sessions| find(sessions, thread))
            }
        };
        let before = file.and_then(|path| {
            let bytes = fs::metadata(&path).ok()?.len();
            Some((path, bytes))
        });
        Self { sessions, before }
    }

    /// The name of the turn that has begun since; `None` if it is not found. Blocks for some milliseconds.
    pub(crate) fn turn(&self, thread: &ThreadId) -> Option<TurnId> {
        let (path, from) = match &self.before {
            Some((path, bytes)) => (path.clone(), *bytes),
            None => (find(self.sessions.as_deref()?, thread)?, 0),
        };
        let mut file = File::open(path).ok()?;
        file.seek(SeekFrom::Start(from)).ok()?;
        let lines = BufReader::new(file.take(MAX_BYTES)).lines().map_while(Result::ok);
        lines.filter(|line| line.contains("\"task_started\"")).find_map(|line| name(&line))
    }
}

/// Where a thread works, as its file says in its first line: for one that is in no record, while Codex cannot be asked.
/// Blocks for some milliseconds.
pub(crate) fn working_directory(codex_home: &Path, thread: &ThreadId) -> Option<String> {
    let file = File::open(find(&codex_home.join("sessions"), thread)?).ok()?;
    let mut first = String::new();
    BufReader::new(file.take(MAX_BYTES)).read_line(&mut first).ok()?;
    folder(&first)
}

/// The folder that the first line of a thread's file tells.
pub(crate) fn folder(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let is_first = line["type"] == "session_meta";
    is_first.then(|| line["payload"]["cwd"].as_str().map(str::to_owned))?
}

/// The name of the turn that a line of the file tells the beginning of.
pub(crate) fn name(line: &str) -> Option<TurnId> {
    let line: Value = serde_json::from_str(line).ok()?;
    let payload = line.get("payload").filter(|payload| payload["type"] == "task_started")?;
    let name = payload.get("turn_id").or_else(|| payload.pointer("/turn_attribution/turn_id"))?;
    Some(TurnId(name.as_str()?.to_owned()))
}

/// The file `sessions/YEAR/MONTH/DAY/rollout-TIME-THREAD.jsonl`, the newest days first.
fn find(sessions: &Path, thread: &ThreadId) -> Option<PathBuf> {
    let end = format!("-{}.jsonl", thread.as_str());
    let days = entries(sessions).into_iter().flat_map(|year| entries(&year));
    let mut files = days.flat_map(|month| entries(&month)).flat_map(|day| entries(&day));
    files.find(|file| file.to_string_lossy().ends_with(&end))
}

/// What is in a folder, the last by name first.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).into_iter().flatten();
    let mut entries: Vec<_> = read.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort_unstable_by(|one, other| other.cmp(one));
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_turn_that_began_since_is_named_and_no_earlier_one() {
        let home = tempfile::tempdir().unwrap();
        let day = home.path().join("sessions/2026/11/25");
        fs::create_dir_all(&day).unwrap();
        let file = day.join("rollout-2026-11-25T17-16-07-T.jsonl");
        let started = |turn: &str| {
            format!("{{\"payload\":{{\"type\":\"task_started\",\"turn_id\":\"{turn}\"}}}}\n")
        };
        fs::write(&file, started("t1")).unwrap();
        let thread = ThreadId("T".to_owned());
        let known = ExecThread::Known { id: thread.clone(), config: None };
        let rollout = Rollout::before(Some(home.path().to_owned()), &known);
        assert_eq!(rollout.turn(&thread), None);
        fs::write(&file, started("t1") + &started("t2")).unwrap();
        assert_eq!(rollout.turn(&thread), Some(TurnId("t2".to_owned())));
    }

    #[test]
    fn the_folder_of_a_thread_stands_in_the_first_line() {
        let home = tempfile::tempdir().unwrap();
        let day = home.path().join("sessions/2026/11/25");
        fs::create_dir_all(&day).unwrap();
        let meta = r#"{"type":"session_meta","payload":{"id":"T","cwd":"/w"}}"#;
        let turn = r#"{"type":"turn_context","payload":{"cwd":"/elsewhere"}}"#;
        fs::write(day.join("rollout-1-T.jsonl"), format!("{meta}\n{turn}\n")).unwrap();
        fs::write(day.join("rollout-1-U.jsonl"), format!("{turn}\n{meta}\n")).unwrap();
        let folder = |thread: &str| working_directory(home.path(), &ThreadId(thread.to_owned()));
        assert_eq!(folder("T").as_deref(), Some("/w"));
        assert_eq!(folder("U"), None);
        assert_eq!(folder("V"), None);
    }

    #[test]
    fn without_a_file_there_is_no_name() {
        let thread = ThreadId("T".to_owned());
        let rollout =
            Rollout::before(None, &ExecThread::Known { id: thread.clone(), config: None });
        assert_eq!(rollout.turn(&thread), None);
    }
}
