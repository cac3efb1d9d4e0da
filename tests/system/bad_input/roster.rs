//! What the register refuses.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use kit::auth::Role;
use kit::field::to_date;
use proto::roster::calendar_service_client::CalendarServiceClient;
use proto::roster::calendar_year::NamedDay;
use proto::roster::class_group_service_client::ClassGroupServiceClient;
use proto::roster::guardian_service_client::GuardianServiceClient;
use proto::roster::organization::Kind;
use proto::roster::organization_service_client::OrganizationServiceClient;
use proto::roster::policy_service_client::PolicyServiceClient;
use proto::roster::staff_service_client::StaffServiceClient;
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::{
    ActivatePolicyProfileRequest, CalendarYear, CloseOrganizationRequest,
    CreateOrganizationRequest, CreateStudentRequest, GetCalendarYearRequest, GetClassGroupRequest,
    GetOrganizationRequest, GetPolicyProfileRequest, GetStaffMemberRequest, GetStudentRequest,
    ListGuardiansRequest, ListOrganizationsRequest, ListPolicyProfilesRequest,
    ListStaffMembersRequest, ListStudentsRequest, LookUpStudentRequest, Organization,
    PolicyProfile, ProposePolicyProfileRequest, SetCalendarYearRequest, Student,
    TransferStudentRequest, UpdateStudentRequest, WithdrawStudentRequest, policy_profile,
};
use tests::city::City;
use tests::town::{CITY, DISTRICT, resident_id, school, school_path};
use tonic::Code;
use uuid::Uuid;

use super::send;
use crate::verbs::expect;

const DENIED: (Code, &str) = (Code::PermissionDenied, "SCOPE_DENIED");
const MISSING: (Code, &str) = (Code::NotFound, "NOT_FOUND");
const INVALID: (Code, &str) = (Code::InvalidArgument, "INVALID_FIELD");

/// Every organisation, student and policy with its version, and the calendar.
pub(super) async fn everything(city: &City) -> Vec<String> {
    let officer = city.door(Role::CityOfficer, CITY);
    let request = ListOrganizationsRequest {
        page_size: 1000,
        ..ListOrganizationsRequest::default()
    };
    let mut organizations = OrganizationServiceClient::new(officer.clone());
    let listed = organizations.list_organizations(request).await;
    let listed = listed.expect("organisations").into_inner().organizations;
    let mut all: Vec<String> = listed.iter().map(|one| format!("{one:?}")).collect();
    let mut students = StudentServiceClient::new(officer.clone());
    for at in 1..=city.town.schools {
        let request = ListStudentsRequest {
            parent: format!("organizations/{}", school(at)),
            show_withdrawn: true,
            page_size: 1000,
            ..ListStudentsRequest::default()
        };
        let listed = students.list_students(request).await.expect("students");
        let listed = listed.into_inner();
        assert_eq!(listed.next_page_token, "", "a school is one page");
        all.extend(listed.students.iter().map(|one| format!("{one:?}")));
    }
    let mut policies = PolicyServiceClient::new(officer.clone());
    let listed = policies
        .list_policy_profiles(ListPolicyProfilesRequest::default())
        .await;
    let listed = listed.expect("policies").into_inner().policy_profiles;
    all.extend(listed.iter().map(|one| format!("{one:?}")));
    let mut calendars = CalendarServiceClient::new(officer);
    let name = format!("calendarYears/{}", city.town.today.year());
    let year = calendars
        .get_calendar_year(GetCalendarYearRequest { name })
        .await;
    all.push(format!("{:?}", year.expect("the calendar").into_inner()));
    all
}

/// T24: a school does not learn of another school's pupils even by id, nor a district of another
/// one's; and it is answered alike whether they exist.
pub(super) async fn another_school(city: &City) {
    let theirs = city.student(1, 1, 1).to_owned();
    let nobody = format!("students/{}", Uuid::new_v4());
    let places = [
        (Role::SchoolClerk, school_path(2)),
        (Role::DistrictOfficer, format!("{CITY}/350181")),
    ];
    for (role, place) in places {
        let door = city.door(role, &place);
        let mut students = StudentServiceClient::new(door.clone());
        let mut guardians = GuardianServiceClient::new(door.clone());
        for student in [&theirs, &nobody] {
            let name = student.clone();
            let answer = students.get_student(GetStudentRequest { name }).await;
            expect("to read", answer, DENIED.0, DENIED.1);
            let request = ListGuardiansRequest {
                parent: student.clone(),
                ..ListGuardiansRequest::default()
            };
            let answer = guardians.list_guardians(request).await;
            expect("to read the guardians", answer, DENIED.0, DENIED.1);
            let request = UpdateStudentRequest {
                student: Some(Student {
                    name: student.clone(),
                    display_name: "改名".to_owned(),
                    ..Student::default()
                }),
                ..UpdateStudentRequest::default()
            };
            let answer = students.update_student(request).await;
            expect("to change", answer, DENIED.0, DENIED.1);
            let request = WithdrawStudentRequest {
                name: student.clone(),
                end_date: Some(to_date(city.town.today)),
                ..WithdrawStudentRequest::default()
            };
            let answer = students.withdraw_student(request).await;
            expect("to withdraw", answer, DENIED.0, DENIED.1);
            let request = TransferStudentRequest {
                name: student.clone(),
                destination_class_group: city.town.class_group(2, 1),
                effective_date: Some(to_date(city.town.today)),
                ..TransferStudentRequest::default()
            };
            let answer = students.transfer_student(request).await;
            expect("to take over", answer, DENIED.0, DENIED.1);
        }
        let request = ListStudentsRequest {
            parent: format!("organizations/{}", school(1)),
            ..ListStudentsRequest::default()
        };
        let answer = students.list_students(request).await;
        expect("to list", answer, DENIED.0, DENIED.1);
        let request = ListStaffMembersRequest {
            parent: format!("organizations/{}", school(1)),
            ..ListStaffMembersRequest::default()
        };
        let answer = StaffServiceClient::new(door.clone())
            .list_staff_members(request)
            .await;
        expect("to list staff", answer, DENIED.0, DENIED.1);
        let unknown = resident_id(city.town.everybody() + 5);
        for id_number in [resident_id(city.town.number(1, 1, 1)), unknown] {
            let request = LookUpStudentRequest {
                id_number,
                reason: "转学核对".to_owned(),
                ..LookUpStudentRequest::default()
            };
            let answer = students.look_up_student(request).await;
            expect("to look up", answer, MISSING.0, MISSING.1);
        }
    }
}

pub(super) async fn unknown_and_malformed(city: &City) {
    let officer = city.door(Role::CityOfficer, CITY);
    let mut students = StudentServiceClient::new(officer.clone());
    let mut staff = StaffServiceClient::new(officer.clone());
    let mut organizations = OrganizationServiceClient::new(officer.clone());
    let mut groups = ClassGroupServiceClient::new(officer.clone());
    let mut policies = PolicyServiceClient::new(officer.clone());
    let mut calendars = CalendarServiceClient::new(officer.clone());
    let id = Uuid::new_v4();
    for (name, (code, reason)) in [
        (format!("students/{id}"), MISSING),
        ("students/张三".to_owned(), INVALID),
        (format!("staff/{id}"), INVALID),
        (String::new(), INVALID),
    ] {
        let answer = students.get_student(GetStudentRequest { name }).await;
        expect("a student", answer, code, reason);
    }
    let name = format!("staff/{id}");
    let answer = staff.get_staff_member(GetStaffMemberRequest { name }).await;
    expect("a member of staff", answer, MISSING.0, MISSING.1);
    let name = "organizations/2135010099".to_owned();
    let answer = organizations
        .get_organization(GetOrganizationRequest { name })
        .await;
    expect("an organisation", answer, MISSING.0, MISSING.1);
    for (group, (code, reason)) in [("p2019-77", MISSING), ("3-1", INVALID)] {
        let name = format!("organizations/{}/classGroups/{group}", school(1));
        let answer = groups.get_class_group(GetClassGroupRequest { name }).await;
        expect("a class group", answer, code, reason);
    }
    for (version, (code, reason)) in [("none-1", MISSING), ("none", INVALID)] {
        let name = format!("policyProfiles/{version}");
        let answer = policies
            .get_policy_profile(GetPolicyProfileRequest { name })
            .await;
        expect("a policy", answer, code, reason);
    }
    let name = "calendarYears/2099".to_owned();
    let answer = calendars
        .get_calendar_year(GetCalendarYearRequest { name })
        .await;
    expect("a calendar", answer, MISSING.0, MISSING.1);
    let request = ListStudentsRequest {
        parent: format!("organizations/{}", school(1)),
        page_size: -1,
        ..ListStudentsRequest::default()
    };
    let answer = students.list_students(request).await;
    expect("a negative page", answer, INVALID.0, INVALID.1);

    let path = "/campus.roster.v1.StudentService/UpdateStudent";
    let answer = send(officer.clone(), path, "\u{7}\u{7}\u{7}".to_owned()).await;
    let malformed = (Code::InvalidArgument, "MESSAGE_MALFORMED");
    expect("no message", answer, malformed.0, malformed.1);
    let answer = send(officer, path, "x".repeat(5 << 20)).await;
    let large = (Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
    expect("too much", answer, large.0, large.1);
}

/// What the rules of the register forbid.
pub(super) async fn rules(city: &City) {
    organizations(city).await;
    students(city).await;
    policies(city).await;
    calendars(city).await;
}

async fn organizations(city: &City) {
    let officer = city.door(Role::CityOfficer, CITY);
    let mut client = OrganizationServiceClient::new(officer);
    let create = |id: &str, kind: Kind| CreateOrganizationRequest {
        organization: Some(Organization {
            kind: kind.into(),
            display_name: "新校".to_owned(),
            parent: format!("organizations/{DISTRICT}"),
            division_code: DISTRICT.to_owned(),
            ..Organization::default()
        }),
        organization_id: id.to_owned(),
        request_id: String::new(),
    };
    let answer = client.create_organization(create(&school(1), Kind::School));
    let taken = (Code::AlreadyExists, "ALREADY_EXISTS");
    expect("an id that is taken", answer.await, taken.0, taken.1);
    let answer = client.create_organization(create("school-x", Kind::Unspecified));
    expect("no kind", answer.await, INVALID.0, INVALID.1);
    let request = CloseOrganizationRequest {
        name: format!("organizations/{}", school(1)),
        valid_to_date: Some(to_date(city.town.today)),
        ..CloseOrganizationRequest::default()
    };
    let answer = client.close_organization(request).await;
    let used = (Code::FailedPrecondition, "ORGANIZATION_NOT_EMPTY");
    expect("a school with pupils", answer, used.0, used.1);
}

async fn students(city: &City) {
    let town = city.town;
    let mut client = StudentServiceClient::new(city.door(Role::SchoolClerk, &school_path(1)));
    let request = CreateStudentRequest {
        class_group: town.class_group(1, 1),
        student: Some(Student {
            display_name: "又一人".to_owned(),
            id_number: resident_id(town.number(2, 1, 1)),
            ..Student::default()
        }),
        ..CreateStudentRequest::default()
    };
    let answer = client.create_student(request.clone()).await;
    let registered = (Code::FailedPrecondition, "PERSON_REGISTERED");
    expect(
        "a number that is somebody's",
        answer,
        registered.0,
        registered.1,
    );
    let mut wrong = request;
    if let Some(student) = &mut wrong.student {
        student.id_number = "350102201609010017".to_owned();
    }
    let answer = client.create_student(wrong).await;
    expect("a wrong check digit", answer, INVALID.0, INVALID.1);
    let request = UpdateStudentRequest {
        student: Some(Student {
            name: city.student(1, 1, 1).to_owned(),
            display_name: "改名".to_owned(),
            etag: "stale".to_owned(),
            ..Student::default()
        }),
        ..UpdateStudentRequest::default()
    };
    let answer = client.update_student(request).await;
    let stale = (Code::Aborted, "ETAG_MISMATCH");
    expect("an update of what changed", answer, stale.0, stale.1);
    let request = TransferStudentRequest {
        name: city.student(1, 1, 1).to_owned(),
        destination_class_group: town.class_group(1, 77),
        effective_date: Some(to_date(town.today)),
        ..TransferStudentRequest::default()
    };
    let mut officer = StudentServiceClient::new(city.door(Role::CityOfficer, CITY));
    let answer = officer.transfer_student(request).await;
    expect("to a class that is none", answer, MISSING.0, MISSING.1);
}

async fn policies(city: &City) {
    let officer = city.door(Role::CityOfficer, CITY);
    let mut client = PolicyServiceClient::new(officer);
    let listed = client
        .list_policy_profiles(ListPolicyProfilesRequest::default())
        .await;
    let listed = listed.expect("policies").into_inner().policy_profiles;
    let active = |one: &&PolicyProfile| one.state() == policy_profile::State::Active;
    let active = listed.iter().find(active).expect("one is in force").clone();
    let request = ActivatePolicyProfileRequest {
        name: active.name.clone(),
        ..ActivatePolicyProfileRequest::default()
    };
    let answer = client.activate_policy_profile(request).await;
    let state = (Code::FailedPrecondition, "POLICY_WRONG_STATE");
    expect("activated twice", answer, state.0, state.1);
    let mut loose = active;
    loose.profile = "loose".to_owned();
    if let Some(check) = &mut loose.check {
        check.zero_report = false;
    }
    let propose = |policy_profile: &PolicyProfile| ProposePolicyProfileRequest {
        policy_profile: Some(policy_profile.clone()),
        request_id: String::new(),
    };
    let answer = client.propose_policy_profile(propose(&loose)).await;
    let floor = (Code::InvalidArgument, "POLICY_BELOW_FLOOR");
    expect("a legal floor is loosened", answer, floor.0, floor.1);
    let place = format!("{CITY}/{DISTRICT}");
    let mut district = PolicyServiceClient::new(city.door(Role::DistrictOfficer, &place));
    let answer = district.propose_policy_profile(propose(&loose)).await;
    expect("a district sets no policy", answer, DENIED.0, DENIED.1);
}

async fn calendars(city: &City) {
    let officer = city.door(Role::CityOfficer, CITY);
    let mut client = CalendarServiceClient::new(officer);
    let year = city.town.today.year();
    let first = NaiveDate::from_ymd_opt(year, 1, 1).expect("a day");
    let monday = first.iter_days().find(|day| day.weekday() == Weekday::Mon);
    let monday = monday.unwrap_or(first + Days::new(1));
    let set = |etag: &str, makeup: bool| {
        let day = NamedDay {
            date: Some(to_date(monday)),
            display_name: "某日".to_owned(),
        };
        let (days_off, makeup_days) = if makeup {
            (Vec::new(), vec![day])
        } else {
            (vec![day], Vec::new())
        };
        SetCalendarYearRequest {
            calendar_year: Some(CalendarYear {
                name: format!("calendarYears/{year}"),
                days_off,
                makeup_days,
                etag: etag.to_owned(),
                ..CalendarYear::default()
            }),
            request_id: String::new(),
        }
    };
    let answer = client.set_calendar_year(set("", true)).await;
    expect("a Monday is made up", answer, INVALID.0, INVALID.1);
    let answer = client.set_calendar_year(set("stale", false)).await;
    let stale = (Code::Aborted, "ETAG_MISMATCH");
    expect("a calendar that changed", answer, stale.0, stale.1);
    let mut principal = CalendarServiceClient::new(city.door(Role::Principal, &school_path(1)));
    let answer = principal.set_calendar_year(set("", false)).await;
    expect("a school sets no calendar", answer, DENIED.0, DENIED.1);
}
