//! Field by field: clusters, their rules and their trail, as they are told.

use kit::field::to_date;
use prost::Message;
use proto::sampling::cluster::{MetCondition, Person, RelatedCluster};
use proto::sampling::{Cluster, ClusterEvent, ClusterRule, SimulatedCluster, cluster_rule};

use crate::app::health::Replayed;
use crate::domain::day::Day;
use crate::domain::health::cluster::{Finding, Met};
use crate::domain::health::cluster_rule::{self as rules, Condition, Scope};
use crate::domain::health::cluster_state::ClusterState;
use crate::domain::health::illness::Criterion;
use crate::domain::health::relation::Relation;
use crate::grpc::convert::group_of;
use crate::grpc::tube_convert::{instant, member};
use crate::store::health::clusters::{ClusterEventRow, ClusterPersonRow, ClusterRow};

/// A rule.
pub(crate) fn rule(rule: &rules::ClusterRule) -> ClusterRule {
    let rules::ClusterRule {
        code,
        numbers,
        scope,
        criterion,
        conditions,
        level,
        report_sla,
        recipients,
        suspend_days,
        at_once,
        source,
    } = rule;
    let criterion = match criterion {
        Criterion::Similar(group) => cluster_rule::Criterion::SymptomGroup(i32::from(*group)),
        Criterion::Disease(disease) => cluster_rule::Criterion::Disease(i32::from(disease.0)),
    };
    ClusterRule {
        code: code.clone(),
        numbers: numbers.clone(),
        scope: i32::from(scope.code()),
        criterion: Some(criterion),
        conditions: conditions.iter().map(condition).collect(),
        level: i32::from(level.code()),
        report_sla: prost_types::Duration::try_from(*report_sla).ok(),
        recipients: recipients.iter().map(|who| i32::from(*who)).collect(),
        suspend_days: i32::from(*suspend_days),
        sentence: rule.sentence(),
        source: source.clone(),
        alert_at_once: *at_once,
    }
}

fn condition(condition: &Condition) -> cluster_rule::Condition {
    let Condition {
        counted,
        window_days,
        count,
        group_cases,
        severity,
        confirmed,
    } = condition;
    cluster_rule::Condition {
        counted: i32::from(counted.code()),
        window_days: i32::from(*window_days),
        count: number(*count),
        group_cases: number(*group_cases),
        severity: i32::from(severity.code()),
        confirmed: *confirmed,
    }
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// The rule and what is reached of it, as it is kept with the cluster.
pub(crate) fn explanation(finding: &Finding<'_>) -> Vec<u8> {
    let met = |met: &Met| MetCondition {
        condition: Some(condition(&met.condition)),
        count: number(met.count),
        size: number(met.size),
        end_date: met.day.date().map(to_date),
    };
    let told = Cluster {
        rule: Some(rule(finding.rule)),
        met_conditions: finding.met.iter().map(met).collect(),
        ..Cluster::default()
    };
    told.encode_to_vec()
}

/// A day of a row.
pub(super) fn date(number: i32) -> Option<proto::Date> {
    let day = u16::try_from(number).map(Day::from_number).ok()?;
    day.date().map(to_date)
}

/// The name of a school by its place.
pub(super) fn school_name(path: &str) -> String {
    format!(
        "organizations/{}",
        path.rsplit('/').next().unwrap_or_default()
    )
}

/// A place within a scope, as it is told.
#[derive(Debug, Default)]
struct Placed {
    class_group: String,
    dormitory: String,
    shared_group: String,
}

/// Where a place of a school is, within a scope.
fn placed(scope: Option<Scope>, school: &str, place: &str) -> Placed {
    let mut placed = Placed::default();
    match scope {
        Some(Scope::ClassGroup) => placed.class_group = group_of(place),
        Some(Scope::Dormitory) => place.clone_into(&mut placed.dormitory),
        Some(Scope::Meal | Scope::Water) => {
            placed.shared_group = format!("{}/sharedGroups/{place}", school_name(school));
        }
        Some(Scope::School) | None => {}
    }
    placed
}

/// A cluster with those of its people that may be told.
pub(crate) fn cluster(row: &ClusterRow, people: &[ClusterPersonRow]) -> Cluster {
    let explained = Cluster::decode(row.explanation.as_slice()).unwrap_or_default();
    let Placed {
        class_group,
        dormitory,
        shared_group,
    } = placed(Scope::from_code(row.scope), &row.school, &row.place);
    let lives = ClusterState::from_code(row.state).is_some_and(ClusterState::lives);
    let mut people: Vec<&ClusterPersonRow> = people.iter().collect();
    people.sort_by_key(|one| (one.day, &one.person));
    Cluster {
        name: format!("clusters/{}", row.id),
        state: i32::from(row.state),
        stands: row.stands,
        overdue: row.overdue && lives && row.report_time == 0,
        rule: explained.rule,
        policy_version: row.policy_version.clone(),
        met_conditions: explained.met_conditions,
        org_path: row.org_path.clone(),
        organization: school_name(&row.school),
        class_group,
        dormitory,
        first_date: date(row.first_day),
        last_date: date(row.last_day),
        reached_date: date(row.reached_day),
        person_count: row.people,
        people: people
            .into_iter()
            .map(|one| Person {
                person: member(one.kind, &one.person),
                case_date: date(one.day),
            })
            .collect(),
        fire_time: instant(row.fire_time),
        report_due_time: instant(row.report_due),
        acknowledge_time: instant(row.acknowledge_time),
        acknowledged_by: row.acknowledged_by.clone(),
        close_time: instant(row.close_time),
        closed_by: row.closed_by.clone(),
        close_reason: row.close_reason.clone(),
        merged_into: match row.merged_into.as_str() {
            "" => String::new(),
            id => format!("clusters/{id}"),
        },
        report_time: instant(row.report_time),
        shared_group,
        late: row.overdue,
        related_clusters: Vec::new(),
    }
}

/// How other clusters stand to one.
pub(crate) fn related(others: Vec<(String, Relation, usize)>) -> Vec<RelatedCluster> {
    let related = others
        .into_iter()
        .map(|(id, relation, shared)| RelatedCluster {
            cluster: format!("clusters/{id}"),
            relation: i32::from(relation.code()),
            shared_person_count: i32::try_from(shared).unwrap_or(i32::MAX),
        });
    related.collect()
}

/// One line of a trail.
pub(crate) fn event(row: ClusterEventRow) -> ClusterEvent {
    let ClusterEventRow {
        cluster: _,
        sequence,
        time,
        kind,
        actor,
        people,
        note,
    } = row;
    ClusterEvent {
        sequence: i32::try_from(sequence).unwrap_or(i32::MAX),
        event_time: instant(time),
        kind,
        actor,
        person_count: people,
        note,
    }
}

/// What would have fired.
pub(crate) fn simulated(replayed: &Replayed) -> SimulatedCluster {
    use proto::sampling::simulated_cluster::Outcome;
    let compared = &replayed.compared;
    let (present, changed) = (compared.present.as_ref(), compared.changed.as_ref());
    let outcome = match (present, changed) {
        (Some(_), Some(_)) => Outcome::Both,
        (None, Some(_)) => Outcome::OnlyTried,
        (Some(_), None) => Outcome::OnlyInForce,
        (None, None) => Outcome::Unspecified,
    };
    let fired = |one: Option<&crate::domain::health::replay::Fired>| {
        one.and_then(|one| one.fired.date()).map(to_date)
    };
    let count = |people: usize| i32::try_from(people).unwrap_or(i32::MAX);
    let mut told = SimulatedCluster {
        outcome: outcome.into(),
        organization: school_name(&replayed.school),
        tried_date: fired(changed),
        in_force_date: fired(present),
        ..SimulatedCluster::default()
    };
    if let Some(one) = changed.or(present) {
        told.rule.clone_from(&one.rule);
        told.scope = i32::from(one.scope.code());
        let placed = placed(Some(one.scope), &replayed.school, &one.place);
        told.class_group = placed.class_group;
        told.dormitory = placed.dormitory;
        told.shared_group = placed.shared_group;
        told.first_date = one.first.date().map(to_date);
        told.last_date = one.last.date().map(to_date);
        told.fire_person_count = count(one.people_then);
        told.person_count = count(one.people);
    }
    told
}
