//! Demands and files of directives, class groups among their recipients, what progress is counted by,
//! and meetings.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000013_orders"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), sea_orm::DbErr> {
        kit::migration::create(manager, DIRECTIVES).await?;
        let signed = match manager.get_connection().get_database_backend() {
            DbBackend::Postgres => SIGNED_POSTGRES,
            _ => SIGNED_SQLITE,
        };
        kit::migration::create(manager, &[signed]).await?;
        // A tree of organisations is four levels deep: city, county, zone, school.
        for _ in 0..3 {
            kit::migration::create(manager, &[DISTRICT_BELOW]).await?;
        }
        kit::migration::create(manager, MEETINGS).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// A replica of the version before goes on with directives that have neither demands nor class groups.
const DIRECTIVES: &[&str] = &[
    "ALTER TABLE directives ADD COLUMN items TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE directives ADD COLUMN attachments TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE directives ADD COLUMN to_class_groups BOOLEAN NOT NULL DEFAULT FALSE",
    "ALTER TABLE directives ADD COLUMN meeting TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE directives ADD COLUMN revoke_reason TEXT NOT NULL DEFAULT ''",
    // From here on `organization` may be that of a class group, `{organization}~{class_group}`.
    "ALTER TABLE directive_recipients ADD COLUMN level SMALLINT NOT NULL DEFAULT 2",
    "ALTER TABLE directive_recipients ADD COLUMN district TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE directive_recipients ADD COLUMN acknowledged_at BIGINT",
    "ALTER TABLE directive_recipients ADD COLUMN items_due INTEGER",
    // So far whoever passed a directive on was a bureau.
    "UPDATE directive_recipients SET level = 1 WHERE below > 0",
    "UPDATE directive_recipients SET district = organization
        WHERE below > 0 AND upper_organization = ''",
    // All that progress and counts are made of, so that they read nothing else.
    "CREATE INDEX directive_recipients_progress ON directive_recipients
        (directive, level, acknowledged_at, district, state, due_at)",
    // What each recipient reported on a demand; one without a row has not begun.
    "CREATE TABLE item_reports (
        directive A_UUID NOT NULL,
        recipient TEXT NOT NULL,
        item TEXT NOT NULL,
        progress INTEGER NOT NULL,
        report TEXT NOT NULL,
        finished_at BIGINT NOT NULL,
        PRIMARY KEY (directive, recipient, item))",
];

const DISTRICT_BELOW: &str = "UPDATE directive_recipients SET district =
        (SELECT u.district FROM directive_recipients u
            WHERE u.directive = directive_recipients.directive
            AND u.organization = directive_recipients.upper_organization)
    WHERE district = '' AND upper_organization <> ''";

const SIGNED_POSTGRES: &str = "UPDATE directive_recipients
    SET acknowledged_at = CAST(EXTRACT(EPOCH FROM acknowledge_time) * 1000 AS BIGINT)
    WHERE acknowledge_time IS NOT NULL";

const SIGNED_SQLITE: &str = "UPDATE directive_recipients
    SET acknowledged_at = CAST(strftime('%s', acknowledge_time) AS INTEGER) * 1000
    WHERE acknowledge_time IS NOT NULL";

const MEETINGS: &[&str] = &[
    // Instants are milliseconds since 1970, 0 for none.
    "CREATE TABLE meetings (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        state SMALLINT NOT NULL,
        title TEXT NOT NULL,
        agenda TEXT NOT NULL,
        start_at BIGINT NOT NULL,
        end_at BIGINT NOT NULL,
        venues TEXT NOT NULL,
        audience TEXT NOT NULL,
        posts TEXT NOT NULL,
        notice TEXT NOT NULL,
        convener TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        closed_at BIGINT NOT NULL,
        minutes TEXT NOT NULL,
        directive TEXT NOT NULL,
        version BIGINT NOT NULL)",
    "CREATE INDEX meetings_organization ON meetings (organization, id)",
    "CREATE TABLE attendances (
        meeting A_UUID NOT NULL,
        attendance TEXT NOT NULL,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        post TEXT NOT NULL,
        venue TEXT NOT NULL,
        state SMALLINT NOT NULL,
        substitution SMALLINT NOT NULL,
        substitute TEXT NOT NULL,
        substitute_reason TEXT NOT NULL,
        substitute_decider TEXT NOT NULL,
        attendee TEXT NOT NULL,
        sign_in_venue TEXT NOT NULL,
        signed_in_at BIGINT NOT NULL,
        signed_out_at BIGINT NOT NULL,
        late BOOLEAN NOT NULL,
        left_unsigned BOOLEAN NOT NULL,
        version BIGINT NOT NULL,
        PRIMARY KEY (meeting, attendance))",
    "CREATE INDEX attendances_path ON attendances (meeting, org_path, attendance)",
    "CREATE INDEX attendances_organization ON attendances (organization)",
];
