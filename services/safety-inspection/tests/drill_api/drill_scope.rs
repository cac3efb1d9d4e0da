//! Who may do what with drills where.

use kit::auth::Role;
use proto::safety as pb;
use tonic::Code;

use crate::city::tree::{BUREAU, SISTER_PATH, TRAINING};
use crate::city::world::{World, told};
use crate::city::{OTHER_PATH, SCHOOL, on_both};
use crate::ground::{
    archive, denied, deputy, district, drills, everybody, fire_drill, head, invalid, planned,
    review, settle,
};

on_both!(
    nobody_reads_or_moves_the_drills_of_another_school,
    each_step_is_for_those_who_may,
    a_bureau_reads_what_is_below_in_pages,
);

async fn nobody_reads_or_moves_the_drills_of_another_school(world: World) {
    settle(&world).await;
    let drill = planned(&world, fire_drill(&world, SCHOOL)).await;
    let mut client = drills(&world);
    for scope in [OTHER_PATH, SISTER_PATH, "fz/350103"] {
        let role = Role::Principal;
        let get = pb::GetDrillRequest {
            name: drill.name.clone(),
        };
        denied(
            client.get_drill(world.by("x", role, scope, get)).await,
            "get",
        );
        let create = fire_drill(&world, SCHOOL);
        denied(
            client
                .create_drill(world.by("x", role, scope, create))
                .await,
            "create",
        );
        let count = everybody(&drill);
        denied(
            client
                .record_headcount(world.by("x", role, scope, count))
                .await,
            "count",
        );
        let judge = review(&drill.name);
        denied(
            client.review_drill(world.by("x", role, scope, judge)).await,
            "review",
        );
        let list = pb::ListDrillsRequest {
            parent: SCHOOL.to_owned(),
            ..Default::default()
        };
        denied(
            client.list_drills(world.by("x", role, scope, list)).await,
            "list",
        );
    }
    // Below another organisation's name the id is nothing.
    let name = drill.name.replace("2135010001", "2135010003");
    let missing = client
        .get_drill(district(&world, pb::GetDrillRequest { name }))
        .await;
    assert_eq!(told(&missing.expect_err("not its own")).0, Code::NotFound);
}

async fn each_step_is_for_those_who_may(world: World) {
    settle(&world).await;
    let drill = planned(&world, fire_drill(&world, SCHOOL)).await;
    let mut client = drills(&world);
    let approve = pb::ApproveDrillRequest {
        name: drill.name.clone(),
        ..Default::default()
    };
    let own = client.approve_drill(deputy(&world, approve)).await;
    denied(own, "whoever plans does not approve");
    let guard = world.as_role(Role::Guard, "fz", archive(&drill.name));
    denied(
        client.archive_drill(guard).await,
        "a guard does not archive",
    );
    let bureau = client
        .create_drill(head(&world, fire_drill(&world, BUREAU)))
        .await;
    denied(bureau, "a school plans for no bureau");
    let training = planned_at(&world, TRAINING).await;
    assert!(training.name.starts_with(TRAINING));
    let message = fire_drill(&world, BUREAU);
    let officer = world.by("x", Role::Principal, "fz", message);
    invalid(client.create_drill(officer).await, "a bureau has no campus");
}

async fn planned_at(world: &World, parent: &str) -> pb::Drill {
    let message = fire_drill(world, parent);
    let ask = world.by("x", Role::Principal, "fz/350102", message);
    drills(world)
        .create_drill(ask)
        .await
        .expect("planned")
        .into_inner()
}

async fn a_bureau_reads_what_is_below_in_pages(world: World) {
    settle(&world).await;
    for parent in [SCHOOL, TRAINING, SCHOOL] {
        planned_at(&world, parent).await;
        world.clock.advance(chrono::Duration::milliseconds(5));
    }
    let mut client = drills(&world);
    let list = |page_token: &str| pb::ListDrillsRequest {
        parent: BUREAU.to_owned(),
        state: pb::drill::State::Planned.into(),
        drill_type: pb::DrillType::Fire.into(),
        page_size: 2,
        page_token: page_token.to_owned(),
    };
    let first = client
        .list_drills(district(&world, list("")))
        .await
        .expect("a page")
        .into_inner();
    let token = first.next_page_token;
    let rest = client
        .list_drills(district(&world, list(&token)))
        .await
        .expect("a page");
    let rest = rest.into_inner();
    assert_eq!((first.drills.len(), rest.drills.len()), (2, 1));
    assert_eq!(rest.next_page_token, "");
    assert!(first.drills[0].name.starts_with(SCHOOL) && first.drills[1].name.starts_with(TRAINING));
    let other = pb::ListDrillsRequest {
        parent: SCHOOL.to_owned(),
        ..list(&token)
    };
    let other = client
        .list_drills(district(&world, other))
        .await
        .expect_err("another list");
    assert_eq!(told(&other).1, "INVALID_PAGE_TOKEN");
}
