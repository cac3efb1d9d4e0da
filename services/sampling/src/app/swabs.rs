//! Swabs, many in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::batch::Batcher;
use kit::drain::Drain;
use kit::status::Problem;
use sea_orm::{ConnectionTrait, Value};

use super::App;
use crate::domain::roll::{GroupKind, PersonId};
use crate::domain::swab::{Elsewhere, Refused, Verdict, Vessel, admit};
use crate::domain::tube::{State, Verb};
use crate::error::Error;
use crate::store::people::locate_all;
use crate::store::tubes::{Lock, SwabRow, TubeRow};
use crate::store::{clearance, people};

/// One scan.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    pub(crate) caller: Caller,
    pub(crate) tube: String,
    pub(crate) person: PersonId,
    pub(crate) kind: GroupKind,
    /// When; none means now.
    pub(crate) time: Option<DateTime<Utc>>,
    /// The sampler sees a reason to swab this person alone.
    pub(crate) single: bool,
}

/// What became of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scanned {
    pub(crate) verdict: Verdict,
    pub(crate) count: i32,
    pub(crate) capacity: i32,
}

pub(crate) type Scans = Batcher<Scan, Result<Scanned, Error>>;

/// How many scans may wait, and how many share a transaction.
const WAITING: usize = 8192;
const TOGETHER: usize = 512;

/// Starts the worker that commits scans together.
pub(crate) fn spawn(app: App, drain: Drain) -> Scans {
    Batcher::spawn(WAITING, TOGETHER, drain, move |scans: Vec<Scan>| {
        let app = app.clone();
        Box::pin(async move {
            match app.add_swabs(&scans).await {
                Ok(answers) => answers,
                Err(err) => {
                    let problem = Problem::from(err);
                    let reason = problem.reason();
                    tracing::warn!(?reason, scans = scans.len(), "scans were not stored");
                    scans
                        .iter()
                        .map(|_| Err(Problem::new(reason).into()))
                        .collect()
                }
            }
        })
    })
}

/// The tubes and swabs of one batch, as they become.
struct Batch {
    tubes: BTreeMap<String, TubeRow>,
    /// Where each person is, in this campaign and day.
    present: HashMap<(Vec<u8>, i32, String), SwabRow>,
    added: Vec<(usize, SwabRow)>,
    taken: Vec<(String, Vec<u8>)>,
    touched: BTreeSet<String>,
}

impl App {
    /// Decides about scans in their order and stores them together.
    async fn add_swabs(&self, scans: &[Scan]) -> Result<Vec<Result<Scanned, Error>>, Error> {
        let now = self.clock.now();
        let facts = self.facts.get(self.db.read()).await?;
        let asked: BTreeSet<PersonId> = scans.iter().map(|scan| scan.person).collect();
        let asked: Vec<PersonId> = asked.into_iter().collect();
        let located = locate_all(self.db.read(), &asked).await?;
        let tx = self.db.begin().await?;
        let day = i32::from(self.today().number());
        let keys = || {
            asked
                .iter()
                .map(|person| Value::from(person.0.to_vec()))
                .collect::<Vec<_>>()
        };
        let counted = |rows: Vec<SwabRow>| rows.into_iter().filter(|row| row.counted);
        // Tubes that hold these people are locked with those asked for, in one order.
        let before = SwabRow::find(&tx, "counted = TRUE AND person", keys(), Lock::No).await?;
        let mut codes: BTreeSet<String> = scans.iter().map(|scan| scan.tube.clone()).collect();
        codes.extend(
            counted(before)
                .filter(|row| row.day == day)
                .map(|row| row.tube),
        );
        let codes = codes.iter().map(|code| code.as_str().into()).collect();
        let tubes = TubeRow::find(&tx, "code", codes, Lock::Yes).await?;
        let present = SwabRow::find(&tx, "counted = TRUE AND person", keys(), Lock::No).await?;
        let held = clearance::held(&tx, &asked).await?;
        let mut batch = Batch {
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
        };
        let mut answers: Vec<Result<Scanned, Error>> = Vec::with_capacity(scans.len());
        for (place, scan) in scans.iter().enumerate() {
            let found = located.get(&scan.person);
            let alone = scan.single || held.contains(&scan.person);
            answers.push(batch.scan(place, scan, found, alone, &facts, now));
        }
        batch.store(&tx, scans, &mut answers).await?;
        tx.commit().await?;
        Ok(answers)
    }
}

impl Batch {
    fn scan(
        &mut self,
        place: usize,
        scan: &Scan,
        found: Option<&people::Located>,
        alone: bool,
        facts: &crate::store::policy::Facts,
        now: DateTime<Utc>,
    ) -> Result<Scanned, Error> {
        let Scan {
            caller,
            tube: code,
            person,
            kind,
            time,
            single: _,
        } = scan;
        let tube = self.tubes.get(code);
        App::check_tube(caller, Permission::TubeHandle, tube, code)?;
        let tube = tube.ok_or_else(|| Error::NotFound(format!("tubes/{code}")))?;
        let found = found
            .filter(|found| found.group.kind == *kind)
            .ok_or_else(|| Error::NotFound(crate::grpc::convert::person_name(*kind, *person)))?;
        let day = crate::domain::day::Day::from_number(u16::try_from(tube.day).unwrap_or_default());
        let pure = facts
            .policy(&tube.org_path, day)
            .ok_or_else(|| Error::NoPolicy(tube.org_path.clone()))?
            .class_pure;
        let scanned = time.unwrap_or(now).min(now);
        let key = (person.0.to_vec(), tube.day, tube.parent.clone());
        let other = self.present.get(&key);
        let elsewhere = other.map(|row| Elsewhere {
            tube: &row.tube,
            open: self
                .tubes
                .get(&row.tube)
                .is_some_and(|tube| tube.state == State::Open.code()),
            scanned: DateTime::from_timestamp_millis(row.scan_time).unwrap_or_default(),
        });
        let vessel = Vessel {
            state: tube.stands()?,
            capacity: i32::from(tube.capacity),
            count: tube.swab_count,
            group: &tube.org_path,
        };
        let verdict = admit(
            code,
            vessel,
            &found.group.path,
            pure,
            alone,
            scanned,
            elsewhere.as_ref(),
        )
        .map_err(|refused| Error::Swab(refused, i32::from(tube.capacity)))?;
        let capacity = i32::from(tube.capacity);
        if verdict == Verdict::Repeat {
            return Ok(Scanned {
                verdict,
                count: tube.swab_count,
                capacity,
            });
        }
        if let Verdict::Move(other) = &verdict {
            self.leave(other, &key.0);
        }
        let row = SwabRow {
            tube: code.clone(),
            person: key.0.clone(),
            kind: kind.code(),
            org_path: found.group.path.clone(),
            day: key.1,
            campaign: key.2.clone(),
            scan_time: scanned.timestamp_millis(),
            counted: true,
        };
        self.present.insert(key, row.clone());
        self.added.push((place, row));
        let tube = self
            .tubes
            .get_mut(code)
            .ok_or_else(|| Error::NotFound(code.clone()))?;
        tube.swab_count += 1;
        self.touched.insert(code.clone());
        Ok(Scanned {
            verdict,
            count: tube.swab_count,
            capacity,
        })
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
    async fn store(
        mut self,
        tx: &kit::db::Tx,
        scans: &[Scan],
        answers: &mut [Result<Scanned, Error>],
    ) -> Result<(), Error> {
        for (tube, person) in &self.taken {
            let sql = "DELETE FROM swabs WHERE tube = $1 AND person = $2";
            let values = [tube.as_str().into(), person.clone().into()];
            tx.execute_raw(kit::db::statement(tx, sql, values)).await?;
        }
        let rows: Vec<SwabRow> = self.added.iter().map(|(_, row)| row.clone()).collect();
        SwabRow::add(tx, &rows).await?;
        let keys = self
            .added
            .iter()
            .map(|(_, row)| Value::from(row.person.clone()))
            .collect();
        let stored: HashMap<(Vec<u8>, i32, String), String> =
            SwabRow::find(tx, "counted = TRUE AND person", keys, Lock::No)
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
                answers[*place] = Err(Error::Swab(
                    Refused::Elsewhere(winner),
                    i32::from(tube.capacity),
                ));
                tracing::debug!(tube = %scans[*place].tube, "two replicas met");
            }
        }
        let columns: Vec<TubeRow> = self
            .touched
            .iter()
            .filter_map(|code| self.tubes.get(code))
            .cloned()
            .collect();
        TubeRow::save(tx, &columns).await?;
        Ok(())
    }
}

impl App {
    /// Takes back a swab that was noted on the wrong tube.
    pub(crate) async fn remove_swab(
        &self,
        caller: &Caller,
        code: &str,
        person: PersonId,
        name: &str,
        reason: &str,
    ) -> Result<proto::sampling::Tube, Error> {
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let tube = TubeRow::find(&tx, "code", vec![code.into()], Lock::Yes)
            .await?
            .pop();
        Self::check_tube(caller, Permission::TubeHandle, tube.as_ref(), code)?;
        let mut tube = tube.ok_or_else(|| Error::NotFound(format!("tubes/{code}")))?;
        tube.apply(Verb::RemoveSwab)?;
        let sql = "DELETE FROM swabs WHERE tube = $1 AND person = $2";
        let values = [code.into(), person.0.to_vec().into()];
        let gone = tx
            .execute_raw(kit::db::statement(&tx, sql, values))
            .await?
            .rows_affected();
        if gone > 0 {
            tube.swab_count -= 1;
            let note = format!("{name}: {reason}");
            let tubes = std::slice::from_mut(&mut tube);
            self.noted(&tx, caller, tubes, "RemoveSwab", &note, now)
                .await?;
        }
        tx.commit().await?;
        Ok(crate::grpc::tube_convert::tube(&tube, now, false))
    }
}
