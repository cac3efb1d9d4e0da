//! Decides about scans that share a transaction, one after the other as if each were alone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use kit::auth::Permission;
use kit::db::Tx;
use kit::status::Problem;
use sea_orm::Value;

use super::App;
use super::swabs::{Scan, Scanned};
use crate::domain::control::Control;
use crate::domain::day::Day;
use crate::domain::policy::Policy;
use crate::domain::roll::{GroupKind, PersonId};
use crate::domain::swab::{Elsewhere, Refused, SingleReason, Verdict, Vessel, admit};
use crate::domain::tube::{State, Verb};
use crate::error::Error;
use crate::grpc::convert::person_name;
use crate::store::clearance::Barred;
use crate::store::people::Located;
use crate::store::policy::Facts;
use crate::store::swabs::{self, SwabRow};
use crate::store::tubes::TubeRow;
use kit::rows::Row;

/// A swab of a sampling point, as it is stored beside those of students (1) and staff (2).
pub(crate) const POINT: i16 = 3;

/// What is known before a batch and does not change with it.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) facts: &'a Facts,
    /// Where people are found.
    pub(super) located: HashMap<PersonId, Located>,
    /// Who is not clear, and why.
    pub(super) held: HashMap<PersonId, Barred>,
    /// Whose single swab which hold ordered.
    pub(super) ordered: HashSet<(String, Vec<u8>)>,
    pub(super) now: DateTime<Utc>,
}

/// Who, on which day, in which campaign.
type Key = (Vec<u8>, i32, String);

/// The tubes and swabs of one batch, as they become.
#[derive(Debug)]
pub(super) struct Batch {
    tubes: BTreeMap<String, TubeRow>,
    /// Where each person is, in this campaign and day.
    present: HashMap<Key, SwabRow>,
    added: Vec<(usize, SwabRow)>,
    taken: Vec<(String, Vec<u8>)>,
    touched: BTreeSet<String>,
}

impl Batch {
    /// From tubes that are locked, and the swabs that count.
    pub(super) fn new(tubes: Vec<TubeRow>, present: Vec<SwabRow>) -> Self {
        Self {
            tubes: tubes
                .into_iter()
                .map(|tube| (tube.code.clone(), tube))
                .collect(),
            present: present
                .into_iter()
                .map(|row| ((row.person.clone(), row.day, row.campaign.clone()), row))
                .collect(),
            added: Vec::new(),
            taken: Vec::new(),
            touched: BTreeSet::new(),
        }
    }

    /// Decides about the scan at this place of the batch.
    pub(super) fn scan(
        &mut self,
        place: usize,
        scan: &Scan,
        known: &Known<'_>,
    ) -> Result<Scanned, Error> {
        let code = &scan.tube;
        let tube = self.tubes.get(code);
        App::check_tube(&scan.caller, Permission::TubeHandle, tube, code)?;
        let tube = tube.ok_or_else(|| Error::NotFound(format!("tubes/{code}")))?;
        let scanned = scan.time.unwrap_or(known.now).min(known.now);
        let (verdict, row) = match scan.person {
            Some(person) => self.of_person(tube, person, scan.single, scanned, known)?,
            None => of_point(tube, scanned)?,
        };
        let capacity = i32::from(tube.capacity);
        if verdict == Verdict::Repeat {
            return Ok(Scanned {
                verdict,
                count: tube.swab_count,
                capacity,
            });
        }
        if let Verdict::Move(other) = &verdict {
            self.leave(other, &row.person);
        }
        let key = (row.person.clone(), row.day, row.campaign.clone());
        self.present.insert(key, row.clone());
        self.added.push((place, row));
        self.touched.insert(code.clone());
        let tube = self.tubes.get_mut(code);
        let tube = tube.ok_or_else(|| Error::NotFound(format!("tubes/{code}")))?;
        tube.swab_count += 1;
        Ok(Scanned {
            verdict,
            count: tube.swab_count,
            capacity,
        })
    }

    fn of_person(
        &self,
        tube: &TubeRow,
        (person, kind): (PersonId, GroupKind),
        single: Option<SingleReason>,
        scanned: DateTime<Utc>,
        known: &Known<'_>,
    ) -> Result<(Verdict, SwabRow), Error> {
        if !tube.point.is_empty() {
            let (chinese, english) = ("环境采样管不采人员", "the tube is for a sampling point");
            return Err(Problem::invalid("person", chinese, english).into());
        }
        let found = known.located.get(&person);
        let found = found
            .filter(|found| found.group.kind == kind)
            .ok_or_else(|| Error::NotFound(person_name(kind, person)))?;
        let id = person.0.to_vec();
        let is_ordered = known.ordered.contains(&(tube.parent.clone(), id.clone()));
        if !tube.parent.is_empty() && !is_ordered {
            return Err(Error::NotAssigned(format!("holds/{}", tube.parent)));
        }
        let key = (id, tube.day, tube.parent.clone());
        let elsewhere = self.present.get(&key).map(|row| Elsewhere {
            tube: &row.tube,
            open: self
                .tubes
                .get(&row.tube)
                .is_some_and(|tube| tube.state == State::Open.code()),
            scanned: DateTime::from_timestamp_millis(row.scan_time).unwrap_or_default(),
        });
        let state = tube.stands()?;
        // What was never opened has no day, at which no policy is in force.
        if elsewhere
            .as_ref()
            .is_none_or(|present| present.tube != tube.code)
        {
            state.after(Verb::AddSwab)?;
        }
        let day = Day::from_number(u16::try_from(tube.day).unwrap_or_default());
        let policy = known.facts.policy(&tube.org_path, day);
        let policy = policy.ok_or_else(|| Error::NoPolicy(tube.org_path.clone()))?;
        let vessel = Vessel {
            state,
            capacity: i32::from(tube.capacity),
            count: tube.swab_count,
            group: &tube.org_path,
        };
        // Whose single a hold ordered is in its tube, whatever the class group.
        let group = if tube.parent.is_empty() {
            &found.group.path
        } else {
            &tube.org_path
        };
        let alone = is_single(policy, single, known.held.get(&person).copied());
        let verdict = admit(
            &tube.code,
            vessel,
            group,
            policy.class_pure,
            alone,
            scanned,
            elsewhere.as_ref(),
        )
        .map_err(|refused| Error::Swab(refused, i32::from(tube.capacity)))?;
        let (person, day, campaign) = key;
        let row = SwabRow {
            tube: tube.code.clone(),
            person,
            kind: kind.code(),
            org_path: found.group.path.clone(),
            day,
            campaign,
            scan_time: scanned.timestamp_millis(),
            counted: true,
        };
        Ok((verdict, row))
    }

    /// Takes somebody out of a tube that is open.
    fn leave(&mut self, code: &str, person: &[u8]) {
        if let Some(tube) = self.tubes.get_mut(code) {
            tube.swab_count -= 1;
            self.touched.insert(code.to_owned());
        }
        let added = self.added.len();
        self.added
            .retain(|(_, row)| !(row.tube == code && row.person == person));
        if self.added.len() == added {
            self.taken.push((code.to_owned(), person.to_vec()));
        }
    }

    /// Stores all; whoever another replica put into a tube meanwhile is refused here.
    pub(super) async fn store(
        mut self,
        tx: &Tx,
        answers: &mut [Result<Scanned, Error>],
    ) -> Result<(), Error> {
        for (tube, person) in &self.taken {
            swabs::remove(tx, tube, person).await?;
        }
        let rows: Vec<SwabRow> = self.added.iter().map(|(_, row)| row.clone()).collect();
        SwabRow::add(tx, &rows).await?;
        let keys = rows
            .iter()
            .map(|row| Value::from(row.person.clone()))
            .collect();
        let stored: HashMap<Key, String> = swabs::counted(tx, keys)
            .await?
            .into_iter()
            .map(|row| ((row.person, row.day, row.campaign), row.tube))
            .collect();
        for (place, row) in &self.added {
            let winner = stored.get(&(row.person.clone(), row.day, row.campaign.clone()));
            if winner != Some(&row.tube)
                && let Some(tube) = self.tubes.get_mut(&row.tube)
            {
                tube.swab_count -= 1;
                let winner = winner.cloned().unwrap_or_default();
                let capacity = i32::from(tube.capacity);
                answers[*place] = Err(Error::Swab(Refused::Elsewhere(winner), capacity));
            }
        }
        let changed: Vec<TubeRow> = self
            .touched
            .iter()
            .filter_map(|code| self.tubes.get(code))
            .cloned()
            .collect();
        TubeRow::save(tx, &changed).await?;
        Ok(())
    }
}

/// The tube of a point takes one swab: that of the point.
fn of_point(tube: &TubeRow, scanned: DateTime<Utc>) -> Result<(Verdict, SwabRow), Error> {
    let Some(id) = tube.point.strip_prefix("samplingPoints/") else {
        return Err(Problem::invalid("person", "必填", "required").into());
    };
    let row = SwabRow {
        tube: tube.code.clone(),
        person: uuid::Uuid::parse_str(id)
            .map(|id| id.as_bytes().to_vec())
            .unwrap_or_default(),
        kind: POINT,
        org_path: tube.org_path.clone(),
        day: tube.day,
        campaign: tube.code.clone(),
        scan_time: scanned.timestamp_millis(),
        counted: true,
    };
    if tube.swab_count > 0 {
        return Ok((Verdict::Repeat, row));
    }
    tube.stands()?.after(Verb::AddSwab)?;
    Ok((Verdict::Add, row))
}

/// Whether somebody is swabbed alone, from what the sampler sees and from what keeps them out
/// (rule 2.11). Who only watches their own health or is
/// observed shares a tube.
fn is_single(policy: &Policy, seen: Option<SingleReason>, held: Option<Barred>) -> bool {
    let control = held.and_then(|barred| match barred.control? {
        Control::PoolHold => Some(SingleReason::PositiveTube),
        Control::SecondaryContact | Control::CloseContact => Some(SingleReason::Contact),
        Control::RegionRestricted => Some(SingleReason::KeyArea),
        Control::HealthMonitoring | Control::Observation => None,
        Control::Isolated => Some(SingleReason::Isolated),
    });
    let ill = held.filter(|barred| barred.ill);
    [seen, control, ill.map(|_| SingleReason::Symptoms)]
        .into_iter()
        .flatten()
        .any(|reason| policy.is_single(reason))
}
