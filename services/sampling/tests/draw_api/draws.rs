//! Draws: rotation, replacement, freezing, verification, cuts.

use std::collections::BTreeSet;

use proto::sampling::sampling_plan::Kind;
use proto::sampling::{
    CloseDayRequest, DrawDayRequest, GetDrawRequest, GetVerificationKeyRequest, ListDrawsRequest,
    ReplaceAssignmentRequest, VerifyDrawRequest, assignment, draw,
};
use sampling::domain::commitment::PublicKey;
use tonic::Code;

use super::town::{
    CITY, DISTRICT, OTHER_SCHOOL, Roster, SCHOOL, Town, class, on_both_databases, reason,
    school_path,
};
use super::{CLASS, group_path, with_class_of};

on_both_databases!(
    a_week_covers_a_class_of_45,
    the_absent_are_replaced_and_come_first,
    a_draw_twice_is_the_same_and_verifies,
    a_class_of_51_shares_two_tubes,
    two_calls_at_once_draw_once,
    a_cut_draw_goes_on,
);

async fn a_week_covers_a_class_of_45(database: kit::scratch::Scratch) {
    let town = with_class_of(45, database).await;
    let mut covered = BTreeSet::new();
    for _ in 0..5 {
        let drawn = town.draw("students", CITY).await;
        let draw = drawn.draw.expect("one school has one draw");
        assert_eq!(
            (draw.quota, draw.pick_count, draw.eligible_count),
            (9, 9, 45)
        );
        let called = town.assignments(&draw.name, "").await;
        let people: Vec<String> = called.iter().map(|one| one.person.clone()).collect();
        assert!(
            called.iter().all(|one| one.tube_number == 1),
            "nine share one tube"
        );
        town.swab(&group_path(), &people).await;
        covered.extend(people);
        town.next_day();
    }
    assert_eq!(covered.len(), 45, "five days cover all");
    // Saturday, 2 April is made up; Sunday to Tuesday there is no school.
    assert_eq!(town.draw("students", CITY).await.pick_count, 9);
    town.next_day();
    let refused = town.try_draw("students", CITY).await.expect_err("a Sunday");
    assert_eq!(
        reason(&refused),
        (Code::FailedPrecondition, "NO_SCHOOL_DAY".to_owned())
    );
}

async fn the_absent_are_replaced_and_come_first(database: kit::scratch::Scratch) {
    let town = with_class_of(45, database).await;
    let name = town
        .draw("students", SCHOOL)
        .await
        .draw
        .expect("a draw")
        .name;
    let called = town.assignments(&name, "").await;
    let absent = called[3].person.clone();
    let request = ReplaceAssignmentRequest {
        draw: name.clone(),
        absent: absent.clone(),
        request_id: "3a0cf8a5-2f0e-4b4e-9f55-0c9d7d5b1a11".to_owned(),
    };
    let replaced = town
        .draws()
        .replace_assignment(request.clone())
        .await
        .expect("an answer")
        .into_inner();
    let again = town
        .draws()
        .replace_assignment(request.clone())
        .await
        .expect("an answer")
        .into_inner();
    assert_eq!(replaced, again, "a repeat has one effect");
    assert!(!called.iter().any(|one| one.person == replaced.replacement));

    let other = ReplaceAssignmentRequest {
        request_id: String::new(),
        ..request
    };
    let twice = town
        .draws()
        .replace_assignment(other)
        .await
        .expect_err("refused");
    assert_eq!(
        reason(&twice),
        (Code::FailedPrecondition, "NOT_ASSIGNED".to_owned())
    );

    let now = town.assignments(&name, "").await;
    assert_eq!(now.len(), 10);
    let state = |person: &str| {
        now.iter()
            .find(|one| one.person == person)
            .map(|one| one.state())
    };
    assert_eq!(state(&absent), Some(assignment::State::Absent));
    assert_eq!(
        state(&replaced.replacement),
        Some(assignment::State::Assigned)
    );
    let there: Vec<String> = now
        .iter()
        .filter(|one| one.state() == assignment::State::Assigned)
        .map(|one| one.person.clone())
        .collect();
    town.swab(&group_path(), &there[1..]).await;
    let sampled = ReplaceAssignmentRequest {
        draw: name.clone(),
        absent: there[2].clone(),
        request_id: String::new(),
    };
    let late = town
        .draws()
        .replace_assignment(sampled)
        .await
        .expect_err("refused");
    assert_eq!(
        reason(&late),
        (Code::FailedPrecondition, "ALREADY_SAMPLED".to_owned())
    );

    let verdict = town
        .draws()
        .verify_draw(VerifyDrawRequest { name: name.clone() })
        .await;
    assert_eq!(verdict.expect("an answer").into_inner().finding, "");

    // Nobody closes the day: the next draw does, and notes who gave no swab.
    town.next_day();
    let tomorrow = town.draw("students", SCHOOL).await.draw.expect("a draw");
    assert_eq!(tomorrow.pick_count, 9);
    let called = town.assignments(&tomorrow.name, "").await;
    for first in [&absent, &there[0]] {
        assert!(
            called.iter().any(|one| one.person == *first),
            "the absent come first"
        );
    }
    let yesterday = town
        .draws()
        .get_draw(GetDrawRequest { name })
        .await
        .expect("an answer")
        .into_inner();
    assert_eq!(yesterday.state(), draw::State::Closed);
    assert_eq!((yesterday.replacement_count, yesterday.seed.len()), (1, 32));
}

async fn a_draw_twice_is_the_same_and_verifies(database: kit::scratch::Scratch) {
    let roster = Roster::town();
    roster.class(class(SCHOOL, CLASS, 0, 45));
    roster.class(class(SCHOOL, "p2019-02", 100, 38));
    roster.class(class(OTHER_SCHOOL, CLASS, 200, 51));
    let mut town = Town::start(database, roster).await;
    town.plan("students", Kind::StudentRotation).await;
    let first = town.draw("students", SCHOOL).await.draw.expect("a draw");
    let city = town.draw("students", CITY).await;
    assert_eq!(
        (
            city.school_count,
            city.drawn_school_count,
            city.class_group_count
        ),
        (2, 2, 1)
    );
    town.restart().await;
    let again = town.draw("students", SCHOOL).await.draw.expect("a draw");
    assert_eq!(first.key_id.len(), 16, "it says which key signed");
    assert_eq!(first, again, "frozen");

    let absent = town.assignments(&first.name, "").await[0].person.clone();
    let request = ReplaceAssignmentRequest {
        draw: first.name.clone(),
        absent,
        ..Default::default()
    };
    town.draws()
        .replace_assignment(request)
        .await
        .expect("an answer");
    let open = town.export("students", CITY).await;
    for school in [SCHOOL, OTHER_SCHOOL] {
        let name = town.draw_name("students", school);
        let verdict = town
            .draws()
            .verify_draw(VerifyDrawRequest { name: name.clone() })
            .await;
        assert!(verdict.expect("an answer").into_inner().valid);
        assert!(town.close(&name).await.seed.len() == 32);
        let verdict = town
            .draws()
            .verify_draw(VerifyDrawRequest { name: name.clone() })
            .await;
        assert!(verdict.expect("an answer").into_inner().valid);
        let request = CloseDayRequest {
            name,
            ..Default::default()
        };
        let twice = town.draws().close_day(request).await.expect_err("refused");
        assert_eq!(
            reason(&twice),
            (Code::FailedPrecondition, "DRAW_CLOSED".to_owned())
        );
    }
    let key = town
        .draws()
        .get_verification_key(GetVerificationKeyRequest {})
        .await
        .expect("an answer");
    let key: [u8; 32] = key
        .into_inner()
        .public_key
        .as_ref()
        .try_into()
        .expect("an answer");
    let key = PublicKey::from_bytes(&key).expect("an answer");
    let none = sampling::verify(open.as_slice(), &key).expect("an answer");
    assert_eq!(none.draws, 0, "open draws are not published");

    let file = town.export("students", CITY).await;
    assert_eq!(
        file,
        town.export("students", CITY).await,
        "the same bytes each time"
    );
    let report = sampling::verify(file.as_slice(), &key).expect("an answer");
    assert_eq!(
        (report.draws, report.class_groups, report.candidates),
        (2, 3, 45 + 38 + 51)
    );
    assert_eq!((report.picks, report.replacements), (9 + 8 + 11, 1));

    for place in 0..file.len() {
        let mut forged = file.clone();
        forged[place] ^= 1 << (place % 8);
        assert!(
            sampling::verify(forged.as_slice(), &key).is_err(),
            "byte {place} was changed"
        );
    }
    for cut in [0, 1, file.len() / 2, file.len() - 1] {
        assert!(
            sampling::verify(&file[..cut], &key).is_err(),
            "cut at {cut}"
        );
    }
    let longer = [file.as_slice(), &[0]].concat();
    assert!(sampling::verify(longer.as_slice(), &key).is_err());
    let stranger = sampling::domain::commitment::Signer::new(&[3; 32]).public_key();
    assert!(sampling::verify(file.as_slice(), &stranger).is_err());
}

async fn a_class_of_51_shares_two_tubes(database: kit::scratch::Scratch) {
    let town = with_class_of(51, database).await;
    let draw = town
        .draw("students", DISTRICT)
        .await
        .draw
        .expect("one school has one draw");
    assert_eq!((draw.quota, draw.pick_count), (11, 11));
    let group = format!("organizations/{SCHOOL}/classGroups/{CLASS}");
    let called = town.assignments(&draw.name, &group).await;
    let in_tube = |tube| called.iter().filter(|one| one.tube_number == tube).count();
    assert_eq!((in_tube(1), in_tube(2), called.len()), (6, 5, 11));
    assert!(called.iter().all(|one| one.class_group == group));
}

async fn two_calls_at_once_draw_once(database: kit::scratch::Scratch) {
    let roster = Roster::town();
    for number in 0..6 {
        let id = format!("21350100{number:02}");
        roster.organization(&id, &school_path(&id));
        roster.class(class(&id, CLASS, number * 50, 45));
    }
    let town = Town::start(database, roster).await;
    town.plan("students", Kind::StudentRotation).await;
    let calls = (0..6).map(|number| {
        let place = if number % 2 == 0 { CITY } else { DISTRICT };
        town.draw("students", place)
    });
    let all = futures_util::future::join_all(calls).await;
    let drawn: i32 = all.iter().map(|one| one.class_group_count).sum();
    assert_eq!(drawn, 6, "each class group once, whoever came first");
    assert!(all.iter().all(|one| one.drawn_school_count == 6));
}

async fn a_cut_draw_goes_on(database: kit::scratch::Scratch) {
    let roster = Roster::town();
    for school in 0..260 {
        let id = format!("2135{school:06}");
        roster.organization(&id, &school_path(&id));
        for number in 0..16 {
            let first = school * 100 + number * 3;
            roster.class(class(&id, &format!("p2019-{number:02}"), first, 2));
        }
    }
    let mut town = Town::start(database, roster).await;
    town.plan("students", Kind::StudentRotation).await;
    let request = DrawDayRequest {
        plan: "plans/students".to_owned(),
        organization: format!("organizations/{CITY}"),
        draw_date: None,
    };
    let mut progress = town
        .draws()
        .draw_day(request)
        .await
        .expect("an answer")
        .into_inner();
    let first = progress
        .message()
        .await
        .expect("an answer")
        .expect("some progress");
    assert!(!first.finished);
    drop(progress);
    town.restart().await;
    let rest = town.draw("students", CITY).await;
    assert_eq!((rest.school_count, rest.drawn_school_count), (260, 260));
    assert!(rest.class_group_count <= 260 * 16 - first.class_group_count);
    let mut groups = 0;
    let mut page_token = String::new();
    loop {
        let request = ListDrawsRequest {
            organization: format!("organizations/{CITY}"),
            page_size: 100,
            page_token,
            ..Default::default()
        };
        let page = town
            .draws()
            .list_draws(request)
            .await
            .expect("an answer")
            .into_inner();
        assert!(
            page.draws.iter().all(|one| one.class_group_count == 16),
            "whole schools"
        );
        groups += page.draws.len();
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(groups, 260);
}
