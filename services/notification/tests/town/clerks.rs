//! What officers do with histories, rules, groups and silences of alerts.

use kit::auth::Role;
use proto::notification as pb;
use proto::notification::alert::Kind;
use proto::notification::alert_entry::Event;
use proto::sampling as spb;
use proto::sampling::sampling_event::State as Fact;
use tonic::Status;

use super::examples::cluster;
use super::officers::once;
use super::world::{World, by};
use super::{SCHOOL_PATH, sampling};

impl World {
    pub(crate) async fn entries(&mut self, alert: &str) -> Vec<pb::AlertEntry> {
        let mut ask = pb::ListAlertEntriesRequest {
            parent: alert.to_owned(),
            page_size: 2,
            ..Default::default()
        };
        let mut entries = Vec::new();
        loop {
            let ask_as = by("reader-1", Role::Principal, SCHOOL_PATH, ask.clone());
            let page = self
                .alerts
                .list_alert_entries(ask_as)
                .await
                .expect("listed");
            let page = page.into_inner();
            entries.extend(page.entries);
            if page.next_page_token.is_empty() {
                return entries;
            }
            ask.page_token = page.next_page_token;
        }
    }

    pub(crate) async fn events(&mut self, alert: &str) -> Vec<Event> {
        let entries = self.entries(alert).await;
        entries.iter().map(pb::AlertEntry::event).collect()
    }

    pub(crate) async fn take(
        &mut self,
        who: &str,
        alert: &str,
        comment: &str,
    ) -> Result<pb::Alert, Status> {
        let ask = pb::TakeAlertRequest {
            name: alert.to_owned(),
            comment: comment.to_owned(),
            request_id: once(),
        };
        let ask = by(who, Role::Principal, SCHOOL_PATH, ask);
        Ok(self.alerts.take_alert(ask).await?.into_inner())
    }

    pub(crate) async fn comment(
        &mut self,
        alert: &str,
        comment: &str,
        request_id: &str,
    ) -> Result<pb::AlertEntry, Status> {
        let ask = pb::CommentAlertRequest {
            name: alert.to_owned(),
            comment: comment.to_owned(),
            request_id: request_id.to_owned(),
        };
        let ask = by("doctor-1", Role::SchoolDoctor, SCHOOL_PATH, ask);
        Ok(self.alerts.comment_alert(ask).await?.into_inner())
    }

    pub(crate) async fn rule(&mut self, kind: Kind) -> pb::AlertRule {
        let mut ask = pb::ListAlertRulesRequest {
            page_size: 5,
            ..Default::default()
        };
        let mut rules = Vec::new();
        loop {
            let ask_as = by("reader-1", Role::Principal, SCHOOL_PATH, ask.clone());
            let page = self.alerts.list_alert_rules(ask_as).await.expect("listed");
            let page = page.into_inner();
            rules.extend(page.rules);
            if page.next_page_token.is_empty() {
                break;
            }
            ask.page_token = page.next_page_token;
        }
        assert_eq!(rules.len(), notification::domain::fact::Kind::ALL.len());
        let mut rules = rules.into_iter();
        rules.find(|rule| rule.kind() == kind).expect("a rule")
    }

    pub(crate) async fn update(
        &mut self,
        (role, scope): (Role, &str),
        rule: pb::AlertRule,
    ) -> Result<pb::AlertRule, Status> {
        let ask = pb::UpdateAlertRuleRequest {
            rule: Some(rule),
            request_id: once(),
        };
        let ask = by("officer-1", role, scope, ask);
        Ok(self.alerts.update_alert_rule(ask).await?.into_inner())
    }

    pub(crate) async fn groups(
        &mut self,
        parent: &str,
        scope: &str,
        page_size: i32,
    ) -> Vec<pb::AlertGroup> {
        let mut ask = pb::ListAlertGroupsRequest {
            parent: parent.to_owned(),
            page_size,
            ..Default::default()
        };
        let mut groups = Vec::new();
        loop {
            let ask_as = by("reader-1", Role::CityOfficer, scope, ask.clone());
            let page = self.alerts.list_alert_groups(ask_as).await.expect("listed");
            let page = page.into_inner();
            groups.extend(page.groups);
            if page.next_page_token.is_empty() {
                return groups;
            }
            ask.page_token = page.next_page_token;
        }
    }

    pub(crate) async fn silence(
        &mut self,
        (role, scope): (Role, &str),
        parent: &str,
        silence: pb::Silence,
    ) -> Result<pb::Silence, Status> {
        let ask = pb::CreateSilenceRequest {
            parent: parent.to_owned(),
            silence: Some(silence),
            request_id: once(),
        };
        let ask = by("officer-1", role, scope, ask);
        Ok(self.alerts.create_silence(ask).await?.into_inner())
    }

    pub(crate) async fn silences(&mut self, parent: &str) -> Vec<String> {
        let mut ask = pb::ListSilencesRequest {
            parent: parent.to_owned(),
            page_size: 1,
            ..Default::default()
        };
        let mut names = Vec::new();
        loop {
            let ask_as = by("reader-1", Role::CityOfficer, "fz", ask.clone());
            let page = self.alerts.list_silences(ask_as).await.expect("listed");
            let page = page.into_inner();
            names.extend(page.silences.into_iter().map(|silence| silence.name));
            if page.next_page_token.is_empty() {
                return names;
            }
            ask.page_token = page.next_page_token;
        }
    }

    pub(crate) async fn cluster(&mut self, id: &str) {
        let event = spb::SamplingEvent {
            entity: format!("clusters/{id}"),
            version: 1,
            org_path: SCHOOL_PATH.to_owned(),
            removed: false,
            state: Some(Fact::Cluster(cluster())),
        };
        sampling(&self.db, &self.clock, &[event], 1).await;
    }
}
