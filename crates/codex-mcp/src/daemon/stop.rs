//! How an engine is ended from outside: it is asked first, and one that does not answer is made to end.

use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{Introduction, Place, Welcome, ask};

/// How long an engine may take to end by itself once it is told to by a signal: longer than it needs.
const GRACE: Duration = Duration::from_secs(5);
/// How often is looked whether it has.
const GLANCE: Duration = Duration::from_millis(50);

/// How an engine came to be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It was asked and ends.
    Asked {
        /// The engine's process.
        pid: u32,
        /// Whether turns were cut.
        busy: bool,
    },
    /// It did not answer and was ended.
    Forced {
        /// The engine's process.
        pid: Pid,
    },
    /// There was none.
    Nobody,
}

/// Ends the engine of a place: asks it, and where nothing answers sends SIGTERM, then SIGKILL, to who holds the lock.
///
/// # Errors
/// It cannot be told who holds the lock, or that process cannot be ended.
pub async fn stop(place: &Place) -> io::Result<Stopped> {
    if let Ok(Welcome::Stopping { pid, busy }) = ask(place, &Introduction::Stop).await {
        return Ok(Stopped::Asked { pid, busy });
    }
    // One that starts or ends holds the lock and answers nobody. It heeds the signal.
    let Some(pid) = place.holder()? else {
        return Ok(Stopped::Nobody);
    };
    for signal in [Signal::TERM, Signal::KILL] {
        let sent = kill_process(pid, signal);
        // One that was stopped can end in order only if it goes on.
        let _ = kill_process(pid, Signal::CONT);
        match sent {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
        if has_ended(pid, place).await {
            return Ok(Stopped::Forced { pid });
        }
    }
    let message = format!("process {} holds the lock and does not end", pid.as_raw_nonzero());
    Err(io::Error::new(io::ErrorKind::TimedOut, message))
}

/// Waits until a process does not hold the lock any more. Another one may be quick to: clients start it.
async fn has_ended(pid: Pid, place: &Place) -> bool {
    let ended = async {
        while place.holder().is_ok_and(|holder| holder == Some(pid)) {
            tokio::time::sleep(GLANCE).await;
        }
    };
    tokio::time::timeout(GRACE, ended).await.is_ok()
}
