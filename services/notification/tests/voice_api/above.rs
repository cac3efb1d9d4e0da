//! Those above hear when a deadline stays unheeded for as long again: how much, and never who or of whom.

use chrono::Duration;
use kit::clock::Clock;
use kit::scratch::Scratch;
use notification::store::Store;
use proto::notification::concern::Category;
use proto::notification::support_case::Grade;

use crate::town::classes::answers;
use crate::town::scan::{number, tables_with};
use crate::town::voices::{clearance, id_of, principal, until};
use crate::town::world::World;
use crate::town::{self, BUREAU, BUREAU_PATH, CITY, SCHOOL, morning, on_both, staff};

on_both!(
    the_bureau_hears_once_of_concerns_that_are_left,
    the_bureau_hears_once_of_care_that_is_left,
    the_bureau_hears_once_of_a_contact_that_is_left,
);

impl World {
    fn at(&self, time: &str) {
        self.clock.set(time.parse().expect("an instant"));
    }

    /// The sentences that somebody above is told, sorted, once there are so many.
    async fn heard_above(&self, party: &str, count: usize) -> Vec<String> {
        let mail = self.mails(party, "told", count).await;
        let words = mail.into_iter().filter_map(|mut one| one.remove("what"));
        let mut words: Vec<String> = words.collect();
        words.sort();
        words
    }

    /// Of how many somebody above is told in sentences that end so, in however many messages.
    async fn counted_above(&self, party: &str, ending: &str) -> usize {
        let mail = self.mail(party, "told").await;
        let counts = mail.iter().filter_map(|one| {
            let count = one["what"].strip_suffix(ending)?;
            count.strip_prefix("下级单位有 ")?.parse::<usize>().ok()
        });
        counts.sum()
    }

    /// No message holds this anywhere.
    async fn is_in_no_message(&self, id: &str) {
        let tables = tables_with(&self.db, id).await;
        for table in ["messages", "deliveries"] {
            assert!(!tables.iter().any(|one| one == table), "{tables:?}");
        }
    }
}

/// Who answers at the bureau for epidemic control and for psychology.
async fn with_duties(scratch: Scratch) -> World {
    let world = World::peopled(scratch).await;
    let duties = [("EPIDEMIC_CONTROL", "", 50), ("PSYCHOLOGY", "", 51)];
    let duties = answers(BUREAU_PATH, 9, &duties);
    town::roster(&world.db, &[duties], 1).await;
    world
}

async fn the_bureau_hears_once_of_concerns_that_are_left(scratch: Scratch) {
    const UNSORTED: &str = " 件师生家长诉求逾期后仍未受理，请督促办理";
    const UNANSWERED: &str = " 件师生家长诉求逾期后仍未答复，请督促办理";
    let world = with_duties(scratch).await;
    let first = world.submitted(Category::Living).await.name;
    let second = world.submitted(Category::Other).await.name;
    // A working day to sort them out, and one more.
    world.at("2022-04-07T16:00:01Z");
    world.mails(SCHOOL, "told", 4).await;
    assert_eq!(world.mail(BUREAU, "told").await, []);
    world.at("2022-04-08T16:00:01Z");
    until(async || (world.counted_above(BUREAU, UNSORTED).await == 2).then_some(())).await;
    // One is sorted out and answered, the other sorted out only.
    world.answered(&first).await;
    let triaged = world.triage(&principal(), &second, Category::Other).await;
    triaged.expect("triaged");
    world.at("2022-04-27T16:00:01Z");
    world.mails(SCHOOL, "told", 5).await;
    assert_eq!(world.counted_above(BUREAU, UNANSWERED).await, 0);
    world.at("2022-06-10T16:00:01Z");
    until(async || (world.counted_above(BUREAU, UNANSWERED).await == 1).then_some(())).await;
    assert_eq!(world.counted_above(BUREAU, UNSORTED).await, 2);
    assert_eq!(
        world.mail(CITY, "told").await,
        [],
        "only the one right above"
    );
    // It is not said which concern it is.
    let named = "SELECT COUNT(*) FROM messages WHERE body LIKE '%下级单位%' \
                 AND basis <> 'organizations/2135010001'";
    assert_eq!(number(&world.db, named).await, 0);
}

async fn the_bureau_hears_once_of_care_that_is_left(scratch: Scratch) {
    let world = with_duties(scratch).await;
    let kept = [clearance(1, 1, Some(morning()))];
    world.hear_clearance(&kept, 1).await;
    // Lessons, exercise and a call.
    let planned = "SELECT COUNT(*) FROM care_tasks";
    until(async || (number(&world.db, planned).await == 3).then_some(())).await;
    world.at("2022-04-06T12:00:01Z");
    until(async || {
        let overdue = Store::is_task_overdue(world.db.read(), world.clock.now()).await;
        (!overdue.expect("read")).then_some(())
    })
    .await;
    assert_eq!(world.mail(&staff(50), "told").await, []);
    // Lessons were due 18 hours after the day began, the others 20: as long again, and a second.
    world.at("2022-04-07T08:00:01Z");
    let expected = [1, 2]
        .map(|count| format!("下级学校有 {count} 项居家学生关爱任务逾期后仍未完成，请督促落实"));
    assert_eq!(world.heard_above(&staff(50), 2).await, expected);
    assert_eq!(world.mail(BUREAU, "told").await, []);
    // It is not said whose.
    let named = "SELECT COUNT(*) FROM messages WHERE body LIKE '%下级学校%' \
                 AND basis <> 'organizations/2135010001'";
    assert_eq!(number(&world.db, named).await, 0);
    // The tasks of the day after are told once more; those of the first are not.
    until(async || (number(&world.db, planned).await == 6).then_some(())).await;
    world.at("2022-04-08T08:00:01Z");
    world.heard_above(&staff(50), 4).await;
}

async fn the_bureau_hears_once_of_a_contact_that_is_left(scratch: Scratch) {
    const UNMADE: &str = "下级学校的心理支持工作有联系逾期后仍未落实，请督促落实";
    let world = with_duties(scratch).await;
    let opened = world.opened(Grade::Red).await;
    world
        .clock
        .advance(Duration::hours(24) + Duration::seconds(1));
    world.mails(&staff(3), "told", 1).await;
    assert_eq!(world.mail(&staff(51), "told").await, []);
    world.clock.advance(Duration::hours(24));
    assert_eq!(world.heard_above(&staff(51), 1).await, [UNMADE]);
    let second = world.opened(Grade::Red).await;
    world.clock.advance(Duration::hours(49));
    assert_eq!(world.heard_above(&staff(51), 2).await, [UNMADE, UNMADE]);
    for case in [&opened.name, &second.name] {
        let id = id_of(case).hyphenated().to_string();
        world.is_in_no_message(&id).await;
    }
}
