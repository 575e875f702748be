//! The faulty pipe keeps every byte and breaks where the plan says.

use std::io::ErrorKind;

use testkit::faulty_pipe::{Fault, FaultyPipe};
use testkit::gate::Gate;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

/// Reads `abcdef` through a plan and returns the parts that arrive, and how the reading ended.
async fn check(mut pipe: FaultyPipe<&[u8]>) -> (Vec<String>, Result<(), ErrorKind>) {
    let mut parts = Vec::new();
    let mut buffer = [0; 16];
    loop {
        match pipe.read(&mut buffer).await {
            Ok(0) => return (parts, Ok(())),
            Ok(count) => parts.push(String::from_utf8_lossy(&buffer[..count]).into_owned()),
            Err(error) => return (parts, Err(error.kind())),
        }
    }
}

fn parts(parts: &[&str]) -> Vec<String> {
    parts.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn it_splits_evenly() {
    assert_eq!(
        check(FaultyPipe::split_every(b"abcdef", 4)).await,
        (parts(&["abcd", "ef"]), Ok(()))
    );
}

#[tokio::test]
async fn it_splits_at_given_bytes() {
    let plan = [Fault::Pass(1), Fault::Pass(2)];
    assert_eq!(check(FaultyPipe::new(b"abcdef", plan)).await, (parts(&["a", "bc", "def"]), Ok(())));
}

#[tokio::test]
async fn it_cuts() {
    assert_eq!(
        check(FaultyPipe::new(b"abcdef", [Fault::Pass(3), Fault::Cut])).await,
        (parts(&["abc"]), Ok(()))
    );
}

#[tokio::test]
async fn it_fails() {
    let plan = [Fault::Pass(3), Fault::Fail(ErrorKind::ConnectionReset)];
    let expected = (parts(&["abc"]), Err(ErrorKind::ConnectionReset));
    assert_eq!(check(FaultyPipe::new(b"abcdef", plan)).await, expected);
}

#[tokio::test]
async fn a_gate_blocks_a_writer_until_it_opens() {
    let gate = Gate::new("blocked");
    let (ours, mut theirs) = duplex(64);
    let mut pipe = FaultyPipe::new(ours, [Fault::Pass(2), Fault::Hold(gate.clone())]);
    let mut received = [0; 4];
    let (written, ()) = tokio::join!(pipe.write_all(b"abcd"), async {
        gate.reached().await;
        theirs.read_exact(&mut received[..2]).await.unwrap();
        gate.open();
        theirs.read_exact(&mut received[2..]).await.unwrap();
    });
    written.unwrap();
    assert_eq!(&received, b"abcd");
}

#[tokio::test]
async fn a_cut_writer_is_a_broken_pipe() {
    let mut pipe = FaultyPipe::new(Vec::new(), [Fault::Pass(2), Fault::Cut]);
    assert_eq!(pipe.write_all(b"abcd").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
}
