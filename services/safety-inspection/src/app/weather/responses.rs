//! Response levels of flood headquarters, and the suspensions that come with them (rules 5.23, 5.28).

use chrono::{DateTime, Utc};
use kit::auth::Caller;
use kit::db::Tx;
use kit::rows::Lock;
use kit::status::Problem;
use prost::Message;
use uuid::Uuid;

use super::suspensions::Plan;
use super::{ResponseView, Weather};
use crate::app::{Site, new_id};
use crate::domain::weather::level::{Kind, Level};
use crate::domain::weather::response::{ResponseEvent, ResponseState};
use crate::domain::weather::suspension::Teaching;
use crate::error::Error;
use crate::store::Store;
use crate::store::weather::alarms::{AlarmRow, Alarms, RESPONSE};
use crate::store::weather::{NEVER, Turn};

/// What is declared.
#[derive(Clone, Debug)]
pub(crate) struct Declaration {
    pub(crate) kind: Kind,
    pub(crate) level: Level,
    /// The parts of division codes that are not zero; empty for all.
    pub(crate) divisions: Vec<String>,
    pub(crate) headquarters: String,
    pub(crate) basis: String,
}

impl Weather {
    /// Declares a response level, with the suspension that its level asks for.
    ///
    /// # Errors
    /// INVALID_FIELD when the organisation is no bureau, or when the database fails.
    pub(crate) async fn declare<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        declared: Declaration,
        once: (&str, &impl Message),
        render: impl FnOnce(ResponseView) -> R,
    ) -> Result<R, Error> {
        if !site.organization.kind.is_bureau() {
            let problem = Problem::invalid("parent", "应为教育局", "must be a bureau");
            return Err(problem.into());
        }
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            let id = new_id(now);
            let row = AlarmRow {
                id,
                origin: RESPONSE,
                joined: id,
                organization: site.organization.id.clone(),
                place: site.organization.org_path.clone(),
                kind: declared.kind as i16,
                level: declared.level as i16,
                state: ResponseState::InForce as i16,
                divisions: declared.divisions.join(","),
                levels: String::new(),
                issuer: declared.headquarters,
                basis: declared.basis,
                event_code: String::new(),
                began_at: now.timestamp_millis(),
                expires_at: NEVER,
                ended_at: NEVER,
                changes: 0,
            };
            let turn = self.turn(tx, now, &caller.subject, row.name()).await?;
            let row = self.put(tx, site, (row, 0), &turn, now).await?;
            Ok(render(view(tx, row).await?))
        };
        self.base
            .act(caller, "DeclareResponseLevel", once, work)
            .await
    }

    /// Raises or lowers a response level, or lifts it when there is no level.
    ///
    /// # Errors
    /// NOT_FOUND, WEATHER_RESPONSE_STATE, INVALID_FIELD when the level is that it has, or when the
    /// database fails.
    pub(crate) async fn change_response<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        (level, basis): (Option<Level>, String),
        once: (&str, &impl Message),
        render: impl FnOnce(ResponseView) -> R,
    ) -> Result<R, Error> {
        let (method, event) = match level {
            Some(_) => ("ChangeResponseLevel", ResponseEvent::Change),
            None => ("LiftResponseLevel", ResponseEvent::Lift),
        };
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            let turn = self.turn(tx, now, &caller.subject, String::new()).await?;
            let mut row = found(tx, site, id, Lock::Yes).await?;
            let from = row.state;
            let state = ResponseState::from_number(from.into()).unwrap_or(ResponseState::Lifted);
            let to = state.after(event).ok_or(Error::ResponseState(state))?;
            if let Some(level) = level {
                if row.level == level as i16 {
                    let (zh, en) = ("与当前级别相同", "must differ from the present one");
                    return Err(Problem::invalid("level", zh, en).into());
                }
                row.level = level as i16;
            }
            row.state = to as i16;
            row.basis = basis;
            let turn = Turn {
                cause: row.name(),
                ..turn
            };
            let row = self.put(tx, site, (row, from), &turn, now).await?;
            Ok(render(view(tx, row).await?))
        };
        self.base.act(caller, method, once, work).await
    }

    /// Saves a response level, moves whom it reaches, and begins, keeps or lifts its suspension by the
    /// table of the bureau's policy.
    async fn put(
        &self,
        tx: &Tx,
        site: &Site,
        (row, from): (AlarmRow, i16),
        turn: &Turn,
        now: DateTime<Utc>,
    ) -> Result<AlarmRow, Error> {
        let row = Store::save_weather_alarm(tx, row, from, turn).await?;
        self.settle(tx, turn, now).await?;
        let level = Level::from_number(row.level.into());
        let in_force = row.state == ResponseState::InForce as i16;
        let rules = self.rules_at(tx, &site.path, now).await?;
        let covers = match (level.filter(|_| in_force), &rules) {
            (Some(level), Some(rules)) => rules.policy.covers(level),
            _ => Vec::new(),
        };
        let standing = Store::weather_suspension_of(tx, row.id).await?;
        if standing
            .as_ref()
            .map(|one| one.covers())
            .unwrap_or_default()
            == covers
        {
            return Ok(row);
        }
        if !covers.is_empty() {
            let plan = Plan {
                divisions: row.divisions.clone(),
                covers,
                teaching: Teaching::Suspended,
                starts: now,
                ends: None,
                reason: row.basis.clone(),
                told: None,
                response: row.id,
            };
            self.suspend(tx, site, plan, turn, now).await?;
        }
        if let Some(standing) = standing {
            self.lift(tx, &site.path, standing, turn, now).await?;
        }
        Ok(row)
    }

    /// One response level of an organisation that the caller may read.
    ///
    /// # Errors
    /// NOT_FOUND, or when the database fails.
    pub(crate) async fn response(&self, site: &Site, id: Uuid) -> Result<ResponseView, Error> {
        let db = self.base.store.database().read();
        let row = found(db, site, id, Lock::No).await?;
        view(db, row).await
    }

    /// The response levels declared at an organisation and below it, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn responses(
        &self,
        site: &Site,
        state: Option<ResponseState>,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<ResponseView>, Error> {
        let wanted = Alarms {
            origin: RESPONSE,
            place: site.organization.org_path.clone(),
            state: state.map(|state| state as i16),
        };
        let db = self.base.store.database().read();
        let rows = Store::weather_alarms(db, &wanted, before, limit).await?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let suspensions = Store::weather_suspensions_of(db, &ids).await?;
        let views = rows.into_iter().map(|row| {
            let own = suspensions.iter().filter(|one| one.response == row.id);
            ResponseView {
                suspension: own.max_by_key(|one| one.id).map(|one| one.name()),
                row,
                history: Vec::new(),
            }
        });
        Ok(views.collect())
    }
}

async fn found(
    db: &impl sea_orm::ConnectionTrait,
    site: &Site,
    id: Uuid,
    lock: Lock,
) -> Result<AlarmRow, Error> {
    let own = &site.organization.id;
    let found = Store::weather_alarm(db, (RESPONSE, id), lock).await?;
    found.filter(|row| row.organization == *own).ok_or_else(|| {
        let id = id.hyphenated();
        Error::NotFound(format!("organizations/{own}/responseLevels/{id}"))
    })
}

async fn view(db: &impl sea_orm::ConnectionTrait, row: AlarmRow) -> Result<ResponseView, Error> {
    let suspensions = Store::weather_suspensions_of(db, &[row.id]).await?;
    Ok(ResponseView {
        suspension: suspensions
            .iter()
            .max_by_key(|one| one.id)
            .map(|one| one.name()),
        history: Store::weather_history(db, &row.name()).await?,
        row,
    })
}
