//! What a gate asks about one person.

use kit::field::Fields;
use kit::status::Problem;
use proto::safety as pb;

use super::{DEVICE, card, decision_name, emergency_in, fingerprint, observation};
use crate::app::gate::{Entry, Identity, LookUp};

/// What a gate asks. `parent` was read before.
pub(in crate::grpc) fn entry(
    request: pb::CheckEntryRequest,
    guard: &str,
) -> Result<Entry, Problem> {
    let fingerprint = fingerprint(&request, "");
    let pb::CheckEntryRequest {
        parent,
        identity,
        observation: seen,
        device,
        emergency,
        recheck_of,
        request_id,
        look_up_health_code,
        look_up_travel_card,
        emergency_people_count,
        emergency_plate,
    } = request;
    let mut fields = Fields::new();
    let identity = match identity {
        None => Identity::Unknown,
        Some(pb::check_entry_request::Identity::PersonCode(code)) => Identity::Code(code),
        Some(pb::check_entry_request::Identity::Card(number)) => {
            if card("card", &number).is_err() {
                fields.violation("card", "格式不正确", "malformed");
            }
            Identity::Card(number)
        }
        Some(pb::check_entry_request::Identity::Person(name)) => fields
            .parse("person", &name)
            .map_or(Identity::Unknown, Identity::Person),
    };
    let known = identity != Identity::Unknown || !recheck_of.is_empty();
    let crew = (emergency, emergency_people_count, &*emergency_plate);
    let emergency = emergency_in(&mut fields, crew, known);
    let device = {
        fields.required("device", &device);
        fields.text("device", &device, DEVICE).to_owned()
    };
    let seen = observation(&mut fields, "observation", seen, emergency.is_some());
    let recheck_of = if recheck_of.is_empty() {
        None
    } else {
        match decision_name("recheck_of", &recheck_of) {
            Ok((school, id)) if parent.strip_prefix("organizations/") == Some(&*school) => Some(id),
            _ => {
                fields.violation(
                    "recheck_of",
                    "不是本校的核验记录",
                    "not a decision of this school",
                );
                None
            }
        }
    };
    let request_id = fields.optional("request_id", &request_id);
    fields.finish()?;
    Ok(Entry {
        identity,
        observation: seen,
        emergency,
        look_up: LookUp {
            colour: look_up_health_code,
            travel: look_up_travel_card,
        },
        device,
        guard: guard.to_owned(),
        recheck_of,
        request_id,
        fingerprint,
    })
}
