//! A town comes into a city: imported, with a calendar and a policy, until everybody has heard.

use std::collections::HashMap;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use futures_util::future::join_all;
use kit::auth::Role;
use kit::field::{from_date, to_date};
use proto::notification::ListAlertsRequest;
use proto::notification::alert_service_client::AlertServiceClient;
use proto::roster::calendar_service_client::CalendarServiceClient;
use proto::roster::calendar_year::NamedDay;
use proto::roster::import_job::Mode;
use proto::roster::organization::Kind;
use proto::roster::organization_service_client::OrganizationServiceClient;
use proto::roster::policy_service_client::PolicyServiceClient;
use proto::roster::staff_service_client::StaffServiceClient;
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::{
    ActivatePolicyProfileRequest, CalendarYear, CreateOrganizationRequest, GetCalendarYearRequest,
    ListPolicyProfilesRequest, ListStaffMembersRequest, ListStudentsRequest, Organization,
    PolicyProfile, ProposePolicyProfileRequest, SetCalendarYearRequest, StaffMember, Student,
};
use proto::safety::GetSnapshotRequest;
use proto::safety::gate_service_client::GateServiceClient;
use proto::sampling::GetCoverageRequest;
use proto::sampling::coverage_service_client::CoverageServiceClient;
use tonic::{Code, Status};

use crate::city::{City, Door};
use crate::import::Importer;
use crate::town::{CITY, LAST, Town, school};
use crate::{every, until};

/// The shipped profile that the town decides by, and its name there.
const SHIPPED: &str = "fuzhou-2022-04";
const PROFILE: &str = "system-test";

/// Brings the town into an empty city and waits until every service knows it.
pub(crate) async fn settle(city: &City, town: &Town) {
    let officer = city.door(Role::CityOfficer, CITY);
    Importer::new(officer.clone())
        .take(Mode::Bulk, &town.rows())
        .await;
    open_school(officer.clone(), town.today).await;
    activate_policy(officer, town.today).await;
    catch_up(city, LAST).await;
}

/// Founds one more organisation and waits until every service has heard of it. Facts come in the
/// order of their commits: whoever knows it knows everything that was committed before.
pub(crate) async fn catch_up(city: &City, id: &str) {
    found(city.door(Role::CityOfficer, CITY), id).await;
    has_heard(city, id).await;
}

/// Makes `today` and the day after school days, whatever the calendar said of them.
async fn open_school(door: Door, today: NaiveDate) {
    let mut client = CalendarServiceClient::new(door);
    let tomorrow = today + Days::new(1);
    let mut years = vec![today.year(), tomorrow.year()];
    years.dedup();
    for year in years {
        let name = format!("calendarYears/{year}");
        let request = GetCalendarYearRequest { name: name.clone() };
        let known = match client.get_calendar_year(request).await {
            Ok(known) => known.into_inner(),
            Err(status) if status.code() == Code::NotFound => CalendarYear::default(),
            Err(status) => panic!("the calendar of {year}: {status:?}"),
        };
        let days = [today, tomorrow]
            .into_iter()
            .filter(|day| day.year() == year);
        let calendar_year = days.fold(CalendarYear { name, ..known }, with_school_on);
        let request = SetCalendarYearRequest {
            calendar_year: Some(calendar_year),
            request_id: String::new(),
        };
        let set = client.set_calendar_year(request).await;
        set.expect("the calendar is set");
    }
}

fn with_school_on(mut year: CalendarYear, day: NaiveDate) -> CalendarYear {
    let of = |named: &NamedDay| named.date.and_then(from_date);
    year.days_off.retain(|named| of(named) != Some(day));
    let known = year.makeup_days.iter().any(|named| of(named) == Some(day));
    if matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !known {
        year.makeup_days.push(NamedDay {
            date: Some(to_date(day)),
            display_name: "补课".to_owned(),
        });
        year.makeup_days.sort_by_key(of);
    }
    let teaching = year.terms.iter().any(|term| {
        let start = term.start_date.and_then(from_date);
        let end = term.end_date.and_then(from_date);
        start.is_some_and(|start| start <= day) && end.is_some_and(|end| day <= end)
    });
    if !teaching {
        // Without terms there is teaching all year.
        year.terms.clear();
    }
    year
}

/// Puts the numbers of the shipped profile in force under another name, from `today` on.
async fn activate_policy(door: Door, today: NaiveDate) {
    let mut client = PolicyServiceClient::new(door);
    let listed = client
        .list_policy_profiles(ListPolicyProfilesRequest::default())
        .await;
    let listed = listed.expect("profiles").into_inner().policy_profiles;
    let shipped = listed.into_iter().find(|one| one.profile == SHIPPED);
    let policy_profile = PolicyProfile {
        profile: PROFILE.to_owned(),
        display_name: "系统测试".to_owned(),
        organization: String::new(),
        effective_date: Some(to_date(today)),
        ..shipped.expect("the profile is shipped")
    };
    let request = ProposePolicyProfileRequest {
        policy_profile: Some(policy_profile),
        request_id: String::new(),
    };
    let proposed = client.propose_policy_profile(request).await;
    let PolicyProfile { name, etag, .. } = proposed.expect("it is proposed").into_inner();
    let request = ActivatePolicyProfileRequest {
        name,
        etag,
        request_id: String::new(),
    };
    let activated = client.activate_policy_profile(request).await;
    activated.expect("it is activated");
}

async fn found(door: Door, id: &str) {
    let request = CreateOrganizationRequest {
        organization: Some(Organization {
            kind: Kind::OffCampusBase.into(),
            display_name: "综合实践基地".to_owned(),
            parent: format!("organizations/{CITY}"),
            division_code: "350100".to_owned(),
            ..Organization::default()
        }),
        organization_id: id.to_owned(),
        request_id: String::new(),
    };
    let mut client = OrganizationServiceClient::new(door);
    let founded = client.create_organization(request).await;
    founded.expect("an organisation is founded");
}

async fn has_heard(city: &City, id: &str) {
    let parent = format!("organizations/{id}");
    for door in city.doors_to("sampling", Role::CityOfficer, CITY).await {
        until("sampling has heard of the town", || {
            let mut client = CoverageServiceClient::new(door.clone());
            let scope = parent.clone();
            async move { known(client.get_coverage(GetCoverageRequest { scope }).await) }
        })
        .await;
    }
    for door in city.doors_to("notification", Role::CityOfficer, CITY).await {
        until("notification has heard of the town", || {
            let mut client = AlertServiceClient::new(door.clone());
            let request = ListAlertsRequest {
                parent: parent.clone(),
                ..ListAlertsRequest::default()
            };
            async move { known(client.list_alerts(request).await) }
        })
        .await;
    }
    for door in city.doors_to("safety-inspection", Role::Guard, CITY).await {
        until("the gates have heard of the town", || {
            let mut client = GateServiceClient::new(door.clone());
            let name = format!("{parent}/gateSnapshot");
            async move { known(client.get_snapshot(GetSnapshotRequest { name }).await) }
        })
        .await;
    }
}

fn known<T>(answer: Result<T, Status>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(status) if status.code() == Code::NotFound => None,
        Err(status) => panic!("the town is asked for: {status:?}"),
    }
}

/// The resource name of everybody at each school, by what they are called.
pub(crate) async fn names(city: &City, town: &Town) -> HashMap<String, String> {
    let officer = city.door(Role::CityOfficer, CITY);
    let schools = (1..=town.schools).map(|at| {
        let (students, staff) = (officer.clone(), officer.clone());
        async move {
            let mut names = students_of(students, &format!("organizations/{}", school(at)))
                .await
                .expect("students");
            names.extend(staff_of(staff, at).await);
            names
        }
    });
    join_all(schools).await.into_iter().flatten().collect()
}

/// Every student at or below `parent`: what they are called, and the resource name.
///
/// # Errors
/// As the service says.
pub async fn students_of(door: Door, parent: &str) -> Result<Vec<(String, String)>, Status> {
    let client = StudentServiceClient::new(door);
    let named = |student: Student| (student.display_name, student.name);
    every(|page_token| {
        let request = ListStudentsRequest {
            parent: parent.to_owned(),
            show_withdrawn: false,
            page_size: 1000,
            page_token,
        };
        let mut client = client.clone();
        async move {
            let page = client.list_students(request).await?.into_inner();
            let named = page.students.into_iter().map(named).collect();
            Ok((named, page.next_page_token))
        }
    })
    .await
}

/// Every student of the first `schools` schools of the town, school by school.
///
/// # Errors
/// As the service says.
pub async fn students_of_schools(
    door: Door,
    schools: u32,
) -> Result<Vec<(String, String)>, Status> {
    let mut students = Vec::new();
    for at in 1..=schools {
        let parent = format!("organizations/{}", school(at));
        students.extend(students_of(door.clone(), &parent).await?);
    }
    Ok(students)
}

async fn staff_of(door: Door, at: u32) -> Vec<(String, String)> {
    let request = ListStaffMembersRequest {
        parent: format!("organizations/{}", school(at)),
        page_size: 1000,
        ..ListStaffMembersRequest::default()
    };
    let mut client = StaffServiceClient::new(door);
    let listed = client.list_staff_members(request).await;
    let staff = listed.expect("staff").into_inner().staff;
    let named = |member: StaffMember| (member.display_name, member.name);
    staff.into_iter().map(named).collect()
}
