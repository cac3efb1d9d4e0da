//! Crews on duty enter at once; the book follows (rule 3.7).

use proto::safety::visit::State;
use proto::safety::visit_event::Verb;

use crate::book::Book;
use crate::city::on_both;
use crate::city::world::{World, told};

on_both!(a_crew_enters_at_once_and_the_book_follows);

async fn a_crew_enters_at_once_and_the_book_follows(world: World) {
    let mut book = Book::of(&world).await;
    let crew = book.emergency().await.expect("admitted");
    assert_eq!(crew.state(), State::AdmittedEmergency);
    assert_eq!(
        (crew.entered_companion_count, crew.after_entry_overdue),
        (5, false)
    );
    let due = crew.after_entry_due_time.expect("due").seconds;
    assert_eq!(due - crew.enter_time.expect("entered").seconds, 24 * 3600);
    let left = book.leave(&crew.name, 5).await.expect("left");
    assert_eq!(left.state(), State::Left);
    world.clock.advance(chrono::Duration::hours(24));
    let late = book.get(&crew.name).await.expect("read");
    assert!(late.after_entry_overdue);
    let entered = book.after_entry(&crew.name).await.expect("entered");
    assert!(!entered.after_entry_overdue && entered.after_entry_time.is_some());
    let visitor = entered.visitor.expect("a leader");
    assert_eq!(
        (&*visitor.full_name, &*visitor.plate),
        ("陈**", "闽A119119")
    );
    let last = entered.history.last().expect("an event");
    assert_eq!(
        (last.verb(), last.to_state()),
        (Verb::AfterEntry, State::Left)
    );
    let again = book.after_entry(&crew.name).await.expect_err("once");
    assert_eq!(told(&again).1, "VISIT_STATE");
}
