//! The way of a hazard from found to closed, and what stands in it.

use proto::safety as pb;
use proto::safety::hazard::{Grade, Source, State};
use uuid::Uuid;

use crate::city::hazards::*;
use crate::city::on_both;
use crate::city::staff;
use crate::city::tree::{self, KINDERGARTEN, WARDEN};
use crate::city::world::{World, told};

on_both!(
    a_hazard_goes_all_the_way_and_each_act_is_written_down,
    a_major_hazard_is_neither_left_uncontrolled_nor_closed_by_owner_or_school,
    a_kindergarten_on_floor_four_is_major_by_the_table,
    what_does_not_start_from_a_state_is_refused_and_changes_nothing,
    a_repeated_request_has_one_effect,
);

async fn a_hazard_goes_all_the_way_and_each_act_is_written_down(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("building-3/floor-3").await;
    desk.rectifying(&name, Grade::General).await;
    let report = pb::ReportHazardProgressRequest {
        name: name.clone(),
        progress_report: Some(pb::HazardProgressReport {
            description: "已清理一半".to_owned(),
            percent: 50,
            ..Default::default()
        }),
        request_id: String::new(),
    };
    let report = desk.by(OWNER, report);
    let report = desk.hazards.report_hazard_progress(report).await;
    let report = report.expect("reported").into_inner();
    assert_eq!(report.name, format!("{name}/progressReports/1"));
    assert!(!report.late && report.reporter == staff(WARDEN));
    let submit = desk.submission(&name, vec![desk.photo(3)]);
    desk.submit(OWNER, submit).await.expect("submitted");
    desk.review(PRINCIPAL, review(&name)).await.expect("begun");
    desk.give_back(PRINCIPAL, give_back(&name))
        .await
        .expect("returned");
    desk.rectify(OWNER, rectify(&name)).await.expect("again");
    let closed = desk.closed(&name).await;

    assert_eq!(closed.state(), State::Closed);
    assert_eq!(
        (closed.grade(), closed.source()),
        (Grade::General, Source::Own)
    );
    assert_eq!(closed.ledger_number, "2022-0001");
    let fixes = closed.fixes.expect("five fixes");
    assert_eq!(fixes.owner, staff(WARDEN), "who answers for fire owns it");
    assert_eq!(
        (fixes.budget_fen, fixes.due_date),
        (Some(120_000), Some(desk.day(5)))
    );
    let submission = closed.submission.expect("evidence");
    assert_eq!((submission.round, submission.photos.len()), (2, 1));
    assert_eq!(closed.photos.len(), 1);
    assert!(closed.control.expect("controlled").end_time.is_some());

    let request = pb::ListHazardChangesRequest {
        parent: name.clone(),
        page_size: 8,
        ..Default::default()
    };
    let first = desk.by(GUARD, request.clone());
    let first = desk.hazards.list_hazard_changes(first).await;
    let first = first.expect("listed").into_inner();
    let rest = pb::ListHazardChangesRequest {
        page_token: first.next_page_token,
        ..request
    };
    let rest = desk.by(GUARD, rest);
    let rest = desk.hazards.list_hazard_changes(rest).await;
    let rest = rest.expect("listed").into_inner();
    assert_eq!(rest.next_page_token, "");
    let changes: Vec<_> = first.changes.iter().chain(&rest.changes).collect();
    let acts: Vec<&str> = changes.iter().map(|change| &*change.act).collect();
    let expected = [
        "ReportHazard",
        "VerifyHazard",
        "ControlHazard",
        "AssignHazard",
        "RectifyHazard",
        "ReportHazardProgress",
        "SubmitHazard",
        "ReviewHazard",
        "ReturnHazard",
        "RectifyHazard",
        "SubmitHazard",
        "ReviewHazard",
        "CloseHazard",
    ];
    assert_eq!(acts, expected);
    for pair in changes.windows(2) {
        assert_eq!(pair[0].to_state, pair[1].from_state, "{}", pair[1].act);
    }
    let owner = changes.iter().find(|change| change.act == "SubmitHazard");
    assert_eq!(owner.expect("submitted").actor, staff(WARDEN));
}

/// Golden test T13.
async fn a_major_hazard_is_neither_left_uncontrolled_nor_closed_by_owner_or_school(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("hall").await;
    desk.verify(OFFICER, verify(&name, Grade::Major))
        .await
        .expect("verified");
    let assign = desk.fixes(&name, 20);
    let skipped = desk.assign(OFFICER, assign.clone()).await;
    refused(skipped, "HAZARD_CONTROL_MISSING");
    let mut cordon = control(&name);
    if let Some(control) = &mut cordon.control {
        control.measures = vec![pb::hazard_control::Measure::Cordon.into()];
    }
    refused(
        desk.control(OFFICER, cordon).await,
        "HAZARD_CONTROL_MISSING",
    );
    desk.control(OFFICER, control(&name))
        .await
        .expect("controlled");
    desk.assign(OFFICER, assign).await.expect("assigned");
    desk.rectify(OWNER, rectify(&name)).await.expect("begun");
    let submit = desk.submission(&name, vec![desk.photo(2)]);
    desk.submit(OWNER, submit).await.expect("submitted");
    for school in [OFFICER, PRINCIPAL] {
        refused(
            desk.review(school, review(&name)).await,
            "HAZARD_LEVEL_TOO_LOW",
        );
    }
    desk.review(DISTRICT, review(&name))
        .await
        .expect("reviewed");
    for school in [OFFICER, PRINCIPAL] {
        refused(
            desk.close(school, close(&name)).await,
            "HAZARD_LEVEL_TOO_LOW",
        );
    }
    // The owner is no reviewer whatever office they hold.
    let owner = (WARDEN, DISTRICT.1, DISTRICT.2);
    refused(desk.close(owner, close(&name)).await, "HAZARD_SAME_PERSON");
    let closed = desk.close(DISTRICT, close(&name)).await.expect("closed");
    assert_eq!(closed.state(), State::Closed);
}

/// Golden test T14, when it is reported and when it is verified.
async fn a_kindergarten_on_floor_four_is_major_by_the_table(world: World) {
    let mut desk = Desk::new(world).await;
    let report = |desk: &Desk, facts| {
        let mut request = desk.blocked_exit("floor-4");
        request.parent = KINDERGARTEN.to_owned();
        if let Some(hazard) = &mut request.hazard {
            hazard.facts = facts;
        }
        request
    };
    let request = report(&desk, vec![floor(4)]);
    let hazard = desk.report(DISTRICT, request).await.expect("reported");
    assert_eq!(
        (hazard.state(), hazard.grade()),
        (State::Reported, Grade::Major)
    );
    assert_eq!(hazard.major_rules, ["fz-2022-fire-03"]);
    assert_eq!(hazard.due_date, Some(desk.day(29)));

    let request = report(&desk, vec![floor(3)]);
    let hazard = desk.report(DISTRICT, request).await.expect("reported");
    assert_eq!(
        (hazard.grade(), hazard.major_rules.len()),
        (Grade::Unspecified, 0)
    );
    let mut request = verify(&hazard.name, Grade::General);
    request.facts = vec![floor(4)];
    let verified = desk.verify(DISTRICT, request).await.expect("verified");
    assert_eq!(
        (verified.grade(), verified.facts),
        (Grade::Major, vec![floor(4)])
    );
    assert_eq!(verified.major_rules, ["fz-2022-fire-03"]);

    let list = pb::ListMajorRulesRequest {
        date: Some(desk.day(0)),
        ..Default::default()
    };
    let list = desk.by(GUARD, list);
    let rules = desk.hazards.list_major_rules(list).await;
    let rules = rules.expect("listed").into_inner().major_rules;
    assert!(rules.iter().all(|rule| {
        ["fz-2022-", "gb-2017-"]
            .iter()
            .any(|table| rule.name.starts_with(&format!("majorRules/{table}")))
    }));
    let asked = rules.iter().flat_map(|rule| &rule.facts);
    assert!(
        asked
            .clone()
            .any(|fact| fact.key == "floor" && fact.numeric)
    );
}

async fn what_does_not_start_from_a_state_is_refused_and_changes_nothing(world: World) {
    let mut desk = Desk::new(world).await;
    let reported = desk.found("hall").await;
    let closed = desk.found("gym").await;
    desk.rectifying(&closed, Grade::General).await;
    desk.closed(&closed).await;
    for name in [reported, closed.clone()] {
        let before = desk.get(CITY, get(&name)).await.expect("read");
        let mut answers = Vec::new();
        if name == closed {
            answers.push(desk.verify(CITY, verify(&name, Grade::Major)).await);
            answers.push(desk.dismiss(CITY, dismiss(&name)).await);
        } else {
            answers.push(desk.lift(CITY, lift(&name)).await);
            answers.push(desk.watch(CITY, watch(&name)).await);
        }
        answers.push(desk.control(CITY, control(&name)).await);
        let assign = desk.fixes(&name, 1);
        answers.push(desk.assign(CITY, assign).await);
        let hand_over = pb::HandOverHazardRequest {
            name: name.clone(),
            owner: staff(WARDEN),
            reason: "调岗".to_owned(),
            request_id: String::new(),
        };
        answers.push(desk.hand_over(CITY, hand_over).await);
        answers.push(desk.remind(CITY, remind(&name)).await);
        answers.push(desk.rectify(CITY, rectify(&name)).await);
        let submit = desk.submission(&name, vec![desk.photo(2)]);
        answers.push(desk.submit(CITY, submit).await);
        answers.push(desk.review(CITY, review(&name)).await);
        answers.push(desk.close(CITY, close(&name)).await);
        answers.push(desk.give_back(CITY, give_back(&name)).await);
        let ask = extension(&name, desk.day(9));
        answers.push(desk.ask(CITY, ask).await);
        answers.push(desk.decide(CITY, decision(&name, true)).await);
        answers.push(desk.supervise(CITY, supervise(&name)).await);
        let state = before.state().as_str_name().trim_start_matches("STATE_");
        for answer in answers {
            let status = refused(answer, "HAZARD_STATE");
            assert!(told(&status).2.contains(state), "{status:?}");
        }
        let after = desk.get(CITY, get(&name)).await.expect("read");
        assert_eq!(after, before);
    }
}

async fn a_repeated_request_has_one_effect(world: World) {
    let mut desk = Desk::new(world).await;
    let mut request = desk.blocked_exit("hall");
    request.request_id = Uuid::from_u128(1).to_string();
    let first = desk.report(GUARD, request.clone()).await.expect("reported");
    let again = desk.report(GUARD, request.clone()).await.expect("the same");
    assert_eq!(first, again);
    if let Some(hazard) = &mut request.hazard {
        hazard.place = "gym".to_owned();
    }
    let other = desk.report(GUARD, request).await.expect_err("another one");
    assert_eq!(told(&other).1, "REQUEST_ID_REUSED");

    let mut verify = verify(&first.name, Grade::General);
    verify.request_id = Uuid::from_u128(2).to_string();
    let once = desk
        .verify(OFFICER, verify.clone())
        .await
        .expect("verified");
    let twice = desk.verify(OFFICER, verify).await.expect("the same answer");
    assert_eq!(once, twice);
    let list = pb::ListHazardsRequest {
        parent: tree::CITY.to_owned(),
        ..Default::default()
    };
    let list = desk.by(CITY, list);
    let found = desk.hazards.list_hazards(list).await.expect("listed");
    assert_eq!(found.into_inner().hazards.len(), 1);
}
