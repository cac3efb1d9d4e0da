//! Inspections: by the school itself and by the fire brigade. What fails opens a hazard (rules 5.4, 5.5).

use kit::clock::civil_date;
use kit::field::{to_date, to_timestamp};
use proto::safety::answer_verdict::Outcome;
use proto::safety::checklist_item::Kind;
use proto::safety::inspection::State;
use proto::safety::inspection_answer::Value;
use proto::safety::inspection_service_client::InspectionServiceClient;
use proto::safety::{
    CreateInspectionRequest, Inspection, InspectionAnswer, InspectionItem, InspectionLevel,
    ListInspectionItemsRequest, PlaceKind, RecordAnswersRequest,
};
use tests::city::Door;
use tests::town::school;
use tonic::Code;
use uuid::Uuid;

use super::people::{call, once, organization};
use crate::region::Region;
use crate::verbs::{denied, expect, request_id};

const REFUSED: Code = Code::FailedPrecondition;

fn plan(region: &Region, list: &str, level: InspectionLevel) -> CreateInspectionRequest {
    CreateInspectionRequest {
        parent: organization(1),
        inspection: Some(Inspection {
            checklist_template: format!("checklistTemplates/{list}"),
            place_kind: PlaceKind::School.into(),
            level: level.into(),
            planned_date: Some(to_date(civil_date(region.now()))),
            ..Inspection::default()
        }),
        request_id: request_id(),
    }
}

/// An answer to an item: good, or not.
fn answer(region: &Region, item: &InspectionItem, number: u8, good: bool) -> InspectionAnswer {
    let what = item.checklist_item.clone().unwrap_or_default();
    let value = match what.kind() {
        Kind::Number | Kind::Days => {
            let limits = (what.minimum_thousandths, what.maximum_thousandths);
            let least = limits.0.or(limits.1).unwrap_or_default();
            let most = limits.1.unwrap_or_default();
            Value::NumberThousandths(if good { least } else { most + 1 })
        }
        Kind::Text => Value::Text("已查看".to_owned()),
        Kind::Unspecified | Kind::YesNo | Kind::Photo => Value::Good(good),
    };
    let photos = match what.kind() {
        Kind::Photo => vec![region.photo(number)],
        _ => Vec::new(),
    };
    InspectionAnswer {
        client_id: Uuid::new_v4().to_string(),
        item: item.item.clone(),
        value: Some(value),
        photos,
        answer_time: Some(to_timestamp(region.now())),
        ..InspectionAnswer::default()
    }
}

/// Looks at every item of a planned inspection, of which one is bad, and ends it. Pictures are numbered
/// from `first` on.
async fn carry_out(
    region: &Region,
    door: &Door,
    name: &str,
    (bad, first): (&str, u8),
) -> Inspection {
    let begun = once!(StartInspectionRequest, name);
    let begun = call!(
        InspectionServiceClient,
        door.clone(),
        start_inspection,
        begun
    );
    begun.expect("begins");
    let submit = || once!(SubmitInspectionRequest, name);
    let early = call!(
        InspectionServiceClient,
        door.clone(),
        submit_inspection,
        submit()
    );
    expect("nobody has looked", early, REFUSED, "INSPECTION_INCOMPLETE");
    let items = ListInspectionItemsRequest {
        parent: name.to_owned(),
        page_size: 1000,
        ..ListInspectionItemsRequest::default()
    };
    let items = call!(
        InspectionServiceClient,
        door.clone(),
        list_inspection_items,
        items
    );
    let items = items.expect("items").items;
    assert!(items.iter().any(|one| one.item == bad), "{items:?}");
    let answers = items.iter().zip(first..);
    let answers = answers.map(|(item, number)| answer(region, item, number, item.item != bad));
    let record = RecordAnswersRequest {
        name: name.to_owned(),
        answers: answers.collect(),
    };
    let recorded = call!(
        InspectionServiceClient,
        door.clone(),
        record_answers,
        record.clone()
    );
    let recorded = recorded.expect("is recorded").verdicts;
    let all = |wanted| move |one: &proto::safety::AnswerVerdict| one.outcome() == wanted;
    assert!(recorded.iter().all(all(Outcome::Recorded)), "{recorded:?}");
    let again = call!(
        InspectionServiceClient,
        door.clone(),
        record_answers,
        record
    );
    let again = again.expect("is answered again").verdicts;
    assert!(again.iter().all(all(Outcome::Repeated)), "{again:?}");
    let ended = call!(
        InspectionServiceClient,
        door.clone(),
        submit_inspection,
        submit()
    );
    let ended = ended.expect("is submitted");
    assert_eq!((ended.failed_count, ended.hazards.len()), (1, 1));
    assert_eq!(
        ended.answerable,
        region.staff(&school(1), "安全副校长"),
        "who answers is named"
    );
    ended
}

/// The school safety officer finds a door that does not open, and accepts it. Gives the hazard.
pub(super) async fn by_the_school(region: &Region) -> String {
    region.at(6, 9, 0);
    let request = || plan(region, "stampede~2", InspectionLevel::School);
    let next_door = call!(
        InspectionServiceClient,
        region.sibling(),
        create_inspection,
        request()
    );
    denied("next door", next_door);
    let deputy = region.deputy();
    let planned = call!(
        InspectionServiceClient,
        deputy.clone(),
        create_inspection,
        request()
    );
    let name = planned.expect("is planned").name;
    let ended = carry_out(region, &deputy, &name, ("doors", 10)).await;
    let confirm = || once!(ConfirmInspectionRequest, name);
    let other = call!(
        InspectionServiceClient,
        region.head(),
        confirm_inspection,
        confirm()
    );
    expect(
        "somebody else answers",
        other,
        REFUSED,
        "INSPECTION_NOT_ANSWERABLE",
    );
    let accepted = call!(
        InspectionServiceClient,
        deputy,
        confirm_inspection,
        confirm()
    );
    assert_eq!(accepted.expect("accepts").state(), State::Confirmed);
    ended.hazards[0].clone()
}

/// The fire brigade finds panels that burn, which no school could have inspected in its name. Gives the
/// hazard.
pub(super) async fn by_the_fire_brigade(region: &Region) -> String {
    region.at(6, 9, 20);
    let request = || plan(region, "fire~1", InspectionLevel::OtherAuthority);
    let own = call!(
        InspectionServiceClient,
        region.deputy(),
        create_inspection,
        request()
    );
    denied("a school is no other authority", own);
    let brigade = region.authority("fire-brigade");
    let planned = call!(
        InspectionServiceClient,
        brigade.clone(),
        create_inspection,
        request()
    );
    let name = planned.expect("is planned").name;
    let begin = once!(StartInspectionRequest, name);
    let own = call!(
        InspectionServiceClient,
        region.deputy(),
        start_inspection,
        begin
    );
    denied("whoever answers does not look", own);
    let ended = carry_out(region, &brigade, &name, ("panels", 60)).await;
    assert_eq!(ended.inspector, "fire-brigade");
    ended.hazards[0].clone()
}
