//! Versions of checklists.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::org::OrgPath;
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::{IN_TREE, instant, items, known, small, tree};
use crate::domain::checklist::item::PlaceKind;
use crate::domain::checklist::template::{Content, State, Template, TemplateId};
use crate::domain::hazard::report::Category;
use crate::store::{Store, unreadable};

row! {
    /// A version of a checklist.
    TemplateRow in "checklist_templates" by ["id"] {
        /// As the domain writes it.
        id: String,
        /// The id of the owner; empty for what ships.
        organization: String,
        /// Its place.
        org_path: String,
        /// What all versions have in common.
        line: String,
        /// The number of the state.
        state: i16,
        /// The id of the version that it adds to; may be empty.
        extended: String,
        /// What all versions of that have in common; may be empty.
        extended_line: String,
        /// Shown to people.
        display_name: String,
        /// Numbers, each between commas.
        place_kinds: String,
        /// The number of the field.
        category: i16,
        /// A JSON array.
        items: String,
        /// Milliseconds since 1970.
        created_at: i64,
        /// Grows with each change.
        revision: i64,
    }
}

/// A version with what the store knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The version.
    pub template: Template,
    /// When it was drafted.
    pub created: DateTime<Utc>,
    /// Grows with each change.
    pub revision: i64,
}

impl Store {
    /// Stores a version as it is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_checklist(tx: &Tx, kept: &Kept) -> Result<(), DbErr> {
        Self::judge_all_anew(tx).await?;
        TemplateRow::save(tx, &[row_of(kept)]).await
    }

    /// Adds versions that ship and are not there yet; returns the new ones.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ship_checklists(
        tx: &Tx,
        shipped: Vec<Template>,
        now: DateTime<Utc>,
    ) -> Result<Vec<TemplateId>, DbErr> {
        let keys = shipped.iter().map(|one| one.id.to_string().into());
        let held = TemplateRow::find(tx, "id", keys.collect(), Lock::No).await?;
        let is_new = |id: &TemplateId| held.iter().all(|row| row.id != id.to_string());
        let new = shipped.into_iter().filter(|one| is_new(&one.id));
        let kept = new.map(|template| Kept {
            template,
            created: now,
            revision: 1,
        });
        let kept: Vec<Kept> = kept.collect();
        let rows: Vec<TemplateRow> = kept.iter().map(row_of).collect();
        TemplateRow::add(tx, &rows).await?;
        Ok(kept.into_iter().map(|kept| kept.template.id).collect())
    }

    /// One version; `lock` holds it until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checklist(
        db: &impl ConnectionTrait,
        id: &TemplateId,
        lock: Lock,
    ) -> Result<Option<Kept>, DbErr> {
        let row = TemplateRow::get(db, &id.to_string(), lock).await?;
        row.map(Kept::try_from).transpose()
    }

    /// Versions with these ids, in the order of the ids that are there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checklists(
        db: &impl ConnectionTrait,
        ids: &[TemplateId],
    ) -> Result<Vec<Template>, DbErr> {
        let keys = ids.iter().map(|id| id.to_string().into()).collect();
        let rows = TemplateRow::find(db, "id", keys, Lock::No).await?;
        let mut found = rows
            .into_iter()
            .map(template)
            .collect::<Result<Vec<_>, _>>()?;
        found.sort_by_key(|one| ids.iter().position(|id| *id == one.id));
        Ok(found)
    }

    /// The greatest version of a line; 0 when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn newest_checklist(tx: &Tx, line: &str) -> Result<u32, DbErr> {
        let rows = TemplateRow::find(tx, "line", vec![line.into()], Lock::Yes).await?;
        let versions = rows.iter().map(|row| {
            let id: TemplateId = row.id.parse().map_err(|()| unreadable("id"))?;
            Ok(id.version)
        });
        let versions = versions.collect::<Result<Vec<_>, DbErr>>()?;
        Ok(versions.into_iter().max().unwrap_or(0))
    }

    /// The version of a line that is in force: the greatest that is published.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checklist_in_force(
        db: &impl ConnectionTrait,
        line: &str,
    ) -> Result<Option<Template>, DbErr> {
        let rows = TemplateRow::find(db, "line", vec![line.into()], Lock::No).await?;
        let lists = rows.into_iter().map(template);
        let lists = lists.collect::<Result<Vec<_>, _>>()?.into_iter();
        let published = lists.filter(|list| list.state == State::Published);
        Ok(published.max_by_key(|list| list.id.version))
    }

    /// What the organisation at `place` and everybody above it added to a line, in force: of each
    /// addition the newest version, from the top of the tree down.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checklist_additions(
        db: &impl ConnectionTrait,
        line: &str,
        place: &OrgPath,
    ) -> Result<Vec<Template>, DbErr> {
        let sql = format!(
            "SELECT {} FROM checklist_templates WHERE extended_line = $1 AND state = $2 \
             AND ($3 = org_path OR $3 LIKE org_path || '/%') LIMIT 1000",
            TemplateRow::COLUMNS.join(", ")
        );
        let values: [Value; 3] = [
            line.into(),
            small(State::Published as i32).into(),
            place.as_str().into(),
        ];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let mut found = rows
            .iter()
            .map(|row| TemplateRow::read(row).and_then(template))
            .collect::<Result<Vec<_>, _>>()?;
        found.sort_by(|a, b| {
            let key = |one: &Template| (one.org_path.len(), one.id.line());
            key(a).cmp(&key(b)).then(b.id.version.cmp(&a.id.version))
        });
        found.dedup_by(|later, held| later.id.line() == held.id.line());
        Ok(found)
    }

    /// The versions that ship, and those of the organisation at `place`, of all above it and of all
    /// below it, after `after` in the order of the ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checklists_around(
        db: &impl ConnectionTrait,
        place: &OrgPath,
        (kind, state): (Option<PlaceKind>, Option<State>),
        after: &str,
        limit: u64,
    ) -> Result<Vec<Kept>, DbErr> {
        let mut values = Vec::from(tree(place.as_str()));
        values.push(after.into());
        let mut wheres =
            format!("({IN_TREE} OR org_path = '' OR $1 LIKE org_path || '/%') AND id > $4");
        if let Some(kind) = kind {
            values.push(format!("%,{},%", kind as i32).into());
            wheres.push_str(&format!(" AND place_kinds LIKE ${}", values.len()));
        }
        if let Some(state) = state {
            values.push(small(state as i32).into());
            wheres.push_str(&format!(" AND state = ${}", values.len()));
        }
        let rows = TemplateRow::page(db, &wheres, values, limit).await?;
        rows.into_iter().map(Kept::try_from).collect()
    }
}

fn row_of(kept: &Kept) -> TemplateRow {
    let template = &kept.template;
    let kinds = template.content.place_kinds.iter();
    let kinds: Vec<String> = kinds.map(|kind| (*kind as i32).to_string()).collect();
    let extended = template.extended.as_ref();
    TemplateRow {
        id: template.id.to_string(),
        organization: template.id.organization.clone(),
        org_path: template.org_path.clone(),
        line: template.id.line(),
        state: small(template.state as i32),
        extended: extended.map(ToString::to_string).unwrap_or_default(),
        extended_line: extended.map(TemplateId::line).unwrap_or_default(),
        display_name: template.content.display_name.clone(),
        place_kinds: format!(",{},", kinds.join(",")),
        category: small(template.content.category as i32),
        items: items::items_text(&template.content.items),
        created_at: kept.created.timestamp_millis(),
        revision: kept.revision,
    }
}

impl TryFrom<TemplateRow> for Kept {
    type Error = DbErr;

    fn try_from(row: TemplateRow) -> Result<Self, DbErr> {
        Ok(Self {
            created: instant(row.created_at)?,
            revision: row.revision,
            template: template(row)?,
        })
    }
}

fn template(row: TemplateRow) -> Result<Template, DbErr> {
    let id = |text: &str| text.parse().map_err(|()| unreadable("template"));
    let kinds = row
        .place_kinds
        .split(',')
        .filter(|number| !number.is_empty());
    let kinds = kinds.map(|number| {
        let number = number.parse().ok();
        known(number.and_then(PlaceKind::from_number), "kind of place")
    });
    Ok(Template {
        id: id(&row.id)?,
        org_path: row.org_path,
        state: known(State::from_number(row.state.into()), "state")?,
        extended: if row.extended.is_empty() {
            None
        } else {
            Some(id(&row.extended)?)
        },
        content: Content {
            display_name: row.display_name,
            place_kinds: kinds.collect::<Result<_, _>>()?,
            category: known(Category::from_number(row.category.into()), "category")?,
            items: items::items(&row.items)?,
        },
    })
}
