//! The numbers of a policy as the domain knows them.

use chrono::NaiveDate;
use proto::roster::PolicyProfile;
use proto::roster::guard_policy::Formula as PbFormula;

use super::Site;
use crate::domain::protection::guards::{Formula, GuardRules};
use crate::domain::protection::judgement::Rules as ProtectionRules;
use crate::domain::shelter::isolation;
use crate::error::Error;
use crate::store::register::Rules;

/// The shipped numbers, which hold where a profile was stored without them (rules 4.6, 5.12, 5.14).
const VIDEO_DAYS: (i32, i32) = (30, 90);
const BOARDERS_PER_GUARD: i32 = 300;
const ISOLATION_ROOMS: (i32, i32, i32) = (1, 1000, 2);

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

impl Site {
    /// The policy in force here on a civil day.
    ///
    /// # Errors
    /// POLICY_UNKNOWN when the register announced none.
    pub(crate) fn policy<'a>(
        &self,
        rules: &'a Rules,
        day: NaiveDate,
    ) -> Result<&'a PolicyProfile, Error> {
        let unknown = || Error::PolicyUnknown(self.organization.org_path.clone());
        rules.policy(&self.path, day).ok_or_else(unknown)
    }
}

/// What protection is judged by.
pub(crate) fn protection(profile: &PolicyProfile) -> ProtectionRules {
    let shipped = VIDEO_DAYS;
    let (days, key_days, boarders) =
        profile
            .protection
            .as_ref()
            .map_or((shipped.0, shipped.1, BOARDERS_PER_GUARD), |said| {
                (
                    said.video_days,
                    said.video_key_days,
                    said.boarders_per_guard,
                )
            });
    let guards = profile.guard.as_ref();
    let formulas = guards.into_iter().flat_map(|guard| &guard.rules);
    let formulas = formulas.map(|rule| {
        let formula = match rule.formula() {
            PbFormula::Formula2022 => Formula::Of2022,
            PbFormula::Formula2015 | PbFormula::Unspecified => Formula::Of2015,
        };
        (rule.effective_date.and_then(kit::field::from_date), formula)
    });
    ProtectionRules {
        guards: GuardRules {
            formulas: formulas.collect(),
            boarders_per_guard: count(boarders),
        },
        patrols: count(profile.patrol.as_ref().map_or(0, |patrol| patrol.per_day)),
        video_days: count(days),
        video_key_days: count(key_days.max(days)),
    }
}

/// For how many days supplies have to last (rule 4.5).
pub(crate) fn supply_days(profile: &PolicyProfile) -> u32 {
    count(
        profile
            .resume
            .as_ref()
            .map_or(0, |resume| resume.supply_days),
    )
}

/// How many isolation rooms campuses need (rule 4.6).
pub(crate) fn isolation(profile: &PolicyProfile) -> isolation::Rule {
    let said = profile.protection.as_ref();
    let (rooms, large, large_rooms) = said
        .filter(|said| said.isolation_rooms > 0 && said.large_campus_pupils > 0)
        .map_or(ISOLATION_ROOMS, |said| {
            let more = said.large_isolation_rooms.max(said.isolation_rooms);
            (said.isolation_rooms, said.large_campus_pupils, more)
        });
    isolation::Rule {
        rooms: count(rooms),
        large: count(large),
        large_rooms: count(large_rooms),
    }
}
