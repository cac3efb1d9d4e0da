//! What is kept of resumptions for whoever looks at many: narrow rows, no evidence.

use kit::db::statement;
use sea_orm::{ConnectionTrait, DbErr};

use super::{Kept, NEVER, WITHIN, guards_of, instant, select, summary_of, within};
use crate::domain::resumption::figures::Line;
use crate::domain::resumption::state::State;
use crate::store::{Store, unreadable};

impl Store {
    /// A line for each resumption at and below a place, of one batch when `position` is not 0.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resumption_lines(
        db: &impl ConnectionTrait,
        place: &str,
        position: i16,
    ) -> Result<Vec<Line>, DbErr> {
        let sql = format!(
            "SELECT org_path, state, score, items, met, open_items, open_categories, guards, \
             checked_at FROM resumptions WHERE {WITHIN} AND (position = $4 OR $4 = 0)"
        );
        let mut values = within(place);
        values.push(position.into());
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter()
            .map(|row| {
                let state: i16 = row.try_get_by_index(1)?;
                let number = |place: usize| row.try_get_by_index::<i32>(place);
                let numbers = [number(3)?, number(4)?, number(5)?, number(6)?];
                let checked: i64 = row.try_get_by_index(8)?;
                let checked = (checked != 0).then(|| instant(checked));
                Ok(Line {
                    org_path: row.try_get_by_index(0)?,
                    state: State::from_number(state.into()).ok_or_else(|| unreadable("state"))?,
                    summary: summary_of(row.try_get_by_index(2)?, numbers),
                    guards: guards_of(number(7)?).into_iter().collect(),
                    checked: checked.transpose()?,
                })
            })
            .collect()
    }

    /// Resumptions at and below a place that are not back at school, silent ones first, then by
    /// their score, after one of a score at a place.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resumptions_ranked(
        db: &impl ConnectionTrait,
        place: &str,
        position: i16,
        after: Option<(i16, String, i16)>,
        limit: u64,
    ) -> Result<Vec<Kept>, DbErr> {
        let (score, path, batch) = after.unwrap_or((i16::MIN, String::new(), 0));
        // What is back at school has nothing to be asked any more.
        let rest = format!(
            "{WITHIN} AND (position = $4 OR $4 = 0) AND check_at < {NEVER} \
             AND (score > $5 OR (score = $5 AND (org_path > $6 OR (org_path = $6 AND position > $7)))) \
             ORDER BY score, org_path, position LIMIT {limit}"
        );
        let mut values = within(place);
        values.extend([position.into(), score.into(), path.into(), batch.into()]);
        select(db, &rest, values).await
    }
}
