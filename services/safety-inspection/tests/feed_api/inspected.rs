//! Whoever answers for safety is told of what nobody inspected in time: once of what schedules want, and
//! once of a campaign.

use chrono::Duration;
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_date;
use proto::safety as pb;
use proto::safety::accountability_record::Act;
use proto::safety::accountability_service_client::AccountabilityServiceClient;
use proto::safety::inspection_plan_service_client::InspectionPlanServiceClient;

use crate::city::tree::{self, CITY, CITY_PATH, DEPUTY};
use crate::city::world::{World, on_both};
use crate::city::{SCHOOL, staff};
use crate::follower::settled;
use crate::ground;

on_both!(
    what_schedules_wanted_is_owed_once_for_each_day,
    what_a_campaign_wanted_is_owed_once_by_each_organisation,
);

/// The records of the city about a resource: organisation and who was told, in the order of telling.
async fn owed(world: &World, resource: &str) -> Vec<(String, String)> {
    let list = pb::ListAccountabilityRecordsRequest {
        parent: CITY.to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    let list = world.as_role(Role::CityOfficer, CITY_PATH, list);
    let mut client = AccountabilityServiceClient::new(world.channel.clone());
    let listed = client.list_accountability_records(list).await;
    let records = listed.expect("listed").into_inner().accountability_records;
    let of = records.into_iter().filter(|one| one.resource == resource);
    let of = of.inspect(|one| assert_eq!(one.act(), Act::NotDone));
    let told = of.map(|one| {
        let own = one.name.split('/').take(2).collect::<Vec<_>>().join("/");
        (own, one.staff_member)
    });
    let mut told: Vec<_> = told.collect();
    told.reverse();
    told
}

async fn what_schedules_wanted_is_owed_once_for_each_day(world: World) {
    ground::settle(&world).await;
    settled(&world).await;
    let resource = format!("{SCHOOL}/inspectionStanding");
    let before = owed(&world, &resource).await.len();
    for days in 1..=2 {
        world.clock.advance(Duration::days(1));
        for _ in 0..2 {
            settled(&world).await;
            let told = owed(&world, &resource).await;
            assert_eq!(told.len(), before + days);
            assert_eq!(told.last(), Some(&(SCHOOL.to_owned(), staff(DEPUTY))));
        }
    }
}

async fn what_a_campaign_wanted_is_owed_once_by_each_organisation(world: World) {
    ground::settle(&world).await;
    let call = || {
        let today = world.clock.today();
        let campaign = pb::InspectionCampaign {
            display_name: "汛期安全专项检查".to_owned(),
            occasion: pb::inspection_campaign::Occasion::FloodSeason.into(),
            checklist_template: "checklistTemplates/flood~1".to_owned(),
            level: pb::InspectionLevel::School.into(),
            start_date: Some(to_date(today)),
            end_date: Some(to_date(today + Duration::days(1))),
            ..Default::default()
        };
        let request = pb::CreateInspectionCampaignRequest {
            parent: CITY.to_owned(),
            inspection_campaign: Some(campaign),
            request_id: String::new(),
        };
        world.as_role(Role::CityOfficer, CITY_PATH, request)
    };
    let mut plans = InspectionPlanServiceClient::new(world.channel.clone());
    let called = plans.create_inspection_campaign(call()).await;
    let name = called.expect("called").into_inner().name;
    settled(&world).await;
    assert_eq!(owed(&world, &name).await, [], "there is time");
    world.clock.advance(Duration::days(2));
    for _ in 0..2 {
        settled(&world).await;
        let told = owed(&world, &name).await;
        assert_eq!(told.len(), 6, "each campus once: {told:?}");
        assert!(told.contains(&(SCHOOL.to_owned(), staff(DEPUTY))));
        // Nobody of its own answers there: the bureau does.
        let above = (tree::SISTER.to_owned(), staff(tree::DISTRICT_DEPUTY));
        assert!(told.contains(&above), "{told:?}");
    }
    // Called off, it is owed by nobody; closed before its end, at once.
    for (close, expected) in [(false, 0), (true, 6)] {
        let called = plans.create_inspection_campaign(call()).await;
        let name = called.expect("called").into_inner().name;
        if close {
            let request = pb::CloseInspectionCampaignRequest {
                name: name.clone(),
                request_id: String::new(),
            };
            let request = world.as_role(Role::CityOfficer, CITY_PATH, request);
            plans
                .close_inspection_campaign(request)
                .await
                .expect("closed");
        } else {
            let request = pb::CancelInspectionCampaignRequest {
                name: name.clone(),
                request_id: String::new(),
            };
            let request = world.as_role(Role::CityOfficer, CITY_PATH, request);
            plans
                .cancel_inspection_campaign(request)
                .await
                .expect("called off");
        }
        settled(&world).await;
        assert_eq!(owed(&world, &name).await.len(), expected);
    }
}
