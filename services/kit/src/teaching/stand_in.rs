//! The class groups of a roster that can be down, for tests of what calls it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use proto::roster::class_group_service_server::{ClassGroupService, ClassGroupServiceServer};
use proto::roster::{
    ClassGroup, CreateClassGroupRequest, GetClassGroupRequest, ListClassGroupsRequest,
    ListClassGroupsResponse, PromoteClassGroupsRequest, PromoteClassGroupsResponse,
    SetTeachingModeRequest, SetTeachingModeResponse, UpdateClassGroupRequest,
};
use tonic::{Request, Response, Status};

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
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        tokio::spawn(
            tonic::transport::Server::builder()
                .add_service(ClassGroupServiceServer::new(self.clone()))
                .serve_with_incoming(incoming),
        );
        Ok(address)
    }
}

fn unasked<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("nobody asks for it here"))
}

#[tonic::async_trait]
impl ClassGroupService for StandIn {
    async fn set_teaching_mode(
        &self,
        request: Request<SetTeachingModeRequest>,
    ) -> Result<Response<SetTeachingModeResponse>, Status> {
        if !request.metadata().contains_key("authorization") {
            return Err(Status::unauthenticated("no token"));
        }
        let call = request.into_inner();
        let busy = self
            .busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&call.name);
        let up = self.up.load(Ordering::SeqCst) && !busy;
        let list = if up { &self.heard } else { &self.missed };
        let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
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
