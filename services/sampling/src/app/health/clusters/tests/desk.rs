//! An app on a database of its own, a town, and a roster that can be down.

use std::sync::Arc;

use chrono::{Duration, NaiveDate};
use futures_util::StreamExt;
use kit::auth::{AuthConfig, Caller, Credentials, Role};
use kit::clock::{Clock, ManualClock};
use kit::db::Database;
use kit::drain::Drain;
use kit::feed::{Feed, spawn_sequencer};
use kit::teaching::{StandIn, Teaching};
use prost::Message;
use proto::sampling::sampling_event::State as Told;
use proto::sampling::{Cluster, SamplingEvent, Suspension, suspension};

use crate::app::App;
use crate::app::health::{Listing, Said, deadlines};
use crate::domain::commitment::Signer;
use crate::domain::day::Day;
use crate::domain::health::disease::Severity;
use crate::domain::health::sign::Sign;
use crate::domain::health::symptom::{Symptom, Symptoms};
use crate::domain::roll::{GroupKind, Member, PersonId, Roll};
use crate::grpc::health::cluster_convert;
use crate::store::policy::{FactsCache, save_policies};
use crate::store::rolls::{self, GroupRow};

pub(super) const DISTRICT: &str = "fz/350102";
pub(super) const SCHOOL: &str = "fz/350102/2135010001";

/// Monday, 28 March 2022.
pub(super) fn monday() -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, 3, 28).expect("a day")
}

/// The student with this number, of a class, ill on the day so many days after Monday.
pub(super) fn ill(number: u32, class: u32, after: i64, symptom: Symptom) -> Sign {
    let day = monday() + chrono::Duration::days(after);
    let noon = kit::clock::start_of(day) + chrono::Duration::hours(12);
    Sign {
        source: format!("checks/{class}-{after}-{number}"),
        person: PersonId(u128::from(number).to_be_bytes()),
        kind: GroupKind::Students,
        group: format!("{SCHOOL}/c{class}"),
        dormitory: String::new(),
        day: day.into(),
        until: Day::NEVER,
        symptoms: Symptoms::NONE.with(symptom),
        temperature: 0,
        diagnosis: None,
        ruled_out: None,
        severity: Severity::Mild,
        onset: Day::NEVER,
        time: noon.timestamp_millis(),
    }
}

/// A sign of somebody who sleeps in a room.
pub(super) fn in_room(room: &str, sign: Sign) -> Sign {
    Sign {
        dormitory: room.to_owned(),
        ..sign
    }
}

/// An app that has heard the town.
pub(super) struct Desk {
    pub(super) app: App,
    pub(super) clock: ManualClock,
    pub(super) roster: StandIn,
    pub(super) policy_version: String,
    school: &'static str,
    feed: Feed,
    drain: Drain,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.drain.signal();
    }
}

impl Desk {
    pub(super) async fn open(db: Database) -> Self {
        Self::open_at(db, SCHOOL).await
    }

    /// A desk of one school of the town, with classes c1 to c20 of 20 students, five classes a grade.
    pub(super) async fn open_at(db: Database, school: &'static str) -> Self {
        let clock = ManualClock::morning_of(monday());
        let shipped = ::roster::shipped_policies(chrono::DateTime::UNIX_EPOCH);
        let mut policy = shipped.into_iter().next().expect("Fuzhou ships");
        policy.effective_date = NaiveDate::from_ymd_opt(2022, 1, 1).map(kit::field::to_date);
        let tx = db.begin().await.expect("a transaction");
        let name = "policyProfiles/fuzhou-2022-04-1".to_owned();
        save_policies(&tx, &[(name, 1, &policy)], 1)
            .await
            .expect("a policy");
        let places = ["fz", DISTRICT, SCHOOL, "fz/350102/2135010002"];
        let organizations = places.map(|path| {
            let id = path.rsplit('/').next().unwrap_or_default();
            rolls::Organization {
                id: id.to_owned(),
                path: path.to_owned(),
                version: 1,
                display_name: String::new(),
            }
        });
        rolls::save_organizations(&tx, organizations.into(), 1)
            .await
            .expect("a tree");
        let groups: Vec<GroupRow> = (1..=20).map(|number| class(school, number)).collect();
        rolls::save_groups(&tx, &groups, 1)
            .await
            .expect("class groups");
        tx.commit().await.expect("committed");

        let roster = StandIn::default();
        let address = roster.serve().await.expect("a port");
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let credentials = Credentials::new(&AuthConfig::development(), "sampling", shared.clone());
        let channel = kit::channel::connect_lazy(&address).expect("an address");
        let app = App {
            db: db.clone(),
            clock: shared,
            signer: Arc::new(Signer::new(&[7; 32])),
            facts: FactsCache::default(),
            teaching: Teaching::new(channel, credentials),
            entropy: rand::random,
        };
        let drain = Drain::new();
        spawn_sequencer(db.clone(), drain.clone());
        tokio::spawn(deadlines::watch(app.clone(), drain.clone()));
        Self {
            app,
            clock,
            roster,
            policy_version: policy.policy_version,
            school,
            feed: Feed::new(db, "sampling", drain.clone()),
            drain,
        }
    }

    pub(super) fn caller(role: Role, scope: &str) -> Caller {
        Caller::new("tester", vec![role], scope.parse().expect("a place"))
    }

    /// Says something, each sign by its own source, in one transaction.
    pub(super) async fn say(&self, signs: &[Sign]) {
        let now = self.app.clock.now();
        let tx = self.app.db.begin().await.expect("a transaction");
        self.app
            .lock_health(&tx, &[self.school])
            .await
            .expect("locked");
        let mut said = Said::default();
        for sign in signs {
            let mut sign = sign.clone();
            sign.group = sign.group.replace(SCHOOL, self.school);
            sign.source = format!(
                "{}@{}",
                sign.source,
                self.school.len() + usize::from(self.school != SCHOOL)
            );
            if self.school != SCHOOL {
                sign.person.0[0] = 1;
            }
            let source = sign.source.clone();
            said.source(&source, false, vec![sign]);
        }
        self.app.note_signs(&tx, said, now).await.expect("noted");
        tx.commit().await.expect("committed");
    }

    /// Says each sign at noon of its day.
    pub(super) async fn say_daily(&self, signs: &[Sign]) {
        let mut signs = signs.to_vec();
        signs.sort_by_key(|sign| sign.day);
        for of_day in signs.chunk_by(|one, other| one.day == other.day) {
            let noon = of_day[0].day.start_millis() + Duration::hours(12).num_milliseconds();
            let noon = chrono::DateTime::from_timestamp_millis(noon);
            self.clock.set(noon.expect("an instant"));
            self.say(of_day).await;
        }
    }

    /// Fevers of students of a class on one day, each submitted by itself.
    pub(super) async fn fevers(
        &self,
        class: u32,
        after: i64,
        numbers: std::ops::RangeInclusive<u32>,
    ) {
        for number in numbers {
            self.say(&[ill(number, class, after, Symptom::Fever)]).await;
        }
    }

    /// The clusters that stand and are neither closed nor merged, the oldest first.
    pub(super) async fn standing(&self) -> Vec<Cluster> {
        let listing = Listing {
            organization: self.school.rsplit('/').next().unwrap_or_default(),
            state: 0,
            standing: true,
        };
        let caller = Self::caller(Role::SchoolDoctor, self.school);
        let mut rows = self
            .app
            .list_clusters(&caller, listing, "", 1000)
            .await
            .expect("clusters");
        rows.retain(|row| row.state < 3);
        rows.sort_by(|one, other| (one.fire_time, &one.id).cmp(&(other.fire_time, &other.id)));
        rows.iter()
            .map(|row| cluster_convert::cluster(row, &[]))
            .collect()
    }

    pub(super) async fn cluster(&self, name: &str) -> Cluster {
        let caller = Self::caller(Role::SchoolDoctor, self.school);
        let id = name.trim_start_matches("clusters/");
        self.app.get_cluster(&caller, id).await.expect("a cluster")
    }

    /// The kinds of the lines of a trail.
    pub(super) async fn trail(&self, name: &str) -> Vec<String> {
        let caller = Self::caller(Role::SchoolDoctor, self.school);
        let id = name.trim_start_matches("clusters/");
        let lines = self
            .app
            .list_cluster_events(&caller, id, 0, 1000)
            .await
            .expect("a trail");
        lines.into_iter().map(|line| line.kind).collect()
    }

    /// Waits until a cluster is as wanted; deadlines are looked for once a second.
    pub(super) async fn until(&self, name: &str, wanted: impl Fn(&Cluster) -> bool) -> Cluster {
        for _ in 0..600 {
            let cluster = self.cluster(name).await;
            if wanted(&cluster) {
                return cluster;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{name} did not become what was waited for");
    }

    /// The suspension of a cluster.
    pub(super) async fn suspension(&self, cluster: &str) -> Suspension {
        let caller = Self::caller(Role::DistrictOfficer, DISTRICT);
        let school = self.school.rsplit('/').next().unwrap_or_default();
        let rows = self
            .app
            .list_suspensions(&caller, school, 0, "", 1000)
            .await
            .expect("some");
        let id = cluster.trim_start_matches("clusters/");
        let row = rows
            .iter()
            .find(|row| row.cluster == id)
            .expect("a suspension");
        self.app
            .get_suspension(&caller, &row.id)
            .await
            .expect("a suspension")
    }

    /// Waits until the suspension of a cluster is in a state, moving the clock on by `step`
    /// between looks.
    pub(super) async fn until_suspension(
        &self,
        cluster: &str,
        state: suspension::State,
        step: chrono::Duration,
    ) -> Suspension {
        for _ in 0..600 {
            let suspension = self.suspension(cluster).await;
            if suspension.state() == state {
                return suspension;
            }
            self.clock.advance(step);
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the suspension did not become {state:?}");
    }

    /// A cluster as the feed's snapshot has it.
    pub(super) async fn announced(&self, name: &str) -> Cluster {
        for _ in 0..600 {
            let mut pages = self
                .feed
                .snapshot("".parse().expect("the root"), String::new());
            while let Some(Ok(page)) = pages.next().await {
                for item in page.items.iter().filter(|item| item.entity == name) {
                    let event = SamplingEvent::decode(item.payload.clone()).expect("an event");
                    if let Some(Told::Cluster(cluster)) = event.state {
                        return cluster;
                    }
                }
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{name} was not announced");
    }
}

fn class(school: &str, number: u32) -> GroupRow {
    let member = |place: u8| Member {
        person: PersonId([place; 16]),
        on_leave: false,
        exempt: false,
        since: Day::NEVER,
        posts: 0,
    };
    let roll = Roll::new((1..=20).map(member).collect());
    GroupRow {
        path: format!("{school}/c{number}"),
        organization: school.rsplit('/').next().unwrap_or_default().to_owned(),
        id: format!("c{number}"),
        kind: GroupKind::Students,
        display_name: "一年（1）班".to_owned(),
        grade: i32::try_from(number.div_ceil(5)).unwrap_or_default(),
        taught: true,
        version: 1,
        members: roll.pack(GroupKind::Students),
        entries: Vec::new(),
    }
}
