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
    let clock = Arc::new(ManualClock::morning_of("2022-04-07".parse().unwrap()));
    let tx = db.begin().await.unwrap();
    let projection = RosterProjection::new(clock);
    projection.apply(&tx, events, 1).await.unwrap();
    tx.commit().await.unwrap();
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
