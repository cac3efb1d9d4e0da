//! Versions of checklists: what ships, what is drafted, what schools add.

use proto::safety as pb;
use proto::safety::checklist_template::State;
use tonic::Status;
use uuid::Uuid;

use crate::city::SCHOOL;
use crate::city::tree::{self, BUREAU};
use crate::scene::{CITY_OFFICER, OFFICER, PRINCIPAL, Scene, Who, item, refused, scenes, stampede};

scenes!(
    what_ships_is_there_and_stays,
    a_published_version_never_changes,
    schools_add_and_never_weaken,
    a_new_version_stands_beside_the_old_one,
    malformed_items_are_explained,
);

pub(crate) async fn create(
    scene: &mut Scene,
    who: Who<'_>,
    parent: &str,
    template: pb::ChecklistTemplate,
) -> Result<pb::ChecklistTemplate, Status> {
    let request = pb::CreateChecklistTemplateRequest {
        parent: parent.to_owned(),
        checklist_template: Some(template),
        request_id: String::new(),
    };
    let request = scene.ask(who, request);
    Ok(scene
        .lists
        .create_checklist_template(request)
        .await?
        .into_inner())
}

pub(crate) async fn publish(
    scene: &mut Scene,
    who: Who<'_>,
    name: &str,
) -> Result<pb::ChecklistTemplate, Status> {
    let request = pb::PublishChecklistTemplateRequest {
        name: name.to_owned(),
        request_id: String::new(),
    };
    let request = scene.ask(who, request);
    Ok(scene
        .lists
        .publish_checklist_template(request)
        .await?
        .into_inner())
}

pub(crate) async fn retire(
    scene: &mut Scene,
    who: Who<'_>,
    name: &str,
) -> Result<pb::ChecklistTemplate, Status> {
    let request = pb::RetireChecklistTemplateRequest {
        name: name.to_owned(),
        request_id: String::new(),
    };
    let request = scene.ask(who, request);
    Ok(scene
        .lists
        .retire_checklist_template(request)
        .await?
        .into_inner())
}

pub(crate) async fn update(
    scene: &mut Scene,
    who: Who<'_>,
    template: pb::ChecklistTemplate,
    paths: &[&str],
) -> Result<pb::ChecklistTemplate, Status> {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    let request = pb::UpdateChecklistTemplateRequest {
        checklist_template: Some(template),
        update_mask: Some(prost_types::FieldMask { paths }),
        request_id: String::new(),
    };
    let request = scene.ask(who, request);
    Ok(scene
        .lists
        .update_checklist_template(request)
        .await?
        .into_inner())
}

pub(crate) async fn published(
    scene: &mut Scene,
    who: Who<'_>,
    parent: &str,
    template: pb::ChecklistTemplate,
) -> pb::ChecklistTemplate {
    let drafted = create(scene, who, parent, template).await.expect("drafted");
    publish(scene, who, &drafted.name).await.expect("published")
}

pub(crate) async fn get(
    scene: &mut Scene,
    who: Who<'_>,
    name: &str,
) -> Result<pb::ChecklistTemplate, Status> {
    let request = pb::GetChecklistTemplateRequest {
        name: name.to_owned(),
    };
    let request = scene.ask(who, request);
    Ok(scene
        .lists
        .get_checklist_template(request)
        .await?
        .into_inner())
}

async fn resolved(scene: &mut Scene, parent: &str, list: &str) -> pb::ResolveChecklistResponse {
    let request = pb::ResolveChecklistRequest {
        parent: parent.to_owned(),
        checklist_template: format!("checklistTemplates/{list}"),
    };
    let request = scene.ask(CITY_OFFICER, request);
    let found = scene.lists.resolve_checklist(request).await;
    found.expect("resolved").into_inner()
}

pub(crate) fn roof(items: &[&str]) -> pb::ChecklistTemplate {
    pb::ChecklistTemplate {
        code: "roof".to_owned(),
        display_name: "屋顶检查".to_owned(),
        place_kinds: vec![pb::PlaceKind::School.into()],
        hazard_category: pb::HazardCategory::Building.into(),
        items: items.iter().map(|code| item(code, "")).collect(),
        ..Default::default()
    }
}

fn addition(to: &str, items: &[&str]) -> pb::ChecklistTemplate {
    pb::ChecklistTemplate {
        code: "own".to_owned(),
        extended_template: to.to_owned(),
        place_kinds: Vec::new(),
        ..roof(items)
    }
}

async fn what_ships_is_there_and_stays(mut scene: Scene) {
    let list = pb::ListChecklistTemplatesRequest {
        parent: SCHOOL.to_owned(),
        page_size: 9,
        ..Default::default()
    };
    let mut names = Vec::new();
    let mut token = String::new();
    loop {
        let page = pb::ListChecklistTemplatesRequest {
            page_token: token,
            ..list.clone()
        };
        let ask = scene.ask(PRINCIPAL, page);
        let page = scene
            .lists
            .list_checklist_templates(ask)
            .await
            .expect("listed")
            .into_inner();
        for template in page.checklist_templates {
            assert_eq!(template.state(), State::Published);
            names.push(template.name);
        }
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(names.len(), 14);
    assert!(
        names.contains(&"checklistTemplates/resumption~1".to_owned()),
        "{names:?}"
    );
    let kind = pb::ListChecklistTemplatesRequest {
        place_kind: pb::PlaceKind::Bus.into(),
        page_size: 0,
        ..list
    };
    let ask = scene.ask(PRINCIPAL, kind);
    let page = scene
        .lists
        .list_checklist_templates(ask)
        .await
        .expect("listed")
        .into_inner();
    assert_eq!(page.checklist_templates.len(), 1);
    let name = "checklistTemplates/fire~1";
    assert_eq!(
        refused(retire(&mut scene, CITY_OFFICER, name).await),
        "SCOPE_DENIED"
    );
    // A second start of the service ships nothing again.
    let before = get(&mut scene, PRINCIPAL, name).await.expect("found");
    assert_eq!(before.changes.len(), 1);
    scene
        .world
        .running
        .take()
        .expect("running")
        .stop()
        .await
        .expect("stopped");
    let (scratch, clock) = (&scene.world.scratch, &scene.world.clock);
    let (channel, running) = crate::city::world::serve(scratch, clock).await;
    scene.world.running = Some(running);
    scene.lists = pb::checklist_service_client::ChecklistServiceClient::new(channel);
    assert_eq!(
        get(&mut scene, PRINCIPAL, name).await.expect("found"),
        before
    );
}

async fn a_published_version_never_changes(mut scene: Scene) {
    let drafted = create(&mut scene, OFFICER, BUREAU, roof(&["tank"]))
        .await
        .expect("drafted");
    assert_eq!(drafted.name, "checklistTemplates/350102~roof~1");
    assert_eq!((drafted.state(), drafted.version), (State::Draft, 1));
    let mut wish = roof(&["tank", "fence"]);
    wish.name.clone_from(&drafted.name);
    wish.etag = "0".to_owned();
    let stale = update(&mut scene, OFFICER, wish.clone(), &["items"]).await;
    assert_eq!(refused(stale), "CONFLICT");
    wish.etag.clone_from(&drafted.etag);
    wish.display_name = "不应改动".to_owned();
    let changed = update(&mut scene, OFFICER, wish.clone(), &["items"])
        .await
        .expect("changed");
    assert_eq!(
        (changed.items.len(), &*changed.display_name),
        (2, "屋顶检查")
    );
    wish.etag.clear();
    let unknown = update(&mut scene, OFFICER, wish.clone(), &["code"]).await;
    assert_eq!(refused(unknown), "INVALID_FIELD");
    let published = publish(&mut scene, OFFICER, &drafted.name)
        .await
        .expect("published");
    let late = update(&mut scene, OFFICER, wish, &["items"]).await;
    assert_eq!(refused(late), "CHECKLIST_STATE");
    let held = get(&mut scene, OFFICER, &drafted.name)
        .await
        .expect("found");
    assert_eq!(held, published);
    let steps: Vec<(State, State)> = held
        .changes
        .iter()
        .map(|change| (change.from_state(), change.to_state()))
        .collect();
    let expected = [
        (State::Unspecified, State::Draft),
        (State::Draft, State::Published),
    ];
    assert_eq!(steps, expected);
}

async fn schools_add_and_never_weaken(mut scene: Scene) {
    let shipped = "checklistTemplates/stampede~2";
    let own = addition(shipped, &["roof-tank"]);
    let own = published(&mut scene, PRINCIPAL, SCHOOL, own).await;
    assert!(
        own.place_kinds.contains(&pb::PlaceKind::Dormitory.into()),
        "those of the list"
    );
    for (to, items) in [
        (shipped, vec!["doors"]),
        (&*own.name, vec!["another"]),
        ("checklistTemplates/none~1", vec!["another"]),
    ] {
        let refusal = create(&mut scene, PRINCIPAL, SCHOOL, addition(to, &items)).await;
        assert_eq!(refused(refusal), "CHECKLIST_ADDITION", "{to}");
    }
    // Districts add as well; what a school adds is for nobody else.
    let district = pb::ChecklistTemplate {
        code: "district".to_owned(),
        ..addition(shipped, &["arcade"])
    };
    published(&mut scene, OFFICER, BUREAU, district).await;
    let here = resolved(&mut scene, SCHOOL, "stampede~2").await;
    let names: Vec<&str> = here
        .checklist_templates
        .iter()
        .map(String::as_str)
        .collect();
    let expected = [shipped, "checklistTemplates/350102~district~1", &*own.name];
    assert_eq!(names, expected);
    let codes: Vec<&str> = here.items.iter().map(|item| &*item.code).collect();
    assert_eq!(codes[codes.len() - 2..], ["arcade", "roof-tank"]);
    let sister = resolved(&mut scene, tree::SISTER, "stampede~2").await;
    assert_eq!(sister.items.len() + 1, here.items.len());
    let elsewhere = resolved(&mut scene, "organizations/2135010002", "stampede~2").await;
    assert_eq!(elsewhere.checklist_templates, [shipped]);
    // They are inspected: the added items have names of their own.
    let planned = scene
        .create(OFFICER, SCHOOL, stampede())
        .await
        .expect("planned");
    assert_eq!(planned.added_templates, expected[1..]);
    let items = scene.items(OFFICER, &planned.name).await;
    let last = items.last().expect("an item");
    assert_eq!(last.item, "2135010001~own~1/roof-tank");
    assert_eq!(usize::try_from(planned.item_count), Ok(items.len()));
    // An addition that goes out of force stays in the inspection that was planned with it.
    retire(&mut scene, PRINCIPAL, &own.name)
        .await
        .expect("retired");
    assert_eq!(scene.items(OFFICER, &planned.name).await, items);
    let later = scene
        .create(OFFICER, SCHOOL, stampede())
        .await
        .expect("planned");
    assert_eq!(later.item_count + 1, planned.item_count);
}

async fn a_new_version_stands_beside_the_old_one(mut scene: Scene) {
    let first = published(&mut scene, OFFICER, BUREAU, roof(&["tank"])).await;
    let own = addition(&first.name, &["fence", "ladder"]);
    published(&mut scene, PRINCIPAL, SCHOOL, own).await;
    let second = published(&mut scene, OFFICER, BUREAU, roof(&["tank", "fence"])).await;
    assert_eq!(
        (second.version, &*second.name),
        (2, "checklistTemplates/350102~roof~2")
    );
    let held = get(&mut scene, OFFICER, &first.name).await.expect("found");
    assert_eq!(held, first);
    // What was added to the line goes on; where the list has the item now, the list's counts.
    let here = resolved(&mut scene, SCHOOL, "350102~roof~2").await;
    let codes: Vec<&str> = here.items.iter().map(|item| &*item.code).collect();
    assert_eq!(codes, ["tank", "fence", "ladder"]);
}

async fn malformed_items_are_explained(mut scene: Scene) {
    use pb::checklist_item::Kind;
    let with = |change: &dyn Fn(&mut pb::ChecklistItem)| {
        let mut template = roof(&["tank"]);
        template.items.iter_mut().for_each(change);
        template
    };
    let wrong: [pb::ChecklistTemplate; 8] = [
        roof(&[]),
        roof(&["tank", "tank"]),
        roof(&["水箱"]),
        with(&|item| item.weight = 0),
        with(&|item| item.kind = Kind::Number.into()),
        with(&|item| item.minimum_thousandths = Some(1)),
        with(&|item| item.grade = pb::checklist_item::Grade::Major.into()),
        with(&|item| item.clause = None),
    ];
    for template in wrong {
        let answer = create(&mut scene, OFFICER, BUREAU, template.clone()).await;
        assert_eq!(refused(answer), "INVALID_FIELD", "{template:?}");
    }
    let request = pb::CreateChecklistTemplateRequest {
        parent: BUREAU.to_owned(),
        checklist_template: Some(roof(&["tank"])),
        request_id: Uuid::from_u128(1).to_string(),
    };
    for _ in 0..2 {
        let ask = scene.ask(OFFICER, request.clone());
        let answer = scene.lists.create_checklist_template(ask).await;
        assert_eq!(answer.expect("drafted").into_inner().version, 1);
    }
}
