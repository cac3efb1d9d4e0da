//! Load: as many calls as a number of clients can make, or calls that begin at their time.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::harness::{Answer, Latencies};

/// How long a client waits that was turned away before it comes again.
const PAUSE: Duration = Duration::from_millis(50);

/// A closed loop: each of `clients` takes the next of `items` when its last call has come back. Whoever is
/// turned away comes again, as a client would, until it is done: each refusal is counted, and what is
/// done has taken as long as all of it.
///
/// # Errors
/// When a call fails: the first one ends the loop.
pub(super) async fn closed<T, F, Fut>(
    clients: usize,
    items: Vec<T>,
    call: F,
) -> anyhow::Result<Latencies>
where
    T: Clone + Send + Sync + 'static,
    F: Fn(T) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = anyhow::Result<Answer>> + Send,
{
    let (items, next) = (Arc::new(items), Arc::new(AtomicUsize::new(0)));
    let begun = Instant::now();
    let mut set = JoinSet::new();
    for _ in 0..clients {
        let (items, next, call) = (items.clone(), next.clone(), call.clone());
        set.spawn(async move {
            let mut taken = Vec::new();
            while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                let one = Instant::now();
                loop {
                    let answer = call(item.clone()).await?;
                    taken.push((answer, one.elapsed()));
                    if answer == Answer::Done {
                        break;
                    }
                    sleep(PAUSE).await;
                }
            }
            anyhow::Ok(taken)
        });
    }
    let mut all = Vec::with_capacity(items.len());
    while let Some(taken) = set.join_next().await {
        all.extend(taken??);
    }
    Ok(Latencies::of(all, begun.elapsed()))
}

/// An open loop: the calls begin `rate` times a second, whatever became of those before, and each is
/// timed from when it should have begun. A service that stalls cannot hide it: everybody who came
/// in the meantime has waited (no coordinated omission). `call` runs at the beginning of each call.
///
/// # Errors
/// When a call fails: the first one ends the loop.
pub(super) async fn open<T, F, Fut>(
    rate: f64,
    items: impl IntoIterator<Item = T>,
    mut call: F,
) -> anyhow::Result<Latencies>
where
    F: FnMut(T) -> Fut,
    Fut: Future<Output = anyhow::Result<Answer>> + Send + 'static,
{
    let begun = Instant::now();
    let mut calls: JoinSet<anyhow::Result<(Answer, Duration)>> = JoinSet::new();
    let mut all = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let intended = begun + Duration::from_secs_f64(index as f64 / rate);
        sleep_until(intended).await;
        let call = call(item);
        calls.spawn(async move {
            let answer = call.await?;
            Ok((answer, intended.elapsed()))
        });
        while let Some(taken) = calls.try_join_next() {
            all.push(taken??);
        }
    }
    while let Some(taken) = calls.join_next().await {
        all.push(taken??);
    }
    Ok(Latencies::of(all, begun.elapsed()))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use anyhow::bail;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn who_comes_during_a_stall_has_waited() {
        // Nobody is served until the last of fifty has come.
        let (gate, mut came) = (Arc::new(Semaphore::new(0)), 0);
        let call = |_| {
            came += 1;
            if came == 50 {
                gate.add_permits(50);
            }
            let gate = gate.clone();
            async move {
                gate.acquire().await?.forget();
                Ok(Answer::Done)
            }
        };
        let latencies = open(1000.0, 0..50, call).await.unwrap();
        let waited = |share| latencies.percentile(share).as_millis();
        assert!(waited(1.0) >= 49, "{}", waited(1.0));
        assert!(waited(0.5) >= 24, "{}", waited(0.5));
        assert!(latencies.rate() <= 1021.0, "{}", latencies.rate());
    }

    #[tokio::test]
    async fn no_call_begins_before_its_time() {
        let begun = Instant::now();
        let mut begins = Vec::new();
        let call = |index: u64| {
            begins.push((index, begun.elapsed()));
            std::future::ready(Ok(Answer::Done))
        };
        open(2000.0, 0..40, call).await.unwrap();
        assert_eq!(begins.len(), 40);
        for (index, begin) in begins {
            assert!(
                begin >= Duration::from_micros(500 * index),
                "{index}: {begin:?}"
            );
        }
    }

    #[tokio::test]
    async fn each_item_is_called_once_by_one_of_the_clients() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let call = {
            let seen = seen.clone();
            move |item: u32| {
                seen.lock().unwrap().push(item);
                std::future::ready(Ok(Answer::Done))
            }
        };
        closed(8, (0..80).collect(), call).await.unwrap();
        let mut seen = seen.lock().unwrap().clone();
        seen.sort_unstable();
        assert_eq!(seen, (0..80).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn who_is_turned_away_comes_again_and_is_counted() {
        let turned = Arc::new(Mutex::new(std::collections::BTreeSet::new()));
        let call = {
            let turned = turned.clone();
            move |item: u32| {
                let first = turned.lock().unwrap().insert(item);
                let answer = if first && item.is_multiple_of(2) {
                    Answer::Overloaded
                } else {
                    Answer::Done
                };
                std::future::ready(Ok(answer))
            }
        };
        let latencies = closed(2, (0..10).collect(), call).await.unwrap();
        assert_eq!((latencies.count(), latencies.overloaded()), (10, 5));
        assert!(latencies.percentile(1.0) >= PAUSE, "its wait is counted");
    }

    #[tokio::test]
    async fn a_call_that_fails_ends_the_loop() {
        let failing = |item: u32| async move {
            if item == 3 {
                bail!("refused");
            }
            Ok(Answer::Done)
        };
        assert!(closed(2, (0..9).collect(), failing).await.is_err());
        assert!(open(1e6, 0..9, failing).await.is_err());
    }
}
