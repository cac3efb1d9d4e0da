//! Who answers for what: naming, finding, and what is left without owner.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::roster as pb;
use uuid::Uuid;

use super::staff::open;
use super::{Act, App, announce};
use crate::domain::responsibility::{Node, Place, Subject, TooEarly, resolve};
use crate::domain::staff::Left;
use crate::error::Error;
use crate::grpc::responsibility as render;
use crate::store::responsibility::{self as store, Wanted};
use crate::store::unowned::{self, Gap};
use crate::store::{duties, staff};

/// Somebody to be named.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) subject: Subject,
    pub(crate) place: Place,
    pub(crate) staff_member: Uuid,
    pub(crate) duties: String,
    /// From when on; none from now on.
    pub(crate) start: Option<DateTime<Utc>>,
}

impl App {
    /// One page of the nodes of an organisation: those in force now, or all.
    pub(crate) async fn list_nodes(
        &self,
        caller: &Caller,
        organization: &str,
        all: bool,
        wanted: Wanted,
    ) -> Result<Vec<Node>, Error> {
        let organization = self
            .organization(caller, Permission::RosterRead, organization)
            .await?;
        let wanted = Wanted {
            organization: organization.id,
            at: (!all).then(|| self.now()),
            ..wanted
        };
        Ok(store::list(self.db.read(), &wanted).await?)
    }

    /// Makes a person answerable from an instant on and relieves who was.
    pub(crate) async fn assign_responsibility(
        &self,
        caller: &Caller,
        organization: &str,
        draft: Draft,
        act: Act<'_, impl Message>,
    ) -> Result<pb::ResponsibilityNode, Error> {
        self.organization(caller, Permission::RosterWrite, organization)
            .await?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let Act {
            method,
            request_id,
            request,
        } = act;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let Draft {
            subject,
            place,
            staff_member,
            duties,
            start,
        } = draft;
        let holder = staff::lock(&tx, staff_member).await?;
        let organization = open(&tx, organization).await?;
        let holder = holder
            .filter(|holder| holder.org_path == organization.org_path)
            .ok_or_else(|| {
                let field = "responsibility_node.staff_member";
                Problem::invalid(field, "不在本机构工作", "does not work there")
            })?;
        let name = holder.name();
        holder.employed().map_err(|Left| Error::Dismissed(name))?;
        if subject == Subject::ClassGroup {
            let taught = store::class_group(&tx, &organization.id, place.as_str()).await?;
            let name = format!("{}/classGroups/{place}", organization.name());
            match taught {
                Some(true) => {}
                Some(false) => return Err(Error::Graduated(name)),
                None => return Err(Error::NotFound(name)),
            }
        }
        let now = now.timestamp_millis();
        let node = Node {
            id: (self.new_id)(),
            organization: organization.id,
            subject,
            place,
            staff_member,
            duties,
            start: start.map_or(now, |start| start.timestamp_millis()),
            end: None,
        };
        let last = store::last(&tx, &node.organization, subject, &node.place).await?;
        if let Some(last) = last {
            store::end(&tx, &last.relieve(node.start).map_err(out_of_order)?).await?;
        }
        let begun = node.start <= now;
        store::insert(&tx, &node, &organization.org_path, begun).await?;
        if begun {
            announce::responsibility_rolls(&tx, vec![node.organization.clone()], now).await?;
        }
        let answer = render::node(node);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Finds the one person who answers at an instant; now when none is given.
    pub(crate) async fn resolve_responsibility(
        &self,
        caller: &Caller,
        organization: &str,
        subject: Subject,
        place: &Place,
        at: Option<DateTime<Utc>>,
    ) -> Result<pb::ResolveResponsibilityResponse, Error> {
        let organization = self
            .organization(caller, Permission::RosterRead, organization)
            .await?;
        if subject == Subject::ClassGroup {
            let known = store::class_group(self.db.read(), &organization.id, place.as_str());
            if known.await?.is_none() {
                let name = format!("{}/classGroups/{place}", organization.name());
                return Err(Error::NotFound(name));
            }
        }
        let now = self.now();
        let at = at.map_or(now, |at| at.timestamp_millis());
        let upwards = organization.org_path.rsplit('/').map(str::to_owned);
        let upwards: Vec<String> = upwards.collect();
        let charts = duties::charts(self.db.read(), &upwards, at, now).await?;
        let found = resolve(&charts, subject, place).ok_or_else(|| Error::Unowned {
            organization: organization.name(),
            subject: subject.as_str(),
        })?;
        Ok(render::found(found))
    }

    /// One page of what nobody answers for by name at or below `ancestor`.
    pub(crate) async fn list_unowned_duties(
        &self,
        caller: &Caller,
        ancestor: &str,
        after: &(String, i16),
        limit: u64,
    ) -> Result<Vec<Gap>, Error> {
        let ancestor = self
            .organization(caller, Permission::RosterRead, ancestor)
            .await?;
        let scope = ancestor.org_path.parse().unwrap_or_default();
        Ok(unowned::list(self.db.read(), &scope, self.now(), after, limit).await?)
    }
}

fn out_of_order(TooEarly(start): TooEarly) -> Error {
    Error::HandOverOrder(DateTime::from_timestamp_millis(start).unwrap_or_default())
}
