//! What officers of the city, the bureau and the schools do with directives.

use kit::auth::Role;
use proto::notification as pb;
use proto::notification::close_directive_request::Outcome;
use proto::notification::confirm_receipt_request::Receipt;
use tonic::Status;
use uuid::Uuid;

use super::world::{World, by};
use super::{BUREAU_PATH, CITY, SCHOOL_PATH, SISTER_PATH};

pub(crate) const TITLE: &str = "关于落实每日抽检的通知";
pub(crate) const TEXT: &str = "一、每日抽检不少于 20%。\n二、不偏向、不变通、不走样。";

pub(crate) fn once() -> String {
    Uuid::new_v4().to_string()
}

/// Everything at and below organisations.
pub(crate) fn tree(organizations: &[&str]) -> pb::Audience {
    pb::Audience {
        organizations: organizations
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        ..Default::default()
    }
}

pub(crate) fn draft(audience: &[&str]) -> pb::DraftDirectiveRequest {
    pb::DraftDirectiveRequest {
        parent: CITY.to_owned(),
        urgency: pb::directive::Urgency::Urgent.into(),
        title: TITLE.to_owned(),
        text: TEXT.to_owned(),
        audience: Some(tree(audience)),
        request_id: once(),
        ..Default::default()
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Move {
    Approve,
    Issue,
    End(Outcome, String),
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Deliver,
    Read,
    Acknowledge,
    Relay(Vec<u8>),
    Report(i32),
    Finish,
    Item(String, i32),
}

impl World {
    pub(crate) async fn draft(&mut self, audience: &[&str]) -> pb::Directive {
        self.drafted(draft(audience)).await.expect("drafted")
    }

    /// An officer of the city writes a draft.
    pub(crate) async fn drafted(
        &mut self,
        ask: pb::DraftDirectiveRequest,
    ) -> Result<pb::Directive, Status> {
        let ask = by("writer-1", Role::CityOfficer, "fz", ask);
        Ok(self.directives.draft_directive(ask).await?.into_inner())
    }

    /// Moves a directive on, as another officer of the city than its author.
    pub(crate) async fn moved(&mut self, name: &str, to: Move) -> Result<pb::Directive, Status> {
        let (name, request_id) = (name.to_owned(), once());
        let who = ("chief-1", Role::CityOfficer, "fz");
        let directives = &mut self.directives;
        let answer = match to {
            Move::Approve => {
                let ask = pb::ApproveDirectiveRequest { name, request_id };
                directives
                    .approve_directive(by(who.0, who.1, who.2, ask))
                    .await?
            }
            Move::Issue => {
                let ask = pb::IssueDirectiveRequest { name, request_id };
                directives
                    .issue_directive(by(who.0, who.1, who.2, ask))
                    .await?
            }
            Move::End(outcome, superseded_by) => {
                let revoked = outcome == Outcome::Revoked;
                let ask = pb::CloseDirectiveRequest {
                    name,
                    outcome: outcome.into(),
                    superseded_by,
                    request_id,
                    reason: if revoked {
                        "数字有误".to_owned()
                    } else {
                        String::new()
                    },
                };
                directives
                    .close_directive(by(who.0, who.1, who.2, ask))
                    .await?
            }
        };
        Ok(answer.into_inner())
    }

    pub(crate) async fn issued(&mut self, audience: &[&str]) -> pb::Directive {
        let draft = self.draft(audience).await;
        self.sent(&draft.name).await
    }

    /// Approves and issues a draft.
    pub(crate) async fn sent(&mut self, draft: &str) -> pb::Directive {
        self.moved(draft, Move::Approve).await.expect("approved");
        self.moved(draft, Move::Issue).await.expect("issued")
    }

    /// A recipient at `scope` takes a step.
    pub(crate) async fn step(
        &mut self,
        directive: &str,
        organization: &str,
        (role, scope): (Role, &str),
        step: Step,
    ) -> Result<pb::DirectiveRecipient, Status> {
        let name = recipient(directive, organization);
        let request_id = once();
        let report = "已落实".to_owned();
        let who = |ask| by("clerk-1", role, scope, ask);
        let directives = &mut self.directives;
        let answer = match step {
            Step::Deliver | Step::Read => {
                let receipt = if matches!(step, Step::Read) {
                    Receipt::Read
                } else {
                    Receipt::Delivered
                };
                let ask = pb::ConfirmReceiptRequest {
                    name,
                    receipt: receipt.into(),
                    request_id,
                };
                directives.confirm_receipt(who(ask)).await?
            }
            Step::Acknowledge => {
                let ask = pb::AcknowledgeDirectiveRequest { name, request_id };
                directives
                    .acknowledge_directive(by("clerk-1", role, scope, ask))
                    .await?
            }
            Step::Relay(hash) => {
                let note = "请各校于今日落实".to_owned();
                let ask = pb::RelayDirectiveRequest {
                    name,
                    text_sha256: hash.into(),
                    note,
                    request_id,
                };
                directives
                    .relay_directive(by("clerk-1", role, scope, ask))
                    .await?
            }
            Step::Report(progress_percent) => {
                let ask = pb::ReportProgressRequest {
                    name,
                    report,
                    progress_percent,
                    finished: false,
                    request_id,
                };
                directives
                    .report_progress(by("clerk-1", role, scope, ask))
                    .await?
            }
            Step::Item(item_id, progress_percent) => {
                let ask = pb::ReportItemRequest {
                    name,
                    item_id,
                    report,
                    progress_percent,
                    request_id,
                };
                directives
                    .report_item(by("clerk-1", role, scope, ask))
                    .await?
            }
            Step::Finish => {
                let ask = pb::ReportProgressRequest {
                    name,
                    report,
                    progress_percent: 100,
                    finished: true,
                    request_id,
                };
                directives
                    .report_progress(by("clerk-1", role, scope, ask))
                    .await?
            }
        };
        Ok(answer.into_inner())
    }

    pub(crate) async fn steps(
        &mut self,
        directive: &str,
        organization: &str,
        who: (Role, &str),
        steps: &[Step],
    ) {
        for step in steps {
            self.step(directive, organization, who, step.clone())
                .await
                .expect("a step");
        }
    }

    pub(crate) async fn accept(
        &mut self,
        directive: &str,
        organization: &str,
        scope: &str,
    ) -> Result<pb::DirectiveRecipient, Status> {
        let officer = (Role::DistrictOfficer, scope);
        self.accept_as(directive, organization, officer).await
    }

    pub(crate) async fn accept_as(
        &mut self,
        directive: &str,
        organization: &str,
        (role, scope): (Role, &str),
    ) -> Result<pb::DirectiveRecipient, Status> {
        let ask = pb::AcceptReportRequest {
            name: recipient(directive, organization),
            request_id: once(),
        };
        let ask = by("chief-1", role, scope, ask);
        Ok(self.directives.accept_report(ask).await?.into_inner())
    }

    /// The recipients that somebody at `scope` sees, by place.
    pub(crate) async fn recipients(
        &mut self,
        directive: &str,
        scope: &str,
    ) -> Vec<pb::DirectiveRecipient> {
        let ask = pb::ListRecipientsRequest {
            parent: directive.to_owned(),
            page_size: 1000,
            ..Default::default()
        };
        let ask = by("reader-1", Role::DistrictOfficer, scope, ask);
        let listed = self.directives.list_recipients(ask).await.expect("listed");
        listed.into_inner().recipients
    }

    /// How far a directive has come, as the city sees it.
    pub(crate) async fn progress(&mut self, directive: &str) -> pb::DirectiveProgress {
        let ask = pb::GetDirectiveProgressRequest {
            name: directive.to_owned(),
        };
        let ask = by("reader-1", Role::CityOfficer, "fz", ask);
        let told = self.directives.get_directive_progress(ask).await;
        told.expect("progress").into_inner()
    }

    pub(crate) async fn get(
        &mut self,
        name: &str,
        role: Role,
        scope: &str,
    ) -> Result<pb::Directive, Status> {
        let ask = pb::GetDirectiveRequest {
            name: name.to_owned(),
        };
        Ok(self
            .directives
            .get_directive(by("reader-1", role, scope, ask))
            .await?
            .into_inner())
    }

    pub(crate) async fn outstanding(
        &mut self,
        parent: &str,
        scope: &str,
        overdue: bool,
    ) -> Vec<pb::DirectiveRecipient> {
        let ask = pb::ListOutstandingRequest {
            parent: parent.to_owned(),
            overdue,
            ..Default::default()
        };
        let ask = by("reader-1", Role::DistrictOfficer, scope, ask);
        self.directives
            .list_outstanding(ask)
            .await
            .expect("listed")
            .into_inner()
            .recipients
    }
}

/// The name of a recipient: an organisation, or a class group of one.
pub(crate) fn recipient(directive: &str, party: &str) -> String {
    let id = party.strip_prefix("organizations/").unwrap_or_default();
    let id = id.replace("/classGroups/", "~");
    format!("{directive}/recipients/{id}")
}

pub(crate) const BUREAU_CLERK: (Role, &str) = (Role::DistrictOfficer, BUREAU_PATH);
pub(crate) const SCHOOL_CLERK: (Role, &str) = (Role::Principal, SCHOOL_PATH);
pub(crate) const SISTER_CLERK: (Role, &str) = (Role::Principal, SISTER_PATH);
pub(crate) const SIGN: [Step; 3] = [Step::Deliver, Step::Read, Step::Acknowledge];
pub(crate) const WORK: [Step; 2] = [Step::Report(60), Step::Finish];
