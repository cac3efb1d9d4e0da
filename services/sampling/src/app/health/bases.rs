//! Since when what a case is based on was known here: its limits count from then at the latest.

use chrono::NaiveDate;
use kit::db::Tx;

use super::case_files::school_of;
use super::units::slot_word;
use crate::app::App;
use crate::domain::day::Day;
use crate::domain::health::rules::Slot;
use crate::error::Error;
use crate::store::health::absences::AbsenceRow;
use crate::store::health::checks::CheckRow;
use crate::store::health::clusters::ClusterRow;
use crate::store::holds::HoldRow;
use crate::store::results::ResultRow;
use crate::store::tubes::TubeRow;
use kit::rows::{Lock, Row};

impl App {
    /// When the cluster, check, absence, hold or tube of a school that `basis` names fired, was
    /// captured, was recorded, began or got its first result, in milliseconds since 1970. None for
    /// anything else, and for what is not of this school.
    pub(super) async fn known_since(
        &self,
        tx: &Tx,
        school: &str,
        basis: &str,
    ) -> Result<Option<i64>, Error> {
        let here = |place: &str| place == school || school_of(place) == school;
        let (parent, id) = basis.rsplit_once('/').unwrap_or_default();
        let since = match parent {
            "clusters" => ClusterRow::get(tx, id, Lock::No)
                .await?
                .filter(|row| row.school == school)
                .map(|row| row.fire_time),
            "absences" => AbsenceRow::get(tx, id, Lock::No)
                .await?
                .filter(|row| row.school == school)
                .map(|row| row.create_time),
            "holds" => HoldRow::get(tx, id, Lock::No)
                .await?
                .filter(|row| here(&row.org_path))
                .map(|row| row.start_time),
            "tubes" => {
                let tube = TubeRow::get(tx, id, Lock::No).await?;
                let results = match tube.filter(|row| here(&row.org_path)) {
                    Some(_) => ResultRow::find(tx, "tube", vec![id.into()], Lock::No).await?,
                    None => Vec::new(),
                };
                results.iter().map(|result| result.receive_time).min()
            }
            _ => self.captured(tx, school, basis).await?,
        };
        Ok(since)
    }

    /// When what stands of the check with this name was captured.
    async fn captured(&self, tx: &Tx, school: &str, name: &str) -> Result<Option<i64>, Error> {
        let Some((unit, check)) = name.split_once("/checks/") else {
            return Ok(None);
        };
        let parts: Vec<&str> = unit.split('/').collect();
        let [
            "organizations",
            organization,
            "classGroups" | "dormitories",
            id,
        ] = parts[..]
        else {
            return Ok(None);
        };
        let (date, word) = check.split_once('-').unwrap_or_default();
        let date = NaiveDate::parse_from_str(date, "%Y%m%d").ok();
        let slot = Slot::ALL.into_iter().find(|slot| slot_word(*slot) == word);
        let ((Some(date), Some(slot)), true) = (
            (date, slot),
            school.rsplit('/').next() == Some(organization),
        ) else {
            return Ok(None);
        };
        let key = (Day::from(date), slot, format!("{school}/{id}"));
        Ok(CheckRow::at(tx, &key).await?.map(|row| row.capture_time))
    }
}
