//! Asks the services again and again on behalf of all who watch the same with the same rights, and publishes
//! what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use super::bells::Bells;
use super::{Key, Shared};
use crate::overview::assemble::{Part, Parts};
use crate::overview::desk::Reading;
use crate::overview::source::Source;
use crate::overview::who::Who;

/// However often something changes, the services are asked once in this time.
const PAUSE: Duration = Duration::from_secs(1);
/// So many members are tried when tokens are refused, before it is left to the next round.
const TRIES: usize = 3;

/// Asks for all its members.
#[derive(Debug)]
pub(super) struct Follower {
    members: Mutex<Members>,
    news: watch::Sender<Arc<News>>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Members {
    next: u64,
    /// The member in whose name was asked last: each has its turn, so that none stays whose token is
    /// not taken any more.
    turn: u64,
    by_number: BTreeMap<u64, Who>,
}

/// What is known, and whose token the services do not take any more.
#[derive(Clone, Debug)]
pub(super) struct News {
    pub(super) reading: Reading,
    pub(super) refused: BTreeSet<u64>,
}

/// One who watches; until it is dropped.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) number: u64,
    pub(super) news: watch::Receiver<Arc<News>>,
    follower: Arc<Follower>,
}

impl Drop for Member {
    fn drop(&mut self) {
        self.follower.remove(self.number);
        self.follower.left.notify_one();
    }
}

impl Follower {
    pub(super) fn new(reading: Reading) -> Self {
        let news = News {
            reading,
            refused: BTreeSet::new(),
        };
        Self {
            members: Mutex::default(),
            news: watch::Sender::new(Arc::new(news)),
            left: Notify::new(),
        }
    }

    /// Adds a member.
    pub(super) fn enter(self: &Arc<Self>, who: Who) -> Member {
        let mut members = self.members();
        members.next += 1;
        let number = members.next;
        members.by_number.insert(number, who);
        Member {
            number,
            news: self.news.subscribe(),
            follower: self.clone(),
        }
    }

    /// Whether it has no member.
    pub(super) fn is_alone(&self) -> bool {
        self.members().by_number.is_empty()
    }

    fn members(&self) -> std::sync::MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove(&self, number: u64) {
        self.members().by_number.remove(&number);
    }

    /// The next member in turn.
    fn turn(&self) -> Option<(u64, Who)> {
        let mut members = self.members();
        let turn = members.turn;
        let mut after = members.by_number.range(turn.saturating_add(1)..);
        let next = after.next().or_else(|| members.by_number.iter().next());
        let (number, who) = next.map(|(number, who)| (*number, who.clone()))?;
        members.turn = number;
        Some((number, who))
    }

    /// Asks until nobody watches or the gateway stops.
    pub(super) async fn follow(self: Arc<Self>, shared: Arc<Shared>, key: Key) {
        let poll = shared.config.poll;
        let pause = PAUSE.min(poll);
        let mut next_poll = Instant::now() + poll;
        let mut not_before = Instant::now() + pause;
        let mut due: BTreeSet<Source> = BTreeSet::new();
        let mut bells = Bells::new(&key.subject);
        bells
            .hang(&shared.desk, self.turn(), shared.config.part_deadline)
            .await;
        loop {
            tokio::select! {
                () = shared.drain.draining() => return,
                () = self.left.notified() => {}
                source = bells.ring() => drop(due.insert(source)),
                () = sleep_until(next_poll) => {
                    due.extend(Source::ALL);
                    next_poll = Instant::now() + poll;
                }
                () = sleep_until(not_before), if !due.is_empty() => {
                    let wanted = std::mem::take(&mut due);
                    let everything = wanted.len() == Source::ALL.len();
                    self.ask(&shared, &key, wanted).await;
                    if everything && bells.are_away() {
                        bells.hang(&shared.desk, self.turn(), shared.config.part_deadline).await;
                    }
                    not_before = Instant::now() + pause;
                }
            }
            if shared.retire(&key, &self) {
                return;
            }
        }
    }

    /// Asks some sources and publishes what they say.
    async fn ask(&self, shared: &Shared, key: &Key, mut wanted: BTreeSet<Source>) {
        // A fixed day was not in the future when the first member came.
        let Ok(date) = shared.desk.day(key.subject.date) else {
            return;
        };
        let before = self.news.borrow().clone();
        if date != before.reading.date {
            wanted.extend(Source::ALL);
        }
        let mut refused = before.refused.clone();
        for _ in 0..TRIES {
            let Some((number, who)) = self.turn() else {
                return;
            };
            let budget = shared.desk.budget(None);
            let wanted = wanted.iter().copied();
            let parts = shared
                .desk
                .parts(&who, &key.subject.id, date, wanted, budget)
                .await;
            if is_refused(&parts) {
                refused.insert(number);
                self.remove(number);
                continue;
            }
            let mut reading = before.reading.clone();
            if date != reading.date {
                reading.parts.clear();
                reading.date = date;
            }
            for (source, part) in parts {
                let part = match (part, reading.parts.remove(&source)) {
                    (Part::TokenRefused, Some(last)) => last,
                    // Another member may have been told what this one was not.
                    (
                        Part::Unavailable(None),
                        Some(Part::Told(last) | Part::Unavailable(Some(last))),
                    ) => Part::Unavailable(Some(last)),
                    (part, _) => part,
                };
                reading.parts.insert(source, part);
            }
            reading.read_time = shared.desk.now();
            self.publish(News { reading, refused });
            return;
        }
        self.publish(News {
            reading: before.reading.clone(),
            refused,
        });
    }

    fn publish(&self, mut news: News) {
        let members = self.members();
        // Who has left is not looked for any more.
        let newest = members.next;
        drop(members);
        news.refused.retain(|number| *number + 10_000 > newest);
        self.news.send_replace(Arc::new(news));
    }
}

/// Whether no service takes the token any more.
fn is_refused(parts: &Parts) -> bool {
    let mut asked = parts
        .values()
        .filter(|part| **part != Part::NotKept)
        .peekable();
    asked.peek().is_some() && asked.all(|part| *part == Part::TokenRefused)
}
