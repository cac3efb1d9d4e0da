//! Sampling points: created, sealed by a positive sample, disinfected, opened by a negative one.

use std::collections::BTreeSet;

use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request::{Once, once};
use prost::Message;
use proto::sampling::SamplingPoint;

use super::App;
use crate::domain::day::Day;
use crate::domain::point::{PointState, due, stands};
use crate::error::Error;
use crate::grpc::point_convert;
use crate::store::points::{self, PointRow};
use kit::rows::{Lock, Row};

/// A point to be created.
#[derive(Clone, Debug)]
pub(crate) struct NewPoint {
    pub(crate) display_name: String,
    pub(crate) organization: String,
    pub(crate) kind: i16,
    pub(crate) subject: i16,
    pub(crate) every_days: i16,
}

/// A point with what its samples tell.
#[derive(Clone, Debug)]
pub(crate) struct Sampled {
    pub(crate) row: PointRow,
    pub(crate) last: Day,
    pub(crate) due: Day,
}

/// What is done to a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PointVerb {
    Disinfect,
    Retire,
}

impl App {
    /// Creates a point.
    pub(crate) async fn create_point(
        &self,
        caller: &Caller,
        new: NewPoint,
        (request_id, request): (&str, &impl Message),
    ) -> Result<SamplingPoint, Error> {
        let place = self
            .place(caller, Permission::DrawRun, &new.organization)
            .await?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let method = "CreateSamplingPoint";
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let mut id = [0; 16];
        id.copy_from_slice(&(self.entropy)()[..16]);
        let row = PointRow {
            id: uuid::Builder::from_random_bytes(id).into_uuid().to_string(),
            display_name: new.display_name,
            organization: new.organization,
            org_path: place.to_string(),
            kind: new.kind,
            subject: new.subject,
            every_days: new.every_days,
            state: PointState::Open.code(),
            disinfect_time: 0,
            created_day: i32::from(self.today().number()),
            create_time: now.timestamp_millis(),
        };
        PointRow::add(&tx, std::slice::from_ref(&row)).await?;
        let answer = point_convert::point(&self.sampled(&tx, row).await?);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// One point.
    pub(crate) async fn get_point(&self, caller: &Caller, id: &str) -> Result<Sampled, Error> {
        let row = PointRow::get(self.db.read(), id, Lock::No).await?;
        let row = check(caller, Permission::TubeRead, row, id)?;
        self.sampled(self.db.read(), row).await
    }

    /// Points in use below an organisation, by name after `after`.
    pub(crate) async fn list_points(
        &self,
        caller: &Caller,
        organization: &str,
        after: &str,
        limit: u64,
    ) -> Result<Vec<Sampled>, Error> {
        let place = self
            .place(caller, Permission::TubeRead, organization)
            .await?;
        let mut sampled = Vec::new();
        for row in points::list(self.db.read(), &place, after, limit).await? {
            sampled.push(self.sampled(self.db.read(), row).await?);
        }
        Ok(sampled)
    }

    /// Notes a disinfection, or takes a point out of use.
    pub(crate) async fn change_point(
        &self,
        caller: &Caller,
        id: &str,
        verb: PointVerb,
        (request_id, request): (&str, &impl Message),
    ) -> Result<SamplingPoint, Error> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let row = PointRow::get(&tx, id, Lock::Yes).await?;
        let mut row = check(caller, Permission::DrawRun, row, id)?;
        let method = match verb {
            PointVerb::Disinfect => "RecordDisinfection",
            PointVerb::Retire => "RetireSamplingPoint",
        };
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let state = state_of(&row)?;
        match (verb, state) {
            (PointVerb::Disinfect, PointState::Sealed) => {
                row.disinfect_time = now.timestamp_millis();
                row.state = PointState::Disinfected.code();
            }
            (PointVerb::Retire, PointState::Open) => row.state = PointState::Retired.code(),
            (PointVerb::Disinfect | PointVerb::Retire, _) => return Err(Error::PointState(state)),
        }
        PointRow::save(&tx, std::slice::from_ref(&row)).await?;
        let answer = point_convert::point(&self.sampled(&tx, row).await?);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Seals or opens points whose samples have other results than before.
    pub(super) async fn settle_points(
        &self,
        tx: &Tx,
        names: &BTreeSet<String>,
    ) -> Result<(), Error> {
        for name in names {
            let id = name.trim_start_matches("samplingPoints/");
            let Some(mut row) = PointRow::get(tx, id, Lock::Yes).await? else {
                continue;
            };
            let samples = points::samples(tx, name).await?;
            let state = stands(&samples, row.disinfect_time);
            // A point out of use comes back only when a late result seals it.
            if state_of(&row)? != PointState::Retired || state == PointState::Sealed {
                row.state = state.code();
                PointRow::save(tx, std::slice::from_ref(&row)).await?;
            }
        }
        Ok(())
    }

    /// When a point was sampled last and is due again; a closed one is due at once.
    async fn sampled<C: sea_orm::ConnectionTrait + Sync>(
        &self,
        connection: &C,
        row: PointRow,
    ) -> Result<Sampled, Error> {
        let name = format!("samplingPoints/{}", row.id);
        let last = to_day(points::last_sampled(connection, &name).await?);
        let facts = self.facts.get(connection).await?;
        let policy = facts.policy(&row.org_path, self.today());
        let every = match u16::try_from(row.every_days) {
            Ok(days @ 1..) => days,
            _ => policy.map_or(7, |policy| policy.environment_days),
        };
        let due = match state_of(&row)? {
            PointState::Sealed | PointState::Disinfected => self.today(),
            PointState::Open | PointState::Retired => due(last, to_day(row.created_day), every),
        };
        Ok(Sampled { row, last, due })
    }
}

fn check(
    caller: &Caller,
    permission: Permission,
    row: Option<PointRow>,
    id: &str,
) -> Result<PointRow, Error> {
    let path = row.as_ref().map_or("", |row| &row.org_path);
    App::check_path(caller, permission, path)?;
    row.ok_or_else(|| Error::NotFound(format!("samplingPoints/{id}")))
}

fn state_of(row: &PointRow) -> Result<PointState, Error> {
    let state = PointState::from_code(row.state);
    state.ok_or_else(|| sea_orm::DbErr::Custom("unknown state of a point".to_owned()).into())
}

fn to_day(number: i32) -> Day {
    Day::from_number(u16::try_from(number).unwrap_or_default())
}
