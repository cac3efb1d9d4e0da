//! What counsellors do with cases of support.

use proto::notification as pb;
use proto::notification::support_case::Grade;
use tonic::Status;

use super::officers::once;
use super::voices::{Who, counsellor};
use super::world::World;
use super::{SCHOOL, student};

pub(crate) const NOTE: &str = "班主任反映近期情绪低落，已初步谈话";

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

    pub(crate) async fn close(&self, who: &Who, name: &str) -> Result<pb::SupportCase, Status> {
        let ask = pb::CloseSupportCaseRequest {
            name: name.to_owned(),
            note: "情况稳定".to_owned(),
            request_id: once(),
        };
        let closed = self.support().close_support_case(who.asks(ask)).await?;
        Ok(closed.into_inner())
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

    pub(crate) async fn figures(&self, who: &Who, parent: &str) -> Result<(i32, i32, i32), Status> {
        let parent = parent.to_owned();
        let ask = who.asks(pb::GetSupportFiguresRequest { parent });
        let figures = self.support().get_support_figures(ask).await?.into_inner();
        Ok((
            figures.open_count,
            figures.grave_count,
            figures.overdue_count,
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
