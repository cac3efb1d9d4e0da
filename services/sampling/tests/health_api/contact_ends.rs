//! The control of a contact ends by the result that it lacks, and by no other (rule 2.21).

use chrono::Duration;
use proto::roster::Disease;
use proto::sampling::ResultValue;

use super::cases::{of_person, open};
use super::contacts::{add, contact, negative, not_clear};
use super::site::Site;
use super::town::on_both_databases;

on_both_databases!(
    a_control_ends_at_once_by_the_result_that_it_lacked,
    a_result_that_is_not_negative_ends_no_control,
    a_result_of_a_day_before_the_last_ones_ends_no_control,
);

/// Contacts 2 and 3 of a case for 21 days, when so many of these are over.
async fn after_days(database: kit::scratch::Scratch, days: i64) -> Site {
    let site = Site::open(database).await;
    let case = open(&site, of_person(1, Disease::Covid19)).await.name;
    let contacts = vec![contact(&site, 2), contact(&site, 3)];
    add(&site, &case, contacts).await.expect("added");
    let begin = kit::clock::start_of(site.0.today());
    site.0.clock.set(begin + Duration::days(days));
    site
}

/// The days of everybody's control are over; nobody waits for anything but results.
async fn nothing_is_due(site: &Site) {
    let begin = kit::clock::start_of(site.0.today());
    site.0.clock.set(begin + Duration::days(1));
    for _ in 0..400 {
        let sql = "SELECT COUNT(*) FROM deadlines WHERE kind = 12";
        if site.count(sql).await == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("somebody looks for results again and again");
}

async fn a_control_ends_at_once_by_the_result_that_it_lacked(database: kit::scratch::Scratch) {
    let site = after_days(database, 21).await;
    nothing_is_due(&site).await;
    assert_eq!(site.not_clear().await, 2);
    site.single("SG-0200", "", 2).await;
    let now = site.0.now();
    assert!(site.report("SG-0200", 1, ResultValue::Negative).await.0);
    not_clear(&site, 1).await;
    assert_eq!(site.0.now(), now, "no time passes");
}

async fn a_result_that_is_not_negative_ends_no_control(database: kit::scratch::Scratch) {
    let site = after_days(database, 21).await;
    negative(&site, "SG-0300", 2).await;
    assert!(site.report("SG-0300", 2, ResultValue::Invalid).await.0);
    nothing_is_due(&site).await;
    assert_eq!(site.not_clear().await, 2, "it was corrected");
    site.single("SG-0301", "", 2).await;
    assert!(site.report("SG-0301", 1, ResultValue::Positive).await.0);
    assert!(site.report("SG-0301", 2, ResultValue::Invalid).await.0);
    // Deadlines are handled in their order: once the other one is free, no earlier one is left.
    site.0.clock.advance(Duration::seconds(1));
    negative(&site, "SG-0302", 3).await;
    not_clear(&site, 1).await;
    assert!(site.report("SG-0301", 3, ResultValue::Negative).await.0);
    not_clear(&site, 0).await;
}

async fn a_result_of_a_day_before_the_last_ones_ends_no_control(database: kit::scratch::Scratch) {
    let site = after_days(database, 19).await;
    site.single("SG-0400", "", 2).await;
    site.0.clock.advance(Duration::days(2));
    nothing_is_due(&site).await;
    assert!(site.report("SG-0400", 1, ResultValue::Negative).await.0);
    site.0.clock.advance(Duration::seconds(1));
    negative(&site, "SG-0401", 3).await;
    not_clear(&site, 1).await;
}
