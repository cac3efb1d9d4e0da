//! What is said of people's health, one row a source and person.

use std::collections::{BTreeMap, BTreeSet};

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::units::keys;
use crate::domain::day::Day;
use crate::domain::health::disease::{Certainty, Disease, Severity};
use crate::domain::health::sign::Sign;
use crate::domain::health::symptom::Symptoms;
use crate::domain::roll::{GroupKind, Malformed, person};
use crate::store::rolls::corrupt;
use kit::rows::{Lock, Row, execute_in, row};

row! {
    /// What one source says of one person.
    SignRow in "signs" by ["source", "person"] {
        /// The resource name of the source.
        source: String,
        /// Who.
        person: Vec<u8>,
        /// Student (1) or staff (2).
        kind: i16,
        /// The school's place.
        school: String,
        /// The group's place.
        group_path: String,
        /// The dormitory room's identifier.
        dormitory: String,
        /// The day.
        day: i32,
        /// The symptoms' bits.
        symptoms: i32,
        /// Tenths of a degree Celsius, 0 for none.
        temperature: i16,
        /// The disease, 0 for none.
        disease: i16,
        /// How sure the diagnosis is, 0 without one.
        certainty: i16,
        /// How grave it is.
        severity: i16,
        /// The first day of the illness, 0 when unknown.
        onset: i32,
        /// Milliseconds since 1970.
        time: i64,
        /// The last day of an illness that goes on, 0 when it does not.
        until: i32,
    }
}

impl From<&Sign> for SignRow {
    fn from(sign: &Sign) -> Self {
        let (disease, certainty) = sign
            .diagnosis
            .map_or((0, 0), |(disease, certainty)| (disease.0, certainty.code()));
        Self {
            source: sign.source.clone(),
            person: sign.person.0.to_vec(),
            kind: sign.kind.code(),
            school: sign.school().to_owned(),
            group_path: sign.group.clone(),
            dormitory: sign.dormitory.clone(),
            day: i32::from(sign.day.number()),
            symptoms: sign.symptoms.bits(),
            temperature: sign.temperature,
            disease,
            certainty,
            severity: sign.severity.code(),
            onset: i32::from(sign.onset.number()),
            time: sign.time,
            until: i32::from(sign.until.number()),
        }
    }
}

impl SignRow {
    fn sign(self) -> Result<Sign, DbErr> {
        let malformed = || corrupt(Malformed);
        if self.person.len() != 16 {
            return Err(malformed());
        }
        let day = |number: i32| u16::try_from(number).map(Day::from_number);
        Ok(Sign {
            source: self.source,
            person: person(&self.person),
            kind: GroupKind::from_code(self.kind).ok_or_else(malformed)?,
            group: self.group_path,
            dormitory: self.dormitory,
            day: day(self.day).map_err(|_| malformed())?,
            symptoms: Symptoms::from_bits(self.symptoms),
            temperature: self.temperature,
            diagnosis: Certainty::from_code(self.certainty)
                .map(|certainty| (Disease(self.disease), certainty)),
            severity: Severity::from_code(self.severity).ok_or_else(malformed)?,
            onset: day(self.onset).map_err(|_| malformed())?,
            time: self.time,
            until: day(self.until).map_err(|_| malformed())?,
        })
    }
}

/// Everything these sources say.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn of_sources(tx: &Tx, sources: &[&str]) -> Result<Vec<Sign>, DbErr> {
    let keys = sources.iter().map(|source| Value::from(*source)).collect();
    let rows = SignRow::find(tx, "source", keys, Lock::No).await?;
    rows.into_iter().map(SignRow::sign).collect()
}

/// Everything said of these people, whenever.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn of_people<C: ConnectionTrait + Sync>(
    connection: &C,
    people: Vec<Value>,
) -> Result<Vec<Sign>, DbErr> {
    let rows = SignRow::find(connection, "person", people, Lock::No).await?;
    rows.into_iter().map(SignRow::sign).collect()
}

/// Everything said in a school of the days from `first` to `last`, ordered by source and person.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn of_school<C: ConnectionTrait + Sync>(
    connection: &C,
    school: &str,
    first: Day,
    last: Day,
) -> Result<Vec<Sign>, DbErr> {
    let values = vec![
        school.into(),
        i32::from(first.number()).into(),
        i32::from(last.number()).into(),
    ];
    let wheres = "school = $1 AND day >= $2 AND day <= $3";
    let rows = SignRow::page(connection, wheres, values, i64::MAX.unsigned_abs()).await?;
    rows.into_iter().map(SignRow::sign).collect()
}

/// Stores what is said, in place of what the same sources said of the same people.
///
/// # Errors
/// When the database fails.
pub async fn save(tx: &Tx, signs: &[Sign]) -> Result<(), DbErr> {
    let rows: Vec<SignRow> = signs.iter().map(SignRow::from).collect();
    SignRow::save(tx, &rows).await
}

/// These sources say nothing any more.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &Tx, sources: &[&str]) -> Result<(), DbErr> {
    let keys = sources.iter().map(|source| Value::from(*source)).collect();
    execute_in(tx, "DELETE FROM signs WHERE source", &[], keys).await
}

/// People with each symptom, in the order of the contract, and people with any.
pub type Counts = ([u32; 14], u32);

/// How many people have each symptom in a school on a day, in the order of the contract, and how
/// many have any.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn counts(tx: &Tx, school: &str, day: Day) -> Result<Counts, DbErr> {
    let wanted = BTreeSet::from([(school.to_owned(), day)]);
    let mut counts = counts_of(tx, &wanted).await?;
    Ok(counts
        .pop_first()
        .map(|(_, counts)| counts)
        .unwrap_or_default())
}

/// The same of many schools and days, all of them.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn counts_of(
    tx: &Tx,
    wanted: &BTreeSet<(String, Day)>,
) -> Result<BTreeMap<(String, Day), Counts>, DbErr> {
    let mut schools: BTreeMap<Day, Vec<Value>> = BTreeMap::new();
    for (school, day) in wanted {
        let schools = schools.entry(*day).or_default();
        schools.push(school.as_str().into());
    }
    let mut people: BTreeMap<(String, Day, Vec<u8>), Symptoms> = BTreeMap::new();
    for (day, schools) in schools {
        for (marks, schools) in keys(2, schools) {
            let sql = format!(
                "SELECT school, person, symptoms FROM signs WHERE day = $1 AND school IN ({marks})"
            );
            let mut values = vec![i32::from(day.number()).into()];
            values.extend(schools);
            for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
                let key = (row.try_get_by_index(0)?, day, row.try_get_by_index(1)?);
                let symptoms = Symptoms::from_bits(row.try_get_by_index(2)?);
                let known = people.entry(key).or_default();
                *known = known.or(symptoms);
            }
        }
    }
    let mut counts: BTreeMap<(String, Day), Counts> = wanted
        .iter()
        .map(|key| (key.clone(), Counts::default()))
        .collect();
    for ((school, day, _), symptoms) in people {
        let (each, ill) = counts.entry((school, day)).or_default();
        *ill += u32::from(!symptoms.is_empty());
        for symptom in symptoms.iter() {
            each[symptom as usize - 1] += 1;
        }
    }
    Ok(counts)
}

/// How many people of each class group, or group of staff, at or below a place have each symptom
/// on the days from `first` to `last`, each person once (rule 1.7).
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn rolling<C: ConnectionTrait>(
    connection: &C,
    place: &str,
    first: Day,
    last: Day,
) -> Result<BTreeMap<String, Counts>, DbErr> {
    let sql = "SELECT group_path, person, symptoms FROM signs WHERE day >= $1 AND day <= $2 \
        AND (school = $3 OR group_path = $3 OR (school >= $4 AND school < $5))";
    let values: [Value; 5] = [
        i32::from(first.number()).into(),
        i32::from(last.number()).into(),
        place.into(),
        format!("{place}/").into(),
        format!("{place}0").into(),
    ];
    let mut people: BTreeMap<(String, Vec<u8>), Symptoms> = BTreeMap::new();
    let rows = connection.query_all_raw(statement(connection, sql, values));
    for row in rows.await? {
        let key = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let known = people.entry(key).or_default();
        *known = known.or(Symptoms::from_bits(row.try_get_by_index(2)?));
    }
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    for ((group, _), symptoms) in people {
        let (each, ill) = counts.entry(group).or_default();
        *ill += u32::from(!symptoms.is_empty());
        for symptom in symptoms.iter() {
            each[symptom as usize - 1] += 1;
        }
    }
    Ok(counts)
}

/// The schools below a place of which something is said of the days from `first` to `last`, by
/// path, and how much.
///
/// # Errors
/// When the database fails.
pub async fn schools_below<C: ConnectionTrait + Sync>(
    connection: &C,
    place: &str,
    (first, last): (Day, Day),
) -> Result<Vec<(String, i64)>, DbErr> {
    let sql = "SELECT school, COUNT(*) FROM signs \
        WHERE (school = $1 OR (school >= $2 AND school < $3)) AND day >= $4 AND day <= $5 \
        GROUP BY school ORDER BY school";
    let values: [Value; 5] = [
        place.into(),
        format!("{place}/").into(),
        format!("{place}0").into(),
        i32::from(first.number()).into(),
        i32::from(last.number()).into(),
    ];
    let rows = connection
        .query_all_raw(statement(connection, sql, values))
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect()
}
