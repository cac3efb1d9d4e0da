//! Reviews: by somebody else than who handled it; causes become hazards.

use proto::safety as pb;
use proto::safety::incident::State;
use safety_inspection::domain::hazard::report::{Category, Source};
use safety_inspection::store::Store;

use crate::city::on_both;
use crate::city::world::World;
use crate::city::{SCHOOL, staff};
use crate::desk::{CITY, DISTRICT, Desk, HEAD, OFFICER, REVIEWER, call, deaths, review, why};

on_both!(
    causes_become_hazards_and_accountability_is_kept,
    who_handled_it_does_not_review_it,
    a_school_reviews_ordinary_incidents_only,
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
