//! Tells organisations that a directive has reached them.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use kit::db::Tx;

use super::directives::{Directives, directive_name};
use super::messages::{NewMessage, queue};
use super::{Organization, place};
use crate::domain::directive::{Directive, Urgency};
use crate::domain::message::{self, Category, Recipients};
use crate::domain::party::Party;
use crate::error::Error;

/// The template of what they are told.
const TEMPLATE: &str = "directive-arrived";
/// How long it is sent at most.
const LASTS: chrono::Duration = chrono::Duration::days(3);

impl Directives {
    /// Tells organisations, each with the instant until which it signs: one message for each instant.
    pub(super) async fn tell_arrival(
        &self,
        tx: &Tx,
        directive: &Directive,
        reached: Vec<(String, DateTime<Utc>)>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut by_due = BTreeMap::<DateTime<Utc>, Vec<Party>>::new();
        for (organization, due) in reached {
            let parties = by_due.entry(due).or_default();
            parties.push(Party::Organization(organization));
        }
        for (due, parties) in by_due {
            let values = [
                ("title", directive.content.title.clone()),
                (
                    "sender",
                    format!("organizations/{}", directive.organization),
                ),
                ("due", due.to_rfc3339_opts(SecondsFormat::Secs, true)),
            ];
            let message = NewMessage {
                sender: Organization {
                    id: directive.organization.clone(),
                    path: place(&directive.org_path),
                },
                category: Category::Directive,
                urgency: urgency(directive.urgency),
                template: TEMPLATE.to_owned(),
                values: values
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect(),
                recipients: Recipients {
                    parties,
                    ..Recipients::default()
                },
                channels: self.channels.clone(),
                expires: now + LASTS,
                exercise: false,
                basis: directive_name(&directive.organization, directive.id),
                author: "campus".to_owned(),
            };
            queue(tx, message, now).await?;
        }
        Ok(())
    }
}

/// 特急 is told whatever the hour.
fn urgency(urgency: Urgency) -> message::Urgency {
    match urgency {
        Urgency::Routine => message::Urgency::Ordinary,
        Urgency::Urgent => message::Urgency::Urgent,
        Urgency::ExtraUrgent => message::Urgency::Emergency,
    }
}
