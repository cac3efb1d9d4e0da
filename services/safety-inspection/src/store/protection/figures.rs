//! What all schools and kindergartens of a part of the tree say of the three demands of rule 5.10, in one query.

use chrono::NaiveDate;
use kit::db::statement;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::{Store, below_end, day_number};
use crate::domain::organization::Kind;
use crate::domain::protection::figures::Figure;
use crate::domain::protection::version::State;

/// What one campus says of the three demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampusAnswers {
    /// The place of the campus.
    pub org_path: String,
    /// Full-time guards, closed management, one-key alarm; each counts this one campus.
    pub figures: [Figure; 3],
}

/// What an answer of a version in this state counts as. One that was returned says nothing: the campus has to
/// declare anew.
fn figure(state: Option<i16>, (answer, due): (Option<i16>, Option<i32>), today: i32) -> Figure {
    let is = |of: State| state == Some(of as i16);
    let (answer, confirmed) = (
        answer.filter(|_| !is(State::Returned)),
        is(State::Confirmed),
    );
    let good = due.is_some_and(|due| due >= today);
    let count = |yes: bool| u64::from(yes);
    Figure {
        campuses: 1,
        met: count(answer == Some(1) && good),
        not_met: count(answer == Some(2)),
        lapsed: count(answer == Some(1) && !good),
        confirmed: count(answer == Some(1) && good && confirmed),
    }
}

impl Store {
    /// What every open school and kindergarten at and below a place says on a civil day, in the order of places.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn campus_answers(
        db: &impl ConnectionTrait,
        place: &str,
        today: NaiveDate,
    ) -> Result<Vec<CampusAnswers>, DbErr> {
        let campuses = Kind::ALL.into_iter().filter(|kind| kind.is_school());
        let kinds: Vec<String> = campuses.map(|kind| (kind as i16).to_string()).collect();
        let sql = format!(
            "SELECT o.org_path, p.state, p.guards_answer, p.guards_due, p.closed_answer, \
             p.closed_due, p.alarm_answer, p.alarm_due \
             FROM organizations o LEFT JOIN protections p ON p.organization = o.id \
             WHERE o.open = TRUE AND o.kind IN ({}) \
             AND (o.org_path = $1 OR (o.org_path > $2 AND o.org_path < $3)) ORDER BY o.org_path",
            kinds.join(", ")
        );
        let values: [Value; 3] = [
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
        ];
        let today = day_number(today);
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter()
            .map(|row| {
                let state: Option<i16> = row.try_get_by_index(1)?;
                let figure = |answer: usize| -> Result<Figure, DbErr> {
                    let due = row.try_get_by_index(answer + 1)?;
                    let answer = row.try_get_by_index(answer)?;
                    Ok(figure(state, (answer, due), today))
                };
                Ok(CampusAnswers {
                    org_path: row.try_get_by_index(0)?,
                    figures: [figure(2)?, figure(4)?, figure(6)?],
                })
            })
            .collect()
    }
}
