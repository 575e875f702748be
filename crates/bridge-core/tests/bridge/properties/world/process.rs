//! The world's app-server: it starts, answers, or is gone.

use std::time::Duration;

use bridge_core::*;

use super::World;
use crate::properties::AppServerStep;

impl World {
    pub(in super::super) fn app_server(&mut self, step: AppServerStep) {
        let Some((app_server, ready)) = self.codex.process else {
            return;
        };
        match step {
            AppServerStep::Ready if !ready => {
                self.codex.process = Some((app_server, true));
                let info = AppServerInfo {
                    program: String::new(),
                    pid: 1,
                    version: None,
                    codex_home: None,
                };
                self.handle(Event::AppServerReady { app_server, info });
            }
            AppServerStep::Fail if !ready => {
                self.codex.forget_process();
                self.questions.clear();
                let kind = StartFailureKind::ExitedEarly;
                let failure = StartFailure { program: String::new(), kind, detail: String::new() };
                self.handle(Event::AppServerFailed { app_server, failure });
            }
            AppServerStep::Exit if ready => {
                self.codex.forget_process();
                self.questions.clear();
                self.handle(Event::AppServerExited { app_server, exit: Exit::default() });
            }
            AppServerStep::Ready | AppServerStep::Fail | AppServerStep::Exit => {}
        }
    }

    pub(super) fn respond(&mut self, which: usize, well: bool, hung: bool) {
        let (Some((app_server, true)), false) = (self.codex.process, self.codex.pending.is_empty())
        else {
            return;
        };
        let (request, asked) = self.codex.pending.remove(which % self.codex.pending.len());
        let result = match (well, hung) {
            (_, true) => Err(RequestFailure::DeadlineExceeded { after: Duration::from_secs(30) }),
            (false, false) => {
                if let Request::StartTurn { thread, .. } | Request::StartReview { thread, .. } =
                    &asked
                {
                    self.codex.starting.remove(thread);
                }
                Err(RequestFailure::Rejected { code: -32600, message: String::new(), data: None })
            }
            (true, false) => Ok(self.codex.reply(&asked)),
        };
        self.handle(Event::Response { app_server, request, result });
    }
}
