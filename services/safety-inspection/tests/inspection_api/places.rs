//! Places are entered once, inspected while they are there, and closed.

use chrono::Duration;
use proto::safety as pb;

use crate::city::SCHOOL;
use crate::scene::{PRINCIPAL, Scene, date, plan, refused, scenes};

scenes!(places_are_entered_once_and_closed);

pub(crate) async fn enter(
    scene: &mut Scene,
    kind: pb::PlaceKind,
    place: &str,
) -> Result<pb::InspectionPlace, tonic::Status> {
    let request = pb::CreateInspectionPlaceRequest {
        parent: SCHOOL.to_owned(),
        inspection_place: Some(pb::InspectionPlace {
            place_kind: kind.into(),
            place: place.to_owned(),
            display_name: "一食堂".to_owned(),
            ..Default::default()
        }),
        request_id: String::new(),
    };
    let ask = scene.ask(PRINCIPAL, request);
    Ok(scene.plans.create_inspection_place(ask).await?.into_inner())
}

async fn places_are_entered_once_and_closed(mut scene: Scene) {
    let canteen = pb::PlaceKind::Canteen;
    let unknown = plan("canteen~1", canteen, "canteen-1", pb::InspectionLevel::Post);
    let answer = scene.create(PRINCIPAL, SCHOOL, unknown.clone()).await;
    assert_eq!(refused(answer), "INVALID_FIELD");
    let entered = enter(&mut scene, canteen, "canteen-1")
        .await
        .expect("entered");
    assert_eq!(entered.open_date, date(4, 6));
    scene
        .create(PRINCIPAL, SCHOOL, unknown)
        .await
        .expect("planned");
    let twice = enter(&mut scene, canteen, "canteen-1").await;
    assert_eq!(refused(twice), "ALREADY_EXISTS");
    let whole = enter(&mut scene, pb::PlaceKind::School, "campus").await;
    assert_eq!(refused(whole), "INVALID_FIELD");
    for day in [6, 6] {
        let close = pb::CloseInspectionPlaceRequest {
            name: entered.name.clone(),
            request_id: String::new(),
        };
        let ask = scene.ask(PRINCIPAL, close);
        let closed = scene
            .plans
            .close_inspection_place(ask)
            .await
            .expect("closed")
            .into_inner();
        assert_eq!(closed.close_date, date(4, day));
        scene.world.clock.advance(Duration::days(1));
    }
    let again = enter(&mut scene, canteen, "canteen-1")
        .await
        .expect("entered anew");
    let list = pb::ListInspectionPlacesRequest {
        parent: SCHOOL.to_owned(),
        ..Default::default()
    };
    let ask = scene.ask(PRINCIPAL, list);
    let listed = scene
        .plans
        .list_inspection_places(ask)
        .await
        .expect("listed")
        .into_inner();
    let names: Vec<String> = listed
        .inspection_places
        .into_iter()
        .map(|one| one.name)
        .collect();
    assert_eq!(names, [entered.name, again.name]);
}
