//! Audiences as they are stored, and where the organisations stand that they name.

use std::collections::HashMap;

use kit::bulk::placeholders;
use kit::db::statement;
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};

use super::Store;
use crate::domain::audience::Audience;

/// Ids in one statement: far below the limit of values of both databases.
const IDS: usize = 1000;

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Body {
    /// As it was before there were filters: organisations and everything below them.
    Organizations(Vec<String>),
    Audience {
        organizations: Vec<String>,
        listed: Vec<String>,
        kinds: Vec<i16>,
        stages: Vec<i16>,
        divisions: Vec<String>,
    },
}

/// An audience as JSON.
pub(super) fn pack(audience: Audience) -> String {
    let Audience {
        organizations,
        listed,
        kinds,
        stages,
        divisions,
    } = audience;
    let body = Body::Audience {
        organizations,
        listed,
        kinds,
        stages,
        divisions,
    };
    serde_json::to_string(&body).unwrap_or_default()
}

/// An audience from JSON; none when it is none.
pub(super) fn unpack(body: &str) -> Option<Audience> {
    Some(match serde_json::from_str(body).ok()? {
        Body::Organizations(organizations) => Audience::of(organizations),
        Body::Audience {
            organizations,
            listed,
            kinds,
            stages,
            divisions,
        } => Audience {
            organizations,
            listed,
            kinds,
            stages,
            divisions,
        },
    })
}

impl Store {
    /// Where organisations stand, by their ids; who is unknown is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn places_of(
        db: &impl ConnectionTrait,
        ids: &[String],
    ) -> Result<HashMap<String, String>, DbErr> {
        texts_of(db, "org_path", ids).await
    }

    /// The display names of organisations by id; of those without one, nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn display_names(
        db: &impl ConnectionTrait,
        ids: &[String],
    ) -> Result<HashMap<String, String>, DbErr> {
        let mut names = texts_of(db, "display_name", ids).await?;
        names.retain(|_, name| !name.is_empty());
        Ok(names)
    }
}

/// A column of organisations by id.
async fn texts_of(
    db: &impl ConnectionTrait,
    column: &str,
    ids: &[String],
) -> Result<HashMap<String, String>, DbErr> {
    let mut texts = HashMap::with_capacity(ids.len());
    for part in ids.chunks(IDS) {
        let marks = placeholders(1, part.len());
        let sql = format!("SELECT id, {column} FROM organizations WHERE id IN ({marks})");
        let values = part.iter().map(|id| id.as_str().into());
        for row in db.query_all_raw(statement(db, &sql, values)).await? {
            texts.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audiences_are_read_back_and_so_are_those_of_before() {
        let audience = Audience {
            organizations: vec!["350102".to_owned()],
            listed: vec!["2135010001".to_owned()],
            kinds: vec![5],
            stages: vec![4],
            divisions: vec!["350102".to_owned()],
        };
        assert_eq!(unpack(&pack(audience.clone())), Some(audience));
        let before = Audience::of(vec!["350102".to_owned(), "350103".to_owned()]);
        assert_eq!(unpack(r#"["350102","350103"]"#), Some(before));
        assert_eq!(unpack("350102"), None);
    }
}
