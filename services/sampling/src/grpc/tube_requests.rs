//! Requests about tubes, read field by field.

use kit::auth::Caller;
use kit::field::{Fields, from_timestamp};
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::sampling::{
    AddSwabRequest, HandOverTubeRequest, IssueTubesRequest, OpenTubeRequest, PoolType,
    ReceiveTubeRequest, RejectCause, RejectTubeRequest, RemoveSwabRequest, tube,
};

use super::convert;
use crate::app::swabs::Scan;
use crate::app::tubes::{Lot, Purpose};
use crate::domain::plan::DrawId;
use crate::domain::roll::{GroupKind, PersonId};
use crate::domain::swab::SingleReason;
use crate::domain::tube::is_code;
use crate::domain::tube_step::Step;

/// How many codes that cannot be are named in one answer.
const NAMED: usize = 20;

/// The code in `tubes/{code}`.
pub(super) fn code(fields: &mut Fields, field: &str, name: &str) -> String {
    match name.strip_prefix("tubes/") {
        Some(code) if is_code(code) => code.to_owned(),
        _ => {
            let (chinese, english) = ("应为 tubes/{采样管编码}", "must be tubes/{tube code}");
            fields.violation(field, chinese, english);
            String::new()
        }
    }
}

/// Every field that is wrong, or the value that was read of them.
fn finish<T>(fields: Fields, value: Option<T>) -> Result<T, Problem> {
    fields.finish()?;
    value.ok_or_else(|| Problem::new(ErrorReason::InvalidField))
}

pub(super) fn lot(caller: &Caller, request: IssueTubesRequest) -> Result<Lot, Problem> {
    let IssueTubesRequest {
        laboratory,
        lot,
        pool_type,
        organization,
        tube_codes,
        disease,
    } = request;
    let mut fields = Fields::new();
    if caller.laboratory.is_none() {
        fields.required("laboratory", &laboratory);
    }
    fields.text("laboratory", &laboratory, 64);
    fields.required("lot", &lot);
    fields.text("lot", &lot, 64);
    let pool: Option<PoolType> = fields.enumeration("pool_type", pool_type);
    let organization = convert::organization(&mut fields, "organization", &organization).to_owned();
    fields.within("tube_codes", tube_codes.len(), 1..=10_000);
    let wrong = (0_usize..)
        .zip(&tube_codes)
        .filter(|(_, code)| !is_code(code));
    for (place, _) in wrong.take(NAMED) {
        fields.violation(
            format!("tube_codes[{place}]"),
            "应为 4 到 32 位字母、数字或连字符",
            "must be 4 to 32 letters, digits or hyphens",
        );
    }
    let disease = super::health::case_requests::disease(&mut fields, disease);
    let capacity = pool.and_then(|pool| match pool {
        PoolType::Unspecified => None,
        PoolType::Single => Some(1),
        PoolType::P5 => Some(5),
        PoolType::P10 => Some(10),
        PoolType::P20 => Some(20),
    });
    let lot = capacity.map(|capacity| Lot {
        laboratory,
        lot,
        capacity,
        organization,
        codes: tube_codes,
        disease,
    });
    finish(fields, lot)
}

pub(super) fn opening(
    request: &OpenTubeRequest,
) -> Result<(String, Purpose, Option<DrawId>), Problem> {
    let OpenTubeRequest {
        name,
        class_group,
        point,
        hold,
        draw,
        request_id: _,
    } = request;
    let mut fields = Fields::new();
    let code = code(&mut fields, "name", name);
    let purpose = match (class_group.as_str(), point.as_str(), hold.as_str()) {
        (group, "", "") => convert::class_group(&mut fields, "class_group", group)
            .map(|(school, group)| Purpose::Group(school.to_owned(), group.to_owned())),
        ("", point, "") => convert::point(&mut fields, "point", point).map(Purpose::Point),
        ("", "", hold) => convert::hold(&mut fields, "hold", hold).map(Purpose::Hold),
        _ => {
            let (chinese, english) = (
                "班级、采样点与管控只能填写一项",
                "must be the only one of class_group, point and hold",
            );
            fields.violation("class_group", chinese, english);
            None
        }
    };
    let draw: Option<DrawId> = fields.optional("draw", draw);
    let purpose = finish(fields, purpose)?;
    Ok((code, purpose, draw))
}

pub(super) fn scan(caller: Caller, request: AddSwabRequest) -> Result<Scan, Problem> {
    let AddSwabRequest {
        tube,
        person,
        scan_time,
        single_reason,
    } = request;
    let mut fields = Fields::new();
    let tube = code(&mut fields, "tube", &tube);
    let kind = if person.starts_with("staff/") {
        GroupKind::Staff
    } else {
        GroupKind::Students
    };
    let person = if person.is_empty() {
        None
    } else {
        convert::person(&mut fields, "person", &person).map(|person| (person, kind))
    };
    let time = scan_time.and_then(from_timestamp);
    if scan_time.is_some() && time.is_none() {
        fields.violation("scan_time", "不是有效的时间", "not an instant");
    }
    let single = match proto::sampling::SingleReason::try_from(single_reason) {
        Ok(reason) => SingleReason::from_code(reason.into()),
        Err(_) => {
            fields.violation("single_reason", "请选择有效的选项", "not a known value");
            None
        }
    };
    fields.finish()?;
    Ok(Scan {
        caller,
        tube,
        person,
        time,
        single,
    })
}

pub(super) fn removal(request: &RemoveSwabRequest) -> Result<(String, PersonId), Problem> {
    let mut fields = Fields::new();
    let code = code(&mut fields, "tube", &request.tube);
    let person = convert::person(&mut fields, "person", &request.person);
    fields.required("reason", &request.reason);
    fields.text("reason", &request.reason, 200);
    Ok((code, finish(fields, person)?))
}

/// A step that needs nothing but the tube.
pub(super) fn plain(name: &str, step: Step) -> Result<(String, Step), Problem> {
    let mut fields = Fields::new();
    let code = code(&mut fields, "name", name);
    fields.finish()?;
    Ok((code, step))
}

pub(super) fn hand_over(request: &HandOverTubeRequest) -> Result<(String, Step), Problem> {
    let mut fields = Fields::new();
    let code = code(&mut fields, "name", &request.name);
    fields.required("courier", &request.courier);
    fields.text("courier", &request.courier, 64);
    fields.finish()?;
    let courier = request.courier.clone();
    Ok((code, Step::HandOver { courier }))
}

pub(super) fn receipt(request: &ReceiveTubeRequest) -> Result<(String, Step), Problem> {
    let mut fields = Fields::new();
    let code = code(&mut fields, "name", &request.name);
    fields.required("courier", &request.courier);
    fields.text("courier", &request.courier, 64);
    fields.required("receiver", &request.receiver);
    fields.text("receiver", &request.receiver, 64);
    fields.finish()?;
    let (courier, receiver) = (request.courier.clone(), request.receiver.clone());
    Ok((code, Step::Receive { courier, receiver }))
}

/// A tube and why something happens to it.
pub(super) fn reasoned(name: &str, reason: &str) -> Result<(String, String), Problem> {
    let mut fields = Fields::new();
    let code = code(&mut fields, "name", name);
    fields.required("reason", reason);
    fields.text("reason", reason, 200);
    fields.finish()?;
    Ok((code, reason.to_owned()))
}

pub(super) fn rejection(request: &RejectTubeRequest) -> Result<(String, Step), Problem> {
    let mut fields = Fields::new();
    let code = code(&mut fields, "name", &request.name);
    let cause: Option<RejectCause> = fields.enumeration("cause", request.cause);
    let cause = finish(fields, cause)?.as_str_name();
    let cause = cause.trim_start_matches("REJECT_CAUSE_");
    Ok((code, Step::Reject { cause }))
}

/// A state to filter by; none for all.
pub(super) fn state(fields: &mut Fields, state: i32) -> Option<i16> {
    if state == 0 {
        return None;
    }
    let known: Option<tube::State> = fields.enumeration("state", state);
    known.and_then(|state| i16::try_from(i32::from(state)).ok())
}
