//! What the clock does: alarms, closed days, destruction (rules 3.7 and 6.13).

use proto::safety::visit::State;
use proto::safety::visit_event::Verb;
use tonic::Code as Grpc;

use crate::book::Book;
use crate::city::world::{World, told};
use crate::city::{on_both, staff, tree};

on_both!(
    whoever_stays_too_long_is_looked_for,
    a_day_that_passes_closes_its_visits,
    a_visit_is_destroyed_thirty_days_after_the_exit,
);

async fn whoever_stays_too_long_is_looked_for(world: World) {
    let mut book = Book::of(&world).await;
    let (name, _) = book.bring(&world, State::Overstay).await;
    let late = book.get(&name).await.expect("read");
    assert_eq!(late.responsible, staff(tree::DEPUTY));
    let alarm = late.history.last().expect("an event");
    assert_eq!((alarm.verb(), &*alarm.actor), (Verb::Overstay, "system"));
    assert!(late.overstay_time.is_some());
    let left = book.leave(&name, 1).await.expect("left");
    assert_eq!(left.state(), State::Left);
}

async fn a_day_that_passes_closes_its_visits(world: World) {
    let mut book = Book::of(&world).await;
    let (asked, _) = book.bring(&world, State::Requested).await;
    let (inside, _) = book.bring(&world, State::Admitted).await;
    world.clock.advance(chrono::Duration::hours(16));
    book.until(&asked, State::Expired).await;
    // Whoever is inside is inside, whatever the day.
    book.until(&inside, State::Overstay).await;
}

async fn a_visit_is_destroyed_thirty_days_after_the_exit(world: World) {
    let mut book = Book::of(&world).await;
    let (name, _) = book.bring(&world, State::Left).await;
    let (inside, _) = book.bring(&world, State::Admitted).await;
    world
        .clock
        .advance(chrono::Duration::days(30) - chrono::Duration::seconds(1));
    // What the clock did to the other shows that it looked.
    book.until(&inside, State::Overstay).await;
    book.get(&name).await.expect("still kept");
    world.clock.advance(chrono::Duration::seconds(1));
    let mut gone = None;
    for _ in 0..400 {
        gone = book.get(&name).await.err();
        if gone.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let gone = gone.expect("destroyed");
    assert_eq!(told(&gone).0, Grpc::NotFound);
    for table in ["visit_events", "visits"] {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let select = kit::db::statement(world.db.read(), &sql, []);
        let row = sea_orm::ConnectionTrait::query_one_raw(world.db.read(), select).await;
        let left: i64 = row
            .expect("read")
            .expect("a row")
            .try_get_by_index(0)
            .expect("a number");
        let expected = if table == "visits" { 1 } else { 6 };
        assert_eq!(left, expected, "{table}: those of the one inside");
    }
}
