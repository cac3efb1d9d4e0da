//! Rows that PostgreSQL streams out by COPY.

use futures_util::TryStreamExt;
use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{PgPool, Postgres};
use sea_orm::{DbErr, RuntimeErr};

/// Hands the parts of `COPY … TO STDOUT` to `each` in their order; rows may be cut across parts.
///
/// # Errors
/// When the database fails, or as `each` says.
pub async fn copy_out(
    pool: &PgPool,
    copy: &str,
    mut each: impl FnMut(&[u8]) -> Result<(), DbErr>,
) -> Result<(), DbErr> {
    let mut reading = Reading(Some(pool.acquire().await.map_err(query_err)?));
    if let Some(connection) = &mut reading.0 {
        let mut parts = connection.copy_out_raw(copy).await.map_err(query_err)?;
        while let Some(part) = parts.try_next().await.map_err(query_err)? {
            each(&part)?;
        }
    }
    reading.ended();
    Ok(())
}

/// A connection that goes back to its pool only when all that it was asked for was read. The driver
/// does not count the answer to a COPY among those that are under way: whoever got the connection
/// after a reader that went away would get the answer to another question.
struct Reading(Option<PoolConnection<Postgres>>);

impl Reading {
    fn ended(mut self) {
        self.0.take();
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            // Outside its pool it is closed.
            drop(connection.detach());
        }
    }
}

fn query_err(err: sea_orm::sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(err.into()))
}
