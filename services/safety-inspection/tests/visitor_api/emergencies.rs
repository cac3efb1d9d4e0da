//! Crews on duty enter at once; the book follows (rule 3.7).

use kit::auth::Role;
use proto::safety as pb;
use proto::safety::safety_figures_service_client::SafetyFiguresServiceClient;
use proto::safety::visit::State;
use proto::safety::visit_event::Verb;

use crate::book::Book;
use crate::city::tree::{BUREAU, BUREAU_PATH};
use crate::city::world::{World, told};
use crate::city::{SCHOOL, SCHOOL_PATH, on_both};

on_both!(
    a_crew_enters_at_once_and_the_book_follows,
    an_entry_that_is_not_made_is_told_listed_and_counted_until_it_is,
    a_crew_of_which_the_book_does_not_tell_is_not_destroyed,
);

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

/// Waits until the clock has told that the entry is overdue.
async fn told_overdue(book: &mut Book, name: &str) -> pb::Visit {
    for _ in 0..400 {
        let visit = book.get(name).await.expect("read");
        let told = |event: &pb::VisitEvent| event.verb() == Verb::AfterEntryOverdue;
        if visit.history.iter().any(told) {
            return visit;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nobody was told");
}

async fn overdue(world: &World, book: &mut Book) -> Vec<String> {
    let list = pb::ListVisitsRequest {
        parent: SCHOOL.to_owned(),
        after_entry_overdue: true,
        ..Default::default()
    };
    let list = world.as_role(Role::Principal, SCHOOL_PATH, list);
    let listed = book.client.list_visits(list).await.expect("listed");
    let visits = listed.into_inner().visits;
    visits.into_iter().map(|visit| visit.name).collect()
}

/// Waits until the district counts so many.
async fn counted(world: &World, expected: i32) {
    let mut figures = SafetyFiguresServiceClient::new(world.channel.clone());
    let mut last = None;
    for _ in 0..400 {
        let get = pb::GetSafetyFiguresRequest {
            name: format!("{BUREAU}/safetyFigures"),
        };
        let get = world.as_role(Role::DistrictOfficer, BUREAU_PATH, get);
        let read = figures.get_safety_figures(get).await.expect("read");
        let visitors = read.into_inner().visitors.expect("visitors");
        last = Some(visitors.after_entry_overdue_count);
        if last == Some(expected) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{last:?} are counted");
}

async fn an_entry_that_is_not_made_is_told_listed_and_counted_until_it_is(world: World) {
    let mut book = Book::of(&world).await;
    let crew = book.emergency().await.expect("admitted").name;
    let inside = book.emergency().await.expect("admitted").name;
    book.leave(&crew, 5).await.expect("left");
    assert_eq!(overdue(&world, &mut book).await, [] as [&str; 0]);
    world.clock.advance(chrono::Duration::hours(24));
    for (name, state) in [(&crew, State::Left), (&inside, State::AdmittedEmergency)] {
        let late = told_overdue(&mut book, name).await;
        assert!(late.after_entry_overdue);
        let last = late.history.last().expect("an event");
        assert_eq!(
            (last.verb(), last.to_state(), &*last.actor),
            (Verb::AfterEntryOverdue, state, "system")
        );
    }
    let mut both = [crew.clone(), inside.clone()];
    both.sort_unstable();
    let mut listed = overdue(&world, &mut book).await;
    listed.sort_unstable();
    assert_eq!(listed, both);
    counted(&world, 2).await;
    book.after_entry(&crew).await.expect("entered");
    assert_eq!(overdue(&world, &mut book).await, [inside]);
    counted(&world, 1).await;
}

async fn a_crew_of_which_the_book_does_not_tell_is_not_destroyed(world: World) {
    let mut book = Book::of(&world).await;
    let crew = book.emergency().await.expect("admitted").name;
    book.leave(&crew, 5).await.expect("left");
    world.clock.advance(chrono::Duration::days(60));
    told_overdue(&mut book, &crew).await;
    let (other, _) = book.bring(&world, State::Overstay).await;
    book.get(&other).await.expect("the clock went on");
    book.get(&crew).await.expect("still kept");
    book.after_entry(&crew).await.expect("entered");
    world.clock.advance(chrono::Duration::days(30));
    for _ in 0..400 {
        if book.get(&crew).await.is_err() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it is kept for ever");
}
