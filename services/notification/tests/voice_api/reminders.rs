//! Reminders of support and care, and the words of an answer: they name neither a case nor anybody.

use chrono::Duration;
use kit::scratch::Scratch;
use proto::notification::concern::Category;
use proto::notification::support_case::{CloseReason, Grade};

use crate::town::classes::answers;
use crate::town::counsellors::{Walk, case};
use crate::town::voices::{counsellor, id_of, until};
use crate::town::world::World;
use crate::town::{self, SCHOOL, SCHOOL_PATH, on_both, staff};

on_both!(
    a_counsellor_is_reminded_then_told_with_the_head_each_once,
    a_contact_in_time_puts_the_reminder_off,
    whoever_answers_for_psychology_is_reminded_where_the_counsellor_is_not_known,
    an_answer_is_told_in_the_words_of_its_template,
);

/// The counsellor, the head and who answers for psychology.
async fn school(scratch: Scratch) -> World {
    let world = World::peopled(scratch).await;
    let duties = [("OVERALL_HEAD", "", 1), ("PSYCHOLOGY", "", 7)];
    let duties = answers(SCHOOL_PATH, 9, &duties);
    town::roster(&world.db, &[duties], 1).await;
    world
}

/// What somebody is told of support, in Chinese.
async fn told(world: &World, party: &str) -> Vec<String> {
    let mail = world.mail(party, "told").await;
    mail.into_iter()
        .map(|mut one| one.remove("what").expect("words"))
        .collect()
}

async fn heard(world: &World, party: &str, count: usize) -> Vec<String> {
    let heard = until(async || {
        let told = told(world, party).await;
        (told.len() >= count).then_some(told)
    });
    let heard = heard.await;
    assert_eq!(heard.len(), count, "{party}: {heard:?}");
    heard
}

const SOON: &str = "您负责的心理支持工作临近联系时限，请登录办理";
const OVERDUE: &str = "您负责的心理支持工作已超过联系时限，请立即联系";
const NEGLECTED: &str = "本校心理支持工作有联系超过时限，请督促心理教师立即落实";

async fn a_counsellor_is_reminded_then_told_with_the_head_each_once(scratch: Scratch) {
    let mut world = school(scratch).await;
    let opened = world.opened(Grade::Red).await;
    world
        .clock
        .advance(Duration::hours(18) + Duration::seconds(1));
    assert_eq!(heard(&world, &staff(3), 1).await, [SOON]);
    assert_eq!(told(&world, &staff(1)).await, Vec::<String>::new());
    world.clock.advance(Duration::hours(6));
    assert_eq!(heard(&world, &staff(1), 1).await, [NEGLECTED]);
    assert_eq!(heard(&world, &staff(3), 2).await, [SOON, OVERDUE]);
    // Neither the restart of the service nor another replica tells it again.
    world.stop().await;
    world.start().await;
    let other = world.replica().await;
    let second = world.opened(Grade::Red).await;
    world.clock.advance(Duration::hours(25));
    heard(&world, &staff(1), 2).await;
    heard(&world, &staff(3), 3).await;
    other.stop().await.expect("stopped");
    // No message names a case.
    for case in [&opened.name, &second.name] {
        let id = id_of(case).hyphenated().to_string();
        let tables = town::scan::tables_with(&world.db, &id).await;
        let messages = ["messages", "notices", "deliveries", "told"];
        assert!(
            !tables.iter().any(|table| messages.contains(&&**table)),
            "{tables:?}"
        );
    }
}

async fn a_contact_in_time_puts_the_reminder_off(scratch: Scratch) {
    let world = school(scratch).await;
    let opened = world.opened(Grade::Red).await;
    world.walked(&opened.name, &[Walk::Grade(Grade::Red)]).await;
    world.clock.advance(Duration::hours(17));
    world
        .contact(&counsellor(), &opened.name)
        .await
        .expect("contacted");
    // Another one, to know when the service has looked.
    world.clock.advance(Duration::hours(2));
    let orange = world.opened(Grade::Orange).await;
    assert_eq!(told(&world, &staff(3)).await, Vec::<String>::new());
    world
        .clock
        .advance(Duration::hours(16) + Duration::seconds(1));
    assert_eq!(heard(&world, &staff(3), 1).await, [SOON]);
    let end = [
        Walk::Grade(Grade::Blue),
        Walk::Support,
        Walk::FollowUp,
        Walk::Close(CloseReason::Recovered),
    ];
    world.walked(&opened.name, &end).await;
    world.clock.advance(Duration::days(6));
    assert!(
        world
            .read(&counsellor(), &orange.name)
            .await
            .expect("read")
            .contact_due_time
            .is_some()
    );
    assert_eq!(heard(&world, &staff(3), 2).await, [SOON, SOON]);
    assert_eq!(told(&world, &staff(1)).await, Vec::<String>::new());
}

async fn whoever_answers_for_psychology_is_reminded_where_the_counsellor_is_not_known(
    scratch: Scratch,
) {
    let world = school(scratch).await;
    let mut unknown = counsellor();
    unknown.person = None;
    let opened = world.open_case(&unknown, SCHOOL, case(Grade::Red)).await;
    opened.expect("opened");
    world.clock.advance(Duration::hours(19));
    assert_eq!(heard(&world, &staff(7), 1).await, [SOON]);
    assert_eq!(told(&world, &staff(3)).await, Vec::<String>::new());
}

async fn an_answer_is_told_in_the_words_of_its_template(scratch: Scratch) {
    let world = school(scratch).await;
    let concern = world.submitted(Category::Other).await;
    world.answered(&concern.name).await;
    let mail = world.mails(&town::family(1), "concern-answered", 1).await;
    let expected = id_of(&concern.name).hyphenated().to_string();
    assert_eq!(
        (&*mail[0]["number"], &*mail[0]["organization"]),
        (&*expected, SCHOOL)
    );
    assert_eq!(mail[0]["until"], "2022-04-13");
}
