//! Numbers and names of people leave masked, unless somebody says why and is put on record (rule 6.14).

use std::collections::BTreeSet;

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use proto::options::access::Audit;

use crate::matrix_filling::behaves;

/// What numbers and names of people are called in contracts.
const PRIVATE: [&str; 8] = [
    "address",
    "document_number",
    "full_name",
    "id_card",
    "id_number",
    "phone",
    "plate",
    "student_number",
];

/// What answers may hold of them. The list only shrinks.
const ANSWERED: [&str; 8] = [
    // Phones of duty rooms and of who is on duty there.
    "campus.safety.v1.DutyRoster.Shift.phone",
    "campus.safety.v1.DutyShift.phone",
    "campus.safety.v1.DutyStanding.phone",
    // Masked everywhere but in the answer to RevealVisitor.
    "campus.safety.v1.Visitor.document_number",
    "campus.safety.v1.Visitor.full_name",
    "campus.safety.v1.Visitor.phone",
    "campus.safety.v1.Visitor.plate",
    // The answer to whoever says why.
    "campus.roster.v1.RevealGuardianPhoneResponse.phone",
];

/// Methods that show or look for something in full.
const IN_FULL: [&str; 3] = [
    "campus.roster.v1.GuardianService.RevealGuardianPhone",
    "campus.roster.v1.StudentService.LookUpStudent",
    "campus.safety.v1.VisitorService.RevealVisitor",
];

/// `INPUT_ONLY` and `REQUIRED` of `google.api.field_behavior`.
const INPUT_ONLY: i32 = 4;
const REQUIRED: i32 = 2;

/// Every method of Campus; those of `campus.provider` are answered by others.
fn methods(pool: &DescriptorPool) -> Vec<MethodDescriptor> {
    let ours = |name: &str| name.starts_with("campus.") && !name.starts_with("campus.provider.");
    let services = pool.services().filter(|service| ours(service.full_name()));
    services
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect()
}

/// Adds the private fields that `message` can hold, also within others; `seen` was looked at.
fn collect(message: &MessageDescriptor, seen: &mut BTreeSet<String>, found: &mut BTreeSet<String>) {
    if !seen.insert(message.full_name().to_owned()) {
        return;
    }
    let told = |field: &FieldDescriptor| !behaves(field, INPUT_ONLY);
    for field in message.fields().filter(told) {
        match field.kind() {
            Kind::Message(inner) => collect(&inner, seen, found),
            Kind::String if PRIVATE.contains(&field.name()) => {
                found.insert(field.full_name().to_owned());
            }
            _ => {}
        }
    }
}

#[test]
fn no_answer_holds_a_number_but_those_that_are_known() {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts can be read");
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
    for method in methods(&pool) {
        collect(&method.output(), &mut seen, &mut found);
    }
    let known: BTreeSet<String> = ANSWERED.into_iter().map(str::to_owned).collect();
    assert_eq!(found, known);
}

#[test]
fn whoever_sees_something_in_full_says_why_and_is_on_record() {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts can be read");
    let mut in_full = BTreeSet::new();
    for method in methods(&pool) {
        let name = method.name();
        if !name.starts_with("Reveal") && !name.starts_with("LookUp") {
            continue;
        }
        let service = method.parent_service();
        let path = format!("/{}/{name}", service.full_name());
        let access = proto::access(&path).expect("every method has a rule");
        assert_eq!(access.audit(), Audit::ReadPersonal, "{path}");
        let reason = method.input().get_field_by_name("reason");
        assert!(
            reason.is_some_and(|field| behaves(&field, REQUIRED)),
            "{path} takes no reason"
        );
        in_full.insert(method.full_name().to_owned());
    }
    let known: BTreeSet<String> = IN_FULL.into_iter().map(str::to_owned).collect();
    assert_eq!(in_full, known);
}
