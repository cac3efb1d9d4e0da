//! The same picture as evidence of two schools is noticed.

use proto::safety as pb;

use crate::city::tree::SISTER;
use crate::city::{SCHOOL, SCHOOL_PATH};
use crate::scene::{CITY_OFFICER, OFFICER, PRINCIPAL, Scene, photo, scenes, stampede};

scenes!(
    a_picture_of_two_schools_is_a_finding,
    a_picture_is_told_only_to_those_who_may_read_where_it_was,
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
