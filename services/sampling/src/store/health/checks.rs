//! Checks: what stands of each, and the submissions that did not prevail.

use std::collections::BTreeSet;

use kit::db::Tx;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::units::Range;
use crate::domain::day::Day;
use crate::domain::health::check::{Content, Unit};
use crate::domain::health::rules::Slot;
use crate::domain::health::screening::Claim;
use crate::domain::health::tally::SlotTally;
use crate::domain::roll::Malformed;
use crate::store::rolls::corrupt;
use kit::bulk::Column;
use kit::rows::{Row, row};

row! {
    /// What stands of one check.
    CheckRow in "checks" by ["day", "slot", "place"] {
        /// The day.
        day: i32,
        /// Which check of the day.
        slot: i16,
        /// The place of the class group, or the school's and the room's identifier.
        place: String,
        /// Class group (1), staff (2) or dormitory room (3).
        unit: i16,
        /// Whether it was expected when it was first submitted.
        expected: bool,
        /// People on the roll.
        roll_count: i32,
        /// People present.
        present_count: i32,
        /// People absent.
        absent_count: i32,
        /// People absent and ill.
        ill_absent_count: i32,
        /// People with symptoms.
        finding_count: i32,
        /// The packed content.
        content: Vec<u8>,
        /// When it was taken, in milliseconds since 1970.
        capture_time: i64,
        /// When what stands arrived.
        submit_time: i64,
        /// When the first submission arrived.
        first_submit_time: i64,
        /// When it was due.
        due_time: i64,
        /// The account.
        reporter: String,
        /// The identifier that the reporter's device gave it.
        client: Vec<u8>,
        /// The same for the same submission.
        identity: Vec<u8>,
        /// The same for the same content.
        digest: Vec<u8>,
        /// What stands is a correction.
        correction: bool,
        /// Why it was corrected.
        correction_reason: String,
        /// The policy and its version.
        policy_version: String,
        /// Grows when something else stands.
        version: i64,
        /// How many submissions there are.
        submission_count: i32,
        /// How many of them contradict what stands.
        conflict_count: i32,
    }
}

row! {
    /// A submission that did not prevail.
    SubmissionRow in "check_submissions" by ["day", "slot", "place", "client"] {
        /// The day.
        day: i32,
        /// Which check of the day.
        slot: i16,
        /// The place.
        place: String,
        /// The identifier that the reporter's device gave it.
        client: Vec<u8>,
        /// The same for the same submission.
        identity: Vec<u8>,
        /// The same for the same content.
        digest: Vec<u8>,
        /// People with symptoms.
        finding_count: i32,
        /// The packed content.
        content: Vec<u8>,
        /// When it was taken, in milliseconds since 1970.
        capture_time: i64,
        /// When it arrived.
        submit_time: i64,
        /// The account.
        reporter: String,
        /// It was a correction.
        correction: bool,
        /// Why it corrected.
        correction_reason: String,
    }
}

/// Which check: the day, the check of the day, and the place.
pub type Key = (Day, Slot, String);

/// Sixteen bytes of a column; others are none of ours.
fn sixteen(bytes: &[u8]) -> [u8; 16] {
    bytes.try_into().unwrap_or_default()
}

impl CheckRow {
    /// What stands of one check.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn at(tx: &Tx, (day, slot, place): &Key) -> Result<Option<Self>, DbErr> {
        let values = vec![
            i32::from(day.number()).into(),
            slot.code().into(),
            place.as_str().into(),
        ];
        let wheres = "day = $1 AND slot = $2 AND place = $3";
        Ok(Self::page(tx, wheres, values, 1).await?.pop())
    }

    /// Which check it is.
    ///
    /// # Errors
    /// When the row is corrupt.
    pub fn key(&self) -> Result<Key, DbErr> {
        let day = u16::try_from(self.day).map_err(|_| corrupt(Malformed))?;
        let slot = Slot::from_code(self.slot).ok_or_else(|| corrupt(Malformed))?;
        Ok((Day::from_number(day), slot, self.place.clone()))
    }

    /// The place of the school.
    pub fn school(&self) -> &str {
        self.place.rsplit_once('/').map_or("", |(school, _)| school)
    }

    /// Whom it is about.
    ///
    /// # Errors
    /// When the row is corrupt.
    pub fn unit(&self) -> Result<Unit, DbErr> {
        Unit::from_code(self.unit).ok_or_else(|| corrupt(Malformed))
    }

    /// What it says.
    ///
    /// # Errors
    /// When the stored bytes are no content.
    pub fn content(&self) -> Result<Content, DbErr> {
        Content::unpack(&self.content).map_err(corrupt)
    }

    /// Its first submission came after it was due.
    pub fn late(&self) -> bool {
        self.first_submit_time > self.due_time
    }

    /// The submission that stands.
    pub fn claim(&self) -> Claim {
        Claim {
            client: sixteen(&self.client),
            identity: sixteen(&self.identity),
            content: sixteen(&self.digest),
            capture: self.capture_time,
            correction: self.correction,
            arrival: self.submit_time,
        }
    }

    /// What it counts for in its school and day.
    pub fn tally(&self) -> SlotTally {
        let count = |number: i32| u32::try_from(number).unwrap_or(0);
        SlotTally {
            frozen: false,
            expected: 0,
            answered: u32::from(self.expected),
            submitted: 1,
            zero: u32::from(self.finding_count == 0),
            late: u32::from(self.late()),
            roll: count(self.roll_count),
            present: count(self.present_count),
            absent: count(self.absent_count),
            ill_absent: count(self.ill_absent_count),
        }
    }

    /// The submission that stands, as it is kept once it does not.
    pub fn superseded(self) -> SubmissionRow {
        SubmissionRow {
            day: self.day,
            slot: self.slot,
            place: self.place,
            client: self.client,
            identity: self.identity,
            digest: self.digest,
            finding_count: self.finding_count,
            content: self.content,
            capture_time: self.capture_time,
            submit_time: self.submit_time,
            reporter: self.reporter,
            correction: self.correction,
            correction_reason: self.correction_reason,
        }
    }
}

impl SubmissionRow {
    /// As far as it decides what stands.
    pub fn claim(&self) -> Claim {
        Claim {
            client: sixteen(&self.client),
            identity: sixteen(&self.identity),
            content: sixteen(&self.digest),
            capture: self.capture_time,
            correction: self.correction,
            arrival: self.submit_time,
        }
    }
}

/// Rows of one of the two tables with these keys.
async fn at<R: Row, C: ConnectionTrait + Sync>(
    connection: &C,
    wanted: impl Iterator<Item = &Key>,
) -> Result<Vec<R>, DbErr> {
    let wanted: BTreeSet<&Key> = wanted.collect();
    let days = wanted.iter().map(|(day, ..)| i32::from(day.number()));
    let slots = wanted.iter().map(|(_, slot, _)| slot.code());
    let places = wanted.iter().map(|(.., place)| place.clone());
    let keys = vec![
        ("day", Column::Int(days.collect())),
        ("slot", Column::Small(slots.collect())),
        ("place", Column::Text(places.collect())),
    ];
    R::among(connection, keys).await
}

/// What stands of these checks.
///
/// # Errors
/// When the database fails.
pub async fn standing<C: ConnectionTrait + Sync>(
    connection: &C,
    wanted: impl Iterator<Item = &Key>,
) -> Result<Vec<CheckRow>, DbErr> {
    at(connection, wanted).await
}

/// The submissions of these checks that did not prevail.
///
/// # Errors
/// When the database fails.
pub async fn superseded<C: ConnectionTrait + Sync>(
    connection: &C,
    wanted: impl Iterator<Item = &Key>,
) -> Result<Vec<SubmissionRow>, DbErr> {
    at(connection, wanted).await
}

/// The checks of one slot in a range of places, ordered by place; at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn list<C: ConnectionTrait + Sync>(
    connection: &C,
    (day, slot): (Day, Slot),
    range: &Range,
    limit: u64,
) -> Result<Vec<CheckRow>, DbErr> {
    let wheres = format!("day = $1 AND slot = $2 AND {}", range.wheres("place", 3));
    let mut values: Vec<Value> = vec![i32::from(day.number()).into(), slot.code().into()];
    values.extend(range.values());
    CheckRow::page(connection, &wheres, values, limit).await
}

/// Stores what stands now, and adds what does not.
///
/// # Errors
/// When the database fails.
pub async fn save(tx: &Tx, rows: &[CheckRow], gone: &[SubmissionRow]) -> Result<(), DbErr> {
    CheckRow::save(tx, rows).await?;
    SubmissionRow::add(tx, gone).await
}
