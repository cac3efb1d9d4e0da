//! Who was told what and when they saw it, and where nobody answers.

use kit::auth::Role;
use proto::safety as pb;
use proto::safety::accountability_record::Act;
use proto::safety::hazard::Grade;

use crate::city::hazards::*;
use crate::city::on_both;
use crate::city::tree::{self, DEPUTY, DISTRICT_DEPUTY, TEACHER, WARDEN, duties};
use crate::city::world::{World, told};
use crate::city::{OTHER_PATH, SCHOOL, SCHOOL_PATH, roster, staff};

on_both!(
    each_telling_is_a_record_that_its_person_sees,
    whoever_acts_has_seen,
    a_major_hazard_is_reported_to_the_bureau,
    a_hand_over_relieves_and_assigns,
    gaps_are_found_below_a_bureau,
    a_hazard_whose_owner_left_is_a_gap,
    nobody_answers_is_a_finding_and_no_owner,
);

fn records(hazard: &str, person: &str) -> pb::ListAccountabilityRecordsRequest {
    pb::ListAccountabilityRecordsRequest {
        parent: SCHOOL.to_owned(),
        hazard: hazard.to_owned(),
        staff_member: person.to_owned(),
        ..Default::default()
    }
}

async fn list(
    desk: &mut Desk,
    who: Who,
    request: pb::ListAccountabilityRecordsRequest,
) -> Vec<pb::AccountabilityRecord> {
    let request = desk.by(who, request);
    let found = desk.accountability.list_accountability_records(request);
    found
        .await
        .expect("listed")
        .into_inner()
        .accountability_records
}

async fn each_telling_is_a_record_that_its_person_sees(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("hall").await;
    // A teacher with the scope of one class group sees what they themselves were told.
    let own = list(&mut desk, OWNER, records("", &staff(WARDEN))).await;
    assert_eq!((own.len(), own[0].act()), (1, Act::Found));
    assert_eq!((&own[0].hazard, &own[0].see_time), (&name, &None));
    assert_eq!(own[0].organization, SCHOOL);
    let acknowledge = pb::AcknowledgeAccountabilityRecordRequest {
        name: own[0].name.clone(),
        request_id: String::new(),
    };
    for other in [OFFICER, CITY, GUARD] {
        let request = desk.by(other, acknowledge.clone());
        let status = desk
            .accountability
            .acknowledge_accountability_record(request);
        let status = status.await.expect_err("not theirs");
        assert_eq!(told(&status).1, "SCOPE_DENIED");
    }
    let mut seen = Vec::new();
    for _ in 0..2 {
        let request = desk.by(OWNER, acknowledge.clone());
        let answer = desk
            .accountability
            .acknowledge_accountability_record(request);
        seen.push(answer.await.expect("seen").into_inner().see_time);
        desk.world.clock.advance(chrono::Duration::minutes(1));
    }
    assert!(
        seen[0].is_some() && seen[0] == seen[1],
        "the first time counts"
    );
    let unseen = pb::ListAccountabilityRecordsRequest {
        unseen: true,
        ..records(&name, "")
    };
    assert!(list(&mut desk, OFFICER, unseen).await.is_empty());

    let others = desk.by(OWNER, records("", &staff(DEPUTY)));
    let status = desk.accountability.list_accountability_records(others);
    assert_eq!(
        told(&status.await.expect_err("not theirs")).1,
        "SCOPE_DENIED"
    );
    let elsewhere = (DEPUTY, Role::SafetyOfficer, OTHER_PATH);
    let elsewhere = desk.by(elsewhere, records(&name, ""));
    let status = desk.accountability.list_accountability_records(elsewhere);
    assert_eq!(told(&status.await.expect_err("denied")).1, "SCOPE_DENIED");
}

async fn whoever_acts_has_seen(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("hall").await;
    desk.rectifying(&name, Grade::General).await;
    desk.remind(OFFICER, remind(&name)).await.expect("reminded");
    let told = list(&mut desk, OFFICER, records(&name, &staff(WARDEN))).await;
    let seen: Vec<_> = told
        .iter()
        .map(|record| (record.act(), record.see_time.is_some()))
        .collect();
    assert!(seen.contains(&(Act::Found, true)) && seen.contains(&(Act::Assigned, true)));
    assert!(seen.contains(&(Act::Reminded, false)));
}

async fn a_hand_over_relieves_and_assigns(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("hall").await;
    desk.rectifying(&name, Grade::General).await;
    let request = pb::HandOverHazardRequest {
        name: name.clone(),
        owner: staff(TEACHER),
        reason: "原责任人调岗".to_owned(),
        request_id: String::new(),
    };
    let nobody = pb::HandOverHazardRequest {
        owner: staff(999),
        ..request.clone()
    };
    let status = desk.hand_over(OFFICER, nobody).await;
    refused(status, "STAFF_MEMBER_UNKNOWN");
    let moved = desk.hand_over(OFFICER, request).await.expect("handed over");
    assert_eq!(moved.fixes.expect("fixes").owner, staff(TEACHER));
    let relieved = list(&mut desk, OFFICER, records(&name, &staff(WARDEN))).await;
    assert!(relieved.iter().any(|record| record.act() == Act::Relieved));
    let next = list(&mut desk, OFFICER, records(&name, &staff(TEACHER))).await;
    assert_eq!(next[0].act(), Act::Assigned);
    // The one relieved has no more to do with it.
    let submit = desk.submission(&name, vec![desk.photo(2)]);
    let status = desk.submit(OWNER, submit.clone()).await;
    assert_eq!(told(&status.expect_err("not theirs")).1, "SCOPE_DENIED");
    let successor = (TEACHER, OWNER.1, OWNER.2);
    desk.submit(successor, submit).await.expect("submitted");
}

async fn gaps(desk: &mut Desk, who: Who, parent: &str, size: i32) -> Vec<pb::Gap> {
    let mut gaps = Vec::new();
    let mut request = pb::ListGapsRequest {
        parent: parent.to_owned(),
        page_size: size,
        page_token: String::new(),
    };
    loop {
        let asked = desk.by(who, request.clone());
        let page = desk.accountability.list_gaps(asked).await.expect("listed");
        let page = page.into_inner();
        gaps.extend(page.gaps);
        if page.next_page_token.is_empty() {
            return gaps;
        }
        request.page_token = page.next_page_token;
    }
}

async fn gaps_are_found_below_a_bureau(world: World) {
    let mut desk = Desk::new(world).await;
    // The bureau answers for all below it, which is nobody of their own.
    let names = |gaps: &[pb::Gap]| -> Vec<String> {
        gaps.iter().map(|gap| gap.organization.clone()).collect()
    };
    let own = [
        tree::SISTER,
        "organizations/3135010001",
        "organizations/4135010001",
    ];
    let found = gaps(&mut desk, DISTRICT, tree::BUREAU, 0).await;
    assert_eq!(names(&found), own);
    // In the other district only the city answers.
    let found = gaps(&mut desk, CITY, tree::CITY, 2).await;
    let others = [
        "organizations/350103",
        "organizations/2135010002",
        "organizations/5135010001",
    ];
    assert_eq!(names(&found), [own, others].concat());
    assert!(found[3].subjects.iter().any(|subject| subject == "FIRE"));

    let mut request = desk.blocked_exit("hall");
    request.parent = "organizations/2135010002".to_owned();
    let hazard = desk.report(CITY, request).await.expect("reported");
    let warden = duties(OTHER_PATH, 3, &[("FOOD", "", 71)]);
    roster(&desk.world.db, &[warden], 2).await;
    let found = gaps(&mut desk, CITY, tree::CITY, 0).await;
    let school = found
        .iter()
        .find(|gap| gap.organization.ends_with("2135010002"));
    let school = school.expect("a gap");
    assert_eq!(school.hazards, [hazard.name]);
    assert!(!school.subjects.iter().any(|subject| subject == "FOOD"));
    let head = duties(OTHER_PATH, 4, &[("OVERALL_HEAD", "", 72)]);
    roster(&desk.world.db, &[head], 2).await;
    let found = gaps(&mut desk, CITY, tree::CITY, 0).await;
    assert!(
        found
            .iter()
            .all(|gap| !gap.organization.ends_with("2135010002"))
    );

    let asked = pb::ListGapsRequest {
        parent: tree::BUREAU.to_owned(),
        ..Default::default()
    };
    let asked = desk.by(OFFICER, asked);
    let status = desk.accountability.list_gaps(asked).await;
    assert_eq!(told(&status.expect_err("denied")).1, "SCOPE_DENIED");
}

async fn a_hazard_whose_owner_left_is_a_gap(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("hall").await;
    desk.rectifying(&name, Grade::General).await;
    let of_school = |found: Vec<pb::Gap>| found.into_iter().find(|gap| gap.organization == SCHOOL);
    let found = gaps(&mut desk, OFFICER, SCHOOL, 0).await;
    assert_eq!(of_school(found), None);
    let left = tree::employees(SCHOOL_PATH, 3, &[(TEACHER, "TEACHER")]);
    roster(&desk.world.db, &[left], 2).await;
    let found = of_school(gaps(&mut desk, OFFICER, SCHOOL, 0).await);
    let found = found.expect("a gap");
    assert_eq!((&found.hazards[..], found.subjects.len()), (&[name][..], 0));
}

async fn nobody_answers_is_a_finding_and_no_owner(world: World) {
    let mut desk = Desk::new(world).await;
    let nobody = [SCHOOL_PATH, tree::BUREAU_PATH, tree::CITY_PATH];
    let nobody = nobody.map(|path| duties(path, 3, &[]));
    roster(&desk.world.db, &nobody, 2).await;
    let name = desk.found("hall").await;
    let found = list(&mut desk, OFFICER, records(&name, "")).await;
    assert_eq!((found[0].act(), &*found[0].staff_member), (Act::Found, ""));
    desk.verify(OFFICER, verify(&name, Grade::General))
        .await
        .expect("verified");
    let assign = desk.fixes(&name, 5);
    let status = desk.assign(OFFICER, assign).await.expect_err("nobody");
    assert_eq!(told(&status).1, "HAZARD_UNOWNED");
}

/// Rule 5.2.
async fn a_major_hazard_is_reported_to_the_bureau(world: World) {
    let mut desk = Desk::new(world).await;
    let major = desk.found("hall").await;
    let general = desk.found("gym").await;
    for (name, grade) in [(&major, Grade::Major), (&general, Grade::General)] {
        desk.verify(OFFICER, verify(name, grade))
            .await
            .expect("verified");
    }
    let mut reported = async |name: &str| {
        let found = list(&mut desk, CITY, records(name, "")).await;
        let found = found.into_iter();
        let reported = found.filter(|one| one.act() == Act::Reported);
        let people = reported.map(|one| (one.staff_member, one.hazard, one.organization));
        people.collect::<Vec<_>>()
    };
    let bureau = (
        staff(DISTRICT_DEPUTY),
        major.clone(),
        tree::BUREAU.to_owned(),
    );
    assert_eq!(reported(&major).await, [bureau]);
    assert_eq!(reported(&general).await, []);
}
