//! Import rows, verdicts and jobs, field by field.

use proto::roster as pb;
use proto::roster::import_row::Record;

use super::convert::instant;
use crate::domain::import::{
    ClassGroupCells, GuardianCells, Kind, OrganizationCells, Reason, RowCells, StaffMemberCells,
    State, StudentCells,
};
use crate::store::import::jobs::{Counts, Job};

/// What a row is about.
pub(crate) fn kind_of(record: &Record) -> Kind {
    match record {
        Record::Organization(_) => Kind::Organization,
        Record::ClassGroup(_) => Kind::ClassGroup,
        Record::StaffMember(_) => Kind::StaffMember,
        Record::Student(_) => Kind::Student,
        Record::Guardian(_) => Kind::Guardian,
    }
}

/// The cells of a row; nothing is judged here.
pub(crate) fn cells(record: Record) -> RowCells {
    match record {
        Record::Organization(row) => {
            let pb::OrganizationRow {
                organization,
                kind,
                display_name,
                parent,
                division_code,
                school_code,
            } = row;
            RowCells::Organization(OrganizationCells {
                organization,
                kind,
                display_name,
                parent,
                division_code,
                school_code,
            })
        }
        Record::ClassGroup(row) => {
            let pb::ClassGroupRow {
                organization,
                class_group,
                display_name,
                grade,
            } = row;
            let grade = grade.to_string();
            RowCells::ClassGroup(ClassGroupCells {
                organization,
                class_group,
                display_name,
                grade,
            })
        }
        Record::StaffMember(row) => {
            let pb::StaffMemberRow {
                organization,
                display_name,
                post,
                id_type,
                id_number,
                phone,
                class_group,
            } = row;
            RowCells::StaffMember(StaffMemberCells {
                organization,
                display_name,
                post,
                id_type,
                id_number,
                phone,
                class_group,
            })
        }
        Record::Student(row) => {
            let pb::StudentRow {
                organization,
                class_group,
                display_name,
                sex,
                birth_date,
                id_type,
                id_number,
                student_number,
                phone,
                boarder,
                modified_date,
            } = row;
            RowCells::Student(StudentCells {
                organization,
                class_group,
                display_name,
                sex,
                birth_date,
                id_type,
                id_number,
                student_number,
                phone,
                boarder,
                modified_date,
            })
        }
        Record::Guardian(row) => {
            let pb::GuardianRow {
                student,
                display_name,
                relation,
                phone,
                priority,
            } = row;
            let priority = priority.to_string();
            RowCells::Guardian(GuardianCells {
                student,
                display_name,
                relation,
                phone,
                priority,
            })
        }
    }
}

/// The number of a post, from the word that judging gives.
pub(crate) fn post(word: &str) -> i32 {
    let post = pb::staff_member::Post::from_str_name(&format!("POST_{word}"));
    post.unwrap_or(pb::staff_member::Post::Teacher).into()
}

/// The number of a relation, from the word that judging gives.
pub(crate) fn relation(word: &str) -> i16 {
    let relation = pb::guardian::Relation::from_str_name(&format!("RELATION_{word}"));
    let number: i32 = relation.unwrap_or(pb::guardian::Relation::Other).into();
    i16::try_from(number).unwrap_or_default()
}

/// A job for the wire.
pub(crate) fn job(job: &Job) -> pb::ImportJob {
    let Job {
        number: _,
        id,
        organization,
        org_path: _,
        source,
        bulk,
        vanish_threshold,
        state,
        durable_row,
        blocked,
        counts,
        fingerprint: _,
        create_time,
        update_time,
    } = job;
    let state = match state {
        State::Receiving => pb::import_job::State::Receiving,
        State::Planned => pb::import_job::State::Planned,
        State::Committed => pb::import_job::State::Committed,
        State::RolledBack => pb::import_job::State::RolledBack,
        State::Discarded => pb::import_job::State::Discarded,
    };
    let mode = if *bulk {
        pb::import_job::Mode::Bulk
    } else {
        pb::import_job::Mode::Delta
    };
    pb::ImportJob {
        name: format!("importJobs/{id}"),
        organization: format!("organizations/{organization}"),
        source: source.clone(),
        mode: mode.into(),
        vanish_threshold: *vanish_threshold,
        state: state.into(),
        durable_row: *durable_row,
        counts: counts
            .iter()
            .map(|(kind, counts)| count(*kind, counts))
            .collect(),
        blocked: *blocked,
        create_time: instant(*create_time),
        update_time: instant(*update_time),
    }
}

fn count(kind: Kind, counts: &Counts) -> pb::ImportCount {
    let Counts {
        received,
        refused,
        refused_by_plan,
        remarked,
        same: _,
        created,
        changed,
        unchanged,
        vanished,
        written: _,
    } = *counts;
    pb::ImportCount {
        kind: kind.code().into(),
        received,
        created,
        changed,
        unchanged,
        vanished,
        rejected: refused + refused_by_plan,
        remarked,
    }
}

/// What there is to say about a row, for the wire.
pub(crate) fn verdict(
    row: i64,
    kind: Kind,
    field: &str,
    reason: Reason,
    rejected: bool,
) -> pb::ImportVerdict {
    pb::ImportVerdict {
        row,
        kind: kind.code().into(),
        column: field.to_owned(),
        reason: reason.code().to_owned(),
        rejected,
        hint: reason.hint().to_owned(),
        hint_en: reason.hint_en().to_owned(),
    }
}
