//! What is known from roster and sampling. Every change gets a revision in commit order, so that
//! copies in memory, of any replica, read on from where they are.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::packing;
use crate::domain::gate::clearance::Clearance;
use crate::domain::gate::index::{Index, Member};
use crate::domain::gate::policy::{Enacted, GatePolicy};
use crate::domain::person::PersonName;
use crate::store::Store;

/// How many rows one statement writes; each takes eight parameters.
const ROWS: usize = 500;
/// How many facts are read at once.
const PAGE: u64 = 1000;

/// The kinds of facts; the numbers stand in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An organisation.
    Organization = 1,
    /// A class group or the staff of an organisation.
    Roll = 2,
    /// A policy profile.
    Policy = 3,
    /// Somebody who is not clear.
    Clearance = 4,
}

/// What is known of one entity.
#[derive(Clone, Debug)]
pub enum Body {
    /// An organisation stands at the fact's path.
    Organization,
    /// Who is on a roll.
    Roll {
        /// Students of it come to school.
        in_person: bool,
        /// 1 to 12, or 0.
        grade: u8,
        /// Everybody on it.
        members: Vec<Member>,
    },
    /// A policy and its first day.
    Policy(NaiveDate, GatePolicy),
    /// Somebody's clearance.
    Clearance(Clearance),
    /// The entity is gone.
    Removed,
}

/// One fact as a feed tells it.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its kind.
    pub kind: Kind,
    /// The resource name.
    pub entity: String,
    /// The place in the organisation tree; for a policy, its region.
    pub org_path: String,
    /// Grows with each change.
    pub version: i64,
    /// What is known.
    pub body: Body,
}

impl Store {
    /// The next revision. Whoever takes it holds all other writers of facts back until the end of
    /// the transaction.
    pub(super) async fn next_revision(tx: &Tx) -> Result<i64, DbErr> {
        let update = statement(
            tx,
            "UPDATE facts_revision SET value = value + 1 WHERE id = 1 RETURNING value",
            [],
        );
        let row = tx.query_one_raw(update).await?;
        row.ok_or_else(|| DbErr::RecordNotFound("facts_revision".to_owned()))?
            .try_get_by_index(0)
    }

    /// Writes facts that are newer than what is stored. The first sight of an entity in a new
    /// generation always counts: after a restore upstream, its versions may be smaller.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_facts(tx: &Tx, facts: &[Fact], generation: i64) -> Result<(), DbErr> {
        let mut newest: HashMap<(Kind, &str), &Fact> = HashMap::with_capacity(facts.len());
        for fact in facts {
            let kept = newest
                .entry((fact.kind, fact.entity.as_str()))
                .or_insert(fact);
            if kept.version < fact.version {
                *kept = fact;
            }
        }
        let mut newest: Vec<&Fact> = newest.into_values().collect();
        if newest.is_empty() {
            return Ok(());
        }
        newest.sort_unstable_by(|a, b| a.entity.cmp(&b.entity));
        let revision = Self::next_revision(tx).await?;
        for rows in newest.chunks(ROWS) {
            let mut values: Vec<Value> = Vec::with_capacity(rows.len() * 8);
            for fact in rows {
                values.extend(row(fact, generation, revision));
            }
            tx.execute_raw(statement(tx, &upsert(rows.len()), values))
                .await?;
        }
        Ok(())
    }

    /// Removes what a snapshot of these kinds did not mention.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_facts(tx: &Tx, kinds: &[Kind], generation: i64) -> Result<(), DbErr> {
        let revision = Self::next_revision(tx).await?;
        for kind in kinds {
            let update = statement(
                tx,
                "UPDATE facts SET removed = TRUE, revision = $1, generation = $2 \
                 WHERE kind = $3 AND generation < $2 AND removed = FALSE",
                [revision.into(), generation.into(), (*kind as i16).into()],
            );
            tx.execute_raw(update).await?;
        }
        Ok(())
    }

    /// Brings `index` from `revision` up to date and returns the revision reached. `apply` lends the
    /// index for a moment at a time, so that gates are never kept waiting for long.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn catch_up<F>(&self, mut revision: i64, mut apply: F) -> Result<i64, DbErr>
    where
        F: FnMut(&mut dyn FnMut(&mut Index)),
    {
        let db = self.db.read();
        let mut after = (revision, i16::MAX, String::new());
        loop {
            let select = statement(
                db,
                "SELECT kind, entity, org_path, removed, body, revision FROM facts \
                 WHERE revision >= $1 AND (revision, kind, entity) > ($1, $2, $3) \
                 ORDER BY revision, kind, entity LIMIT $4",
                [
                    after.0.into(),
                    after.1.into(),
                    after.2.clone().into(),
                    i64::try_from(PAGE).unwrap_or(i64::MAX).into(),
                ],
            );
            let rows = db.query_all_raw(select).await?;
            let mut changes = Vec::with_capacity(rows.len());
            for row in &rows {
                let kind: i16 = row.try_get_by_index(0)?;
                let entity: String = row.try_get_by_index(1)?;
                after = (row.try_get_by_index(5)?, kind, entity.clone());
                changes.push(Change {
                    kind,
                    entity,
                    org_path: row.try_get_by_index(2)?,
                    removed: row.try_get_by_index(3)?,
                    body: row.try_get_by_index(4)?,
                });
            }
            revision = after.0;
            let cleared = changes
                .iter()
                .filter(|one| one.kind == Kind::Clearance as i16);
            let people: Vec<PersonName> =
                cleared.filter_map(|one| one.entity.parse().ok()).collect();
            // Before the changes: nobody is clear for a moment in between.
            let lifted = self.regions_lifted(&people).await?;
            apply(&mut |index| {
                for (person, day) in &lifted {
                    index.set_lifted(*person, *day);
                }
            });
            let full = changes.len() as u64 == PAGE;
            for part in changes.chunks(64) {
                apply(&mut |index| part.iter().for_each(|change| change.set(index)));
            }
            if !full {
                return Ok(revision);
            }
        }
    }

    /// Notes when a feed was last heard of; never backwards.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_heard(&self, feed: &str, at: DateTime<Utc>) -> Result<(), DbErr> {
        let tx = self.db.begin().await?;
        let upsert = statement(
            &tx,
            "INSERT INTO feeds_heard (feed, heard_at) VALUES ($1, $2) \
             ON CONFLICT (feed) DO UPDATE SET heard_at = excluded.heard_at \
             WHERE feeds_heard.heard_at < excluded.heard_at",
            [feed.into(), at.timestamp_millis().into()],
        );
        tx.execute_raw(upsert).await?;
        tx.commit().await
    }

    /// When each feed was last heard of, as far as it was noted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn heard(&self, feed: &str) -> Result<Option<DateTime<Utc>>, DbErr> {
        let db = self.db.read();
        let select = statement(
            db,
            "SELECT heard_at FROM feeds_heard WHERE feed = $1",
            [feed.into()],
        );
        let Some(row) = db.query_one_raw(select).await? else {
            return Ok(None);
        };
        Ok(DateTime::from_timestamp_millis(row.try_get_by_index(0)?))
    }
}

fn row(fact: &Fact, generation: i64, revision: i64) -> [Value; 8] {
    let Fact {
        kind,
        entity,
        org_path,
        version,
        body,
    } = fact;
    let (removed, body) = match body {
        Body::Organization => (false, Vec::new()),
        Body::Roll {
            in_person,
            grade,
            members,
        } => (false, packing::pack_roll(*in_person, *grade, members)),
        Body::Policy(day, policy) => (false, packing::pack_policy(*day, policy)),
        Body::Clearance(clearance) => (false, packing::pack_clearance(*clearance)),
        Body::Removed => (true, Vec::new()),
    };
    [
        (*kind as i16).into(),
        entity.clone().into(),
        org_path.clone().into(),
        (*version).into(),
        generation.into(),
        revision.into(),
        removed.into(),
        body.into(),
    ]
}

fn upsert(rows: usize) -> String {
    let mut sql = "INSERT INTO facts \
        (kind, entity, org_path, version, generation, revision, removed, body) VALUES "
        .to_owned();
    for row in 0..rows {
        let first = row * 8;
        let places: Vec<_> = (1..=8)
            .map(|column| format!("${}", first + column))
            .collect();
        let comma = if row == 0 { "" } else { ", " };
        sql.push_str(&format!("{comma}({})", places.join(", ")));
    }
    let newer = "(excluded.version > facts.version OR excluded.generation > facts.generation)";
    sql.push_str(" ON CONFLICT (kind, entity) DO UPDATE SET generation = excluded.generation");
    for column in ["org_path", "version", "revision", "removed", "body"] {
        sql.push_str(&format!(
            ", {column} = CASE WHEN {newer} THEN excluded.{column} ELSE facts.{column} END"
        ));
    }
    sql
}

struct Change {
    kind: i16,
    entity: String,
    org_path: String,
    removed: bool,
    body: Vec<u8>,
}

impl Change {
    /// What cannot be read is taken for the worse: nobody is admitted by a fault of ours.
    fn set(&self, index: &mut Index) {
        let Self {
            kind,
            entity,
            org_path,
            removed,
            body,
        } = self;
        let present = !removed;
        match kind {
            1 => {
                let id = entity.strip_prefix("organizations/").unwrap_or(entity);
                index.set_organization(id, present.then_some(org_path));
            }
            2 => {
                let roll = present
                    .then(|| packing::unpack_roll(org_path.clone(), body))
                    .flatten();
                index.set_roll(entity, roll);
            }
            3 => {
                let policy = present.then(|| packing::unpack_policy(body)).flatten();
                let enacted = policy.map(|(effective, policy)| Enacted {
                    region: org_path.clone(),
                    effective,
                    policy,
                });
                index.set_policy(entity, enacted);
            }
            4 => {
                let Ok(person) = entity.parse() else { return };
                let clearance = present.then(|| packing::read_clearance(body));
                index.set_clearance(person, clearance);
            }
            _ => tracing::warn!(kind, "a fact of a kind that this version does not know"),
        }
    }
}
