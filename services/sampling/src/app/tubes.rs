//! Takes tubes in from laboratories and into use at schools.

use std::collections::HashSet;

use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::org::OrgPath;
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::error::ErrorReason;
use proto::sampling::Tube;

use super::App;
use super::tube_steps::{counted, custody};
use crate::domain::health::assay::assay;
use crate::domain::health::disease::Disease;
use crate::domain::plan::DrawId;
use crate::domain::point::PointState;
use crate::domain::tube::{State, Verb};
use crate::error::{Error, state_name};
use crate::grpc::tube_convert;
use crate::store::points::PointRow;
use crate::store::tubes::{CustodyRow, TubeRow};
use crate::store::{draws, rolls, tube_days};
use kit::rows::{Lock, Row};

/// What a tube is opened for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// Organisation and class group.
    Group(String, String),
    /// A sampling point.
    Point(String),
    /// The tube whose hold orders singles.
    Hold(String),
}

/// Tubes as a laboratory printed them.
#[derive(Clone, Debug)]
pub(crate) struct Lot {
    /// Who printed them; empty for the laboratory that asks.
    pub(crate) laboratory: String,
    pub(crate) lot: String,
    pub(crate) capacity: i16,
    /// Where they may be used.
    pub(crate) organization: String,
    pub(crate) codes: Vec<String>,
    /// What they are tested for; none for the usual test.
    pub(crate) disease: Option<Disease>,
}

impl App {
    /// Notes printed tubes; returns how many were new.
    pub(crate) async fn issue_tubes(&self, caller: &Caller, lot: Lot) -> Result<usize, Error> {
        let place = self
            .place(caller, Permission::TubeIssue, &lot.organization)
            .await?;
        let laboratory = caller.laboratory.as_ref().unwrap_or(&lot.laboratory);
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        kit::audit::act(&tx, caller);
        let policy = self.policy_at(&tx, place.as_str()).await?;
        let test = assay(&policy.health, lot.disease, lot.capacity)?;
        let known = printed_by(&tx, &lot.codes, laboratory).await?;
        let mut fresh: Vec<&String> = lot
            .codes
            .iter()
            .filter(|code| !known.contains(*code))
            .collect();
        fresh.sort();
        fresh.dedup();
        let rows: Vec<TubeRow> = fresh
            .iter()
            .map(|code| TubeRow {
                code: (*code).clone(),
                laboratory: laboratory.clone(),
                lot: lot.lot.clone(),
                capacity: lot.capacity,
                subject: 1,
                state: State::Issued.code(),
                org_path: place.to_string(),
                disease: test.disease.0,
                holds: test.holds,
                version: 1,
                ..TubeRow::default()
            })
            .collect();
        TubeRow::add(&tx, &rows).await?;
        // Another laboratory may have come first meanwhile.
        printed_by(&tx, &lot.codes, laboratory).await?;
        let events: Vec<_> = rows
            .iter()
            .map(|row| custody(row, "IssueTubes", caller, "", now))
            .collect();
        CustodyRow::add(&tx, &events).await?;
        tx.commit().await?;
        Ok(rows.len())
    }

    /// Whether the caller may take a tube into use at all.
    pub(crate) async fn may_open_tube(&self, caller: &Caller, code: &str) -> Result<(), Error> {
        let tube = TubeRow::get(self.db.read(), code, Lock::No).await?;
        check_issued(caller, tube.as_ref(), code)
    }

    /// Takes a tube into use.
    pub(crate) async fn open_tube(
        &self,
        caller: &Caller,
        code: &str,
        purpose: Purpose,
        draw: Option<DrawId>,
        (request_id, request): (&str, &impl Message),
    ) -> Result<Tube, Error> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let mut codes = vec![code.into()];
        if let Purpose::Hold(parent) = &purpose {
            codes.push(parent.as_str().into());
        }
        let mut found = TubeRow::find(&tx, "code", codes, Lock::Yes).await?;
        let place = found.iter().position(|tube| tube.code == code);
        let tube = place.map(|place| found.swap_remove(place));
        check_issued(caller, tube.as_ref(), code)?;
        let mut tube = tube.ok_or_else(|| Error::NotFound(format!("tubes/{code}")))?;
        let ticket = match once(&tx, caller, "OpenTube", request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let usable: OrgPath = tube.org_path.parse().unwrap_or_default();
        tube.apply(Verb::Open)?;
        match purpose {
            Purpose::Group(school, group) => {
                for_group(&tx, caller, &mut tube, &school, &group).await?
            }
            Purpose::Point(point) => for_point(&tx, caller, &mut tube, &point).await?,
            Purpose::Hold(parent) => {
                let hold = found.pop();
                self.for_hold(&tx, caller, &mut tube, &parent, hold).await?;
            }
        }
        let used: OrgPath = tube.org_path.parse().unwrap_or_default();
        if !usable.contains(&used) {
            let (chinese, english) = ("该采样管未发放给此机构", "was not issued for use there");
            return Err(Problem::invalid("name", chinese, english).into());
        }
        if let Some(draw) = draw {
            tube.draw = draw_at(&tx, &draw, &used).await?;
        }
        tube.day = i32::from(self.today().number());
        let policy = self.policy_at(&tx, &tube.org_path).await?;
        if tube.point.is_empty() {
            // Of a point several samples may share a tube, and nobody is held.
            let disease = Some(Disease(tube.disease));
            tube.holds = assay(&policy.health, disease, tube.capacity)?.holds;
        }
        tube.policy_version = policy.version;
        let tubes = std::slice::from_mut(&mut tube);
        self.noted(&tx, caller, tubes, "OpenTube", "", now).await?;
        tube_days::add(&tx, counted([(None, &tube)], now)).await?;
        let answer = tube_convert::tube(&tube, now, false);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// A single tube for one whom a hold orders to be swabbed alone.
    async fn for_hold(
        &self,
        tx: &Tx,
        caller: &Caller,
        tube: &mut TubeRow,
        parent: &str,
        hold: Option<TubeRow>,
    ) -> Result<(), Error> {
        let path = hold.as_ref().map_or("", |hold| &hold.org_path);
        Self::check_path(caller, Permission::TubeHandle, path)?;
        let mut hold = hold.ok_or_else(|| Error::NotFound(format!("holds/{parent}")))?;
        if tube.capacity != 1 {
            return Err(Problem::new(ErrorReason::SingleOnly).into());
        }
        if tube.disease != hold.disease {
            return Err(Error::AssayDiffers);
        }
        match hold.stands()? {
            State::HoldActive => {
                hold.apply(Verb::Recheck)?;
                let tubes = std::slice::from_mut(&mut hold);
                let now = self.clock.now();
                self.noted(tx, caller, tubes, "OpenTube", &tube.code, now)
                    .await?;
            }
            State::Recheck => {}
            other => return Err(Error::TubeState(state_name(other))),
        }
        tube.parent = hold.code;
        (tube.org_path, tube.class_group) = (hold.org_path, hold.class_group);
        Ok(())
    }
}

async fn for_group(
    tx: &Tx,
    caller: &Caller,
    tube: &mut TubeRow,
    school: &str,
    group: &str,
) -> Result<(), Error> {
    let name = rolls::group_name(school, group);
    let group = rolls::group_named(tx, school, group).await?;
    let path = group.as_ref().map_or("", |group| &group.path);
    App::check_path(caller, Permission::TubeHandle, path)?;
    let group = group.ok_or_else(|| Error::NotFound(name.clone()))?;
    (tube.org_path, tube.class_group) = (group.path, name);
    Ok(())
}

async fn for_point(tx: &Tx, caller: &Caller, tube: &mut TubeRow, id: &str) -> Result<(), Error> {
    let point = PointRow::get(tx, id, Lock::No).await?;
    let path = point.as_ref().map_or("", |point| &point.org_path);
    App::check_path(caller, Permission::TubeHandle, path)?;
    let name = format!("samplingPoints/{id}");
    let point = point.ok_or_else(|| Error::NotFound(name.clone()))?;
    if point.state == PointState::Retired.code() {
        return Err(Error::PointState(PointState::Retired));
    }
    (tube.org_path, tube.point, tube.subject) = (point.org_path, name, point.subject);
    Ok(())
}

/// The name of a draw that concerns a place.
async fn draw_at(tx: &Tx, id: &DrawId, used: &OrgPath) -> Result<String, Error> {
    let elsewhere = || Problem::invalid("draw", "不属于该校", "is not of this school");
    // Whether another school was drawn is not told.
    if !used.ids().any(|at| at == id.organization) {
        return Err(elsewhere().into());
    }
    let draw = draws::get(tx, id).await?;
    let draw = draw.ok_or_else(|| Error::NotFound(id.to_string()))?;
    let place: OrgPath = draw.org_path.parse().unwrap_or_default();
    if !place.contains(used) {
        return Err(elsewhere().into());
    }
    Ok(id.to_string())
}

/// Those of the codes that are known, which must be the laboratory's own.
async fn printed_by(tx: &Tx, codes: &[String], laboratory: &str) -> Result<HashSet<String>, Error> {
    let keys = codes.iter().map(|code| code.as_str().into()).collect();
    let known = TubeRow::find(tx, "code", keys, Lock::No).await?;
    if let Some(other) = known.iter().find(|tube| tube.laboratory != laboratory) {
        return Err(Error::AlreadyExists(format!("tubes/{}", other.code)));
    }
    Ok(known.into_iter().map(|tube| tube.code).collect())
}

/// An issued tube lies at a bureau: whoever works below it may take one.
fn check_issued(caller: &Caller, tube: Option<&TubeRow>, code: &str) -> Result<(), Error> {
    let scope = caller.allowed(Permission::TubeHandle)?;
    if let Some(tube) = tube {
        let place: OrgPath = tube.org_path.parse().unwrap_or_default();
        if place.contains(scope) {
            return Ok(());
        }
    }
    App::check_tube(caller, Permission::TubeHandle, tube, code)
}
