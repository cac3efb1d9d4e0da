//! What gates without a network decided otherwise than this service would have: counted, for whoever must
//! be told of it.

use chrono::{DateTime, NaiveDate, Utc};
use kit::clock::start_of;
use kit::db::statement;
use sea_orm::{ConnectionTrait, DbErr};

use super::decisions::outcome_number;
use super::retention::first_id_at;
use crate::domain::gate::decision::Outcome;
use crate::store::Store;

/// What there is of an organisation once, and is told anew after such a decision.
pub(crate) const STANDING: &str = "gateConflictStanding";

/// How many of them of one school and day are looked at.
const MOST: i64 = 10_000;

/// How many such decisions were recorded on one day, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conflicts {
    /// How many; at least one.
    pub(crate) count: usize,
    /// How many of these let somebody in.
    pub(crate) admitted: usize,
    /// When the first of them was recorded.
    pub(crate) first: DateTime<Utc>,
    /// When the last of them was recorded.
    pub(crate) last: DateTime<Utc>,
}

impl Store {
    /// The contradicted decisions of a school that were recorded on a civil day, but for those that a
    /// human overrode; none when there are none.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn conflicts(
        db: &impl ConnectionTrait,
        school: &str,
        day: NaiveDate,
    ) -> Result<Option<Conflicts>, DbErr> {
        let sql = "SELECT d.outcome, d.record_time FROM gate_decisions d \
             LEFT JOIN gate_overrides o ON o.school = d.school AND o.id = d.id \
             WHERE d.school = $1 AND d.id >= $2 AND d.expected <> d.outcome AND o.id IS NULL \
             ORDER BY d.id LIMIT $3";
        let values = [
            school.into(),
            first_id_at(start_of(day)).into(),
            MOST.into(),
        ];
        let (mut times, mut admitted) = (Vec::new(), 0);
        for row in db.query_all_raw(statement(db, sql, values)).await? {
            let outcome: i16 = row.try_get_by_index(0)?;
            admitted += usize::from(outcome == outcome_number(Outcome::Admit));
            times.push(row.try_get_by_index::<DateTime<Utc>>(1)?);
        }
        let (first, last) = (times.iter().min().copied(), times.iter().max().copied());
        Ok(first.zip(last).map(|(first, last)| Conflicts {
            count: times.len(),
            admitted,
            first,
            last,
        }))
    }
}
