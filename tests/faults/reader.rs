//! Somebody who follows the feed of the register slowly, and comes back with a token when sent away.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::roster::roster_event::State;
use proto::roster::roster_feed_client::RosterFeedClient;
use proto::roster::{RosterEvent, SnapshotRequest, WatchRequest, WatchResponse};
use tests::city::Door;
use tests::{until, within};
use tokio::sync::watch;
use tonic::{Code, Streaming};

use super::campaign::Campaign;

/// An organisation that is founded when nobody writes any more.
pub(super) const LAST: &str = "base-03";
/// How long the reader takes for each message.
const PACE: Duration = Duration::from_secs(1);
/// A page of class group rolls is larger than other messages.
const MAX_MESSAGE: usize = 16 << 20;

/// Somebody who opened the feed and takes nothing of it.
pub(super) struct Stalled {
    reader: Reader,
    pages: Streaming<WatchResponse>,
}

impl Stalled {
    /// Takes what had come until it was sent away, as it must have been; the reader goes on from there.
    pub(super) async fn resume(mut self) -> Reader {
        let taking = async {
            loop {
                match self.pages.message().await {
                    Ok(Some(page)) => {
                        self.reader.take(page);
                    }
                    Ok(None) => panic!("the feed ends by itself"),
                    Err(status) => return status,
                }
            }
        };
        let ended = within("the answer ends", taking).await;
        assert_eq!(ended.code(), Code::Unavailable, "{ended:?}");
        self.reader.sent_away += 1;
        self.reader
    }
}

/// Somebody who keeps a copy of the rolls.
pub(super) struct Reader {
    feed: RosterFeedClient<Door>,
    resume_token: String,
    /// The version of each roll, and how many are on it.
    rolls: BTreeMap<String, (i64, usize)>,
    /// How many messages came.
    pub(super) taken: watch::Sender<u32>,
    /// How often it was sent away.
    pub(super) sent_away: u32,
    /// How many changes of rolls came that were known.
    pub(super) seen_again: u32,
}

impl Reader {
    /// Takes a snapshot.
    pub(super) async fn begin(door: Door) -> Self {
        let mut reader = Self {
            feed: RosterFeedClient::new(door).max_decoding_message_size(MAX_MESSAGE),
            resume_token: String::new(),
            rolls: BTreeMap::new(),
            taken: watch::Sender::new(0),
            sent_away: 0,
            seen_again: 0,
        };
        let snapshot = reader.feed.snapshot(SnapshotRequest::default()).await;
        let mut pages = snapshot.expect("a snapshot").into_inner();
        while let Some(page) = pages.message().await.expect("a page") {
            reader.apply(page.events);
            reader.resume_token = page.resume_token;
        }
        reader
    }

    /// Watches until the last organisation comes: slowly as long as others write.
    pub(super) async fn read(mut self, campaign: Campaign) -> Self {
        loop {
            let mut pages = self.open().await;
            while let Ok(Some(page)) = pages.message().await {
                if self.take(page) {
                    return self;
                }
                self.taken.send_modify(|taken| *taken += 1);
                if !campaign.is_over() {
                    tokio::time::sleep(PACE).await;
                }
            }
            self.sent_away += 1;
        }
    }

    /// Watches, and takes nothing.
    pub(super) async fn stall(self) -> Stalled {
        let pages = self.open().await;
        Stalled {
            reader: self,
            pages,
        }
    }

    /// The feed from where it was left.
    async fn open(&self) -> Streaming<WatchResponse> {
        let opened = until("the feed is watched", || {
            let (mut feed, resume_token) = (self.feed.clone(), self.resume_token.clone());
            async move { feed.watch(WatchRequest { resume_token }).await.ok() }
        });
        opened.await.into_inner()
    }

    /// Keeps what a page tells; whether the last organisation is among it.
    fn take(&mut self, page: WatchResponse) -> bool {
        self.resume_token = page.resume_token;
        self.apply(page.events)
    }

    /// Keeps what is newer than what is known; whether the last organisation is among it.
    fn apply(&mut self, events: Vec<RosterEvent>) -> bool {
        let mut last = false;
        for event in events {
            last |= event.entity == format!("organizations/{LAST}");
            let Some(State::ClassGroupRoll(roll)) = event.state else {
                continue;
            };
            let known = self.rolls.entry(event.entity).or_default();
            if event.version > known.0 {
                *known = (event.version, roll.members.len());
            } else {
                self.seen_again += 1;
            }
        }
        last
    }

    /// How many students stand on the rolls.
    pub(super) fn students(&self) -> usize {
        self.rolls.values().map(|(_, members)| members).sum()
    }
}
