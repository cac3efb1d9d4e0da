//! Cases, what happened to them, the swabs that led to them, and who took them away.

use kit::db::Tx;
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::domain::health::case::{Outcome, Standing, Subject};
use crate::domain::health::disease::{Certainty, Severity};
use crate::domain::health::report::Toll;
use crate::domain::roll::Malformed;
use crate::store::rolls::corrupt;
use crate::store::tubes::below;
use kit::rows::{Lock, Row, row};

/// The number of a case that was ruled out, beside those of [`Certainty`].
const EXCLUDED: i16 = 3;

row! {
    /// A case. Times are milliseconds since 1970, days numbers of a day; 0 for none.
    CaseRow in "cases" by ["id"] {
        /// Its identifier.
        id: String,
        /// A person (1) or an event (2).
        subject: i16,
        /// Who; empty for an event.
        person: Vec<u8>,
        /// Student (1) or staff (2); 0 for an event.
        kind: i16,
        /// The place of the person's group; of an event, the school's.
        org_path: String,
        /// The school's place.
        school: String,
        /// The dormitory room's identifier.
        dormitory: String,
        /// The disease; 0 when unknown.
        disease: i16,
        /// Suspected (1), confirmed (2) or excluded (3).
        certainty: i16,
        /// How grave it is.
        severity: i16,
        /// The first day of the illness.
        onset: i32,
        /// How it was found.
        detection: i16,
        /// The resource name of what led to it.
        basis: String,
        /// The kind of an event.
        event_kind: i16,
        /// How many people it concerns.
        people: i32,
        /// When it was found.
        detect_time: i64,
        /// When it was opened.
        open_time: i64,
        /// When it was confirmed.
        confirm_time: i64,
        /// When the patient died.
        death_time: i64,
        /// When it was closed.
        close_time: i64,
        /// How it ended; 0 while it is open.
        outcome: i16,
        /// The whole chain must hear of it.
        urgent: bool,
        /// When the first report is due.
        first_due: i64,
        /// When the first report was written.
        first_time: i64,
        /// The span between two follow-up reports, in milliseconds.
        follow_up: i64,
        /// When the next one is due.
        follow_due: i64,
        /// The kind of the last report.
        last_report: i16,
        /// How many reports there are.
        reports: i32,
        /// How many events there are.
        events: i32,
        /// Something was late.
        late: bool,
        /// The policy.
        policy_version: String,
        /// Grows with each change.
        version: i64,
        /// Of an event: its people in hospital when it was opened.
        hospitalised: i32,
        /// Of an event: its dead when it was opened.
        dead: i32,
    }
}

impl CaseRow {
    /// How many people it concerns, as limits count them.
    ///
    /// # Errors
    /// When the row is corrupt.
    pub fn toll(&self) -> Result<Toll, DbErr> {
        if self.subject != Subject::Event as i16 {
            return Ok(Toll::of_person(self.standing()?.severity));
        }
        let dead = self.dead.unsigned_abs();
        Ok(Toll {
            people: self.people.unsigned_abs(),
            hospitalised: self.hospitalised.unsigned_abs().saturating_add(dead),
            dead,
        })
    }

    /// Where it stands.
    ///
    /// # Errors
    /// When the row is corrupt.
    pub fn standing(&self) -> Result<Standing, DbErr> {
        let certainty = Certainty::from_code(self.certainty);
        if certainty.is_none() && self.certainty != EXCLUDED {
            return Err(corrupt(Malformed));
        }
        let severity = Severity::from_code(self.severity).ok_or_else(|| corrupt(Malformed))?;
        Ok(Standing {
            certainty,
            severity,
            outcome: Outcome::from_code(self.outcome),
        })
    }

    /// Stands like this from now on.
    pub fn stand(&mut self, standing: Standing) {
        self.certainty = standing.certainty.map_or(EXCLUDED, Certainty::code);
        self.severity = standing.severity.code();
        self.outcome = standing.outcome.map_or(0, Outcome::code);
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.outcome == 0
    }

    /// Its resource name.
    pub fn name(&self) -> String {
        format!("cases/{}", self.id)
    }
}

row! {
    /// One thing that happened to a case; never changed.
    CaseEventRow in "case_events" by ["case_id", "sequence"] {
        /// The case.
        case_id: String,
        /// 1, 2, …
        sequence: i32,
        /// When.
        time: i64,
        /// What.
        kind: i16,
        /// Who, or the rule.
        actor: String,
        /// How grave it was afterwards.
        severity: i16,
        /// Why, or how many.
        note: String,
    }
}

row! {
    /// A swab that speaks of somebody, and the case that it led to.
    FindingRow in "case_findings" by ["source", "person"] {
        /// The resource name of the hold or tube.
        source: String,
        /// Who.
        person: Vec<u8>,
        /// The case.
        case_id: String,
        /// The sum of the versions of the results that are positive or suspect.
        evidence: i64,
    }
}

row! {
    /// One export of a case; never changed.
    ExportRow in "case_exports" by ["case_id", "sequence"] {
        /// The case.
        case_id: String,
        /// 1, 2, …
        sequence: i32,
        /// When.
        time: i64,
        /// Who.
        actor: String,
        /// Why.
        purpose: String,
        /// In which form.
        format: i16,
        /// The hash of the bytes.
        sha256: String,
    }
}

/// Which cases to list.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a> {
    /// At or below this place.
    pub place: &'a OrgPath,
    /// Open or closed ones only.
    pub open: Option<bool>,
    /// Of this disease only.
    pub disease: Option<i16>,
    /// Those only of which something was late.
    pub late: bool,
    /// After this identifier.
    pub after: &'a str,
    /// At most so many.
    pub limit: u64,
}

/// Cases by identifier.
///
/// # Errors
/// When the database fails.
pub async fn list<C: ConnectionTrait + Sync>(
    connection: &C,
    filter: Filter<'_>,
) -> Result<Vec<CaseRow>, DbErr> {
    let mut wheres = "(org_path = $1 OR (org_path >= $2 AND org_path < $3)) AND id > $4".to_owned();
    let mut values = below(filter.place).to_vec();
    values.push(filter.after.into());
    match filter.open {
        Some(true) => wheres.push_str(" AND outcome = 0"),
        Some(false) => wheres.push_str(" AND outcome <> 0"),
        None => {}
    }
    if filter.late {
        wheres.push_str(" AND late");
    }
    if let Some(disease) = filter.disease {
        values.push(disease.into());
        wheres.push_str(&format!(" AND disease = ${}", values.len()));
    }
    CaseRow::page(connection, &wheres, values, filter.limit).await
}

/// The open cases of these people.
///
/// # Errors
/// When the database fails.
pub async fn open_of(tx: &Tx, people: Vec<Value>) -> Result<Vec<CaseRow>, DbErr> {
    CaseRow::find(tx, "outcome = 0 AND person", people, Lock::Yes).await
}

/// The swabs that led to a case.
///
/// # Errors
/// When the database fails.
pub async fn findings<C: ConnectionTrait + Sync>(
    connection: &C,
    case: &str,
) -> Result<Vec<FindingRow>, DbErr> {
    FindingRow::find(connection, "case_id", vec![case.into()], Lock::No).await
}

/// What happened to a case after an event.
///
/// # Errors
/// When the database fails.
pub async fn events<C: ConnectionTrait + Sync>(
    connection: &C,
    case: &str,
    after: i32,
    limit: u64,
) -> Result<Vec<CaseEventRow>, DbErr> {
    let values = vec![case.into(), after.into()];
    CaseEventRow::page(connection, AFTER, values, limit).await
}

/// The exports of a case after one.
///
/// # Errors
/// When the database fails.
pub async fn exports<C: ConnectionTrait + Sync>(
    connection: &C,
    case: &str,
    after: i32,
    limit: u64,
) -> Result<Vec<ExportRow>, DbErr> {
    let values = vec![case.into(), after.into()];
    ExportRow::page(connection, AFTER, values, limit).await
}

/// Lines of one case after a sequence number.
pub(super) const AFTER: &str = "case_id = $1 AND sequence > $2";
