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
    /// About whom alone there are such records; none where they are about everybody.
    pub only: Option<Group>,
    /// Why its records are told as existing and not in content, in Chinese; none where they are told in full.
    pub reserve: Option<&'static str>,
    /// The tables that it tells of.
    pub tables: &'static [&'static str],
    /// How its rows are read; none where the service gathers them itself.
    pub rows: Option<Rows>,
}

/// Which people of the register somebody belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Those who learn.
    Students,
    /// Those who work.
    Staff,
}

impl Group {
    /// The collection that names of its people begin with.
    pub fn collection(self) -> &'static str {
        match self {
            Self::Students => "students",
            Self::Staff => "staff",
        }
    }

    /// The group and the id in the name of a person; none where it is no such name.
    pub fn of(name: &str) -> Option<(Self, Uuid)> {
        let (collection, id) = name.split_once('/')?;
        let mut groups = [Self::Students, Self::Staff].into_iter();
        let group = groups.find(|group| group.collection() == collection)?;
        Some((group, Uuid::try_parse(id).ok()?))
    }
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
    /// Whoever works somewhere, about themselves.
    Own,
}

impl Viewer {
    /// Who a caller is as long as it is not known about whom they ask: of the family only where they hold no
    /// other role, and for themselves where they work and may not reveal numbers.
    pub fn of(caller: &Caller) -> Self {
        let family = |role: &Role| matches!(role, Role::Student | Role::Guardian);
        if caller.roles.iter().all(family) {
            if caller.is(Role::Student) {
                Self::Pupil
            } else {
                Self::Guardian
            }
        } else if works(caller) && caller.allowed(Permission::PeopleReveal).is_err() {
            Self::Own
        } else {
            Self::Handler
        }
    }

    /// Who they are once it is known: a handler about whom it is asked reads for themselves.
    fn about(self, own: bool, group: Group) -> Self {
        match self {
            Self::Handler if own && group == Group::Staff => Self::Own,
            other => other,
        }
    }

    /// What lets them read: the same as at the roster.
    pub fn permission(self) -> Permission {
        match self {
            Self::Handler => Permission::PeopleReveal,
            Self::Pupil | Self::Guardian => Permission::SubjectFile,
            Self::Own => Permission::SubjectOwn,
        }
    }
}

/// Whether the caller is one of those who work.
fn works(caller: &Caller) -> bool {
    let person = caller.person.as_deref().and_then(Group::of);
    matches!(person, Some((Group::Staff, _)))
}

/// About whom is asked, and by whom.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whether they learn or work.
    pub group: Group,
    /// Their id.
    pub person: Uuid,
    /// The id of the organisation that they belong to.
    pub organization: String,
    /// The place of the class group of a student, and of the organisation of who works there.
    pub place: OrgPath,
    /// Who reads.
    pub viewer: Viewer,
    /// The caller.
    pub caller: Caller,
}

impl Asked {
    /// The name of the person, `students/{student}` or `staff/{staff_member}`.
    pub fn name(&self) -> String {
        let collection = self.group.collection();
        format!("{collection}/{}", self.person.hyphenated())
    }

    /// The place of the organisation.
    pub fn school(&self) -> OrgPath {
        match self.group {
            Group::Students => self.place.parent().unwrap_or_default(),
            Group::Staff => self.place.clone(),
        }
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
        let works = |role: Role| {
            let person = Some(format!("staff/{}", Uuid::from_u128(7)));
            let caller = Caller::new("somebody", vec![role], OrgPath::root());
            Viewer::of(&Caller { person, ..caller })
        };
        assert_eq!(works(Role::ClassReporter), Viewer::Own);
        assert_eq!(works(Role::SchoolClerk), Viewer::Handler);
        assert_eq!(viewer(&[Role::ClassReporter]), Viewer::Handler);
        assert_eq!(Viewer::Handler.permission(), Permission::PeopleReveal);
        assert_eq!(Viewer::Guardian.permission(), Permission::SubjectFile);
        assert_eq!(Viewer::Own.permission(), Permission::SubjectOwn);
    }

    #[test]
    fn a_handler_reads_about_themselves_as_whoever_they_are() {
        let cases = [
            (true, Group::Staff, Viewer::Own),
            (false, Group::Staff, Viewer::Handler),
            (true, Group::Students, Viewer::Handler),
        ];
        for (own, group, expected) in cases {
            assert_eq!(Viewer::Handler.about(own, group), expected);
        }
        assert_eq!(
            Viewer::Guardian.about(true, Group::Students),
            Viewer::Guardian
        );
    }

    #[test]
    fn names_of_people_tell_their_group() {
        let id = Uuid::from_u128(7);
        assert_eq!(
            Group::of(&format!("students/{id}")),
            Some((Group::Students, id))
        );
        assert_eq!(Group::of(&format!("staff/{id}")), Some((Group::Staff, id)));
        for wrong in ["", "staff", "staff/", "guardians/7", "students/x"] {
            assert_eq!(Group::of(wrong), None, "{wrong}");
        }
    }
}
