//! What safety-inspection tells people that it holds about them.

use std::sync::atomic::Ordering;

use kit::auth::{Caller, Role};
use kit::db::statement;
use kit::scratch::Scratch;
use kit::subject::StandIn;
use proto::subject::held_data_service_client::HeldDataServiceClient;
use proto::subject::held_section::Telling;
use proto::subject::{ExportHeldDataRequest, HeldSection};
use sea_orm::ConnectionTrait;
use tonic::{Code as Grpc, Status};
use uuid::Uuid;

use crate::city::world::{World, told, well, with_temperature};
use crate::city::{SCHOOL_PATH, clearance, clearance_at, held, released, staff, student};

const REQUEST: &str =
    "organizations/2135010001/subjectRequests/0b9c3f5e-a111-4222-8333-44445555abcd";

async fn export(
    world: &World,
    role: Role,
    person: Option<String>,
) -> Result<Vec<HeldSection>, Status> {
    let caller = Caller {
        person,
        ..Caller::new(
            "someone-1",
            vec![role],
            SCHOOL_PATH.parse().expect("a place"),
        )
    };
    let name = REQUEST.to_owned();
    let asked = world.of(caller, ExportHeldDataRequest { name });
    let mut client = HeldDataServiceClient::new(world.channel.clone());
    let mut parts = client.export_held_data(asked).await?.into_inner();
    let mut sections = Vec::new();
    while let Some(part) = parts.message().await? {
        sections.extend(part.section);
    }
    Ok(sections)
}

fn of<'a>(told: &'a [HeldSection], section: &str) -> &'a HeldSection {
    let mut sections = told.iter().filter(|one| one.section == section);
    sections.next().expect(section)
}

fn values<'a>(told: &'a [HeldSection], section: &str, field: &str) -> Vec<&'a str> {
    let records = of(told, section).records.iter();
    let fields = records.flat_map(|record| &record.fields);
    let named = fields.filter(|one| one.field == field);
    named.map(|one| one.value.as_str()).collect()
}

async fn a_pupil_is_told_of_gates_and_a_handler_of_what_they_may_read(scratch: Scratch) {
    let roster = StandIn::default();
    let address = roster.serve().await.expect("a port");
    let mut world = World::beside(scratch, &address).await;
    roster.say(REQUEST, &student(1), &format!("{SCHOOL_PATH}/p2019-01"));
    clearance(&world.db, &[held(&student(1), 1)], 1).await;
    let later = "2022-04-05T23:30:00Z".parse().expect("an instant");
    clearance_at(&world.db, &[released(&student(1), 2)], 1, later).await;
    world.check(well(&student(2))).await.expect("decided");
    let hot = with_temperature(&student(1), 379);
    world.check(hot).await.expect("decided");

    let child = Some(student(1));
    let home = export(&world, Role::Guardian, child.clone()).await;
    let home = home.expect("it is told");
    assert!(
        home.iter().all(|one| one.telling() == Telling::Full),
        "{home:?}"
    );
    let class = "organizations/2135010001/classGroups/p2019-01";
    assert_eq!(values(&home, "roll", "class_group"), [class]);
    assert_eq!(
        of(&home, "gate_decisions").record_count,
        1,
        "not the other pupil's"
    );
    assert_eq!(values(&home, "gate_decisions", "temperature"), ["37.9"]);
    let reasons = values(&home, "gate_decisions", "reasons");
    assert!(reasons[0].contains("规则3."), "{reasons:?}");
    assert_eq!(
        values(&home, "clearances", "control"),
        ["CONTROL_POOL_HOLD"]
    );
    assert!(
        !format!("{home:?}").contains("someone-1"),
        "no guard is named"
    );
    for empty in ["gate_decisions_elsewhere", "cards", "drills_missing"] {
        assert_eq!(of(&home, empty).record_count, 0);
    }

    let clerk = export(&world, Role::SchoolClerk, None)
        .await
        .expect("it is told");
    assert_eq!(of(&clerk, "roll").telling(), Telling::Full);
    for section in ["gate_decisions", "clearances"] {
        let withheld = of(&clerk, section);
        assert_eq!(withheld.telling(), Telling::Withheld, "{section}");
        assert!(withheld.records.is_empty() && withheld.record_count == 0);
    }

    let guard = export(&world, Role::Guard, None)
        .await
        .expect_err("refused");
    let (code, why, _) = told(&guard);
    assert_eq!((code, &*why), (Grpc::PermissionDenied, "SCOPE_DENIED"));
    let stranger = export(&world, Role::Guardian, Some(student(2))).await;
    assert_eq!(told(&stranger.expect_err("refused")).1, "SCOPE_DENIED");
    roster.close(REQUEST);
    let closed = export(&world, Role::Guardian, child.clone()).await;
    assert_eq!(
        told(&closed.expect_err("refused")).1,
        "SUBJECT_REQUEST_STATE"
    );
    roster.down.store(true, Ordering::SeqCst);
    let alone = export(&world, Role::Guardian, child).await;
    assert_eq!(told(&alone.expect_err("refused")).0, Grpc::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pupil_is_told_of_gates_sqlite() {
    a_pupil_is_told_of_gates_and_a_handler_of_what_they_may_read(kit::scratch::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pupil_is_told_of_gates_postgres() {
    let Some(scratch) = kit::scratch::postgres().await else {
        return;
    };
    a_pupil_is_told_of_gates_and_a_handler_of_what_they_may_read(scratch).await;
}

/// Two shifts and a patrol of the member of staff with this number, and a shift of somebody else.
async fn on_duty(world: &World, number: u128) {
    let tx = world.db.begin().await.expect("a transaction");
    for (shift, person) in [(1, number), (2, number), (3, 99)] {
        let (id, person) = (Uuid::from_u128(shift), staff(person));
        let start = i64::try_from(shift).expect("small") * 1000;
        let sql = "INSERT INTO duty_shifts (id, organization, org_path, state, start_at, end_at, \
             check_in_due_at, body) VALUES ($1, '2135010001', $2, 1, $3, $3, $3, '{}')";
        let values = [id.into(), SCHOOL_PATH.into(), start.into()];
        tx.execute_raw(statement(&tx, sql, values))
            .await
            .expect("a shift");
        let sql = "INSERT INTO duty_busy (person, shift, organization, start_at, end_at) \
             VALUES ($1, $2, '2135010001', $3, $3)";
        let values = [person.as_str().into(), id.into(), start.into()];
        tx.execute_raw(statement(&tx, sql, values))
            .await
            .expect("who is on it");
        let sql = "INSERT INTO patrols (id, organization, org_path, shift, point, staff_member, passed_at) \
             VALUES ($1, '2135010001', $2, $1, '北门', $3, $4)";
        let values = [id.into(), SCHOOL_PATH.into(), person.into(), start.into()];
        tx.execute_raw(statement(&tx, sql, values))
            .await
            .expect("a patrol");
    }
    tx.commit().await.expect("stored");
}

async fn who_works_is_told_of_gates_and_duties(scratch: Scratch) {
    let roster = StandIn::default();
    let address = roster.serve().await.expect("a port");
    let mut world = World::beside(scratch, &address).await;
    roster.say(REQUEST, &staff(21), SCHOOL_PATH);
    world.check(well(&staff(21))).await.expect("decided");
    on_duty(&world, 21).await;
    let own = export(&world, Role::Guard, Some(staff(21))).await;
    let own = own.expect("it is told");
    let in_full = |one: &HeldSection| one.telling() == Telling::Full;
    assert!(own.iter().all(in_full), "{own:?}");
    let roll = "organizations/2135010001/staffRoll";
    assert_eq!(values(&own, "roll", "staff_roll"), [roll]);
    assert_eq!(of(&own, "gate_decisions").record_count, 1);
    let shifts = ["1970-01-01 08:00:02", "1970-01-01 08:00:01"];
    assert_eq!(values(&own, "duty_shifts", "start_time"), shifts);
    assert_eq!(values(&own, "patrols", "point"), ["北门", "北门"]);
    assert_eq!(of(&own, "accountability").record_count, 0);
    let colleague = export(&world, Role::Guard, Some(staff(22))).await;
    let refused = told(&colleague.expect_err("refused"));
    assert_eq!(
        (refused.0, &*refused.1),
        (Grpc::PermissionDenied, "SCOPE_DENIED")
    );
    roster.say(REQUEST, &student(1), &format!("{SCHOOL_PATH}/p2019-01"));
    let home = export(&world, Role::Guardian, Some(student(1))).await;
    let home = home.expect("it is told");
    assert!(home.iter().all(|one| one.section != "duty_shifts"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_works_is_told_of_gates_and_duties_sqlite() {
    who_works_is_told_of_gates_and_duties(kit::scratch::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_works_is_told_of_gates_and_duties_postgres() {
    let Some(scratch) = kit::scratch::postgres().await else {
        return;
    };
    who_works_is_told_of_gates_and_duties(scratch).await;
}
