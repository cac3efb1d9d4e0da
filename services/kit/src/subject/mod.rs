//! What a service holds about one person, told to whoever is answered (PIPL art. 45, rules 6.2 and 6.14).
//!
//! A service lists its [`Section`]s, each a kind of record with what it is for, by which law it is held and
//! for how long. Most are rows that name the person ([`Rows`]); what is packed, sealed or kept by something
//! else than the person is gathered by the service itself ([`Holdings::gather`]). Every table of the service
//! belongs to a section or is left out with a reason ([`untold`]). Whether the person of a request may be told
//! anything is asked of the roster each time ([`Requests`]).

mod record;
mod requests;
mod rows;
mod service;
mod stand_in;
mod tables;

use std::fmt::Debug;

use uuid::Uuid;

use crate::auth::{Caller, Permission, Role};
use crate::db::Database;
use crate::org::OrgPath;
use crate::status::Problem;

pub use record::{Held, Record, day_time, instant};
pub use requests::Requests;
pub use rows::{As, By, Field, Rows};
pub use service::HeldDataGrpc;
pub use stand_in::StandIn;
pub use tables::{ACCESSES, LeftOut, miswritten, tables, untold};

/// How many records of one section are told at most.
pub const MOST: usize = 5000;

/// One kind of record that is held about people (rule 6.2).
#[derive(Debug)]
pub struct Section {
    /// Such as `swabs`.
    pub name: &'static str,
    /// Its name in Chinese.
    pub title: &'static str,
    /// Its name in English.
    pub title_en: &'static str,
    /// What it is for, in Chinese.
    pub purpose: &'static str,
    /// By which law it is held, in Chinese.
    pub basis: &'static str,
    /// How long it is kept, in Chinese.
    pub retention: &'static str,
    /// What a handler must be permitted at the place of the person to be told it: whoever answers for the school
    /// sees no more than in their daily work (rule 6.7). The pupil and the family are told without it.
    pub guard: Option<Permission>,
    /// Why its records are told as existing and not in content, in Chinese; none where they are told in full.
    pub reserve: Option<&'static str>,
    /// The tables that it tells of.
    pub tables: &'static [&'static str],
    /// How its rows are read; none where the service gathers them itself.
    pub rows: Option<Rows>,
}

/// Who reads what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Whoever answers for the school.
    Handler,
    /// The pupil.
    Pupil,
    /// The family of the pupil.
    Guardian,
}

impl Viewer {
    /// Who a caller is: of the family only where they hold no other role.
    pub fn of(caller: &Caller) -> Self {
        let family = |role: &Role| matches!(role, Role::Student | Role::Guardian);
        if !caller.roles.iter().all(family) {
            Self::Handler
        } else if caller.is(Role::Student) {
            Self::Pupil
        } else {
            Self::Guardian
        }
    }

    /// What lets them read: the same as at the roster.
    pub fn permission(self) -> Permission {
        match self {
            Self::Handler => Permission::PeopleReveal,
            Self::Pupil | Self::Guardian => Permission::SubjectFile,
        }
    }
}

/// About whom is asked, and by whom.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The student.
    pub person: Uuid,
    /// The id of the organisation that they belong to.
    pub organization: String,
    /// The place of their class group.
    pub place: OrgPath,
    /// Who reads.
    pub viewer: Viewer,
    /// The caller.
    pub caller: Caller,
}

impl Asked {
    /// The name of the person, `students/{student}`.
    pub fn name(&self) -> String {
        format!("students/{}", self.person.hyphenated())
    }

    /// The place of the organisation.
    pub fn school(&self) -> OrgPath {
        self.place.parent().unwrap_or_default()
    }
}

/// What one service holds.
#[async_trait::async_trait]
pub trait Holdings: Debug + Send + Sync + 'static {
    /// The name of the service, such as `sampling`.
    fn service(&self) -> &'static str;

    /// What it holds, in the order in which it is told.
    fn sections(&self) -> &'static [Section];

    /// Where it is held.
    fn database(&self) -> &Database;

    /// What it holds of a section without rows.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn gather(&self, section: &'static Section, asked: &Asked) -> Result<Held, Problem>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_holds_another_role_does_not_read_as_family() {
        let viewer = |roles: &[Role]| {
            let caller = Caller::new("somebody", roles.to_vec(), OrgPath::root());
            Viewer::of(&caller)
        };
        assert_eq!(viewer(&[Role::Student]), Viewer::Pupil);
        assert_eq!(viewer(&[Role::Guardian]), Viewer::Guardian);
        assert_eq!(
            viewer(&[Role::Guardian, Role::SchoolClerk]),
            Viewer::Handler
        );
        assert_eq!(Viewer::Handler.permission(), Permission::PeopleReveal);
        assert_eq!(Viewer::Guardian.permission(), Permission::SubjectFile);
    }
}
