//! Who may do what with the duty watch where, and what everybody reads.

use kit::auth::Role;
use proto::safety as pb;
use proto::safety::spot_check::Result as Outcome;

use crate::city::tree::{BUREAU, BUREAU_PATH, CITY_PATH, DEPUTY, KINDERGARTEN_PATH, SISTER_PATH};
use crate::city::world::World;
use crate::city::{OTHER_PATH, SCHOOL, SCHOOL_PATH, on_both, staff};
use crate::ground::{
    PHONE, check_in, denied, deputy, district, drafted, duty, head, hour, id, on_duty, publish,
    published, read_shift, refused, settle, two_days,
};

on_both!(
    results_of_spot_checks_are_public_below_the_bureau,
    nobody_reads_or_moves_the_duty_of_another_school,
    a_repeat_has_one_effect,
    a_shift_can_be_called_by_those_who_have_to,
);

fn check(shift: &str, result: Outcome) -> pb::RecordSpotCheckRequest {
    pb::RecordSpotCheckRequest {
        shift: shift.to_owned(),
        result: result.into(),
        request_id: id(),
    }
}

async fn results_of_spot_checks_are_public_below_the_bureau(world: World) {
    settle(&world).await;
    let shift = published(&world).await[0].name.clone();
    let mut client = duty(&world);
    let early = client
        .record_spot_check(district(&world, check(&shift, Outcome::Ok)))
        .await;
    refused(early, "DUTY_TIME");
    world.clock.set(hour(0));
    let own = client
        .record_spot_check(head(&world, check(&shift, Outcome::Ok)))
        .await;
    denied(own, "a school does not check itself");
    let no = client
        .record_spot_check(district(&world, check(&shift, Outcome::NoAnswer)))
        .await;
    no.expect("checked");
    let came = on_duty(&world, DEPUTY, check_in(&shift));
    client.check_in_duty_shift(came).await.expect("checked in");
    let ok = client
        .record_spot_check(district(&world, check(&shift, Outcome::Ok)))
        .await;
    ok.expect("checked");

    let list = |parent: &str, result: Outcome| pb::ListSpotChecksRequest {
        parent: parent.to_owned(),
        result: result.into(),
        ..Default::default()
    };
    for scope in [SISTER_PATH, KINDERGARTEN_PATH, BUREAU_PATH, "fz"] {
        let ask = list(BUREAU, Outcome::Unspecified);
        let ask = world.by("x", Role::Principal, scope, ask);
        let found = client
            .list_spot_checks(ask)
            .await
            .expect("public")
            .into_inner();
        assert_eq!(found.spot_checks.len(), 2, "{scope}");
    }
    let ask = district(&world, list(SCHOOL, Outcome::NoAnswer));
    let found = client
        .list_spot_checks(ask)
        .await
        .expect("listed")
        .into_inner();
    assert_eq!(
        (found.spot_checks.len(), &found.spot_checks[0].shift),
        (1, &shift)
    );
    let elsewhere = list(BUREAU, Outcome::Unspecified);
    let elsewhere = world.by("x", Role::Principal, OTHER_PATH, elsewhere);
    denied(client.list_spot_checks(elsewhere).await, "another district");
    let pupil = list(BUREAU, Outcome::Unspecified);
    let pupil = world.by("x", Role::Student, SISTER_PATH, pupil);
    denied(client.list_spot_checks(pupil).await, "a pupil");
    let noted = read_shift(&world, &shift).await.history;
    let notes: Vec<_> = noted.iter().map(|one| &*one.note).collect();
    assert_eq!(notes, ["", "NO_ANSWER", "", "OK"]);
}

async fn nobody_reads_or_moves_the_duty_of_another_school(world: World) {
    settle(&world).await;
    let shift = published(&world).await[0].clone();
    let mut client = duty(&world);
    for scope in [OTHER_PATH, SISTER_PATH, "fz/350103"] {
        let role = Role::Principal;
        let name = shift.name.clone();
        let get = world.by("x", role, scope, pb::GetDutyShiftRequest { name });
        denied(client.get_duty_shift(get).await, "a shift");
        let name = shift.roster.clone();
        let get = world.by("x", role, scope, pb::GetDutyRosterRequest { name });
        denied(client.get_duty_roster(get).await, "a roster");
        let publish = world.by("x", role, scope, publish(&shift.roster));
        denied(client.publish_duty_roster(publish).await, "publishing");
        let came = world.by(&staff(DEPUTY), role, scope, check_in(&shift.name));
        denied(client.check_in_duty_shift(came).await, "checking in");
        let list = pb::ListDutyShiftsRequest {
            parent: SCHOOL.to_owned(),
            ..Default::default()
        };
        denied(
            client
                .list_duty_shifts(world.by("x", role, scope, list))
                .await,
            "a list",
        );
        let look = check(&shift.name, Outcome::Ok);
        let look = world.by("x", Role::DistrictOfficer, scope, look);
        denied(client.record_spot_check(look).await, "a spot check");
    }
    let publish = deputy(&world, publish(&shift.roster));
    denied(
        client.publish_duty_roster(publish).await,
        "who drafts does not publish",
    );
    let name = format!("{SCHOOL}/dutyTemplate");
    let ask = pb::GetDutyTemplateRequest { name, date: None };
    let guard = on_duty(&world, 21, ask);
    client.get_duty_template(guard).await.expect("guards read");
}

async fn a_repeat_has_one_effect(world: World) {
    settle(&world).await;
    let draft = drafted(&world, two_days()).await;
    let mut client = duty(&world);
    let request = publish(&draft.name);
    let first = client
        .publish_duty_roster(head(&world, request.clone()))
        .await;
    let first = first.expect("published").into_inner();
    let again = client.publish_duty_roster(head(&world, request)).await;
    assert_eq!(again.expect("the same answer").into_inner(), first);
    let shifts = crate::ground::shifts(&world).await;
    assert_eq!(shifts.len(), 2);
    world.clock.set(hour(0));
    let request = check_in(&shifts[0].name);
    for _ in 0..2 {
        let came = on_duty(&world, DEPUTY, request.clone());
        client.check_in_duty_shift(came).await.expect("checked in");
    }
    assert_eq!(read_shift(&world, &shifts[0].name).await.arrivals.len(), 1);
}

/// Rule 5.31: the telephone of a shift, in full for whoever plans, attends or checks duty there.
async fn a_shift_can_be_called_by_those_who_have_to(world: World) {
    settle(&world).await;
    let shift = published(&world).await[0].clone();
    world.clock.set(hour(0));
    let mut client = duty(&world);
    for (role, scope, expected) in [
        (Role::Guard, SCHOOL_PATH, PHONE),
        (Role::Principal, SCHOOL_PATH, PHONE),
        (Role::DistrictOfficer, BUREAU_PATH, PHONE),
        (Role::CityOfficer, CITY_PATH, PHONE),
        // Another system of the government reads who is on duty, and calls the bureau.
        (Role::PartnerSystem, CITY_PATH, "059****0000"),
    ] {
        let name = shift.name.clone();
        let get = world.as_role(role, scope, pb::GetDutyShiftRequest { name });
        let read = client.get_duty_shift(get).await.expect("read").into_inner();
        let name = shift.roster.clone();
        let get = world.as_role(role, scope, pb::GetDutyRosterRequest { name });
        let roster = client.get_duty_roster(get).await.expect("read");
        let list = pb::ListDutyShiftsRequest {
            parent: SCHOOL.to_owned(),
            ..Default::default()
        };
        let list = world.as_role(role, scope, list);
        let listed = client.list_duty_shifts(list).await.expect("listed");
        let list = pb::ListDutyStandingsRequest {
            parent: SCHOOL.to_owned(),
            ..Default::default()
        };
        let list = world.as_role(role, scope, list);
        let standing = client.list_duty_standings(list).await.expect("listed");
        let told = [
            read.phone,
            roster.into_inner().shifts[0].phone.clone(),
            listed.into_inner().duty_shifts[0].phone.clone(),
            standing.into_inner().duty_standings[0].phone.clone(),
        ];
        assert!(
            told.iter().all(|phone| phone == expected),
            "{role:?} {told:?}"
        );
    }
}
