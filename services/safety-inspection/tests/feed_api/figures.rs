//! The live figures: sums over the tree, the worst first, watched as they change.

use std::time::Duration;

use kit::auth::Role;
use proto::safety as pb;
use proto::safety::safety_figures_service_client::SafetyFiguresServiceClient;
use tonic::{Code, Status};

use crate::city::hazards::{Desk, OFFICER, verify};
use crate::city::tree::{
    BUREAU, BUREAU_PATH, CITY, CITY_PATH, OTHER_BUREAU_PATH, SISTER, SISTER_PATH,
};
use crate::city::world::{World, on_both, told};
use crate::city::{OTHER_PATH, SCHOOL, SCHOOL_PATH};
use crate::follower::settled;
use crate::ground;
use crate::protected::{self, three};
use crate::recount::{kept, name};

on_both!(
    a_change_is_counted_in_its_own_transaction_all_the_way_up,
    the_silent_come_first_and_then_the_worst,
    whoever_watches_sees_changes_as_they_come,
    figures_are_read_within_ones_place,
);

async fn list(
    world: &World,
    (role, scope): (Role, &str),
    ask: pb::ListSafetyFiguresRequest,
) -> Result<pb::ListSafetyFiguresResponse, Status> {
    let mut client = SafetyFiguresServiceClient::new(world.channel.clone());
    let listed = client.list_safety_figures(world.as_role(role, scope, ask));
    Ok(listed.await?.into_inner())
}

async fn parts(world: &World, parent: &str) -> Vec<pb::SafetyFigures> {
    let mut ask = pb::ListSafetyFiguresRequest {
        parent: parent.to_owned(),
        page_size: 2,
        ..Default::default()
    };
    let mut found = Vec::new();
    loop {
        let page = list(world, (Role::CityOfficer, CITY_PATH), ask.clone()).await;
        let page = page.expect("listed");
        found.extend(page.safety_figures);
        if page.next_page_token.is_empty() {
            return found;
        }
        ask.page_token = page.next_page_token;
    }
}

async fn a_change_is_counted_in_its_own_transaction_all_the_way_up(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("building-3").await;
    // Without waiting for anything: the change came with the hazard.
    for path in [SCHOOL_PATH, BUREAU_PATH, CITY_PATH] {
        let hazards = kept(&desk.world, path).await.hazards.expect("hazards");
        assert_eq!(hazards.ungraded_open_count, 1, "{path}");
    }
    for path in [SISTER_PATH, OTHER_BUREAU_PATH] {
        let hazards = kept(&desk.world, path).await.hazards.expect("hazards");
        assert_eq!(hazards, pb::safety_figures::Hazards::default(), "{path}");
    }
    desk.verify(OFFICER, verify(&name, pb::hazard::Grade::Major))
        .await
        .expect("verified");
    settled(&desk.world).await;
    let city = kept(&desk.world, CITY_PATH).await;
    let hazards = city.hazards.expect("hazards");
    assert_eq!(
        (hazards.ungraded_open_count, hazards.major_open_count),
        (0, 1)
    );
    assert_eq!((city.campus_count, city.silent_campus_count), (6, 6));
    assert_eq!(city.org_path, CITY_PATH);
    assert!(!city.display_name.is_empty());
}

async fn the_silent_come_first_and_then_the_worst(world: World) {
    let desk = protected::Desk::open(world).await;
    let mut desk = desk;
    ground::enact(&desk.world, 3, |_| {}).await;
    desk.declare((SCHOOL, SCHOOL_PATH), three())
        .await
        .expect("declared");
    ground::hire(&desk.world).await;
    ground::published(&desk.world).await;
    settled(&desk.world).await;
    // The first school said everything but was never inspected: it is silent as long as something is due.
    let schools = parts(&desk.world, BUREAU).await;
    let silent: Vec<_> = schools.iter().map(|one| one.silent_campus_count).collect();
    assert!(silent.is_sorted_by(|one, next| one >= next), "{silent:?}");
    let sister = schools.iter().find(|one| one.name.starts_with(SISTER));
    assert_eq!(sister.expect("the sister school").silent_campus_count, 1);
    // Districts come in the order of the share of their silent campuses.
    let districts = parts(&desk.world, CITY).await;
    let shares: Vec<_> = districts
        .iter()
        .map(|one| f64::from(one.silent_campus_count) / f64::from(one.campus_count))
        .collect();
    assert!(shares.is_sorted_by(|one, next| one >= next), "{shares:?}");
    assert_eq!(districts.len(), 2);
    assert!(parts(&desk.world, SCHOOL).await.is_empty());
}

async fn whoever_watches_sees_changes_as_they_come(world: World) {
    let mut desk = Desk::new(world).await;
    settled(&desk.world).await;
    let mut client = SafetyFiguresServiceClient::new(desk.world.channel.clone());
    let ask = |path: &str| pb::WatchSafetyFiguresRequest {
        name: format!("{}/safetyFigures", name(path)),
    };
    let request = desk
        .world
        .as_role(Role::DistrictOfficer, BUREAU_PATH, ask(BUREAU_PATH));
    let mut watch = client
        .watch_safety_figures(request)
        .await
        .expect("a watch")
        .into_inner();
    let mut next = async || {
        loop {
            let news = tokio::time::timeout(Duration::from_secs(60), watch.message());
            let news = news
                .await
                .expect("soon")
                .expect("no error")
                .expect("no end");
            if let Some(figures) = news.safety_figures {
                return figures.hazards.expect("hazards").ungraded_open_count;
            }
        }
    };
    assert_eq!(next().await, 0);
    desk.found("building-1").await;
    assert_eq!(next().await, 1);
    desk.found("building-2").await;
    assert_eq!(next().await, 2);
}

async fn figures_are_read_within_ones_place(world: World) {
    let desk = Desk::new(world).await;
    let ask = |parent: &str| pb::ListSafetyFiguresRequest {
        parent: parent.to_owned(),
        ..Default::default()
    };
    let refused = list(&desk.world, (Role::DistrictOfficer, BUREAU_PATH), ask(CITY)).await;
    assert_eq!(told(&refused.expect_err("refused")).1, "SCOPE_DENIED");
    let refused = list(&desk.world, (Role::Guardian, SCHOOL_PATH), ask(SCHOOL)).await;
    assert_eq!(refused.expect_err("refused").code(), Code::PermissionDenied);
    let own = list(&desk.world, (Role::Principal, SCHOOL_PATH), ask(SCHOOL)).await;
    assert!(own.expect("read").safety_figures.is_empty());
    let mut client = SafetyFiguresServiceClient::new(desk.world.channel.clone());
    for wrong in [
        "",
        "organizations/1",
        "organizations/1/safetyFigures/2",
        &name(OTHER_PATH),
    ] {
        let get = pb::GetSafetyFiguresRequest {
            name: wrong.to_owned(),
        };
        let get = desk.world.as_role(Role::CityOfficer, CITY_PATH, get);
        let refused = client.get_safety_figures(get).await.expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument, "{wrong}");
    }
}
