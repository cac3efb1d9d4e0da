//! The overview as it changes, for one and for many.

mod figures;

use std::collections::BTreeSet;
use std::time::Duration;

use figures::{CITY, COVERAGE, SAFETY, Stand, Whim, reason, section, until, value};
use kit::auth::Role;
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::gateway::figure::Breakdown;
use proto::gateway::section::{Kind, State};
use proto::gateway::{Measure, WatchOverviewRequest, WatchOverviewResponse};
use proto::roster::class_group_roll::TeachingMode;
use tokio::time::timeout;
use tonic::{Code, Status, Streaming};

type Answers = Streaming<WatchOverviewResponse>;

const SOON: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(60);

async fn watch(stand: &Stand, subject: &str) -> Result<Answers, Status> {
    let request = WatchOverviewRequest {
        name: format!("organizations/{CITY}/overview"),
        date: None,
    };
    let request = stand.signed(subject, Role::CityOfficer, CITY, request);
    Ok(stand.client().watch_overview(request).await?.into_inner())
}

async fn next(answers: &mut Answers) -> Result<WatchOverviewResponse, Status> {
    let answer = timeout(PATIENCE, answers.message()).await;
    answer
        .expect("an answer in time")
        .map(|answer| answer.expect("the stream goes on"))
}

/// A stream whose first answer was read.
async fn opened(stand: &Stand, subject: &str) -> Answers {
    let mut answers = watch(stand, subject).await.expect("a stream");
    let first = next(&mut answers).await.expect("the whole");
    let overview = first.overview.expect("the whole comes first");
    assert_eq!(overview.sections.len(), 12);
    assert!(first.sections.is_empty());
    answers
}

#[tokio::test]
async fn what_a_service_announces_comes_at_once_and_alone() {
    // A minute passes between polls: what comes earlier was announced.
    let stand = Stand::open().await;
    let mut answers = opened(&stand, "officer").await;
    until("safety is watched", || stand.services.listeners() == 1).await;
    stand.services.set_campuses(5);
    let news = next(&mut answers).await.expect("a change");
    assert_eq!(news.overview, None);
    let kinds: Vec<Kind> = news.sections.iter().map(|section| section.kind()).collect();
    assert_eq!(kinds, [Kind::Safety, Kind::Gates]);
    assert_eq!(value(&news.sections[0], Measure::Campuses), Some(5));
    assert_eq!(
        stand.services.asked(COVERAGE).len(),
        1,
        "nothing else was asked again"
    );
}

#[tokio::test]
async fn what_no_service_announces_comes_with_the_next_poll_and_alone() {
    let stand = Stand::with(|config| config.overview.poll = SOON).await;
    let mut answers = opened(&stand, "officer").await;
    stand.services.set_online(12);
    let news = next(&mut answers).await.expect("a change");
    let [taught] = &news.sections[..] else {
        panic!("one section has changed")
    };
    assert_eq!(taught.kind(), Kind::Teaching);
    let online = Some(Breakdown::TeachingMode(TeachingMode::Online.into()));
    let mut figures = taught.figures.iter();
    let online = figures.find(|one| one.breakdown == online);
    assert_eq!(online.and_then(|online| online.value), Some(12));
}

#[tokio::test]
async fn without_changes_there_is_a_heartbeat_and_nothing_in_it() {
    let stand = Stand::with(|config| {
        config.overview.poll = SOON;
        config.overview.heartbeat = SOON * 3;
    })
    .await;
    let mut answers = opened(&stand, "officer").await;
    stand.clock.advance(chrono::Duration::minutes(5));
    for _ in 0..3 {
        let silence = next(&mut answers).await.expect("a heartbeat");
        assert_eq!((silence.overview, silence.sections), (None, Vec::new()));
        assert!(silence.read_time.is_some());
    }
}

#[tokio::test]
async fn many_who_watch_the_same_with_the_same_rights_ask_once() {
    const WATCHERS: usize = 20;
    let stand = Stand::with(|config| config.overview.poll = SOON).await;
    let mut streams = Vec::new();
    for number in 0..WATCHERS {
        streams.push(opened(&stand, &format!("officer-{number}")).await);
    }
    let before = stand.services.asked(COVERAGE).len();
    assert!(before >= WATCHERS, "each was told itself first");
    until("some polls", || {
        stand.services.asked(COVERAGE).len() >= before + 5
    })
    .await;
    let asked = stand.services.asked(COVERAGE);
    let polls = &asked[before..before + 5];
    let names: BTreeSet<&String> = polls.iter().collect();
    assert_eq!(
        names.len(),
        5,
        "each poll is made in the name of the next: {polls:?}"
    );
    // A poll asks once for all: safety is asked as often as coverage, but for what is under way.
    let (safety, coverage) = (stand.services.asked(SAFETY).len(), asked.len());
    assert!(safety.abs_diff(coverage) <= 2, "{safety} and {coverage}");
    stand.services.set_campuses(7);
    for stream in &mut streams {
        let news = next(stream).await.expect("a change");
        assert_eq!(value(&news.sections[0], Measure::Campuses), Some(7));
    }
}

#[tokio::test]
async fn whoever_leaves_last_ends_the_polls() {
    let stand = Stand::with(|config| config.overview.poll = SOON).await;
    let first = opened(&stand, "one").await;
    let second = opened(&stand, "two").await;
    until("safety is watched", || stand.services.listeners() == 1).await;
    drop(first);
    let _still = opened(&stand, "three").await;
    assert_eq!(stand.services.listeners(), 1, "once for all");
    drop((second, _still));
    until("nobody watches for nobody", || {
        stand.services.listeners() == 0
    })
    .await;
    opened(&stand, "three").await;
}

#[tokio::test]
async fn a_section_that_a_service_refuses_one_of_them_is_never_shown_to_that_one() {
    let stand = Stand::with(|config| config.overview.heartbeat = SOON).await;
    let denied = Problem::new(ErrorReason::ScopeDenied).into();
    stand
        .services
        .let_it(SAFETY, Whim::RefuseOne("other", denied));
    let mut told = opened(&stand, "one").await;
    let mut other = watch(&stand, "other").await.expect("a stream");
    let first = next(&mut other)
        .await
        .expect("the whole")
        .overview
        .expect("the whole");
    assert_eq!(section(&first, Kind::Safety).state(), State::NotPermitted);
    // From now on the other's token is as good, but the change is asked for in the name of either.
    stand.services.heal(SAFETY);
    until("safety is watched", || stand.services.listeners() == 1).await;
    stand.clock.advance(chrono::Duration::minutes(1));
    stand.services.set_campuses(6);
    let news = loop {
        let news = next(&mut told).await.expect("goes on");
        if !news.sections.is_empty() {
            break news;
        }
    };
    assert_eq!(value(&news.sections[0], Measure::Campuses), Some(6));
    loop {
        let silence = next(&mut other).await.expect("goes on");
        assert_eq!((silence.overview, silence.sections), (None, Vec::new()));
        if silence.read_time == news.read_time {
            break;
        }
    }
}

#[tokio::test]
async fn a_section_of_a_service_that_was_down_at_first_is_read_in_each_ones_own_name() {
    let stand = Stand::with(|config| config.overview.poll = SOON).await;
    let down: Status = Problem::new(ErrorReason::Unavailable).into();
    stand.services.let_it(SAFETY, Whim::Refuse(down));
    let mut one = opened(&stand, "one").await;
    let mut other = opened(&stand, "other").await;
    let denied = Problem::new(ErrorReason::ScopeDenied).into();
    stand
        .services
        .let_it(SAFETY, Whim::RefuseOne("other", denied));
    let news = next(&mut one).await.expect("a change");
    assert_eq!(news.sections[0].state(), State::Current);
    let news = next(&mut other).await.expect("a change");
    assert_eq!(news.sections[0].state(), State::NotPermitted);
    assert!(news.sections[0].figures.is_empty());
}

#[tokio::test]
async fn a_watcher_whose_token_is_not_taken_any_more_ends_and_the_others_go_on() {
    let stand = Stand::with(|config| {
        config.overview.poll = SOON;
        config.overview.heartbeat = SOON * 2;
    })
    .await;
    let mut good = opened(&stand, "good").await;
    let mut expired = opened(&stand, "expired").await;
    let refused: Status = Problem::new(ErrorReason::TokenExpired).into();
    stand
        .services
        .let_it("Service/", Whim::RefuseOne("expired", refused));
    let end = loop {
        match next(&mut expired).await {
            Ok(answer) => assert!(answer.sections.is_empty(), "{answer:?}"),
            Err(status) => break status,
        }
    };
    assert_eq!(
        (end.code(), &*reason(&end)),
        (Code::Unauthenticated, "TOKEN_EXPIRED")
    );
    let silence = next(&mut good).await.expect("goes on");
    assert!(silence.sections.is_empty());
}

#[tokio::test]
async fn at_midnight_a_stream_of_today_begins_the_next_day() {
    let stand = Stand::with(|config| config.overview.poll = SOON).await;
    stand
        .clock
        .set("2022-04-07T15:50:00Z".parse().expect("an instant"));
    let mut answers = opened(&stand, "officer").await;
    stand
        .clock
        .set("2022-04-07T16:00:00Z".parse().expect("an instant"));
    let news = loop {
        let news = next(&mut answers).await;
        match news {
            Ok(news) if news.overview.is_some() => break news,
            Ok(_) => {}
            Err(status) => panic!("{status}"),
        }
    };
    let date = news.overview.expect("the whole").date;
    assert_eq!(
        date,
        Some(proto::Date {
            year: 2022,
            month: 4,
            day: 8
        })
    );
}

#[tokio::test]
async fn a_caller_watches_as_much_as_is_allowed_and_again_after_leaving() {
    let stand = Stand::with(|config| config.overview.max_watches_per_caller = 2).await;
    let first = opened(&stand, "one").await;
    let _second = opened(&stand, "one").await;
    let refused = watch(&stand, "one").await.expect_err("too many");
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::ResourceExhausted, "OVERLOADED")
    );
    let _other = opened(&stand, "other").await;
    drop(first);
    let again = async {
        while watch(&stand, "one").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, again)
        .await
        .expect("a place is free again");
}

#[tokio::test]
async fn a_gateway_that_stops_ends_its_streams() {
    let stand = Stand::open().await;
    let mut answers = opened(&stand, "officer").await;
    stand.drain.signal();
    let end = next(&mut answers).await.expect_err("the end");
    assert_eq!(
        (end.code(), &*reason(&end)),
        (Code::Unavailable, "UNAVAILABLE")
    );
}

#[tokio::test]
async fn who_may_not_see_an_organisation_cannot_watch_it() {
    let stand = Stand::open().await;
    let request = WatchOverviewRequest {
        name: format!("organizations/{CITY}/overview"),
        date: None,
    };
    let request = stand.signed("d", Role::DistrictOfficer, "fz/350102", request);
    let refused = stand
        .client()
        .watch_overview(request)
        .await
        .expect_err("refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_section_that_is_withdrawn_from_one_of_them_goes_from_that_one_alone() {
    let stand = Stand::with(|config| config.overview.poll = SOON).await;
    let mut one = opened(&stand, "one").await;
    let mut other = opened(&stand, "other").await;
    let denied = Problem::new(ErrorReason::ScopeDenied).into();
    stand
        .services
        .let_it(SAFETY, Whim::RefuseOne("other", denied));
    let news = next(&mut other).await.expect("a change");
    assert_eq!(news.sections[0].state(), State::NotPermitted);
    assert!(news.sections[0].figures.is_empty());
    stand.services.set_campuses(8);
    let news = next(&mut one).await.expect("a change");
    assert_eq!(news.sections[0].state(), State::Current);
    assert_eq!(value(&news.sections[0], Measure::Campuses), Some(8));
}
