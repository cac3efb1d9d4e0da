//! The clocks of rule 5.33: the golden tests of first reports, hops, follow-ups and over-level reports.

use super::category::Confidential;
use super::clock::{Clock, Duty};
use super::file::{Chain, File};
use super::harm::{Casualties, Level};
use super::moves::Refusal;
use super::state::{State, Verb};
use super::step::{Medium, Receiver};
use super::test_files::{Bench, DAY, HOUR, MINUTE, NOTICED, by, deaths};
use crate::domain::organization;

fn clock(file: &File, duty: Duty) -> Clock {
    let clocks = file.clocks();
    *clocks
        .iter()
        .find(|clock| clock.duty == duty)
        .expect("a clock")
}

fn hops(file: &File) -> Vec<(Receiver, i64, i64, bool)> {
    let clocks = file.clocks().into_iter();
    let hops =
        clocks.filter_map(|clock| Some((clock.hop?.1, clock.start, clock.done, clock.over_level)));
    hops.collect()
}

fn first(file: &mut File, harm: Casualties, time: i64) -> i64 {
    let bench = Bench::new();
    let report = file.report(Verb::FirstReport, harm, bench.judge(), by("staff", time));
    report.expect("written").0
}

fn receive(file: &mut File, receiver: Receiver, time: i64) -> Result<(), Refusal> {
    let receipt = file.receive(receiver, Medium::Written, by("officer", time));
    receipt.map(drop)
}

#[test]
fn each_level_has_its_limits() {
    for (harm, phone, written) in [
        (deaths(3), Some(30 * MINUTE), HOUR),
        (deaths(1), Some(30 * MINUTE), HOUR),
        (
            Casualties {
                serious: 1,
                ..Casualties::default()
            },
            Some(HOUR),
            2 * HOUR,
        ),
        (Casualties::default(), None, 24 * HOUR),
    ] {
        let file = Bench::new().noticed(harm);
        let clocks = file.clocks();
        let by_phone = clocks.iter().find(|clock| clock.duty == Duty::Phone);
        assert_eq!(by_phone.map(|clock| clock.due - NOTICED), phone);
        assert_eq!(clock(&file, Duty::FirstReport).due - NOTICED, written);
    }
}

#[test]
fn the_last_instant_is_punctual_and_the_next_is_late_for_ever() {
    let bench = Bench::new();
    let mut punctual = bench.noticed(deaths(1));
    assert_eq!(
        first(&mut punctual, deaths(1), NOTICED + HOUR),
        NOTICED + HOUR
    );
    assert!(!clock(&punctual, Duty::FirstReport).is_late(NOTICED + DAY));
    let mut late = bench.noticed(deaths(1));
    first(&mut late, deaths(1), NOTICED + HOUR + 1);
    assert!(late.incident.late && late.is_late(NOTICED));
}

#[test]
fn a_report_that_tells_of_more_has_the_limit_of_more() {
    let mut file = Bench::new().noticed(Casualties::default());
    let due = first(&mut file, deaths(3), NOTICED + 3 * HOUR);
    assert_eq!(
        due,
        NOTICED + HOUR,
        "nobody gains time by telling less at first"
    );
    assert!(file.incident.late);
    assert_eq!(file.incident.level, Level::I);
}

#[test]
fn each_hop_begins_with_the_receipt_below_and_has_two_hours() {
    let mut file = Bench::new().noticed(deaths(1));
    assert_eq!(hops(&file)[0].1, 0, "no hop before the first report");
    let written = NOTICED + 10 * MINUTE;
    first(&mut file, deaths(1), written);
    receive(&mut file, Receiver::District, written + HOUR).unwrap();
    receive(&mut file, Receiver::City, written + 4 * HOUR).unwrap();
    let expected = [
        (Receiver::District, written, written + HOUR, false),
        (Receiver::City, written + HOUR, written + 4 * HOUR, false),
        (Receiver::Government, written + 4 * HOUR, 0, false),
    ];
    assert_eq!(hops(&file), expected);
    let late: Vec<bool> = file
        .clocks()
        .iter()
        .filter(|clock| clock.hop.is_some())
        .map(|clock| clock.is_late(written + 5 * HOUR))
        .collect();
    assert_eq!(late, [false, true, false]);
    assert!(file.incident.late, "and the incident says so");
}

#[test]
fn the_city_hears_over_the_district_only_with_a_reason() {
    let mut file = Bench::new().noticed(deaths(1));
    first(&mut file, deaths(1), NOTICED);
    let before = file.clone();
    let refused = receive(&mut file, Receiver::City, NOTICED + MINUTE);
    assert_eq!(refused, Err(Refusal::OverLevel(Receiver::District)));
    assert_eq!(file, before);
    file.incident.over_level_reason = "洪水围困".to_owned();
    receive(&mut file, Receiver::City, NOTICED + MINUTE).unwrap();
    assert_eq!(
        hops(&file)[..2],
        [
            (Receiver::District, NOTICED, NOTICED + MINUTE, true),
            (Receiver::City, 0, NOTICED + MINUTE, false),
        ]
    );
    receive(&mut file, Receiver::District, NOTICED + HOUR).unwrap();
    assert_eq!(
        hops(&file)[0].2,
        NOTICED + MINUTE,
        "kept, but moves nothing"
    );
}

#[test]
fn who_is_not_in_the_chain_does_not_receive() {
    let mut file = Bench::new().noticed(Casualties::default());
    first(&mut file, Casualties::default(), NOTICED);
    for (receiver, why) in [
        (Receiver::School, Refusal::Receiver(Receiver::School)),
        (
            Receiver::Government,
            Refusal::Receiver(Receiver::Government),
        ),
        (Receiver::Guardians, Refusal::Receiver(Receiver::Guardians)),
    ] {
        assert_eq!(receive(&mut file, receiver, NOTICED), Err(why));
    }
    let told = file.tell(
        (Receiver::District, Medium::Phone),
        "",
        by("staff", NOTICED),
    );
    assert_eq!(told, Err(Refusal::Receiver(Receiver::District)));
    receive(&mut file, Receiver::District, NOTICED).unwrap();
    let steps = file.steps.clone();
    receive(&mut file, Receiver::District, NOTICED + HOUR).unwrap();
    assert_eq!(file.steps, steps, "a receipt is given once");
}

#[test]
fn a_telephone_receipt_may_come_first_and_ends_no_hop() {
    let mut file = Bench::new().noticed(deaths(1));
    let written = receive(&mut file, Receiver::District, NOTICED);
    assert_eq!(written, Err(Refusal::State(State::Detected)));
    let call = by("officer", NOTICED + 20 * MINUTE);
    file.receive(Receiver::District, Medium::Phone, call)
        .unwrap();
    assert_eq!(clock(&file, Duty::Phone).done, NOTICED + 20 * MINUTE);
    first(&mut file, deaths(1), NOTICED + 30 * MINUTE);
    assert_eq!(hops(&file)[0].2, 0);
}

#[test]
fn follow_ups_are_owed_daily_until_it_is_under_control() {
    let bench = Bench::new();
    let mut file = bench.noticed(deaths(1));
    first(&mut file, deaths(1), NOTICED);
    for receiver in [Receiver::District, Receiver::City, Receiver::Government] {
        receive(&mut file, receiver, NOTICED).unwrap();
    }
    assert_eq!(clock(&file, Duty::FollowUp).due, NOTICED + DAY);
    file.confirm(None, None, bench.judge(), by("officer", NOTICED))
        .unwrap();
    file.respond(by("staff", NOTICED)).unwrap();
    let report = |file: &mut File, time| {
        let report = file.report(Verb::FollowUp, deaths(1), bench.judge(), by("staff", time));
        report.unwrap().0
    };
    assert_eq!(report(&mut file, NOTICED + DAY), NOTICED + DAY);
    assert!(!file.is_late(NOTICED + DAY));
    assert_eq!(file.incident.follow_due, NOTICED + 2 * DAY);
    report(&mut file, NOTICED + 2 * DAY + 1);
    assert!(file.incident.late);
    file.control(by("staff", NOTICED + 2 * DAY + 2)).unwrap();
    assert_eq!(file.incident.follow_due, 0);
}

#[test]
fn a_graver_level_brings_the_government_and_its_clock_begins_then() {
    let bench = Bench::new();
    let mut file = bench.noticed(Casualties::default());
    first(&mut file, Casualties::default(), NOTICED);
    receive(&mut file, Receiver::District, NOTICED).unwrap();
    receive(&mut file, Receiver::City, NOTICED).unwrap();
    assert_eq!(hops(&file).len(), 2);
    let officer = |time| by("officer", time);
    file.confirm(None, None, bench.judge(), officer(NOTICED))
        .unwrap();
    file.relevel(Level::II, bench.judge(), officer(NOTICED + 5 * HOUR))
        .unwrap();
    assert_eq!(
        hops(&file)[2],
        (Receiver::Government, NOTICED + 5 * HOUR, 0, false)
    );
    let call = officer(NOTICED + 5 * HOUR + 10 * MINUTE);
    file.receive(Receiver::District, Medium::Phone, call)
        .unwrap();
    assert!(!file.is_late(NOTICED + 7 * HOUR));
    assert!(file.is_late(NOTICED + 7 * HOUR + 1));
    file.relevel(Level::IV, bench.judge(), officer(NOTICED + 8 * HOUR))
        .unwrap();
    assert_eq!(hops(&file).len(), 3, "what was owed stays owed");
    assert_eq!(file.incident.follow_due, 0);
}

#[test]
fn a_level_that_rises_later_is_told_by_telephone_within_its_own_limit() {
    let bench = Bench::new();
    let mut file = bench.noticed(Casualties::default());
    let call = |file: &mut File, time| {
        let receipt = file.receive(Receiver::District, Medium::Phone, by("officer", time));
        receipt.unwrap().is_some()
    };
    assert!(call(&mut file, NOTICED));
    first(&mut file, Casualties::default(), NOTICED);
    receive(&mut file, Receiver::District, NOTICED).unwrap();
    receive(&mut file, Receiver::City, NOTICED).unwrap();
    let officer = |time| by("officer", time);
    file.confirm(None, None, bench.judge(), officer(NOTICED))
        .unwrap();
    let risen = NOTICED + 5 * HOUR;
    file.relevel(Level::I, bench.judge(), officer(risen))
        .unwrap();
    let raised = clock(&file, Duty::RaisedPhone);
    assert_eq!((raised.start, raised.due), (risen, risen + 30 * MINUTE));
    assert_eq!(
        raised.done, 0,
        "the call of the milder level does not count"
    );
    assert!(file.is_late(risen + 30 * MINUTE + 1));
    assert!(
        call(&mut file, risen + 20 * MINUTE),
        "it is a call of its own"
    );
    assert!(!call(&mut file, risen + 25 * MINUTE), "and is noted once");
    assert_eq!(clock(&file, Duty::RaisedPhone).done, risen + 20 * MINUTE);
    // A milder level begins no clock.
    file.relevel(Level::IV, bench.judge(), officer(risen + HOUR))
        .unwrap();
    assert_eq!(clock(&file, Duty::RaisedPhone).start, risen);
}

#[test]
fn receipts_are_given_for_each_report() {
    let bench = Bench::new();
    let mut file = bench.noticed(Casualties::default());
    first(&mut file, Casualties::default(), NOTICED);
    receive(&mut file, Receiver::District, NOTICED).unwrap();
    file.incident.state = State::Responding;
    file.report(
        Verb::FollowUp,
        Casualties::default(),
        bench.judge(),
        by("staff", NOTICED),
    )
    .unwrap();
    receive(&mut file, Receiver::District, NOTICED + HOUR).unwrap();
    receive(&mut file, Receiver::District, NOTICED + 2 * HOUR).unwrap();
    let occasions: Vec<i32> = file.steps.iter().map(|step| step.occasion).collect();
    assert_eq!(occasions, [1, 2]);
    assert_eq!(
        hops(&file)[0].2,
        NOTICED,
        "the hop ended with the first one"
    );
    // The follow-up goes up the chain by itself, in its own time.
    let clocks = file.clocks();
    let second = clocks.iter().filter(|clock| clock.report == 2);
    let times: Vec<_> = second
        .map(|clock| (clock.start, clock.due, clock.done))
        .collect();
    let city = (NOTICED + HOUR, NOTICED + 3 * HOUR, 0);
    let district = (NOTICED, NOTICED + 2 * HOUR, NOTICED + HOUR);
    assert_eq!(times, [district, city]);
}

#[test]
fn the_final_report_is_owed_once_the_danger_is_over() {
    let bench = Bench::new();
    let mut file = bench.noticed(Casualties::default());
    first(&mut file, Casualties::default(), NOTICED);
    receive(&mut file, Receiver::District, NOTICED).unwrap();
    receive(&mut file, Receiver::City, NOTICED).unwrap();
    file.incident.state = State::FollowUp;
    file.control(by("staff", NOTICED + HOUR)).unwrap();
    let due = NOTICED + HOUR + 7 * DAY;
    assert_eq!(clock(&file, Duty::FinalReport).due, due);
    assert_eq!(file.next_due(), due);
    assert!(!file.is_late(due));
    assert!(file.is_late(due + 1));
    let written = file.report(
        Verb::FinalReport,
        Casualties::default(),
        bench.judge(),
        by("staff", due + 1),
    );
    assert_eq!(written.unwrap().0, due);
    assert!(file.incident.late, "and stays late");
    // What is left is its way to the next level.
    assert_eq!(file.next_due(), due + 1 + 2 * HOUR);
}

#[test]
fn the_police_have_a_clock_of_their_own_in_the_confidential_lane() {
    let bench = Bench::new();
    let mut file = bench.noticed(Casualties::default());
    first(&mut file, Casualties::default(), NOTICED);
    let lane = Some(Confidential::SexualAssault);
    let officer = by("officer", NOTICED + HOUR);
    file.confirm(None, lane, bench.judge(), officer).unwrap();
    assert_eq!(clock(&file, Duty::Police).due, NOTICED + 3 * HOUR);
    let police = (Receiver::Police, Medium::Phone);
    file.tell(police, "", by("head", NOTICED + 2 * HOUR))
        .unwrap();
    assert_eq!(clock(&file, Duty::Police).done, NOTICED + 2 * HOUR);
}

#[test]
fn chains_begin_where_the_incident_is() {
    use Receiver as R;
    use organization::Level as At;
    let levels = |at, depth, grave| Chain::of(at, depth).levels(grave);
    assert_eq!(
        levels(At::School, 2, true),
        [R::School, R::District, R::City, R::Government]
    );
    assert_eq!(levels(At::School, 1, false), [R::School, R::City]);
    assert_eq!(levels(At::District, 1, false), [R::District, R::City]);
    assert_eq!(levels(At::City, 0, true), [R::City, R::Government]);
}

#[test]
fn each_clock_has_a_name_of_its_own() {
    let clock = |duty, hop| Clock {
        duty,
        hop,
        report: 1,
        start: 0,
        due: 1,
        done: 0,
        over_level: false,
    };
    let ids: Vec<String> = [
        clock(Duty::Phone, None),
        clock(Duty::FirstReport, None),
        clock(Duty::Hop, Some((Receiver::School, Receiver::District))),
        clock(Duty::Hop, Some((Receiver::District, Receiver::City))),
        clock(Duty::FollowUp, None),
        clock(Duty::Police, None),
        clock(Duty::FinalReport, None),
        clock(Duty::RaisedPhone, None),
    ]
    .iter()
    .map(Clock::id)
    .collect();
    let third = Clock {
        report: 3,
        ..clock(Duty::Hop, Some((Receiver::District, Receiver::City)))
    };
    assert_eq!(third.id(), "hop-district-city-3");
    let expected = [
        "phone",
        "first-report",
        "hop-school-district",
        "hop-district-city",
        "follow-up",
        "police",
        "final-report",
        "raised-phone",
    ];
    assert_eq!(ids, expected);
}
