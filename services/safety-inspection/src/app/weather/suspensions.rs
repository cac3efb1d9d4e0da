//! Suspensions: decided by city, district or school, and taken back (rules 5.24, 5.25, 5.28).

use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::{civil_date, start_of};
use kit::db::Tx;
use kit::field::Fields;
use kit::org::OrgPath;
use kit::rows::Lock;
use prost::Message;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{SERVICE, SuspensionView, Weather};
use crate::app::{Site, new_id, place};
use crate::domain::organization::Level as Authority;
use crate::domain::weather::response::ResponseState;
use crate::domain::weather::state::{Event, State};
use crate::domain::weather::suspension::{
    Cover, SuspensionEvent, SuspensionState, Teaching, authority_number, authority_of, may_lift,
};
use crate::error::Error;
use crate::store::Store;
use crate::store::weather::alarms::RESPONSE;
use crate::store::weather::suspensions::{SuspensionRow, Suspensions, covers_text};
use crate::store::weather::{NEVER, Turn};

/// What somebody decides.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    /// The parts of division codes that are not zero; empty for all.
    pub(crate) divisions: Vec<String>,
    pub(crate) covers: Vec<Cover>,
    pub(crate) teaching: Teaching,
    pub(crate) first: NaiveDate,
    pub(crate) last: Option<NaiveDate>,
    pub(crate) reason: String,
    pub(crate) told: Option<DateTime<Utc>>,
}

/// A suspension that is about to be made.
pub(super) struct Plan {
    pub(super) divisions: String,
    pub(super) covers: Vec<Cover>,
    pub(super) teaching: Teaching,
    pub(super) starts: DateTime<Utc>,
    pub(super) ends: Option<DateTime<Utc>>,
    pub(super) reason: String,
    pub(super) told: Option<DateTime<Utc>>,
    /// Nil when it is decided by itself.
    pub(super) response: Uuid,
}

impl Weather {
    /// Decides to suspend at an organisation and below it.
    ///
    /// # Errors
    /// INVALID_FIELD, WEATHER_STATE, WEATHER_NOBODY_WARNED, or when the database fails.
    pub(crate) async fn decide<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        decision: Decision,
        once: (&str, &impl Message),
        render: impl FnOnce(SuspensionView) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            check(site, &decision, now)?;
            let turn = self.turn(tx, now, &caller.subject, String::new()).await?;
            if site.organization.level() == Authority::School {
                warned(tx, site).await?;
            }
            let next = |day: NaiveDate| day.succ_opt().map_or(DateTime::<Utc>::MAX_UTC, start_of);
            let plan = Plan {
                divisions: decision.divisions.join(","),
                covers: decision.covers,
                teaching: decision.teaching,
                starts: start_of(decision.first),
                ends: decision.last.map(next),
                reason: decision.reason,
                told: decision.told,
                response: Uuid::nil(),
            };
            let (row, reached) = self.suspend(tx, site, plan, &turn, now).await?;
            if reached == Some(0) {
                return Err(Error::NobodyWarned);
            }
            Ok(render(view(tx, row).await?))
        };
        let answer = self.base.act(caller, "DecideWeatherSuspension", once, work);
        let answer = answer.await?;
        self.wake.notify_one();
        Ok(answer)
    }

    /// Makes a suspension, and begins it when its first day has come; then also how many it reached.
    pub(super) async fn suspend(
        &self,
        tx: &Tx,
        site: &Site,
        plan: Plan,
        turn: &Turn,
        now: DateTime<Utc>,
    ) -> Result<(SuspensionRow, Option<u64>), Error> {
        let ends_at = plan.ends.map_or(NEVER, |ends| ends.timestamp_millis());
        let starts_at = plan.starts.timestamp_millis();
        let mut row = SuspensionRow {
            id: new_id(now),
            organization: site.organization.id.clone(),
            org_path: site.organization.org_path.clone(),
            authority: authority_number(site.organization.level()),
            state: SuspensionState::Scheduled as i16,
            divisions: plan.divisions,
            covers: covers_text(&plan.covers),
            teaching: plan.teaching as i16,
            starts_at,
            ends_at,
            acts_at: starts_at,
            reason: plan.reason,
            told_at: plan.told.map_or(0, |told| told.timestamp_millis()),
            decider: turn.actor.clone(),
            decided_at: turn.now,
            response: plan.response,
            ended_at: 0,
            changes: 0,
        };
        Store::save_weather_suspension(tx, &mut row, 0, turn).await?;
        if plan.starts > now {
            return Ok((row, None));
        }
        let reached = self.begin(tx, &mut row, turn).await?;
        Ok((row, Some(reached)))
    }

    /// The first day has come.
    async fn begin(&self, tx: &Tx, row: &mut SuspensionRow, turn: &Turn) -> Result<u64, Error> {
        step(row, SuspensionEvent::Begin)?;
        row.acts_at = row.ends_at;
        let from = SuspensionState::Scheduled as i16;
        Store::save_weather_suspension(tx, row, from, turn).await?;
        let reached = Store::begin_weather_suspension(tx, row, turn).await?;
        self.wake.notify_one();
        Ok(reached)
    }

    /// A suspension ends: who is not suspended by another one sweeps and disinfects, as soon as the
    /// policy at the place that decided says.
    pub(super) async fn lift(
        &self,
        tx: &Tx,
        path: &OrgPath,
        mut row: SuspensionRow,
        turn: &Turn,
        now: DateTime<Utc>,
    ) -> Result<SuspensionRow, Error> {
        let from = row.state;
        step(&mut row, SuspensionEvent::Lift)?;
        row.acts_at = NEVER;
        row.ended_at = turn.now;
        Store::save_weather_suspension(tx, &mut row, from, turn).await?;
        let rules = self.rules_at(tx, path, now).await?;
        let within = rules.map_or(chrono::TimeDelta::hours(24), |rules| {
            rules.policy.post_check
        });
        let due = (now + within).timestamp_millis();
        Store::end_weather_suspension(tx, &row, due, turn).await?;
        Ok(row)
    }

    /// Takes back a suspension, of the caller's own organisation or of one below it.
    ///
    /// # Errors
    /// SCOPE_DENIED, NOT_FOUND, WEATHER_HIGHER_AUTHORITY, WEATHER_SUSPENSION_STATE,
    /// WEATHER_RESPONSE_STATE when it came with a response level that is in force, or when the
    /// database fails.
    pub(crate) async fn lift_suspension<R: Message + Default>(
        &self,
        caller: &Caller,
        (organization, id): (&str, Uuid),
        reason: &str,
        once: (&str, &impl Message),
        render: impl FnOnce(SuspensionView) -> R,
    ) -> Result<R, Error> {
        let permission = Permission::WeatherDecide;
        let site = self.above(caller, permission, organization).await?;
        let scope = caller.allowed(permission)?;
        let by = self.authority(scope).await?;
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            let turn = self
                .turn(tx, now, &caller.subject, reason.to_owned())
                .await?;
            let row = found(tx, &site, id, Lock::Yes).await?;
            let decided = authority_of(row.authority).unwrap_or(Authority::City);
            if !may_lift(by, decided) {
                return Err(Error::HigherAuthority(decided));
            }
            caller.require(permission, &place(&row.org_path))?;
            let came_with = (RESPONSE, row.response);
            let response = Store::weather_alarm(tx, came_with, Lock::No).await?;
            if response.is_some_and(|one| one.state == ResponseState::InForce as i16)
                && row.state()? != SuspensionState::Lifted
            {
                return Err(Error::ResponseState(ResponseState::InForce));
            }
            let row = self.lift(tx, &site.path, row, &turn, now).await?;
            Ok(render(view(tx, row).await?))
        };
        self.base
            .act(caller, "LiftWeatherSuspension", once, work)
            .await
    }

    /// As what somebody with a scope decides.
    async fn authority(&self, scope: &OrgPath) -> Result<Authority, Error> {
        if scope.is_root() {
            return Ok(Authority::City);
        }
        let db = self.base.store.database().read();
        let own = Store::organization(db, scope.leaf()).await?;
        Ok(own.map_or(Authority::School, |own| own.level()))
    }

    /// Suspensions whose first day has come begin, and whose last day has passed end.
    pub(super) async fn suspensions_due(
        &self,
        tx: &Tx,
        now: DateTime<Utc>,
        most: u64,
    ) -> Result<(), Error> {
        let millis = now.timestamp_millis();
        let due = Store::weather_suspensions_due(tx, millis, most).await?;
        if due.is_empty() {
            return Ok(());
        }
        let mut turn = self.turn(tx, now, SERVICE, String::new()).await?;
        for mut row in due {
            turn.cause = row.name();
            if row.state()? == SuspensionState::Scheduled {
                self.begin(tx, &mut row, &turn).await?;
            } else {
                let path = place(&row.org_path);
                self.lift(tx, &path, row, &turn, now).await?;
            }
        }
        Ok(())
    }

    /// One suspension of an organisation that the caller may read.
    ///
    /// # Errors
    /// NOT_FOUND, or when the database fails.
    pub(crate) async fn suspension(&self, site: &Site, id: Uuid) -> Result<SuspensionView, Error> {
        let db = self.base.store.database().read();
        let row = found(db, site, id, Lock::No).await?;
        view(db, row).await
    }

    /// The suspensions decided at an organisation and below it, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn suspensions(
        &self,
        site: &Site,
        state: Option<SuspensionState>,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<SuspensionView>, Error> {
        let wanted = Suspensions {
            place: site.organization.org_path.clone(),
            state,
        };
        let db = self.base.store.database().read();
        let rows = Store::weather_suspensions(db, &wanted, before, limit).await?;
        let views = rows.into_iter().map(|row| SuspensionView {
            row,
            history: Vec::new(),
        });
        Ok(views.collect())
    }
}

/// What does not depend on the weather.
fn check(site: &Site, decision: &Decision, now: DateTime<Utc>) -> Result<(), Error> {
    let mut fields = Fields::new();
    if decision.first < civil_date(now) {
        let (zh, en) = ("不能早于今天", "must not be before today");
        fields.violation("weather_suspension.start_date", zh, en);
    }
    if decision.last.is_some_and(|last| last < decision.first) {
        let (zh, en) = ("不能早于开始日期", "must not be before the first day");
        fields.violation("weather_suspension.end_date", zh, en);
    }
    if decision.told.is_some_and(|told| told > now) {
        let (zh, en) = ("不能晚于现在", "must not be later than now");
        fields.violation("weather_suspension.guardians_told_time", zh, en);
    }
    if site.organization.level() == Authority::School {
        if decision.told.is_none() {
            let (zh, en) = (
                "学校自行决定停课时，应先告知家长",
                "a school that decides by itself tells guardians first",
            );
            fields.violation("weather_suspension.guardians_told_time", zh, en);
        }
        let taught = Cover::of_teaching(site.organization.kind);
        let fits =
            |cover: &Cover| Some(*cover) == taught || (*cover == Cover::Buses && taught.is_some());
        if !decision.covers.iter().all(fits) {
            let (zh, en) = ("与该单位的类型不符", "does not fit the organisation");
            fields.violation("weather_suspension.covers", zh, en);
        }
    }
    Ok(fields.finish()?)
}

/// A school suspends itself only while it is warned.
async fn warned(tx: &Tx, site: &Site) -> Result<(), Error> {
    let row = Store::weather_state(tx, &site.organization.id, Lock::Yes).await?;
    let Some(row) = row else {
        return Err(Error::WeatherState(State::None));
    };
    let state = row.state()?;
    if state.after(Event::Suspend).is_none() {
        return Err(Error::WeatherState(state));
    }
    row.level().map(|_| ()).ok_or(Error::NobodyWarned)
}

fn step(row: &mut SuspensionRow, event: SuspensionEvent) -> Result<(), Error> {
    let state = row.state()?;
    let to = state
        .after(event)
        .ok_or(Error::WeatherSuspensionState(state))?;
    row.state = to as i16;
    Ok(())
}

async fn found(
    db: &impl ConnectionTrait,
    site: &Site,
    id: Uuid,
    lock: Lock,
) -> Result<SuspensionRow, Error> {
    let own = &site.organization.id;
    let found = Store::weather_suspension(db, id, lock).await?;
    found.filter(|row| row.organization == *own).ok_or_else(|| {
        let id = id.hyphenated();
        Error::NotFound(format!("organizations/{own}/weatherSuspensions/{id}"))
    })
}

async fn view(db: &impl ConnectionTrait, row: SuspensionRow) -> Result<SuspensionView, Error> {
    Ok(SuspensionView {
        history: Store::weather_history(db, &row.name()).await?,
        row,
    })
}
