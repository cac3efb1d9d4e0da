//! Signals about the honesty of checks: raised once their time is over, shown to the school first.

use std::collections::BTreeSet;

use chrono::Datelike;
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::roster::check_policy::Slot;
use proto::sampling::reporting_signal::{Kind, State};
use proto::sampling::{
    CheckSubmission, ExplainReportingSignalRequest, GetReportingSignalRequest,
    JudgeReportingSignalRequest, ListReportingSignalsRequest, ReportingSignal,
};
use sampling::domain::health::rules::Slot as DomainSlot;
use sampling::domain::health::tally::{DayTally, SlotTally};
use sampling::store::health::days;
use tonic::{Code, Status};

use super::coverage_site::{Counted, FIRST, SECOND, district, group, readings};
use super::town::{
    CITY, DISTRICT, OTHER_SCHOOL, Roster, SCHOOL, Town, class, on_both_databases, reason,
    school_path,
};

on_both_databases!(
    the_school_sees_a_signal_first_and_explains_it,
    after_three_school_days_bureaus_see_what_was_not_explained,
    late_checks_are_looked_at_with_the_next_slot,
    many_groups_in_one_minute_and_the_night_are_noticed,
    a_large_school_where_nobody_is_ill_is_noticed_once,
    who_may_not_act_is_refused,
);

const SAME: [i32; 12] = [365; 12];

fn kinds(signals: &[ReportingSignal]) -> BTreeSet<Kind> {
    signals.iter().map(ReportingSignal::kind).collect()
}

async fn explain(site: &Counted, name: &str, request_id: &str) -> Result<ReportingSignal, Status> {
    let request = ExplainReportingSignalRequest {
        name: name.to_owned(),
        explanation: "额温枪校准后读数一致".to_owned(),
        request_id: request_id.to_owned(),
    };
    let place = school_path(SCHOOL);
    let mut client = site.signals((Role::Principal, &place));
    Ok(client.explain_reporting_signal(request).await?.into_inner())
}

async fn judge(site: &Counted, name: &str, state: State) -> Result<ReportingSignal, Status> {
    let request = JudgeReportingSignalRequest {
        name: name.to_owned(),
        state: state.into(),
        reason: "已现场核查".to_owned(),
        request_id: String::new(),
    };
    let bureau = district();
    let mut client = site.signals((Role::DistrictOfficer, &bureau));
    Ok(client.judge_reporting_signal(request).await?.into_inner())
}

async fn identical(site: &Counted) {
    let check = CheckSubmission {
        readings: readings(0, &SAME),
        ..site.zero(&group(SCHOOL, FIRST), Slot::Morning)
    };
    site.submit(check).await;
}

async fn the_school_sees_a_signal_first_and_explains_it(database: Scratch) {
    let site = Counted::open(database).await;
    identical(&site).await;
    let place = school_path(SCHOOL);
    assert!(
        site.seen((Role::Principal, &place), SCHOOL)
            .await
            .is_empty()
    );
    site.minutes(31);
    let signals = site.own_signals(1).await;
    let signal = &signals[0];
    assert_eq!(kinds(&signals), [Kind::IdenticalTemperatures].into());
    assert!(signal.name.starts_with("reportingSignals/20220328-"));
    assert_eq!(signal.organization, format!("organizations/{SCHOOL}"));
    assert_eq!(signal.org_path, format!("{place}/{FIRST}"));
    assert_eq!((signal.observed_count, signal.total_count), (12, 12));
    assert_eq!(
        (signal.state(), signal.slot()),
        (State::Shown, Slot::Morning)
    );
    let bureau = district();
    let officer = (Role::DistrictOfficer, bureau.as_str());
    assert!(site.seen(officer, DISTRICT).await.is_empty());
    assert!(
        site.seen((Role::CityOfficer, CITY), SCHOOL)
            .await
            .is_empty()
    );
    let get = || GetReportingSignalRequest {
        name: signal.name.clone(),
    };
    let hidden = site.signals(officer).get_reporting_signal(get()).await;
    assert_eq!(hidden.expect_err("not yet").code(), Code::NotFound);
    let early = judge(&site, &signal.name, State::Dismissed).await;
    assert_eq!(early.expect_err("not yet").code(), Code::NotFound);

    let request_id = uuid::Uuid::new_v4().to_string();
    let explained = explain(&site, &signal.name, &request_id).await;
    let explained = explained.expect("explained");
    assert_eq!(explained.state(), State::Explained);
    assert_eq!(explained.explained_by, "tester");
    let again = explain(&site, &signal.name, &request_id).await;
    assert_eq!(again.expect("the same answer"), explained);
    let other = explain(&site, &signal.name, "").await.expect_err("twice");
    let wrong_state = (
        Code::FailedPrecondition,
        "REPORTING_SIGNAL_STATE".to_owned(),
    );
    assert_eq!(reason(&other), wrong_state);

    let seen = site.seen(officer, DISTRICT).await;
    assert_eq!(seen, std::slice::from_ref(&explained));
    let seen = site.signals(officer).get_reporting_signal(get()).await;
    assert_eq!(seen.expect("seen").into_inner(), explained);
    let judged = judge(&site, &signal.name, State::Dismissed).await;
    let judged = judged.expect("judged");
    assert_eq!(
        (judged.state(), judged.judged_by.as_str()),
        (State::Dismissed, "tester")
    );
    let twice = judge(&site, &signal.name, State::Confirmed).await;
    assert_eq!(reason(&twice.expect_err("judged")), wrong_state);
    let filtered = |state: State, kind: Kind| ListReportingSignalsRequest {
        organization: format!("organizations/{DISTRICT}"),
        state: state.into(),
        kind: kind.into(),
        since_date: Some(site.0.date()),
        ..ListReportingSignalsRequest::default()
    };
    let asked = [
        (State::Dismissed, Kind::IdenticalTemperatures, 1),
        (State::Explained, Kind::IdenticalTemperatures, 0),
        (State::Dismissed, Kind::NightCheck, 0),
    ];
    for (state, kind, count) in asked {
        let request = filtered(state, kind);
        let page = site.signals(officer).list_reporting_signals(request).await;
        let found = page.expect("a page").into_inner().reporting_signals;
        assert_eq!(found.len(), count, "{state:?} {kind:?}");
    }
}

async fn after_three_school_days_bureaus_see_what_was_not_explained(database: Scratch) {
    let site = Counted::open(database).await;
    identical(&site).await;
    site.minutes(31);
    let signal = site.own_signals(1).await.remove(0);
    let bureau = district();
    let officer = (Role::DistrictOfficer, bureau.as_str());
    // Tuesday, Wednesday and Thursday are the school's.
    for _ in 0..3 {
        site.0.next_day();
        assert!(site.seen(officer, DISTRICT).await.is_empty());
    }
    site.0.next_day();
    assert_eq!(signal.visible_date, Some(site.0.date()));
    let seen = site.seen(officer, DISTRICT).await;
    assert_eq!(seen, std::slice::from_ref(&signal));
    let judged = judge(&site, &signal.name, State::Confirmed).await;
    assert_eq!(judged.expect("judged").state(), State::Confirmed);
}

async fn late_checks_are_looked_at_with_the_next_slot(database: Scratch) {
    let site = Counted::open(database).await;
    identical(&site).await;
    site.minutes(31);
    site.own_signals(1).await;
    let late = CheckSubmission {
        readings: readings(100, &SAME),
        ..site.zero(&group(SCHOOL, SECOND), Slot::Morning)
    };
    site.submit(late).await;
    // The noon check is due at 14:30.
    site.minutes(6 * 60);
    let signals = site.own_signals(2).await;
    let places: Vec<&str> = signals
        .iter()
        .map(|signal| signal.org_path.rsplit('/').next().expect("a group"))
        .collect();
    assert_eq!(BTreeSet::from_iter(places), [FIRST, SECOND].into());
    assert_eq!(signals.len(), 2, "the first one is not raised again");
}

async fn many_groups_in_one_minute_and_the_night_are_noticed(database: Scratch) {
    let roster = Roster::town();
    for number in 0..10 {
        roster.class(class(
            SCHOOL,
            &format!("p2019-{number:02}"),
            number * 50,
            30,
        ));
    }
    roster.class(class(OTHER_SCHOOL, FIRST, 2000, 30));
    let site = Counted(Town::start(database, roster).await);
    for number in 0..10 {
        let scope = group(SCHOOL, &format!("p2019-{number:02}"));
        site.submit(site.zero(&scope, Slot::Morning)).await;
    }
    let night = site.0.now() - chrono::Duration::hours(4);
    let at_night = CheckSubmission {
        capture_time: Some(kit::field::to_timestamp(night)),
        ..site.zero(&group(OTHER_SCHOOL, FIRST), Slot::Morning)
    };
    site.submit(at_night).await;
    site.minutes(31);
    let signals = site.own_signals(1).await;
    assert_eq!(kinds(&signals), [Kind::OneMinute].into());
    assert_eq!(
        (signals[0].observed_count, signals[0].total_count),
        (10, 10)
    );
    assert_eq!(signals[0].org_path, school_path(SCHOOL));
    let other = school_path(OTHER_SCHOOL);
    let others = site.seen((Role::EpidemicReporter, &other), OTHER_SCHOOL);
    let others = others.await;
    assert_eq!(kinds(&others), [Kind::NightCheck].into());
}

/// Ten school days, of which the first nine are counted as if they had been reported.
async fn a_large_school_where_nobody_is_ill_is_noticed_once(database: Scratch) {
    let roster = Roster::town();
    roster.class(class(SCHOOL, FIRST, 0, 300));
    roster.class(class(OTHER_SCHOOL, FIRST, 1000, 299));
    let site = Counted(Town::start(database, roster).await);
    let db = kit::db::Database::connect(&site.0.database)
        .await
        .expect("the database");
    let mut tally = DayTally::default();
    for slot in [DomainSlot::Morning, DomainSlot::Noon] {
        *tally.slot_mut(slot) = SlotTally {
            frozen: true,
            expected: 1,
            answered: 1,
            submitted: 1,
            zero: 1,
            ..SlotTally::default()
        };
    }
    let today = site.0.today();
    let weekdays = (1..=13).map(|back| today - chrono::Duration::days(back));
    let days = weekdays.filter(|day| day.weekday().number_from_monday() <= 5);
    let tallies: days::Tallies = days
        .flat_map(|day| {
            let schools = [SCHOOL, OTHER_SCHOOL];
            schools.map(|school| ((school_path(school), day.into()), tally))
        })
        .collect();
    assert_eq!(tallies.len(), 18);
    let tx = db.begin().await.expect("a transaction");
    days::save(&tx, &tallies).await.expect("saved");
    tx.commit().await.expect("committed");
    db.close().await;
    for slot in [Slot::Morning, Slot::Noon] {
        for school in [SCHOOL, OTHER_SCHOOL] {
            site.submit(site.zero(&group(school, FIRST), slot)).await;
        }
    }
    site.minutes(6 * 60 + 31);
    let signals = site.own_signals(1).await;
    assert_eq!(kinds(&signals), [Kind::NoIllness].into());
    assert_eq!(
        (signals[0].observed_count, signals[0].slot()),
        (10, Slot::Unspecified)
    );
    let other = school_path(OTHER_SCHOOL);
    let others = site.seen((Role::Principal, &other), OTHER_SCHOOL).await;
    assert!(others.is_empty(), "299 students are fewer than 300");
    // The next day is as quiet, and was said already.
    site.0.next_day();
    site.minutes(-(6 * 60 + 31));
    for slot in [Slot::Morning, Slot::Noon] {
        let check = CheckSubmission {
            readings: readings(0, &SAME),
            ..site.zero(&group(SCHOOL, FIRST), slot)
        };
        site.submit(check).await;
    }
    site.minutes(6 * 60 + 31);
    // The noon check repeats the temperatures of the morning.
    let signals = site.own_signals(3).await;
    assert!(kinds(&signals).contains(&Kind::CopiedReadings));
    let quiet = signals.iter().filter(|one| one.kind() == Kind::NoIllness);
    assert_eq!(quiet.count(), 1);
}

async fn who_may_not_act_is_refused(database: Scratch) {
    let site = Counted::open(database).await;
    identical(&site).await;
    site.minutes(31);
    let signal = site.own_signals(1).await.remove(0);
    let (own, other, bureau) = (school_path(SCHOOL), school_path(OTHER_SCHOOL), district());
    let denied = (Code::PermissionDenied, "SCOPE_DENIED".to_owned());
    let explanation = |text: &str, name: &str| ExplainReportingSignalRequest {
        name: name.to_owned(),
        explanation: text.to_owned(),
        request_id: String::new(),
    };
    let askers = [
        (Role::SchoolDoctor, own.as_str()),
        (Role::ClassReporter, &own),
        (Role::DistrictOfficer, &bureau),
        (Role::Principal, &other),
        // Who leads a school does so at the school.
        (Role::Principal, &bureau),
    ];
    for asker in askers {
        let request = explanation("校准", &signal.name);
        let refused = site.signals(asker).explain_reporting_signal(request).await;
        assert_eq!(reason(&refused.expect_err("may not")), denied, "{asker:?}");
    }
    let judgement = |state: State, text: &str| JudgeReportingSignalRequest {
        name: signal.name.clone(),
        state: state.into(),
        reason: text.to_owned(),
        request_id: String::new(),
    };
    for asker in [
        (Role::Principal, own.as_str()),
        (Role::DistrictOfficer, "fz/350103"),
    ] {
        let request = judgement(State::Dismissed, "核查");
        let refused = site.signals(asker).judge_reporting_signal(request).await;
        assert_eq!(reason(&refused.expect_err("may not")), denied, "{asker:?}");
    }
    let elsewhere = GetReportingSignalRequest {
        name: signal.name.clone(),
    };
    let mut client = site.signals((Role::Principal, &other));
    let refused = client.get_reporting_signal(elsewhere).await;
    assert_eq!(reason(&refused.expect_err("another school")), denied);

    let long = "长".repeat(501);
    let wrong = [
        explanation("", &signal.name),
        explanation(&long, &signal.name),
        explanation("校准", "reportingSignals/../x"),
        explanation("校准", "signals/1"),
    ];
    for request in wrong {
        let mut principal = site.signals((Role::Principal, &own));
        let refused = principal.explain_reporting_signal(request).await;
        assert_eq!(refused.expect_err("wrong").code(), Code::InvalidArgument);
    }
    let unseen = judgement(State::Shown, "核查");
    let mut officer = site.signals((Role::DistrictOfficer, &bureau));
    let unseen = officer.judge_reporting_signal(unseen).await;
    assert_eq!(unseen.expect_err("not yet").code(), Code::NotFound);
    let explained = explain(&site, &signal.name, "").await;
    explained.expect("explained");
    let wrong = [
        judgement(State::Shown, "核查"),
        judgement(State::Unspecified, "核查"),
        judgement(State::Confirmed, ""),
    ];
    for request in wrong {
        let mut officer = site.signals((Role::DistrictOfficer, &bureau));
        let refused = officer.judge_reporting_signal(request).await;
        assert_eq!(refused.expect_err("wrong").code(), Code::InvalidArgument);
    }
    let absent = explanation("校准", "reportingSignals/20220328-0");
    let mut city = site.signals((Role::CityOfficer, CITY));
    let gone = GetReportingSignalRequest { name: absent.name };
    let refused = city
        .get_reporting_signal(gone)
        .await
        .expect_err("is not there");
    assert_eq!(
        refused.code(),
        Code::PermissionDenied,
        "below the root nobody is told"
    );
}
