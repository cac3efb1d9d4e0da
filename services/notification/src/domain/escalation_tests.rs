use chrono::Duration;
use proptest::prelude::*;

use super::super::fact::{Entity, Fact, Kind};
use super::super::policy::Policy;
use super::super::rulebook::shipped;
use super::*;

fn morning() -> DateTime<Utc> {
    "2022-04-06T02:00:00Z".parse().unwrap()
}

/// A hold at a place of some depth; due ten minutes after it was placed.
fn alert(org_path: &str) -> Alert {
    let entity = Entity {
        name: "holds/1".to_owned(),
        organization: super::super::place::leaf(org_path).to_owned(),
        org_path: org_path.to_owned(),
    };
    let fact = Fact::new(Kind::HoldPlaced, entity, morning());
    let policy = Policy::default();
    Alert::raise(fact, None, rule(), "staff/1".to_owned(), &policy, morning()).alert
}

fn rule() -> &'static Rule {
    &shipped(Kind::HoldPlaced).rule
}

fn everybody(organization: &str) -> Option<String> {
    Some(format!("staff/{organization}"))
}

const SCHOOL: &str = "fz/350102/2135010001";

#[test]
fn an_alert_is_overdue_after_its_deadline_unless_somebody_has_seen_it() {
    let due = morning() + Duration::minutes(10);
    let late = due + Duration::milliseconds(1);
    assert!(!alert(SCHOOL).is_overdue(due));
    assert!(alert(SCHOOL).is_overdue(late));
    for state in [State::Acknowledged, State::Taken, State::Resolved] {
        let seen = Alert {
            state,
            ..alert(SCHOOL)
        };
        assert!(!seen.is_overdue(late));
        assert_eq!(seen.escalate(rule(), everybody, late), None);
    }
}

#[test]
fn it_goes_up_step_by_step_and_stops_at_the_city() {
    let late = morning() + Duration::minutes(11);
    let first = alert(SCHOOL).escalate(rule(), everybody, late).unwrap();
    let entry = &first.entries[0];
    assert_eq!(
        (entry.event, &*entry.subject, &*entry.owner),
        (Event::Escalated, "clock", "staff/350102")
    );
    let first = first.alert;
    assert_eq!((first.level, &*first.owner), (1, "staff/350102"));
    assert_eq!((first.seat(), first.due), ("350102", alert(SCHOOL).due));
    assert_eq!(first.next, Some(late + Duration::minutes(30)));
    let later = late + Duration::minutes(31);
    let second = first.escalate(rule(), everybody, later).unwrap().alert;
    assert_eq!((second.level, &*second.owner), (2, "staff/fz"));
    assert_eq!(second.next, None);
    assert_eq!(
        second.escalate(rule(), everybody, later + Duration::days(1)),
        None
    );
}

#[test]
fn it_goes_past_organisations_where_nobody_answers() {
    let late = morning() + Duration::minutes(11);
    let city = |organization: &str| (organization == "fz").then(|| "staff/9".to_owned());
    let escalated = alert(SCHOOL).escalate(rule(), city, late).unwrap().alert;
    assert_eq!((escalated.level, &*escalated.owner), (2, "staff/9"));
    assert_eq!(escalated.next, None);
    let nobody = alert(SCHOOL)
        .escalate(rule(), |_| None, late)
        .unwrap()
        .alert;
    assert_eq!((nobody.level, &*nobody.owner), (1, ""));
    assert!(nobody.next.is_some());
}

#[test]
fn what_kept_it_from_being_told_is_looked_at_anew() {
    let late = morning() + Duration::minutes(11);
    let silenced = Alert {
        silenced_by: "organizations/fz/silences/1".to_owned(),
        ..alert(SCHOOL)
    };
    let escalated = silenced.escalate(rule(), everybody, late).unwrap().alert;
    assert_eq!(escalated.silenced_by, "");
    assert!(escalated.is_untold());
}

#[test]
fn there_is_nothing_above_the_city() {
    let city = alert("fz");
    assert_eq!(city.next, None);
    // A school that stands at the top since it was escalated.
    let moved = Alert {
        org_path: "2135010001".to_owned(),
        ..alert(SCHOOL)
    };
    let late = morning() + Duration::minutes(11);
    let stays = moved.escalate(rule(), everybody, late).unwrap();
    assert_eq!((stays.alert.level, stays.alert.next), (0, None));
    assert_eq!(stays.entries, []);
}

proptest! {
    /// Whoever answers and however often the clock looks: it only goes up, and a critical alert that
    /// stays open reaches the city, where it stops.
    #[test]
    fn a_critical_alert_that_stays_open_reaches_the_city(
        depth in 1..5_usize, named in any::<u8>(), looks in prop::collection::vec(31..90_i64, 8..20),
    ) {
        let ids: Vec<String> = (0..depth).map(|place| format!("o{place}")).collect();
        let mut alert = alert(&ids.join("/"));
        let answers = |organization: &str| {
            let place: u32 = organization[1..].parse().ok()?;
            (named & (1 << place) != 0).then(|| format!("staff/{place}"))
        };
        let mut now = morning();
        for minutes in looks {
            now += Duration::minutes(minutes);
            if let Some(change) = alert.escalate(rule(), answers, now) {
                prop_assert!(change.alert.level > alert.level);
                alert = change.alert;
            }
        }
        prop_assert_eq!(alert.level, i32::try_from(depth).unwrap() - 1);
        prop_assert_eq!((alert.seat(), alert.next), ("o0", None));
    }
}
