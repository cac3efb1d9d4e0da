//! The hash of a thing's contents.

use sha2::{Digest, Sha256};

use super::cell::Sex;
use super::id::OrganizationId;
use super::row::{ClassGroup, Clean, Guardian, Organization, StaffMember, Student};

impl Clean {
    /// The hash of the contents: equal exactly when there is nothing to change.
    pub fn content_hash(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        let mut field = |text: &str| {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text);
        };
        let id =
            |id: &Option<OrganizationId>| id.as_ref().map(|id| id.0.clone()).unwrap_or_default();
        match self {
            Self::Organization(Organization {
                id: own,
                kind,
                name,
                parent,
                division,
                school_code,
            }) => {
                let opt = |text: &Option<String>| text.clone().unwrap_or_default();
                for text in [
                    &own.0,
                    *kind,
                    name,
                    &id(parent),
                    &opt(division),
                    &opt(school_code),
                ] {
                    field(text);
                }
            }
            Self::ClassGroup(ClassGroup {
                organization,
                id,
                name,
            }) => {
                for text in [&organization.0, &id.text, name] {
                    field(text);
                }
            }
            Self::StaffMember(StaffMember {
                organization,
                name,
                post,
                document,
                phone,
                class_group,
            }) => {
                let class = class_group.as_ref().map_or("", |class| &class.text);
                for text in [
                    &organization.0,
                    name.as_str(),
                    post,
                    document.0.as_str(),
                    or_empty(&document.1),
                    or_empty(phone),
                    class,
                ] {
                    field(text);
                }
            }
            Self::Student(Student {
                organization,
                class_group,
                name,
                sex,
                birth_date,
                document,
                student_number,
                phone,
                boarder,
            }) => {
                let born = birth_date.map(|born| born.to_string()).unwrap_or_default();
                let sex = match sex {
                    None => "",
                    Some(Sex::Male) => "M",
                    Some(Sex::Female) => "F",
                };
                let boarder = if *boarder { "1" } else { "0" };
                for text in [
                    &organization.0,
                    class_group.text.as_str(),
                    name,
                    sex,
                    &born,
                    document.0.as_str(),
                    or_empty(&document.1),
                    or_empty(student_number),
                    or_empty(phone),
                    boarder,
                ] {
                    field(text);
                }
            }
            Self::Guardian(Guardian {
                student,
                name,
                relation,
                phone,
                priority,
            }) => {
                for text in [
                    student.as_str(),
                    name,
                    relation,
                    or_empty(phone),
                    &priority.to_string(),
                ] {
                    field(text);
                }
            }
        }
        hasher.finalize().into()
    }
}

fn or_empty(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}
