//! Who may do what where: a district sees its schools only, a school nobody else's (golden test T24).

use kit::auth::Role;
use proto::safety as pb;
use tonic::Status;

use crate::city::tree::{BUREAU, CITY, OTHER_BUREAU_PATH, SISTER, SISTER_PATH};
use crate::city::{OTHER_PATH, SCHOOL, SCHOOL_PATH};
use crate::scene::{OFFICER, PRINCIPAL, Scene, Who, date, refused, scenes, stampede};

scenes!(
    other_schools_and_districts_are_refused,
    roles_have_their_parts,
    what_does_not_exist_looks_like_what_is_elsewhere,
);

const SISTERS: Who<'static> = ("principal-2", Role::Principal, SISTER_PATH);
const OTHERS: Who<'static> = ("officer-3", Role::DistrictOfficer, OTHER_BUREAU_PATH);

/// Everything that a caller tries at an inspection of the first school.
async fn tried(scene: &mut Scene, who: Who<'_>, name: &str) -> Vec<Result<(), Status>> {
    let get = pb::GetInspectionRequest {
        name: name.to_owned(),
    };
    let get = scene.ask(who, get);
    let items = pb::ListInspectionItemsRequest {
        parent: name.to_owned(),
        ..Default::default()
    };
    let items = scene.ask(who, items);
    let list = pb::ListInspectionsRequest {
        parent: SCHOOL.to_owned(),
        ..Default::default()
    };
    let list = scene.ask(who, list);
    let due = pb::ListDueInspectionsRequest {
        parent: SCHOOL.to_owned(),
        start_date: date(4, 6),
        end_date: date(4, 6),
        ..Default::default()
    };
    let due = scene.ask(who, due);
    let coverage = pb::ListInspectionCoverageRequest {
        parent: SCHOOL.to_owned(),
        start_date: date(4, 6),
        end_date: date(4, 6),
        ..Default::default()
    };
    let coverage = scene.ask(who, coverage);
    let places = pb::ListInspectionPlacesRequest {
        parent: SCHOOL.to_owned(),
        ..Default::default()
    };
    let places = scene.ask(who, places);
    vec![
        scene.inspections.get_inspection(get).await.map(|_| ()),
        scene
            .inspections
            .list_inspection_items(items)
            .await
            .map(|_| ()),
        scene.inspections.list_inspections(list).await.map(|_| ()),
        scene.plans.list_due_inspections(due).await.map(|_| ()),
        scene
            .plans
            .list_inspection_coverage(coverage)
            .await
            .map(|_| ()),
        scene.plans.list_inspection_places(places).await.map(|_| ()),
        scene.create(who, SCHOOL, stampede()).await.map(|_| ()),
        scene.start(who, name).await.map(|_| ()),
        scene.record(who, name, Vec::new()).await.map(|_| ()),
        scene.submit(who, name).await.map(|_| ()),
        scene.confirm(who, name).await.map(|_| ()),
        scene.dispute(who, name).await.map(|_| ()),
        scene.cancel(who, name).await.map(|_| ()),
    ]
}

async fn other_schools_and_districts_are_refused(mut scene: Scene) {
    let planned = scene
        .create(OFFICER, SCHOOL, stampede())
        .await
        .expect("planned");
    for who in [SISTERS, OTHERS, ("guard-9", Role::Guard, OTHER_PATH)] {
        for answer in tried(&mut scene, who, &planned.name).await {
            assert_eq!(refused(answer), "SCOPE_DENIED", "{who:?}");
        }
    }
    assert_eq!(scene.get(&planned.name).await, planned);
    // What a school adds is nobody else's to see.
    let own = pb::ChecklistTemplate {
        code: "own".to_owned(),
        display_name: "本校补充".to_owned(),
        extended_template: "checklistTemplates/fire~1".to_owned(),
        hazard_category: pb::HazardCategory::Fire.into(),
        items: vec![crate::scene::item("tank", "")],
        ..Default::default()
    };
    let own = crate::checklists::published(&mut scene, PRINCIPAL, SCHOOL, own).await;
    for (who, sees) in [
        (PRINCIPAL, true),
        (OFFICER, true),
        (SISTERS, false),
        (OTHERS, false),
    ] {
        let get = pb::GetChecklistTemplateRequest {
            name: own.name.clone(),
        };
        let get = scene.ask(who, get);
        let found = scene.lists.get_checklist_template(get).await.map(|_| ());
        assert_eq!(found.is_ok(), sees, "{who:?}");
    }
    let list = pb::ListChecklistTemplatesRequest {
        parent: SISTER.to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    let ask = scene.ask(SISTERS, list);
    let listed = scene
        .lists
        .list_checklist_templates(ask)
        .await
        .expect("listed")
        .into_inner();
    assert!(
        listed
            .checklist_templates
            .iter()
            .all(|one| one.name != own.name)
    );
}

async fn roles_have_their_parts(mut scene: Scene) {
    let planned = scene
        .create(OFFICER, SCHOOL, stampede())
        .await
        .expect("planned");
    for role in [
        Role::Laboratory,
        Role::Student,
        Role::Guardian,
        Role::AuditAdmin,
    ] {
        for answer in tried(&mut scene, ("x", role, "fz"), &planned.name).await {
            assert_eq!(refused(answer), "SCOPE_DENIED", "{role}");
        }
    }
    let create = |parent: &str| pb::CreateChecklistTemplateRequest {
        parent: parent.to_owned(),
        ..Default::default()
    };
    let guard = ("guard-1", Role::Guard, SCHOOL_PATH);
    let ask = scene.ask(guard, create(SCHOOL));
    let answer = scene.lists.create_checklist_template(ask).await;
    assert_eq!(refused(answer), "SCOPE_DENIED", "a guard writes no lists");
    for parent in [CITY, BUREAU] {
        let ask = scene.ask(PRINCIPAL, create(parent));
        let answer = scene.lists.create_checklist_template(ask).await;
        assert_eq!(refused(answer), "SCOPE_DENIED", "{parent}");
    }
    // Fire and health inspect for themselves, from above.
    let mut joint = stampede();
    joint.level = pb::InspectionLevel::OtherAuthority.into();
    let fire = ("fire-1", Role::PartnerSystem, "fz");
    scene.create(fire, SCHOOL, joint).await.expect("planned");
}

async fn what_does_not_exist_looks_like_what_is_elsewhere(mut scene: Scene) {
    let nowhere = "organizations/nowhere/inspections/00000000-0000-0000-0000-000000000001";
    let absent = format!("{SCHOOL}/inspections/00000000-0000-0000-0000-000000000001");
    for (who, name, reason) in [
        (PRINCIPAL, nowhere, "SCOPE_DENIED"),
        (crate::scene::CITY_OFFICER, nowhere, "NOT_FOUND"),
        (SISTERS, &*absent, "SCOPE_DENIED"),
        (OFFICER, &*absent, "NOT_FOUND"),
        (OFFICER, "inspections/1", "INVALID_FIELD"),
    ] {
        assert_eq!(
            refused(scene.start(who, name).await),
            reason,
            "{who:?} {name}"
        );
        let get = pb::GetInspectionRequest {
            name: name.to_owned(),
        };
        let get = scene.ask(who, get);
        let answer = scene.inspections.get_inspection(get).await;
        assert_eq!(refused(answer), reason, "{who:?} {name}");
    }
}
