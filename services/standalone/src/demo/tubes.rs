//! Tubes, results, the hold and its end.

use std::time::Instant;

use anyhow::Context as _;
use kit::auth::Role;
use proto::notification::alert_service_client::AlertServiceClient;
use proto::notification::{Alert, ListAlertsRequest, alert};
use proto::safety::gate_decision::Result as Outcome;
use proto::sampling::hold_service_client::HoldServiceClient;
use proto::sampling::{
    GetHoldRequest, Hold, ListHoldsRequest, ListRecheckOrdersRequest, PoolType, ResultValue, hold,
};

use super::checks::until;
use super::{Stage, gate};
use crate::city::CITY_ID;
use crate::journey::{Filling, Journey};
use crate::screen::{self, count};

/// The tube that turns out positive.
pub(super) struct Case {
    tubes: Vec<Filling>,
    positive: Filling,
    /// The school's place in the tree.
    path: String,
}

impl Case {
    pub(super) fn school(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    fn somebody(&self) -> &str {
        self.positive.people.first().map_or("", String::as_str)
    }
}

impl Stage {
    pub(super) async fn swab(&mut self) -> anyhow::Result<Case> {
        screen::heading(
            "四、采样 tubes: one class, one tube; opened, filled, sealed, carried, received",
        );
        let journey = Journey::new(&self.house)?;
        let (mut tubes, mut positive) = (Vec::new(), None);
        for (index, draw) in self.draws().await?.iter().enumerate() {
            let planned = journey.plan(&draw.name, &format!("T{index:04}")).await?;
            if positive.is_none() && draw.organization.starts_with("organizations/21") {
                let tube = planned.iter().find(|tube| tube.people.len() >= 5);
                positive = tube.map(|tube| (tube.clone(), draw.org_path.clone()));
            }
            tubes.extend(planned);
        }
        let (positive, path) = positive.context("no class group is large enough")?;
        let people: usize = tubes.iter().map(|tube| tube.people.len()).sum();
        journey.issue(&tubes, PoolType::P10).await?;
        let bar = screen::bar(tubes.len() as u64, "采样管 tubes");
        let begun = Instant::now();
        journey.bring(&tubes, |_| bar.inc(1)).await?;
        bar.finish_and_clear();
        let taken = begun.elapsed();
        self.checks.expect(
            tubes
                .iter()
                .all(|tube| (1..=10).contains(&tube.people.len())),
            format!(
                "{} swabs in {} tubes of ten, at the laboratory after {} ({} steps, each durable)",
                count(people as u64),
                count(tubes.len() as u64),
                screen::span(taken),
                count((people + 5 * tubes.len()) as u64),
            ),
        );
        let at_the_laboratory = positive.tube();
        let late = journey.swab(
            &at_the_laboratory,
            "students/00000000-0000-4000-8000-000000000000",
        );
        self.checks.expect(
            late.await.is_err(),
            "a swab for a tube that is at the laboratory: refused 已交接的管不能再加",
        );
        let case = Case {
            tubes,
            positive,
            path,
        };
        let before = self.check(&case.path, case.somebody()).await?;
        self.checks.expect(
            before.effective_result() == Outcome::Admit,
            format!("校门 gate, before any result: {}", gate::explain(&before)),
        );
        Ok(case)
    }

    pub(super) async fn submit(&mut self, case: &Case) -> anyhow::Result<()> {
        screen::heading("五、结果 results: the laboratory knows tube codes only");
        let results: Vec<(String, ResultValue)> = case
            .tubes
            .iter()
            .map(|tube| {
                let positive = tube.code == case.positive.code;
                let value = if positive {
                    ResultValue::Positive
                } else {
                    ResultValue::Negative
                };
                (tube.tube(), value)
            })
            .collect();
        let journey = Journey::new(&self.house)?;
        let begun = Instant::now();
        let verdicts = journey.submit(results.clone()).await?;
        let taken = begun.elapsed();
        self.checks.expect(
            verdicts
                .iter()
                .all(|verdict| verdict.accepted && !verdict.repeated_result),
            format!(
                "{} results in {}: one POSITIVE 阳性",
                verdicts.len(),
                screen::span(taken)
            ),
        );
        let again = journey.submit(results).await?;
        self.checks.expect(
            again
                .iter()
                .all(|verdict| verdict.accepted && verdict.repeated_result),
            "the same file again: every line known, no second effect 重复提交无副作用",
        );
        Ok(())
    }

    pub(super) async fn hold(&mut self, case: &Case) -> anyhow::Result<()> {
        screen::heading("六、封控 the hold, the gate, the alert");
        let hold = self.active_hold(case).await?.context("no hold")?;
        let (mut held, mut swabbed) = (hold.members.clone(), case.positive.people.clone());
        held.sort_unstable();
        swabbed.sort_unstable();
        self.checks.expect(
            held == swabbed,
            format!(
                "{} placed with the result: {} people of {} and nobody else",
                hold.name,
                held.len(),
                hold.class_group
            ),
        );
        let (denied, after) = until("the gate denies", || async {
            let decision = self.check(&case.path, case.somebody()).await?;
            let denied = decision.effective_result() == Outcome::Deny;
            Ok(denied.then_some(decision))
        })
        .await?;
        let chinese = denied
            .reasons
            .iter()
            .any(|reason| !reason.message.is_ascii());
        self.checks.expect(
            chinese,
            format!(
                "校门 gate, {}: {}",
                screen::span(after),
                gate::explain(&denied)
            ),
        );
        let others = case
            .tubes
            .iter()
            .find(|tube| tube.code != case.positive.code && tube.draw == case.positive.draw);
        if let Some(other) = others.and_then(|tube| tube.people.first()) {
            let decision = self.check(&case.path, other).await?;
            self.checks.expect(
                decision.effective_result() == Outcome::Admit,
                format!("another class of the school: {}", gate::explain(&decision)),
            );
        }
        let (alert, after) = until("the alert arrives", || async {
            Ok(self
                .alert(&case.path, &hold.name)
                .await?
                .filter(|alert| alert.state() == alert::State::Open))
        })
        .await?;
        self.checks.expect(
            usize::try_from(alert.people_count) == Ok(held.len()),
            format!(
                "预警 alert at the school, {}: {}",
                screen::span(after),
                alert.title
            ),
        );
        screen::line(format_args!(
            "     owner 责任人 {}",
            if alert.owner.is_empty() {
                "—"
            } else {
                &alert.owner
            }
        ));
        Ok(())
    }

    pub(super) async fn release(&mut self, case: &Case) -> anyhow::Result<()> {
        let hold = self.active_hold(case).await?.context("no hold")?;
        let mut holds = HoldServiceClient::new(self.officer()?);
        let request = ListRecheckOrdersRequest {
            hold: hold.name.clone(),
            page_size: 100,
            page_token: String::new(),
        };
        let orders = holds
            .list_recheck_orders(request)
            .await?
            .into_inner()
            .recheck_orders;
        self.checks.expect(
            orders.len() == hold.members.len(),
            format!("单采 {} single swabs ordered", orders.len()),
        );
        let singles: Vec<Filling> = orders
            .iter()
            .enumerate()
            .map(|(index, order)| Filling {
                code: format!("S-{index:04}"),
                hold: hold.name.clone(),
                people: vec![order.person.clone()],
                ..Filling::default()
            })
            .collect();
        let journey = Journey::new(&self.house)?;
        journey.issue(&singles, PoolType::Single).await?;
        journey.bring(&singles, |_| {}).await?;
        let Some((last, rest)) = singles.split_last() else {
            return Ok(());
        };
        let negative = |tube: &Filling| (tube.tube(), ResultValue::Negative);
        journey.submit(rest.iter().map(negative).collect()).await?;
        let waiting = holds
            .get_hold(GetHoldRequest {
                name: hold.name.clone(),
            })
            .await?
            .into_inner();
        self.checks.expect(
            waiting.state() == hold::State::Active,
            format!(
                "{} of {} negative: still held 结果未齐不解除",
                rest.len(),
                singles.len()
            ),
        );
        journey.submit(vec![negative(last)]).await?;
        let over = holds
            .get_hold(GetHoldRequest {
                name: hold.name.clone(),
            })
            .await?
            .into_inner();
        self.checks.expect(
            over.state() == hold::State::ResolvedNegative,
            "the last single is negative: released by the rule itself 自动解除",
        );
        let (admitted, after) = until("the gate admits", || async {
            let decision = self.check(&case.path, case.somebody()).await?;
            let admitted = decision.effective_result() == Outcome::Admit;
            Ok(admitted.then_some(decision))
        })
        .await?;
        self.checks.expect(
            true,
            format!(
                "校门 gate, {}: {}",
                screen::span(after),
                gate::explain(&admitted)
            ),
        );
        let (_, after) = until("the alert ends", || async {
            let alert = self.alert(&case.path, &hold.name).await?;
            Ok(alert.filter(|alert| alert.state() == alert::State::Resolved))
        })
        .await?;
        self.checks.expect(
            true,
            format!("the alert ended with the hold, {}", screen::span(after)),
        );
        Ok(())
    }

    async fn active_hold(&self, case: &Case) -> anyhow::Result<Option<Hold>> {
        let request = ListHoldsRequest {
            organization: format!("organizations/{CITY_ID}"),
            active: true,
            page_size: 100,
            page_token: String::new(),
        };
        let mut client = HoldServiceClient::new(self.officer()?);
        let holds = client.list_holds(request).await?.into_inner().holds;
        Ok(holds
            .into_iter()
            .find(|hold| hold.tube == case.positive.tube()))
    }

    /// The alert for a fact as the principal of the school at `path` sees it.
    pub(super) async fn alert(&self, path: &str, fact: &str) -> anyhow::Result<Option<Alert>> {
        let (_, school) = path.rsplit_once('/').context("a school has a bureau")?;
        let request = ListAlertsRequest {
            parent: format!("organizations/{school}"),
            page_size: 1000,
            ..ListAlertsRequest::default()
        };
        let mut client = AlertServiceClient::new(self.caller(Role::Principal, path)?);
        let alerts = client.list_alerts(request).await?.into_inner().alerts;
        Ok(alerts.into_iter().find(|alert| alert.basis == fact))
    }
}
