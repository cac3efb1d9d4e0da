//! What was inspected and what was not, for each organisation below a bureau, worst first.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use sea_orm::ConnectionTrait;

use super::{Inspections, due, season};
use crate::app::{Site, place};
use crate::domain::checklist::item::PlaceKind;
use crate::domain::inspection::coverage::{Done, Tally};
use crate::domain::inspection::place::{Stock, stock};
use crate::domain::inspection::schedule::{Period, Schedule, Season};
use crate::domain::organization::Organization;
use crate::error::Error;
use crate::store::Store;
use crate::store::inspections::MOST_SCHEDULES;
use crate::store::register::{PAGE, Rules};

/// What was inspected at one organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Covered {
    /// The id of the organisation; empty for all together.
    pub(crate) organization: String,
    /// Shown to people.
    pub(crate) display_name: String,
    /// All kinds together.
    pub(crate) tally: Tally,
    /// By kind of place.
    pub(crate) kinds: BTreeMap<PlaceKind, Tally>,
}

impl Covered {
    fn add(&mut self, kind: PlaceKind, tally: Tally) {
        self.tally = self.tally.and(tally);
        let held = self.kinds.entry(kind).or_default();
        *held = held.and(tally);
    }
}

/// The periods of each schedule in each flood season, reckoned once.
#[derive(Default)]
struct Periods(HashMap<(usize, Option<Season>), Vec<Period>>);

impl Inspections {
    /// Every organisation at and below a place with something due in periods that end within days, the
    /// greatest share of what was missed first; and all together.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn coverage(
        &self,
        site: &Site,
        days: (NaiveDate, NaiveDate),
    ) -> Result<(Vec<Covered>, Covered), Error> {
        let today = self.today();
        let db = self.base.store.database().read();
        let root = site.path.as_str();
        let rules = Store::rules(db).await?;
        let schedules = Store::inspection_schedules(db, &site.path, "", MOST_SCHEDULES).await?;
        let counts = Store::hit_counts(db, root, days, today).await?;
        let mut entered: HashMap<String, Vec<Stock>> = HashMap::new();
        for (organization, stock) in Store::inspection_stock(db, root).await? {
            entered.entry(organization).or_default().push(stock);
        }
        let (mut covered, mut total) = (Vec::new(), Covered::default());
        let mut reckoned = Periods::default();
        let mut after = String::new();
        loop {
            let kinds = due::campuses();
            let page = Store::organizations_below(db, root, &kinds, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.org_path);
            let premises = Store::premises(db, &page).await?;
            for organization in page {
                let season = season(&rules, &place(&organization.org_path), days.1);
                let stocks = entered.remove(&organization.id).unwrap_or_default();
                let has = premises.get(&organization.id).copied();
                let stocks = stock(organization.kind, has.unwrap_or_default(), &stocks);
                let mut one = of(&organization);
                for (number, schedule) in schedules.iter().enumerate() {
                    if !schedule.binds(&organization.org_path) {
                        continue;
                    }
                    let periods = reckoned.0.entry((number, season));
                    let periods = periods.or_insert_with(|| {
                        let mut periods = schedule.periods(&rules.calendar, season, days);
                        periods.retain(|period| period.last <= days.1);
                        periods
                    });
                    let done = counts.get(&(organization.id.clone(), schedule.id.clone()));
                    let done = done.copied().unwrap_or_default();
                    count(&mut one, schedule, (&stocks, periods), done, today);
                }
                if one.tally.due > 0 {
                    one.kinds
                        .iter()
                        .for_each(|(kind, tally)| total.add(*kind, *tally));
                    covered.push(one);
                }
            }
        }
        covered.sort_by(|a: &Covered, b: &Covered| a.tally.worst_first(&b.tally));
        Ok((covered, total))
    }
}

/// What was inspected at one organisation in periods that end within days.
///
/// # Errors
/// When the database fails.
pub(crate) async fn tally(
    db: &impl ConnectionTrait,
    rules: &Rules,
    organization: &Organization,
    (days, today): ((NaiveDate, NaiveDate), NaiveDate),
) -> Result<Tally, Error> {
    let path = place(&organization.org_path);
    let root = path.as_str();
    let schedules = Store::inspection_schedules(db, &path, "", MOST_SCHEDULES).await?;
    let counts = Store::hit_counts(db, root, days, today).await?;
    let entered = Store::inspection_stock(db, root).await?;
    let entered = entered
        .into_iter()
        .filter(|(of, _)| *of == organization.id)
        .map(|(_, stock)| stock);
    let premises = Store::premises(db, std::slice::from_ref(organization)).await?;
    let has = premises.get(&organization.id).copied().unwrap_or_default();
    let stocks = stock(organization.kind, has, &entered.collect::<Vec<_>>());
    let season = season(rules, &path, days.1);
    let mut one = of(organization);
    for schedule in &schedules {
        if !schedule.binds(&organization.org_path) {
            continue;
        }
        let mut periods = schedule.periods(&rules.calendar, season, days);
        periods.retain(|period| period.last <= days.1);
        let done = counts.get(&(organization.id.clone(), schedule.id.clone()));
        let done = done.copied().unwrap_or_default();
        count(&mut one, schedule, (&stocks, &periods), done, today);
    }
    Ok(one.tally)
}

fn of(organization: &Organization) -> Covered {
    Covered {
        organization: organization.id.clone(),
        display_name: organization.display_name.clone(),
        ..Covered::default()
    }
}

fn count(
    covered: &mut Covered,
    schedule: &Schedule,
    (stocks, periods): (&[Stock], &[Period]),
    done: Done,
    today: NaiveDate,
) {
    let of_kind = stocks.iter().filter(|one| one.kind == schedule.place_kind);
    let of_kind: Vec<Stock> = of_kind.copied().collect();
    let tally = Tally::of(&of_kind, periods, done, today);
    if tally.due > 0 {
        covered.add(schedule.place_kind, tally);
    }
}
