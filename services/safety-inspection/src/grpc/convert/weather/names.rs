//! Resource names of the weather.

use kit::status::Problem;
use uuid::Uuid;

use crate::grpc::convert::malformed;

/// The id in `weatherSignals/{weather_signal}`.
pub(in crate::grpc) fn signal_name(name: &str) -> Result<Uuid, Problem> {
    let id = name.strip_prefix("weatherSignals/").unwrap_or_default();
    Uuid::try_parse(id).map_err(|_| malformed("name"))
}

/// The organisation of `organizations/{organization}/weatherTasks/{weather_task}`.
pub(in crate::grpc) fn task_name(name: &str) -> Result<String, Problem> {
    let ["organizations", organization, "weatherTasks", id] =
        name.split('/').collect::<Vec<_>>()[..]
    else {
        return Err(malformed("name"));
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !kit::org::is_id(organization) || !(1..=64).contains(&id.len()) || !id.chars().all(plain) {
        return Err(malformed("name"));
    }
    Ok(organization.to_owned())
}
