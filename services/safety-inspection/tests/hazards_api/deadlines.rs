//! What time does: overdue, up to district and city, and progress that does not come.

use std::time::Duration;

use proto::safety as pb;
use proto::safety::accountability_record::Act;
use proto::safety::hazard::{Escalation, Grade};

use crate::city::hazards::*;
use crate::city::on_both;
use crate::city::tree::{self, CITY_DEPUTY, DISTRICT_DEPUTY, WARDEN};
use crate::city::world::World;
use crate::city::{SCHOOL, staff};

on_both!(
    an_overdue_hazard_goes_to_the_district_and_then_to_the_city,
    late_progress_on_a_major_hazard_is_marked_and_told,
    the_time_of_the_review_is_not_the_owners,
    a_review_that_does_not_end_is_told_and_goes_up,
);

/// Waits until the hazard is as it should be, at most ten seconds.
async fn until(desk: &mut Desk, name: &str, is_so: impl Fn(&pb::Hazard) -> bool) -> pb::Hazard {
    for _ in 0..200 {
        let hazard = desk.get(CITY, get(name)).await.expect("read");
        if is_so(&hazard) {
            return hazard;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("time does nothing to the hazard");
}

async fn trail(desk: &mut Desk, name: &str) -> Vec<(Act, String)> {
    let request = pb::ListAccountabilityRecordsRequest {
        parent: SCHOOL.to_owned(),
        hazard: name.to_owned(),
        ..Default::default()
    };
    let request = desk.by(CITY, request);
    let found = desk.accountability.list_accountability_records(request);
    let found = found.await.expect("listed").into_inner();
    let records = found.accountability_records.into_iter().rev();
    let told = records.map(|record| (record.act(), record.staff_member));
    told.collect()
}

async fn an_overdue_hazard_goes_to_the_district_and_then_to_the_city(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("hall").await;
    let kept = desk.found("gym").await;
    desk.rectifying(&name, Grade::General).await;
    desk.world.clock.advance(chrono::Duration::days(5));
    let hazard = desk.get(CITY, get(&name)).await.expect("read");
    assert!(!hazard.overdue, "the last day counts");
    desk.world.clock.advance(chrono::Duration::days(1));
    let up = |escalation| move |hazard: &pb::Hazard| hazard.escalation() == escalation;
    let hazard = until(&mut desk, &name, up(Escalation::District)).await;
    assert!(hazard.overdue);
    let list = pb::ListHazardsRequest {
        parent: tree::BUREAU.to_owned(),
        overdue: true,
        ..Default::default()
    };
    let list = desk.by(DISTRICT, list);
    let found = desk.hazards.list_hazards(list).await.expect("listed");
    let found = found.into_inner().hazards;
    assert_eq!(found.len(), 1, "{kept} still has time");
    assert_eq!(found[0].name, name);

    desk.world.clock.advance(chrono::Duration::days(7));
    until(&mut desk, &name, up(Escalation::City)).await;
    let told = trail(&mut desk, &name).await;
    let expected = [
        (Act::Found, staff(WARDEN)),
        (Act::Assigned, staff(WARDEN)),
        (Act::Overdue, staff(WARDEN)),
        (Act::Escalated, staff(DISTRICT_DEPUTY)),
        (Act::Escalated, staff(CITY_DEPUTY)),
    ];
    // Two records of one instant have no order.
    let sorted = |mut told: Vec<(Act, String)>| {
        told.sort_by_key(|(act, person)| (*act as i32, person.clone()));
        told
    };
    assert_eq!(sorted(told), sorted(expected.to_vec()));
    let closed = desk.closed(&name).await;
    assert!(!closed.overdue);
}

async fn late_progress_on_a_major_hazard_is_marked_and_told(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("hall").await;
    desk.verify(OFFICER, verify(&name, Grade::Major))
        .await
        .expect("verified");
    desk.control(OFFICER, control(&name))
        .await
        .expect("controlled");
    let assign = desk.fixes(&name, 25);
    desk.assign(OFFICER, assign).await.expect("assigned");
    let begun = desk.rectify(OWNER, rectify(&name)).await.expect("begun");
    assert_eq!(begun.progress_due_date, Some(desk.day(7)));
    let mut reported = Vec::new();
    for days in [7, 8] {
        desk.world.clock.advance(chrono::Duration::days(days));
        let request = pb::ReportHazardProgressRequest {
            name: name.clone(),
            progress_report: Some(pb::HazardProgressReport {
                description: "按计划进行".to_owned(),
                percent: 30,
                ..Default::default()
            }),
            request_id: String::new(),
        };
        if days == 8 {
            let due = desk.get(CITY, get(&name)).await.expect("read");
            assert!(due.progress_overdue);
            for _ in 0..200 {
                let told = trail(&mut desk, &name).await;
                if told.contains(&(Act::ProgressOverdue, staff(WARDEN))) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let told = trail(&mut desk, &name).await;
            assert!(told.contains(&(Act::ProgressOverdue, staff(WARDEN))));
        }
        let request = desk.by(OWNER, request);
        let answer = desk.hazards.report_hazard_progress(request).await;
        reported.push(answer.expect("reported").into_inner().late);
    }
    assert_eq!(reported, [false, true]);
    let list = pb::ListHazardProgressReportsRequest {
        parent: name.clone(),
        ..Default::default()
    };
    let list = desk.by(DISTRICT, list);
    let found = desk.hazards.list_hazard_progress_reports(list).await;
    let found = found.expect("listed").into_inner().progress_reports;
    let late: Vec<bool> = found.iter().map(|report| report.late).collect();
    assert_eq!(late, reported);
}

async fn the_time_of_the_review_is_not_the_owners(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("hall").await;
    let other = desk.found("gym").await;
    desk.rectifying(&name, Grade::General).await;
    desk.rectifying(&other, Grade::General).await;
    // Due in five days, and reported as removed on the fourth.
    desk.world.clock.advance(chrono::Duration::days(4));
    let submit = desk.submission(&name, vec![desk.photo(2)]);
    desk.submit(OWNER, submit).await.expect("submitted");
    desk.world.clock.advance(chrono::Duration::days(2));
    let up = |hazard: &pb::Hazard| hazard.escalation() == Escalation::District;
    until(&mut desk, &other, up).await;
    let waiting = desk.get(CITY, get(&name)).await.expect("read");
    assert_eq!(
        (waiting.overdue, waiting.escalation()),
        (false, Escalation::Unspecified)
    );
    let list = pb::ListHazardsRequest {
        parent: tree::BUREAU.to_owned(),
        overdue: true,
        ..Default::default()
    };
    let list = desk.by(DISTRICT, list);
    let found = desk.hazards.list_hazards(list).await.expect("listed");
    let found = found.into_inner().hazards;
    let names: Vec<_> = found.iter().map(|hazard| &*hazard.name).collect();
    assert_eq!(names, [&*other]);
    // It is given back, with the day that was left.
    desk.review(DISTRICT, review(&name))
        .await
        .expect("reviewed");
    let returned = desk.give_back(DISTRICT, give_back(&name)).await;
    let returned = returned.expect("returned");
    assert_eq!(
        (returned.overdue, returned.due_date),
        (false, Some(desk.day(1)))
    );
    desk.world.clock.advance(chrono::Duration::days(2));
    assert!(until(&mut desk, &name, up).await.overdue);
    let told = trail(&mut desk, &name).await;
    let late = told.iter().filter(|(act, _)| *act == Act::Overdue);
    assert_eq!(late.count(), 1);
}

async fn a_review_that_does_not_end_is_told_and_goes_up(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("hall").await;
    desk.rectifying(&name, Grade::General).await;
    let submit = desk.submission(&name, vec![desk.photo(2)]);
    let submitted = desk.submit(OWNER, submit).await.expect("submitted");
    assert_eq!(submitted.review_due_date, Some(desk.day(3)));
    // Its owner answers for it at the school, so the bureau is to review it.
    let district = staff(DISTRICT_DEPUTY);
    let told = trail(&mut desk, &name).await;
    assert!(
        told.contains(&(Act::Submitted, district.clone())),
        "{told:?}"
    );
    desk.world.clock.advance(chrono::Duration::days(4));
    let up = |hazard: &pb::Hazard| hazard.escalation() == Escalation::District;
    let late = until(&mut desk, &name, up).await;
    assert!(late.review_overdue && !late.overdue);
    let told = trail(&mut desk, &name).await;
    for act in [Act::ReviewOverdue, Act::Escalated] {
        assert!(told.contains(&(act, district.clone())), "{told:?}");
    }
}
