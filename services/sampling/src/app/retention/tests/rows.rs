//! An app under the shipped policy, and rows of everything that it knows of people, all of one morning.

use std::sync::Arc;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use kit::auth::{AuthConfig, Credentials};
use kit::clock::{Clock, ManualClock};
use kit::db::Database;
use kit::drain::Drain;
use kit::rows::Row;
use kit::teaching::Teaching;
use proto::roster::PolicyProfile;

use crate::app::App;
use crate::app::retention::Retention;
use crate::domain::commitment::Signer;
use crate::domain::day::Day;
use crate::domain::health::absence::AbsenceState;
use crate::domain::health::check::{Content, Finding};
use crate::domain::health::cluster_state::ClusterState;
use crate::domain::health::disease::{Certainty, Severity};
use crate::domain::health::medical::Medical;
use crate::domain::health::symptom::{Symptom, Symptoms};
use crate::domain::hold::HoldState;
use crate::domain::measure::MeasureState;
use crate::domain::roll::PersonId;
use crate::domain::tube::State;
use crate::store::controls::ControlRow;
use crate::store::health::absences::{AbsenceRow, TraceRow};
use crate::store::health::cases::{CaseEventRow, CaseRow, FindingRow};
use crate::store::health::checks::{CheckRow, SubmissionRow};
use crate::store::health::clusters::{ClusterPersonRow, ClusterRow};
use crate::store::health::contacts::ContactRow;
use crate::store::health::illnesses::IllnessRow;
use crate::store::health::medical::{HealthEventRow, MedicalRow};
use crate::store::health::signs::SignRow;
use crate::store::holds::{HoldRow, RecheckRow};
use crate::store::measures::MeasureRow;
use crate::store::policy::{FactsCache, save_policies};
use crate::store::rolls::{self, Organization};
use crate::store::swabs::SwabRow;
use crate::store::tubes::TubeRow;

pub(super) const DISTRICT: &str = "fz/350102";
pub(super) const SCHOOL: &str = "fz/350102/2135010001";
pub(super) const CLASS: &str = "fz/350102/2135010001/p2019-01";

/// Monday, 28 March 2022.
pub(super) fn monday() -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, 3, 28).expect("a day")
}

pub(super) fn morning() -> DateTime<Utc> {
    kit::clock::start_of(monday()) + Duration::hours(8)
}

/// The morning in milliseconds since 1970, and its day.
pub(super) fn then() -> (i64, i32) {
    let day = i32::from(Day::from(monday()).number());
    (morning().timestamp_millis(), day)
}

/// One service with a clock of its own.
pub(super) struct Site {
    pub(super) app: App,
    pub(super) clock: ManualClock,
    retention: Retention,
}

impl Site {
    pub(super) async fn open(db: Database) -> Self {
        let clock = ManualClock::at(morning());
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let credentials = Credentials::new(&AuthConfig::development(), "sampling", shared.clone());
        let channel = kit::channel::connect_lazy("http://127.0.0.1:1").expect("an address");
        let app = App {
            db,
            clock: shared,
            signer: Arc::new(Signer::new(&[7; 32])),
            facts: FactsCache::default(),
            teaching: Teaching::new(channel, credentials),
            entropy: rand::random,
        };
        let retention = Retention::new(app.clone(), Drain::new());
        let site = Self {
            app,
            clock,
            retention,
        };
        site.policy("", |_| {}).await;
        site
    }

    /// The shipped policy for an organisation, the whole city if it is empty, with a change.
    pub(super) async fn policy(&self, organization: &str, change: impl Fn(&mut PolicyProfile)) {
        let shipped = ::roster::shipped_policies(DateTime::UNIX_EPOCH);
        let mut policy = shipped.into_iter().next().expect("Fuzhou ships");
        policy.effective_date = NaiveDate::from_ymd_opt(2022, 1, 1).map(kit::field::to_date);
        organization.clone_into(&mut policy.organization);
        change(&mut policy);
        let name = format!("policyProfiles/fuzhou{}", organization.replace('/', "-"));
        let tx = self.app.db.begin().await.expect("a transaction");
        save_policies(&tx, &[(name, 1, &policy)], 1)
            .await
            .expect("a policy");
        tx.commit().await.expect("committed");
    }

    /// The city tells where an organisation is.
    pub(super) async fn organization(&self, id: &str, path: &str) {
        let organization = Organization {
            id: id.to_owned(),
            path: path.to_owned(),
            version: 1,
            display_name: String::new(),
        };
        let tx = self.app.db.begin().await.expect("a transaction");
        rolls::save_organizations(&tx, vec![organization], 1)
            .await
            .expect("a tree");
        tx.commit().await.expect("committed");
    }

    pub(super) async fn save<R: Row>(&self, rows: &[R]) {
        let tx = self.app.db.begin().await.expect("a transaction");
        R::save(&tx, rows).await.expect("saved");
        tx.commit().await.expect("committed");
    }

    pub(super) async fn rows<R: Row>(&self) -> Vec<R> {
        let rows = R::page(self.app.db.read(), "TRUE", Vec::new(), 1000).await;
        rows.expect("read")
    }

    /// Looks for what is old so many days after the morning.
    pub(super) async fn sweep_after(&self, days: i64) {
        self.clock.set(morning() + Duration::days(days));
        let swept = self.retention.sweep(self.app.clock.now()).await;
        swept.expect("swept");
    }

    /// The tables that have rows of people.
    pub(super) async fn left(&self) -> Vec<&'static str> {
        let mut left = Vec::new();
        macro_rules! look {
            ($($row:ty),+ $(,)?) => {
                $(if !self.rows::<$row>().await.is_empty() {
                    left.push(<$row as Row>::TABLE);
                })+
            };
        }
        look!(
            TubeRow,
            SwabRow,
            HoldRow,
            RecheckRow,
            CheckRow,
            SubmissionRow,
            SignRow,
            IllnessRow,
            ClusterPersonRow,
            AbsenceRow,
            TraceRow,
            HealthEventRow,
            MedicalRow,
            ContactRow,
            MeasureRow,
            CaseRow,
            CaseEventRow,
        );
        left
    }

    /// One row of everything, all of it over.
    pub(super) async fn fill(&self) {
        let (time, _) = then();
        self.save(&[tube("t", CLASS)]).await;
        self.save(&[swab("t", 1)]).await;
        self.save(&[hold("t", time)]).await;
        self.save(&[RecheckRow {
            hold: "t".to_owned(),
            person: who(1),
            ..RecheckRow::default()
        }])
        .await;
        self.save(&[check(&content())]).await;
        self.save(&[check(&content()).superseded()]).await;
        self.save(&[sign(1)]).await;
        self.save(&[illness(1)]).await;
        self.save(&[cluster(ClusterState::Closed)]).await;
        self.save(&[patient(1)]).await;
        self.save(&[absence("a", 1, AbsenceState::Ended)]).await;
        self.save(&[TraceRow {
            absence: "a".to_owned(),
            sequence: 1,
            ..TraceRow::default()
        }])
        .await;
        self.save(&[HealthEventRow {
            person: who(1),
            sequence: 1,
            time,
            ..HealthEventRow::default()
        }])
        .await;
        self.save(&[medical(1, Medical::Normal)]).await;
        self.save(&[contact(1)]).await;
        self.save(&[measure(MeasureState::Ended)]).await;
        self.save(&[case(1, time)]).await;
        self.save(&[CaseEventRow {
            case_id: "c1".to_owned(),
            sequence: 1,
            ..CaseEventRow::default()
        }])
        .await;
    }
}

pub(super) fn who(number: u8) -> Vec<u8> {
    vec![number; 16]
}

pub(super) fn tube(code: &str, place: &str) -> TubeRow {
    TubeRow {
        code: code.to_owned(),
        org_path: place.to_owned(),
        state: State::Negative.code(),
        day: then().1,
        version: 4,
        ..TubeRow::default()
    }
}

fn swab(tube: &str, person: u8) -> SwabRow {
    SwabRow {
        tube: tube.to_owned(),
        person: who(person),
        org_path: CLASS.to_owned(),
        day: then().1,
        counted: true,
        ..SwabRow::default()
    }
}

/// A hold that began in the morning; one in force ends at 0.
pub(super) fn hold(tube: &str, end: i64) -> HoldRow {
    let state = if end == 0 {
        HoldState::Active
    } else {
        HoldState::Released
    };
    HoldRow {
        tube: tube.to_owned(),
        org_path: CLASS.to_owned(),
        state: state.code(),
        start_time: then().0,
        end_time: end,
        ..HoldRow::default()
    }
}

/// Symptoms of one, a temperature of another, and the absence of a third.
pub(super) fn content() -> Content {
    let finding = Finding {
        person: PersonId([1; 16]),
        symptoms: Symptoms::NONE.with(Symptom::Cough),
        other: String::new(),
        temperature: 0,
        onset: Day::NEVER,
        onset_place: 0,
        seen_doctor: false,
        disease: 0,
        severe: 0,
    };
    Content {
        findings: vec![finding],
        readings: vec![(PersonId([1; 16]), 371), (PersonId([2; 16]), 365)],
        absences: vec![(PersonId([3; 16]), 1)],
        ..Content::default()
    }
}

pub(super) fn check(content: &Content) -> CheckRow {
    let (time, day) = then();
    CheckRow {
        day,
        slot: 1,
        place: CLASS.to_owned(),
        content: content.pack(),
        capture_time: time,
        client: vec![1; 16],
        ..CheckRow::default()
    }
}

pub(super) fn sign(person: u8) -> SignRow {
    let (time, day) = then();
    SignRow {
        source: format!("checks/{person}"),
        person: who(person),
        school: SCHOOL.to_owned(),
        group_path: CLASS.to_owned(),
        day,
        time,
        ..SignRow::default()
    }
}

fn illness(person: u8) -> IllnessRow {
    let (_, day) = then();
    IllnessRow {
        school: SCHOOL.to_owned(),
        person: who(person),
        criterion: 1,
        day,
        last: day,
        group_path: CLASS.to_owned(),
        ..IllnessRow::default()
    }
}

pub(super) fn cluster(state: ClusterState) -> ClusterRow {
    let (time, day) = then();
    ClusterRow {
        id: "k".to_owned(),
        school: SCHOOL.to_owned(),
        org_path: CLASS.to_owned(),
        state: state.code(),
        first_day: day,
        last_day: day,
        fire_time: time,
        close_time: time,
        ..ClusterRow::default()
    }
}

pub(super) fn patient(person: u8) -> ClusterPersonRow {
    ClusterPersonRow {
        cluster: "k".to_owned(),
        person: who(person),
        kind: 1,
        day: then().1,
    }
}

pub(super) fn absence(id: &str, person: u8, state: AbsenceState) -> AbsenceRow {
    let (time, day) = then();
    AbsenceRow {
        id: id.to_owned(),
        person: who(person),
        school: SCHOOL.to_owned(),
        org_path: CLASS.to_owned(),
        state: state.code(),
        start_day: day,
        return_time: if state.is_over() { time } else { 0 },
        create_time: time,
        ..AbsenceRow::default()
    }
}

pub(super) fn medical(person: u8, state: Medical) -> MedicalRow {
    MedicalRow {
        person: who(person),
        org_path: CLASS.to_owned(),
        state: state.code(),
        since: then().0,
        ..MedicalRow::default()
    }
}

/// A contact of the case of person 1.
pub(super) fn contact(person: u8) -> ContactRow {
    ContactRow {
        case_id: "c1".to_owned(),
        person: who(person),
        org_path: CLASS.to_owned(),
        add_time: then().0,
        ..ContactRow::default()
    }
}

pub(super) fn measure(state: MeasureState) -> MeasureRow {
    let (time, day) = then();
    MeasureRow {
        id: "m".to_owned(),
        person: who(1),
        org_path: CLASS.to_owned(),
        state: state.code(),
        first_day: day,
        last_day: day,
        place_time: time,
        end_time: time,
        ..MeasureRow::default()
    }
}

/// The case of a person, which began in the morning; an open one closes at 0.
pub(super) fn case(person: u8, close: i64) -> CaseRow {
    CaseRow {
        id: format!("c{person}"),
        subject: 1,
        person: who(person),
        org_path: CLASS.to_owned(),
        school: SCHOOL.to_owned(),
        certainty: Certainty::Confirmed.code(),
        severity: Severity::Mild.code(),
        open_time: then().0,
        close_time: close,
        version: 2,
        ..CaseRow::default()
    }
}

/// What led to the case of a person.
pub(super) fn finding(source: &str, person: u8) -> FindingRow {
    FindingRow {
        source: source.to_owned(),
        person: who(person),
        case_id: format!("c{person}"),
        evidence: 1,
    }
}

pub(super) fn control(basis: &str, person: u8) -> ControlRow {
    ControlRow {
        person: who(person),
        basis: basis.to_owned(),
        control: 2,
        org_path: CLASS.to_owned(),
        ..ControlRow::default()
    }
}
