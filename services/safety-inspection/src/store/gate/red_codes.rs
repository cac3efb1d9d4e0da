//! Whom a red health code kept out at the gate (rule 3.4): counted, for whoever must be told of it.

use chrono::{DateTime, NaiveDate, Utc};
use kit::clock::start_of;
use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::retention::first_id_at;
use crate::domain::gate::finding::Finding;
use crate::domain::gate::observation::Colour;
use crate::domain::visitor::visit::Visit;
use crate::store::Store;
use crate::store::told::RetellingRow;

/// What there is of an organisation once, and is told anew after a red code.
pub(crate) const STANDING: &str = "gateRedCodeStanding";

/// How many decisions with a red code of one school and day are looked at.
const MOST: i64 = 10_000;

/// The place of the health code among the findings of a row.
const HEALTH_CODE: usize = 2;

row! {
    /// Visitors whom a red code kept out at one check; what is known of each is sealed with the visit.
    VisitRedCodeRow in "visit_red_codes" by ["id"] {
        /// Any.
        id: Uuid,
        /// The visit.
        visit: Uuid,
        /// The id of the school.
        organization: String,
        /// How many of them.
        people: i32,
        /// Milliseconds since 1970.
        at: i64,
    }
}

/// How many people a red code kept out on one day, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RedCodes {
    /// How many; at least one.
    pub(crate) count: usize,
    /// When the first of them was.
    pub(crate) first: DateTime<Utc>,
    /// When the last of them was.
    pub(crate) last: DateTime<Utc>,
}

/// Whether the findings of a row tell of a red code.
pub(super) fn is_red(findings: &[u8]) -> bool {
    let code = findings.get(HEALTH_CODE).copied();
    code == Some(Finding::ColourRed.number())
}

impl Store {
    /// So many of the visitors of a visit were kept out by a red code; the school is told anew.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn visitors_with_red_codes(
        tx: &Tx,
        visit: &Visit,
        people: usize,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let row = VisitRedCodeRow {
            id: Uuid::new_v4(),
            visit: visit.id,
            organization: visit.organization.clone(),
            people: i32::try_from(people).unwrap_or(i32::MAX),
            at: now.timestamp_millis(),
        };
        VisitRedCodeRow::add(tx, &[row]).await?;
        let entity = format!("organizations/{}/{STANDING}", visit.organization);
        RetellingRow::add(tx, &[RetellingRow::now(entity)]).await
    }

    /// Whom a red code kept out at a school on a civil day; none when there was nobody.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn red_codes(
        db: &impl ConnectionTrait,
        school: &str,
        day: NaiveDate,
    ) -> Result<Option<RedCodes>, DbErr> {
        let begin = start_of(day);
        let sql = "SELECT findings, decide_time FROM gate_decisions \
             WHERE school = $1 AND id >= $2 AND colour = $3 ORDER BY id LIMIT $4";
        let values = [
            school.into(),
            first_id_at(begin).into(),
            Colour::Red.number().into(),
            MOST.into(),
        ];
        let mut found: Vec<(usize, DateTime<Utc>)> = Vec::new();
        for row in db.query_all_raw(statement(db, sql, values)).await? {
            let findings: Vec<u8> = row.try_get_by_index(0)?;
            if is_red(&findings) {
                found.push((1, row.try_get_by_index(1)?));
            }
        }
        let sql = "SELECT people, at FROM visit_red_codes \
             WHERE organization = $1 AND at >= $2 ORDER BY at LIMIT $3";
        let values = [school.into(), begin.timestamp_millis().into(), MOST.into()];
        for row in db.query_all_raw(statement(db, sql, values)).await? {
            let people: i32 = row.try_get_by_index(0)?;
            let at = DateTime::from_timestamp_millis(row.try_get_by_index(1)?);
            found.extend(at.map(|at| (usize::try_from(people).unwrap_or_default(), at)));
        }
        let times = || found.iter().map(|(_, at)| *at);
        Ok(times()
            .min()
            .zip(times().max())
            .map(|(first, last)| RedCodes {
                count: found.iter().map(|(people, _)| people).sum(),
                first,
                last,
            }))
    }
}
