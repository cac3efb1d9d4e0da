//! What the log misses is told to operators.

use kit::auth::Role;
use kit::telemetry::{Looker, Told};
use tonic::Code;

use crate::town::{HOLD, ID, Migrator, PLACE, Town, get, release, signed};

const COUNTED: &str = "counted";
const OURS: &str = "service=\"counted\"";

/// The one test that starts telemetry, as a service that no other test is.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_misses_is_counted() {
    let told = Told::start(COUNTED);
    let scratch = kit::scratch::sqlite();
    let town = Town::told(scratch.open::<Migrator>().await, COUNTED, &told.config).await;
    let look = Looker::at(town.running.page.expect("a page"));
    let forgetting = signed(Role::CityOfficer, "", release("forget", ID));
    let forgotten = town.holds().release_hold(forgetting).await;
    forgotten.expect("it is answered");
    look.all(&[("campus_audit_acts_beside_total", OURS, 1.0)])
        .await;
    town.db.close().await;
    let asked = signed(Role::Student, PLACE, get(HOLD));
    let refused = town.holds().get_hold(asked).await;
    let refused = refused.expect_err("it is refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    look.all(&[("campus_audit_refusals_dropped_total", OURS, 1.0)])
        .await;
    town.running.stop().await.expect("it stops");
}
