//! A program in a terminal of its own, as a person would run it: what it shows is kept, and it can be ended.
//!
//! The screen is not drawn: what was written to it is searched as it is, so look for single words.

use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::process::Launch;

/// How long is waited for something to be shown, or for the end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program in a terminal. It is killed when this is dropped.
pub struct Terminal {
    child: Child,
    screen: Arc<Mutex<Vec<u8>>>,
    changed: watch::Receiver<()>,
    /// The task that reads ends with this.
    _reading: JoinSet<()>,
}

impl Terminal {
    /// Starts a program in a new terminal of 120 columns.
    ///
    /// # Panics
    /// When there is no terminal, or the program cannot be started.
    pub fn start(launch: &Launch) -> Self {
        let (own, its) = open();
        let end = || Stdio::from(its.try_clone().expect("a descriptor can be cloned"));
        let child = launch.spawn_with(end(), end(), end());
        let screen = Arc::<Mutex<Vec<u8>>>::default();
        let (tell, changed) = watch::channel(());
        let mut reading = JoinSet::new();
        reading.spawn(read(own, screen.clone(), tell));
        Self { child, screen, changed, _reading: reading }
    }

    /// Everything that it has written.
    pub fn screen(&self) -> String {
        let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&screen).into_owned()
    }

    /// Waits until a word was written.
    ///
    /// # Panics
    /// When it was not within 20 seconds, with all that was.
    pub async fn shows(&mut self, word: &str) {
        let shown = async {
            while !self.screen().contains(word) && self.changed.changed().await.is_ok() {}
        };
        // Whether it was is looked at below, with what there is instead.
        let _ = tokio::time::timeout(PATIENCE, shown).await;
        let screen = self.screen();
        assert!(screen.contains(word), "{word:?} was not shown: {screen}");
    }

    /// Sends it a signal that ends it, and waits until it has.
    ///
    /// # Panics
    /// When it has not within 20 seconds.
    pub async fn end(mut self, signal: Signal) -> ExitStatus {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        let pid = pid.expect("it has not been waited for");
        kill_process(pid, signal).expect("a child can be signalled");
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.expect("it ends when it is told to").expect("a child can be waited for")
    }
}

/// The two ends of a terminal: ours and the program's.
fn open() -> (OwnedFd, OwnedFd) {
    let own = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
        .expect("there is a terminal left");
    grantpt(&own).expect("a new terminal is ours");
    unlockpt(&own).expect("a new terminal can be unlocked");
    let name = ptsname(&own, Vec::new()).expect("a terminal has a name");
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let its = rustix::fs::open(name, flags, Mode::empty()).expect("a terminal has two ends");
    let size = Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&own, size).expect("a terminal has a size");
    rustix::io::ioctl_fionbio(&own, true).expect("a terminal can be read without waiting");
    (own, its)
}

async fn read(own: OwnedFd, screen: Arc<Mutex<Vec<u8>>>, tell: watch::Sender<()>) {
    // It is no pipe, but is read and waited for like one.
    let Ok(mut own) = pipe::Receiver::from_owned_fd_unchecked(own) else {
        return;
    };
    let mut buffer = vec![0; 8192];
    // The end of the program is an error here.
    while let Ok(count @ 1..) = own.read(&mut buffer).await {
        let mut screen = screen.lock().unwrap_or_else(PoisonError::into_inner);
        screen.extend_from_slice(&buffer[..count]);
        drop(screen);
        tell.send_replace(());
    }
}
