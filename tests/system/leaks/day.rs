//! What happens at the first two schools of the region before anybody asks: everything that leaves a trace
//! with a name.

use std::slice;

use chrono::TimeDelta;
use kit::auth::{Caller, Role};
use kit::clock::civil_date;
use kit::field::{to_date, to_timestamp};
use proto::notification::concern::{Category, Submitter};
use proto::notification::concern_service_client::ConcernServiceClient;
use proto::notification::directive::Urgency;
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::meeting_service_client::MeetingServiceClient;
use proto::notification::{
    ApproveDirectiveRequest, Audience, Concern, ConveneMeetingRequest, DraftDirectiveRequest,
    IssueDirectiveRequest, ListAttendancesRequest, Meeting, SubmitConcernRequest, Venue,
};
use proto::roster::access_approval_service_client::AccessApprovalServiceClient;
use proto::roster::import_job::Mode;
use proto::roster::import_service_client::ImportServiceClient;
use proto::roster::subject_request::{Asker, Kind as Wanted};
use proto::roster::subject_request_service_client::SubjectRequestServiceClient;
use proto::roster::{
    AccessApproval, CreateImportJobRequest, FileSubjectRequestRequest, MinorData,
    RequestAccessRequest, SubjectRequest,
};
use proto::safety::inspection_plan_service_client::InspectionPlanServiceClient;
use proto::safety::shelter_service_client::ShelterServiceClient;
use proto::safety::supply_service_client::SupplyServiceClient;
use proto::safety::{
    CreateInspectionPlaceRequest, CreateShelterRequest, InspectionPlace, PlaceKind,
    SendSupplyTransferRequest, Shelter,
};
use tests::city::{Door, caller};
use tests::town::{CITY, DISTRICT, school, school_path};

use super::{rules, sick};
use crate::region::Region;
use crate::safety::people::{call, organization};
use crate::safety::{counted, preparation, storm, visitors};
use crate::verbs::{enter, request_id};
use crate::{orders, safety};

/// The school of which everything is asked, the one next door that asks, and one more.
pub(crate) const VICTIM: u32 = 1;
pub(super) const SIBLING: u32 = 2;
const THIRD: u32 = 3;

/// Somebody with a role at a school.
pub(super) fn at(region: &Region, school: u32, role: Role) -> Door {
    region.city.door(role, &school_path(school))
}

/// Two days and a morning. Gives the names that no list at the first school has.
pub(crate) async fn at_both_schools(region: &Region) -> Vec<String> {
    safety::the_school_day(region).await;
    orders::the_voices(region).await;
    counted::is_declared_and_confirmed(region).await;
    let mut names = vec![visitors::are_expected(region).await];

    region.at(8, 8, 0);
    sick::are_drawn(region).await;
    for school in [VICTIM, SIBLING] {
        is_furnished(region, school).await;
        has_asked_the_register(region, school).await;
        sick::fall_ill(region, school).await;
        enter(&region.city, school, region.city.student(school, 1, 4)).await;
    }
    transfer(region).await;
    let warned = storm::ingest(
        region.authority("weather-bureau"),
        storm::document(("w1", 0), None),
    );
    warned.await.expect("the weather bureau warns");
    names.push(region.city.student(VICTIM, sick::FEVERISH, 1).to_owned());
    names.extend(rules::are_made(region).await);
    names.extend(order(region).await);
    names.extend(meeting(region).await);
    names.push(concern(region).await);
    names
}

/// Supplies, rooms and places of the campus.
async fn is_furnished(region: &Region, school: u32) {
    preparation::supplies(region, school).await;
    preparation::isolation_room(region, school).await;
    let own = at(region, school, Role::SafetyOfficer);
    let shelter = CreateShelterRequest {
        parent: organization(school),
        shelter: Some(Shelter {
            display_name: "体育馆".to_owned(),
            access: "东门进入".to_owned(),
            capacity: 300,
            ..Shelter::default()
        }),
        request_id: request_id(),
    };
    let made = call!(ShelterServiceClient, own.clone(), create_shelter, shelter);
    made.expect("a shelter");
    let bus = CreateInspectionPlaceRequest {
        parent: organization(school),
        inspection_place: Some(InspectionPlace {
            place_kind: PlaceKind::Bus.into(),
            place: format!("bus/{school}"),
            display_name: "一号校车".to_owned(),
            ..InspectionPlace::default()
        }),
        request_id: request_id(),
    };
    let entered = call!(
        InspectionPlanServiceClient,
        own,
        create_inspection_place,
        bus
    );
    entered.expect("a bus");
}

/// The school sends masks to the third one.
async fn transfer(region: &Region) {
    let request = SendSupplyTransferRequest {
        parent: organization(VICTIM),
        receiver: organization(THIRD),
        item: "supplyItems/mask".to_owned(),
        quantity: 1,
        request_id: request_id(),
    };
    let own = at(region, VICTIM, Role::SafetyOfficer);
    let sent = call!(SupplyServiceClient, own, send_supply_transfer, request);
    sent.expect("is sent");
}

/// An import that was begun, a request of a family, and a request for access.
async fn has_asked_the_register(region: &Region, school: u32) {
    let clerk = at(region, school, Role::SchoolClerk);
    let job = CreateImportJobRequest {
        organization: organization(school),
        source: "clerk".to_owned(),
        mode: Mode::Delta.into(),
        vanish_threshold: None,
        request_id: request_id(),
    };
    let opened = call!(ImportServiceClient, clerk.clone(), create_import_job, job);
    opened.expect("a job is opened");
    let asked = FileSubjectRequestRequest {
        parent: organization(school),
        subject_request: Some(SubjectRequest {
            person: region.city.student(school, 1, 1).to_owned(),
            kind: Wanted::Access.into(),
            asker: Asker::Guardian.into(),
            identity_check: "户口簿与身份证原件核对无误".to_owned(),
            ..SubjectRequest::default()
        }),
        request_id: request_id(),
    };
    let filed = call!(
        SubjectRequestServiceClient,
        clerk.clone(),
        file_subject_request,
        asked
    );
    filed.expect("is filed");
    let wanted = RequestAccessRequest {
        parent: organization(school),
        access_approval: Some(AccessApproval {
            data: vec![MinorData::Register.into()],
            persons: vec![region.city.student(school, 1, 2).to_owned()],
            purpose: "audit".to_owned(),
            reason: "未成年人网络保护条例第三十七条年度合规审计".to_owned(),
            expire_time: Some(to_timestamp(region.now() + TimeDelta::days(1))),
            ..AccessApproval::default()
        }),
        request_id: request_id(),
    };
    let asked = call!(AccessApprovalServiceClient, clerk, request_access, wanted);
    asked.expect("is asked for");
}

/// An officer of the bureau above both schools.
fn desk(region: &Region, subject: &str) -> Door {
    let [(_, path), _] = region.bureaus();
    region.city.door_of(Caller {
        subject: subject.to_owned(),
        ..caller(Role::DistrictOfficer, &path)
    })
}

/// Both schools.
fn both() -> Audience {
    Audience {
        organizations: [VICTIM, SIBLING].map(organization).into(),
        ..Audience::default()
    }
}

/// The bureau orders something of both schools. Gives the recipient that is the first one.
async fn order(region: &Region) -> Vec<String> {
    let draft = DraftDirectiveRequest {
        parent: format!("organizations/{DISTRICT}"),
        urgency: Urgency::Urgent.into(),
        title: "通知".to_owned(),
        text: "请各校落实晨午晚检。".to_owned(),
        audience: Some(both()),
        request_id: request_id(),
        ..DraftDirectiveRequest::default()
    };
    let [one, other] = ["desk-1", "desk-2"].map(|subject| desk(region, subject));
    let drafted = call!(DirectiveServiceClient, one.clone(), draft_directive, draft);
    let name = drafted.expect("is drafted").name;
    let approve = ApproveDirectiveRequest {
        name: name.clone(),
        request_id: request_id(),
    };
    let approved = call!(DirectiveServiceClient, other, approve_directive, approve);
    approved.expect("is approved");
    let issue = IssueDirectiveRequest {
        name: name.clone(),
        request_id: request_id(),
    };
    let issued = call!(DirectiveServiceClient, one, issue_directive, issue);
    issued.expect("is issued");
    vec![format!("{name}/recipients/{}", school(VICTIM))]
}

/// The bureau calls the heads of both schools. Gives whoever is expected of the first one.
async fn meeting(region: &Region) -> Vec<String> {
    let main = Venue {
        venue_id: "main".to_owned(),
        display_name: "教育局会议室".to_owned(),
        main: true,
        organization: String::new(),
    };
    let convene = ConveneMeetingRequest {
        parent: format!("organizations/{DISTRICT}"),
        meeting: Some(Meeting {
            title: "校园安全工作会".to_owned(),
            start_time: Some(to_timestamp(region.later(60))),
            end_time: Some(to_timestamp(region.later(120))),
            venues: vec![main],
            audience: Some(both()),
            posts: vec!["PRINCIPAL".to_owned()],
            ..Meeting::default()
        }),
        request_id: request_id(),
    };
    let own = desk(region, "desk-1");
    let called = call!(MeetingServiceClient, own.clone(), convene_meeting, convene);
    let list = ListAttendancesRequest {
        parent: called.expect("is called").name,
        ..ListAttendancesRequest::default()
    };
    let listed = call!(MeetingServiceClient, own, list_attendances, list);
    let attendances = listed.expect("who is expected").attendances.into_iter();
    let own = format!("/attendances/{}~", school(VICTIM));
    let names = attendances.map(|one| one.name);
    let names: Vec<_> = names.filter(|name| name.contains(&own)).collect();
    assert_eq!(names.len(), 1, "the head of the first school is expected");
    names
}

/// A parent of the first school asks something that nobody has seen to.
async fn concern(region: &Region) -> String {
    let child = region.city.student(VICTIM, 1, 2).to_owned();
    let class = format!("{}/{}", school_path(VICTIM), region.city.town.class_id(1));
    let parent = region.person(Role::Guardian, &class, &child);
    let request = SubmitConcernRequest {
        parent: organization(VICTIM),
        concern: Some(Concern {
            submitter: Submitter::Guardian.into(),
            category: Category::Living.into(),
            text: "食堂排队太久".to_owned(),
            ..Concern::default()
        }),
        request_id: request_id(),
    };
    let submitted = call!(ConcernServiceClient, parent, submit_concern, request);
    let concern = submitted.expect("is handed in").concern;
    concern.expect("a concern").name
}

/// The civil day in the region.
pub(crate) fn today(region: &Region) -> Option<proto::Date> {
    Some(to_date(civil_date(region.now())))
}

/// The draw of a school today.
pub(super) fn draw_of(region: &Region, at: u32) -> String {
    let day = civil_date(region.now()).format("%Y%m%d");
    format!("draws/daily~{day}~{}", school(at))
}

/// What is tested at a school, by whom, and where it is kept.
pub(super) fn tube_of(at: u32) -> String {
    format!("L{at:02}-1")
}

/// Disease control of the district.
pub(super) fn disease_control(region: &Region) -> Door {
    let place = format!("{CITY}/{DISTRICT}");
    region.city.door(Role::DiseaseControl, &place)
}

/// One thing of a list.
pub(super) fn one<T>(of: &T) -> &[T] {
    slice::from_ref(of)
}
