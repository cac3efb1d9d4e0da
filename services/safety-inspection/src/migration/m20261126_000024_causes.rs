//! Why schools must be looked at anew, and what the feed tells since: shelters, rechecks at the gate,
//! batches and resumptions.

use kit::migration::create;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000024_causes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), sea_orm::DbErr> {
        create(manager, TABLES).await?;
        let new = match manager.get_database_backend() {
            sea_orm::DbBackend::Postgres => "gen_random_uuid()",
            _ => "randomblob(16)",
        };
        // What stands already is told once; nothing else asks for it until it changes.
        let told = ENTITIES.iter().map(|(name, from)| {
            format!(
                "INSERT INTO retellings (id, entity, due_at) \
                 SELECT {new}, 'organizations/' || organization || '/{name}, 0 FROM {from}"
            )
        });
        let told: Vec<String> = told.collect();
        let told: Vec<&str> = told.iter().map(|sql| &**sql).collect();
        create(manager, &told).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const TABLES: &[&str] = &[
    // Only added to by whoever changes something, so that nobody waits for anybody.
    "CREATE TABLE readiness_causes (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL)",
];

/// The rest of the resource name, and the rows of which each is one.
const ENTITIES: &[(&str, &str)] = &[
    (
        "shelterStanding'",
        "(SELECT DISTINCT organization FROM refuges) r",
    ),
    (
        "gateRecheckStanding'",
        "(SELECT DISTINCT school AS organization FROM gate_decisions \
         WHERE recheck_of IS NOT NULL) d",
    ),
    (
        "resumptionBatches/' || CAST(position AS TEXT)",
        "resumption_batches",
    ),
    ("resumptions/' || CAST(position AS TEXT)", "resumptions"),
];
