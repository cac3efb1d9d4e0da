//! Somebody who watches the feed of sampling through the gateway, in a process of their own, and says when
//! they saw what.

use std::collections::BTreeMap;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use kit::clock::{Clock, SystemClock};
use proto::sampling::sampling_event::State;
use proto::sampling::sampling_feed_client::SamplingFeedClient;
use proto::sampling::{
    SamplingEvent, SamplingSnapshotRequest, SamplingWatchRequest, SamplingWatchResponse,
};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tonic::{Code, Streaming};

use crate::house::{Door, door};
use crate::screen;

/// What the process says once it watches.
const READY: &str = "watching";
/// It watches within this time, or never.
const WATCHES_WITHIN: Duration = Duration::from_secs(60);
/// Whatever was not seen this long after it was written is lost.
const SEEN_WITHIN: Duration = Duration::from_secs(60);

/// A process that watches until this is dropped.
pub(super) struct Watcher {
    seen: UnboundedReceiver<(String, DateTime<Utc>)>,
    _process: Child,
}

impl Watcher {
    /// Starts this very program before the gateway at `address`, with a token that may follow the feed.
    pub(super) async fn start(address: &str, token: &str) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bench", "feed", "--watch", address]);
        // It stays until this end of its standard input is closed.
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.kill_on_drop(true).spawn()?;
        let input = process.stdin.as_mut().context("its input is piped")?;
        input.write_all(format!("{token}\n").as_bytes()).await?;
        let said = process.stdout.take().context("its output is piped")?;
        let mut lines = BufReader::new(said).lines();
        let first = timeout(WATCHES_WITHIN, lines.next_line()).await??;
        ensure!(
            first.as_deref() == Some(READY),
            "the watcher does not watch"
        );
        let (sender, seen) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let told = heard(&line).is_none_or(|one| sender.send(one).is_ok());
                if !told {
                    return;
                }
            }
        });
        Ok(Self {
            seen,
            _process: process,
        })
    }

    /// Waits until the absences of all these people were seen; gives when each was.
    pub(super) async fn saw(
        &mut self,
        mut people: BTreeMap<&str, usize>,
    ) -> anyhow::Result<Vec<(usize, DateTime<Utc>)>> {
        let mut seen = Vec::with_capacity(people.len());
        while !people.is_empty() {
            let next = timeout(SEEN_WITHIN, self.seen.recv()).await;
            let next = next.context("what was written is not seen by who watches")?;
            let (person, at) = next.context("the watcher has ended")?;
            if let Some(place) = people.remove(&*person) {
                seen.push((place, at));
            }
        }
        Ok(seen)
    }
}

/// Only watches by the token in the first line of the standard input, says what it sees and when, and stays
/// until that input ends.
pub(super) async fn alone(gateway: &str) -> anyhow::Result<ExitCode> {
    let token = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    let token = token.await??;
    let (ended, end) = oneshot::channel();
    // A thread of its own, for which the end of the runtime does not wait.
    std::thread::spawn(move || {
        let read = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        // Whoever waited may be gone.
        let _ = ended.send(read);
    });
    tokio::select! {
        ended = end => {
            ended??;
            Ok(ExitCode::SUCCESS)
        }
        failed = follow(gateway, token.trim()) => failed,
    }
}

/// Follows the feed from its present state on; ends only when that fails.
async fn follow(gateway: &str, token: &str) -> anyhow::Result<ExitCode> {
    let mut feed = SamplingFeedClient::new(door(gateway, token)?);
    let mut resume_token = present(&mut feed).await?;
    let mut pages = watch(&mut feed, &resume_token).await?;
    screen::line(READY);
    loop {
        match pages.message().await {
            Ok(Some(page)) => {
                tell(page.events, SystemClock.now());
                resume_token = page.resume_token;
            }
            // A stream that grew old is opened again where it ended.
            Ok(None) => pages = watch(&mut feed, &resume_token).await?,
            Err(status) if status.code() == Code::Unavailable => {
                pages = watch(&mut feed, &resume_token).await?;
            }
            Err(status) => return Err(status.into()),
        }
    }
}

/// Reads the present state; gives where to watch from.
async fn present(feed: &mut SamplingFeedClient<Door>) -> anyhow::Result<String> {
    let request = SamplingSnapshotRequest::default();
    let mut pages = feed.snapshot(request).await?.into_inner();
    let mut resume_token = String::new();
    while let Some(page) = pages.message().await? {
        resume_token = page.resume_token;
    }
    ensure!(!resume_token.is_empty(), "a snapshot ended too soon");
    Ok(resume_token)
}

async fn watch(
    feed: &mut SamplingFeedClient<Door>,
    resume_token: &str,
) -> anyhow::Result<Streaming<SamplingWatchResponse>> {
    let request = SamplingWatchRequest {
        resume_token: resume_token.to_owned(),
    };
    Ok(feed.watch(request).await?.into_inner())
}

/// Says whose absences were seen at this instant.
fn tell(events: Vec<SamplingEvent>, at: DateTime<Utc>) {
    for event in events {
        if let Some(State::Absence(absence)) = event.state {
            screen::line(format_args!("{} {}", at.timestamp_millis(), absence.person));
        }
    }
}

/// What a line of the process says.
fn heard(line: &str) -> Option<(String, DateTime<Utc>)> {
    let (at, person) = line.split_once(' ')?;
    let at = DateTime::from_timestamp_millis(at.parse().ok()?)?;
    Some((person.to_owned(), at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_heard_with_its_instant() {
        let at = DateTime::from_timestamp_millis(1_649_203_200_007).unwrap();
        let heard_of = heard("1649203200007 students/1");
        assert_eq!(heard_of, Some(("students/1".to_owned(), at)));
        assert_eq!(heard(READY), None);
        assert_eq!(heard("soon students/1"), None);
    }
}
