//! A visit from the request to the exit.

use proto::safety as pb;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_reason::Code;
use proto::safety::visit::State;
use proto::safety::visit_event::Verb;
use tonic::Code as Grpc;

use crate::book::{Book, as_person, check_of, host, once, principal};
use crate::city::world::{World, told};
use crate::city::{SCHOOL_PATH, on_both, policy, roster, staff, student};

on_both!(
    a_visitor_comes_and_goes,
    nobody_enters_by_one_approval,
    a_pass_is_live_and_of_today,
    the_four_checks_of_everybody_decide,
    without_a_mask_nobody_enters_where_the_policy_says_so,
    a_fever_waits_at_the_gate,
    a_repeat_has_one_effect,
    a_visit_is_asked_for_in_time,
);

async fn a_visitor_comes_and_goes(world: World) {
    let mut book = Book::of(&world).await;
    let (name, pass) = book.approved(&world).await;
    assert_eq!(
        book.arrive(&pass).await.expect("arrived").state(),
        State::Arrived
    );
    let admitted = book.check(check_of(&world, &name)).await.expect("checked");
    assert_eq!(admitted.state(), State::Admitted);
    assert_eq!(
        (&*admitted.badge, admitted.entered_companion_count),
        ("017", 1)
    );
    let check = admitted.check.expect("a check");
    assert_eq!((check.result(), check.people.len()), (Outcome::Admit, 2));
    assert_eq!((&*check.guard, check.mask_worn), ("guard-1", true));
    assert_eq!(check.policy_version, "fuzhou-2022-04@1");
    let wrong = book.leave(&name, 0).await.expect_err("one stays inside");
    assert_eq!(told(&wrong).1, "INVALID_FIELD");
    let left = book.leave(&name, 1).await.expect("left");
    assert_eq!(left.state(), State::Left);
    let verbs: Vec<Verb> = left.history.iter().map(pb::VisitEvent::verb).collect();
    let expected = [
        Verb::Request,
        Verb::Confirm,
        Verb::Approve,
        Verb::Arrive,
        Verb::Admit,
        Verb::Leave,
    ];
    assert_eq!(verbs, expected);
    for pair in left.history.windows(2) {
        assert_eq!(pair[0].to_state(), pair[1].from_state());
    }
    let actors: Vec<&str> = left.history.iter().map(|event| &*event.actor).collect();
    let expected = [
        "guard-1", "host-1", "doctor-1", "guard-1", "guard-1", "guard-1",
    ];
    assert_eq!(actors, expected);
}

async fn nobody_enters_by_one_approval(world: World) {
    let mut book = Book::of(&world).await;
    let name = book
        .create(Book::wish(&world))
        .await
        .expect("asked for")
        .name;
    let confirm = |name: &str| pb::ConfirmVisitRequest {
        name: name.to_owned(),
        document_seen: true,
        request_id: once(),
    };
    let other = ("teacher-2", Some(staff(22)));
    let role = kit::auth::Role::ClassReporter;
    let other = as_person(other, role, SCHOOL_PATH, confirm(&name));
    let refused = book
        .client
        .confirm_visit(other)
        .await
        .expect_err("not the host");
    let (code, reason, zh) = told(&refused);
    assert_eq!(
        (code, &*reason),
        (Grpc::FailedPrecondition, "VISIT_APPROVER")
    );
    assert!(zh.contains("接待人本人"), "{zh}");
    book.confirm(&name).await.expect("confirmed");
    let early = book.pass(&name).await.expect_err("half approved");
    assert_eq!(told(&early).1, "VISIT_STATE");
    // The host who may approve for others does not approve for oneself.
    let approve = pb::ApproveVisitRequest {
        name: name.clone(),
        request_id: once(),
    };
    let both = ("host-1", Some(staff(21)));
    let role = kit::auth::Role::Principal;
    let both = as_person(both, role, SCHOOL_PATH, approve);
    let refused = book.client.approve_visit(both).await.expect_err("the host");
    assert_eq!(told(&refused).1, "VISIT_APPROVER");
    // Unrelated persons have no host here.
    for nobody in [staff(99), student(1), staff(11)] {
        let wish = pb::Visit {
            host: nobody.clone(),
            ..Book::wish(&world)
        };
        let (code, reason, zh) = told(&book.create(wish).await.expect_err("no host"));
        assert_eq!((code, &*reason), (Grpc::FailedPrecondition, "VISIT_HOST"));
        assert!(zh.contains("无关人员不得入校"), "{zh}");
    }
}

async fn a_pass_is_live_and_of_today(world: World) {
    let mut book = Book::of(&world).await;
    let tomorrow = kit::clock::Clock::now(&world.clock) + chrono::Duration::days(1);
    let later = pb::Visit {
        visit_date: Some(kit::field::to_date(kit::clock::civil_date(tomorrow))),
        expected_leave_time: Some(kit::field::to_timestamp(tomorrow)),
        ..Book::wish(&world)
    };
    let later = book.create(later).await.expect("asked for").name;
    book.confirm(&later).await.expect("confirmed");
    book.approve(&later).await.expect("approved");
    let (code, reason, zh) = told(&book.pass(&later).await.expect_err("tomorrow"));
    assert_eq!((code, &*reason), (Grpc::FailedPrecondition, "VISIT_PASS"));
    assert!(zh.contains("截图无效") && zh.contains("OTHER_DAY"), "{zh}");

    let (name, screenshot) = book.approved(&world).await;
    world.clock.advance(chrono::Duration::seconds(60));
    let dead = book.arrive(&screenshot).await.expect_err("a photograph");
    assert!(told(&dead).2.contains("EXPIRED"));
    let foreign = book.arrive("nonsense").await.expect_err("nonsense");
    assert!(told(&foreign).2.contains("FOREIGN"));
    let live = book.pass(&name).await.expect("a pass").pass_code;
    assert_ne!(live, screenshot);
    assert_eq!(
        book.arrive(&live).await.expect("arrived").state(),
        State::Arrived
    );
    let twice = book.arrive(&live).await.expect_err("once");
    assert_eq!(told(&twice).1, "VISIT_STATE");
}

async fn the_four_checks_of_everybody_decide(world: World) {
    use pb::gate_observation::Colour;
    let mut book = Book::of(&world).await;
    let (name, _) = book.bring(&world, State::Arrived).await;
    let mut crowd = check_of(&world, &name);
    crowd
        .companion_observations
        .push(crowd.companion_observations[0].clone());
    let refused = book.check(crowd).await.expect_err("two companions");
    assert_eq!(told(&refused).1, "INVALID_FIELD");
    // One of them has a red code: nobody of them enters.
    let mut red = check_of(&world, &name);
    red.companion_observations[0].colour = Colour::Red.into();
    let denied = book.check(red).await.expect("checked");
    assert_eq!(
        (denied.state(), denied.entered_companion_count),
        (State::Denied, 0)
    );
    let check = denied.check.expect("a check");
    let codes: Vec<Vec<Code>> = check
        .people
        .iter()
        .map(|one| one.reasons.iter().map(pb::GateReason::code).collect())
        .collect();
    assert_eq!(codes, [vec![], vec![Code::ColourRed]]);
    let identity = check.people[0]
        .identity
        .clone()
        .and_then(|check| check.reason);
    assert_eq!(identity.expect("why").code(), Code::VisitorApproved);
    // A named person may say otherwise, and is named.
    let admitted = book.override_check(&name).await.expect("overridden");
    assert_eq!(
        (admitted.state(), admitted.entered_companion_count),
        (State::Admitted, 1)
    );
    let last = admitted.history.last().expect("an event");
    assert_eq!((&*last.actor, last.verb()), ("principal-1", Verb::Override));
    assert_eq!(last.note, "已出示纸质核酸证明");
}

async fn a_fever_waits_at_the_gate(world: World) {
    let mut book = Book::of(&world).await;
    let (name, _) = book.bring(&world, State::Arrived).await;
    let hot = |tenths| {
        let mut seen = check_of(&world, &name);
        if let Some(seen) = &mut seen.observation {
            seen.temperature_decidegrees = Some(tenths);
        }
        seen
    };
    let waits = book.check(hot(373)).await.expect("checked");
    assert_eq!(waits.state(), State::Arrived);
    let early = book.check(hot(365)).await.expect_err("too early");
    assert_eq!(told(&early).1, "GATE_RECHECK_TOO_EARLY");
    world.clock.advance(chrono::Duration::minutes(15));
    let mut few = hot(365);
    if let Some(seen) = &mut few.observation {
        seen.further_temperatures_decidegrees = vec![366];
    }
    let waits = book.check(few).await.expect("checked");
    assert_eq!(waits.state(), State::Arrived);
    let reasons = &waits.check.expect("a check").people[0].reasons;
    assert_eq!(reasons[0].code(), Code::TemperatureRepeat);
    // It goes on at once.
    let denied = book.check(hot(374)).await.expect("checked");
    assert_eq!(denied.state(), State::Denied);
    let reasons = &denied.check.expect("a check").people[0].reasons;
    assert_eq!(reasons[0].code(), Code::TemperatureConfirmed);
}

async fn a_repeat_has_one_effect(world: World) {
    let mut book = Book::of(&world).await;
    let create = pb::CreateVisitRequest {
        parent: crate::city::SCHOOL.to_owned(),
        visit: Some(Book::wish(&world)),
        request_id: once(),
    };
    let first = book.client.create_visit(host(create.clone())).await;
    let first = first.expect("asked for").into_inner();
    world.clock.advance(chrono::Duration::minutes(1));
    let again = book.client.create_visit(host(create.clone())).await;
    assert_eq!(again.expect("repeated").into_inner(), first);
    let mut other = create;
    if let Some(visitor) = other
        .visit
        .as_mut()
        .and_then(|visit| visit.visitor.as_mut())
    {
        visitor.phone = "13900139000".to_owned();
    }
    let reused = book.client.create_visit(host(other)).await;
    assert_eq!(
        told(&reused.expect_err("another visitor")).1,
        "REQUEST_ID_REUSED"
    );
    let list = pb::ListVisitsRequest {
        parent: crate::city::SCHOOL.to_owned(),
        ..Default::default()
    };
    let list = book
        .client
        .list_visits(principal(list))
        .await
        .expect("listed");
    assert_eq!(list.into_inner().visits.len(), 1);
    let (name, pass) = book.approved(&world).await;
    let arrive = pb::ArriveVisitRequest {
        parent: crate::city::SCHOOL.to_owned(),
        pass_code: pass,
        request_id: once(),
    };
    let guard = crate::book::guard;
    let first = book
        .client
        .arrive_visit(guard(arrive.clone()))
        .await
        .expect("arrived");
    world.clock.advance(chrono::Duration::minutes(5));
    // The pass is dead by now: the repeat gets the first answer all the same.
    let again = book
        .client
        .arrive_visit(guard(arrive))
        .await
        .expect("repeated");
    assert_eq!(again.into_inner(), first.into_inner());
    assert_eq!(book.get(&name).await.expect("read").history.len(), 4);
}

/// Rule 3.6: where the policy asks for masks, whoever wears none puts one on and is checked again.
async fn without_a_mask_nobody_enters_where_the_policy_says_so(world: World) {
    let masks = policy("", 2, |profile| {
        if let Some(gate) = &mut profile.gate {
            gate.visitor_mask_required = true;
        }
    });
    let bare = |name: &str| pb::CheckVisitRequest {
        mask_worn: false,
        ..check_of(&world, name)
    };
    let mask = |visit: &pb::Visit| {
        let check = visit.check.clone().expect("a check");
        let result = check.result();
        let reason = check.mask.and_then(|mask| mask.reason);
        (result, reason.expect("why").code())
    };
    let mut book = Book::of(&world).await;
    let (name, _) = book.bring(&world, State::Arrived).await;
    let lenient = book.check(bare(&name)).await.expect("checked");
    assert_eq!(mask(&lenient), (Outcome::Admit, Code::MaskNotRequired));
    roster(&world.db, &[masks], 1).await;
    let mut checked = lenient;
    for _ in 0..200 {
        let (name, _) = book.bring(&world, State::Arrived).await;
        checked = book.check(bare(&name)).await.expect("checked");
        if checked.state() == State::Arrived {
            break;
        }
    }
    assert_eq!(mask(&checked), (Outcome::Observe, Code::MaskMissing));
    let again = check_of(&world, &checked.name);
    let admitted = book.check(again).await.expect("checked");
    assert_eq!(admitted.state(), State::Admitted);
    assert_eq!(mask(&admitted), (Outcome::Admit, Code::MaskWorn));
}

async fn a_visit_is_asked_for_in_time(world: World) {
    let lead = policy("", 2, |profile| {
        if let Some(gate) = &mut profile.gate {
            gate.visitor_lead_days = 1;
        }
    });
    roster(&world.db, &[lead], 1).await;
    let mut book = Book::of(&world).await;
    let mut refused = None;
    for _ in 0..200 {
        match book.create(Book::wish(&world)).await {
            Ok(_) => tokio::time::sleep(std::time::Duration::from_millis(25)).await,
            Err(status) => {
                refused = Some(status);
                break;
            }
        }
    }
    let (code, reason, _) = told(&refused.expect("the policy arrives"));
    assert_eq!((code, &*reason), (Grpc::InvalidArgument, "INVALID_FIELD"));
    let urgent = pb::Visit {
        urgent: true,
        ..Book::wish(&world)
    };
    assert!(book.create(urgent).await.expect("it cannot wait").urgent);
}
