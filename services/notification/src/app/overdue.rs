//! Tells recipients of directives that a time has passed without what was due, and the one above of how
//! many; of reports that wait for too long, who must judge them, and the one above that. One replica looks
//! each second, each group is told once, in the transaction that notes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use kit::db::Tx;
use kit::drain::Drain;
use kit::lease::{self, Lease};
use sea_orm::DbErr;
use tokio::sync::Notify;
use uuid::Uuid;

use super::Base;
use super::arrivals::{parties, urgency};
use super::directives::directive_name;
use super::items::Owners;
use super::telling::{Telling, named};
use super::told::write;
use crate::domain::directive::Directive;
use crate::domain::item::late_items;
use crate::domain::message::{Category, Urgency};
use crate::domain::party::Party;
use crate::domain::recipient::Missed;
use crate::error::Error;
use crate::store::Store;
use crate::store::items::RecipientKey;
use crate::store::overdue;

/// The name of the lease: one replica looks at a time.
const LEASE: &str = "overdue";
/// How long a replica that vanished keeps others from it.
const TTL: Duration = Duration::from_secs(10);
/// How often to look.
const PERIOD: Duration = Duration::from_secs(1);
/// How many groups of a kind are told before the lease is taken anew.
const TOGETHER: u64 = 50;

/// Looks after the times by which directives are signed for, passed on and done, and reports judged.
#[derive(Clone, Debug)]
pub(crate) struct Overdue {
    base: Base,
    /// The channels besides the inbox.
    channels: Vec<String>,
    /// Wakes whoever sends messages.
    work: Arc<Notify>,
    holder: String,
}

impl Overdue {
    /// Looks each second until the drain; tells by the inbox and `channels`.
    pub(crate) fn start(base: Base, channels: Vec<String>, work: Arc<Notify>, drain: Drain) {
        let overdue = Self {
            base,
            channels,
            work,
            holder: Uuid::new_v4().to_string(),
        };
        tokio::spawn(overdue.watch(drain));
    }

    async fn watch(self, drain: Drain) {
        loop {
            if let Err(err) = self.tell_all().await {
                tracing::warn!(error = %err, "cannot look for overdue directives, trying again");
            }
            if !drain.sleep(PERIOD).await {
                return;
            }
        }
    }

    fn time(&self) -> (DateTime<Utc>, NaiveDate) {
        (self.base.clock.now(), self.base.clock.today())
    }

    /// Tells everybody who is to be told unless another replica is at it.
    async fn tell_all(&self) -> Result<(), DbErr> {
        let db = self.base.store.database();
        loop {
            let found = Store::overdue(db.read(), self.time(), TOGETHER).await?;
            if found.is_empty() {
                return Ok(());
            }
            let Some(lease) = lease::take(db, LEASE, &self.holder, TTL).await? else {
                return Ok(());
            };
            let mut done = 0;
            for overdue in found {
                match self.tell(&lease, &overdue).await {
                    Ok(()) => done += 1,
                    Err(err) => {
                        tracing::warn!(error = %err, "what is overdue of a directive could not be told");
                    }
                }
            }
            self.work.notify_one();
            if done == 0 {
                return lease.release(db).await;
            }
        }
    }

    /// Tells those of a group who are overdue still, and those above.
    async fn tell(&self, lease: &Lease, overdue: &overdue::Overdue) -> Result<(), Error> {
        let tx = self.base.store.database().begin().await?;
        if !lease.holds(&tx).await? {
            return Ok(());
        }
        // It must not end meanwhile.
        let (orderer, id) = (&overdue.orderer, overdue.directive);
        let directive = Store::directive_to_use(&tx, orderer, id).await?;
        let time = self.time();
        let late = Store::note_overdue(&tx, overdue, time).await?;
        if let Some(directive) = directive
            && !late.is_empty()
        {
            let tellings = self.tellings(&tx, (&directive, overdue), &late).await?;
            write(&tx, tellings, &self.channels, time.0).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// What those who are late are told, whoever owns what is late there, and those above of all of them.
    async fn tellings(
        &self,
        tx: &Tx,
        (directive, overdue): (&Directive, &overdue::Overdue),
        late: &[String],
    ) -> Result<Vec<Telling>, DbErr> {
        let (now, today) = self.time();
        let (id, missed) = (directive.id, overdue.missed);
        let mut counts = counts(tx, (directive, missed), late, today).await?;
        let mut above = vec![or_orderer(&overdue.upper, directive)];
        let mut all = late.len();
        if missed == Missed::Judgement {
            all = Store::unjudged(tx, (id, &overdue.upper), now).await?;
            let upper = self.base.store.recipient(tx, id, &overdue.upper).await?;
            above.extend(upper.map(|upper| or_orderer(&upper.upper, directive)));
        }
        for party in parties(tx, &above).await? {
            counts.insert(party, all);
        }
        let telling = |(party, count): (Party, usize)| telling(directive, overdue, party, count);
        Ok(counts.into_iter().map(telling).collect())
    }
}

/// The recipient id of the one above, or where there is none the organisation id of the orderer.
fn or_orderer(upper: &str, directive: &Directive) -> String {
    match upper {
        "" => directive.organization.clone(),
        upper => upper.to_owned(),
    }
}

/// Those who are late, and whoever owns what is late there, each with for how many recipients.
async fn counts(
    tx: &Tx,
    (directive, missed): (&Directive, Missed),
    late: &[String],
    today: NaiveDate,
) -> Result<BTreeMap<Party, usize>, DbErr> {
    let mut told: Vec<BTreeSet<Party>> = match missed {
        Missed::Signature | Missed::Relay => vec![BTreeSet::new(); late.len()],
        Missed::Demand => late_owners(tx, directive, late, today).await?,
        // They have reported: it is the one above that is late.
        Missed::Judgement => return Ok(BTreeMap::new()),
    };
    for (told, party) in told.iter_mut().zip(parties(tx, late).await?) {
        told.insert(party);
    }
    let mut counts = BTreeMap::new();
    for party in told.into_iter().flatten() {
        *counts.entry(party).or_default() += 1;
    }
    Ok(counts)
}

/// Of each of the recipients, whoever owns a demand that is late there.
async fn late_owners(
    tx: &Tx,
    directive: &Directive,
    late: &[String],
    today: NaiveDate,
) -> Result<Vec<BTreeSet<Party>>, DbErr> {
    let owners = Owners::at(tx, late).await?;
    let keys: Vec<RecipientKey> = late.iter().map(|id| (directive.id, id.clone())).collect();
    let reports = Store::item_reports(tx, &keys).await?;
    let of = |key: &RecipientKey| {
        let reports = reports.get(key).map_or(&[][..], Vec::as_slice);
        owners.of(&key.1, late_items(&directive.content.items, reports, today))
    };
    Ok(keys.iter().map(of).collect())
}

fn telling(
    directive: &Directive,
    overdue: &overdue::Overdue,
    party: Party,
    count: usize,
) -> Telling {
    let title = &directive.content.title;
    let mut values = named([
        ("title", title.clone()),
        ("due", overdue.due()),
        ("outstanding", count.to_string()),
    ]);
    let (template, sentence) = match overdue.missed {
        Missed::Signature => (
            "directive-overdue",
            (
                format!("通知《{title}》逾期未签收，尚有 {count} 个单位"),
                format!("“{title}” was not acknowledged in time by {count}"),
            ),
        ),
        Missed::Relay => (
            "directive-unrelayed",
            (
                format!("通知《{title}》签收后逾期未转发，尚有 {count} 个单位"),
                format!("“{title}” was signed for, and not passed on in time by {count}"),
            ),
        ),
        Missed::Demand => (
            "directive-unfinished",
            (
                format!("通知《{title}》的任务逾期未完成，尚有 {count} 个单位"),
                format!("A demand of “{title}” was not done in time by {count}"),
            ),
        ),
        Missed::Judgement => {
            let judge = or_orderer(&overdue.upper, directive);
            values.insert("judge".to_owned(), format!("organizations/{judge}"));
            (
                "directive-unjudged",
                (
                    format!("通知《{title}》的办结报告逾期未审核，尚有 {count} 个单位"),
                    format!("Reports on “{title}” were not judged in time: {count}"),
                ),
            )
        }
    };
    Telling {
        party,
        category: Category::Directive,
        urgency: urgency(directive.urgency).max(Urgency::Urgent),
        own: Some((template.to_owned(), values)),
        sentence,
        basis: directive_name(&directive.organization, directive.id),
        confidential: false,
    }
}
