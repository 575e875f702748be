//! By what a file is known to be unchanged without reading it.

use rustix::fs::Stat;
use serde::{Deserialize, Serialize};

/// How long before it was looked at a file must have changed last for its facts to be trusted: the system's own clock for
/// files moves in steps of some milliseconds, and two changes in one step look the same.
const STEP: i128 = 20_000_000;

/// What the system says of a file. Whoever writes to it or replaces it cannot help changing one of these: the time of the
/// last change cannot be set back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    number: u64,
    size: u64,
    mode: u32,
    modified: (i64, u32),
    changed: (i64, u32),
}

impl Facts {
    #[expect(
        clippy::useless_conversion,
        clippy::unnecessary_cast,
        reason = "the types of these fields differ between systems"
    )]
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            number: u64::from(stat.st_ino),
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mode: u32::from(stat.st_mode),
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as u32),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as u32),
        }
    }

    /// Whether nothing that happens from `now` on can leave these facts as they are.
    pub(crate) fn are_settled(&self, now: &Self) -> bool {
        now.changed_at() - self.changed_at() > STEP
    }

    fn changed_at(&self) -> i128 {
        i128::from(self.changed.0) * 1_000_000_000 + i128::from(self.changed.1)
    }
}
