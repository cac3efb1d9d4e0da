//! Orders, alerts and voices across the five services, as those who work with them see them through
//! the gateway: an April evening from the notice of a meeting to the last report; an illness that
//! somebody must see to; and what parents, pupils and other systems have to say. At each step somebody
//! who may not is turned away.

mod alerts;
#[path = "../../../services/notification/tests/town/april_evening.rs"]
mod april_evening;
mod attendance;
mod concerns;
mod execution;
mod inbox;
mod meeting;
mod notice;
mod post;
mod receipts;
mod steps;
mod support;
mod warnings;

use tests::city::Store;

use crate::region::Region;

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_from_its_notice_to_the_last_report_sqlite() {
    a_meeting(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_from_its_notice_to_the_last_report_postgres() {
    a_meeting(Store::Postgres).await;
}

async fn a_meeting(store: Store) {
    let Some(region) = Region::open(store).await else {
        return;
    };
    let notice = notice::is_issued(&region).await;
    let meeting = meeting::is_called(&region, &notice).await;
    notice::reaches_every_school(&region, &notice).await;
    attendance::lets_substitutes_come(&region, &meeting).await;
    meeting::of_another_day_is_called_off(&region).await;
    attendance::is_held(&region, &meeting).await;
    let order = meeting::becomes_an_order(&region, &meeting).await;
    receipts::is_signed_down_to_the_last_class(&region, &order).await;
    execution::is_carried_out(&region, &order).await;
    execution::ends_with_the_last_school(&region, &order).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_reaches_somebody_who_sees_to_it_sqlite() {
    an_alert(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_reaches_somebody_who_sees_to_it_postgres() {
    an_alert(Store::Postgres).await;
}

async fn an_alert(store: Store) {
    let Some(region) = Region::open(store).await else {
        return;
    };
    let cluster = alerts::reaches_its_owner(&region).await;
    alerts::is_taken_over_and_ends_with_its_fact(&region, &cluster).await;
    alerts::goes_up_when_nobody_acts(&region).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn voices_are_heard_and_kept_in_confidence_sqlite() {
    voices(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn voices_are_heard_and_kept_in_confidence_postgres() {
    voices(Store::Postgres).await;
}

async fn voices(store: Store) {
    let Some(region) = Region::open(store).await else {
        return;
    };
    the_voices(&region).await;
    warnings::come_in_and_go_out(&region).await;
}

/// What parents, a pupil and a counsellor of the first school have to say, and what the school tells families.
pub(crate) async fn the_voices(region: &Region) {
    concerns::of_a_parent_is_answered_until_it_satisfies(region).await;
    concerns::of_nobody_comes_back_by_its_code(region).await;
    support::is_the_counsellors_alone(region).await;
    post::is_read_and_says_so(region).await;
}
