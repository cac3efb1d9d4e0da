//! Who submits checks, by resource name: found, and only shown to who may know.

use kit::auth::{Caller, Permission};

use super::super::App;
use crate::domain::day::Day;
use crate::domain::health::check::Unit;
use crate::domain::health::rules::Slot;
use crate::error::Error;
use crate::store::health::units::Range;
use crate::store::health::{dormitories, units};
use crate::store::rolls::{group_name, organization_path};

/// A class group, a group of staff or a dormitory room, by its resource name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnitName {
    /// The school's identifier.
    pub(crate) organization: String,
    /// The identifier within the school.
    pub(crate) id: String,
    /// A dormitory room.
    pub(crate) is_room: bool,
}

/// A place of which checks are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// An organisation with everything below it.
    Organization(String),
    /// One unit.
    Unit(UnitName),
}

impl UnitName {
    /// From the place of a unit.
    pub(crate) fn at(place: &str, unit: Unit) -> Self {
        let mut ids = place.rsplit('/');
        let id = ids.next().unwrap_or_default().to_owned();
        Self {
            organization: ids.next().unwrap_or_default().to_owned(),
            id,
            is_room: unit == Unit::Room,
        }
    }

    /// The resource name.
    pub(crate) fn name(&self) -> String {
        if self.is_room {
            format!(
                "organizations/{}/dormitories/{}",
                self.organization, self.id
            )
        } else {
            group_name(&self.organization, &self.id)
        }
    }

    /// The place below its school's.
    pub(super) fn below(&self, school: &str) -> String {
        format!("{school}/{}", self.id)
    }
}

/// The resource name of a check.
pub(crate) fn check_name(place: &str, unit: Unit, day: Day, slot: Slot) -> String {
    let unit = UnitName::at(place, unit).name();
    format!("{unit}/checks/{}", check_id(day, slot))
}

/// The last part of a check's resource name, such as `20220407-morning`.
pub(crate) fn check_id(day: Day, slot: Slot) -> String {
    let date = day.date().unwrap_or_default();
    format!("{}-{}", date.format("%Y%m%d"), slot_word(slot))
}

/// A check of the day, as resource names say it.
pub(crate) fn slot_word(slot: Slot) -> &'static str {
    match slot {
        Slot::Morning => "morning",
        Slot::Noon => "noon",
        Slot::Evening => "evening",
    }
}

/// The place of a unit at which the caller may do `permission`, from that of its school; who may not
/// see all of the city is not told whether what they may not see exists.
pub(super) fn place_of(
    caller: &Caller,
    permission: Permission,
    unit: &UnitName,
    school: Option<&String>,
) -> Result<String, Error> {
    let scope = caller.allowed(permission)?;
    let Some(school) = school else {
        if scope.ids().count() > 1 {
            App::check_path(caller, permission, "")?;
        }
        return Err(Error::NotFound(unit.name()));
    };
    let place = unit.below(school);
    App::check_path(caller, permission, &place)?;
    Ok(place)
}

impl App {
    /// The range of places that a scope means, after the place `after`.
    pub(crate) async fn range(
        &self,
        caller: &Caller,
        permission: Permission,
        scope: &Scope,
        after: &str,
    ) -> Result<Range, Error> {
        match scope {
            Scope::Organization(id) => {
                let place = self.place(caller, permission, id).await?;
                Ok(Range::below(place.as_str(), after))
            }
            Scope::Unit(unit) => {
                let place = self.unit(caller, permission, unit).await?;
                Ok(Range::one(&place, after))
            }
        }
    }

    /// The place of a unit that is there, and at which the caller may do `permission`.
    pub(crate) async fn unit(
        &self,
        caller: &Caller,
        permission: Permission,
        unit: &UnitName,
    ) -> Result<String, Error> {
        let read = self.db.read();
        let school = organization_path(read, &unit.organization).await?;
        let school = school.map(|school| school.to_string());
        let place = place_of(caller, permission, unit, school.as_ref())?;
        let key = vec![place.as_str().into()];
        let known = if unit.is_room {
            !dormitories::at(read, key).await?.is_empty()
        } else {
            units::groups(read, key).await?.contains_key(&place)
        };
        if known {
            Ok(place)
        } else {
            Err(Error::NotFound(unit.name()))
        }
    }
}
