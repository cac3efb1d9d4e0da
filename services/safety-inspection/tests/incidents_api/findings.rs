//! Reviews: by somebody else than who handled it; causes become hazards.

use kit::auth::Role;
use proto::roster::organization::Kind as OrganizationKind;
use proto::safety as pb;
use proto::safety::incident::State;
use proto::safety::incident_report::Kind;
use proto::safety::incident_step::{Medium, Receiver};
use safety_inspection::domain::hazard::report::{Category, Source};
use safety_inspection::store::Store;

use crate::city::tree::{BUREAU_PATH, place};
use crate::city::world::World;
use crate::city::{SCHOOL, on_both, roster, staff};
use crate::desk::{
    CITY, DISTRICT, Desk, HEAD, OFFICER, REVIEWER, Who, call, deaths, receipt, report, review,
    said, why,
};

on_both!(
    causes_become_hazards_and_accountability_is_kept,
    who_handled_it_does_not_review_it,
    a_school_reviews_ordinary_incidents_only,
    a_school_right_under_the_city_is_no_bureau,
    a_zone_below_a_county_receives_as_a_district,
);

async fn causes_become_hazards_and_accountability_is_kept(world: World) {
    let desk = Desk::new(world).await;
    let name = desk.noticed(pb::Casualties::default()).await.name;
    desk.bring_to(&name, 7).await;
    let mut request = review(&name);
    request.causes.push(pb::IncidentCause {
        description: "疏散通道堆物".to_owned(),
        hazard_category: pb::HazardCategory::Crowd.into(),
        ..Default::default()
    });
    let reviewed = call!(desk, review_incident, REVIEWER, request).expect("reviewed");
    assert_eq!(reviewed.state(), State::Reviewed);
    let hazards: Vec<&str> = reviewed.causes.iter().map(|cause| &*cause.hazard).collect();
    assert_eq!(hazards.len(), 2);
    let expected = [
        ("stand-1", "看台焊缝无定期检查", Category::Building),
        ("", "疏散通道堆物", Category::Crowd),
    ];
    for (hazard, (place, description, category)) in hazards.iter().zip(expected) {
        let id = hazard
            .strip_prefix(&format!("{SCHOOL}/hazards/"))
            .expect("a hazard");
        let id: uuid::Uuid = id.parse().expect("an id");
        let row = Store::hazard(desk.world.db.read(), "2135010001", id).await;
        let row = row.expect("read").expect("kept");
        assert_eq!((&*row.place, &*row.description), (place, description));
        assert_eq!((row.category, row.source), (category, Source::Incident));
        assert_eq!((&*row.origin, &*row.finder), (&*name, REVIEWER.0));
    }
    let [blame] = &reviewed.accountability[..] else {
        panic!("{reviewed:?}");
    };
    assert_eq!(blame.staff_member, staff(32));
    assert_eq!(
        desk.get(HEAD, &name).await.accountability,
        reviewed.accountability
    );
}

async fn who_handled_it_does_not_review_it(world: World) {
    let desk = Desk::new(world).await;
    let name = desk.noticed(pb::Casualties::default()).await.name;
    desk.bring_to(&name, 3).await;
    let respond = crate::desk::said!(RespondIncidentRequest, name, measures);
    call!(desk, respond_incident, DISTRICT, respond).expect("responded");
    for state in 5..=7 {
        desk.step(&name, state).await;
    }
    let before = desk.get(CITY, &name).await;
    let own = why(call!(desk, review_incident, DISTRICT, review(&name)));
    let sentence = "发现或处置该事件的人员不能由本人核销或复盘，请由他人办理";
    assert_eq!(
        own,
        ("INCIDENT_SECOND_PERSON".to_owned(), sentence.to_owned())
    );
    let officer = call!(desk, review_incident, OFFICER, review(&name));
    assert_eq!(why(officer).0, "SCOPE_DENIED");
    assert_eq!(
        desk.get(CITY, &name).await,
        before,
        "no hazard, no event, no state"
    );
    call!(desk, review_incident, CITY, review(&name)).expect("by another person");
}

async fn a_school_reviews_ordinary_incidents_only(world: World) {
    let desk = Desk::new(world).await;
    let ordinary = desk.noticed(pb::Casualties::default()).await.name;
    desk.bring_to(&ordinary, 7).await;
    call!(desk, review_incident, HEAD, review(&ordinary)).expect("ordinary");
    let grave = desk.noticed(deaths(1)).await.name;
    desk.bring_to(&grave, 7).await;
    let refused = why(call!(desk, review_incident, HEAD, review(&grave)));
    let sentence = "II 级事件应由教育行政部门复盘，学校不能自行复盘";
    assert_eq!(
        refused,
        ("INCIDENT_REVIEW_LEVEL".to_owned(), sentence.to_owned())
    );
}

/// Adds organisations to the tree: id, place, kind.
async fn grown(desk: &Desk, places: &[(&str, &str, OrganizationKind)]) {
    let events: Vec<_> = places
        .iter()
        .map(|(id, path, kind)| place(id, path, *kind, (*id, "350100")))
        .collect();
    roster(&desk.world.db, &events, 2).await;
}

/// An incident with a death at the organisation of this id, just noticed by the city.
async fn noticed_at(desk: &Desk, id: &str) -> String {
    let request = pb::CreateIncidentRequest {
        parent: format!("organizations/{id}"),
        ..desk.accident(deaths(1))
    };
    let noticed = call!(desk, create_incident, CITY, request);
    noticed.expect("noticed").name
}

async fn a_school_right_under_the_city_is_no_bureau(world: World) {
    let desk = Desk::new(world).await;
    let (id, path) = ("2135010009", "fz/2135010009");
    grown(&desk, &[(id, path, OrganizationKind::MunicipalSchool)]).await;
    let name = noticed_at(&desk, id).await;
    let write = |kind| report(&name, kind);
    call!(desk, write_incident_report, CITY, write(Kind::First)).expect("written");
    let confirm = said!(ConfirmIncidentRequest, name, reason);
    call!(desk, confirm_incident, CITY, confirm).expect("confirmed");
    let respond = said!(RespondIncidentRequest, name, measures);
    call!(desk, respond_incident, CITY, respond).expect("responded");
    call!(desk, write_incident_report, CITY, write(Kind::FollowUp)).expect("written");
    let control = said!(ControlIncidentRequest, name, measures);
    call!(desk, control_incident, CITY, control).expect("controlled");
    call!(desk, write_incident_report, CITY, write(Kind::Final)).expect("written");
    let head: Who = ("head-9", Role::Principal, path);
    let refused = why(call!(desk, review_incident, head, review(&name)));
    let sentence = "II 级事件应由教育行政部门复盘，学校不能自行复盘";
    assert_eq!(
        refused,
        ("INCIDENT_REVIEW_LEVEL".to_owned(), sentence.to_owned())
    );
    let inspector: Who = ("city-2", Role::CityOfficer, "fz");
    let reviewed = call!(desk, review_incident, inspector, review(&name)).expect("reviewed");
    assert_eq!(reviewed.state(), State::Reviewed);
}

async fn a_zone_below_a_county_receives_as_a_district(world: World) {
    let desk = Desk::new(world).await;
    let zone = format!("{BUREAU_PATH}/350102-z");
    let school = format!("{zone}/2135010008");
    grown(
        &desk,
        &[
            ("350102-z", &zone, OrganizationKind::FunctionalZone),
            ("2135010008", &school, OrganizationKind::School),
        ],
    )
    .await;
    let name = noticed_at(&desk, "2135010008").await;
    let office: Who = ("zone-1", Role::DistrictOfficer, "fz/350102/350102-z");
    let phone = receipt(&name, Receiver::District, Medium::Phone);
    let received = call!(desk, acknowledge_incident, office, phone).expect("received");
    assert_eq!(received.steps.len(), 1);
}
