//! HeldDataService: the same for every service.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use proto::error::ErrorReason;
use proto::roster::UseSubjectRequestResponse;
use proto::subject::held_data_service_server::HeldDataService;
use proto::subject::held_section::Telling;
use proto::subject::{
    ExportHeldDataRequest, ExportHeldDataResponse, HeldField, HeldRecord, HeldSection,
};
use tonic::{Request, Response, Status};

use super::record::{Held, Record};
use super::tables::ACCESSES;
use super::{Asked, Group, Holdings, Requests, Section, Viewer, rows};
use crate::auth::{Caller, caller};
use crate::org::OrgPath;
use crate::status::Problem;

/// How many records one message holds.
const PART: usize = 200;

/// Why a section is not told to a handler who may not read such records in daily work.
const GUARDED: &str = "经办人平时无权查阅此类记录，由本人或其监护人在答复后直接查阅\
    （传染病防治法第十二条、第六十八条，个人信息保护法第五十一条）";

/// Tells what one service holds.
#[derive(Debug)]
pub struct HeldDataGrpc<H> {
    holdings: Arc<H>,
    requests: Requests,
}

impl<H: Holdings> HeldDataGrpc<H> {
    /// Tells what `holdings` has of the people of `requests`.
    pub fn new(holdings: H, requests: Requests) -> Self {
        Self {
            holdings: Arc::new(holdings),
            requests,
        }
    }
}

#[tonic::async_trait]
impl<H: Holdings> HeldDataService for HeldDataGrpc<H> {
    type ExportHeldDataStream = BoxStream<'static, Result<ExportHeldDataResponse, Status>>;

    async fn export_held_data(
        &self,
        request: Request<ExportHeldDataRequest>,
    ) -> Result<Response<Self::ExportHeldDataStream>, Status> {
        let caller = caller(&request)?;
        let viewer = Viewer::of(&caller);
        caller.allowed(viewer.permission())?;
        let name = &request.get_ref().name;
        let service = self.holdings.service();
        let used = self.requests.show(request.metadata(), name, service);
        let asked = asked(caller, viewer, used.await?)?;
        let holdings = self.holdings.clone();
        let group = asked.group;
        let concerns = move |section: &&Section| section.only.is_none_or(|only| only == group);
        let sections = holdings.sections().iter().filter(concerns);
        let sections = sections.chain([&ACCESSES]);
        let parts = stream::iter(sections).then(move |section| {
            let (holdings, asked) = (holdings.clone(), asked.clone());
            async move { parts(&*holdings, section, &asked).await }
        });
        let parts = parts.flat_map(|parts| {
            stream::iter(match parts {
                Ok(parts) => parts.into_iter().map(Ok).collect(),
                Err(problem) => vec![Err(Status::from(problem))],
            })
        });
        Ok(Response::new(parts.boxed()))
    }
}

/// About whom the roster says that the request is. What it says of the place is judged here once more; a
/// family is told of its own child only, and whoever works of nobody but themselves.
fn asked(
    caller: Caller,
    viewer: Viewer,
    used: UseSubjectRequestResponse,
) -> Result<Asked, Problem> {
    let unreadable = || Problem::new(ErrorReason::Internal);
    let UseSubjectRequestResponse {
        person,
        organization,
        org_path,
    } = used;
    let (group, id) = Group::of(&person).ok_or_else(unreadable)?;
    let organization = organization.strip_prefix("organizations/");
    let organization = organization.ok_or_else(unreadable)?.to_owned();
    let place: OrgPath = org_path.parse().map_err(|_| unreadable())?;
    let own = caller.person.as_ref() == Some(&person);
    let viewer = viewer.about(own, group);
    // Whoever works somewhere may ask about themselves wherever they are responsible for others.
    if viewer == Viewer::Own {
        caller.allowed(viewer.permission())?;
    } else {
        caller.require(viewer.permission(), &place)?;
    }
    if viewer != Viewer::Handler && !own {
        let denied = Problem::new(ErrorReason::ScopeDenied);
        return Err(denied.meta("permission", viewer.permission()));
    }
    Ok(Asked {
        group,
        person: id,
        organization,
        place,
        viewer,
        caller,
    })
}

/// Whether the section is not told to this reader: a handler who may not read such records otherwise.
fn is_guarded(section: &Section, asked: &Asked) -> bool {
    let Some(permission) = section.guard.filter(|_| asked.viewer == Viewer::Handler) else {
        return false;
    };
    asked.caller.require(permission, &asked.place).is_err()
}

/// A section as it is told.
async fn parts(
    holdings: &impl Holdings,
    section: &'static Section,
    asked: &Asked,
) -> Result<Vec<ExportHeldDataResponse>, Problem> {
    let held = match &section.rows {
        _ if is_guarded(section, asked) => Held::withheld(GUARDED),
        Some(wanted) => rows::read(holdings.database().read(), wanted, asked).await?,
        None => holdings.gather(section, asked).await?,
    };
    let Held {
        count,
        records,
        withheld,
    } = held;
    let (telling, why) = match (withheld, section.reserve) {
        (Some(why), _) => (Telling::Withheld, why),
        (None, Some(why)) => (Telling::Existence, why),
        (None, None) => (Telling::Full, ""),
    };
    let head = HeldSection {
        section: section.name.to_owned(),
        title: section.title.to_owned(),
        title_en: section.title_en.to_owned(),
        purpose: section.purpose.to_owned(),
        basis: section.basis.to_owned(),
        retention: section.retention.to_owned(),
        sensitive: true,
        telling: telling.into(),
        withheld_reason: why.to_owned(),
        record_count: count,
        records: Vec::new(),
    };
    let part = |records: &[Record]| ExportHeldDataResponse {
        section: Some(HeldSection {
            records: records.iter().map(told).collect(),
            ..head.clone()
        }),
    };
    if records.is_empty() {
        return Ok(vec![part(&[])]);
    }
    Ok(records.chunks(PART).map(part).collect())
}

fn told(record: &Record) -> HeldRecord {
    let fields = record.fields.iter().map(|(field, value)| HeldField {
        field: (*field).to_owned(),
        value: value.clone(),
    });
    HeldRecord {
        fields: fields.collect(),
    }
}
