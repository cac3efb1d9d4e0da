//! What the policy in force says of duty; without one the numbers of the rule book hold.

use chrono::{NaiveDate, TimeDelta};
use kit::field::delta_of;
use proto::roster::PolicyProfile;
use proto::roster::staff_member::Post;

use crate::app::policy_version;
use crate::domain::duty::{Demands, Season};
use crate::domain::organization::Organization;

/// What rule 5.31 asks of every shift at an organisation.
pub(super) fn demands(profile: Option<&PolicyProfile>, organization: &Organization) -> Demands {
    let duty = profile.and_then(|profile| profile.duty.as_ref());
    let min_staff = duty.map_or(2, |duty| {
        usize::try_from(duty.min_staff).unwrap_or_default()
    });
    let posts = |posts: &mut dyn Iterator<Item = Post>| {
        let names = posts.map(|post| post.as_str_name().trim_start_matches("POST_").to_owned());
        names.collect()
    };
    let key_posts = match duty {
        _ if !organization.kind.has_campus() => Vec::new(),
        Some(duty) => posts(&mut duty.key_posts()),
        None => posts(&mut [Post::Guard].into_iter()),
    };
    Demands {
        min_staff,
        key_posts,
        policy_version: policy_version(profile),
    }
}

/// How long a leader may be late before it is an alert.
pub(super) fn grace(profile: Option<&PolicyProfile>) -> TimeDelta {
    let duty = profile.and_then(|profile| profile.duty.as_ref());
    let grace = duty.and_then(|duty| duty.checkin_grace.and_then(delta_of));
    grace.unwrap_or(TimeDelta::minutes(15))
}

/// How many patrols a day has (rule 5.13).
pub(super) fn patrols(profile: Option<&PolicyProfile>) -> u32 {
    let patrol = profile.and_then(|profile| profile.patrol.as_ref());
    patrol.map_or(5, |patrol| {
        u32::try_from(patrol.per_day).unwrap_or_default()
    })
}

/// The season of a day (rule 5.30).
pub(super) fn season(profile: Option<&PolicyProfile>, day: NaiveDate) -> Season {
    let weather = profile.and_then(|profile| profile.weather.as_ref());
    let number = |number| u32::try_from(number).unwrap_or_default();
    let span = weather.map_or((415, 1015), |weather| {
        let (first, last) = (weather.flood_season_start, weather.flood_season_end);
        (number(first), number(last))
    });
    Season::of(day, span)
}
