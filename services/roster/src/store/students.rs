//! Students.

use kit::db::{Backend, Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::rolls::marks;
use super::{from_day, to_day, unreadable, within};
use crate::domain::import::{IdKind, Sex};
use crate::domain::student::{Presence, State, Student};

const COLUMNS: &str = "id, org_path, display_name, sex, birth_month, id_type, id_hash, sealed, \
    presence, boarder, dormitory, swab_exempt, start_day, end_day, state, version, update_time";

/// Whose students a list holds.
#[derive(Clone, Debug)]
pub enum Place {
    /// Of the class group at this place.
    ClassGroup(String),
    /// Of every class group of the organisation with this code.
    Organization(String),
    /// Of everybody below this place.
    Below(OrgPath),
}

/// Which students a list holds.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Whose.
    pub place: Place,
    /// Also those who left.
    pub withdrawn: bool,
    /// With an identifier after this one.
    pub after: Uuid,
    /// At most so many.
    pub limit: u64,
}

fn read(row: &QueryResult) -> Result<Student, DbErr> {
    let presence = Presence::from_code(row.try_get_by_index(8)?);
    let end_day: Option<i32> = row.try_get_by_index(13)?;
    let state = State::from_code(row.try_get_by_index(14)?);
    Ok(Student {
        id: row.try_get_by_index(0)?,
        org_path: row.try_get_by_index(1)?,
        display_name: row.try_get_by_index(2)?,
        sex: Sex::from_code(row.try_get_by_index(3)?),
        birth_month: row.try_get_by_index(4)?,
        id_kind: IdKind::from_code(row.try_get_by_index(5)?),
        id_hash: row.try_get_by_index(6)?,
        sealed: row.try_get_by_index(7)?,
        presence: presence.ok_or_else(|| unreadable("the presence of a student"))?,
        boarder: row.try_get_by_index(9)?,
        dormitory: row.try_get_by_index(10)?,
        swab_exempt: row.try_get_by_index(11)?,
        start_day: to_day(row.try_get_by_index(12)?)?,
        end_day: end_day.map(to_day).transpose()?,
        state: state.ok_or_else(|| unreadable("the state of a student"))?,
        version: row.try_get_by_index(15)?,
        update_time: row.try_get_by_index(16)?,
    })
}

/// One student.
///
/// # Errors
/// When the database fails.
pub async fn get(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Student>, DbErr> {
    find(db, id, "").await
}

/// One student, locked until the end of the transaction. The class groups concerned are locked
/// before.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &Tx, id: Uuid) -> Result<Option<Student>, DbErr> {
    let lock = match tx.backend() {
        Backend::Postgres => "FOR UPDATE",
        Backend::Sqlite => "",
    };
    find(tx, id, lock).await
}

async fn find(db: &impl ConnectionTrait, id: Uuid, lock: &str) -> Result<Option<Student>, DbErr> {
    let sql = format!("SELECT {COLUMNS} FROM students WHERE id = $1 {lock}");
    let row = db.query_one_raw(statement(db, &sql, [id.into()])).await?;
    row.as_ref().map(read).transpose()
}

/// Who within `scope` has the identity number with this hash: who is on a roll now, otherwise who
/// was last.
///
/// # Errors
/// When the database fails.
pub async fn by_number(
    db: &impl ConnectionTrait,
    id_hash: &[u8],
    scope: &OrgPath,
) -> Result<Option<Student>, DbErr> {
    let (inside, scope) = within("org_path", 2, scope);
    // Each condition on the state has an index of its own.
    for state in ["state = 1", "state <> 1"] {
        let sql = format!(
            "SELECT {COLUMNS} FROM students WHERE id_hash = $1 AND {state} AND {inside} \
             ORDER BY update_time DESC, id LIMIT 1"
        );
        let values = [id_hash.to_vec().into()].into_iter().chain(scope.clone());
        if let Some(row) = db.query_one_raw(statement(db, &sql, values)).await? {
            return read(&row).map(Some);
        }
    }
    Ok(None)
}

/// One page, ordered by name.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait, wanted: &Wanted) -> Result<Vec<Student>, DbErr> {
    let Wanted {
        place,
        withdrawn,
        after,
        limit,
    } = wanted;
    let (inside, place): (&str, Vec<Value>) = match place {
        Place::ClassGroup(path) => ("org_path = $4", vec![path.as_str().into()]),
        Place::Organization(id) => (
            "org_path IN (SELECT org_path FROM class_groups WHERE organization = $4)",
            vec![id.as_str().into()],
        ),
        Place::Below(path) => (
            "org_path >= $4 AND org_path < $5",
            vec![format!("{path}/").into(), path.below_end().into()],
        ),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM students WHERE {inside} AND id > $1 AND (state = 1 OR $2) \
         ORDER BY id LIMIT $3"
    );
    let values: [Value; 3] = [
        (*after).into(),
        (*withdrawn).into(),
        i64::try_from(*limit).unwrap_or(i64::MAX).into(),
    ];
    let rows = db
        .query_all_raw(statement(db, &sql, values.into_iter().chain(place)))
        .await?;
    rows.iter().map(read).collect()
}

/// Adds a student.
///
/// # Errors
/// When the database fails or the identity number belongs to somebody on a roll.
pub async fn insert(tx: &Tx, student: &Student) -> Result<(), DbErr> {
    let sql = format!("INSERT INTO students ({COLUMNS}) VALUES ({})", marks(17));
    tx.execute_raw(statement(tx, &sql, values(student))).await?;
    Ok(())
}

/// Stores what changed by hand: the next import will see a difference.
///
/// # Errors
/// When the database fails or the identity number belongs to somebody on a roll.
pub async fn update(tx: &Tx, student: &Student) -> Result<(), DbErr> {
    let assignments: Vec<String> = COLUMNS
        .split(", ")
        .zip(1..)
        .skip(1)
        .map(|(column, place)| format!("{} = ${place}", column.trim()))
        .collect();
    let sql = format!(
        "UPDATE students SET {}, content_hash = NULL, raw_hash = NULL, batch = NULL \
         WHERE id = $1",
        assignments.join(", ")
    );
    tx.execute_raw(statement(tx, &sql, values(student))).await?;
    Ok(())
}

fn values(student: &Student) -> [Value; 17] {
    let Student {
        id,
        org_path,
        display_name,
        sex,
        birth_month,
        id_kind,
        id_hash,
        sealed,
        presence,
        boarder,
        dormitory,
        swab_exempt,
        start_day,
        end_day,
        state,
        version,
        update_time,
    } = student.clone();
    [
        id.into(),
        org_path.into(),
        display_name.into(),
        sex.map_or(0, Sex::code).into(),
        birth_month.into(),
        id_kind.map_or(0, IdKind::code).into(),
        id_hash.into(),
        sealed.into(),
        presence.code().into(),
        boarder.into(),
        dormitory.into(),
        swab_exempt.into(),
        from_day(start_day).into(),
        end_day.map(from_day).into(),
        state.code().into(),
        version.into(),
        update_time.into(),
    ]
}
