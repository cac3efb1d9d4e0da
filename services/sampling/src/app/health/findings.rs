//! Swabs that speak of one person open cases, end them and open them again (rule 2.22).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use kit::db::Tx;
use sea_orm::Value;

use super::alarms::case_id;
use super::case_files::{MILD, log, room_of, school_of};
use crate::app::App;
use crate::domain::day::Day;
use crate::domain::health::case::{Detection, Happening, Outcome, Subject, Verb, found};
use crate::domain::health::disease::Certainty;
use crate::domain::health::report::ReportKind;
use crate::domain::laboratory_result::Value as Found;
use crate::error::Error;
use crate::store::health::cases::{self, CaseRow, FindingRow};
use crate::store::health::contacts::ContactRow;
use crate::store::swabs::SwabRow;
use crate::store::tubes::TubeRow;
use kit::rows::{Lock, Row};

/// Who opens a case when no human does.
const RULE: &str = "rule 2.22";

/// What the results in force of one hold or tube say of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::app) struct Finding {
    /// The resource name of the hold or tube.
    pub(in crate::app) source: String,
    /// Who.
    pub(in crate::app) person: Vec<u8>,
    /// Student or staff.
    pub(in crate::app) kind: i16,
    /// The place of their group.
    pub(in crate::app) org_path: String,
    /// What was tested for.
    pub(in crate::app) disease: i16,
    /// The sum of the versions of the results that are positive or suspect; 0 for none.
    pub(in crate::app) evidence: i64,
}

impl App {
    /// Makes cases what these findings say, once per source and person, whatever came before and in
    /// whatever order. The schools of everybody in `findings` are locked by the caller.
    pub(in crate::app) async fn note_findings(
        &self,
        tx: &Tx,
        findings: Vec<Finding>,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let sources: BTreeSet<&str> = findings.iter().map(|one| one.source.as_str()).collect();
        let sources = sources.into_iter().map(Value::from).collect();
        let stored: HashMap<(String, Vec<u8>), FindingRow> =
            FindingRow::find(tx, "source", sources, Lock::No)
                .await?
                .into_iter()
                .map(|row| ((row.source.clone(), row.person.clone()), row))
                .collect();
        for finding in findings {
            let key = (finding.source.clone(), finding.person.clone());
            match stored.get(&key) {
                Some(row) if row.evidence == finding.evidence => {}
                Some(row) => self.find_again(tx, row, finding.evidence, now).await?,
                None if finding.evidence == 0 => {}
                None => self.find_first(tx, finding, now).await?,
            }
        }
        Ok(())
    }

    /// A swab speaks of somebody for the first time: of their open case, or of a new one.
    async fn find_first(&self, tx: &Tx, finding: Finding, now: DateTime<Utc>) -> Result<(), Error> {
        let open = cases::open_of(tx, vec![finding.person.clone().into()]).await?;
        let same = open.into_iter().find(|row| row.disease == finding.disease);
        let id = same.as_ref().map_or_else(
            || case_id(&[finding.source.as_bytes(), &finding.person]),
            |row| row.id.clone(),
        );
        let row = FindingRow {
            source: finding.source.clone(),
            person: finding.person.clone(),
            case_id: id.clone(),
            evidence: finding.evidence,
        };
        FindingRow::save(tx, std::slice::from_ref(&row)).await?;
        if same.is_some() {
            return Ok(());
        }
        let policy = self.policy_at(tx, &finding.org_path).await?;
        let case = CaseRow {
            id,
            subject: Subject::Person as i16,
            dormitory: room_of(tx, &finding.org_path, &finding.person).await?,
            person: finding.person,
            kind: finding.kind,
            school: school_of(&finding.org_path).to_owned(),
            org_path: finding.org_path,
            disease: finding.disease,
            certainty: Certainty::Suspected.code(),
            severity: MILD,
            onset: i32::from(Day::NEVER.number()),
            detection: Detection::Laboratory as i16,
            basis: finding.source,
            people: 1,
            detect_time: now.timestamp_millis(),
            ..CaseRow::default()
        };
        self.add_case(tx, case, &policy, RULE, now).await?;
        Ok(())
    }

    /// A swab that spoke of somebody says something else now.
    async fn find_again(
        &self,
        tx: &Tx,
        known: &FindingRow,
        evidence: i64,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Some(mut row) = CaseRow::get(tx, &known.case_id, Lock::Yes).await? else {
            return Ok(());
        };
        let others = cases::findings(tx, &row.id).await?;
        let others = others.iter().filter(|one| one.source != known.source);
        let others = others.map(|one| one.evidence).sum();
        let standing = row.standing()?;
        let by_laboratory = row.detection == Detection::Laboratory as i16;
        let verb = found(standing, by_laboratory, known.evidence, evidence, others);
        // What a human closed remembers the most that was known then.
        let over = standing
            .outcome
            .is_some_and(|outcome| outcome != Outcome::ResultCorrected);
        let kept = if over && verb.is_none() {
            known.evidence.max(evidence)
        } else {
            evidence
        };
        let finding = FindingRow {
            evidence: kept,
            ..known.clone()
        };
        FindingRow::save(tx, std::slice::from_ref(&finding)).await?;
        let Some(verb) = verb else { return Ok(()) };
        let excluded = standing.certainty.is_none();
        let standing = standing.after(verb)?;
        row.stand(standing);
        let happening = if verb == Verb::Reopen {
            row.close_time = 0;
            let ended = excluded || row.last_report == ReportKind::Final.code();
            if ended && row.reports != 0 && row.follow_up != 0 {
                row.follow_due = now.timestamp_millis() + row.follow_up;
            }
            Happening::Reopened
        } else {
            row.close_time = now.timestamp_millis();
            Happening::RuledOut
        };
        log(tx, &mut row, happening, RULE, "", now).await?;
        self.say_case(tx, &row, false, now).await?;
        if standing.is_open() {
            self.recontrol_contacts(tx, &row, now).await?;
            self.restart_clocks(tx, &row, now).await?;
        } else {
            self.release_contacts(tx, &row, now).await?;
            self.stop_clocks(tx, &row).await?;
        }
        self.finish_case(tx, row, now).await?;
        Ok(())
    }

    /// People of these holds of whom a case decides now.
    pub(in crate::app) async fn decided_by_cases(
        &self,
        tx: &Tx,
        sources: Vec<Value>,
    ) -> Result<Decided, Error> {
        let findings = FindingRow::find(tx, "source", sources, Lock::No).await?;
        let ids: BTreeSet<&str> = findings.iter().map(|row| row.case_id.as_str()).collect();
        let ids: Vec<Value> = ids.into_iter().map(Value::from).collect();
        let rows = CaseRow::find(tx, "id", ids.clone(), Lock::No).await?;
        let closed = rows.into_iter().filter(|row| !row.is_open());
        let closed: HashSet<String> = closed.map(|row| row.id).collect();
        let mut contacts: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for row in ContactRow::find(tx, "case_id", ids, Lock::No).await? {
            if row.control != 0 {
                contacts.entry(row.case_id).or_default().push(row.person);
            }
        }
        let mut decided = Decided::default();
        for finding in findings {
            for person in contacts.get(&finding.case_id).into_iter().flatten() {
                let key = (finding.source.clone(), person.clone());
                decided.contacts.insert(key);
            }
            if closed.contains(&finding.case_id) {
                decided.over.insert((finding.source, finding.person));
            }
        }
        Ok(decided)
    }
}

/// Of whom cases decide instead of the holds that led to them; by hold and person.
#[derive(Debug, Default)]
pub(in crate::app) struct Decided {
    /// Whose case is over.
    pub(in crate::app) over: HashSet<(String, Vec<u8>)>,
    /// Who is or was a contact under the contact rule of a case.
    pub(in crate::app) contacts: HashSet<(String, Vec<u8>)>,
}

/// What tubes that hold nobody say of the one person in them. A tube with several people says
/// nothing of any of them.
pub(in crate::app) async fn lone_findings(
    tx: &Tx,
    tubes: &BTreeMap<String, TubeRow>,
    lone: &BTreeSet<String>,
) -> Result<Vec<Finding>, Error> {
    let keys = lone.iter().map(|code| code.as_str().into()).collect();
    let swabs = SwabRow::find(tx, "tube", keys, Lock::No).await?;
    let mut findings = Vec::new();
    for of_tube in swabs.chunk_by(|one, other| one.tube == other.tube) {
        let ([swab], Some(tube)) = (of_tube, tubes.get(&of_tube[0].tube)) else {
            continue;
        };
        let positive = Found::from_code(tube.result).is_some_and(Found::holds);
        findings.push(Finding {
            source: format!("tubes/{}", tube.code),
            person: swab.person.clone(),
            kind: swab.kind,
            org_path: swab.org_path.clone(),
            disease: tube.disease,
            evidence: if positive {
                i64::from(tube.result_version)
            } else {
                0
            },
        });
    }
    Ok(findings)
}
