//! How the schema is brought up to date.

use futures_util::future::try_join_all;
use kit::db::Database;
use kit::scratch::{self, Scratch};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        kit::migration::tables()
    }
}

/// Opens and migrates one database as many replicas do that start together.
async fn start_together(scratch: &Scratch) {
    let replicas = (0..6).map(|_| async {
        let replica = Database::connect(scratch).await?;
        replica.migrate::<Migrator>().await
    });
    try_join_all(replicas).await.expect("each finds its schema");
}

#[tokio::test]
async fn replicas_that_start_together_take_turns_on_postgres() {
    // The race that they would lose is a narrow one.
    for _ in 0..3 {
        let Some(scratch) = scratch::postgres().await else {
            return;
        };
        start_together(&scratch).await;
    }
}
