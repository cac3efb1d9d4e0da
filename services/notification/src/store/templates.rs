//! Templates. Each version is written once: no statement here changes one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kit::bulk::placeholders;
use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr};

use super::{Store, unreadable};
use crate::domain::template::{Language, Template, TemplateVersion, Text, Type, Variable, Variant};

row! {
    /// One version of a template.
    TemplateRow in "templates" by ["id", "version"] {
        /// The id.
        id: String,
        /// 1 for the first.
        version: i32,
        /// What it is for.
        description: String,
        /// Its variables: name, type and example of each.
        variables: String,
        /// Its texts: language, variant, heading and text of each.
        texts: String,
        /// Who saved it.
        author: String,
        /// When, in milliseconds.
        created_at: i64,
    }
}

/// Of each template the latest version.
const LATEST: &str =
    "version = (SELECT MAX(version) FROM templates latest WHERE latest.id = templates.id)";

impl Store {
    /// Stores a version; false when there is one of the number already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_template(tx: &Tx, saved: &TemplateVersion) -> Result<bool, DbErr> {
        let TemplateRow {
            id,
            version,
            description,
            variables,
            texts,
            author,
            created_at,
        } = row_of(saved);
        let sql = "INSERT INTO templates (id, version, description, variables, texts, author, \
                   created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
        let values = [
            id.into(),
            version.into(),
            description.into(),
            variables.into(),
            texts.into(),
            author.into(),
            created_at.into(),
        ];
        let inserted = tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(inserted.rows_affected() == 1)
    }

    /// Whether a version by `author` says just what `template` does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_template_by(
        tx: &Tx,
        template: &Template,
        author: &str,
    ) -> Result<bool, DbErr> {
        let row = row_of(&TemplateVersion {
            template: template.clone(),
            version: 0,
            author: author.to_owned(),
            created: DateTime::UNIX_EPOCH,
        });
        let sql = "SELECT 1 FROM templates WHERE id = $1 AND author = $2 AND description = $3 \
                   AND variables = $4 AND texts = $5 LIMIT 1";
        let values = [
            row.id.into(),
            row.author.into(),
            row.description.into(),
            row.variables.into(),
            row.texts.into(),
        ];
        Ok(tx
            .query_one_raw(statement(tx, sql, values))
            .await?
            .is_some())
    }

    /// One version of a template, the latest when none is asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn template<C: ConnectionTrait + Sync>(
        db: &C,
        id: &str,
        version: Option<i32>,
    ) -> Result<Option<TemplateVersion>, DbErr> {
        let latest = "SELECT MAX(version) FROM templates WHERE id = $1";
        let (wheres, values) = match version {
            Some(version) => (
                "id = $1 AND version = $2".to_owned(),
                vec![id.into(), version.into()],
            ),
            None => (format!("id = $1 AND version = ({latest})"), vec![id.into()]),
        };
        let found = TemplateRow::page(db, &wheres, values, 1).await?.pop();
        found.map(TemplateVersion::try_from).transpose()
    }

    /// The latest versions of templates by id; those that are not there are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn latest_templates<C: ConnectionTrait + Sync>(
        db: &C,
        ids: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, TemplateVersion>, DbErr> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let wheres = format!("{LATEST} AND id IN ({})", placeholders(1, ids.len()));
        let values = ids.iter().map(|id| (*id).into()).collect();
        let rows = TemplateRow::page(db, &wheres, values, ids.len() as u64).await?;
        rows.into_iter()
            .map(|row| Ok((row.id.clone(), row.try_into()?)))
            .collect()
    }

    /// The latest version of each template after `after`, by id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn templates(&self, after: &str, limit: u64) -> Result<Vec<TemplateVersion>, DbErr> {
        let wheres = format!("{LATEST} AND id > $1");
        let rows = TemplateRow::page(self.db.read(), &wheres, vec![after.into()], limit).await?;
        rows.into_iter().map(TemplateVersion::try_from).collect()
    }

    /// The versions of one template before `before`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn template_versions(
        &self,
        id: &str,
        before: i32,
        limit: u64,
    ) -> Result<Vec<TemplateVersion>, DbErr> {
        let db = self.db.read();
        let sql = format!(
            "SELECT {} FROM templates WHERE id = $1 AND version < $2 \
             ORDER BY version DESC LIMIT {limit}",
            TemplateRow::COLUMNS.join(", ")
        );
        let select = statement(db, &sql, [id.into(), before.into()]);
        let rows = db.query_all_raw(select).await?;
        rows.iter()
            .map(|row| TemplateRow::read(row)?.try_into())
            .collect()
    }
}

type VariableCells = (String, i16, String);
type TextCells = (String, i16, String, String);

fn row_of(saved: &TemplateVersion) -> TemplateRow {
    let TemplateVersion {
        template:
            Template {
                id,
                description,
                variables,
                texts,
            },
        version,
        author,
        created,
    } = saved;
    let variable = |one: &Variable| (one.name.clone(), one.holds as i16, one.example.clone());
    let text = |one: &Text| {
        let language = one.language.as_str().to_owned();
        (
            language,
            one.variant as i16,
            one.title.clone(),
            one.body.clone(),
        )
    };
    let variables: Vec<VariableCells> = variables.iter().map(variable).collect();
    let texts: Vec<TextCells> = texts.iter().map(text).collect();
    TemplateRow {
        id: id.clone(),
        version: *version,
        description: description.clone(),
        variables: serde_json::to_string(&variables).unwrap_or_default(),
        texts: serde_json::to_string(&texts).unwrap_or_default(),
        author: author.clone(),
        created_at: created.timestamp_millis(),
    }
}

impl TryFrom<TemplateRow> for TemplateVersion {
    type Error = DbErr;

    fn try_from(row: TemplateRow) -> Result<Self, DbErr> {
        let variables: Vec<VariableCells> =
            serde_json::from_str(&row.variables).map_err(|_| unreadable("list of variables"))?;
        let texts: Vec<TextCells> =
            serde_json::from_str(&row.texts).map_err(|_| unreadable("list of texts"))?;
        let variable = |(name, holds, example): VariableCells| {
            let holds = Type::ALL.into_iter().find(|one| *one as i16 == holds);
            Ok(Variable {
                name,
                holds: holds.ok_or_else(|| unreadable("type"))?,
                example,
            })
        };
        let text = |(language, variant, title, body): TextCells| {
            let variant = Variant::ALL.into_iter().find(|one| *one as i16 == variant);
            Ok(Text {
                language: Language::parse(&language).ok_or_else(|| unreadable("language"))?,
                variant: variant.ok_or_else(|| unreadable("variant"))?,
                title,
                body,
            })
        };
        Ok(Self {
            template: Template {
                id: row.id,
                description: row.description,
                variables: variables
                    .into_iter()
                    .map(variable)
                    .collect::<Result<_, DbErr>>()?,
                texts: texts.into_iter().map(text).collect::<Result<_, DbErr>>()?,
            },
            version: row.version,
            author: row.author,
            created: DateTime::<Utc>::from_timestamp_millis(row.created_at)
                .ok_or_else(|| unreadable("instant"))?,
        })
    }
}
