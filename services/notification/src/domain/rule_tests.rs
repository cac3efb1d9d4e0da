use super::super::rulebook::shipped;
use super::*;

fn cluster() -> Rule {
    shipped(Kind::ClusterFound).rule.clone()
}

fn fields(rule: &Rule) -> Vec<String> {
    let faults = rule.faults(&[Policy::default()]);
    faults.into_iter().map(|fault| fault.field).collect()
}

#[test]
fn a_rule_within_all_bounds_has_no_fault() {
    let widest = Rule {
        group_wait: Duration::hours(1),
        inhibited_by: vec![Kind::HoldPlaced, Kind::ReportOverdue],
        ordinary: Reaction {
            within: Within::Span(Duration::days(7)),
            escalate_after: vec![Duration::days(7); 5],
            ..cluster().ordinary
        },
        ..cluster()
    };
    assert_eq!(fields(&widest), Vec::<String>::new());
}

#[test]
fn each_bound_is_named_when_it_is_crossed() {
    let ordinary = |change: fn(&mut Reaction)| {
        let mut rule = cluster();
        rule.grave = None;
        change(&mut rule.ordinary);
        rule
    };
    let rule = |change: fn(&mut Rule)| {
        let mut rule = cluster();
        change(&mut rule);
        rule
    };
    for (rule, field) in [
        (rule(|rule| rule.duty = "COOKING".to_owned()), "duty"),
        (
            rule(|rule| rule.group_wait = Duration::seconds(3601)),
            "group_wait",
        ),
        (
            rule(|rule| rule.group_wait = Duration::seconds(-1)),
            "group_wait",
        ),
        (
            rule(|rule| rule.inhibited_by = vec![rule.kind]),
            "inhibited_by",
        ),
        (
            rule(|rule| rule.inhibited_by = vec![Kind::HoldPlaced; 2]),
            "inhibited_by",
        ),
        (
            ordinary(|reaction| reaction.within = Within::Span(Duration::seconds(59))),
            "ordinary.within",
        ),
        (
            ordinary(|reaction| reaction.escalate_after = vec![Duration::hours(1); 6]),
            "ordinary.escalate_after",
        ),
        (
            ordinary(|reaction| reaction.escalate_after = vec![Duration::days(8)]),
            "ordinary.escalate_after",
        ),
        (
            ordinary(|reaction| {
                reaction.severity = Severity::Critical;
                reaction.escalate_after.clear();
            }),
            "ordinary.escalate_after",
        ),
    ] {
        assert_eq!(fields(&rule), [field], "{rule:?}");
    }
}

#[test]
fn the_graver_sort_is_never_weaker_or_later() {
    let grave = |change: fn(&mut Reaction)| {
        let mut rule = cluster();
        change(rule.grave.as_mut().unwrap());
        rule
    };
    let weaker = grave(|grave| grave.severity = Severity::Notice);
    assert_eq!(fields(&weaker), ["grave.severity"]);
    let later = grave(|grave| grave.within = Within::As(Urgency::Routine));
    assert_eq!(fields(&later), ["grave.within"]);
    let slower =
        grave(|grave| grave.escalate_after = vec![Duration::minutes(30), Duration::days(1)]);
    assert_eq!(fields(&slower), ["grave.escalate_after"]);
    // What is in order under one policy is not under another.
    let mut strict = Policy::default();
    strict.acknowledge.urgent = Duration::minutes(20);
    let faults = cluster().faults(&[Policy::default(), strict]);
    assert_eq!(faults.len(), 1, "{faults:?}");
}

#[test]
fn the_last_span_counts_for_all_further_steps() {
    let reaction = Reaction {
        escalate_after: vec![Duration::hours(1), Duration::hours(2)],
        ..cluster().ordinary
    };
    let hours = |level| reaction.stay(level).map(|span| span.num_hours());
    assert_eq!([1, 2, 3].map(hours), [Some(1), Some(2), Some(2)]);
    assert_eq!(hours(0), None);
    let staying = Reaction {
        escalate_after: Vec::new(),
        ..reaction
    };
    assert_eq!(staying.stay(1), None);
}
