//! Whatever is done in whatever order, what is kept of how ready schools are is soon what a recount
//! finds, without a day going by.

use kit::clock::Clock;
use kit::db::statement;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use proto::safety as pb;
use proto::safety::hazard::Grade;
use proto::safety::hazard_service_client::HazardServiceClient;
use proto::safety::resumption_block::Kind;
use safety_inspection::domain::drill;
use sea_orm::ConnectionTrait;

use crate::city::hazards::{DISTRICT, GUARD, OFFICER, Who, dismiss, verify};
use crate::city::tree::{CITY, SISTER_PATH, group};
use crate::city::{SCHOOL, SCHOOL_PATH, roster, staff};
use crate::ground::{Ground, JUNIOR_PATH, cities, day, request_id};

cities!(figures_are_soon_what_a_recount_finds);

/// How many tales are told on each database.
const TALES: usize = 2;

const SCHOOLS: [&str; 3] = [SCHOOL_PATH, SISTER_PATH, JUNIOR_PATH];

/// What somebody does; where it is not allowed, nothing happens.
#[derive(Clone, Debug)]
enum Act {
    Find,
    Major(usize),
    Dismiss(usize),
    Drill(usize, i64),
    Supply(usize),
    Room(usize, bool),
    Grow(usize),
    Start(usize),
    Answer(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let school = 0..SCHOOLS.len();
    let act = prop_oneof![
        3 => Just(Act::Find),
        3 => any::<usize>().prop_map(Act::Major),
        2 => any::<usize>().prop_map(Act::Dismiss),
        2 => (school.clone(), 0..40_i64).prop_map(|(school, days)| Act::Drill(school, days)),
        2 => school.clone().prop_map(Act::Supply),
        2 => (school.clone(), any::<bool>()).prop_map(|(school, fit)| Act::Room(school, fit)),
        1 => school.clone().prop_map(Act::Grow),
        1 => school.clone().prop_map(Act::Start),
        1 => school.prop_map(Act::Answer),
    ];
    prop::collection::vec(act, 10..14)
}

#[derive(Default)]
struct Tale {
    hazards: Vec<String>,
    grown: u128,
}

impl Tale {
    async fn act(&mut self, ground: &mut Ground, act: &Act) {
        let mut hazards = HazardServiceClient::new(ground.world.channel.clone());
        let chosen = |one: &usize| {
            let found = self.hazards.len();
            (found > 0).then(|| self.hazards[one % found].clone())
        };
        match act {
            Act::Find => {
                let request = by(ground, GUARD, blocked_exit(ground, self.hazards.len()));
                let found = hazards.report_hazard(request).await.expect("reported");
                self.hazards.push(found.into_inner().name);
            }
            Act::Major(one) => {
                if let Some(name) = chosen(one) {
                    let request = by(ground, OFFICER, verify(&name, Grade::Major));
                    drop(hazards.verify_hazard(request).await);
                }
            }
            Act::Dismiss(one) => {
                if let Some(name) = chosen(one) {
                    let request = by(ground, DISTRICT, dismiss(&name));
                    drop(hazards.dismiss_hazard(request).await);
                }
            }
            Act::Drill(school, days) => {
                let state = drill::State::Archived;
                ground.drill(SCHOOLS[*school], *days, state).await;
            }
            Act::Supply(school) => ground.supply(SCHOOLS[*school]).await,
            Act::Room(school, fit) => ground.room(SCHOOLS[*school], *fit).await,
            Act::Grow(school) => {
                self.grown += 1;
                let first = 100_000 + self.grown * 1000;
                let name = format!("x2020-{:02}", self.grown);
                // So many that another isolation room is needed, and supplies last less long.
                let more = group(SCHOOLS[*school], (&name, 9), first, 1000);
                roster(&ground.world.db, &[more], 2).await;
            }
            Act::Start(school) => drop(ground.start(SCHOOLS[*school], 1).await),
            Act::Answer(school) => {
                let path = SCHOOLS[*school];
                let items = crate::ground::items();
                let answers = items.iter().take(4).map(|item| ground.good(path, item));
                let answers = answers.collect();
                drop(ground.answer((path, 1), answers).await);
            }
        }
    }
}

fn by<T>(ground: &Ground, (number, role, scope): Who, message: T) -> tonic::Request<T> {
    ground.world.by(&staff(number), role, scope, message)
}

fn blocked_exit(ground: &Ground, number: usize) -> pb::ReportHazardRequest {
    pb::ReportHazardRequest {
        parent: SCHOOL.to_owned(),
        hazard: Some(pb::Hazard {
            category: pb::HazardCategory::Fire.into(),
            place: format!("building-{number}"),
            description: "三楼疏散通道堆放桌椅".to_owned(),
            photos: vec![ground.photo(&format!("exit {number}"))],
            ..Default::default()
        }),
        request_id: request_id(),
    }
}

/// Waits until nobody waits to be looked at.
pub(crate) async fn settled(ground: &Ground) {
    let now = ground.world.clock.now().timestamp_millis();
    let sql = format!(
        "SELECT (SELECT COUNT(*) FROM readiness_causes) \
         + (SELECT COUNT(*) FROM resumptions WHERE check_at <= {now})"
    );
    let db = ground.world.db.read();
    for _ in 0..600 {
        let row = db.query_one_raw(statement(db, &sql, [])).await;
        let row = row.expect("read").expect("a row");
        if row.try_get_by_index::<i64>(0).expect("a number") == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("somebody waits for ever");
}

/// What is kept of each school is what a recount finds, and the figures are their sum.
async fn holds(ground: &mut Ground) {
    let standings = ground.standings(CITY).await;
    assert!(!standings.is_empty());
    let (mut ready, mut silent) = (0, 0);
    for kept in standings {
        let name = kept.resumption.clone();
        let request = pb::GetReadinessRequest {
            name: format!("{name}/readiness"),
        };
        let request = ground.city(request);
        let found = ground.client.get_readiness(request).await;
        let found = found.expect("a readiness").into_inner();
        let items = |kind: Kind| matches!(kind, Kind::ItemMissing | Kind::ItemUnmet);
        let kinds = found.blocks.iter().map(pb::ResumptionBlock::kind);
        let (open, blocks): (Vec<Kind>, Vec<Kind>) = kinds.partition(|kind| items(*kind));
        let sum = |count: fn(&pb::readiness::Category) -> i32| -> i32 {
            found.categories.iter().map(count).sum()
        };
        let recount = pb::ResumptionStanding {
            score: found.score,
            silent: found.silent,
            item_count: sum(|one| one.item_count),
            met_count: sum(|one| one.met_count),
            open_item_count: i32::try_from(open.len()).expect("a count"),
            blocks: blocks.iter().map(|kind| *kind as i32).collect(),
            ..kept.clone()
        };
        assert_eq!(kept, recount, "{name}");
        ready += i32::from(found.blocks.is_empty());
        silent += i32::from(found.silent);
    }
    let total = ground.figures(CITY, 0).await.total.expect("a total");
    assert_eq!((total.ready_count, total.silent_count), (ready, silent));
}

async fn figures_are_soon_what_a_recount_finds(mut ground: Ground) {
    for position in [1, 2] {
        ground.plan(position, day(4, 7)).await.expect("planned");
    }
    let mut runner = TestRunner::deterministic();
    let mut tale = Tale::default();
    for _ in 0..TALES {
        let told = acts().new_tree(&mut runner).expect("a tale").current();
        for act in &told {
            tale.act(&mut ground, act).await;
            settled(&ground).await;
            holds(&mut ground).await;
        }
    }
}
