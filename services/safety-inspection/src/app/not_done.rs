//! What was not done in time is told to whoever had to do it, once, and it is written down (失职追责).

use chrono::{DateTime, Utc};
use kit::db::Tx;
use sea_orm::DbErr;
use uuid::Uuid;

use super::{new_id, place};
use crate::domain::hazard::accountability::Act;
use crate::domain::hazard::entry::Home;
use crate::store::Store;
use crate::store::hazards::Record;

/// Something that was not done in time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotDone<'a> {
    /// The id and the place of the organisation.
    pub(crate) home: (&'a str, &'a str),
    /// Its resource name.
    pub(crate) resource: &'a str,
    /// `staff/{staff_member}`: who had to do it; empty for whoever answers for `subject`.
    pub(crate) person: &'a str,
    /// The subject of the responsibility chain.
    pub(crate) subject: &'a str,
    /// The place at which somebody answers for it; empty for that of the organisation.
    pub(crate) answers_at: &'a str,
    /// Since when it is not done: whoever was told since then is not told again.
    pub(crate) since: DateTime<Utc>,
}

/// Writes down who is told. Where nobody answers the record names nobody: a finding.
///
/// # Errors
/// When the database fails.
pub(crate) async fn tell_not_done(
    tx: &Tx,
    what: NotDone<'_>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    if Store::is_told_not_done(tx, (what.home.0, what.resource), what.since).await? {
        return Ok(());
    }
    let (organization, org_path) = what.home;
    let (staff_member, answers_at) = match what.person {
        "" => {
            let at = if what.answers_at.is_empty() {
                org_path
            } else {
                what.answers_at
            };
            let at = place(at);
            let found = Store::answerable(tx, &at, what.subject, "").await?;
            found.map_or_else(
                || (String::new(), at.leaf().to_owned()),
                |found| (found.staff_member, found.organization),
            )
        }
        person => (person.to_owned(), organization.to_owned()),
    };
    let record = Record {
        id: new_id(now),
        hazard: Uuid::nil(),
        resource: what.resource.to_owned(),
        home: Home {
            organization: organization.to_owned(),
            org_path: org_path.to_owned(),
        },
        act: Act::NotDone,
        staff_member,
        answers_at,
        told: now,
        seen: None,
    };
    Store::add_accountability(tx, vec![record]).await
}
