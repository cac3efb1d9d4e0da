//! The same picture as evidence of two schools is noticed.

use proto::safety as pb;

use crate::city::tree::SISTER;
use crate::city::{SCHOOL, SCHOOL_PATH};
use crate::scene::{
    CITY_OFFICER, OFFICER, PRINCIPAL, Scene, photo, plan, refused, scenes, stampede,
};

scenes!(
    a_picture_of_two_schools_is_a_finding,
    a_picture_is_told_only_to_those_who_may_read_where_it_was,
    a_picture_from_somewhere_else_is_a_finding,
);

/// An inspection whose photo of the stairs is the given one.
async fn with_photo(scene: &mut Scene, parent: &str, shown: &pb::Photo) -> pb::Inspection {
    let planned = scene
        .create(OFFICER, parent, stampede())
        .await
        .expect("planned");
    scene.start(OFFICER, &planned.name).await.expect("started");
    let mut answers = scene.all_but(&planned.name, &[]).await;
    for answer in answers.iter_mut().filter(|answer| answer.item == "stairs") {
        answer.photos = vec![shown.clone()];
    }
    scene
        .record(OFFICER, &planned.name, answers)
        .await
        .expect("recorded");
    scene
        .submit(OFFICER, &planned.name)
        .await
        .expect("submitted")
}

async fn stairs(scene: &mut Scene, who: crate::scene::Who<'_>, name: &str) -> pb::Photo {
    let items = scene.items(who, name).await;
    let stairs = items.into_iter().find(|item| item.item == "stairs");
    let answer = stairs.and_then(|item| item.answer).expect("answered");
    answer.photos.into_iter().next().expect("a photo")
}

async fn a_picture_of_two_schools_is_a_finding(mut scene: Scene) {
    let shared = photo("stairs", 1, scene.now());
    let first = with_photo(&mut scene, SCHOOL, &shared).await;
    assert_eq!(first.borrowed_photo_count, 0);
    scene.world.clock.advance(chrono::Duration::minutes(5));
    let second = with_photo(&mut scene, SISTER, &shared).await;
    assert_eq!(second.borrowed_photo_count, 1);
    let seen = stairs(&mut scene, OFFICER, &second.name).await;
    assert_eq!(seen.seen_elsewhere_count, 1);
    let [before] = &seen.seen_before[..] else {
        panic!("{seen:?}")
    };
    assert!(before.starts_with(&first.name), "{before}");
    let kept = stairs(&mut scene, OFFICER, &first.name).await;
    assert_eq!((kept.seen_elsewhere_count, kept.seen_before.len()), (0, 0));
    assert_eq!(kept.location, shared.location);
    assert_eq!(kept.take_time, shared.take_time);
    // The verdict says so at once.
    scene.world.clock.advance(chrono::Duration::minutes(5));
    let planned = scene
        .create(OFFICER, SISTER, stampede())
        .await
        .expect("planned");
    scene.start(OFFICER, &planned.name).await.expect("started");
    let now = scene.now();
    let value = pb::inspection_answer::Value::Good(true);
    let answer = pb::InspectionAnswer {
        photos: vec![shared, photo("stairs", 2, now)],
        ..crate::scene::answer("stairs", 1, value, now)
    };
    let verdicts = scene
        .record(OFFICER, &planned.name, vec![answer])
        .await
        .expect("recorded");
    assert_eq!(verdicts[0].borrowed_photo_count, 1);
}

async fn a_picture_is_told_only_to_those_who_may_read_where_it_was(mut scene: Scene) {
    let shared = photo("stairs", 1, scene.now());
    with_photo(&mut scene, SISTER, &shared).await;
    scene.world.clock.advance(chrono::Duration::minutes(5));
    let second = with_photo(&mut scene, SCHOOL, &shared).await;
    assert_eq!(PRINCIPAL.2, SCHOOL_PATH);
    let seen = stairs(&mut scene, PRINCIPAL, &second.name).await;
    assert_eq!((seen.seen_before.len(), seen.seen_elsewhere_count), (0, 1));
    let seen = stairs(&mut scene, CITY_OFFICER, &second.name).await;
    assert_eq!((seen.seen_before.len(), seen.seen_elsewhere_count), (1, 1));
}

/// Enters a place of the first school, with where on earth it is.
async fn enter(
    scene: &mut Scene,
    (kind, place): (pb::PlaceKind, &str),
    location: Option<proto::LatLng>,
) -> Result<pb::InspectionPlace, tonic::Status> {
    let request = pb::CreateInspectionPlaceRequest {
        parent: SCHOOL.to_owned(),
        inspection_place: Some(pb::InspectionPlace {
            place_kind: kind.into(),
            place: place.to_owned(),
            display_name: "场所".to_owned(),
            location,
            ..Default::default()
        }),
        request_id: String::new(),
    };
    let ask = scene.ask(PRINCIPAL, request);
    Ok(scene.plans.create_inspection_place(ask).await?.into_inner())
}

/// An inspection by a list of a place, whose first item has these pictures: what the verdict and the
/// inspection count as taken somewhere else, and the pictures as they are read.
async fn shown(
    scene: &mut Scene,
    planned: pb::Inspection,
    photos: Vec<pb::Photo>,
) -> (i32, i32, Vec<pb::Photo>) {
    let planned = scene.create(OFFICER, SCHOOL, planned).await;
    let name = planned.expect("planned").name;
    scene.start(OFFICER, &name).await.expect("started");
    let mut answers = scene.all_but(&name, &[]).await;
    for answer in &mut answers {
        answer.photos.iter_mut().for_each(|one| one.location = None);
    }
    answers[0].photos = photos;
    let item = answers[0].item.clone();
    let verdicts = scene
        .record(OFFICER, &name, answers)
        .await
        .expect("recorded");
    let ended = scene.submit(OFFICER, &name).await.expect("submitted");
    let items = scene.items(OFFICER, &name).await;
    let read = items.into_iter().find(|one| one.item == item);
    let read = read.and_then(|one| one.answer).expect("answered");
    let counted = verdicts.iter().map(|one| one.misplaced_photo_count).sum();
    (counted, ended.misplaced_photo_count, read.photos)
}

async fn a_picture_from_somewhere_else_is_a_finding(mut scene: Scene) {
    let at = |latitude| {
        Some(proto::LatLng {
            latitude,
            longitude: 119.3,
        })
    };
    let (canteen, dormitory) = (pb::PlaceKind::Canteen, pb::PlaceKind::Dormitory);
    let nowhere = enter(&mut scene, (canteen, "canteen-1"), at(91.0)).await;
    assert_eq!(refused(nowhere), "INVALID_FIELD");
    let entered = enter(&mut scene, (canteen, "canteen-1"), at(26.08)).await;
    assert_eq!(entered.expect("entered").location, at(26.08));
    let entered = enter(&mut scene, (dormitory, "dormitory-2"), None).await;
    assert_eq!(entered.expect("entered").location, None);

    let now = scene.now();
    let taken = |number, location, place: &str| pb::Photo {
        location,
        place: place.to_owned(),
        ..photo("whereabouts", number, now)
    };
    let level = pb::InspectionLevel::Bureau;
    let photos = vec![
        taken(1, at(26.081), ""),
        taken(2, at(26.084), "canteen-1"),
        taken(3, None, "dormitory-2"),
        taken(4, None, ""),
    ];
    let by_fence = plan("canteen~1", canteen, "canteen-1", level);
    let (verdict, counted, read) = shown(&mut scene, by_fence, photos).await;
    assert_eq!(
        (verdict, counted),
        (2, 2),
        "too far away, and by another code"
    );
    let seen = |number| {
        let wanted = taken(number, None, "").sha256;
        let found = read.iter().find(|one| one.sha256 == wanted);
        let found = found.expect("a photo");
        (found.distance_meters, found.misplaced)
    };
    // A thousandth of a degree of latitude is 111 metres.
    assert_eq!(seen(1), (Some(111), false));
    assert_eq!(seen(2), (Some(445), true));
    assert_eq!(seen(3), (None, true));
    assert_eq!(seen(4), (None, false));

    let photos = vec![
        taken(5, at(20.0), "dormitory-2/floor-1"),
        taken(6, at(26.08), "gate"),
    ];
    let by_code = plan("dormitory~1", dormitory, "dormitory-2", level);
    let (verdict, counted, _) = shown(&mut scene, by_code, photos).await;
    assert_eq!(
        (verdict, counted),
        (1, 1),
        "where nobody said where it is, codes say so"
    );
}
