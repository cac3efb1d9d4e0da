//! Lists and counts for schools and bureaus.

use proto::roster::incident_policy::Level;
use proto::safety as pb;
use proto::safety::incident::{Category, State};

use crate::city::on_both;
use crate::city::tree::{BUREAU, CITY as CITY_NAME, SISTER};
use crate::city::world::World;
use crate::desk::{CITY, DISTRICT, Desk, HEAD, call, deaths, id, reason};

on_both!(
    a_bureau_lists_everything_below_it_page_by_page,
    counts_are_by_district_category_and_level,
);

/// An incident of a category at an organisation.
async fn at(desk: &Desk, parent: &str, category: Category, harm: pb::Casualties) -> String {
    desk.wait(1);
    let mut request = desk.accident(harm);
    request.parent = parent.to_owned();
    request.request_id = id();
    if let Some(incident) = &mut request.incident {
        incident.category = category.into();
    }
    call!(desk, create_incident, CITY, request)
        .expect("noticed")
        .name
}

const OTHER: &str = "organizations/2135010002";

async fn a_bureau_lists_everything_below_it_page_by_page(world: World) {
    let desk = Desk::new(world).await;
    let none = pb::Casualties::default;
    let mut all = vec![
        at(&desk, crate::city::SCHOOL, Category::Accident, none()).await,
        at(&desk, SISTER, Category::PublicHealth, none()).await,
        at(&desk, OTHER, Category::Accident, deaths(1)).await,
        at(&desk, BUREAU, Category::ExamSecurity, none()).await,
        at(&desk, CITY_NAME, Category::NetworkSecurity, none()).await,
    ];
    all.reverse();
    let ask = |parent: &str| pb::ListIncidentsRequest {
        parent: parent.to_owned(),
        ..Default::default()
    };
    let names = |found: Vec<pb::Incident>| -> Vec<String> {
        found.into_iter().map(|incident| incident.name).collect()
    };
    assert_eq!(names(desk.list(CITY, ask(CITY_NAME)).await), all);
    let below = [&all[1], &all[3], &all[4]].map(String::clone);
    assert_eq!(names(desk.list(DISTRICT, ask(BUREAU)).await), below);
    let own = desk.list(HEAD, ask(crate::city::SCHOOL)).await;
    assert_eq!(names(own), [all[4].clone()]);

    let (mut paged, mut token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListIncidentsRequest {
            page_size: 2,
            page_token: token,
            ..ask(CITY_NAME)
        };
        let page = call!(desk, list_incidents, CITY, request).expect("listed");
        assert!(page.incidents.len() <= 2);
        paged.extend(names(page.incidents));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, all);

    desk.bring_to(&all[4], 2).await;
    let filtered = |request| desk.list(CITY, request);
    let by_state = pb::ListIncidentsRequest {
        states: vec![State::FirstReported.into()],
        ..ask(CITY_NAME)
    };
    assert_eq!(names(filtered(by_state).await), [all[4].clone()]);
    let by_level = pb::ListIncidentsRequest {
        levels: vec![Level::Ii.into()],
        ..ask(CITY_NAME)
    };
    assert_eq!(names(filtered(by_level).await), [all[2].clone()]);
    let by_category = pb::ListIncidentsRequest {
        categories: vec![Category::Accident.into()],
        ..ask(CITY_NAME)
    };
    assert_eq!(
        names(filtered(by_category).await),
        [all[2].clone(), all[4].clone()]
    );
    let overdue = || pb::ListIncidentsRequest {
        overdue: true,
        ..ask(CITY_NAME)
    };
    assert_eq!(names(filtered(overdue()).await), Vec::<String>::new());
    desk.wait(60);
    let found = filtered(overdue()).await;
    assert!(found.iter().all(|incident| incident.overdue));
    assert_eq!(
        names(found),
        [all[2].clone()],
        "the phone and the report of level II"
    );

    let first = pb::ListIncidentsRequest {
        page_size: 1,
        ..ask(CITY_NAME)
    };
    let page = call!(desk, list_incidents, CITY, first).expect("listed");
    let other = pb::ListIncidentsRequest {
        page_token: page.next_page_token,
        overdue: true,
        ..ask(CITY_NAME)
    };
    let mixed = call!(desk, list_incidents, CITY, other);
    assert_eq!(reason(mixed), "INVALID_PAGE_TOKEN");
}

async fn counts_are_by_district_category_and_level(world: World) {
    let desk = Desk::new(world).await;
    let none = pb::Casualties::default;
    let closed = at(&desk, crate::city::SCHOOL, Category::Accident, none()).await;
    desk.bring_to(&closed, 9).await;
    at(&desk, SISTER, Category::Accident, none()).await;
    let middle = desk.now();
    desk.wait(1);
    at(&desk, OTHER, Category::Accident, deaths(1)).await;
    let alarm = at(&desk, crate::city::SCHOOL, Category::PublicHealth, none()).await;
    crate::city::roster(&desk.world.db, &[], 2).await;
    desk.wait(31);
    let dismiss = crate::desk::said!(DismissIncidentRequest, alarm, reason);
    call!(desk, dismiss_incident, DISTRICT, dismiss).expect("dismissed");
    let row = |district: &str, category: Category, level: Level, numbers: [i32; 4]| {
        let [open_count, closed_count, false_alarm_count, overdue_count] = numbers;
        pb::IncidentCount {
            organization: format!("organizations/{district}"),
            category: category.into(),
            level: level.into(),
            open_count,
            closed_count,
            false_alarm_count,
            overdue_count,
        }
    };
    let ask = |of: &str| pb::GetIncidentCountsRequest {
        name: format!("{of}/incidentCounts"),
        ..Default::default()
    };
    let first = row("350102", Category::Accident, Level::Iv, [1, 1, 0, 0]);
    let second = row("350102", Category::PublicHealth, Level::Iv, [0, 0, 1, 0]);
    let third = row("350103", Category::Accident, Level::Ii, [1, 0, 0, 1]);
    let city = call!(desk, get_incident_counts, CITY, ask(CITY_NAME)).expect("counted");
    assert_eq!(city.counts, [first.clone(), second.clone(), third]);
    let district = call!(desk, get_incident_counts, DISTRICT, ask(BUREAU)).expect("counted");
    assert_eq!(district.counts, [first.clone(), second]);
    let early = pb::GetIncidentCountsRequest {
        end_time: Some(middle),
        ..ask(BUREAU)
    };
    let early = call!(desk, get_incident_counts, DISTRICT, early).expect("counted");
    let only = row("350102", Category::Accident, Level::Iv, [0, 1, 0, 0]);
    assert_eq!(early.counts, [only]);
}
