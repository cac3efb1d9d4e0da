//! Sends what is due: each channel looks for it by itself, within its budget, and leaves a provider
//! that fails alone for a while. Any number of replicas may do so at once.

mod documents;
mod gathering;
mod parcel;
mod settling;
mod taking;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use kit::drain::Drain;
use tokio::task::JoinHandle;

use self::parcel::Parcel;
use super::Base;
use super::channels::Channels;
use super::words::Wording;
use crate::channels::{Accepted, Provider, provider};
use crate::config::{ChannelConfig, SendingConfig};
use crate::domain::attempt::Failed;
use crate::error::Error;
use crate::seal::Seal;

/// How many attempts are settled together at most.
const SETTLED: usize = 64;

/// Sends messages.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    base: Base,
    seal: Seal,
    wording: Wording,
    poll: Duration,
    visibility: Duration,
    /// Spreads what would happen at once: from 0 up to 1.
    chance: fn() -> f64,
    drain: Drain,
}

/// What became of a parcel; nothing when the service stopped before its attempt.
type Attempted = (Parcel, Option<Result<Accepted, Failed>>);

impl Sending {
    pub(crate) fn new(
        base: Base,
        seal: Seal,
        wording: Wording,
        config: &SendingConfig,
        drain: Drain,
    ) -> Self {
        Self {
            base,
            seal,
            wording,
            poll: config.poll,
            visibility: config.visibility,
            chance: rand::random::<f64>,
            drain,
        }
    }

    /// Begins to send by every channel. Each ends at the drain, once what is under way has its outcome.
    ///
    /// # Errors
    /// What cannot be used in the settings of a channel; the text names channel and key.
    pub(crate) fn start(&self, channels: &Channels) -> Result<Vec<JoinHandle<()>>, String> {
        let mut work = Vec::new();
        for channel in channels.all() {
            let provider =
                provider(channel).map_err(|wrong| format!("channels.{}.{wrong}", channel.id))?;
            work.push(tokio::spawn(self.clone().carry(channel.clone(), provider)));
        }
        Ok(work)
    }

    async fn carry(self, channel: ChannelConfig, provider: Arc<dyn Provider>) {
        loop {
            let more = match self.round(&channel, &*provider).await {
                Ok(more) => more,
                Err(err) => {
                    let channel = &channel.id;
                    tracing::warn!(channel, error = %err, "cannot send, trying again");
                    false
                }
            };
            if self.drain.is_draining() || (!more && !self.drain.sleep(self.poll).await) {
                return;
            }
        }
    }

    /// Sends what is due and within the budget; whether there may be more.
    async fn round(&self, channel: &ChannelConfig, provider: &dyn Provider) -> Result<bool, Error> {
        let taken = self.take(channel).await?;
        let more = taken.more;
        let attempts = stream::iter(taken.parcels)
            .map(|parcel| self.attempt(parcel, provider))
            .buffer_unordered(channel.concurrency)
            .ready_chunks(SETTLED);
        let mut attempts = std::pin::pin!(attempts);
        while let Some(attempted) = attempts.next().await {
            self.settle(channel, attempted).await?;
        }
        Ok(more)
    }

    /// Hands a parcel over, unless the service stops before that.
    async fn attempt(&self, parcel: Parcel, provider: &dyn Provider) -> Attempted {
        if self.drain.is_draining() {
            return (parcel, None);
        }
        let outcome = provider.send(&parcel.outgoing).await;
        (parcel, Some(outcome))
    }
}
