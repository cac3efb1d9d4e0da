//! Emergencies and destruction jobs for the wire, field by field.

use proto::roster as pb;
use proto::roster::destruction_job::State as JobState;
use proto::roster::destruction_report::CategoryReport as CategoryMessage;

use super::convert::instant;
use crate::domain::destruction::{
    Capacity, CategoryReport, Certificate, Event, Job, Keep, Report, State, Step,
};
use crate::domain::emergency::Emergency;
use crate::store::destruction::Stored;

/// The resource name of an emergency.
pub(crate) fn emergency_name(id: &str) -> String {
    format!("emergencies/{id}")
}

/// The resource name of a job.
pub(crate) fn job_name(id: &str) -> String {
    format!("destructionJobs/{id}")
}

/// The resource name of a certificate.
pub(crate) fn certificate_name(id: &str) -> String {
    format!("destructionJobs/{id}/certificate")
}

/// An emergency for the wire.
pub(crate) fn emergency(emergency: Emergency) -> pb::Emergency {
    let name = emergency.name();
    let Emergency {
        id: _,
        display_name,
        legal_basis,
        start,
        declared_by,
        end,
    } = emergency;
    let state = match end {
        None => pb::emergency::State::Open,
        Some(_) => pb::emergency::State::Ended,
    };
    let (end_time, ended_by, end_reason) = match end {
        None => (None, String::new(), String::new()),
        Some(end) => (instant(end.time), end.ended_by, end.reason),
    };
    pb::Emergency {
        name,
        display_name,
        legal_basis,
        state: state.into(),
        start_time: instant(start),
        end_time,
        declared_by,
        ended_by,
        end_reason,
    }
}

/// What services are told of a job.
pub(crate) fn order(stored: &Stored, of: &Emergency) -> pb::DestructionOrder {
    pb::DestructionOrder {
        destruction_job: stored.name(),
        emergency: Some(emergency(of.clone())),
        keeps: stored.job.keeps().iter().cloned().map(keep).collect(),
    }
}

/// A job for the wire.
pub(crate) fn job(stored: Stored) -> pb::DestructionJob {
    let name = stored.name();
    let Stored {
        id: _,
        emergency,
        job,
    } = stored;
    let running = job.state() == State::Running;
    let awaited = |job: &Job| job.awaited().map(str::to_owned).collect();
    let events = job.events().iter().cloned().zip(1..);
    pb::DestructionJob {
        name,
        emergency: emergency_name(&emergency),
        state: state(job.state()).into(),
        keeps: job.keeps().iter().cloned().map(keep).collect(),
        reports: job.reports().iter().cloned().map(report).collect(),
        awaited_services: if running { awaited(&job) } else { Vec::new() },
        events: events.map(|(event, number)| step(event, number)).collect(),
    }
}

fn state(state: State) -> JobState {
    match state {
        State::Proposed => JobState::Proposed,
        State::Assessed => JobState::Assessed,
        State::Approved => JobState::Approved,
        State::Running => JobState::Running,
        State::Confirmed => JobState::Confirmed,
        State::Certified => JobState::Certified,
        State::Rejected => JobState::Rejected,
        State::Withdrawn => JobState::Withdrawn,
    }
}

fn keep(keep: Keep) -> pb::KeptCategory {
    let Keep {
        service,
        category,
        legal_reason,
    } = keep;
    pb::KeptCategory {
        service,
        category,
        legal_reason,
    }
}

fn step(event: Event, number: i32) -> pb::DestructionEvent {
    let verb = event.step.verb().to_owned();
    let Event { actor, time, step } = event;
    let capacity = match &step {
        Step::Approved { capacity } => capacity_message(*capacity),
        _ => pb::ApprovalCapacity::Unspecified,
    };
    let note = match step {
        Step::Proposed { reason } | Step::Rejected { reason } | Step::Withdrawn { reason } => {
            reason
        }
        Step::Assessed { statement, .. } | Step::Confirmed { statement, .. } => statement,
        Step::Reported { report } => report.service,
        Step::Approved { .. } | Step::Started | Step::Certified => String::new(),
    };
    pb::DestructionEvent {
        number,
        verb,
        actor,
        time: instant(time),
        capacity: capacity.into(),
        note,
    }
}

fn capacity_message(capacity: Capacity) -> pb::ApprovalCapacity {
    match capacity {
        Capacity::Bureau => pb::ApprovalCapacity::Bureau,
        Capacity::Security => pb::ApprovalCapacity::Security,
    }
}

fn report(report: Report) -> pb::DestructionReport {
    let Report {
        service,
        categories,
        key_fingerprint,
        key_destroyed,
        sampled,
        opened,
        finished,
    } = report;
    let told = |told: CategoryReport| {
        let CategoryReport {
            category,
            kept,
            destroyed,
            resealed,
            exposed,
            remaining,
        } = told;
        CategoryMessage {
            category,
            kept,
            destroyed_count: destroyed,
            resealed_count: resealed,
            exposed_count: exposed,
            remaining_count: remaining,
        }
    };
    pb::DestructionReport {
        service,
        categories: categories.into_iter().map(told).collect(),
        key_fingerprint,
        key_destroy_time: key_destroyed.and_then(instant),
        sampled_count: sampled,
        opened_count: opened,
        finish_time: instant(finished),
    }
}

/// A certificate for the wire.
pub(crate) fn certificate(id: &str, certificate: Certificate) -> pb::DestructionCertificate {
    let Certificate {
        manifest,
        signature,
        public_key,
    } = certificate;
    pb::DestructionCertificate {
        name: certificate_name(id),
        manifest: manifest.into(),
        signature: signature.to_vec().into(),
        public_key: public_key.to_vec().into(),
    }
}
