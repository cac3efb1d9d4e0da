//! Lists of concerns, and figures in which few are hidden.

use crate::town;
use crate::town::on_both;
use chrono::Duration;
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::concern::Category;
use proto::privacy::PrivateCount;
use tonic::Code;

use crate::town::voices::{Who, admin, counsellor, district, parent, principal, teacher, who};
use crate::town::world::World;
use crate::town::{BUREAU, CITY, SCHOOL, SISTER, staff};

on_both!(
    concerns_are_listed_page_by_page,
    whoever_is_to_answer_finds_what_is_theirs,
    few_are_hidden_in_figures,
);

async fn concerns_are_listed_page_by_page(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let mut names = Vec::new();
    for _ in 0..3 {
        names.push(world.submitted(Category::Living).await.name);
        world.clock.advance(Duration::seconds(1));
    }
    names.reverse();
    let mut ask = pb::ListConcernsRequest {
        page_size: 2,
        ..Default::default()
    };
    let mut listed = Vec::new();
    loop {
        let page = world
            .concerns_at(&principal(), SCHOOL, ask.clone())
            .await
            .expect("listed");
        listed.extend(page.concerns.into_iter().map(|concern| concern.name));
        ask.page_token = page.next_page_token;
        if ask.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, names);
}

async fn whoever_is_to_answer_finds_what_is_theirs(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    let listed = async |who: &Who, parent| {
        let ask = pb::ListConcernsRequest::default();
        let listed = world.concerns_at(who, parent, ask).await.expect("listed");
        let names = listed.concerns.into_iter().map(|concern| concern.name);
        names.collect::<Vec<_>>()
    };
    let mut names = Vec::new();
    for _ in 0..3 {
        names.push(world.submitted(Category::Living).await.name);
        world.clock.advance(Duration::seconds(1));
    }
    for name in &names[..2] {
        let triaged = world.triage(&principal(), name, Category::Living).await;
        triaged.expect("triaged");
    }
    assert_eq!(listed(&teacher(), SCHOOL).await, [""; 0]);
    for (name, whom) in names.iter().zip([staff(2), staff(20)]) {
        let assigned = world.assign(&principal(), name, whom).await;
        assigned.expect("assigned");
    }
    for parent in [SCHOOL, BUREAU, CITY] {
        assert_eq!(listed(&teacher(), parent).await, names[..1]);
    }
    let beside = world
        .concerns_at(&teacher(), SISTER, pb::ListConcernsRequest::default())
        .await;
    assert_eq!(beside.expect_err("refused").code(), Code::PermissionDenied);
    // Whoever sees to the school has all of them, and each of them once.
    names.reverse();
    for who in [principal(), district()] {
        assert_eq!(listed(&who, SCHOOL).await, names);
    }
    let official = who(
        "sub-official-20",
        Role::SchoolClerk,
        town::BUREAU_PATH,
        Some(staff(20)),
    );
    assert_eq!(listed(&official, BUREAU).await, names[1..2]);
    world.answer(&teacher(), &names[2]).await.expect("answered");
    assert_eq!(listed(&teacher(), SCHOOL).await, names[2..]);
}

async fn few_are_hidden_in_figures(scratch: Scratch) {
    let world = World::peopled(scratch).await;
    for (category, count) in [
        (Category::Living, 11),
        (Category::Teaching, 12),
        (Category::Fees, 2),
    ] {
        for _ in 0..count {
            world.submitted(category).await;
        }
    }
    let ask = pb::GetConcernFiguresRequest {
        parent: SCHOOL.to_owned(),
    };
    let figures = world
        .concerns()
        .get_concern_figures(principal().asks(ask.clone()))
        .await;
    let figures = figures.expect("figures").into_inner();
    let count = |told: Option<PrivateCount>| told.and_then(|told| told.count);
    let shown: Vec<_> = figures
        .categories
        .iter()
        .map(|one| {
            (
                one.category(),
                count(one.concern_count),
                count(one.open_count),
                count(one.late_count),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (Category::Teaching, Some(12), Some(12), Some(0)),
            (Category::Living, None, None, Some(0)),
            (Category::Fees, None, None, Some(0)),
        ]
    );
    for refused in [parent(), teacher(), counsellor(), admin()] {
        let figures = world
            .concerns()
            .get_concern_figures(refused.asks(ask.clone()))
            .await;
        assert_eq!(figures.expect_err("refused").code(), Code::PermissionDenied);
    }
}
