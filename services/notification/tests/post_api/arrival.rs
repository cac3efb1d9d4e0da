//! Alerts arrive over the feeds of the neighbours, and reach whoever watches.

use crate::town;
use crate::town::on_both;
use chrono::Duration;
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::alert::State;
use tonic::{Code, Streaming};

use crate::town::neighbours::Neighbours;
use crate::town::world::{World, by, reason};
use crate::town::{SCHOOL, SCHOOL_PATH, placed, released, sampling, staff};

on_both!(
    nothing_is_lost_while_the_service_is_down,
    a_watcher_goes_on_where_it_was,
);

type News = Streaming<pb::WatchAlertsResponse>;

impl World {
    async fn watch(&mut self, resume_token: &str) -> News {
        let ask = pb::WatchAlertsRequest {
            parent: SCHOOL.to_owned(),
            resume_token: resume_token.to_owned(),
        };
        let ask = by("principal-1", Role::Principal, SCHOOL_PATH, ask);
        self.alerts
            .watch_alerts(ask)
            .await
            .expect("watched")
            .into_inner()
    }

    /// Watches once the register is known: before, nobody may see anything.
    async fn watch_when_known(&mut self) -> News {
        for _ in 0..800 {
            let ask = pb::WatchAlertsRequest {
                parent: SCHOOL.to_owned(),
                ..Default::default()
            };
            let ask = by("principal-1", Role::Principal, SCHOOL_PATH, ask);
            if let Ok(news) = self.alerts.watch_alerts(ask).await {
                return news.into_inner();
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("the register never arrived");
    }
}

/// Reads news until an alert for `basis` is in `state`; returns it with the place reached.
async fn until(news: &mut News, basis: &str, state: State) -> (pb::Alert, String) {
    let reading = async {
        loop {
            let answer = news.message().await.expect("news").expect("goes on");
            let found = answer
                .alerts
                .into_iter()
                .find(|a| a.basis == basis && a.state() == state);
            if let Some(alert) = found {
                return (alert, answer.resume_token);
            }
        }
    };
    let waiting = tokio::time::timeout(std::time::Duration::from_secs(20), reading);
    waiting
        .await
        .unwrap_or_else(|_| panic!("{basis} never became {state:?}"))
}

async fn nothing_is_lost_while_the_service_is_down(scratch: Scratch) {
    let neighbours = Neighbours::start().await;
    // Holds that were placed, and one that came and went, before the service began.
    neighbours
        .tell_sampling(vec![
            placed(SCHOOL_PATH, "T1", 1),
            placed(SCHOOL_PATH, "T2", 1),
        ])
        .await;
    neighbours
        .tell_sampling(vec![released(SCHOOL_PATH, "T2", 2)])
        .await;
    neighbours.tell_roster(town::town()).await;
    let mut world = World::beside(scratch, neighbours.address()).await;
    let mut news = world.watch_when_known().await;
    let (alert, _) = until(&mut news, "holds/T1", State::Open).await;
    assert_eq!((alert.people_count, alert.owner), (9, staff(1)));

    world.stop().await;
    neighbours
        .tell_sampling(vec![
            placed(SCHOOL_PATH, "T3", 1),
            released(SCHOOL_PATH, "T1", 2),
        ])
        .await;
    neighbours
        .tell_sampling(vec![placed(SCHOOL_PATH, "T4", 1)])
        .await;
    neighbours
        .tell_sampling(vec![released(SCHOOL_PATH, "T4", 2)])
        .await;
    world.start().await;
    let mut news = world.watch("").await;
    until(&mut news, "holds/T3", State::Open).await;
    neighbours
        .tell_sampling(vec![placed(SCHOOL_PATH, "T5", 1)])
        .await;
    until(&mut news, "holds/T5", State::Open).await;
    let ask = pb::ListAlertsRequest {
        parent: SCHOOL.to_owned(),
        ..Default::default()
    };
    let ask = by("principal-1", Role::Principal, SCHOOL_PATH, ask);
    let listed = world
        .alerts
        .list_alerts(ask)
        .await
        .expect("listed")
        .into_inner();
    let mut states: Vec<_> = listed
        .alerts
        .iter()
        .map(|a| (&*a.basis, a.state()))
        .collect();
    states.sort_unstable();
    // T2 was over before anybody could hear of it; T4 came and went while the service was down.
    let expected = [
        ("holds/T1", State::Resolved),
        ("holds/T3", State::Open),
        ("holds/T4", State::Resolved),
        ("holds/T5", State::Open),
    ];
    assert_eq!(states, expected);
    neighbours.running.stop().await.expect("stopped");
}

async fn a_watcher_goes_on_where_it_was(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    sampling(&world.db, &world.clock, &[placed(SCHOOL_PATH, "T1", 1)], 1).await;
    let mut news = world.watch("").await;
    let (_, place) = until(&mut news, "holds/T1", State::Open).await;
    world.stop().await;
    let ended = loop {
        match news.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a stopping service says so"),
            Err(status) => break status,
        }
    };
    assert_eq!(
        (ended.code(), &*reason(&ended)),
        (Code::Unavailable, "UNAVAILABLE")
    );

    world.clock.advance(Duration::hours(1));
    sampling(
        &world.db,
        &world.clock,
        &[released(SCHOOL_PATH, "T1", 2)],
        1,
    )
    .await;
    sampling(&world.db, &world.clock, &[placed(SCHOOL_PATH, "T2", 1)], 1).await;
    world.start().await;
    let mut news = world.watch(&place).await;
    let answer = news.message().await.expect("news").expect("goes on");
    let missed: Vec<_> = answer
        .alerts
        .iter()
        .map(|a| (&*a.basis, a.state()))
        .collect();
    assert_eq!(
        missed,
        [("holds/T1", State::Resolved), ("holds/T2", State::Open)]
    );

    // A place that this database never reached is from before a restore.
    let ahead = kit::page::next(&1_000_000_i64, &["watch", SCHOOL]);
    let mut news = world.watch(&ahead).await;
    let refused = news.message().await.expect_err("from before a restore");
    assert_eq!(reason(&refused), "RESUME_TOKEN_EXPIRED");
}
