//! Every kind of fact raises its alert and ends it, by one path.

use chrono::Duration;
use kit::scratch::Scratch;
use notification::domain::fact::{Kind, Source};
use proto::notification as pb;
use proto::notification::alert::State;
use proto::sampling as spb;
use proto::sampling::sampling_event::State as Told;

use crate::raised::{self, Said, alerts_of, listed, only, until};
use crate::town::doctors::Act;
use crate::town::examples::{Example, absence, cluster, examples};
use crate::town::neighbours::Neighbours;
use crate::town::voices::until as until_some;
use crate::town::world::{World, reason};
use crate::town::{self, SCHOOL_PATH, on_both, sampling};

on_both!(
    each_kind_is_raised_once_and_ended_by_its_fact,
    a_fact_that_stands_is_not_ended_by_hand,
    the_facts_of_an_absence_are_alerts_of_their_own,
    a_cluster_grows_is_taken_up_and_weighs_more_when_it_must_be_reported_at_once,
    a_rule_that_asks_to_tell_at_once_gives_its_report_its_time,
    every_kind_arrives_while_the_service_was_down,
);

impl World {
    async fn hear(&self, event: spb::SamplingEvent) {
        sampling(&self.db, &self.clock, &[event], 1).await;
    }
}

async fn each_kind_is_raised_once_and_ended_by_its_fact(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    world.clock.advance(Duration::seconds(30));
    let examples = examples();
    let kinds: Vec<Kind> = examples.iter().map(|example| example.kind).collect();
    let of_sampling = Kind::ALL.iter().copied();
    let of_sampling = of_sampling.filter(|kind| kind.source() == Source::Sampling);
    assert_eq!(kinds, Vec::from_iter(of_sampling), "one of each");
    for example in examples {
        is_raised_once(&mut world, &example).await;
        world.hear(example.over(3)).await;
        let alert = only(&mut world, example.kind).await;
        assert_eq!(alert.state(), State::Resolved, "{:?}", example.kind);
        let step = alert.resolved.expect("a step");
        assert_eq!(step.subject, "fact");
        // It comes back, and its entity leaves the feed.
        world.hear(example.stands(4)).await;
        world.hear(example.gone(5)).await;
        let alerts = alerts_of(&mut world, example.kind).await;
        let states: Vec<_> = alerts.iter().map(pb::Alert::state).collect();
        assert_eq!(states, [State::Resolved; 2], "{:?}", example.kind);
    }
}

async fn is_raised_once(world: &mut World, example: &Example) {
    for version in [1, 1, 2] {
        world.hear(example.stands(version)).await;
    }
    let said = Said {
        kind: example.kind,
        severity: example.severity,
        title: example.title,
        upper: example.upper,
        basis: example.entity(),
        rule: example.rule,
        people: example.people,
        due: example.due,
        stands: true,
    };
    let alert = only(world, example.kind).await;
    said.by(&alert);
    assert_eq!(alert.title_en, example.title_en);
}

async fn a_fact_that_stands_is_not_ended_by_hand(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    for example in examples() {
        world.hear(example.stands(1)).await;
        let name = alerts_of(&mut world, example.kind).await[0].name.clone();
        for act in [Act::Acknowledge, Act::Take] {
            world.act(act, &name, SCHOOL_PATH).await.expect("moved on");
        }
        let refused = world.act(Act::Resolve, &name, SCHOOL_PATH).await;
        assert_eq!(reason(&refused.expect_err("stands")), "ALERT_FACT_STANDS");
    }
}

async fn the_facts_of_an_absence_are_alerts_of_their_own(scratch: Scratch) {
    use spb::absence::State as Stage;
    let mut world = World::new(scratch).await;
    let tell = |version, state: Stage, interview_due, upload_overdue| spb::SamplingEvent {
        entity: "absences/A1".to_owned(),
        version,
        org_path: format!("{SCHOOL_PATH}/p2019-01"),
        removed: false,
        state: Some(Told::Absence(spb::Absence {
            state: state.into(),
            interview_due,
            upload_overdue,
            ..absence()
        })),
    };
    for (version, stage, flags, open) in [
        (1, Stage::Open, (false, false), [false, false, false]),
        (2, Stage::Escalated, (false, false), [true, false, false]),
        (3, Stage::Escalated, (true, true), [true, true, true]),
        (4, Stage::Traced, (true, true), [false, true, true]),
        (5, Stage::Ended, (true, true), [false, false, true]),
        (6, Stage::Excused, (false, false), [false, false, false]),
    ] {
        world.hear(tell(version, stage, flags.0, flags.1)).await;
        let kinds = [
            Kind::AbsenceUntraced,
            Kind::InterviewDue,
            Kind::UploadOverdue,
        ];
        for (kind, open) in kinds.into_iter().zip(open) {
            let alerts = alerts_of(&mut world, kind).await;
            assert!(alerts.len() <= 1, "{kind:?} once");
            let found = alerts.iter().any(|alert| alert.state() == State::Open);
            assert_eq!(found, open, "{kind:?} at {version}");
        }
    }
}

async fn a_cluster_grows_is_taken_up_and_weighs_more_when_it_must_be_reported_at_once(
    scratch: Scratch,
) {
    let mut world = World::new(scratch).await;
    let tell = |version, cluster: spb::Cluster| spb::SamplingEvent {
        entity: cluster.name.clone(),
        version,
        org_path: SCHOOL_PATH.to_owned(),
        removed: false,
        state: Some(Told::Cluster(cluster)),
    };
    world.hear(tell(1, cluster())).await;
    let grown = spb::Cluster {
        person_count: 7,
        ..cluster()
    };
    world.hear(tell(2, grown.clone())).await;
    let alert = alerts_of(&mut world, Kind::ClusterFound).await.remove(0);
    assert_eq!((alert.people_count, alert.state()), (7, State::Open));
    let taken = spb::Cluster {
        state: spb::cluster::State::Acknowledged.into(),
        ..grown
    };
    world.hear(tell(3, taken.clone())).await;
    let alert = alerts_of(&mut world, Kind::ClusterFound).await.remove(0);
    assert_eq!(alert.state(), State::Acknowledged);
    assert_eq!(alert.acknowledged.expect("a step").subject, "fact");

    let corrected = spb::Cluster {
        stands: false,
        ..taken
    };
    world.hear(tell(4, corrected)).await;
    let alert = alerts_of(&mut world, Kind::ClusterFound).await.remove(0);
    assert_eq!(alert.state(), State::Acknowledged, "its report is due");

    let soon = kit::field::to_timestamp(town::morning() + Duration::minutes(20));
    let grave = spb::Cluster {
        name: "clusters/C2".to_owned(),
        report_due_time: Some(soon),
        ..cluster()
    };
    world.hear(tell(1, grave)).await;
    let alert = alerts_of(&mut world, Kind::ClusterFound).await.remove(0);
    assert_eq!(alert.severity(), pb::alert::Severity::Critical);
    assert_eq!(alert.due_time, Some(soon), "never after its report is due");
}

async fn a_rule_that_asks_to_tell_at_once_gives_its_report_its_time(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let rule = spb::ClusterRule {
        alert_at_once: true,
        ..cluster().rule.expect("a rule")
    };
    let told = spb::Cluster {
        rule: Some(rule),
        ..cluster()
    };
    let event = spb::SamplingEvent {
        entity: told.name.clone(),
        version: 1,
        org_path: SCHOOL_PATH.to_owned(),
        removed: false,
        state: Some(Told::Cluster(told)),
    };
    world.hear(event).await;
    let alert = only(&mut world, Kind::ClusterFound).await;
    let soon = kit::field::to_timestamp(town::morning() + Duration::minutes(30));
    assert_eq!(
        (alert.severity(), alert.due_time),
        (pb::alert::Severity::Critical, Some(soon)),
        "not only once the report is due, after a day"
    );
}

async fn every_kind_arrives_while_the_service_was_down(scratch: Scratch) {
    let neighbours = Neighbours::start().await;
    neighbours.tell_roster(town::town()).await;
    let mut world = World::beside(scratch, neighbours.address()).await;
    // Who answers is known from here on.
    let known = until_some(async || listed(&mut world, Kind::HoldPlaced).await.ok());
    assert_eq!(known.await, []);
    world.stop().await;
    let examples = examples();
    for example in &examples {
        neighbours.tell_sampling(vec![example.stands(1)]).await;
    }
    world.start().await;
    for example in &examples {
        until(&mut world, example.kind, State::Open).await;
    }
    world.stop().await;
    for example in &examples {
        neighbours.tell_sampling(vec![example.over(2)]).await;
    }
    world.start().await;
    for example in &examples {
        until(&mut world, example.kind, State::Resolved).await;
        only(&mut world, example.kind).await;
    }
    // Each was told once, however often the service stopped: the head of the school of an absence and of
    // a case besides.
    assert_eq!(raised::told(&world).await, (12, 12));
    neighbours.running.stop().await.expect("stopped");
}
