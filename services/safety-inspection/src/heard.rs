//! How old the facts are: when each feed was last heard of and what it said was stored.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::stream::unfold;
use kit::clock::Clock;
use kit::projection::{Batches, Upstream};
use tonic::Status;

/// When a feed was last heard of, in milliseconds since 1970; 0 for never.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<AtomicI64>);

impl Heard {
    /// The instant; none for never.
    pub fn at(&self) -> Option<DateTime<Utc>> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            millis => DateTime::from_timestamp_millis(millis),
        }
    }

    /// Notes an instant; never backwards.
    pub fn note(&self, at: DateTime<Utc>) {
        self.0.fetch_max(at.timestamp_millis(), Ordering::Relaxed);
    }
}

/// An upstream that notes when it was heard of; an empty batch confirms that nothing changed. A
/// batch counts once it is stored: whoever follows the feed asks for the next one only then.
pub(crate) struct Listening<U> {
    upstream: U,
    heard: Heard,
    clock: Arc<dyn Clock>,
    listed: Arc<Mutex<Option<Listed>>>,
}

/// The end of a snapshot: where to watch from after it, and when it came.
struct Listed {
    resume_token: String,
    at: DateTime<Utc>,
}

impl<U> Listening<U> {
    pub(crate) fn new(upstream: U, heard: Heard, clock: Arc<dyn Clock>) -> Self {
        Self {
            upstream,
            heard,
            clock,
            listed: Arc::default(),
        }
    }

    fn take_listed(&self) -> Option<Listed> {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        listed.take()
    }
}

#[async_trait]
impl<U: Upstream> Upstream for Listening<U> {
    type Event = U::Event;

    async fn snapshot(&mut self, page_token: String) -> Result<Batches<U::Event>, Status> {
        let (listed, clock) = (self.listed.clone(), self.clock.clone());
        let pages = self.upstream.snapshot(page_token).await?;
        // The pages of a snapshot confirm nothing until all of them are stored.
        let noting = pages.inspect(move |page| {
            if let Ok(page) = page
                && !page.resume_token.is_empty()
            {
                let (resume_token, at) = (page.resume_token.clone(), clock.now());
                let mut listed = listed.lock().unwrap_or_else(PoisonError::into_inner);
                *listed = Some(Listed { resume_token, at });
            }
        });
        Ok(noting.boxed())
    }

    async fn watch(&mut self, resume_token: String) -> Result<Batches<U::Event>, Status> {
        // A snapshot from whose end somebody watches was stored.
        let listed = self.take_listed();
        if let Some(listed) = listed.filter(|listed| listed.resume_token == resume_token) {
            self.heard.note(listed.at);
        }
        let (heard, clock) = (self.heard.clone(), self.clock.clone());
        let changes = self.upstream.watch(resume_token).await?;
        let noting = unfold((changes, None), move |(mut changes, stored)| {
            let (heard, clock) = (heard.clone(), clock.clone());
            async move {
                if let Some(at) = stored {
                    heard.note(at);
                }
                let batch = changes.next().await?;
                let came = batch.is_ok().then(|| clock.now());
                Some((batch, (changes, came)))
            }
        });
        Ok(noting.boxed())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream::iter;
    use kit::clock::ManualClock;
    use kit::feed::Origin;
    use kit::projection::Batch;

    use super::*;

    /// Two pages of a snapshot, then two batches of changes.
    struct Feed;

    fn batch(page_token: &str, resume_token: &str) -> Result<Batch<u8>, Status> {
        Ok(Batch {
            events: Vec::new(),
            page_token: page_token.to_owned(),
            resume_token: resume_token.to_owned(),
            origin: Origin::default(),
        })
    }

    #[async_trait]
    impl Upstream for Feed {
        type Event = u8;

        async fn snapshot(&mut self, _: String) -> Result<Batches<u8>, Status> {
            Ok(iter([batch("p", ""), batch("", "r0")]).boxed())
        }

        async fn watch(&mut self, _: String) -> Result<Batches<u8>, Status> {
            Ok(iter([batch("", "r1"), batch("", "r2")]).boxed())
        }
    }

    #[tokio::test]
    async fn what_came_counts_once_it_is_stored() {
        let start: DateTime<Utc> = "2022-04-06T00:00:00Z".parse().unwrap();
        let minute = |number| start + chrono::Duration::minutes(number);
        let (clock, heard) = (ManualClock::at(start), Heard::default());
        let mut feed = Listening::new(Feed, heard.clone(), Arc::new(clock.clone()));
        let pages: Vec<_> = feed.snapshot(String::new()).await.unwrap().collect().await;
        assert_eq!((pages.len(), heard.at()), (2, None));
        // The snapshot was not stored: it is taken again.
        clock.set(minute(1));
        let _: Vec<_> = feed.snapshot(String::new()).await.unwrap().collect().await;
        clock.set(minute(2));
        let mut changes = feed.watch("r0".to_owned()).await.unwrap();
        assert_eq!(heard.at(), Some(minute(1)));
        changes.next().await.unwrap().unwrap();
        clock.set(minute(3));
        assert_eq!(heard.at(), Some(minute(1)), "came, but is not stored");
        changes.next().await.unwrap().unwrap();
        assert_eq!(heard.at(), Some(minute(2)));
        drop(changes);
        clock.set(minute(4));
        let _changes = feed.watch("r1".to_owned()).await.unwrap();
        assert_eq!(
            heard.at(),
            Some(minute(2)),
            "the second batch was not stored"
        );
    }
}
