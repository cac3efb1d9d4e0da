//! Messages of this service as documents for other systems.

use crate::town::on_both;
use cap::{Chain, Document, MessageType};
use chrono::{DateTime, Duration, Utc};
use kit::auth::Role;
use kit::db::Database;
use kit::scratch::Scratch;
use notification::domain::message::{
    Category, Message, Phase, Progress, Recipients, State, Urgency,
};
use notification::domain::party::Party;
use notification::store::Store;
use proto::notification as pb;
use proto::notification::warning_info::Severity;
use proto::notification::warning_reference::Type;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::town::world::{SENDER, World, by, reason, told};
use crate::town::{BUREAU_PATH, CITY, SCHOOL, SCHOOL_PATH, morning};

on_both!(
    a_message_becomes_a_chain_that_other_systems_read,
    documents_out_of_order_are_refused,
    a_repeat_returns_the_first_document,
    only_what_is_there_is_written_and_only_by_those_who_may,
    a_document_says_what_it_was_asked_to_say,
    a_message_to_people_is_not_issued,
);

const MESSAGE: Uuid = Uuid::from_u128(7);

/// The city has sent a message of the shipped template for warnings.
pub(crate) async fn sent(db: &Database, exercise: bool) {
    sent_to(db, exercise, Recipients::default()).await;
}

async fn sent_to(db: &Database, exercise: bool, recipients: Recipients) {
    let tx = db.begin().await.expect("a transaction");
    let value = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let message = Message {
        organization: "fz".to_owned(),
        id: MESSAGE,
        org_path: "fz".to_owned(),
        state: State::Expanded,
        category: Category::Warning,
        urgency: Urgency::Urgent,
        template: "weather-warning".to_owned(),
        template_version: 1,
        values: [
            value("headline", "福州市气象台发布台风橙色预警 & 停课 <紧急>"),
            value("instruction", "在校学生留在室内"),
            value("until", "2022-06-03T00:30:00Z"),
        ]
        .into(),
        recipients,
        channels: Vec::new(),
        exercise,
        author: "officer-1".to_owned(),
        basis: String::new(),
        confidential: false,
        created: morning(),
        expires: expiry(),
        expanded: Some(morning()),
        progress: Progress {
            phase: Phase::Done,
            ..Progress::BEGIN
        },
    };
    Store::insert_message(&tx, message).await.expect("written");
    tx.commit().await.expect("committed");
}

fn expiry() -> DateTime<Utc> {
    morning() + Duration::days(3)
}

fn message_of(organization: &str) -> String {
    format!("{organization}/messages/{}", MESSAGE.hyphenated())
}

pub(crate) fn asked(of: Type) -> pb::ExportWarningRequest {
    pb::ExportWarningRequest {
        message: message_of(CITY),
        r#type: of.into(),
        event: "台风".to_owned(),
        severity: Severity::Severe.into(),
        ..Default::default()
    }
}

impl World {
    pub(crate) async fn export(
        &mut self,
        ask: pb::ExportWarningRequest,
    ) -> Result<pb::ExportWarningResponse, Status> {
        let ask = by("officer-1", Role::CityOfficer, "fz", ask);
        Ok(self.warnings.export_warning(ask).await?.into_inner())
    }
}

async fn a_message_becomes_a_chain_that_other_systems_read(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    sent(&world.db, false).await;
    let (mut chain, mut documents) = (Chain::default(), Vec::new());
    for (number, of) in (1..).zip([Type::Alert, Type::Update, Type::Update, Type::Cancel]) {
        let answer = world.export(asked(of)).await.expect("written");
        assert_eq!(
            answer.identifier,
            format!("{}-{number:04}", MESSAGE.hyphenated())
        );
        let message = cap::read(&answer.document).expect("a document");
        assert_eq!(message.identifier, answer.identifier);
        assert_eq!(
            (&*message.sender, message.status),
            (SENDER, cap::Status::Actual)
        );
        let before: Vec<_> = documents.iter().map(cap::Message::reference).collect();
        assert_eq!(message.references, before, "all documents before it");
        chain.add(Document::from(&message));
        let over = chain.standing().at(world_now(&world));
        let state = match message.message_type {
            MessageType::Cancel => cap::State::Cancelled,
            _ => cap::State::Active,
        };
        assert_eq!(over, state);
        documents.push(message);
        // The first two within one second keep their order too.
        if number > 1 {
            world.clock.advance(Duration::minutes(1));
        }
    }
    let [zh, en] = &documents[0].infos[..] else {
        panic!("two languages")
    };
    assert_eq!((&*zh.language, &*en.language), ("zh-CN", "en"));
    let headline = "【气象预警】福州市气象台发布台风橙色预警 & 停课 <紧急>";
    assert_eq!(zh.headline.as_deref(), Some(headline));
    assert_eq!((&*zh.event, zh.severity), ("台风", cap::Severity::Severe));
    assert_eq!(zh.expires.map(|end| end.to_utc()), Some(expiry()));
    let description = en.description.as_deref().expect("words");
    assert!(
        description.contains("in force until 3 June 2022, 08:30"),
        "{description}"
    );
    // Another system takes the chain, and so does this one.
    for message in &documents {
        let document = cap::write(message).expect("a document").into_bytes().into();
        let ask = pb::IngestWarningRequest { document };
        let ask = by("met-1", Role::PartnerSystem, "fz", ask);
        world.warnings.ingest_warning(ask).await.expect("taken");
    }
}

fn world_now(world: &World) -> DateTime<Utc> {
    use kit::clock::Clock;
    world.clock.now()
}

async fn documents_out_of_order_are_refused(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    sent(&world.db, true).await;
    for of in [Type::Update, Type::Cancel] {
        let (code, reason, zh) = told(&world.export(asked(of)).await.expect_err("nothing before"));
        assert_eq!(
            (code, &*reason),
            (Code::FailedPrecondition, "WARNING_CHAIN")
        );
        assert!(zh.ends_with("-0001"), "{zh}");
    }
    let alert = world.export(asked(Type::Alert)).await.expect("written");
    let alert = cap::read(&alert.document).expect("a document");
    assert_eq!(alert.status, cap::Status::Exercise);
    let twice = world.export(asked(Type::Alert)).await.expect_err("twice");
    assert_eq!(reason(&twice), "WARNING_CHAIN");
    world.export(asked(Type::Cancel)).await.expect("written");
    for of in [Type::Alert, Type::Update, Type::Cancel] {
        let over = world.export(asked(of)).await.expect_err("over");
        assert_eq!(reason(&over), "WARNING_CHAIN");
    }
    for wrong in [
        asked(Type::Ack),
        asked(Type::Unspecified),
        pb::ExportWarningRequest {
            event: " ".to_owned(),
            ..asked(Type::Alert)
        },
        pb::ExportWarningRequest {
            severity: 0,
            ..asked(Type::Alert)
        },
        pb::ExportWarningRequest {
            category: "Weather".to_owned(),
            ..asked(Type::Alert)
        },
        pb::ExportWarningRequest {
            note: "长".repeat(501),
            ..asked(Type::Alert)
        },
    ] {
        assert_eq!(
            reason(&world.export(wrong).await.expect_err("wrong")),
            "INVALID_FIELD"
        );
    }
}

async fn a_repeat_returns_the_first_document(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    sent(&world.db, false).await;
    let ask = pb::ExportWarningRequest {
        request_id: Uuid::new_v4().to_string(),
        ..asked(Type::Alert)
    };
    let first = world.export(ask.clone()).await.expect("written");
    world.clock.advance(Duration::minutes(1));
    assert_eq!(world.export(ask).await.expect("repeated"), first);
}

async fn only_what_is_there_is_written_and_only_by_those_who_may(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    sent(&world.db, false).await;
    // The message is of the city, not of the school.
    let elsewhere = pb::ExportWarningRequest {
        message: message_of(SCHOOL),
        ..asked(Type::Alert)
    };
    let missing = world.export(elsewhere).await.expect_err("not there");
    assert_eq!(
        (missing.code(), &*reason(&missing)),
        (Code::NotFound, "NOT_FOUND")
    );
    for (role, scope) in [
        (Role::CityOfficer, BUREAU_PATH),
        (Role::Principal, SCHOOL_PATH),
    ] {
        let ask = by("officer-2", role, scope, asked(Type::Alert));
        let refused = world
            .warnings
            .export_warning(ask)
            .await
            .expect_err("refused");
        assert_eq!(reason(&refused), "SCOPE_DENIED");
    }
}

async fn a_document_says_what_it_was_asked_to_say(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    sent(&world.db, true).await;
    let alert = world.export(asked(Type::Alert)).await.expect("written");
    let alert = cap::read(&alert.document).expect("a document");
    let info = &alert.infos[0];
    assert_eq!(info.categories, [cap::Category::Safety]);
    // The message is urgent.
    assert_eq!(
        (info.urgency, info.certainty),
        (cap::Urgency::Expected, cap::Certainty::Unknown)
    );
    assert_eq!(
        (alert.scope, &alert.restriction),
        (cap::Scope::Public, &None)
    );
    let ask = pb::ExportWarningRequest {
        category: "Met".to_owned(),
        urgency: "Past".to_owned(),
        certainty: "Observed".to_owned(),
        restriction: "教育系统".to_owned(),
        note: "台风转向".to_owned(),
        ..asked(Type::Cancel)
    };
    let cancel = world.export(ask).await.expect("written");
    let cancel = cap::read(&cancel.document).expect("a document");
    let info = &cancel.infos[0];
    assert_eq!(info.categories, [cap::Category::Met]);
    assert_eq!(
        (info.urgency, info.certainty),
        (cap::Urgency::Past, cap::Certainty::Observed)
    );
    assert_eq!(cancel.scope, cap::Scope::Restricted);
    assert_eq!(cancel.restriction.as_deref(), Some("教育系统"));
    assert_eq!(cancel.note.as_deref(), Some("演练 (exercise)；台风转向"));
}

async fn a_message_to_people_is_not_issued(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let recipients = Recipients {
        parties: vec![Party::Family(Uuid::from_u128(101))],
        ..Recipients::default()
    };
    sent_to(&world.db, false, recipients).await;
    let refused = world.export(asked(Type::Alert)).await;
    assert_eq!(reason(&refused.expect_err("refused")), "INVALID_FIELD");
}
