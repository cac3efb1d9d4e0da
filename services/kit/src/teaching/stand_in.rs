//! The class groups of a roster that can be down, for tests of what calls it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use proto::roster::class_group_service_server::{ClassGroupService, ClassGroupServiceServer};
use proto::roster::{
    ClassGroup, CreateClassGroupRequest, GetClassGroupRequest, GetTeachingSummaryRequest,
    ListClassGroupsRequest, ListClassGroupsResponse, ListTeachingSummariesRequest,
    ListTeachingSummariesResponse, PromoteClassGroupsRequest, PromoteClassGroupsResponse,
    SetTeachingModeRequest, SetTeachingModeResponse, TeachingSummary, UpdateClassGroupRequest,
};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::stand_in::{self, lock, unasked};

/// Class groups of a roster that can be down: it then refuses every call. Clones share what was
/// heard.
#[derive(Clone, Debug, Default)]
pub struct StandIn {
    /// Whether it answers.
    pub up: Arc<AtomicBool>,
    /// Every call that it answered; one that repeats a request is answered again and stands once.
    pub heard: Arc<Mutex<Vec<SetTeachingModeRequest>>>,
    /// Resource names of which it refuses every call while it answers others.
    pub busy: Arc<Mutex<Vec<String>>>,
    /// Every call that it refused.
    pub missed: Arc<Mutex<Vec<SetTeachingModeRequest>>>,
}

impl StandIn {
    /// Answers at a port of its own, whose address it returns, as long as the process lives.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn serve(&self) -> std::io::Result<String> {
        stand_in::serve(Routes::new(ClassGroupServiceServer::new(self.clone()))).await
    }
}

#[tonic::async_trait]
impl ClassGroupService for StandIn {
    async fn set_teaching_mode(
        &self,
        request: Request<SetTeachingModeRequest>,
    ) -> Result<Response<SetTeachingModeResponse>, Status> {
        stand_in::signed(&request)?;
        let call = request.into_inner();
        let busy = lock(&self.busy).contains(&call.name);
        let up = self.up.load(Ordering::SeqCst) && !busy;
        let list = if up { &self.heard } else { &self.missed };
        let mut list = lock(list);
        if !up || list.iter().all(|one| one.request_id != call.request_id) {
            list.push(call);
        }
        if up {
            Ok(Response::new(SetTeachingModeResponse {
                changed_count: 1,
                held_count: 0,
            }))
        } else if busy {
            Err(Status::aborted("busy"))
        } else {
            Err(Status::unavailable("down"))
        }
    }

    async fn get_class_group(
        &self,
        _: Request<GetClassGroupRequest>,
    ) -> Result<Response<ClassGroup>, Status> {
        unasked()
    }

    async fn list_class_groups(
        &self,
        _: Request<ListClassGroupsRequest>,
    ) -> Result<Response<ListClassGroupsResponse>, Status> {
        unasked()
    }

    async fn get_teaching_summary(
        &self,
        _: Request<GetTeachingSummaryRequest>,
    ) -> Result<Response<TeachingSummary>, Status> {
        unasked()
    }

    async fn list_teaching_summaries(
        &self,
        _: Request<ListTeachingSummariesRequest>,
    ) -> Result<Response<ListTeachingSummariesResponse>, Status> {
        unasked()
    }

    async fn create_class_group(
        &self,
        _: Request<CreateClassGroupRequest>,
    ) -> Result<Response<ClassGroup>, Status> {
        unasked()
    }

    async fn update_class_group(
        &self,
        _: Request<UpdateClassGroupRequest>,
    ) -> Result<Response<ClassGroup>, Status> {
        unasked()
    }

    async fn promote_class_groups(
        &self,
        _: Request<PromoteClassGroupsRequest>,
    ) -> Result<Response<PromoteClassGroupsResponse>, Status> {
        unasked()
    }
}
