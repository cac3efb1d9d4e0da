//! Holds, single swabs they ordered, and each person's control axis.

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use super::bulk::{Column, insert, placeholders};
use super::tubes::Lock;

/// The hold over a tube's people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoldRow {
    /// The tube; the hold has its name.
    pub tube: String,
    /// The class group's place.
    pub org_path: String,
    /// Its resource name.
    pub class_group: String,
    /// Where it stands.
    pub state: i16,
    /// A human released it.
    pub by_hand: bool,
    /// When it began.
    pub start_time: i64,
    /// When the notice is due.
    pub notify_due: i64,
    /// When singles are due.
    pub recheck_due: i64,
    /// When it ended.
    pub end_time: i64,
    /// Why.
    pub end_reason: String,
    /// How many singles are positive.
    pub positives: i32,
    /// The policy.
    pub policy_version: String,
    /// Grows with each change.
    pub version: i64,
}

impl HoldRow {
    const COLUMNS: &str = "tube, org_path, class_group, state, by_hand, start_time, notify_due, recheck_due, end_time, end_reason, positives, policy_version, version";

    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            tube: row.try_get_by_index(0)?,
            org_path: row.try_get_by_index(1)?,
            class_group: row.try_get_by_index(2)?,
            state: row.try_get_by_index(3)?,
            by_hand: row.try_get_by_index(4)?,
            start_time: row.try_get_by_index(5)?,
            notify_due: row.try_get_by_index(6)?,
            recheck_due: row.try_get_by_index(7)?,
            end_time: row.try_get_by_index(8)?,
            end_reason: row.try_get_by_index(9)?,
            positives: row.try_get_by_index(10)?,
            policy_version: row.try_get_by_index(11)?,
            version: row.try_get_by_index(12)?,
        })
    }

    fn columns(rows: &[Self]) -> Vec<(&'static str, Column)> {
        vec![
            (
                "tube",
                Column::Text(rows.iter().map(|row| row.tube.clone()).collect()),
            ),
            (
                "org_path",
                Column::Text(rows.iter().map(|row| row.org_path.clone()).collect()),
            ),
            (
                "class_group",
                Column::Text(rows.iter().map(|row| row.class_group.clone()).collect()),
            ),
            (
                "state",
                Column::Small(rows.iter().map(|row| row.state).collect()),
            ),
            (
                "by_hand",
                Column::Bool(rows.iter().map(|row| row.by_hand).collect()),
            ),
            (
                "start_time",
                Column::Big(rows.iter().map(|row| row.start_time).collect()),
            ),
            (
                "notify_due",
                Column::Big(rows.iter().map(|row| row.notify_due).collect()),
            ),
            (
                "recheck_due",
                Column::Big(rows.iter().map(|row| row.recheck_due).collect()),
            ),
            (
                "end_time",
                Column::Big(rows.iter().map(|row| row.end_time).collect()),
            ),
            (
                "end_reason",
                Column::Text(rows.iter().map(|row| row.end_reason.clone()).collect()),
            ),
            (
                "positives",
                Column::Int(rows.iter().map(|row| row.positives).collect()),
            ),
            (
                "policy_version",
                Column::Text(rows.iter().map(|row| row.policy_version.clone()).collect()),
            ),
            (
                "version",
                Column::Big(rows.iter().map(|row| row.version).collect()),
            ),
        ]
    }

    /// Stores rows as they are now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        let conflict = "ON CONFLICT (tube) DO UPDATE SET org_path = excluded.org_path, class_group = excluded.class_group, state = excluded.state, by_hand = excluded.by_hand, start_time = excluded.start_time, notify_due = excluded.notify_due, recheck_due = excluded.recheck_due, end_time = excluded.end_time, end_reason = excluded.end_reason, positives = excluded.positives, policy_version = excluded.policy_version, version = excluded.version";
        insert(tx, "holds", Self::columns(rows), conflict).await
    }

    /// Adds rows; those stored already stay as they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        insert(tx, "holds", Self::columns(rows), "ON CONFLICT DO NOTHING").await
    }

    /// Rows of which `column` is one of `keys`, in the order of the key; `lock` keeps others from
    /// changing them on PostgreSQL.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        connection: &impl ConnectionTrait,
        column: &'static str,
        keys: Vec<Value>,
        lock: Lock,
    ) -> Result<Vec<Self>, DbErr> {
        let mut found = Vec::new();
        for part in keys.chunks(1000) {
            let sql = format!(
                "SELECT {} FROM holds WHERE {column} IN ({}) ORDER BY tube{}",
                Self::COLUMNS,
                placeholders(1, part.len()),
                lock.sql(connection),
            );
            let rows = connection
                .query_all_raw(statement(connection, &sql, part.to_vec()))
                .await?;
            for row in &rows {
                found.push(Self::read(row)?);
            }
        }
        Ok(found)
    }

    /// A page: rows that `wheres` (with placeholders from $1) lets through, by the last key column.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page(
        connection: &impl ConnectionTrait,
        wheres: &str,
        values: Vec<Value>,
        limit: u64,
    ) -> Result<Vec<Self>, DbErr> {
        let sql = format!(
            "SELECT {} FROM holds WHERE {wheres} ORDER BY tube LIMIT {limit}",
            Self::COLUMNS,
        );
        let rows = connection
            .query_all_raw(statement(connection, &sql, values))
            .await?;
        rows.iter().map(Self::read).collect()
    }
}

/// A single swab that a hold ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecheckRow {
    /// The hold.
    pub hold: String,
    /// Who.
    pub person: Vec<u8>,
    /// Student or staff.
    pub kind: i16,
    /// The single tube.
    pub tube: String,
    /// Its result.
    pub result: i16,
    /// When due.
    pub due_time: i64,
}

impl RecheckRow {
    const COLUMNS: &str = "hold, person, kind, tube, result, due_time";

    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            hold: row.try_get_by_index(0)?,
            person: row.try_get_by_index(1)?,
            kind: row.try_get_by_index(2)?,
            tube: row.try_get_by_index(3)?,
            result: row.try_get_by_index(4)?,
            due_time: row.try_get_by_index(5)?,
        })
    }

    fn columns(rows: &[Self]) -> Vec<(&'static str, Column)> {
        vec![
            (
                "hold",
                Column::Text(rows.iter().map(|row| row.hold.clone()).collect()),
            ),
            (
                "person",
                Column::Bytes(rows.iter().map(|row| row.person.clone()).collect()),
            ),
            (
                "kind",
                Column::Small(rows.iter().map(|row| row.kind).collect()),
            ),
            (
                "tube",
                Column::Text(rows.iter().map(|row| row.tube.clone()).collect()),
            ),
            (
                "result",
                Column::Small(rows.iter().map(|row| row.result).collect()),
            ),
            (
                "due_time",
                Column::Big(rows.iter().map(|row| row.due_time).collect()),
            ),
        ]
    }

    /// Stores rows as they are now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        let conflict = "ON CONFLICT (hold, person) DO UPDATE SET kind = excluded.kind, tube = excluded.tube, result = excluded.result, due_time = excluded.due_time";
        insert(tx, "rechecks", Self::columns(rows), conflict).await
    }

    /// Adds rows; those stored already stay as they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        insert(
            tx,
            "rechecks",
            Self::columns(rows),
            "ON CONFLICT DO NOTHING",
        )
        .await
    }

    /// Rows of which `column` is one of `keys`, in the order of the key; `lock` keeps others from
    /// changing them on PostgreSQL.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        connection: &impl ConnectionTrait,
        column: &'static str,
        keys: Vec<Value>,
        lock: Lock,
    ) -> Result<Vec<Self>, DbErr> {
        let mut found = Vec::new();
        for part in keys.chunks(1000) {
            let sql = format!(
                "SELECT {} FROM rechecks WHERE {column} IN ({}) ORDER BY hold, person{}",
                Self::COLUMNS,
                placeholders(1, part.len()),
                lock.sql(connection),
            );
            let rows = connection
                .query_all_raw(statement(connection, &sql, part.to_vec()))
                .await?;
            for row in &rows {
                found.push(Self::read(row)?);
            }
        }
        Ok(found)
    }

    /// A page: rows that `wheres` (with placeholders from $1) lets through, by the last key column.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page(
        connection: &impl ConnectionTrait,
        wheres: &str,
        values: Vec<Value>,
        limit: u64,
    ) -> Result<Vec<Self>, DbErr> {
        let sql = format!(
            "SELECT {} FROM rechecks WHERE {wheres} ORDER BY hold, person LIMIT {limit}",
            Self::COLUMNS,
        );
        let rows = connection
            .query_all_raw(statement(connection, &sql, values))
            .await?;
        rows.iter().map(Self::read).collect()
    }
}

/// One audit line of a hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HoldEventRow {
    /// The hold.
    pub hold: String,
    /// 1, 2, …
    pub sequence: i64,
    /// When.
    pub time: i64,
    /// What.
    pub kind: String,
    /// Whom.
    pub person: String,
    /// Who decided.
    pub actor: String,
    /// Why.
    pub reason: String,
}

impl HoldEventRow {
    const COLUMNS: &str = "hold, sequence, time, kind, person, actor, reason";

    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            hold: row.try_get_by_index(0)?,
            sequence: row.try_get_by_index(1)?,
            time: row.try_get_by_index(2)?,
            kind: row.try_get_by_index(3)?,
            person: row.try_get_by_index(4)?,
            actor: row.try_get_by_index(5)?,
            reason: row.try_get_by_index(6)?,
        })
    }

    fn columns(rows: &[Self]) -> Vec<(&'static str, Column)> {
        vec![
            (
                "hold",
                Column::Text(rows.iter().map(|row| row.hold.clone()).collect()),
            ),
            (
                "sequence",
                Column::Big(rows.iter().map(|row| row.sequence).collect()),
            ),
            (
                "time",
                Column::Big(rows.iter().map(|row| row.time).collect()),
            ),
            (
                "kind",
                Column::Text(rows.iter().map(|row| row.kind.clone()).collect()),
            ),
            (
                "person",
                Column::Text(rows.iter().map(|row| row.person.clone()).collect()),
            ),
            (
                "actor",
                Column::Text(rows.iter().map(|row| row.actor.clone()).collect()),
            ),
            (
                "reason",
                Column::Text(rows.iter().map(|row| row.reason.clone()).collect()),
            ),
        ]
    }

    /// Stores rows as they are now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        let conflict = "ON CONFLICT (hold, sequence) DO UPDATE SET time = excluded.time, kind = excluded.kind, person = excluded.person, actor = excluded.actor, reason = excluded.reason";
        insert(tx, "hold_events", Self::columns(rows), conflict).await
    }

    /// Adds rows; those stored already stay as they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        insert(
            tx,
            "hold_events",
            Self::columns(rows),
            "ON CONFLICT DO NOTHING",
        )
        .await
    }

    /// Rows of which `column` is one of `keys`, in the order of the key; `lock` keeps others from
    /// changing them on PostgreSQL.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        connection: &impl ConnectionTrait,
        column: &'static str,
        keys: Vec<Value>,
        lock: Lock,
    ) -> Result<Vec<Self>, DbErr> {
        let mut found = Vec::new();
        for part in keys.chunks(1000) {
            let sql = format!(
                "SELECT {} FROM hold_events WHERE {column} IN ({}) ORDER BY hold, sequence{}",
                Self::COLUMNS,
                placeholders(1, part.len()),
                lock.sql(connection),
            );
            let rows = connection
                .query_all_raw(statement(connection, &sql, part.to_vec()))
                .await?;
            for row in &rows {
                found.push(Self::read(row)?);
            }
        }
        Ok(found)
    }

    /// A page: rows that `wheres` (with placeholders from $1) lets through, by the last key column.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page(
        connection: &impl ConnectionTrait,
        wheres: &str,
        values: Vec<Value>,
        limit: u64,
    ) -> Result<Vec<Self>, DbErr> {
        let sql = format!(
            "SELECT {} FROM hold_events WHERE {wheres} ORDER BY hold, sequence LIMIT {limit}",
            Self::COLUMNS,
        );
        let rows = connection
            .query_all_raw(statement(connection, &sql, values))
            .await?;
        rows.iter().map(Self::read).collect()
    }
}

/// What bears on a person's control axis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlRow {
    /// Who.
    pub person: Vec<u8>,
    /// The hold.
    pub basis: String,
    /// The control.
    pub control: i16,
    /// When it began.
    pub since: i64,
    /// The class group's place.
    pub org_path: String,
    /// The policy.
    pub policy_version: String,
}

impl ControlRow {
    const COLUMNS: &str = "person, basis, control, since, org_path, policy_version";

    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            person: row.try_get_by_index(0)?,
            basis: row.try_get_by_index(1)?,
            control: row.try_get_by_index(2)?,
            since: row.try_get_by_index(3)?,
            org_path: row.try_get_by_index(4)?,
            policy_version: row.try_get_by_index(5)?,
        })
    }

    fn columns(rows: &[Self]) -> Vec<(&'static str, Column)> {
        vec![
            (
                "person",
                Column::Bytes(rows.iter().map(|row| row.person.clone()).collect()),
            ),
            (
                "basis",
                Column::Text(rows.iter().map(|row| row.basis.clone()).collect()),
            ),
            (
                "control",
                Column::Small(rows.iter().map(|row| row.control).collect()),
            ),
            (
                "since",
                Column::Big(rows.iter().map(|row| row.since).collect()),
            ),
            (
                "org_path",
                Column::Text(rows.iter().map(|row| row.org_path.clone()).collect()),
            ),
            (
                "policy_version",
                Column::Text(rows.iter().map(|row| row.policy_version.clone()).collect()),
            ),
        ]
    }

    /// Stores rows as they are now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        let conflict = "ON CONFLICT (person, basis) DO UPDATE SET control = excluded.control, since = excluded.since, org_path = excluded.org_path, policy_version = excluded.policy_version";
        insert(tx, "control_states", Self::columns(rows), conflict).await
    }

    /// Adds rows; those stored already stay as they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        insert(
            tx,
            "control_states",
            Self::columns(rows),
            "ON CONFLICT DO NOTHING",
        )
        .await
    }

    /// Rows of which `column` is one of `keys`, in the order of the key; `lock` keeps others from
    /// changing them on PostgreSQL.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        connection: &impl ConnectionTrait,
        column: &'static str,
        keys: Vec<Value>,
        lock: Lock,
    ) -> Result<Vec<Self>, DbErr> {
        let mut found = Vec::new();
        for part in keys.chunks(1000) {
            let sql = format!(
                "SELECT {} FROM control_states WHERE {column} IN ({}) ORDER BY person, basis{}",
                Self::COLUMNS,
                placeholders(1, part.len()),
                lock.sql(connection),
            );
            let rows = connection
                .query_all_raw(statement(connection, &sql, part.to_vec()))
                .await?;
            for row in &rows {
                found.push(Self::read(row)?);
            }
        }
        Ok(found)
    }

    /// A page: rows that `wheres` (with placeholders from $1) lets through, by the last key column.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page(
        connection: &impl ConnectionTrait,
        wheres: &str,
        values: Vec<Value>,
        limit: u64,
    ) -> Result<Vec<Self>, DbErr> {
        let sql = format!(
            "SELECT {} FROM control_states WHERE {wheres} ORDER BY person, basis LIMIT {limit}",
            Self::COLUMNS,
        );
        let rows = connection
            .query_all_raw(statement(connection, &sql, values))
            .await?;
        rows.iter().map(Self::read).collect()
    }
}

/// Who is not clear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClearanceRow {
    /// Who.
    pub person: Vec<u8>,
    /// The class group's place.
    pub org_path: String,
    /// The strongest control.
    pub control: i16,
    /// The medical axis.
    pub medical: i16,
    /// Since when.
    pub effective_time: i64,
    /// The rule.
    pub rule: String,
    /// The policy.
    pub policy_version: String,
    /// What caused it.
    pub basis: String,
    /// Grows with each change.
    pub version: i64,
}

impl ClearanceRow {
    const COLUMNS: &str =
        "person, org_path, control, medical, effective_time, rule, policy_version, basis, version";

    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            person: row.try_get_by_index(0)?,
            org_path: row.try_get_by_index(1)?,
            control: row.try_get_by_index(2)?,
            medical: row.try_get_by_index(3)?,
            effective_time: row.try_get_by_index(4)?,
            rule: row.try_get_by_index(5)?,
            policy_version: row.try_get_by_index(6)?,
            basis: row.try_get_by_index(7)?,
            version: row.try_get_by_index(8)?,
        })
    }

    fn columns(rows: &[Self]) -> Vec<(&'static str, Column)> {
        vec![
            (
                "person",
                Column::Bytes(rows.iter().map(|row| row.person.clone()).collect()),
            ),
            (
                "org_path",
                Column::Text(rows.iter().map(|row| row.org_path.clone()).collect()),
            ),
            (
                "control",
                Column::Small(rows.iter().map(|row| row.control).collect()),
            ),
            (
                "medical",
                Column::Small(rows.iter().map(|row| row.medical).collect()),
            ),
            (
                "effective_time",
                Column::Big(rows.iter().map(|row| row.effective_time).collect()),
            ),
            (
                "rule",
                Column::Text(rows.iter().map(|row| row.rule.clone()).collect()),
            ),
            (
                "policy_version",
                Column::Text(rows.iter().map(|row| row.policy_version.clone()).collect()),
            ),
            (
                "basis",
                Column::Text(rows.iter().map(|row| row.basis.clone()).collect()),
            ),
            (
                "version",
                Column::Big(rows.iter().map(|row| row.version).collect()),
            ),
        ]
    }

    /// Stores rows as they are now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        let conflict = "ON CONFLICT (person) DO UPDATE SET org_path = excluded.org_path, control = excluded.control, medical = excluded.medical, effective_time = excluded.effective_time, rule = excluded.rule, policy_version = excluded.policy_version, basis = excluded.basis, version = excluded.version";
        insert(tx, "clearances", Self::columns(rows), conflict).await
    }

    /// Adds rows; those stored already stay as they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        insert(
            tx,
            "clearances",
            Self::columns(rows),
            "ON CONFLICT DO NOTHING",
        )
        .await
    }

    /// Rows of which `column` is one of `keys`, in the order of the key; `lock` keeps others from
    /// changing them on PostgreSQL.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        connection: &impl ConnectionTrait,
        column: &'static str,
        keys: Vec<Value>,
        lock: Lock,
    ) -> Result<Vec<Self>, DbErr> {
        let mut found = Vec::new();
        for part in keys.chunks(1000) {
            let sql = format!(
                "SELECT {} FROM clearances WHERE {column} IN ({}) ORDER BY person{}",
                Self::COLUMNS,
                placeholders(1, part.len()),
                lock.sql(connection),
            );
            let rows = connection
                .query_all_raw(statement(connection, &sql, part.to_vec()))
                .await?;
            for row in &rows {
                found.push(Self::read(row)?);
            }
        }
        Ok(found)
    }

    /// A page: rows that `wheres` (with placeholders from $1) lets through, by the last key column.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page(
        connection: &impl ConnectionTrait,
        wheres: &str,
        values: Vec<Value>,
        limit: u64,
    ) -> Result<Vec<Self>, DbErr> {
        let sql = format!(
            "SELECT {} FROM clearances WHERE {wheres} ORDER BY person LIMIT {limit}",
            Self::COLUMNS,
        );
        let rows = connection
            .query_all_raw(statement(connection, &sql, values))
            .await?;
        rows.iter().map(Self::read).collect()
    }
}

/// Locks people and returns the next version of each one's clearance, in the order of `people`.
///
/// # Errors
/// When the database fails.
pub async fn next_versions(tx: &Tx, people: &[Vec<u8>]) -> Result<Vec<i64>, DbErr> {
    debug_assert!(people.is_sorted(), "one order for all writers");
    let columns = vec![
        ("person", Column::Bytes(people.to_vec())),
        ("version", Column::Big(vec![1; people.len()])),
    ];
    let conflict = "ON CONFLICT (person) DO UPDATE SET version = control_versions.version + 1";
    insert(tx, "control_versions", columns, conflict).await?;
    let mut versions = Vec::with_capacity(people.len());
    for part in people.chunks(1000) {
        let sql = format!(
            "SELECT version FROM control_versions WHERE person IN ({}) ORDER BY person",
            placeholders(1, part.len())
        );
        let values = part.iter().map(|person| Value::from(person.clone()));
        for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
            versions.push(row.try_get_by_index(0)?);
        }
    }
    Ok(versions)
}
