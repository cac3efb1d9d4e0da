//! Inspectors without a network hand in their answers later, twice, and in any order.

use chrono::Duration;
use proto::safety as pb;
use proto::safety::answer_verdict::Outcome;
use proto::safety::inspection_answer::Value;

use crate::city::SCHOOL;
use crate::scene::{CITY_OFFICER, OFFICER, Scene, answer, photo, refused, scenes, stampede};

scenes!(
    answers_are_kept_once_and_the_last_written_counts,
    answers_that_fit_no_item_are_refused_one_by_one,
    only_the_inspector_answers,
);

async fn running(scene: &mut Scene) -> String {
    let planned = scene
        .create(OFFICER, SCHOOL, stampede())
        .await
        .expect("planned");
    scene.start(OFFICER, &planned.name).await.expect("started");
    planned.name
}

fn outcomes(verdicts: &[pb::AnswerVerdict]) -> Vec<Outcome> {
    verdicts.iter().map(pb::AnswerVerdict::outcome).collect()
}

async fn answers_are_kept_once_and_the_last_written_counts(mut scene: Scene) {
    let name = running(&mut scene).await;
    let begin = scene.now();
    scene.world.clock.advance(Duration::minutes(30));
    let at = |minutes| begin + Duration::minutes(minutes);
    let early = answer("doors", 1, Value::Good(false), at(1));
    let late = answer("doors", 2, Value::Good(true), at(2));
    let verdicts = scene
        .record(OFFICER, &name, vec![late.clone(), early.clone()])
        .await;
    let verdicts = verdicts.expect("recorded");
    assert_eq!(outcomes(&verdicts), [Outcome::Recorded, Outcome::Outdated]);
    let changed = pb::InspectionAnswer {
        value: Some(Value::Good(false)),
        ..late.clone()
    };
    let again = vec![early, late.clone(), changed, late.clone()];
    let verdicts = scene.record(OFFICER, &name, again).await.expect("recorded");
    let expected = [
        Outcome::Repeated,
        Outcome::Repeated,
        Outcome::Differs,
        Outcome::Repeated,
    ];
    assert_eq!(outcomes(&verdicts), expected);
    assert!(verdicts.iter().all(|verdict| !verdict.message.is_empty()));
    let items = scene.items(OFFICER, &name).await;
    let doors = items
        .iter()
        .find(|item| item.item == "doors")
        .expect("the item");
    assert_eq!(doors.result(), pb::inspection_item::Result::Passed);
    assert_eq!(
        doors.answer.as_ref().map(|one| &one.client_id),
        Some(&late.client_id)
    );
}

async fn answers_that_fit_no_item_are_refused_one_by_one(mut scene: Scene) {
    let name = running(&mut scene).await;
    let now = scene.now();
    let mut no_sha = photo("x", 1, now);
    no_sha.sha256 = vec![1u8; 31].into();
    let mut secret = photo("x", 2, now);
    secret.uri = "https://user:word@example.cn/1.jpg".to_owned();
    let with = |number, photo: pb::Photo| pb::InspectionAnswer {
        photos: vec![photo],
        ..answer("stairs", number, Value::Good(true), now)
    };
    let answers = vec![
        answer("nothing", 1, Value::Good(true), now),
        answer("doors", 2, Value::NumberThousandths(1), now),
        answer("doors", 3, Value::NotApplicable(true), now),
        answer("stairs", 4, Value::Good(true), now),
        answer("drills", 5, Value::NumberThousandths(-1), now),
        answer("doors", 6, Value::Good(true), now - Duration::hours(1)),
        answer("doors", 7, Value::Good(true), now + Duration::hours(1)),
        with(8, no_sha),
        with(9, secret),
        answer("staggered", 10, Value::NotApplicable(true), now),
        with(11, photo("x", 3, now)),
    ];
    let verdicts = scene
        .record(OFFICER, &name, answers)
        .await
        .expect("recorded");
    let (refusals, good) = verdicts.split_at(9);
    for verdict in refusals {
        assert_eq!(verdict.outcome(), Outcome::Refused, "{verdict:?}");
        assert!(!verdict.message.is_ascii(), "{verdict:?}");
    }
    assert_eq!(outcomes(good), [Outcome::Recorded, Outcome::Recorded]);
    let items = scene.items(OFFICER, &name).await;
    let answered = items.iter().filter(|item| item.answer.is_some());
    assert_eq!(answered.count(), 2);
    for count in [0, 201] {
        let many = vec![answer("doors", 20, Value::Good(true), now); count];
        let answer = scene.record(OFFICER, &name, many).await;
        assert_eq!(refused(answer), "INVALID_FIELD", "{count}");
    }
}

async fn only_the_inspector_answers(mut scene: Scene) {
    let name = running(&mut scene).await;
    let answers = scene.all_but(&name, &[]).await;
    let other = scene.record(CITY_OFFICER, &name, answers.clone()).await;
    assert_eq!(refused(other), "INSPECTION_INSPECTOR");
    scene
        .record(OFFICER, &name, answers)
        .await
        .expect("recorded");
    assert_eq!(
        refused(scene.submit(CITY_OFFICER, &name).await),
        "INSPECTION_INSPECTOR"
    );
    scene.submit(OFFICER, &name).await.expect("submitted");
}
