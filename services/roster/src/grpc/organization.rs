//! OrganizationService.

use chrono::NaiveDate;
use kit::auth::{Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::status::Problem;
use kit::{org, page};
use proto::roster::organization_service_server::OrganizationService;
use proto::roster::{
    CloseOrganizationRequest, CreateOrganizationRequest, GetOrganizationRequest,
    ListOrganizationsRequest, ListOrganizationsResponse, Organization, UpdateOrganizationRequest,
};
use tonic::{Request, Response, Status};

use super::convert;
use super::mask::Mask;
use crate::app::organizations::{Change, Details, Draft};
use crate::app::{Act, App};
use crate::domain::organization::{Kind, Stage, Stages};
use crate::store::organizations::Wanted;

const FIELDS: [&str; 8] = [
    "display_name",
    "division_code",
    "school_code",
    "uscc",
    "stages",
    "laboratory_code",
    "boarding",
    "valid_from_date",
];

/// Serves organisations.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

#[tonic::async_trait]
impl OrganizationService for Api {
    async fn get_organization(
        &self,
        request: Request<GetOrganizationRequest>,
    ) -> Result<Response<Organization>, Status> {
        let caller = caller(&request)?;
        let id = convert::id("name", "organizations", &request.get_ref().name)?;
        let organization = self.0.get_organization(&caller, id).await?;
        Ok(Response::new(convert::organization(organization)))
    }

    async fn list_organizations(
        &self,
        request: Request<ListOrganizationsRequest>,
    ) -> Result<Response<ListOrganizationsResponse>, Status> {
        let caller = caller(&request)?;
        let ListOrganizationsRequest {
            ancestor,
            kind,
            division_code,
            show_closed,
            page_size,
            page_token,
        } = request.into_inner();
        let above = match ancestor.as_str() {
            "" => "",
            name => convert::id("ancestor", "organizations", name)?,
        };
        let size = page::size(page_size)?;
        let binding = [
            &*ancestor,
            &*kind.to_string(),
            &division_code,
            &show_closed.to_string(),
        ];
        let after = page::after(&page_token, &binding)?.unwrap_or_default();
        let wanted = Wanted {
            scope: org::OrgPath::root(),
            kind: i16::try_from(kind).ok().and_then(Kind::from_code),
            division_code: self.0.current_division(&division_code),
            closed: show_closed,
            after,
            limit: size + 1,
        };
        let mut found = self.0.list_organizations(&caller, above, wanted).await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&last.org_path, &binding),
            _ => String::new(),
        };
        let organizations = found.into_iter().map(convert::organization).collect();
        Ok(Response::new(ListOrganizationsResponse {
            organizations,
            next_page_token,
        }))
    }

    async fn create_organization(
        &self,
        request: Request<CreateOrganizationRequest>,
    ) -> Result<Response<Organization>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let sent = request.organization.clone().unwrap_or_default();
        let id = request.organization_id.as_str();
        if !org::is_id(id) {
            fields.violation(
                "organization_id",
                "应为 1 到 32 个小写字母、数字或连字符",
                "must be 1 to 32 of a-z, 0-9 and -",
            );
        }
        let kind = i16::try_from(sent.kind).ok().and_then(Kind::from_code);
        if kind.is_none() {
            fields.violation("organization.kind", "请选择有效的选项", "not a known value");
        }
        fields.required("organization.display_name", sent.display_name.trim());
        let details = self.details(&sent, &mut fields);
        let parent = match sent.parent.as_str() {
            "" => "",
            name => convert::id("organization.parent", "organizations", name)?,
        };
        fields.finish()?;
        let draft = Draft {
            id: id.to_owned(),
            kind: kind.unwrap_or(Kind::School),
            parent: parent.to_owned(),
            details,
        };
        let act = act("CreateOrganization", &request.request_id, &request);
        Ok(Response::new(
            self.0.create_organization(&caller, draft, act).await?,
        ))
    }

    async fn update_organization(
        &self,
        request: Request<UpdateOrganizationRequest>,
    ) -> Result<Response<Organization>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let sent = request.organization.clone().unwrap_or_default();
        let id = convert::id("organization.name", "organizations", &sent.name)?;
        let permission = Permission::OrganizationWrite;
        let may = self.0.organization(&caller, permission, id);
        let change = read_or_denied(self.change(&request, &sent), may).await?;
        let act = act("UpdateOrganization", &request.request_id, &request);
        Ok(Response::new(
            self.0.update_organization(&caller, id, change, act).await?,
        ))
    }

    async fn close_organization(
        &self,
        request: Request<CloseOrganizationRequest>,
    ) -> Result<Response<Organization>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::id("name", "organizations", &request.name)?;
        let permission = Permission::OrganizationWrite;
        let may = self.0.organization(&caller, permission, id);
        let closing = closing(&request, self.0.clock.today());
        let (heir, last_day) = read_or_denied(closing, may).await?;
        let act = act("CloseOrganization", &request.request_id, &request);
        let heir = heir.to_owned();
        Ok(Response::new(
            self.0
                .close_organization(&caller, id, last_day, heir, act)
                .await?,
        ))
    }
}

pub(super) fn act<'a, M>(method: &'static str, request_id: &'a str, request: &'a M) -> Act<'a, M> {
    Act {
        method,
        request_id,
        request,
    }
}

/// Who takes the place of an organisation that is closed, empty for nobody, and its last day.
fn closing(
    request: &CloseOrganizationRequest,
    today: NaiveDate,
) -> Result<(&str, NaiveDate), Problem> {
    let heir = match request.replaced_by.as_str() {
        "" => "",
        name => convert::id("replaced_by", "organizations", name)?,
    };
    let mut fields = Fields::new();
    let last_day = fields.date("valid_to_date", request.valid_to_date);
    if last_day.is_some_and(|day| day > today) {
        fields.violation("valid_to_date", "不能晚于今天", "not later than today");
    }
    fields.finish()?;
    Ok((heir, last_day.unwrap_or(today)))
}

impl Api {
    /// What changes of an organisation, as sent.
    fn change(
        &self,
        request: &UpdateOrganizationRequest,
        sent: &Organization,
    ) -> Result<Change, Problem> {
        let mask = Mask::read(request.update_mask.clone(), &FIELDS)?;
        let mut fields = Fields::new();
        let details = self.details(sent, &mut fields);
        let display_name = mask.take("display_name", details.display_name);
        if display_name.as_ref().is_some_and(String::is_empty) {
            fields.violation("organization.display_name", "必填", "required");
        }
        fields.finish()?;
        Ok(Change {
            display_name,
            division_code: mask.take("division_code", details.division_code),
            school_code: mask.take("school_code", details.school_code),
            uscc: mask.take("uscc", details.uscc),
            stages: mask.take("stages", details.stages),
            laboratory_code: mask.take("laboratory_code", details.laboratory_code),
            boarding: mask.take("boarding", details.boarding),
            valid_from: mask.take("valid_from_date", details.valid_from),
            etag: sent.etag.clone(),
        })
    }

    /// What of an organisation can change, as sent.
    fn details(&self, sent: &Organization, fields: &mut Fields) -> Details {
        let name = fields.text("organization.display_name", sent.display_name.trim(), 100);
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut code = |field: &str, text: &str, fits: bool| {
            if !text.is_empty() && !fits {
                fields.violation(field, "代码不正确，请核对", "not a valid code");
            }
            some(text)
        };
        let school_code = code(
            "organization.school_code",
            &sent.school_code,
            crate::domain::code::is_school_code(&sent.school_code),
        );
        let uscc = code(
            "organization.uscc",
            &sent.uscc,
            crate::domain::code::is_uscc(&sent.uscc),
        );
        let laboratory_code = code(
            "organization.laboratory_code",
            &sent.laboratory_code,
            org::is_id(&sent.laboratory_code),
        );
        let division = self.0.current_division(&sent.division_code);
        if division.is_empty() != sent.division_code.is_empty() {
            let field = "organization.division_code";
            fields.violation(field, "行政区划代码不存在", "unknown division code");
        }
        let mut stages = Vec::new();
        for (place, number) in sent.stages.iter().enumerate() {
            match i16::try_from(*number).ok().and_then(Stage::from_code) {
                Some(stage) if !stages.contains(&stage) => stages.push(stage),
                _ => fields.violation(
                    format!("organization.stages[{place}]"),
                    "请选择有效的选项，且不能重复",
                    "not a known value, or twice",
                ),
            }
        }
        let valid_from = sent.valid_from_date;
        Details {
            display_name: name.to_owned(),
            division_code: division,
            school_code,
            uscc,
            stages: stages.into_iter().collect::<Stages>(),
            laboratory_code,
            boarding: sent.boarding,
            valid_from: valid_from
                .and_then(|date| fields.date("organization.valid_from_date", Some(date))),
        }
    }
}
