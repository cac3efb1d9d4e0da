//! Whatever happens in whatever order: the laws of telling and escalating alerts, on both databases.

use crate::town;
use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use kit::clock::{Clock, ManualClock};
use kit::db::Database;
use notification::Migrator;
use notification::domain::alert::{Alert, Refused, State, Step, Verb};
use notification::domain::change::Event;
use notification::domain::fact::{Kind, Severity};
use notification::domain::rulebook::shipped;
use notification::domain::silence::Silence;
use notification::store::Store;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proto::sampling as spb;
use proto::sampling::sampling_event::State as Fact;
use uuid::Uuid;

use crate::town::examples::{absence, case, cluster};
use crate::town::{
    BUREAU_PATH, OTHER_PATH, SCHOOL_PATH, SISTER_PATH, duties, morning, placed, roster, sampling,
    staff,
};

kit::store_suite!(Migrator; the_laws_hold_in_any_order);

const SCHOOLS: [&str; 3] = [SCHOOL_PATH, SISTER_PATH, OTHER_PATH];
const PLACES: [&str; 5] = ["fz", BUREAU_PATH, SCHOOL_PATH, SISTER_PATH, OTHER_PATH];
const KINDS: [Kind; 5] = [
    Kind::HoldPlaced,
    Kind::ClusterFound,
    Kind::ReportOverdue,
    Kind::FollowUpOverdue,
    Kind::InterviewDue,
];

/// Something that happens.
#[derive(Clone, Debug)]
enum Act {
    /// A fact of a kind at a school is told: ordinary, grave, or over.
    Tell(usize, usize, Tale),
    /// Somebody does something with one of the alerts.
    Do(usize, usize),
    /// Some kinds are silenced at a place for some minutes.
    Silence(usize, u8, i64),
    /// One of the silences is ended.
    End(usize),
    /// Time passes, and the clock looks.
    Wait(i64),
    /// Somebody takes what is to be told.
    Take,
}

#[derive(Clone, Copy, Debug)]
enum Tale {
    Ordinary,
    Grave,
    Over,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let tale = prop_oneof![Just(Tale::Ordinary), Just(Tale::Grave), Just(Tale::Over)];
    let act = prop_oneof![
        4 => (0..3_usize, 0..5_usize, tale).prop_map(|(school, kind, tale)| Act::Tell(school, kind, tale)),
        2 => (any::<usize>(), 0..3_usize).prop_map(|(alert, verb)| Act::Do(alert, verb)),
        1 => (0..5_usize, any::<u8>(), 1..180_i64)
            .prop_map(|(place, kinds, minutes)| Act::Silence(place, kinds, minutes)),
        1 => any::<usize>().prop_map(Act::End),
        3 => (1..120_i64).prop_map(Act::Wait),
        1 => Just(Act::Take),
    ];
    prop::collection::vec(act, 10..50)
}

struct World {
    db: Database,
    store: Store,
    clock: ManualClock,
    versions: i64,
    silences: Vec<Silence>,
    /// How many were told of each alert, as its history says.
    told: BTreeMap<Uuid, usize>,
    /// The messages that were taken.
    messages: Vec<(Uuid, usize)>,
}

impl World {
    async fn act(&mut self, act: &Act) {
        match act {
            Act::Tell(school, kind, tale) => self.tell(SCHOOLS[*school], KINDS[*kind], *tale).await,
            Act::Do(alert, verb) => self.apply(*alert, Verb::ALL[*verb]).await,
            Act::Silence(place, kinds, minutes) => {
                let bits = KINDS.iter().enumerate();
                let kinds = bits.filter(|(place, _)| kinds & (1 << place) != 0);
                let org_path = PLACES[*place].to_owned();
                self.silences.push(Silence {
                    organization: org_path.rsplit('/').next().unwrap_or_default().to_owned(),
                    id: Uuid::new_v4(),
                    org_path,
                    kinds: kinds.map(|(_, kind)| *kind).collect(),
                    reason: "设备检修".to_owned(),
                    author: "officer-1".to_owned(),
                    created: self.clock.now(),
                    expires: self.clock.now() + Duration::minutes(*minutes),
                    ended: None,
                });
                self.save(self.silences.len() - 1).await;
            }
            Act::End(silence) if !self.silences.is_empty() => {
                let place = silence % self.silences.len();
                let now = self.clock.now();
                self.silences[place] = self.silences[place].clone().end("officer-2", now);
                self.save(place).await;
                self.look().await;
            }
            Act::End(_) => {}
            Act::Wait(minutes) => {
                self.clock.advance(Duration::minutes(*minutes));
                self.look().await;
            }
            Act::Take => self.take().await,
        }
    }

    async fn tell(&mut self, school: &str, kind: Kind, tale: Tale) {
        self.versions += 1;
        let id = school.rsplit('/').next().unwrap_or_default();
        let due = Some(kit::field::to_timestamp(self.clock.now()));
        let stands = !matches!(tale, Tale::Over);
        let grave = matches!(tale, Tale::Grave);
        let organization = format!("organizations/{id}");
        let class_group = format!("{organization}/classGroups/p2019-01");
        let mut case = spb::Case {
            organization: organization.clone(),
            urgent: grave,
            late: stands,
            ..case()
        };
        let (entity, state) = match kind {
            Kind::ClusterFound => {
                let limit = self.clock.now() + Duration::minutes(if grave { 60 } else { 60 * 24 });
                let cluster = spb::Cluster {
                    stands,
                    organization,
                    fire_time: due,
                    report_due_time: Some(kit::field::to_timestamp(limit)),
                    ..cluster()
                };
                ("clusters/C", Fact::Cluster(cluster))
            }
            Kind::ReportOverdue => {
                for hop in &mut case.hops {
                    hop.late = stands && hop.receive_time.is_none();
                    hop.due_time = due;
                }
                case.follow_up_due_time = None;
                ("cases/R", Fact::Case(case))
            }
            Kind::FollowUpOverdue => {
                case.hops.clear();
                case.follow_up_due_time = due.filter(|_| stands);
                ("cases/F", Fact::Case(case))
            }
            Kind::InterviewDue => {
                let absence = spb::Absence {
                    interview_due: stands,
                    class_group,
                    ..absence()
                };
                ("absences/A", Fact::Absence(absence))
            }
            _ => {
                let mut hold = placed(school, id, 1).state.expect("a hold");
                if let Fact::Hold(hold) = &mut hold {
                    hold.start_time = due;
                }
                ("holds/H", hold)
            }
        };
        let hold_over = kind == Kind::HoldPlaced && !stands;
        let event = spb::SamplingEvent {
            entity: format!("{entity}{id}"),
            version: self.versions,
            org_path: school.to_owned(),
            removed: hold_over,
            state: Some(state).filter(|_| !hold_over),
        };
        sampling(&self.db, &self.clock, &[event], 1).await;
    }

    /// Does something with one of the alerts; what is illegal is refused and changes nothing.
    async fn apply(&self, alert: usize, verb: Verb) {
        let alerts = self.alerts().await;
        if alerts.is_empty() {
            return;
        }
        let before = alerts[alert % alerts.len()].clone();
        let tx = self.db.begin().await.expect("a transaction");
        Store::lock_alerts(&tx).await.expect("locked");
        let step = Step {
            subject: "doctor-1".to_owned(),
            time: self.clock.now(),
            comment: "已处理".to_owned(),
        };
        let legal = match (verb, before.state) {
            (Verb::Acknowledge, State::Open) | (Verb::Take, State::Acknowledged) => true,
            (Verb::Resolve, State::Taken) => !before.stands,
            _ => false,
        };
        match before.clone().apply(verb, step) {
            Ok(change) => {
                assert!(legal, "{verb:?} from {:?}", before.state);
                let now = self.clock.now();
                Store::write_alerts(&tx, change.into(), now)
                    .await
                    .expect("written");
            }
            Err(Refused::State(state)) => assert!(!legal && state == before.state),
            Err(Refused::FactStands(_)) => assert!(!legal && before.stands),
        }
        tx.commit().await.expect("committed");
    }

    async fn save(&self, place: usize) {
        let tx = self.db.begin().await.expect("a transaction");
        let silence = self.silences[place].clone();
        Store::save_silence(&tx, silence).await.expect("saved");
        tx.commit().await.expect("committed");
    }

    /// What two replicas do at the same moment.
    async fn look(&self) {
        let now = self.clock.now();
        let other = Store::new(self.db.clone());
        let look = async |store: &Store| {
            store.escalate_alerts(now).await.expect("escalated");
            store.settle_silences(now).await.expect("settled");
        };
        tokio::join!(look(&self.store), look(&other));
    }

    async fn take(&mut self) {
        let tx = self.db.begin().await.expect("a transaction");
        let taken = Store::take_told(&tx, self.clock.now(), 100).await;
        tx.commit().await.expect("committed");
        let taken = taken.expect("taken").into_iter();
        self.messages
            .extend(taken.map(|told| (told.id, told.count)));
    }

    async fn alerts(&self) -> Vec<Alert> {
        let alerts = self.store.alerts("", (None, None), None, 1000).await;
        alerts.expect("read")
    }

    /// Whether something keeps an alert from being told at this moment.
    fn is_kept(&self, alert: &Alert, alerts: &[Alert]) -> bool {
        let inhibited = alerts.iter().any(|other| {
            other.state != State::Resolved
                && other.organization == alert.organization
                && shipped(alert.kind).rule.inhibited_by.contains(&other.kind)
        });
        let now = self.clock.now();
        let silenced = self
            .silences
            .iter()
            .any(|silence| silence.covers(alert, now));
        alert.severity < Severity::Critical && (inhibited || silenced)
    }

    async fn check(&mut self, act: &Act) {
        let alerts = self.alerts().await;
        for alert in &alerts {
            let entries = self.store.alert_entries(alert.id, 0, 1000).await;
            let entries = entries.expect("read");
            assert_eq!(
                entries.len(),
                usize::try_from(alert.entries).expect("a count")
            );
            // At most once at each level, and once more when it becomes graver.
            let mut at_level = 0;
            let mut told = 0;
            for (_, entry) in &entries {
                match entry.event {
                    Event::Escalated | Event::Corrected => at_level = 0,
                    Event::Told => {
                        at_level += 1;
                        told += 1;
                    }
                    _ => {}
                }
                assert!(at_level <= 1, "{act:?}: told twice: {entries:?}");
            }
            let before = self.told.insert(alert.id, told).unwrap_or_default();
            let kept = self.is_kept(alert, &alerts);
            assert!(
                told == before || !kept,
                "{act:?}: told while kept: {alert:?}"
            );
            // What nobody was told of and nobody has seen is kept by what its alert says.
            if alert.is_untold() {
                assert!(kept, "{act:?}: nobody was told: {alert:?}");
                assert_ne!(alert.inhibited_by.clone() + &alert.silenced_by, "");
            }
        }
    }
}

async fn the_laws_hold_in_any_order(db: Database) {
    roster(&db, &town::town(), 1).await;
    let chain = [
        duties(BUREAU_PATH, 1, &staff(20)),
        duties("fz", 1, &staff(30)),
    ];
    roster(&db, &chain, 1).await;
    let mut world = World {
        store: Store::new(db.clone()),
        clock: ManualClock::at(morning()),
        db,
        versions: 0,
        silences: Vec::new(),
        told: BTreeMap::new(),
        messages: Vec::new(),
    };
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let sequences = acts();
    for _ in 0..16 {
        let acts = sequences.new_tree(&mut runner).expect("a case").current();
        for act in &acts {
            world.act(act).await;
            world.check(act).await;
        }
    }
    // Whatever is critical and stays open reaches the city, and what was told was told once.
    for _ in 0..6 {
        let act = Act::Wait(24 * 60);
        world.act(&act).await;
        world.check(&act).await;
    }
    let mut known = usize::MAX;
    while world.messages.len() != known {
        known = world.messages.len();
        world.take().await;
    }
    let alerts = world.alerts().await;
    let critical = alerts.iter().filter(|a| a.severity == Severity::Critical);
    for alert in critical.filter(|alert| alert.state == State::Open) {
        assert_eq!((alert.level, alert.told_level, alert.seat()), (2, 2, "fz"));
    }
    let ids: BTreeSet<Uuid> = world.messages.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids.len(), world.messages.len());
    let taken: usize = world.messages.iter().map(|(_, count)| count).sum();
    assert_eq!(taken, world.told.values().sum::<usize>());
    assert!(taken > 50, "{taken} is too few to prove anything");
}
