//! A client that takes tube after tube from the printer to its result, one person in each.

use std::sync::Arc;
use std::time::Duration;

use proto::sampling::{PoolType, ResultValue};
use tests::city::City;
use tests::tubes::{Use, Way};
use tests::verbs::request_id;

use super::campaign::Campaign;
use super::clients::{Answered, Record};

/// One tube in so many is positive.
const POSITIVE: u32 = 5;
/// How often a client whose people are all swabbed looks whether the campaign is over.
const PAUSE: Duration = Duration::from_millis(50);

/// Swabs everybody of a school, as long as the campaign goes on.
pub(super) async fn sampler(campaign: Campaign, city: Arc<City>, at: u32) -> Record {
    let (way, town) = (Way::new(&city, at), city.town);
    let mut record = Record::default();
    let people =
        (1..=town.classes).flat_map(|class| (1..=town.students).map(move |place| (class, place)));
    for ((class, place), number) in people.zip(0..) {
        if campaign.is_over() {
            break;
        }
        let code = format!("F{at:02}-{number:04}");
        let person = city.student(at, class, place).to_owned();
        let value = if number % POSITIVE == POSITIVE - 1 {
            ResultValue::Positive
        } else {
            ResultValue::Negative
        };
        let tube = Tube {
            campaign: &campaign,
            way: &way,
            code: &code,
            number,
        };
        tube.fill(&town.class_group(at, class), &person).await;
        tube.carry().await;
        tube.answer(value).await;
        record.tubes.push(Answered {
            code,
            person,
            value,
        });
    }
    while !campaign.is_over() {
        tokio::time::sleep(PAUSE).await;
    }
    record
}

/// A tube on its way.
struct Tube<'a> {
    campaign: &'a Campaign,
    way: &'a Way,
    code: &'a str,
    number: u32,
}

impl Tube<'_> {
    async fn fill(&self, class_group: &str, person: &str) {
        let Self {
            campaign,
            way,
            code,
            number,
        } = *self;
        let codes = [code.to_owned()];
        campaign
            .insist("sampling", "issued", || way.issue(&codes, PoolType::P10))
            .await;
        let id = request_id();
        let opened = campaign.insist_twice("sampling", number, || {
            way.open(code, Use::ClassGroup(class_group, ""), &id)
        });
        opened.await;
        let swabbed = campaign
            .insist("sampling", "a swab", || way.swab(code, person))
            .await;
        assert_eq!(
            swabbed.swab_count, 1,
            "{code}: one swab, scanned however often"
        );
    }

    async fn carry(&self) {
        let Self {
            campaign,
            way,
            code,
            number,
        } = *self;
        let id = request_id();
        let sealed = campaign.insist_twice("sampling", number + 1, || way.seal(code, &id));
        sealed.await;
        let id = request_id();
        let handed = campaign.insist_twice("sampling", number + 2, || way.hand_over(code, &id));
        handed.await;
        let id = request_id();
        let received = campaign.insist_twice("sampling", number, || way.receive(code, &id));
        received.await;
        let id = request_id();
        let testing = campaign.insist_twice("sampling", number + 1, || way.test(code, &id));
        testing.await;
    }

    async fn answer(&self, value: ResultValue) {
        let Self {
            campaign,
            way,
            code,
            number,
        } = *self;
        let results = [(code.to_owned(), value)];
        let times = if number.is_multiple_of(3) { 2 } else { 1 };
        for _ in 0..times {
            let verdicts = campaign
                .insist("sampling", "a result", || way.submit(&results))
                .await;
            assert!(verdicts[0].accepted, "{code}: {verdicts:?}");
        }
    }
}
