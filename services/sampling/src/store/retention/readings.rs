//! Normal temperatures leave checks before the checks themselves go. A check is one packed row, so it is written
//! anew without them; the days that are done are remembered for each region.

use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use super::Old;
use crate::domain::day::Day;
use crate::domain::health::check::Content;
use crate::domain::roll::Malformed;
use crate::store::destruction::{Part, STANDING, SUBMISSIONS};
use crate::store::rolls::corrupt;

row! {
    /// How far a region is.
    MarkRow in "reading_marks" by ["place"] {
        /// The place of the region; empty for the whole city.
        place: String,
        /// The first day that is not done.
        day: i32,
    }
}

/// Where temperatures stand.
#[derive(Clone, Copy, Debug)]
pub struct Table(&'static Part);

/// Both tables of checks.
pub const TABLES: [Table; 2] = [Table(&SUBMISSIONS), Table(&STANDING)];

/// The place of a check in its day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    slot: i16,
    place: String,
    client: Vec<u8>,
}

/// What was done to a part of a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleared {
    /// How many checks lost normal temperatures.
    pub count: u64,
    /// Where to go on; none when the day is done.
    pub next: Option<Place>,
}

/// The first day with checks before `end` that is not done in a region.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn next_day<C: ConnectionTrait + Sync>(
    connection: &C,
    region: &str,
    end: Day,
) -> Result<Option<Day>, DbErr> {
    let mark = MarkRow::get(connection, region, Lock::No).await?;
    let first = mark.map_or(0, |mark| mark.day);
    let mut next: Option<i32> = None;
    for Table(part) in TABLES {
        let sql = format!(
            "SELECT MIN(day) FROM {} WHERE day >= $1 AND day < $2",
            part.table
        );
        let values = [first.into(), i32::from(end.number()).into()];
        let row = connection.query_one_raw(statement(connection, &sql, values));
        let day: Option<i32> = row.await?.map_or(Ok(None), |row| row.try_get_by_index(0))?;
        next = next.into_iter().chain(day).min();
    }
    let day = next.map(|day| u16::try_from(day).map_err(|_| corrupt(Malformed)));
    Ok(day.transpose()?.map(Day::from_number))
}

/// A day is done in a region.
///
/// # Errors
/// When the database fails.
pub async fn done(tx: &Tx, region: &str, day: Day) -> Result<(), DbErr> {
    let mark = MarkRow {
        place: region.to_owned(),
        day: i32::from(day.after().number()),
    };
    MarkRow::save(tx, std::slice::from_ref(&mark)).await
}

impl Table {
    /// Takes the normal temperatures out of at most `limit` checks of a day after a place.
    ///
    /// # Errors
    /// When the database fails or a row is corrupt.
    pub async fn clear(
        self,
        tx: &Tx,
        old: &Old<'_>,
        (day, after): (Day, &Place),
        limit: usize,
    ) -> Result<Cleared, DbErr> {
        let rows = self.page(tx, old, (day, after), limit).await?;
        let mut cleared = Cleared::default();
        for row in &rows {
            let (place, content) = read(row)?;
            let known = Content::unpack(&content).map_err(corrupt)?;
            if let Some(rest) = known.without_normal(old.region.fever) {
                cleared.count += self.write(tx, (day, &place), &content, &rest).await?;
            }
            if rows.len() == limit {
                cleared.next = Some(place);
            }
        }
        Ok(cleared)
    }

    async fn page(
        self,
        tx: &Tx,
        old: &Old<'_>,
        (day, after): (Day, &Place),
        limit: usize,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let Self(part) = self;
        let sql = format!(
            "SELECT slot, place, client, content FROM {} WHERE day = $1 \
             AND (slot, place, client) > ($2, $3, $4) AND {} \
             ORDER BY slot, place, client LIMIT {limit}",
            part.table,
            old.here("place", |span| part.of(span)),
        );
        let values: [Value; 4] = [
            i32::from(day.number()).into(),
            after.slot.into(),
            after.place.as_str().into(),
            after.client.clone().into(),
        ];
        tx.query_all_raw(statement(tx, &sql, values)).await
    }

    /// Writes what is left, unless something else stands there by now.
    async fn write(
        self,
        tx: &Tx,
        (day, at): (Day, &Place),
        before: &[u8],
        rest: &Content,
    ) -> Result<u64, DbErr> {
        let Self(part) = self;
        let sql = format!(
            "UPDATE {} SET content = $1 WHERE day = $2 AND slot = $3 AND place = $4 \
             AND client = $5 AND content = $6",
            part.table
        );
        let values: [Value; 6] = [
            rest.pack().into(),
            i32::from(day.number()).into(),
            at.slot.into(),
            at.place.as_str().into(),
            at.client.clone().into(),
            before.to_vec().into(),
        ];
        let done = tx.execute_raw(statement(tx, &sql, values)).await?;
        Ok(done.rows_affected())
    }
}

fn read(row: &QueryResult) -> Result<(Place, Vec<u8>), DbErr> {
    let place = Place {
        slot: row.try_get_by_index(0)?,
        place: row.try_get_by_index(1)?,
        client: row.try_get_by_index(2)?,
    };
    Ok((place, row.try_get_by_index(3)?))
}
