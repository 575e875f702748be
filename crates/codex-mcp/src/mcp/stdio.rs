//! Turns a file descriptor into an async stream: standard input and output, as whatever the client made them.
//!
//! A shell gives pipes, Node and Bun give socket pairs, a person gives a terminal; only the last needs a
//! thread of its own. This is the only place that assumes standard input and output. A pipe or a socket is
//! set to non-blocking for everybody who shares it, which for the pipes of an MCP server is nobody.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

/// A stream to read from.
pub type Input = Box<dyn AsyncRead + Send + Unpin>;
/// A stream to write to.
pub type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// Standard input and output of this process. Both stay open in their own right.
///
/// A read from a terminal or a file cannot be interrupted, so a process that was given one must not wait for
/// the runtime's blocking threads at its end.
///
/// # Errors
/// When one of them is closed or cannot be watched.
pub fn open() -> io::Result<(Input, Output)> {
    let stdin = io::stdin().as_fd().try_clone_to_owned()?;
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    Ok((input(stdin)?, output(stdout)?))
}

/// Standard output of this process, and what resolves when nobody can read it any more: for who seldom writes.
///
/// # Errors
/// When it is closed or cannot be watched.
pub fn watched_output() -> io::Result<(Output, impl Future<Output = ()>)> {
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    let watched = Watched::of(stdout.try_clone()?)?;
    Ok((output(stdout)?, watched.closed()))
}

/// An output by which its end can be noticed.
enum Watched {
    Pipe(pipe::Sender),
    Socket(UnixStream),
    /// Nobody is at the other end of a file, and a terminal that goes sends a signal.
    Other,
}

impl Watched {
    fn of(fd: OwnedFd) -> io::Result<Self> {
        Ok(match Kind::of(fd)? {
            Kind::Pipe(fd) => Self::Pipe(pipe::Sender::from_owned_fd(fd)?),
            Kind::Socket(fd) => Self::Socket(socket(fd)?),
            Kind::Other(_) => Self::Other,
        })
    }

    async fn closed(self) {
        match self {
            Self::Pipe(pipe) => drop(pipe.ready(Interest::ERROR).await),
            Self::Socket(mut socket) => {
                // What comes this way is nobody's.
                let mut nothing = [0; 64];
                while let Ok(1..) = socket.read(&mut nothing).await {}
            }
            Self::Other => std::future::pending().await,
        }
    }
}

/// Reads from a descriptor of any kind.
///
/// # Errors
/// When it cannot be inspected or watched, or is not open for reading.
pub fn input(fd: OwnedFd) -> io::Result<Input> {
    Ok(match Kind::of(fd)? {
        Kind::Pipe(fd) => Box::new(pipe::Receiver::from_owned_fd(fd)?),
        Kind::Socket(fd) => Box::new(socket(fd)?),
        Kind::Other(file) => Box::new(tokio::fs::File::from_std(file)),
    })
}

/// Writes to a descriptor of any kind.
///
/// # Errors
/// When it cannot be inspected or watched, or is not open for writing.
pub fn output(fd: OwnedFd) -> io::Result<Output> {
    Ok(match Kind::of(fd)? {
        Kind::Pipe(fd) => Box::new(pipe::Sender::from_owned_fd(fd)?),
        Kind::Socket(fd) => Box::new(socket(fd)?),
        Kind::Other(file) => Box::new(tokio::fs::File::from_std(file)),
    })
}

enum Kind {
    Pipe(OwnedFd),
    Socket(OwnedFd),
    /// A terminal, a file, a device.
    Other(File),
}

impl Kind {
    fn of(fd: OwnedFd) -> io::Result<Self> {
        let file = File::from(fd);
        let kind = file.metadata()?.file_type();
        Ok(if kind.is_fifo() {
            Self::Pipe(file.into())
        } else if kind.is_socket() {
            Self::Socket(file.into())
        } else {
            Self::Other(file)
        })
    }
}

fn socket(fd: OwnedFd) -> io::Result<UnixStream> {
    let stream = std::os::unix::net::UnixStream::from(fd);
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}
