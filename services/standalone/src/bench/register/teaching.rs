//! How the class groups of the published city are taught: all of them in person.

use proto::roster::class_group_roll::TeachingMode;
use proto::roster::class_group_service_server::ClassGroupService;
use proto::roster::teaching_summary::ModeCount;
use proto::roster::{
    ClassGroup, CreateClassGroupRequest, GetClassGroupRequest, GetTeachingSummaryRequest,
    ListClassGroupsRequest, ListClassGroupsResponse, ListTeachingSummariesRequest,
    ListTeachingSummariesResponse, PromoteClassGroupsRequest, PromoteClassGroupsResponse,
    SetTeachingModeRequest, SetTeachingModeResponse, TeachingSummary, UpdateClassGroupRequest,
};
use tonic::{Request, Response, Status};

use super::{Register, fixed};

#[tonic::async_trait]
impl ClassGroupService for Register {
    async fn get_teaching_summary(
        &self,
        request: Request<GetTeachingSummaryRequest>,
    ) -> Result<Response<TeachingSummary>, Status> {
        let name = request.into_inner().name;
        let organization = name.trim_end_matches("/teachingSummary");
        let found = self.find(organization.trim_start_matches("organizations/"));
        let found = found.ok_or_else(|| Status::not_found("no such organisation"))?;
        Ok(Response::new(self.taught(name, found.org_path)))
    }

    async fn list_teaching_summaries(
        &self,
        _: Request<ListTeachingSummariesRequest>,
    ) -> Result<Response<ListTeachingSummariesResponse>, Status> {
        Err(fixed())
    }

    async fn get_class_group(
        &self,
        _: Request<GetClassGroupRequest>,
    ) -> Result<Response<ClassGroup>, Status> {
        Err(fixed())
    }

    async fn list_class_groups(
        &self,
        _: Request<ListClassGroupsRequest>,
    ) -> Result<Response<ListClassGroupsResponse>, Status> {
        Err(fixed())
    }

    async fn create_class_group(
        &self,
        _: Request<CreateClassGroupRequest>,
    ) -> Result<Response<ClassGroup>, Status> {
        Err(fixed())
    }

    async fn update_class_group(
        &self,
        _: Request<UpdateClassGroupRequest>,
    ) -> Result<Response<ClassGroup>, Status> {
        Err(fixed())
    }

    async fn set_teaching_mode(
        &self,
        _: Request<SetTeachingModeRequest>,
    ) -> Result<Response<SetTeachingModeResponse>, Status> {
        Err(fixed())
    }

    async fn promote_class_groups(
        &self,
        _: Request<PromoteClassGroupsRequest>,
    ) -> Result<Response<PromoteClassGroupsResponse>, Status> {
        Err(fixed())
    }
}

impl Register {
    /// What is counted of the schools at `org_path` or below it.
    fn taught(&self, name: String, org_path: String) -> TeachingSummary {
        let below = format!("{org_path}/");
        let schools = self.0.plan().schools().iter().filter(|school| {
            let path = school.org_path();
            path == org_path || path.starts_with(&below)
        });
        let (mut school_count, mut class_group_count) = (0, 0);
        for school in schools {
            school_count += 1;
            class_group_count += school.classes.len() as i32;
        }
        let modes = [
            (TeachingMode::InPerson, class_group_count),
            (TeachingMode::Online, 0),
            (TeachingMode::Suspended, 0),
        ];
        let modes = modes.map(|(mode, class_group_count)| ModeCount {
            teaching_mode: mode.into(),
            class_group_count,
        });
        TeachingSummary {
            name,
            org_path,
            class_group_count,
            modes: modes.into(),
            school_count,
            in_person_school_count: school_count,
            data_time: None,
        }
    }
}
