//! How much of Codex's list of threads an engine has read: everything that had changed by a certain time.
//!
//! It is not kept on disk. A new engine reads the whole list once, and so also learns of what no newer time shows, such
//! as a thread whose file was copied in.

use std::sync::{Mutex, MutexGuard};

/// What has been read, of the threads in use and of the archived ones.
#[derive(Debug, Default)]
pub(crate) struct ListMarks(Mutex<Marks>);

#[derive(Debug, Default)]
struct Marks {
    active: Option<i64>,
    archived: Option<i64>,
}

impl ListMarks {
    /// Until when everything that changed has been read, in Unix seconds.
    pub(crate) fn read_until(&self, archived: bool) -> Option<i64> {
        *self.lock().of(archived)
    }

    /// Everything that changed until then has been read.
    pub(crate) fn have_read_until(&self, archived: bool, changed: i64) {
        let mut marks = self.lock();
        let mark = marks.of(archived);
        *mark = (*mark).max(Some(changed));
    }

    fn lock(&self) -> MutexGuard<'_, Marks> {
        self.0.lock().expect("nothing panics while it holds the marks")
    }
}

impl Marks {
    fn of(&mut self, archived: bool) -> &mut Option<i64> {
        match archived {
            true => &mut self.archived,
            false => &mut self.active,
        }
    }
}
