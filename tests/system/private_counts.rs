//! What counts people by their health or their need of support is a count that may be hidden (`privacy.k`,
//! rules 6.12 and 6.14), or stands here with the reason why it never has to be. Lists only shrink.

use std::collections::BTreeSet;

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};

const PRIVATE: &str = "campus.privacy.v1.PrivateCount";

/// Files that tell of people's health or support: every count in them is looked at.
const FILES: [&str; 25] = [
    "campus/gateway/v1/overview.proto",
    "campus/notification/v1/alert.proto",
    "campus/notification/v1/concern_service.proto",
    "campus/notification/v1/support.proto",
    "campus/notification/v1/support_service.proto",
    "campus/safety/v1/gate.proto",
    "campus/safety/v1/gate_offline.proto",
    "campus/safety/v1/gate_service.proto",
    "campus/sampling/v1/absence_service.proto",
    "campus/sampling/v1/case.proto",
    "campus/sampling/v1/case_service.proto",
    "campus/sampling/v1/check.proto",
    "campus/sampling/v1/clearance_feed.proto",
    "campus/sampling/v1/cluster_service.proto",
    "campus/sampling/v1/control_service.proto",
    "campus/sampling/v1/coverage_service.proto",
    "campus/sampling/v1/health_service.proto",
    "campus/sampling/v1/health_state.proto",
    "campus/sampling/v1/hold_service.proto",
    "campus/sampling/v1/report_service.proto",
    "campus/sampling/v1/reporting_signal_service.proto",
    "campus/sampling/v1/result_service.proto",
    "campus/sampling/v1/screening_service.proto",
    "campus/sampling/v1/suspension_service.proto",
    "campus/sampling/v1/tube.proto",
];

/// Words of the names of numbers that are looked at wherever they stand.
const WORDS: [&str; 34] = [
    "absent",
    "case",
    "cases",
    "cluster",
    "clusters",
    "concern",
    "concerns",
    "confirmed",
    "contact",
    "contacts",
    "dead",
    "deaths",
    "exempt",
    "fever",
    "grave",
    "held",
    "hold",
    "holds",
    "hospitalised",
    "hurt",
    "ill",
    "infected",
    "injuries",
    "injury",
    "isolated",
    "kept",
    "people",
    "person",
    "positive",
    "positives",
    "red",
    "support",
    "suspected",
    "symptom",
];

/// Why numbers need no veil, and which.
const OPEN: [(&str, &[&str]); 10] = [
    (
        "whoever reads it reads by name who they are, in the same answer or by the same permission",
        &[
            "campus.safety.v1.LateReturn.Count.person_count",
            "campus.sampling.v1.Case.dead_count",
            "campus.sampling.v1.Case.hospitalised_count",
            "campus.sampling.v1.Case.person_count",
            "campus.sampling.v1.CaseCard.contact_count",
            "campus.sampling.v1.CaseCard.person_count",
            "campus.sampling.v1.Cluster.MetCondition.count",
            "campus.sampling.v1.Cluster.RelatedCluster.shared_person_count",
            "campus.sampling.v1.Cluster.person_count",
            "campus.sampling.v1.ClusterEvent.person_count",
            "campus.sampling.v1.Hold.positive_count",
            "campus.sampling.v1.HoldFigures.hold_count",
            "campus.sampling.v1.HoldFigures.overdue_count",
            "campus.sampling.v1.SimulatedCluster.fire_person_count",
            "campus.sampling.v1.SimulatedCluster.person_count",
            "campus.sampling.v1.Tube.positive_count",
            "campus.sampling.v1.TubeFigures.positive_count",
        ],
    ),
    (
        "a report that the law demands with its numbers, for those whom it names (rules 1.15 to 1.19, 5.33, 5.35)",
        &[
            "campus.notification.v1.Alert.people_count",
            "campus.safety.v1.Casualties.deaths",
            "campus.safety.v1.Casualties.minor_injuries",
            "campus.safety.v1.Casualties.serious_injuries",
            "campus.safety.v1.Drill.injury_count",
            "campus.sampling.v1.CaseDocument.ReportLine.confirmed_count",
            "campus.sampling.v1.CaseDocument.ReportLine.dead_count",
            "campus.sampling.v1.CaseDocument.ReportLine.hospitalised_count",
            "campus.sampling.v1.CaseDocument.ReportLine.suspected_count",
            "campus.sampling.v1.CaseReport.confirmed_count",
            "campus.sampling.v1.CaseReport.dead_count",
            "campus.sampling.v1.CaseReport.hospitalised_count",
            "campus.sampling.v1.CaseReport.suspected_count",
        ],
    ),
    (
        "told by a feed, which services read and nobody else",
        &[
            "campus.safety.v1.GateRecheckStanding.kept_out_count",
            "campus.safety.v1.GateRedCodeStanding.red_count",
        ],
    ),
    (
        "said by whoever submits it",
        &[
            "campus.safety.v1.OfflineDecision.emergency_people_count",
            "campus.sampling.v1.CheckSubmission.absent_count",
            "campus.sampling.v1.CheckSubmission.ill_absent_count",
            "campus.sampling.v1.CheckSubmission.present_count",
            "campus.sampling.v1.CheckSubmission.roll_count",
        ],
    ),
    (
        "people whatever their health: on a roll, expected, present, absent for any reason, to be swabbed",
        &[
            "campus.notification.v1.Meeting.absent_count",
            "campus.safety.v1.GuardRequirement.people_count",
            "campus.safety.v1.PreviewSheltersResponse.person_count",
            "campus.safety.v1.ShelterProposal.person_count",
            "campus.safety.v1.SupplyStock.person_count",
            "campus.sampling.v1.Check.absent_count",
            "campus.sampling.v1.Check.present_count",
            "campus.sampling.v1.Check.roll_count",
            "campus.sampling.v1.CheckCoverage.absent_count",
            "campus.sampling.v1.CheckCoverage.expected_people_count",
            "campus.sampling.v1.CheckCoverage.present_count",
            "campus.sampling.v1.CheckCoverage.roll_count",
            "campus.sampling.v1.ClassCheck.absent_count",
            "campus.sampling.v1.ClassCheck.present_count",
            "campus.sampling.v1.ClassCheck.roll_count",
            "campus.sampling.v1.ClassSymptoms.enrolled_count",
            "campus.sampling.v1.Coverage.alert_count",
            "campus.sampling.v1.Coverage.covered_count",
            "campus.sampling.v1.Coverage.due_count",
            "campus.sampling.v1.Coverage.eligible_count",
            "campus.sampling.v1.Coverage.enrolled_count",
            "campus.sampling.v1.Coverage.late_count",
            "campus.sampling.v1.HealthStaffing.child_count",
            "campus.sampling.v1.HealthStaffing.lacking_count",
            "campus.sampling.v1.HealthStaffing.pupil_count",
            "campus.sampling.v1.HealthStaffing.required_count",
            "campus.sampling.v1.HealthStaffing.technician_count",
            "campus.sampling.v1.MissingCheck.expected_count",
            "campus.sampling.v1.Tube.swab_count",
        ],
    ),
    (
        "schools, class groups, checks and what else is no person",
        &[
            "campus.audit.v1.AuditCheckpoint.kept_count",
            "campus.notification.v1.AlertGroup.alert_count",
            "campus.notification.v1.AlertGroup.escalated_count",
            "campus.notification.v1.AlertGroup.open_count",
            "campus.notification.v1.Channel.dead_count",
            "campus.roster.v1.SetTeachingModeResponse.held_count",
            "campus.roster.v1.TeachingSummary.in_person_school_count",
            "campus.safety.v1.ProtectionFigure.confirmed_basis_points",
            "campus.safety.v1.ProtectionFigure.confirmed_count",
            "campus.sampling.v1.Check.conflict_count",
            "campus.sampling.v1.CheckCoverage.answered_count",
            "campus.sampling.v1.CheckCoverage.corrected_count",
            "campus.sampling.v1.CheckCoverage.expected_count",
            "campus.sampling.v1.CheckCoverage.late_count",
            "campus.sampling.v1.CheckCoverage.missing_count",
            "campus.sampling.v1.CheckCoverage.overdue_count",
            "campus.sampling.v1.CheckCoverage.submitted_count",
            "campus.sampling.v1.CheckCoverage.zero_count",
            "campus.sampling.v1.Coverage.class_group_count",
            "campus.sampling.v1.Coverage.drawn_school_count",
            "campus.sampling.v1.Coverage.school_count",
            "campus.sampling.v1.HealthCoverage.school_count",
            "campus.sampling.v1.HealthCoverage.silent_school_count",
            "campus.sampling.v1.ReportingSignal.observed_count",
            "campus.sampling.v1.ReportingSignal.total_count",
            "campus.sampling.v1.ScreeningDay.expected_count",
            "campus.sampling.v1.ScreeningDay.late_count",
            "campus.sampling.v1.ScreeningDay.missing_count",
            "campus.sampling.v1.ScreeningDay.submitted_count",
            "campus.sampling.v1.SimulateClustersResponse.both_count",
            "campus.sampling.v1.SimulateClustersResponse.only_in_force_count",
            "campus.sampling.v1.SimulateClustersResponse.only_tried_count",
            "campus.sampling.v1.SubmittedCheck.conflict_count",
            "campus.sampling.v1.TubeFigures.corrected_count",
            "campus.sampling.v1.TubeFigures.failed_count",
            "campus.sampling.v1.TubeFigures.late_arrival_count",
            "campus.sampling.v1.TubeFigures.late_result_count",
            "campus.sampling.v1.TubeFigures.opened_count",
            "campus.sampling.v1.TubeFigures.overdue_count",
            "campus.sampling.v1.TubeFigures.received_count",
            "campus.sampling.v1.TubeFigures.result_count",
            "campus.sampling.v1.TubeFigures.sealed_count",
        ],
    ),
    (
        "something of one person or one record, which has permissions of its own",
        &[
            "campus.notification.v1.Concern.reopen_count",
            "campus.notification.v1.SupportCase.reopen_count",
            "campus.safety.v1.GateSnapshot.recheck_reading_count",
            "campus.sampling.v1.Observation.reading_count",
            "campus.sampling.v1.Suspension.failed_attempt_count",
        ],
    ),
    (
        "a number of the policy or of a rule",
        &[
            "campus.roster.v1.AbsencePolicy.similar_cases",
            "campus.roster.v1.AlertPolicy.class_one_day_cases",
            "campus.roster.v1.AlertPolicy.class_three_day_cases",
            "campus.roster.v1.ClusterPolicy.Rule.group_cases",
            "campus.roster.v1.OutbreakPolicy.Rule.cases",
            "campus.roster.v1.OutbreakPolicy.Rule.deaths",
            "campus.roster.v1.OutbreakPolicy.Rule.group_cases",
            "campus.roster.v1.OutbreakPolicy.Rule.hospitalised",
            "campus.roster.v1.SuspendPolicy.Hfmd.class_cases",
            "campus.roster.v1.SuspendPolicy.Hfmd.school_cases",
            "campus.roster.v1.SuspendPolicy.Influenza.ill_ratio_basis_points",
            "campus.roster.v1.SuspendPolicy.Influenza.new_cases",
            "campus.roster.v1.SuspendPolicy.Influenza.severe_cases",
            "campus.sampling.v1.ClusterRule.Condition.count",
            "campus.sampling.v1.ClusterRule.Condition.group_cases",
        ],
    ),
    (
        "reckoned for people who do not exist",
        &[
            "campus.sampling.v1.EvaluateResponse.Delay.infected",
            "campus.sampling.v1.EvaluateResponse.people_held_per_positive",
        ],
    ),
    (
        "beside the number of a figure, which is hidden as its service says: these are checks and schools",
        &[
            "campus.gateway.v1.Figure.corrected_count",
            "campus.gateway.v1.Figure.late_count",
            "campus.gateway.v1.FigureCoverage.expected_count",
            "campus.gateway.v1.FigureCoverage.known_count",
        ],
    ),
];

fn pool() -> DescriptorPool {
    DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts can be read")
}

/// Numbers that a client is told: not what only a request says.
fn numbers(pool: &DescriptorPool) -> impl Iterator<Item = FieldDescriptor> + '_ {
    let told = pool.all_messages().filter(|message| {
        let name = message.full_name();
        name.starts_with("campus.") && !name.contains("Request") && !message.is_map_entry()
    });
    told.flat_map(|message| message.fields().collect::<Vec<_>>())
        .filter(|field| is_number(&field.kind()))
}

fn is_number(kind: &Kind) -> bool {
    let no_number = matches!(
        kind,
        Kind::Bool | Kind::String | Kind::Bytes | Kind::Message(_) | Kind::Enum(_)
    );
    !no_number
}

/// Whether the name of a number says that people may be counted by their health or support.
fn speaks(field: &FieldDescriptor) -> bool {
    let file = field.parent_message().parent_file();
    let name = field.name();
    let counts = name.ends_with("_count") || ["count", "ill", "number", "people"].contains(&name);
    let words = name.split('_').any(|word| WORDS.contains(&word));
    words || (counts && FILES.contains(&file.name()))
}

fn is_private(message: &MessageDescriptor) -> bool {
    message.full_name() == PRIVATE
}

#[test]
fn whatever_counts_people_by_health_or_support_may_be_hidden() {
    let pool = pool();
    let found: BTreeSet<String> = numbers(&pool)
        .filter(|field| speaks(field) && !is_private(field.parent_message()))
        .map(|field| field.full_name().to_owned())
        .collect();
    let named = OPEN.iter().flat_map(|(_, fields)| fields.iter());
    let named: BTreeSet<String> = named.map(|field| (*field).to_owned()).collect();
    let unveiled: Vec<&String> = found.difference(&named).collect();
    assert_eq!(unveiled, [] as [&String; 0], "neither hidden nor explained");
    let stale: Vec<&String> = named.difference(&found).collect();
    assert_eq!(stale, [] as [&String; 0], "explained and not there");
    let all: usize = OPEN.iter().map(|(_, fields)| fields.len()).sum();
    assert_eq!(named.len(), all, "explained once");
}

#[test]
fn the_walk_finds_what_it_looks_for() {
    let pool = pool();
    for file in FILES {
        assert!(pool.get_file_by_name(file).is_some(), "{file}");
    }
    let hidden: BTreeSet<String> = pool
        .all_messages()
        .flat_map(|message| message.fields().collect::<Vec<_>>())
        .filter(|field| matches!(field.kind(), Kind::Message(message) if is_private(&message)))
        .map(|field| field.full_name().to_owned())
        .collect();
    for field in [
        "campus.notification.v1.ConcernCategoryFigures.concern_count",
        "campus.notification.v1.SupportFigures.grave_count",
        "campus.safety.v1.IncidentCounts.confidential_count",
        "campus.sampling.v1.Check.finding_count",
        "campus.sampling.v1.HealthCoverage.ill_count",
        "campus.sampling.v1.SymptomCount.day_count",
    ] {
        assert!(hidden.contains(field), "{field}");
    }
}
