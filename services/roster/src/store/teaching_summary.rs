//! How many class groups are taught in which mode, counted from an index that holds those that are taught and
//! nothing else of them.

use kit::db::statement;
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::domain::class_group::TeachingMode;
use crate::domain::teaching::TeachingSummary;

/// The class groups below a place that are taught, school by school. A school that is closed has none.
const OF_SCHOOLS: &str = "FROM class_groups \
    WHERE state = 1 AND org_path >= $1 AND org_path < $2 GROUP BY organization";

/// How many class groups of a school are taught in which mode.
fn modes() -> String {
    let taught = |mode: TeachingMode| {
        let code = mode.code();
        format!("COUNT(CASE WHEN teaching_mode = {code} THEN 1 END)")
    };
    format!(
        "{} AS in_person, {} AS online, {} AS suspended",
        taught(TeachingMode::InPerson),
        taught(TeachingMode::Online),
        taught(TeachingMode::Suspended),
    )
}

/// What is below a place: class groups stand below their school.
fn below(place: &OrgPath) -> [Value; 2] {
    [format!("{place}/").into(), place.below_end().into()]
}

/// How the class groups of all schools at or below a place are taught.
///
/// # Errors
/// When the database fails.
pub async fn whole(db: &impl ConnectionTrait, place: &OrgPath) -> Result<TeachingSummary, DbErr> {
    let sum = |column: &str| format!("CAST(COALESCE(SUM({column}), 0) AS BIGINT)");
    let sql = format!(
        "SELECT {}, {}, {}, COUNT(*), COUNT(CASE WHEN online + suspended = 0 THEN 1 END) \
         FROM (SELECT {} {OF_SCHOOLS}) AS schools",
        sum("in_person"),
        sum("online"),
        sum("suspended"),
        modes(),
    );
    let row = db.query_one_raw(statement(db, &sql, below(place))).await?;
    row.map_or(Ok(TeachingSummary::default()), |row| {
        Ok(TeachingSummary {
            in_person: row.try_get_by_index(0)?,
            online: row.try_get_by_index(1)?,
            suspended: row.try_get_by_index(2)?,
            schools: row.try_get_by_index(3)?,
            in_person_schools: row.try_get_by_index(4)?,
        })
    })
}

/// How the class groups of each school at or below a place are taught, with the place of the school.
///
/// # Errors
/// When the database fails.
pub async fn by_school(
    db: &impl ConnectionTrait,
    place: &OrgPath,
) -> Result<Vec<(String, TeachingSummary)>, DbErr> {
    let sql = format!("SELECT MIN(org_path), {} {OF_SCHOOLS}", modes());
    let rows = db.query_all_raw(statement(db, &sql, below(place))).await?;
    let counted = rows.iter().map(|row| {
        let class_group: String = row.try_get_by_index(0)?;
        let school = class_group
            .rsplit_once('/')
            .map_or("", |(school, _)| school);
        let counted = TeachingSummary::of_school(
            row.try_get_by_index(1)?,
            row.try_get_by_index(2)?,
            row.try_get_by_index(3)?,
        );
        Ok((school.to_owned(), counted))
    });
    counted.collect()
}
