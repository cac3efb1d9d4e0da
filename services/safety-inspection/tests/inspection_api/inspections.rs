//! What fails becomes a hazard, once; who inspects and who answers are different people.

use kit::auth::Role;
use proto::safety as pb;
use proto::safety::inspection::State;
use proto::safety::inspection_item::Result as Became;
use uuid::Uuid;

use crate::city::tree::{self, BUREAU_PATH, DEPUTY, HEAD, WARDEN};
use crate::city::{SCHOOL, SCHOOL_PATH, roster, staff};
use crate::scene::{CITY_OFFICER, OFFICER, Scene, item, plan, refused, scenes, stampede};

scenes!(
    failed_items_open_hazards_with_clause_and_rule,
    the_same_failure_meets_the_standing_hazard,
    the_same_item_fails_again_after_its_hazard_was_closed,
    nothing_is_submitted_before_all_is_looked_at,
    whoever_answers_does_not_inspect_for_a_bureau,
    a_repeated_submission_opens_nothing_twice,
);

/// Description and rules of the hazards of the school, in the order of the rules.
async fn hazards(scene: &Scene) -> Vec<(String, String, String)> {
    use sea_orm::ConnectionTrait;
    let sql = "SELECT description, major_rules, origin FROM hazards ORDER BY major_rules";
    let db = scene.world.db.read();
    let rows = db.query_all_raw(kit::db::statement(db, sql, [])).await;
    let text = |row: &sea_orm::QueryResult, place| row.try_get_by_index(place).expect("a text");
    let rows = rows.expect("read");
    rows.iter()
        .map(|row| (text(row, 0), text(row, 1), text(row, 2)))
        .collect()
}

/// Of each of these hazards the grade that its item gives, its grade and the law behind it, in the order
/// of grades.
async fn proposed(scene: &Scene, names: &[String]) -> Vec<(i32, i32, String)> {
    let channel = scene.world.channel.clone();
    let mut client = pb::hazard_service_client::HazardServiceClient::new(channel);
    let mut found = Vec::new();
    for name in names {
        let get = pb::GetHazardRequest { name: name.clone() };
        let asked = scene.ask(OFFICER, get);
        let hazard = client.get_hazard(asked).await.expect("read");
        let hazard = hazard.into_inner();
        let clause = hazard.clause.expect("a clause");
        let law = format!("{} {}", clause.law, clause.article);
        found.push((hazard.proposed_grade, hazard.grade, law));
    }
    found.sort();
    found
}

async fn failed_items_open_hazards_with_clause_and_rule(mut scene: Scene) {
    let own = pb::ChecklistTemplate {
        code: "roof".to_owned(),
        display_name: "屋顶检查".to_owned(),
        place_kinds: vec![pb::PlaceKind::School.into()],
        hazard_category: pb::HazardCategory::Fire.into(),
        items: vec![
            item("tank", ""),
            item("alarm", "fire-equipment-dead"),
            // Major by the guide of 2024 only.
            item("bikes", "fire-e-bikes"),
            item("good", ""),
        ],
        ..Default::default()
    };
    let list = crate::checklists::published(&mut scene, OFFICER, tree::BUREAU, own).await;
    let list = list
        .name
        .trim_start_matches("checklistTemplates/")
        .to_owned();
    let level = pb::InspectionLevel::Bureau;
    let roof = plan(&list, pb::PlaceKind::School, "", level);
    let ended = scene
        .inspect(OFFICER, SCHOOL, roof, &["tank", "alarm", "bikes"])
        .await;
    assert_eq!(ended.state(), State::Submitted);
    assert_eq!((ended.item_count, ended.failed_count), (4, 3));
    assert_eq!(ended.score_thousandths, Some(250));
    assert_eq!(
        ended.answerable,
        staff(WARDEN),
        "who answers for fire is shown"
    );
    assert_eq!(ended.inspector, OFFICER.0);
    assert_eq!(ended.hazards.len(), 3);
    let text = "不符合要求：楼顶水箱加盖上锁（依据：学校卫生工作条例第七条）";
    let expected = [
        (text.to_owned(), String::new(), ended.name.clone()),
        (text.to_owned(), String::new(), ended.name.clone()),
        (
            text.to_owned(),
            "fz-2022-fire-04".to_owned(),
            ended.name.clone(),
        ),
    ];
    assert_eq!(hazards(&scene).await, expected);
    assert_eq!(
        proposed(&scene, &ended.hazards).await,
        [
            (1, 0, "学校卫生工作条例 第七条".to_owned()),
            (1, 0, "学校卫生工作条例 第七条".to_owned()),
            (2, 2, "学校卫生工作条例 第七条".to_owned()),
        ]
    );
    let items = scene.items(OFFICER, &ended.name).await;
    let became: Vec<Became> = items.iter().map(pb::InspectionItem::result).collect();
    assert_eq!(
        became,
        [
            Became::Failed,
            Became::Failed,
            Became::Failed,
            Became::Passed
        ]
    );
    assert!(
        items[..3]
            .iter()
            .all(|item| ended.hazards.contains(&item.hazard))
    );
    assert!(!items[0].hazard_stood && items[3].hazard.is_empty());
    let changes: Vec<State> = ended
        .changes
        .iter()
        .map(pb::inspection::Change::to_state)
        .collect();
    assert_eq!(changes, [State::Planned, State::Running, State::Submitted]);
    assert!(ended.changes.iter().all(|change| change.actor == OFFICER.0));
}

async fn the_same_failure_meets_the_standing_hazard(mut scene: Scene) {
    let first = scene.inspect(OFFICER, SCHOOL, stampede(), &["doors"]).await;
    let again = scene
        .inspect(OFFICER, SCHOOL, stampede(), &["doors", "plan"])
        .await;
    assert_eq!(first.hazards.len(), 1);
    assert_eq!(again.hazards.len(), 2);
    assert!(
        again.hazards.contains(&first.hazards[0]),
        "linked, not opened again"
    );
    assert_eq!(hazards(&scene).await.len(), 2);
    let items = scene.items(OFFICER, &again.name).await;
    let stood = items.iter().filter(|item| item.hazard_stood);
    let stood: Vec<&str> = stood.map(|item| &*item.item).collect();
    assert_eq!(stood, ["doors"]);
    // The same item fails at another school: a hazard of its own.
    let other = scene
        .inspect(OFFICER, tree::SISTER, stampede(), &["doors"])
        .await;
    assert!(!again.hazards.contains(&other.hazards[0]));
}

/// Rule 5.9: the item says that it is the same, although no place is named.
async fn the_same_item_fails_again_after_its_hazard_was_closed(mut scene: Scene) {
    use kit::clock::Clock;
    use sea_orm::ConnectionTrait;
    let first = scene.inspect(OFFICER, SCHOOL, stampede(), &["doors"]).await;
    let now = scene.world.clock.now().timestamp_millis();
    let close = format!("UPDATE hazards SET state = 9, closed_at = {now}");
    let db = scene.world.db.read();
    let closed = db.execute_raw(kit::db::statement(db, &close, [])).await;
    assert_eq!(closed.expect("closed").rows_affected(), 1);
    let again = scene
        .inspect(OFFICER, SCHOOL, stampede(), &["doors", "plan"])
        .await;
    assert_eq!(again.hazards.len(), 2);
    assert!(!again.hazards.contains(&first.hazards[0]));
    let sql = "SELECT recurrence_of, grade FROM hazards WHERE state = 1 ORDER BY grade";
    let db = scene.world.db.read();
    let rows = db.query_all_raw(kit::db::statement(db, sql, [])).await;
    let found: Vec<(String, i16)> = rows
        .expect("read")
        .iter()
        .map(|row| {
            let grade = row.try_get_by_index(1).expect("a grade");
            (row.try_get_by_index(0).expect("a name"), grade)
        })
        .collect();
    assert_eq!(found, [(String::new(), 0), (first.hazards[0].clone(), 2)]);
}

async fn nothing_is_submitted_before_all_is_looked_at(mut scene: Scene) {
    let planned = scene
        .create(OFFICER, SCHOOL, stampede())
        .await
        .expect("planned");
    scene.start(OFFICER, &planned.name).await.expect("started");
    assert_eq!(
        refused(scene.submit(OFFICER, &planned.name).await),
        "INSPECTION_INCOMPLETE"
    );
    let mut answers = scene.all_but(&planned.name, &[]).await;
    let last = answers.pop().expect("an answer");
    scene
        .record(OFFICER, &planned.name, answers)
        .await
        .expect("recorded");
    assert_eq!(
        refused(scene.submit(OFFICER, &planned.name).await),
        "INSPECTION_INCOMPLETE"
    );
    let items = scene.items(OFFICER, &planned.name).await;
    let open = items
        .iter()
        .filter(|item| item.result() == Became::Unanswered);
    let open: Vec<&str> = open.map(|item| &*item.item).collect();
    assert_eq!(
        open,
        [&*last.item],
        "what nobody looked at never reads as good"
    );
    assert_eq!(scene.get(&planned.name).await.score_thousandths, None);
    scene
        .record(OFFICER, &planned.name, vec![last])
        .await
        .expect("recorded");
    let ended = scene
        .submit(OFFICER, &planned.name)
        .await
        .expect("submitted");
    assert_eq!(ended.score_thousandths, Some(1000));
}

async fn whoever_answers_does_not_inspect_for_a_bureau(mut scene: Scene) {
    let fire = || {
        let (kind, level) = (pb::PlaceKind::School, pb::InspectionLevel::Bureau);
        plan("fire~1", kind, "", level)
    };
    let planned = scene
        .create(OFFICER, SCHOOL, fire())
        .await
        .expect("planned");
    assert_eq!(planned.answerable, staff(WARDEN));
    let warden = staff(WARDEN);
    let lent = (&*warden, Role::DistrictOfficer, BUREAU_PATH);
    assert_eq!(
        refused(scene.start(lent, &planned.name).await),
        "INSPECTION_OWN_PLACE"
    );
    assert_eq!(scene.get(&planned.name).await.state(), State::Planned);
    // A school does not inspect itself for its bureau.
    let own = ("principal-1", Role::Principal, SCHOOL_PATH);
    assert_eq!(
        refused(scene.create(own, SCHOOL, fire()).await),
        "SCOPE_DENIED"
    );
    assert_eq!(
        refused(scene.start(own, &planned.name).await),
        "SCOPE_DENIED"
    );
    // For the school itself the same person may.
    let mut inside = fire();
    inside.level = pb::InspectionLevel::School.into();
    let planned = scene.create(own, SCHOOL, inside).await.expect("planned");
    let inside = (&*warden, Role::SafetyOfficer, SCHOOL_PATH);
    scene.start(inside, &planned.name).await.expect("started");
    // Who answers is asked anew: the duty moved on while the inspection ran.
    let answers = scene.all_but(&planned.name, &[]).await;
    scene
        .record(inside, &planned.name, answers)
        .await
        .expect("recorded");
    let duties = [("FIRE", "", DEPUTY), ("OVERALL_HEAD", "", HEAD)];
    let moved = tree::duties(SCHOOL_PATH, 3, &duties);
    roster(&scene.world.db, &[moved], 2).await;
    let ended = scene
        .submit(inside, &planned.name)
        .await
        .expect("submitted");
    assert_eq!(ended.answerable, staff(DEPUTY));
    assert_eq!(
        refused(scene.confirm(inside, &ended.name).await),
        "INSPECTION_NOT_ANSWERABLE"
    );
    let deputy = staff(DEPUTY);
    let deputy = (&*deputy, Role::SafetyOfficer, SCHOOL_PATH);
    let disputed = scene.dispute(deputy, &ended.name).await.expect("disputed");
    let last = disputed.changes.last().expect("a change");
    assert_eq!(
        (&*last.reason, last.to_state()),
        ("现场已整改", State::Disputed)
    );
    let confirmed = scene.confirm(deputy, &ended.name).await.expect("confirmed");
    assert_eq!(confirmed.state(), State::Confirmed);
}

async fn a_repeated_submission_opens_nothing_twice(mut scene: Scene) {
    let create = pb::CreateInspectionRequest {
        parent: SCHOOL.to_owned(),
        inspection: Some(stampede()),
        request_id: Uuid::from_u128(7).to_string(),
    };
    let mut planned = Vec::new();
    for _ in 0..2 {
        let ask = scene.ask(OFFICER, create.clone());
        let answer = scene.inspections.create_inspection(ask).await;
        planned.push(answer.expect("planned").into_inner());
    }
    assert_eq!(planned[0], planned[1]);
    let name = planned[0].name.clone();
    scene.start(OFFICER, &name).await.expect("started");
    let answers = scene.all_but(&name, &["doors"]).await;
    scene
        .record(OFFICER, &name, answers)
        .await
        .expect("recorded");
    let submit = pb::SubmitInspectionRequest {
        name: name.clone(),
        request_id: Uuid::from_u128(8).to_string(),
    };
    let mut ended = Vec::new();
    for _ in 0..2 {
        let ask = scene.ask(OFFICER, submit.clone());
        let answer = scene.inspections.submit_inspection(ask).await;
        ended.push(answer.expect("submitted").into_inner());
    }
    assert_eq!(ended[0], ended[1]);
    assert_eq!(hazards(&scene).await.len(), 1);
    let reused = pb::SubmitInspectionRequest {
        name: name.replace("inspections/0", "inspections/1"),
        ..submit
    };
    let ask = scene.ask(OFFICER, reused);
    let answer = scene.inspections.submit_inspection(ask).await;
    assert_eq!(refused(answer), "REQUEST_ID_REUSED");
    let list = pb::ListInspectionsRequest {
        parent: tree::CITY.to_owned(),
        state: State::Submitted.into(),
        ..Default::default()
    };
    let ask = scene.ask(CITY_OFFICER, list);
    let listed = scene
        .inspections
        .list_inspections(ask)
        .await
        .expect("listed")
        .into_inner();
    let names: Vec<String> = listed.inspections.into_iter().map(|one| one.name).collect();
    assert_eq!(names, [name], "the city's list reaches down the tree");
}
