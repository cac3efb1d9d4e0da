//! The lock of a school's health: who changes anything about it holds its row.

use kit::db::{Backend, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use kit::bulk::{Column, insert, keys};

/// Locks schools, in the order of their paths so that two transactions cannot wait for each other.
/// Taken after tubes and holds and before people.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &Tx, schools: &[&str]) -> Result<(), DbErr> {
    let mut schools = schools.to_vec();
    schools.sort_unstable();
    schools.dedup();
    let names = schools.iter().map(|school| (*school).to_owned()).collect();
    let columns = vec![("school", Column::Text(names))];
    insert(tx, "health_schools", columns, "ON CONFLICT DO NOTHING").await?;
    if tx.backend() == Backend::Sqlite {
        return Ok(());
    }
    for (marks, part) in keys(1, schools.into_iter().map(Value::from).collect()) {
        let sql = format!(
            "SELECT school FROM health_schools WHERE school IN ({marks}) ORDER BY school FOR UPDATE"
        );
        tx.query_all_raw(statement(tx, &sql, part)).await?;
    }
    Ok(())
}
