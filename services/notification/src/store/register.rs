//! What is known of the register.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use kit::audit::{Floor, Floors};
use kit::bulk::{Column, insert};
use kit::db::{Database, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};

use super::policy_rows::{pack, unpack};
use super::{Store, below_end, unreadable};
use crate::domain::policy::Enacted;

pub use crate::domain::organization::OrganizationFact;

/// How many organisations one statement reads at most: more than any city has.
const MOST: i64 = 100_000;

/// The subject whose answerable person owns alerts about health.
pub const EPIDEMIC_CONTROL: &str = "EPIDEMIC_CONTROL";
/// The subject whose answerable person is the head of a school.
pub const OVERALL_HEAD: &str = "OVERALL_HEAD";
/// The subject whose answerable person sees to psychological support.
pub const PSYCHOLOGY: &str = "PSYCHOLOGY";
/// A duty at an organisation and who answers for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// The subject, such as `EPIDEMIC_CONTROL`.
    pub subject: String,
    /// The place within the organisation, empty for all of it.
    pub place: String,
    /// `staff/{staff_member}`.
    pub staff_member: String,
}

/// What roster told of one entity.
#[derive(Clone, Debug)]
pub enum Fact {
    /// An organisation.
    Organization(OrganizationFact),
    /// Who answers for what at an organisation.
    Duties(String, Vec<Duty>),
    /// A policy by its name.
    Policy(String, Box<Enacted>),
}

/// An entity that is no more.
#[derive(Clone, Debug)]
pub enum Gone {
    /// An organisation.
    Organization(String),
    /// Who answers for what at an organisation.
    Duties(String),
    /// A policy.
    Policy(String),
}

impl Store {
    /// Writes a fact when it is newer than what is stored, or the first sight in a generation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_fact(
        tx: &Tx,
        fact: &Fact,
        version: i64,
        generation: i64,
    ) -> Result<(), DbErr> {
        let (sql, values) = match fact {
            Fact::Organization(told) => (
                "INSERT INTO organizations (id, org_path, addressable, display_name, kind, stages, \
                 division, version, generation) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                 ON CONFLICT (id) DO UPDATE SET \
                 org_path = excluded.org_path, addressable = excluded.addressable, \
                 display_name = excluded.display_name, kind = excluded.kind, \
                 stages = excluded.stages, division = excluded.division, \
                 version = excluded.version, generation = excluded.generation \
                 WHERE excluded.version > organizations.version \
                 OR excluded.generation > organizations.generation",
                vec![
                    told.id.clone().into(),
                    told.org_path.clone().into(),
                    told.addressable.into(),
                    told.display_name.clone().into(),
                    told.kind.into(),
                    told.stages.into(),
                    told.division.clone().into(),
                    version.into(),
                    generation.into(),
                ],
            ),
            Fact::Duties(organization, duties) => {
                return write_duties(tx, organization, duties, version, generation).await;
            }
            Fact::Policy(name, enacted) => (
                "INSERT INTO policies (name, region, effective, body, version, generation) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO UPDATE SET \
                 region = excluded.region, effective = excluded.effective, \
                 body = excluded.body, version = excluded.version, \
                 generation = excluded.generation WHERE excluded.version > policies.version \
                 OR excluded.generation > policies.generation",
                vec![
                    name.clone().into(),
                    enacted.region.clone().into(),
                    enacted.effective.to_string().into(),
                    pack(&enacted.policy).into(),
                    version.into(),
                    generation.into(),
                ],
            ),
        };
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }

    /// Removes an entity, unless something newer is stored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_fact(tx: &Tx, gone: &Gone, version: i64) -> Result<(), DbErr> {
        let (sql, key) = match gone {
            Gone::Organization(id) => (
                "DELETE FROM organizations WHERE id = $1 AND version < $2",
                id,
            ),
            Gone::Duties(id) => {
                let sql = "DELETE FROM duties WHERE organization = $1 AND EXISTS (SELECT 1 \
                           FROM duty_rolls r WHERE r.organization = $1 AND r.version < $2)";
                tx.execute_raw(statement(tx, sql, [id.clone().into(), version.into()]))
                    .await?;
                (
                    "DELETE FROM duty_rolls WHERE organization = $1 AND version < $2",
                    id,
                )
            }
            Gone::Policy(name) => (
                "DELETE FROM policies WHERE name = $1 AND version < $2",
                name,
            ),
        };
        tx.execute_raw(statement(tx, sql, [key.clone().into(), version.into()]))
            .await?;
        Ok(())
    }

    /// Removes what a snapshot of the register did not mention. Alerts whose owner is gone lose it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_register(tx: &Tx, generation: i64, now: DateTime<Utc>) -> Result<(), DbErr> {
        let sql = "SELECT organization FROM duty_rolls WHERE generation < $1";
        let vacant = statement(tx, sql, [generation.into()]);
        let vacant = tx.query_all_raw(vacant).await?;
        let sql = "DELETE FROM duties WHERE organization IN \
                   (SELECT organization FROM duty_rolls WHERE generation < $1)";
        tx.execute_raw(statement(tx, sql, [generation.into()]))
            .await?;
        Self::sweep_rolls(tx, generation).await?;
        for table in ["organizations", "duty_rolls", "policies", "calendar_years"] {
            let sql = format!("DELETE FROM {table} WHERE generation < $1");
            tx.execute_raw(statement(tx, &sql, [generation.into()]))
                .await?;
        }
        for row in vacant {
            let organization: String = row.try_get_by_index(0)?;
            Self::hand_alerts_over(tx, &organization, now).await?;
        }
        Ok(())
    }

    /// Where an organisation stands.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn org_path(
        &self,
        db: &impl ConnectionTrait,
        id: &str,
    ) -> Result<Option<String>, DbErr> {
        let select = statement(
            db,
            "SELECT org_path FROM organizations WHERE id = $1",
            [id.into()],
        );
        db.query_one_raw(select)
            .await?
            .map(|row| row.try_get_by_index(0))
            .transpose()
    }

    /// Who answers for a subject at an organisation: for all of it before a part of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answerable(
        db: &impl ConnectionTrait,
        organization: &str,
        subject: &str,
    ) -> Result<Option<String>, DbErr> {
        let sql = "SELECT staff_member FROM duties WHERE organization = $1 AND subject = $2 \
                   ORDER BY LENGTH(place), place LIMIT 1";
        let values = [organization.into(), subject.into()];
        let row = db.query_one_raw(statement(db, sql, values)).await?;
        row.map(|row| row.try_get_by_index(0)).transpose()
    }

    /// An organisation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn organization(
        db: &impl ConnectionTrait,
        id: &str,
    ) -> Result<Option<OrganizationFact>, DbErr> {
        let sql = "SELECT id, org_path, addressable, display_name, kind, stages, division \
                   FROM organizations WHERE id = $1";
        let row = db.query_one_raw(statement(db, sql, [id.into()])).await?;
        row.as_ref().map(organization).transpose()
    }

    /// Every organisation at or below `place` that directives reach.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn organizations(
        db: &impl ConnectionTrait,
        place: &str,
    ) -> Result<Vec<OrganizationFact>, DbErr> {
        let select = statement(
            db,
            "SELECT id, org_path, addressable, display_name, kind, stages, division \
             FROM organizations WHERE addressable = TRUE \
             AND (org_path = $1 OR (org_path > $2 AND org_path < $3)) ORDER BY org_path LIMIT $4",
            [
                place.into(),
                format!("{place}/").into(),
                below_end(place).into(),
                MOST.into(),
            ],
        );
        let rows = db.query_all_raw(select).await?;
        rows.iter().map(organization).collect()
    }

    /// The whole tree at and below `place`, also what directives do not reach.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tree(
        db: &impl ConnectionTrait,
        place: &str,
    ) -> Result<Vec<OrganizationFact>, DbErr> {
        let sql = "SELECT id, org_path, addressable, display_name, kind, stages, division \
                   FROM organizations WHERE org_path = $1 OR (org_path > $2 AND org_path < $3) \
                   LIMIT $4";
        let values = [
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
            MOST.into(),
        ];
        let rows = db.query_all_raw(statement(db, sql, values)).await?;
        rows.iter().map(organization).collect()
    }

    /// Every policy.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn policies(db: &impl ConnectionTrait) -> Result<Vec<Enacted>, DbErr> {
        let sql = "SELECT region, effective, body FROM policies";
        let rows = db.query_all_raw(statement(db, sql, [])).await?;
        rows.iter()
            .map(|row| {
                let effective: String = row.try_get_by_index(1)?;
                let body: String = row.try_get_by_index(2)?;
                Ok(Enacted {
                    region: row.try_get_by_index(0)?,
                    effective: effective
                        .parse::<NaiveDate>()
                        .map_err(|_| unreadable("day"))?,
                    policy: unpack(&body).ok_or_else(|| unreadable("policy"))?,
                })
            })
            .collect()
    }
}

/// What the policies ask of audit logs.
#[derive(Clone, Copy, Debug)]
pub struct AuditFloors;

#[async_trait]
impl Floors for AuditFloors {
    async fn floors(&self, db: &Database) -> Result<Vec<Floor>, DbErr> {
        let policies = Store::policies(db.read()).await?;
        let floor = |enacted: Enacted| Floor {
            region: enacted.region,
            effective: enacted.effective,
            days: enacted.policy.audit_days,
            partner_years: enacted.policy.partner_log_years,
        };
        Ok(policies.into_iter().map(floor).collect())
    }
}

fn organization(row: &QueryResult) -> Result<OrganizationFact, DbErr> {
    Ok(OrganizationFact {
        id: row.try_get_by_index(0)?,
        org_path: row.try_get_by_index(1)?,
        addressable: row.try_get_by_index(2)?,
        display_name: row.try_get_by_index(3)?,
        kind: row.try_get_by_index(4)?,
        stages: row.try_get_by_index(5)?,
        division: row.try_get_by_index(6)?,
    })
}

async fn write_duties(
    tx: &Tx,
    organization: &str,
    duties: &[Duty],
    version: i64,
    generation: i64,
) -> Result<(), DbErr> {
    let sql = "INSERT INTO duty_rolls (organization, version, generation) VALUES ($1, $2, $3) \
               ON CONFLICT (organization) DO UPDATE SET version = excluded.version, \
               generation = excluded.generation WHERE excluded.version > duty_rolls.version \
               OR excluded.generation > duty_rolls.generation";
    let values = [organization.into(), version.into(), generation.into()];
    let written = tx.execute_raw(statement(tx, sql, values)).await?;
    if written.rows_affected() == 0 {
        return Ok(());
    }
    let sql = "DELETE FROM duties WHERE organization = $1";
    tx.execute_raw(statement(tx, sql, [organization.into()]))
        .await?;
    let text = |of: fn(&Duty) -> &String| Column::Text(duties.iter().map(of).cloned().collect());
    let columns = vec![
        (
            "organization",
            Column::Text(vec![organization.to_owned(); duties.len()]),
        ),
        ("subject", text(|duty| &duty.subject)),
        ("place", text(|duty| &duty.place)),
        ("staff_member", text(|duty| &duty.staff_member)),
    ];
    insert(tx, "duties", columns, "ON CONFLICT DO NOTHING").await
}
