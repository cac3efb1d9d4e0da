//! What the gate says.

use anyhow::Context as _;
use kit::auth::Role;
use kit::field::to_date;
use proto::safety::check_entry_request::Identity;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_observation::Colour;
use proto::safety::gate_service_client::GateServiceClient;
use proto::safety::{CheckEntryRequest, GateDecision, GateObservation, TravelCard};

use super::Stage;

impl Stage {
    /// A guard checks `person`, who looks well, at the gate of the school at `path`.
    pub(super) async fn check(&self, path: &str, person: &str) -> anyhow::Result<GateDecision> {
        let (_, school) = path.rsplit_once('/').context("a school has a bureau")?;
        let observation = GateObservation {
            temperature_decidegrees: Some(365),
            colour: Colour::Green.into(),
            travel_card: Some(TravelCard {
                show_date: Some(to_date(self.today())),
                starred: false,
                ..Default::default()
            }),
            ..Default::default()
        };
        let request = CheckEntryRequest {
            parent: format!("organizations/{school}"),
            identity: Some(Identity::Person(person.to_owned())),
            observation: Some(observation),
            device: "南门 south gate".to_owned(),
            ..CheckEntryRequest::default()
        };
        let mut client = GateServiceClient::new(self.caller(Role::Guard, path)?);
        Ok(client.check_entry(request).await?.into_inner())
    }
}

/// The result and why, in one line.
pub(super) fn explain(decision: &GateDecision) -> String {
    let (zh, en) = match decision.effective_result() {
        Outcome::Admit => ("放行", "ADMIT"),
        Outcome::Observe => ("观察", "OBSERVE"),
        Outcome::Deny => ("禁止入校", "DENY"),
        Outcome::Unspecified => ("未知", "UNKNOWN"),
    };
    let reasons: Vec<String> = decision
        .reasons
        .iter()
        .map(|reason| format!("{}（规则 rule {}）", reason.message, reason.rule))
        .collect();
    format!("{zh} {en} {}", reasons.join("；"))
}
