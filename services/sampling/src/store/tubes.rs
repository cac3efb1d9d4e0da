//! Tubes, their swabs, custody, results and make-up tasks.

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use super::bulk::{Column, insert, placeholders};
use sea_orm::DbBackend;

/// Whether rows are locked as they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Others may change them.
    No,
    /// Others wait.
    Yes,
}

impl Lock {
    pub(super) fn sql(self, connection: &impl ConnectionTrait) -> &'static str {
        let postgres = connection.get_database_backend() == DbBackend::Postgres;
        if self == Self::Yes && postgres {
            " FOR UPDATE"
        } else {
            ""
        }
    }
}

/// A tube. Times are milliseconds, 0 for none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TubeRow {
    /// Its code.
    pub code: String,
    /// Who printed it.
    pub laboratory: String,
    /// The lot.
    pub lot: String,
    /// How many swabs it takes.
    pub capacity: i16,
    /// People, objects or environment.
    pub subject: i16,
    /// Where it stands.
    pub state: i16,
    /// The place: of the class group once open.
    pub org_path: String,
    /// The class group's resource name.
    pub class_group: String,
    /// The sampling point.
    pub point: String,
    /// The draw.
    pub draw: String,
    /// The campaign day.
    pub day: i32,
    /// How many swabs it has.
    pub swab_count: i32,
    /// The tube whose hold ordered it.
    pub parent: String,
    /// When sealed.
    pub seal_time: i64,
    /// By whom.
    pub sealed_by: String,
    /// Who carries it.
    pub courier: String,
    /// When received.
    pub receive_time: i64,
    /// Too long on the way.
    pub late: bool,
    /// When the result is due.
    pub due_time: i64,
    /// The result in force.
    pub result: i16,
    /// Its version.
    pub result_version: i32,
    /// Why it came to nothing.
    pub reason: String,
    /// The policy.
    pub policy_version: String,
    /// How many singles were positive.
    pub positives: i32,
    /// Grows with each change.
    pub version: i64,
}

impl TubeRow {
    const COLUMNS: &str = "code, laboratory, lot, capacity, subject, state, org_path, class_group, point, draw, day, swab_count, parent, seal_time, sealed_by, courier, receive_time, late, due_time, result, result_version, reason, policy_version, positives, version";

    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            code: row.try_get_by_index(0)?,
            laboratory: row.try_get_by_index(1)?,
            lot: row.try_get_by_index(2)?,
            capacity: row.try_get_by_index(3)?,
            subject: row.try_get_by_index(4)?,
            state: row.try_get_by_index(5)?,
            org_path: row.try_get_by_index(6)?,
            class_group: row.try_get_by_index(7)?,
            point: row.try_get_by_index(8)?,
            draw: row.try_get_by_index(9)?,
            day: row.try_get_by_index(10)?,
            swab_count: row.try_get_by_index(11)?,
            parent: row.try_get_by_index(12)?,
            seal_time: row.try_get_by_index(13)?,
            sealed_by: row.try_get_by_index(14)?,
            courier: row.try_get_by_index(15)?,
            receive_time: row.try_get_by_index(16)?,
            late: row.try_get_by_index(17)?,
            due_time: row.try_get_by_index(18)?,
            result: row.try_get_by_index(19)?,
            result_version: row.try_get_by_index(20)?,
            reason: row.try_get_by_index(21)?,
            policy_version: row.try_get_by_index(22)?,
            positives: row.try_get_by_index(23)?,
            version: row.try_get_by_index(24)?,
        })
    }

    fn columns(rows: &[Self]) -> Vec<(&'static str, Column)> {
        vec![
            (
                "code",
                Column::Text(rows.iter().map(|row| row.code.clone()).collect()),
            ),
            (
                "laboratory",
                Column::Text(rows.iter().map(|row| row.laboratory.clone()).collect()),
            ),
            (
                "lot",
                Column::Text(rows.iter().map(|row| row.lot.clone()).collect()),
            ),
            (
                "capacity",
                Column::Small(rows.iter().map(|row| row.capacity).collect()),
            ),
            (
                "subject",
                Column::Small(rows.iter().map(|row| row.subject).collect()),
            ),
            (
                "state",
                Column::Small(rows.iter().map(|row| row.state).collect()),
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
                "point",
                Column::Text(rows.iter().map(|row| row.point.clone()).collect()),
            ),
            (
                "draw",
                Column::Text(rows.iter().map(|row| row.draw.clone()).collect()),
            ),
            ("day", Column::Int(rows.iter().map(|row| row.day).collect())),
            (
                "swab_count",
                Column::Int(rows.iter().map(|row| row.swab_count).collect()),
            ),
            (
                "parent",
                Column::Text(rows.iter().map(|row| row.parent.clone()).collect()),
            ),
            (
                "seal_time",
                Column::Big(rows.iter().map(|row| row.seal_time).collect()),
            ),
            (
                "sealed_by",
                Column::Text(rows.iter().map(|row| row.sealed_by.clone()).collect()),
            ),
            (
                "courier",
                Column::Text(rows.iter().map(|row| row.courier.clone()).collect()),
            ),
            (
                "receive_time",
                Column::Big(rows.iter().map(|row| row.receive_time).collect()),
            ),
            (
                "late",
                Column::Bool(rows.iter().map(|row| row.late).collect()),
            ),
            (
                "due_time",
                Column::Big(rows.iter().map(|row| row.due_time).collect()),
            ),
            (
                "result",
                Column::Small(rows.iter().map(|row| row.result).collect()),
            ),
            (
                "result_version",
                Column::Int(rows.iter().map(|row| row.result_version).collect()),
            ),
            (
                "reason",
                Column::Text(rows.iter().map(|row| row.reason.clone()).collect()),
            ),
            (
                "policy_version",
                Column::Text(rows.iter().map(|row| row.policy_version.clone()).collect()),
            ),
            (
                "positives",
                Column::Int(rows.iter().map(|row| row.positives).collect()),
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
        let conflict = "ON CONFLICT (code) DO UPDATE SET laboratory = excluded.laboratory, lot = excluded.lot, capacity = excluded.capacity, subject = excluded.subject, state = excluded.state, org_path = excluded.org_path, class_group = excluded.class_group, point = excluded.point, draw = excluded.draw, day = excluded.day, swab_count = excluded.swab_count, parent = excluded.parent, seal_time = excluded.seal_time, sealed_by = excluded.sealed_by, courier = excluded.courier, receive_time = excluded.receive_time, late = excluded.late, due_time = excluded.due_time, result = excluded.result, result_version = excluded.result_version, reason = excluded.reason, policy_version = excluded.policy_version, positives = excluded.positives, version = excluded.version";
        insert(tx, "tubes", Self::columns(rows), conflict).await
    }

    /// Adds rows; those stored already stay as they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        insert(tx, "tubes", Self::columns(rows), "ON CONFLICT DO NOTHING").await
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
                "SELECT {} FROM tubes WHERE {column} IN ({}) ORDER BY code{}",
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
            "SELECT {} FROM tubes WHERE {wheres} ORDER BY code LIMIT {limit}",
            Self::COLUMNS,
        );
        let rows = connection
            .query_all_raw(statement(connection, &sql, values))
            .await?;
        rows.iter().map(Self::read).collect()
    }
}

/// One swab.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SwabRow {
    /// The tube.
    pub tube: String,
    /// Who.
    pub person: Vec<u8>,
    /// Student or staff.
    pub kind: i16,
    /// The class group's place.
    pub org_path: String,
    /// The campaign day.
    pub day: i32,
    /// Empty, or the hold that ordered it.
    pub campaign: String,
    /// When scanned.
    pub scan_time: i64,
    /// Whether it counts for the day.
    pub counted: bool,
}

impl SwabRow {
    const COLUMNS: &str = "tube, person, kind, org_path, day, campaign, scan_time, counted";

    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            tube: row.try_get_by_index(0)?,
            person: row.try_get_by_index(1)?,
            kind: row.try_get_by_index(2)?,
            org_path: row.try_get_by_index(3)?,
            day: row.try_get_by_index(4)?,
            campaign: row.try_get_by_index(5)?,
            scan_time: row.try_get_by_index(6)?,
            counted: row.try_get_by_index(7)?,
        })
    }

    fn columns(rows: &[Self]) -> Vec<(&'static str, Column)> {
        vec![
            (
                "tube",
                Column::Text(rows.iter().map(|row| row.tube.clone()).collect()),
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
                "org_path",
                Column::Text(rows.iter().map(|row| row.org_path.clone()).collect()),
            ),
            ("day", Column::Int(rows.iter().map(|row| row.day).collect())),
            (
                "campaign",
                Column::Text(rows.iter().map(|row| row.campaign.clone()).collect()),
            ),
            (
                "scan_time",
                Column::Big(rows.iter().map(|row| row.scan_time).collect()),
            ),
            (
                "counted",
                Column::Bool(rows.iter().map(|row| row.counted).collect()),
            ),
        ]
    }

    /// Stores rows as they are now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        let conflict = "ON CONFLICT (tube, person) DO UPDATE SET kind = excluded.kind, org_path = excluded.org_path, day = excluded.day, campaign = excluded.campaign, scan_time = excluded.scan_time, counted = excluded.counted";
        insert(tx, "swabs", Self::columns(rows), conflict).await
    }

    /// Adds rows; those stored already stay as they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        insert(tx, "swabs", Self::columns(rows), "ON CONFLICT DO NOTHING").await
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
                "SELECT {} FROM swabs WHERE {column} IN ({}) ORDER BY tube, person{}",
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
            "SELECT {} FROM swabs WHERE {wheres} ORDER BY tube, person LIMIT {limit}",
            Self::COLUMNS,
        );
        let rows = connection
            .query_all_raw(statement(connection, &sql, values))
            .await?;
        rows.iter().map(Self::read).collect()
    }
}

/// One thing that happened to a tube.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustodyRow {
    /// The tube.
    pub tube: String,
    /// The version of the tube after it.
    pub sequence: i64,
    /// When.
    pub time: i64,
    /// What.
    pub verb: String,
    /// Who.
    pub actor: String,
    /// The state afterwards.
    pub state: i16,
    /// Signatures or reason.
    pub note: String,
}

impl CustodyRow {
    const COLUMNS: &str = "tube, sequence, time, verb, actor, state, note";

    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            tube: row.try_get_by_index(0)?,
            sequence: row.try_get_by_index(1)?,
            time: row.try_get_by_index(2)?,
            verb: row.try_get_by_index(3)?,
            actor: row.try_get_by_index(4)?,
            state: row.try_get_by_index(5)?,
            note: row.try_get_by_index(6)?,
        })
    }

    fn columns(rows: &[Self]) -> Vec<(&'static str, Column)> {
        vec![
            (
                "tube",
                Column::Text(rows.iter().map(|row| row.tube.clone()).collect()),
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
                "verb",
                Column::Text(rows.iter().map(|row| row.verb.clone()).collect()),
            ),
            (
                "actor",
                Column::Text(rows.iter().map(|row| row.actor.clone()).collect()),
            ),
            (
                "state",
                Column::Small(rows.iter().map(|row| row.state).collect()),
            ),
            (
                "note",
                Column::Text(rows.iter().map(|row| row.note.clone()).collect()),
            ),
        ]
    }

    /// Stores rows as they are now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        let conflict = "ON CONFLICT (tube, sequence) DO UPDATE SET time = excluded.time, verb = excluded.verb, actor = excluded.actor, state = excluded.state, note = excluded.note";
        insert(tx, "custody", Self::columns(rows), conflict).await
    }

    /// Adds rows; those stored already stay as they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        insert(tx, "custody", Self::columns(rows), "ON CONFLICT DO NOTHING").await
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
                "SELECT {} FROM custody WHERE {column} IN ({}) ORDER BY tube, sequence{}",
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
            "SELECT {} FROM custody WHERE {wheres} ORDER BY tube, sequence LIMIT {limit}",
            Self::COLUMNS,
        );
        let rows = connection
            .query_all_raw(statement(connection, &sql, values))
            .await?;
        rows.iter().map(Self::read).collect()
    }
}

/// One version of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultRow {
    /// The tube.
    pub tube: String,
    /// The report.
    pub report: String,
    /// The version.
    pub version: i32,
    /// What was found.
    pub value: i16,
    /// When tested.
    pub test_time: i64,
    /// Why corrected.
    pub reason: String,
    /// When taken in.
    pub receive_time: i64,
}

impl ResultRow {
    const COLUMNS: &str = "tube, report, version, value, test_time, reason, receive_time";

    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            tube: row.try_get_by_index(0)?,
            report: row.try_get_by_index(1)?,
            version: row.try_get_by_index(2)?,
            value: row.try_get_by_index(3)?,
            test_time: row.try_get_by_index(4)?,
            reason: row.try_get_by_index(5)?,
            receive_time: row.try_get_by_index(6)?,
        })
    }

    fn columns(rows: &[Self]) -> Vec<(&'static str, Column)> {
        vec![
            (
                "tube",
                Column::Text(rows.iter().map(|row| row.tube.clone()).collect()),
            ),
            (
                "report",
                Column::Text(rows.iter().map(|row| row.report.clone()).collect()),
            ),
            (
                "version",
                Column::Int(rows.iter().map(|row| row.version).collect()),
            ),
            (
                "value",
                Column::Small(rows.iter().map(|row| row.value).collect()),
            ),
            (
                "test_time",
                Column::Big(rows.iter().map(|row| row.test_time).collect()),
            ),
            (
                "reason",
                Column::Text(rows.iter().map(|row| row.reason.clone()).collect()),
            ),
            (
                "receive_time",
                Column::Big(rows.iter().map(|row| row.receive_time).collect()),
            ),
        ]
    }

    /// Stores rows as they are now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        let conflict = "ON CONFLICT (tube, report, version) DO UPDATE SET value = excluded.value, test_time = excluded.test_time, reason = excluded.reason, receive_time = excluded.receive_time";
        insert(tx, "results", Self::columns(rows), conflict).await
    }

    /// Adds rows; those stored already stay as they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        insert(tx, "results", Self::columns(rows), "ON CONFLICT DO NOTHING").await
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
                "SELECT {} FROM results WHERE {column} IN ({}) ORDER BY tube, report, version{}",
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
            "SELECT {} FROM results WHERE {wheres} ORDER BY tube, report, version LIMIT {limit}",
            Self::COLUMNS,
        );
        let rows = connection
            .query_all_raw(statement(connection, &sql, values))
            .await?;
        rows.iter().map(Self::read).collect()
    }
}

/// Somebody must be swabbed again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MakeUpRow {
    /// The tube that came to nothing.
    pub tube: String,
    /// Who.
    pub person: Vec<u8>,
    /// Student or staff.
    pub kind: i16,
    /// The class group's place.
    pub org_path: String,
    /// Why.
    pub cause: String,
    /// When.
    pub create_time: i64,
}

impl MakeUpRow {
    const COLUMNS: &str = "tube, person, kind, org_path, cause, create_time";

    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            tube: row.try_get_by_index(0)?,
            person: row.try_get_by_index(1)?,
            kind: row.try_get_by_index(2)?,
            org_path: row.try_get_by_index(3)?,
            cause: row.try_get_by_index(4)?,
            create_time: row.try_get_by_index(5)?,
        })
    }

    fn columns(rows: &[Self]) -> Vec<(&'static str, Column)> {
        vec![
            (
                "tube",
                Column::Text(rows.iter().map(|row| row.tube.clone()).collect()),
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
                "org_path",
                Column::Text(rows.iter().map(|row| row.org_path.clone()).collect()),
            ),
            (
                "cause",
                Column::Text(rows.iter().map(|row| row.cause.clone()).collect()),
            ),
            (
                "create_time",
                Column::Big(rows.iter().map(|row| row.create_time).collect()),
            ),
        ]
    }

    /// Stores rows as they are now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        let conflict = "ON CONFLICT (tube, person) DO UPDATE SET kind = excluded.kind, org_path = excluded.org_path, cause = excluded.cause, create_time = excluded.create_time";
        insert(tx, "make_ups", Self::columns(rows), conflict).await
    }

    /// Adds rows; those stored already stay as they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add(tx: &Tx, rows: &[Self]) -> Result<(), DbErr> {
        insert(
            tx,
            "make_ups",
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
                "SELECT {} FROM make_ups WHERE {column} IN ({}) ORDER BY tube, person{}",
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
            "SELECT {} FROM make_ups WHERE {wheres} ORDER BY tube, person LIMIT {limit}",
            Self::COLUMNS,
        );
        let rows = connection
            .query_all_raw(statement(connection, &sql, values))
            .await?;
        rows.iter().map(Self::read).collect()
    }
}

/// Runs a change over many keys: `sql` ends before `IN`.
///
/// # Errors
/// When the database fails.
pub async fn execute_in(tx: &Tx, sql: &str, keys: Vec<Value>) -> Result<(), DbErr> {
    for part in keys.chunks(1000) {
        let sql = format!("{sql} IN ({})", placeholders(1, part.len()));
        tx.execute_raw(statement(tx, &sql, part.to_vec())).await?;
    }
    Ok(())
}
