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
use tonic::{Code, Status};
use uuid::Uuid;

use super::harness::{Answer, Bound, Figure, Latencies, ms};
use super::load;
use super::stand::{Doors, Stand, city_path};
use crate::city::{CITY_ID, DISTRICTS, District, SchoolPlan};
use crate::house::Door;

/// How many clients sign at once.
const CLIENTS: usize = 64;
/// How many receipts there are at least, of each kind.
const RECEIPTS: usize = 5_000;

/// What a school does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Deliver,
    Read,
    Sign,
}

impl Act {
    /// All of them, in the order in which they must be done.
    pub(super) const ALL: [Self; 3] = [Self::Deliver, Self::Read, Self::Sign];
}

/// A school with its connection, as a recipient of one of the directives.
#[derive(Clone)]
pub(super) struct Signer {
    pub(super) client: DirectiveServiceClient<Door>,
    pub(super) name: String,
}

impl Signer {
    /// Does it once.
    pub(super) async fn act(mut self, act: Act) -> Result<(), Status> {
        let (name, request_id) = (self.name, Uuid::new_v4().to_string());
        let receipt = match act {
            Act::Deliver => Receipt::Delivered,
            Act::Read => Receipt::Read,
            Act::Sign => {
                let request = AcknowledgeDirectiveRequest { name, request_id };
                return self.client.acknowledge_directive(request).await.map(drop);
            }
        };
        let request = ConfirmReceiptRequest {
            name,
            receipt: receipt.into(),
            request_id,
        };
        self.client.confirm_receipt(request).await.map(drop)
    }
}

/// Each school's id with its principal, over connections that they share.
pub(super) fn principals(
    stand: &Stand,
) -> anyhow::Result<Vec<(String, DirectiveServiceClient<Door>)>> {
    let doors = Doors::new(&stand.house, &stand.house.gateway())?;
    let of_school = |school: &SchoolPlan| {
        let place = school.org_path();
        let door = doors.open(Role::Principal, &school.code, &place)?;
        anyhow::Ok((school.code.clone(), DirectiveServiceClient::new(door)))
    };
    stand.city.plan().schools().iter().map(of_school).collect()
}

/// The clerk and the chief of the city's bureau, and the bureaus of its districts, on the day it is.
#[derive(Clone)]
pub(super) struct Bureaus {
    clerk: DirectiveServiceClient<Door>,
    chief: DirectiveServiceClient<Door>,
    districts: Vec<(&'static str, DirectiveServiceClient<Door>)>,
}

impl Bureaus {
    /// Everybody with a connection of their own.
    pub(super) fn of(stand: &Stand) -> anyhow::Result<Self> {
        let officer = |subject: &str| {
            let caller = Caller::new(subject, vec![Role::CityOfficer], city_path()?);
            anyhow::Ok(DirectiveServiceClient::new(stand.house.caller_of(caller)?))
        };
        let district = |district: &District| {
            let place = format!("{CITY_ID}/{}", district.division);
            let place = place.parse().ok().context("a district is a place")?;
            let door = stand.house.caller(Role::DistrictOfficer, &place)?;
            anyhow::Ok((district.division, DirectiveServiceClient::new(door)))
        };
        Ok(Self {
            clerk: officer("clerk")?,
            chief: officer("chief")?,
            districts: DISTRICTS
                .iter()
                .map(district)
                .collect::<anyhow::Result<_>>()?,
        })
    }

    /// A directive to all bureaus and schools, which the bureaus have handed on; gives its name.
    pub(super) async fn issue(self) -> anyhow::Result<String> {
        let (mut clerk, mut chief) = (self.clerk, self.chief);
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
        for (division, mut bureau) in self.districts {
            let name = format!("{name}/recipients/{division}");
            let signer = Signer {
                client: bureau.clone(),
                name: name.clone(),
            };
            for act in Act::ALL {
                signer.clone().act(act).await?;
            }
            let relay = RelayDirectiveRequest {
                name,
                text_sha256: issued.text_sha256.clone(),
                ..RelayDirectiveRequest::default()
            };
            bureau.relay_directive(relay).await?;
        }
        Ok(name)
    }
}

/// Issues directives to every school and measures how fast they are read and signed.
pub(super) async fn figures(stand: &Stand) -> anyhow::Result<Vec<Figure>> {
    let schools = stand.city.plan().schools();
    let count = RECEIPTS.div_ceil(schools.len().max(1));
    let bureaus = Bureaus::of(stand)?;
    let mut directives = Vec::with_capacity(count);
    for _ in 0..count {
        directives.push(bureaus.clone().issue().await?);
    }
    let doors = principals(stand)?;
    let all = directives.iter().flat_map(|directive| {
        doors.iter().map(move |(id, client)| Signer {
            client: client.clone(),
            name: format!("{directive}/recipients/{id}"),
        })
    });
    let signers: Arc<Vec<Signer>> = Arc::new(all.collect());
    acted(&signers, Act::Deliver).await?;
    let read = acted(&signers, Act::Read).await?;
    let signed = acted(&signers, Act::Sign).await?;
    let rate =
        |name, done: &Latencies| Figure::alone(name, "/s", done.rate(), (Bound::AtLeast, 300.0));
    let slow =
        |name, done: &Latencies| Figure::alone(name, "ms", ms(done, 0.99), (Bound::AtMost, 1000.0));
    Ok(vec![
        rate("directives read", &read),
        slow("directives read, p99", &read),
        rate("directives signed", &signed),
        slow("directives signed, p99", &signed),
    ])
}

/// Everybody does it once.
async fn acted(signers: &Arc<Vec<Signer>>, act: Act) -> anyhow::Result<Latencies> {
    let all: Vec<usize> = (0..signers.len()).collect();
    let signers = signers.clone();
    load::closed(CLIENTS, all, move |number: usize| {
        let signers = signers.clone();
        async move {
            let done = signers[number].clone().act(act).await;
            match done {
                Ok(()) => Ok(Answer::Done),
                Err(status) if status.code() == Code::ResourceExhausted => Ok(Answer::Overloaded),
                Err(status) => Err(status.into()),
            }
        }
    })
    .await
}
