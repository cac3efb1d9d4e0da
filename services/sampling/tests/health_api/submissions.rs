//! How often one check is submitted.

use kit::scratch::Scratch;
use proto::roster::check_policy::Slot;
use proto::sampling::submit_check_response::Verdict;

use super::screening_site::{FIRST, Site, group};
use super::site::refused;
use super::town::{SCHOOL, on_both_databases, reason};

on_both_databases!(a_check_is_submitted_fifty_times_at_most);

async fn a_check_is_submitted_fifty_times_at_most(database: Scratch) {
    let site = Site::open(database).await;
    let check = || site.zero(&group(SCHOOL, FIRST), Slot::Morning);
    let first = check();
    site.submit(&first).await;
    for _ in 1..50 {
        site.submit(&check()).await;
    }
    let more = site.try_submit(&check()).await.expect_err("too often");
    assert_eq!(reason(&more), refused("CHECK_SUBMISSIONS"));
    let (verdict, _) = site.submit(&first).await;
    assert_ne!(verdict, Verdict::Stored, "a repeat changes nothing");
}
