//! How ready schools, districts and the city are, and what is missing.

use proto::safety as pb;
use proto::safety::resumption::State;
use proto::safety::resumption_answer::Value;
use proto::safety::resumption_block::Kind;

use crate::city::SCHOOL_PATH;
use crate::city::tree::{BUREAU, CITY, KINDERGARTEN_PATH, SISTER_PATH};
use crate::ground::{Ground, JUNIOR_PATH, SENIOR_PATH, cities, day, id, items, name};

cities!(
    the_silent_are_ranked_worst_and_what_is_missing_is_counted,
    lists_are_read_page_by_page,
);

async fn the_silent_are_ranked_worst_and_what_is_missing_is_counted(mut ground: Ground) {
    // Before anybody looks at it.
    ground.stock(SCHOOL_PATH).await;
    ground.plan(1, day(4, 6)).await.expect("planned");
    ground.plan(2, day(4, 6)).await.expect("planned");
    // One has returned, one is ready but for its guards, one answers only that it has nothing.
    ground.back(SCHOOL_PATH, 1, day(4, 6)).await;
    ground.start(SISTER_PATH, 2).await.expect("started");
    ground.answer_all(SISTER_PATH, 2).await;
    ground.start(JUNIOR_PATH, 1).await.expect("started");
    let item = items().into_iter().find(|item| item.code == "r05-route");
    let mut none = ground.good(JUNIOR_PATH, &item.expect("an item"));
    none.value = Some(Value::Good(false));
    ground
        .answer((JUNIOR_PATH, 1), vec![none])
        .await
        .expect("honest");
    ground.until_looked_at(CITY).await;
    let standings = ground.standings(CITY).await;
    let ranked: Vec<_> = standings
        .iter()
        .map(|one| (&*one.resumption, one.score, one.silent))
        .collect();
    let at = |path: &str, position: i32| format!("{}/resumptions/{position}", name(path));
    let (junior, senior) = (at(JUNIOR_PATH, 1), at(SENIOR_PATH, 1));
    let (second, sister) = (at(SCHOOL_PATH, 2), at(SISTER_PATH, 2));
    let expected = [
        (&*second, 0, true),
        (&*senior, 0, true),
        (&*junior, 0, false),
        (&*sister, 100, false),
    ];
    assert_eq!(
        ranked, expected,
        "whoever said nothing stands before who admitted"
    );
    assert_eq!(standings[3].display_name, "鼓山实验小学");
    assert_eq!(standings[3].open_item_count, 0);
    let guards = [Kind::Drill, Kind::Supplies, Kind::IsolationRoom];
    assert_eq!(standings[3].blocks, guards.map(i32::from));
    assert_eq!(
        standings[1].open_categories.len(),
        12,
        "catering asks for nothing mandatory"
    );
    let figures = ground.figures(CITY, 0).await;
    let total = figures.total.expect("a total");
    let counts = (
        total.resumption_count,
        total.returned_count,
        total.silent_count,
        total.ready_count,
    );
    assert_eq!(counts, (5, 1, 2, 0));
    // 100 of who is back, 0, 0, 0 and 100.
    assert_eq!(total.score, 40);
    let blocked = |kind: Kind| {
        let found = total.blocked.iter().find(|one| one.kind() == kind);
        found.map_or(0, |one| one.resumption_count)
    };
    assert_eq!((blocked(Kind::Drill), blocked(Kind::MajorHazard)), (3, 0));
    assert!(total.open.iter().all(|one| one.resumption_count == 3));
    assert_eq!(figures.parts.len(), 1, "nobody is planned elsewhere");
    assert_eq!(figures.parts[0].organization, BUREAU);
    assert!(total.oldest_check_time.is_some());
    let district = ground.figures(BUREAU, 1).await;
    assert_eq!(district.total.expect("a total").resumption_count, 3);
    let last = district.parts.last().expect("a part");
    assert_eq!(
        last.organization,
        name(SCHOOL_PATH),
        "the least ready first"
    );
    // What stands beside the checklist comes, and a day later everybody knows.
    ground.stock(SISTER_PATH).await;
    ground.set("2022-04-07T00:00:00Z");
    for _ in 0..200 {
        let total = ground.figures(CITY, 0).await.total.expect("a total");
        if total.ready_count == 1 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nobody looked again: {:?}", ground.standings(CITY).await);
}

async fn lists_are_read_page_by_page(mut ground: Ground) {
    for (position, planned) in [(1, day(4, 6)), (2, day(4, 6)), (3, day(4, 6))] {
        ground.plan(position, planned).await.expect("planned");
    }
    ground.start(SISTER_PATH, 2).await.expect("started");
    let mut request = pb::ListResumptionsRequest {
        parent: BUREAU.to_owned(),
        page_size: 2,
        ..Default::default()
    };
    let mut found = Vec::new();
    loop {
        let asked = ground.district(request.clone());
        let page = ground.client.list_resumptions(asked).await;
        let page = page.expect("a page").into_inner();
        assert!(page.resumptions.len() <= 2);
        assert!(page.resumptions.iter().all(|one| one.history.is_empty()));
        found.extend(page.resumptions.into_iter().map(|one| one.name));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let at =
        |path: &str, position: i32| format!("organizations/{}/resumptions/{position}", id(path));
    let expected = [
        at(SCHOOL_PATH, 1),
        at(SCHOOL_PATH, 2),
        at(SISTER_PATH, 2),
        at(JUNIOR_PATH, 1),
        at(SENIOR_PATH, 1),
        at(KINDERGARTEN_PATH, 3),
    ];
    assert_eq!(found, expected);
    let request = pb::ListResumptionsRequest {
        parent: BUREAU.to_owned(),
        state: State::SelfChecking.into(),
        ..Default::default()
    };
    let asked = ground.district(request);
    let page = ground.client.list_resumptions(asked).await;
    let page = page.expect("a page").into_inner();
    assert_eq!(page.resumptions.len(), 1);
    let asked = ground.district(pb::ListResumptionBatchesRequest {
        parent: BUREAU.to_owned(),
        ..Default::default()
    });
    let batches = ground.client.list_resumption_batches(asked).await;
    let batches = batches.expect("batches").into_inner().resumption_batches;
    let counts: Vec<_> = batches
        .iter()
        .map(|batch| {
            batch
                .counts
                .iter()
                .map(|one| one.resumption_count)
                .sum::<i32>()
        })
        .collect();
    assert_eq!(counts, [3, 2, 1]);
}
