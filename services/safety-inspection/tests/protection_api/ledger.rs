//! Ledgers: what is entered adds up, lasts so long, and asks for attention in time.

use kit::rows::Row;
use proto::safety as pb;
use proto::safety::supply_level::Alert;
use proto::safety::supply_movement::Kind;
use safety_inspection::domain::supply::item::Catalogue;
use safety_inspection::store::Store;
use safety_inspection::store::supply::MovementRow;
use tonic::Code as Grpc;

use crate::city::on_both;
use crate::city::tree::{BUREAU, BUREAU_PATH, KINDERGARTEN, KINDERGARTEN_PATH};
use crate::city::world::{World, told};
use crate::city::{SCHOOL, SCHOOL_PATH};
use crate::desk::{Desk, day, issue, masks};

on_both!(
    days_of_cover_are_told_with_the_minimum,
    the_stock_is_the_sum_of_the_ledger,
    what_is_not_there_cannot_be_taken,
    a_repeated_entry_is_entered_once,
    of_two_that_take_the_last_one_is_refused,
    what_falls_short_or_expires_asks_for_attention,
    the_scarcest_item_decides_for_how_long_a_campus_is_supplied,
);

const AT: (&str, &str) = (SCHOOL, SCHOOL_PATH);

async fn days_of_cover_are_told_with_the_minimum(world: World) {
    let mut desk = Desk::open(world).await;
    let entry = masks(Kind::Receipt, 2000, day(2023, 1, 1));
    let answer = desk.enter(AT, entry).await.expect("entered");
    let level = answer.level.expect("a level");
    // 132 pupils and 5 members of staff, one mask a day, for 14 days.
    let told = (level.daily_use, level.cover_days, level.minimum_quantity);
    assert_eq!(told, (137, Some(14), 137 * 14));
    assert!(level.alerts.is_empty() && level.recorded);
    let stock = desk.stock(SCHOOL, SCHOOL_PATH).await;
    assert_eq!(stock.levels.len(), Catalogue::shipped().items.len());
    assert_eq!(
        (stock.minimum_days, stock.person_count, stock.class_count),
        (14, 137, 4)
    );
    // Other items were never entered: nothing is known of them.
    assert_eq!(stock.cover_days, None);
}

/// Entries in an order that follows from a number, whatever they do.
async fn the_stock_is_the_sum_of_the_ledger(world: World) {
    let mut desk = Desk::open(world).await;
    let mut number = 7u32;
    for _ in 0..40 {
        number = number.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let quantity = i64::from(number >> 16) % 90 + 1;
        let lot = day(
            2022,
            4,
            i32::try_from(number >> 8).unwrap_or_default() % 9 + 1,
        );
        let kind = match (number >> 20) % 5 {
            0 | 1 => Kind::Receipt,
            2 => Kind::Count,
            3 => Kind::WriteOff,
            _ => Kind::Issue,
        };
        let entry = if kind == Kind::Issue {
            issue(quantity)
        } else {
            masks(kind, quantity, lot)
        };
        if let Err(status) = desk.enter(AT, entry).await {
            assert_eq!(told(&status).1, "SUPPLY_INSUFFICIENT");
        }
        let lines = desk.movements(AT).await;
        let level = desk.level(AT, "mask").await;
        let lots: i64 = level.lots.iter().map(|lot| lot.quantity).sum();
        let sum: i64 = lines.iter().map(|line| line.change).sum();
        assert_eq!((sum, lots), (level.quantity, level.quantity));
        assert!(level.lots.iter().all(|lot| lot.quantity > 0));
        assert!(lines.iter().all(|line| line.balance >= 0));
    }
}

async fn what_is_not_there_cannot_be_taken(world: World) {
    let mut desk = Desk::open(world).await;
    desk.enter(AT, masks(Kind::Receipt, 10, day(2022, 4, 5)))
        .await
        .expect("entered");
    desk.enter(AT, masks(Kind::Receipt, 5, day(2022, 4, 6)))
        .await
        .expect("entered");
    let before = desk.movements(AT).await;
    let refused = |status: tonic::Status, available: u32| {
        let zh = format!("可用库存不足，目前仅有 {available}");
        let expected = (
            Grpc::FailedPrecondition,
            "SUPPLY_INSUFFICIENT".to_owned(),
            zh,
        );
        assert_eq!(told(&status), expected);
    };
    // What expired yesterday is not handed out, only written off.
    refused(desk.enter(AT, issue(6)).await.expect_err("expired"), 5);
    let expired = masks(Kind::Issue, 1, day(2022, 4, 5));
    refused(desk.enter(AT, expired).await.expect_err("expired"), 0);
    let much = masks(Kind::WriteOff, 11, day(2022, 4, 5));
    refused(desk.enter(AT, much).await.expect_err("too much"), 10);
    assert_eq!(desk.movements(AT).await, before);
    let much = masks(Kind::Count, 1_000_000_001, day(2022, 4, 5));
    let status = desk.enter(AT, much).await.expect_err("out of range");
    assert_eq!(told(&status).0, Grpc::InvalidArgument);
    let entry = masks(Kind::WriteOff, 10, day(2022, 4, 5));
    let answer = desk.enter(AT, entry).await.expect("written off");
    assert_eq!(answer.level.expect("a level").quantity, 5);
    let unnoted = pb::RecordSupplyMovementRequest {
        note: String::new(),
        ..masks(Kind::WriteOff, 1, day(2022, 4, 6))
    };
    let status = desk.enter(AT, unnoted).await.expect_err("no reason");
    assert!(status.message().contains("note"), "{}", status.message());
    let status = desk.enter((BUREAU, BUREAU_PATH), issue(1)).await;
    assert_eq!(told(&status.expect_err("a bureau")).1, "CAMPUS_REQUIRED");
}

async fn a_repeated_entry_is_entered_once(world: World) {
    let mut desk = Desk::open(world).await;
    let entry = masks(Kind::Receipt, 10, day(2023, 1, 1));
    let first = desk.enter(AT, entry.clone()).await.expect("entered");
    let again = desk.enter(AT, entry.clone()).await.expect("repeated");
    assert_eq!(first, again);
    assert_eq!(desk.movements(AT).await.len(), 1);
    let other = pb::RecordSupplyMovementRequest {
        quantity: 11,
        ..entry
    };
    let status = desk.enter(AT, other).await.expect_err("another");
    assert_eq!(told(&status).1, "REQUEST_ID_REUSED");
}

async fn of_two_that_take_the_last_one_is_refused(world: World) {
    let mut desk = Desk::open(world).await;
    desk.enter(AT, masks(Kind::Receipt, 10, day(2023, 1, 1)))
        .await
        .expect("entered");
    let ask = |desk: &Desk| {
        let request = pb::RecordSupplyMovementRequest {
            parent: SCHOOL.to_owned(),
            ..issue(6)
        };
        (desk.supply.clone(), desk.officer(request))
    };
    let ((mut one, first), (mut other, second)) = (ask(&desk), ask(&desk));
    let (first, second) = tokio::join!(
        one.record_supply_movement(first),
        other.record_supply_movement(second)
    );
    assert!(first.is_ok() != second.is_ok());
    assert_eq!(desk.level(AT, "mask").await.quantity, 4);
}

async fn what_falls_short_or_expires_asks_for_attention(world: World) {
    let mut desk = Desk::open(world).await;
    let good = masks(Kind::Receipt, 5000, day(2022, 8, 31));
    desk.enter(AT, good).await.expect("entered");
    let little = masks(Kind::Receipt, 100, day(2023, 1, 1));
    let other = (KINDERGARTEN, KINDERGARTEN_PATH);
    desk.enter(other, little).await.expect("entered");
    let alerts = async |desk: &mut Desk| {
        let request = pb::ListSupplyAlertsRequest {
            parent: BUREAU.to_owned(),
            ..Default::default()
        };
        let request = desk.bureau(BUREAU_PATH, request);
        let page = desk.supply.list_supply_alerts(request).await;
        let alerts = page.expect("listed").into_inner().supply_alerts.into_iter();
        let alerts = alerts.map(|alert| {
            let level = alert.level.unwrap_or_default();
            (
                alert.organization,
                level.alerts().collect::<Vec<_>>(),
                alert.since_date,
            )
        });
        alerts.collect::<Vec<_>>()
    };
    let short = (
        KINDERGARTEN.to_owned(),
        vec![Alert::BelowMinimum],
        Some(day(2022, 4, 6)),
    );
    assert_eq!(alerts(&mut desk).await, std::slice::from_ref(&short));
    desk.set("2022-05-20T00:00:00Z");
    let more = masks(Kind::Receipt, 1, day(2023, 1, 1));
    desk.enter(other, more).await.expect("entered");
    assert_eq!(
        alerts(&mut desk).await,
        std::slice::from_ref(&short),
        "since the first day"
    );
    // 30 days before the end of August, and the day after it.
    let store = Store::new(desk.world.db.clone());
    let due = async |on: &str| {
        let today = on.parse().expect("a day");
        let db = store.database().read();
        let found = Store::stocks_to_attend(db, BUREAU_PATH, today, (i32::MIN, ""), 10).await;
        found.expect("read").len()
    };
    assert_eq!((due("2022-07-31").await, due("2022-08-01").await), (1, 2));
}

async fn the_scarcest_item_decides_for_how_long_a_campus_is_supplied(world: World) {
    let mut desk = Desk::open(world).await;
    let today = "2022-04-06".parse().expect("a day");
    let store = Store::new(desk.world.db.clone());
    let id = "2135010001";
    let days = async || {
        let db = store.database().read();
        Store::supply_days(db, id, today).await.expect("read")
    };
    assert_eq!(days().await, None);
    for item in &Catalogue::shipped().items {
        let entry = pb::RecordSupplyMovementRequest {
            item: format!("supplyItems/{}", item.code),
            lot: Some(pb::SupplyLot {
                lot: String::new(),
                expire_date: item.expires.then(|| day(2023, 1, 1)),
            }),
            ..masks(Kind::Receipt, 1_000_000, day(2023, 1, 1))
        };
        desk.enter(AT, entry).await.expect("entered");
    }
    // 4 class groups take 200 ml of disinfectant a day each.
    assert_eq!(days().await, Some(1_000_000 / (4 * 200)));
    let few = pb::RecordSupplyMovementRequest {
        lot: Some(pb::SupplyLot {
            lot: String::new(),
            expire_date: Some(day(2023, 1, 1)),
        }),
        ..masks(Kind::Count, 137 * 3, day(2023, 1, 1))
    };
    desk.enter(AT, few).await.expect("counted");
    assert_eq!(days().await, Some(3));
    let stock = desk.stock(SCHOOL, SCHOOL_PATH).await;
    assert_eq!(stock.cover_days, Some(3));
    let store_lines = MovementRow::page(
        store.database().read(),
        "organization = $1",
        vec![id.into()],
        100,
    );
    assert_eq!(
        store_lines.await.expect("read").len(),
        Catalogue::shipped().items.len() + 1
    );
}
