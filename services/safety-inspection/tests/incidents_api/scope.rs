//! Who may do what where: no sibling school, no other district, and no role beyond its work.

use kit::auth::Role;
use proto::safety as pb;
use proto::safety::incident_report::Kind;
use proto::safety::incident_step::{Medium, Receiver};
use uuid::Uuid;

use crate::city::on_both;
use crate::city::tree::{BUREAU, CITY as CITY_NAME, OTHER_BUREAU_PATH, SISTER_PATH};
use crate::city::world::World;
use crate::city::{SCHOOL, SCHOOL_PATH};
use crate::desk::{CITY, Desk, GUARD, Who, call, id, reason, receipt, report, review, said};

on_both!(
    nobody_reaches_the_incidents_of_another_place,
    each_role_does_its_own_work,
    what_does_not_exist_is_known_to_the_city_only,
);

/// The reason with which each method answers `who`.
async fn asked(desk: &Desk, who: Who, name: &str) -> Vec<(&'static str, String)> {
    let list = pb::ListIncidentsRequest {
        parent: SCHOOL.to_owned(),
        ..Default::default()
    };
    let counts = pb::GetIncidentCountsRequest {
        name: format!("{SCHOOL}/incidentCounts"),
        ..Default::default()
    };
    let history = pb::ListIncidentEventsRequest {
        parent: name.to_owned(),
        ..Default::default()
    };
    let reports = pb::ListIncidentReportsRequest {
        parent: name.to_owned(),
        ..Default::default()
    };
    let notice = pb::RecordIncidentNoticeRequest {
        name: name.to_owned(),
        receiver: Receiver::Fire.into(),
        medium: Medium::Phone.into(),
        request_id: id(),
        ..Default::default()
    };
    let get = pb::GetIncidentRequest {
        name: name.to_owned(),
    };
    let create = desk.accident(pb::Casualties::default());
    let first = report(name, Kind::First);
    let phone = receipt(name, Receiver::District, Medium::Phone);
    macro_rules! ask {
        ($($method:ident: $request:expr,)+) => {
            vec![$((stringify!($method), match call!(desk, $method, who, $request) {
                Ok(_) => "OK".to_owned(),
                refused => reason(refused),
            }),)+]
        };
    }
    ask!(
        get_incident: get,
        list_incidents: list,
        get_incident_counts: counts,
        list_incident_events: history,
        list_incident_reports: reports,
        create_incident: create,
        write_incident_report: first,
        confirm_incident: said!(ConfirmIncidentRequest, name, reason),
        respond_incident: said!(RespondIncidentRequest, name, measures),
        control_incident: said!(ControlIncidentRequest, name, measures),
        relevel_incident: pb::RelevelIncidentRequest {
            level: 1,
            ..said!(RelevelIncidentRequest, name, reason)
        },
        supplement_casualties: pb::SupplementCasualtiesRequest {
            casualties: Some(pb::Casualties::default()),
            ..said!(SupplementCasualtiesRequest, name, reason)
        },
        acknowledge_incident: phone,
        record_incident_notice: notice,
        review_incident: review(name),
        close_incident: said!(CloseIncidentRequest, name, reason),
        dismiss_incident: said!(DismissIncidentRequest, name, reason),
        make_incident_confidential: pb::MakeIncidentConfidentialRequest {
            confidential: 1,
            ..said!(MakeIncidentConfidentialRequest, name, reason)
        },
    )
}

async fn nobody_reaches_the_incidents_of_another_place(world: World) {
    let desk = Desk::new(world).await;
    let name = desk.noticed(pb::Casualties::default()).await.name;
    let before = desk.get(CITY, &name).await;
    for who in [
        ("head-2", Role::Principal, SISTER_PATH),
        ("officer-2", Role::SafetyOfficer, SISTER_PATH),
        ("district-3", Role::DistrictOfficer, OTHER_BUREAU_PATH),
        ("partner-2", Role::PartnerSystem, OTHER_BUREAU_PATH),
        ("laboratory", Role::Laboratory, SCHOOL_PATH),
        ("parent", Role::Guardian, SCHOOL_PATH),
    ] {
        for (method, reason) in asked(&desk, who, &name).await {
            assert_eq!(reason, "SCOPE_DENIED", "{who:?} {method}");
        }
    }
    assert_eq!(desk.get(CITY, &name).await, before);
    let bureau = pb::ListIncidentsRequest {
        parent: BUREAU.to_owned(),
        ..Default::default()
    };
    let head = ("head-1", Role::Principal, SCHOOL_PATH);
    let above = call!(desk, list_incidents, head, bureau);
    assert_eq!(reason(above), "SCOPE_DENIED");
}

async fn each_role_does_its_own_work(world: World) {
    let desk = Desk::new(world).await;
    let allowed = |answers: Vec<(&'static str, String)>| -> Vec<&'static str> {
        let allowed = answers
            .into_iter()
            .filter(|(_, reason)| reason != "SCOPE_DENIED");
        allowed.map(|(method, _)| method).collect()
    };
    let reads = [
        "get_incident",
        "list_incidents",
        "get_incident_counts",
        "list_incident_events",
        "list_incident_reports",
    ];
    let handles = [
        "write_incident_report",
        "respond_incident",
        "control_incident",
        "supplement_casualties",
        "record_incident_notice",
        "make_incident_confidential",
    ];
    let verifies = [
        "confirm_incident",
        "relevel_incident",
        "close_incident",
        "dismiss_incident",
    ];
    let detects = ["create_incident"];
    let of = |role, scope| ("someone", role, scope);
    for (who, expected) in [
        (of(Role::Guard, SCHOOL_PATH), vec![&detects[..]]),
        (of(Role::SchoolDoctor, SCHOOL_PATH), vec![&reads, &detects]),
        (
            of(Role::SafetyOfficer, SCHOOL_PATH),
            vec![&reads, &detects, &handles],
        ),
        (
            of(Role::Principal, SCHOOL_PATH),
            vec![&reads, &detects, &handles, &["review_incident"]],
        ),
        (
            of(Role::DistrictOfficer, "fz/350102"),
            vec![
                &reads,
                &detects,
                &handles,
                &verifies,
                &["review_incident", "acknowledge_incident"],
            ],
        ),
        // The receipt asked for is the district's, which nobody else gives.
        (
            of(Role::CityOfficer, "fz"),
            vec![&reads, &detects, &handles, &verifies, &["review_incident"]],
        ),
        (of(Role::PartnerSystem, "fz"), vec![&reads]),
    ] {
        let name = desk.noticed(pb::Casualties::default()).await.name;
        let mut may = allowed(asked(&desk, who, &name).await);
        let mut expected = expected.concat();
        may.sort_unstable();
        expected.sort_unstable();
        assert_eq!(may, expected, "{who:?}");
    }
}

async fn what_does_not_exist_is_known_to_the_city_only(world: World) {
    let desk = Desk::new(world).await;
    let get = |name: String| pb::GetIncidentRequest { name };
    let nowhere = || {
        get(format!(
            "organizations/nowhere/incidents/{}",
            Uuid::from_u128(7)
        ))
    };
    assert_eq!(
        reason(call!(desk, get_incident, CITY, nowhere())),
        "NOT_FOUND"
    );
    let head = ("head-1", Role::Principal, SCHOOL_PATH);
    assert_eq!(
        reason(call!(desk, get_incident, head, nowhere())),
        "SCOPE_DENIED"
    );
    let name = desk.noticed(pb::Casualties::default()).await.name;
    let own = name.rsplit('/').next().expect("an id");
    // The id of a school's incident below another name is nothing.
    let moved = get(format!("{CITY_NAME}/incidents/{own}"));
    assert_eq!(reason(call!(desk, get_incident, CITY, moved)), "NOT_FOUND");
    let guard = call!(desk, get_incident, GUARD, get(name));
    assert_eq!(
        reason(guard),
        "SCOPE_DENIED",
        "who notices does not read on"
    );
}
