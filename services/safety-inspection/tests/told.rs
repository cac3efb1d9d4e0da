//! What the service tells operators of duties rises when nobody meets them, and falls when somebody does; and it
//! is seen when what looks for them has stopped.

mod city;
#[path = "drill_api/ground.rs"]
#[allow(dead_code, reason = "each test binary uses a part")]
mod ground;

use kit::scratch::Scratch;
use kit::telemetry::{Looker, TelemetryConfig, Told};
use proto::safety as pb;
use sea_orm::ConnectionTrait;

use city::staff;
use city::tree::HEAD;
use city::world::World;
use ground::{duty, head, hour, id, published, settle};

const OVERDUE: &str = "campus_safety_overdue";
const UNATTENDED: &str = "what=\"duty_unattended\"";
const TIMER: &str = "campus_safety_timer_age_seconds";
const DUTY: &str = "timer=\"duty\"";

/// Calls a table otherwise.
async fn rename(world: &World, table: &str, name: &str) {
    let tx = world.db.begin().await.expect("a transaction");
    let sql = format!("ALTER TABLE {table} RENAME TO {name}");
    tx.execute_unprepared(&sql).await.expect("renamed");
    tx.commit().await.expect("committed");
}

async fn a_duty_that_nobody_attends(scratch: Scratch, told: &TelemetryConfig) {
    let mut world = World::with(scratch, |config| config.telemetry = told.clone()).await;
    let page = world.running.as_ref().and_then(|running| running.page);
    let look = Looker::at(page.expect("a page"));
    settle(&world).await;
    let scheduled = published(&world).await;
    look.all(&[(OVERDUE, UNATTENDED, 0.0)]).await;
    for timer in [
        "duty",
        "hazards",
        "visits",
        "weather",
        "resumption",
        "announcing",
    ] {
        let timer = format!("timer=\"{timer}\"");
        look.until(TIMER, &timer, |age| age < 5.0).await;
    }

    // A table that is away for a while stands for whatever keeps the timer from its work.
    rename(&world, "duty_shifts", "away").await;
    look.until(TIMER, DUTY, |age| age > 4.0).await;
    rename(&world, "away", "duty_shifts").await;
    look.until(TIMER, DUTY, |age| age < 1.5).await;

    world.clock.set(hour(0) + chrono::Duration::hours(1));
    look.until(OVERDUE, UNATTENDED, |count| count >= 1.0).await;
    let replace = pb::ReplaceDutyShiftRequest {
        name: scheduled[0].name.clone(),
        leader: staff(HEAD),
        staff: vec![staff(81), staff(82)],
        reason: "带班领导未到岗".to_owned(),
        request_id: id(),
    };
    let replaced = duty(&world).replace_duty_shift(head(&world, replace)).await;
    replaced.expect("replaced");
    look.all(&[(OVERDUE, UNATTENDED, 0.0)]).await;
    let running = world.running.take().expect("running");
    running.stop().await.expect("stops");
}

/// One test, since telemetry starts once a process.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_does_is_told_until_somebody_has_done_it() {
    let told = Told::start("safety-inspection");
    told.on_both(async |scratch| a_duty_that_nobody_attends(scratch, &told.config).await)
        .await;
}
