//! Whose data a request is about, and what the caller is to them.

use kit::auth::{Caller, Permission, Role};
use kit::status::Problem;
use proto::error::ErrorReason;

use super::super::{App, hidden, students};
use crate::domain::staff::StaffMember;
use crate::domain::student::Student;
use crate::domain::subject::Person;
use crate::error::Error;
use crate::store::staff;

/// Somebody as the register has them.
#[derive(Debug)]
pub(super) enum Found {
    Student(Student),
    Staff(StaffMember),
}

impl Found {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Student(student) => student.name(),
            Self::Staff(member) => member.name(),
        }
    }

    /// The code of the organisation.
    pub(super) fn organization(&self) -> &str {
        match self {
            Self::Student(student) => student.organization(),
            Self::Staff(member) => member.organization(),
        }
    }

    /// The place of the class group of a student, and of the organisation of staff.
    pub(super) fn org_path(&self) -> &str {
        match self {
            Self::Student(student) => &student.org_path,
            Self::Staff(member) => &member.org_path,
        }
    }
}

impl App {
    /// The place of an organisation about whose requests the caller may do `permission`: for whoever asks about
    /// themselves the one where they work, wherever they are responsible for others.
    pub(super) async fn place_of_requests(
        &self,
        caller: &Caller,
        permission: Permission,
        organization: &str,
    ) -> Result<String, Error> {
        if permission != Permission::SubjectOwn {
            let at = self.organization(caller, permission, organization).await?;
            return Ok(at.org_path);
        }
        caller.allowed(permission)?;
        let member = match own_person(caller) {
            Some(Person::Staff(id)) => staff::get(self.db.read(), id).await?,
            _ => None,
        };
        let member = member.filter(|member| member.organization() == organization);
        let denied = || Problem::new(ErrorReason::ScopeDenied).meta("permission", permission);
        Ok(member.ok_or_else(denied)?.org_path)
    }

    /// Somebody of whom the caller may do `permission`, or the caller.
    pub(super) async fn person_of(
        &self,
        caller: &Caller,
        permission: Permission,
        person: Person,
    ) -> Result<Found, Error> {
        match person {
            Person::Student(id) => {
                let student = students::seen(self.db.read(), caller, permission, id).await?;
                Ok(Found::Student(student))
            }
            Person::Staff(id) if own_person(caller) == Some(person) => {
                let member = staff::get(self.db.read(), id).await?;
                let gone = || hidden(caller, permission, person.name());
                Ok(Found::Staff(member.ok_or_else(gone)?))
            }
            Person::Staff(id) => {
                let member = self.staff_member(caller, permission, id).await?;
                Ok(Found::Staff(member))
            }
        }
    }
}

/// Whether the caller stands for a pupil and nobody else.
pub(super) fn is_family(caller: &Caller) -> bool {
    let family = |role: &Role| matches!(role, Role::Student | Role::Guardian);
    caller.roles.iter().all(family)
}

/// Whom the caller stands for.
pub(super) fn own_person(caller: &Caller) -> Option<Person> {
    caller.person.as_deref().and_then(Person::parse)
}

/// Whether the caller asks about this person by their own account: a family about its pupil, and whoever works
/// about themselves.
pub(super) fn by_account(caller: &Caller, person: Person) -> bool {
    let stands = match person {
        Person::Student(_) => is_family(caller),
        Person::Staff(_) => true,
    };
    stands && own_person(caller) == Some(person)
}

/// Whether the caller may be told of requests by their own account only.
pub(super) fn only_by_account(caller: &Caller, permission: Permission) -> bool {
    is_family(caller) || permission == Permission::SubjectOwn
}

/// What lets the caller read requests: that they answer them, else that some are theirs.
pub(super) fn reading(caller: &Caller) -> Permission {
    if caller.allowed(Permission::SubjectHandle).is_ok() {
        Permission::SubjectHandle
    } else {
        filing(caller)
    }
}

/// What lets the caller file requests and take them back.
pub(super) fn filing(caller: &Caller) -> Permission {
    or_own(caller, Permission::SubjectFile)
}

/// What lets the caller be told what is held: a family its own account, others that they may reveal numbers.
pub(super) fn telling(caller: &Caller) -> Permission {
    if is_family(caller) {
        Permission::SubjectFile
    } else {
        or_own(caller, Permission::PeopleReveal)
    }
}

/// The permission, or that of whoever works and does not have it.
fn or_own(caller: &Caller, permission: Permission) -> Permission {
    let works = matches!(own_person(caller), Some(Person::Staff(_)));
    if works && caller.allowed(permission).is_err() {
        Permission::SubjectOwn
    } else {
        permission
    }
}

#[cfg(test)]
mod tests {
    use kit::org::OrgPath;
    use uuid::Uuid;

    use super::*;

    fn caller(roles: &[Role], person: Option<Person>) -> Caller {
        let caller = Caller::new("somebody", roles.to_vec(), OrgPath::root());
        Caller {
            person: person.map(Person::name),
            second_factor: true,
            ..caller
        }
    }

    #[test]
    fn who_works_asks_about_themselves_and_needs_no_other_right() {
        let (own, other) = (
            Person::Staff(Uuid::from_u128(1)),
            Person::Staff(Uuid::from_u128(2)),
        );
        let teacher = caller(&[Role::ClassReporter], Some(own));
        for choose in [reading, filing, telling] {
            assert_eq!(choose(&teacher), Permission::SubjectOwn);
        }
        assert!(by_account(&teacher, own) && !by_account(&teacher, other));
        assert!(!by_account(&teacher, Person::Student(own.id())));
        let clerk = caller(&[Role::SchoolClerk], Some(own));
        assert_eq!(reading(&clerk), Permission::SubjectHandle);
        assert_eq!(filing(&clerk), Permission::SubjectFile);
        assert_eq!(telling(&clerk), Permission::PeopleReveal);
        assert!(by_account(&clerk, own), "about themselves like anybody");
    }

    #[test]
    fn who_stands_for_nobody_of_the_register_has_no_right_of_their_own() {
        let pupil = Person::Student(Uuid::from_u128(1));
        for person in [None, Some(pupil)] {
            let guard = caller(&[Role::Guard], person);
            assert_eq!(filing(&guard), Permission::SubjectFile);
            assert_eq!(telling(&guard), Permission::PeopleReveal);
            assert!(!by_account(&guard, pupil));
        }
        let family = caller(&[Role::Guardian], Some(pupil));
        assert_eq!(telling(&family), Permission::SubjectFile);
        assert!(by_account(&family, pupil));
        assert!(only_by_account(&family, Permission::SubjectFile));
    }
}
