//! Schemas of a school that keeps pupils, and then marks.

use kit::migration::{Index, OnlineIndexes};
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait};
use tokio::sync::mpsc;

tokio::task_local! {
    /// Hears that a migration stands still in the middle.
    pub(crate) static BEGUN: mpsc::Sender<()>;
}

struct Step {
    name: &'static str,
    statements: &'static [&'static str],
    then: Then,
}

/// What comes after the statements of a step.
enum Then {
    Nothing,
    /// It stands still and says so.
    Stop,
    /// A statement without an end.
    Endless,
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        kit::migration::create(manager, self.statements).await?;
        let connection = manager.get_connection();
        match self.then {
            Then::Nothing => {}
            Then::Stop => {
                let begun = BEGUN.get();
                begun.send(()).await.expect("somebody listens");
                std::future::pending::<()>().await;
            }
            Then::Endless => {
                let sql = match connection.get_database_backend() {
                    DbBackend::Postgres => "SELECT pg_sleep(3600)",
                    _ => {
                        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                          INSERT INTO marks SELECT count(*) FROM n"
                    }
                };
                connection.execute_unprepared(sql).await?;
            }
        }
        Ok(())
    }
}

/// Applied twice, it fails.
const PUPILS: Step = Step {
    name: "m1_pupils",
    statements: &[
        "CREATE TABLE pupils (id INTEGER PRIMARY KEY, place TEXT NOT NULL)",
        "INSERT INTO pupils VALUES (1, 'fz')",
    ],
    then: Then::Nothing,
};

const fn marks(name: &'static str, then: Then) -> Step {
    Step {
        name,
        statements: &["CREATE TABLE marks (value BIGINT)"],
        then,
    }
}

const BY_PLACE: OnlineIndexes = OnlineIndexes {
    name: "m2_by_place",
    indexes: &[Index {
        name: "pupils_place",
        unique: false,
        on: "pupils (place)",
    }],
};

const ONE_A_PLACE: OnlineIndexes = OnlineIndexes {
    name: "m2_by_place",
    indexes: &[Index {
        unique: true,
        ..BY_PLACE.indexes[0]
    }],
};

const GRADES: Step = Step {
    name: "m2_grades",
    statements: &["ALTER TABLE pupils ADD COLUMN grade INTEGER NOT NULL DEFAULT 1"],
    then: Then::Nothing,
};

macro_rules! migrator {
    ($($(#[$doc:meta])* $name:ident: $($step:expr),+;)+) => {
        $($(#[$doc])*
        pub(crate) struct $name;

        impl MigratorTrait for $name {
            fn migrations() -> Vec<Box<dyn MigrationTrait>> {
                vec![$(Box::new($step)),+]
            }
        })+
    };
}

migrator! {
    /// The release before.
    Older: PUPILS;
    /// The release.
    Whole: PUPILS, marks("m2_marks", Then::Nothing);
    /// The release, of which the second migration does not come to its end.
    Cut: PUPILS, marks("m2_marks", Then::Stop);
    /// One whose second migration takes for ever.
    Endless: PUPILS, marks("m2_endless", Then::Endless);
    /// One with an index that is built online.
    Indexed: PUPILS, BY_PLACE;
    /// The same, but unique.
    Unique: PUPILS, ONE_A_PLACE;
    /// One that changes a table which others use.
    Graded: PUPILS, GRADES;
}
