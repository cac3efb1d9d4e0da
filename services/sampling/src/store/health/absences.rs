//! Absences, the attempts to reach somebody, and the counters of each school.

use std::collections::BTreeMap;

use kit::db::{Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::domain::day::Day;
use crate::domain::health::absence::{Facts, Reason};
use crate::domain::health::absence_tally::AbsenceTally;
use crate::domain::roll::Malformed;
use crate::store::rolls::corrupt;
use crate::store::tubes::below;
use kit::bulk::{Column, insert, placeholders};
use kit::rows::{Lock, Row, row};

row! {
    /// An absence. Times are milliseconds since 1970, days numbers of `domain::day`; 0 for none.
    AbsenceRow in "absences" by ["id"] {
        /// The last part of its name, a UUID.
        id: String,
        /// Who.
        person: Vec<u8>,
        /// Student (1) or staff (2).
        kind: i16,
        /// The school's place.
        school: String,
        /// The place of the person's group.
        org_path: String,
        /// Where it stands; follows from what else is here.
        state: i16,
        /// Why; follows from `reported` and `told`.
        reason: i16,
        /// The gravest reason of the reports that stand.
        reported: i16,
        /// The reason that whoever was reached gave; 0 for none.
        told: i16,
        /// The first day.
        start_day: i32,
        /// When the person left school.
        leave_time: i64,
        /// When the illness was told last.
        illness_time: i64,
        /// The symptoms' bits.
        symptoms: i32,
        /// Tenths of a degree Celsius.
        temperature: i16,
        /// The first day of the illness.
        onset: i32,
        /// A doctor was seen.
        seen_doctor: bool,
        /// What the hospital thinks it is.
        disease: i16,
        /// In hospital.
        hospitalised: bool,
        /// Who traces.
        tracer: String,
        /// Nobody was reached in time.
        escalated: bool,
        /// Somebody is reached by then.
        contact_due: i64,
        /// When somebody was reached first.
        trace_time: i64,
        /// Uploaded by then; set when the illness was told first, for good.
        upload_due: i64,
        /// When it was uploaded.
        upload_time: i64,
        /// Not uploaded in time; once true it stays so.
        upload_overdue: bool,
        /// An interview is due.
        interview_due: bool,
        /// When it was held.
        interview_time: i64,
        /// When the person was back.
        return_time: i64,
        /// The account that reported it first.
        reporter: String,
        /// The check of the earliest day that reports it.
        check_name: String,
        /// The policy.
        policy_version: String,
        /// When it was recorded.
        create_time: i64,
        /// When the last report of it was taken back before anybody was reached.
        withdraw_time: i64,
        /// Grows with each change.
        version: i64,
        /// The first day with the reason illness.
        ill_day: i32,
    }
}

row! {
    /// One attempt to reach somebody; never changed.
    TraceRow in "absence_traces" by ["absence", "sequence"] {
        /// The absence.
        absence: String,
        /// 1, 2, …
        sequence: i64,
        /// When.
        time: i64,
        /// What came of it.
        outcome: i16,
        /// The reason given; 0 for none.
        reason: i16,
        /// Notes.
        note: String,
        /// Who noted it.
        actor: String,
    }
}

row! {
    /// What one source says of one absence.
    ReportRow in "absence_reports" by ["source", "person"] {
        /// The resource name of a check; of the absence itself where a person recorded it.
        source: String,
        /// Who is absent.
        person: Vec<u8>,
        /// The absence.
        absence: String,
        /// Why.
        reason: i16,
        /// The day of which it is said.
        day: i32,
    }
}

impl ReportRow {
    /// Why, and of which day.
    ///
    /// # Errors
    /// When the row is corrupt.
    pub fn said(&self) -> Result<(Reason, Day), DbErr> {
        let reason = Reason::from_code(self.reason);
        let day = u16::try_from(self.day).ok().map(Day::from_number);
        reason.zip(day).ok_or_else(|| corrupt(Malformed))
    }
}

impl AbsenceRow {
    /// The resource name.
    pub fn name(&self) -> String {
        format!("absences/{}", self.id)
    }

    /// What decides where it stands.
    ///
    /// # Errors
    /// When the row is corrupt.
    pub fn facts(&self) -> Result<Facts, DbErr> {
        let reported = Reason::from_code(self.reported).ok_or_else(|| corrupt(Malformed))?;
        Ok(Facts {
            reported,
            told: Reason::from_code(self.told),
            traced: self.trace_time != 0,
            escalated: self.escalated,
            ended: self.return_time != 0,
            withdrawn: self.withdraw_time != 0,
        })
    }

    /// When the illness is to be uploaded; 0 while the reason is none. Whoever takes an illness back and
    /// tells it again has no more time than before (rule 1.8).
    pub fn due_upload(&self) -> i64 {
        if self.reason == Reason::Illness.code() {
            self.upload_due
        } else {
            0
        }
    }

    /// Whether the upload of an illness is late and still waited for.
    pub fn is_upload_overdue(&self) -> bool {
        self.upload_overdue && self.upload_time == 0 && self.due_upload() != 0
    }

    /// What it counts for in its school.
    ///
    /// # Errors
    /// When the row is corrupt.
    pub fn tally(&self) -> Result<AbsenceTally, DbErr> {
        let facts = self.facts()?;
        Ok(AbsenceTally::of(
            facts.reason(),
            facts.stands(),
            self.is_upload_overdue(),
            self.interview_due,
        ))
    }
}

/// Neither ended nor withdrawn.
const OPEN: &str = "state NOT IN (5, 6)";

/// The reports of these sources.
///
/// # Errors
/// When the database fails.
pub async fn reports_of(tx: &Tx, sources: &[&str]) -> Result<Vec<ReportRow>, DbErr> {
    let keys = sources.iter().map(|source| Value::from(*source)).collect();
    ReportRow::find(tx, "source", keys, Lock::No).await
}

/// The reports of these absences that stand.
///
/// # Errors
/// When the database fails.
pub async fn reports_on(tx: &Tx, absences: Vec<Value>) -> Result<Vec<ReportRow>, DbErr> {
    ReportRow::find(tx, "absence", absences, Lock::No).await
}

/// These reports are taken back.
///
/// # Errors
/// When the database fails.
pub async fn take_back(tx: &Tx, reports: &[ReportRow]) -> Result<(), DbErr> {
    let sql = "DELETE FROM absence_reports WHERE source = $1 AND person = $2";
    for report in reports {
        let values: [Value; 2] = [report.source.as_str().into(), report.person.clone().into()];
        tx.execute_raw(statement(tx, sql, values)).await?;
    }
    Ok(())
}

/// The absences of these people that have neither ended nor been withdrawn.
///
/// # Errors
/// When the database fails.
pub async fn open_of(tx: &Tx, people: &[Value]) -> Result<Vec<AbsenceRow>, DbErr> {
    let mut found = Vec::new();
    for part in people.chunks(1000) {
        let wheres = format!("{OPEN} AND person IN ({})", placeholders(1, part.len()));
        found.extend(AbsenceRow::page(tx, &wheres, part.to_vec(), i64::MAX.unsigned_abs()).await?);
    }
    Ok(found)
}

/// The absences at these schools that have neither ended nor been withdrawn.
///
/// # Errors
/// When the database fails.
pub async fn going_on(tx: &Tx, schools: &[&str]) -> Result<Vec<AbsenceRow>, DbErr> {
    let mut found = Vec::new();
    let schools: Vec<Value> = schools.iter().map(|school| Value::from(*school)).collect();
    for part in schools.chunks(1000) {
        let wheres = format!("{OPEN} AND school IN ({})", placeholders(1, part.len()));
        found.extend(AbsenceRow::page(tx, &wheres, part.to_vec(), i64::MAX.unsigned_abs()).await?);
    }
    Ok(found)
}

/// Which absences to list.
#[derive(Clone, Debug)]
pub struct Filter {
    /// At or below this place.
    pub place: OrgPath,
    /// In this state only; none for all that have neither ended nor been withdrawn.
    pub state: Option<i16>,
    /// For this reason only.
    pub reason: Option<i16>,
    /// Begun by this day and not over before its first instant: the day's number and that instant
    /// in milliseconds since 1970. Ended ones are listed too then.
    pub day: Option<(i32, i64)>,
}

/// Absences by identifier after `after`.
///
/// # Errors
/// When the database fails.
pub async fn list<C: ConnectionTrait + Sync>(
    connection: &C,
    filter: &Filter,
    after: &str,
    limit: u64,
) -> Result<Vec<AbsenceRow>, DbErr> {
    let standing = match (filter.state, filter.day) {
        (None, None) => OPEN,
        (None, Some(_)) => "withdraw_time = 0",
        (Some(_), _) => "TRUE",
    };
    let mut wheres =
        format!("(org_path = $1 OR (org_path >= $2 AND org_path < $3)) AND id > $4 AND {standing}");
    let mut values = below(&filter.place).to_vec();
    values.push(after.into());
    let mut push = |sql: &str, value: Value| {
        values.push(value);
        wheres.push_str(&format!(" AND {sql} ${}", values.len()));
    };
    if let Some(state) = filter.state {
        push("state =", state.into());
    }
    if let Some(reason) = filter.reason {
        push("reason =", reason.into());
    }
    if let Some((day, instant)) = filter.day {
        push("start_day <=", day.into());
        push("(return_time = 0 OR return_time >=", instant.into());
        wheres.push(')');
    }
    AbsenceRow::page(connection, &wheres, values, limit).await
}

/// The attempts to reach somebody after one of them.
///
/// # Errors
/// When the database fails.
pub async fn traces<C: ConnectionTrait + Sync>(
    connection: &C,
    absence: &str,
    after: i64,
    limit: u64,
) -> Result<Vec<TraceRow>, DbErr> {
    let values = vec![absence.into(), after.into()];
    TraceRow::page(connection, "absence = $1 AND sequence > $2", values, limit).await
}

/// How many attempts there are.
///
/// # Errors
/// When the database fails.
pub async fn count_traces(tx: &Tx, absence: &str) -> Result<i64, DbErr> {
    let sql = "SELECT COALESCE(MAX(sequence), 0) FROM absence_traces WHERE absence = $1";
    let row = tx
        .query_one_raw(statement(tx, sql, [absence.into()]))
        .await?;
    row.map_or(Ok(0), |row| row.try_get_by_index(0))
}

/// Adds to the counters of schools, which the caller has locked.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn count(tx: &Tx, changes: &BTreeMap<String, AbsenceTally>) -> Result<(), DbErr> {
    let schools: Vec<&String> = changes.keys().collect();
    let mut tallies = changes.clone();
    for part in schools.chunks(1000) {
        let sql = format!(
            "SELECT school, tally FROM absence_tallies WHERE school IN ({})",
            placeholders(1, part.len())
        );
        let values = part.iter().map(|school| Value::from(school.as_str()));
        for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
            let (school, tally) = tally_of(&row)?;
            if let Some(change) = tallies.get_mut(&school) {
                change.add(&tally, 1);
            }
        }
    }
    let packed = tallies.values().map(AbsenceTally::pack).collect();
    let columns = vec![
        ("school", Column::Text(tallies.into_keys().collect())),
        ("tally", Column::Bytes(packed)),
    ];
    let conflict = "ON CONFLICT (school) DO UPDATE SET tally = excluded.tally";
    insert(tx, "absence_tallies", columns, conflict).await
}

/// The counters of every school at or below a place, ordered by the schools' places.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn tallies_below<C: ConnectionTrait + Sync>(
    connection: &C,
    place: &OrgPath,
) -> Result<Vec<(String, AbsenceTally)>, DbErr> {
    let sql = "SELECT school, tally FROM absence_tallies \
        WHERE school = $1 OR (school >= $2 AND school < $3) ORDER BY school";
    let rows = connection
        .query_all_raw(statement(connection, sql, below(place)))
        .await?;
    rows.iter().map(tally_of).collect()
}

fn tally_of(row: &sea_orm::QueryResult) -> Result<(String, AbsenceTally), DbErr> {
    let bytes: Vec<u8> = row.try_get_by_index(1)?;
    let tally = AbsenceTally::unpack(&bytes).map_err(corrupt)?;
    Ok((row.try_get_by_index(0)?, tally))
}
