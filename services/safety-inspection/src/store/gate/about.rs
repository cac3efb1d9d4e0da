//! What gates know of one person besides the decisions.

use kit::db::statement;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::facts::Kind;
use super::packing::{read_clearance, unpack_roll};
use crate::domain::gate::clearance::Clearance;
use crate::domain::gate::index::{Member, Roll};
use crate::domain::person::PersonName;
use crate::store::{Store, unreadable};

/// How many former clearances are read at most.
const FORMER: u64 = 1000;

impl Store {
    /// What the roll of a class group says of a person: the roll, and their entry on it.
    ///
    /// # Errors
    /// When the database fails or the roll is unreadable.
    pub async fn on_roll(
        db: &impl ConnectionTrait,
        class_group: &str,
        person: PersonName,
    ) -> Result<Option<(Roll, Member)>, DbErr> {
        let sql = "SELECT org_path, body FROM facts \
                   WHERE kind = $1 AND entity = $2 AND removed = FALSE";
        let values: [Value; 2] = [(Kind::Roll as i16).into(), class_group.into()];
        let Some(row) = db.query_one_raw(statement(db, sql, values)).await? else {
            return Ok(None);
        };
        let (org_path, body): (String, Vec<u8>) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let roll = unpack_roll(org_path, &body).ok_or_else(|| unreadable("roll"))?;
        let member = roll
            .members
            .iter()
            .copied()
            .find(|one| one.person == person);
        Ok(member.map(|member| (roll, member)))
    }

    /// The clearance of a person, and those that they had before with the instant until which, in
    /// milliseconds since 1970; none for the present one. Who was clear has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clearances_about(
        db: &impl ConnectionTrait,
        person: PersonName,
    ) -> Result<Vec<(Option<i64>, Clearance)>, DbErr> {
        let name = person.to_string();
        let mut found = Vec::new();
        let sql = "SELECT body FROM facts WHERE kind = $1 AND entity = $2 AND removed = FALSE";
        let values: [Value; 2] = [(Kind::Clearance as i16).into(), name.as_str().into()];
        if let Some(row) = db.query_one_raw(statement(db, sql, values)).await? {
            let body: Vec<u8> = row.try_get_by_index(0)?;
            found.push((None, read_clearance(&body)));
        }
        let sql = format!(
            "SELECT until, body FROM clearances_before WHERE person = $1 \
             ORDER BY until DESC LIMIT {FORMER}"
        );
        let values: [Value; 1] = [name.into()];
        for row in db.query_all_raw(statement(db, &sql, values)).await? {
            let body: Vec<u8> = row.try_get_by_index(1)?;
            if !body.is_empty() {
                found.push((Some(row.try_get_by_index(0)?), read_clearance(&body)));
            }
        }
        Ok(found)
    }
}
