//! One match from what went wrong to what the caller is told.

use kit::status::Problem;
use proto::error::ErrorReason as Reason;
use tonic::Status;

use crate::domain::access;
use crate::domain::destruction::Refused;
use crate::domain::subject::Incomplete;
use crate::error::Error;

impl From<Error> for Problem {
    fn from(err: Error) -> Self {
        match err {
            Error::Refused(problem) => problem,
            Error::Database(err) => Self::from(err),
            Error::Vault(err) => Self::new(Reason::Internal).source(err),
            Error::NotFound(name) => Self::not_found(name),
            Error::AlreadyExists(name) => Self::new(Reason::AlreadyExists).meta("name", name),
            Error::EtagMismatch(name) => Self::new(Reason::EtagMismatch).meta("name", name),
            Error::NotEmpty(name) => Self::new(Reason::OrganizationNotEmpty).meta("name", name),
            Error::Closed(name) => Self::new(Reason::OrganizationClosed).meta("name", name),
            Error::Kind(name) => Self::new(Reason::OrganizationKind).meta("name", name),
            Error::Graduated(name) => Self::new(Reason::ClassGroupGraduated).meta("name", name),
            Error::NotEnrolled(name) => Self::new(Reason::StudentNotEnrolled).meta("name", name),
            Error::PersonRegistered => Self::new(Reason::PersonRegistered),
            Error::Dismissed(name) => Self::new(Reason::StaffMemberDismissed).meta("name", name),
            Error::Unowned {
                organization,
                subject,
            } => Self::new(Reason::ResponsibilityUnowned)
                .meta("organization", organization)
                .meta("subject", subject),
            Error::HandOverOrder(start) => {
                Self::new(Reason::ResponsibilityOrder).meta("start_time", start.to_rfc3339())
            }
            Error::BelowFloor(keys) => {
                let problem = Self::new(Reason::PolicyBelowFloor);
                keys.into_iter().fold(problem, |problem, (key, zh, en)| {
                    problem.field(format!("policy_profile.{key}"), zh, en)
                })
            }
            Error::NotProposed(name) => Self::new(Reason::PolicyWrongState).meta("name", name),
            Error::NoPolicy(organization, date) => Self::new(Reason::PolicyNone)
                .meta("organization", organization)
                .meta("date", date),
            Error::EmergencyOpen(name) => Self::new(Reason::EmergencyOpen).meta("name", name),
            Error::EmergencyEnded(name) => Self::new(Reason::EmergencyEnded).meta("name", name),
            Error::UnderWay(name) => Self::new(Reason::DestructionUnderWay).meta("name", name),
            Error::Destruction(refused) => destruction(refused),
            Error::Access(refused) => approval(refused),
            Error::NotApproved {
                organization,
                data,
                purpose,
            } => Self::new(Reason::AccessNotApproved)
                .meta("organization", organization)
                .meta("data", data)
                .meta("purpose", purpose),
            Error::Subject(Incomplete::State(state)) => {
                Self::new(Reason::SubjectRequestState).meta("state", state.as_str())
            }
            Error::Subject(Incomplete::Service(service)) => {
                Self::new(Reason::SubjectRequestIncomplete).meta("service", service)
            }
            Error::SubjectState(state) => {
                Self::new(Reason::SubjectRequestState).meta("state", state)
            }
            Error::Import(illegal) => {
                Self::new(Reason::ImportState).meta("state", illegal.0.as_str())
            }
            Error::Gap(row) => Self::new(Reason::ImportGap).meta("durable_row", row),
            Error::TooManyVanish { vanished, known } => Self::new(Reason::ImportVanishThreshold)
                .meta("vanished", vanished)
                .meta("known", known),
            Error::Stale => Self::new(Reason::ImportPlanStale),
            Error::ChangedSince(rows) => {
                Self::new(Reason::ImportChangedSince).meta("changed", rows)
            }
        }
    }
}

/// Why a step of an approval was not taken.
fn approval(refused: access::Refused) -> Problem {
    match refused {
        access::Refused::State(state) => {
            Problem::new(Reason::AccessState).meta("state", state.as_str())
        }
        access::Refused::SamePerson => Problem::new(Reason::AccessSamePerson),
        access::Refused::End => Problem::invalid(
            "expire_time",
            "应晚于现在和开始时间，且不晚于申请的时间",
            "after now and the start, not later than was asked for",
        ),
    }
}

/// Why a step of a destruction job was not taken.
fn destruction(refused: Refused) -> Problem {
    match refused {
        Refused::State(state) => {
            Problem::new(Reason::DestructionState).meta("state", state.as_str())
        }
        Refused::SamePerson => Problem::new(Reason::DestructionSamePerson),
        Refused::Incomplete(service) => {
            Problem::new(Reason::DestructionIncomplete).meta("service", service)
        }
        Refused::Backups(exposed) => {
            Problem::new(Reason::DestructionBackups).meta("exposed", exposed)
        }
        Refused::Category { service, category } => Problem::new(Reason::DestructionCategory)
            .meta("service", service)
            .meta("category", category),
    }
}

impl From<Error> for Status {
    fn from(err: Error) -> Self {
        Problem::from(err).into()
    }
}
