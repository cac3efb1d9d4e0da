//! Who those are that hear of alerts besides their owners, for many alerts in a few statements.

use std::collections::{BTreeMap, BTreeSet};

use kit::bulk::placeholders;
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::Store;
use super::answers::Answers;
use super::register::{EPIDEMIC_CONTROL, OVERALL_HEAD};
use crate::domain::alert::Alert;
use crate::domain::hearer::Hearer;
use crate::domain::party::Party;
use crate::domain::place::{contains, places_above};
use crate::domain::rule::Rule;

/// The post of a school doctor.
const SCHOOL_DOCTOR: &str = "SCHOOL_DOCTOR";
/// The number of a centre for disease control among the kinds of organisations.
const DISEASE_CONTROL: i16 = 10;
/// How many centres one city has at most.
const CENTRES: u32 = 1000;
/// How many organisations one statement asks about.
const PART: usize = 500;

/// Who hears of some alerts.
#[derive(Debug, Default)]
pub(super) struct Parties {
    /// Who answers for what at schools and centres.
    answers: Answers,
    /// The school doctors by the place of their school.
    doctors: BTreeMap<String, Vec<Uuid>>,
    /// The centres for disease control: id and place.
    centres: Vec<(String, String)>,
}

impl Parties {
    /// All that is known around these alerts; nothing is asked for that no rule names.
    pub(super) async fn of<'a>(
        tx: &Tx,
        alerts: impl Iterator<Item = (&'a Alert, &'a Rule)>,
    ) -> Result<Self, DbErr> {
        let mut parties = Self::default();
        let (mut wanted, mut organizations) = (BTreeSet::new(), BTreeSet::new());
        let mut places = BTreeSet::new();
        for (alert, rule) in alerts {
            let hearers = alert.hearers(rule);
            if !hearers.is_empty() {
                organizations.insert(alert.organization.clone());
                places.insert(alert.org_path.clone());
            }
            wanted.extend(hearers);
        }
        if wanted.contains(&Hearer::SchoolDoctor) {
            let places: Vec<String> = places.into_iter().collect();
            let posts = [SCHOOL_DOCTOR.to_owned()];
            for (place, _, person) in Store::holders_at(tx, &places, &posts).await? {
                parties.doctors.entry(place).or_default().push(person);
            }
        }
        if wanted.contains(&Hearer::DiseaseControl) {
            parties.centres = centres(tx).await?;
            organizations.extend(parties.centres.iter().map(|(id, _)| id.clone()));
        }
        let duties = [
            (Hearer::Principal, OVERALL_HEAD),
            (Hearer::EpidemicReporter, EPIDEMIC_CONTROL),
            (Hearer::DiseaseControl, EPIDEMIC_CONTROL),
        ];
        let duties = duties.into_iter().filter(|(one, _)| wanted.contains(one));
        let duties = duties.map(|(_, duty)| duty).collect();
        let organizations = organizations.iter().map(String::as_str).collect();
        parties.answers = Store::answers(tx, organizations, duties).await?;
        Ok(parties)
    }

    /// Who somebody is for an alert; the school where nobody at it is known.
    pub(super) fn of_alert(&self, alert: &Alert, hearer: Hearer) -> Vec<Party> {
        let organization = |id: &str| Party::Organization(id.to_owned());
        let answers = |at: &str, duty| {
            let staff = self.answers.at(at, duty);
            let staff = staff.and_then(|name| Party::parse(&name));
            staff.unwrap_or_else(|| organization(at))
        };
        let school = &*alert.organization;
        let mut above = places_above(&alert.org_path);
        let leaf = |place: &str| organization(crate::domain::place::leaf(place));
        match hearer {
            Hearer::School => vec![organization(school)],
            Hearer::Above => Vec::from_iter(above.next().map(leaf)),
            Hearer::CityBureau => Vec::from_iter(above.last().map(leaf)),
            Hearer::Principal => vec![answers(school, OVERALL_HEAD)],
            Hearer::EpidemicReporter => vec![answers(school, EPIDEMIC_CONTROL)],
            Hearer::SchoolDoctor => match self.doctors.get(&alert.org_path) {
                Some(doctors) => doctors.iter().map(|id| Party::Staff(*id)).collect(),
                None => vec![organization(school)],
            },
            Hearer::DiseaseControl => {
                let centres = nearest(&self.centres, &alert.org_path);
                centres.map(|id| answers(id, EPIDEMIC_CONTROL)).collect()
            }
            Hearer::Named => Vec::new(),
        }
    }
}

/// Where the organisation right above a place stands; empty for a root.
fn upper(place: &str) -> &str {
    place.rsplit_once('/').map_or("", |(upper, _)| upper)
}

/// The centres of the smallest district around a place.
fn nearest<'a>(centres: &'a [(String, String)], place: &str) -> impl Iterator<Item = &'a str> {
    let around = |at: &str| contains(upper(at), place);
    let of_place = centres.iter().filter(|(_, at)| around(at));
    let depth = of_place.clone().map(|(_, at)| upper(at).len()).max();
    let of_place: Vec<_> = of_place.collect();
    let near = of_place.into_iter();
    near.filter(move |(_, at)| Some(upper(at).len()) == depth)
        .map(|(id, _)| &**id)
}

impl Store {
    /// Those of some organisations that are centres for disease control.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn centres_among(
        db: &impl ConnectionTrait,
        ids: &[String],
    ) -> Result<BTreeSet<String>, DbErr> {
        let mut found = BTreeSet::new();
        for part in ids.chunks(PART) {
            let sql = format!(
                "SELECT id FROM organizations WHERE kind = $1 AND id IN ({})",
                placeholders(2, part.len())
            );
            let first = std::iter::once(Value::from(DISEASE_CONTROL));
            let values = first.chain(part.iter().map(|id| id.as_str().into()));
            for row in db.query_all_raw(statement(db, &sql, values)).await? {
                found.insert(row.try_get_by_index(0)?);
            }
        }
        Ok(found)
    }
}

/// The centres for disease control: id and place.
async fn centres(tx: &Tx) -> Result<Vec<(String, String)>, DbErr> {
    let sql = format!(
        "SELECT id, org_path FROM organizations WHERE kind = $1 ORDER BY org_path LIMIT {CENTRES}"
    );
    let rows = tx
        .query_all_raw(statement(tx, &sql, [DISEASE_CONTROL.into()]))
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_of_the_district_comes_before_that_of_the_city() {
        let centre = |id: &str, place: &str| (id.to_owned(), place.to_owned());
        let centres = [centre("c0", "fz/c0"), centre("c1", "fz/b1/c1")];
        let found = |place| Vec::from_iter(nearest(&centres, place));
        assert_eq!(found("fz/b1/s1"), ["c1"]);
        assert_eq!(found("fz/b2/s2"), ["c0"]);
        assert_eq!(found("fz/b10/s3"), ["c0"]);
        assert_eq!(found("xm/b1/s4"), Vec::<&str>::new());
    }
}
