//! Visits below a place.

use chrono::{DateTime, NaiveDate, Utc};
use kit::db::statement;
use kit::rows::Row;
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::{KeptVisit, VisitRow};
use crate::domain::person::PersonName;
use crate::domain::visitor::state::State;
use crate::store::{Store, below_end};

/// Which visits a list holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct VisitFilter {
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those of this civil day.
    pub day: Option<NaiveDate>,
    /// Only those to this member of staff.
    pub host: Option<PersonName>,
    /// Only those whose entry in the book after an emergency is overdue.
    pub after_entry_overdue: bool,
}

impl Store {
    /// Visits at and below `place` as they are at `now`, by place and then by when they were asked for,
    /// after `after`.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn visits_below(
        db: &impl ConnectionTrait,
        (place, now): (&str, DateTime<Utc>),
        filter: &VisitFilter,
        after: Option<(String, Uuid)>,
        limit: u64,
    ) -> Result<Vec<KeptVisit>, DbErr> {
        let mut values: Vec<Value> = vec![
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
        ];
        let mut wheres = String::from("(org_path = $1 OR (org_path > $2 AND org_path < $3))");
        let mut also = |column: &str, value: Value| {
            values.push(value);
            wheres.push_str(&format!(" AND {column} = ${}", values.len()));
        };
        if let Some(state) = filter.state {
            also("state", (state as i16).into());
        }
        if let Some(day) = filter.day {
            also("visit_day", day.to_string().into());
        }
        if let Some(host) = filter.host {
            also("host", host.to_string().into());
        }
        if filter.after_entry_overdue {
            values.push(now.timestamp_millis().into());
            let now = values.len();
            wheres.push_str(&format!(
                " AND crew <> 0 AND after_at = 0 AND after_due_at <> 0 AND after_due_at <= ${now}"
            ));
        }
        if let Some((path, id)) = after {
            values.extend([path.into(), id.into()]);
            let (path, id) = (values.len() - 1, values.len());
            wheres.push_str(&format!(" AND (org_path, id) > (${path}, ${id})"));
        }
        values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        let sql = format!(
            "SELECT {} FROM visits WHERE {wheres} ORDER BY org_path, id LIMIT ${}",
            VisitRow::COLUMNS.join(", "),
            values.len(),
        );
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter().map(|row| VisitRow::read(row)?.kept()).collect()
    }
}
