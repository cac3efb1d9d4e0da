//! The school calendar as a client sees it.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use crate::desk::desk_suite;
use crate::desk::follow::Follower;
use crate::desk::{CITY, Desk, Door, date, fields, reason};
use kit::auth::Role;
use proto::roster::calendar_service_client::CalendarServiceClient;
use proto::roster::calendar_year::{NamedDay, Term};
use proto::roster::roster_event::State as Fact;
use proto::roster::school_day::Kind;
use proto::roster::{
    CalendarYear, GetCalendarYearRequest, ListCalendarYearsRequest, ListSchoolDaysRequest,
    SetCalendarYearRequest,
};
use tonic::{Code, Status};

type Client = CalendarServiceClient<Door>;

fn client(desk: &Desk) -> Client {
    CalendarServiceClient::new(desk.officer())
}

async fn get(client: &mut Client, year: i32) -> Result<CalendarYear, Status> {
    let name = format!("calendarYears/{year}");
    let request = GetCalendarYearRequest { name };
    Ok(client.get_calendar_year(request).await?.into_inner())
}

async fn set(client: &mut Client, calendar_year: CalendarYear) -> Result<CalendarYear, Status> {
    let request = SetCalendarYearRequest {
        calendar_year: Some(calendar_year),
        request_id: String::new(),
    };
    Ok(client.set_calendar_year(request).await?.into_inner())
}

fn named(day: &str, name: &str) -> NamedDay {
    NamedDay {
        date: Some(date(day)),
        display_name: name.to_owned(),
    }
}

fn year_of_2023() -> CalendarYear {
    CalendarYear {
        name: "calendarYears/2023".to_owned(),
        days_off: vec![named("2023-01-02", "元旦")],
        makeup_days: vec![named("2023-01-28", "春节调休")],
        terms: vec![Term {
            display_name: "上学期".to_owned(),
            start_date: Some(date("2022-09-01")),
            end_date: Some(date("2023-01-31")),
        }],
        ..CalendarYear::default()
    }
}

fn span(start: &str, end: &str) -> ListSchoolDaysRequest {
    ListSchoolDaysRequest {
        start_date: Some(date(start)),
        end_date: Some(date(end)),
        ..ListSchoolDaysRequest::default()
    }
}

async fn the_shipped_years_are_listed_from_the_oldest(desk: Desk) {
    desk.plant().await;
    let mut client = client(&desk);
    let mut years = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListCalendarYearsRequest {
            page_size: 2,
            page_token,
        };
        let page = client.list_calendar_years(request).await.unwrap();
        let page = page.into_inner();
        assert!(page.calendar_years.len() <= 2);
        years.extend(page.calendar_years.into_iter().map(|one| one.year));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(years, [2021, 2022, 2026]);
    let of_2022 = get(&mut client, 2022).await.unwrap();
    assert_eq!((of_2022.version, &*of_2022.etag), (1, "\"1\""));
    assert!(of_2022.days_off.contains(&named("2022-04-05", "清明节")));
    let missing = get(&mut client, 2030).await.unwrap_err();
    assert_eq!(reason(&missing), "NOT_FOUND");
}

async fn a_day_has_school_or_not_for_a_reason(desk: Desk) {
    desk.plant().await;
    let days = client(&desk)
        .list_school_days(span("2022-04-01", "2022-04-06"))
        .await
        .unwrap();
    let days: Vec<_> = days
        .into_inner()
        .days
        .iter()
        .map(|day| (day.school_day, day.kind(), day.display_name.clone()))
        .collect();
    let off = |name: &str| (false, Kind::DayOff, name.to_owned());
    let expected = [
        (true, Kind::Regular, String::new()),
        (true, Kind::Makeup, "清明节调休".to_owned()),
        off("清明节"),
        off("清明节"),
        off("清明节"),
        (true, Kind::Regular, String::new()),
    ];
    assert_eq!(days, expected);
}

async fn a_year_without_calendar_has_school_from_monday_to_friday(desk: Desk) {
    desk.plant().await;
    // From a Friday of a known year into one that is not.
    let days = client(&desk)
        .list_school_days(span("2022-12-30", "2023-01-03"))
        .await
        .unwrap();
    let days: Vec<_> = days
        .into_inner()
        .days
        .iter()
        .map(|day| day.kind())
        .collect();
    let expected = [
        Kind::Regular,
        Kind::Weekend,
        Kind::Weekend,
        Kind::Regular,
        Kind::Regular,
    ];
    assert_eq!(days, expected);
}

async fn days_come_in_pages_and_a_span_has_an_end(desk: Desk) {
    desk.plant().await;
    let mut client = client(&desk);
    let mut request = span("2021-04-08", "2022-04-09");
    request.page_size = 100;
    let mut dates = Vec::new();
    loop {
        let page = client.list_school_days(request.clone()).await.unwrap();
        let page = page.into_inner();
        assert!(page.days.len() <= 100);
        dates.extend(page.days.into_iter().filter_map(|day| day.date));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    let first: chrono::NaiveDate = "2021-04-08".parse().unwrap();
    let expected: Vec<_> = first
        .iter_days()
        .take(367)
        .map(kit::field::to_date)
        .collect();
    assert_eq!(dates, expected);
    for wrong in [
        span("2021-04-08", "2022-04-10"),
        span("2022-04-08", "2022-04-07"),
    ] {
        let refused = client.list_school_days(wrong).await.unwrap_err();
        assert_eq!(fields(&refused), ["end_date"]);
    }
    let refused = client
        .list_school_days(ListSchoolDaysRequest::default())
        .await
        .unwrap_err();
    assert_eq!(fields(&refused), ["start_date", "end_date"]);
    let first = client
        .list_school_days(span("2022-01-01", "2022-12-31"))
        .await
        .unwrap();
    let mut other = span("2022-01-01", "2022-12-30");
    other.page_token = first.into_inner().next_page_token;
    let refused = client.list_school_days(other).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_PAGE_TOKEN");
}

async fn a_year_is_created_replaced_and_guarded_by_its_etag(desk: Desk) {
    desk.plant().await;
    let mut client = client(&desk);
    let created = set(&mut client, year_of_2023()).await.unwrap();
    let expected = CalendarYear {
        year: 2023,
        version: 1,
        update_time: created.update_time,
        etag: "\"1\"".to_owned(),
        ..year_of_2023()
    };
    assert_eq!(created, expected);
    assert!(created.update_time.is_some());
    let with_etag = |etag: &str| CalendarYear {
        etag: etag.to_owned(),
        terms: Vec::new(),
        ..year_of_2023()
    };
    let replaced = set(&mut client, with_etag("\"1\"")).await.unwrap();
    assert_eq!((replaced.version, replaced.terms.len()), (2, 0));
    assert_eq!(get(&mut client, 2023).await.unwrap(), replaced);
    let stale = set(&mut client, with_etag("\"1\"")).await.unwrap_err();
    assert_eq!(
        (stale.code(), reason(&stale)),
        (Code::Aborted, "ETAG_MISMATCH".to_owned())
    );
    let unseen = CalendarYear {
        name: "calendarYears/2024".to_owned(),
        etag: "\"1\"".to_owned(),
        ..CalendarYear::default()
    };
    let refused = set(&mut client, unseen).await.unwrap_err();
    assert_eq!(reason(&refused), "ETAG_MISMATCH");
}

async fn a_year_set_twice_at_once_has_two_versions(desk: Desk) {
    desk.plant().await;
    let (mut one, mut other) = (client(&desk), client(&desk));
    let (one, other) = tokio::join!(
        set(&mut one, year_of_2023()),
        set(&mut other, year_of_2023())
    );
    let mut versions = [one.unwrap().version, other.unwrap().version];
    versions.sort_unstable();
    assert_eq!(versions, [1, 2]);
}

async fn the_same_request_has_one_effect(desk: Desk) {
    desk.plant().await;
    let mut client = client(&desk);
    let request = SetCalendarYearRequest {
        calendar_year: Some(year_of_2023()),
        request_id: "5f1e2c1a-6d1f-4a3b-9a58-0d2f5a1b7c11".to_owned(),
    };
    let first = client.set_calendar_year(request.clone()).await.unwrap();
    let again = client.set_calendar_year(request).await.unwrap();
    assert_eq!(again.into_inner(), first.into_inner());
    assert_eq!(get(&mut client, 2023).await.unwrap().version, 1);
}

async fn every_fault_of_a_year_is_named(desk: Desk) {
    desk.plant().await;
    let mut client = client(&desk);
    let wrong = CalendarYear {
        name: "calendarYears/2023".to_owned(),
        days_off: vec![
            named("2023-01-02", "元旦"),
            named("2022-12-31", ""),
            named("2023-05-01", "劳动节"),
        ],
        makeup_days: vec![named("2023-05-01", "调休")],
        terms: vec![Term {
            display_name: "上学期".to_owned(),
            start_date: Some(date("2023-06-30")),
            end_date: None,
        }],
        ..CalendarYear::default()
    };
    let refused = set(&mut client, wrong).await.unwrap_err();
    assert_eq!(reason(&refused), "INVALID_FIELD");
    let expected = [
        "calendar_year.terms[0].end_date",
        "calendar_year.days_off[1].display_name",
        "calendar_year.days_off[1].date",
        "calendar_year.days_off[1].date",
        "calendar_year.makeup_days[0].date",
        "calendar_year.makeup_days[0].date",
    ];
    assert_eq!(fields(&refused), expected);
    let outside = CalendarYear {
        name: "calendarYears/1999".to_owned(),
        ..CalendarYear::default()
    };
    let refused = set(&mut client, outside).await.unwrap_err();
    assert_eq!(fields(&refused), ["calendar_year.name"]);
    for name in [
        "",
        "calendarYears/",
        "calendarYears/02022",
        "calendarYears/x",
        "years/2022",
    ] {
        let strange = CalendarYear {
            name: name.to_owned(),
            ..CalendarYear::default()
        };
        let refused = set(&mut client, strange).await.unwrap_err();
        assert_eq!(fields(&refused), ["calendar_year.name"], "{name}");
    }
}

async fn the_calendar_is_the_city_s(desk: Desk) {
    desk.plant().await;
    for (role, scope) in [
        (Role::CityOfficer, "fz/350102"),
        (Role::CityOfficer, "xm"),
        (Role::DistrictOfficer, CITY),
    ] {
        let mut client = CalendarServiceClient::new(desk.caller(role, scope));
        let refused = set(&mut client, year_of_2023()).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused)),
            (Code::PermissionDenied, "SCOPE_DENIED".to_owned()),
            "{role} {scope}"
        );
        assert_eq!(get(&mut client, 2022).await.unwrap().year, 2022);
    }
    let mut admin = CalendarServiceClient::new(desk.caller(Role::SystemAdmin, ""));
    set(&mut admin, year_of_2023()).await.unwrap();
    let mut laboratory = CalendarServiceClient::new(desk.caller(Role::Laboratory, CITY));
    let refused = get(&mut laboratory, 2022).await.unwrap_err();
    assert_eq!(reason(&refused), "SCOPE_DENIED");
}

async fn followers_hear_of_a_changed_year(desk: Desk) {
    desk.plant().await;
    let mut city = Follower::settled(&desk, desk.officer()).await;
    let mut service = Follower::settled(&desk, desk.caller(Role::Service, "")).await;
    let shipped = [
        "calendarYears/2021",
        "calendarYears/2022",
        "calendarYears/2026",
    ];
    let set = set(&mut client(&desk), year_of_2023()).await.unwrap();
    for follower in [&mut city, &mut service] {
        assert_eq!(follower.stood("calendarYears/"), shipped);
        let told = follower.heard().await;
        assert_eq!(
            (&*told.entity, told.version, &*told.org_path),
            ("calendarYears/2023", 1, "")
        );
        assert_eq!(told.state, Some(Fact::CalendarYear(set.clone())));
    }
}

desk_suite!(
    the_shipped_years_are_listed_from_the_oldest,
    a_day_has_school_or_not_for_a_reason,
    a_year_without_calendar_has_school_from_monday_to_friday,
    days_come_in_pages_and_a_span_has_an_end,
    a_year_is_created_replaced_and_guarded_by_its_etag,
    a_year_set_twice_at_once_has_two_versions,
    the_same_request_has_one_effect,
    every_fault_of_a_year_is_named,
    the_calendar_is_the_city_s,
    followers_hear_of_a_changed_year,
);
