//! Field by field: sampling points, both ways.

use kit::field::{Fields, to_date};
use kit::status::Problem;
use proto::error::ErrorReason;
use proto::sampling::sampling_point::Kind;
use proto::sampling::{CreateSamplingPointRequest, SamplingPoint, SubjectType};

use super::convert;
use super::tube_convert::instant;
use crate::app::points::{NewPoint, Sampled};
use crate::store::points::PointRow;

/// A point to be created.
pub(super) fn draft(request: &CreateSamplingPointRequest) -> Result<NewPoint, Problem> {
    let mut fields = Fields::new();
    let point = request.sampling_point.clone().unwrap_or_default();
    if request.sampling_point.is_none() {
        fields.violation("sampling_point", "必填", "required");
    }
    fields.required("sampling_point.display_name", &point.display_name);
    fields.text("sampling_point.display_name", &point.display_name, 63);
    let organization = convert::organization(
        &mut fields,
        "sampling_point.organization",
        &point.organization,
    )
    .to_owned();
    let kind: Option<Kind> = fields.enumeration("sampling_point.kind", point.kind);
    let subject: Option<SubjectType> =
        fields.enumeration("sampling_point.subject_type", point.subject_type);
    if subject == Some(SubjectType::Person) {
        let (chinese, english) = ("采样点只能采物品或环境", "must be object or environment");
        fields.violation("sampling_point.subject_type", chinese, english);
    }
    fields.within("sampling_point.every_days", point.every_days, 0..=365);
    fields.finish()?;
    let small = |code: i32| i16::try_from(code).ok();
    let draft = (|| {
        Some(NewPoint {
            display_name: point.display_name,
            organization,
            kind: small(kind?.into())?,
            subject: small(subject?.into())?,
            every_days: small(point.every_days)?,
        })
    })();
    draft.ok_or_else(|| Problem::new(ErrorReason::InvalidField))
}

/// A point as it is told.
pub(crate) fn point(sampled: &Sampled) -> SamplingPoint {
    let Sampled { row, last, due } = sampled;
    let PointRow {
        id,
        display_name,
        organization,
        org_path,
        kind,
        subject,
        every_days,
        state,
        disinfect_time,
        created_day: _,
        create_time,
    } = row;
    SamplingPoint {
        name: format!("samplingPoints/{id}"),
        display_name: display_name.clone(),
        organization: format!("organizations/{organization}"),
        org_path: org_path.clone(),
        kind: i32::from(*kind),
        subject_type: i32::from(*subject),
        every_days: i32::from(*every_days),
        state: i32::from(*state),
        last_sample_date: last.date().map(to_date),
        due_date: due.date().map(to_date),
        disinfect_time: instant(*disinfect_time),
        create_time: instant(*create_time),
    }
}
