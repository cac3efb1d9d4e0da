//! Somebody who does not belong to the school comes, and goes.

use chrono::Duration;
use kit::auth::Role;
use kit::field::{to_date, to_timestamp};
use proto::roster::staff_member::Post;
use proto::safety::gate_observation::Colour;
use proto::safety::visit::State;
use proto::safety::visitor::DocumentKind;
use proto::safety::visitor_service_client::VisitorServiceClient;
use proto::safety::{
    ApproveVisitRequest, ArriveVisitRequest, CheckVisitRequest, ConfirmVisitRequest,
    CreateVisitRequest, GateObservation, GetVisitPassRequest, LeaveVisitRequest, TravelCard, Visit,
    Visitor,
};
use tonic::Status;

use super::{Campus, Stage};
use crate::house::Door;
use crate::screen;

impl Stage {
    pub(super) async fn visitor(&mut self, campus: &Campus) -> anyhow::Result<()> {
        screen::heading("十八、访客 a visitor: two approvals, a live pass, the same four checks");
        let mut guard = VisitorServiceClient::new(self.guard(campus)?);
        let host = self.at(campus, Role::ClassReporter, Post::HeadTeacher)?;
        let mut host = VisitorServiceClient::new(host);
        let request = CreateVisitRequest {
            parent: campus.name.clone(),
            visit: Some(self.wish(campus)?),
            request_id: String::new(),
        };
        let asked = guard.create_visit(request).await?.into_inner();
        let name = asked.name.clone();
        let request = ConfirmVisitRequest {
            name: name.clone(),
            document_seen: true,
            request_id: String::new(),
        };
        host.confirm_visit(request).await?;
        let early = pass(&mut host, &name).await;
        let doctor = self.at(campus, Role::SchoolDoctor, Post::Medical)?;
        let request = ApproveVisitRequest {
            name: name.clone(),
            request_id: String::new(),
        };
        let mut doctor = VisitorServiceClient::new(doctor);
        let approved = doctor.approve_visit(request).await?.into_inner();
        let shown = approved.visitor.clone().unwrap_or_default();
        self.checks.expect(
            early.is_err() && approved.state() == State::EpidemicApproved,
            format!(
                "a parent fetches a child: confirmed by the host, approved by the doctor; the book shows {} {}",
                shown.full_name, shown.phone
            ),
        );
        let photographed = pass(&mut host, &name).await?;
        self.put_forward(self.house.clock().now() + Duration::seconds(61));
        let arrive = |pass_code| ArriveVisitRequest {
            parent: campus.name.clone(),
            pass_code,
            request_id: String::new(),
        };
        let dead = guard.arrive_visit(arrive(photographed)).await;
        let live = pass(&mut host, &name).await?;
        let arrived = guard.arrive_visit(arrive(live)).await?.into_inner();
        self.checks.expect(
            dead.is_err() && arrived.state() == State::Arrived,
            "a photograph of the pass, a minute old: refused; the live one opens 截图无效",
        );
        let request = self.seen(&name);
        let inside = guard.check_visit(request).await?.into_inner();
        let request = LeaveVisitRequest {
            name,
            companion_count: 0,
            request_id: String::new(),
        };
        let left = guard.leave_visit(request).await?.into_inner();
        self.checks.expect(
            inside.state() == State::Admitted && left.state() == State::Left,
            format!(
                "checked, admitted and out again: {} entries in the book, each with who and when",
                left.history.len()
            ),
        );
        Ok(())
    }

    fn wish(&self, campus: &Campus) -> anyhow::Result<Visit> {
        let leave = self.house.clock().now() + Duration::hours(1);
        Ok(Visit {
            visitor: Some(Visitor {
                full_name: "林来访".to_owned(),
                document_kind: DocumentKind::Passport.into(),
                document_number: "E00000777".to_owned(),
                phone: "19900000777".to_owned(),
                ..Visitor::default()
            }),
            purpose: "接生病的孩子回家".to_owned(),
            host: campus.holder(Post::HeadTeacher)?.to_owned(),
            visit_date: Some(to_date(self.today())),
            expected_leave_time: Some(to_timestamp(leave)),
            urgent: true,
            ..Visit::default()
        })
    }

    fn seen(&self, name: &str) -> CheckVisitRequest {
        CheckVisitRequest {
            name: name.to_owned(),
            observation: Some(GateObservation {
                temperature_decidegrees: Some(365),
                colour: Colour::Green.into(),
                travel_card: Some(TravelCard {
                    show_date: Some(to_date(self.today())),
                    starred: false,
                    ..Default::default()
                }),
                ..GateObservation::default()
            }),
            mask_worn: true,
            device: "南门 south gate".to_owned(),
            ..CheckVisitRequest::default()
        }
    }
}

/// What the host shows the visitor now.
async fn pass(host: &mut VisitorServiceClient<Door>, name: &str) -> Result<String, Status> {
    let request = GetVisitPassRequest {
        name: format!("{name}/pass"),
    };
    Ok(host.get_visit_pass(request).await?.into_inner().pass_code)
}
