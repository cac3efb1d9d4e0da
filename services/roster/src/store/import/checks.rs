//! Rows that a plan refuses: those that only the whole delivery and the register can judge.

use kit::db::{Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::compare::count;
use super::jobs::Job;
use super::shape::Shape;
use crate::domain::import::{Kind, Reason};
use crate::store::within;

/// Refuses staged rows that only the whole of them and the register can judge; gives how many.
///
/// # Errors
/// When the database fails.
pub async fn refuse(tx: &Tx, job: &Job, shape: &Shape) -> Result<i64, DbErr> {
    let mut refused = 0;
    let Shape {
        staged,
        table,
        kind,
        ..
    } = shape;
    // A first import meets nobody, and one that repeats itself stages nobody.
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT 1) t, \
         (SELECT 1 FROM {staged} WHERE job = $1 LIMIT 1) s"
    );
    let meet = count(tx, &sql, vec![job.number.into()]).await? > 0;
    match kind {
        Kind::Organization | Kind::StaffMember | Kind::Student if !meet => {}
        Kind::Organization => {
            let taken = format!(
                "SELECT s.row FROM {staged} s JOIN {table} t ON t.school_code = s.school_code \
                 AND t.id <> s.id WHERE s.job = $1"
            );
            let select = (taken.as_str(), Vec::new());
            refused += shape
                .refuse(tx, job.number, "school_code", Reason::DuplicateRow, select)
                .await?;
        }
        Kind::ClassGroup => {}
        Kind::StaffMember | Kind::Student => {
            let active = if *kind == Kind::Student {
                "t.state = 1"
            } else {
                "t.state <> 3"
            };
            // Whoever goes in this very job makes room for who comes.
            let registered = format!(
                "SELECT s.row FROM {staged} s JOIN {table} t ON t.id_hash = s.id_hash \
                 AND t.id <> s.id AND {active} WHERE s.job = $1 AND s.id_hash IS NOT NULL \
                 AND NOT EXISTS (SELECT 1 FROM import_vanished v \
                 WHERE v.job = $1 AND v.kind = $2 AND v.id = t.id) \
                 AND NOT EXISTS (SELECT 1 FROM {staged} o WHERE o.job = $1 AND o.id = t.id \
                 AND (o.id_hash IS NULL OR o.id_hash <> s.id_hash))"
            );
            let select = (registered.as_str(), vec![kind.code().into()]);
            refused += shape
                .refuse(tx, job.number, "id_number", Reason::DuplicatePerson, select)
                .await?;
            let scope: OrgPath = job.org_path.parse().unwrap_or_default();
            if scope.parent().is_some_and(|above| !above.is_root()) {
                let (inside, values) = within("t.org_path", 2, &scope);
                let elsewhere = format!(
                    "SELECT s.row FROM {staged} s JOIN {table} t ON t.id = s.id AND {active} \
                     WHERE s.job = $1 AND NOT {inside}"
                );
                let select = (elsewhere.as_str(), values.to_vec());
                refused += shape
                    .refuse(
                        tx,
                        job.number,
                        "external_id",
                        Reason::DuplicatePerson,
                        select,
                    )
                    .await?;
            }
        }
        Kind::Guardian => {
            let scope: OrgPath = job.org_path.parse().unwrap_or_default();
            if meet && scope.parent().is_some_and(|above| !above.is_root()) {
                // Whoever left another place and comes here brings their family along.
                let (inside, values) = within("p.org_path", 2, &scope);
                let elsewhere = format!(
                    "SELECT s.row FROM {staged} s JOIN {table} t ON t.id = s.id \
                     JOIN students p ON p.id = t.student WHERE s.job = $1 AND NOT {inside} \
                     AND (p.state = 1 OR t.student <> s.student)"
                );
                let select = (elsewhere.as_str(), values.to_vec());
                refused += shape
                    .refuse(
                        tx,
                        job.number,
                        "external_id",
                        Reason::DuplicatePerson,
                        select,
                    )
                    .await?;
            }
            let students = job
                .counts
                .get(&Kind::Student)
                .map_or(0, |one| one.refused_by_plan);
            if students > 0 {
                let orphans = format!(
                    "SELECT s.row FROM {staged} s WHERE s.job = $1 AND s.student IN (\
                     SELECT p.id FROM import_students p JOIN import_verdicts v ON v.job = p.job \
                     AND v.row = p.row AND v.planned AND v.rejected WHERE p.job = $1)"
                );
                let select = (orphans.as_str(), Vec::new());
                refused += shape
                    .refuse(tx, job.number, "student", Reason::UnknownStudent, select)
                    .await?;
            }
        }
    }
    Ok(i64::try_from(refused).unwrap_or_default())
}

/// Refuses to remove organisations and class groups that are in use; gives how many rows are
/// refused, and how many removals are left.
///
/// # Errors
/// When the database fails.
pub async fn refuse_removals(tx: &Tx, job: &Job, shape: &Shape) -> Result<(i64, i64), DbErr> {
    let Shape {
        staged, table, key, ..
    } = shape;
    let used = format!(
        "SELECT s.row FROM {staged} s JOIN {table} t ON t.{key} = s.{key} \
         WHERE s.job = $1 AND s.removal AND ({})",
        in_use(shape.kind)
    );
    let refused = shape
        .refuse(
            tx,
            job.number,
            "removal",
            Reason::NotEmpty,
            (&used, Vec::new()),
        )
        .await?;
    let all = format!(
        "SELECT count(*) FROM {staged} s JOIN {table} t ON t.{key} = s.{key} \
         WHERE s.job = $1 AND s.removal"
    );
    let all = count(tx, &all, vec![job.number.into()]).await?;
    let refused = i64::try_from(refused).unwrap_or_default();
    Ok((refused, all - refused))
}

/// Whether something at or below the organisation or class group `t` is in use.
fn in_use(kind: Kind) -> &'static str {
    match kind {
        Kind::Organization => {
            "EXISTS (SELECT 1 FROM organizations o WHERE o.state = 1 AND o.parent = t.id) \
             OR EXISTS (SELECT 1 FROM class_groups c WHERE c.state = 1 AND c.organization = t.id) \
             OR EXISTS (SELECT 1 FROM staff w WHERE w.state <> 3 AND w.org_path = t.org_path)"
        }
        Kind::ClassGroup | Kind::StaffMember | Kind::Student | Kind::Guardian => {
            "EXISTS (SELECT 1 FROM students p WHERE p.state = 1 AND p.org_path = t.org_path)"
        }
    }
}

impl Shape {
    /// Refuses, by the plan, the staged rows that `select` finds: it gives `row` for job `$1`.
    ///
    /// # Errors
    /// When the database fails.
    async fn refuse(
        &self,
        tx: &Tx,
        job: i64,
        field: &'static str,
        reason: Reason,
        (select, values): (&str, Vec<Value>),
    ) -> Result<u64, DbErr> {
        let kind = self.kind.code();
        let next = values.len() + 2;
        let sql = format!(
            "INSERT INTO import_verdicts (job, row, place, kind, field, reason, rejected, planned) \
             SELECT $1, f.row, 100, ${next}, ${}, ${}, TRUE, TRUE FROM ({select}) f \
             WHERE TRUE ON CONFLICT DO NOTHING",
            next + 1,
            next + 2
        );
        let all: Vec<Value> = std::iter::once(job.into())
            .chain(values)
            .chain([kind.into(), field.into(), reason.code().into()])
            .collect();
        Ok(tx
            .execute_raw(statement(tx, &sql, all))
            .await?
            .rows_affected())
    }
}
