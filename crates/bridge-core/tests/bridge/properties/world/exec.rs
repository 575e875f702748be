//! The runs of `codex exec` in the world: never two on a thread, and none on one that an app-server has.

use bridge_core::*;

use super::World;
use super::workspace::home;
use crate::properties::ExecStep;

impl World {
    pub(super) fn run_exec(&mut self, exec: ExecId, run: &ExecRun) {
        self.starts(&run.prompt, run.place.as_ref());
        assert!(!self.codex.begun.contains(&run.prompt), "{:?} was begun twice", run.prompt);
        let thread = match &run.thread {
            ExecThread::New(_) => None,
            ExecThread::Known { id: thread, .. } => Some(thread.clone()),
        };
        if let Some(thread) = &thread {
            assert!(!self.codex.loaded.contains(thread), "{thread} is loaded in the app-server");
            assert!(!self.codex.runs_exec(thread), "{thread} has a turn already");
            self.is_free(thread);
            self.plans.sent(thread, run.plan.as_deref());
            let folder = run.place.as_ref().map(|place| place.working_directory.clone());
            let folder = folder.unwrap_or_else(|| home(thread));
            self.codex.folders.insert(thread.clone(), folder);
        }
        self.codex.begun.insert(run.prompt.clone());
        self.codex.execs.insert(exec, thread);
    }

    pub(super) fn exec(&mut self, which: usize, step: ExecStep) {
        let execs = &self.codex.execs;
        let Some((exec, thread)) = execs.iter().nth(which % execs.len().max(1)) else {
            return;
        };
        let (exec, thread) = (*exec, thread.clone());
        let event = match step {
            ExecStep::Start => {
                let thread = thread.unwrap_or_else(|| self.codex.new_thread());
                self.codex.execs.insert(exec, Some(thread.clone()));
                self.codex.turns += 1;
                let turn = TurnId(format!("turn-{}", self.codex.turns));
                ExecEvent::Started { thread, turn, working_directory: "/w".to_owned() }
            }
            ExecStep::Work => {
                let (item, text) = (ItemId("m".to_owned()), "word".to_owned());
                ExecEvent::Turn(TurnEvent::MessageDelta { item, text })
            }
            ExecStep::End { well } => {
                self.codex.execs.remove(&exec);
                let failure = Failure::ExecExited(Exit::default());
                ExecEvent::Ended(if well { Ok(()) } else { Err(failure) })
            }
        };
        self.handle(Event::Exec { exec, event });
    }

    /// The processes of runs that are over are gone.
    pub(in super::super) fn end_execs(&mut self) {
        while !self.codex.execs.is_empty() {
            self.exec(0, ExecStep::End { well: false });
        }
    }
}
