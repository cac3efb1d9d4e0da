//! Holds, the single swabs they ordered, and their audit lines.

use std::collections::HashMap;

use kit::db::{Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::tubes::below;
use kit::bulk::placeholders;
use kit::rows::{Row, row};

row! {
    /// The hold over a tube's people. Times are milliseconds, 0 for none.
    HoldRow in "holds" by ["tube"] {
        /// The tube; the hold has its name.
        tube: String,
        /// The class group's place.
        org_path: String,
        /// Its resource name.
        class_group: String,
        /// Where it stands.
        state: i16,
        /// The version of the result despite which a human released everybody; 0 for none.
        released_version: i32,
        /// When it began.
        start_time: i64,
        /// When the notice is due.
        notify_due: i64,
        /// When singles are due.
        recheck_due: i64,
        /// When it ended.
        end_time: i64,
        /// Why.
        end_reason: String,
        /// How many singles are positive.
        positives: i32,
        /// The policy.
        policy_version: String,
        /// Grows with each change.
        version: i64,
    }
}

row! {
    /// A single swab that a hold ordered; what became of it is told by its tubes.
    RecheckRow in "rechecks" by ["hold", "person"] {
        /// The hold.
        hold: String,
        /// Who.
        person: Vec<u8>,
        /// Student or staff.
        kind: i16,
        /// When due.
        due_time: i64,
    }
}

row! {
    /// One audit line of a hold; never changed.
    HoldEventRow in "hold_events" by ["hold", "sequence"] {
        /// The hold.
        hold: String,
        /// 1, 2, …
        sequence: i64,
        /// When.
        time: i64,
        /// What.
        kind: String,
        /// Whom.
        person: String,
        /// Who decided.
        actor: String,
        /// Why.
        reason: String,
    }
}

/// A single tube of a hold, with the person in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleRow {
    /// The hold.
    pub hold: String,
    /// The tube.
    pub tube: String,
    /// Where it stands.
    pub state: i16,
    /// Its result in force; 0 for none.
    pub result: i16,
    /// The version of that result.
    pub result_version: i32,
    /// Who is in it; none before the swab.
    pub person: Option<Vec<u8>>,
}

/// The single tubes of these holds, by hold and code.
///
/// # Errors
/// When the database fails.
pub async fn singles<C: ConnectionTrait + Sync>(
    connection: &C,
    holds: &[Value],
) -> Result<Vec<SingleRow>, DbErr> {
    let mut found = Vec::new();
    for part in holds.chunks(1000) {
        let sql = format!(
            "SELECT t.parent, t.code, t.state, t.result, t.result_version, s.person FROM tubes t \
             LEFT JOIN swabs s ON s.tube = t.code \
             WHERE t.parent <> '' AND t.parent IN ({}) ORDER BY t.parent, t.code",
            placeholders(1, part.len())
        );
        let rows = connection
            .query_all_raw(statement(connection, &sql, part.to_vec()))
            .await?;
        for row in rows {
            found.push(SingleRow {
                hold: row.try_get_by_index(0)?,
                tube: row.try_get_by_index(1)?,
                state: row.try_get_by_index(2)?,
                result: row.try_get_by_index(3)?,
                result_version: row.try_get_by_index(4)?,
                person: row.try_get_by_index(5)?,
            });
        }
    }
    Ok(found)
}

/// How many audit lines these holds have.
///
/// # Errors
/// When the database fails.
pub async fn lines(tx: &Tx, holds: &[Value]) -> Result<HashMap<String, i64>, DbErr> {
    let mut lines = HashMap::new();
    for part in holds.chunks(1000) {
        let sql = format!(
            "SELECT hold, MAX(sequence) FROM hold_events WHERE hold IN ({}) GROUP BY hold",
            placeholders(1, part.len())
        );
        for row in tx.query_all_raw(statement(tx, &sql, part.to_vec())).await? {
            lines.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        }
    }
    Ok(lines)
}

/// Holds at or below a place, by name after `after`; `active` ones only, if asked.
///
/// # Errors
/// When the database fails.
pub async fn list<C: ConnectionTrait + Sync>(
    connection: &C,
    place: &OrgPath,
    active: bool,
    after: &str,
    limit: u64,
) -> Result<Vec<HoldRow>, DbErr> {
    let mut wheres =
        "(org_path = $1 OR (org_path >= $2 AND org_path < $3)) AND tube > $4".to_owned();
    if active {
        wheres.push_str(" AND state = 1");
    }
    let mut values = below(place).to_vec();
    values.push(after.into());
    HoldRow::page(connection, &wheres, values, limit).await
}

/// The single swabs that a hold ordered, after a person.
///
/// # Errors
/// When the database fails.
pub async fn orders<C: ConnectionTrait + Sync>(
    connection: &C,
    hold: &str,
    after: Vec<u8>,
    limit: u64,
) -> Result<Vec<RecheckRow>, DbErr> {
    let values = vec![hold.into(), after.into()];
    RecheckRow::page(connection, "hold = $1 AND person > $2", values, limit).await
}

/// The audit lines of a hold after a line.
///
/// # Errors
/// When the database fails.
pub async fn events<C: ConnectionTrait + Sync>(
    connection: &C,
    hold: &str,
    after: i64,
    limit: u64,
) -> Result<Vec<HoldEventRow>, DbErr> {
    let values = vec![hold.into(), after.into()];
    HoldEventRow::page(connection, "hold = $1 AND sequence > $2", values, limit).await
}
