//! A process is killed while it writes: whatever it had said was safe is there.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use bridge_core::TurnNumber;
use bridge_store::{Durability, Reader, Subject, Timestamp, check};

use crate::support::{directory, open, queued, read, started, thread, turn};

/// The flag under which this test binary plays the process that is killed.
const PLAY: &str = "crash::writes_until_it_is_killed";

/// Writes turns for ever, and says each number once its record is safe. Runs only where it is given a directory.
#[test]
#[ignore = "started by the test below, which kills it"]
fn writes_until_it_is_killed() {
    let place = std::env::current_dir().expect("a working directory");
    let Ok(store) = bridge_store::Store::open(
        &place,
        crate::support::SETTINGS,
        Timestamp(1),
        crate::support::RAN,
        crate::support::WAITED,
    ) else {
        return;
    };
    store.write(vec![thread("t", "/w")], Timestamp(1));
    for number in store.next_turn().expect("it can be written").0.. {
        store.write(vec![queued(number, "t", "x"), started(number)], Timestamp(2));
        store.then(vec![Subject::Turn(TurnNumber(number))], move |durability| {
            assert_eq!(durability, Durability::Kept);
            println!("kept {number}");
        });
        store.write(turn(number, "t", "x", "y").split_off(2), Timestamp(3));
    }
}

/// The numbers that it said were kept before it was killed, which is when it had said so many.
fn run_and_kill(place: &Path, after: usize) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().expect("this test binary"))
        .args(["--exact", PLAY, "--ignored", "--nocapture"])
        .current_dir(place)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this binary runs");
    let mut kept = Vec::new();
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    while let Some(Ok(line)) = lines.next() {
        if let Some(number) = line.rsplit_once("kept ").and_then(|(_, number)| number.parse().ok())
        {
            kept.push(number);
            if kept.len() == after {
                break;
            }
        }
    }
    child.kill().expect("it runs");
    // What it said before it died counts as well.
    for line in lines.map_while(Result::ok) {
        if let Some(number) = line.rsplit_once("kept ").and_then(|(_, number)| number.parse().ok())
        {
            kept.push(number);
        }
    }
    child.wait().expect("it is our child");
    kept
}

#[test]
fn what_was_said_to_be_safe_survives_a_kill() {
    let directory = directory();
    for after in [7, 30, 101] {
        let kept = run_and_kill(directory.path(), after);
        assert!(kept.len() >= after);
        let reader = Reader::open(directory.path()).unwrap();
        for number in kept {
            let row = reader.turn_by_number(TurnNumber(number)).unwrap();
            assert!(row.is_some_and(|row| row.started_at.is_some()), "turn {number}");
        }
        assert_eq!(check(directory.path()).unwrap().problems, Vec::<String>::new());
    }
    let store = open(&directory);
    let cut = store.cut_turns().len();
    assert!(cut <= 1024, "only what was under way is cut: {cut}");
    let statistics = read(&store, |reader| reader.statistics().unwrap());
    assert!(statistics.records[1].1 > 0);
}
