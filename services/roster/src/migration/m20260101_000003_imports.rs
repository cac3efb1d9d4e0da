//! Import jobs, their staged rows, and what their commits replaced.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20260101_000003_imports"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_connection().get_database_backend() == DbBackend::Postgres;
        let number = if postgres {
            "number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
        } else {
            "number INTEGER PRIMARY KEY AUTOINCREMENT"
        };
        let jobs = JOBS.replace("NUMBER", number);
        kit::migration::create(manager, &[&jobs]).await?;
        kit::migration::create(manager, TABLES).await?;
        for (name, key, columns) in STAGED {
            let staged = format!(
                "CREATE TABLE import_{name} (
                    job BIGINT NOT NULL,
                    row BIGINT NOT NULL,
                    removal BOOLEAN NOT NULL,
                    {key},
                    {columns}
                    content_hash BLOB NOT NULL,
                    raw_hash BIGINT,
                    PRIMARY KEY (job, row))"
            );
            // What a commit replaced, column by column, until nobody may roll back any more.
            let replaced = if postgres {
                format!("CREATE TABLE replaced_{name} (job BIGINT NOT NULL, LIKE {name})")
            } else {
                format!(
                    "CREATE TABLE replaced_{name} AS SELECT CAST(0 AS BIGINT) AS job, * FROM {name} \
                     WHERE FALSE"
                )
            };
            let index = format!("CREATE INDEX replaced_{name}_job ON replaced_{name} (job)");
            kit::migration::create(manager, &[&staged, &replaced, &index]).await?;
        }
        if postgres {
            // Identifiers are as good as random: there is nothing to compress.
            let plain = "ALTER TABLE import_seen ALTER COLUMN ids SET STORAGE EXTERNAL";
            manager.get_connection().execute_unprepared(plain).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const JOBS: &str = "CREATE TABLE import_jobs (
        NUMBER,
        id A_UUID NOT NULL UNIQUE,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        source TEXT NOT NULL,
        mode SMALLINT NOT NULL,
        vanish_threshold DOUBLE PRECISION NOT NULL,
        state TEXT NOT NULL,
        durable_row BIGINT NOT NULL,
        blocked BOOLEAN NOT NULL,
        counts TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        staged BOOLEAN NOT NULL,
        create_time BIGINT NOT NULL,
        update_time BIGINT NOT NULL)";

const TABLES: &[&str] = &[
    // Every identifier that a stretch of rows named, 16 bytes each: what is missing has vanished.
    "CREATE TABLE import_seen (
        job BIGINT NOT NULL,
        kind SMALLINT NOT NULL,
        row BIGINT NOT NULL,
        ids BLOB NOT NULL,
        PRIMARY KEY (job, kind, row))",
    "CREATE TABLE import_verdicts (
        job BIGINT NOT NULL,
        row BIGINT NOT NULL,
        place SMALLINT NOT NULL,
        kind SMALLINT NOT NULL,
        field TEXT NOT NULL,
        reason TEXT NOT NULL,
        rejected BOOLEAN NOT NULL,
        planned BOOLEAN NOT NULL,
        PRIMARY KEY (job, row, place))",
    // Who goes: asked for by a row, or found missing by the plan.
    "CREATE TABLE import_vanished (
        job BIGINT NOT NULL,
        kind SMALLINT NOT NULL,
        id A_UUID NOT NULL,
        planned BOOLEAN NOT NULL,
        PRIMARY KEY (job, kind, id))",
];

/// The tables that rows are staged for, their keys, and what a row says.
const STAGED: &[(&str, &str, &str)] = &[
    (
        "organizations",
        "id TEXT NOT NULL",
        "org_path PLACE NOT NULL, kind SMALLINT NOT NULL, display_name TEXT NOT NULL,
         parent TEXT NOT NULL, division_code TEXT NOT NULL, school_code TEXT,
         external_id TEXT NOT NULL,",
    ),
    (
        "class_groups",
        "org_path PLACE NOT NULL",
        "organization TEXT NOT NULL, id TEXT NOT NULL, display_name TEXT NOT NULL,
         stage SMALLINT NOT NULL, entry_year INTEGER NOT NULL, number INTEGER NOT NULL,
         external_id TEXT NOT NULL,",
    ),
    (
        "staff",
        "id A_UUID NOT NULL",
        "org_path PLACE NOT NULL, display_name TEXT NOT NULL, source_posts INTEGER NOT NULL,
         id_type SMALLINT NOT NULL, id_hash BLOB, sealed BLOB, head_of PLACE NOT NULL,",
    ),
    (
        "students",
        "id A_UUID NOT NULL",
        "org_path PLACE NOT NULL, display_name TEXT NOT NULL, sex SMALLINT NOT NULL,
         birth_month INTEGER NOT NULL, id_type SMALLINT NOT NULL, id_hash BLOB, sealed BLOB,
         boarder BOOLEAN NOT NULL,",
    ),
    (
        "guardians",
        "id A_UUID NOT NULL",
        "student A_UUID NOT NULL, display_name TEXT NOT NULL, relation SMALLINT NOT NULL,
         sealed BLOB, priority SMALLINT NOT NULL,",
    ),
];
