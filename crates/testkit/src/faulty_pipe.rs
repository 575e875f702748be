//! A pipe end that misbehaves on plan: it splits, waits, ends or fails at exact byte counts.
//!
//! It wraps an `AsyncRead`, an `AsyncWrite` or both (then the two sides share one plan). It never
//! changes bytes.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::gate::Gate;

/// One step of a plan. After the last step everything passes.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Lets exactly this many bytes through, and ends the current read or write there.
    Pass(usize),
    /// Lets nothing through until the gate opens. A gate that is never opened is a blocked pipe.
    Hold(Gate),
    /// Ends for good: reads give end of file, writes fail with `BrokenPipe`.
    Cut,
    /// Fails every further read and write.
    Fail(io::ErrorKind),
}

/// A pipe end with a plan of faults.
pub struct FaultyPipe<Inner> {
    inner: Inner,
    plan: VecDeque<Fault>,
    largest: usize,
    waiting: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// What the plan lets through now.
enum Allowed {
    Bytes(usize),
    End,
}

impl<Inner> FaultyPipe<Inner> {
    /// Carries out `plan` from the first byte on.
    pub fn new(inner: Inner, plan: impl IntoIterator<Item = Fault>) -> Self {
        Self { inner, plan: plan.into_iter().collect(), largest: usize::MAX, waiting: None }
    }

    /// Gives at most `bytes` to each read or write, for ever.
    ///
    /// # Panics
    /// When `bytes` is zero, which would mean end of file.
    pub fn split_every(inner: Inner, bytes: usize) -> Self {
        assert!(bytes > 0, "a pipe that passes no bytes is a cut pipe");
        Self { largest: bytes, ..Self::new(inner, []) }
    }

    fn poll_allowed(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Allowed>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                ready!(waiting.as_mut().poll(context));
                self.waiting = None;
            }
            match self.plan.front() {
                None => return Poll::Ready(Ok(Allowed::Bytes(self.largest))),
                Some(Fault::Pass(0)) => {}
                Some(Fault::Pass(bytes)) => return Poll::Ready(Ok(Allowed::Bytes(*bytes))),
                Some(Fault::Hold(gate)) => {
                    let gate = gate.clone();
                    self.waiting = Some(Box::pin(async move { gate.pass().await }));
                }
                Some(Fault::Cut) => return Poll::Ready(Ok(Allowed::End)),
                Some(Fault::Fail(kind)) => return Poll::Ready(Err(io::Error::from(*kind))),
            }
            self.plan.pop_front();
        }
    }

    fn passed(&mut self, bytes: usize) {
        if let Some(Fault::Pass(left)) = self.plan.front_mut() {
            *left -= bytes;
        }
    }
}

impl<Inner: AsyncRead + Unpin> AsyncRead for FaultyPipe<Inner> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let Allowed::Bytes(most) = ready!(this.poll_allowed(context))? else {
            return Poll::Ready(Ok(()));
        };
        let size = most.min(buffer.remaining());
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(size));
        ready!(Pin::new(&mut this.inner).poll_read(context, &mut part))?;
        let count = part.filled().len();
        buffer.advance(count);
        this.passed(count);
        Poll::Ready(Ok(()))
    }
}

impl<Inner: AsyncWrite + Unpin> AsyncWrite for FaultyPipe<Inner> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let Allowed::Bytes(most) = ready!(this.poll_allowed(context))? else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let count =
            ready!(Pin::new(&mut this.inner).poll_write(context, &bytes[..most.min(bytes.len())]))?;
        this.passed(count);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}
