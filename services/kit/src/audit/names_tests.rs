//! Which fields of requests hold names, and what is taken for one.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proto::roster::{GetStudentRequest, Student, UpdateStudentRequest};
use proto::sampling::{ListAbsencesRequest, ListCandidateContactsRequest};

use super::*;

fn framed(message: &impl Message) -> Vec<u8> {
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], &message[..]].concat()
}

fn of(method: &str) -> &'static Plan {
    let path = format!("/campus.roster.v1.StudentService/{method}");
    &super::method(&path).expect("an audited method").plan
}

const NAME: &str = "students/5f0c3a52-6f4e-4d1c-9a67-3f1d2f0f7a11";

#[test]
fn the_name_of_a_request_is_found() {
    let request = GetStudentRequest {
        name: NAME.to_owned(),
    };
    let found = find(&framed(&request), of("GetStudent"));
    assert_eq!((&*found.names, found.count), (&[NAME.to_owned()][..], 1));
    assert!(found.is_whole);
}

#[test]
fn what_follows_the_end_of_the_search_may_be_another_name() {
    let request = GetStudentRequest {
        name: NAME.to_owned(),
    };
    // A group of field 15, which readers pass over, and then the name that counts.
    let name = request.encode_to_vec();
    let hidden = [&*name, &[(15 << 3) | 3, (15 << 3) | 4], &*name].concat();
    let length = u32::try_from(hidden.len()).unwrap().to_be_bytes();
    let body = [&[0], &length[..], &*hidden].concat();
    let found = find(&body, of("GetStudent"));
    assert_eq!((found.names.len(), found.is_whole), (1, false));
    let cut = find(&body[..5 + name.len()], of("GetStudent"));
    assert_eq!((cut.names.len(), cut.is_whole), (1, false));
}

#[test]
fn the_name_within_a_resource_is_found_and_nothing_else_of_it() {
    let student = Student {
        name: NAME.to_owned(),
        display_name: "students/zhangsan".to_owned(),
        ..Student::default()
    };
    let request = UpdateStudentRequest {
        student: Some(student),
        request_id: "5F0C3A52-6F4E-4D1C-9A67-3F1D2F0F7A11".to_owned(),
        ..UpdateStudentRequest::default()
    };
    let found = find(&framed(&request), of("UpdateStudent"));
    assert_eq!(found.names, [NAME]);
    assert_eq!(found.request_id, "5f0c3a52-6f4e-4d1c-9a67-3f1d2f0f7a11");
}

#[test]
fn whose_a_support_case_is_is_not_told() {
    let case = proto::notification::SupportCase {
        person: NAME.to_owned(),
        ..Default::default()
    };
    let request = proto::notification::OpenSupportCaseRequest {
        parent: "organizations/2135010001".to_owned(),
        support_case: Some(case),
        ..Default::default()
    };
    let path = format!("/{DISCREET}/OpenSupportCase");
    let method = super::method(&path).expect("an audited method");
    let found = find(&framed(&request), &method.plan);
    assert_eq!(found.names, ["organizations/2135010001"]);
}

/// Fields of requests that hold a name and are not looked at. The list only shrinks.
const UNNAMED: [(&str, &str); 2] = [
    // Whoever is named here is not whose contacts are shown, which an approval would take it for.
    ("ListCandidateContactsRequest", "via"),
    // Where tubes are handed over, a field of this name says in words who takes them.
    ("SendSupplyTransferRequest", "receiver"),
];

/// The fields of the requests of audited methods whose comment says that they hold a name.
fn named_by_comment() -> Vec<(String, String)> {
    let set = FileDescriptorSet::decode(proto::DOCUMENTED).unwrap();
    let looked_at: Vec<String> = METHODS.keys().cloned().collect();
    let mut asked = BTreeSet::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                if looked_at.contains(&path) && !path[1..].starts_with(DISCREET) {
                    asked.insert(method.input_type().to_owned());
                }
            }
        }
    }
    let mut found = Vec::new();
    for file in &set.file {
        let documented = file.source_code_info.iter();
        for location in documented.flat_map(|info| &info.location) {
            let [4, message, 2, field] = location.path[..] else {
                continue;
            };
            let message = &file.message_type[usize::try_from(message).unwrap()];
            let field = &message.field[usize::try_from(field).unwrap()];
            let comment = location.leading_comments();
            let full = format!(".{}.{}", file.package(), message.name());
            let holds = comment.contains("ormat: `") && comment.contains("/{");
            if asked.contains(&full) && field.r#type() == Type::String && holds {
                found.push((message.name().to_owned(), field.name().to_owned()));
            }
        }
    }
    found
}

#[test]
fn every_field_that_holds_a_name_is_looked_at() {
    let fields = named_by_comment();
    assert!(fields.len() > 250, "{} fields", fields.len());
    let mut unnamed: Vec<_> = fields
        .into_iter()
        .filter(|(_, field)| !NAMED.contains(&&**field))
        .collect();
    unnamed.sort();
    let known = UNNAMED.map(|(message, field)| (message.to_owned(), field.to_owned()));
    assert_eq!(unnamed, known);
}

#[test]
fn the_place_of_a_list_is_found() {
    let path = "/campus.sampling.v1.AbsenceService/ListAbsences";
    let request = ListAbsencesRequest {
        scope: "organizations/2135010001".to_owned(),
        ..ListAbsencesRequest::default()
    };
    let method = super::method(path).expect("an audited method");
    let found = find(&framed(&request), &method.plan);
    assert_eq!(found.names, ["organizations/2135010001"]);
}

#[test]
fn through_whom_contacts_are_looked_for_is_not_whose_they_are() {
    let path = "/campus.sampling.v1.CaseService/ListCandidateContacts";
    let request = ListCandidateContactsRequest {
        case: "cases/5f0c3a52-6f4e-4d1c-9a67-3f1d2f0f7a11".to_owned(),
        via: NAME.to_owned(),
        ..ListCandidateContactsRequest::default()
    };
    let method = super::method(path).expect("an audited method");
    let found = find(&framed(&request), &method.plan);
    assert_eq!(found.names, std::slice::from_ref(&request.case));
}

#[test]
fn what_is_no_name_is_counted_and_not_kept() {
    for text in [
        "张三",
        "students/张三",
        "students/13800138000",
        "students/id350102201609019990",
        "zhangsan",
        "students//1",
        "students/1 and more",
    ] {
        let request = GetStudentRequest {
            name: text.to_owned(),
        };
        let found = find(&framed(&request), of("GetStudent"));
        assert_eq!((found.names.len(), found.count), (0, 1), "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..300), frame: bool) {
        for method in ["GetStudent", "UpdateStudent"] {
            let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
            let body = if frame { [&[0], &length[..], &bytes[..]].concat() } else { bytes.clone() };
            let found = find(&body, of(method));
            prop_assert!(found.names.len() <= MOST);
            prop_assert!(found.names.iter().all(|name| is_opaque(name)));
        }
    }

    #[test]
    fn a_request_that_is_cut_short_gives_no_more_than_the_whole(cut in 0_usize..60) {
        let request = GetStudentRequest { name: NAME.to_owned() };
        let whole = framed(&request);
        let found = find(&whole[..cut.min(whole.len())], of("GetStudent"));
        prop_assert!(found.names.is_empty() || found.names == [NAME]);
    }
}
