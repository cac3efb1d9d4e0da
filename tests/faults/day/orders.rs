//! An order of the city: written, approved and issued, signed and passed on by the bureau, signed by the school.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Role};
use kit::field::from_timestamp;
use proto::notification::confirm_receipt_request::Receipt;
use proto::notification::directive::{State, Urgency};
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::{
    AcknowledgeDirectiveRequest, ApproveDirectiveRequest, Audience, ConfirmReceiptRequest,
    Directive, DirectiveRecipient, DraftDirectiveRequest, IssueDirectiveRequest,
    RelayDirectiveRequest, directive_recipient,
};
use tests::city::{City, Door, caller};
use tests::town::{CITY, DISTRICT, school, school_path};

use super::{Office, organization};
use crate::campaign::Campaign;
use crate::judge::same;
use crate::reads;

pub(crate) const DRAFT: &str = "campus.notification.v1.DirectiveService/DraftDirective";
const APPROVE: &str = "campus.notification.v1.DirectiveService/ApproveDirective";
const ISSUE: &str = "campus.notification.v1.DirectiveService/IssueDirective";
const RECEIPT: &str = "campus.notification.v1.DirectiveService/ConfirmReceipt";
const SIGN: &str = "campus.notification.v1.DirectiveService/AcknowledgeDirective";
const RELAY: &str = "campus.notification.v1.DirectiveService/RelayDirective";

type Client = DirectiveServiceClient<Door>;

/// A recipient, how far it is, and when it signed and passed on.
type Receipted = (
    String,
    directive_recipient::State,
    [Option<DateTime<Utc>>; 2],
);

/// An order that everybody signed, and its recipients as they were acknowledged last.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    name: String,
    recipients: Vec<DirectiveRecipient>,
}

/// An officer of the city by name: whoever approves is not who wrote.
fn officer(office: &Office<'_>, subject: &str) -> Client {
    let subject = format!("{subject} {}", office.at);
    DirectiveServiceClient::new(office.city.door_of(Caller {
        subject,
        ..caller(Role::CityOfficer, CITY)
    }))
}

/// One writes, another approves and issues, and it goes down to the school.
pub(super) async fn is_signed(office: &mut Office<'_>, number: u32) {
    let issued = issued(office, number).await;
    let Directive { name, .. } = &issued;
    let place = format!("{CITY}/{DISTRICT}");
    let bureau = DirectiveServiceClient::new(office.city.door(Role::DistrictOfficer, &place));
    let at_bureau = format!("{name}/recipients/{DISTRICT}");
    receipts(office, &bureau, &at_bureau).await;
    let relayed = office.act(RELAY, |request_id| {
        let (mut client, name) = (bureau.clone(), at_bureau.clone());
        let request = RelayDirectiveRequest {
            name,
            text_sha256: issued.text_sha256.clone(),
            note: "请于今日签收".to_owned(),
            request_id,
        };
        async move { Ok(client.relay_directive(request).await?.into_inner()) }
    });
    let relayed = relayed.await;
    let place = school_path(office.at);
    let head = DirectiveServiceClient::new(office.city.door(Role::Principal, &place));
    let at_school = format!("{name}/recipients/{}", school(office.at));
    let signed = receipts(office, &head, &at_school).await;
    office.days.orders.push(Signed {
        name: name.clone(),
        recipients: vec![relayed, signed],
    });
}

async fn issued(office: &mut Office<'_>, number: u32) -> Directive {
    let (clerk, chief) = (officer(office, "clerk"), officer(office, "chief"));
    let draft = DraftDirectiveRequest {
        parent: format!("organizations/{CITY}"),
        urgency: Urgency::Urgent.into(),
        title: format!("第 {number} 日工作要求"),
        text: "请各校落实晨午晚检。".to_owned(),
        audience: Some(Audience {
            listed: vec![format!("organizations/{DISTRICT}"), organization(office.at)],
            ..Audience::default()
        }),
        ..DraftDirectiveRequest::default()
    };
    let drafted = office.act(DRAFT, |request_id| {
        let (mut client, base) = (clerk.clone(), draft.clone());
        let request = DraftDirectiveRequest { request_id, ..base };
        async move { Ok(client.draft_directive(request).await?.into_inner()) }
    });
    let name = drafted.await.name;
    let approved = office.act(APPROVE, |request_id| {
        let (mut client, name) = (chief.clone(), name.clone());
        let request = ApproveDirectiveRequest { name, request_id };
        async move { Ok(client.approve_directive(request).await?.into_inner()) }
    });
    approved.await;
    let issued = office.act(ISSUE, |request_id| {
        let (mut client, name) = (chief.clone(), name.clone());
        let request = IssueDirectiveRequest { name, request_id };
        async move { Ok(client.issue_directive(request).await?.into_inner()) }
    });
    issued.await
}

/// It came to a recipient, was read, and is signed for.
async fn receipts(office: &mut Office<'_>, client: &Client, recipient: &str) -> DirectiveRecipient {
    for receipt in [Receipt::Delivered, Receipt::Read] {
        let confirmed = office.act(RECEIPT, |request_id| {
            let (mut client, name) = (client.clone(), recipient.to_owned());
            let request = ConfirmReceiptRequest {
                name,
                receipt: receipt.into(),
                request_id,
            };
            async move { Ok(client.confirm_receipt(request).await?.into_inner()) }
        });
        confirmed.await;
    }
    let signed = office.act(SIGN, |request_id| {
        let (mut client, name) = (client.clone(), recipient.to_owned());
        let request = AcknowledgeDirectiveRequest { name, request_id };
        async move { Ok(client.acknowledge_directive(request).await?.into_inner()) }
    });
    signed.await
}

/// Each order is there once and in force, and each of its recipients signed once: when that was acknowledged.
pub(super) async fn are_kept(campaign: &Campaign, city: &City, told: &[Signed]) {
    let listed = campaign.read("notification", "orders", || reads::orders(city));
    let listed = listed.await;
    let counted = |one: &Directive| {
        let counts = (one.recipient_count, one.acknowledged_count);
        (one.name.clone(), one.state(), counts)
    };
    let kept: Vec<_> = listed.iter().map(counted).collect();
    let expected = told.iter();
    let expected = expected.map(|one| (one.name.clone(), State::Issued, (2, 2)));
    same("orders", kept, expected.collect(), |one| one.0.clone());

    let mut kept = Vec::new();
    for Directive { name, .. } in listed {
        let recipients = campaign.read("notification", "recipients", || {
            reads::recipients(city, &name)
        });
        kept.extend(recipients.await.iter().map(receipt));
    }
    let told = told.iter().flat_map(|one| &one.recipients);
    let told = told.map(receipt).collect();
    same("receipts", kept, told, |one| one.0.clone());
}

/// What stands of a recipient once it signed, or passed on as well.
fn receipt(one: &DirectiveRecipient) -> Receipted {
    let times = [one.acknowledge_time, one.relay_time];
    let times = times.map(|time| time.and_then(from_timestamp));
    (one.name.clone(), one.state(), times)
}
