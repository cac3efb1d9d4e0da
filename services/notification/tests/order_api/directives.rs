//! Directives from the draft to the end, as the bureau that orders sees them.

use crate::town::on_both;
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::close_directive_request::Outcome;
use proto::notification::directive::State;
use proto::notification::directive_recipient::State as Stage;
use tonic::Code;
use uuid::Uuid;

use crate::town::officers::{
    BUREAU_CLERK, Move, SCHOOL_CLERK, SIGN, SISTER_CLERK, Step, TEXT, TITLE, WORK, draft, once,
    recipient, tree,
};
use crate::town::world::{World, by, reason, told};
use crate::town::{BUREAU, BUREAU_PATH, CITY, SCHOOL, SISTER};

on_both!(
    a_directive_goes_down_the_tree_and_its_reports_come_up,
    every_illegal_move_of_a_directive_is_refused_with_its_state,
    drafts_are_checked,
    a_repeat_returns_the_first_answer,
    an_issued_directive_survives_a_restart,
);

async fn a_directive_goes_down_the_tree_and_its_reports_come_up(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let draft = world.draft(&[BUREAU]).await;
    assert_eq!((draft.state(), &*draft.author), (State::Draft, "writer-1"));
    let approved = world
        .moved(&draft.name, Move::Approve)
        .await
        .expect("approved");
    assert_eq!(
        (approved.state(), &*approved.approver),
        (State::Approved, "chief-1")
    );
    let issued = world.moved(&draft.name, Move::Issue).await.expect("issued");
    // The bureau and its two schools; the other bureau is not addressed.
    assert_eq!((issued.state(), issued.recipient_count), (State::Issued, 3));
    assert_eq!((&*issued.title, &*issued.text), (TITLE, TEXT));

    let name = issued.name.clone();
    world.steps(&name, BUREAU, BUREAU_CLERK, &SIGN).await;
    let relayed = world.step(
        &name,
        BUREAU,
        BUREAU_CLERK,
        Step::Relay(issued.text_sha256.to_vec()),
    );
    let relayed = relayed.await.expect("relayed");
    assert_eq!(
        (relayed.state(), &*relayed.relay_note),
        (Stage::Relayed, "请各校于今日落实")
    );
    world.steps(&name, SCHOOL, SCHOOL_CLERK, &SIGN).await;
    world.steps(&name, SCHOOL, SCHOOL_CLERK, &WORK).await;
    world.steps(&name, BUREAU, BUREAU_CLERK, &WORK).await;

    // The bureau is done only when both its schools are.
    let refused = world
        .accept(&name, BUREAU, "fz")
        .await
        .expect_err("schools owe");
    let (code, why, zh) = told(&refused);
    assert_eq!(
        (code, &*why),
        (Code::FailedPrecondition, "DIRECTIVE_CHILDREN_OUTSTANDING")
    );
    assert_eq!(zh, "下级单位仅完成 0 个，需达到 2 个");
    world
        .accept(&name, SCHOOL, BUREAU_PATH)
        .await
        .expect("accepted");
    world.steps(&name, SISTER, SISTER_CLERK, &SIGN).await;
    world.steps(&name, SISTER, SISTER_CLERK, &WORK).await;
    let back = pb::ReturnReportRequest {
        name: recipient(&name, SISTER),
        reason: "缺少名单".to_owned(),
        request_id: once(),
    };
    let back = by("chief-1", Role::DistrictOfficer, BUREAU_PATH, back);
    let returned = world
        .directives
        .return_report(back)
        .await
        .expect("returned")
        .into_inner();
    assert_eq!(
        (returned.state(), &*returned.return_reason),
        (Stage::Returned, "缺少名单")
    );
    world.steps(&name, SISTER, SISTER_CLERK, &WORK).await;
    world
        .accept(&name, SISTER, BUREAU_PATH)
        .await
        .expect("accepted");
    let done = world.accept(&name, BUREAU, "fz").await.expect("accepted");
    assert_eq!(done.state(), Stage::Accepted);

    let closed = world
        .moved(&name, Move::End(Outcome::Closed, String::new()))
        .await;
    let closed = closed.expect("closed");
    assert_eq!(
        (
            closed.state(),
            closed.acknowledged_count,
            closed.accepted_count
        ),
        (State::Closed, 3, 3)
    );
    assert_eq!(
        (closed.text_sha256, closed.text),
        (draft.text_sha256, draft.text)
    );
}

async fn every_illegal_move_of_a_directive_is_refused_with_its_state(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let replacement = world.issued(&[BUREAU]).await.name;
    let close = || Move::End(Outcome::Closed, String::new());
    let revoke = || Move::End(Outcome::Revoked, String::new());
    let supersede = || Move::End(Outcome::Superseded, replacement.clone());
    let all = || [Move::Approve, Move::Issue, close(), revoke(), supersede()];
    let ways: [(&str, Vec<Move>, &[usize]); 6] = [
        ("DRAFT", vec![], &[0, 3]),
        ("APPROVED", vec![Move::Approve], &[1, 3]),
        ("ISSUED", vec![Move::Approve, Move::Issue], &[2, 3, 4]),
        ("CLOSED", vec![Move::Approve, Move::Issue, close()], &[]),
        ("REVOKED", vec![Move::Approve, revoke()], &[]),
        (
            "SUPERSEDED",
            vec![Move::Approve, Move::Issue, supersede()],
            &[],
        ),
    ];
    for (state, way, legal) in ways {
        for (number, to) in all().into_iter().enumerate() {
            let name = world.draft(&[BUREAU]).await.name;
            for step in way.clone() {
                world.moved(&name, step).await.expect("on the way");
            }
            let answered = world.moved(&name, to.clone()).await;
            if legal.contains(&number) {
                answered.unwrap_or_else(|status| panic!("{state} {to:?}: {status}"));
                continue;
            }
            let status = answered.expect_err("an illegal move");
            let (code, why, zh) = told(&status);
            assert_eq!(
                (code, &*why),
                (Code::FailedPrecondition, "DIRECTIVE_STATE"),
                "{state} {to:?}"
            );
            assert_eq!(zh, format!("通知当前状态为 {state}，不能进行该操作"));
        }
    }
    let name = world.draft(&[BUREAU]).await.name;
    let own = pb::ApproveDirectiveRequest {
        name,
        request_id: once(),
    };
    let own = by("writer-1", Role::CityOfficer, "fz", own);
    let status = world
        .directives
        .approve_directive(own)
        .await
        .expect_err("its author");
    assert_eq!(reason(&status), "DIRECTIVE_SELF_APPROVAL");
}

async fn drafts_are_checked(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let mut refused = async |change: fn(&mut pb::DraftDirectiveRequest)| {
        let mut ask = draft(&[BUREAU]);
        change(&mut ask);
        let ask = by("writer-1", Role::CityOfficer, "fz", ask);
        let status = world
            .directives
            .draft_directive(ask)
            .await
            .expect_err("malformed");
        use tonic_types::StatusExt;
        let details = status.get_error_details();
        let fields = details
            .bad_request()
            .map(|bad| bad.field_violations.clone());
        fields
            .unwrap_or_default()
            .into_iter()
            .map(|f| f.field)
            .collect::<Vec<_>>()
    };
    assert_eq!(refused(|ask| ask.urgency = 0).await, ["urgency"]);
    assert_eq!(refused(|ask| ask.urgency = 9).await, ["urgency"]);
    assert_eq!(refused(|ask| ask.title = " ".to_owned()).await, ["title"]);
    assert_eq!(refused(|ask| ask.title = "长".repeat(101)).await, ["title"]);
    assert_eq!(
        refused(|ask| ask.text = "长".repeat(50_001)).await,
        ["text"]
    );
    assert_eq!(refused(|ask| ask.audience = None).await, ["audience"]);
    let nobody = refused(|ask| ask.audience = Some(tree(&[]))).await;
    assert_eq!(nobody, ["audience"]);
    let malformed = refused(|ask| ask.audience = Some(tree(&["学校"]))).await;
    assert_eq!(malformed, ["audience.organizations[0]"]);
    let nowhere = refused(|ask| ask.audience = Some(tree(&[BUREAU, "organizations/nowhere"])));
    assert_eq!(nowhere.await, ["audience.organizations[1]"]);
    let unlisted = refused(|ask| {
        ask.audience = Some(pb::Audience {
            listed: vec![SCHOOL.to_owned(), "organizations/nowhere".to_owned()],
            ..tree(&[BUREAU])
        });
    });
    assert_eq!(unlisted.await, ["audience.listed[1]"]);
    let filters = refused(|ask| {
        ask.audience = Some(pb::Audience {
            kinds: vec![99],
            stages: vec![0],
            divisions: vec!["35010".to_owned(), "350102".to_owned()],
            ..tree(&[BUREAU])
        });
    });
    let wrong = [
        "audience.kinds[0]",
        "audience.stages[0]",
        "audience.divisions[0]",
    ];
    assert_eq!(filters.await, wrong);
    let demand = refused(|ask| {
        ask.text
            .push_str("\nitem\tgate\t守好校门\tSECURITY\t2022-04-09")
    });
    assert_eq!(demand.await, ["text"]);
    // A laboratory takes no directives: nobody is left.
    let name = world.draft(&["organizations/lab-1"]).await.name;
    world.moved(&name, Move::Approve).await.expect("approved");
    let status = world.moved(&name, Move::Issue).await.expect_err("nobody");
    assert_eq!(reason(&status), "DIRECTIVE_NO_RECIPIENTS");
    let name = world.issued(&[BUREAU]).await.name;
    for (outcome, by) in [
        (Outcome::Superseded, String::new()),
        (Outcome::Superseded, name.clone()),
        (
            Outcome::Superseded,
            format!("{CITY}/directives/{}", Uuid::from_u128(7)),
        ),
        (
            Outcome::Closed,
            format!("{CITY}/directives/{}", Uuid::from_u128(7)),
        ),
        (Outcome::Unspecified, String::new()),
    ] {
        let status = world
            .moved(&name, Move::End(outcome, by))
            .await
            .expect_err("malformed");
        assert_eq!(told(&status).0, Code::InvalidArgument, "{outcome:?}");
    }
}

async fn a_repeat_returns_the_first_answer(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let ask = draft(&[BUREAU]);
    let mut write = async |ask: &pb::DraftDirectiveRequest| {
        let ask = by("writer-1", Role::CityOfficer, "fz", ask.clone());
        world
            .directives
            .draft_directive(ask)
            .await
            .map(tonic::Response::into_inner)
    };
    let first = write(&ask).await.expect("drafted");
    assert_eq!(write(&ask).await.expect("repeated"), first);
    let other = pb::DraftDirectiveRequest {
        title: "另一份".to_owned(),
        ..ask
    };
    assert_eq!(
        reason(&write(&other).await.expect_err("another")),
        "REQUEST_ID_REUSED"
    );
    let list = pb::ListDirectivesRequest {
        parent: CITY.to_owned(),
        ..Default::default()
    };
    let list = by("reader-1", Role::CityOfficer, "fz", list);
    let listed = world
        .directives
        .list_directives(list)
        .await
        .expect("listed")
        .into_inner();
    assert_eq!(listed.directives, [first]);
}

async fn an_issued_directive_survives_a_restart(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let issued = world.issued(&[BUREAU]).await;
    world.steps(&issued.name, BUREAU, BUREAU_CLERK, &SIGN).await;
    world.stop().await;
    world.start().await;
    let read = world
        .get(&issued.name, Role::CityOfficer, "fz")
        .await
        .expect("read");
    assert_eq!(
        read,
        pb::Directive {
            acknowledged_count: 1,
            ..issued
        }
    );
}
