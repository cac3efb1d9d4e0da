//! Who may do what to a job, and in which order.

use proptest::prelude::*;

use super::*;
use crate::domain::emergency::{Emergency, End};

fn at(actor: &str, step: Step) -> Event {
    Event {
        actor: actor.to_owned(),
        time: 7,
        step,
    }
}

fn assessed(keeps: Vec<Keep>) -> Step {
    Step::Assessed {
        keeps,
        statement: "合法、必要、安全".to_owned(),
    }
}

fn approved(capacity: Capacity) -> Step {
    Step::Approved { capacity }
}

fn report(service: &str, exposed: i64) -> Report {
    let (_, categories) = SERVICES
        .iter()
        .find(|(known, _)| *known == service)
        .unwrap();
    let told = categories.iter().map(|category| CategoryReport {
        category: (*category).to_owned(),
        destroyed: 20,
        exposed,
        ..CategoryReport::default()
    });
    Report {
        service: service.to_owned(),
        categories: told.collect(),
        ..Report::default()
    }
}

fn reported(report: Report) -> Step {
    Step::Reported { report }
}

fn confirmed(finding: Finding) -> Step {
    Step::Confirmed {
        checks: vec![BackupCheck {
            backup: "nightly".to_owned(),
            finding,
        }],
        statement: "逐项核对".to_owned(),
    }
}

fn proposed() -> Job {
    Job::propose("ann", 1, "疫情结束".to_owned())
}

fn take(job: Job, steps: impl IntoIterator<Item = Event>) -> Result<Job, Refused> {
    steps.into_iter().try_fold(job, Job::step)
}

fn running() -> Job {
    let steps = [
        at("ann", assessed(Vec::new())),
        at("bob", approved(Capacity::Bureau)),
        at("eve", approved(Capacity::Security)),
        at("ops", Step::Started),
    ];
    take(proposed(), steps).unwrap()
}

fn all_reported(exposed: i64) -> Job {
    let steps = SERVICES
        .iter()
        .map(|(service, _)| at(service, reported(report(service, exposed))));
    take(running(), steps).unwrap()
}

#[test]
fn a_job_is_certified_by_the_hands_of_five() {
    let steps = [
        at("aud", confirmed(Finding::KeyAbsent)),
        at("aud", Step::Certified),
    ];
    let job = take(all_reported(0), steps).unwrap();
    assert_eq!(job.state(), State::Certified);
    assert_eq!(Job::replay(job.events().to_vec()), Some(job));
}

#[test]
fn one_person_is_not_two() {
    let assessed = take(proposed(), [at("amy", assessed(Vec::new()))]).unwrap();
    for preparer in ["ann", "amy"] {
        let refused = assessed
            .clone()
            .step(at(preparer, approved(Capacity::Bureau)));
        assert_eq!(refused, Err(Refused::SamePerson), "{preparer}");
        let reason = "不同意".to_owned();
        let refused = assessed
            .clone()
            .step(at(preparer, Step::Rejected { reason }));
        assert_eq!(refused, Err(Refused::SamePerson), "{preparer}");
    }
    let once = assessed
        .step(at("bob", approved(Capacity::Bureau)))
        .unwrap();
    assert_eq!(once.state(), State::Assessed, "one approval is not enough");
    for (who, capacity) in [("bob", Capacity::Security), ("eve", Capacity::Bureau)] {
        let refused = once.clone().step(at(who, approved(capacity)));
        assert_eq!(refused, Err(Refused::SamePerson), "{who}");
    }
    let twice = once.step(at("eve", approved(Capacity::Security))).unwrap();
    assert_eq!(twice.state(), State::Approved);
    for approver in ["bob", "eve"] {
        let refused = twice.clone().step(at(approver, Step::Started));
        assert_eq!(refused, Err(Refused::SamePerson), "{approver}");
    }
}

#[test]
fn whoever_approved_or_ran_it_does_not_confirm_it() {
    for who in ["bob", "eve", "ops"] {
        let refused = all_reported(0).step(at(who, confirmed(Finding::KeyAbsent)));
        assert_eq!(refused, Err(Refused::SamePerson), "{who}");
    }
}

#[test]
fn only_the_proposer_takes_it_back() {
    let reason = || "口径有误".to_owned();
    let withdrawn = |who| proposed().step(at(who, Step::Withdrawn { reason: reason() }));
    assert_eq!(withdrawn("bob"), Err(Refused::SamePerson));
    assert_eq!(
        withdrawn("ann").map(|job| job.state()),
        Ok(State::Withdrawn)
    );
}

#[test]
fn what_is_kept_must_be_known() {
    let keep = |category: &str| Keep {
        service: "sampling".to_owned(),
        category: category.to_owned(),
        legal_reason: "诉讼证据".to_owned(),
    };
    let kept = proposed()
        .step(at("ann", assessed(vec![keep("holds")])))
        .unwrap();
    assert_eq!(kept.keeps(), [keep("holds")]);
    let refused = proposed().step(at("ann", assessed(vec![keep("grades")])));
    assert!(matches!(refused, Err(Refused::Category { .. })));
}

#[test]
fn nothing_is_confirmed_while_something_may_be_left() {
    let first = SERVICES[0].0;
    let confirm = |job: Job| {
        job.step(at("aud", confirmed(Finding::KeyAbsent)))
            .unwrap_err()
    };
    assert_eq!(confirm(running()), Refused::Incomplete(first.to_owned()));
    let faults: [fn(&mut Report); 3] = [
        |report| report.categories[0].remaining = 1,
        |report| report.opened = 1,
        |report| drop(report.categories.pop()),
    ];
    for fault in faults {
        let mut left = report(first, 0);
        fault(&mut left);
        let job = all_reported(0).step(at(first, reported(left))).unwrap();
        assert_eq!(confirm(job), Refused::Incomplete(first.to_owned()));
    }
    let mut kept = report(first, 0);
    kept.categories[0].kept = true;
    kept.categories[0].remaining = 9;
    assert!(kept.complete(), "what is kept remains");
}

#[test]
fn backups_that_show_records_are_deleted_first() {
    let job = all_reported(3);
    let shown: i64 = job.reports().iter().map(Report::exposed).sum();
    assert!(shown > 0);
    let refused = job.clone().step(at("aud", confirmed(Finding::KeyAbsent)));
    assert_eq!(refused, Err(Refused::Backups(shown)));
    let confirmed = job.step(at("aud", confirmed(Finding::Deleted))).unwrap();
    assert_eq!(confirmed.state(), State::Confirmed);
    let nothing_looked_at = Step::Confirmed {
        checks: Vec::new(),
        statement: String::new(),
    };
    let refused = all_reported(0).step(at("aud", nothing_looked_at));
    assert_eq!(refused, Err(Refused::Backups(0)));
}

#[test]
fn a_certificate_is_worth_what_was_signed() {
    let emergency = Emergency {
        id: "e".to_owned(),
        display_name: "疫情防控".to_owned(),
        legal_basis: "市政府令".to_owned(),
        start: 1,
        declared_by: "ann".to_owned(),
        end: Some(End {
            time: 2,
            ended_by: "ann".to_owned(),
            reason: "疫情结束".to_owned(),
        }),
    };
    let confirmed = all_reported(0)
        .step(at("aud", confirmed(Finding::KeyAbsent)))
        .unwrap();
    let job = confirmed.clone().step(at("aud", Step::Certified)).unwrap();
    let seed = [3; 32];
    let sign = |job: &Job| Certificate::sign(manifest("destructionJobs/j", &emergency, job), &seed);
    let certificate = sign(&job);
    let key = certificate.public_key;
    assert_eq!(certificate.verify(&key), Ok(job));
    let stranger = Certificate::sign(Vec::new(), &[4; 32]).public_key;
    assert_eq!(certificate.verify(&stranger), Err(Invalid::Signature));
    for at in 0..certificate.manifest.len() {
        let mut changed = certificate.clone();
        changed.manifest[at] ^= 1;
        assert_eq!(changed.verify(&key), Err(Invalid::Signature), "byte {at}");
    }
    assert_eq!(sign(&confirmed).verify(&key), Err(Invalid::History));
}

fn any_step() -> impl Strategy<Value = Step> {
    let reason = String::new;
    prop_oneof![
        Just(assessed(Vec::new())),
        Just(approved(Capacity::Bureau)),
        Just(approved(Capacity::Security)),
        Just(Step::Rejected { reason: reason() }),
        Just(Step::Withdrawn { reason: reason() }),
        Just(Step::Started),
        (0..SERVICES.len()).prop_map(|index| reported(report(SERVICES[index].0, 0))),
        Just(confirmed(Finding::KeyAbsent)),
        Just(Step::Certified),
        Just(Step::Proposed { reason: reason() }),
    ]
}

fn any_event() -> impl Strategy<Value = Event> {
    let actors = prop::sample::select(vec!["ann", "bob", "eve", "ops", "aud"]);
    (actors, any_step()).prop_map(|(actor, step)| at(actor, step))
}

/// The steps that may be taken from each state.
fn starts_from(state: State, verb: &str) -> bool {
    match state {
        State::Proposed => ["ASSESSED", "REJECTED", "WITHDRAWN"].contains(&verb),
        State::Assessed => ["APPROVED", "REJECTED", "WITHDRAWN"].contains(&verb),
        State::Approved => ["STARTED", "REJECTED", "WITHDRAWN"].contains(&verb),
        State::Running => ["REPORTED", "CONFIRMED"].contains(&verb),
        State::Confirmed => verb == "CERTIFIED",
        State::Certified | State::Rejected | State::Withdrawn => false,
    }
}

proptest! {
    /// Whatever is tried in whatever order: what runs was approved by two persons in two capacities,
    /// neither of whom prepared it; a refused step changes nothing; and history says it all.
    #[test]
    fn no_order_of_steps_gets_around_the_rules(events in prop::collection::vec(any_event(), 0..60)) {
        let mut job = proposed();
        for event in events {
            let (before, verb) = (job.clone(), event.step.verb());
            match job.clone().step(event) {
                Ok(after) => {
                    prop_assert!(starts_from(before.state(), verb));
                    prop_assert_eq!(&after.events()[..before.events().len()], before.events());
                    job = after;
                }
                Err(Refused::State(state)) => {
                    prop_assert_eq!(state, before.state());
                    prop_assert!(!starts_from(state, verb));
                }
                Err(_) => prop_assert!(starts_from(before.state(), verb)),
            }
        }
        let actors = |verb: &str| -> Vec<&str> {
            let events = job.events().iter().filter(|event| event.step.verb() == verb);
            events.map(|event| event.actor.as_str()).collect()
        };
        if !actors("STARTED").is_empty() {
            let approvers = actors("APPROVED");
            prop_assert_eq!(approvers.len(), 2);
            prop_assert_ne!(approvers[0], approvers[1]);
            for preparer in actors("PROPOSED").into_iter().chain(actors("ASSESSED")) {
                prop_assert!(!approvers.contains(&preparer));
            }
            for starter in actors("STARTED") {
                prop_assert!(!approvers.contains(&starter));
            }
        }
        prop_assert_eq!(Job::replay(job.events().to_vec()), Some(job));
    }
}
