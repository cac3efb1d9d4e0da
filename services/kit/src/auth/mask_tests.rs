use proptest::prelude::*;
use prost::Message as _;
use proto::sampling::{
    Case, ListTubesResponse, SamplingEvent, SamplingWatchResponse, Tube, sampling_event,
};

use super::*;

fn mask(name: &str, paths: &[&str]) -> Result<Mask, String> {
    let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
    Mask::new(&format!(".campus.sampling.v1.{name}"), &paths)
}

/// What passes of `message`.
fn through<M: prost::Message + Default>(mask: &Mask, message: &M) -> M {
    let mut kept = Vec::new();
    mask.apply(&message.encode_to_vec(), &mut kept).unwrap();
    M::decode(&*kept).unwrap()
}

fn tube() -> Tube {
    Tube {
        name: "tubes/T-1".to_owned(),
        laboratory: "fz-lab-1".to_owned(),
        class_group: "organizations/1/classGroups/2".to_owned(),
        state: 3,
        sample_date: Some(proto::Date {
            year: 2026,
            month: 9,
            day: 1,
        }),
        swab_count: 20,
        late: true,
        sealed_by: "sampler-7".to_owned(),
        // Negative numbers have ten bytes.
        result_version: -1,
        ..Tube::default()
    }
}

#[test]
fn only_the_fields_that_are_named_pass() {
    let named = mask("Tube", &["name", "state", "sample_date", "result_version"]).unwrap();
    let expected = Tube {
        name: "tubes/T-1".to_owned(),
        state: 3,
        sample_date: tube().sample_date,
        result_version: -1,
        ..Tube::default()
    };
    assert_eq!(through(&named, &tube()), expected);
    assert_eq!(through(&Mask::default(), &tube()), Tube::default());
}

#[test]
fn a_path_leads_through_lists_and_choices() {
    let page = ListTubesResponse {
        tubes: vec![tube(), Tube::default(), tube()],
        next_page_token: "next".to_owned(),
    };
    let named = mask("ListTubesResponse", &["tubes.name"]).unwrap();
    let passed = through(&named, &page);
    let names: Vec<_> = passed.tubes.iter().map(|tube| &*tube.name).collect();
    assert_eq!(
        names,
        ["tubes/T-1", "", "tubes/T-1"],
        "as many as there are"
    );
    assert!(passed.next_page_token.is_empty());
    assert_eq!(passed.tubes[0].swab_count, 0);

    let event = |state| SamplingEvent {
        entity: "cases/1".to_owned(),
        version: 7,
        state: Some(state),
        ..SamplingEvent::default()
    };
    let case = Case {
        name: "cases/1".to_owned(),
        person: "students/9".to_owned(),
        ..Case::default()
    };
    let page = SamplingWatchResponse {
        events: vec![
            event(sampling_event::State::Case(case)),
            event(sampling_event::State::Tube(tube())),
        ],
        ..SamplingWatchResponse::default()
    };
    let paths = ["events.version", "events.case.name"];
    let passed = through(&mask("SamplingWatchResponse", &paths).unwrap(), &page);
    let named = Case {
        name: "cases/1".to_owned(),
        ..Case::default()
    };
    let expected = |state| SamplingEvent {
        version: 7,
        state,
        ..SamplingEvent::default()
    };
    assert_eq!(
        passed.events,
        [
            expected(Some(sampling_event::State::Case(named))),
            expected(None)
        ]
    );
}

#[test]
fn fields_that_nobody_knows_yet_do_not_pass() {
    let named = mask("Tube", &["name"]).unwrap();
    let mut bytes = tube().encode_to_vec();
    // Field 900, a text.
    bytes.extend([0xa2, 0x38, 0x03, b'n', b'e', b'w']);
    let mut kept = Vec::new();
    named.apply(&bytes, &mut kept).unwrap();
    let expected = Tube {
        name: "tubes/T-1".to_owned(),
        ..Tube::default()
    };
    assert_eq!(kept, expected.encode_to_vec());
}

#[test]
fn a_path_that_leads_nowhere_is_named() {
    for (message, path, said) in [
        (
            "Tube",
            "nmae",
            "nmae: campus.sampling.v1.Tube has no field nmae",
        ),
        ("Tube", "", ": campus.sampling.v1.Tube has no field "),
        (
            "Tube",
            "name.",
            "name.: name of campus.sampling.v1.Tube is no message",
        ),
        (
            "Tube",
            "name.first",
            "name.first: name of campus.sampling.v1.Tube is no message",
        ),
        (
            "Tube",
            "sample_date.hour",
            "sample_date.hour: google.type.Date has no field hour",
        ),
        (
            "ListTubesResponse",
            "tubes",
            "tubes: tubes is a campus.sampling.v1.Tube: name the fields of it that are meant",
        ),
        (
            "Nothing",
            "name",
            "name: campus.sampling.v1.Nothing has no field name",
        ),
    ] {
        assert_eq!(mask(message, &[path]), Err(said.to_owned()));
    }
    let whole = mask("Tube", &["sample_date", "sample_date.year"]).unwrap();
    assert_eq!(
        whole,
        mask("Tube", &["sample_date.year", "sample_date"]).unwrap()
    );
    let year = mask("Tube", &["sample_date.year"]).unwrap();
    let passed = through(&year, &tube()).sample_date.unwrap();
    assert_eq!((passed.year, passed.month), (2026, 0));
}

#[test]
fn what_cannot_be_read_does_not_pass() {
    let named = mask("ListTubesResponse", &["tubes.name"]).unwrap();
    for bytes in [
        // Cut in a key, in a length, in a content, in a number.
        &[0x80][..],
        &[0x0a, 0x80],
        &[0x0a, 0x05, 0x0a],
        &[0x10, 0xff],
        &[0x11, 0, 0],
        &[0x15, 0],
        // A number without an end, field 0, a group, a number in place of a message, a cut message within.
        &[
            0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
        ],
        &[0x00, 0x01],
        &[0x0b, 0x0c],
        &[0x08, 0x01],
        &[0x0a, 0x02, 0x0a, 0x05],
    ] {
        assert_eq!(
            named.apply(bytes, &mut Vec::new()),
            Err(Unreadable),
            "{bytes:?}"
        );
    }
}

proptest! {
    #[test]
    fn whatever_comes_no_more_passes_than_came(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let named = mask("ListTubesResponse", &["tubes.name", "tubes.sample_date"]).unwrap();
        let mut kept = Vec::new();
        if named.apply(&bytes, &mut kept).is_ok() {
            prop_assert!(kept.len() <= bytes.len());
            let mut again = Vec::new();
            prop_assert_eq!(named.apply(&kept, &mut again), Ok(()));
            prop_assert_eq!(again, kept);
        }
    }
}
