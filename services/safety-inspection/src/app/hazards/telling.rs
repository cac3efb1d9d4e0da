//! People are told, and it is written down.

use chrono::{DateTime, Utc};
use kit::db::Tx;
use sea_orm::DbErr;

use super::setting::{bureau, bureaus};
use crate::app::{new_id, place};
use crate::domain::hazard::accountability::{Recipient, Telling};
use crate::domain::hazard::entry::Hazard;
use crate::store::Store;
use crate::store::hazards::{Change, Record};

/// Writes down who is told what of a hazard. Where nobody answers the record names nobody: a finding.
pub(super) async fn tell(
    tx: &Tx,
    hazard: &Hazard,
    tellings: Vec<Telling>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut records = Vec::with_capacity(tellings.len());
    for Telling { act, to } in tellings {
        let (staff_member, answers_at) = recipient(tx, hazard, to).await?;
        records.push(Record {
            id: new_id(now),
            hazard: hazard.id,
            resource: String::new(),
            home: hazard.home.clone(),
            act,
            staff_member,
            answers_at,
            told: now,
            seen: None,
        });
    }
    Store::add_accountability(tx, records).await
}

/// The person and the id of the organisation at which they answer; empty when nobody does.
async fn recipient(tx: &Tx, hazard: &Hazard, to: Recipient) -> Result<(String, String), DbErr> {
    let home = place(&hazard.home.org_path);
    let (path, room) = match to {
        Recipient::Person(person) => return Ok((person, hazard.home.organization.clone())),
        Recipient::Answerable => (Some(home), &*hazard.place),
        Recipient::Reviewer => {
            let subject = hazard.category.subject();
            let own = Store::answerable(tx, &home, subject, &hazard.place).await?;
            if let Some(own) = own.filter(|own| hazard.is_reviewed_by(&own.staff_member)) {
                return Ok((own.staff_member, own.organization));
            }
            let bureaus = bureaus(tx, &home).await?;
            let above = bureaus.iter().rfind(|one| one.id != home.leaf());
            let above = above.map(|bureau| place(&bureau.org_path));
            (Some(above.unwrap_or(home)), "")
        }
        Recipient::Bureau(level) => {
            let above = bureaus(tx, &home).await?;
            let found = bureau(&above, level);
            (found.map(|bureau| place(&bureau.org_path)), "")
        }
    };
    let Some(path) = path else {
        return Ok((String::new(), String::new()));
    };
    let answers = Store::answerable(tx, &path, hazard.category.subject(), room).await?;
    Ok(answers.map_or_else(
        || (String::new(), path.leaf().to_owned()),
        |answers| (answers.staff_member, answers.organization),
    ))
}

/// Writes an act down in the history of a hazard, as it is after it.
pub(super) async fn note(tx: &Tx, hazard: &mut Hazard, change: Change) -> Result<(), DbErr> {
    hazard.course.changes += 1;
    let change = Change {
        sequence: hazard.course.changes,
        ..change
    };
    Store::add_hazard_change(tx, hazard.id, &change).await
}
