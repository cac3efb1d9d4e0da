//! What a job touched beside the rows that it named: places whose rolls changed, head teachers, and
//! what others added since.

use kit::db::{Backend, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};

use super::jobs::Job;

/// What others must hear of again.
#[derive(Debug, Default)]
pub struct Touched {
    /// Organisations, by id, parents first.
    pub organizations: Vec<String>,
    /// Class groups, by place.
    pub class_groups: Vec<String>,
    /// Organisations whose staff changed, by id.
    pub staffed: Vec<String>,
    /// Organisations at which somebody else may answer now, by id.
    pub answerable: Vec<String>,
}

impl Touched {
    /// What the job `number` touches as the tables stand now: what it wrote, and what it keeps of
    /// the rows that it replaced.
    pub async fn by(tx: &Tx, number: i64) -> Result<Self, DbErr> {
        let organizations = "SELECT id FROM organizations WHERE batch = $1 ORDER BY org_path";
        let class_groups = "SELECT org_path FROM class_groups WHERE batch = $1 \
            UNION SELECT org_path FROM students WHERE batch = $1 \
            UNION SELECT org_path FROM replaced_students WHERE job = $1";
        let staffed = "SELECT o.id FROM organizations o WHERE o.org_path IN (\
            SELECT org_path FROM staff WHERE batch = $1 \
            UNION SELECT org_path FROM replaced_staff WHERE job = $1)";
        let headed = "SELECT DISTINCT organization FROM class_groups WHERE batch = $1";
        let staffed = texts(tx, staffed, number).await?;
        let mut answerable = texts(tx, headed, number).await?;
        answerable.extend(staffed.iter().cloned());
        Ok(Self {
            organizations: texts(tx, organizations, number).await?,
            class_groups: texts(tx, class_groups, number).await?,
            staffed,
            answerable,
        })
    }
}

async fn texts(tx: &Tx, sql: &str, number: i64) -> Result<Vec<String>, DbErr> {
    let rows = tx
        .query_all_raw(statement(tx, sql, [number.into()]))
        .await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Class groups get the head teachers that staff rows name. A class group that the job did not
/// write is kept first, like any row that a commit replaces.
pub async fn name_head_teachers(tx: &Tx, job: &Job) -> Result<(), DbErr> {
    const NAMED: &str = "SELECT s.head_of, min(t.id) AS staff FROM import_staff s \
        JOIN staff t ON t.id = s.id AND t.batch = $1 \
        WHERE s.job = $1 AND s.head_of <> '' GROUP BY s.head_of";
    let named = match tx.backend() {
        // There is no least UUID in older servers; as text they sort alike.
        Backend::Postgres => NAMED.replace("min(t.id)", "min(t.id::text)::uuid"),
        Backend::Sqlite => NAMED.to_owned(),
    };
    let keep = format!(
        "INSERT INTO replaced_class_groups SELECT $1, c.* FROM class_groups c \
         JOIN ({named}) n ON n.head_of = c.org_path \
         WHERE (c.batch IS NULL OR c.batch <> $1) \
         AND (c.head_teacher IS NULL OR c.head_teacher <> n.staff)"
    );
    tx.execute_raw(statement(tx, &keep, [job.number.into()]))
        .await?;
    let update = format!(
        "UPDATE class_groups AS c SET head_teacher = n.staff, batch = $1, version = c.version + 1, \
         update_time = $2 FROM ({named}) AS n WHERE n.head_of = c.org_path \
         AND (c.head_teacher IS NULL OR c.head_teacher <> n.staff)"
    );
    tx.execute_raw(statement(
        tx,
        &update,
        [job.number.into(), job.update_time.into()],
    ))
    .await?;
    Ok(())
}

/// What others added below places that the job made: it would lose its place.
pub async fn later_additions(tx: &Tx, job: i64) -> Result<i64, DbErr> {
    const ADDED: &str = "SELECT \
        (SELECT count(*) FROM students p WHERE (p.batch IS NULL OR p.batch <> $1) \
         AND p.org_path IN (SELECT org_path FROM class_groups c WHERE c.batch = $1 AND NOT EXISTS \
         (SELECT 1 FROM replaced_class_groups r WHERE r.job = $1 AND r.org_path = c.org_path))) \
        + (SELECT count(*) FROM class_groups c WHERE (c.batch IS NULL OR c.batch <> $1) \
         AND c.organization IN (SELECT id FROM organizations o WHERE o.batch = $1 AND NOT EXISTS \
         (SELECT 1 FROM replaced_organizations r WHERE r.job = $1 AND r.id = o.id))) \
        + (SELECT count(*) FROM staff w WHERE (w.batch IS NULL OR w.batch <> $1) \
         AND w.org_path IN (SELECT org_path FROM organizations o WHERE o.batch = $1 \
         AND NOT EXISTS (SELECT 1 FROM replaced_organizations r \
         WHERE r.job = $1 AND r.id = o.id))) \
        + (SELECT count(*) FROM organizations n WHERE (n.batch IS NULL OR n.batch <> $1) \
         AND n.parent IN (SELECT id FROM organizations o WHERE o.batch = $1 AND NOT EXISTS \
         (SELECT 1 FROM replaced_organizations r WHERE r.job = $1 AND r.id = o.id)))";
    let row = tx.query_one_raw(statement(tx, ADDED, [job.into()])).await?;
    row.map_or(Ok(0), |row| row.try_get_by_index(0))
}

/// A place that a job made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// An organisation.
    Organization {
        /// Its id.
        id: String,
        /// Where it stands.
        org_path: String,
        /// The versions of itself, of its staff roll and of its responsibility roll.
        versions: [i64; 3],
    },
    /// A class group.
    ClassGroup {
        /// The id of its organisation.
        organization: String,
        /// Its id.
        id: String,
        /// Where it stands.
        org_path: String,
        /// The version of its roll.
        version: i64,
    },
}

/// The places that a job made, class groups first.
///
/// # Errors
/// When the database fails.
pub async fn made(tx: &Tx, job: i64) -> Result<Vec<Made>, DbErr> {
    const CLASS_GROUPS: &str = "SELECT c.organization, c.id, c.org_path, c.roll_version \
        FROM class_groups c WHERE c.batch = $1 AND NOT EXISTS \
        (SELECT 1 FROM replaced_class_groups r WHERE r.job = $1 AND r.org_path = c.org_path)";
    const ORGANIZATIONS: &str = "SELECT o.id, o.org_path, o.version, o.staff_version, \
        o.duty_version FROM organizations o WHERE o.batch = $1 AND NOT EXISTS \
        (SELECT 1 FROM replaced_organizations r WHERE r.job = $1 AND r.id = o.id)";
    let mut made = Vec::new();
    let select = statement(tx, CLASS_GROUPS, [job.into()]);
    for row in tx.query_all_raw(select).await? {
        made.push(Made::ClassGroup {
            organization: row.try_get_by_index(0)?,
            id: row.try_get_by_index(1)?,
            org_path: row.try_get_by_index(2)?,
            version: row.try_get_by_index(3)?,
        });
    }
    let select = statement(tx, ORGANIZATIONS, [job.into()]);
    for row in tx.query_all_raw(select).await? {
        made.push(Made::Organization {
            id: row.try_get_by_index(0)?,
            org_path: row.try_get_by_index(1)?,
            versions: [
                row.try_get_by_index(2)?,
                row.try_get_by_index(3)?,
                row.try_get_by_index(4)?,
            ],
        });
    }
    Ok(made)
}
