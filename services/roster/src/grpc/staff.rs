//! StaffService.

use chrono::NaiveDate;
use kit::auth::{Permission, caller};
use kit::field::{Fields, read_or_denied};
use kit::page;
use kit::status::Problem;
use proto::roster as pb;
use proto::roster::staff_service_server::StaffService;
use proto::roster::{
    CreateStaffMemberRequest, DismissStaffMemberRequest, GetStaffMemberRequest,
    ListStaffMembersRequest, ListStaffMembersResponse, TransferStaffMemberRequest,
    UpdateStaffMemberRequest,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert;
use super::mask::Mask;
use super::organization::act;
use crate::app::App;
use crate::app::staff::{Change, Draft};
use crate::domain::import::{normal, phone, resident_id};
use crate::domain::private::Private;
use crate::domain::staff::{Post, Posts, StaffMember, State};
use crate::store::staff::Wanted;

const FIELDS: [&str; 9] = [
    "display_name",
    "posts",
    "grade",
    "staff_code",
    "id_number",
    "phone",
    "swab_exempt",
    "start_date",
    "state",
];

/// Serves staff.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

#[tonic::async_trait]
impl StaffService for Api {
    async fn get_staff_member(
        &self,
        request: Request<GetStaffMemberRequest>,
    ) -> Result<Response<pb::StaffMember>, Status> {
        let caller = caller(&request)?;
        let id = convert::uuid("name", "staff", &request.get_ref().name)?;
        Ok(Response::new(self.0.get_staff_member(&caller, id).await?))
    }

    async fn list_staff_members(
        &self,
        request: Request<ListStaffMembersRequest>,
    ) -> Result<Response<ListStaffMembersResponse>, Status> {
        let caller = caller(&request)?;
        let ListStaffMembersRequest {
            parent,
            post,
            show_dismissed,
            page_size,
            page_token,
        } = request.into_inner();
        let organization = convert::id("parent", "organizations", &parent)?;
        let mut fields = Fields::new();
        let held = i16::try_from(post).ok().and_then(Post::from_code);
        if held.is_none() && post != 0 {
            fields.violation("post", "请选择有效的选项", "not a known value");
        }
        fields.finish()?;
        let size = page::size(page_size)?;
        let binding = [&*parent, &*post.to_string(), &show_dismissed.to_string()];
        let after: Option<Uuid> = page::after(&page_token, &binding)?;
        let wanted = Wanted {
            org_path: String::new(),
            posts: held.into_iter().collect(),
            dismissed: show_dismissed,
            after: after.unwrap_or_default(),
            limit: size + 1,
        };
        let mut staff = self.0.list_staff(&caller, organization, wanted).await?;
        let more = staff.len() as u64 > size;
        staff.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next_page_token = match staff.last() {
            Some(last) if more => {
                let last = convert::uuid("name", "staff", &last.name)?;
                page::next(&last, &binding)
            }
            _ => String::new(),
        };
        Ok(Response::new(ListStaffMembersResponse {
            staff,
            next_page_token,
        }))
    }

    async fn create_staff_member(
        &self,
        request: Request<CreateStaffMemberRequest>,
    ) -> Result<Response<pb::StaffMember>, Status> {
        let caller = caller(&request)?;
        let mut request = request.into_inner();
        let parent = request.parent.clone();
        let organization = convert::id("parent", "organizations", &parent)?;
        let sent = request.staff_member.clone().unwrap_or_default();
        let mut fields = Fields::new();
        let details = self.details(&sent, &mut fields);
        fields.required("staff_member.display_name", &details.display_name);
        let state = match sent.state {
            0 => Some(State::Active),
            number => working(number, &mut fields),
        };
        let may = self
            .0
            .organization(&caller, Permission::RosterWrite, organization);
        read_or_denied(fields.finish(), may).await?;
        let Details {
            display_name,
            posts,
            grade,
            staff_code,
            id_number,
            phone,
            swab_exempt,
            start,
        } = details;
        let draft = Draft {
            display_name,
            posts,
            grade,
            staff_code,
            private: Private {
                id_number,
                student_number: None,
                phone,
            },
            swab_exempt,
            start,
            state: state.unwrap_or(State::Active),
        };
        request.staff_member = Some(self.veiled(sent));
        let act = act("CreateStaffMember", &request.request_id, &request);
        let made = self
            .0
            .create_staff_member(&caller, organization, draft, act);
        Ok(Response::new(made.await?))
    }

    async fn update_staff_member(
        &self,
        request: Request<UpdateStaffMemberRequest>,
    ) -> Result<Response<pb::StaffMember>, Status> {
        let caller = caller(&request)?;
        let mut request = request.into_inner();
        let sent = request.staff_member.clone().unwrap_or_default();
        let id = convert::uuid("staff_member.name", "staff", &sent.name)?;
        let may = self.0.staff_member(&caller, Permission::RosterWrite, id);
        let change = read_or_denied(self.change(&request, &sent), may).await?;
        request.staff_member = Some(self.veiled(sent));
        let act = act("UpdateStaffMember", &request.request_id, &request);
        let changed = self.0.update_staff_member(&caller, id, change, act);
        Ok(Response::new(changed.await?))
    }

    async fn transfer_staff_member(
        &self,
        request: Request<TransferStaffMemberRequest>,
    ) -> Result<Response<pb::StaffMember>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::uuid("name", "staff", &request.name)?;
        let may = self.0.staff_member(&caller, Permission::RosterWrite, id);
        let move_to = move_to(&request, self.0.clock.today());
        let (destination, start) = read_or_denied(move_to, may).await?;
        let act = act("TransferStaffMember", &request.request_id, &request);
        let moved = self
            .0
            .transfer_staff_member(&caller, id, destination, start, act);
        Ok(Response::new(moved.await?))
    }

    async fn dismiss_staff_member(
        &self,
        request: Request<DismissStaffMemberRequest>,
    ) -> Result<Response<pb::StaffMember>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = convert::uuid("name", "staff", &request.name)?;
        let act = act("DismissStaffMember", &request.request_id, &request);
        let gone = self.0.dismiss_staff_member(&caller, id, act);
        Ok(Response::new(gone.await?))
    }
}

/// Where a member of staff goes to, and from which day on.
fn move_to(
    request: &TransferStaffMemberRequest,
    today: NaiveDate,
) -> Result<(&str, NaiveDate), Problem> {
    let field = "destination_organization";
    let destination = convert::id(field, "organizations", &request.destination_organization)?;
    let mut fields = Fields::new();
    let start = fields.date("effective_date", request.effective_date);
    if start.is_some_and(|day| day > today) {
        fields.violation("effective_date", "不能晚于今天", "not later than today");
    }
    fields.finish()?;
    Ok((destination, start.unwrap_or(today)))
}

/// What of a member of staff can be written, as sent.
struct Details {
    display_name: String,
    posts: Posts,
    grade: i16,
    staff_code: String,
    id_number: Option<String>,
    phone: Option<String>,
    swab_exempt: bool,
    start: Option<NaiveDate>,
}

impl Api {
    /// What changes of a member of staff, as sent.
    fn change(
        &self,
        request: &UpdateStaffMemberRequest,
        sent: &pb::StaffMember,
    ) -> Result<Change, Problem> {
        let mask = Mask::read(request.update_mask.clone(), &FIELDS)?;
        let mut fields = Fields::new();
        let details = self.details(sent, &mut fields);
        let display_name = mask.take("display_name", details.display_name);
        if display_name.as_ref().is_some_and(String::is_empty) {
            fields.violation("staff_member.display_name", "必填", "required");
        }
        let state = mask.take("state", sent.state);
        let state = state.and_then(|number| working(number, &mut fields));
        fields.finish()?;
        Ok(Change {
            display_name,
            posts: mask.take("posts", details.posts),
            grade: mask.take("grade", details.grade),
            staff_code: mask.take("staff_code", details.staff_code),
            id_number: mask.take("id_number", details.id_number),
            phone: mask.take("phone", details.phone),
            swab_exempt: mask.take("swab_exempt", details.swab_exempt),
            start: mask.take("start_date", details.start),
            state,
            etag: sent.etag.clone(),
        })
    }

    fn details(&self, sent: &pb::StaffMember, fields: &mut Fields) -> Details {
        let display_name = normal(&sent.display_name);
        fields.text("staff_member.display_name", &display_name, 63);
        let posts = posts("staff_member.posts", &sent.posts, fields);
        let grade = fields.within("staff_member.grade", sent.grade, 0..=12);
        let staff_code = normal(&sent.staff_code);
        fields.text("staff_member.staff_code", &staff_code, 64);
        let id_number = match normal(&sent.id_number).as_str() {
            "" => None,
            number => match resident_id(number, self.0.clock.today()) {
                Ok((number, _, _)) => Some(number),
                Err(reason) => {
                    let field = "staff_member.id_number";
                    fields.violation(field, reason.hint(), reason.hint_en());
                    None
                }
            },
        };
        let number = phone(&sent.phone);
        if number.is_none() && !normal(&sent.phone).is_empty() {
            fields.violation(
                "staff_member.phone",
                "手机号应为 1 开头的 11 位数字",
                "not a mobile number of the mainland",
            );
        }
        let start = sent.start_date;
        Details {
            display_name,
            posts,
            grade: i16::try_from(grade).unwrap_or_default(),
            staff_code,
            id_number,
            phone: number,
            swab_exempt: sent.swab_exempt,
            start: start.and_then(|date| fields.date("staff_member.start_date", Some(date))),
        }
    }
}

/// The state as sent: what is written by hand is that somebody works, present or on leave.
fn working(number: i32, fields: &mut Fields) -> Option<State> {
    let state = i16::try_from(number).ok().and_then(State::from_code);
    let state = state.filter(|state| *state != State::Dismissed);
    if state.is_none() {
        fields.violation(
            "staff_member.state",
            "只能为在岗或长期离岗；离职请办理解聘",
            "active or on leave; dismissal has a call of its own",
        );
    }
    state
}

/// Posts as sent, each at most once.
fn posts(field: &str, sent: &[i32], fields: &mut Fields) -> Posts {
    let mut posts = Vec::new();
    for (place, number) in sent.iter().enumerate() {
        match i16::try_from(*number).ok().and_then(Post::from_code) {
            Some(post) if !posts.contains(&post) => posts.push(post),
            _ => fields.violation(
                format!("{field}[{place}]"),
                "请选择有效的选项，且不能重复",
                "not a known value, or twice",
            ),
        }
    }
    posts.into_iter().collect()
}

impl Api {
    /// What of a member of staff is kept of a request.
    fn veiled(&self, mut sent: pb::StaffMember) -> pb::StaffMember {
        for private in [&mut sent.id_number, &mut sent.phone] {
            self.0.veil(private);
        }
        sent
    }
}

/// A member of staff for the wire.
pub(crate) fn staff_member(member: StaffMember, masked_phone: String) -> pb::StaffMember {
    let name = member.name();
    let organization = format!("organizations/{}", member.organization());
    let StaffMember {
        id: _,
        org_path: _,
        display_name,
        posts,
        source_posts: _,
        grade,
        staff_code,
        id_type: _,
        id_hash: _,
        sealed: _,
        swab_exempt,
        start,
        state,
        version,
        update_time,
    } = member;
    pb::StaffMember {
        name,
        organization,
        display_name,
        posts: posts.iter().map(Post::code).map(i32::from).collect(),
        grade: grade.into(),
        staff_code,
        id_number: String::new(),
        phone: String::new(),
        masked_phone,
        swab_exempt,
        start_date: convert::day(start),
        state: state.code().into(),
        update_time: convert::instant(update_time),
        etag: convert::etag(version),
    }
}
