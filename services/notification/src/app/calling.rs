//! Tells those who are expected at a meeting that it was called, and everybody who was called when it is
//! postponed or called off.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use kit::db::Tx;

use super::meetings::{Meetings, meeting_name};
use super::telling::{Telling, named};
use super::told::write;
use crate::domain::attendance::{Attendance, Substitution};
use crate::domain::meeting::Meeting;
use crate::domain::message::{Category, Urgency};
use crate::domain::party::Party;
use crate::error::Error;
use crate::store::Store;

/// The templates of what they are told.
const CALLED: &str = "meeting-notice";
const POSTPONED: &str = "meeting-postponed";
const CANCELLED: &str = "meeting-cancelled";
/// What stands where nobody said why.
const NO_REASON: &str = "—";

/// What became of a meeting to which people were called.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    /// It is held later than at this time.
    Postponed(DateTime<Utc>),
    /// It is not held.
    Cancelled,
}

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
        let expected = expected_at(tx, meeting, expected).await?;
        let parties = expected.iter().map(|(party, _)| party.clone()).collect();
        Store::remember_called(tx, meeting.id, &parties).await?;
        let tellings = expected
            .into_iter()
            .map(|(party, venue)| call(meeting, party, &venue));
        write(tx, tellings.collect(), &self.channels, now).await
    }

    /// Tells everybody who was called, whoever holds a post by now that is expected, and substitutes who
    /// were granted: each once.
    pub(super) async fn tell_change(
        &self,
        tx: &Tx,
        meeting: &Meeting,
        change: Change,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let attendances = Store::all_attendances(tx, meeting.id).await?;
        let mut parties = Store::called(tx, meeting.id).await?;
        let expected = expected_at(tx, meeting, &attendances).await?;
        parties.extend(expected.into_iter().map(|(party, _)| party));
        let granted = attendances
            .iter()
            .filter(|one| one.substitution == Substitution::Approved);
        parties.extend(granted.filter_map(|one| Party::parse(&one.substitute)));
        if matches!(change, Change::Postponed(_)) {
            Store::remember_called(tx, meeting.id, &parties).await?;
        }
        let tellings = parties
            .into_iter()
            .map(|party| changed(meeting, change, party));
        write(tx, tellings.collect(), &self.channels, now).await
    }
}

/// Who is expected and in which room: the holders of each post, and the organisation where nobody holds it.
async fn expected_at(
    tx: &Tx,
    meeting: &Meeting,
    expected: &[Attendance],
) -> Result<BTreeSet<(Party, String)>, Error> {
    let places: BTreeSet<&String> = expected.iter().map(|one| &one.org_path).collect();
    let places: Vec<String> = places.into_iter().cloned().collect();
    let mut holders = BTreeMap::<(String, String), Vec<Party>>::new();
    for (place, post, person) in Store::holders_at(tx, &places, &meeting.posts).await? {
        let of_post = holders.entry((place, post)).or_default();
        of_post.push(Party::Staff(person));
    }
    let mut called = BTreeSet::new();
    for one in expected {
        let key = (one.org_path.clone(), one.post.clone());
        let organization = || vec![Party::Organization(one.organization.clone())];
        let parties = holders.get(&key).cloned().unwrap_or_else(organization);
        let parties = parties.into_iter();
        called.extend(parties.map(|party| (party, one.venue.clone())));
    }
    Ok(called)
}

fn instant(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn organizer(meeting: &Meeting) -> String {
    format!("organizations/{}", meeting.organization)
}

fn call(meeting: &Meeting, party: Party, venue: &str) -> Telling {
    let title = &meeting.title;
    let venue = meeting.venue(venue).map_or("", |venue| &venue.display_name);
    let values = named([
        ("title", title.clone()),
        ("organizer", organizer(meeting)),
        ("start", instant(meeting.start)),
        ("venue", venue.to_owned()),
    ]);
    let sentence = (
        format!("会议《{title}》已召集，请登录查看时间和地点"),
        format!("A meeting was called: “{title}”; see when and where"),
    );
    telling(meeting, party, (CALLED, values), sentence)
}

fn changed(meeting: &Meeting, change: Change, party: Party) -> Telling {
    let title = &meeting.title;
    let reason = match &*meeting.change_reason {
        "" => NO_REASON,
        reason => reason,
    };
    let mut values = named([
        ("title", title.clone()),
        ("organizer", organizer(meeting)),
        ("start", instant(meeting.start)),
        ("reason", reason.to_owned()),
    ]);
    let (template, sentence) = match change {
        Change::Postponed(before) => {
            values.insert("before".to_owned(), instant(before));
            let sentence = (
                format!("会议《{title}》已推迟，请登录查看新的时间"),
                format!("The meeting “{title}” is held later; see when"),
            );
            (POSTPONED, sentence)
        }
        Change::Cancelled => {
            let sentence = (
                format!("会议《{title}》已取消，不再召开"),
                format!("The meeting “{title}” is called off"),
            );
            (CANCELLED, sentence)
        }
    };
    telling(meeting, party, (template, values), sentence)
}

fn telling(
    meeting: &Meeting,
    party: Party,
    (template, values): (&str, BTreeMap<String, String>),
    sentence: (String, String),
) -> Telling {
    Telling {
        party,
        category: Category::Notice,
        urgency: Urgency::Urgent,
        own: Some((template.to_owned(), values)),
        sentence,
        basis: meeting_name(&meeting.organization, meeting.id),
        confidential: false,
    }
}
