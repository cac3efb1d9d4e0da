//! Who works for the safety of the first school, and who comes to it: each with a token of their own.

use kit::auth::{Caller, Department, Role};
use kit::field::to_timestamp;
use proto::safety::Photo;
use tests::city::{Door, caller};
use tests::town::{CITY, school, school_path};

use crate::region::Region;

/// One call through a door: the answer without its envelope.
macro_rules! call {
    ($client:ident, $door:expr, $method:ident, $request:expr) => {
        $client::new($door)
            .$method($request)
            .await
            .map(tonic::Response::into_inner)
    };
}
pub(crate) use call;

/// A request about a resource, once.
macro_rules! once {
    ($message:ident, $name:expr $(, $field:ident: $value:expr)* $(,)?) => {
        proto::safety::$message {
            name: $name.to_owned(),
            $($field: $value,)*
            request_id: crate::verbs::request_id(),
        }
    };
}
pub(crate) use once;

/// The resource name of the school with this number.
pub(crate) fn organization(at: u32) -> String {
    format!("organizations/{}", school(at))
}

impl Region {
    /// Who holds `post` at the first school, with `role` there.
    pub(super) fn at_school(&self, role: Role, post: &str) -> Door {
        self.of_school(1, role, post)
    }

    /// Who holds `post` at the school with this number, with `role` there.
    pub(crate) fn of_school(&self, at: u32, role: Role, post: &str) -> Door {
        self.person(role, &school_path(at), self.staff(&school(at), post))
    }

    /// The school safety officer, its deputy for safety.
    pub(super) fn deputy(&self) -> Door {
        self.at_school(Role::SafetyOfficer, "安全副校长")
    }

    /// The principal.
    pub(super) fn head(&self) -> Door {
        self.at_school(Role::Principal, "校长")
    }

    /// The guard at its gate.
    pub(super) fn guard(&self) -> Door {
        self.at_school(Role::Guard, "保安")
    }

    /// The principal of the school next door.
    pub(super) fn sibling(&self) -> Door {
        self.city.door(Role::Principal, &school_path(2))
    }

    /// An officer of the bureau above the first school.
    pub(crate) fn bureau(&self) -> Door {
        self.acting(&self.bureaus()[0])
    }

    /// The system of another authority of the city, such as the fire brigade, which speaks for its own
    /// department only.
    pub(crate) fn authority(&self, name: &str) -> Door {
        let department = match name {
            "command-centre" => Some(Department::Government),
            "police" => Some(Department::Police),
            "fire-brigade" => Some(Department::Fire),
            "market-1" => Some(Department::MarketRegulation),
            _ => None,
        };
        self.city.door_of(Caller {
            subject: name.to_owned(),
            department,
            ..caller(Role::PartnerSystem, CITY)
        })
    }

    /// A picture that was taken just now.
    pub(crate) fn photo(&self, number: u8) -> Photo {
        Photo {
            sha256: vec![number; 32].into(),
            take_time: Some(to_timestamp(self.now())),
            ..Photo::default()
        }
    }
}
