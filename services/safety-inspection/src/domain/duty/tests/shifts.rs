use super::*;

/// Rule 5.31, written down a second time: step, from, to.
const TABLE: &str = "
    CHECK_IN SCHEDULED ON_DUTY
    ARRIVE SCHEDULED SCHEDULED
    ARRIVE ON_DUTY ON_DUTY
    ARRIVE ALERT ALERT
    WRITE_HANDOVER ON_DUTY ON_DUTY
    TAKE_OVER ON_DUTY HANDED_OVER
    RAISE_ALERT SCHEDULED ALERT
    REPLACE ALERT REPLACED
    SWAP SCHEDULED SCHEDULED
    PATROL ON_DUTY ON_DUTY
    SPOT_CHECK SCHEDULED SCHEDULED
    SPOT_CHECK ON_DUTY ON_DUTY
    SPOT_CHECK ALERT ALERT
";

fn shift(state: ShiftState) -> Shift {
    let planned = planned(0, 24, crew("a", &["b", "c"]));
    let shift = Shift::scheduled(planned, "roster", TimeDelta::minutes(15));
    let handover = Handover {
        note: note(),
        written: start(),
        successor: String::new(),
        taken: None,
    };
    Shift {
        state,
        handover: Some(handover),
        ..shift
    }
}

fn note() -> Note {
    Note {
        summary: "无异常".to_owned(),
        open_items: vec!["东门灯不亮".to_owned()],
    }
}

/// Does a step with arguments that fit, so that only the state can refuse.
fn go(shift: Shift, step: ShiftStep) -> Result<ShiftState, Refused> {
    let (now, late) = (start(), start() + TimeDelta::minutes(16));
    let next = Shift::scheduled(planned(24, 48, crew("d", &[])), "roster", TimeDelta::zero());
    let after = match step {
        ShiftStep::CheckIn => shift.arrive("a", now)?.0,
        ShiftStep::Arrive => shift.arrive("b", now)?.0,
        ShiftStep::WriteHandover => shift.write_handover("a", note(), now)?.0,
        ShiftStep::TakeOver => shift.take_over("d", Some(&next), next.span.start)?.0,
        ShiftStep::RaiseAlert => shift.raise_alert(late)?.0,
        ShiftStep::Replace => {
            let people = ("x".to_owned(), vec!["y".to_owned(), "z".to_owned()]);
            shift.replace(people, &demands(), ("old", "new"), late)?.0
        }
        ShiftStep::Swap => shift.swap("b", "x", now - TimeDelta::days(1))?.0,
        ShiftStep::Patrol => {
            shift.patrol("b")?;
            shift
        }
        ShiftStep::SpotCheck => shift.spot_check(now)?.0,
    };
    Ok(after.state)
}

#[test]
fn every_step_from_every_state_is_in_the_rules_or_refused() {
    let allowed: Vec<&str> = TABLE.trim().lines().map(str::trim).collect();
    let mut moves = 0;
    for state in ShiftState::ALL {
        for step in ShiftStep::ALL {
            let start = format!("{} {} ", step.as_str(), state.as_str());
            let rule = allowed.iter().find_map(|line| line.strip_prefix(&*start));
            match go(shift(*state), *step) {
                Ok(after) => {
                    assert_eq!(Some(after.as_str()), rule, "{start}");
                    moves += 1;
                }
                Err(refused) => {
                    assert_eq!(refused, Refused::State(state.as_str()), "{start}");
                    assert_eq!(rule, None, "{start}");
                }
            }
        }
    }
    assert_eq!(moves, allowed.len());
}

#[test]
fn a_leader_comes_in_time_or_it_is_an_alert() {
    let minute = |minute| start() + TimeDelta::minutes(minute);
    let to_come = || shift(ShiftState::Scheduled);
    for (at, good) in [(-61, false), (-60, true), (15, true), (16, false)] {
        assert_eq!(to_come().arrive("a", minute(at)).is_ok(), good, "{at}");
    }
    assert_eq!(to_come().arrive("stranger", start()), Err(Refused::Person));
    assert!(to_come().raise_alert(minute(15)).is_err());
    assert!(to_come().raise_alert(minute(16)).is_ok());
    // The guard of the leader and the others come when they come.
    let (there, _) = to_come().arrive("guard of a", minute(100)).unwrap();
    assert_eq!(
        (there.state, there.arrivals.len()),
        (ShiftState::Scheduled, 1)
    );
    let (there, _) = there.arrive("guard of a", minute(101)).unwrap();
    assert_eq!(there.arrivals.len(), 1);
}

#[test]
fn a_shift_is_handed_over_in_writing_to_the_next_leader() {
    let next = Shift::scheduled(planned(24, 48, crew("d", &[])), "roster", TimeDelta::zero());
    let hour = |hour| start() + TimeDelta::hours(hour);
    let on_duty = || shift(ShiftState::OnDuty);
    let silent = Shift {
        handover: None,
        ..on_duty()
    };
    let unwritten = silent.clone().take_over("d", Some(&next), hour(24));
    assert_eq!(unwritten.unwrap_err(), Refused::Handover);
    assert_eq!(
        on_duty().take_over("d", None, hour(24)).unwrap_err(),
        Refused::Handover
    );
    assert_eq!(
        on_duty().take_over("b", Some(&next), hour(24)).unwrap_err(),
        Refused::Person
    );
    assert_eq!(
        on_duty().take_over("d", Some(&next), hour(22)).unwrap_err(),
        Refused::Time(span(23, 48))
    );
    let other = silent.clone().write_handover("b", note(), hour(23));
    assert_eq!(other.unwrap_err(), Refused::Person);
    let (written, _) = silent.write_handover("a", note(), hour(23)).unwrap();
    assert!(written.handover_overdue(hour(24)) && !written.handover_overdue(hour(23)));
    let (over, moved) = written.take_over("d", Some(&next), hour(23)).unwrap();
    assert_eq!((over.answers(), moved.to), ("d", "HANDED_OVER"));
    assert!(!over.handover_overdue(hour(30)));
    assert_eq!(over.state.standing(), Some(Standing::OnDuty));
}

#[test]
fn others_are_sent_until_the_end_of_the_shift() {
    let late = start() + TimeDelta::minutes(20);
    let people = |staff: &[&str]| {
        let staff = staff.iter().map(|one| (*one).to_owned()).collect();
        ("x".to_owned(), staff)
    };
    let alert = || shift(ShiftState::Alert);
    let few = alert().replace(people(&["y"]), &demands(), ("old", "new"), late);
    assert!(matches!(few, Err(Refused::TooFew { count: 1, .. })));
    let over = alert().replace(
        people(&["y", "z"]),
        &demands(),
        ("old", "new"),
        span(0, 24).end,
    );
    assert_eq!(over.unwrap_err(), Refused::Time(span(0, 24)));
    let (old, new, _) = alert()
        .replace(people(&["y", "z"]), &demands(), ("old", "new"), late)
        .unwrap();
    assert_eq!(
        (old.state, &*old.replaced_by),
        (ShiftState::Replaced, "new")
    );
    assert_eq!((new.state, &*new.replaces), (ShiftState::OnDuty, "old"));
    assert_eq!((new.span.start, new.span.end), (late, old.span.end));
    assert!(new.crew.has("guard of a") && !new.crew.has("a"));
    assert_eq!(new.crew.phone, old.crew.phone, "the same telephone answers");
}

fn swap() -> Swap {
    Swap {
        state: SwapState::Requested,
        shift: "shift".to_owned(),
        staff_member: "b".to_owned(),
        substitute: "x".to_owned(),
        reason: "就医".to_owned(),
        asker: "officer".to_owned(),
    }
}

#[test]
fn a_swap_is_asked_a_day_ahead_and_decided_by_somebody_else() {
    let ahead = start() - TimeDelta::hours(24);
    let to_come = shift(ShiftState::Scheduled);
    assert!(swap().request(&to_come, ahead).is_ok());
    let late = swap().request(&to_come, ahead + TimeDelta::seconds(1));
    assert_eq!(late.unwrap_err(), Refused::SwapTooLate(ahead));
    let begun = swap().request(&shift(ShiftState::OnDuty), ahead);
    assert_eq!(begun.unwrap_err(), Refused::State("ON_DUTY"));
    let wrong = |staff_member: &str, substitute: &str| {
        let swap = Swap {
            staff_member: staff_member.to_owned(),
            substitute: substitute.to_owned(),
            ..swap()
        };
        swap.request(&to_come, ahead).unwrap_err()
    };
    assert_eq!(wrong("stranger", "x"), Refused::Person);
    assert_eq!(wrong("b", "c"), Refused::Person);
    for concerned in ["officer", "b", "x"] {
        let decided = swap().decide(concerned, SwapStep::Approve);
        assert_eq!(decided.unwrap_err(), Refused::Person);
    }
    for step in SwapStep::ALL {
        let (decided, _) = swap().decide("head", *step).unwrap();
        for again in SwapStep::ALL {
            let told = decided.clone().decide("head", *again).unwrap_err();
            assert_eq!(told, Refused::State(decided.state.as_str()));
        }
    }
    let (swapped, _) = to_come.swap("b", "x", ahead).unwrap();
    assert!(swapped.crew.has("x") && !swapped.crew.has("b"));
}
