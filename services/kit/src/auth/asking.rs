//! When the issuer is asked for its keys, and who waits for its answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// How many keys that nobody knows here may be waited for at once,
const MAX_KEYS: usize = 256;
/// and how many callers may wait for them: a part of those that a server has under way.
const MAX_CALLERS: usize = 1024;
/// Those beyond may try again after this.
const RETRY: Duration = Duration::from_secs(1);

/// Asks the issuer one question at a time. Who waits shares it with all others: callers with keys that nobody
/// knows here, however many they are and whatever they show, cause at most one question in each pause.
#[derive(Debug)]
pub(super) struct Asking {
    /// How long after the beginning of a question that a caller caused the next one may cause another.
    pause: Duration,
    turns: Mutex<Turns>,
    over: watch::Sender<Over>,
}

#[derive(Debug, Default)]
struct Turns {
    /// How many questions have begun.
    begun: u64,
    under_way: bool,
    /// When the last question began that a caller caused.
    caused: Option<Instant>,
    /// How many callers wait for each key, by its id.
    keys: HashMap<String, usize>,
    /// How many callers wait.
    callers: usize,
}

/// The numbers of the last question that is over and of the last one that was answered.
#[derive(Clone, Copy, Debug, Default)]
struct Over {
    last: u64,
    answered: u64,
}

/// A question to the issuer. It is over when this is dropped, and without an answer unless one was noted.
#[derive(Debug)]
pub(super) struct Question {
    asking: Arc<Asking>,
    number: u64,
    answered: bool,
}

/// The place of a caller who waits for a question to be over.
#[derive(Debug)]
pub(super) struct Waiting {
    asking: Arc<Asking>,
    key: String,
    number: u64,
}

impl Asking {
    /// Nothing was asked yet.
    pub(super) fn new(pause: Duration) -> Arc<Self> {
        Arc::new(Self {
            pause,
            turns: Mutex::default(),
            over: watch::Sender::default(),
        })
    }

    /// How many questions have begun: those with a higher number begin later.
    pub(super) fn begun(&self) -> u64 {
        self.lock().begun
    }

    /// Whether a question with a higher number than this was answered.
    pub(super) fn answered_since(&self, number: u64) -> bool {
        self.over.borrow().answered > number
    }

    /// What a caller has to do whose key has this id: wait for the question that is under way or begins
    /// now, or come back after a time. A question that comes along is to be asked.
    pub(super) fn turn(
        self: &Arc<Self>,
        key: &str,
        now: Instant,
    ) -> (Option<Question>, Result<Waiting, Duration>) {
        let mut turns = self.lock();
        let mut question = None;
        if !turns.under_way {
            let left = turns.left(self.pause, now);
            if !left.is_zero() {
                return (None, Err(left));
            }
            turns.caused = Some(now);
            question = Some(self.begin(&mut turns));
        }
        let number = turns.begun;
        if !turns.enter(key) {
            return (question, Err(RETRY));
        }
        let waiting = Waiting {
            asking: self.clone(),
            key: key.to_owned(),
            number,
        };
        (question, Ok(waiting))
    }

    /// The number of the question that is under way or begins now because the time has come. It makes no
    /// caller wait for the next one. A question that comes along is to be asked.
    pub(super) fn in_time(self: &Arc<Self>) -> (Option<Question>, u64) {
        let mut turns = self.lock();
        let question = (!turns.under_way).then(|| self.begin(&mut turns));
        (question, turns.begun)
    }

    /// How long it is from `now` until a caller may cause a question.
    pub(super) fn left(&self, now: Instant) -> Duration {
        self.lock().left(self.pause, now)
    }

    /// Waits until the question with this number is over; whether the issuer has answered since it began.
    pub(super) async fn until_over(&self, number: u64) -> bool {
        let mut over = self.over.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = over.wait_for(|over| over.last >= number).await;
        self.over.borrow().answered >= number
    }

    fn begin(self: &Arc<Self>, turns: &mut Turns) -> Question {
        turns.begun += 1;
        turns.under_way = true;
        Question {
            asking: self.clone(),
            number: turns.begun,
            answered: false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turns {
    fn left(&self, pause: Duration, now: Instant) -> Duration {
        self.caused.map_or(Duration::ZERO, |caused| {
            pause.saturating_sub(now.saturating_duration_since(caused))
        })
    }

    /// Whether there was a place for one caller more, who wants this key.
    fn enter(&mut self, key: &str) -> bool {
        let room = self.keys.len() < MAX_KEYS || self.keys.contains_key(key);
        let entered = room && self.callers < MAX_CALLERS;
        if entered {
            *self.keys.entry(key.to_owned()).or_default() += 1;
            self.callers += 1;
        }
        entered
    }

    fn leave(&mut self, key: &str) {
        self.callers = self.callers.saturating_sub(1);
        if let Some(callers) = self.keys.get_mut(key) {
            *callers = callers.saturating_sub(1);
            if *callers == 0 {
                self.keys.remove(key);
            }
        }
    }
}

impl Question {
    /// Notes that the issuer has answered, once everybody can find what it said.
    pub(super) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.asking.lock().under_way = false;
        self.asking.over.send_modify(|over| {
            over.last = self.number;
            if self.answered {
                over.answered = self.number;
            }
        });
    }
}

impl Waiting {
    /// Waits until the question is over.
    pub(super) async fn over(self) {
        self.asking.until_over(self.number).await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.asking.lock().leave(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(10);

    fn after(begun: Instant, millis: u64) -> Instant {
        begun + Duration::from_millis(millis)
    }

    #[tokio::test]
    async fn all_callers_of_a_key_wait_for_one_question() {
        let (asking, now) = (Asking::new(PAUSE), Instant::now());
        let came = asking.begun();
        let (question, first) = asking.turn("new", now);
        let question = question.expect("the first one asks");
        let mut waiting = vec![first.expect("a place")];
        for _ in 0..600 {
            let (another, place) = asking.turn("new", now);
            assert!(another.is_none());
            waiting.push(place.expect("a place"));
        }
        assert_eq!(asking.lock().keys.len(), 1, "they share one key");
        assert!(!asking.answered_since(came));
        question.answered();
        for one in waiting {
            one.over().await;
        }
        assert!(asking.answered_since(came));
        assert_eq!(asking.lock().callers, 0);
        assert!(asking.lock().keys.is_empty());
    }

    #[tokio::test]
    async fn strangers_cause_one_question_a_pause_and_learn_when_to_come_back() {
        let (asking, begun) = (Asking::new(PAUSE), Instant::now());
        let mut asked = Vec::new();
        for millis in (0..60_000).step_by(7) {
            let now = after(begun, millis);
            let (question, turn) = asking.turn(&format!("invented-{millis}"), now);
            if let Some(question) = question {
                asked.push(now);
                question.answered();
            } else {
                let left = turn.expect_err("nobody waits in a pause");
                assert!(!left.is_zero() && left <= PAUSE, "{left:?}");
            }
        }
        assert_eq!(asked.len(), 6);
        assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= PAUSE));
        assert_eq!(asking.lock().callers, 0, "whoever was dropped has left");
    }

    #[tokio::test]
    async fn strangers_have_few_places_and_leave_room_for_callers_of_keys_that_are_waited_for() {
        let (asking, now) = (Asking::new(PAUSE), Instant::now());
        let (question, good) = asking.turn("new", now);
        let mut places: Vec<Waiting> = good.into_iter().collect();
        for number in 0..2_000 {
            places.extend(asking.turn(&format!("invented-{number}"), now).1);
        }
        assert_eq!(places.len(), MAX_KEYS);
        for _ in 0..2_000 {
            places.extend(asking.turn("new", now).1);
        }
        assert_eq!(places.len(), MAX_CALLERS, "nobody waits without a bound");
        let (none, beyond) = asking.turn("new", now);
        assert!(none.is_none());
        assert_eq!(beyond.expect_err("no place"), RETRY);
        drop((question, places));
        assert_eq!(asking.lock().callers, 0);
    }

    #[tokio::test]
    async fn a_question_that_is_given_up_is_over_and_was_not_answered() {
        let (asking, now) = (Asking::new(PAUSE), Instant::now());
        let came = asking.begun();
        let (question, waiting) = asking.turn("new", now);
        drop(question);
        waiting.expect("a place").over().await;
        assert!(!asking.answered_since(came));
        // The issuer is away: nobody makes it be asked more often for that.
        let (none, turn) = asking.turn("new", after(now, 1));
        assert!(none.is_none());
        assert_eq!(turn.expect_err("a pause"), PAUSE - Duration::from_millis(1));
        assert_eq!(asking.left(after(now, 10_000)), Duration::ZERO);
        let (again, _) = asking.turn("new", after(now, 10_000));
        assert!(again.is_some());
    }

    #[tokio::test]
    async fn a_question_in_time_makes_no_caller_wait_for_the_next() {
        let (asking, now) = (Asking::new(PAUSE), Instant::now());
        let (question, number) = asking.in_time();
        // Whoever comes meanwhile waits for it, and asks by itself when it did not help.
        let came = asking.begun();
        let (none, waiting) = asking.turn("new", now);
        assert!(none.is_none());
        question.expect("it begins").answered();
        waiting.expect("a place").over().await;
        assert!(asking.until_over(number).await);
        assert!(!asking.answered_since(came), "it began before");
        let (question, _waiting) = asking.turn("new", now);
        question.expect("a question of its own").answered();
        assert!(asking.answered_since(came));
    }
}
