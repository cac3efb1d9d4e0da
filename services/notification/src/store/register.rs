//! What is known of the register.

use chrono::{Duration, NaiveDate};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};

use super::{Store, below_end, unreadable};
use crate::domain::policy::{Enacted, Policy};

/// How many addressees one statement reads at most: more than any city has.
const MOST: i64 = 100_000;

/// What roster told of one entity.
#[derive(Clone, Debug)]
pub enum Fact {
    /// An organisation: its id, its place, and whether directives reach it.
    Organization(String, String, bool),
    /// Who answers for epidemic control at an organisation.
    Owner(String, String),
    /// A policy by its name.
    Policy(String, Enacted),
}

/// An entity that is no more.
#[derive(Clone, Debug)]
pub enum Gone {
    /// An organisation.
    Organization(String),
    /// Who answers at an organisation.
    Owner(String),
    /// A policy.
    Policy(String),
}

#[derive(Serialize, Deserialize)]
struct PolicyBody {
    version: String,
    hold_notice: i64,
    acknowledge_routine: i64,
    acknowledge_urgent: i64,
    acknowledge_extra_urgent: i64,
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
            Fact::Organization(id, org_path, addressable) => (
                "INSERT INTO organizations (id, org_path, addressable, version, generation) \
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET \
                 org_path = excluded.org_path, addressable = excluded.addressable, \
                 version = excluded.version, generation = excluded.generation \
                 WHERE excluded.version > organizations.version \
                 OR excluded.generation > organizations.generation",
                vec![
                    id.clone().into(),
                    org_path.clone().into(),
                    (*addressable).into(),
                    version.into(),
                    generation.into(),
                ],
            ),
            Fact::Owner(organization, staff_member) => (
                "INSERT INTO owners (organization, staff_member, version, generation) \
                 VALUES ($1, $2, $3, $4) ON CONFLICT (organization) DO UPDATE SET \
                 staff_member = excluded.staff_member, version = excluded.version, \
                 generation = excluded.generation WHERE excluded.version > owners.version \
                 OR excluded.generation > owners.generation",
                vec![
                    organization.clone().into(),
                    staff_member.clone().into(),
                    version.into(),
                    generation.into(),
                ],
            ),
            Fact::Policy(
                name,
                Enacted {
                    region,
                    effective,
                    policy,
                },
            ) => (
                "INSERT INTO policies (name, region, effective, body, version, generation) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO UPDATE SET \
                 region = excluded.region, effective = excluded.effective, \
                 body = excluded.body, version = excluded.version, \
                 generation = excluded.generation WHERE excluded.version > policies.version \
                 OR excluded.generation > policies.generation",
                vec![
                    name.clone().into(),
                    region.clone().into(),
                    effective.to_string().into(),
                    pack(policy).into(),
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
            Gone::Owner(id) => (
                "DELETE FROM owners WHERE organization = $1 AND version < $2",
                id,
            ),
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
    pub async fn sweep_register(tx: &Tx, generation: i64) -> Result<(), DbErr> {
        let sql = "SELECT organization FROM owners WHERE generation < $1";
        let vacant = statement(tx, sql, [generation.into()]);
        let vacant = tx.query_all_raw(vacant).await?;
        for table in ["organizations", "owners", "policies"] {
            let sql = format!("DELETE FROM {table} WHERE generation < $1");
            tx.execute_raw(statement(tx, &sql, [generation.into()]))
                .await?;
        }
        for row in vacant {
            let organization: String = row.try_get_by_index(0)?;
            Self::hand_alerts_over(tx, &organization).await?;
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

    /// Who answers for epidemic control at an organisation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn owner(db: &impl ConnectionTrait, id: &str) -> Result<Option<String>, DbErr> {
        let sql = "SELECT staff_member FROM owners WHERE organization = $1";
        let row = db.query_one_raw(statement(db, sql, [id.into()])).await?;
        row.map(|row| row.try_get_by_index(0)).transpose()
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

    /// Every organisation at or below `place` that directives reach: place and id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn addressees(
        db: &impl ConnectionTrait,
        place: &str,
    ) -> Result<Vec<(String, String)>, DbErr> {
        let select = statement(
            db,
            "SELECT org_path, id FROM organizations WHERE addressable = TRUE \
             AND (org_path = $1 OR (org_path > $2 AND org_path < $3)) LIMIT $4",
            [
                place.into(),
                format!("{place}/").into(),
                below_end(place).into(),
                MOST.into(),
            ],
        );
        let rows = db.query_all_raw(select).await?;
        rows.iter()
            .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
            .collect()
    }
}

fn pack(policy: &Policy) -> String {
    let Policy {
        version,
        hold_notice,
        acknowledge_routine,
        acknowledge_urgent,
        acknowledge_extra_urgent,
    } = policy;
    let body = PolicyBody {
        version: version.clone(),
        hold_notice: hold_notice.num_seconds(),
        acknowledge_routine: acknowledge_routine.num_seconds(),
        acknowledge_urgent: acknowledge_urgent.num_seconds(),
        acknowledge_extra_urgent: acknowledge_extra_urgent.num_seconds(),
    };
    serde_json::to_string(&body).unwrap_or_default()
}

fn unpack(body: &str) -> Option<Policy> {
    let body: PolicyBody = serde_json::from_str(body).ok()?;
    Some(Policy {
        version: body.version,
        hold_notice: Duration::try_seconds(body.hold_notice)?,
        acknowledge_routine: Duration::try_seconds(body.acknowledge_routine)?,
        acknowledge_urgent: Duration::try_seconds(body.acknowledge_urgent)?,
        acknowledge_extra_urgent: Duration::try_seconds(body.acknowledge_extra_urgent)?,
    })
}
