//! Tells those who are expected at a meeting that it was called.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use kit::db::Tx;

use super::meetings::{Meetings, meeting_name};
use super::telling::{Telling, named};
use super::told::write;
use crate::domain::attendance::Attendance;
use crate::domain::meeting::Meeting;
use crate::domain::message::{Category, Urgency};
use crate::domain::party::Party;
use crate::error::Error;
use crate::store::Store;

/// The template of what they are told.
const TEMPLATE: &str = "meeting-notice";

impl Meetings {
    /// Tells the holders of each post that is expected, and the organisation where nobody holds it: each
    /// once for each room.
    pub(super) async fn tell_call(
        &self,
        tx: &Tx,
        meeting: &Meeting,
        expected: &[Attendance],
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let places: BTreeSet<&String> = expected.iter().map(|one| &one.org_path).collect();
        let places: Vec<String> = places.into_iter().cloned().collect();
        let mut holders = BTreeMap::<(String, String), Vec<Party>>::new();
        for (place, post, person) in Store::holders_at(tx, &places, &meeting.posts).await? {
            let of_post = holders.entry((place, post)).or_default();
            of_post.push(Party::Staff(person));
        }
        let mut told = BTreeSet::new();
        for one in expected {
            let key = (one.org_path.clone(), one.post.clone());
            let organization = || vec![Party::Organization(one.organization.clone())];
            let parties = holders.get(&key).cloned().unwrap_or_else(organization);
            told.extend(parties.into_iter().map(|party| (party, &*one.venue)));
        }
        let tellings = told
            .into_iter()
            .map(|(party, venue)| telling(meeting, party, venue));
        write(tx, tellings.collect(), &self.channels, now).await
    }
}

fn telling(meeting: &Meeting, party: Party, venue: &str) -> Telling {
    let (title, start) = (&meeting.title, meeting.start);
    let venue = meeting.venue(venue).map_or("", |venue| &venue.display_name);
    let values = named([
        ("title", title.clone()),
        (
            "organizer",
            format!("organizations/{}", meeting.organization),
        ),
        ("start", start.to_rfc3339_opts(SecondsFormat::Secs, true)),
        ("venue", venue.to_owned()),
    ]);
    Telling {
        party,
        category: Category::Notice,
        urgency: Urgency::Urgent,
        own: Some((TEMPLATE.to_owned(), values)),
        sentence: (
            format!("会议《{title}》已召集，请登录查看时间和地点"),
            format!("A meeting was called: “{title}”; see when and where"),
        ),
        basis: meeting_name(&meeting.organization, meeting.id),
    }
}
