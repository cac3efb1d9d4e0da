use kit::clock::ManualClock;
use kit::db::Database;
use proto::roster::{HoldPolicy, PolicyProfile, PoolPolicy, SamplingPolicy, TubePolicy};

use super::*;
use crate::Migrator;
use crate::store::policy::FactsCache;

fn profile(number: i64) -> PolicyProfile {
    PolicyProfile {
        policy_version: format!("city@{number}"),
        effective_date: Some(proto::Date {
            year: 2022,
            month: 4,
            day: 1,
        }),
        sampling: Some(SamplingPolicy {
            student_ratio_basis_points: 2000,
            staff_ratio_basis_points: 2000,
            ..SamplingPolicy::default()
        }),
        pool: Some(PoolPolicy::default()),
        tube: Some(TubePolicy::default()),
        hold: Some(HoldPolicy::default()),
        ..PolicyProfile::default()
    }
}

fn event(number: i64, version: i64, profile: Option<PolicyProfile>) -> RosterEvent {
    RosterEvent {
        entity: format!("policyProfiles/city-{number}"),
        version,
        org_path: String::new(),
        removed: profile.is_none(),
        state: profile.map(State::PolicyProfile),
    }
}

async fn apply(db: &Database, events: &[RosterEvent]) {
    apply_in(db, events, 1).await;
}

async fn apply_in(db: &Database, events: &[RosterEvent], generation: i64) {
    let clock = Arc::new(ManualClock::morning_of("2022-04-07".parse().unwrap()));
    let tx = db.begin().await.unwrap();
    let projection = RosterProjection::new(clock);
    projection.apply(&tx, events, generation).await.unwrap();
    tx.commit().await.unwrap();
}

/// A class group with one pupil for each number.
fn roll(version: i64, pupils: &[u128]) -> RosterEvent {
    let member = |number: &u128| RollMember {
        person: format!("students/{}", uuid::Uuid::from_u128(*number)),
        ..RollMember::default()
    };
    RosterEvent {
        entity: "organizations/2135010001/classGroups/2019-01".to_owned(),
        version,
        org_path: "fz/350102/2135010001".to_owned(),
        removed: false,
        state: Some(State::ClassGroupRoll(ClassGroupRoll {
            class_group: "organizations/2135010001/classGroups/2019-01".to_owned(),
            organization: "organizations/2135010001".to_owned(),
            members: pupils.iter().map(member).collect(),
            ..ClassGroupRoll::default()
        })),
    }
}

#[tokio::test]
async fn a_register_that_went_back_to_an_earlier_time_is_believed_in_its_new_epoch() {
    let scratch = kit::scratch::sqlite();
    let db = scratch.open::<Migrator>().await;
    let paths = ["fz/350102/2135010001/2019-01".to_owned()];
    let on_roll = async || {
        let groups = rolls::groups_at(db.read(), &paths).await.unwrap();
        ids(&groups[0].roll().unwrap()).count()
    };
    apply(&db, &[roll(5, &[1, 2])]).await;
    apply(&db, &[roll(4, &[1])]).await;
    assert_eq!(
        on_roll().await,
        2,
        "an older version of the same epoch changes nothing"
    );
    apply_in(&db, &[roll(4, &[1])], 2).await;
    assert_eq!(on_roll().await, 1);
    let left = PersonId(uuid::Uuid::from_u128(2).into_bytes());
    assert_eq!(people::locate(db.read(), left).await.unwrap(), None);
    // It goes on from there, by versions that were given out before.
    apply_in(&db, &[roll(5, &[1, 3])], 2).await;
    assert_eq!(on_roll().await, 2);
}

#[tokio::test]
async fn a_policy_of_the_whole_city_is_in_force_everywhere_until_it_is_withdrawn() {
    let scratch = kit::scratch::sqlite();
    let db = scratch.open::<Migrator>().await;
    let cache = FactsCache::default();
    let in_force = async || {
        let facts = cache.get(db.read()).await.unwrap();
        let day = Day::from(chrono::NaiveDate::from_ymd_opt(2022, 4, 7).unwrap());
        let policy = facts.policy("fz/350102/2135010001", day);
        policy.map(|policy| policy.version.clone())
    };
    apply(&db, &[event(2, 2, Some(profile(2)))]).await;
    assert_eq!(in_force().await.as_deref(), Some("city@2"));
    // The one that takes its place has the same version: what was read must not be believed.
    apply(&db, &[event(2, 3, None), event(1, 2, Some(profile(1)))]).await;
    assert_eq!(in_force().await.as_deref(), Some("city@1"));
    apply(&db, &[event(1, 3, None)]).await;
    assert_eq!(in_force().await, None);
}
