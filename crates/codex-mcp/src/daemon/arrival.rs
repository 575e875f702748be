//! Notices that an engine's socket has come, where the system tells of it.

#[cfg(target_os = "linux")]
pub(super) use linux::Arrival;
#[cfg(not(target_os = "linux"))]
pub(super) use other::Arrival;

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::path::Path;

    use memchr::memmem;
    use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
    use tokio::io::AsyncReadExt as _;
    use tokio::net::unix::pipe;

    use super::super::place::SOCKET;

    /// The arrivals in a state directory; none, if the system has no watch left.
    pub(in crate::daemon) struct Arrival(Option<pipe::Receiver>);

    impl Arrival {
        pub(in crate::daemon) fn at(directory: &Path) -> Self {
            let events = watch(directory);
            if let Err(error) = &events {
                tracing::debug!(%error, "the state directory is not watched");
            }
            Self(events.ok())
        }

        /// Resolves when a socket has come since this was last asked. Safe to cancel.
        pub(in crate::daemon) async fn came(&mut self) {
            let mut news = [0; 4096];
            while let Some(events) = &mut self.0 {
                match events.read(&mut news).await {
                    // The names stand in what is told as they are. One too many is one look too many.
                    Ok(read) if memmem::find(&news[..read], SOCKET.as_bytes()).is_some() => return,
                    Ok(1..) => {}
                    Ok(0) | Err(_) => self.0 = None,
                }
            }
            std::future::pending().await
        }
    }

    fn watch(directory: &Path) -> io::Result<pipe::Receiver> {
        let events = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let kinds = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
        inotify::add_watch(&events, directory, kinds)?;
        // It is no pipe, but is read and waited for like one.
        pipe::Receiver::from_owned_fd_unchecked(events)
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::path::Path;

    /// Nothing is told here: whoever waits looks from time to time.
    pub(in crate::daemon) struct Arrival;

    impl Arrival {
        pub(in crate::daemon) fn at(_directory: &Path) -> Self {
            Self
        }

        pub(in crate::daemon) async fn came(&mut self) {
            std::future::pending().await
        }
    }
}
