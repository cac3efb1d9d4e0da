//! How many students the class groups of a region have.

use kit::db::statement;
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr};

use super::within;

/// One class group that is taught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassGroup {
    /// The code of its school.
    pub organization: String,
    /// Its own id.
    pub id: String,
    /// The latest school year that began for it.
    pub school_year: i32,
    /// The students on its roll.
    pub students: i64,
    /// Those of them who can be drawn: present in person and not exempt (rule 2.2).
    pub eligible: i64,
}

/// The class groups at or below a place, ordered by place.
///
/// # Errors
/// When the database fails.
pub async fn class_groups(
    db: &impl ConnectionTrait,
    scope: &OrgPath,
) -> Result<Vec<ClassGroup>, DbErr> {
    let (inside, values) = within("c.org_path", 1, scope);
    // Modes, presences and states are the numbers of the contract.
    let sql = format!(
        "SELECT c.organization, c.id, c.school_year, COUNT(s.id), \
         SUM(CASE WHEN s.presence = 1 AND NOT s.swab_exempt AND c.teaching_mode = 1 \
         THEN 1 ELSE 0 END) \
         FROM class_groups c LEFT JOIN students s ON s.org_path = c.org_path AND s.state = 1 \
         WHERE c.state = 1 AND {inside} GROUP BY c.org_path, c.organization, c.id, \
         c.school_year \
         ORDER BY c.org_path"
    );
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    rows.iter()
        .map(|row| {
            Ok(ClassGroup {
                organization: row.try_get_by_index(0)?,
                id: row.try_get_by_index(1)?,
                school_year: row.try_get_by_index(2)?,
                students: row.try_get_by_index(3)?,
                eligible: row.try_get_by_index(4)?,
            })
        })
        .collect()
}
