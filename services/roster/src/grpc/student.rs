//! StudentService.

use chrono::NaiveDate;
use kit::auth::{Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::page;
use kit::status::Problem;
use proto::roster::student_service_server::StudentService;
use proto::roster::{
    CreateStudentRequest, GetStudentRequest, ListStudentsRequest, ListStudentsResponse,
    LookUpStudentRequest, Student, TransferStudentRequest, UpdateStudentRequest,
    WithdrawStudentRequest,
};
use tonic::{Request, Response, Status};

use super::mask::Mask;
use super::organization::act;
use super::{class_group, convert, people};
use crate::app::App;
use crate::app::students::{Change, Draft, Groups, Parent};
use crate::domain::code::is_student_number;
use crate::domain::document::{Document, is_birth_month};
use crate::domain::import::{ClassGroupId, Finding, IdKind, Reason, Sex, normal, phone};
use crate::domain::student::Presence;

const FIELDS: [&str; 11] = [
    "display_name",
    "sex",
    "birth_month",
    "id_type",
    "id_number",
    "student_number",
    "phone",
    "presence",
    "boarder",
    "dormitory",
    "swab_exempt",
];

/// Serves students.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

#[tonic::async_trait]
impl StudentService for Api {
    async fn get_student(
        &self,
        request: Request<GetStudentRequest>,
    ) -> Result<Response<Student>, Status> {
        let caller = caller(&request)?;
        let id = convert::uuid("name", "students", &request.get_ref().name)?;
        Ok(Response::new(self.0.get_student(&caller, id).await?))
    }

    async fn list_students(
        &self,
        request: Request<ListStudentsRequest>,
    ) -> Result<Response<ListStudentsResponse>, Status> {
        let caller = caller(&request)?;
        let ListStudentsRequest {
            parent,
            show_withdrawn,
            page_size,
            page_token,
        } = request.into_inner();
        let above = parse_parent(&parent)?;
        let size = page::size(page_size)?;
        let binding = [&*parent, &show_withdrawn.to_string()];
        let after = page::after(&page_token, &binding)?.unwrap_or_default();
        let mut found = self
            .0
            .list_students(&caller, above, show_withdrawn, after, size + 1)
            .await?;
        let more = found.len() as u64 > size;
        found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match found.last() {
            Some(last) if more => page::next(&last.id, &binding),
            _ => String::new(),
        };
        let students = found
            .into_iter()
            .map(|student| self.0.shown_student(student))
            .collect::<Result<_, _>>()?;
        Ok(Response::new(ListStudentsResponse {
            students,
            next_page_token,
        }))
    }

    async fn create_student(
        &self,
        request: Request<CreateStudentRequest>,
    ) -> Result<Response<Student>, Status> {
        let caller = caller(&request)?;
        let mut request = request.into_inner();
        let class = request.class_group.clone();
        let (organization, class_group) = people::class_group_id("class_group", &class)?;
        let sent = request.student.take().unwrap_or_default();
        let today = self.0.clock.today();
        let mut fields = Fields::new();
        fields.required("student.display_name", sent.display_name.trim());
        let read = self.read(&sent, &mut fields);
        let document = match Document::read(read.id_kind, &sent.id_number, today) {
            Ok(document) => document,
            Err(Finding { column, reason }) => {
                let field = format!("student.{column}");
                fields.violation(field, reason.hint(), reason.hint_en());
                Document::default()
            }
        };
        let start_day = match request.start_date {
            Some(date) => fields.date("start_date", Some(date)),
            None => Some(today),
        };
        if start_day.is_some_and(|day| day > today) {
            fields.violation("start_date", "不能晚于今天", "not later than today");
        }
        let permission = Permission::RosterWrite;
        let may = self
            .0
            .class_group(&caller, permission, organization, &class_group);
        read_or_denied(fields.finish(), may).await?;
        let draft = Draft {
            organization: organization.to_owned(),
            class_group,
            start_day: start_day.unwrap_or(today),
            display_name: read.display_name,
            sex: read.sex,
            birth_month: sent.birth_month,
            document,
            student_number: read.student_number,
            phone: read.phone,
            presence: read.presence.unwrap_or(Presence::Expected),
            boarder: sent.boarder,
            dormitory: read.dormitory,
            swab_exempt: sent.swab_exempt,
        };
        request.student = Some(self.veiled(sent));
        let act = act("CreateStudent", &request.request_id, &request);
        Ok(Response::new(
            self.0.create_student(&caller, draft, act).await?,
        ))
    }

    async fn update_student(
        &self,
        request: Request<UpdateStudentRequest>,
    ) -> Result<Response<Student>, Status> {
        let caller = caller(&request)?;
        let mut request = request.into_inner();
        let sent = request.student.take().unwrap_or_default();
        let id = convert::uuid("student.name", "students", &sent.name)?;
        let may = self.0.student(&caller, Permission::RosterWrite, id);
        let change = read_or_denied(self.change(&request, &sent), may).await?;
        request.student = Some(self.veiled(sent));
        let act = act("UpdateStudent", &request.request_id, &request);
        Ok(Response::new(
            self.0.update_student(&caller, id, change, act).await?,
        ))
    }

    async fn transfer_student(
        &self,
        request: Request<TransferStudentRequest>,
    ) -> Result<Response<Student>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::uuid("name", "students", &request.name)?;
        let may = self.0.student(&caller, Permission::RosterWrite, id);
        let move_to = move_to(&request, self.0.clock.today());
        let (organization, class_group, since) = read_or_denied(move_to, may).await?;
        let act = act("TransferStudent", &request.request_id, &request);
        Ok(Response::new(
            self.0
                .transfer_student(&caller, id, (organization, &class_group), since, act)
                .await?,
        ))
    }

    async fn withdraw_student(
        &self,
        request: Request<WithdrawStudentRequest>,
    ) -> Result<Response<Student>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::uuid("name", "students", &request.name)?;
        let mut fields = Fields::new();
        let last = fields.date("end_date", request.end_date);
        let may = self.0.student(&caller, Permission::RosterWrite, id);
        read_or_denied(fields.finish(), may).await?;
        let last = last.unwrap_or_else(|| self.0.clock.today());
        let act = act("WithdrawStudent", &request.request_id, &request);
        Ok(Response::new(
            self.0.withdraw_student(&caller, id, last, act).await?,
        ))
    }

    async fn look_up_student(
        &self,
        request: Request<LookUpStudentRequest>,
    ) -> Result<Response<Student>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let mut fields = Fields::new();
        let kind = id_kind("id_type", request.id_type, &mut fields).unwrap_or(IdKind::Resident);
        let read = match kind {
            IdKind::None => Err(Finding {
                column: "id_type",
                reason: Reason::IdType,
            }),
            _ => Document::read(Some(kind), &request.id_number, self.0.clock.today()),
        };
        let number = match read {
            Ok(document) => document.number,
            Err(Finding { column, reason }) => {
                fields.violation(column, reason.hint(), reason.hint_en());
                None
            }
        };
        let reason = class_group::reason(&request.reason, &mut fields);
        // Why somebody is looked for is kept, whom never.
        let number = number.unwrap_or_default();
        let told = normal(&reason).to_ascii_uppercase().replace(' ', "");
        if !number.is_empty() && told.contains(&number) {
            fields.violation("reason", "不能含有证件号", "must not hold the number");
        }
        fields.finish()?;
        Ok(Response::new(
            self.0
                .look_up_student(&caller, kind, &number, &reason)
                .await?,
        ))
    }
}

/// What of a student is read before it is known whether it changes.
struct Read {
    display_name: String,
    sex: Option<Sex>,
    id_kind: Option<IdKind>,
    student_number: Option<String>,
    phone: Option<String>,
    presence: Option<Presence>,
    dormitory: String,
}

impl Api {
    /// What changes of a student, as sent.
    fn change(&self, request: &UpdateStudentRequest, sent: &Student) -> Result<Change, Problem> {
        let mask = Mask::read(request.update_mask.clone(), &FIELDS)?;
        let mut fields = Fields::new();
        let read = self.read(sent, &mut fields);
        let display_name = mask.take("display_name", read.display_name);
        if display_name.as_ref().is_some_and(String::is_empty) {
            fields.violation("student.display_name", "必填", "required");
        }
        fields.finish()?;
        let presence = mask.take("presence", read.presence);
        Ok(Change {
            display_name,
            sex: mask.take("sex", read.sex),
            birth_month: mask.take("birth_month", sent.birth_month),
            id_kind: mask.take("id_type", read.id_kind),
            id_number: mask.take("id_number", normal(&sent.id_number)),
            student_number: mask.take("student_number", read.student_number),
            phone: mask.take("phone", read.phone),
            presence: presence.map(|presence| presence.unwrap_or(Presence::Expected)),
            boarder: mask.take("boarder", sent.boarder),
            dormitory: mask.take("dormitory", read.dormitory),
            swab_exempt: mask.take("swab_exempt", sent.swab_exempt),
            etag: sent.etag.clone(),
        })
    }

    fn read(&self, sent: &Student, fields: &mut Fields) -> Read {
        let display_name = fields.text("student.display_name", sent.display_name.trim(), 63);
        let sex = i16::try_from(sent.sex).ok().and_then(Sex::from_code);
        if sex.is_none() && sent.sex != 0 {
            fields.violation("student.sex", "请选择有效的选项", "not a known value");
        }
        let month = sent.birth_month;
        if month != 0 && !is_birth_month(month, self.0.clock.today()) {
            fields.violation(
                "student.birth_month",
                "应为不晚于本月的年月，如 201209",
                "must be a month such as 201209, not later than this one",
            );
        }
        let id_kind = id_kind("student.id_type", sent.id_type, fields);
        let student_number = normal(&sent.student_number).to_ascii_uppercase();
        if !student_number.is_empty() && !is_student_number(&student_number) {
            let reason = Reason::StudentNumber;
            fields.violation("student.student_number", reason.hint(), reason.hint_en());
        }
        let phone = mobile("student.phone", &sent.phone, fields);
        let presence = i16::try_from(sent.presence).ok();
        let presence = presence.and_then(Presence::from_code);
        if presence.is_none() && sent.presence != 0 {
            fields.violation("student.presence", "请选择有效的选项", "not a known value");
        }
        let dormitory = fields.text("student.dormitory", sent.dormitory.trim(), 32);
        Read {
            display_name: display_name.to_owned(),
            sex,
            id_kind,
            student_number: (!student_number.is_empty()).then_some(student_number),
            phone,
            presence,
            dormitory: dormitory.to_owned(),
        }
    }

    /// What of a student is kept of a request.
    fn veiled(&self, mut sent: Student) -> Student {
        for private in [
            &mut sent.id_number,
            &mut sent.student_number,
            &mut sent.phone,
        ] {
            self.0.veil(private);
        }
        sent
    }
}

/// Where a student goes to, and from which day on.
fn move_to(
    request: &TransferStudentRequest,
    today: NaiveDate,
) -> Result<(&str, ClassGroupId, NaiveDate), Problem> {
    let to = &request.destination_class_group;
    let (organization, class_group) = people::class_group_id("destination_class_group", to)?;
    let mut fields = Fields::new();
    let since = fields.date("effective_date", request.effective_date);
    fields.finish()?;
    Ok((organization, class_group, since.unwrap_or(today)))
}

fn parse_parent(parent: &str) -> Result<Parent, Problem> {
    let (organization, groups) = if let Some(above) = parent.strip_suffix("/classGroups/-") {
        (convert::id("parent", "organizations", above)?, Groups::Own)
    } else if parent.contains("/classGroups/") {
        let (organization, id) = people::class_group_id("parent", parent)?;
        (organization, Groups::One(id))
    } else {
        let organization = convert::id("parent", "organizations", parent)?;
        (organization, Groups::Below)
    };
    Ok(Parent {
        organization: organization.to_owned(),
        groups,
    })
}

fn id_kind(field: &str, sent: i32, fields: &mut Fields) -> Option<IdKind> {
    let kind = i16::try_from(sent).ok().and_then(IdKind::from_code);
    if kind.is_none() && sent != 0 {
        fields.violation(field, "请选择有效的选项", "not a known value");
    }
    kind
}

/// A mobile number as people write it; none when empty.
pub(super) fn mobile(field: &str, sent: &str, fields: &mut Fields) -> Option<String> {
    if normal(sent).is_empty() {
        return None;
    }
    let number = phone(sent);
    if number.is_none() {
        fields.violation(
            field,
            "手机号应为 1 开头的 11 位数字",
            "not a mobile number of eleven digits",
        );
    }
    number
}
