//! How an entity is now, found by its name.

use chrono::{DateTime, Days, NaiveDate, Utc};
use kit::clock::{civil_date, start_of};
use kit::db::Tx;
use kit::rows::Lock;
use uuid::Uuid;

use crate::app::duty::Templates;
use crate::app::incidents::tell_late;
use crate::app::inspections::{last_missed, tally};
use crate::app::not_done::{NotDone, tell_not_done};
use crate::app::{Site, drills, duty, place, protection, refuges, supplies};
use crate::domain::drill::obligation::Standing;
use crate::domain::duty::Span;
use crate::domain::inspection::campaign::Campaign;
use crate::domain::supply::level::Alert;
use crate::error::Error;
use crate::grpc::announced::{self, Lacking, Telling};
use crate::store::Store;
use crate::store::register::Rules;
use crate::store::resumption::Kept;
use crate::store::weather::alarms::{RESPONSE, SIGNAL};

/// The periods of inspections that are counted end from so many days ago until today.
const INSPECTED: Days = Days::new(6);

/// At so many organisations somebody is told of a campaign at a time.
const UNTOLD: u64 = 200;

/// By what standings are judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    /// What the register said.
    pub(super) rules: &'a Rules,
    /// By which hours duty is kept.
    pub(super) templates: &'a Templates,
}

/// How an entity is at `now`; none when there is no such thing.
///
/// # Errors
/// When the database fails.
pub(super) async fn telling(
    tx: &Tx,
    known: Known<'_>,
    entity: &str,
    now: DateTime<Utc>,
) -> Result<Option<Telling>, Error> {
    let parts: Vec<&str> = entity.split('/').collect();
    match parts[..] {
        ["weatherSignals", id] => match Uuid::try_parse(id) {
            Ok(id) => {
                let found = Store::weather_alarm(tx, (SIGNAL, id), Lock::Yes).await?;
                // By the id of a chain that became a part of another one, the other is found.
                let found = found.filter(|row| row.id == id);
                Ok(found.as_ref().map(announced::alarm))
            }
            Err(_) => Ok(None),
        },
        ["organizations", organization, standing] => {
            standing_of(tx, known, (organization, standing), now).await
        }
        ["organizations", organization, "resumptionBatches", _] => {
            let rows = Store::resumption_batches(tx, &[organization], Lock::Yes).await?;
            let found = rows.iter().find(|row| row.name() == entity);
            Ok(found.map(announced::batch))
        }
        ["organizations", organization, "resumptions", _] => {
            let schools = [organization.to_owned()];
            let all = Store::resumptions_of(tx, &schools, Lock::Yes).await?;
            let found = all.iter().find(|kept| kept.name() == entity);
            if let Some(kept) = found {
                tell_of_suspension(tx, kept, now).await?;
            }
            Ok(found.map(|kept| announced::resumption(kept, now)))
        }
        ["organizations", organization, collection, id] => match Uuid::try_parse(id) {
            Ok(id) => one_of(tx, (organization, collection, id), now).await,
            Err(_) => Ok(None),
        },
        _ => Ok(None),
    }
}

async fn one_of(
    tx: &Tx,
    (organization, collection, id): (&str, &str, Uuid),
    now: DateTime<Utc>,
) -> Result<Option<Telling>, Error> {
    let millis = now.timestamp_millis();
    Ok(match collection {
        "hazards" => {
            let found = Store::hazard_to_change(tx, id).await?;
            found.as_ref().map(announced::hazard)
        }
        "visits" => {
            let found = Store::visit(tx, id, Lock::Yes).await?;
            found.map(|kept| announced::visit(&kept.visit))
        }
        "drills" => {
            let found = Store::drill(tx, organization, id, Lock::Yes).await?;
            found.as_ref().map(announced::drill)
        }
        "dutyShifts" => {
            let found = Store::shift(tx, organization, id, Lock::Yes).await?;
            found.as_ref().map(|found| announced::shift(found, millis))
        }
        "spotChecks" => {
            let found = Store::spot_check(tx, id).await?;
            found
                .as_ref()
                .map(|found| announced::spot_check(found, millis))
        }
        "incidents" => {
            let found = Store::incident(tx, organization, id, Lock::Yes).await?;
            if let Some(found) = &found {
                tell_late(tx, found, now).await?;
            }
            found
                .as_ref()
                .map(|found| announced::incident(found, millis))
        }
        "inspectionCampaigns" => {
            let found = Store::campaign(tx, organization, id, Lock::Yes).await?;
            match &found {
                Some(found) => Some(campaign(tx, found, now).await?),
                None => None,
            }
        }
        "responseLevels" => {
            let found = Store::weather_alarm(tx, (RESPONSE, id), Lock::Yes).await?;
            found.as_ref().map(announced::alarm)
        }
        "weatherSuspensions" => {
            let found = Store::weather_suspension(tx, id, Lock::Yes).await?;
            found.as_ref().map(announced::suspension)
        }
        _ => None,
    })
}

async fn standing_of(
    tx: &Tx,
    known: Known<'_>,
    (id, standing): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Option<Telling>, Error> {
    let rules = known.rules;
    let found = Store::organization(tx, id).await?;
    let Some(organization) = found else {
        return Ok(gone(standing, (id, "")));
    };
    let home = (id, &*organization.org_path);
    if !organization.open {
        return Ok(gone(standing, home));
    }
    let today = civil_date(now);
    Ok(match standing {
        "drillStanding" => {
            let (owed, slow) = drills::owed_by(tx, rules, &organization, today).await?;
            tell_of_drills(tx, home, &owed, now).await?;
            Some(announced::drill_standing(home, (&owed, slow), today))
        }
        "dutyStanding" => {
            let path = place(&organization.org_path);
            let site = Site { organization, path };
            Some(duty_standing(tx, known, &site, now).await?)
        }
        "inspectionStanding" if organization.kind.has_campus() => {
            let days = (today - INSPECTED, today);
            let tally = tally(tx, rules, &organization, (days, today)).await?;
            if tally.missed > 0 {
                let missed = last_missed(tx, rules, &organization, (days, today)).await?;
                tell_of_inspections(tx, home, missed, now).await?;
            }
            let submitted = Store::last_inspection(tx, id).await?;
            let inspected = (tally, submitted);
            Some(announced::inspection_standing(home, inspected, today))
        }
        "weatherState" => weather_standing(tx, home, now).await?,
        "protectionStanding" => protection_standing(tx, rules, home, now).await?,
        "supplyStanding" => Some(supply_standing(tx, home, now).await?),
        "shelterStanding" => {
            let room = refuges::room_of(tx, rules, home, today).await?;
            Some(announced::shelter_standing(home, room))
        }
        "gateRecheckStanding" => {
            let kept_out = Store::kept_out(tx, id, today).await?;
            Some(announced::gate_recheck_standing(home, kept_out, today))
        }
        "gateRedCodeStanding" => {
            let red = Store::red_codes(tx, id, today).await?;
            Some(announced::gate_red_code_standing(home, red, today))
        }
        "gateConflictStanding" => {
            let conflicts = Store::conflicts(tx, id, today).await?;
            Some(announced::gate_conflict_standing(home, conflicts, today))
        }
        _ => gone(standing, home),
    })
}

/// What there is of an organisation once and is of no interest; none for what there never is.
fn gone(standing: &str, home: (&str, &str)) -> Option<Telling> {
    let standings = [
        "drillStanding",
        "dutyStanding",
        "inspectionStanding",
        "weatherState",
        "protectionStanding",
        "supplyStanding",
        "shelterStanding",
        "gateRecheckStanding",
        "gateRedCodeStanding",
        "gateConflictStanding",
    ];
    let standing = standings.into_iter().find(|known| *known == standing)?;
    Some(Telling::no_standing(standing, home))
}

async fn duty_standing(
    tx: &Tx,
    known: Known<'_>,
    site: &Site,
    now: DateTime<Utc>,
) -> Result<Telling, Error> {
    let home = (&*site.organization.id, site.path.as_str());
    if !Store::publishes_rosters(tx, home.0).await? {
        return Ok(Telling::no_standing("dutyStanding", home));
    }
    let by = (known.rules, known.templates);
    let found = duty::standing_of(tx, by, site, now).await?;
    tell_of_rounds(tx, home, &found.unmade, now).await?;
    Ok(announced::duty_standing(home, found))
}

/// Who was on duty is told once of the rounds that nobody made (rule 5.31); of several that were seen at
/// the same time once for the day.
async fn tell_of_rounds(
    tx: &Tx,
    home: (&str, &str),
    unmade: &[(NaiveDate, Span, String)],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    for (day, round, leader) in unmade {
        let missed = NotDone {
            home,
            resource: &format!("organizations/{}/patrolDays/{day}", home.0),
            person: leader,
            subject: "SAFETY",
            answers_at: "",
            since: round.end,
        };
        tell_not_done(tx, missed, now).await?;
    }
    Ok(())
}

/// Whoever answers for safety is told once of drills that were missed when their period was over.
async fn tell_of_drills(
    tx: &Tx,
    home: (&str, &str),
    owed: &[drills::Owed],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let resource = format!("organizations/{}/drillStanding", home.0);
    let missed = owed.iter().filter(|one| one.standing == Standing::Missed);
    for one in missed {
        let missed = NotDone {
            home,
            resource: &resource,
            person: "",
            subject: "SAFETY",
            answers_at: "",
            since: start_of(one.obligation.period.last + Days::new(1)),
        };
        tell_not_done(tx, missed, now).await?;
    }
    Ok(())
}

/// Whoever answers for safety is told once of inspections that were missed when their period was over.
async fn tell_of_inspections(
    tx: &Tx,
    home: (&str, &str),
    missed: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let Some(last) = missed else {
        return Ok(());
    };
    let missed = NotDone {
        home,
        resource: &format!("organizations/{}/inspectionStanding", home.0),
        person: "",
        subject: "SAFETY",
        answers_at: "",
        since: start_of(last + Days::new(1)),
    };
    Ok(tell_not_done(tx, missed, now).await?)
}

/// A campaign; whoever answers for safety where something of it was not inspected when it was over is
/// told once, some at a time.
async fn campaign(tx: &Tx, campaign: &Campaign, now: DateTime<Utc>) -> Result<Telling, Error> {
    let telling = announced::campaign(campaign);
    if !campaign.is_over(civil_date(now)) {
        return Ok(telling);
    }
    let name = telling.entity.clone();
    let untold = Store::untold_targets(tx, (campaign, &name), UNTOLD).await?;
    for (organization, org_path) in &untold {
        let missed = NotDone {
            home: (organization, org_path),
            resource: &name,
            person: "",
            subject: "SAFETY",
            answers_at: "",
            since: start_of(campaign.start),
        };
        tell_not_done(tx, missed, now).await?;
    }
    let more = untold.len() as u64 == UNTOLD;
    Ok(if more { telling } else { telling.rests() })
}

/// Whoever had to do the tasks of the weather that are overdue is told once of each.
async fn tell_of_tasks(tx: &Tx, home: (&str, &str), now: DateTime<Utc>) -> Result<(), Error> {
    let overdue = Store::overdue_weather_tasks(tx, home.0, now.timestamp_millis()).await?;
    for task in overdue {
        let missed = NotDone {
            home,
            resource: &task.name,
            person: &task.owner,
            subject: "WEATHER",
            answers_at: "",
            since: DateTime::from_timestamp_millis(task.due_at).unwrap_or_default(),
        };
        tell_not_done(tx, missed, now).await?;
    }
    Ok(())
}

/// Whoever answers for safety is told once that nobody decided about a suspension whose last day is over.
async fn tell_of_suspension(tx: &Tx, kept: &Kept, now: DateTime<Utc>) -> Result<(), Error> {
    let suspension = kept.progress.suspension.as_ref();
    let suspension = suspension.filter(|one| one.has_passed(civil_date(now)));
    let Some(until) = suspension.and_then(|suspension| suspension.until) else {
        return Ok(());
    };
    let undecided = NotDone {
        home: (&kept.organization, &kept.org_path),
        resource: &kept.name(),
        person: "",
        subject: "SAFETY",
        answers_at: "",
        since: start_of(until + Days::new(1)),
    };
    Ok(tell_not_done(tx, undecided, now).await?)
}

async fn weather_standing(
    tx: &Tx,
    (id, org_path): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Option<Telling>, Error> {
    let Some(mut row) = Store::weather_state(tx, id, Lock::No).await? else {
        return Ok(gone("weatherState", (id, org_path)));
    };
    org_path.clone_into(&mut row.org_path);
    let millis = now.timestamp_millis();
    let tasks = Store::weather_task_counts(tx, (id, row.episode), millis).await?;
    if tasks.overdue > 0 {
        tell_of_tasks(tx, (id, org_path), now).await?;
    }
    Ok(Some(announced::standing(&row, tasks, millis)))
}

async fn protection_standing(
    tx: &Tx,
    rules: &Rules,
    (id, org_path): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Option<Telling>, Error> {
    let today = civil_date(now);
    let Some(mut declared) = Store::protection(tx, id).await? else {
        return Ok(gone("protectionStanding", (id, org_path)));
    };
    org_path.clone_into(&mut declared.org_path);
    let judged = protection::judged_of(tx, rules, declared, today).await?;
    Ok(Some(announced::protection_standing(&judged, today)))
}

async fn supply_standing(
    tx: &Tx,
    home: (&str, &str),
    now: DateTime<Utc>,
) -> Result<Telling, Error> {
    let today = civil_date(now);
    let stock = supplies::stock(tx, home, today).await?;
    let recorded = || stock.levels.iter().filter(|one| one.recorded);
    // The roll or a new policy may ask for more than when something was entered last.
    let levels: Vec<_> = recorded()
        .map(|one| (one.item, &one.holding, &one.level))
        .collect();
    Store::attend_anew(tx, home.0, &levels, today).await?;
    let with = |alert: Alert| {
        let those = recorded().filter(move |one| one.level.alerts.contains(&alert));
        those.map(|one| one.item.code.clone()).collect()
    };
    let lacking = Lacking {
        items: recorded().count(),
        below: with(Alert::BelowMinimum),
        expired: with(Alert::Expired),
        expiring: with(Alert::Expiring),
        cover: stock.cover,
        required_days: stock.days,
    };
    Ok(announced::supply_standing(home, lacking, today))
}
