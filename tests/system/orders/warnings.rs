//! Warnings of another system come in as CAP documents, and what the city tells goes out as one.

use kit::auth::Role;
use proto::notification::delivery_service_client::DeliveryServiceClient;
use proto::notification::message::{Category, Urgency};
use proto::notification::recipients::Group;
use proto::notification::warning::State;
use proto::notification::warning_info::{Colour, Severity};
use proto::notification::warning_reference::Type;
use proto::notification::warning_service_client::WarningServiceClient;
use proto::notification::{
    ExportWarningRequest, ExportWarningResponse, GetWarningRequest, IngestWarningRequest, Message,
    Recipients, SendMessageRequest, Warning,
};
use tests::city::Door;
use tests::town::{CITY, school, school_path};
use tonic::{Code, Status};

use crate::region::{Region, everybody};
use crate::verbs::{denied, expect, request_id};

/// What the weather bureau says.
const HEADLINE: &str = "市气象台发布台风橙色预警";

/// A document of the weather bureau, sent at a minute after 07:00.
fn document((identifier, minute): (&str, u32), kind: &str, references: &str) -> String {
    format!(
        "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>{identifier}</identifier>\
         <sender>met@example.cn</sender><sent>2022-04-06T07:{minute}:00+08:00</sent>\
         <status>Actual</status><msgType>{kind}</msgType><scope>Public</scope>\
         <references>{references}</references><info><language>zh-CN</language>\
         <category>Met</category><event>台风</event><urgency>Expected</urgency>\
         <severity>Severe</severity><certainty>Likely</certainty>\
         <expires>2022-04-07T08:00:00+08:00</expires><headline>{HEADLINE}</headline>\
         <area><areaDesc>鼓楼区</areaDesc><geocode><valueName>区划</valueName>\
         <value>350102000000</value></geocode></area></info></alert>"
    )
}

fn warnings(door: &Door) -> WarningServiceClient<Door> {
    WarningServiceClient::new(door.clone())
}

async fn ingest(door: &Door, document: &[u8]) -> Result<Warning, Status> {
    let request = IngestWarningRequest {
        document: document.to_vec().into(),
    };
    Ok(warnings(door).ingest_warning(request).await?.into_inner())
}

async fn read(door: &Door, name: &str) -> Result<Warning, Status> {
    let name = name.to_owned();
    let warning = warnings(door)
        .get_warning(GetWarningRequest { name })
        .await?;
    Ok(warning.into_inner())
}

async fn export(door: &Door, message: &str, of: Type) -> Result<ExportWarningResponse, Status> {
    let request = ExportWarningRequest {
        message: message.to_owned(),
        r#type: of.into(),
        event: "台风".to_owned(),
        severity: Severity::Severe.into(),
        request_id: request_id(),
        ..Default::default()
    };
    Ok(warnings(door).export_warning(request).await?.into_inner())
}

/// In by the weather bureau's system, told to every school, out again for whoever takes CAP.
pub(super) async fn come_in_and_go_out(region: &Region) {
    let met = region.city.door(Role::PartnerSystem, CITY);
    let principal = region.city.door(Role::Principal, &school_path(1));
    let guard = region.city.door(Role::Guard, &school_path(1));
    let first = document(("w1", 50), "Alert", "");
    for wrong in [&principal, &guard] {
        denied("handing in", ingest(wrong, first.as_bytes()).await);
    }
    let taken = ingest(&met, first.as_bytes()).await.expect("is taken");
    let again = ingest(&met, first.as_bytes())
        .await
        .expect("is taken again");
    assert_eq!((taken.state(), &taken), (State::Active, &again));
    let second = document(
        ("w2", 55),
        "Update",
        "met@example.cn,w1,2022-04-06T07:50:00+08:00",
    );
    let updated = ingest(&met, second.as_bytes()).await.expect("is taken");
    assert_eq!((&updated.name, updated.chain.len()), (&taken.name, 2));
    expect(
        "no document",
        ingest(&met, b"<alert/>").await,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );

    denied("reading", read(&guard, &taken.name).await);
    let seen = read(&principal, &taken.name).await.expect("a school reads");
    let info = &seen.infos[0];
    assert_eq!((&*info.headline, info.colour()), (HEADLINE, Colour::Orange));
    let own = format!("organizations/{}", school(1));
    assert_eq!(
        info.areas[0].organizations,
        [own],
        "what it may see of the area"
    );
    goes_out(region, &met).await;
}

/// The city tells every school; the message leaves as a chain that a system reads, this one too.
async fn goes_out(region: &Region, met: &Door) {
    let values = [
        ("headline", HEADLINE),
        ("instruction", "在校学生留在室内，暂停户外活动"),
        ("until", "2022-04-07T00:00:00Z"),
    ];
    let message = Message {
        category: Category::Warning.into(),
        urgency: Urgency::Urgent.into(),
        template: "templates/weather-warning".to_owned(),
        values: values
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        recipients: Some(Recipients {
            audience: Some(everybody()),
            groups: vec![Group::Organizations.into()],
            ..Recipients::default()
        }),
        ..Message::default()
    };
    let request = SendMessageRequest {
        parent: format!("organizations/{CITY}"),
        message: Some(message),
        request_id: request_id(),
    };
    let mut city = DeliveryServiceClient::new(region.officer("chief"));
    let sent = city
        .send_message(request)
        .await
        .expect("is told")
        .into_inner();

    let bureau = region.acting(&region.bureaus()[0]);
    denied("writing", export(&bureau, &sent.name, Type::Alert).await);
    let early = export(met, &sent.name, Type::Cancel).await;
    expect(
        "nothing to cancel",
        early,
        Code::FailedPrecondition,
        "WARNING_CHAIN",
    );
    let mut names = Vec::new();
    for (of, state) in [
        (Type::Alert, State::Active),
        (Type::Cancel, State::Cancelled),
    ] {
        let written = export(met, &sent.name, of).await.expect("is written");
        let text = String::from_utf8(written.document.to_vec()).expect("UTF-8");
        assert!(
            text.contains(HEADLINE) && text.contains(&written.identifier),
            "{text}"
        );
        let read = ingest(met, &written.document).await.expect("reads its own");
        assert_eq!(
            (read.state(), &read.identifier),
            (state, &written.identifier)
        );
        names.push(read.name);
    }
    assert_eq!(names[0], names[1], "one chain");
}
