//! Receipts of directives through the gateway: every school takes in, reads and signs one directive after
//! the other, each act durable with its history and its counts.

use std::sync::Arc;

use anyhow::Context as _;
use kit::auth::{Caller, Role};
use proto::notification::confirm_receipt_request::Receipt;
use proto::notification::directive::Urgency;
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::{
    AcknowledgeDirectiveRequest, ApproveDirectiveRequest, Audience, ConfirmReceiptRequest,
    DraftDirectiveRequest, IssueDirectiveRequest, RelayDirectiveRequest,
};
use proto::roster::organization::Kind;
use tonic::Code;
use uuid::Uuid;

use super::harness::{Answer, Bound, Figure, Latencies, ms};
use super::load;
use super::stand::{Stand, city_path};
use crate::city::{CITY_ID, DISTRICTS};
use crate::house::Door;

/// How many clients sign at once.
const CLIENTS: usize = 64;
/// How many receipts there are at least, of each kind.
const RECEIPTS: usize = 5_000;

/// What a school does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Confirm(Receipt),
    Sign,
}

/// A school with its connection, as a recipient of one of the directives.
#[derive(Clone)]
struct Signer {
    client: DirectiveServiceClient<Door>,
    name: String,
}

/// Issues directives to every school and measures how fast they are read and signed.
pub(super) async fn figures(stand: &Stand) -> anyhow::Result<Vec<Figure>> {
    let schools = stand.city.plan().schools();
    let count = RECEIPTS.div_ceil(schools.len().max(1));
    let mut directives = Vec::with_capacity(count);
    for _ in 0..count {
        directives.push(issued(stand).await?);
    }
    let mut doors = Vec::with_capacity(schools.len());
    for school in schools {
        let path = school.org_path();
        let id = path.rsplit('/').next().unwrap_or_default().to_owned();
        let place = path.parse().ok().context("a school is a place")?;
        let client = DirectiveServiceClient::new(stand.house.caller(Role::Principal, &place)?);
        doors.push((id, client));
    }
    let all = directives.iter().flat_map(|directive| {
        doors.iter().map(move |(id, client)| Signer {
            client: client.clone(),
            name: format!("{directive}/recipients/{id}"),
        })
    });
    let signers: Arc<Vec<Signer>> = Arc::new(all.collect());
    acted(&signers, Act::Confirm(Receipt::Delivered)).await?;
    let read = acted(&signers, Act::Confirm(Receipt::Read)).await?;
    let signed = acted(&signers, Act::Sign).await?;
    let rate =
        |name, done: &Latencies| Figure::alone(name, "/s", done.rate(), (Bound::AtLeast, 0.0));
    let slow =
        |name, done: &Latencies| Figure::alone(name, "ms", ms(done, 0.99), (Bound::AtMost, 1000.0));
    Ok(vec![
        rate("directives read", &read),
        slow("directives read, p99", &read),
        rate("directives signed", &signed),
        slow("directives signed, p99", &signed),
    ])
}

/// A directive to all bureaus and schools, which the bureaus have handed on; gives its name.
async fn issued(stand: &Stand) -> anyhow::Result<String> {
    let officer = |subject: &str| {
        let caller = Caller::new(subject, vec![Role::CityOfficer], city_path()?);
        anyhow::Ok(DirectiveServiceClient::new(stand.house.caller_of(caller)?))
    };
    let (mut clerk, mut chief) = (officer("clerk")?, officer("chief")?);
    let kinds = [Kind::CountyBureau, Kind::School, Kind::Kindergarten];
    let draft = DraftDirectiveRequest {
        parent: format!("organizations/{CITY_ID}"),
        urgency: Urgency::ExtraUrgent.into(),
        title: "关于错峰到校的通知".to_owned(),
        text: "请按时段组织学生到校。".to_owned(),
        audience: Some(Audience {
            organizations: vec![format!("organizations/{CITY_ID}")],
            kinds: kinds.map(i32::from).into(),
            ..Audience::default()
        }),
        ..DraftDirectiveRequest::default()
    };
    let name = clerk.draft_directive(draft).await?.into_inner().name;
    let approve = ApproveDirectiveRequest {
        name: name.clone(),
        request_id: String::new(),
    };
    chief.approve_directive(approve).await?;
    let issue = IssueDirectiveRequest {
        name: name.clone(),
        request_id: String::new(),
    };
    let issued = chief.issue_directive(issue).await?.into_inner();
    for district in &DISTRICTS {
        let place = format!("{CITY_ID}/{}", district.division);
        let place = place.parse().ok().context("a district is a place")?;
        let door = stand.house.caller(Role::DistrictOfficer, &place)?;
        let mut bureau = DirectiveServiceClient::new(door);
        let name = format!("{name}/recipients/{}", district.division);
        for receipt in [Receipt::Delivered, Receipt::Read] {
            let confirm = ConfirmReceiptRequest {
                name: name.clone(),
                receipt: receipt.into(),
                request_id: String::new(),
            };
            bureau.confirm_receipt(confirm).await?;
        }
        let sign = AcknowledgeDirectiveRequest {
            name: name.clone(),
            request_id: String::new(),
        };
        bureau.acknowledge_directive(sign).await?;
        let relay = RelayDirectiveRequest {
            name,
            text_sha256: issued.text_sha256.clone(),
            ..RelayDirectiveRequest::default()
        };
        bureau.relay_directive(relay).await?;
    }
    Ok(name)
}

/// Everybody does it once.
async fn acted(signers: &Arc<Vec<Signer>>, act: Act) -> anyhow::Result<Latencies> {
    let all: Vec<usize> = (0..signers.len()).collect();
    let signers = signers.clone();
    load::closed(CLIENTS, all, move |number: usize| {
        let signers = signers.clone();
        async move {
            let Signer { mut client, name } = signers[number].clone();
            let request_id = Uuid::new_v4().to_string();
            let done = match act {
                Act::Confirm(receipt) => {
                    let receipt = receipt.into();
                    let request = ConfirmReceiptRequest {
                        name,
                        receipt,
                        request_id,
                    };
                    client.confirm_receipt(request).await.map(drop)
                }
                Act::Sign => {
                    let request = AcknowledgeDirectiveRequest { name, request_id };
                    client.acknowledge_directive(request).await.map(drop)
                }
            };
            match done {
                Ok(()) => Ok(Answer::Done),
                Err(status) if status.code() == Code::ResourceExhausted => Ok(Answer::Overloaded),
                Err(status) => Err(status.into()),
            }
        }
    })
    .await
}
