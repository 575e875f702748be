//! A thread as one sequence: what we know of our turns, and from Codex the turns that other programs made in between.
//!
//! Ours are told from the records, which say more of them. Codex is asked for an outline of all its turns, and for the
//! content only of those that the records do not have.

use std::collections::BTreeMap;

use bridge_core::{
    CallRequest, Outcome, ThreadId, TurnDetail, TurnId, TurnList, TurnNumber, TurnQuery, TurnRecord,
};
use bridge_store::{Cursor, Entry, EntryKind, EntryPage, TurnName};

use super::call::ToolCall;
use super::threads::ThreadRef;
use super::tools::unexpected;
use crate::error::Problem;

/// Parts of Codex's turns whose content is read for one page.
const MAX_PARTS: usize = 10;

/// Which entries are wanted.
pub(super) struct Part {
    pub(super) kinds: Vec<EntryKind>,
    pub(super) limit: usize,
    pub(super) after: Option<Cursor>,
}

/// Turns that follow on each other and come from one place.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stretch {
    /// Ours, from the first to the last.
    Ours { first: TurnNumber, last: TurnNumber },
    /// One of another program, in the part of Codex's turns that begins here.
    Theirs { turn: TurnId, part: Option<String> },
}

/// A turn in Codex's outline.
struct Outlined {
    turn: TurnId,
    started_at: Option<i64>,
    part: Option<String>,
}

/// A page of a thread, oldest first.
///
/// # Errors
/// Neither we nor Codex can tell anything; the cursor is of another thread.
pub(super) async fn page(
    call: &ToolCall<'_>,
    thread: &ThreadRef,
    part: Part,
    warnings: &mut Vec<String>,
) -> Result<EntryPage, Problem> {
    let wanted = thread.id().clone();
    let ours = call.ledger().read(move |store| store.turn_names(&wanted)).await?;
    let theirs = match outline(call, thread.id()).await {
        Ok(theirs) => theirs,
        Err(problem) if ours.is_empty() => return Err(problem),
        Err(problem) => {
            let message = problem.message;
            warnings.push(format!("turns of other programs on it may be missing: {message}"));
            Vec::new()
        }
    };
    let stretches = weave(&ours, theirs);
    let start = start(&stretches, part.after.as_ref())?;
    let mut reading = Reading { call, thread: thread.id(), part, known: None, parts: 0 };
    reading.page(&stretches[start..]).await
}

/// Codex's turns, oldest first.
async fn outline(call: &ToolCall<'_>, thread: &ThreadId) -> Result<Vec<Outlined>, Problem> {
    let (mut outlined, mut cursor) = (Vec::new(), None);
    loop {
        let query = TurnQuery { cursor: cursor.clone(), detail: TurnDetail::Outline };
        let list = ask(call, thread, query).await?;
        outlined.extend(list.turns.into_iter().map(|turn| Outlined {
            turn: turn.turn,
            started_at: turn.started_at,
            part: cursor.clone(),
        }));
        if list.next.is_none() || list.next == cursor {
            return Ok(outlined);
        }
        cursor = list.next;
    }
}

async fn ask(
    call: &ToolCall<'_>,
    thread: &ThreadId,
    query: TurnQuery,
) -> Result<TurnList, Problem> {
    match call.run(CallRequest::ReadTurns { thread: thread.clone(), query }).await {
        Outcome::Turns(list) => Ok(list),
        Outcome::Failed(failure) => {
            call.threads().reconcile(thread, &failure).await;
            Err(Problem::from(&failure))
        }
        Outcome::Turn(_)
        | Outcome::NotLive
        | Outcome::Asked { .. }
        | Outcome::Threads(_)
        | Outcome::ThreadChanged
        | Outcome::Steered { .. }
        | Outcome::PlanTold { .. }
        | Outcome::Cancelled { .. }
        | Outcome::Health(_) => Err(unexpected("codex.thread.read")),
    }
}

/// Puts the turns of both into one order. Turns of ours that Codex does not have stay where they were among ours.
fn weave(ours: &[TurnName], theirs: Vec<Outlined>) -> Vec<Stretch> {
    let named = ours.iter().enumerate();
    let places: BTreeMap<&TurnId, usize> =
        named.filter_map(|(place, name)| Some((name.turn.as_ref()?, place))).collect();
    let mut stretches = Vec::new();
    let mut told = 0;
    for outlined in theirs {
        match places.get(&outlined.turn) {
            Some(place) if *place >= told => {
                push(&mut stretches, &ours[told..=*place]);
                told = place + 1;
            }
            Some(_) => {}
            None if is_within(&outlined, ours[..told].last()) => {}
            None => stretches.push(Stretch::Theirs { turn: outlined.turn, part: outlined.part }),
        }
    }
    push(&mut stretches, &ours[told..]);
    stretches
}

/// Whether a turn of Codex is one of ours under another name: one that Codex was made to begin again after it had died.
/// No other turn can begin before ours has ended.
fn is_within(outlined: &Outlined, ours: Option<&TurnName>) -> bool {
    let Some(ours) = ours else {
        return false;
    };
    match (ours.ended_at, outlined.started_at) {
        (Some(ended), Some(started)) => started < ended.0.div_euclid(1000),
        (None, _) => true,
        (Some(_), None) => false,
    }
}

fn push(stretches: &mut Vec<Stretch>, names: &[TurnName]) {
    let (Some(first), Some(last)) = (names.first(), names.last()) else {
        return;
    };
    match stretches.last_mut() {
        Some(Stretch::Ours { last: end, .. }) => *end = last.number,
        Some(Stretch::Theirs { .. }) | None => {
            stretches.push(Stretch::Ours { first: first.number, last: last.number });
        }
    }
}

/// The stretch in which a page begins. A place in ours is a turn's number and a place in it; in theirs it is a place in
/// the turn and the turn's id.
fn start(stretches: &[Stretch], after: Option<&Cursor>) -> Result<usize, Problem> {
    let Some(after) = after else {
        return Ok(0);
    };
    let is_there = |stretch: &Stretch| match stretch {
        Stretch::Theirs { turn, .. } => turn.0 == after.id,
        Stretch::Ours { .. } => false,
    };
    if let Some(found) = stretches.iter().position(is_there) {
        return Ok(found);
    }
    if after.id.parse::<i64>().is_err() {
        let gone = "its place is not on the thread any more";
        return Err(Problem::argument("cursor", gone, "none, to begin anew"));
    }
    let holds = |stretch: &Stretch| match stretch {
        Stretch::Ours { last, .. } => i64::try_from(last.0).is_ok_and(|last| last >= after.key),
        Stretch::Theirs { .. } => false,
    };
    Ok(stretches.iter().position(holds).unwrap_or(stretches.len()))
}

/// A page in the making.
struct Reading<'a> {
    call: &'a ToolCall<'a>,
    thread: &'a ThreadId,
    part: Part,
    /// The part of Codex's turns that was read last, by where it begins.
    known: Option<(Option<String>, Vec<TurnRecord>)>,
    parts: usize,
}

impl Reading<'_> {
    async fn page(&mut self, stretches: &[Stretch]) -> Result<EntryPage, Problem> {
        let limit = self.part.limit;
        let mut after = self.part.after.take();
        let mut entries: Vec<Entry> = Vec::new();
        for stretch in stretches {
            let room = limit + 1 - entries.len();
            let from = after.take();
            match stretch {
                Stretch::Ours { first, last } => {
                    entries.extend(self.ours(*first, *last, from, room).await?);
                }
                Stretch::Theirs { turn, part } => {
                    if self.parts == MAX_PARTS && !self.is_known(part) {
                        let next = Some(Cursor { key: 0, id: turn.0.clone() });
                        return Ok(EntryPage { entries, next });
                    }
                    let all = self.theirs(turn, part).await?;
                    let from = from.map_or(0, |from| from.key);
                    entries.extend(all.into_iter().filter(|entry| entry.place.key > from));
                }
            }
            if entries.len() > limit {
                entries.truncate(limit);
                let next = entries.last().map(|last| last.place.clone());
                return Ok(EntryPage { entries, next });
            }
        }
        Ok(EntryPage { entries, next: None })
    }

    async fn ours(
        &self,
        first: TurnNumber,
        last: TurnNumber,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Entry>, Problem> {
        let number = |turn: TurnNumber| i64::try_from(turn.0).unwrap_or(i64::MAX);
        let (first, last) = (number(first), number(last));
        let before = Cursor { key: first - 1, id: i64::MAX.to_string() };
        let from = from.unwrap_or(before);
        let (thread, kinds) = (self.thread.clone(), self.part.kinds.clone());
        let read =
            move |store: &bridge_store::Reader| store.entries(&thread, &kinds, limit, Some(&from));
        let mut page = self.call.ledger().read(read).await?;
        page.entries.retain(|entry| entry.place.key <= last);
        Ok(page.entries)
    }

    fn is_known(&self, part: &Option<String>) -> bool {
        self.known.as_ref().is_some_and(|(known, _)| known == part)
    }

    async fn theirs(
        &mut self,
        turn: &TurnId,
        part: &Option<String>,
    ) -> Result<Vec<Entry>, Problem> {
        if !self.is_known(part) {
            self.parts += 1;
            let query = TurnQuery { cursor: part.clone(), detail: TurnDetail::Whole };
            let list = ask(self.call, self.thread, query).await?;
            self.known = Some((part.clone(), list.turns));
        }
        let turns = self.known.iter().flat_map(|(_, turns)| turns);
        let record = turns.filter(|record| record.turn == *turn);
        let entries = record.flat_map(|record| {
            Entry::of_turn(&record.turn, record.prompt.as_deref(), &record.transcript)
        });
        Ok(entries.filter(|entry| self.part.kinds.contains(&entry.kind)).collect())
    }
}

#[cfg(test)]
mod tests {
    use bridge_core::{TurnId, TurnNumber};
    use bridge_store::{Timestamp, TurnName};
    use expect_test::{Expect, expect};

    use super::{Outlined, Stretch, weave};

    /// Ours as `number:id:seconds of its end`, Codex's as `id:seconds of its start`; `-` is nothing.
    fn check(ours: &str, theirs: &str, expected: Expect) {
        let seconds = |text: &str| text.parse::<i64>().ok();
        let name = |text: &str| {
            let mut parts = text.split(':');
            let mut next = || parts.next().unwrap_or("-");
            TurnName {
                number: TurnNumber(next().parse().expect("a number")),
                turn: Some(next()).filter(|id| *id != "-").map(|id| TurnId(id.to_owned())),
                ended_at: seconds(next()).map(|seconds| Timestamp(seconds * 1000)),
            }
        };
        let outlined = |text: &str| {
            let (turn, started) = text.split_once(':').expect("a start");
            Outlined { turn: TurnId(turn.to_owned()), started_at: seconds(started), part: None }
        };
        let ours: Vec<_> = ours.split_whitespace().map(name).collect();
        let stretches = weave(&ours, theirs.split_whitespace().map(outlined).collect());
        let show = |stretch: &Stretch| match stretch {
            Stretch::Ours { first, last } => format!("{}-{}", first.0, last.0),
            Stretch::Theirs { turn, .. } => turn.0.clone(),
        };
        expected.assert_eq(&stretches.iter().map(show).collect::<Vec<_>>().join(" "));
    }

    #[test]
    fn turns_of_both_come_in_the_order_of_codex() {
        check("", "", expect![""]);
        check("", "x:1 y:2", expect!["x y"]);
        check("1:a:10 2:b:20", "", expect!["1-2"]);
        check("1:a:10 2:b:20", "a:1 b:11", expect!["1-2"]);
        check("3:a:10 7:b:40", "w:0 a:1 x:11 y:20 b:30 z:41", expect!["w 3-3 x y 7-7 z"]);
    }

    #[test]
    fn what_codex_does_not_have_stays_where_it_was_among_ours() {
        check("1:-:5 2:a:10 3:-:15 4:b:20 5:-:-", "a:6 x:12 b:16", expect!["1-2 x 3-5"]);
        check("1:gone:5 2:a:10", "a:6 x:12", expect!["1-2 x"]);
    }

    #[test]
    fn a_turn_that_was_begun_again_is_told_once() {
        check("1:a:20 2:b:30", "a:1 again:9 b:21 x:31", expect!["1-2 x"]);
        check("1:a:-", "a:1 again:9", expect!["1-1"]);
    }
}
