//! Alerts without a service around them: facts, clock and queue.

use chrono::{DateTime, Duration, Utc};
use kit::clock::{Clock, ManualClock};
use kit::db::Database;
use notification::domain::alert::Alert;
use notification::domain::fact::Kind;
use notification::domain::silence::Silence;
use notification::domain::telling::Told;
use notification::store::Store;
use proto::sampling as spb;
use proto::sampling::sampling_event::State as Fact;
use uuid::Uuid;

use super::examples::{absence, case};
use super::{BUREAU_PATH, SCHOOL_PATH, duties, morning, roster, sampling, staff};

/// A world without a service: its clock, and the register of the town.
pub(crate) struct Desk {
    pub(crate) db: Database,
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
}

impl Desk {
    pub(crate) async fn new(db: Database) -> Self {
        roster(&db, &super::town(), 1).await;
        let chain = [
            duties(BUREAU_PATH, 1, &staff(20)),
            duties("fz", 1, &staff(30)),
        ];
        roster(&db, &chain, 1).await;
        Self {
            store: Store::new(db.clone()),
            clock: ManualClock::at(morning()),
            db,
        }
    }

    pub(crate) async fn hear(&self, event: spb::SamplingEvent) {
        sampling(&self.db, &self.clock, &[event], 1).await;
    }

    /// What is taken from the queue at this moment.
    pub(crate) async fn taken(&self) -> Vec<Told> {
        let tx = self.db.begin().await.expect("a transaction");
        let taken = Store::take_told(&tx, self.clock.now(), 1000).await;
        tx.commit().await.expect("committed");
        taken.expect("taken")
    }

    pub(crate) async fn alert(&self, basis: &str) -> Alert {
        let alerts = self.store.alerts("", (None, None), None, 1000).await;
        let mut alerts = alerts.expect("read").into_iter();
        alerts.find(|alert| alert.basis == basis).expect("an alert")
    }

    pub(crate) async fn tick(&self) {
        let now = self.clock.now();
        self.store.escalate_alerts(now).await.expect("escalated");
        self.store.settle_silences(now).await.expect("settled");
    }

    pub(crate) async fn silence(
        &self,
        org_path: &str,
        kinds: &[Kind],
        until: DateTime<Utc>,
    ) -> Silence {
        let silence = Silence {
            organization: org_path.rsplit('/').next().unwrap_or_default().to_owned(),
            id: Uuid::new_v4(),
            org_path: org_path.to_owned(),
            kinds: kinds.to_vec(),
            reason: "设备检修".to_owned(),
            author: "officer-1".to_owned(),
            created: self.clock.now(),
            expires: until,
            ended: None,
        };
        self.save(silence.clone()).await;
        silence
    }

    pub(crate) async fn save(&self, silence: Silence) {
        let tx = self.db.begin().await.expect("a transaction");
        Store::save_silence(&tx, silence).await.expect("saved");
        tx.commit().await.expect("committed");
    }
}

pub(crate) fn parties(told: &[Told]) -> Vec<String> {
    told.iter().map(|told| told.party.name()).collect()
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

/// An absence that asks for an interview, or not any more.
pub(crate) fn interview(number: i64, version: i64, due: bool) -> spb::SamplingEvent {
    let absence = spb::Absence {
        interview_due: due,
        ..absence()
    };
    let entity = format!("absences/A{number}");
    event(SCHOOL_PATH, &entity, version, Fact::Absence(absence))
}

/// An ordinary case whose report, or whose follow-up, is overdue, or neither.
pub(crate) fn overdue(
    entity: &str,
    version: i64,
    report: bool,
    follow_up: bool,
) -> spb::SamplingEvent {
    let mut case = spb::Case {
        urgent: false,
        late: true,
        ..case()
    };
    for hop in &mut case.hops {
        hop.late = report && hop.receive_time.is_none();
    }
    if follow_up {
        case.follow_up_due_time = Some(kit::field::to_timestamp(morning()));
    }
    event(SCHOOL_PATH, entity, version, Fact::Case(case))
}

pub(crate) fn cluster(version: i64, count: i32, grave: bool) -> spb::SamplingEvent {
    let soon = morning() + Duration::minutes(if grave { 60 } else { 60 * 24 });
    let cluster = spb::Cluster {
        person_count: count,
        report_due_time: Some(kit::field::to_timestamp(soon)),
        ..super::examples::cluster()
    };
    event(SCHOOL_PATH, "clusters/C1", version, Fact::Cluster(cluster))
}
