//! Who may read the feed, what of it, and from where on.

use kit::auth::Role;
use proto::safety as pb;
use tonic::Code;

use crate::changes::noticed;
use crate::city::hazards::Desk;
use crate::city::tree::{BUREAU_PATH, OTHER_BUREAU_PATH, tree};
use crate::city::world::{World, on_both, serve_with, told};
use crate::city::{SCHOOL_PATH, roster};
use crate::follower::{applied, listen, number, settled, standing, watched};

on_both!(
    a_reader_sees_its_own_place_only,
    only_those_who_may_read_feeds_do,
    a_place_goes_on_at_another_replica,
    a_filled_database_tells_what_stands,
);

async fn a_reader_sees_its_own_place_only(world: World) {
    let mut desk = Desk::new(world).await;
    let hazard = desk.found("building-3").await;
    settled(&desk.world).await;
    let mut seen = Vec::new();
    for scope in ["", BUREAU_PATH, SCHOOL_PATH, OTHER_BUREAU_PATH] {
        let (events, token) = standing(&desk.world, Role::PartnerSystem, scope)
            .await
            .expect("a snapshot");
        let below = |place: &str| place == scope || place.starts_with(&format!("{scope}/"));
        assert!(
            scope.is_empty() || events.iter().all(|event| below(&event.org_path)),
            "{scope}"
        );
        seen.push(events.iter().any(|event| event.entity == hazard));
        watched(&desk.world, (Role::PartnerSystem, scope), &token)
            .await
            .expect("a watch");
    }
    assert_eq!(seen, [true, true, true, false]);
    // A token is for the place for which it was given.
    let (_, token) = standing(&desk.world, Role::PartnerSystem, BUREAU_PATH)
        .await
        .expect("a snapshot");
    let refused = watched(&desk.world, (Role::PartnerSystem, ""), &token).await;
    assert_eq!(
        told(&refused.err().expect("refused")).1,
        "RESUME_TOKEN_EXPIRED"
    );
}

async fn only_those_who_may_read_feeds_do(world: World) {
    for role in [
        Role::Guardian,
        Role::Guard,
        Role::Principal,
        Role::Laboratory,
    ] {
        let refused = standing(&world, role, SCHOOL_PATH).await;
        assert_eq!(refused.expect_err("refused").code(), Code::PermissionDenied);
        let refused = watched(&world, (role, SCHOOL_PATH), "").await;
        let refused = refused.err().expect("refused");
        assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
    }
}

async fn a_place_goes_on_at_another_replica(world: World) {
    let mut desk = Desk::new(world).await;
    settled(&desk.world).await;
    let mut follower = listen(&desk.world).await;
    let first = desk.found("building-1").await;
    follower.until(|event| event.entity == first).await;
    let token = follower.resume_token.clone();
    drop(follower);
    let second = desk.found("building-2").await;
    let (channel, running) = serve_with(&desk.world.scratch, &desk.world.clock, |_| {}).await;
    let mut feed = proto::safety::safety_feed_client::SafetyFeedClient::new(channel);
    let ask = pb::SafetyWatchRequest {
        resume_token: token,
    };
    let ask = desk.world.as_role(Role::Service, "", ask);
    let mut pages = feed.watch(ask).await.expect("a watch").into_inner();
    let mut heard = Vec::new();
    while heard.is_empty() {
        let page = pages.message().await.expect("no error").expect("no end");
        heard.extend(page.events);
    }
    assert_eq!(heard[0].entity, second, "nothing twice, nothing left out");
    drop((pages, feed));
    running.stop().await.expect("stopped");
}

async fn a_filled_database_tells_what_stands(mut world: World) {
    roster(&world.db, &tree(), 2).await;
    noticed(&world, false).await;
    settled(&world).await;
    let (before, _) = standing(&world, Role::Service, "").await.expect("read");
    assert!(
        before
            .iter()
            .any(|event| event.entity.contains("/incidents/"))
    );
    let running = world.running.take().expect("running");
    running.stop().await.expect("stopped");
    // As a version without a feed left it: the tables of the feed come anew.
    use sea_orm::ConnectionTrait;
    let tx = world.db.begin().await.expect("a transaction");
    for sql in [
        "DROP TABLE told",
        "DROP TABLE retellings",
        "DROP TABLE figures",
        "DROP TABLE figure_changes",
        "DROP TABLE figure_revision",
        "DELETE FROM feed_latest",
        "DELETE FROM safety_inspection_migrations \
         WHERE version IN ('m20261126_000020_feed', 'm20261126_000021_figures')",
    ] {
        tx.execute_unprepared(sql).await.expect(sql);
    }
    tx.commit().await.expect("committed");
    let (channel, running) = serve_with(&world.scratch, &world.clock, |_| {}).await;
    world.channel = channel;
    world.running = Some(running);
    settled(&world).await;
    let (after, _) = standing(&world, Role::Service, "").await.expect("read");
    let states = |events: &[pb::SafetyEvent]| {
        let kept = applied(events).into_iter();
        kept.map(|(entity, (_, state))| (entity, state))
            .collect::<Vec<_>>()
    };
    assert_eq!(states(&after), states(&before));
    assert_eq!(
        number(&world.db, "SELECT COUNT(*) FROM figure_changes").await,
        0
    );
}
