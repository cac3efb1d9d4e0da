//! Indexes that are built while others write.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

/// An index to build.
#[derive(Clone, Copy, Debug)]
pub struct Index {
    /// Its name: lower case letters, digits and underscores.
    pub name: &'static str,
    /// Whether no two rows may agree in it.
    pub unique: bool,
    /// Its table and what follows: `hazards (org_path, state) WHERE state < 4`.
    pub on: &'static str,
}

/// A migration that builds indexes on tables that are in use: outside of a transaction, and again
/// from where it was after a cut.
///
/// Nothing else belongs in it. What is changed in a transaction stays in a migration of its own.
#[derive(Clone, Copy, Debug)]
pub struct OnlineIndexes {
    /// The name of the migration.
    pub name: &'static str,
    /// The indexes.
    pub indexes: &'static [Index],
}

impl MigrationName for OnlineIndexes {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for OnlineIndexes {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in self.indexes {
            build_index(manager, index).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }
}

/// Builds an index without keeping writers out, if it is not there. What a cut left behind on
/// PostgreSQL, an index that is kept up but never read, is dropped first. SQLite has one writer and
/// builds it as it builds any.
///
/// # Errors
/// When a statement fails, on PostgreSQL also within a transaction; or rows agree in what is to be
/// unique.
pub async fn build_index(manager: &SchemaManager<'_>, index: &Index) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let Index { name, unique, on } = *index;
    let unique = if unique { "UNIQUE " } else { "" };
    if connection.get_database_backend() != DbBackend::Postgres {
        let sql = format!("CREATE {unique}INDEX IF NOT EXISTS {name} ON {on}");
        connection.execute_unprepared(&sql).await?;
        return Ok(());
    }
    // Waiting for others is harmless here: nobody queues behind it.
    let lock_timeout = setting(connection, "lock_timeout").await?;
    connection
        .execute_unprepared("SET lock_timeout = 0")
        .await?;
    let built = async {
        match valid(connection, name).await? {
            Some(true) => return Ok(()),
            Some(false) => {
                let sql = format!("DROP INDEX CONCURRENTLY {name}");
                connection.execute_unprepared(&sql).await?;
            }
            None => {}
        }
        let sql = format!("CREATE {unique}INDEX CONCURRENTLY {name} ON {on}");
        connection.execute_unprepared(&sql).await?;
        Ok(())
    };
    let built = built.await;
    let sql = format!("SET lock_timeout = '{lock_timeout}'");
    let restored = connection.execute_unprepared(&sql).await;
    built.and(restored.map(drop))
}

async fn setting(connection: &impl ConnectionTrait, name: &str) -> Result<String, DbErr> {
    let statement = Statement::from_string(DbBackend::Postgres, format!("SHOW {name}"));
    match connection.query_one_raw(statement).await? {
        Some(row) => row.try_get_by_index(0),
        None => Ok("0".to_owned()),
    }
}

/// Whether an index was built to its end; none where there is no such index.
async fn valid(connection: &impl ConnectionTrait, name: &str) -> Result<Option<bool>, DbErr> {
    let sql = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)";
    let statement = crate::db::statement(connection, sql, [name.into()]);
    match connection.query_one_raw(statement).await? {
        Some(row) => row.try_get_by_index(0).map(Some),
        None => Ok(None),
    }
}
