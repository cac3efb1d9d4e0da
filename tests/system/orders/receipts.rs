//! The order of the meeting on its way down: signed for minute by minute to the last class group, and
//! each demand with its owner.

use proto::notification::level_progress::Level;
use proto::notification::{Directive, DirectiveProgress};
use tests::town::{school, school_path};

use super::april_evening::DEMANDS;
use super::steps::{SIGN, Step, progress, recipients, step, steps};
use crate::region::{Place, Region, far, municipal};
use crate::verbs::denied;

/// Of a level: how many, how many signed, and the minutes from the order until the first, half, nine of
/// ten and the last had.
type Receipts = (Level, i32, i32, [i32; 4]);

fn receipts(progress: &DirectiveProgress) -> Vec<Receipts> {
    let levels = progress.levels.iter();
    levels
        .map(|one| {
            let minutes = [
                one.first_minutes,
                one.median_minutes,
                one.p90_minutes,
                one.last_minutes,
            ];
            (
                one.level(),
                one.recipient_count,
                one.acknowledged_count,
                minutes,
            )
        })
        .collect()
}

/// Who signs and relays how many minutes after the order, and the last class group alone.
fn timeline(region: &Region) -> (Vec<(i64, Place)>, (i64, Place)) {
    let own = |at: u32| (school(at), school_path(at));
    let class = |school: &Place, number: usize| region.class_groups(school)[number].clone();
    let [first, second] = region.bureaus();
    let before = vec![
        (3, municipal()),
        (5, class(&municipal(), 0)),
        (6, first),
        (11, own(1)),
        (13, class(&own(1), 0)),
        (14, class(&own(1), 1)),
        (15, own(2)),
        (18, class(&own(2), 0)),
        (19, class(&own(2), 1)),
        (20, second),
        (30, far()),
        (33, class(&far(), 0)),
        (41, own(3)),
        (47, class(&own(3), 0)),
    ];
    (before, (55, class(&own(3), 1)))
}

/// Within the hour the order is known in every class group, and the city sees how soon.
pub(super) async fn is_signed_down_to_the_last_class(region: &Region, order: &Directive) {
    let (name, city) = (&*order.name, region.officer("chief"));
    let (before, (last_minute, last)) = timeline(region);
    for (minute, place) in &before {
        region.at(6, 21, 40 + minute);
        let door = region.acting(place);
        steps(&door, name, &place.0, &SIGN).await;
        if !place.0.contains('~') {
            steps(
                &door,
                name,
                &place.0,
                &[Step::Relay(&order.text_sha256, "")],
            )
            .await;
        }
    }
    let so_far = progress(&city, name).await.expect("progress");
    assert_eq!(
        receipts(&so_far),
        [
            (Level::District, 2, 2, [6, 6, 20, 20]),
            (Level::School, 5, 5, [3, 15, 41, 41]),
            (Level::ClassGroup, 8, 7, [5, 18, -1, -1]),
        ]
    );
    region.at(6, 21, 40 + last_minute);
    let sibling = (before.last().expect("somebody")).1.clone();
    for wrong in [sibling, (school(3), school_path(3))] {
        let door = region.acting(&wrong);
        denied(
            "another class",
            step(&door, name, &last.0, Step::Deliver).await,
        );
    }
    steps(&region.acting(&last), name, &last.0, &SIGN).await;
    let all = progress(&city, name).await.expect("progress");
    assert_eq!(
        receipts(&all)[2],
        (Level::ClassGroup, 8, 8, [5, 18, 55, 55]),
        "the last class group signs 55 minutes after the order"
    );
    every_demand_is_owned(region, name).await;
}

/// At a school by whoever has the duty there, in a class group by its head teacher.
async fn every_demand_is_owned(region: &Region, name: &str) {
    let place = (school(1), school_path(1));
    let listed = recipients(&region.acting(&place), name)
        .await
        .expect("its own");
    assert_eq!(listed.len(), 3, "the school and its class groups");
    for one in &listed {
        let items: Vec<_> = one.items.iter().map(|item| &*item.item_id).collect();
        assert_eq!(items, DEMANDS.map(|demand| demand.id));
        for item in &one.items {
            assert!(
                item.owner.starts_with("staff/") && item.due_date.is_some(),
                "{item:?}"
            );
        }
    }
    let owner = |id: &str| {
        let item = listed[0].items.iter().find(|item| item.item_id == id);
        item.expect("the demand").owner.as_str()
    };
    let holder = |post: &str| region.staff(&place.0, post);
    assert_eq!(owner("sampling"), holder("疫情报告人"));
    assert_eq!(owner("hazards"), holder("安全副校长"));
    assert_eq!(owner("duty"), holder("校长"));
    assert_eq!(owner("concerns"), holder("心理教师"));
}
