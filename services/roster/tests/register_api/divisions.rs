//! The administrative divisions as a client sees them.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use crate::desk::desk_suite;
use crate::desk::{Desk, Door, date, fields, reason};
use kit::auth::Role;
use proto::roster::division_service_client::DivisionServiceClient;
use proto::roster::{Division, GetDivisionRequest, ListDivisionsRequest, ResolveDivisionRequest};
use tonic::Status;

type Client = DivisionServiceClient<Door>;

/// Somebody who may read the register, whatever their part of it.
fn client(desk: &Desk) -> Client {
    DivisionServiceClient::new(desk.caller(Role::DistrictOfficer, "fz/350102"))
}

async fn resolve(client: &mut Client, code: &str, day: Option<&str>) -> Result<String, Status> {
    let request = ResolveDivisionRequest {
        name: format!("divisions/{code}"),
        date: day.map(date),
    };
    Ok(client.resolve_division(request).await?.into_inner().name)
}

async fn t22_the_retired_code_of_changle_leads_to_its_district(desk: Desk) {
    let mut client = client(&desk);
    for (code, day, expected) in [
        ("350182", None, "divisions/350112"),
        ("350182", Some("2022-04-07"), "divisions/350112"),
        ("350182", Some("2017-11-05"), "divisions/350182"),
        ("350102", None, "divisions/350102"),
    ] {
        let found = resolve(&mut client, code, day).await.unwrap();
        assert_eq!(found, expected, "{code} {day:?}");
    }
    for (code, day) in [("350112", Some("2017-11-05")), ("999999", None)] {
        let refused = resolve(&mut client, code, day).await.unwrap_err();
        assert_eq!(reason(&refused), "NOT_FOUND", "{code}");
    }
}

async fn a_division_is_told_as_it_stands_in_the_table(desk: Desk) {
    let request = GetDivisionRequest {
        name: "divisions/350182".to_owned(),
    };
    let found = client(&desk).get_division(request).await.unwrap();
    let expected = Division {
        name: "divisions/350182".to_owned(),
        display_name: "长乐市".to_owned(),
        parent: "divisions/350100".to_owned(),
        valid_from_date: None,
        valid_to_date: Some(date("2017-11-05")),
        replaced_by: "divisions/350112".to_owned(),
    };
    assert_eq!(found.into_inner(), expected);
}

async fn divisions_are_listed_by_code_with_those_retired_when_asked(desk: Desk) {
    let mut client = client(&desk);
    let mut counts = Vec::new();
    for show_retired in [false, true] {
        let mut names: Vec<String> = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = ListDivisionsRequest {
                show_retired,
                page_size: 5,
                page_token,
            };
            let page = client.list_divisions(request).await.unwrap().into_inner();
            assert!(page.divisions.len() <= 5);
            names.extend(page.divisions.into_iter().map(|one| one.name));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert!(names.is_sorted());
        assert_eq!(names.contains(&"divisions/350182".to_owned()), show_retired);
        counts.push(names.len());
    }
    assert_eq!(counts, [15, 16]);
}

async fn wrong_names_and_callers_are_refused(desk: Desk) {
    let mut client = client(&desk);
    for name in [
        "",
        "divisions/",
        "divisions/35010",
        "divisions/35010a",
        "350102",
    ] {
        let request = GetDivisionRequest {
            name: name.to_owned(),
        };
        let refused = client.get_division(request).await.unwrap_err();
        assert_eq!(fields(&refused), ["name"], "{name}");
    }
    let mut laboratory = DivisionServiceClient::new(desk.caller(Role::Laboratory, ""));
    let refused = resolve(&mut laboratory, "350182", None).await.unwrap_err();
    assert_eq!(reason(&refused), "SCOPE_DENIED");
}

desk_suite!(
    t22_the_retired_code_of_changle_leads_to_its_district,
    a_division_is_told_as_it_stands_in_the_table,
    divisions_are_listed_by_code_with_those_retired_when_asked,
    wrong_names_and_callers_are_refused,
);
