//! Who waits for news of which session: what `codex-mcp monitor` prints, and wakes Claude Code with.
//!
//! News go to the newest monitor of their session and to no other, so that nothing is told twice. Without one they are
//! kept until one comes, or until a call has told the same. Nothing here waits: a monitor that does not read misses
//! news and is told how many. It knows nothing of sockets.

mod line;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use bridge_core::{SessionId, SessionNews, TurnNumber};
use bridge_store::CutTurn;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// Monitors at once. A further one is refused.
pub(crate) const MAX_MONITORS: usize = 256;
/// News that wait for one monitor. Further ones are missed, and it is told how many.
const QUEUE: usize = 64;
/// News that wait for any monitor to come. For a further one the oldest is forgotten.
const KEPT: usize = 256;
/// The longest name of a session, in bytes. Claude Code's are UUIDs.
const MAX_SESSION: usize = 200;

/// A session by its name, if that can be one.
pub(crate) fn session(name: &str) -> Option<SessionId> {
    (!name.is_empty() && name.len() <= MAX_SESSION).then(|| SessionId(name.to_owned()))
}

/// The monitors of all sessions.
#[derive(Debug, Default)]
pub struct Monitors(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// By number: of one session, the last is the newest.
    watchers: BTreeMap<u64, Watcher>,
    next: u64,
    kept: VecDeque<News>,
    /// Whether the engine ends: nobody is told anything any more.
    closed: bool,
}

#[derive(Debug)]
struct Watcher {
    session: SessionId,
    news: mpsc::Sender<News>,
    missed: usize,
}

/// One line for the monitor of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct News {
    session: SessionId,
    topic: Topic,
    line: String,
}

/// What a line is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Topic {
    /// The end of a turn.
    End(TurnNumber),
    /// A question in a turn.
    Question(TurnNumber, String),
    /// What was missed.
    Missed,
}

impl News {
    /// What a session is told of its turns.
    pub(crate) fn of(session: SessionId, news: &SessionNews) -> Option<Self> {
        let topic = match news {
            SessionNews::Ended { report, .. } => Topic::End(report.number?),
            SessionNews::Asked { number, what, .. } => Topic::Question(*number, what.clone()),
        };
        Some(Self { session, topic, line: line::of(news) })
    }

    /// What a session is told of a turn that an engine before this one did not bring to its end; nothing, if its call
    /// waited for it.
    pub(crate) fn of_cut(cut: &CutTurn) -> Option<Self> {
        let session = cut.session.clone().filter(|_| cut.background)?;
        Some(Self { session, topic: Topic::End(cut.number), line: line::of_cut(cut) })
    }

    /// The line, without its end.
    pub(crate) fn line(&self) -> &str {
        &self.line
    }
}

impl Monitors {
    /// Tells the newest monitor of a session, or keeps it for the next one.
    pub(crate) fn tell(&self, news: News) {
        self.lock().tell(news);
    }

    /// A call of the session has told how a turn ended: that is no news any more.
    pub(crate) fn heard(&self, session: &SessionId, turn: TurnNumber) {
        let old = |news: &News| news.session == *session && news.topic == Topic::End(turn);
        self.lock().kept.retain(|news| !old(news));
    }

    /// A question is not open any more.
    pub(crate) fn decided(&self, turn: TurnNumber, what: &str) {
        let asks = |topic: &Topic| match topic {
            Topic::Question(number, asked) => *number == turn && asked == what,
            Topic::End(_) | Topic::Missed => false,
        };
        self.lock().kept.retain(|news| !asks(&news.topic));
    }

    /// A new monitor of a session, until the result is dropped; `None` if there are too many. It is given what was kept.
    pub(crate) fn watch(self: Arc<Self>, session: SessionId) -> Option<Watch> {
        let mut state = self.lock();
        if state.closed || state.watchers.len() >= MAX_MONITORS {
            return None;
        }
        let (sender, news) = mpsc::channel(QUEUE);
        state.next += 1;
        let number = state.next;
        let watcher = Watcher { session: session.clone(), news: sender, missed: 0 };
        state.watchers.insert(number, watcher);
        let (own, others) = std::mem::take(&mut state.kept)
            .into_iter()
            .partition::<VecDeque<_>, _>(|news| news.session == session);
        state.kept = others;
        own.into_iter().for_each(|news| state.tell(news));
        drop(state);
        Some(Watch { monitors: self, number, news })
    }

    /// How many monitors there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().watchers.len()
    }

    /// Lets every monitor read what waits for it, and then end.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.watchers.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics while it holds the monitors")
    }
}

impl State {
    fn tell(&mut self, news: News) {
        let newest = self.watchers.values_mut().rev().find(|other| other.session == news.session);
        let unread = match newest {
            Some(watcher) => match watcher.news.try_send(news) {
                Ok(()) => return,
                Err(TrySendError::Full(_)) => {
                    watcher.missed += 1;
                    return;
                }
                Err(TrySendError::Closed(news)) => news,
            },
            None => news,
        };
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(unread);
    }
}

/// A monitor. Dropping it leaves what it has not read to the next one.
#[derive(Debug)]
pub(crate) struct Watch {
    monitors: Arc<Monitors>,
    number: u64,
    news: mpsc::Receiver<News>,
}

impl Watch {
    /// What comes next; `None` once the engine ends. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Option<News> {
        // More is missed only while others wait: the number is final when nothing does.
        if self.news.is_empty()
            && let Some(watcher) = self.monitors.lock().watchers.get_mut(&self.number)
            && watcher.missed > 0
        {
            let line = line::missed(std::mem::take(&mut watcher.missed));
            return Some(News { session: watcher.session.clone(), topic: Topic::Missed, line });
        }
        self.news.recv().await
    }

    /// Leaves it to the next monitor: this one did not get it.
    pub(crate) fn give_back(mut self, news: News) {
        self.leave(vec![news]);
    }

    fn leave(&mut self, mut unread: Vec<News>) {
        let mut state = self.monitors.lock();
        state.watchers.remove(&self.number);
        self.news.close();
        while let Ok(news) = self.news.try_recv() {
            unread.push(news);
        }
        unread.into_iter().for_each(|news| state.tell(news));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.leave(Vec::new());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bridge_core::{SessionId, TurnNumber};

    use super::{KEPT, MAX_MONITORS, Monitors, News, QUEUE, Topic, session};

    fn news(of: &str, turn: u64) -> News {
        let line = format!("{of} {turn}");
        News { session: SessionId(of.to_owned()), topic: Topic::End(TurnNumber(turn)), line }
    }

    fn watch(monitors: &Arc<Monitors>, of: &str) -> super::Watch {
        monitors.clone().watch(session(of).expect("it is a name")).expect("there is room")
    }

    /// All that waits for a monitor, once no more can come.
    async fn rest(monitors: &Monitors, mut watch: super::Watch) -> Vec<String> {
        monitors.close();
        let mut lines = Vec::new();
        while let Some(news) = watch.next().await {
            lines.push(news.line);
        }
        lines
    }

    #[tokio::test]
    async fn news_go_to_their_session_and_its_newest_monitor() {
        let monitors = Arc::new(Monitors::default());
        let older = watch(&monitors, "a");
        let newer = watch(&monitors, "a");
        monitors.tell(news("a", 1));
        monitors.tell(news("b", 2));
        drop(newer);
        monitors.tell(news("a", 3));
        assert_eq!(rest(&monitors, older).await, ["a 1", "a 3"]);
    }

    #[tokio::test]
    async fn what_was_kept_is_told_once_unless_a_call_told_it() {
        let monitors = Arc::new(Monitors::default());
        let question = Topic::Question(TurnNumber(3), "to run: make".to_owned());
        monitors.tell(News { topic: question, ..news("a", 3) });
        for turn in [1, 2] {
            monitors.tell(news("a", turn));
        }
        monitors.heard(&SessionId("b".to_owned()), TurnNumber(2));
        monitors.heard(&SessionId("a".to_owned()), TurnNumber(1));
        monitors.decided(TurnNumber(3), "to run: make");
        let mut first = watch(&monitors, "a");
        assert_eq!(first.next().await, Some(news("a", 2)));
        drop(first);
        let second = watch(&monitors, "a");
        assert_eq!(rest(&monitors, second).await, [""; 0]);
    }

    #[tokio::test]
    async fn what_a_monitor_did_not_get_is_the_next_ones() {
        let monitors = Arc::new(Monitors::default());
        let mut first = watch(&monitors, "a");
        for turn in [1, 2] {
            monitors.tell(news("a", turn));
        }
        let one = first.next().await.expect("there is one");
        first.give_back(one);
        let second = watch(&monitors, "a");
        assert_eq!(rest(&monitors, second).await, ["a 1", "a 2"]);
    }

    #[tokio::test]
    async fn one_that_does_not_read_is_told_how_much_it_missed() {
        let monitors = Arc::new(Monitors::default());
        let mut slow = watch(&monitors, "a");
        for turn in 0..QUEUE as u64 + 2 {
            monitors.tell(news("a", turn));
        }
        for turn in 0..QUEUE as u64 {
            assert_eq!(slow.next().await, Some(news("a", turn)));
        }
        let missed = slow.next().await.expect("it is told");
        assert!(missed.line.starts_with("2 further news"), "{}", missed.line);
        monitors.tell(news("a", 100));
        assert_eq!(slow.next().await, Some(news("a", 100)));
    }

    #[tokio::test]
    async fn there_are_limits() {
        let monitors = Arc::new(Monitors::default());
        for turn in 0..=KEPT as u64 {
            monitors.tell(news("a", turn));
        }
        monitors.heard(&SessionId("a".to_owned()), TurnNumber(1));
        assert_eq!(monitors.lock().kept.len(), KEPT - 1, "the oldest was forgotten");
        let others: Vec<_> = (0..MAX_MONITORS).map(|_| watch(&monitors, "b")).collect();
        assert!(monitors.clone().watch(SessionId("b".to_owned())).is_none());
        drop(others);
        watch(&monitors, "b");
        assert_eq!([session(""), session(&"s".repeat(201))], [None, None]);
    }
}
