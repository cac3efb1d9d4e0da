//! WeatherService.

mod campuses;
mod decisions;
mod groups;
mod lists;
mod warnings;

use proto::safety as pb;
use proto::safety::weather_service_server::WeatherService;

use super::answered;
use crate::app::weather::Weather;

/// Serves WeatherService.
#[derive(Debug)]
pub(crate) struct WeatherGrpc {
    app: Weather,
}

impl WeatherGrpc {
    pub(crate) fn new(app: Weather) -> Self {
        Self { app }
    }
}

answered! { WeatherService for WeatherGrpc:
    ingest_warning(IngestWarningRequest) -> pb::WeatherSignal = warnings::ingest;
    get_weather_signal(GetWeatherSignalRequest) -> pb::WeatherSignal = warnings::signal;
    list_weather_signals(ListWeatherSignalsRequest) -> pb::ListWeatherSignalsResponse
        = lists::signals;
    declare_response_level(DeclareResponseLevelRequest) -> pb::ResponseLevel = warnings::declare;
    change_response_level(ChangeResponseLevelRequest) -> pb::ResponseLevel = warnings::change;
    lift_response_level(LiftResponseLevelRequest) -> pb::ResponseLevel = warnings::lift;
    get_response_level(GetResponseLevelRequest) -> pb::ResponseLevel = warnings::response;
    list_response_levels(ListResponseLevelsRequest) -> pb::ListResponseLevelsResponse
        = lists::responses;
    get_weather_state(GetWeatherStateRequest) -> pb::WeatherState = campuses::state;
    list_weather_states(ListWeatherStatesRequest) -> pb::ListWeatherStatesResponse
        = lists::states;
    get_weather_task(GetWeatherTaskRequest) -> pb::WeatherTask = campuses::task;
    list_weather_tasks(ListWeatherTasksRequest) -> pb::ListWeatherTasksResponse = lists::tasks;
    complete_weather_task(CompleteWeatherTaskRequest) -> pb::WeatherTask = campuses::complete;
    decide_weather_suspension(DecideWeatherSuspensionRequest) -> pb::WeatherSuspension
        = decisions::decide;
    lift_weather_suspension(LiftWeatherSuspensionRequest) -> pb::WeatherSuspension
        = decisions::lift;
    get_weather_suspension(GetWeatherSuspensionRequest) -> pb::WeatherSuspension
        = decisions::suspension;
    list_weather_suspensions(ListWeatherSuspensionsRequest) -> pb::ListWeatherSuspensionsResponse
        = lists::suspensions;
    get_post_check(GetPostCheckRequest) -> pb::PostCheck = campuses::check;
    record_post_check(RecordPostCheckRequest) -> pb::PostCheck = campuses::record;
    reopen_after_weather(ReopenAfterWeatherRequest) -> pb::WeatherState = campuses::reopen;
    get_weather_rules(GetWeatherRulesRequest) -> pb::WeatherRules = campuses::rules;
    get_mutual_aid_group(GetMutualAidGroupRequest) -> pb::MutualAidGroup = groups::group;
    list_mutual_aid_groups(ListMutualAidGroupsRequest) -> pb::ListMutualAidGroupsResponse
        = lists::groups;
    create_mutual_aid_group(CreateMutualAidGroupRequest) -> pb::MutualAidGroup = groups::create;
    update_mutual_aid_group(UpdateMutualAidGroupRequest) -> pb::MutualAidGroup = groups::update;
    delete_mutual_aid_group(DeleteMutualAidGroupRequest) -> () = groups::delete;
}
