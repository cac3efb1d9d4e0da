//! Where a row that is fine by itself belongs: its organisation, its class group, its student.

use uuid::Uuid;

use super::judging::Judging;
use crate::domain::import::{
    ClassGroup, ClassGroupId, Guardian, Organization, OrganizationId, StaffMember, Student,
};
use crate::domain::import::{Clean, Finding, IdKind, Kind, Reason, Sex};
use crate::domain::organization;
use crate::domain::private::Private;
use crate::store::import::known::Place;

/// Why a row that is fine by itself is refused.
pub(super) struct Refusal;

impl Refusal {
    pub(super) const DUPLICATE_ROW: Finding = Finding {
        column: "external_id",
        reason: Reason::DuplicateRow,
    };
}

fn refusal(column: &'static str, reason: Reason) -> Finding {
    Finding { column, reason }
}

/// A row with everything that its table needs.
#[derive(Debug)]
pub(super) enum Placed {
    Organization {
        place: Place,
        name: String,
        parent: String,
        division: String,
        external_id: String,
    },
    ClassGroup {
        org_path: String,
        organization: String,
        id: ClassGroupId,
        name: String,
        external_id: String,
    },
    Person(Person),
}

/// Somebody.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) sealed: Option<Vec<u8>>,
    pub(super) role: Role,
}

/// The kind of an identity document and the keyed hash of its number.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) kind: i16,
    pub(super) hash: Option<[u8; 16]>,
}

/// What somebody is.
#[derive(Debug)]
pub(super) enum Role {
    StaffMember {
        org_path: String,
        posts: i32,
        identity: Identity,
        /// The place of the class group headed; empty for none.
        head_of: String,
    },
    Student {
        org_path: String,
        sex: i16,
        birth_month: i32,
        identity: Identity,
        boarder: bool,
    },
    Guardian {
        student: Uuid,
        relation: i16,
        priority: i16,
    },
}

impl Placed {
    /// Who it is, if anybody.
    pub(super) fn person(&self) -> Option<Uuid> {
        match self {
            Self::Person(person) => Some(person.id),
            Self::Organization { .. } | Self::ClassGroup { .. } => None,
        }
    }
}

impl Judging {
    /// Finds where a row belongs.
    pub(super) fn place(
        &mut self,
        clean: Clean,
        person: Option<Uuid>,
        external_id: &str,
        removal: bool,
    ) -> Result<Placed, Finding> {
        let missing = || refusal("external_id", Reason::Missing);
        match clean {
            Clean::Organization(row) => self.place_organization(row, external_id, removal),
            Clean::ClassGroup(row) => self.place_class_group(row, external_id, removal),
            Clean::StaffMember(row) => self.place_staff(row, person.ok_or_else(missing)?),
            Clean::Student(row) => self.place_student(row, person.ok_or_else(missing)?),
            Clean::Guardian(row) => self.place_guardian(row, person.ok_or_else(missing)?),
        }
    }

    /// Whether a row is about an organisation or class group that is there; people are looked up by
    /// their identifier.
    pub(super) fn is_present(&self, clean: &Clean) -> bool {
        match clean {
            Clean::Organization(row) => self.register.place(row.id.as_str()).is_some(),
            Clean::ClassGroup(row) => self.class_group(&row.organization, &row.id).is_ok(),
            Clean::StaffMember(_) | Clean::Student(_) | Clean::Guardian(_) => true,
        }
    }

    fn place_organization(
        &mut self,
        row: Organization,
        external_id: &str,
        removal: bool,
    ) -> Result<Placed, Finding> {
        let Organization {
            id,
            kind,
            name,
            parent,
            division,
            school_code,
        } = row;
        let id = id.as_str().to_owned();
        let kind = organization::Kind::from_word(kind)
            .ok_or_else(|| refusal("kind", Reason::OrganizationKind))?;
        let (parent, org_path) = if id == self.job.organization {
            let above = self
                .job
                .org_path
                .rsplit_once('/')
                .map_or("", |(above, _)| above);
            let parent = above.rsplit('/').next().unwrap_or_default();
            (parent.to_owned(), self.job.org_path.clone())
        } else {
            let parent = parent
                .as_ref()
                .map_or(self.job.organization.as_str(), |p| p.as_str());
            let above = self.register.place(parent);
            let above = above.ok_or_else(|| refusal("parent", Reason::UnknownOrganization))?;
            if !kind.may_stand_below(Some(above.kind)) {
                return Err(refusal("kind", Reason::OrganizationKind));
            }
            (above.id.clone(), format!("{}/{id}", above.org_path))
        };
        if parent.is_empty() && kind != organization::Kind::CityBureau {
            return Err(refusal("kind", Reason::OrganizationKind));
        }
        if let Some(present) = self.register.place(&id)
            && present.id == id
            && present.org_path != org_path
        {
            return Err(refusal("parent", Reason::Moved));
        }
        if let Some(holder) = school_code
            .as_deref()
            .and_then(|code| self.register.place(code))
            && holder.id != id
            && holder.school_code == school_code
        {
            return Err(refusal("school_code", Reason::DuplicateRow));
        }
        if !self.register.name(&id) {
            return Err(Refusal::DUPLICATE_ROW);
        }
        let place = Place {
            id,
            org_path,
            kind,
            school_code,
        };
        if !removal {
            self.register.add_place(place.clone());
        }
        Ok(Placed::Organization {
            place,
            name,
            parent,
            division: division.unwrap_or_default(),
            external_id: external_id.to_owned(),
        })
    }

    fn place_class_group(
        &mut self,
        row: ClassGroup,
        external_id: &str,
        removal: bool,
    ) -> Result<Placed, Finding> {
        let ClassGroup {
            organization,
            id,
            name,
        } = row;
        let school = self.school(&organization)?;
        if !school.kind.teaches() {
            return Err(refusal("organization", Reason::OrganizationKind));
        }
        let (organization, org_path) = (school.id.clone(), format!("{}/{id}", school.org_path));
        if !self.register.name(&org_path) {
            return Err(Refusal::DUPLICATE_ROW);
        }
        if !removal {
            self.register.add_class_group(org_path.clone());
        }
        Ok(Placed::ClassGroup {
            org_path,
            organization,
            id,
            name,
            external_id: external_id.to_owned(),
        })
    }

    fn school(&self, organization: &OrganizationId) -> Result<&Place, Finding> {
        let place = self.register.place(organization.as_str());
        place
            .map(AsRef::as_ref)
            .ok_or_else(|| refusal("organization", Reason::UnknownOrganization))
    }

    fn class_group(
        &self,
        organization: &OrganizationId,
        id: &ClassGroupId,
    ) -> Result<String, Finding> {
        let org_path = format!("{}/{id}", self.school(organization)?.org_path);
        if self.register.has_class_group(&org_path) {
            Ok(org_path)
        } else {
            Err(refusal("class_group", Reason::UnknownClassGroup))
        }
    }

    fn place_staff(&mut self, row: StaffMember, id: Uuid) -> Result<Placed, Finding> {
        let StaffMember {
            organization,
            name,
            post,
            document,
            phone,
            class_group,
        } = row;
        let org_path = self.school(&organization)?.org_path.clone();
        let head_of = match &class_group {
            Some(class_group) => self.class_group(&organization, class_group)?,
            None => String::new(),
        };
        let (kind, number) = document;
        let identity = self.identity(Kind::StaffMember, kind, number.as_deref())?;
        let private = Private {
            id_number: number,
            student_number: None,
            phone,
        };
        let posts = 1 << crate::grpc::import_convert::post(post);
        let role = Role::StaffMember {
            org_path,
            posts,
            identity,
            head_of,
        };
        Ok(self.somebody(id, name, &private, role))
    }

    fn place_student(&mut self, row: Student, id: Uuid) -> Result<Placed, Finding> {
        let Student {
            organization,
            class_group,
            name,
            sex,
            birth_date,
            document,
            student_number,
            phone,
            boarder,
        } = row;
        let org_path = self.class_group(&organization, &class_group)?;
        let (kind, number) = document;
        let identity = self.identity(Kind::Student, kind, number.as_deref())?;
        let private = Private {
            id_number: number,
            student_number,
            phone,
        };
        let sex = match sex {
            None => 0,
            Some(Sex::Male) => 1,
            Some(Sex::Female) => 2,
        };
        let birth_month = birth_date.map_or(0, |born| crate::store::from_day(born) / 100);
        let role = Role::Student {
            org_path,
            sex,
            birth_month,
            identity,
            boarder,
        };
        Ok(self.somebody(id, name, &private, role))
    }

    fn place_guardian(&mut self, row: Guardian, id: Uuid) -> Result<Placed, Finding> {
        let Guardian {
            student,
            name,
            relation,
            phone,
            priority,
        } = row;
        let kind = Kind::Student;
        let student = self
            .app
            .vault
            .person(kind.as_str(), &self.job.source, &student);
        if !self.register.people(kind).is_there(student) {
            return Err(refusal("student", Reason::UnknownStudent));
        }
        let private = Private {
            phone,
            ..Private::default()
        };
        let relation = crate::grpc::import_convert::relation(relation);
        let role = Role::Guardian {
            student,
            relation,
            priority: priority.into(),
        };
        Ok(self.somebody(id, name, &private, role))
    }

    fn somebody(&self, id: Uuid, name: String, private: &Private, role: Role) -> Placed {
        let sealed = self.app.seal(id, private);
        Placed::Person(Person {
            id,
            name,
            sealed,
            role,
        })
    }

    /// Hashes an identity number; one that an earlier row brought is refused.
    fn identity(
        &mut self,
        of: Kind,
        kind: IdKind,
        number: Option<&str>,
    ) -> Result<Identity, Finding> {
        let hash = number.map(|number| self.app.vault.identity(kind.as_str(), number));
        if let Some(hash) = hash
            && !self.register.people(of).bring(hash)
        {
            return Err(refusal("id_number", Reason::DuplicateRow));
        }
        Ok(Identity {
            kind: if hash.is_some() { kind.code() } else { 0 },
            hash,
        })
    }
}
