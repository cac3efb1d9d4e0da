//! A school gets its day, and resumes teaching when it has come and nothing blocks.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use kit::auth::Caller;
use kit::clock::civil_date;
use kit::db::Tx;
use kit::rows::Lock;
use prost::Message;

use super::batches::{in_order, is_before, planned_day, school_day};
use super::readiness::{noted, ready};
use super::{
    Held, Resumptions, SERVICE, View, found, moved, note_all, one_of, path_of, policy, waits_for,
};
use crate::app::Site;
use crate::domain::resumption::away::Away;
use crate::domain::resumption::state::{Refused, State, Verb};
use crate::domain::weather::suspension::Teaching;
use crate::error::Error;
use crate::store::Store;
use crate::store::register::Rules;
use crate::store::resumption::{CallRow, Kept};

/// What keeps a school from resuming on its day is asked again after so long.
const AGAIN: TimeDelta = TimeDelta::minutes(10);

impl Resumptions {
    /// Gives one approved school its day.
    ///
    /// # Errors
    /// NOT_FOUND, INVALID_FIELD, RESUMPTION_STATE, RESUMPTION_OWN_SCHOOL, RESUMPTION_DAY,
    /// RESUMPTION_ORDER, RESUMPTION_BLOCKED, or when the database fails.
    pub(crate) async fn schedule<R: Message + Default>(
        &self,
        caller: &Caller,
        at: (&Site, i16),
        day: NaiveDate,
        once: (&str, &impl Message),
        render: impl FnOnce(View) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, held: Held| {
            let (now, verb) = (held.now, Verb::Schedule(day));
            let progress = held.kept.progress.clone();
            match progress.apply(verb.clone(), (now, civil_date(now))) {
                // What is wrong with the day is told of the field.
                Ok(_) | Err(Refused::Day(_)) => {}
                Err(refused) => return Err(refused.into()),
            }
            let rules = Store::rules(tx).await?;
            school_day(&rules, "date", day, now)?;
            if held.kept.progress.signer == held.actor {
                return Err(Error::ResumptionOwnSchool);
            }
            if let Some(planned) = planned_day(tx, &held.kept).await?
                && day < planned
            {
                return Err(Error::ResumptionDay(planned));
            }
            let order = policy::order(rules.policy(&path_of(&held.kept), civil_date(now)));
            in_order(&order, &held.school, &held.kept, day)?;
            let found = ready(tx, held.kept.clone(), false, &rules, (now, day)).await?;
            found.refused()?;
            held.step(tx, verb, "").await
        };
        self.act(caller, at, ("ScheduleResumption", once), work, render)
            .await
    }

    /// What time does: whoever's day has come resumes, and watching ends.
    pub(super) async fn come_due(
        tx: &Tx,
        kept: Kept,
        rules: &Rules,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let id = kept.organization;
        let school = found(tx, &id, kept.position, Lock::Yes).await?;
        let order = waits_for(&school.all, kept.position).next().is_some();
        let kept = one_of(school, &id, kept.position)?;
        match kept.progress.state {
            State::Scheduled | State::Monitoring if kept.acts_at > now.timestamp_millis() => Ok(()),
            State::Scheduled => resume(tx, kept, order, rules, now).await,
            State::Monitoring => by_time(tx, kept, Verb::Settle, now).await,
            _ => Ok(()),
        }
    }
}

/// Moves by time alone.
pub(super) async fn by_time(
    tx: &Tx,
    kept: Kept,
    verb: Verb,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (kept, step) = moved(kept, verb, now)?;
    Store::save_resumptions(tx, std::slice::from_ref(&kept)).await?;
    note_all(tx, &[(&kept, step)], (SERVICE, now), "").await
}

/// The day has come: the register is told, unless something blocks; then it is asked again later. A
/// batch that was postponed since takes the school with it.
async fn resume(
    tx: &Tx,
    kept: Kept,
    order: bool,
    rules: &Rules,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let today = civil_date(now);
    if let Some(planned) = planned_day(tx, &kept).await?
        && today < planned
        && is_before(&kept, planned)
    {
        return by_time(tx, kept, Verb::Schedule(planned), now).await;
    }
    let found = ready(tx, kept, order, rules, (now, today)).await?;
    let blocked = order || found.refused().is_err();
    let kept = noted(found.kept, &found.readiness, &found.guards, order, now);
    if blocked {
        let kept = Kept {
            acts_at: (now + AGAIN).timestamp_millis(),
            ..kept
        };
        return Ok(Store::save_resumptions(tx, &[kept]).await?);
    }
    Store::add_resumption_calls(tx, calls(&kept, now)).await?;
    by_time(tx, kept, Verb::Resume, now).await
}

/// What the register is told, so that all who are away of a batch are taught at school again.
fn calls(kept: &Kept, now: DateTime<Utc>) -> Vec<CallRow> {
    let school = || format!("organizations/{}", kept.organization);
    let at = now.timestamp_millis();
    let call = |target: String, grades: &[i32]| CallRow {
        teaching: Teaching::InPerson as i16,
        reason: format!("返校复课 {}", kept.name()),
        resumption: kept.position,
        ..CallRow::new(&kept.organization, target, grades, at)
    };
    match &kept.progress.away {
        Away::Nobody => Vec::new(),
        Away::Everybody => vec![call(school(), &kept.progress.grades)],
        Away::Some {
            grades,
            class_groups,
        } => {
            let whole: Vec<i32> = grades.iter().copied().collect();
            let whole = (!whole.is_empty()).then(|| call(school(), &whole));
            let groups = class_groups.keys().map(|name| call(name.clone(), &[]));
            whole.into_iter().chain(groups).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::resumption::checklist::Summary;
    use crate::domain::resumption::state::Progress;
    use crate::store::resumption::NEVER;

    fn kept(away: Away) -> Kept {
        let mut progress = Progress::new(vec![9, 12]);
        progress.away = away;
        Kept {
            organization: "2135010001".to_owned(),
            position: 1,
            org_path: "fz/350102/2135010001".to_owned(),
            batch: "fz".to_owned(),
            progress,
            changes: 1,
            updated: DateTime::UNIX_EPOCH,
            acts_at: NEVER,
            check_at: NEVER,
            summary: Summary::default(),
            guards: BTreeSet::new(),
            checked: None,
        }
    }

    #[test]
    fn whoever_is_away_is_called_back_and_nobody_else() {
        let told = |away| {
            let calls = calls(&kept(away), DateTime::UNIX_EPOCH);
            let told = calls.into_iter();
            told.map(|call| (call.target, call.grades))
                .collect::<Vec<_>>()
        };
        let school = "organizations/2135010001".to_owned();
        let all = (school.clone(), "9,12".to_owned());
        assert_eq!(told(Away::Everybody), [all]);
        assert_eq!(told(Away::Nobody), []);
        let group = format!("{school}/classGroups/s2019-01");
        let some = Away::Some {
            grades: [9].into(),
            class_groups: [(group.clone(), 12)].into(),
        };
        let expected = [(school, "9".to_owned()), (group, String::new())];
        assert_eq!(told(some), expected);
    }
}
