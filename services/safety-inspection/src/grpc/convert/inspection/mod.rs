//! Checklists, inspections and their plans, field by field, both ways.

mod answer;
mod campaign;
mod checklist;
mod item;
mod plan;
mod record;

use kit::field::Fields;
use kit::status::Problem;
use uuid::Uuid;

use super::malformed;
pub(in crate::grpc) use super::organization;
use crate::domain::checklist::template::TemplateId;
use crate::domain::inspection::place::is_place;

pub(in crate::grpc) use answer::{answers, verdict};
pub(in crate::grpc) use campaign::{call, campaign, progress, target};
pub(in crate::grpc) use checklist::{checklist, content, draft, etag};
pub(in crate::grpc) use item::{clause, item};
pub(in crate::grpc) use plan::{coverage, days, due, end_day, place, schedule, timetable, wish};
pub(in crate::grpc) use record::{inspection, listed, looked, plan};

const NAME: usize = 60;
const REASON: usize = 500;

/// Organisation and id in `organizations/{organization}/{collection}/{id}`.
pub(in crate::grpc) fn child(
    field: &'static str,
    collection: &str,
    name: &str,
) -> Result<(String, Uuid), Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", organization, middle, id]
            if kit::org::is_id(organization) && middle == collection =>
        {
            let id = Uuid::try_parse(id).map_err(|_| malformed(field))?;
            Ok((organization.to_owned(), id))
        }
        _ => Err(malformed(field)),
    }
}

/// The id in `checklistTemplates/{checklist_template}`.
pub(in crate::grpc) fn template_id(field: &'static str, name: &str) -> Result<TemplateId, Problem> {
    template_of(name).ok_or_else(|| malformed(field))
}

/// The id in `inspectionSchedules/{inspection_schedule}`.
pub(in crate::grpc) fn schedule_id<'a>(
    field: &'static str,
    name: &'a str,
) -> Result<&'a str, Problem> {
    let id = name.strip_prefix("inspectionSchedules/");
    let is_id = |id: &&str| kit::org::is_id(id) || Uuid::try_parse(id).is_ok();
    id.filter(is_id).ok_or_else(|| malformed(field))
}

/// Why something is disputed or given up.
pub(in crate::grpc) fn reason(reason: &str) -> Result<(), Problem> {
    let mut fields = Fields::new();
    fields.required("reason", reason.trim());
    fields.text("reason", reason, REASON);
    fields.finish()
}

/// A filter: none when unspecified.
pub(in crate::grpc) fn filter<T>(
    field: &'static str,
    number: i32,
    of: impl Fn(i32) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let unknown = || Problem::invalid(field, "请选择有效的选项", "not a known value");
    match number {
        0 => Ok(None),
        _ => of(number).map(Some).ok_or_else(unknown),
    }
}

fn template_of(name: &str) -> Option<TemplateId> {
    name.strip_prefix("checklistTemplates/")?.parse().ok()
}

fn template_name(id: &TemplateId) -> String {
    format!("checklistTemplates/{id}")
}

fn organization_name(id: &str) -> String {
    if id.is_empty() {
        String::new()
    } else {
        format!("organizations/{id}")
    }
}

/// A value that must be one of those that are known.
fn choice<T>(
    fields: &mut Fields,
    field: &str,
    number: i32,
    of: impl Fn(i32) -> Option<T>,
) -> Option<T> {
    let known = of(number);
    if known.is_none() {
        fields.violation(field, "请选择有效的选项", "not a known value");
    }
    known
}

/// A published list that must be named.
fn template_in(fields: &mut Fields, field: &str, name: &str) -> Option<TemplateId> {
    let found = template_of(name);
    if found.is_none() {
        fields.violation(field, "检查表名称格式不正确", "malformed");
    }
    found
}

/// A text of 1 to `most` characters.
fn words<'a>(fields: &mut Fields, field: &str, text: &'a str, most: usize) -> &'a str {
    fields.required(field, text.trim());
    fields.text(field, text, most)
}

fn place_in(fields: &mut Fields, field: &str, place: &str, required: bool) {
    if (required || !place.is_empty()) && !is_place(place) {
        fields.violation(
            field,
            "场所由小写字母、数字、短横线组成，层级以斜杠分隔",
            "parts of a-z 0-9 - between slashes, at most 100 characters",
        );
    }
}

/// A count for the wire.
fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
