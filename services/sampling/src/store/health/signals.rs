//! Signals about the honesty of checks, and what they are found from.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kit::db::statement;
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use super::days::DayRow;
use super::expectations::ExpectationRow;
use crate::domain::day::Day;
use crate::domain::health::check::Content;
use crate::domain::health::regularity::{Kind, Report};
use crate::domain::health::rules::Slot;
use crate::domain::health::signal::SignalState;
use crate::domain::health::tally::DayTally;
use crate::domain::roll::Malformed;
use crate::store::rolls::corrupt;
use crate::store::tubes::below;
use kit::bulk::placeholders;
use kit::rows::{Row, row};

row! {
    /// A signal. Times are milliseconds since 1970, days numbers of `domain::day`; 0 for none.
    SignalRow in "reporting_signals" by ["id"] {
        /// The last part of its name; begins with the day.
        id: String,
        /// The school's place.
        school: String,
        /// The place of the group or room, or the school's.
        org_path: String,
        /// What is improbable.
        kind: i16,
        /// The day of the checks.
        day: i32,
        /// Which check of the day; 0 for several.
        slot: i16,
        /// How many.
        observed: i32,
        /// Of how many.
        total: i32,
        /// Where it stands.
        state: i16,
        /// When the school was shown it.
        show_time: i64,
        /// From when on bureaus see it in any case.
        visible_day: i32,
        /// The school's explanation.
        explanation: String,
        /// When it was explained.
        explain_time: i64,
        /// By which account.
        explained_by: String,
        /// Why it was judged so.
        judge_reason: String,
        /// When it was judged.
        judge_time: i64,
        /// By which account.
        judged_by: String,
    }
}

/// Which signals to list.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Of schools at or below this place.
    pub place: OrgPath,
    /// The school that sees its own whatever their state; of others only what bureaus see.
    pub own: String,
    /// Today.
    pub today: Day,
    /// In this state only.
    pub state: Option<SignalState>,
    /// Of this kind only.
    pub kind: Option<Kind>,
    /// Of this day and later.
    pub since: Day,
}

/// Signals by identifier after `after`.
///
/// # Errors
/// When the database fails.
pub async fn list<C: ConnectionTrait + Sync>(
    connection: &C,
    filter: &Filter,
    after: &str,
    limit: u64,
) -> Result<Vec<SignalRow>, DbErr> {
    let mut wheres = format!(
        "(school = $1 OR (school >= $2 AND school < $3)) AND id > $4 \
         AND (school = $5 OR state <> {} OR visible_day <= $6) AND day >= $7",
        SignalState::Shown.code()
    );
    let mut values = below(&filter.place).to_vec();
    values.extend([
        after.into(),
        filter.own.as_str().into(),
        i32::from(filter.today.number()).into(),
        i32::from(filter.since.number()).into(),
    ]);
    let numbers = [
        ("state", filter.state.map(SignalState::code)),
        ("kind", filter.kind.map(Kind::code)),
    ];
    for (column, number) in numbers {
        if let Some(number) = number {
            values.push(number.into());
            wheres.push_str(&format!(" AND {column} = ${}", values.len()));
        }
    }
    SignalRow::page(connection, &wheres, values, limit).await
}

/// Neighbouring schools, from the first to the last place.
#[derive(Clone, Copy, Debug)]
pub struct Schools<'a> {
    /// The first place.
    pub first: &'a str,
    /// The last one.
    pub last: &'a str,
}

impl Schools<'_> {
    fn checks(&self) -> [Value; 2] {
        [
            format!("{}/", self.first).into(),
            format!("{}0", self.last).into(),
        ]
    }

    fn places(&self) -> [Value; 2] {
        [self.first.into(), self.last.into()]
    }
}

/// Schools after a place, ordered by theirs, with what is expected of them; at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn schools_after<C: ConnectionTrait + Sync>(
    connection: &C,
    after: &str,
    limit: u64,
) -> Result<Vec<ExpectationRow>, DbErr> {
    ExpectationRow::page(connection, "school > $1", vec![after.into()], limit).await
}

const REPORT: &str = "SELECT day, slot, place, capture_time, reporter, content FROM checks";

/// The checks of schools on these days, and those with words for a symptom from `since` up to the
/// last of them.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn reports<C: ConnectionTrait>(
    connection: &C,
    schools: Schools<'_>,
    days: &BTreeSet<Day>,
    since: Day,
) -> Result<HashMap<String, Vec<Report>>, DbErr> {
    let mut found: HashMap<String, Vec<Report>> = HashMap::new();
    let mut keep = |rows: Vec<QueryResult>| -> Result<(), DbErr> {
        for row in &rows {
            let report = report(row)?;
            let school = report
                .place
                .rsplit_once('/')
                .map_or("", |(school, _)| school);
            found.entry(school.to_owned()).or_default().push(report);
        }
        Ok(())
    };
    for day in days {
        for slot in Slot::ALL {
            let sql =
                format!("{REPORT} WHERE day = $1 AND slot = $2 AND place >= $3 AND place < $4");
            let mut values: Vec<Value> = vec![number(*day), slot.code().into()];
            values.extend(schools.checks());
            let rows = connection.query_all_raw(statement(connection, &sql, values));
            keep(rows.await?)?;
        }
    }
    let last = days.last().copied().unwrap_or(since);
    for day in (since.number()..last.number()).map(Day::from_number) {
        if days.contains(&day) {
            continue;
        }
        let sql =
            format!("{REPORT} WHERE finding_count > 0 AND day = $1 AND place >= $2 AND place < $3");
        let mut values: Vec<Value> = vec![number(day)];
        values.extend(schools.checks());
        let rows = connection.query_all_raw(statement(connection, &sql, values));
        keep(rows.await?)?;
    }
    Ok(found)
}

/// What is counted of schools on these days.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn tallies<C: ConnectionTrait + Sync>(
    connection: &C,
    schools: Schools<'_>,
    days: &[Day],
) -> Result<BTreeMap<(String, Day), DayTally>, DbErr> {
    let mut values = schools.places().to_vec();
    values.extend(days.iter().map(|day| number(*day)));
    let wheres = format!(
        "school >= $1 AND school <= $2 AND day IN ({})",
        placeholders(3, days.len())
    );
    let rows = DayRow::page(connection, &wheres, values, i64::MAX.unsigned_abs()).await?;
    let tallies = rows.into_iter().map(|row| {
        let tally = DayTally::unpack(&row.tally).map_err(corrupt)?;
        Ok(((row.school, day(row.day)?), tally))
    });
    tallies.collect()
}

/// The schools that have a signal of this kind for a day since `since`.
///
/// # Errors
/// When the database fails.
pub async fn raised<C: ConnectionTrait>(
    connection: &C,
    schools: Schools<'_>,
    kind: Kind,
    since: Day,
) -> Result<BTreeSet<String>, DbErr> {
    let sql = "SELECT DISTINCT school FROM reporting_signals \
        WHERE school >= $1 AND school <= $2 AND day >= $3 AND kind = $4";
    let mut values = schools.places().to_vec();
    values.extend([number(since), kind.code().into()]);
    let rows = connection.query_all_raw(statement(connection, sql, values));
    rows.await?
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect()
}

fn number(day: Day) -> Value {
    i32::from(day.number()).into()
}

fn day(number: i32) -> Result<Day, DbErr> {
    let number = u16::try_from(number).map_err(|_| corrupt(Malformed))?;
    Ok(Day::from_number(number))
}

fn report(row: &QueryResult) -> Result<Report, DbErr> {
    let content: Vec<u8> = row.try_get_by_index(5)?;
    let content = Content::unpack(&content).map_err(corrupt)?;
    let texts = content.findings.into_iter().map(|finding| finding.other);
    Ok(Report {
        day: day(row.try_get_by_index(0)?)?,
        slot: Slot::from_code(row.try_get_by_index(1)?).ok_or_else(|| corrupt(Malformed))?,
        place: row.try_get_by_index(2)?,
        capture: row.try_get_by_index(3)?,
        account: row.try_get_by_index(4)?,
        readings: content.readings,
        texts: texts.filter(|text| !text.is_empty()).collect(),
    })
}
