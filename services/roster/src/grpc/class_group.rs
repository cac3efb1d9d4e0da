//! ClassGroupService.

use kit::auth::{Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::page;
use kit::status::Problem;
use proto::roster::class_group_service_server::ClassGroupService;
use proto::roster::{
    ClassGroup, CreateClassGroupRequest, GetClassGroupRequest, GetTeachingSummaryRequest,
    ListClassGroupsRequest, ListClassGroupsResponse, ListTeachingSummariesRequest,
    ListTeachingSummariesResponse, PromoteClassGroupsRequest, PromoteClassGroupsResponse,
    SetTeachingModeRequest, SetTeachingModeResponse, TeachingSummary, UpdateClassGroupRequest,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::mask::Mask;
use super::organization::act;
use super::{convert, people};
use crate::app::App;
use crate::app::class_groups::{Change, Draft};
use crate::app::teaching::Teaching;
use crate::domain::class_group::{Ground, TeachingMode, may_begin, may_open};
use crate::domain::import::ClassGroupId;
use crate::domain::organization::Stage;
use crate::store::class_groups::Wanted;

const FIELDS: [&str; 2] = ["display_name", "head_teacher"];
/// How many characters a reason may have.
const REASON: usize = 200;

/// Serves class groups.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

#[tonic::async_trait]
impl ClassGroupService for Api {
    async fn get_class_group(
        &self,
        request: Request<GetClassGroupRequest>,
    ) -> Result<Response<ClassGroup>, Status> {
        let caller = caller(&request)?;
        let (organization, id) = people::class_group_id("name", &request.get_ref().name)?;
        Ok(Response::new(
            self.0.get_class_group(&caller, organization, &id).await?,
        ))
    }

    async fn list_class_groups(
        &self,
        request: Request<ListClassGroupsRequest>,
    ) -> Result<Response<ListClassGroupsResponse>, Status> {
        let caller = caller(&request)?;
        let ListClassGroupsRequest {
            parent,
            show_graduated,
            page_size,
            page_token,
        } = request.into_inner();
        let organization = convert::id("parent", "organizations", &parent)?;
        let size = page::size(page_size)?;
        let binding = [&*parent, &show_graduated.to_string()];
        let wanted = Wanted {
            organization: organization.to_owned(),
            graduated: show_graduated,
            after: page::after(&page_token, &binding)?.unwrap_or_default(),
            limit: size + 1,
        };
        let mut found = self.0.list_class_groups(&caller, wanted).await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&last.org_path, &binding),
            _ => String::new(),
        };
        let today = self.0.clock.today();
        let class_groups = found
            .into_iter()
            .map(|group| people::class_group(group, today))
            .collect();
        Ok(Response::new(ListClassGroupsResponse {
            class_groups,
            next_page_token,
        }))
    }

    async fn get_teaching_summary(
        &self,
        request: Request<GetTeachingSummaryRequest>,
    ) -> Result<Response<TeachingSummary>, Status> {
        let caller = caller(&request)?;
        let told = self.summary(&caller, request.into_inner()).await?;
        Ok(Response::new(told))
    }

    async fn list_teaching_summaries(
        &self,
        request: Request<ListTeachingSummariesRequest>,
    ) -> Result<Response<ListTeachingSummariesResponse>, Status> {
        let caller = caller(&request)?;
        let told = self.summaries(&caller, request.into_inner()).await?;
        Ok(Response::new(told))
    }

    async fn create_class_group(
        &self,
        request: Request<CreateClassGroupRequest>,
    ) -> Result<Response<ClassGroup>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::id("parent", "organizations", &request.parent)?;
        let sent = request.class_group.clone().unwrap_or_default();
        let mut fields = Fields::new();
        let id = self.id(&sent, &mut fields);
        let display_name = display_name(&sent, &mut fields);
        let head_teacher = head_teacher(&sent, &mut fields);
        let incomplete = || Problem::invalid("class_group", "不完整", "incomplete");
        let id = fields.finish().and_then(|()| id.ok_or_else(incomplete));
        let may = self
            .0
            .organization(&caller, Permission::RosterWrite, organization);
        let id = read_or_denied(id, may).await?;
        let draft = Draft {
            organization: organization.to_owned(),
            id,
            display_name,
            head_teacher,
        };
        let act = act("CreateClassGroup", &request.request_id, &request);
        Ok(Response::new(
            self.0.create_class_group(&caller, draft, act).await?,
        ))
    }

    async fn update_class_group(
        &self,
        request: Request<UpdateClassGroupRequest>,
    ) -> Result<Response<ClassGroup>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let sent = request.class_group.clone().unwrap_or_default();
        let (organization, id) = people::class_group_id("class_group.name", &sent.name)?;
        let may = self
            .0
            .class_group(&caller, Permission::RosterWrite, organization, &id);
        let change = read_or_denied(change(&request, &sent), may).await?;
        let act = act("UpdateClassGroup", &request.request_id, &request);
        Ok(Response::new(
            self.0
                .update_class_group(&caller, organization, &id, change, act)
                .await?,
        ))
    }

    async fn set_teaching_mode(
        &self,
        request: Request<SetTeachingModeRequest>,
    ) -> Result<Response<SetTeachingModeResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let name = &request.name;
        let (organization, class_group) = if name.contains("/classGroups/") {
            let (organization, id) = people::class_group_id("name", name)?;
            (organization, Some(id))
        } else {
            (convert::id("name", "organizations", name)?, None)
        };
        let may = async {
            let (app, permission) = (&self.0, Permission::TeachingModeWrite);
            match &class_group {
                Some(id) => {
                    let found = app.class_group(&caller, permission, organization, id);
                    found.await.map(drop)
                }
                None => {
                    let found = app.organization(&caller, permission, organization);
                    found.await.map(drop)
                }
            }
        };
        let read = teaching(&request, class_group.is_some());
        let (mode, ground, reason) = read_or_denied(read, may).await?;
        let teaching = Teaching {
            organization: organization.to_owned(),
            class_group,
            name: name.clone(),
            mode,
            ground,
            grades: request.grades.clone(),
            reason,
        };
        let act = act("SetTeachingMode", &request.request_id, &request);
        Ok(Response::new(
            self.0.set_teaching_mode(&caller, teaching, act).await?,
        ))
    }

    async fn promote_class_groups(
        &self,
        request: Request<PromoteClassGroupsRequest>,
    ) -> Result<Response<PromoteClassGroupsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let organization = convert::id("parent", "organizations", &request.parent)?;
        let today = self.0.clock.today();
        let mut fields = Fields::new();
        let date = match request.date {
            Some(date) => fields.date("date", Some(date)),
            None => Some(today),
        };
        if date.is_some_and(|date| !may_begin(date, today)) {
            fields.violation(
                "date",
                "只能是本学年或下一学年内的日期",
                "must lie in the present school year or in the next one",
            );
        }
        let permission = Permission::TeachingModeWrite;
        let may = self.0.organization(&caller, permission, organization);
        read_or_denied(fields.finish(), may).await?;
        let date = date.unwrap_or(today);
        let act = act("PromoteClassGroups", &request.request_id, &request);
        Ok(Response::new(
            self.0
                .promote_class_groups(&caller, organization, date, act)
                .await?,
        ))
    }
}

impl Api {
    /// The id that follows from stage, entry year and number.
    fn id(&self, sent: &ClassGroup, fields: &mut Fields) -> Option<ClassGroupId> {
        let stage = i16::try_from(sent.stage).ok().and_then(Stage::from_code);
        if stage.is_none() {
            fields.violation("class_group.stage", "请选择有效的选项", "not a known value");
        }
        fields.within("class_group.entry_year", sent.entry_year, 1980..=2100);
        fields.within("class_group.number", sent.number, 1..=99);
        let id = ClassGroupId::new(stage?, sent.entry_year, sent.number)?;
        if !may_open(&id, self.0.clock.today()) {
            fields.violation(
                "class_group.entry_year",
                "该届已毕业，或晚于下一学年入学",
                "the cohort has finished, or enters after the next school year",
            );
        }
        Some(id)
    }
}

/// What changes of a class group, as sent.
fn change(request: &UpdateClassGroupRequest, sent: &ClassGroup) -> Result<Change, Problem> {
    let mask = Mask::read(request.update_mask.clone(), &FIELDS)?;
    let mut fields = Fields::new();
    let display_name = display_name(sent, &mut fields);
    let head_teacher = head_teacher(sent, &mut fields);
    fields.finish()?;
    Ok(Change {
        display_name: mask.take("display_name", display_name),
        head_teacher: mask.take("head_teacher", head_teacher),
        etag: sent.etag.clone(),
    })
}

/// How class groups are to be taught, on what ground and why, as sent.
fn teaching(
    request: &SetTeachingModeRequest,
    is_class_group: bool,
) -> Result<(TeachingMode, Ground, String), Problem> {
    let mut fields = Fields::new();
    let mode = i16::try_from(request.teaching_mode).ok();
    let mode = mode.and_then(TeachingMode::from_code);
    if mode.is_none() {
        fields.violation("teaching_mode", "请选择有效的选项", "not a known value");
    }
    let ground = match request.ground {
        0 => Some(Ground::General),
        code => i16::try_from(code).ok().and_then(Ground::from_code),
    };
    if ground.is_none() {
        fields.violation("ground", "请选择有效的选项", "not a known value");
    }
    if is_class_group && !request.grades.is_empty() {
        fields.violation(
            "grades",
            "只有按机构设置时才能指定年级",
            "only when an organisation is named",
        );
    }
    for (place, grade) in request.grades.iter().enumerate() {
        fields.within(&format!("grades[{place}]"), *grade, 0..=12);
    }
    let reason = reason(&request.reason, &mut fields);
    fields.finish()?;
    let (Some(mode), Some(ground)) = (mode, ground) else {
        return Err(Problem::invalid("teaching_mode", "必填", "required"));
    };
    Ok((mode, ground, reason))
}

fn display_name(sent: &ClassGroup, fields: &mut Fields) -> String {
    let name = fields.text("class_group.display_name", sent.display_name.trim(), 63);
    name.to_owned()
}

fn head_teacher(sent: &ClassGroup, fields: &mut Fields) -> Option<Uuid> {
    if sent.head_teacher.is_empty() {
        return None;
    }
    let id = convert::uuid("class_group.head_teacher", "staff", &sent.head_teacher).ok();
    if id.is_none() {
        fields.violation(
            "class_group.head_teacher",
            "格式应为 staff/…",
            "must be of the form staff/…",
        );
    }
    id
}

/// Why somebody acts.
pub(super) fn reason(sent: &str, fields: &mut Fields) -> String {
    let reason = fields.required("reason", sent.trim());
    fields.text("reason", reason, REASON).to_owned()
}
