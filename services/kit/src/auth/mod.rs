//! Who calls, and what they may do where.

mod agreement;
mod algorithms;
mod asking;
mod authority;
mod cases;
mod certificate;
mod circumstances;
mod claims;
mod config;
mod contracts;
mod credentials;
mod exchange;
mod fault;
mod gateway_keys;
mod issuer;
mod jwks;
mod keys;
mod mask;
mod partners;
mod permission;
mod policies;
mod revoked;
mod session;
mod source;
mod trust;
mod uses;
mod verifier;
mod words;

#[cfg(test)]
mod cases_tests;
#[cfg(test)]
mod policies_tests;

pub use agreement::{Agreement, PartnerConfig, Quota};
pub use algorithms::TokenAlgorithm;
pub use authority::Authority;
pub use cases::{PolicyAnswer, PolicyCase, PolicyCases, PolicyDifference};
pub use certificate::ClientCertificate;
pub use circumstances::{BREAK_GLASS, PURPOSE};
pub use config::{AuthConfig, ClaimsConfig};
pub use credentials::Credentials;
pub use exchange::Exchange;
pub use fault::PolicyError;
pub use issuer::Issuer;
pub(crate) use mask::Mask;
pub use permission::{Department, Permission, Purpose, Role};
pub use session::Session;
pub(crate) use session::{Refusal, Shown};
pub use verifier::{ISSUER_AWAITED, Verifier};

use std::sync::Arc;

use chrono::{DateTime, Utc};
use proto::error::ErrorReason;

use crate::audit::Call;
use crate::org::OrgPath;
use crate::status::Problem;

/// A caller whose token or certificate was verified; by default nobody, who may do nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Who: the `sub` of the token, opaque.
    pub subject: String,
    /// The roles held.
    pub roles: Vec<Role>,
    /// The place whose part of the tree the roles are for; the root for the whole city.
    pub scope: OrgPath,
    /// For a laboratory, its code.
    pub laboratory: Option<String>,
    /// For another system, the department of the government that it speaks for.
    pub department: Option<Department>,
    /// Which person of the register it is: `staff/{staff_member}`, or `students/{student}` for a pupil
    /// and for the family of one. None for a system, and where the issuer does not say.
    pub person: Option<String>,
    /// Whether a second factor was proved (rule 6.10).
    pub second_factor: bool,
    /// The partner system over whose connection the call comes.
    pub partner: Option<String>,
    /// The id of the token, `jti`, where the issuer gives one.
    pub token_id: Option<String>,
    /// When the credentials end. None for a caller that was not verified but named by the service itself.
    pub expires: Option<DateTime<Utc>>,
    /// What the request is for, where the caller says so.
    pub purpose: Option<Purpose>,
    /// Why the caller opens what is closed to them in daily life, 10 to 500 characters; none in daily
    /// life.
    pub break_glass: Option<String>,
    /// Who decides what the caller may do.
    pub authority: Authority,
    /// The call that is under way, for the audit; none where nothing of it is recorded.
    pub call: Option<Arc<Call>>,
}

impl Caller {
    /// A caller of whom nothing else is said.
    pub fn new(subject: impl Into<String>, roles: Vec<Role>, scope: OrgPath) -> Self {
        Self {
            subject: subject.into(),
            roles,
            scope,
            ..Self::default()
        }
    }

    /// Checks that the caller may do `permission` at the place `at`.
    ///
    /// # Errors
    /// SCOPE_DENIED when no policy permits it there.
    pub fn require(&self, permission: Permission, at: &OrgPath) -> Result<(), Problem> {
        let permitted = self.authority.permit(self, permission, at);
        if let Some(call) = &self.call {
            call.at(at, permitted);
        }
        if permitted {
            Ok(())
        } else {
            Err(denied(permission))
        }
    }

    /// Whether the caller may do `permission` at the place `at`: for what is passed over where they may
    /// not. The audit takes no note of it.
    pub fn may(&self, permission: Permission, at: &OrgPath) -> bool {
        self.authority.permit(self, permission, at)
    }

    /// Where it is decided whether something that stands at `at` may concern the caller: there; or at their
    /// own place where it stands above that, as what a bureau decides for those below it does.
    pub fn reached<'a>(&'a self, at: &'a OrgPath) -> &'a OrgPath {
        if at.contains(&self.scope) {
            &self.scope
        } else {
            at
        }
    }

    /// The place below which the caller may do `permission`; lists are filtered by it. Whoever acts on
    /// something, or shows one thing, asks for its own place besides, by [`Self::require`].
    ///
    /// # Errors
    /// SCOPE_DENIED when no policy permits it there.
    pub fn allowed(&self, permission: Permission) -> Result<&OrgPath, Problem> {
        if self.authority.permit(self, permission, &self.scope) {
            Ok(&self.scope)
        } else {
            Err(denied(permission))
        }
    }

    /// Keeps the audit from telling who calls: `subject` stands for them. For those who may stay unknown.
    pub fn veil(&self, subject: &str) {
        if let Some(call) = &self.call {
            call.veil(subject);
        }
    }

    /// Has the audit tell which resource the call spoke of, where the request named none: `name` was found
    /// by a number or a code.
    pub fn means(&self, name: &str) {
        if let Some(call) = &self.call {
            call.means(name);
        }
    }

    /// Whether the purpose of the call is one of daily work. Others take an approval where data of minors
    /// is shown (rule 6.8).
    pub fn is_daily(&self) -> bool {
        match self.purpose {
            None
            | Some(
                Purpose::Care
                | Purpose::Prevention
                | Purpose::Safety
                | Purpose::Administration
                | Purpose::Support,
            ) => true,
            Some(Purpose::Audit | Purpose::Exercise) => false,
        }
    }

    /// Whether the caller holds `role`.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

fn denied(permission: impl std::fmt::Display) -> Problem {
    Problem::new(ErrorReason::ScopeDenied).meta("permission", permission)
}

/// The caller of a request, as the server's layer verified it.
///
/// # Errors
/// TOKEN_INVALID when the request did not come through the layer.
pub fn caller<T>(request: &tonic::Request<T>) -> Result<Caller, Problem> {
    let caller = request.extensions().get::<Arc<Caller>>();
    caller
        .map(|caller| Caller::clone(caller))
        .ok_or_else(|| Problem::new(ErrorReason::TokenInvalid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_and_an_exercise_are_no_daily_work() {
        let for_purpose = |purpose| Caller {
            purpose,
            ..Caller::default()
        };
        assert!(for_purpose(None).is_daily());
        let others = Purpose::ALL.iter().copied();
        let others: Vec<Purpose> = others
            .filter(|one| !for_purpose(Some(*one)).is_daily())
            .collect();
        assert_eq!(others, [Purpose::Audit, Purpose::Exercise]);
    }

    #[test]
    fn what_stands_above_the_caller_is_decided_at_their_place_and_all_else_where_it_stands() {
        let path = |text: &str| text.parse::<OrgPath>().unwrap();
        let clerk = Caller::new("clerk", vec![Role::SchoolClerk], path("fz/350102/a"));
        for (at, decided) in [
            ("", "fz/350102/a"),
            ("fz", "fz/350102/a"),
            ("fz/350102/a", "fz/350102/a"),
            ("fz/350102/a/p1", "fz/350102/a/p1"),
            ("fz/350102/b", "fz/350102/b"),
            ("fz/350103", "fz/350103"),
        ] {
            assert_eq!(clerk.reached(&path(at)), &path(decided), "{at}");
        }
    }

    #[test]
    fn a_district_sees_only_its_schools() {
        let district: OrgPath = "fz/350102".parse().unwrap();
        let officer = Caller::new("officer", vec![Role::DistrictOfficer], district);
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
