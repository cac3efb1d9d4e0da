//! Decisions are destroyed when the policy keeps them no longer (rule 6.13).

use crate::city::on_both;
use kit::auth::Role;
use proto::safety as pb;

use crate::city::world::{World, well};
use crate::city::{SCHOOL, SCHOOL_PATH, student};

on_both!(a_decision_is_kept_for_thirty_days);

async fn a_decision_is_kept_for_thirty_days(mut world: World) {
    let first = world.check(well(&student(1))).await.expect("decided").name;
    let word = pb::OverrideDecisionRequest {
        name: first.clone(),
        result: pb::gate_decision::Result::Deny.into(),
        reason: "家长来电请假".to_owned(),
        request_id: String::new(),
    };
    let word = world.as_role(Role::Principal, SCHOOL_PATH, word);
    world
        .client
        .override_decision(word)
        .await
        .expect("overridden");
    world.clock.advance(chrono::Duration::days(1));
    let second = world.check(well(&student(1))).await.expect("decided").name;
    let kept = async |world: &mut World| {
        let list = pb::ListGateDecisionsRequest {
            parent: SCHOOL.to_owned(),
            ..Default::default()
        };
        let list = world.as_role(Role::Principal, SCHOOL_PATH, list);
        let list = world
            .client
            .list_gate_decisions(list)
            .await
            .expect("listed");
        let decisions = list.into_inner().gate_decisions;
        decisions
            .into_iter()
            .map(|decision| decision.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(kept(&mut world).await, [second.clone(), first]);
    world.clock.advance(chrono::Duration::hours(29 * 24 + 1));
    let mut left = kept(&mut world).await;
    for _ in 0..200 {
        if left.len() == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        left = kept(&mut world).await;
    }
    assert_eq!(left, [second], "the one of thirty days ago is gone");
    let sql = "SELECT COUNT(*) FROM gate_overrides";
    let select = kit::db::statement(world.db.read(), sql, []);
    let row = sea_orm::ConnectionTrait::query_one_raw(world.db.read(), select).await;
    let left: i64 = row
        .expect("read")
        .expect("a row")
        .try_get_by_index(0)
        .expect("a number");
    assert_eq!(left, 0, "and so is its override");
}
