//! The numbers for hazards in a policy profile.

use proto::roster::PolicyProfile;

use crate::domain::hazard::terms::Terms;

/// The numbers of a profile; what it leaves out is as in the rule book.
pub(super) fn terms(profile: Option<&PolicyProfile>) -> Terms {
    let usual = Terms::default();
    let Some(told) = profile.and_then(|profile| profile.hazard.as_ref()) else {
        return usual;
    };
    let stated = |number: i32, otherwise: i32| if number > 0 { number } else { otherwise };
    Terms {
        same_day_days: stated(told.same_day_days, usual.same_day_days),
        general_days: stated(told.general_days, usual.general_days),
        major_days: stated(told.major_days, usual.major_days),
        recurrence_days: stated(told.recurrence_days, usual.recurrence_days),
        max_extensions: told.max_extensions.max(0),
        progress_days: stated(told.progress_days, usual.progress_days),
        escalation_days: stated(told.escalation_days, usual.escalation_days),
        review_days: stated(told.review_days, usual.review_days),
    }
}
