//! Requests about checks, read field by field.

use chrono::NaiveDate;
use kit::auth::Caller;
use kit::clock::civil_date;
use kit::field::{Fields, from_timestamp};
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::roster::check_policy;
use proto::sampling::{CheckSubmission, CorrectCheckRequest};

use super::super::convert;
use super::screening_content::{Kinds, content};
use crate::app::health::screening::Submission;
use crate::app::health::units::{Scope, UnitName, slot_word};
use crate::domain::day::Day;
use crate::domain::health::rules::Slot;
use crate::domain::plan::is_id;

/// The unit in `organizations/{organization}/classGroups/{class_group}` or
/// `organizations/{organization}/dormitories/{dormitory}`.
pub(super) fn read_unit(name: &str) -> Option<UnitName> {
    let rest = name.strip_prefix("organizations/")?;
    let (organization, rest) = rest.split_once('/')?;
    let (collection, id) = rest.split_once('/')?;
    let is_room = match collection {
        "classGroups" => false,
        "dormitories" => true,
        _ => return None,
    };
    (is_id(organization) && is_id(id)).then(|| UnitName {
        organization: organization.to_owned(),
        id: id.to_owned(),
        is_room,
    })
}

fn unit(fields: &mut Fields, field: &str, name: &str) -> Option<UnitName> {
    let unit = read_unit(name);
    if unit.is_none() {
        fields.violation(
            field,
            "应为 organizations/{机构编号}/classGroups/{班级编号} 或 …/dormitories/{宿舍编号}",
            "must be organizations/{organization}/classGroups/{class_group} or …/dormitories/…",
        );
    }
    unit
}

/// The place of which checks are listed.
pub(super) fn scope(fields: &mut Fields, field: &str, name: &str) -> Option<Scope> {
    if let Some(unit) = read_unit(name) {
        return Some(Scope::Unit(unit));
    }
    let id = convert::organization(fields, field, name);
    (!id.is_empty()).then(|| Scope::Organization(id.to_owned()))
}

/// The unit, day and slot in `{scope}/checks/{YYYYMMDD}-{slot}`.
pub(super) fn check(
    fields: &mut Fields,
    field: &str,
    name: &str,
) -> Option<(UnitName, (Day, Slot))> {
    let read = || {
        let (unit, id) = name.split_once("/checks/")?;
        let (date, word) = id.split_once('-')?;
        let slot = Slot::ALL
            .into_iter()
            .find(|slot| slot_word(*slot) == word)?;
        let date = NaiveDate::parse_from_str(date, "%Y%m%d").ok()?;
        let plain = date.format("%Y%m%d").to_string();
        (id.strip_suffix(word)?.strip_suffix('-')? == plain)
            .then_some(())
            .and(Some((read_unit(unit)?, (Day::from(date), slot))))
    };
    let found = read();
    if found.is_none() {
        fields.violation(
            field,
            "应为 {班级或宿舍}/checks/{日期}-{morning|noon|evening}",
            "must be {scope}/checks/{YYYYMMDD}-{morning|noon|evening}",
        );
    }
    found
}

/// Which check of the day.
pub(super) fn slot(fields: &mut Fields, field: &str, code: i32) -> Option<Slot> {
    let slot: Option<check_policy::Slot> = fields.enumeration(field, code);
    slot.and_then(|slot| Slot::from_code(i16::try_from(slot as i32).ok()?))
}

/// One check of a request.
pub(super) fn submission(
    caller: &Caller,
    check: Option<CheckSubmission>,
) -> Result<Submission, Problem> {
    read(caller, check, None)
}

/// A check that takes the place of what stands.
pub(super) fn correction(
    caller: &Caller,
    request: CorrectCheckRequest,
) -> Result<Submission, Problem> {
    let mut fields = Fields::new();
    let named = self::check(&mut fields, "name", &request.name);
    let reason = fields.required("correction_reason", &request.correction_reason);
    fields.text("correction_reason", reason, 200);
    fields.finish()?;
    let named = named.ok_or_else(|| Problem::new(ErrorReason::InvalidField))?;
    let check = request.check.map(|mut check| {
        check.correction_reason = request.correction_reason;
        check
    });
    read(caller, check, Some(named))
}

/// Reads a check; `named` says of which unit, day and slot it is, else the check itself.
fn read(
    caller: &Caller,
    check: Option<CheckSubmission>,
    named: Option<(UnitName, (Day, Slot))>,
) -> Result<Submission, Problem> {
    let check = check.ok_or_else(|| Problem::invalid("check", "必填", "required"))?;
    let mut fields = Fields::new();
    let replaces = named.is_some();
    let of = match named {
        Some(named) => {
            let asked = (check.scope.is_empty()
                || read_unit(&check.scope).as_ref() == Some(&named.0))
                && (check.slot == 0 || check.slot == i32::from(named.1.1.code()))
                && check.check_date.is_none_or(|date| {
                    kit::field::from_date(date).map(Day::from) == Some(named.1.0)
                });
            if !asked {
                fields.violation("check.scope", "与 name 不一致", "is not that of name");
            }
            Some(named)
        }
        None => {
            let unit = unit(&mut fields, "check.scope", &check.scope);
            let date = fields.date("check.check_date", check.check_date);
            let slot = slot(&mut fields, "check.slot", check.slot);
            unit.zip(date.map(Day::from).zip(slot))
        }
    };
    let capture = check.capture_time.and_then(|time| {
        let instant = from_timestamp(time);
        let day = of.as_ref().map(|(_, (day, _))| *day);
        let early = instant
            .zip(day)
            .is_some_and(|(instant, day)| Day::from(civil_date(instant)) < day);
        if instant.is_none() || early {
            let field = "check.capture_time";
            fields.violation(
                field,
                "早于检查日期或不是有效时间",
                "before the day of the check",
            );
        }
        instant
    });
    let client = uuid::Uuid::parse_str(&check.client_id).ok();
    if client.is_none() {
        fields.violation("check.client_id", "必须是 UUID", "must be a UUID");
    }
    fields.text("check.correction_reason", &check.correction_reason, 200);
    let day = of.as_ref().map_or(Day::NEVER, |(_, (day, _))| *day);
    let mut kinds = Kinds::default();
    let content = content(&mut fields, &check, day, &mut kinds);
    fields.finish()?;
    let (unit, (day, slot)) = of.ok_or_else(|| Problem::new(ErrorReason::InvalidField))?;
    let correction = check.correction_reason;
    Ok(Submission {
        caller: caller.clone(),
        unit,
        day,
        slot,
        kind: kinds.0,
        content,
        capture: capture.map(|time| time.timestamp_millis()),
        client: client.unwrap_or_default().into_bytes(),
        correction: (!correction.is_empty()).then_some(correction),
        replaces,
    })
}
