//! The weather: warnings, response levels, where organisations stand, tasks, suspensions, the check
//! afterwards, mutual aid.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, sea_orm};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000014_weather"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), sea_orm::DbErr> {
        kit::migration::create(manager, STATEMENTS).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

// Instants are milliseconds since 1970, the largest number for one that never comes.
const STATEMENTS: &[&str] = &[
    // One row, locked by whoever changes many organisations at once: they take turns.
    "CREATE TABLE weather_turns (id SMALLINT PRIMARY KEY, turn BIGINT NOT NULL)",
    "INSERT INTO weather_turns (id, turn) VALUES (1, 0)",
    // Warnings (origin 1) and response levels (origin 2). Where `joined` is not the row itself, the
    // chain became a part of that one.
    "CREATE TABLE weather_alarms (
        id A_UUID PRIMARY KEY,
        origin SMALLINT NOT NULL,
        joined A_UUID NOT NULL,
        organization TEXT NOT NULL,
        place PLACE NOT NULL,
        kind SMALLINT NOT NULL,
        level SMALLINT NOT NULL,
        state SMALLINT NOT NULL,
        divisions TEXT NOT NULL,
        issuer TEXT NOT NULL,
        basis TEXT NOT NULL,
        event_code TEXT NOT NULL,
        began_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        ended_at BIGINT NOT NULL,
        changes INTEGER NOT NULL)",
    "CREATE INDEX weather_alarms_due ON weather_alarms (state, expires_at)",
    "CREATE INDEX weather_alarms_place ON weather_alarms (origin, place)",
    // The documents of chains; kind 0 for what was referred to and has not come.
    "CREATE TABLE weather_documents (
        sender TEXT NOT NULL,
        identifier TEXT NOT NULL,
        sent_at BIGINT NOT NULL,
        alarm A_UUID NOT NULL,
        kind SMALLINT NOT NULL,
        refers_to TEXT NOT NULL,
        expires_at BIGINT NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (sender, identifier, sent_at))",
    "CREATE INDEX weather_documents_alarm ON weather_documents (alarm)",
    // Where an alarm in force holds: the parts of division codes that are not zero, below a place.
    "CREATE TABLE weather_areas (
        alarm A_UUID NOT NULL,
        prefix TEXT NOT NULL,
        place PLACE NOT NULL,
        level SMALLINT NOT NULL,
        PRIMARY KEY (alarm, prefix))",
    // The action table of each region that has a policy, as of the last turn.
    "CREATE TABLE weather_plan (
        region PLACE NOT NULL,
        level SMALLINT NOT NULL,
        action SMALLINT NOT NULL,
        kind SMALLINT NOT NULL,
        minutes INTEGER NOT NULL,
        word TEXT NOT NULL,
        PRIMARY KEY (region, level, action, kind))",
    // Organisations that were ever warned. `turn` is the last that changed the row, `sweep` counts
    // liftings and `episode` warnings after none.
    "CREATE TABLE weather_states (
        organization TEXT PRIMARY KEY,
        org_path PLACE NOT NULL,
        kind SMALLINT NOT NULL,
        region PLACE NOT NULL,
        state SMALLINT NOT NULL,
        level SMALLINT NOT NULL,
        next_level SMALLINT NOT NULL,
        episode INTEGER NOT NULL,
        sweep INTEGER NOT NULL,
        since_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        turn BIGINT NOT NULL,
        changes INTEGER NOT NULL)",
    "CREATE INDEX weather_states_place ON weather_states (org_path)",
    "CREATE INDEX weather_states_state ON weather_states (state, org_path)",
    "CREATE INDEX weather_states_due ON weather_states (due_at)",
    "CREATE INDEX weather_states_turn ON weather_states (turn)",
    "CREATE TABLE weather_tasks (
        name PLACE PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        episode INTEGER NOT NULL,
        action SMALLINT NOT NULL,
        level SMALLINT NOT NULL,
        state SMALLINT NOT NULL,
        owner TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        doer TEXT NOT NULL,
        done_at BIGINT NOT NULL,
        note TEXT NOT NULL,
        changes INTEGER NOT NULL)",
    "CREATE INDEX weather_tasks_organization ON weather_tasks (organization, episode)",
    "CREATE INDEX weather_tasks_place ON weather_tasks (org_path, state)",
    "CREATE INDEX weather_tasks_due ON weather_tasks (state, due_at, name)",
    "CREATE TABLE weather_suspensions (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        authority SMALLINT NOT NULL,
        state SMALLINT NOT NULL,
        divisions TEXT NOT NULL,
        covers TEXT NOT NULL,
        teaching SMALLINT NOT NULL,
        starts_at BIGINT NOT NULL,
        ends_at BIGINT NOT NULL,
        acts_at BIGINT NOT NULL,
        reason TEXT NOT NULL,
        told_at BIGINT NOT NULL,
        decider TEXT NOT NULL,
        decided_at BIGINT NOT NULL,
        response A_UUID NOT NULL,
        ended_at BIGINT NOT NULL,
        changes INTEGER NOT NULL)",
    "CREATE INDEX weather_suspensions_place ON weather_suspensions (org_path)",
    "CREATE INDEX weather_suspensions_acts ON weather_suspensions (acts_at)",
    "CREATE INDEX weather_suspensions_response ON weather_suspensions (response)",
    // Whom a suspension reached.
    "CREATE TABLE weather_suspended (
        organization TEXT NOT NULL,
        suspension A_UUID NOT NULL,
        taught BOOLEAN NOT NULL,
        buses BOOLEAN NOT NULL,
        in_force BOOLEAN NOT NULL,
        PRIMARY KEY (organization, suspension))",
    "CREATE INDEX weather_suspended_suspension ON weather_suspended (suspension)",
    // What the register is to be told of an organisation, and what it was told last. `targets` are
    // the class groups to tell, one a line; empty for all of the organisation.
    "CREATE TABLE weather_teaching (
        organization TEXT PRIMARY KEY,
        kind SMALLINT NOT NULL,
        wanted SMALLINT NOT NULL,
        told SMALLINT NOT NULL,
        begun BOOLEAN NOT NULL,
        targets TEXT NOT NULL,
        round INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        due_at BIGINT NOT NULL,
        cause TEXT NOT NULL)",
    "CREATE INDEX weather_teaching_due ON weather_teaching (due_at)",
    "CREATE TABLE weather_findings (
        organization TEXT NOT NULL,
        sweep INTEGER NOT NULL,
        item TEXT NOT NULL,
        passed BOOLEAN NOT NULL,
        place TEXT NOT NULL,
        description TEXT NOT NULL,
        hazard TEXT NOT NULL,
        checker TEXT NOT NULL,
        checked_at BIGINT NOT NULL,
        PRIMARY KEY (organization, sweep, item))",
    "CREATE TABLE weather_disinfections (
        organization TEXT NOT NULL,
        sweep INTEGER NOT NULL,
        places TEXT NOT NULL,
        agent TEXT NOT NULL,
        concentration INTEGER NOT NULL,
        signer TEXT NOT NULL,
        signed_at BIGINT NOT NULL,
        PRIMARY KEY (organization, sweep))",
    // The history of every resource of the weather: only added to.
    "CREATE TABLE weather_changes (
        subject PLACE NOT NULL,
        number INTEGER NOT NULL,
        changed_at BIGINT NOT NULL,
        from_state SMALLINT NOT NULL,
        to_state SMALLINT NOT NULL,
        level SMALLINT NOT NULL,
        actor TEXT NOT NULL,
        cause TEXT NOT NULL,
        PRIMARY KEY (subject, number))",
    "CREATE TABLE mutual_aid_groups (
        id A_UUID PRIMARY KEY,
        organization TEXT NOT NULL,
        org_path PLACE NOT NULL,
        display_name TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        version BIGINT NOT NULL)",
    "CREATE INDEX mutual_aid_groups_place ON mutual_aid_groups (org_path)",
    "CREATE TABLE mutual_aid_members (
        organization TEXT PRIMARY KEY,
        mutual_aid_group A_UUID NOT NULL,
        place INTEGER NOT NULL)",
    "CREATE INDEX mutual_aid_members_group ON mutual_aid_members (mutual_aid_group, place)",
];
