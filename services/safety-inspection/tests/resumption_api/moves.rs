//! Every verb from every state: what the table of rule 4.10 does not name is refused and changes
//! nothing.

use proto::safety::resumption::{Decision, State};

use crate::city::tree::SISTER_PATH;
use crate::fresh::settled;
use crate::ground::{Answer, Ground, cities, day, opinion, outbreak, refused, resumption};

cities!(
    what_the_table_does_not_name_is_refused_from_every_state,
    a_refusal_leads_back_to_the_self_check_with_nothing_shown,
    a_school_that_has_no_resumption_has_no_verbs,
);

const VERBS: [&str; 7] = [
    "start",
    "answer",
    "sign",
    "apply",
    "name_inspectors",
    "inspect",
    "schedule",
];

/// The state after a verb; none where it is refused.
fn legal(state: State, verb: &str) -> bool {
    use State as S;
    match verb {
        "start" => matches!(
            state,
            S::Suspended | S::Rectify | S::Rejected | S::ReSuspended
        ),
        "answer" | "sign" => state == S::SelfChecking,
        "apply" => state == S::SelfPassed,
        "name_inspectors" => state == S::Applied,
        "inspect" => state == S::Inspecting,
        _ => matches!(state, S::Approved | S::Scheduled),
    }
}

async fn attempt(ground: &mut Ground, verb: &str) -> Answer<()> {
    let at = (SISTER_PATH, 2);
    match verb {
        "start" => ground.start(at.0, at.1).await.map(drop),
        "answer" => {
            let item = &crate::ground::items()[0];
            let answer = ground.good(at.0, item);
            ground.answer(at, vec![answer]).await.map(drop)
        }
        "sign" => ground.sign(at.0, at.1).await.map(drop),
        "apply" => ground.apply(at.0, at.1).await.map(drop),
        "name_inspectors" => ground.name_inspectors(at.0, at.1).await.map(drop),
        "inspect" => {
            let request = ground.market(opinion(at.0, at.1, Decision::Approve));
            ground.client.sign_joint_inspection(request).await.map(drop)
        }
        _ => ground.schedule(at, day(4, 8)).await.map(drop),
    }
}

/// Tries every verb that does not start from where the resumption stands.
async fn try_the_others(ground: &mut Ground, state: State) {
    // What blocks follows from other wings soon after they acted, not from what is refused here.
    settled(ground).await;
    let before = ground.get(SISTER_PATH, 2).await;
    assert_eq!(before.state(), state);
    for verb in VERBS.into_iter().filter(|verb| !legal(state, verb)) {
        let zh = refused(attempt(ground, verb).await, "RESUMPTION_STATE");
        let word = state.as_str_name().trim_start_matches("STATE_");
        assert_eq!(
            zh,
            format!("复课申请当前状态为 {word}，不能进行该操作"),
            "{verb}"
        );
    }
    assert_eq!(ground.get(SISTER_PATH, 2).await, before);
}

async fn what_the_table_does_not_name_is_refused_from_every_state(mut ground: Ground) {
    ground.plan(1, day(4, 6)).await.expect("planned");
    ground.plan(2, day(4, 6)).await.expect("planned");
    ground.stock(SISTER_PATH).await;
    let (path, position) = (SISTER_PATH, 2);
    try_the_others(&mut ground, State::Suspended).await;
    // Who never returned cannot be sent back; the register is told all the same.
    let answer = ground.suspend(outbreak(&crate::ground::name(path))).await;
    assert_eq!((answer.resumption_count, answer.school_count), (0, 1));
    ground.start(path, position).await.expect("started");
    try_the_others(&mut ground, State::SelfChecking).await;
    ground.answer_all(path, position).await;
    ground.sign(path, position).await.expect("signed");
    try_the_others(&mut ground, State::SelfPassed).await;
    ground.apply(path, position).await.expect("applied");
    try_the_others(&mut ground, State::Applied).await;
    ground.name_inspectors(path, position).await.expect("named");
    try_the_others(&mut ground, State::Inspecting).await;
    let rectify = ground.inspect((path, position), Decision::Rectify).await;
    rectify.expect("signed");
    try_the_others(&mut ground, State::Rectify).await;
    ground.approved(path, position).await;
    try_the_others(&mut ground, State::Approved).await;
    let scheduled = ground.schedule((path, position), day(4, 7)).await;
    scheduled.expect("scheduled");
    try_the_others(&mut ground, State::Scheduled).await;
    ground.set("2022-04-07T01:00:00Z");
    ground.until(path, position, State::Monitoring).await;
    try_the_others(&mut ground, State::Monitoring).await;
    ground.set("2022-04-22T01:00:00Z");
    ground.until(path, position, State::Stable).await;
    try_the_others(&mut ground, State::Stable).await;
    ground.suspend(outbreak(&crate::ground::name(path))).await;
    try_the_others(&mut ground, State::ReSuspended).await;
}

async fn a_refusal_leads_back_to_the_self_check_with_nothing_shown(mut ground: Ground) {
    ground.plan(1, day(4, 6)).await.expect("planned");
    ground.plan(2, day(4, 6)).await.expect("planned");
    ground.stock(SISTER_PATH).await;
    ground.inspecting(SISTER_PATH, 2).await;
    let rejected = ground.inspect((SISTER_PATH, 2), Decision::Reject).await;
    assert_eq!(rejected.expect("signed").state(), State::Rejected);
    try_the_others(&mut ground, State::Rejected).await;
    ground.start(SISTER_PATH, 2).await.expect("started");
    let ready = ground.readiness(SISTER_PATH, 2).await;
    assert_eq!((ready.score, ready.silent), (0, true));
    let mandatory = crate::ground::items()
        .iter()
        .filter(|item| item.mandatory)
        .count();
    assert_eq!(ready.blocks.len(), mandatory);
}

async fn a_school_that_has_no_resumption_has_no_verbs(mut ground: Ground) {
    for verb in VERBS {
        let refused = attempt(&mut ground, verb).await.expect_err(verb);
        assert_eq!(crate::city::world::told(&refused).1, "NOT_FOUND", "{verb}");
    }
    let request = ground.city(proto::safety::GetResumptionRequest {
        name: resumption(SISTER_PATH, 2),
    });
    let missing = ground.client.get_resumption(request).await;
    assert_eq!(
        crate::city::world::told(&missing.expect_err("none")).1,
        "NOT_FOUND"
    );
}
