//! Who heard of an incident, and who was late with it, is written down (失职追责, rules 5.33 to 5.35).

use chrono::{DateTime, Utc};
use kit::auth::Caller;
use kit::db::Tx;
use sea_orm::DbErr;
use uuid::Uuid;

use super::instant;
use crate::app::not_done::{NotDone, tell_not_done};
use crate::app::{identity, new_id, place};
use crate::domain::hazard::accountability::Act;
use crate::domain::hazard::entry::Home;
use crate::domain::incident::file::File;
use crate::domain::incident::step::Receiver;
use crate::domain::organization::Level;
use crate::domain::responsibility::SAFETY;
use crate::store::Store;
use crate::store::hazards::Record;

/// Whoever answers where a clock of the incident ran out is told once of each that is late at `now`: for a
/// hop the level that did not pass on, for everything else the organisation of the incident.
///
/// # Errors
/// When the database fails.
pub(crate) async fn tell_late(tx: &Tx, file: &File, now: DateTime<Utc>) -> Result<(), DbErr> {
    let incident = &file.incident;
    let until = file.until(now.timestamp_millis());
    for clock in file.clocks().iter().filter(|clock| clock.is_late(until)) {
        let at = match clock.hop {
            Some((from, _)) => level_place(tx, &incident.org_path, from).await?,
            None => None,
        };
        let late = NotDone {
            home: (&incident.organization, &incident.org_path),
            resource: &format!("{}/clocks/{}", incident.name(), clock.id()),
            person: "",
            subject: SAFETY,
            answers_at: at.as_deref().unwrap_or(&incident.org_path),
            since: instant(clock.due),
        };
        tell_not_done(tx, late, now).await?;
    }
    Ok(())
}

/// The place of the bureau of a level above an organisation; none for the organisation itself, and where there
/// is no such bureau. Beyond the city it is the city that passes on.
async fn level_place(tx: &Tx, org_path: &str, from: Receiver) -> Result<Option<String>, DbErr> {
    let level = match from {
        Receiver::District => Level::District,
        Receiver::City | Receiver::Government => Level::City,
        Receiver::School
        | Receiver::Police
        | Receiver::Fire
        | Receiver::Health
        | Receiver::Guardians => return Ok(None),
    };
    for id in place(org_path).ids() {
        let found = Store::organization(tx, id).await?;
        let bureau = found.filter(|one| one.kind.is_bureau() && one.level() == level);
        if let Some(bureau) = bureau {
            return Ok(Some(bureau.org_path));
        }
    }
    Ok(None)
}

/// Writes down that somebody of a bureau received the incident for their level.
///
/// # Errors
/// When the database fails.
pub(super) async fn note_receipt(
    tx: &Tx,
    file: &File,
    (caller, receiver): (&Caller, Receiver),
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    if !matches!(receiver, Receiver::District | Receiver::City) {
        return Ok(());
    }
    let incident = &file.incident;
    let record = Record {
        id: new_id(now),
        hazard: Uuid::nil(),
        resource: incident.name(),
        home: Home {
            organization: incident.organization.clone(),
            org_path: incident.org_path.clone(),
        },
        act: Act::Received,
        staff_member: identity(caller),
        answers_at: caller.scope.leaf().to_owned(),
        told: now,
        seen: Some(now),
    };
    Store::add_accountability(tx, vec![record]).await
}
