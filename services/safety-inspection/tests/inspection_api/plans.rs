//! What is due follows from schedules, the calendar and the register; what nobody did is told.

use chrono::Duration;
use kit::auth::Role;
use proto::safety as pb;
use proto::safety::due_inspection::State;

use crate::city::tree::{self, BUREAU, CITY};
use crate::city::{SCHOOL, SCHOOL_PATH};
use crate::places::enter;
use crate::scene::{CITY_OFFICER, OFFICER, PRINCIPAL, Scene, date, plan, refused, scenes};

scenes!(
    what_is_due_follows_the_calendar,
    an_inspection_meets_what_is_due,
    coverage_is_worst_first_and_nothing_reads_as_done,
    schedules_begin_and_end,
    malformed_plans_are_explained,
);

async fn due(scene: &mut Scene, parent: &str, days: (i32, i32)) -> Vec<pb::DueInspection> {
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let request = pb::ListDueInspectionsRequest {
            parent: parent.to_owned(),
            start_date: date(4, days.0),
            end_date: date(4, days.1),
            page_size: 1,
            page_token: token,
            ..Default::default()
        };
        let ask = scene.ask(CITY_OFFICER, request);
        let page = scene
            .plans
            .list_due_inspections(ask)
            .await
            .expect("listed")
            .into_inner();
        all.extend(page.due_inspections);
        token = page.next_page_token;
        if token.is_empty() {
            return all;
        }
    }
}

async fn coverage(scene: &mut Scene, parent: &str) -> pb::ListInspectionCoverageResponse {
    let request = pb::ListInspectionCoverageRequest {
        parent: parent.to_owned(),
        start_date: date(4, 6),
        end_date: date(4, 8),
        ..Default::default()
    };
    let ask = scene.ask(CITY_OFFICER, request);
    let listed = scene.plans.list_inspection_coverage(ask).await;
    listed.expect("listed").into_inner()
}

fn at_gate() -> pb::Inspection {
    plan(
        "gate~1",
        pb::PlaceKind::Gate,
        "gate",
        pb::InspectionLevel::Post,
    )
}

async fn what_is_due_follows_the_calendar(mut scene: Scene) {
    // Tomb-sweeping: the 3rd to the 5th are off, so the gate is due on the 2nd and the 6th.
    let gates = |due: &[pb::DueInspection]| {
        let gates = due
            .iter()
            .filter(|one| one.place_kind() == pb::PlaceKind::Gate);
        gates
            .filter_map(|one| Some(one.due_date?.day))
            .collect::<Vec<_>>()
    };
    assert_eq!(gates(&due(&mut scene, SCHOOL, (2, 6)).await), [2, 6]);
    // Nobody inspected on the 2nd, and the 6th is not over.
    let listed = due(&mut scene, SCHOOL, (2, 6)).await;
    let gate = |day| {
        let found = listed.iter().find(|one| {
            one.inspection_schedule == "inspectionSchedules/gate-daily"
                && one.due_date == date(4, day)
        });
        found.expect("due").state()
    };
    assert_eq!((gate(2), gate(6)), (State::NotInspected, State::Due));
    // The flood season begins on the 15th; the week of that day wants a look.
    let wet = |due: &[pb::DueInspection]| {
        let name = "inspectionSchedules/flood-season";
        due.iter()
            .filter(|one| one.inspection_schedule == name)
            .count()
    };
    assert_eq!(wet(&due(&mut scene, SCHOOL, (6, 10)).await), 0);
    assert_eq!(wet(&due(&mut scene, SCHOOL, (18, 24)).await), 1);
    // A canteen is due once it is entered, a kindergarten by its own schedules, a bureau never.
    let canteens = |due: &[pb::DueInspection]| {
        due.iter()
            .filter(|one| one.inspection_schedule == "inspectionSchedules/canteen-daily")
            .count()
    };
    assert_eq!(canteens(&due(&mut scene, SCHOOL, (6, 7)).await), 0);
    enter(&mut scene, pb::PlaceKind::Canteen, "canteen-1")
        .await
        .expect("entered");
    assert_eq!(canteens(&due(&mut scene, SCHOOL, (6, 7)).await), 2);
    assert_eq!(
        canteens(&due(&mut scene, SCHOOL, (1, 2)).await),
        0,
        "not before it was entered"
    );
    let all = due(&mut scene, CITY, (6, 6)).await;
    assert!(
        all.iter()
            .all(|one| one.organization != CITY && one.organization != BUREAU)
    );
    let kindergarten = all
        .iter()
        .filter(|one| one.organization == tree::KINDERGARTEN);
    assert!(kindergarten.count() > 0);
}

async fn an_inspection_meets_what_is_due(mut scene: Scene) {
    let guard = ("guard-1", Role::Guard, SCHOOL_PATH);
    let done = scene.inspect(guard, SCHOOL, at_gate(), &["alarm"]).await;
    let listed = due(&mut scene, SCHOOL, (6, 7)).await;
    let gate: Vec<(State, &str)> = listed
        .iter()
        .filter(|one| one.place_kind() == pb::PlaceKind::Gate)
        .map(|one| (one.state(), &*one.inspection))
        .collect();
    // Inspected, though not all was good there; and only for that day.
    assert_eq!(gate, [(State::Inspected, &*done.name), (State::Due, "")]);
    let request = pb::ListDueInspectionsRequest {
        parent: SCHOOL.to_owned(),
        start_date: date(4, 6),
        end_date: date(4, 6),
        outstanding_only: true,
        ..Default::default()
    };
    let ask = scene.ask(PRINCIPAL, request);
    let open = scene
        .plans
        .list_due_inspections(ask)
        .await
        .expect("listed")
        .into_inner();
    let open = open.due_inspections.iter();
    assert_eq!(
        open.filter(|one| one.place_kind() == pb::PlaceKind::Gate)
            .count(),
        0
    );
    // A look by a post does not stand for the month's look by the school.
    let fire = |level| plan("fire~1", pb::PlaceKind::School, "", level);
    let monthly = |due: &[pb::DueInspection]| {
        let name = "inspectionSchedules/fire-monthly";
        let found = due.iter().find(|one| one.inspection_schedule == name);
        found.expect("due").state()
    };
    // The month began before the schedule did not: it wants April from the 1st.
    let post = pb::InspectionLevel::Post;
    scene.inspect(PRINCIPAL, SCHOOL, fire(post), &[]).await;
    assert_eq!(monthly(&due(&mut scene, SCHOOL, (6, 6)).await), State::Due);
    let bureau = pb::InspectionLevel::Bureau;
    scene.inspect(OFFICER, SCHOOL, fire(bureau), &[]).await;
    assert_eq!(
        monthly(&due(&mut scene, SCHOOL, (6, 6)).await),
        State::Inspected
    );
}

async fn coverage_is_worst_first_and_nothing_reads_as_done(mut scene: Scene) {
    let guard = ("guard-1", Role::Guard, SCHOOL_PATH);
    scene.inspect(guard, SCHOOL, at_gate(), &[]).await;
    scene.world.clock.advance(Duration::days(2));
    let covered = coverage(&mut scene, BUREAU).await;
    let counts = |organization: &str| {
        let found = covered
            .coverage
            .iter()
            .find(|one| one.organization == organization);
        let one = found.expect("covered");
        (one.due_count, one.inspected_count, one.missed_count)
    };
    // Gates are due on the 6th, 7th and 8th, and today is the 8th. Of the boarding school its dormitory is
    // due too, which nobody entered.
    assert_eq!(counts(SCHOOL), (6, 1, 3));
    assert_eq!(counts(tree::SISTER), (3, 0, 2));
    let last = covered.coverage.last().expect("somebody");
    assert_eq!(last.organization, SCHOOL, "worst first");
    let total = covered.total.expect("all together");
    assert_eq!(
        (total.due_count, total.inspected_count, total.missed_count),
        (15, 1, 9)
    );
    let kinds: Vec<_> = total.kinds.iter().map(|one| one.place_kind()).collect();
    assert_eq!(kinds, [pb::PlaceKind::Dormitory, pb::PlaceKind::Gate]);
    let city = coverage(&mut scene, CITY).await;
    assert_eq!(city.coverage.len(), covered.coverage.len() + 2);
    let school = coverage(&mut scene, SCHOOL).await;
    assert_eq!(school.coverage.len(), 1);
    let ahead = pb::ListInspectionCoverageRequest {
        parent: CITY.to_owned(),
        start_date: date(4, 6),
        end_date: date(4, 9),
        ..Default::default()
    };
    let ask = scene.ask(CITY_OFFICER, ahead);
    let answer = scene.plans.list_inspection_coverage(ask).await;
    assert_eq!(
        refused(answer),
        "INVALID_FIELD",
        "days to come have no coverage"
    );
    let page = pb::ListInspectionCoverageRequest {
        parent: CITY.to_owned(),
        start_date: date(4, 6),
        end_date: date(4, 8),
        page_size: 4,
        page_token: String::new(),
    };
    let ask = scene.ask(CITY_OFFICER, page.clone());
    let first = scene
        .plans
        .list_inspection_coverage(ask)
        .await
        .expect("listed")
        .into_inner();
    let rest = pb::ListInspectionCoverageRequest {
        page_token: first.next_page_token,
        ..page
    };
    let ask = scene.ask(CITY_OFFICER, rest);
    let second = scene
        .plans
        .list_inspection_coverage(ask)
        .await
        .expect("listed")
        .into_inner();
    let both: Vec<_> = first.coverage.into_iter().chain(second.coverage).collect();
    assert_eq!((both, &*second.next_page_token), (city.coverage, ""));
}

async fn schedules_begin_and_end(mut scene: Scene) {
    let schedule = |list: &str| pb::CreateInspectionScheduleRequest {
        parent: BUREAU.to_owned(),
        inspection_schedule: Some(pb::InspectionSchedule {
            display_name: "每日消防巡查".to_owned(),
            checklist_template: format!("checklistTemplates/{list}"),
            place_kind: pb::PlaceKind::School.into(),
            level: pb::InspectionLevel::School.into(),
            cadence: pb::inspection_schedule::Cadence::SchoolDay.into(),
            start_date: date(4, 7),
            ..Default::default()
        }),
        request_id: String::new(),
    };
    let ask = scene.ask(OFFICER, schedule("gate~1"));
    let wrong = scene.plans.create_inspection_schedule(ask).await;
    assert_eq!(refused(wrong), "CHECKLIST_NOT_APPLICABLE");
    let ask = scene.ask(OFFICER, schedule("fire~1"));
    let entered = scene
        .plans
        .create_inspection_schedule(ask)
        .await
        .expect("entered")
        .into_inner();
    let end = |name: &str| pb::EndInspectionScheduleRequest {
        name: name.to_owned(),
        end_date: date(4, 8),
        request_id: String::new(),
    };
    let ask = scene.ask(CITY_OFFICER, end("inspectionSchedules/gate-daily"));
    let shipped = scene.plans.end_inspection_schedule(ask).await;
    assert_eq!(refused(shipped), "SCOPE_DENIED");
    let ask = scene.ask(OFFICER, end(&entered.name));
    let ended = scene
        .plans
        .end_inspection_schedule(ask)
        .await
        .expect("ended")
        .into_inner();
    assert_eq!(ended.end_date, date(4, 8));
    let days: Vec<i32> = due(&mut scene, SCHOOL, (6, 12))
        .await
        .into_iter()
        .filter(|one| one.inspection_schedule == entered.name)
        .filter_map(|one| Some(one.due_date?.day))
        .collect();
    assert_eq!(days, [7, 8]);
    let list = pb::ListInspectionSchedulesRequest {
        parent: SCHOOL.to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    let ask = scene.ask(PRINCIPAL, list);
    let listed = scene
        .plans
        .list_inspection_schedules(ask)
        .await
        .expect("listed")
        .into_inner();
    assert!(
        listed.inspection_schedules.contains(&ended),
        "those above are told as well"
    );
}

async fn malformed_plans_are_explained(mut scene: Scene) {
    let school = pb::InspectionLevel::School;
    let good = plan("fire~1", pb::PlaceKind::School, "", school);
    let wrong: [pb::Inspection; 5] = [
        pb::Inspection::default(),
        plan("fire", pb::PlaceKind::School, "", school),
        plan("fire~1", pb::PlaceKind::School, "building-1", school),
        plan("gate~1", pb::PlaceKind::Gate, "校门", school),
        pb::Inspection {
            planned_date: date(4, 5),
            ..good.clone()
        },
    ];
    for plan in wrong {
        let answer = scene.create(PRINCIPAL, SCHOOL, plan.clone()).await;
        assert_eq!(refused(answer), "INVALID_FIELD", "{plan:?}");
    }
    for (list, kind, parent) in [
        ("none~1", pb::PlaceKind::School, SCHOOL),
        ("training~1", pb::PlaceKind::School, SCHOOL),
        ("350103~none~1", pb::PlaceKind::School, SCHOOL),
    ] {
        let answer = scene
            .create(OFFICER, parent, plan(list, kind, "", school))
            .await;
        assert_eq!(refused(answer), "CHECKLIST_NOT_APPLICABLE", "{list}");
    }
}
