//! What counsellors do with cases of support.

use proto::notification as pb;
use proto::notification::support_case::{CloseReason, Grade};
use proto::privacy::PrivateCount;
use tonic::Status;

use super::officers::once;
use super::voices::{Who, counsellor};
use super::world::World;
use super::{SCHOOL, student};

pub(crate) const NOTE: &str = "班主任反映近期情绪低落，已初步谈话";

/// Counts of cases, none where they are hidden.
pub(crate) type Counts = (Option<i32>, Option<i32>, Option<i32>);

/// What a counsellor does in a case.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Walk {
    Grade(Grade),
    Contact,
    Support,
    Inform,
    Refer,
    FollowUp,
    Close(CloseReason),
    Reopen(Grade),
}

impl World {
    pub(crate) async fn open_case(
        &self,
        who: &Who,
        parent: &str,
        support_case: pb::SupportCase,
    ) -> Result<pb::SupportCase, Status> {
        let ask = pb::OpenSupportCaseRequest {
            parent: parent.to_owned(),
            support_case: Some(support_case),
            request_id: once(),
        };
        let opened = self.support().open_support_case(who.asks(ask)).await?;
        Ok(opened.into_inner())
    }

    pub(crate) async fn opened(&self, grade: Grade) -> pb::SupportCase {
        let opened = self.open_case(&counsellor(), SCHOOL, case(grade)).await;
        opened.expect("opened")
    }

    pub(crate) async fn read(&self, who: &Who, name: &str) -> Result<pb::SupportCase, Status> {
        let name = name.to_owned();
        let ask = who.asks(pb::GetSupportCaseRequest { name });
        Ok(self.support().get_support_case(ask).await?.into_inner())
    }

    pub(crate) async fn regrade(
        &self,
        who: &Who,
        name: &str,
        grade: Grade,
    ) -> Result<pb::SupportCase, Status> {
        let ask = pb::GradeSupportCaseRequest {
            name: name.to_owned(),
            grade: grade.into(),
            note: "评估后调整".to_owned(),
            request_id: once(),
        };
        let graded = self.support().grade_support_case(who.asks(ask)).await?;
        Ok(graded.into_inner())
    }

    pub(crate) async fn contact(&self, who: &Who, name: &str) -> Result<pb::SupportCase, Status> {
        let ask = pb::RecordContactRequest {
            name: name.to_owned(),
            note: "已面谈".to_owned(),
            request_id: once(),
        };
        let contacted = self.support().record_contact(who.asks(ask)).await?;
        Ok(contacted.into_inner())
    }

    pub(crate) async fn refer(&self, who: &Who, name: &str) -> Result<pb::SupportCase, Status> {
        let ask = pb::ReferSupportCaseRequest {
            name: name.to_owned(),
            note: "转介至专科门诊".to_owned(),
            request_id: once(),
        };
        let referred = self.support().refer_support_case(who.asks(ask)).await?;
        Ok(referred.into_inner())
    }

    pub(crate) async fn begin_support(
        &self,
        who: &Who,
        name: &str,
    ) -> Result<pb::SupportCase, Status> {
        let ask = pb::BeginSupportRequest {
            name: name.to_owned(),
            note: "每周个别辅导一次".to_owned(),
            request_id: once(),
        };
        let begun = self.support().begin_support(who.asks(ask)).await?;
        Ok(begun.into_inner())
    }

    pub(crate) async fn inform(&self, who: &Who, name: &str) -> Result<pb::SupportCase, Status> {
        let ask = pb::InformGuardianRequest {
            name: name.to_owned(),
            note: "已当面告知监护人，同意就医".to_owned(),
            request_id: once(),
        };
        let informed = self.support().inform_guardian(who.asks(ask)).await?;
        Ok(informed.into_inner())
    }

    pub(crate) async fn follow_up(&self, who: &Who, name: &str) -> Result<pb::SupportCase, Status> {
        let ask = pb::FollowUpSupportCaseRequest {
            name: name.to_owned(),
            note: "复诊后情况好转".to_owned(),
            request_id: once(),
        };
        let followed = self.support().follow_up_support_case(who.asks(ask)).await?;
        Ok(followed.into_inner())
    }

    pub(crate) async fn close(
        &self,
        who: &Who,
        name: &str,
        reason: CloseReason,
    ) -> Result<pb::SupportCase, Status> {
        let ask = pb::CloseSupportCaseRequest {
            name: name.to_owned(),
            note: "情况稳定".to_owned(),
            reason: reason.into(),
            request_id: once(),
        };
        let closed = self.support().close_support_case(who.asks(ask)).await?;
        Ok(closed.into_inner())
    }

    pub(crate) async fn reopen(
        &self,
        who: &Who,
        name: &str,
        grade: Grade,
    ) -> Result<pb::SupportCase, Status> {
        let ask = pb::ReopenSupportCaseRequest {
            name: name.to_owned(),
            grade: grade.into(),
            note: "再次求助".to_owned(),
            request_id: once(),
        };
        let reopened = self.support().reopen_support_case(who.asks(ask)).await?;
        Ok(reopened.into_inner())
    }

    /// One verb after the other, each by the counsellor of the school; the case after the last.
    pub(crate) async fn walked(&self, name: &str, walk: &[Walk]) -> pb::SupportCase {
        let who = counsellor();
        let mut case = pb::SupportCase::default();
        for step in walk {
            let moved = self.walk(&who, name, *step).await;
            case = moved.unwrap_or_else(|refused| panic!("{step:?}: {refused:?}"));
        }
        case
    }

    pub(crate) async fn walk(
        &self,
        who: &Who,
        name: &str,
        step: Walk,
    ) -> Result<pb::SupportCase, Status> {
        match step {
            Walk::Grade(grade) => self.regrade(who, name, grade).await,
            Walk::Contact => self.contact(who, name).await,
            Walk::Support => self.begin_support(who, name).await,
            Walk::Inform => self.inform(who, name).await,
            Walk::Refer => self.refer(who, name).await,
            Walk::FollowUp => self.follow_up(who, name).await,
            Walk::Close(reason) => self.close(who, name, reason).await,
            Walk::Reopen(grade) => self.reopen(who, name, grade).await,
        }
    }

    pub(crate) async fn cases(
        &self,
        who: &Who,
        ask: pb::ListSupportCasesRequest,
    ) -> Result<pb::ListSupportCasesResponse, Status> {
        let ask = pb::ListSupportCasesRequest {
            parent: SCHOOL.to_owned(),
            ..ask
        };
        let listed = self.support().list_support_cases(who.asks(ask)).await?;
        Ok(listed.into_inner())
    }

    pub(crate) async fn accesses(
        &self,
        who: &Who,
        name: &str,
    ) -> Result<Vec<(String, String)>, Status> {
        let ask = pb::ListSupportAccessesRequest {
            parent: name.to_owned(),
            ..Default::default()
        };
        let listed = self.support().list_support_accesses(who.asks(ask)).await?;
        let accesses = listed.into_inner().accesses.into_iter();
        Ok(accesses.map(|one| (one.subject, one.method)).collect())
    }

    /// Open, grave and overdue cases.
    pub(crate) async fn figures(&self, who: &Who, parent: &str) -> Result<Counts, Status> {
        let parent = parent.to_owned();
        let ask = who.asks(pb::GetSupportFiguresRequest { parent });
        let figures = self.support().get_support_figures(ask).await?.into_inner();
        let count = |told: Option<PrivateCount>| {
            let told = told.expect("a count");
            assert_eq!(told.hidden, told.count.is_none());
            told.count
        };
        Ok((
            count(figures.open_count),
            count(figures.grave_count),
            count(figures.overdue_count),
        ))
    }
}

pub(crate) fn case(grade: Grade) -> pb::SupportCase {
    pb::SupportCase {
        person: student(1),
        grade: grade.into(),
        note: NOTE.to_owned(),
        ..Default::default()
    }
}
