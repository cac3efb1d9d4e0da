//! The register in the database: rows to domain and back.

pub mod access;
pub mod calendars;
pub mod class_groups;
pub mod destruction;
pub mod disclosures;
pub mod duties;
pub mod emergencies;
pub mod guardians;
pub mod import;
pub mod load;
pub mod organizations;
pub mod policies;
pub mod responsibility;
pub mod rolls;
pub mod staff;
pub mod students;
pub mod subjects;
pub mod teaching;
pub mod teaching_summary;
pub mod unowned;

use chrono::{Datelike, NaiveDate};
use kit::org::OrgPath;
use kit::rows::Lock;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Value};

/// A civil day as it is stored: YYYYMMDD.
pub(crate) fn from_day(day: NaiveDate) -> i32 {
    let (month, day_of_month) = (day.month().cast_signed(), day.day().cast_signed());
    day.year() * 10_000 + month * 100 + day_of_month
}

/// A civil day from how it is stored.
pub(crate) fn to_day(number: i32) -> Result<NaiveDate, DbErr> {
    let part = |number: i32| u32::try_from(number).unwrap_or_default();
    NaiveDate::from_ymd_opt(
        number / 10_000,
        part(number / 100 % 100),
        part(number % 100),
    )
    .ok_or_else(|| unreadable("a civil day"))
}

/// A stored value that this version cannot read.
pub(crate) fn unreadable(what: &'static str) -> DbErr {
    DbErr::Type(format!("{what} cannot be read"))
}

/// What follows a SELECT whose rows are to be locked: SQLite has one writer anyway.
pub(crate) fn locked(db: &impl ConnectionTrait, lock: Lock) -> &'static str {
    let postgres = db.get_database_backend() == DbBackend::Postgres;
    if lock == Lock::Yes && postgres {
        " FOR UPDATE"
    } else {
        ""
    }
}

/// The condition that `column` is the place bound as `$first` or lies below it, and the three
/// values to bind from `$first` on. The root contains everything.
pub(crate) fn within(column: &str, first: usize, scope: &OrgPath) -> (String, [Value; 3]) {
    let (second, third) = (first + 1, first + 2);
    let sql = format!(
        "(${first} = '' OR {column} = ${first} OR ({column} >= ${second} AND {column} < ${third}))"
    );
    let values = [
        scope.as_str().into(),
        format!("{scope}/").into(),
        scope.below_end().into(),
    ];
    (sql, values)
}
