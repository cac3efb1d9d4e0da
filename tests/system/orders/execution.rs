//! The order of the meeting: carried out item by item, returned, accepted, and done with its last
//! school.

use proto::notification::close_directive_request::Outcome;
use proto::notification::directive::State as Ordered;
use proto::notification::directive_recipient::State;
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::{CloseDirectiveRequest, Directive};
use tests::city::Door;
use tests::town::{CITY, DISTRICT, school, school_path};
use tonic::Code;

use super::april_evening::DEMANDS;
use super::steps::{Step, overdue, progress, recipients, step, steps};
use crate::region::{OTHER_BUREAU, Place, Region, SCHOOLS, far};
use crate::verbs::{denied, expect, request_id};

/// Every demand is finished, and then the whole.
fn work() -> Vec<Step<'static>> {
    let items = DEMANDS.iter().map(|demand| Step::Item(demand.id, 100));
    items.chain([Step::Finish]).collect()
}

/// On the next day everybody but one school reports, and those above accept.
pub(super) async fn is_carried_out(region: &Region, order: &Directive) {
    let (name, work) = (&*order.name, work());
    region.at(7, 9, 0);
    let [own, other] = region.bureaus();
    for place in region.schools() {
        let (bureau, school_door) = (upper(region, &place), region.acting(&place));
        for class in region.class_groups(&place) {
            steps(&region.acting(&class), name, &class.0, &work).await;
        }
        if place.0 == school(SCHOOLS) {
            continue;
        }
        let (most, [last, finish]) = work.split_at(DEMANDS.len() - 1) else {
            panic!("demands and the end");
        };
        steps(&school_door, name, &place.0, most).await;
        let early = step(&school_door, name, &place.0, *finish).await;
        let (code, why) = (Code::FailedPrecondition, "DIRECTIVE_ITEMS_OUTSTANDING");
        expect("a demand is left", early, code, why);
        steps(&school_door, name, &place.0, &[*last, *finish]).await;
        let early = step(&bureau, name, &place.0, Step::Accept).await;
        let (code, why) = (Code::FailedPrecondition, "DIRECTIVE_CHILDREN_OUTSTANDING");
        expect("class groups are left", early, code, why);
        accept_class_groups(region, name, &place).await;
        denied(
            "one's own",
            step(&school_door, name, &place.0, Step::Accept).await,
        );
        let elsewhere = if place == far() { &own } else { &other };
        let elsewhere = region.acting(elsewhere);
        denied(
            "another bureau",
            step(&elsewhere, name, &place.0, Step::Accept).await,
        );
        if place.0 == school(2) {
            let again = Step::Return("未附演练记录，请补报");
            denied("one's own", step(&school_door, name, &place.0, again).await);
            let returned = steps(&bureau, name, &place.0, &[again]).await;
            assert_eq!(
                (returned.state(), &*returned.return_reason),
                (State::Returned, "未附演练记录，请补报")
            );
            let more = [Step::Item("resume.drill", 100), Step::Finish];
            steps(&school_door, name, &place.0, &more).await;
        }
        let accepted = steps(&bureau, name, &place.0, &[Step::Accept]).await;
        assert_eq!(accepted.state(), State::Accepted);
    }
    for bureau in [&own, &other] {
        steps(&region.acting(bureau), name, &bureau.0, &work).await;
    }
    steps(
        &region.officer("chief"),
        name,
        OTHER_BUREAU,
        &[Step::Accept],
    )
    .await;
}

/// Whoever judges the reports of a school: its bureau, or the city.
fn upper(region: &Region, (_, path): &Place) -> Door {
    let bureaus = region.bureaus();
    let bureau = bureaus
        .iter()
        .find(|(_, place)| path.starts_with(&format!("{place}/")));
    bureau.map_or_else(|| region.officer("chief"), |bureau| region.acting(bureau))
}

async fn accept_class_groups(region: &Region, name: &str, school: &Place) {
    let sibling = region.schools().into_iter().find(|one| one != school);
    let sibling = region.acting(&sibling.expect("there are several"));
    for class in region.class_groups(school) {
        denied(
            "a sibling",
            step(&sibling, name, &class.0, Step::Accept).await,
        );
        steps(&region.acting(school), name, &class.0, &[Step::Accept]).await;
    }
}

/// The districts as the city sees them: how many schools are accepted, how many must be, and whether
/// that is enough.
async fn districts(region: &Region, name: &str) -> (Vec<(i32, i32, bool)>, bool) {
    let seen = progress(&region.officer("chief"), name).await;
    let seen = seen.expect("progress");
    let districts = seen.districts.iter();
    let told = districts.map(|one| (one.accepted_count, one.required_count, one.done));
    (told.collect(), seen.done)
}

/// A day later the last school is late with what was due; with it the district is done, and the city.
pub(super) async fn ends_with_the_last_school(region: &Region, order: &Directive) {
    let name = &*order.name;
    let (city, late) = (
        region.officer("chief"),
        (school(SCHOOLS), school_path(SCHOOLS)),
    );
    let bureau = region.acting(&region.bureaus()[0]);
    region.at(8, 9, 0);
    let listed = overdue(&region.officer("chief"), CITY).await;
    assert_eq!(listed.expect("listed"), [&*late.0]);
    let mine = recipients(&region.acting(&late), name)
        .await
        .expect("its own");
    let overdue_items = mine[0].items.iter().filter(|item| item.late);
    let overdue_items: Vec<_> = overdue_items.map(|item| &*item.item_id).collect();
    assert_eq!(
        overdue_items,
        ["gate", "health-checks", "duty"],
        "due on the 7th"
    );
    let (told, done) = districts(region, name).await;
    assert_eq!((told, done), (vec![(2, 3, false), (1, 1, true)], false));
    let early = step(&city, name, DISTRICT, Step::Accept).await;
    let (code, why) = (Code::FailedPrecondition, "DIRECTIVE_CHILDREN_OUTSTANDING");
    expect("a school is left", early, code, why);

    steps(&region.acting(&late), name, &late.0, &work()).await;
    accept_class_groups(region, name, &late).await;
    steps(&bureau, name, &late.0, &[Step::Accept]).await;
    let (told, done) = districts(region, name).await;
    assert_eq!((told, done), (vec![(3, 3, true), (1, 1, true)], true));
    steps(&city, name, DISTRICT, &[Step::Accept]).await;
    assert_eq!(overdue(&city, CITY).await.expect("listed"), [""; 0]);

    let request = CloseDirectiveRequest {
        name: name.to_owned(),
        outcome: Outcome::Closed.into(),
        request_id: request_id(),
        ..CloseDirectiveRequest::default()
    };
    denied(
        "closing",
        DirectiveServiceClient::new(bureau)
            .close_directive(request.clone())
            .await,
    );
    let closed = DirectiveServiceClient::new(city)
        .close_directive(request)
        .await;
    let closed = closed.expect("is closed").into_inner();
    assert_eq!(
        (
            closed.state(),
            closed.acknowledged_count,
            closed.accepted_count
        ),
        (
            Ordered::Closed,
            closed.recipient_count,
            closed.recipient_count
        )
    );
}
