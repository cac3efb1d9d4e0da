//! What rows are held against while they come: places, and who is known from the source.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kit::db::Database;
use sea_orm::DbErr;
use uuid::Uuid;

use crate::domain::import::Kind;
use crate::store::import::jobs::Job;
use crate::store::import::known::{self, Place};
use crate::store::import::shape::SHAPES;

/// Half of a million and a half of these stand in memory: two words each.
type Id = [u64; 2];

fn id_of(id: u128) -> Id {
    [(id >> 64) as u64, id as u64]
}

/// The people of one kind.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Known from the source: the hash of the row that they came with, 0 for none. The lowest bit
    /// says that this job named them.
    known: HashMap<Id, i64>,
    /// New in this job.
    fresh: HashSet<Id>,
    /// The hashes of the identity numbers that this job brought.
    identities: HashSet<[u8; 16]>,
}

/// How somebody stands in the register when their row comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Unknown so far.
    New,
    /// Known, with another row or one that cannot be compared.
    Known,
    /// Known, with the very row.
    Same,
    /// Named by an earlier row of this job.
    Repeated,
}

impl People {
    pub(super) fn standing(&self, id: Uuid, raw_hash: i64) -> Standing {
        let id = id_of(id.as_u128());
        match self.known.get(&id) {
            Some(known) if known & 1 == 1 => Standing::Repeated,
            Some(known) if *known == raw_hash => Standing::Same,
            Some(_) => Standing::Known,
            None if self.fresh.contains(&id) => Standing::Repeated,
            None => Standing::New,
        }
    }

    /// Notes that this job named somebody.
    pub(super) fn name(&mut self, id: Uuid) {
        let id = id_of(id.as_u128());
        match self.known.get_mut(&id) {
            Some(known) => *known |= 1,
            None => {
                self.fresh.insert(id);
            }
        }
    }

    /// Whether somebody is in the register or came earlier.
    pub(super) fn is_there(&self, id: Uuid) -> bool {
        let id = id_of(id.as_u128());
        self.known.contains_key(&id) || self.fresh.contains(&id)
    }

    /// Notes an identity number; false when an earlier row brought it.
    pub(super) fn bring(&mut self, identity: [u8; 16]) -> bool {
        self.identities.insert(identity)
    }
}

/// Places and people.
#[derive(Debug, Default)]
pub(super) struct Register {
    places: HashMap<String, Arc<Place>>,
    class_groups: HashSet<String>,
    /// The keys of organisations and class groups that this job named.
    named: HashSet<String>,
    staff: People,
    students: People,
    guardians: People,
}

impl Register {
    /// Loads what `job` is about, with what its earlier stretches brought.
    pub(super) async fn load(db: &Database, job: &Job) -> Result<Self, DbErr> {
        let mut register = Self::default();
        for place in known::places(db, job).await? {
            register.add_place(place);
        }
        register.class_groups = known::class_groups(db, job).await?.into_iter().collect();
        for shape in SHAPES.into_iter().filter(|shape| shape.owned) {
            let people = register.people(shape.kind);
            known::people(db, shape, job, |id, hash| {
                people
                    .known
                    .insert(id_of(id), hash.unwrap_or_default() & !1);
            })
            .await?;
            if job.durable_row == 0 {
                continue;
            }
            known::seen(db.read(), job.number, shape.kind, |id| {
                people.name(Uuid::from_u128(id));
            })
            .await?;
            if shape.kind != Kind::Guardian {
                let identities = &mut people.identities;
                known::staged_identities(db, shape.staged, job.number, |identity| {
                    identities.insert(identity);
                })
                .await?;
            }
        }
        Ok(register)
    }

    /// The people of a kind.
    pub(super) fn people(&mut self, kind: Kind) -> &mut People {
        match kind {
            Kind::StaffMember => &mut self.staff,
            Kind::Guardian => &mut self.guardians,
            Kind::Student | Kind::Organization | Kind::ClassGroup => &mut self.students,
        }
    }

    /// The organisation with this id or ten-digit code.
    pub(super) fn place(&self, code: &str) -> Option<&Arc<Place>> {
        self.places.get(code)
    }

    pub(super) fn add_place(&mut self, place: Place) {
        let place = Arc::new(place);
        if let Some(code) = &place.school_code {
            self.places
                .entry(code.clone())
                .or_insert_with(|| place.clone());
        }
        self.places.insert(place.id.clone(), place);
    }

    pub(super) fn has_class_group(&self, org_path: &str) -> bool {
        self.class_groups.contains(org_path)
    }

    pub(super) fn add_class_group(&mut self, org_path: String) {
        self.class_groups.insert(org_path);
    }

    /// Notes the key of an organisation or class group; false when an earlier row had it.
    pub(super) fn name(&mut self, key: &str) -> bool {
        self.named.insert(key.to_owned())
    }
}
