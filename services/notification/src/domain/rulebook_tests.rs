use super::super::fact::Word;
use super::*;

#[test]
fn the_shipped_rules_can_be_used() {
    assert_eq!(check(), Ok(()));
    for kind in Kind::ALL {
        assert_eq!(shipped(*kind).rule.kind, *kind);
    }
}

#[test]
fn every_sentence_is_filled_with_what_there_is() {
    for kind in Kind::ALL {
        let Shipped { sentence, left, .. } = shipped(*kind);
        for sentence in [Some(sentence), left.as_ref()].into_iter().flatten() {
            for word in Word::ALL {
                let figures = Figures {
                    people: 3,
                    amount: 4,
                    total: 5,
                    word,
                };
                let (zh, en) = sentence.tell(&figures);
                assert!(
                    !zh.contains('{') && !en.contains('{'),
                    "{kind:?}: {zh} {en}"
                );
            }
        }
    }
}

#[test]
fn rules_that_cannot_be_used_are_refused() {
    let changed = |from: &str, to: &str| {
        assert!(SHIPPED.contains(from), "{from}");
        read(&SHIPPED.replacen(from, to, 1))
    };
    let kind = Kind::InterviewDue;
    for (from, to, expected) in [
        (
            "kind = \"interview-due\"",
            "kind = \"interview\"",
            Unreadable::UnknownKind("interview".to_owned()),
        ),
        (
            "kind = \"interview-due\"",
            "kind = \"hold-placed\"",
            Unreadable::Twice(Kind::HoldPlaced),
        ),
        (
            "severity = \"notice\", policy_span = \"routine\"",
            "severity = \"notice\"",
            Unreadable::Span(kind),
        ),
        (
            "group_wait = \"30m\"",
            "group_wait = \"90m\"",
            Unreadable::Fault(
                kind,
                "group_wait".to_owned(),
                "must be between 0 and 1 hour",
            ),
        ),
        (
            "group_wait = \"30m\"",
            "inhibited_by = [\"interview-due\"]",
            Unreadable::Fault(
                kind,
                "inhibited_by".to_owned(),
                "must name each kind once, and not the kind itself",
            ),
        ),
    ] {
        assert_eq!(changed(from, to), Err(expected), "{to}");
    }
    let unknown = changed("group_wait = \"30m\"", "wait = \"30m\"");
    assert!(matches!(unknown, Err(Unreadable::Form(_))), "{unknown:?}");
    let last = SHIPPED.rfind("[[rule]]").unwrap();
    let missing = read(&SHIPPED[..last]);
    assert_eq!(missing, Err(Unreadable::Missing(Kind::GateConflict)));
    let circle = changed(
        "kind = \"report-overdue\"",
        "kind = \"report-overdue\"\ninhibited_by = [\"follow-up-overdue\"]",
    );
    assert_eq!(circle, Err(Unreadable::Circle(Kind::ReportOverdue)));
}

#[test]
fn the_highest_version_is_in_force_and_older_ones_are_kept() {
    let kind = Kind::InterviewDue;
    let change = |version| Rule {
        version,
        ..shipped(kind).rule.clone()
    };
    let mut book = Rulebook::default();
    assert_eq!(book.in_force(kind), &shipped(kind).rule);
    book.add(change(2));
    book.add(change(1));
    assert_eq!(book.in_force(kind).version, 2);
    assert_eq!(book.version(kind, 1).version, 1);
    assert_eq!(book.version(kind, 0), &shipped(kind).rule);
    assert!(book.knows(kind, 0) && book.knows(kind, 1) && !book.knows(kind, 3));
}

#[test]
fn kinds_do_not_inhibit_each_other_in_a_circle() {
    let by = |kind: Kind, inhibitor| Rule {
        inhibited_by: vec![inhibitor],
        version: 1,
        ..shipped(kind).rule.clone()
    };
    let mut book = Rulebook::default();
    assert!(!book.closes_circle(&by(Kind::InterviewDue, Kind::FollowUpOverdue)));
    book.add(by(Kind::InterviewDue, Kind::FollowUpOverdue));
    assert!(book.closes_circle(&by(Kind::ReportOverdue, Kind::InterviewDue)));
    assert!(!book.closes_circle(&by(Kind::HoldPlaced, Kind::InterviewDue)));
}
