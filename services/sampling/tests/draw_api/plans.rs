//! Plans: staff by post, evaluation, and what is refused.

use kit::auth::Role;
use proto::sampling::sampling_plan::Kind;
use proto::sampling::{
    DrawDayRequest, EvaluateRequest, GetDrawRequest, ReplaceAssignmentRequest, evaluate_request,
};
use tonic::Code;

use super::town::{
    CITY, Roster, SCHOOL, Town, class, on_both_databases, reason, school_path, student,
};
use super::{CLASS, with_class_of};

on_both_databases!(
    staff_at_the_gate_are_swabbed_every_other_day,
    wrong_requests_get_the_right_answers,
    evaluation_answers_for_a_class_and_a_city,
);

async fn staff_at_the_gate_are_swabbed_every_other_day(database: kit::scratch::Scratch) {
    let roster = Roster::town();
    roster.class(class(SCHOOL, CLASS, 0, 5));
    let staff = |number: u32| student(number).replace("students/", "staff/");
    let mut all: Vec<(String, &[&str], i32)> = (500..520)
        .map(|number| (staff(number), &["TEACHER"][..], 3))
        .collect();
    let guard = staff(900);
    all.push((guard.clone(), &["GUARD"], 0));
    all.extend((901..910).map(|number| (staff(number), &["ADMINISTRATION"][..], 0)));
    roster.staff(SCHOOL, &all);
    let town = Town::start(database, roster).await;
    town.plan("staff", Kind::StaffByPost).await;
    let mut days = Vec::new();
    for day in 0..5 {
        let draw = town
            .draw("staff", CITY)
            .await
            .draw
            .expect("one school has one draw");
        assert_eq!((draw.class_group_count, draw.quota), (2, 4 + 2));
        let called = town.assignments(&draw.name, "").await;
        for group in ["staff-00", "staff-03"] {
            let name = format!("organizations/{SCHOOL}/classGroups/{group}");
            let people: Vec<String> = called
                .iter()
                .filter(|one| one.class_group == name)
                .map(|one| one.person.clone())
                .collect();
            town.swab(&format!("{}/{group}", school_path(SCHOOL)), &people)
                .await;
        }
        if called.iter().any(|one| one.person == guard) {
            days.push(day);
        }
        town.next_day();
    }
    assert!(
        days.windows(2).all(|pair| pair[1] - pair[0] <= 2),
        "{days:?}"
    );
    assert!(days.len() >= 2, "{days:?}");
}

async fn wrong_requests_get_the_right_answers(database: kit::scratch::Scratch) {
    let town = with_class_of(45, database).await;
    let draw = |town: &Town, plan: &str, organization: &str, as_: (Role, &str)| {
        let request = DrawDayRequest {
            plan: plan.to_owned(),
            organization: organization.to_owned(),
            draw_date: None,
        };
        let mut client = town.draws_as(&[as_.0], as_.1);
        async move {
            reason(
                &client
                    .draw_day(request)
                    .await
                    .map(|_| ())
                    .expect_err("refused"),
            )
        }
    };
    let city = (Role::CityOfficer, CITY);
    let school = format!("organizations/{SCHOOL}");
    let plan = "plans/students";
    let elsewhere = (Role::EpidemicReporter, "fz/350102/2135010002");
    let denied = (Code::PermissionDenied, "SCOPE_DENIED".to_owned());
    assert_eq!(draw(&town, plan, &school, elsewhere).await, denied);
    assert_eq!(
        draw(&town, plan, "organizations/none", elsewhere).await,
        denied
    );
    assert_eq!(
        draw(&town, plan, &school, (Role::Laboratory, CITY)).await,
        denied
    );
    let not_found = (Code::NotFound, "NOT_FOUND".to_owned());
    assert_eq!(
        draw(&town, plan, "organizations/none", city).await,
        not_found
    );
    assert_eq!(draw(&town, "plans/none", &school, city).await, not_found);
    let invalid = (Code::InvalidArgument, "INVALID_FIELD".to_owned());
    assert_eq!(draw(&town, "none", &school, city).await, invalid);
    assert_eq!(draw(&town, plan, "schools/1", city).await, invalid);

    let tomorrow = DrawDayRequest {
        plan: plan.to_owned(),
        organization: school.clone(),
        draw_date: Some(proto::Date {
            year: 2022,
            month: 3,
            day: 29,
        }),
    };
    let refused = town
        .draws()
        .draw_day(tomorrow)
        .await
        .map(|_| ())
        .expect_err("refused");
    assert_eq!(
        reason(&refused),
        (Code::FailedPrecondition, "DRAW_NOT_TODAY".to_owned())
    );
    // Whether the draw is there is looked at before what else is wrong.
    let none = town.draw_name("students", SCHOOL);
    for (draw, expected) in [(none, &not_found), ("none".to_owned(), &invalid)] {
        let people = ReplaceAssignmentRequest {
            draw,
            absent: "张三".to_owned(),
            ..Default::default()
        };
        let replaced = town.draws().replace_assignment(people).await;
        assert_eq!(reason(&replaced.expect_err("refused")), *expected);
    }
    let name = town.draw_name("students", SCHOOL);
    let missing = town
        .draws()
        .get_draw(GetDrawRequest { name: name.clone() })
        .await
        .expect_err("refused");
    assert_eq!(reason(&missing), not_found);
    let mut stranger = town.draws_as(&[elsewhere.0], elsewhere.1);
    let hidden = stranger
        .get_draw(GetDrawRequest { name })
        .await
        .expect_err("refused");
    assert_eq!(reason(&hidden), denied);
}

async fn evaluation_answers_for_a_class_and_a_city(database: kit::scratch::Scratch) {
    let town = with_class_of(45, database).await;
    let ask = |request: EvaluateRequest| {
        let mut plans = town.plans();
        async move {
            plans
                .evaluate(request)
                .await
                .expect("an answer")
                .into_inner()
        }
    };
    let class = EvaluateRequest {
        population: Some(evaluate_request::Population::ClassSize(45)),
        ..Default::default()
    };
    let answer = ask(class.clone()).await;
    let delays: Vec<f64> = answer
        .detection_delays
        .iter()
        .map(|delay| (delay.expected_days * 10.0).round() / 10.0)
        .collect();
    assert_eq!(delays, [3.0, 2.2, 1.8]);
    assert!(answer.exact && answer.longest_gap_days == 5.0 && answer.tubes_per_day == 1.0);
    assert_eq!(answer.people_held_per_positive, 9.0);
    let city = EvaluateRequest {
        population: Some(evaluate_request::Population::Organization(format!(
            "organizations/{CITY}"
        ))),
        absence_per_mille: 30,
        ..class
    };
    let answer = ask(city).await;
    assert_eq!(
        (answer.class_groups, answer.eligible, answer.exact),
        (1, 45, false)
    );
    assert!(
        (2.8..3.4).contains(&answer.detection_delays[0].expected_days),
        "{answer:?}"
    );
}
