//! Warnings of other systems, and messages of this one as warnings for others.

use crate::town;
use crate::town::on_both;
use chrono::Duration;
use kit::auth::Role;
use kit::scratch::Scratch;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proto::notification as pb;
use proto::notification::warning::State;
use proto::notification::warning_info::{Colour, Severity};
use proto::notification::warning_reference::Type;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::town::cap::{Told, document, sent};
use crate::town::world::{World, by, reason, told};
use crate::town::{BUREAU, SCHOOL, SCHOOL_PATH, SISTER};

on_both!(
    a_warning_is_read_with_the_organisations_in_its_areas,
    the_same_document_again_changes_nothing,
    a_chain_is_updated_cancelled_and_expires,
    the_end_is_the_same_in_any_order_of_arrival,
    chains_that_turn_out_to_be_one_keep_both_names,
    nobody_cancels_the_warning_of_another,
    a_test_a_draft_or_an_exercise_ends_no_warning,
    a_warning_says_for_whom_it_is_and_why_it_was_called_off,
    a_document_that_is_wrong_is_refused_with_every_fault,
    a_warning_of_the_state_is_taken_with_its_chain,
    warnings_are_listed_by_state_and_division,
    pages_go_on_where_they_ended,
    warnings_are_read_by_those_who_may,
);

impl World {
    async fn warning(&mut self, name: &str) -> Result<pb::Warning, Status> {
        let ask = pb::GetWarningRequest {
            name: name.to_owned(),
        };
        let ask = by("officer-1", Role::CityOfficer, "fz", ask);
        Ok(self.warnings.get_warning(ask).await?.into_inner())
    }

    async fn page(&mut self, ask: pb::ListWarningsRequest) -> pb::ListWarningsResponse {
        let ask = by("officer-1", Role::CityOfficer, "fz", ask);
        self.warnings
            .list_warnings(ask)
            .await
            .expect("listed")
            .into_inner()
    }

    /// The identifiers of what is listed.
    async fn listed(&mut self, state: State, division: &str) -> Vec<String> {
        let ask = pb::ListWarningsRequest {
            state: state.into(),
            division: division.to_owned(),
            ..Default::default()
        };
        let listed = self.page(ask).await.warnings.into_iter();
        listed.map(|warning| warning.identifier).collect()
    }
}

/// The town with divisions.
async fn placed(scratch: Scratch) -> World {
    let world = World::new(scratch).await;
    town::cap::divide(&world.db).await;
    world
}

fn chain(warning: &pb::Warning) -> Vec<(&str, Type, bool)> {
    let chain = warning.chain.iter();
    chain
        .map(|one| (&*one.identifier, one.r#type(), one.missing))
        .collect()
}

async fn a_warning_is_read_with_the_organisations_in_its_areas(scratch: Scratch) {
    let mut world = placed(scratch).await;
    let warning = world.ingest(&Told::alert(1)).await.expect("taken");
    let time = |minute| Some(kit::field::to_timestamp(sent(minute)));
    let expected = pb::Warning {
        name: warning.name.clone(),
        state: State::Active.into(),
        status: pb::warning::Status::Actual.into(),
        identifier: "w1".to_owned(),
        sender: "met@example.cn".to_owned(),
        sent_time: time(1),
        ingest_time: Some(kit::field::to_timestamp(town::morning())),
        infos: vec![pb::WarningInfo {
            language: "zh-CN".to_owned(),
            event: "台风".to_owned(),
            event_code: "11B01".to_owned(),
            severity: Severity::Severe.into(),
            colour: Colour::Orange.into(),
            urgency: "Expected".to_owned(),
            certainty: "Likely".to_owned(),
            expire_time: time(60),
            headline: "台风橙色预警".to_owned(),
            areas: vec![pb::WarningArea {
                description: "鼓楼区".to_owned(),
                divisions: vec!["350102000000".to_owned()],
                organizations: vec![SCHOOL.to_owned(), SISTER.to_owned(), BUREAU.to_owned()],
                shapes: vec!["26.08,119.3 12.5".to_owned()],
            }],
            ..Default::default()
        }],
        chain: vec![pb::WarningReference {
            identifier: "w1".to_owned(),
            sent_time: time(1),
            r#type: Type::Alert.into(),
            missing: false,
            status: pb::warning::Status::Actual.into(),
        }],
        cap_version: "1.2".to_owned(),
        scope: "Public".to_owned(),
        ..Default::default()
    };
    assert_eq!(warning, expected);
    assert_eq!(world.warning(&warning.name).await.expect("read"), expected);
    // A school sees which of its own part of the tree are meant.
    let ask = pb::GetWarningRequest {
        name: warning.name.clone(),
    };
    let ask = by("principal-1", Role::Principal, SCHOOL_PATH, ask);
    let seen = world
        .warnings
        .get_warning(ask)
        .await
        .expect("read")
        .into_inner();
    assert_eq!(seen.infos[0].areas[0].organizations, [SCHOOL]);
}

async fn the_same_document_again_changes_nothing(scratch: Scratch) {
    let mut world = placed(scratch).await;
    let first = world.ingest(&Told::alert(1)).await.expect("taken");
    world.clock.advance(Duration::minutes(1));
    let again = world.ingest(&Told::alert(1)).await.expect("taken");
    assert_eq!(again, first);
    // Two who hand it in at the same moment.
    let mut others = [world.warnings.clone(), world.warnings.clone()];
    let [one, other] = &mut others;
    let ask = || {
        let document = document(&Told::alert(2)).into_bytes().into();
        by(
            "met-1",
            Role::PartnerSystem,
            "fz",
            pb::IngestWarningRequest { document },
        )
    };
    let (one, other) = tokio::join!(one.ingest_warning(ask()), other.ingest_warning(ask()));
    let name = |taken: Result<tonic::Response<pb::Warning>, Status>| {
        taken.expect("taken").into_inner().name
    };
    assert_eq!(name(one), name(other));
    assert_eq!(world.listed(State::Unspecified, "").await, ["w2", "w1"]);
}

async fn a_chain_is_updated_cancelled_and_expires(scratch: Scratch) {
    let mut world = placed(scratch).await;
    let name = world.ingest(&Told::alert(1)).await.expect("taken").name;
    let update = Told {
        areas: &["350103000000"],
        ..Told::update(2, &[1])
    };
    let updated = world.ingest(&update).await.expect("taken");
    assert_eq!((&*updated.name, &*updated.identifier), (&*name, "w2"));
    assert_eq!(
        chain(&updated),
        [("w1", Type::Alert, false), ("w2", Type::Update, false)]
    );
    assert!(
        world.listed(State::Active, "350102").await.is_empty(),
        "where it held before"
    );
    assert_eq!(world.listed(State::Active, "350103").await, ["w2"]);
    world.clock.set(sent(60));
    assert_eq!(
        world.warning(&name).await.expect("read").state(),
        State::Expired
    );
    assert_eq!(world.listed(State::Expired, "").await, ["w2"]);
    let cancelled = world
        .ingest(&Told::cancel(3, &[1, 2]))
        .await
        .expect("taken");
    assert_eq!(
        (&*cancelled.name, cancelled.state()),
        (&*name, State::Cancelled)
    );
    // A cancel without words leaves what was said last.
    assert_eq!(
        (&*cancelled.identifier, cancelled.infos),
        ("w3", updated.infos)
    );
    assert_eq!(world.listed(State::Cancelled, "").await, ["w3"]);
    let acknowledged = world.ingest(&Told::ack(4, &[3])).await.expect("taken");
    assert_eq!(
        (&*acknowledged.identifier, acknowledged.chain.len()),
        ("w3", 4)
    );
}

/// Documents that refer to each other, in every order: what is told of the chain is the same.
async fn the_end_is_the_same_in_any_order_of_arrival(scratch: Scratch) {
    let mut world = placed(scratch).await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let whole = [
        Told::alert(1),
        Told::update(2, &[1]),
        Told::update(3, &[2]),
        Told::cancel(4, &[3]),
    ];
    let mut expected = None;
    for round in 0..10 {
        let order = Just((0..whole.len()).collect::<Vec<_>>()).prop_shuffle();
        let mut order = order.new_tree(&mut runner).expect("a case").current();
        if round % 2 == 0 {
            // Without the cancel, and with repeats.
            order.retain(|index| *index != 3);
            order.extend_from_within(..1);
        }
        let sender = format!("met-{round}@example.cn");
        let mut last = None;
        for index in &order {
            let told = Told {
                sender: &sender,
                ..whole[*index]
            };
            last = Some(world.ingest(&told).await.expect("taken"));
        }
        let last = last.expect("some").name;
        let mut warning = world.warning(&last).await.expect("read");
        assert_eq!(
            world.listed(State::Unspecified, "").await.len(),
            round + 1,
            "{order:?}"
        );
        (warning.name, warning.sender) = (String::new(), String::new());
        let state = if round % 2 == 0 {
            State::Active
        } else {
            State::Cancelled
        };
        assert_eq!(warning.state(), state, "{order:?}");
        if round % 2 == 1 {
            assert_eq!(
                *expected.get_or_insert_with(|| warning.clone()),
                warning,
                "{order:?}"
            );
        }
    }
}

async fn chains_that_turn_out_to_be_one_keep_both_names(scratch: Scratch) {
    let mut world = placed(scratch).await;
    let first = world.ingest(&Told::cancel(5, &[4])).await.expect("taken");
    assert_eq!(
        chain(&first),
        [("w4", Type::Unspecified, true), ("w5", Type::Cancel, false)]
    );
    world.clock.advance(Duration::seconds(1));
    let second = world.ingest(&Told::alert(1)).await.expect("taken");
    assert_ne!(first.name, second.name);
    world.clock.advance(Duration::seconds(1));
    let both = world.ingest(&Told::update(4, &[1])).await.expect("taken");
    assert_eq!((&both.name, both.state()), (&first.name, State::Cancelled));
    assert_eq!(both.chain.len(), 3);
    for name in [first.name, second.name] {
        assert_eq!(world.warning(&name).await.expect("read"), both);
    }
    assert_eq!(world.listed(State::Unspecified, "").await, ["w5"]);
}

async fn nobody_cancels_the_warning_of_another(scratch: Scratch) {
    let mut world = placed(scratch).await;
    let alert = world.ingest(&Told::alert(1)).await.expect("taken");
    let foreign = Told {
        sender: "other@example.cn",
        ..Told::cancel(2, &[1])
    };
    let foreign = world.ingest(&foreign).await.expect("taken");
    assert_ne!(foreign.name, alert.name);
    assert_eq!(world.warning(&alert.name).await.expect("read"), alert);
}

async fn a_test_a_draft_or_an_exercise_ends_no_warning(scratch: Scratch) {
    let mut world = placed(scratch).await;
    let alert = world.ingest(&Told::alert(1)).await.expect("taken");
    for (number, status) in [(2, "Test"), (3, "Draft"), (4, "Exercise")] {
        for told in [Told::cancel(number, &[1]), Told::update(number + 3, &[1])] {
            let text = document(&told).replace("Actual", status);
            let after = world.ingest_bytes(text.into_bytes()).await.expect("taken");
            assert_eq!((&after.name, after.state()), (&alert.name, State::Active));
            assert_eq!(after.status(), pb::warning::Status::Actual, "{status}");
            assert_eq!(
                (&after.identifier, &after.infos),
                (&alert.identifier, &alert.infos)
            );
        }
    }
    let after = world.warning(&alert.name).await.expect("read");
    let kept = after.chain.iter().map(pb::WarningReference::status);
    assert_eq!(
        kept.filter(|one| *one != pb::warning::Status::Actual)
            .count(),
        6
    );
    let ended = world.ingest(&Told::cancel(8, &[1])).await.expect("taken");
    assert_eq!(ended.state(), State::Cancelled);
}

async fn a_warning_says_for_whom_it_is_and_why_it_was_called_off(scratch: Scratch) {
    let mut world = placed(scratch).await;
    let scope = "<scope>Restricted</scope><restriction>教育系统</restriction>";
    let text = document(&Told::alert(1)).replace("<scope>Public</scope>", scope);
    let alert = world.ingest_bytes(text.into_bytes()).await.expect("taken");
    assert_eq!(
        (&*alert.scope, &*alert.restriction),
        ("Restricted", "教育系统")
    );
    assert_eq!(alert.note, "");
    let reason = "<scope>Public</scope><note>台风转向</note>";
    let text = document(&Told::cancel(2, &[1])).replace("<scope>Public</scope>", reason);
    let ended = world.ingest_bytes(text.into_bytes()).await.expect("taken");
    assert_eq!(
        (ended.state(), &*ended.note),
        (State::Cancelled, "台风转向")
    );
}

async fn a_document_that_is_wrong_is_refused_with_every_fault(scratch: Scratch) {
    let mut world = placed(scratch).await;
    let good = document(&Told::alert(1));
    let wrong = good
        .replace("Severe", "Grave")
        .replace("<sender>met@example.cn</sender>", "");
    let refused = world
        .ingest_bytes(wrong.into_bytes())
        .await
        .expect_err("refused");
    assert_eq!(
        (refused.code(), &*reason(&refused)),
        (Code::InvalidArgument, "INVALID_FIELD")
    );
    let fields = refused
        .get_details_bad_request()
        .expect("fields")
        .field_violations;
    let fields: Vec<_> = fields
        .iter()
        .map(|one| (&*one.field, &*one.description))
        .collect();
    let expected = [
        ("document/alert/sender", "缺少必填元素"),
        (
            "document/alert/info[1]/severity",
            "应为 Extreme、Severe、Moderate、Minor、Unknown 之一",
        ),
    ];
    assert_eq!(fields, expected);
    let areas = |count: usize| {
        let areas = "<area><areaDesc>x</areaDesc></area>".repeat(count);
        good.replace("</area>", &format!("</area>{areas}"))
    };
    for wrong in [
        Vec::new(),
        vec![b' '; (1 << 20) + 1],
        b"<!DOCTYPE a [<!ENTITY x 'y'>]><alert>&x;</alert>".to_vec(),
        areas(1000).into_bytes(),
    ] {
        let refused = world.ingest_bytes(wrong).await.expect_err("refused");
        assert_eq!(reason(&refused), "INVALID_FIELD");
    }
    // The longest that is allowed is taken.
    let long = format!("{good}{}", " ".repeat((1 << 20) - good.len()));
    world.ingest_bytes(long.into_bytes()).await.expect("taken");
    assert_eq!(world.listed(State::Unspecified, "").await.len(), 1);
    // As are as many areas as a province has towns.
    let many = areas(999).replace("<identifier>w1<", "<identifier>w2<");
    let many = world.ingest_bytes(many.into_bytes()).await.expect("taken");
    assert_eq!(many.infos[0].areas.len(), 1000);
}

/// As the warning system of the state hands warnings on: the update comes before what it refers to.
async fn a_warning_of_the_state_is_taken_with_its_chain(scratch: Scratch) {
    let mut world = placed(scratch).await;
    let alert = |kind: &str, second: &str, references: &str, colour: &str| {
        format!(
            "<alert><identifier>35019941600000_202206020830{second}</identifier>\
             <sender>某市气象台</sender><senderCode>35019941600000</senderCode>\
             <sendTime>2022-06-02 08:25:00+08:00</sendTime><status>Actual</status>\
             <msgType>{kind}</msgType><scope>Public</scope><references>{references}</references>\
             <info><language>zh-CN</language><eventType>11B01</eventType><severity>{colour}</severity>\
             <effective>2022-06-02 08:31:42+08:00</effective><onset/><expires/>\
             <headline>某市气象台发布台风{colour}预警</headline>\
             <area><areaDesc>鼓楼区</areaDesc><geocode>350102000000,350102000000</geocode></area>\
             </info></alert>"
        )
    };
    let first = "35019941600000_20220602083011";
    let update = alert("Update", "40", first, "Red");
    let update = world
        .ingest_bytes(update.into_bytes())
        .await
        .expect("taken");
    let expected = [(first, Type::Unspecified, true)];
    assert_eq!(chain(&update)[..1], expected);
    let alert = alert("Alert", "11", "", "Orange");
    let whole = world.ingest_bytes(alert.into_bytes()).await.expect("taken");
    assert_eq!(whole.name, update.name);
    let expected = [
        (first, Type::Alert, false),
        ("35019941600000_20220602083040", Type::Update, false),
    ];
    assert_eq!(chain(&whole), expected);
    let info = &whole.infos[0];
    assert_eq!(
        (
            &*whole.sender,
            &*info.sender_name,
            &*info.event,
            &*info.event_code
        ),
        ("35019941600000", "某市气象台", "台风", "11B01")
    );
    assert_eq!(
        (info.severity(), info.colour(), whole.state()),
        (Severity::Extreme, Colour::Red, State::Active)
    );
    assert_eq!(info.areas[0].divisions, ["350102000000"]);
    assert_eq!(info.areas[0].organizations, [SCHOOL, SISTER, BUREAU]);
}

async fn warnings_are_listed_by_state_and_division(scratch: Scratch) {
    let mut world = placed(scratch).await;
    for (number, areas) in [
        (1, &["350000"][..]),
        (2, &["350100"]),
        (3, &["350102000000", "350103000000"]),
        (4, &["350102001000"]),
        (5, &["350200"]),
        (6, &[]),
    ] {
        let told = Told {
            areas,
            ..Told::alert(number)
        };
        world.ingest(&told).await.expect("taken");
    }
    let mut within = async |division| world.listed(State::Active, division).await;
    assert_eq!(within("350102").await, ["w4", "w3", "w2", "w1"]);
    assert_eq!(within("350103").await, ["w3", "w2", "w1"]);
    assert_eq!(within("350102001").await, ["w4", "w3", "w2", "w1"]);
    assert_eq!(within("350102002000").await, ["w3", "w2", "w1"]);
    assert_eq!(within("350000").await, ["w5", "w4", "w3", "w2", "w1"]);
    assert_eq!(within("360000").await, Vec::<String>::new());
    assert_eq!(within("").await.len(), 6);
    for (state, division) in [(9, ""), (0, "35"), (0, "35010x")] {
        let ask = pb::ListWarningsRequest {
            state,
            division: division.to_owned(),
            ..Default::default()
        };
        let ask = by("officer-1", Role::CityOfficer, "fz", ask);
        let refused = world
            .warnings
            .list_warnings(ask)
            .await
            .expect_err("refused");
        assert_eq!(reason(&refused), "INVALID_FIELD");
    }
}

async fn pages_go_on_where_they_ended(scratch: Scratch) {
    let mut world = placed(scratch).await;
    for number in 1..=5 {
        let long = "风".repeat(if number > 3 { 100_000 } else { 1 });
        let told = document(&Told::alert(number)).replace("台风橙色预警", &long);
        world.ingest_bytes(told.into_bytes()).await.expect("taken");
    }
    let (mut pages, mut token) = (Vec::new(), String::new());
    loop {
        let ask = pb::ListWarningsRequest {
            page_size: 2,
            page_token: token,
            ..Default::default()
        };
        let page = world.page(ask).await;
        let found = page.warnings.into_iter().map(|warning| warning.identifier);
        pages.push(found.collect::<Vec<_>>());
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    // Long documents make short pages.
    assert_eq!(pages, [vec!["w5"], vec!["w4", "w3"], vec!["w2", "w1"]]);
}

async fn warnings_are_read_by_those_who_may(scratch: Scratch) {
    let mut world = placed(scratch).await;
    let ask = by(
        "guard-1",
        Role::Guard,
        SCHOOL_PATH,
        pb::ListWarningsRequest::default(),
    );
    let refused = world
        .warnings
        .list_warnings(ask)
        .await
        .expect_err("refused");
    assert_eq!(reason(&refused), "SCOPE_DENIED");
    // Refused before anything that is wrong with it is told.
    let ask = pb::IngestWarningRequest::default();
    let ask = by("principal-1", Role::Principal, SCHOOL_PATH, ask);
    let refused = world
        .warnings
        .ingest_warning(ask)
        .await
        .expect_err("refused");
    assert_eq!(reason(&refused), "SCOPE_DENIED");
    let name = "warnings/00000000-0000-7000-8000-000000000000";
    let (code, reason, _) = told(&world.warning(name).await.expect_err("none"));
    assert_eq!((code, &*reason), (Code::NotFound, "NOT_FOUND"));
    assert!(world.warning("warnings/1").await.is_err());
}
