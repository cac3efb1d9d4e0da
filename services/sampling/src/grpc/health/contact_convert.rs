//! Field by field: contacts, as they are told.

use kit::field::to_date;
use proto::sampling::{CandidateContact, CaseContact, case_contact};

use super::case_convert::date;
use crate::app::health::candidates::Candidate;
use crate::domain::hold::Control;
use crate::grpc::tube_convert::{instant, member};
use crate::store::health::contacts::ContactRow;

/// What a contact rule does with somebody.
pub(super) fn control(row: &ContactRow) -> case_contact::Control {
    match Control::from_code(row.control) {
        Some(Control::SecondaryContact) => case_contact::Control::SecondaryContact,
        Some(Control::CloseContact) => case_contact::Control::CloseContact,
        Some(Control::HealthMonitoring) => case_contact::Control::HealthMonitoring,
        Some(Control::Observation) => case_contact::Control::Observation,
        Some(Control::PoolHold | Control::RegionRestricted | Control::Isolated) | None => {
            case_contact::Control::None
        }
    }
}

/// A contact.
pub(crate) fn contact(row: &ContactRow) -> CaseContact {
    CaseContact {
        person: member(row.kind, &row.person),
        kind: i32::from(row.relation),
        degree: i32::from(row.degree),
        last_contact_date: date(row.last_day),
        via: row.via.clone(),
        control: control(row).into(),
        end_time: instant(row.until),
        add_time: instant(row.add_time),
        remove_time: instant(row.remove_time),
        remove_reason: row.remove_reason.clone(),
        exit_negative: row.control != 0 && row.exit_negative != 0,
    }
}

/// Somebody who may be a contact, of the contact `via` unless it is empty.
pub(super) fn candidate(one: &Candidate, via: &str) -> CandidateContact {
    let degree = if via.is_empty() {
        case_contact::Degree::Close
    } else {
        case_contact::Degree::Secondary
    };
    CandidateContact {
        person: member(one.kind, &one.person),
        kinds: one.kinds.iter().map(|kind| *kind as i32).collect(),
        last_contact_date: one.last.date().map(to_date),
        degree: degree.into(),
        via: via.to_owned(),
    }
}
