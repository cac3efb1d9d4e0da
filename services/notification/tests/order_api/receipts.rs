//! Receipts, relays and reports, as bureaus and schools that receive a directive see them.

use crate::town;
use crate::town::on_both;
use chrono::Duration;
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::close_directive_request::Outcome;
use tonic::{Code, Status};

use crate::town::officers::{
    BUREAU_CLERK, Move, SCHOOL_CLERK, SIGN, SISTER_CLERK, Step, TEXT, TITLE, WORK, draft, recipient,
};
use crate::town::world::{World, by, reason, told};
use crate::town::{
    BUREAU, BUREAU_PATH, CITY, OTHER, OTHER_PATH, SCHOOL, SCHOOL_PATH, SISTER, morning,
};

on_both!(
    a_relay_never_edits,
    nothing_moves_before_the_one_above_relays_or_after_the_end,
    nobody_acts_for_another_or_reads_what_did_not_reach_them,
    what_is_owed_is_listed_by_deadline,
    what_ends_while_somebody_works_on_it_is_owed_no_more,
    a_recipient_that_moves_goes_on_from_its_new_place,
    figures_tell_what_is_in_force_and_what_is_owed,
    who_may_not_see_an_organisation_sees_no_figures_of_it,
);

/// Golden test T19.
async fn a_relay_never_edits(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let issued = world.issued(&[BUREAU]).await;
    let name = issued.name.clone();
    world.steps(&name, BUREAU, BUREAU_CLERK, &SIGN).await;
    let other = <sha2::Sha256 as sha2::Digest>::digest(format!("{TITLE}\n{TEXT}略有变通")).to_vec();
    let refused = world
        .step(&name, BUREAU, BUREAU_CLERK, Step::Relay(other))
        .await;
    let (code, why, zh) = told(&refused.expect_err("another text"));
    assert_eq!(
        (code, &*why),
        (Code::FailedPrecondition, "DIRECTIVE_TEXT_CHANGED")
    );
    assert_eq!(zh, "转发的正文与原文不一致，不得改动");
    // The hash is that of the contract, as anybody computes it.
    let hash = <sha2::Sha256 as sha2::Digest>::digest(format!("{TITLE}\n{TEXT}")).to_vec();
    assert_eq!(issued.text_sha256.to_vec(), hash);
    world
        .step(&name, BUREAU, BUREAU_CLERK, Step::Relay(hash.clone()))
        .await
        .expect("relayed");
    world.steps(&name, SCHOOL, SCHOOL_CLERK, &SIGN).await;
    let read = world
        .get(&name, Role::Principal, SCHOOL_PATH)
        .await
        .expect("read");
    assert_eq!(
        (&*read.title, &*read.text, read.text_sha256.to_vec()),
        (TITLE, TEXT, hash)
    );
    // What the bureau added stands beside the text.
    let below = world.recipients(&name, SCHOOL_PATH).await;
    assert_eq!(below[0].upper_notes, ["请各校于今日落实"]);
    let bureau = world.recipients(&name, BUREAU_PATH).await;
    assert_eq!(
        (&*bureau[0].organization, bureau[0].upper_notes.len()),
        (BUREAU, 0)
    );
}

async fn nothing_moves_before_the_one_above_relays_or_after_the_end(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let issued = world.issued(&[BUREAU]).await;
    let name = issued.name.clone();
    let early = world.step(&name, SCHOOL, SCHOOL_CLERK, Step::Deliver).await;
    let (code, why, zh) = told(&early.expect_err("not relayed"));
    assert_eq!(
        (code, &*why),
        (Code::FailedPrecondition, "DIRECTIVE_NOT_RELAYED")
    );
    assert_eq!(zh, "上级单位 organizations/350102 尚未转发该通知");
    let early = world
        .step(&name, BUREAU, BUREAU_CLERK, Step::Report(10))
        .await;
    let (_, why, zh) = told(&early.expect_err("not signed"));
    assert_eq!(
        (&*why, &*zh),
        (
            "DIRECTIVE_RECIPIENT_STATE",
            "本单位办理状态为 PENDING，不能进行该操作"
        )
    );
    world.steps(&name, BUREAU, BUREAU_CLERK, &SIGN).await;
    let unrelayed = world
        .step(&name, BUREAU, BUREAU_CLERK, Step::Report(10))
        .await;
    assert_eq!(
        reason(&unrelayed.expect_err("schools do not have it")),
        "DIRECTIVE_RECIPIENT_STATE"
    );
    world
        .moved(&name, Move::End(Outcome::Revoked, String::new()))
        .await
        .expect("revoked");
    let late = world
        .step(
            &name,
            BUREAU,
            BUREAU_CLERK,
            Step::Relay(issued.text_sha256.to_vec()),
        )
        .await;
    let (_, why, zh) = told(&late.expect_err("revoked"));
    assert_eq!(
        (&*why, &*zh),
        ("DIRECTIVE_STATE", "通知当前状态为 REVOKED，不能进行该操作")
    );
    assert!(
        world
            .outstanding(BUREAU, BUREAU_PATH, false)
            .await
            .is_empty()
    );
}

/// Golden test T24 for directives.
async fn nobody_acts_for_another_or_reads_what_did_not_reach_them(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let issued = world.issued(&[BUREAU]).await;
    let name = issued.name.clone();
    let denied = |status: Status| assert_eq!(told(&status).0, Code::PermissionDenied, "{status}");
    // It has reached the bureau, not yet its schools, and never others.
    world
        .get(&name, Role::DistrictOfficer, BUREAU_PATH)
        .await
        .expect("read");
    for scope in [SCHOOL_PATH, OTHER_PATH, "fz/350103"] {
        denied(
            world
                .get(&name, Role::Principal, scope)
                .await
                .expect_err(scope),
        );
    }
    // Neither the city nor a school signs for the bureau, nor one school for another.
    for who in [
        (Role::CityOfficer, "fz"),
        SCHOOL_CLERK,
        (Role::DistrictOfficer, "fz/350103"),
    ] {
        denied(
            world
                .step(&name, BUREAU, who, Step::Deliver)
                .await
                .expect_err("another"),
        );
    }
    world.steps(&name, BUREAU, BUREAU_CLERK, &SIGN).await;
    let relay = Step::Relay(issued.text_sha256.to_vec());
    world.steps(&name, BUREAU, BUREAU_CLERK, &[relay]).await;
    denied(
        world
            .step(&name, SCHOOL, SISTER_CLERK, Step::Deliver)
            .await
            .expect_err("a sister"),
    );
    world
        .get(&name, Role::Principal, SCHOOL_PATH)
        .await
        .expect("read");
    denied(
        world
            .get(&name, Role::Principal, OTHER_PATH)
            .await
            .expect_err("not addressed"),
    );
    // A school does not judge its own report.
    world.steps(&name, SCHOOL, SCHOOL_CLERK, &SIGN).await;
    world.steps(&name, SCHOOL, SCHOOL_CLERK, &WORK).await;
    denied(
        world
            .accept(&name, SCHOOL, SCHOOL_PATH)
            .await
            .expect_err("its own"),
    );
    denied(
        world
            .accept(&name, SCHOOL, "fz/350103")
            .await
            .expect_err("another bureau"),
    );
    let mut recipients = async |scope: &str| {
        let ask = pb::ListRecipientsRequest {
            parent: name.clone(),
            ..Default::default()
        };
        let ask = by("reader-1", Role::DistrictOfficer, scope, ask);
        let listed = world
            .directives
            .list_recipients(ask)
            .await
            .expect("listed")
            .into_inner();
        listed
            .recipients
            .into_iter()
            .map(|r| r.organization)
            .collect::<Vec<_>>()
    };
    assert_eq!(recipients(SCHOOL_PATH).await, [SCHOOL]);
    assert_eq!(recipients(BUREAU_PATH).await, [BUREAU, SCHOOL, SISTER]);
    // Only who issues at a place drafts, approves and ends there.
    let ask = by(
        "writer-2",
        Role::DistrictOfficer,
        BUREAU_PATH,
        draft(&[BUREAU]),
    );
    denied(
        world
            .directives
            .draft_directive(ask)
            .await
            .expect_err("the city's"),
    );
    let ask = by(
        "writer-2",
        Role::Principal,
        SCHOOL_PATH,
        pb::DraftDirectiveRequest {
            parent: SCHOOL.to_owned(),
            ..draft(&[SCHOOL])
        },
    );
    denied(
        world
            .directives
            .draft_directive(ask)
            .await
            .expect_err("a school"),
    );
}

async fn what_is_owed_is_listed_by_deadline(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let first = world.issued(&[BUREAU, OTHER]).await.name;
    world.clock.advance(Duration::minutes(5));
    let second = world.issued(&[BUREAU]).await.name;
    let of =
        |found: Vec<pb::DirectiveRecipient>| found.into_iter().map(|r| r.name).collect::<Vec<_>>();
    let owed = of(world.outstanding(BUREAU, BUREAU_PATH, false).await);
    assert_eq!(
        owed,
        [recipient(&first, BUREAU), recipient(&second, BUREAU)]
    );
    let city = of(world.outstanding(CITY, "fz", false).await);
    assert_eq!(city.len(), 3);
    // Urgent: two hours by the policy.
    assert!(
        world
            .outstanding(BUREAU, BUREAU_PATH, true)
            .await
            .is_empty()
    );
    world
        .clock
        .set(morning() + Duration::hours(2) + Duration::seconds(1));
    let overdue = world.outstanding(BUREAU, BUREAU_PATH, true).await;
    assert_eq!(
        (overdue.len(), &overdue[0].name, overdue[0].overdue),
        (1, &recipient(&first, BUREAU), true)
    );
    let ask = pb::ListOutstandingRequest {
        parent: CITY.to_owned(),
        page_size: 2,
        ..Default::default()
    };
    let mut page = async |token: String| {
        let ask = pb::ListOutstandingRequest {
            page_token: token,
            ..ask.clone()
        };
        let ask = by("reader-1", Role::CityOfficer, "fz", ask);
        let listed = world
            .directives
            .list_outstanding(ask)
            .await
            .expect("listed")
            .into_inner();
        (of(listed.recipients), listed.next_page_token)
    };
    let (mut names, token) = page(String::new()).await;
    assert_eq!(names.len(), 2);
    let (rest, end) = page(token).await;
    names.extend(rest);
    assert_eq!((names, &*end), (city, ""));
}

async fn what_ends_while_somebody_works_on_it_is_owed_no_more(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    for _ in 0..5 {
        let name = world.issued(&[BUREAU]).await.name;
        let close = pb::CloseDirectiveRequest {
            name: name.clone(),
            outcome: Outcome::Revoked.into(),
            reason: "数字有误".to_owned(),
            ..Default::default()
        };
        let read = pb::ConfirmReceiptRequest {
            name: recipient(&name, BUREAU),
            receipt: pb::confirm_receipt_request::Receipt::Delivered.into(),
            ..Default::default()
        };
        let (mut chief, mut clerk) = (world.directives.clone(), world.directives.clone());
        let (ended, moved) = tokio::join!(
            chief.close_directive(by("chief-1", Role::CityOfficer, "fz", close)),
            clerk.confirm_receipt(by("clerk-1", BUREAU_CLERK.0, BUREAU_CLERK.1, read)),
        );
        ended.expect("revoked");
        if let Err(late) = moved {
            assert_eq!(reason(&late), "DIRECTIVE_STATE");
        }
        assert!(
            world
                .outstanding(BUREAU, BUREAU_PATH, false)
                .await
                .is_empty()
        );
    }
}

async fn a_recipient_that_moves_goes_on_from_its_new_place(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let name = world.issued(&[SCHOOL]).await.name;
    let moved = "fz/350112/2135010001";
    let event = proto::roster::RosterEvent {
        version: 2,
        ..town::organization(moved, proto::roster::organization::Kind::School)
    };
    town::roster(&world.db, &[event], 1).await;
    let old = world.step(&name, SCHOOL, SCHOOL_CLERK, Step::Deliver).await;
    assert_eq!(
        told(&old.expect_err("the old place")).0,
        Code::PermissionDenied
    );
    let new = (Role::Principal, moved);
    world.steps(&name, SCHOOL, new, &SIGN).await;
}

/// The figures of an organisation, as somebody there is told.
async fn figures(
    world: &mut World,
    organization: &str,
    (role, scope): (Role, &str),
) -> Result<pb::DirectiveFigures, Status> {
    let ask = pb::GetDirectiveFiguresRequest {
        name: format!("{organization}/directiveFigures"),
    };
    let ask = by("reader-1", role, scope, ask);
    let told = world.directives.get_directive_figures(ask).await?;
    Ok(told.into_inner())
}

/// In force, reached, signed, late, overdue, owed, owed and overdue.
fn numbers(figures: &pb::DirectiveFigures) -> [i32; 7] {
    [
        figures.in_force_count,
        figures.reached_count,
        figures.acknowledged_count,
        figures.late_count,
        figures.overdue_count,
        figures.owed_count,
        figures.owed_overdue_count,
    ]
}

async fn figures_tell_what_is_in_force_and_what_is_owed(scratch: Scratch) {
    const OFFICER: (Role, &str) = (Role::CityOfficer, "fz");
    const OTHER_CLERK: (Role, &str) = (Role::Principal, OTHER_PATH);
    let mut world = World::new(scratch).await;
    let name = world.issued(&[BUREAU, OTHER]).await.name;
    let city = figures(&mut world, CITY, OFFICER).await.expect("the city");
    assert_eq!(numbers(&city), [1, 2, 0, 0, 0, 0, 0]);
    assert_eq!((&*city.org_path, city.accepted_count), ("fz", 0));
    assert!(city.data_time.is_some());
    let bureau = figures(&mut world, BUREAU, BUREAU_CLERK).await;
    let bureau = numbers(&bureau.expect("the bureau"));
    assert_eq!(bureau, [0, 1, 0, 0, 0, 1, 0], "it came down through it");
    let school = figures(&mut world, OTHER, OTHER_CLERK).await;
    assert_eq!(numbers(&school.expect("a school")), [0, 0, 0, 0, 0, 1, 0]);

    // Urgent: two hours by the policy.
    let due = morning() + Duration::hours(2) + Duration::seconds(1);
    world.clock.set(due);
    world.steps(&name, BUREAU, BUREAU_CLERK, &SIGN).await;
    let city = figures(&mut world, CITY, OFFICER).await.expect("the city");
    assert_eq!(numbers(&city), [1, 2, 1, 1, 1, 0, 0]);
    let school = figures(&mut world, OTHER, OTHER_CLERK).await;
    assert_eq!(numbers(&school.expect("a school")), [0, 0, 0, 0, 0, 1, 1]);
    let mut listed = Vec::new();
    let mut ask = pb::ListDirectiveFiguresRequest {
        parent: CITY.to_owned(),
        page_size: 1,
        ..Default::default()
    };
    loop {
        let page = by("reader-1", OFFICER.0, OFFICER.1, ask.clone());
        let page = world.directives.list_directive_figures(page).await;
        let page = page.expect("a page").into_inner();
        let found = page.directive_figures.iter();
        listed.extend(found.map(|one| (one.org_path.clone(), one.reached_count, one.late_count)));
        ask.page_token = page.next_page_token;
        if ask.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed[0], (BUREAU_PATH.to_owned(), 1, 1));
    assert!(listed[1..].iter().all(|(_, reached, _)| *reached == 0));

    let close = Move::End(Outcome::Closed, String::new());
    world.moved(&name, close).await.expect("closed");
    let city = figures(&mut world, CITY, OFFICER).await.expect("the city");
    assert_eq!(numbers(&city), [0; 7]);
    let school = figures(&mut world, OTHER, OTHER_CLERK).await;
    assert_eq!(numbers(&school.expect("a school")), [0; 7]);
}

async fn who_may_not_see_an_organisation_sees_no_figures_of_it(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let above = figures(&mut world, BUREAU, SCHOOL_CLERK).await;
    assert_eq!(reason(&above.expect_err("a school")), "SCOPE_DENIED");
    let wrong = figures(&mut world, "organizations", BUREAU_CLERK).await;
    assert_eq!(wrong.expect_err("no name").code(), Code::InvalidArgument);
}
