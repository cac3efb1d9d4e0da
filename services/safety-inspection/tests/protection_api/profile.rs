//! Declared by one, confirmed by another, judged by the rule of the day.

use proto::safety as pb;
use proto::safety::protection_part::{Kind, State as PartState};
use proto::safety::protection_profile::State;
use tonic::Code as Grpc;
use tonic::Status;
use uuid::Uuid;

use crate::city::on_both;
use crate::city::tree::group;
use crate::city::world::{World, told};
use crate::city::{SCHOOL, SCHOOL_PATH, roster};
use crate::desk::{Desk, HEAD, OFFICER, day, three, yes};

on_both!(
    nothing_is_declared_at_first,
    one_declares_and_another_confirms,
    each_refused_move_is_explained_and_changes_nothing,
    a_repeated_declaration_is_one_version,
    guards_follow_the_rule_of_the_day,
    what_expires_lapses_by_the_clock,
    malformed_declarations_are_explained,
    devices_are_listed_with_since_when,
);

const AT: (&str, &str) = (SCHOOL, SCHOOL_PATH);

fn name() -> String {
    format!("{SCHOOL}/protectionProfile")
}

fn confirm(version: i32) -> pb::ConfirmProtectionRequest {
    pb::ConfirmProtectionRequest {
        name: name(),
        version,
        request_id: Uuid::new_v4().to_string(),
    }
}

fn send_back(version: i32) -> pb::ReturnProtectionRequest {
    pb::ReturnProtectionRequest {
        name: name(),
        version,
        reason: "缺少验收材料".to_owned(),
        request_id: Uuid::new_v4().to_string(),
    }
}

fn part(profile: &pb::ProtectionProfile, kind: Kind) -> pb::ProtectionPart {
    let found = profile.parts.iter().find(|part| part.kind() == kind);
    found.cloned().expect("a part")
}

async fn nothing_is_declared_at_first(world: World) {
    let mut desk = Desk::open(world).await;
    let profile = desk.profile().await;
    assert_eq!((profile.version, profile.state()), (0, State::NotDeclared));
    assert_eq!(profile.declaration, None);
    let all = profile.parts.iter();
    assert!(
        all.clone()
            .all(|part| part.state() == PartState::NotDeclared)
    );
    assert_eq!(all.count(), 10);
    // 132 pupils and 5 members of staff.
    let needed = profile.guard_requirement.expect("a requirement");
    assert_eq!((needed.people_count, needed.required_count), (137, 2));
    assert_eq!((needed.roll_count, needed.qualified_count), (1, 0));
}

async fn one_declares_and_another_confirms(world: World) {
    let mut desk = Desk::open(world).await;
    let declared = desk.declare(AT, three()).await.expect("declared");
    assert_eq!((declared.version, declared.state()), (1, State::Declared));
    assert_eq!(declared.declaration, Some(three()));
    assert_eq!(part(&declared, Kind::OneKeyAlarm).state(), PartState::Met);
    let request = desk.head(confirm(1));
    let confirmed = desk.protection.confirm_protection(request).await;
    let confirmed = confirmed.expect("confirmed").into_inner();
    let line = |from: &str, to: &str, step: &str, actor: &str| pb::StateMove {
        from_state: from.to_owned(),
        to_state: to.to_owned(),
        step: step.to_owned(),
        actor: actor.to_owned(),
        move_time: Some(desk.now()),
        note: String::new(),
    };
    let history = [
        line("", "DECLARED", "DECLARE", OFFICER),
        line("DECLARED", "CONFIRMED", "CONFIRM", HEAD),
    ];
    assert_eq!(confirmed.history, history);
    assert_eq!(desk.profile().await, confirmed);

    // The next version begins anew; the history keeps both.
    desk.declare(AT, three()).await.expect("declared");
    let request = desk.head(send_back(2));
    let returned = desk.protection.return_protection(request).await;
    let returned = returned.expect("returned").into_inner();
    assert_eq!(returned.state(), State::Returned);
    assert_eq!(returned.history[1].note, "缺少验收材料");
    let list = pb::ListProtectionVersionsRequest {
        parent: SCHOOL.to_owned(),
        page_size: 1,
        ..Default::default()
    };
    let request = desk.head(list.clone());
    let first = desk.protection.list_protection_versions(request).await;
    let first = first.expect("listed").into_inner();
    let request = desk.head(pb::ListProtectionVersionsRequest {
        page_token: first.next_page_token.clone(),
        ..list
    });
    let second = desk.protection.list_protection_versions(request).await;
    let second = second.expect("listed").into_inner();
    assert_eq!(second.next_page_token, "");
    let both = [first.protection_versions, second.protection_versions].concat();
    let states: Vec<_> = both.iter().map(|v| (v.version, v.state())).collect();
    assert_eq!(states, [(2, State::Returned), (1, State::Confirmed)]);
    assert_eq!(both[1].history, history);
}

fn refused(status: &Status, reason: &str, zh: &str) {
    let expected = (Grpc::FailedPrecondition, reason.to_owned(), zh.to_owned());
    assert_eq!(told(status), expected);
}

async fn each_refused_move_is_explained_and_changes_nothing(world: World) {
    let mut desk = Desk::open(world).await;
    let both = async |desk: &mut Desk, version: i32, reason: &str, zh: &str| {
        let before = desk.profile().await;
        let request = desk.head(confirm(version));
        let answer = desk.protection.confirm_protection(request).await;
        refused(&answer.expect_err("refused"), reason, zh);
        let request = desk.head(send_back(version));
        let answer = desk.protection.return_protection(request).await;
        refused(&answer.expect_err("refused"), reason, zh);
        assert_eq!(desk.profile().await, before);
    };
    let state = |state: &str| format!("防护档案当前状态为 {state}，不能进行该操作");
    let wrong = "PROTECTION_STATE";
    both(&mut desk, 1, wrong, &state("NOT_DECLARED")).await;
    desk.declare(AT, three()).await.expect("declared");
    desk.declare(AT, three()).await.expect("declared");
    let newer = "防护档案已更新为第 2 版，请重新查看";
    both(&mut desk, 1, "PROTECTION_SUPERSEDED", newer).await;
    let own = desk
        .world
        .by(OFFICER, kit::auth::Role::Principal, SCHOOL_PATH, confirm(2));
    let answer = desk.protection.confirm_protection(own).await;
    let zh = "填报人不能确认或退回自己填报的防护档案";
    refused(
        &answer.expect_err("oneself"),
        "PROTECTION_SELF_CONFIRMATION",
        zh,
    );
    let request = desk.head(send_back(2));
    let answer = desk.protection.return_protection(request).await;
    answer.expect("returned");
    both(&mut desk, 2, wrong, &state("RETURNED")).await;
    desk.declare(AT, three()).await.expect("declared");
    let request = desk.head(confirm(3));
    let answer = desk.protection.confirm_protection(request).await;
    answer.expect("confirmed");
    both(&mut desk, 3, wrong, &state("CONFIRMED")).await;
    // A bureau has no campus.
    let request = pb::GetProtectionProfileRequest {
        name: "organizations/350102/protectionProfile".to_owned(),
    };
    let request = desk.bureau("fz/350102", request);
    let answer = desk.protection.get_protection_profile(request).await;
    let zh = "organizations/350102 没有校园或已关闭，不能进行该操作";
    refused(&answer.expect_err("a bureau"), "CAMPUS_REQUIRED", zh);
}

async fn a_repeated_declaration_is_one_version(world: World) {
    let mut desk = Desk::open(world).await;
    let request = pb::DeclareProtectionRequest {
        name: name(),
        declaration: Some(three()),
        request_id: Uuid::new_v4().to_string(),
    };
    let first = desk.officer(request.clone());
    let first = desk.protection.declare_protection(first).await;
    let again = desk.officer(request.clone());
    let again = desk.protection.declare_protection(again).await;
    let (first, again) = (first.expect("declared"), again.expect("repeated"));
    assert_eq!(first.into_inner(), again.into_inner());
    assert_eq!(desk.profile().await.version, 1);
    let other = desk.officer(pb::DeclareProtectionRequest {
        declaration: Some(pb::ProtectionDeclaration::default()),
        ..request
    });
    let other = desk.protection.declare_protection(other).await;
    assert_eq!(told(&other.expect_err("reused")).1, "REQUEST_ID_REUSED");
}

/// Golden test T17 by the roll: 1,000 pupils and 5 members of staff.
async fn guards_follow_the_rule_of_the_day(world: World) {
    let mut desk = Desk::open(world).await;
    let more = group(SCHOOL_PATH, ("j2020-01", 8), 10_000, 868);
    roster(&desk.world.db, &[more], 2).await;
    let needed = async |desk: &mut Desk| {
        let needed = desk.profile().await.guard_requirement.expect("needed");
        (needed.formula, needed.people_count, needed.required_count)
    };
    desk.set("2022-05-31T15:59:59Z");
    assert_eq!(needed(&mut desk).await, (1, 1005, 2));
    desk.set("2022-05-31T16:00:00Z");
    assert_eq!(needed(&mut desk).await, (2, 1000, 3));
}

async fn what_expires_lapses_by_the_clock(world: World) {
    let mut desk = Desk::open(world).await;
    let declaration = pb::ProtectionDeclaration {
        full_time_guards: Some(pb::ProtectionStatement {
            expire_date: Some(day(2022, 5, 15)),
            ..yes()
        }),
        school_buses_run: Some(true),
        school_buses: vec![pb::SchoolBus {
            label: "1 号车".to_owned(),
            inspection_date: Some(day(2021, 10, 20)),
            licence_expire_date: Some(day(2022, 12, 31)),
            attendant: true,
        }],
        ..three()
    };
    let declared = desk.declare(AT, declaration).await.expect("declared");
    assert_eq!(declared.due_date, Some(day(2022, 4, 20)));
    assert!(!declared.overdue);
    let met = part(&declared, Kind::SchoolBuses);
    assert_eq!(met.state(), PartState::Met);
    desk.set("2022-04-20T16:00:00Z");
    let later = desk.profile().await;
    assert!(later.overdue);
    let lapsed = part(&later, Kind::SchoolBuses);
    assert_eq!(lapsed.state(), PartState::NotMet);
    let texts: Vec<_> = lapsed
        .findings
        .iter()
        .map(|f| (&*f.text, &*f.rule))
        .collect();
    assert_eq!(texts, [("校车 1 号车 安全技术检验已逾期", "5.15")]);
    assert_eq!(part(&later, Kind::FullTimeGuards).state(), PartState::Met);
    desk.set("2022-05-15T16:00:00Z");
    let later = desk.profile().await;
    assert_eq!(
        part(&later, Kind::FullTimeGuards).state(),
        PartState::NotMet
    );
}

async fn malformed_declarations_are_explained(world: World) {
    let mut desk = Desk::open(world).await;
    let wrong = pb::ProtectionDeclaration {
        full_time_guards: Some(pb::ProtectionStatement {
            since_date: Some(day(2022, 4, 7)),
            evidence: String::new(),
            ..yes()
        }),
        patrol: Some(pb::PatrolPlan {
            points: vec![String::new()],
            daily_count: 49,
            ..Default::default()
        }),
        key_parts: vec![pb::KeyPart {
            kind: 17,
            ..Default::default()
        }],
        school_buses: vec![pb::SchoolBus::default()],
        ..Default::default()
    };
    let status = desk.declare(AT, wrong).await.expect_err("malformed");
    let (code, reason, zh) = told(&status);
    assert_eq!((code, &*reason), (Grpc::InvalidArgument, "INVALID_FIELD"));
    assert_eq!(zh, "填写的内容有误，请按提示修改");
    for field in [
        "declaration.full_time_guards.since_date",
        "declaration.full_time_guards.evidence",
        "declaration.patrol.points[0]",
        "declaration.patrol.daily_count",
        "declaration.key_parts[0].kind",
        "declaration.school_buses",
    ] {
        assert!(
            status.message().contains(field),
            "{field}: {}",
            status.message()
        );
    }
    assert_eq!(desk.profile().await.version, 0);
}

async fn devices_are_listed_with_since_when(world: World) {
    let mut desk = Desk::open(world).await;
    let camera = |code: &str, online| pb::ProtectionDevice {
        code: code.to_owned(),
        kind: pb::protection_device::Kind::Camera.into(),
        place: "东门".to_owned(),
        online,
        ..Default::default()
    };
    let report = |devices: Vec<pb::ProtectionDevice>| pb::ReportProtectionDevicesRequest {
        parent: SCHOOL.to_owned(),
        devices,
        request_id: Uuid::new_v4().to_string(),
    };
    let request = desk.officer(report(vec![camera("a", true), camera("b", true)]));
    let answer = desk.protection.report_protection_devices(request).await;
    let answer = answer.expect("reported").into_inner();
    assert_eq!((answer.new_count, answer.changed_count), (2, 0));
    let first = desk.now();
    desk.set("2022-04-06T01:00:00Z");
    let request = desk.officer(report(vec![camera("a", true), camera("b", false)]));
    let answer = desk.protection.report_protection_devices(request).await;
    let answer = answer.expect("reported").into_inner();
    assert_eq!((answer.new_count, answer.changed_count), (0, 1));
    let dark = desk.profile().await;
    let video = dark.parts.iter();
    let video = video.filter(|part| part.kind() == pb::protection_part::Kind::Video);
    let found: Vec<_> = video
        .flat_map(|part| &part.findings)
        .filter(|one| one.code() == pb::protection_finding::Code::DevicesOffline)
        .map(|one| (one.actual_count, &*one.text))
        .collect();
    assert_eq!(found, [(1, "1 台安防设备离线")]);
    let codes = |profile: &pb::ProtectionProfile| -> Vec<(i32, i32, i32)> {
        let parts = profile.parts.iter();
        let found = parts.flat_map(|part| part.findings.iter().map(move |one| (part.kind, one)));
        let found = found.filter(|(_, one)| one.code != 20);
        found
            .map(|(part, one)| (part, one.code, one.actual_count))
            .collect()
    };
    let video = i32::from(pb::protection_part::Kind::Video);
    assert_eq!(codes(&dark), [(video, 21, 1)]);
    desk.set("2022-04-07T15:59:59Z");
    assert_eq!(codes(&desk.profile().await), [(video, 21, 1)]);
    // From the second midnight on nobody knows how the devices are.
    desk.set("2022-04-07T16:00:00Z");
    assert_eq!(codes(&desk.profile().await), [(video, 22, 2)]);
    desk.set("2022-04-06T01:00:00Z");
    let list = |offline| pb::ListProtectionDevicesRequest {
        parent: SCHOOL.to_owned(),
        offline,
        ..Default::default()
    };
    let request = desk.head(list(false));
    let all = desk.protection.list_protection_devices(request).await;
    let since: Vec<_> = all
        .expect("listed")
        .into_inner()
        .devices
        .into_iter()
        .map(|d| d.since_time)
        .collect();
    assert_eq!(since, [Some(first), Some(desk.now())]);
    let request = desk.head(list(true));
    let dark = desk.protection.list_protection_devices(request).await;
    let dark = dark.expect("listed").into_inner().devices;
    assert_eq!((dark.len(), &*dark[0].code), (1, "b"));
    let request = desk.officer(report(vec![camera("a", true), camera("a", true)]));
    let twice = desk.protection.report_protection_devices(request).await;
    assert_eq!(told(&twice.expect_err("twice")).1, "INVALID_FIELD");
}
