//! Psychological support: a lane of its own.

use crate::town;
use crate::town::on_both;
use chrono::Duration;
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::concern::Category;
use proto::notification::support_case::{CloseReason, Grade};
use tonic::Code;

use crate::lane::verbs;
use crate::town::counsellors::{NOTE, Walk, case};
use crate::town::officers::once;
use crate::town::scan::tables_with;
use crate::town::voices::{
    Who, admin, city, counsellor, district, id_of, parent, principal, pupil, teacher, who,
};
use crate::town::world::{World, reason};
use crate::town::{BUREAU, CITY, SCHOOL, SISTER, SISTER_PATH, staff, student};

on_both!(
    nobody_but_a_counsellor_of_the_school_sees_a_case,
    every_reading_and_change_is_recorded,
    nothing_of_a_case_stands_in_the_clear,
    the_most_pressing_deadline_comes_first,
    a_case_may_come_from_a_concern,
    a_repeated_request_acts_once,
    few_cases_are_hidden_from_every_side,
    wrong_fields_are_named,
);

async fn nobody_but_a_counsellor_of_the_school_sees_a_case(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let name = &world.opened(Grade::Orange).await.name;
    let beside = who("sub-counsellor-7", Role::Counsellor, SISTER_PATH, None);
    let doctor = who("sub-doctor-1", Role::SchoolDoctor, town::SCHOOL_PATH, None);
    let others = [
        principal(),
        district(),
        city(),
        admin(),
        teacher(),
        doctor,
        pupil(),
        parent(),
        beside,
    ];
    for other in &others {
        let refused = [
            world.read(other, name).await.err(),
            world
                .open_case(other, SCHOOL, case(Grade::Blue))
                .await
                .err(),
            world
                .cases(other, pb::ListSupportCasesRequest::default())
                .await
                .err(),
            world.accesses(other, name).await.err(),
        ];
        let mut refused = Vec::from(refused);
        for (verb, _) in verbs() {
            refused.push(world.walk(other, name, verb).await.err());
        }
        for refused in refused {
            let refused = refused.expect("refused");
            assert_eq!(refused.code(), Code::PermissionDenied, "{other:?}");
        }
    }
    let recorded = world.accesses(&counsellor(), name).await.expect("listed");
    assert_eq!(recorded.len(), 1, "who is refused reads nothing");
    let nowhere = format!("{SCHOOL}/supportCases/00000000-0000-7000-8000-000000000000");
    let absent = world
        .read(&counsellor(), &nowhere)
        .await
        .expect_err("refused");
    assert_eq!(absent.code(), Code::NotFound);
    let elsewhere = name.replace(SCHOOL, SISTER);
    let elsewhere = world
        .read(&counsellor(), &elsewhere)
        .await
        .expect_err("refused");
    assert_eq!(elsewhere.code(), Code::PermissionDenied);
}

async fn every_reading_and_change_is_recorded(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let name = world.opened(Grade::Yellow).await.name;
    let deputy = who(
        "sub-counsellor-8",
        Role::Counsellor,
        town::SCHOOL_PATH,
        None,
    );
    let step = || world.clock.advance(Duration::seconds(1));
    step();
    world.read(&deputy, &name).await.expect("read");
    step();
    let listed = world
        .cases(&deputy, pb::ListSupportCasesRequest::default())
        .await;
    listed.expect("listed");
    step();
    world
        .contact(&counsellor(), &name)
        .await
        .expect("contacted");
    step();
    let refused = world
        .open_case(&deputy, SCHOOL, pb::SupportCase::default())
        .await;
    refused.expect_err("refused");
    let left = world.close(&counsellor(), &name, CloseReason::Left).await;
    left.expect("closed");
    let accesses = world.accesses(&counsellor(), &name).await.expect("listed");
    let of = |who: &Who, method: &str| (who.subject.to_owned(), method.to_owned());
    assert_eq!(
        accesses,
        [
            of(&counsellor(), "CloseSupportCase"),
            of(&counsellor(), "RecordContact"),
            of(&deputy, "ListSupportCases"),
            of(&deputy, "GetSupportCase"),
            of(&counsellor(), "OpenSupportCase"),
        ]
    );
}

async fn nothing_of_a_case_stands_in_the_clear(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let person = "students/00000000-0000-4000-8000-00000000beef";
    let rolls = [town::voices::class_group(
        town::voices::NEXT_CLASS_PATH,
        &[0x4000_8000_0000_0000_beef],
    )];
    town::roster(&world.db, &rolls, 2).await;
    let told = pb::SupportCase {
        person: person.to_owned(),
        ..case(Grade::Red)
    };
    let opened = world
        .open_case(&counsellor(), SCHOOL, told)
        .await
        .expect("opened");
    world
        .contact(&counsellor(), &opened.name)
        .await
        .expect("contacted");
    world.read(&counsellor(), &opened.name).await.expect("read");
    world
        .walked(&opened.name, &[Walk::Grade(Grade::Red), Walk::Inform])
        .await;
    for secret in [NOTE, "已面谈", "同意就医", person] {
        assert_eq!(tables_with(&world.db, secret).await, Vec::<String>::new());
    }
    assert!(tables_with(&world.db, counsellor().subject).await.len() > 2);
}

async fn the_most_pressing_deadline_comes_first(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let mut names = Vec::new();
    for grade in [Grade::Blue, Grade::Red, Grade::Yellow, Grade::Orange] {
        names.push(world.opened(grade).await.name);
    }
    let left = world
        .close(&counsellor(), &names[2], CloseReason::Left)
        .await;
    left.expect("closed");
    let listed = async |show_closed: bool| {
        let mut ask = pb::ListSupportCasesRequest {
            show_closed,
            page_size: 2,
            ..Default::default()
        };
        let mut listed = Vec::new();
        loop {
            let page = world
                .cases(&counsellor(), ask.clone())
                .await
                .expect("listed");
            assert!(
                page.support_cases
                    .iter()
                    .all(|case| case.entries.is_empty())
            );
            listed.extend(page.support_cases.into_iter().map(|case| case.name));
            ask.page_token = page.next_page_token;
            if ask.page_token.is_empty() {
                return listed;
            }
        }
    };
    let open = [&names[1], &names[3], &names[0]].map(Clone::clone);
    assert_eq!(listed(false).await, open);
    assert_eq!(listed(true).await[3..], names[2..3]);
}

async fn a_case_may_come_from_a_concern(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let asked = world.submitted(Category::Psychological).await.name;
    let other = world.submitted(Category::Living).await.name;
    let from = |concern: &str| pb::SupportCase {
        concern: format!("concerns/{}", id_of(concern)),
        ..case(Grade::Orange)
    };
    let opened = world.open_case(&counsellor(), SCHOOL, from(&asked)).await;
    assert_eq!(opened.expect("opened").concern, from(&asked).concern);
    for wrong in [
        from(&other),
        from("concerns/00000000-0000-7000-8000-000000000000"),
    ] {
        let refused = world
            .open_case(&counsellor(), SCHOOL, wrong)
            .await
            .expect_err("refused");
        assert!(refused.message().contains("support_case.concern"));
    }
}

async fn a_repeated_request_acts_once(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let name = world.opened(Grade::Yellow).await.name;
    let ask = pb::RecordContactRequest {
        name: name.clone(),
        note: "已电话联系".to_owned(),
        request_id: once(),
    };
    let mut answers = Vec::new();
    for _ in 0..2 {
        let answer = world
            .support()
            .record_contact(counsellor().asks(ask.clone()))
            .await;
        answers.push(answer.expect("contacted").into_inner());
        world.clock.advance(Duration::hours(1));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[1].entries.len(), 2);
    let accesses = world.accesses(&counsellor(), &name).await.expect("listed");
    assert_eq!(accesses.len(), 3, "whoever repeats reads again");
}

async fn few_cases_are_hidden_from_every_side(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let beside = who("sub-counsellor-7", Role::Counsellor, SISTER_PATH, None);
    let at_sister = |grade| pb::SupportCase {
        person: staff(30),
        ..case(grade)
    };
    for _ in 0..3 {
        world.opened(Grade::Red).await;
    }
    for _ in 0..12 {
        let opened = world
            .open_case(&beside, SISTER, at_sister(Grade::Blue))
            .await;
        opened.expect("opened");
    }
    let open = async |who: &Who, parent: &str| world.figures(who, parent).await.expect("figures").0;
    // The school alone is hidden; with its sister's figure it could be computed from the bureau's.
    assert_eq!(open(&district(), SCHOOL).await, None);
    assert_eq!(open(&district(), SISTER).await, None);
    assert_eq!(
        world.figures(&district(), BUREAU).await.expect("figures"),
        (Some(15), None, Some(0))
    );
    assert_eq!(open(&city(), CITY).await, Some(15));
    assert_eq!(open(&counsellor(), SCHOOL).await, None);
    assert_eq!(open(&principal(), SCHOOL).await, None);
    let empty = world.figures(&city(), town::OTHER).await.expect("figures");
    assert_eq!(empty, (Some(0), Some(0), Some(0)));
    for refused in [parent(), teacher(), admin()] {
        let figures = world.figures(&refused, SCHOOL).await.expect_err("refused");
        assert_eq!(figures.code(), Code::PermissionDenied);
    }
}

async fn wrong_fields_are_named(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let wrong = [
        (
            "support_case.person",
            pb::SupportCase {
                person: student(99),
                ..case(Grade::Red)
            },
        ),
        (
            "support_case.person",
            pb::SupportCase {
                person: staff(30),
                ..case(Grade::Red)
            },
        ),
        (
            "support_case.person",
            pb::SupportCase {
                person: SCHOOL.to_owned(),
                ..case(Grade::Red)
            },
        ),
        (
            "support_case.grade",
            pb::SupportCase {
                grade: 9,
                ..case(Grade::Red)
            },
        ),
        (
            "support_case.note",
            pb::SupportCase {
                note: " ".to_owned(),
                ..case(Grade::Red)
            },
        ),
        (
            "support_case.note",
            pb::SupportCase {
                note: "长".repeat(2001),
                ..case(Grade::Red)
            },
        ),
    ];
    for (field, wrong) in wrong {
        let refused = world
            .open_case(&counsellor(), SCHOOL, wrong)
            .await
            .expect_err("refused");
        assert_eq!(reason(&refused), "INVALID_FIELD");
        assert!(refused.message().contains(field), "{field}");
    }
}
