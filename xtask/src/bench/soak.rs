//! Many clients with many threads for a long time: what one engine takes, and whether it takes ever more.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::lab::Lab;
use super::party::Ours;
use super::process::{self, handles, megabytes};
use super::row::{Outcome, Row, Target};
use super::samples::Samples;

const CLIENTS: usize = 20;
/// Threads of each client.
const THREADS: usize = 10;
/// Turns on each thread.
const ROUNDS: usize = 10;
/// Rounds after which what is taken once has been taken.
const WARM: usize = 4;

/// A client and its threads.
struct Client {
    ours: Ours,
    threads: Vec<String>,
}

/// What the engine has at one time.
#[derive(Clone, Copy)]
struct Look {
    megabytes: f64,
    handles: f64,
}

pub(super) fn rows(lab: &Lab) -> Result<Vec<Row>> {
    let home = lab.home();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Client { ours: Ours::start(&lab.server, &home)?, threads: Vec::new() });
    }
    let engine = process::engine(&home)?;
    let look = || -> Result<Look> {
        Ok(Look { megabytes: megabytes(engine, "status", "VmRSS:")?, handles: handles(engine)? })
    };
    let before = look()?;
    let mut looks = Vec::new();
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        let begun = Instant::now();
        at_once(&mut clients, |client| match round {
            0 => client.open(),
            _ => client.go_on(),
        })?;
        times.push(begun.elapsed() / u32::try_from(CLIENTS * THREADS)?);
        looks.push(look()?);
        let (app_servers, now) = (process::named(&home, "app-server"), looks[round]);
        println!("  round {round}: {:.1} MB, {} handles", now.megabytes, now.handles);
        if app_servers.len() != 1 || process::engine(&home)? != engine {
            bail!("{} app-servers, and the engine may be another one", app_servers.len());
        }
    }
    for client in &mut clients {
        client.ours.client.end().context("a client does not end")?;
    }
    Ok(report(before, looks[WARM - 1], looks[ROUNDS - 1], &times))
}

fn report(before: Look, warm: Look, end: Look, times: &[Duration]) -> Vec<Row> {
    let threads = (CLIENTS * THREADS) as f64;
    let turns = threads * (ROUNDS - WARM) as f64;
    let row = |what, unit, value: f64, limit| Row {
        what,
        unit,
        ours: Samples::new(vec![value]),
        other: None,
        outcome: Outcome::Median,
        target: Some(Target::AtMost(limit)),
    };
    vec![
        row(
            "soak: engine, each of 200 threads",
            "MB",
            (warm.megabytes - before.megabytes) / threads,
            1.0,
        ),
        row("soak: engine, 200 threads, 2,000 turns", "MB", end.megabytes, 220.0),
        row(
            "soak: engine, each further 1,000 turns",
            "MB",
            (end.megabytes - warm.megabytes) / turns * 1000.0,
            4.0,
        ),
        row(
            "soak: engine, further handles over 1,200 turns",
            "handles",
            end.handles - warm.handles,
            0.0,
        ),
        Row {
            what: "soak: a turn, 20 clients at once",
            unit: "ms",
            ours: Samples::of_times(times),
            other: None,
            outcome: Outcome::Median,
            target: None,
        },
    ]
}

impl Client {
    fn open(&mut self) -> Result<()> {
        for _ in 0..THREADS {
            self.threads.push(self.ours.new_thread()?);
        }
        Ok(())
    }

    fn go_on(&mut self) -> Result<()> {
        self.threads.iter().try_for_each(|thread| self.ours.turn(thread))
    }
}

/// Lets all clients do something at the same time.
fn at_once(clients: &mut [Client], act: impl Fn(&mut Client) -> Result<()> + Sync) -> Result<()> {
    std::thread::scope(|scope| {
        let act = &act;
        let running: Vec<_> =
            clients.iter_mut().map(|client| scope.spawn(move || act(client))).collect();
        let mut ended = running.into_iter().map(|thread| thread.join());
        ended.try_for_each(|result| result.unwrap_or_else(|_| bail!("a client panicked")))
    })
}
