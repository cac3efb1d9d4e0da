//! Campaigns: every place of the kinds below a bureau is a target, and what nobody inspected is a finding.

use chrono::Duration;
use proto::safety as pb;
use proto::safety::campaign_target::State as Target;
use proto::safety::inspection_campaign::{Occasion, State};
use tonic::Status;

use crate::city::tree::{self, BUREAU, CITY};
use crate::city::{OTHER_PATH, SCHOOL, SCHOOL_PATH};
use crate::scene::{CITY_OFFICER, OFFICER, PRINCIPAL, Scene, Who, date, plan, refused, scenes};

scenes!(
    progress_is_told_by_district_and_the_rest_is_a_finding,
    every_verb_from_every_state_of_a_campaign,
    only_bureaus_call_and_everybody_sees_their_own,
);

async fn call(
    scene: &mut Scene,
    who: Who<'_>,
    parent: &str,
    list: &str,
) -> Result<pb::InspectionCampaign, Status> {
    let request = pb::CreateInspectionCampaignRequest {
        parent: parent.to_owned(),
        inspection_campaign: Some(pb::InspectionCampaign {
            display_name: "汛期安全专项检查".to_owned(),
            occasion: Occasion::FloodSeason.into(),
            checklist_template: format!("checklistTemplates/{list}"),
            level: pb::InspectionLevel::School.into(),
            start_date: date(4, 6),
            end_date: date(4, 7),
            ..Default::default()
        }),
        request_id: String::new(),
    };
    let request = scene.ask(who, request);
    Ok(scene
        .plans
        .create_inspection_campaign(request)
        .await?
        .into_inner())
}

async fn end(scene: &mut Scene, name: &str, verb: &str) -> Result<pb::InspectionCampaign, Status> {
    let (name, request_id) = (name.to_owned(), String::new());
    Ok(if verb == "close" {
        let request = pb::CloseInspectionCampaignRequest { name, request_id };
        let request = scene.ask(CITY_OFFICER, request);
        scene
            .plans
            .close_inspection_campaign(request)
            .await?
            .into_inner()
    } else {
        let request = pb::CancelInspectionCampaignRequest { name, request_id };
        let request = scene.ask(CITY_OFFICER, request);
        scene
            .plans
            .cancel_inspection_campaign(request)
            .await?
            .into_inner()
    })
}

async fn get(scene: &mut Scene, name: &str) -> pb::InspectionCampaign {
    let request = pb::GetInspectionCampaignRequest {
        name: name.to_owned(),
    };
    let request = scene.ask(CITY_OFFICER, request);
    let found = scene.plans.get_inspection_campaign(request).await;
    found.expect("found").into_inner()
}

async fn progress(scene: &mut Scene, name: &str) -> Vec<(String, [i32; 4])> {
    let request = pb::ListCampaignProgressRequest {
        parent: name.to_owned(),
        ..Default::default()
    };
    let request = scene.ask(CITY_OFFICER, request);
    let listed = scene.plans.list_campaign_progress(request).await;
    let counts = |one: &pb::CampaignProgress| {
        [
            one.target_count,
            one.inspected_count,
            one.late_count,
            one.not_inspected_count,
        ]
    };
    let listed = listed.expect("listed").into_inner().progress.into_iter();
    listed
        .map(|one| (one.organization.clone(), counts(&one)))
        .collect()
}

async fn targets(
    scene: &mut Scene,
    who: Who<'_>,
    name: &str,
    state: Target,
) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let request = pb::ListCampaignTargetsRequest {
            parent: name.to_owned(),
            state: state.into(),
            page_size: 2,
            page_token: token,
        };
        let request = scene.ask(who, request);
        let page = scene
            .plans
            .list_campaign_targets(request)
            .await
            .expect("listed")
            .into_inner();
        for target in page.targets {
            assert!(state == Target::Unspecified || target.state() == state);
            all.push((target.organization, target.place));
        }
        token = page.next_page_token;
        if token.is_empty() {
            return all;
        }
    }
}

fn flood(kind: pb::PlaceKind, place: &str) -> pb::Inspection {
    plan("flood~1", kind, place, pb::InspectionLevel::School)
}

async fn progress_is_told_by_district_and_the_rest_is_a_finding(mut scene: Scene) {
    let before = flood(pb::PlaceKind::School, "");
    let called = call(&mut scene, CITY_OFFICER, CITY, "flood~1")
        .await
        .expect("called");
    let name = called.name.clone();
    // Four campuses of the first district and two of the second, each with its surroundings.
    assert_eq!((called.state(), called.target_count), (State::Open, 12));
    let expected = [
        (BUREAU.to_owned(), [8, 0, 0, 0]),
        ("organizations/350103".to_owned(), [4, 0, 0, 0]),
    ];
    assert_eq!(progress(&mut scene, &name).await, expected);
    let done = scene.inspect(PRINCIPAL, SCHOOL, before, &["drains"]).await;
    // By another list, or by a post, nothing counts.
    let fire = plan(
        "fire~1",
        pb::PlaceKind::School,
        "",
        pb::InspectionLevel::School,
    );
    scene.inspect(OFFICER, tree::SISTER, fire, &[]).await;
    let mut post = flood(pb::PlaceKind::School, "");
    post.level = pb::InspectionLevel::Post.into();
    scene.inspect(OFFICER, tree::SISTER, post, &[]).await;
    assert_eq!(progress(&mut scene, &name).await[0].1, [8, 1, 0, 0]);
    scene.world.clock.advance(Duration::days(2));
    let mut late = flood(pb::PlaceKind::Surroundings, "surroundings");
    late.planned_date = date(4, 8);
    scene.inspect(PRINCIPAL, SCHOOL, late, &[]).await;
    let expected = [
        (BUREAU.to_owned(), [8, 2, 1, 6]),
        ("organizations/350103".to_owned(), [4, 0, 0, 4]),
    ];
    assert_eq!(progress(&mut scene, &name).await, expected);
    let told = get(&mut scene, &name).await;
    assert_eq!((told.inspected_count, told.not_inspected_count), (2, 10));
    let found = targets(&mut scene, CITY_OFFICER, &name, Target::NotInspected).await;
    assert_eq!(found.len(), 10);
    let all = targets(&mut scene, CITY_OFFICER, &name, Target::Unspecified).await;
    assert_eq!(all.len(), 12);
    let in_time = targets(&mut scene, CITY_OFFICER, &name, Target::Inspected).await;
    assert_eq!(in_time, [(SCHOOL.to_owned(), String::new())]);
    let too_late = targets(&mut scene, CITY_OFFICER, &name, Target::InspectedLate).await;
    assert_eq!(too_late, [(SCHOOL.to_owned(), "surroundings".to_owned())]);
    assert_eq!(
        targets(&mut scene, CITY_OFFICER, &name, Target::Due).await,
        []
    );
    assert!(!done.hazards.is_empty());
    // Ended, it takes no more inspections.
    let ended = end(&mut scene, &name, "close").await.expect("closed");
    assert_eq!(ended.changes.len(), 2);
    let mut after = flood(pb::PlaceKind::School, "");
    after.planned_date = date(4, 8);
    scene.inspect(OFFICER, tree::SISTER, after, &[]).await;
    assert_eq!(get(&mut scene, &name).await, ended);
}

async fn every_verb_from_every_state_of_a_campaign(mut scene: Scene) {
    for (state, way) in [
        (State::Open, None),
        (State::Closed, Some("close")),
        (State::Cancelled, Some("cancel")),
    ] {
        for verb in ["close", "cancel"] {
            let called = call(&mut scene, CITY_OFFICER, CITY, "flood~1")
                .await
                .expect("called");
            if let Some(way) = way {
                end(&mut scene, &called.name, way)
                    .await
                    .expect("on the way");
            }
            let before = get(&mut scene, &called.name).await;
            assert_eq!(before.state(), state);
            let answer = end(&mut scene, &called.name, verb).await;
            if state == State::Open {
                let to = answer.expect("a legal move");
                let (closed, missed) = (verb == "close", to.not_inspected_count);
                assert_eq!(to.state() == State::Closed, closed);
                assert_eq!(missed > 0, closed, "what is called off finds nothing");
            } else {
                assert_eq!(refused(answer), "CAMPAIGN_STATE", "{state:?} {verb}");
                assert_eq!(get(&mut scene, &called.name).await, before);
            }
        }
    }
    let list = pb::ListInspectionCampaignsRequest {
        parent: CITY.to_owned(),
        page_size: 4,
        ..Default::default()
    };
    let ask = scene.ask(CITY_OFFICER, list.clone());
    let page = scene
        .plans
        .list_inspection_campaigns(ask)
        .await
        .expect("listed")
        .into_inner();
    let rest = pb::ListInspectionCampaignsRequest {
        page_token: page.next_page_token,
        ..list
    };
    let ask = scene.ask(CITY_OFFICER, rest);
    let rest = scene
        .plans
        .list_inspection_campaigns(ask)
        .await
        .expect("listed")
        .into_inner();
    let counts = (
        page.inspection_campaigns.len(),
        rest.inspection_campaigns.len(),
    );
    assert_eq!((counts, &*rest.next_page_token), ((4, 2), ""));
}

async fn only_bureaus_call_and_everybody_sees_their_own(mut scene: Scene) {
    assert_eq!(
        refused(call(&mut scene, PRINCIPAL, SCHOOL, "flood~1").await),
        "SCOPE_DENIED"
    );
    assert_eq!(
        refused(call(&mut scene, OFFICER, CITY, "flood~1").await),
        "SCOPE_DENIED"
    );
    let buses = call(&mut scene, OFFICER, BUREAU, "bus~1").await;
    assert_eq!(refused(buses), "CAMPAIGN_NO_TARGETS");
    let none = call(&mut scene, OFFICER, BUREAU, "none~1").await;
    assert_eq!(refused(none), "CHECKLIST_NOT_APPLICABLE");
    let called = call(&mut scene, CITY_OFFICER, CITY, "fire~1")
        .await
        .expect("called");
    assert_eq!(PRINCIPAL.2, SCHOOL_PATH);
    let own = targets(&mut scene, PRINCIPAL, &called.name, Target::Unspecified).await;
    // It boards pupils: its dormitory is a target, though nobody entered it.
    let of = |place: &str| (SCHOOL.to_owned(), place.to_owned());
    assert_eq!(own, [of(""), of("dormitory")]);
    let elsewhere = ("principal-2", kit::auth::Role::Principal, OTHER_PATH);
    let own = targets(&mut scene, elsewhere, &called.name, Target::Unspecified).await;
    assert_eq!(
        own,
        [("organizations/2135010002".to_owned(), String::new())]
    );
}
