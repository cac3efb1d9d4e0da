//! Resource names of the weather.

use kit::status::Problem;
use uuid::Uuid;

use crate::grpc::convert::malformed;

/// The id in `weatherSignals/{weather_signal}`.
pub(in crate::grpc) fn signal_name(name: &str) -> Result<Uuid, Problem> {
    let id = name.strip_prefix("weatherSignals/").unwrap_or_default();
    Uuid::try_parse(id).map_err(|_| malformed("name"))
}

/// The organisation and the id in `organizations/{organization}/{collection}/{id}`.
pub(in crate::grpc) fn child(
    field: &'static str,
    collection: &str,
    name: &str,
) -> Result<(String, Uuid), Problem> {
    let (organization, id) = part(field, collection, name)?;
    let id = Uuid::try_parse(id).map_err(|_| malformed(field))?;
    Ok((organization, id))
}

/// The organisation of `organizations/{organization}/weatherTasks/{weather_task}`.
pub(in crate::grpc) fn task_name(name: &str) -> Result<String, Problem> {
    let (organization, id) = part("name", "weatherTasks", name)?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || id.len() > 64 || !id.chars().all(plain) {
        return Err(malformed("name"));
    }
    Ok(organization)
}

/// The organisation of `organizations/{organization}/{singleton}`.
pub(in crate::grpc) fn singleton(singleton: &str, name: &str) -> Result<String, Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", id, last] if kit::org::is_id(id) && last == singleton => {
            Ok(id.to_owned())
        }
        _ => Err(malformed("name")),
    }
}

fn part<'a>(
    field: &'static str,
    collection: &str,
    name: &'a str,
) -> Result<(String, &'a str), Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", organization, middle, id]
            if kit::org::is_id(organization) && middle == collection =>
        {
            Ok((organization.to_owned(), id))
        }
        _ => Err(malformed(field)),
    }
}
