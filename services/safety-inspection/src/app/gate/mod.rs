//! The use cases of the gate.

mod check;
mod delays;
mod facts;
mod ids;
mod marks;
mod onward;
mod past;
mod people;
mod record;
mod visitor;

use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use kit::auth::{Caller, Permission};
use kit::batch::Batcher;
use kit::clock::{Clock, civil_date};
use kit::db::Database;
use kit::drain::Drain;
use kit::org::OrgPath;
use kit::request;
use prost::Message;
use proto::error::ErrorReason;
use sea_orm::DbErr;
use tokio::sync::Notify;
use uuid::Uuid;

pub use check::{Emergency, Entry, Identity, LookUp};
pub(in crate::app) use check::{implausible, kept};
pub(crate) use people::People;
pub use record::{Basis, Expected, Offline, Verdict};
pub(in crate::app) use record::{Weighed, append_twice};

use super::{denied, place, unknown};
use crate::config::GateConfig;
use crate::domain::gate::day::GateDay;
use crate::domain::gate::decision::{self, Outcome, Unadmittable};
use crate::domain::gate::person_code::{self, CodeKeys};
use crate::domain::gate::snapshot::{Credentials, Snapshot, SnapshotKey, credential};
use crate::domain::person::PersonName;
use crate::error::Error;
use crate::heard::Heard;
use crate::providers::{HealthCodes, TravelCards};
use crate::store::Store;
use crate::store::gate::days::day_of;
use crate::store::gate::decisions::{Appended, Filter, Override, Record};
use delays::Delays;
use facts::Facts;
use ids::Ids;
use marks::Marks;

/// A decision with its override.
pub type Overridable = (Record, Option<Override>);

/// The use cases of the gate.
#[derive(Clone, Debug)]
pub struct Gatehouse {
    store: Store,
    clock: Arc<dyn Clock>,
    facts: Facts,
    marks: Marks,
    ids: Ids,
    delays: Delays,
    codes: CodeKeys,
    snapshot_key: SnapshotKey,
    batcher: Batcher<Arc<Record>, Result<Appended, ErrorReason>>,
    answer_within: Duration,
    health_codes: HealthCodes,
    travel_cards: TravelCards,
}

/// A school and where it stands.
#[derive(Clone, Debug)]
pub struct School {
    /// The organisation id.
    pub id: String,
    /// The place in the tree.
    pub path: OrgPath,
}

impl Gatehouse {
    /// Loads what is known and begins to keep it fresh.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(
        db: Database,
        clock: Arc<dyn Clock>,
        (config, snapshot_key): (&GateConfig, SnapshotKey),
        (health_codes, travel_cards): (HealthCodes, TravelCards),
        heard: [(&'static str, Heard); 2],
        changed: Arc<Notify>,
        drain: Drain,
    ) -> Result<Self, DbErr> {
        let secret = kit::secret::load(&db, "person-code").await?;
        let store = Store::new(db);
        let facts =
            Facts::open(store.clone(), heard, changed, config.refresh, drain.clone()).await?;
        let marks =
            Marks::open(store.clone(), clock.clone(), config.refresh, drain.clone()).await?;
        let appending = store.clone();
        let batcher = Batcher::spawn(config.queue, config.batch, drain, move |records| {
            let store = appending.clone();
            Box::pin(async move { record::append(&store, records).await })
        });
        let batcher = batcher.observed(store.database().service(), "gate");
        Ok(Self {
            store,
            clock,
            facts,
            marks,
            ids: Ids::default(),
            delays: Delays::new(config.refresh),
            codes: CodeKeys::new(&secret),
            snapshot_key,
            batcher,
            answer_within: config.answer_within,
            health_codes,
            travel_cards,
        })
    }

    /// The school of a request, when the caller may do `permission` there.
    ///
    /// # Errors
    /// SCOPE_DENIED, or not found for somebody whose scope is the whole city.
    pub fn school(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<School, Error> {
        let scope = caller.allowed(permission)?;
        let Some(path) = self
            .facts
            .with(|index| index.org_path(id).map(ToOwned::to_owned))
        else {
            return Err(unknown(permission, scope, format!("organizations/{id}")));
        };
        let path = place(&path);
        caller.require(permission, &path)?;
        Ok(School {
            id: id.to_owned(),
            path,
        })
    }

    /// Checks that the caller may do `permission` to a person.
    ///
    /// # Errors
    /// SCOPE_DENIED, or not found for somebody whose scope is the whole city.
    pub fn person(
        &self,
        caller: &Caller,
        permission: Permission,
        person: PersonName,
    ) -> Result<OrgPath, Error> {
        let scope = caller.allowed(permission)?;
        let paths: Vec<OrgPath> = self
            .facts
            .with(|index| index.org_paths(person).map(place).collect());
        if paths.is_empty() {
            return Err(unknown(permission, scope, person.to_string()));
        }
        let mut paths = paths.into_iter();
        let within = paths.find(|path| caller.may(permission, path));
        let path = within.ok_or_else(|| denied(permission))?;
        caller.require(permission, &path)?;
        Ok(path)
    }

    /// One decision of a school.
    ///
    /// # Errors
    /// When there is none.
    pub async fn decision(&self, school: &School, id: Uuid) -> Result<Overridable, Error> {
        let found = self
            .store
            .decision(self.store.database().read(), &school.id, id)
            .await?;
        found.ok_or_else(|| Error::NotFound(decision_name(&school.id, id)))
    }

    /// A school's decisions, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decisions(
        &self,
        school: &School,
        filter: &Filter,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Overridable>, Error> {
        Ok(self
            .store
            .decisions(&school.id, filter, before, limit)
            .await?)
    }

    /// Replaces the result of a decision by the word of the caller. `render` makes the answer
    /// that a repeat will get.
    ///
    /// # Errors
    /// When there is no such decision, the result is the same, it was overridden before, or it would
    /// admit somebody unrelated or of a day that is over.
    pub async fn override_decision<R: Message + Default>(
        &self,
        caller: &Caller,
        school: &School,
        id: Uuid,
        (outcome, reason): (Outcome, String),
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Overridable) -> R,
    ) -> Result<R, Error> {
        let now = self.clock.now();
        let db = self.store.database();
        let request = (request_id, request);
        request::act(db, caller, "OverrideDecision", request, now, async |tx| {
            let name = decision_name(&school.id, id);
            let Some((record, _)) = self.store.decision(tx, &school.id, id).await? else {
                return Err(Error::NotFound(name));
            };
            if record.outcome == outcome {
                return Err(Error::SameResult(name));
            }
            if outcome == Outcome::Admit {
                let (decided, today) = (civil_date(record.decide_time), civil_date(now));
                match decision::admittable(record.checks.identity, decided, today) {
                    Ok(()) => {}
                    Err(Unadmittable::Unrelated) => return Err(Error::OverrideUnrelated(name)),
                    Err(Unadmittable::DayOver) => return Err(Error::OverrideDayOver(name)),
                }
            }
            let word = Override {
                outcome,
                reason,
                responsible: caller.subject.clone(),
                time: now,
            };
            if !Store::override_decision(tx, &school.id, id, &word).await? {
                return Err(Error::Overridden(name));
            }
            Store::retell_overridden(tx, &record).await?;
            let of = (day_of(record.decide_time), &*school.id);
            Store::count_override(tx, of, GateDay::overridden(now)).await?;
            Ok(render((record, Some(word))))
        })
        .await
    }

    /// The key that signs snapshots.
    pub fn snapshot_key(&self) -> &SnapshotKey {
        &self.snapshot_key
    }

    /// What a gate of the school takes along.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn snapshot(&self, school: &School) -> Result<Snapshot, Error> {
        let now = self.clock.now();
        let today = civil_date(now);
        let (policy, (members, blocked)) = self.facts.with(|index| {
            let policy = index.policy(school.path.as_str(), today);
            let people = index.people(school.path.as_str(), &policy, today);
            (policy, people)
        });
        let key = self.codes.credential_key();
        let mut known: Vec<_> = members
            .iter()
            .map(|member| credential(&key, &self.codes.issue(*member, today)))
            .enumerate()
            .collect();
        for (holder, card) in self.store.credentials_of(&members).await? {
            // Members are ordered.
            if let Ok(place) = members.binary_search(&holder) {
                known.push((place, card));
            }
        }
        let salt = Uuid::new_v4().into_bytes();
        Ok(Snapshot {
            name: format!("organizations/{}/gateSnapshot", school.id),
            members,
            blocked,
            policy,
            create_time: now,
            facts_time: self.facts.time(),
            credentials: Credentials::of(key, salt, known),
        })
    }

    /// The code of a person today, and the day on which it ends.
    pub fn issue_code(&self, person: PersonName, at: &OrgPath) -> (String, NaiveDate) {
        let today = self.clock.today();
        let policy = self.facts.with(|index| index.policy(at.as_str(), today));
        let ends = person_code::expires(today, policy.person_code_ttl_days);
        (self.codes.issue(person, today), ends)
    }

    /// Who showed a code, when the caller may check at one of the person's places.
    ///
    /// # Errors
    /// When it is not ours, which is said as well of that of somebody elsewhere, or too old.
    pub fn resolve_code(
        &self,
        caller: &Caller,
        code: &str,
    ) -> Result<(PersonName, NaiveDate), Error> {
        let permission = Permission::GateCheck;
        caller.allowed(permission)?;
        let (person, issued) = self.codes.open(code).map_err(|_| Error::ForeignCode)?;
        caller.means(&person.to_string());
        let at = self.person(caller, permission, person);
        let at = at.map_err(|_| Error::ForeignCode)?;
        let today = self.clock.today();
        let policy = self.facts.with(|index| index.policy(at.as_str(), today));
        let ends = person_code::expires(issued, policy.person_code_ttl_days);
        if today >= ends {
            Err(Error::CodeExpired(ends))
        } else {
            Ok((person, ends))
        }
    }

    /// Binds a card to a person.
    ///
    /// # Errors
    /// When the database fails or the request id was used before for something else.
    pub async fn bind_card<R: Message + Default>(
        &self,
        caller: &Caller,
        person: PersonName,
        card: &str,
        (request_id, request): (&str, &impl Message),
        answer: R,
    ) -> Result<R, Error> {
        let now = self.clock.now();
        let (db, request) = (self.store.database(), (request_id, request));
        request::act(db, caller, "BindCard", request, now, async |tx| {
            let hashes = (
                self.codes.card_hash(card),
                credential(&self.codes.credential_key(), card),
            );
            Store::bind_card(tx, hashes, person, now).await?;
            Ok(answer)
        })
        .await
    }
}

/// The resource name of a decision.
pub(crate) fn decision_name(school: &str, id: Uuid) -> String {
    format!("organizations/{school}/gateDecisions/{}", id.hyphenated())
}
