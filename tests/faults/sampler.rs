//! Tubes of a school from the printer to their results, one after the other, one person in each.

use proto::sampling::{PoolType, ResultValue};
use tests::city::City;
use tests::tubes::{Use, Way};
use tests::verbs::request_id;

use super::campaign::Campaign;
use super::clients::Answered;

/// One tube in so many is positive.
const POSITIVE: u32 = 5;

/// The swabs of a school: everybody once.
pub(super) struct Swabs {
    way: Way,
    at: u32,
    /// How many were taken.
    taken: u32,
}

impl Swabs {
    /// At school number `at` of the city, where nobody was swabbed yet.
    pub(super) fn begin(city: &City, at: u32) -> Self {
        Self {
            way: Way::new(city, at),
            at,
            taken: 0,
        }
    }

    /// Swabs the next person; none when everybody was.
    pub(super) async fn next(&mut self, campaign: &Campaign, city: &City) -> Option<Answered> {
        let (number, town) = (self.taken, city.town);
        let (class, place) = (number / town.students + 1, number % town.students + 1);
        if class > town.classes {
            return None;
        }
        self.taken += 1;
        let code = format!("F{:02}-{number:04}", self.at);
        let person = city.student(self.at, class, place).to_owned();
        let value = if number % POSITIVE == POSITIVE - 1 {
            ResultValue::Positive
        } else {
            ResultValue::Negative
        };
        let tube = Tube {
            campaign,
            way: &self.way,
            code: &code,
            number,
        };
        tube.fill(&town.class_group(self.at, class), &person).await;
        tube.carry().await;
        tube.answer(value).await;
        Some(Answered {
            code,
            person,
            value,
        })
    }
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
