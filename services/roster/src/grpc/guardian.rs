//! GuardianService.

use kit::auth::{Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::page;
use kit::status::Problem;
use proto::roster::guardian_service_server::GuardianService;
use proto::roster::{
    CreateGuardianRequest, GetGuardianRequest, Guardian, ListGuardiansRequest,
    ListGuardiansResponse, RemoveGuardianRequest, RevealGuardianPhoneRequest,
    RevealGuardianPhoneResponse, UpdateGuardianRequest,
};
use tonic::{Request, Response, Status};

use super::mask::Mask;
use super::organization::act;
use super::student::mobile;
use super::{class_group, convert};
use crate::app::App;
use crate::app::guardians::{Change, Draft};
use crate::domain::guardian::{PRIORITIES, Relation};
use crate::store::guardians::Wanted;

const FIELDS: [&str; 4] = ["display_name", "relation", "phone", "priority"];

/// Serves guardians.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

#[tonic::async_trait]
impl GuardianService for Api {
    async fn get_guardian(
        &self,
        request: Request<GetGuardianRequest>,
    ) -> Result<Response<Guardian>, Status> {
        let caller = caller(&request)?;
        let id = convert::uuid("name", "guardians", &request.get_ref().name)?;
        Ok(Response::new(self.0.get_guardian(&caller, id).await?))
    }

    async fn list_guardians(
        &self,
        request: Request<ListGuardiansRequest>,
    ) -> Result<Response<ListGuardiansResponse>, Status> {
        let caller = caller(&request)?;
        let ListGuardiansRequest {
            parent,
            page_size,
            page_token,
        } = request.into_inner();
        let student = convert::uuid("parent", "students", &parent)?;
        let size = page::size(page_size)?;
        let binding = [&*parent];
        let wanted = Wanted {
            student,
            after: page::after(&page_token, &binding)?.unwrap_or_default(),
            limit: size + 1,
        };
        let mut found = self.0.list_guardians(&caller, wanted).await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&(last.priority, last.id), &binding),
            _ => String::new(),
        };
        let guardians = found
            .into_iter()
            .map(|guardian| self.0.shown_guardian(guardian))
            .collect::<Result<_, _>>()?;
        Ok(Response::new(ListGuardiansResponse {
            guardians,
            next_page_token,
        }))
    }

    async fn create_guardian(
        &self,
        request: Request<CreateGuardianRequest>,
    ) -> Result<Response<Guardian>, Status> {
        let caller = caller(&request)?;
        let mut request = request.into_inner();
        let student = convert::uuid("parent", "students", &request.parent)?;
        let sent = request.guardian.take().unwrap_or_default();
        let mut fields = Fields::new();
        fields.required("guardian.display_name", sent.display_name.trim());
        let read = Read::of(&sent, &mut fields);
        if sent.relation == 0 {
            fields.violation("guardian.relation", "必填", "required");
        }
        let missing = || Problem::invalid("guardian.relation", "必填", "required");
        let relation = fields
            .finish()
            .and_then(|()| read.relation.ok_or_else(missing));
        let may = self.0.student(&caller, Permission::RosterWrite, student);
        let relation = read_or_denied(relation, may).await?;
        let draft = Draft {
            display_name: read.display_name,
            relation,
            phone: read.phone,
            priority: read.priority,
        };
        request.guardian = Some(self.veiled(sent));
        let act = act("CreateGuardian", &request.request_id, &request);
        Ok(Response::new(
            self.0.create_guardian(&caller, student, draft, act).await?,
        ))
    }

    async fn update_guardian(
        &self,
        request: Request<UpdateGuardianRequest>,
    ) -> Result<Response<Guardian>, Status> {
        let caller = caller(&request)?;
        let mut request = request.into_inner();
        let sent = request.guardian.take().unwrap_or_default();
        let id = convert::uuid("guardian.name", "guardians", &sent.name)?;
        let may = self.0.guardian(&caller, Permission::RosterWrite, id);
        let change = read_or_denied(change(&request, &sent), may).await?;
        request.guardian = Some(self.veiled(sent));
        let act = act("UpdateGuardian", &request.request_id, &request);
        Ok(Response::new(
            self.0.update_guardian(&caller, id, change, act).await?,
        ))
    }

    async fn remove_guardian(
        &self,
        request: Request<RemoveGuardianRequest>,
    ) -> Result<Response<Guardian>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::uuid("name", "guardians", &request.name)?;
        let act = act("RemoveGuardian", &request.request_id, &request);
        Ok(Response::new(
            self.0.remove_guardian(&caller, id, act).await?,
        ))
    }

    async fn reveal_guardian_phone(
        &self,
        request: Request<RevealGuardianPhoneRequest>,
    ) -> Result<Response<RevealGuardianPhoneResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::uuid("name", "guardians", &request.name)?;
        let mut fields = Fields::new();
        let reason = class_group::reason(&request.reason, &mut fields);
        let may = self.0.guardian(&caller, Permission::PeopleReveal, id);
        read_or_denied(fields.finish(), may).await?;
        let phone = self.0.reveal_guardian_phone(&caller, id, &reason).await?;
        Ok(Response::new(RevealGuardianPhoneResponse { phone }))
    }
}

/// What changes of a guardian, as sent.
fn change(request: &UpdateGuardianRequest, sent: &Guardian) -> Result<Change, Problem> {
    let mask = Mask::read(request.update_mask.clone(), &FIELDS)?;
    let mut fields = Fields::new();
    let read = Read::of(sent, &mut fields);
    let display_name = mask.take("display_name", read.display_name);
    if display_name.as_ref().is_some_and(String::is_empty) {
        fields.violation("guardian.display_name", "必填", "required");
    }
    let relation = mask.take("relation", read.relation);
    if relation == Some(None) && sent.relation == 0 {
        fields.violation("guardian.relation", "必填", "required");
    }
    fields.finish()?;
    Ok(Change {
        display_name,
        relation: relation.flatten(),
        phone: mask.take("phone", read.phone),
        priority: mask.take("priority", sent.priority).map(|_| read.priority),
        etag: sent.etag.clone(),
    })
}

/// What of a guardian is read before it is known whether it changes.
struct Read {
    display_name: String,
    relation: Option<Relation>,
    phone: Option<String>,
    priority: i16,
}

impl Read {
    fn of(sent: &Guardian, fields: &mut Fields) -> Self {
        let name = fields.text("guardian.display_name", sent.display_name.trim(), 63);
        let relation = i16::try_from(sent.relation).ok();
        let relation = relation.and_then(Relation::from_code);
        if relation.is_none() && sent.relation != 0 {
            fields.violation("guardian.relation", "请选择有效的选项", "not a known value");
        }
        let (first, last) = (*PRIORITIES.start(), *PRIORITIES.end());
        let priority = match sent.priority {
            0 => first,
            sent => {
                let range = first.into()..=last.into();
                let priority = fields.within("guardian.priority", sent, range);
                i16::try_from(priority).unwrap_or(first)
            }
        };
        Self {
            display_name: name.to_owned(),
            relation,
            phone: mobile("guardian.phone", &sent.phone, fields),
            priority,
        }
    }
}

impl Api {
    /// What of a guardian is kept of a request.
    fn veiled(&self, mut sent: Guardian) -> Guardian {
        self.0.veil(&mut sent.phone);
        sent
    }
}
