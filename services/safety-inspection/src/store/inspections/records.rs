//! Inspections.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::{IN_TREE, count, day, instant, known, millis, optional_instant, small, tree, unsigned};
use crate::domain::checklist::item::PlaceKind;
use crate::domain::checklist::template::TemplateId;
use crate::domain::inspection::schedule::Level;
use crate::domain::inspection::state::{Figures, Inspection, State};
use crate::store::{Store, unreadable};

row! {
    /// An inspection.
    InspectionRow in "inspections" by ["id"] {
        /// Sorts by when it was planned.
        id: Uuid,
        /// The id of the organisation.
        organization: String,
        /// Its place in the tree.
        org_path: String,
        /// The number of the state.
        state: i16,
        /// The id of the list.
        template: String,
        /// Ids of what was added, joined by commas.
        added: String,
        /// The number of the kind of place.
        place_kind: i16,
        /// The place within the organisation.
        place: String,
        /// The number of the level.
        level: i16,
        /// The day for which it is planned.
        planned_on: String,
        /// Who began it.
        inspector: String,
        /// Who answers for the place.
        answerable: String,
        /// How many items it has.
        item_count: i32,
        /// How many failed.
        failed_count: i32,
        /// How many are not applicable.
        not_applicable_count: i32,
        /// In thousandths; -1 for none.
        score: i32,
        /// How many photos others had shown.
        borrowed_count: i32,
        /// When it was planned.
        created_at: i64,
        /// When it was begun.
        started_at: i64,
        /// When it was submitted.
        submitted_at: i64,
        /// How many photos were taken somewhere else.
        misplaced_count: i32,
    }
}

impl Store {
    /// Stores an inspection as it is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_inspection(tx: &Tx, inspection: &Inspection) -> Result<(), DbErr> {
        InspectionRow::save(tx, &[row_of(inspection)]).await?;
        if inspection.submitted.is_some() {
            Self::retell(tx, &inspection.organization, "inspectionStanding").await?;
        }
        Ok(())
    }

    /// When an inspection of an organisation was submitted last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_inspection(
        db: &impl ConnectionTrait,
        organization: &str,
    ) -> Result<Option<DateTime<Utc>>, DbErr> {
        let sql = "SELECT COALESCE(MAX(submitted_at), 0) FROM inspections WHERE organization = $1";
        let values = [organization.into()];
        let row = db.query_one_raw(statement(db, sql, values)).await?;
        let millis = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
        optional_instant(millis)
    }

    /// One inspection of an organisation; `lock` holds it until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn inspection(
        db: &impl ConnectionTrait,
        organization: &str,
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<Inspection>, DbErr> {
        let rows = InspectionRow::find(db, "id", vec![id.into()], lock).await?;
        let row = rows
            .into_iter()
            .find(|row| row.organization == organization);
        row.map(inspection).transpose()
    }

    /// The inspections at and below `place` that were planned before `before`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn inspections(
        db: &impl ConnectionTrait,
        place: &str,
        (state, kind): (Option<State>, Option<PlaceKind>),
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Inspection>, DbErr> {
        let mut values: Vec<Value> = Vec::from(tree(place));
        let mut wheres = IN_TREE.to_owned();
        let mut also = |what: &str, value: Value| {
            values.push(value);
            wheres.push_str(&format!(" AND {what} ${}", values.len()));
        };
        if let Some(before) = before {
            also("id <", before.into());
        }
        if let Some(state) = state {
            also("state =", small(state as i32).into());
        }
        if let Some(kind) = kind {
            also("place_kind =", small(kind as i32).into());
        }
        let columns = InspectionRow::COLUMNS.join(", ");
        let sql = format!(
            "SELECT {columns} FROM inspections WHERE {wheres} ORDER BY id DESC LIMIT {limit}"
        );
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter()
            .map(|row| InspectionRow::read(row).and_then(inspection))
            .collect()
    }
}

fn row_of(inspection: &Inspection) -> InspectionRow {
    let added: Vec<String> = inspection.added.iter().map(ToString::to_string).collect();
    let figures = inspection.figures;
    InspectionRow {
        id: inspection.id,
        organization: inspection.organization.clone(),
        org_path: inspection.org_path.clone(),
        state: small(inspection.state as i32),
        template: inspection.template.to_string(),
        added: added.join(","),
        place_kind: small(inspection.place_kind as i32),
        place: inspection.place.clone(),
        level: small(inspection.level as i32),
        planned_on: inspection.planned.to_string(),
        inspector: inspection.inspector.clone(),
        answerable: inspection.answerable.clone(),
        item_count: count(inspection.items),
        failed_count: count(figures.failed),
        not_applicable_count: count(figures.not_applicable),
        score: figures.score.map_or(-1, count),
        borrowed_count: count(figures.borrowed),
        created_at: inspection.created.timestamp_millis(),
        started_at: millis(inspection.started),
        submitted_at: millis(inspection.submitted),
        misplaced_count: count(figures.misplaced),
    }
}

fn inspection(row: InspectionRow) -> Result<Inspection, DbErr> {
    let id = |text: &str| -> Result<TemplateId, DbErr> {
        text.parse().map_err(|()| unreadable("template"))
    };
    let added = row.added.split(',').filter(|text| !text.is_empty());
    Ok(Inspection {
        state: known(State::from_number(row.state.into()), "state")?,
        template: id(&row.template)?,
        added: added.map(id).collect::<Result<_, _>>()?,
        place_kind: known(
            PlaceKind::from_number(row.place_kind.into()),
            "kind of place",
        )?,
        level: known(Level::from_number(row.level.into()), "level")?,
        planned: day(&row.planned_on)?,
        items: unsigned(row.item_count.into()),
        figures: Figures {
            failed: unsigned(row.failed_count.into()),
            not_applicable: unsigned(row.not_applicable_count.into()),
            score: u32::try_from(row.score).ok(),
            borrowed: unsigned(row.borrowed_count.into()),
            misplaced: unsigned(row.misplaced_count.into()),
        },
        created: instant(row.created_at)?,
        started: optional_instant(row.started_at)?,
        submitted: optional_instant(row.submitted_at)?,
        id: row.id,
        organization: row.organization,
        org_path: row.org_path,
        place: row.place,
        inspector: row.inspector,
        answerable: row.answerable,
    })
}
