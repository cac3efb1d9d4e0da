//! The templates that ship, and which of them is in force.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::Deserialize;

use super::{Duty, policy};
use crate::app::Site;
use crate::domain::duty::{Season, Template};
use crate::error::Error;
use crate::store::Store;
use crate::store::register::Rules;

const SHIPPED: &str = include_str!("../../../data/duty_templates.toml");

/// The templates.
#[derive(Clone, Debug)]
pub(crate) struct Templates(Arc<[Template]>);

/// A template and the day for which it holds.
#[derive(Debug)]
pub(crate) struct InForce {
    /// The id of the organisation.
    pub(crate) organization: String,
    /// The template.
    pub(crate) template: Template,
    /// The day.
    pub(crate) day: NaiveDate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    template: Vec<Template>,
}

impl Templates {
    /// Those that ship.
    ///
    /// # Errors
    /// When the file is malformed or a season has none.
    pub(crate) fn shipped() -> Result<Self, String> {
        Self::read(SHIPPED)
    }

    fn read(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|err| format!("duty templates: {err}"))?;
        for template in &file.template {
            if let Some(flaw) = template.flaw() {
                return Err(format!("duty template {}: {flaw}", template.code));
            }
        }
        for season in [Season::Ordinary, Season::Flood] {
            if !file
                .template
                .iter()
                .any(|template| template.season == season)
            {
                return Err(format!("duty templates: none for {season:?}"));
            }
        }
        Ok(Self(file.template.into()))
    }

    /// The template of a season on a day: the newest that has begun, else the first of all.
    fn of(&self, season: Season, day: NaiveDate) -> &Template {
        let of_season = self.0.iter().filter(|template| template.season == season);
        let begun = of_season.filter(|template| template.effective_date <= day);
        begun
            .max_by_key(|template| template.effective_date)
            .unwrap_or(&self.0[0])
    }

    /// The template of a day at a place.
    pub(super) fn on(&self, rules: &Rules, site: &Site, day: NaiveDate) -> &Template {
        let profile = rules.policy(&site.path, day);
        self.of(policy::season(profile, day), day)
    }
}

impl Duty {
    /// By which hours duty is kept at an organisation on a day, or today.
    pub(crate) async fn template(
        &self,
        site: &Site,
        day: Option<NaiveDate>,
    ) -> Result<InForce, Error> {
        let day = self.day(day);
        let rules = Store::rules(self.base.store.database().read()).await?;
        Ok(InForce {
            organization: site.organization.id.clone(),
            template: self.templates.on(&rules, site, day).clone(),
            day,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_season_has_its_template_with_a_source() {
        let templates = Templates::shipped().unwrap();
        let day = NaiveDate::from_ymd_opt(2022, 4, 6).unwrap();
        assert_eq!(templates.of(Season::Ordinary, day).code, "ORDINARY");
        assert_eq!(templates.of(Season::Flood, day).code, "FLOOD_SEASON");
        for template in templates.0.iter() {
            assert!(template.source.contains("5.3"), "{}", template.code);
        }
    }

    #[test]
    fn a_template_that_cannot_be_used_is_named() {
        let broken = SHIPPED.replace("[480, 1200]", "[1200, 480]");
        let told = Templates::read(&broken).unwrap_err();
        assert_eq!(
            told,
            "duty template FLOOD_SEASON: shift_start_minutes must ascend"
        );
        let lacking = SHIPPED.replace("season = \"FLOOD\"", "season = \"ORDINARY\"");
        let told = Templates::read(&lacking).unwrap_err();
        assert_eq!(told, "duty templates: none for Flood");
        let zero = SHIPPED.replace(
            "patrol_interval_minutes = 120",
            "patrol_interval_minutes = 0",
        );
        assert!(Templates::read(&zero).is_err());
    }
}
