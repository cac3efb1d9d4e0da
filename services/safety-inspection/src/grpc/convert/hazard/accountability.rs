//! Who was told what, on the wire.

use kit::field::{Fields, to_timestamp};
use kit::status::Problem;
use proto::safety as pb;
use uuid::Uuid;

use super::super::malformed;
use super::hazard_name;
use crate::app::hazards::{Gap, Wanted};
use crate::domain::hazard::entry::name;
use crate::domain::person::PersonName;
use crate::store::hazards::Record;

/// The organisation and the id of a record.
pub(in crate::grpc) fn record_name(name: &str) -> Result<(&str, Uuid), Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", organization, "accountabilityRecords", id]
            if kit::org::is_id(organization) =>
        {
            let id = Uuid::try_parse(id).map_err(|_| malformed("name"))?;
            Ok((organization, id))
        }
        _ => Err(malformed("name")),
    }
}

/// Which records are wanted, older than `before`.
pub(in crate::grpc) fn wanted(
    request: &pb::ListAccountabilityRecordsRequest,
    before: Option<Uuid>,
) -> Result<Wanted, Problem> {
    let mut fields = Fields::new();
    let hazard = match &*request.hazard {
        "" => None,
        hazard => {
            let named = hazard_name("hazard", hazard).ok();
            if named.is_none() {
                fields.violation("hazard", "格式不正确", "malformed");
            }
            named.map(|named| named.id)
        }
    };
    let _: Option<PersonName> = fields.optional("staff_member", &request.staff_member);
    fields.finish()?;
    Ok(Wanted {
        hazard,
        staff_member: request.staff_member.clone(),
        unseen: request.unseen,
        before,
    })
}

/// A record as callers see it.
pub(in crate::grpc) fn record(record: Record) -> pb::AccountabilityRecord {
    let Record {
        id,
        hazard,
        resource,
        home,
        act,
        staff_member,
        answers_at,
        told,
        seen,
    } = record;
    let organization = &home.organization;
    let id = id.hyphenated();
    pb::AccountabilityRecord {
        name: format!("organizations/{organization}/accountabilityRecords/{id}"),
        hazard: if hazard.is_nil() {
            String::new()
        } else {
            name(organization, hazard)
        },
        staff_member,
        organization: match &*answers_at {
            "" => String::new(),
            id => format!("organizations/{id}"),
        },
        act: act as i32,
        tell_time: Some(to_timestamp(told)),
        see_time: seen.map(to_timestamp),
        resource,
    }
}

/// A gap as callers see it.
pub(in crate::grpc) fn gap(gap: Gap) -> pb::Gap {
    let Gap {
        organization,
        subjects,
        hazards,
    } = gap;
    pb::Gap {
        organization: format!("organizations/{organization}"),
        subjects: subjects.into_iter().map(str::to_owned).collect(),
        hazards,
    }
}
