//! ShelterService.

use kit::auth::{Caller, Permission, caller};
use kit::page;
use proto::safety as pb;
use proto::safety::shelter_service_server::ShelterService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert::{self, refuge};
use crate::app::refuges::Change;
use crate::app::{Base, Site};
use crate::domain::shelter::isolation::{self, IsolationRoom};
use crate::domain::shelter::{self, Shelter};
use crate::error::Error;
use crate::store::refuges::RefugeRow;

/// A page has at most as many: each brings its history.
const MOST: u64 = 200;

/// Serves ShelterService.
#[derive(Debug)]
pub(crate) struct Shelters(pub(crate) Base);

/// What becomes of a shelter by a verb.
fn moved(row: &RefugeRow, verb: shelter::Verb, body: Shelter) -> Result<Change<Shelter>, Error> {
    let before = shelter::State::from_number(row.state.into()).unwrap_or(shelter::State::Retired);
    let state = shelter::step(before, verb).map_err(Error::ShelterState)? as i16;
    Ok(Change {
        state,
        body,
        cause: 0,
    })
}

/// What becomes of an isolation room by a verb.
fn turned(
    row: &RefugeRow,
    verb: isolation::Verb,
    body: IsolationRoom,
) -> Result<Change<IsolationRoom>, Error> {
    use isolation::State;
    let before = State::from_number(row.state.into()).unwrap_or(State::Retired);
    let state = isolation::step(before, verb).map_err(Error::IsolationRoomState)? as i16;
    Ok(Change {
        state,
        body,
        cause: 0,
    })
}

/// Refuses an update of something else than what was read.
fn unchanged(row: &RefugeRow, etag: &str, name: &str) -> Result<(), Error> {
    if etag.is_empty() || etag == refuge::etag(row) {
        Ok(())
    } else {
        Err(Error::Changed(name.to_owned()))
    }
}

impl Shelters {
    /// The organisation and the id of a shelter of a name that the caller may do something to.
    async fn shelter(
        &self,
        caller: &Caller,
        permission: Permission,
        field: &'static str,
        name: &str,
    ) -> Result<(Site, Uuid), Error> {
        let (organization, id) = convert::child(field, name, "shelters")?;
        Ok((self.0.site(caller, permission, &organization).await?, id))
    }

    /// The organisation and the id of an isolation room of a name.
    async fn room(
        &self,
        caller: &Caller,
        permission: Permission,
        field: &'static str,
        name: &str,
    ) -> Result<(Site, Uuid), Error> {
        let (organization, id) = convert::child(field, name, "isolationRooms")?;
        Ok((self.0.site(caller, permission, &organization).await?, id))
    }
}

#[tonic::async_trait]
impl ShelterService for Shelters {
    async fn create_shelter(
        &self,
        request: Request<pb::CreateShelterRequest>,
    ) -> Result<Response<pb::Shelter>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.0.site(&caller, Permission::ShelterWrite, &id).await?;
        let body = refuge::shelter(&request.shelter.clone().unwrap_or_default())?;
        let once = (&*request.request_id, &request);
        let (method, render) = ("CreateShelter", refuge::written_shelter);
        let answer = self
            .0
            .create_refuge(&caller, &site, (method, body), once, render);
        Ok(Response::new(answer.await?))
    }

    async fn update_shelter(
        &self,
        request: Request<pb::UpdateShelterRequest>,
    ) -> Result<Response<pb::Shelter>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let said = request.shelter.clone().unwrap_or_default();
        let permission = Permission::ShelterWrite;
        let (site, id) = self
            .shelter(&caller, permission, "shelter.name", &said.name)
            .await?;
        let body = refuge::shelter(&said)?;
        let decide = |row: &RefugeRow, before: Shelter| {
            unchanged(row, &said.etag, &said.name)?;
            let occupants = before.occupants;
            moved(row, shelter::Verb::Update, Shelter { occupants, ..body })
        };
        let (act, once) = (("UpdateShelter", decide), (&*request.request_id, &request));
        let (at, render) = ((&site, id), refuge::written_shelter);
        let answer = self.0.change_refuge(&caller, at, act, once, render);
        Ok(Response::new(answer.await?))
    }

    async fn open_shelter(
        &self,
        request: Request<pb::OpenShelterRequest>,
    ) -> Result<Response<pb::Shelter>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let permission = Permission::ShelterOpen;
        let (site, id) = self
            .shelter(&caller, permission, "name", &request.name)
            .await?;
        let cause = refuge::cause(request.cause)? as i16;
        let decide = |row: &RefugeRow, body: Shelter| {
            let change = moved(row, shelter::Verb::Open, body)?;
            Ok(Change { cause, ..change })
        };
        let (act, once) = (("OpenShelter", decide), (&*request.request_id, &request));
        let (at, render) = ((&site, id), refuge::written_shelter);
        let answer = self.0.change_refuge(&caller, at, act, once, render);
        Ok(Response::new(answer.await?))
    }

    async fn report_shelter_occupancy(
        &self,
        request: Request<pb::ReportShelterOccupancyRequest>,
    ) -> Result<Response<pb::Shelter>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let permission = Permission::ShelterOpen;
        let (site, id) = self
            .shelter(&caller, permission, "name", &request.name)
            .await?;
        let occupants = refuge::occupants(request.occupant_count)?;
        let decide = |row: &RefugeRow, body: Shelter| {
            moved(row, shelter::Verb::Count, Shelter { occupants, ..body })
        };
        let once = (&*request.request_id, &request);
        let (act, at) = (("ReportShelterOccupancy", decide), (&site, id));
        let render = refuge::written_shelter;
        let answer = self.0.change_refuge(&caller, at, act, once, render);
        Ok(Response::new(answer.await?))
    }

    async fn close_shelter(
        &self,
        request: Request<pb::CloseShelterRequest>,
    ) -> Result<Response<pb::Shelter>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let permission = Permission::ShelterOpen;
        let (site, id) = self
            .shelter(&caller, permission, "name", &request.name)
            .await?;
        let decide = |row: &RefugeRow, body: Shelter| {
            let occupants = 0;
            moved(row, shelter::Verb::Close, Shelter { occupants, ..body })
        };
        let (act, once) = (("CloseShelter", decide), (&*request.request_id, &request));
        let (at, render) = ((&site, id), refuge::written_shelter);
        let answer = self.0.change_refuge(&caller, at, act, once, render);
        Ok(Response::new(answer.await?))
    }

    async fn retire_shelter(
        &self,
        request: Request<pb::RetireShelterRequest>,
    ) -> Result<Response<pb::Shelter>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let permission = Permission::ShelterWrite;
        let (site, id) = self
            .shelter(&caller, permission, "name", &request.name)
            .await?;
        let decide = |row: &RefugeRow, body| moved(row, shelter::Verb::Retire, body);
        let (act, once) = (("RetireShelter", decide), (&*request.request_id, &request));
        let (at, render) = ((&site, id), refuge::written_shelter);
        let answer = self.0.change_refuge(&caller, at, act, once, render);
        Ok(Response::new(answer.await?))
    }

    async fn get_shelter(
        &self,
        request: Request<pb::GetShelterRequest>,
    ) -> Result<Response<pb::Shelter>, Status> {
        let caller = caller(&request)?;
        let name = request.into_inner().name;
        let permission = Permission::SupplyRead;
        let (site, id) = self.shelter(&caller, permission, "name", &name).await?;
        let kept = self.0.refuge(&site, id).await?;
        Ok(Response::new(refuge::written_shelter(kept)))
    }

    async fn list_shelters(
        &self,
        request: Request<pb::ListSheltersRequest>,
    ) -> Result<Response<pb::ListSheltersResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.0.supply_site(&caller, &id).await?;
        let state = refuge::state(request.state)?;
        let size = page::size(request.page_size)?.min(MOST);
        let binding = [&*request.parent, &*request.state.to_string()];
        let after: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let mut found = self.0.refuges(&site, state, after, size + 1).await?;
        let token = convert::cut(&mut found, size, |last| page::next(&last.row.id, &binding));
        Ok(Response::new(pb::ListSheltersResponse {
            shelters: found.into_iter().map(refuge::written_shelter).collect(),
            next_page_token: token,
        }))
    }

    async fn create_isolation_room(
        &self,
        request: Request<pb::CreateIsolationRoomRequest>,
    ) -> Result<Response<pb::IsolationRoom>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.0.site(&caller, Permission::ShelterWrite, &id).await?;
        let body = refuge::room(&request.isolation_room.clone().unwrap_or_default())?;
        let once = (&*request.request_id, &request);
        let (method, render) = ("CreateIsolationRoom", refuge::written_room);
        let answer = self
            .0
            .create_refuge(&caller, &site, (method, body), once, render);
        Ok(Response::new(answer.await?))
    }

    async fn update_isolation_room(
        &self,
        request: Request<pb::UpdateIsolationRoomRequest>,
    ) -> Result<Response<pb::IsolationRoom>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let said = request.isolation_room.clone().unwrap_or_default();
        let permission = Permission::ShelterWrite;
        let field = "isolation_room.name";
        let (site, id) = self.room(&caller, permission, field, &said.name).await?;
        let body = refuge::room(&said)?;
        let decide = |row: &RefugeRow, _| {
            unchanged(row, &said.etag, &said.name)?;
            turned(row, isolation::Verb::Update, body)
        };
        let once = (&*request.request_id, &request);
        let (act, at) = (("UpdateIsolationRoom", decide), (&site, id));
        let render = refuge::written_room;
        let answer = self.0.change_refuge(&caller, at, act, once, render);
        Ok(Response::new(answer.await?))
    }

    async fn retire_isolation_room(
        &self,
        request: Request<pb::RetireIsolationRoomRequest>,
    ) -> Result<Response<pb::IsolationRoom>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let permission = Permission::ShelterWrite;
        let (site, id) = self
            .room(&caller, permission, "name", &request.name)
            .await?;
        let decide = |row: &RefugeRow, body| turned(row, isolation::Verb::Retire, body);
        let once = (&*request.request_id, &request);
        let (act, at) = (("RetireIsolationRoom", decide), (&site, id));
        let render = refuge::written_room;
        let answer = self.0.change_refuge(&caller, at, act, once, render);
        Ok(Response::new(answer.await?))
    }

    async fn get_isolation_room(
        &self,
        request: Request<pb::GetIsolationRoomRequest>,
    ) -> Result<Response<pb::IsolationRoom>, Status> {
        let caller = caller(&request)?;
        let name = request.into_inner().name;
        let permission = Permission::SupplyRead;
        let (site, id) = self.room(&caller, permission, "name", &name).await?;
        let kept = self.0.refuge(&site, id).await?;
        Ok(Response::new(refuge::written_room(kept)))
    }

    async fn list_isolation_rooms(
        &self,
        request: Request<pb::ListIsolationRoomsRequest>,
    ) -> Result<Response<pb::ListIsolationRoomsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::organization("parent", &request.parent)?;
        let site = self.0.supply_site(&caller, &id).await?;
        let isolation = self.0.isolation(&site).await?;
        let size = page::size(request.page_size)?.min(MOST);
        let binding = [&*request.parent];
        let after: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let mut found = self.0.refuges(&site, 0, after, size + 1).await?;
        let token = convert::cut(&mut found, size, |last| page::next(&last.row.id, &binding));
        Ok(Response::new(refuge::rooms(found, token, isolation)))
    }
}
