//! What is to be told becomes messages with their ledger: whatever is known around all of them is read
//! together, and all of them are written together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Duration, Utc};
use kit::db::Tx;

use super::new_id;
use super::telling::{Telling, named};
use crate::domain::message::{Message, Progress, Recipients, State};
use crate::domain::party::Party;
use crate::domain::template::{Template, TemplateVersion};
use crate::error::Error;
use crate::store::Store;
use crate::store::direct::{Direct, Way};

/// How long what is told is sent at most.
const LASTS: Duration = Duration::days(3);
/// The author of what a rule tells.
const AUTHOR: &str = "campus";
/// The template of what a rule tells in one sentence.
pub(super) const SENTENCE: &str = "told";

/// Writes what is told, by the inbox and by those of `channels` that lead to the recipient.
///
/// # Errors
/// When the template of the sentence is gone, or the database fails.
pub(super) async fn write(
    tx: &Tx,
    tellings: Vec<Telling>,
    channels: &[String],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let around = Around::of(tx, &tellings, channels).await?;
    let direct = tellings
        .into_iter()
        .map(|telling| around.direct(telling, now));
    let direct: Vec<Direct> = direct.collect::<Result<_, _>>()?;
    Ok(Store::insert_direct(tx, direct).await?)
}

/// What is known around some tellings.
struct Around {
    /// The latest versions of their templates.
    templates: BTreeMap<String, TemplateVersion>,
    /// Where their senders stand.
    places: HashMap<String, String>,
    /// What organisations that they name are called.
    names: HashMap<String, String>,
    /// The channels besides the inbox.
    channels: Vec<String>,
    /// Those that lead to each recipient.
    ways: HashMap<Party, Vec<Way>>,
}

/// The organisation that sends.
fn sender(telling: &Telling) -> &str {
    telling.basis.split('/').nth(1).unwrap_or_default()
}

impl Around {
    async fn of(tx: &Tx, tellings: &[Telling], channels: &[String]) -> Result<Self, Error> {
        let senders: BTreeSet<String> = tellings.iter().map(|one| sender(one).to_owned()).collect();
        let senders: Vec<String> = senders.into_iter().collect();
        let own = || tellings.iter().filter_map(|one| one.own.as_ref());
        let wanted = own().map(|(template, _)| &**template).chain([SENTENCE]);
        let templates = Store::latest_templates(tx, &wanted.collect()).await?;
        let named = own().filter_map(|(template, values)| {
            let template = &templates.get(template)?.template;
            Some(template.organizations(values))
        });
        let named: BTreeSet<String> = named.flatten().collect();
        let named: Vec<String> = named.into_iter().collect();
        let parties: BTreeSet<&Party> = tellings.iter().map(|one| &one.party).collect();
        let parties: Vec<Party> = parties.into_iter().cloned().collect();
        let mut ways = HashMap::<Party, Vec<Way>>::new();
        for channel in channels {
            let found = Store::contact_points_of(tx, channel, &parties).await?;
            let reachable = found.into_iter().filter(|(_, point)| !point.unreachable);
            for (party, _) in reachable {
                let way = Way::Channel(channel.clone());
                ways.entry(party).or_default().push(way);
            }
        }
        Ok(Self {
            places: Store::places_of(tx, &senders).await?,
            names: Store::display_names(tx, &named).await?,
            channels: channels.to_vec(),
            templates,
            ways,
        })
    }

    fn fits(&self, template: &Template, values: &BTreeMap<String, String>) -> bool {
        let name = |id: &str| self.names.get(id).cloned();
        template.values(values, name).is_ok()
    }

    /// The template with words of its own where there is one that the values fit, else the sentence: a
    /// template that is gone or asks for more keeps nobody from being told, and one that asks for less, as
    /// a city wrote it for an older service, is filled with that.
    fn words(
        &self,
        own: Option<(String, BTreeMap<String, String>)>,
        (what, what_en): (String, String),
    ) -> Result<(&TemplateVersion, BTreeMap<String, String>), Error> {
        let own = own.and_then(|(id, values)| Some((self.templates.get(&id)?, values)));
        if let Some((found, values)) = own {
            let values = found.template.wanted(values);
            if self.fits(&found.template, &values) {
                return Ok((found, values));
            }
        }
        let sentence = self.templates.get(SENTENCE);
        let sentence = sentence.ok_or(Error::TemplateUnknown)?;
        Ok((sentence, named([("what", what), ("what_en", what_en)])))
    }

    fn direct(&self, telling: Telling, now: DateTime<Utc>) -> Result<Direct, Error> {
        let organization = sender(&telling).to_owned();
        let (found, values) = self.words(telling.own, telling.sentence)?;
        let mut ways = vec![Way::Inbox];
        ways.extend(self.ways.get(&telling.party).into_iter().flatten().cloned());
        let message = Message {
            id: new_id(now),
            org_path: self.places.get(&organization).cloned().unwrap_or_default(),
            organization,
            state: State::Expanded,
            category: telling.category,
            urgency: telling.urgency,
            template: found.template.id.clone(),
            template_version: found.version,
            values,
            recipients: Recipients {
                parties: vec![telling.party.clone()],
                ..Recipients::default()
            },
            channels: self.channels.clone(),
            exercise: false,
            author: AUTHOR.to_owned(),
            basis: telling.basis,
            confidential: telling.confidential,
            created: now,
            expires: now + LASTS,
            expanded: Some(now),
            progress: Progress::BEGIN,
        };
        Ok(Direct {
            message,
            recipient: telling.party,
            ways,
        })
    }
}
