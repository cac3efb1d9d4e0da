//! Illnesses that belong together, the gate, and a suspension that a human decides.

use anyhow::Context as _;
use kit::auth::Role;
use kit::clock::shanghai;
use proto::notification::alert;
use proto::roster::check_policy::Slot;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use proto::roster::{ClassGroup, GetClassGroupRequest, cluster_policy};
use proto::safety::gate_decision::Result as Outcome;
use proto::sampling::cluster_service_client::ClusterServiceClient;
use proto::sampling::decide_suspension_request::Decision;
use proto::sampling::health_service_client::HealthServiceClient;
use proto::sampling::suspension_service_client::SuspensionServiceClient;
use proto::sampling::{
    AcknowledgeClusterRequest, Cluster, DecideSuspensionRequest, GetClusterRequest,
    ListClustersRequest, ListSuspensionsRequest, ObservePersonRequest, ReleaseObservationRequest,
    Suspension, cluster, health_state, suspension,
};

use super::checks::until;
use super::screening::{Class, DISTRICT, Morning};
use super::{Stage, gate};
use crate::screen::{self, span};

impl Stage {
    pub(super) async fn clusters(&mut self, morning: &Morning) -> anyhow::Result<()> {
        screen::heading(
            "十、聚集 clusters: found as checks arrive, each with its rule and its source",
        );
        let class = &morning.fever;
        let found = self.clusters_of(class).await?;
        let own = found.iter().find(|one| {
            one.class_group == class.name
                && one
                    .rule
                    .as_ref()
                    .is_some_and(|rule| rule.numbers.iter().any(|n| n == "1.15"))
        });
        let own = own.context("three fevers in one class group are no cluster")?;
        let doctor = self.caller(Role::SchoolDoctor, class.school())?;
        let request = GetClusterRequest {
            name: own.name.clone(),
        };
        let mut client = ClusterServiceClient::new(doctor);
        let own = client.get_cluster(request).await?.into_inner();
        let rule = own.rule.clone().unwrap_or_default();
        let mut people: Vec<&String> = own.people.iter().map(|one| &one.person).collect();
        let mut ill: Vec<&String> = class.students[..3].iter().collect();
        people.sort_unstable();
        ill.sort_unstable();
        self.checks.expect(
            people == ill
                && own.person_count == 3
                && rule.scope() == cluster_policy::Scope::ClassGroup,
            format!(
                "three fevers in one class group 三人发热: {}",
                rule.sentence
            ),
        );
        screen::line(format_args!(
            "     规则 rule {} · 依据 source {}",
            rule.numbers.join(", "),
            rule.source
        ));
        let due = own.report_due_time.unwrap_or_default();
        let fired = own.fire_time.unwrap_or_default();
        let hours = (due.seconds - fired.seconds) / 3600;
        self.checks.expect(
            hours == 24,
            format!(
                "to be reported within {hours} h, by {} 须于此前报告",
                hour(&due)
            ),
        );
        let (alert, after) = until("the alert arrives", || async {
            self.alert(class.school(), &own.name).await
        })
        .await?;
        self.checks.expect(
            alert.kind() == alert::Kind::ClusterFound,
            format!("预警 alert at the school, {}: {}", span(after), alert.title),
        );
        let request = AcknowledgeClusterRequest {
            name: own.name.clone(),
            note: "已隔离观察，已通知家长".to_owned(),
            request_id: String::new(),
        };
        let reporter = self.caller(Role::EpidemicReporter, class.school())?;
        let taken = ClusterServiceClient::new(reporter)
            .acknowledge_cluster(request)
            .await?
            .into_inner();
        self.checks.expect(
            taken.state() == cluster::State::Acknowledged,
            format!(
                "the school's reporter takes it up: {}",
                taken.acknowledged_by
            ),
        );
        let request = GetClusterRequest { name: own.name };
        let mut bureau = ClusterServiceClient::new(self.district_officer()?);
        let seen = bureau.get_cluster(request).await?.into_inner();
        self.checks.expect(
            seen.person_count == 3 && seen.people.is_empty(),
            "the bureau sees the count, the rule and the clock, and no person 只见人数不见人",
        );
        self.observe(class).await
    }

    /// Somebody with fever at the gate, and the doctor's decision.
    async fn observe(&mut self, class: &Class) -> anyhow::Result<()> {
        let (path, person) = (class.school(), &class.students[0]);
        let (denied, after) = until("the gate denies", || async {
            let decision = self.check(path, person).await?;
            Ok((decision.effective_result() == Outcome::Deny).then_some(decision))
        })
        .await?;
        self.checks.expect(
            denied.reasons.iter().any(|reason| reason.rule == "1.24"),
            format!("校门 gate, {}: {}", span(after), gate::explain(&denied)),
        );
        let mut doctor = HealthServiceClient::new(self.caller(Role::SchoolDoctor, path)?);
        let name = format!("{person}/health");
        let observed = doctor
            .observe_person(ObservePersonRequest {
                name: name.clone(),
                room: "临时观察室1".to_owned(),
                guardian_notified: true,
                ..ObservePersonRequest::default()
            })
            .await?
            .into_inner();
        let released = doctor
            .release_observation(ReleaseObservationRequest {
                name,
                readings_tenths: vec![368, 366],
                no_symptoms: true,
                ..ReleaseObservationRequest::default()
            })
            .await?
            .into_inner();
        self.checks.expect(
            observed.state() == health_state::State::InTempObservation
                && released.state() == health_state::State::Normal,
            "the school doctor observes, measures 36.8 and 36.6 ℃, and releases 校医解除留观",
        );
        let (admitted, after) = until("the gate admits", || async {
            let decision = self.check(path, person).await?;
            Ok((decision.effective_result() == Outcome::Admit).then_some(decision))
        })
        .await?;
        self.checks.expect(
            true,
            format!("校门 gate, {}: {}", span(after), gate::explain(&admitted)),
        );
        Ok(())
    }

    pub(super) async fn suspend(&mut self, morning: &Morning) -> anyhow::Result<()> {
        screen::heading(
            "十一、停课 suspension: a rule proposes, a named human decides, the roster follows",
        );
        let class = &morning.flu;
        let mut client = SuspensionServiceClient::new(self.district_officer()?);
        let request = ListSuspensionsRequest {
            organization: format!("organizations/{DISTRICT}"),
            state: suspension::State::Proposed.into(),
            ..ListSuspensionsRequest::default()
        };
        let proposed = client
            .list_suspensions(request)
            .await?
            .into_inner()
            .suspensions;
        let proposed: Vec<Suspension> = proposed
            .into_iter()
            .filter(|one| one.class_group == class.name)
            .collect();
        let one = proposed.first().context("nothing is proposed")?;
        let before = self.class_group(class).await?;
        self.checks.expect(
            one.scope() == suspension::Scope::ClassGroup
                && before.teaching_mode() == TeachingMode::InPerson,
            format!(
                "five with fever and cough in {}: {} days proposed (rule 1.20), and nothing done yet",
                before.display_name, one.suspend_days
            ),
        );
        let request = DecideSuspensionRequest {
            name: one.name.clone(),
            decision: Decision::Approve.into(),
            decided_by: "鼓楼区教育局 值班局长 (演示)".to_owned(),
            reason: "班内流感样病例单日新增5例".to_owned(),
            advice: "区疾控中心建议该班停课4天".to_owned(),
            ..DecideSuspensionRequest::default()
        };
        let decided = client.decide_suspension(request).await?.into_inner();
        self.checks.expect(
            decided.reason != String::new() && !decided.decider.is_empty(),
            format!(
                "decided by {} with the advice of disease control 疾控意见在案",
                decided.decided_by
            ),
        );
        let (group, after) = until("the roster suspends", || async {
            let group = self.class_group(class).await?;
            Ok((group.teaching_mode() == TeachingMode::Suspended).then_some(group))
        })
        .await?;
        self.checks.expect(
            true,
            format!(
                "the roster has {} suspended, {}",
                group.display_name,
                span(after)
            ),
        );
        let (_, after) = until("sampling hears of it", || async {
            let missing = self.missing(Slot::Noon).await?;
            Ok(missing
                .iter()
                .all(|one| one.scope != class.name)
                .then_some(()))
        })
        .await?;
        self.checks.expect(
            true,
            format!(
                "no noon check is expected of it any more, {} 停课不算漏报",
                span(after)
            ),
        );
        Ok(())
    }

    async fn class_group(&self, class: &Class) -> anyhow::Result<ClassGroup> {
        let request = GetClassGroupRequest {
            name: class.name.clone(),
        };
        let mut client = ClassGroupServiceClient::new(self.district_officer()?);
        Ok(client.get_class_group(request).await?.into_inner())
    }

    async fn clusters_of(&self, class: &Class) -> anyhow::Result<Vec<Cluster>> {
        let request = ListClustersRequest {
            organization: class.organization().to_owned(),
            standing: true,
            ..ListClustersRequest::default()
        };
        let doctor = self.caller(Role::SchoolDoctor, class.school())?;
        let mut client = ClusterServiceClient::new(doctor);
        Ok(client.list_clusters(request).await?.into_inner().clusters)
    }
}

/// The day and the minute of an instant, as the city's clocks show it.
pub(super) fn hour(instant: &prost_types::Timestamp) -> String {
    chrono::DateTime::from_timestamp(instant.seconds, 0)
        .map(|instant| {
            instant
                .with_timezone(&shanghai())
                .format("%m-%d %H:%M")
                .to_string()
        })
        .unwrap_or_default()
}
