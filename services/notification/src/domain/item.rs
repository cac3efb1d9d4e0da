//! How far a recipient is with the demands of a directive.

use chrono::{DateTime, NaiveDate, Utc};

use super::content::Item;

/// How far one recipient is with one demand; without one it has not begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemReport {
    /// The id of the demand.
    pub item: String,
    /// How far the work is, 0 to 100.
    pub progress: i32,
    /// The latest report.
    pub report: String,
    /// When it was finished; none before.
    pub finished: Option<DateTime<Utc>>,
}

impl ItemReport {
    /// What is said now, after what was said before. Whoever says 100 again keeps the instant at which
    /// it was finished; whoever says less takes it back.
    #[must_use]
    pub fn after(self, before: Option<&Self>, now: DateTime<Utc>) -> Self {
        let finished = before.and_then(|before| before.finished).unwrap_or(now);
        Self {
            finished: (self.progress == 100).then_some(finished),
            ..self
        }
    }
}

/// The first demand that is not finished.
pub fn first_unfinished<'a>(items: &'a [Item], reports: &[ItemReport]) -> Option<&'a Item> {
    items.iter().find(|item| !is_finished(item, reports))
}

/// The first day on which a demand that is not finished is due; none when all are finished.
pub fn next_due(items: &[Item], reports: &[ItemReport]) -> Option<NaiveDate> {
    let unfinished = items.iter().filter(|item| !is_finished(item, reports));
    unfinished.map(|item| item.due).min()
}

/// The demands whose day has passed and that are not finished.
pub fn late_items<'a>(
    items: &'a [Item],
    reports: &'a [ItemReport],
    today: NaiveDate,
) -> impl Iterator<Item = &'a Item> {
    let late = move |item: &&Item| !is_finished(item, reports) && is_late(item.due, None, today);
    items.iter().filter(late)
}

/// Whether the day a demand was due on passed before it was finished: `finished` is the civil day.
pub fn is_late(due: NaiveDate, finished: Option<NaiveDate>, today: NaiveDate) -> bool {
    finished.unwrap_or(today) > due
}

fn is_finished(item: &Item, reports: &[ItemReport]) -> bool {
    let mut reports = reports.iter();
    reports.any(|report| report.item == item.id && report.finished.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2022, 4, day).unwrap()
    }

    fn item(id: &str, due: u32) -> Item {
        Item {
            id: id.to_owned(),
            text: "守好校门".to_owned(),
            duty: "SECURITY".to_owned(),
            due: day(due),
        }
    }

    fn report(id: &str, progress: i32) -> ItemReport {
        ItemReport {
            item: id.to_owned(),
            progress,
            report: "已落实".to_owned(),
            finished: None,
        }
    }

    #[test]
    fn the_next_day_is_that_of_what_is_not_finished() {
        let now = "2022-04-06T02:00:00Z".parse().unwrap();
        let items = [item("gate", 9), item("drill", 7), item("supplies", 12)];
        assert_eq!(next_due(&items, &[]), Some(day(7)));
        let late = |reports: &[ItemReport], today| {
            let late = late_items(&items, reports, day(today));
            late.map(|item| item.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(late(&[], 9), ["drill"]);
        assert_eq!(late(&[report("drill", 100).after(None, now)], 10), ["gate"]);
        let half = [report("drill", 50).after(None, now)];
        assert_eq!(next_due(&items, &half), Some(day(7)));
        let done = [report("drill", 100).after(None, now)];
        assert_eq!(next_due(&items, &done), Some(day(9)));
        assert_eq!(first_unfinished(&items, &done).unwrap().id, "gate");
        let all = ["gate", "drill", "supplies"].map(|id| report(id, 100).after(None, now));
        assert_eq!(
            (next_due(&items, &all), first_unfinished(&items, &all)),
            (None, None)
        );
    }

    #[test]
    fn finished_stays_when_it_was_until_it_is_taken_back() {
        let now: DateTime<Utc> = "2022-04-06T02:00:00Z".parse().unwrap();
        let later = now + chrono::Duration::hours(1);
        let first = report("gate", 100).after(None, now);
        assert_eq!(
            report("gate", 100).after(Some(&first), later).finished,
            Some(now)
        );
        let back = report("gate", 80).after(Some(&first), later);
        assert_eq!(back.finished, None);
        assert_eq!(
            report("gate", 100).after(Some(&back), later).finished,
            Some(later)
        );
    }

    #[test]
    fn late_is_after_the_day_itself() {
        assert!(!is_late(day(9), None, day(9)));
        assert!(is_late(day(9), None, day(10)));
        assert!(!is_late(day(9), Some(day(9)), day(12)));
        assert!(is_late(day(9), Some(day(10)), day(12)));
    }
}
