//! Stores what became of attempts, with what it says about the provider and the addresses.

use super::{Attempted, Sending};
use crate::config::ChannelConfig;
use crate::domain::attempt::{Breaker, Failed, Next, next};
use crate::domain::delivery::{Attempt, Failure};
use crate::error::Error;
use crate::store::Store;
use crate::store::deliveries::Outcome;

impl Sending {
    /// Stores what became of attempts, in the order in which they ended.
    pub(super) async fn settle(
        &self,
        channel: &ChannelConfig,
        attempted: Vec<Attempted>,
    ) -> Result<(), Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let row = Store::channel_to_use(&tx, &channel.id).await?;
        let mut breaker = row.as_ref().map(|row| row.breaker()).unwrap_or_default();
        let before = breaker;
        let mut outcomes = Vec::new();
        for (parcel, outcome) in attempted {
            let chance = (self.chance)();
            let outcome = outcome.map(|outcome| outcome.map(|_| ()));
            if let Some(outcome) = outcome.filter(|outcome| counts(channel, *outcome)) {
                breaker = breaker.after(outcome, channel.breaker(), now, chance);
            }
            let attempt = match outcome {
                // Another replica, or this one after its start, may send it at once.
                None => Attempt::Wait {
                    until: now.timestamp_millis(),
                },
                Some(Ok(())) => Attempt::Sent,
                Some(Err(failed)) => {
                    match next(failed, parcel.attempt, channel.attempts, now, chance) {
                        Next::Retry(at) => Attempt::Retry {
                            at: at.timestamp_millis(),
                            failure: failed.failure,
                        },
                        Next::Dead => Attempt::Dead(failed.failure),
                    }
                }
            };
            let nobody = attempt == Attempt::Dead(Failure::NoRecipient);
            if let Some(contact) = parcel.contact.as_ref().filter(|_| nobody) {
                Store::mark_unreachable(&tx, contact).await?;
            }
            let keys = parcel.keys.into_iter();
            outcomes.extend(keys.map(|key| Outcome { key, attempt }));
        }
        Store::settle(&tx, outcomes, now.timestamp_millis()).await?;
        if let Some(row) = row.filter(|_| breaker != before) {
            Store::save_channel(&tx, row.with(breaker)).await?;
        }
        tx.commit().await?;
        tell(channel, before, breaker);
        Ok(())
    }
}

/// Whether the end of an attempt says something about the provider. Where every address has a budget of
/// its own, an address that is throttled says nothing about the others.
fn counts(channel: &ChannelConfig, outcome: Result<(), Failed>) -> bool {
    let throttled = outcome.is_err_and(|failed| failed.failure == Failure::Throttled);
    channel.kind.has_one_provider() && !(throttled && channel.address_budget_per_minute > 0)
}

fn tell(channel: &ChannelConfig, before: Breaker, after: Breaker) {
    let channel = &channel.id;
    match (before.rest_until, after.rest_until) {
        (_, None) if before.rest_until.is_some() => tracing::info!(channel, "works again"),
        (before, Some(until)) if before != Some(until) => {
            let failures = after.failures_in_row;
            tracing::warn!(channel, failures, %until, "the provider is left alone");
        }
        _ => {}
    }
}
