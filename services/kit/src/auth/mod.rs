//! Who calls, and what they may do where.

mod permission;
mod token;

pub use permission::{Permission, Role};
pub use token::{AuthConfig, Credentials, Issuer, Verifier};

use proto::error::ErrorReason;

use crate::org::OrgPath;
use crate::status::Problem;

/// A caller whose token was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who: the `sub` of the token, opaque.
    pub subject: String,
    /// The roles held.
    pub roles: Vec<Role>,
    /// The place whose part of the tree the roles are for; the root for the whole city.
    pub scope: OrgPath,
    /// For a laboratory, its code.
    pub laboratory: Option<String>,
    /// Which person of the register it is: `staff/{staff_member}`, or `students/{student}` for a pupil
    /// and for the family of one. None for a system, and where the issuer does not say.
    pub person: Option<String>,
}

impl Caller {
    /// Checks that the caller may do `permission` at the place `at`.
    ///
    /// # Errors
    /// SCOPE_DENIED when no role grants it or the place is outside the caller's scope.
    pub fn require(&self, permission: Permission, at: &OrgPath) -> Result<(), Problem> {
        if self.allowed(permission)?.contains(at) {
            Ok(())
        } else {
            Err(denied(permission))
        }
    }

    /// The place below which the caller may do `permission`; lists are filtered by it.
    ///
    /// # Errors
    /// SCOPE_DENIED when no role grants it.
    pub fn allowed(&self, permission: Permission) -> Result<&OrgPath, Problem> {
        let granted = self.roles.iter().any(|role| role.grants(permission));
        if granted {
            Ok(&self.scope)
        } else {
            Err(denied(permission))
        }
    }

    /// Whether the caller holds `role`.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

fn denied(permission: Permission) -> Problem {
    Problem::new(ErrorReason::ScopeDenied).meta("permission", permission)
}

/// The caller of a request, as the server's layer verified it.
///
/// # Errors
/// TOKEN_INVALID when the request did not come through the layer.
pub fn caller<T>(request: &tonic::Request<T>) -> Result<Caller, Problem> {
    let caller = request.extensions().get::<std::sync::Arc<Caller>>();
    caller
        .map(|caller| Caller::clone(caller))
        .ok_or_else(|| Problem::new(ErrorReason::TokenInvalid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_district_sees_only_its_schools() {
        let officer = Caller {
            subject: "officer".to_owned(),
            roles: vec![Role::DistrictOfficer],
            scope: "fz/350102".parse().unwrap(),
            laboratory: None,
            person: None,
        };
        let at = |path: &str| officer.require(Permission::RosterRead, &path.parse().unwrap());
        assert!(at("fz/350102/2135010001").is_ok());
        assert!(at("fz/350103/2135010002").is_err());
        assert!(at("fz").is_err());
        assert!(
            officer
                .require(Permission::ResultSubmit, &officer.scope.clone())
                .is_err()
        );
    }
}
