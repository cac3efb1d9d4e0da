use super::super::fact::{Entity, Fact};
use super::super::policy::Policy;
use super::super::rulebook::shipped;
use super::*;

const SCHOOL: &str = "fz/350102/2135010001";

fn now() -> DateTime<Utc> {
    "2022-04-06T02:00:00Z".parse().unwrap()
}

fn owner() -> String {
    Party::Staff(Uuid::from_u128(1)).name()
}

fn raised(kind: Kind, rule: &Rule) -> Change {
    let entity = Entity {
        name: "cases/1".to_owned(),
        organization: "2135010001".to_owned(),
        org_path: SCHOOL.to_owned(),
    };
    let fact = Fact::new(kind, entity, now());
    Alert::raise(fact, None, rule, owner(), &Policy::default(), now())
}

/// An ordinary alert of a kind that others speak for.
fn follow_up() -> (Change, &'static Rule) {
    let rule = &shipped(Kind::FollowUpOverdue).rule;
    (raised(Kind::FollowUpOverdue, rule), rule)
}

fn report_overdue(organization: &str) -> Scene {
    let standing = Standing {
        name: format!("organizations/{organization}/alerts/1"),
        organization: organization.to_owned(),
        kind: Kind::ReportOverdue,
    };
    Scene {
        standing: vec![standing],
        silences: Vec::new(),
    }
}

fn silence(org_path: &str) -> Silence {
    Silence {
        organization: "fz".to_owned(),
        id: Uuid::from_u128(5),
        org_path: org_path.to_owned(),
        kinds: vec![Kind::FollowUpOverdue],
        reason: "演练".to_owned(),
        author: "officer-1".to_owned(),
        created: now(),
        expires: now() + Duration::hours(1),
        ended: None,
    }
}

fn silenced(org_path: &str) -> Scene {
    Scene {
        standing: Vec::new(),
        silences: vec![silence(org_path)],
    }
}

fn events(change: &Change) -> Vec<Event> {
    change.entries.iter().map(|entry| entry.event).collect()
}

#[test]
fn an_alert_is_told_to_its_owner_once_at_each_level() {
    let (change, rule) = follow_up();
    let (change, telling) = change.tell(rule, &Scene::default(), now());
    let telling = telling.unwrap();
    assert_eq!(events(&change), [Event::Raised, Event::Told]);
    assert_eq!((telling.party.name(), telling.wait), (owner(), None));
    assert_eq!(telling.basis, change.alert.name());
    let (change, again) = change.tell(rule, &Scene::default(), now());
    assert_eq!((again, change.entries.len()), (None, 2));
    let graver = Alert {
        grave: true,
        told_level: -1,
        entries: 2,
        ..change.alert.clone()
    };
    let (_, anew) = Change::from(graver).tell(rule, &Scene::default(), now());
    assert_ne!(anew.unwrap().id, telling.id);
    let higher = Alert {
        level: 1,
        owner: String::new(),
        ..change.alert
    };
    let (_, telling_above) = Change::from(higher).tell(rule, &Scene::default(), now());
    let telling_above = telling_above.unwrap();
    assert_ne!(telling_above.id, telling.id);
    // Nobody answers there: the organisation is told.
    assert_eq!(telling_above.party.name(), "organizations/350102");
}

#[test]
fn nobody_is_told_of_what_somebody_has_seen() {
    let (change, rule) = follow_up();
    for state in [State::Acknowledged, State::Taken, State::Resolved] {
        let seen = Alert {
            state,
            ..change.alert.clone()
        };
        let (_, telling) = Change::from(seen).tell(rule, &Scene::default(), now());
        assert_eq!(telling, None, "{state:?}");
    }
}

#[test]
fn an_alert_for_which_another_one_speaks_is_told_when_that_one_ends() {
    let (change, rule) = follow_up();
    let (change, telling) = change.tell(rule, &report_overdue("2135010001"), now());
    assert_eq!(telling, None);
    assert_eq!(events(&change), [Event::Raised, Event::Withheld]);
    let speaks = "organizations/2135010001/alerts/1";
    assert_eq!(
        (&*change.alert.inhibited_by, &*change.entries[1].comment),
        (speaks, speaks)
    );
    // Looking again says nothing new.
    let (change, telling) = change.tell(rule, &report_overdue("2135010001"), now());
    assert_eq!((telling, change.entries.len()), (None, 2));
    // It waits where it is meanwhile, and then has the time that it had.
    let late = now() + Duration::days(1);
    assert_eq!(change.alert.next, None);
    assert!(!change.alert.is_overdue(late));
    let freed = Change::from(change.alert.freed());
    let (freed, telling) = freed.tell(rule, &Scene::default(), late);
    assert!(telling.is_some());
    let span = freed.alert.due - freed.alert.raised;
    assert_eq!(freed.alert.next, Some(late + span));
    assert_eq!(freed.alert.inhibited_by, "");
    // One at another school does not speak for it.
    let (change, rule) = follow_up();
    let (_, telling) = change.tell(rule, &report_overdue("2135010002"), now());
    assert!(telling.is_some());
}

#[test]
fn a_new_owner_is_told_and_while_a_silence_lasts_after_it() {
    let other = || Party::Staff(Uuid::from_u128(2)).name();
    let (change, rule) = follow_up();
    let (change, telling) = change.tell(rule, &Scene::default(), now());
    let handed = change.alert.hand_over(other(), now()).unwrap();
    let (told, anew) = handed.clone().tell(rule, &Scene::default(), now());
    let anew = anew.unwrap();
    assert_ne!(anew.id, telling.unwrap().id);
    assert_eq!((anew.party.name(), told.alert.told_level), (other(), 0));
    assert_eq!(told.alert.next, handed.alert.next, "its clock goes on");
    let (kept, nobody) = handed.tell(rule, &silenced(SCHOOL), now());
    assert_eq!((nobody, kept.alert.next), (None, None));
    let freed = Change::from(kept.alert.freed());
    let (freed, telling) = freed.tell(rule, &Scene::default(), now());
    assert_eq!(telling.unwrap().party.name(), other());
    assert!(freed.alert.next.is_some());
}

#[test]
fn a_silence_covers_its_kinds_its_place_and_its_time() {
    let told = |scene: &Scene, now| {
        let (change, rule) = follow_up();
        change.tell(rule, scene, now).1.is_some()
    };
    assert!(!told(&silenced("fz/350102"), now()));
    assert!(!told(&silenced(SCHOOL), now()));
    assert!(told(&silenced("fz/350103"), now()));
    assert!(told(&silenced("fz"), now() + Duration::hours(1)));
    let ended = silence("fz").end("officer-2", now() + Duration::minutes(5));
    assert_eq!(ended.until(), now() + Duration::minutes(5));
    let scene = Scene {
        standing: Vec::new(),
        silences: vec![ended.clone()],
    };
    assert!(told(&scene, now() + Duration::minutes(5)));
    // What is over stays as it is.
    let again = ended.clone().end("officer-3", now() + Duration::minutes(6));
    assert_eq!(again, ended);
    let other = Scene {
        standing: Vec::new(),
        silences: vec![Silence {
            kinds: vec![Kind::HoldPlaced],
            ..silence("fz")
        }],
    };
    assert!(told(&other, now()));
}

#[test]
fn a_critical_alert_is_told_at_once_whatever_keeps_others() {
    let mut scene = report_overdue("2135010001");
    scene.silences = vec![silence("fz")];
    let (change, rule) = follow_up();
    let rule = Rule {
        group_wait: Duration::hours(1),
        ..rule.clone()
    };
    let critical = Change::from(Alert {
        severity: Severity::Critical,
        ..change.alert
    });
    let (_, telling) = critical.tell(&rule, &scene, now());
    assert_eq!(telling.unwrap().wait, None);
}

#[test]
fn tellings_for_one_owner_are_told_together() {
    let rule = &shipped(Kind::InterviewDue).rule;
    let told = || raised(Kind::InterviewDue, rule).tell(rule, &Scene::default(), now());
    let (first, second) = (told().1.unwrap(), told().1.unwrap());
    assert_eq!(first.wait, Some(Duration::minutes(30)));
    assert_eq!(first.group(), second.group());
    let title = first.title.clone();
    let alone = Told::together(vec![first.clone()]).unwrap();
    assert_eq!((alone.count, &alone.title), (1, &title));
    let graver = Telling {
        severity: Severity::Warning,
        ..second
    };
    let together = Told::together(vec![first, graver]).unwrap();
    assert_eq!((together.count, together.bases.len()), (2, 2));
    assert_eq!(together.severity, Severity::Warning);
    assert_eq!(together.title, format!("{title}（另有同类预警 1 条）"));
    assert_eq!(Told::together(Vec::new()), None);
}

/// The school, or the bureau above it.
fn inbox(alert: &Alert, hearer: Hearer) -> Vec<Party> {
    let id = match hearer {
        Hearer::Above => "350102",
        _ => &alert.organization,
    };
    vec![Party::Organization(id.to_owned())]
}

/// Rule 3.3: the head and the bureau hear of whom a recheck kept out, each once, beside the owner.
#[test]
fn whoever_hears_besides_the_owner_hears_once_and_stays() {
    let kind = Kind::GateRecheckFailed;
    let rule = &shipped(kind).rule;
    let (change, telling) = raised(kind, rule).tell(rule, &Scene::default(), now());
    let telling = telling.unwrap();
    let besides = telling.besides(&change.alert, rule, inbox);
    let parties: Vec<String> = besides.iter().map(|one| one.party.name()).collect();
    assert_eq!(
        parties,
        ["organizations/2135010001", "organizations/350102"]
    );
    assert!(
        besides
            .iter()
            .all(|one| one.besides && one.wait == telling.wait)
    );
    let mut ids: Vec<Uuid> = besides.iter().map(|one| one.id).collect();
    assert_eq!(
        telling.besides(&change.alert, rule, inbox),
        besides,
        "the same each time"
    );
    ids.push(telling.id);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let groups: Vec<String> = besides.iter().map(Telling::group).collect();
    assert!(
        groups.iter().all(|group| group.starts_with(BESIDES)),
        "{groups:?}"
    );
    // Who is told as the owner is not told besides, and nobody is when it goes further up.
    let nobody = Alert {
        owner: String::new(),
        ..change.alert.clone()
    };
    let to_school = Telling::of(&nobody, rule);
    assert_eq!(to_school.besides(&nobody, rule, inbox).len(), 1);
    let higher = Alert {
        level: 1,
        ..change.alert
    };
    assert!(
        Telling::of(&higher, rule)
            .besides(&higher, rule, inbox)
            .is_empty()
    );
    let other = &shipped(Kind::HoldPlaced).rule;
    let (change, telling) = raised(Kind::HoldPlaced, other).tell(other, &Scene::default(), now());
    assert!(
        telling
            .unwrap()
            .besides(&change.alert, other, inbox)
            .is_empty()
    );
}
