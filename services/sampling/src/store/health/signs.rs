//! What is said of people's health, one row a source and person.

use std::collections::{BTreeMap, BTreeSet};

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::domain::day::Day;
use crate::domain::health::disease::{Certainty, Disease, Severity};
use crate::domain::health::sign::Sign;
use crate::domain::health::symptom::Symptoms;
use crate::domain::roll::{GroupKind, Malformed, person};
use crate::store::rolls::corrupt;
use kit::rows::{Lock, Row, execute_in, row};

/// The certainty of a disease that was ruled out, beside those of [`Certainty`].
const RULED_OUT: i16 = 3;

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
        /// How sure the diagnosis is, 0 without one; 3 when the disease was ruled out.
        certainty: i16,
        /// How grave it is.
        severity: i16,
        /// The first day of the illness, 0 when unknown.
        onset: i32,
        /// Milliseconds since 1970.
        time: i64,
        /// The last day of an illness that goes on, 0 when it does not.
        until: i32,
        /// When the service heard it, milliseconds since 1970; 0 of what was said before that was noted.
        said_time: i64,
    }
}

impl From<&Sign> for SignRow {
    fn from(sign: &Sign) -> Self {
        let known = |(disease, certainty): (Disease, Certainty)| (disease.0, certainty.code());
        let (disease, certainty) = match sign.ruled_out {
            Some(disease) => (disease.0, RULED_OUT),
            None => sign.diagnosis.map_or((0, 0), known),
        };
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
            said_time: 0,
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
            ruled_out: (self.certainty == RULED_OUT).then_some(Disease(self.disease)),
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
    let heard = heard_of_school(connection, school, first, last).await?;
    Ok(heard.into_iter().map(|(sign, _)| sign).collect())
}

/// The same, each with when the service heard it, in milliseconds since 1970; what was said before
/// that was noted with when it was seen.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn heard_of_school<C: ConnectionTrait + Sync>(
    connection: &C,
    school: &str,
    first: Day,
    last: Day,
) -> Result<Vec<(Sign, i64)>, DbErr> {
    let values = vec![
        school.into(),
        i32::from(first.number()).into(),
        i32::from(last.number()).into(),
    ];
    let wheres = "school = $1 AND day >= $2 AND day <= $3";
    let rows = SignRow::page(connection, wheres, values, i64::MAX.unsigned_abs()).await?;
    let heard = rows.into_iter().map(|row| {
        let said = row.said_time;
        let sign = row.sign()?;
        let heard = if said == 0 { sign.time } else { said };
        Ok((sign, heard))
    });
    heard.collect()
}

/// Stores what is said now, in milliseconds since 1970, in place of what the same sources said of the
/// same people.
///
/// # Errors
/// When the database fails.
pub async fn save(tx: &Tx, signs: &[&Sign], now: i64) -> Result<(), DbErr> {
    let row = |sign: &&Sign| SignRow {
        said_time: now,
        ..SignRow::from(*sign)
    };
    let rows: Vec<SignRow> = signs.iter().map(row).collect();
    SignRow::save(tx, &rows).await
}

/// The sources of these signs say nothing of their people any more.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &Tx, signs: &[&Sign]) -> Result<(), DbErr> {
    let mut people: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for sign in signs {
        let of_source = people.entry(&sign.source).or_default();
        of_source.push(sign.person.0.to_vec().into());
    }
    let sql = "DELETE FROM signs WHERE source = $1 AND person";
    for (source, people) in people {
        execute_in(tx, sql, &[source.into()], people).await?;
    }
    Ok(())
}

/// People with each symptom, in the order of the contract, and people with any.
pub type Counts = ([u32; 14], u32);

/// What is said of one person of a school: with what they were ill, and on which days.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) group: String,
    pub(super) person: Vec<u8>,
    first: Day,
    last: Day,
    pub(super) symptoms: Symptoms,
}

impl Seen {
    /// Whether they were ill on one of the days from `first` to `last`.
    pub(super) fn within(&self, first: Day, last: Day) -> bool {
        self.first <= last && first <= self.last
    }
}

/// What is said of the people of schools that bears on a day from `first` to `last`, by school: what
/// is said of these days, and illnesses from before that go on in them.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub(super) async fn seen<C: ConnectionTrait>(
    connection: &C,
    schools: &BTreeSet<&str>,
    first: Day,
    last: Day,
) -> Result<BTreeMap<String, Vec<Seen>>, DbErr> {
    let mut seen: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
    let names = schools.iter().map(|school| Value::from(*school)).collect();
    for (marks, names) in kit::bulk::keys(3, names) {
        let columns = "SELECT school, group_path, person, day, until, symptoms FROM signs";
        let sql = format!(
            "{columns} WHERE day >= $1 AND day <= $2 AND school IN ({marks}) UNION ALL \
             {columns} WHERE until > 0 AND until >= $1 AND day < $1 AND school IN ({marks})"
        );
        let mut values: Vec<Value> = vec![
            i32::from(first.number()).into(),
            i32::from(last.number()).into(),
        ];
        values.extend(names);
        let rows = connection.query_all_raw(statement(connection, &sql, values));
        for row in rows.await? {
            let day = |number: i32| u16::try_from(number).map_err(|_| corrupt(Malformed));
            let first = day(row.try_get_by_index(3)?)?;
            let until = day(row.try_get_by_index(4)?)?;
            let of_school = seen.entry(row.try_get_by_index(0)?).or_default();
            of_school.push(Seen {
                group: row.try_get_by_index(1)?,
                person: row.try_get_by_index(2)?,
                first: Day::from_number(first),
                last: Day::from_number(first.max(until)),
                symptoms: Symptoms::from_bits(row.try_get_by_index(5)?),
            });
        }
    }
    Ok(seen)
}

/// Counts each person once, with all their symptoms.
pub(super) fn count<'a>(seen: impl Iterator<Item = &'a Seen>) -> Counts {
    let mut people: BTreeMap<&[u8], Symptoms> = BTreeMap::new();
    for one in seen {
        let known = people.entry(&one.person).or_default();
        *known = known.or(one.symptoms);
    }
    let (mut each, mut ill) = Counts::default();
    for symptoms in people.into_values() {
        ill += u32::from(!symptoms.is_empty());
        for symptom in symptoms.iter() {
            each[symptom as usize - 1] += 1;
        }
    }
    (each, ill)
}

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
    let days = || wanted.iter().map(|(_, day)| *day);
    let (Some(first), Some(last)) = (days().min(), days().max()) else {
        return Ok(BTreeMap::new());
    };
    let schools = wanted.iter().map(|(school, _)| school.as_str()).collect();
    let seen = seen(tx, &schools, first, last).await?;
    let counted = wanted.iter().map(|key| {
        let of_school = seen.get(&key.0).into_iter().flatten();
        let of_day = of_school.filter(|one| one.within(key.1, key.1));
        (key.clone(), count(of_day))
    });
    Ok(counted.collect())
}

/// How many people of each class group, or group of staff, of a school have each symptom on the days
/// from `first` to `last`, each person once (rule 1.7).
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn rolling<C: ConnectionTrait>(
    connection: &C,
    school: &str,
    first: Day,
    last: Day,
) -> Result<BTreeMap<String, Counts>, DbErr> {
    let seen = seen(connection, &BTreeSet::from([school]), first, last).await?;
    let mut groups: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
    for one in seen.values().flatten() {
        groups.entry(&one.group).or_default().push(one);
    }
    let counted = groups
        .into_iter()
        .map(|(group, seen)| (group.to_owned(), count(seen.into_iter())));
    Ok(counted.collect())
}

/// The schools with an illness that goes on after `day` or on it without being said anew, by path.
///
/// # Errors
/// When the database fails.
pub async fn schools_going_on<C: ConnectionTrait>(
    connection: &C,
    day: Day,
) -> Result<Vec<String>, DbErr> {
    let sql = "SELECT DISTINCT school FROM signs WHERE until > 0 AND until >= $1 ORDER BY school";
    let values = [i32::from(day.number()).into()];
    let rows = connection.query_all_raw(statement(connection, sql, values));
    rows.await?
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect()
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
