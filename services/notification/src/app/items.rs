//! Recipients with what they do about each demand, and who owns it there now.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use kit::clock::civil_date;
use sea_orm::{ConnectionTrait, DbErr};

use super::Base;
use crate::domain::chain::parts;
use crate::domain::content::Item;
use crate::domain::item::{ItemReport, is_late};
use crate::domain::party::Party;
use crate::domain::recipient::Recipient;
use crate::error::Error;
use crate::store::Store;
use crate::store::items::RecipientKey;
use crate::store::recipients::Owed;
use crate::store::register::Duty;

/// The subject of whoever answers for a class group.
pub(super) const CLASS_GROUP: &str = "CLASS_GROUP";

/// A recipient with what it does about each demand.
#[derive(Clone, Debug)]
pub(crate) struct Carried {
    pub(crate) recipient: Recipient,
    /// The organisation id of who ordered.
    pub(crate) orderer: String,
    pub(crate) items: Vec<CarriedItem>,
    /// What those above added when they passed it on, from the top.
    pub(crate) upper_notes: Vec<String>,
}

/// One demand at one recipient.
#[derive(Clone, Debug)]
pub(crate) struct CarriedItem {
    pub(crate) id: String,
    /// `staff/{staff_member}`; empty when nobody answers for its duty there.
    pub(crate) owner: String,
    pub(crate) due: NaiveDate,
    pub(crate) progress: i32,
    pub(crate) report: String,
    pub(crate) finished: Option<DateTime<Utc>>,
    pub(crate) late: bool,
}

impl Base {
    /// Recipients with what they do about each demand and what those above added, in the order given, in
    /// as many statements as there are levels above them and a few.
    pub(crate) async fn carried(
        &self,
        db: &impl ConnectionTrait,
        found: Vec<Owed>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Carried>, Error> {
        let directives: BTreeSet<_> = found.iter().map(|(one, _)| one.directive).collect();
        let directives: Vec<_> = directives.into_iter().collect();
        let items = Store::items(db, &directives).await?;
        let with_items = found.iter().map(|(one, _)| one);
        let with_items: Vec<&Recipient> = with_items
            .filter(|one| items.contains_key(&one.directive))
            .collect();
        let keys: Vec<RecipientKey> = with_items
            .iter()
            .map(|one| (one.directive, one.id.clone()))
            .collect();
        let organizations: BTreeSet<_> = with_items.iter().map(|one| one.organization()).collect();
        let organizations: Vec<_> = organizations.into_iter().map(ToOwned::to_owned).collect();
        let mut reports = Store::item_reports(db, &keys).await?;
        let duties = Store::duties(db, &organizations).await?;
        let upper_notes = Store::upper_notes(db, found.iter().map(|(one, _)| one)).await?;
        let carried = found.into_iter().map(|(recipient, orderer)| {
            let key = (recipient.directive, recipient.id.clone());
            let reports = reports.remove(&key).unwrap_or_default();
            let demanded = items
                .get(&recipient.directive)
                .map_or(&[][..], |items| items);
            let carried = demanded
                .iter()
                .map(|item| carried_item(item, &recipient, &reports, &duties, now));
            let items = carried.collect();
            Carried {
                upper_notes: upper_notes.to(&recipient),
                recipient,
                orderer,
                items,
            }
        });
        Ok(carried.collect())
    }
}

fn carried_item(
    item: &Item,
    recipient: &Recipient,
    reports: &[ItemReport],
    duties: &HashMap<String, Vec<Duty>>,
    now: DateTime<Utc>,
) -> CarriedItem {
    let report = reports.iter().find(|report| report.item == item.id);
    let finished = report.and_then(|report| report.finished);
    let duties = duties.get(recipient.organization());
    let owner = duties.and_then(|duties| owner(duties, &item.duty, recipient.class_group()));
    CarriedItem {
        id: item.id.clone(),
        owner: owner.unwrap_or_default().to_owned(),
        due: item.due,
        progress: report.map_or(0, |report| report.progress),
        report: report.map_or_else(String::new, |report| report.report.clone()),
        finished,
        late: is_late(item.due, finished.map(civil_date), civil_date(now)),
    }
}

/// Whoever answers for duties at organisations and class groups.
#[derive(Clone, Debug)]
pub(super) struct Owners(HashMap<String, Vec<Duty>>);

impl Owners {
    /// Those at recipients, by recipient id.
    pub(super) async fn at(
        db: &impl ConnectionTrait,
        recipients: &[String],
    ) -> Result<Self, DbErr> {
        let organizations: BTreeSet<&str> = recipients.iter().map(|id| parts(id).0).collect();
        let organizations: Vec<String> = organizations.into_iter().map(ToOwned::to_owned).collect();
        Ok(Self(Store::duties(db, &organizations).await?))
    }

    /// Who owns these demands at a recipient; one that nobody owns there is passed over.
    pub(super) fn of<'a>(
        &self,
        recipient: &str,
        items: impl Iterator<Item = &'a Item>,
    ) -> BTreeSet<Party> {
        let (organization, class_group) = parts(recipient);
        let duties = self.0.get(organization).map_or(&[][..], Vec::as_slice);
        let owners = items.filter_map(|item| owner(duties, &item.duty, class_group));
        owners.filter_map(Party::parse).collect()
    }
}

/// Who answers for a duty: at an organisation for all of it before a part of it; at a class group for
/// that duty there, else for the class group.
pub(super) fn owner<'a>(duties: &'a [Duty], subject: &str, class_group: &str) -> Option<&'a str> {
    let mut of_subject = duties.iter().filter(|duty| duty.subject == subject);
    let found = if class_group.is_empty() {
        of_subject.next()
    } else {
        let here = |duty: &&Duty| duty.place == class_group;
        let all = || {
            duties
                .iter()
                .find(|duty| duty.subject == CLASS_GROUP && here(duty))
        };
        of_subject.find(here).or_else(all)
    };
    found.map(|duty| &*duty.staff_member)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demand_is_owned_by_whoever_answers_for_its_duty_there() {
        let duty = |subject: &str, place: &str, staff_member: &str| Duty {
            subject: subject.to_owned(),
            place: place.to_owned(),
            staff_member: staff_member.to_owned(),
        };
        let duties = [
            duty("FIRE", "", "staff/1"),
            duty("FIRE", "p2019-02", "staff/2"),
            duty("CLASS_GROUP", "p2019-01", "staff/3"),
            duty("CLASS_GROUP", "p2019-02", "staff/4"),
        ];
        assert_eq!(owner(&duties, "FIRE", ""), Some("staff/1"));
        assert_eq!(owner(&duties, "FIRE", "p2019-01"), Some("staff/3"));
        assert_eq!(owner(&duties, "FIRE", "p2019-02"), Some("staff/2"));
        assert_eq!(owner(&duties, "FOOD", ""), None);
        assert_eq!(owner(&duties, "FIRE", "p2019-03"), None);
    }
}
