//! What the policy in force says of protection; without one the numbers of the rule book hold.

use chrono::NaiveDate;
use proto::roster::PolicyProfile;
use proto::roster::guard_policy::Formula as PbFormula;

use crate::domain::protection::guards::{Formula, GuardRules};
use crate::domain::protection::judgement::Rules;

/// The numbers that protection is judged by (rules 5.11 to 5.14).
pub(super) fn rules(profile: Option<&PolicyProfile>) -> Rules {
    let usual = Rules::default();
    let stated = |number: Option<i32>, otherwise: u32| {
        number.map_or(otherwise, |number| {
            u32::try_from(number).unwrap_or_default()
        })
    };
    let told = profile.and_then(|profile| profile.protection.as_ref());
    let patrol = profile.and_then(|profile| profile.patrol.as_ref());
    let video_days = stated(told.map(|told| told.video_days), usual.video_days);
    let key_days = stated(told.map(|told| told.video_key_days), usual.video_key_days);
    Rules {
        guards: GuardRules {
            formulas: formulas(profile).unwrap_or(usual.guards.formulas),
            boarders_per_guard: stated(
                told.map(|told| told.boarders_per_guard),
                usual.guards.boarders_per_guard,
            ),
        },
        patrols: stated(patrol.map(|patrol| patrol.per_day), usual.patrols),
        video_days,
        video_key_days: key_days.max(video_days),
        device_report_days: told
            .and_then(|told| u32::try_from(told.device_report_days).ok())
            .filter(|days| *days > 0)
            .unwrap_or(usual.device_report_days),
    }
}

fn formulas(profile: Option<&PolicyProfile>) -> Option<Vec<(Option<NaiveDate>, Formula)>> {
    let guard = profile?.guard.as_ref()?;
    let formulas = guard.rules.iter().map(|rule| {
        let formula = match rule.formula() {
            PbFormula::Formula2022 => Formula::Of2022,
            PbFormula::Formula2015 | PbFormula::Unspecified => Formula::Of2015,
        };
        (rule.effective_date.and_then(kit::field::from_date), formula)
    });
    Some(formulas.collect())
}
