//! Who breaks the glass is on record, whether or not it opened anything.

use kit::auth::{BREAK_GLASS, Role};
use kit::db::Database;
use proto::audit::audit_record::Kind;
use proto::audit::{BreakGlassUse, ListBreakGlassUsesRequest};
use proto::sampling::GetHoldRequest;
use tonic::{Code, Request};

use crate::town::{HOLD, Migrator, PLACE, Town, chained, get, signed, signed_by};

kit::store_suite!(Migrator;
    a_broken_glass_is_durable_before_the_call,
    who_breaks_the_glass_for_nothing_is_on_record,
    uses_of_the_glass_are_told_by_caller_and_hour_without_who_it_was,
);

async fn a_broken_glass_is_durable_before_the_call(db: Database) {
    let town = Town::open(db).await;
    const WHY: &str = "食堂聚集性呕吐，急需查看健康状况";
    let mut asked = signed(Role::Principal, PLACE, get(HOLD));
    let why = WHY
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect::<String>();
    asked
        .metadata_mut()
        .insert(BREAK_GLASS, why.parse().expect("it is answered"));
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    asked
        .metadata_mut()
        .insert("traceparent", trace.parse().expect("it is answered"));
    town.holds().get_hold(asked).await.expect("it is answered");
    let records = town.records().await;
    let told: Vec<_> = records
        .iter()
        .map(|record| (record.kind(), record.reason.as_str()))
        .collect();
    assert_eq!(told, [(Kind::BreakGlass, WHY), (Kind::Read, "")]);
    assert_eq!(records[0].trace_id, "0af7651916cd43dd8448eb211c80319c");
    let without = broken("principal-1", PLACE);
    town.holds()
        .get_hold(without)
        .await
        .expect("it is answered");
    let records = town.records().await;
    let [.., used, read] = &records[..] else {
        panic!("two more records: {records:?}");
    };
    assert_eq!((used.trace_id.len(), used.time), (32, read.time));
    assert_eq!(used.trace_id, read.trace_id, "what was read is found by it");
    town.running.stop().await.expect("it is answered");
}

async fn who_breaks_the_glass_for_nothing_is_on_record(db: Database) {
    let town = Town::open(db).await;
    let mut asked = signed(Role::Guard, PLACE, get(HOLD));
    let why = "an emergency at the school"
        .parse()
        .expect("it is answered");
    asked.metadata_mut().insert(BREAK_GLASS, why);
    let refused = town
        .holds()
        .get_hold(asked)
        .await
        .expect_err("it is refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let records = town.settled(1).await;
    let told = (
        records[0].kind(),
        &*records[0].subject,
        &*records[0].error_reason,
    );
    assert_eq!(told, (Kind::Refused, "test-guard", "SCOPE_DENIED"));
    town.running.stop().await.expect("it is answered");
}

/// A principal asks for the hold and breaks the glass.
fn broken(subject: &str, scope: &str) -> Request<GetHoldRequest> {
    let mut asked = signed_by(subject, Role::Principal, scope, get(HOLD));
    let why = "an emergency at the school"
        .parse()
        .expect("it is answered");
    asked.metadata_mut().insert(BREAK_GLASS, why);
    asked
}

async fn uses_of_the_glass_are_told_by_caller_and_hour_without_who_it_was(db: Database) {
    let town = Town::open(db).await;
    for subject in ["one", "other", "one"] {
        town.holds()
            .get_hold(broken(subject, PLACE))
            .await
            .expect("it is answered");
    }
    chained(&town.db).await;
    let uses = async |role, scope: &str, after_sequence| {
        let request = ListBreakGlassUsesRequest {
            after_sequence,
            ..ListBreakGlassUsesRequest::default()
        };
        let asked = signed(role, scope, request);
        town.log().list_break_glass_uses(asked).await
    };
    let told = uses(Role::Service, "", 0)
        .await
        .expect("it is answered")
        .into_inner();
    let [first, other, again] = &told.uses[..] else {
        panic!("three uses: {told:?}");
    };
    assert_eq!(told.last_sequence, 6);
    assert_eq!((first.first_sequence, first.use_count), (first.sequence, 1));
    assert_eq!((other.first_sequence, other.use_count), (other.sequence, 1));
    // The hour may have turned in between.
    let of_same_hour = (first.sequence, 2);
    let of_next_hour = (again.sequence, 1);
    let found = (again.first_sequence, again.use_count);
    let hour = |used: &BreakGlassUse| used.time.map(|time| time.seconds / 3600);
    let expected = if hour(first) == hour(again) {
        of_same_hour
    } else {
        of_next_hour
    };
    assert_eq!(found, expected);
    assert!(told.uses.iter().all(|used| used.place == PLACE));
    let rest = uses(Role::Service, "", other.sequence)
        .await
        .expect("it is answered");
    assert_eq!(rest.into_inner().uses, std::slice::from_ref(again));
    let next = uses(Role::DiseaseControl, "fz/350103", 0)
        .await
        .expect("it is answered");
    assert_eq!(next.into_inner().uses, [], "of other places");
    let own = uses(Role::DiseaseControl, "fz/350102", 0)
        .await
        .expect("it is answered");
    assert_eq!(own.into_inner().uses.len(), 3);
    let refused = uses(Role::Principal, PLACE, 0)
        .await
        .expect_err("it is refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
    town.running.stop().await.expect("it is answered");
}
