//! The figures of organisations: sums, and the changes that are not added up yet.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, execute_in, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::records::{text, value};
use super::{Store, below_end};
use crate::domain::figures::Counts;
use crate::domain::organization::Kind;

row! {
    /// The sums of an organisation.
    FiguresRow in "figures" by ["organization"] {
        /// The id of the organisation.
        organization: String,
        /// The sums.
        counts: String,
    }
}

row! {
    /// A change that is not added up yet.
    FigureChangeRow in "figure_changes" by ["id"] {
        /// The id.
        id: Uuid,
        /// The id of the organisation.
        organization: String,
        /// What is to be added.
        counts: String,
    }
}

impl FigureChangeRow {
    pub(super) fn new(organization: &str, more: &Counts) -> Result<Self, DbErr> {
        Ok(Self {
            id: Uuid::new_v4(),
            organization: organization.to_owned(),
            counts: text(more)?,
        })
    }
}

/// What counts at one open organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The id.
    pub id: String,
    /// Its place in the tree.
    pub org_path: String,
    /// What it is; none of a kind that this service does not know.
    pub kind: Option<Kind>,
    /// Its numbers.
    pub counts: Counts,
}

impl Store {
    /// The numbers of every open organisation at and below a place, in the order of places, from one
    /// moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counted(db: &impl ConnectionTrait, place: &str) -> Result<Vec<Counted>, DbErr> {
        let sql = "SELECT o.id, o.org_path, o.kind, f.counts FROM organizations o LEFT JOIN (\
             SELECT organization, counts FROM figures UNION ALL \
             SELECT organization, counts FROM figure_changes) f ON f.organization = o.id \
             WHERE o.open = TRUE \
             AND (o.org_path = $1 OR (o.org_path > $2 AND o.org_path < $3)) ORDER BY o.org_path";
        let values: [Value; 3] = [
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
        ];
        let mut found: Vec<Counted> = Vec::new();
        for row in db.query_all_raw(statement(db, sql, values)).await? {
            let id: String = row.try_get_by_index(0)?;
            if found.last().is_none_or(|last| last.id != id) {
                let kind: i16 = row.try_get_by_index(2)?;
                found.push(Counted {
                    id,
                    org_path: row.try_get_by_index(1)?,
                    kind: Kind::from_number(kind),
                    counts: Counts::default(),
                });
            }
            let counts: Option<String> = row.try_get_by_index(3)?;
            if let (Some(last), Some(counts)) = (found.last_mut(), counts) {
                last.counts.add(&value(&counts)?);
            }
        }
        Ok(found)
    }

    /// Notes that the deadline of a hazard of an organisation was moved.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn note_hazard_move(
        tx: &Tx,
        organization: &str,
        at: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let sql = "INSERT INTO hazard_moves (organization, moved_at) VALUES ($1, $2) \
             ON CONFLICT (organization) DO UPDATE SET moved_at = excluded.moved_at";
        let values = [organization.into(), at.timestamp_millis().into()];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }

    /// When the deadline of a hazard was moved last, in milliseconds since 1970, by the id of the organisation,
    /// at and below a place.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn hazard_moves(
        db: &impl ConnectionTrait,
        place: &str,
    ) -> Result<BTreeMap<String, i64>, DbErr> {
        let sql = "SELECT m.organization, m.moved_at FROM hazard_moves m \
             JOIN organizations o ON o.id = m.organization \
             WHERE o.org_path = $1 OR (o.org_path > $2 AND o.org_path < $3)";
        let values: [Value; 3] = [
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
        ];
        let rows = db.query_all_raw(statement(db, sql, values)).await?;
        let moves = rows
            .iter()
            .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)));
        moves.collect()
    }

    /// The numbers of all open organisations together.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counted_everywhere(db: &impl ConnectionTrait) -> Result<Counts, DbErr> {
        let sql = "SELECT f.counts FROM (\
             SELECT organization, counts FROM figures UNION ALL \
             SELECT organization, counts FROM figure_changes) f \
             JOIN organizations o ON o.id = f.organization WHERE o.open = TRUE";
        let mut sum = Counts::default();
        for row in db.query_all_raw(statement(db, sql, [])).await? {
            let counts: String = row.try_get_by_index(0)?;
            sum.add(&value(&counts)?);
        }
        Ok(sum)
    }

    /// Adds up some changes, at most `limit`; says whether there may be more.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn add_figures_up(tx: &Tx, limit: u64) -> Result<bool, DbErr> {
        let changes = FigureChangeRow::page(tx, "TRUE", Vec::new(), limit).await?;
        if changes.is_empty() {
            return Ok(false);
        }
        let full = changes.len() as u64 == limit;
        let mut sums: BTreeMap<String, Counts> = BTreeMap::new();
        for change in &changes {
            let more = value(&change.counts)?;
            sums.entry(change.organization.clone())
                .or_default()
                .add(&more);
        }
        let keys = sums.keys().map(|id| id.as_str().into()).collect();
        for row in FiguresRow::find(tx, "organization", keys, Lock::Yes).await? {
            let before = value(&row.counts)?;
            sums.entry(row.organization).or_default().add(&before);
        }
        let rows = sums.into_iter().map(|(organization, counts)| {
            Ok(FiguresRow {
                organization,
                counts: text(&counts)?,
            })
        });
        FiguresRow::save(tx, &rows.collect::<Result<Vec<_>, DbErr>>()?).await?;
        let ids = changes.into_iter().map(|change| change.id.into()).collect();
        execute_in(tx, "DELETE FROM figure_changes WHERE id", &[], ids).await?;
        let sql = "UPDATE figure_revision SET revision = revision + 1 WHERE id = 1";
        tx.execute_raw(statement(tx, sql, [])).await?;
        Ok(full)
    }

    /// Whether there are changes to be added up.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn has_figure_changes(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
        let sql = "SELECT 1 FROM figure_changes ORDER BY id LIMIT 1";
        let found = db.query_one_raw(statement(db, sql, [])).await?;
        Ok(found.is_some())
    }

    /// Grows whenever changes were added up.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn figures_revision(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
        let sql = "SELECT revision FROM figure_revision WHERE id = 1";
        let row = db.query_one_raw(statement(db, sql, [])).await?;
        row.map_or(Ok(0), |row| row.try_get_by_index(0))
    }
}
