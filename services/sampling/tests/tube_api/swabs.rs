//! Who may be in which tube (rules 2.10 to 2.12, 2.15).

use proto::sampling::{
    AddSwabRequest, AddSwabsRequest, OpenTubeRequest, PoolType, RemoveSwabRequest, ResultValue,
    SingleReason, add_swab_response,
};
use tonic::Code;

use super::site::{CLASS, Site, refused};
use super::town::{OTHER_SCHOOL, SCHOOL, on_both_databases, reason, student};

on_both_databases!(
    the_eleventh_swab_is_refused_and_scanning_twice_is_one,
    fever_gets_a_single_tube,
    a_queue_of_scans_is_answered_in_its_order,
    a_swab_is_taken_back_once_a_request,
    a_tube_is_opened_where_it_was_issued_for,
    a_single_of_a_hold_takes_its_people_only,
);

/// T3.
async fn the_eleventh_swab_is_refused_and_scanning_twice_is_one(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.issue(PoolType::P10, &["FZ-0001", "FZ-0002"]).await;
    site.open_tube("FZ-0001", "").await;
    site.open_tube("FZ-0002", "").await;
    for number in 0..10 {
        site.add("FZ-0001", number, SingleReason::Unspecified)
            .await
            .expect("added");
    }
    let again = site
        .add("FZ-0001", 3, SingleReason::Unspecified)
        .await
        .expect("repeated");
    assert_eq!(again.swab_count, 10);
    let eleventh = site
        .add("FZ-0001", 10, SingleReason::Unspecified)
        .await
        .expect_err("full");
    assert_eq!(reason(&eleventh), refused("TUBE_FULL"));
    let twice = site
        .add("FZ-0002", 3, SingleReason::Unspecified)
        .await
        .expect_err("elsewhere");
    assert_eq!(reason(&twice), refused("DUPLICATE_SWAB"));
    let mixed = site
        .add("FZ-0002", 100, SingleReason::Unspecified)
        .await
        .expect_err("mixed");
    assert_eq!(reason(&mixed), refused("TUBE_CLASS_MIXED"));
}

/// T4.
async fn fever_gets_a_single_tube(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.issue(PoolType::P10, &["FZ-0001"]).await;
    site.issue(PoolType::Single, &["FZ-0002"]).await;
    site.open_tube("FZ-0001", "").await;
    site.open_tube("FZ-0002", "").await;
    let pooled = site
        .add("FZ-0001", 0, SingleReason::Symptoms)
        .await
        .expect_err("pooled");
    assert_eq!(reason(&pooled), refused("SINGLE_ONLY"));
    assert_eq!(
        site.add("FZ-0002", 0, SingleReason::Symptoms)
            .await
            .expect("alone")
            .swab_count,
        1
    );
}

/// Scans that were queued offline: the earliest of a person counts, each has its own answer.
async fn a_queue_of_scans_is_answered_in_its_order(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.issue(PoolType::P10, &["FZ-0001", "FZ-0002"]).await;
    site.open_tube("FZ-0001", "").await;
    site.open_tube("FZ-0002", "").await;
    let now = site.0.now();
    let scan = |tube: &str, person: String, minutes_ago: i64| AddSwabsRequest {
        swab: Some(AddSwabRequest {
            tube: format!("tubes/{tube}"),
            person,
            scan_time: Some(kit::field::to_timestamp(
                now - chrono::Duration::minutes(minutes_ago),
            )),
            single_reason: SingleReason::Unspecified.into(),
        }),
    };
    let queue = vec![
        scan("FZ-0001", student(1), 5),
        scan("FZ-0001", student(1), 5),
        scan("FZ-0002", student(1), 9),
        scan("FZ-0001", student(1), 7),
        scan("FZ-0001", "students/nobody".to_owned(), 5),
        scan("FZ-0009", student(2), 5),
        scan("FZ-0001", student(2), 5),
    ];
    let mut answers = site
        .sampler()
        .add_swabs(tokio_stream::iter(queue))
        .await
        .expect("a stream")
        .into_inner();
    let mut told = Vec::new();
    while let Some(answer) = answers.message().await.expect("an answer") {
        assert_eq!(
            answer.error_reason.is_empty(),
            answer.error_message.is_empty()
        );
        let outcome = answer.answer.map(|answer| answer.outcome());
        told.push((answer.index, outcome, answer.error_reason));
    }
    use add_swab_response::Outcome as O;
    let expected = [
        (Some(O::Added), ""),
        (Some(O::Repeated), ""),
        (Some(O::Moved), ""),
        (None, "DUPLICATE_SWAB"),
        (None, "INVALID_FIELD"),
        (None, "NOT_FOUND"),
        (Some(O::Added), ""),
    ];
    let expected = (0..).zip(expected);
    let expected: Vec<_> = expected
        .map(|(index, (outcome, reason))| (index, outcome, reason.to_owned()))
        .collect();
    assert_eq!(told, expected);
    let counts = [site.tube("FZ-0001").await, site.tube("FZ-0002").await];
    assert_eq!(counts.map(|tube| tube.swab_count), [1, 1]);
}

async fn a_swab_is_taken_back_once_a_request(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.issue(PoolType::P10, &["FZ-0001"]).await;
    site.open_tube("FZ-0001", "").await;
    site.add("FZ-0001", 1, SingleReason::Unspecified)
        .await
        .expect("added");
    let request = RemoveSwabRequest {
        tube: "tubes/FZ-0001".to_owned(),
        person: student(1),
        reason: "管码扫错".to_owned(),
        request_id: "0b0e7f0e-3a43-4a8e-9f5b-0c1d2e3f4a5b".to_owned(),
    };
    let remove = async || {
        let removed = site.sampler().remove_swab(request.clone()).await;
        removed.expect("taken back").into_inner().swab_count
    };
    assert_eq!(remove().await, 0);
    site.add("FZ-0001", 1, SingleReason::Unspecified)
        .await
        .expect("added again");
    assert_eq!(remove().await, 0, "the first answer");
    assert_eq!(site.tube("FZ-0001").await.swab_count, 1, "and one effect");
}

async fn a_tube_is_opened_where_it_was_issued_for(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.issue_at(PoolType::P10, &["FZ-0001"], OTHER_SCHOOL)
        .await;
    let class_group = format!("organizations/{SCHOOL}/classGroups/{CLASS}");
    let open = async |request: OpenTubeRequest| {
        let opened = site.sampler().open_tube(request).await;
        reason(&opened.expect_err("refused"))
    };
    let request = OpenTubeRequest {
        name: "tubes/FZ-0001".to_owned(),
        class_group: class_group.clone(),
        ..Default::default()
    };
    let invalid = (Code::InvalidArgument, "INVALID_FIELD".to_owned());
    assert_eq!(open(request.clone()).await, invalid);
    site.issue(PoolType::P10, &["FZ-0002"]).await;
    let two = OpenTubeRequest {
        name: "tubes/FZ-0002".to_owned(),
        hold: "holds/FZ-0001".to_owned(),
        ..request.clone()
    };
    assert_eq!(open(two).await, invalid, "one purpose only");
    let without_draw = OpenTubeRequest {
        name: "tubes/FZ-0002".to_owned(),
        draw: format!("draws/students~20220328~{SCHOOL}"),
        ..request
    };
    let missing = (Code::NotFound, "NOT_FOUND".to_owned());
    assert_eq!(open(without_draw).await, missing);
}

async fn a_single_of_a_hold_takes_its_people_only(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    site.filled("FZ-0001", 0..2).await;
    assert!(site.report("FZ-0001", 1, ResultValue::Positive).await.0);
    site.issue(PoolType::Single, &["SG-0001"]).await;
    site.open_tube("SG-0001", "holds/FZ-0001").await;
    let stranger = site.add("SG-0001", 5, SingleReason::Unspecified).await;
    assert_eq!(
        reason(&stranger.expect_err("not ordered")),
        refused("NOT_ASSIGNED")
    );
    let held = site.add("SG-0001", 1, SingleReason::Unspecified).await;
    assert_eq!(held.expect("ordered").swab_count, 1);
    site.issue(PoolType::P10, &["FZ-0002"]).await;
    site.open_tube("FZ-0002", "").await;
    let pooled = site.add("FZ-0002", 0, SingleReason::Unspecified).await;
    assert_eq!(
        reason(&pooled.expect_err("held")),
        refused("SINGLE_ONLY"),
        "a member of a positive tube is never pooled"
    );
}
