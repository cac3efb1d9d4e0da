//! ShelterService.

use kit::auth::{Caller, Permission, caller};
use kit::page;
use prost::Message;
use proto::safety as pb;
use proto::safety::shelter_service_server::ShelterService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert::{self, refuge};
use crate::app::Site;
use crate::app::refuges::{Act, Refuge, Refuges};
use crate::domain::shelter::isolation::{self, IsolationRoom};
use crate::domain::shelter::{Shelter, Verb};
use crate::error::Error;

/// Serves ShelterService.
#[derive(Debug)]
pub(crate) struct ShelterGrpc {
    app: Refuges,
}

/// A shelter or an isolation room of a request: the field that names it, and its name.
type Named<'a> = (&'static str, &'a str);

/// Something that is done without more words.
fn plainly<T: Refuge>(method: &'static str, verb: T::Verb) -> Act<T> {
    Act {
        method,
        verb,
        note: "",
        etag: String::new(),
    }
}

impl ShelterGrpc {
    pub(crate) fn new(app: Refuges) -> Self {
        Self { app }
    }

    async fn read(&self, caller: &Caller, id: &str) -> Result<Site, Error> {
        self.app.site(caller, Permission::SupplyRead, id).await
    }

    async fn named<T: Refuge>(
        &self,
        caller: &Caller,
        permission: Permission,
        (field, name): Named<'_>,
    ) -> Result<(Site, Uuid), Error> {
        let (organization, id) = convert::child(field, T::COLLECTION, name)?;
        let site = self.app.site(caller, permission, &organization).await?;
        Ok((site, id))
    }

    async fn act_on_shelter(
        &self,
        caller: &Caller,
        (site, id): (Site, Uuid),
        act: (Act<Shelter>, impl FnOnce(Shelter) -> Shelter),
        request: (&str, &impl Message),
    ) -> Result<Response<pb::Shelter>, Status> {
        let render = refuge::written_shelter;
        let shelter = self.app.act(caller, (&site, id), act, request, render);
        Ok(Response::new(shelter.await?))
    }

    async fn act_on_room(
        &self,
        caller: &Caller,
        (site, id): (Site, Uuid),
        act: (
            Act<IsolationRoom>,
            impl FnOnce(IsolationRoom) -> IsolationRoom,
        ),
        request: (&str, &impl Message),
    ) -> Result<Response<pb::IsolationRoom>, Status> {
        let render = refuge::written_room;
        let room = self.app.act(caller, (&site, id), act, request, render);
        Ok(Response::new(room.await?))
    }
}

#[tonic::async_trait]
impl ShelterService for ShelterGrpc {
    async fn create_shelter(
        &self,
        request: Request<pb::CreateShelterRequest>,
    ) -> Result<Response<pb::Shelter>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let permission = Permission::ShelterWrite;
        let site = self.app.site(&caller, permission, &id).await?;
        let body = refuge::shelter(&request.shelter.clone().unwrap_or_default())?;
        let (made, once) = (("CreateShelter", body), (&*request.request_id, &request));
        let render = refuge::written_shelter;
        let shelter = self.app.create(&caller, &site, made, once, render);
        Ok(Response::new(shelter.await?))
    }

    async fn update_shelter(
        &self,
        request: Request<pb::UpdateShelterRequest>,
    ) -> Result<Response<pb::Shelter>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let told = request.shelter.clone().unwrap_or_default();
        let (permission, named) = (Permission::ShelterWrite, ("shelter.name", &*told.name));
        let at = self.named::<Shelter>(&caller, permission, named).await?;
        let body = refuge::shelter(&told)?;
        let act = Act {
            etag: told.etag,
            ..plainly("UpdateShelter", Verb::Update)
        };
        let change = |before: Shelter| Shelter {
            occupants: before.occupants,
            cause: before.cause,
            ..body
        };
        let once = (&*request.request_id, &request);
        self.act_on_shelter(&caller, at, (act, change), once).await
    }

    async fn open_shelter(
        &self,
        request: Request<pb::OpenShelterRequest>,
    ) -> Result<Response<pb::Shelter>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (permission, named) = (Permission::ShelterOpen, ("name", &*request.name));
        let at = self.named::<Shelter>(&caller, permission, named).await?;
        let cause = refuge::cause(request.cause)?;
        let act = Act {
            note: cause.as_str(),
            ..plainly("OpenShelter", Verb::Open)
        };
        let change = |before: Shelter| Shelter {
            cause: Some(cause),
            ..before
        };
        let once = (&*request.request_id, &request);
        self.act_on_shelter(&caller, at, (act, change), once).await
    }

    async fn report_shelter_occupancy(
        &self,
        request: Request<pb::ReportShelterOccupancyRequest>,
    ) -> Result<Response<pb::Shelter>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (permission, named) = (Permission::ShelterOpen, ("name", &*request.name));
        let at = self.named::<Shelter>(&caller, permission, named).await?;
        let occupants = refuge::occupants(request.occupant_count)?;
        let act = plainly("ReportShelterOccupancy", Verb::Count);
        let change = |before: Shelter| Shelter {
            occupants,
            ..before
        };
        let once = (&*request.request_id, &request);
        self.act_on_shelter(&caller, at, (act, change), once).await
    }

    async fn close_shelter(
        &self,
        request: Request<pb::CloseShelterRequest>,
    ) -> Result<Response<pb::Shelter>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (permission, named) = (Permission::ShelterOpen, ("name", &*request.name));
        let at = self.named::<Shelter>(&caller, permission, named).await?;
        let act = plainly("CloseShelter", Verb::Close);
        let once = (&*request.request_id, &request);
        self.act_on_shelter(&caller, at, (act, Shelter::emptied), once)
            .await
    }

    async fn retire_shelter(
        &self,
        request: Request<pb::RetireShelterRequest>,
    ) -> Result<Response<pb::Shelter>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (permission, named) = (Permission::ShelterWrite, ("name", &*request.name));
        let at = self.named::<Shelter>(&caller, permission, named).await?;
        let act = plainly("RetireShelter", Verb::Retire);
        let once = (&*request.request_id, &request);
        self.act_on_shelter(&caller, at, (act, Shelter::emptied), once)
            .await
    }

    async fn get_shelter(
        &self,
        request: Request<pb::GetShelterRequest>,
    ) -> Result<Response<pb::Shelter>, Status> {
        let caller = caller(&request)?;
        let name = request.into_inner().name;
        let (permission, named) = (Permission::SupplyRead, ("name", &*name));
        let (site, id) = self.named::<Shelter>(&caller, permission, named).await?;
        let shelter = self.app.get(&site, id).await?;
        Ok(Response::new(refuge::written_shelter(shelter)))
    }

    async fn list_shelters(
        &self,
        request: Request<pb::ListSheltersRequest>,
    ) -> Result<Response<pb::ListSheltersResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.read(&caller, &id).await?;
        let state = refuge::state(request.state)?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent, &*request.state.to_string()];
        let before: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let mut found = self.app.list(&site, state, before, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.row.id);
        Ok(Response::new(pb::ListSheltersResponse {
            shelters: found.into_iter().map(refuge::written_shelter).collect(),
            next_page_token,
        }))
    }

    async fn preview_shelters(
        &self,
        request: Request<pb::PreviewSheltersRequest>,
    ) -> Result<Response<pb::PreviewSheltersResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.read(&caller, &id).await?;
        let people = refuge::people(request.person_count)?;
        let advice = self.app.advice(&site, people).await?;
        Ok(Response::new(refuge::advice(advice)))
    }

    async fn create_isolation_room(
        &self,
        request: Request<pb::CreateIsolationRoomRequest>,
    ) -> Result<Response<pb::IsolationRoom>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let permission = Permission::ShelterWrite;
        let site = self.app.site(&caller, permission, &id).await?;
        let body = refuge::room(&request.isolation_room.clone().unwrap_or_default())?;
        let made = ("CreateIsolationRoom", body);
        let once = (&*request.request_id, &request);
        let render = refuge::written_room;
        let room = self.app.create(&caller, &site, made, once, render);
        Ok(Response::new(room.await?))
    }

    async fn update_isolation_room(
        &self,
        request: Request<pb::UpdateIsolationRoomRequest>,
    ) -> Result<Response<pb::IsolationRoom>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let told = request.isolation_room.clone().unwrap_or_default();
        let named = ("isolation_room.name", &*told.name);
        let permission = Permission::ShelterWrite;
        let at = self.named::<IsolationRoom>(&caller, permission, named);
        let at = at.await?;
        let body = refuge::room(&told)?;
        let act = Act {
            etag: told.etag,
            ..plainly("UpdateIsolationRoom", isolation::Verb::Update)
        };
        let once = (&*request.request_id, &request);
        self.act_on_room(&caller, at, (act, |_| body), once).await
    }

    async fn retire_isolation_room(
        &self,
        request: Request<pb::RetireIsolationRoomRequest>,
    ) -> Result<Response<pb::IsolationRoom>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (permission, named) = (Permission::ShelterWrite, ("name", &*request.name));
        let at = self.named::<IsolationRoom>(&caller, permission, named);
        let at = at.await?;
        let act = plainly("RetireIsolationRoom", isolation::Verb::Retire);
        let once = (&*request.request_id, &request);
        self.act_on_room(&caller, at, (act, |room| room), once)
            .await
    }

    async fn get_isolation_room(
        &self,
        request: Request<pb::GetIsolationRoomRequest>,
    ) -> Result<Response<pb::IsolationRoom>, Status> {
        let caller = caller(&request)?;
        let name = request.into_inner().name;
        let (permission, named) = (Permission::SupplyRead, ("name", &*name));
        let at = self.named::<IsolationRoom>(&caller, permission, named);
        let (site, id) = at.await?;
        let room = self.app.get(&site, id).await?;
        Ok(Response::new(refuge::written_room(room)))
    }

    async fn list_isolation_rooms(
        &self,
        request: Request<pb::ListIsolationRoomsRequest>,
    ) -> Result<Response<pb::ListIsolationRoomsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.read(&caller, &id).await?;
        let isolation = self.app.isolation(&site).await?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent];
        let before: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let mut found = self.app.list(&site, None, before, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| last.row.id);
        Ok(Response::new(refuge::rooms(
            found,
            next_page_token,
            isolation,
        )))
    }
}
