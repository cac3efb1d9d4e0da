//! Demands and files of directives, and whom a filtered audience reaches.

use crate::town;
use crate::town::on_both;
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::directive_recipient::State as Stage;
use proto::roster::organization::Kind;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::town::classes::{class_group, class_name};
use crate::town::officers::{
    BUREAU_CLERK, SCHOOL_CLERK, SIGN, Step, TEXT, TITLE, draft, recipient, tree,
};
use crate::town::world::{World, told};
use crate::town::{BUREAU, CITY, OTHER, SCHOOL, SCHOOL_PATH, SISTER, SISTER_PATH};

on_both!(
    a_relay_never_edits_demands_or_files,
    every_report_on_a_demand_is_taken_or_refused_with_its_reason,
    demands_and_files_are_checked,
    a_filtered_audience_is_reached_through_its_bureaus,
    only_the_reporter_of_a_class_group_acts_for_it,
);

fn item(id: &str, day: i32) -> pb::DirectiveItem {
    pb::DirectiveItem {
        item_id: id.to_owned(),
        text: "守好校门".to_owned(),
        duty: "EPIDEMIC_CONTROL".to_owned(),
        due_date: Some(proto::Date {
            year: 2022,
            month: 4,
            day,
        }),
    }
}

fn with_items(audience: &[&str]) -> pb::DraftDirectiveRequest {
    let plan = pb::Attachment {
        title: "应急预案".to_owned(),
        sha256: vec![0xab; 32].into(),
        uri: "https://files.example/plan.pdf".to_owned(),
        size_bytes: 1024,
        media_type: "application/pdf".to_owned(),
    };
    pb::DraftDirectiveRequest {
        items: vec![item("gate", 7), item("drill", 9)],
        attachments: vec![plan],
        ..draft(audience)
    }
}

async fn sent(world: &mut World, ask: pb::DraftDirectiveRequest) -> pb::Directive {
    let draft = world.drafted(ask).await.expect("drafted");
    world.sent(&draft.name).await
}

fn refusal(moved: Result<pb::DirectiveRecipient, Status>) -> (Code, String, String) {
    told(&moved.expect_err("an illegal move"))
}

/// Golden test T19, with demands and files.
async fn a_relay_never_edits_demands_or_files(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let issued = sent(&mut world, with_items(&[BUREAU])).await;
    let name = &*issued.name;
    let hash = |demand: &str| {
        let file = "ab".repeat(32);
        let spelled = format!(
            "{TITLE}\n{TEXT}\nitem\tgate\t{demand}\tEPIDEMIC_CONTROL\t2022-04-07\
             \nitem\tdrill\t守好校门\tEPIDEMIC_CONTROL\t2022-04-09\nattachment\t应急预案\t{file}"
        );
        <sha2::Sha256 as sha2::Digest>::digest(spelled).to_vec()
    };
    assert_eq!(issued.text_sha256.to_vec(), hash("守好校门"));
    world.steps(name, BUREAU, BUREAU_CLERK, &SIGN).await;
    let plain = <sha2::Sha256 as sha2::Digest>::digest(format!("{TITLE}\n{TEXT}")).to_vec();
    for other in [hash("守好校门，可略有变通"), plain] {
        let relayed = world.step(name, BUREAU, BUREAU_CLERK, Step::Relay(other));
        assert_eq!(refusal(relayed.await).1, "DIRECTIVE_TEXT_CHANGED");
    }
    let relayed = world.step(name, BUREAU, BUREAU_CLERK, Step::Relay(hash("守好校门")));
    relayed.await.expect("relayed");
    let read = world
        .get(name, Role::Principal, SCHOOL_PATH)
        .await
        .expect("read");
    assert_eq!(
        (read.items, read.attachments),
        (issued.items, issued.attachments)
    );
}

async fn every_report_on_a_demand_is_taken_or_refused_with_its_reason(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let issued = sent(&mut world, with_items(&[BUREAU])).await;
    let (name, hash) = (&*issued.name, issued.text_sha256.to_vec());
    let gate = |progress| Step::Item("gate".to_owned(), progress);
    let state = |state: &str| format!("本单位办理状态为 {state}，不能进行该操作");
    for (step, before) in [
        (Step::Deliver, "PENDING"),
        (Step::Read, "DELIVERED"),
        (Step::Acknowledge, "READ"),
        (Step::Relay(hash.clone()), "ACKED"),
    ] {
        let early = refusal(world.step(name, BUREAU, BUREAU_CLERK, gate(10)).await);
        let reason = "DIRECTIVE_RECIPIENT_STATE".to_owned();
        assert_eq!(early, (Code::FailedPrecondition, reason, state(before)));
        world
            .step(name, BUREAU, BUREAU_CLERK, step)
            .await
            .expect("a step");
    }
    let unknown = world.step(name, BUREAU, BUREAU_CLERK, Step::Item("x".to_owned(), 10));
    let (code, why, zh) = refusal(unknown.await);
    assert_eq!(
        (code, &*why),
        (Code::FailedPrecondition, "DIRECTIVE_ITEM_UNKNOWN")
    );
    assert_eq!(zh, "该通知没有事项 x");

    world.steps(name, SCHOOL, SCHOOL_CLERK, &SIGN).await;
    let begun = world
        .step(name, SCHOOL, SCHOOL_CLERK, gate(100))
        .await
        .expect("reported");
    assert_eq!(
        (begun.state(), begun.items[0].progress_percent),
        (Stage::Executing, 100)
    );
    assert_eq!(
        begun.items[0].owner,
        town::staff(1),
        "who answers for all of it"
    );
    assert!(begun.items[0].finish_time.is_some() && begun.items[1].finish_time.is_none());
    let (_, why, zh) = refusal(world.step(name, SCHOOL, SCHOOL_CLERK, Step::Finish).await);
    assert_eq!(
        (&*why, &*zh),
        (
            "DIRECTIVE_ITEMS_OUTSTANDING",
            "事项 drill 尚未办结，不能报告办结"
        )
    );
    let drill = Step::Item("drill".to_owned(), 100);
    world
        .step(name, SCHOOL, SCHOOL_CLERK, drill)
        .await
        .expect("reported");
    let back = world
        .step(name, SCHOOL, SCHOOL_CLERK, gate(80))
        .await
        .expect("taken back");
    assert!(back.items[0].finish_time.is_none());
    let (_, why, _) = refusal(world.step(name, SCHOOL, SCHOOL_CLERK, Step::Finish).await);
    assert_eq!(why, "DIRECTIVE_ITEMS_OUTSTANDING");
    world
        .step(name, SCHOOL, SCHOOL_CLERK, gate(100))
        .await
        .expect("reported");
    world
        .step(name, SCHOOL, SCHOOL_CLERK, Step::Finish)
        .await
        .expect("finished");
    let (_, _, zh) = refusal(world.step(name, SCHOOL, SCHOOL_CLERK, gate(10)).await);
    assert_eq!(zh, state("REPORTED"));
}

async fn demands_and_files_are_checked(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let mut refused = async |change: fn(&mut pb::DraftDirectiveRequest)| {
        let mut ask = with_items(&[BUREAU]);
        change(&mut ask);
        let status = world.drafted(ask).await.expect_err("malformed");
        let details = status.get_error_details();
        let bad = details
            .bad_request()
            .map(|bad| bad.field_violations.clone());
        let fields = bad.unwrap_or_default().into_iter().map(|one| one.field);
        fields.collect::<Vec<_>>()
    };
    let many = refused(|ask| ask.items = (0..101).map(|n| item(&n.to_string(), 9)).collect());
    assert_eq!(many.await, ["items"]);
    let twice = refused(|ask| ask.items[1].item_id = "gate".to_owned()).await;
    assert_eq!(twice, ["items[1].item_id"]);
    let odd = refused(|ask| ask.items[0].item_id = "Gate".to_owned()).await;
    assert_eq!(odd, ["items[0].item_id"]);
    let tab = refused(|ask| ask.items[0].text = "守好\t校门".to_owned()).await;
    assert_eq!(tab, ["items[0].text"]);
    assert_eq!(
        refused(|ask| ask.items[0].duty = "KING".to_owned()).await,
        ["items[0].duty"]
    );
    assert_eq!(
        refused(|ask| ask.items[0].due_date = None).await,
        ["items[0].due_date"]
    );
    let short = refused(|ask| ask.attachments[0].sha256 = vec![1].into()).await;
    assert_eq!(short, ["attachments[0].sha256"]);
    let plain = refused(|ask| ask.attachments[0].uri = "http://files.example/".to_owned()).await;
    assert_eq!(plain, ["attachments[0].uri"]);
    let empty = refused(|ask| ask.attachments[0].size_bytes = 0).await;
    assert_eq!(empty, ["attachments[0].size_bytes"]);
}

async fn a_filtered_audience_is_reached_through_its_bureaus(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let mut reached = async |audience: pb::Audience| {
        let ask = pb::DraftDirectiveRequest {
            audience: Some(audience.clone()),
            ..draft(&[])
        };
        let issued = sent(&mut world, ask).await;
        assert_eq!(issued.audience, Some(audience));
        let told = world.recipients(&issued.name, "fz").await;
        let told = told.into_iter().map(|one| (one.organization, one.upper));
        let short = |(organization, upper): (String, String)| {
            let upper = upper.rsplit('/').next().unwrap_or_default().to_owned();
            (organization, upper)
        };
        told.map(short).collect::<Vec<_>>()
    };
    let pair = |organization: &str, upper: &str| (organization.to_owned(), upper.to_owned());
    let second = "organizations/350103";
    let schools = pb::Audience {
        kinds: vec![Kind::School.into()],
        ..tree(&[CITY])
    };
    let everybody = [
        pair(BUREAU, ""),
        pair(SCHOOL, "350102"),
        pair(SISTER, "350102"),
        pair(second, ""),
        pair(OTHER, "350103"),
    ];
    assert_eq!(reached(schools).await, everybody);
    let listed = pb::Audience {
        listed: vec![OTHER.to_owned()],
        ..tree(&[BUREAU])
    };
    let few = [
        pair(BUREAU, ""),
        pair(SCHOOL, "350102"),
        pair(SISTER, "350102"),
        pair(OTHER, ""),
    ];
    assert_eq!(reached(listed).await, few);
}

async fn only_the_reporter_of_a_class_group_acts_for_it(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let classes = ["p2019-01", "p2019-02"];
    let rolls = classes.map(|id| class_group(SCHOOL_PATH, id, 3, &[]));
    town::roster(&world.db, &rolls, 1).await;
    let ask = pb::DraftDirectiveRequest {
        to_class_groups: true,
        ..draft(&[SCHOOL])
    };
    let issued = sent(&mut world, ask).await;
    let (name, hash) = (&*issued.name, issued.text_sha256.to_vec());
    world.steps(name, SCHOOL, SCHOOL_CLERK, &SIGN).await;
    let relayed = world.step(name, SCHOOL, SCHOOL_CLERK, Step::Relay(hash));
    relayed.await.expect("relayed");
    let first = class_name(SCHOOL_PATH, classes[0]);
    let (own, sister) = (
        format!("{SCHOOL_PATH}/p2019-01"),
        format!("{SCHOOL_PATH}/p2019-02"),
    );
    for who in [SCHOOL_CLERK, (Role::ClassReporter, &sister), BUREAU_CLERK] {
        let moved = world.step(name, &first, who, Step::Deliver).await;
        assert_eq!(refusal(moved).0, Code::PermissionDenied, "{who:?}");
    }
    let reporter = (Role::ClassReporter, &*own);
    world.steps(name, &first, reporter, &SIGN).await;
    let seen = world.recipients(name, &own).await;
    assert_eq!((seen.len(), &seen[0].name), (1, &recipient(name, &first)));
    world
        .step(name, &first, reporter, Step::Report(100))
        .await
        .expect("reported");
    world
        .step(name, &first, reporter, Step::Finish)
        .await
        .expect("finished");
    // Its school judges; another class group, another school and the reporter do not.
    for who in [
        reporter,
        (Role::ClassReporter, &sister),
        (Role::Principal, SISTER_PATH),
    ] {
        let judged = world.accept_as(name, &first, who).await;
        assert_eq!(refusal(judged).0, Code::PermissionDenied, "{who:?}");
    }
    world
        .accept_as(name, &first, SCHOOL_CLERK)
        .await
        .expect("accepted");
    // The other class group has done nothing: the school is not done.
    world
        .step(name, SCHOOL, SCHOOL_CLERK, Step::Report(100))
        .await
        .expect("reported");
    world
        .step(name, SCHOOL, SCHOOL_CLERK, Step::Finish)
        .await
        .expect("finished");
    let early = world
        .accept_as(name, SCHOOL, (Role::CityOfficer, "fz"))
        .await;
    assert_eq!(refusal(early).1, "DIRECTIVE_CHILDREN_OUTSTANDING");
}
