//! A hazard from being found until somebody else closes it.

use anyhow::Context as _;
use chrono::{Days, Duration};
use kit::field::to_date;
use proto::safety::accountability_service_client::AccountabilityServiceClient;
use proto::safety::hazard::{Grade, State};
use proto::safety::hazard_service_client::HazardServiceClient;
use proto::safety::{
    AssignHazardRequest, CloseHazardRequest, Hazard, HazardCategory, HazardFixes, HazardSubmission,
    ListAccountabilityRecordsRequest, ListHazardChangesRequest, RectifyHazardRequest,
    ReportHazardRequest, ReviewHazardRequest, SubmitHazardRequest, VerifyHazardRequest,
};

use super::{Campus, Stage};
use crate::house::Door;
use crate::screen;

impl Stage {
    pub(super) async fn hazard(&mut self, campus: &Campus) -> anyhow::Result<()> {
        screen::heading("十九、隐患 a hazard: found, owned, removed, and closed by somebody else");
        let found = self.found(campus).await?;
        let name = found.name;
        let mut deputy = HazardServiceClient::new(self.deputy(campus)?);
        let mut head = HazardServiceClient::new(self.principal(campus)?);
        self.rectified(&mut deputy, &name).await?;
        let review = || ReviewHazardRequest {
            name: name.clone(),
            request_id: String::new(),
        };
        let own = deputy.review_hazard(review()).await;
        head.review_hazard(review()).await?;
        let request = CloseHazardRequest {
            name: name.clone(),
            note: "通道畅通".to_owned(),
            request_id: String::new(),
        };
        let closed = head.close_hazard(request).await?.into_inner();
        let request = ListHazardChangesRequest {
            parent: name,
            ..ListHazardChangesRequest::default()
        };
        let changes = head
            .list_hazard_changes(request)
            .await?
            .into_inner()
            .changes;
        self.checks.expect(
            own.is_err() && closed.state() == State::Closed && changes.len() == 7,
            format!(
                "its owner may not review it, the principal does 销号: {} acts stand in its history for good",
                changes.len()
            ),
        );
        Ok(())
    }

    /// The guard reports it, and whoever answers is told by name.
    async fn found(&mut self, campus: &Campus) -> anyhow::Result<Hazard> {
        let request = ReportHazardRequest {
            parent: campus.name.clone(),
            hazard: Some(Hazard {
                category: HazardCategory::Fire.into(),
                place: "building-1/floor-3".to_owned(),
                description: "三楼疏散通道堆放桌椅".to_owned(),
                photos: vec![self.photo(1)],
                ..Hazard::default()
            }),
            request_id: String::new(),
        };
        let mut guard = HazardServiceClient::new(self.guard(campus)?);
        let found = guard.report_hazard(request).await?.into_inner();
        let request = ListAccountabilityRecordsRequest {
            parent: campus.name.clone(),
            hazard: found.name.clone(),
            ..ListAccountabilityRecordsRequest::default()
        };
        let mut client = AccountabilityServiceClient::new(self.principal(campus)?);
        let told = client.list_accountability_records(request).await?;
        let told = told.into_inner().accountability_records;
        let told = told.first().context("nobody was told")?;
        let member = campus.staff.iter();
        let mut member = member.filter(|member| member.name == told.staff_member);
        let member = member.next();
        self.checks.expect(
            member.is_some(),
            format!(
                "隐患台账 {}: a blocked exit; {} answers for it, found by duty and place, and is told",
                found.ledger_number,
                member.map_or("", |member| &*member.display_name)
            ),
        );
        Ok(found)
    }

    /// Verified, assigned with all five fixes and removed.
    async fn rectified(
        &mut self,
        deputy: &mut HazardServiceClient<Door>,
        name: &str,
    ) -> anyhow::Result<()> {
        let request = VerifyHazardRequest {
            name: name.to_owned(),
            grade: Grade::General.into(),
            ..VerifyHazardRequest::default()
        };
        deputy.verify_hazard(request).await?;
        let fixes = |measures: &str| AssignHazardRequest {
            name: name.to_owned(),
            fixes: Some(HazardFixes {
                owner: String::new(),
                measures: measures.to_owned(),
                budget_fen: Some(0),
                due_date: Some(to_date(self.today() + Days::new(3))),
                contingency_plan: "专人引导疏散".to_owned(),
            }),
            request_id: String::new(),
        };
        let four = deputy.assign_hazard(fixes("")).await;
        let assigned = deputy.assign_hazard(fixes("清理通道并划线")).await?;
        let request = RectifyHazardRequest {
            name: name.to_owned(),
            request_id: String::new(),
        };
        deputy.rectify_hazard(request).await?;
        self.put_forward(self.house.clock().now() + Duration::minutes(40));
        let request = SubmitHazardRequest {
            name: name.to_owned(),
            submission: Some(HazardSubmission {
                statement: "通道已清空".to_owned(),
                photos: vec![self.photo(2)],
                ..HazardSubmission::default()
            }),
            request_id: String::new(),
        };
        let submitted = deputy.submit_hazard(request).await?.into_inner();
        self.checks.expect(
            four.is_err()
                && assigned.into_inner().state() == State::Assigned
                && submitted.state() == State::Submitted,
            "assigned with all five fixes 五落实 (four are refused), removed, with a picture taken afterwards",
        );
        Ok(())
    }
}
