//! The class groups of a roster that can be down.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use proto::roster::class_group_service_server::ClassGroupService;
use proto::roster::{
    ClassGroup, CreateClassGroupRequest, GetClassGroupRequest, ListClassGroupsRequest,
    ListClassGroupsResponse, PromoteClassGroupsRequest, PromoteClassGroupsResponse,
    SetTeachingModeRequest, SetTeachingModeResponse, UpdateClassGroupRequest,
};
use tonic::{Request, Response, Status};

/// Class groups of a roster that can be down: it then refuses every call.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    /// Whether it answers.
    pub(super) up: Arc<AtomicBool>,
    /// Every call that it answered.
    pub(super) heard: Arc<Mutex<Vec<SetTeachingModeRequest>>>,
    /// Every call that it refused.
    pub(super) missed: Arc<Mutex<Vec<SetTeachingModeRequest>>>,
}

fn unasked<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("nobody asks for it here"))
}

#[tonic::async_trait]
impl ClassGroupService for Roster {
    async fn set_teaching_mode(
        &self,
        request: Request<SetTeachingModeRequest>,
    ) -> Result<Response<SetTeachingModeResponse>, Status> {
        assert!(request.metadata().contains_key("authorization"));
        let up = self.up.load(Ordering::SeqCst);
        let list = if up { &self.heard } else { &self.missed };
        list.lock().expect("a lock").push(request.into_inner());
        if up {
            Ok(Response::new(SetTeachingModeResponse { changed_count: 1 }))
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
