//! Who hears of an alert besides its owner.

use chrono::Duration;
use kit::auth::Role;
use kit::clock::Clock;
use kit::db::Database;
use kit::scratch::Scratch;
use notification::Migrator;
use proto::notification as pb;
use proto::notification::alert::Kind;
use proto::notification::alert_rule::Hearer;
use proto::roster::Recipient;
use proto::roster::organization::Kind as Body;
use proto::sampling as spb;
use proto::sampling::sampling_event::State as Fact;

use crate::town::classes::{answers, staff_roll};
use crate::town::desk::{Desk, parties};
use crate::town::examples::{absence, cluster, opened};
use crate::town::world::{World, reason};
use crate::town::{
    BUREAU, BUREAU_PATH, CITY, OTHER_PATH, SCHOOL, SCHOOL_PATH, on_both, organization, roster,
    staff,
};

kit::store_suite!(Migrator;
    those_whom_the_rule_of_a_cluster_names_hear_of_it,
    the_centre_of_the_district_hears_before_that_of_the_city,
    nobody_hears_twice_nor_after_it_has_gone_up,
    the_head_hears_of_an_absence_that_nobody_traced,
    a_case_is_told_at_once_and_due_by_its_first_report,
);

/// The school has a head, two doctors and who answers for epidemic control.
async fn desk(db: Database) -> Desk {
    let desk = Desk::new(db).await;
    let doctor: &[&str] = &["SCHOOL_DOCTOR"];
    let duties = [("EPIDEMIC_CONTROL", "", 1), ("OVERALL_HEAD", "", 2)];
    let events = [
        answers(SCHOOL_PATH, 2, &duties),
        staff_roll(SCHOOL_PATH, &[(3, doctor), (4, doctor), (5, &["TEACHER"])]),
        organization("fz/cdc", Body::DiseaseControl),
    ];
    roster(&desk.db, &events, 1).await;
    desk
}

fn event(path: &str, entity: &str, version: i64, state: Fact) -> spb::SamplingEvent {
    spb::SamplingEvent {
        entity: entity.to_owned(),
        version,
        org_path: path.to_owned(),
        removed: false,
        state: Some(state),
    }
}

/// A cluster at the school at `path` whose rule names these.
fn named(path: &str, version: i64, recipients: &[Recipient]) -> spb::SamplingEvent {
    let school = path.rsplit('/').next().unwrap_or_default();
    let rule = spb::ClusterRule {
        recipients: recipients.iter().map(|one| (*one).into()).collect(),
        ..cluster().rule.expect("a rule")
    };
    let cluster = spb::Cluster {
        rule: Some(rule),
        organization: format!("organizations/{school}"),
        ..cluster()
    };
    event(
        path,
        &format!("clusters/C{school}"),
        version,
        Fact::Cluster(cluster),
    )
}

async fn heard(desk: &Desk) -> Vec<String> {
    let mut heard = parties(&desk.taken().await);
    heard.sort_unstable();
    heard
}

async fn those_whom_the_rule_of_a_cluster_names_hear_of_it(db: Database) {
    use Recipient::{
        CityBureau, DiseaseControl, DistrictBureau, EpidemicReporter, Principal, SchoolDoctor,
    };
    let desk = desk(db).await;
    let all = [
        Principal,
        SchoolDoctor,
        EpidemicReporter,
        DistrictBureau,
        CityBureau,
        DiseaseControl,
    ];
    desk.hear(named(SCHOOL_PATH, 1, &all)).await;
    let mut expected = vec![
        BUREAU.to_owned(),
        CITY.to_owned(),
        "organizations/cdc".to_owned(),
    ];
    expected.extend((1..=4).map(staff));
    expected.sort_unstable();
    assert_eq!(heard(&desk).await, expected);
    // Where nobody is known the school hears in their place, once.
    desk.hear(named(OTHER_PATH, 1, &[Principal, SchoolDoctor]))
        .await;
    assert_eq!(heard(&desk).await, ["organizations/2135010002"]);
}

async fn the_centre_of_the_district_hears_before_that_of_the_city(db: Database) {
    let desk = desk(db).await;
    let events = [
        organization(&format!("{BUREAU_PATH}/cdc1"), Body::DiseaseControl),
        answers(
            &format!("{BUREAU_PATH}/cdc1"),
            1,
            &[("EPIDEMIC_CONTROL", "", 40)],
        ),
    ];
    roster(&desk.db, &events, 1).await;
    desk.hear(named(SCHOOL_PATH, 1, &[Recipient::DiseaseControl]))
        .await;
    assert_eq!(heard(&desk).await, [staff(1), staff(40)]);
    desk.hear(named(OTHER_PATH, 1, &[Recipient::DiseaseControl]))
        .await;
    assert_eq!(
        heard(&desk).await,
        ["organizations/2135010002", "organizations/cdc"]
    );
}

async fn nobody_hears_twice_nor_after_it_has_gone_up(db: Database) {
    let desk = desk(db).await;
    let names = [Recipient::Principal, Recipient::EpidemicReporter];
    desk.hear(named(SCHOOL_PATH, 1, &names)).await;
    desk.hear(named(SCHOOL_PATH, 2, &names)).await;
    assert_eq!(heard(&desk).await, [staff(1), staff(2)]);
    desk.clock.advance(Duration::hours(3));
    desk.tick().await;
    // Who answers at the bureau, and nobody besides.
    assert_eq!(heard(&desk).await, [staff(20)]);
}

async fn the_head_hears_of_an_absence_that_nobody_traced(db: Database) {
    let desk = desk(db).await;
    let absence = spb::Absence {
        state: spb::absence::State::Escalated.into(),
        ..absence()
    };
    let path = format!("{SCHOOL_PATH}/p2019-01");
    desk.hear(event(&path, "absences/A1", 1, Fact::Absence(absence)))
        .await;
    desk.clock.advance(Duration::minutes(5));
    assert_eq!(heard(&desk).await, [staff(1), staff(2)]);
}

async fn a_case_is_told_at_once_and_due_by_its_first_report(db: Database) {
    let desk = desk(db).await;
    let due = desk.clock.now() + Duration::minutes(20);
    let case = spb::Case {
        first_report_due_time: Some(kit::field::to_timestamp(due)),
        ..opened()
    };
    desk.hear(event(SCHOOL_PATH, "cases/K1", 1, Fact::Case(case.clone())))
        .await;
    let told = desk.taken().await;
    let mut to = parties(&told);
    to.sort_unstable();
    assert_eq!(to, [staff(1), staff(2)]);
    assert_eq!((told[0].due, desk.alert("cases/K1").await.due), (due, due));
    let grave = spb::Case {
        urgent: true,
        ..opened()
    };
    desk.hear(event(SCHOOL_PATH, "cases/K2", 1, Fact::Case(grave)))
        .await;
    let severity = desk.alert("cases/K2").await.severity;
    assert_eq!(severity, notification::domain::fact::Severity::Critical);
    // It was ruled out before anybody had to report it.
    let over = spb::Case {
        state: spb::case::State::Closed.into(),
        ..case
    };
    desk.hear(event(SCHOOL_PATH, "cases/K1", 2, Fact::Case(over)))
        .await;
    let ended = desk.alert("cases/K1").await.resolved.expect("a step");
    assert!(ended.is_by_fact());
}

mod of_city {
    use super::*;

    on_both!(a_city_says_who_hears_of_a_kind);

    async fn a_city_says_who_hears_of_a_kind(scratch: Scratch) {
        let mut world = World::new(scratch).await;
        let shipped = world.rule(Kind::HoldPlaced).await;
        assert_eq!(shipped.also, Vec::<i32>::new());
        let of_city = (Role::CityOfficer, "fz");
        let changed = pb::AlertRule {
            also: vec![Hearer::School.into(), Hearer::Above.into()],
            ..shipped.clone()
        };
        let stored = world
            .update(of_city, changed.clone())
            .await
            .expect("changed");
        assert_eq!(stored.also, changed.also);
        assert_eq!(world.rule(Kind::HoldPlaced).await, stored);
        let placed = crate::town::placed(SCHOOL_PATH, "T1", 1);
        crate::town::sampling(&world.db, &world.clock, &[placed], 1).await;
        for party in [&*staff(1), SCHOOL, BUREAU] {
            world.mails(party, "alert", 1).await;
        }
        for (also, field) in [
            (vec![Hearer::School.into(); 2], "rule.also"),
            (vec![0], "rule.also"),
            (vec![99], "rule.also"),
        ] {
            let rule = pb::AlertRule {
                also,
                ..stored.clone()
            };
            let status = world.update(of_city, rule).await.expect_err("refused");
            let details = tonic_types::StatusExt::get_error_details(&status);
            let fields = details.bad_request().expect("fields");
            let named = fields.field_violations.iter().any(|one| one.field == field);
            assert!(named, "{} {fields:?}", reason(&status));
        }
    }
}
