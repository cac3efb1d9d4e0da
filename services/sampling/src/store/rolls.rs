//! Organisations and rolls.

use std::collections::{HashMap, HashSet};

use kit::db::{Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use crate::domain::roll::{GroupKind, Malformed, Roll, STUDENT};
use crate::domain::rotation::Rotation;
use kit::bulk::{Column, insert, keys, placeholders};

/// An organisation as the roster tells of it.
#[derive(Clone, Debug)]
pub(crate) struct Organization {
    /// Its identifier.
    pub(crate) id: String,
    /// Its place.
    pub(crate) path: String,
    /// Its version.
    pub(crate) version: i64,
    /// Shown to people.
    pub(crate) display_name: String,
}

/// One group as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRow {
    /// The group's place: that of its school and its identifier.
    pub path: String,
    /// The school's identifier.
    pub organization: String,
    /// The group's identifier.
    pub id: String,
    /// Students or staff.
    pub kind: GroupKind,
    /// Shown to people.
    pub display_name: String,
    /// The grade; 0 for none.
    pub grade: i32,
    /// Present in person.
    pub taught: bool,
    /// The version of the roll.
    pub version: i64,
    /// The packed roll.
    pub members: Vec<u8>,
    /// The packed rotation; empty when nobody was ever swabbed.
    pub entries: Vec<u8>,
}

impl GroupRow {
    /// The place of the school.
    pub fn school_path(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(school, _)| school)
    }

    /// The resource name.
    pub fn name(&self) -> String {
        group_name(&self.organization, &self.id)
    }

    /// The roll.
    ///
    /// # Errors
    /// When the stored bytes are no roll.
    pub fn roll(&self) -> Result<Roll, DbErr> {
        Roll::unpack(self.kind, &self.members).map_err(corrupt)
    }

    /// How many are expected in person.
    ///
    /// # Errors
    /// When the stored bytes are no roll.
    pub fn expected(&self) -> Result<i32, DbErr> {
        if !self.taught {
            return Ok(0);
        }
        Ok(i32::try_from(self.roll()?.expected()).unwrap_or(i32::MAX))
    }

    /// The rotation.
    ///
    /// # Errors
    /// When the stored bytes are no rotation.
    pub fn rotation(&self) -> Result<Rotation, DbErr> {
        Rotation::unpack(&self.entries).map_err(corrupt)
    }

    fn read(row: &QueryResult) -> Result<Self, DbErr> {
        let kind: i16 = row.try_get_by_index(3)?;
        Ok(Self {
            path: row.try_get_by_index(0)?,
            organization: row.try_get_by_index(1)?,
            id: row.try_get_by_index(2)?,
            kind: GroupKind::from_code(kind).ok_or_else(|| corrupt(Malformed))?,
            display_name: row.try_get_by_index(4)?,
            grade: row.try_get_by_index(5)?,
            taught: row.try_get_by_index(6)?,
            version: row.try_get_by_index(7)?,
            members: row.try_get_by_index(8)?,
            entries: row
                .try_get_by_index::<Option<Vec<u8>>>(9)?
                .unwrap_or_default(),
        })
    }
}

/// The resource name of a group.
pub fn group_name(organization: &str, id: &str) -> String {
    format!("organizations/{organization}/classGroups/{id}")
}

pub(crate) fn corrupt(err: Malformed) -> DbErr {
    DbErr::Custom(format!("a packed row is corrupt: {err}"))
}

const GROUPS: &str = "SELECT r.path, r.organization, r.id, r.kind, r.display_name, r.grade, \
    r.taught, r.version, r.members, t.entries FROM class_rolls r \
    LEFT JOIN rotation t ON t.path = r.path";

/// Every group at or below a place, ordered by path.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn groups_below(
    connection: &impl ConnectionTrait,
    place: &str,
) -> Result<Vec<GroupRow>, DbErr> {
    groups_between(connection, place, place).await
}

/// Every group of the schools from `first` to `last`, ordered by path.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn groups_between(
    connection: &impl ConnectionTrait,
    first: &str,
    last: &str,
) -> Result<Vec<GroupRow>, DbErr> {
    let sql = format!("{GROUPS} WHERE r.path >= $1 AND r.path < $2 ORDER BY r.path");
    let values: [Value; 2] = [format!("{first}/").into(), format!("{last}0").into()];
    let rows = connection
        .query_all_raw(statement(connection, &sql, values))
        .await?;
    rows.iter().map(GroupRow::read).collect()
}

fn values(paths: &[String]) -> Vec<Value> {
    paths.iter().map(|path| path.as_str().into()).collect()
}

/// The packed rotation at these paths, whether or not their groups are there.
pub(crate) async fn entries_at(
    connection: &impl ConnectionTrait,
    paths: &[String],
) -> Result<HashMap<String, Vec<u8>>, DbErr> {
    let mut entries = HashMap::new();
    for (marks, part) in keys(1, values(paths)) {
        let sql = format!("SELECT path, entries FROM rotation WHERE path IN ({marks})");
        let rows = connection.query_all_raw(statement(connection, &sql, part));
        for row in rows.await? {
            entries.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        }
    }
    Ok(entries)
}

/// The groups with these paths, ordered by path.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn groups_at(
    connection: &impl ConnectionTrait,
    paths: &[String],
) -> Result<Vec<GroupRow>, DbErr> {
    let mut groups = Vec::with_capacity(paths.len());
    for (marks, part) in keys(1, values(paths)) {
        let sql = format!("{GROUPS} WHERE r.path IN ({marks}) ORDER BY r.path");
        let rows = connection.query_all_raw(statement(connection, &sql, part));
        for row in &rows.await? {
            groups.push(GroupRow::read(row)?);
        }
    }
    Ok(groups)
}

/// The group with this resource name.
///
/// # Errors
/// When the database fails or the row is corrupt.
pub async fn group_named(
    connection: &impl ConnectionTrait,
    organization: &str,
    id: &str,
) -> Result<Option<GroupRow>, DbErr> {
    let sql = format!("{GROUPS} WHERE r.organization = $1 AND r.id = $2");
    let row = connection
        .query_one_raw(statement(
            connection,
            &sql,
            [organization.into(), id.into()],
        ))
        .await?;
    row.as_ref().map(GroupRow::read).transpose()
}

/// Schools with groups at or below a place, by path, with the number of their groups.
///
/// # Errors
/// When the database fails.
pub async fn schools_below(
    connection: &impl ConnectionTrait,
    place: &str,
    kinds: &[GroupKind],
) -> Result<Vec<(String, i64)>, DbErr> {
    let sql = format!(
        "SELECT MIN(path), organization, COUNT(*) FROM class_rolls WHERE path >= $1 AND path < $2 \
         AND kind IN ({}) GROUP BY organization",
        placeholders(3, kinds.len())
    );
    let mut values: Vec<Value> = vec![format!("{place}/").into(), format!("{place}0").into()];
    values.extend(kinds.iter().map(|kind| Value::from(kind.code())));
    let mut schools = Vec::new();
    for row in connection
        .query_all_raw(statement(connection, &sql, values))
        .await?
    {
        let path: String = row.try_get_by_index(0)?;
        let school = path.rsplit_once('/').map(|(school, _)| school.to_owned());
        schools.push((school.unwrap_or_default(), row.try_get_by_index(2)?));
    }
    // In the order of their groups' paths, where `/` stands after `-`.
    schools.sort_by_cached_key(|(path, _)| format!("{path}/"));
    Ok(schools)
}

/// How many pupils and children of kindergarten classes each school from `first` to `last` has on its
/// rolls, by the place of the school.
///
/// # Errors
/// When the database fails.
pub async fn enrolled_between(
    connection: &impl ConnectionTrait,
    first: &str,
    last: &str,
) -> Result<HashMap<String, (u32, u32)>, DbErr> {
    let sql = "SELECT MIN(path), \
        SUM(CASE WHEN id LIKE 'k%' THEN 0 ELSE LENGTH(members) END), \
        SUM(CASE WHEN id LIKE 'k%' THEN LENGTH(members) ELSE 0 END) \
        FROM class_rolls WHERE path >= $1 AND path < $2 AND kind = 1 GROUP BY organization";
    let values: [Value; 2] = [format!("{first}/").into(), format!("{last}0").into()];
    let mut enrolled = HashMap::new();
    for row in connection
        .query_all_raw(statement(connection, sql, values))
        .await?
    {
        let path: String = row.try_get_by_index(0)?;
        let (pupils, children): (i64, i64) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        let people = |bytes: i64| {
            let bytes = usize::try_from(bytes).unwrap_or_default();
            u32::try_from(bytes / STUDENT).unwrap_or(u32::MAX)
        };
        if let Some((school, _)) = path.rsplit_once('/') {
            enrolled.insert(school.to_owned(), (people(pupils), people(children)));
        }
    }
    Ok(enrolled)
}

/// The groups of staff of the schools from `first` to `last`, ordered by path.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn staff_between(
    connection: &impl ConnectionTrait,
    first: &str,
    last: &str,
) -> Result<Vec<GroupRow>, DbErr> {
    let sql = format!("{GROUPS} WHERE r.path >= $1 AND r.path < $2 AND r.kind = 2 ORDER BY r.path");
    let values: [Value; 2] = [format!("{first}/").into(), format!("{last}0").into()];
    let rows = connection
        .query_all_raw(statement(connection, &sql, values))
        .await?;
    rows.iter().map(GroupRow::read).collect()
}

/// The place of an organisation.
///
/// # Errors
/// When the database fails or the path is corrupt.
pub async fn organization_path(
    connection: &impl ConnectionTrait,
    id: &str,
) -> Result<Option<OrgPath>, DbErr> {
    let sql = statement(
        connection,
        "SELECT org_path FROM organizations WHERE id = $1",
        [id.into()],
    );
    let Some(row) = connection.query_one_raw(sql).await? else {
        return Ok(None);
    };
    let path: String = row.try_get_by_index(0)?;
    path.parse().map(Some).map_err(|_| corrupt(Malformed))
}

/// The name of the organisation at a place, as it is shown; empty while it is not known.
///
/// # Errors
/// When the database fails.
pub async fn organization_name(
    connection: &impl ConnectionTrait,
    path: &str,
) -> Result<String, DbErr> {
    let sql = "SELECT display_name FROM organizations WHERE org_path = $1";
    let sql = statement(connection, sql, [path.into()]);
    let row = connection.query_one_raw(sql).await?;
    row.map_or(Ok(String::new()), |row| row.try_get_by_index(0))
}

/// The paths of the organisations right below a place, ordered, after `after`.
///
/// # Errors
/// When the database fails.
pub async fn organizations_below(
    connection: &impl ConnectionTrait,
    place: &str,
) -> Result<Vec<String>, DbErr> {
    let sql = "SELECT org_path FROM organizations WHERE org_path >= $1 AND org_path < $2 \
        ORDER BY org_path";
    let values: [Value; 2] = [format!("{place}/").into(), format!("{place}0").into()];
    let rows = connection
        .query_all_raw(statement(connection, sql, values))
        .await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// The organisations right below a place, ordered by path.
///
/// # Errors
/// When the database fails.
pub async fn children(
    connection: &impl ConnectionTrait,
    place: &OrgPath,
) -> Result<Vec<String>, DbErr> {
    let slashes = i32::try_from(place.ids().count()).unwrap_or(i32::MAX);
    let sql = "SELECT org_path FROM organizations WHERE org_path >= $1 AND org_path < $2 \
        AND LENGTH(org_path) - LENGTH(REPLACE(org_path, '/', '')) = $3 ORDER BY org_path";
    let values: [Value; 3] = [
        format!("{place}/").into(),
        format!("{place}0").into(),
        slashes.into(),
    ];
    let rows = connection
        .query_all_raw(statement(connection, sql, values))
        .await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Stores organisations; an older version than the stored one changes nothing, unless it is the first of a generation:
/// the roster may have gone back to an earlier time.
pub(crate) async fn save_organizations(
    tx: &Tx,
    organizations: Vec<Organization>,
    generation: i64,
) -> Result<(), DbErr> {
    let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    // One statement may not touch a row twice, so of one organisation the last state stands.
    let last: HashMap<String, Organization> = organizations
        .into_iter()
        .map(|organization| (organization.id.clone(), organization))
        .collect();
    for (id, organization) in last {
        columns.0.push(id);
        columns.1.push(organization.path);
        columns.2.push(organization.version);
        columns.3.push(organization.display_name);
    }
    let generations = vec![generation; columns.0.len()];
    let columns = vec![
        ("id", Column::Text(columns.0)),
        ("org_path", Column::Text(columns.1)),
        ("version", Column::Big(columns.2)),
        ("display_name", Column::Text(columns.3)),
        ("generation", Column::Big(generations)),
    ];
    let conflict = "ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, \
        display_name = CASE WHEN excluded.version >= organizations.version \
            OR excluded.generation > organizations.generation \
            THEN excluded.display_name ELSE organizations.display_name END, \
        org_path = CASE WHEN excluded.version > organizations.version \
            OR excluded.generation > organizations.generation \
            THEN excluded.org_path ELSE organizations.org_path END, \
        version = CASE WHEN excluded.version > organizations.version \
            OR excluded.generation > organizations.generation \
            THEN excluded.version ELSE organizations.version END";
    insert(tx, "organizations", columns, conflict).await
}

/// Stores groups as they are now; their rotation stays.
pub(crate) async fn save_groups(
    tx: &Tx,
    groups: &[GroupRow],
    generation: i64,
) -> Result<(), DbErr> {
    let text =
        |of: fn(&GroupRow) -> &String| Column::Text(groups.iter().map(of).cloned().collect());
    let expected: Result<_, DbErr> = groups.iter().map(GroupRow::expected).collect();
    let expected = expected?;
    let columns = vec![
        ("path", text(|group| &group.path)),
        ("organization", text(|group| &group.organization)),
        ("id", text(|group| &group.id)),
        (
            "kind",
            Column::Small(groups.iter().map(|group| group.kind.code()).collect()),
        ),
        ("display_name", text(|group| &group.display_name)),
        (
            "grade",
            Column::Int(groups.iter().map(|group| group.grade).collect()),
        ),
        (
            "taught",
            Column::Bool(groups.iter().map(|group| group.taught).collect()),
        ),
        (
            "version",
            Column::Big(groups.iter().map(|group| group.version).collect()),
        ),
        ("generation", Column::Big(vec![generation; groups.len()])),
        (
            "members",
            Column::Bytes(groups.iter().map(|group| group.members.clone()).collect()),
        ),
        ("expected", Column::Int(expected)),
    ];
    let conflict = "ON CONFLICT (path) DO UPDATE SET display_name = excluded.display_name, \
        grade = excluded.grade, taught = excluded.taught, version = excluded.version, \
        generation = excluded.generation, members = excluded.members, \
        expected = excluded.expected";
    insert(tx, "class_rolls", columns, conflict).await
}

/// Which of these groups were seen in this generation.
pub(crate) async fn seen_at(
    tx: &Tx,
    paths: &[String],
    generation: i64,
) -> Result<HashSet<String>, DbErr> {
    let mut seen = HashSet::with_capacity(paths.len());
    for (marks, mut part) in keys(2, values(paths)) {
        let sql =
            format!("SELECT path FROM class_rolls WHERE generation = $1 AND path IN ({marks})");
        part.insert(0, generation.into());
        for row in tx.query_all_raw(statement(tx, &sql, part)).await? {
            seen.insert(row.try_get_by_index(0)?);
        }
    }
    Ok(seen)
}

/// Removes a group and forgets where its people are found. Its rotation stays, for its return.
pub(crate) async fn remove_group(tx: &Tx, path: &str) -> Result<(), DbErr> {
    for sql in [
        "DELETE FROM people WHERE path = $1",
        "DELETE FROM class_rolls WHERE path = $1",
    ] {
        tx.execute_raw(statement(tx, sql, [path.into()])).await?;
    }
    Ok(())
}

/// The groups that were not seen in this generation.
pub(crate) async fn unseen_groups(tx: &Tx, generation: i64) -> Result<Vec<String>, DbErr> {
    let sql = statement(
        tx,
        "SELECT path FROM class_rolls WHERE generation < $1",
        [generation.into()],
    );
    tx.query_all_raw(sql)
        .await?
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect()
}

/// Removes what was not seen in this generation and has no parts elsewhere.
pub(crate) async fn remove_unseen(tx: &Tx, generation: i64) -> Result<(), DbErr> {
    for table in ["organizations", "policies", "calendar_years"] {
        let sql = format!("DELETE FROM {table} WHERE generation < $1");
        tx.execute_raw(statement(tx, &sql, [generation.into()]))
            .await?;
    }
    Ok(())
}
