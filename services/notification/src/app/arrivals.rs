//! Tells recipients that a directive has reached them, or holds no more.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use kit::db::Tx;
use sea_orm::{ConnectionTrait, DbErr};

use super::directives::{Directives, directive_name};
use super::items::{CLASS_GROUP, Owners, owner};
use super::messages::{NewMessage, queue};
use super::telling::named;
use super::told::SENTENCE;
use super::{Organization, place};
use crate::domain::chain::parts;
use crate::domain::directive::{Directive, State, Urgency};
use crate::domain::message::{self, Category, Recipients};
use crate::domain::party::Party;
use crate::error::Error;
use crate::store::Store;

/// The template of what they are told as it reaches them.
const ARRIVED: &str = "directive-arrived";
/// The template of what they are told as it is withdrawn.
const REVOKED: &str = "directive-revoked";
/// The template of what they are told as another one takes its place.
const SUPERSEDED: &str = "directive-superseded";
/// How many recipients one message has at most.
const TOGETHER: usize = 1000;
/// How long it is sent at most.
const LASTS: chrono::Duration = chrono::Duration::days(3);

/// Who is told in the place of each recipient: an organisation itself; for a class group whoever answers
/// for it, else its school.
pub(super) async fn parties(
    db: &impl ConnectionTrait,
    recipients: &[String],
) -> Result<Vec<Party>, DbErr> {
    let schools = recipients.iter().map(|id| parts(id));
    let schools = schools.filter(|(_, class_group)| !class_group.is_empty());
    let schools: BTreeSet<&str> = schools.map(|(school, _)| school).collect();
    let schools: Vec<String> = schools.into_iter().map(ToOwned::to_owned).collect();
    let duties = Store::duties(db, &schools).await?;
    let party = |id: &String| {
        let (organization, class_group) = parts(id);
        let duties = duties.get(organization);
        let duties = duties.filter(|_| !class_group.is_empty());
        let reporter = duties.and_then(|duties| owner(duties, CLASS_GROUP, class_group));
        let reporter = reporter.and_then(Party::parse);
        reporter.unwrap_or_else(|| Party::Organization(organization.to_owned()))
    };
    Ok(recipients.iter().map(party).collect())
}

/// A template and its values.
type Wording = (&'static str, BTreeMap<String, String>);

/// A template that is given the title, who ordered, and some more.
fn wording<const N: usize>(
    directive: &Directive,
    template: &'static str,
    more: [(&str, String); N],
) -> Wording {
    let mut values = named(more);
    values.extend(named([
        ("title", directive.content.title.clone()),
        (
            "sender",
            format!("organizations/{}", directive.organization),
        ),
    ]));
    (template, values)
}

/// What whoever owns demands is told as they come.
fn owned(directive: &Directive) -> Wording {
    let title = &directive.content.title;
    let sentence = named([
        (
            "what",
            format!("通知《{title}》中有任务由您负责，请登录查看要求和期限"),
        ),
        (
            "what_en",
            format!(
                "Demands of “{title}” are yours to see to: sign in to see what is due and when"
            ),
        ),
    ]);
    (SENTENCE, sentence)
}

impl Directives {
    /// Tells recipients, each with the instant until which it signs: one message for each instant. Whoever
    /// owns a demand at one of them and is not told in its place is told that it is theirs.
    pub(super) async fn tell_arrival(
        &self,
        tx: &Tx,
        directive: &Directive,
        reached: Vec<(String, DateTime<Utc>)>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let mut by_due = BTreeMap::<DateTime<Utc>, Vec<String>>::new();
        for (recipient, due) in reached {
            by_due.entry(due).or_default().push(recipient);
        }
        let (mut told, mut owners) = (BTreeSet::<Party>::new(), BTreeSet::new());
        for (due, recipients) in by_due {
            let due = due.to_rfc3339_opts(SecondsFormat::Secs, true);
            let wording = wording(directive, ARRIVED, [("due", due)]);
            let parties: BTreeSet<Party> = parties(tx, &recipients).await?.into_iter().collect();
            self.tell(tx, directive, (&parties, wording), now).await?;
            told.extend(parties);
            owners.extend(owners_of(tx, directive, &recipients).await?);
        }
        let owners = &owners - &told;
        self.tell(tx, directive, (&owners, owned(directive)), now)
            .await
    }

    /// Tells whoever was told that a directive is withdrawn, or that another one takes its place.
    pub(super) async fn tell_end(
        &self,
        tx: &Tx,
        directive: &Directive,
        replacement: Option<&Directive>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let wording = match (directive.state, replacement) {
            (State::Revoked, _) => {
                let reason = directive.revoke_reason.clone();
                wording(directive, REVOKED, [("reason", reason)])
            }
            (State::Superseded, Some(replacement)) => {
                let replacement = replacement.content.title.clone();
                wording(directive, SUPERSEDED, [("replacement", replacement)])
            }
            _ => return Ok(()),
        };
        let reached = Store::reached(tx, directive.id).await?;
        let mut told: BTreeSet<Party> = parties(tx, &reached).await?.into_iter().collect();
        told.extend(owners_of(tx, directive, &reached).await?);
        self.tell(tx, directive, (&told, wording), now).await
    }

    /// Tells some of a directive.
    async fn tell(
        &self,
        tx: &Tx,
        directive: &Directive,
        (told, (template, values)): (&BTreeSet<Party>, Wording),
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let organization = &directive.organization;
        let told: Vec<Party> = told.iter().cloned().collect();
        for parties in told.chunks(TOGETHER) {
            let message = NewMessage {
                sender: Organization {
                    id: organization.clone(),
                    path: place(&directive.org_path),
                },
                category: Category::Directive,
                urgency: urgency(directive.urgency),
                template: template.to_owned(),
                values: values.clone(),
                recipients: Recipients {
                    parties: parties.to_vec(),
                    ..Recipients::default()
                },
                channels: self.channels.clone(),
                expires: now + LASTS,
                exercise: false,
                basis: directive_name(organization, directive.id),
                author: "campus".to_owned(),
            };
            match queue(tx, message.clone(), now).await {
                // What does not fit the template keeps nobody from being told.
                Err(Error::TemplateUnknown | Error::TemplateValues(_)) => {
                    queue(tx, plainly(message, directive, template), now).await?;
                }
                queued => drop(queued?),
            }
        }
        Ok(())
    }
}

/// Who owns a demand of a directive at some of its recipients.
async fn owners_of(
    tx: &Tx,
    directive: &Directive,
    recipients: &[String],
) -> Result<BTreeSet<Party>, DbErr> {
    let items = &directive.content.items;
    if items.is_empty() {
        return Ok(BTreeSet::new());
    }
    let owners = Owners::at(tx, recipients).await?;
    let found = recipients.iter().flat_map(|id| owners.of(id, items.iter()));
    Ok(found.collect())
}

/// A message that says the same in one sentence.
fn plainly(message: NewMessage, directive: &Directive, template: &str) -> NewMessage {
    let title = &directive.content.title;
    let (what, what_en) = match template {
        REVOKED => (
            format!("通知《{title}》已被撤回，请停止办理，原因请登录查看"),
            format!("“{title}” was revoked: stop work on it; sign in to see why"),
        ),
        SUPERSEDED => (
            format!("通知《{title}》已由另一份通知代替，请登录查看"),
            format!("“{title}” was replaced with another directive: sign in to see it"),
        ),
        _ => (
            format!("收到通知《{title}》，请登录签收"),
            format!("“{title}” has arrived: sign in to acknowledge it"),
        ),
    };
    NewMessage {
        template: SENTENCE.to_owned(),
        values: named([("what", what), ("what_en", what_en)]),
        ..message
    }
}

/// 特急 is told whatever the hour.
pub(super) fn urgency(urgency: Urgency) -> message::Urgency {
    match urgency {
        Urgency::Routine => message::Urgency::Ordinary,
        Urgency::Urgent => message::Urgency::Urgent,
        Urgency::ExtraUrgent => message::Urgency::Emergency,
    }
}
