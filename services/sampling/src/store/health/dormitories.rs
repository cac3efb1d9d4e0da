//! Who lives in which dormitory room.

use std::collections::{BTreeSet, HashMap};

use kit::db::Tx;
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::domain::health::dormitory::{Resident, unpack};
use crate::domain::roll::PersonId;
use crate::store::rolls::corrupt;
use kit::rows::{Lock, Row, execute_in, row};

row! {
    /// The residents of one room who are in one class group.
    DormitoryRow in "dormitories" by ["place", "group_path"] {
        /// The school's place and the room's identifier.
        place: String,
        /// The place of the class group.
        group_path: String,
        /// The place of the school.
        school: String,
        /// The room as the register writes it.
        room: String,
        /// How many of them are expected in person.
        expected: i32,
        /// The packed residents.
        members: Vec<u8>,
    }
}

impl DormitoryRow {
    /// The room's identifier within its school.
    pub fn id(&self) -> &str {
        super::units::leaf(&self.place)
    }

    /// Its residents, ordered by person.
    ///
    /// # Errors
    /// When the stored bytes are no residents.
    pub fn residents(&self) -> Result<Vec<Resident>, DbErr> {
        unpack(&self.members).map_err(corrupt)
    }
}

/// The rooms with residents from these class groups, with those residents only.
///
/// # Errors
/// When the database fails.
pub async fn of_groups<C: ConnectionTrait + Sync>(
    connection: &C,
    groups: Vec<Value>,
) -> Result<Vec<DormitoryRow>, DbErr> {
    DormitoryRow::find(connection, "group_path", groups, Lock::No).await
}

/// The rows of these rooms, one for each class group that has residents there.
///
/// # Errors
/// When the database fails.
pub async fn at<C: ConnectionTrait + Sync>(
    connection: &C,
    places: Vec<Value>,
) -> Result<Vec<DormitoryRow>, DbErr> {
    DormitoryRow::find(connection, "place", places, Lock::No).await
}

/// The identifier of the room of everybody in these class groups who has one.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn rooms_of<C: ConnectionTrait + Sync>(
    connection: &C,
    groups: Vec<Value>,
) -> Result<HashMap<PersonId, String>, DbErr> {
    let mut rooms = HashMap::new();
    for row in of_groups(connection, groups).await? {
        for resident in row.residents()? {
            rooms.insert(resident.person, row.id().to_owned());
        }
    }
    Ok(rooms)
}

/// Everybody who lives in a room of a school.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn residents<C: ConnectionTrait + Sync>(
    connection: &C,
    school: &str,
    room: &str,
) -> Result<Vec<PersonId>, DbErr> {
    let mut people = Vec::new();
    for row in at(connection, vec![format!("{school}/{room}").into()]).await? {
        people.extend(row.residents()?.into_iter().map(|resident| resident.person));
    }
    Ok(people)
}

/// From now on these are the residents from `groups`, and no others; `before` are those known so
/// far. Returns the schools in which something changed.
///
/// # Errors
/// When the database fails.
pub async fn replace(
    tx: &Tx,
    before: &[DormitoryRow],
    now: &[DormitoryRow],
) -> Result<BTreeSet<String>, DbErr> {
    let key = |row: &DormitoryRow| (row.place.clone(), row.group_path.clone());
    let kept: BTreeSet<_> = now.iter().map(key).collect();
    let mut schools = BTreeSet::new();
    // A group that left a room writes all its rooms anew: that is rare, and one statement.
    let left: BTreeSet<&str> = before
        .iter()
        .filter(|row| !kept.contains(&key(row)))
        .map(|row| row.group_path.as_str())
        .collect();
    let gone = left.iter().map(|group| Value::from(*group)).collect();
    execute_in(tx, "DELETE FROM dormitories WHERE group_path", &[], gone).await?;
    schools.extend(
        before
            .iter()
            .filter(|row| left.contains(row.group_path.as_str()))
            .map(|row| row.school.clone()),
    );
    let changed: Vec<DormitoryRow> = now
        .iter()
        .filter(|row| left.contains(row.group_path.as_str()) || !before.contains(row))
        .cloned()
        .collect();
    schools.extend(changed.iter().map(|row| row.school.clone()));
    DormitoryRow::save(tx, &changed).await?;
    Ok(schools)
}
