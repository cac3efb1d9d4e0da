//! The names of states as histories and errors tell them.

use proto::safety as pb;

use crate::domain::organization::Level as Authority;
use crate::domain::weather::suspension::authority_number;

macro_rules! word {
    ($($(#[$doc:meta])* $name:ident: $state:ty, $prefix:literal;)+) => {
        $($(#[$doc])*
        pub(in crate::grpc) fn $name(number: i16) -> String {
            let state = <$state>::try_from(i32::from(number)).unwrap_or_default();
            let word = state.as_str_name().trim_start_matches($prefix);
            if number == 0 { String::new() } else { word.to_owned() }
        })+
    };
}

word! {
    /// Of a warning.
    signal: pb::weather_signal::State, "STATE_";
    /// Of a response level.
    response: pb::response_level::State, "STATE_";
    /// Of an organisation.
    state: pb::weather_state::State, "STATE_";
    /// Of a task.
    task: pb::weather_task::State, "STATE_";
    /// Of a level.
    level: pb::WeatherLevel, "WEATHER_LEVEL_";
    /// Of a suspension.
    suspension: pb::weather_suspension::State, "STATE_";
    /// Of an authority.
    authority_word: pb::weather_suspension::Authority, "AUTHORITY_";
}

/// Who decides.
pub(in crate::grpc) fn authority(authority: Authority) -> String {
    authority_word(authority_number(authority))
}
