//! Who heard of an incident and who was late with it stands in the trail of accountability (失职追责).

use proto::safety as pb;
use proto::safety::accountability_record::Act;
use proto::safety::accountability_service_client::AccountabilityServiceClient;
use proto::safety::incident_report::Kind;
use proto::safety::incident_step::Receiver;

use crate::city::tree::{BUREAU, CITY as WHOLE, DEPUTY, DISTRICT_DEPUTY};
use crate::city::world::World;
use crate::city::{SCHOOL, on_both, staff};
use crate::desk::{CITY, DISTRICT, Desk, OFFICER, call, caller, deaths, report, with_casualties};

on_both!(
    late_hops_name_who_did_not_pass_on,
    a_follow_up_that_came_late_stays_in_the_trail,
);

/// What stands in the trail of an incident: what of it, who, for which organisation, and which act.
async fn trail(desk: &Desk, incident: &str) -> Vec<(String, String, String, Act)> {
    let list = pb::ListAccountabilityRecordsRequest {
        parent: SCHOOL.to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    let mut client = AccountabilityServiceClient::new(desk.world.channel.clone());
    let list = desk.world.of(caller(DISTRICT), list);
    let listed = client.list_accountability_records(list).await;
    let records = listed.expect("listed").into_inner().accountability_records;
    let own = records.into_iter().filter_map(|one| {
        let of = one.resource.strip_prefix(incident)?.to_owned();
        assert!(one.tell_time.is_some() && one.hazard.is_empty());
        assert_eq!(one.see_time.is_some(), one.act() == Act::Received);
        let act = one.act();
        Some((of, one.staff_member, one.organization, act))
    });
    let mut own: Vec<_> = own.collect();
    own.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    own
}

async fn late_hops_name_who_did_not_pass_on(world: World) {
    let desk = Desk::new(world).await;
    let name = desk.noticed(deaths(3)).await.name;
    assert_eq!(trail(&desk, &name).await, []);
    // Nobody was called within half an hour, nothing was written within an hour.
    desk.wait(61);
    let first = with_casualties(report(&name, Kind::First), deaths(3));
    call!(desk, write_incident_report, OFFICER, first).expect("written");
    desk.wait(121);
    desk.receive(DISTRICT, &name, Receiver::District).await;
    desk.wait(121);
    desk.receive(CITY, &name, Receiver::City).await;
    // Saying so again changes nothing.
    desk.receive(CITY, &name, Receiver::City).await;
    let record = |of: &str, who: &str, organization: &str, act| {
        (of.to_owned(), who.to_owned(), organization.to_owned(), act)
    };
    let late = |of: &str, who, organization: &str| {
        record(
            &format!("/clocks/{of}"),
            &staff(who),
            organization,
            Act::NotDone,
        )
    };
    let expected = [
        record("", CITY.0, WHOLE, Act::Received),
        record("", DISTRICT.0, BUREAU, Act::Received),
        late("first-report", DEPUTY, SCHOOL),
        late("hop-district-city", DISTRICT_DEPUTY, BUREAU),
        late("hop-school-district", DEPUTY, SCHOOL),
        late("phone", DEPUTY, SCHOOL),
    ];
    assert_eq!(trail(&desk, &name).await, expected);
}

async fn a_follow_up_that_came_late_stays_in_the_trail(world: World) {
    let desk = Desk::new(world).await;
    let name = desk.noticed(deaths(1)).await.name;
    desk.bring_to(&name, 4).await;
    desk.receive(DISTRICT, &name, Receiver::District).await;
    desk.receive(CITY, &name, Receiver::City).await;
    for _ in 0..2 {
        desk.wait(24 * 60 + 1);
        assert!(desk.write(OFFICER, &name, Kind::FollowUp).await.late);
    }
    let late = trail(&desk, &name).await;
    let late = late.iter().filter(|one| one.0 == "/clocks/follow-up");
    assert_eq!(late.count(), 2, "each follow-up by itself");
}
