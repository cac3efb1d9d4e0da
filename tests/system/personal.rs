//! No method shows a person and leaves no trace of it (rule 6.8): by the contracts alone, without asking
//! anybody.

use std::collections::BTreeSet;

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use proto::options::access::Audit;

use crate::said::{comment, forms};

/// Fields that name somebody by an opaque name or as whoever signed, because of the office that they hold or
/// acted in: whoever sees to something, and whoever did it. The list only shrinks.
pub(crate) const IN_OFFICE: [&str; 11] = [
    "campus.notification.v1.Alert.owner",
    "campus.notification.v1.AlertEntry.owner",
    "campus.notification.v1.RecipientItem.owner",
    "campus.roster.v1.ClassGroup.head_teacher",
    "campus.roster.v1.ResponsibilityNode.staff_member",
    "campus.safety.v1.HazardFixes.owner",
    "campus.safety.v1.Inspection.answerable",
    "campus.safety.v1.StateMove.actor",
    "campus.safety.v1.WeatherTask.owner",
    "campus.sampling.v1.Suspension.decided_by",
    "campus.sampling.v1.SuspensionAmendment.amended_by",
];

/// Methods whose answers leave empty what their messages hold of persons elsewhere, with what they leave out.
/// The list only shrinks.
pub(crate) const LEFT_OUT: [(&str, &str); 5] = [
    ("ClusterService.ListClusters", "the people of clusters"),
    ("DutyService.ListDutyRosters", "the shifts of rosters"),
    ("SafetyFeed.Snapshot", "whom anything concerns"),
    ("SafetyFeed.Watch", "whom anything concerns"),
    (
        "SharedGroupService.ListSharedGroups",
        "the people of groups",
    ),
];

/// Names of persons.
const PERSONS: [&str; 3] = ["students/", "staff/", "guardians/"];
/// How fields end that hold what reaches or tells a person.
const NUMBERS: [&str; 4] = ["phone", "id_number", "address", "symptom"];
/// How comments call the name of a person in words.
const CALLED: [&str; 4] = ["the human", "the person", "the pupil", "the visitor"];

/// Whether a field holds what belongs to a person.
fn is_personal(field: &FieldDescriptor) -> bool {
    let name = field.name();
    match field.kind() {
        Kind::String => {
            let of_person = |form: &&str| PERSONS.iter().any(|head| form.starts_with(head));
            let called = |who: &&str| comment(field).contains(&format!("name of {who}"));
            forms(field).iter().any(of_person)
                || NUMBERS.iter().any(|end| name.ends_with(end))
                || CALLED.iter().any(called)
        }
        // Limits of a policy are nobody's temperature.
        Kind::Int32 => {
            let limit = ["min", "max", "days", "count"];
            name.contains("temperature") && !limit.iter().any(|part| name.contains(part))
        }
        _ => false,
    }
}

/// Adds the personal fields of a message and of all that it holds.
fn gather(message: &MessageDescriptor, seen: &mut BTreeSet<String>, found: &mut BTreeSet<String>) {
    if !seen.insert(message.full_name().to_owned()) {
        return;
    }
    for field in message.fields() {
        if is_personal(&field) {
            found.insert(field.full_name().to_owned());
        }
        if let Kind::Message(inner) = field.kind() {
            gather(&inner, seen, found);
        }
    }
}

/// The personal fields of what a method answers.
pub(crate) fn shown(method: &MethodDescriptor) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    gather(&method.output(), &mut BTreeSet::new(), &mut found);
    found
}

#[test]
fn whatever_shows_a_person_is_recorded() {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts can be read");
    let (mut recorded, mut silent) = (0, Vec::new());
    let (mut in_office, mut left_out) = (BTreeSet::new(), BTreeSet::new());
    for service in pool.services() {
        for method in service.methods() {
            let path = format!("/{}/{}", service.full_name(), method.name());
            let Some(access) = proto::access(&path) else {
                continue;
            };
            let shown = shown(&method);
            let name = format!("{}.{}", service.name(), method.name());
            if access.audit() == Audit::ReadPersonal && !shown.is_empty() {
                recorded += 1;
            }
            // Of what was done, the act itself is recorded.
            if access.audit() != Audit::None {
                continue;
            }
            let (office, others): (Vec<_>, Vec<_>) = shown
                .into_iter()
                .partition(|field| IN_OFFICE.contains(&&**field));
            in_office.extend(office);
            if others.is_empty() {
                continue;
            }
            if LEFT_OUT.iter().any(|(known, _)| *known == name) {
                left_out.insert(name);
            } else {
                silent.push((name, others));
            }
        }
    }
    assert!(silent.is_empty(), "leave no trace: {silent:#?}");
    assert!(recorded >= 65, "{recorded} methods that show persons");
    assert!(in_office.iter().eq(&IN_OFFICE), "in office: {in_office:?}");
    let known = LEFT_OUT.map(|(name, _)| name);
    assert!(left_out.iter().eq(&known), "left out: {left_out:?}");
}
