//! What is asked of the duty watch.

use chrono::{NaiveDate, TimeDelta};
use kit::field::Fields;
use kit::status::Problem;
use proto::roster::staff_member::Post as PbPost;
use proto::safety as pb;
use proto::safety::generate_duty_roster_request::Team as PbTeam;

use super::super::{few, malformed, spot, staff, words};
use crate::app::duty::Draft;
use crate::domain::duty::{Crew, Note, Planned, Post, Span, is_phone};

const LONGEST: TimeDelta = TimeDelta::days(62);
const SHIFT: TimeDelta = TimeDelta::hours(24);
const SHIFTS: usize = 400;
const TEAMS: usize = 50;
const PEOPLE: usize = 50;
const ITEMS: usize = 50;
const TEXT: usize = 2000;
const LINE: usize = 500;

/// The organisation and the day of `organizations/{organization}/patrolDays/{patrol_day}`.
pub(in crate::grpc) fn patrol_day(name: &str) -> Result<(String, NaiveDate), Problem> {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["organizations", id, "patrolDays", day] if kit::org::is_id(id) && day.len() == 10 => {
            let day = day.parse().map_err(|_| malformed("name"))?;
            Ok((id.to_owned(), day))
        }
        _ => Err(malformed("name")),
    }
}

/// A number of the contract that may be left out.
pub(in crate::grpc) fn only<T>(
    field: &'static str,
    number: i32,
    of: fn(i32) -> Option<T>,
) -> Result<Option<T>, Problem> {
    if number == 0 {
        return Ok(None);
    }
    of(number)
        .map(Some)
        .ok_or_else(|| Problem::invalid(field, "请选择有效的选项", "not a known value"))
}

/// The result of a spot check.
pub(in crate::grpc) fn result(number: i32) -> Result<(i16, &'static str), Problem> {
    use pb::spot_check::Result as Pb;
    match Pb::try_from(number) {
        Ok(Pb::Ok) => Ok((1, "OK")),
        Ok(Pb::NoAnswer) => Ok((2, "NO_ANSWER")),
        Ok(Pb::Unspecified) | Err(_) => Err(Problem::invalid(
            "result",
            "请选择有效的选项",
            "not a known value",
        )),
    }
}

/// The span of a roster, and the span and shifts of a request.
pub(in crate::grpc) fn shifts(sent: &pb::DutyRoster) -> Result<(Span, Vec<Planned>), Problem> {
    let mut fields = Fields::new();
    let span = span(
        &mut fields,
        "duty_roster",
        (sent.start_time, sent.end_time),
        LONGEST,
    );
    few(&mut fields, "duty_roster.shifts", &sent.shifts, SHIFTS);
    let mut shifts = Vec::new();
    for (index, shift) in sent.shifts.iter().take(SHIFTS).enumerate() {
        let field = format!("duty_roster.shifts[{index}]");
        let time = (shift.start_time, shift.end_time);
        let planned = self::span(&mut fields, &field, time, SHIFT);
        let who = (&*shift.leader, &*shift.staff, &*shift.posts);
        let crew = Crew {
            phone: phone(&mut fields, &format!("{field}.phone"), &shift.phone),
            ..crew(&mut fields, &format!("{field}."), who)
        };
        let (Some(span), Some(planned)) = (span, planned) else {
            continue;
        };
        if !span.covers(planned) {
            fields.violation(
                format!("{field}.start_time"),
                "班次应在值班表的起止时间之内",
                "must be within the span of the roster",
            );
        }
        shifts.push(Planned {
            span: planned,
            crew,
        });
    }
    fields.finish()?;
    span.map(|span| (span, shifts))
        .ok_or_else(|| malformed("duty_roster"))
}

fn span(
    fields: &mut Fields,
    field: &str,
    (start, end): (
        Option<prost_types::Timestamp>,
        Option<prost_types::Timestamp>,
    ),
    longest: TimeDelta,
) -> Option<Span> {
    let start = fields.instant(&format!("{field}.start_time"), start);
    let end = fields.instant(&format!("{field}.end_time"), end);
    let span = Span {
        start: start?,
        end: end?,
    };
    if span.length() <= TimeDelta::zero() || span.length() > longest {
        fields.violation(
            format!("{field}.end_time"),
            format!("应晚于开始时间，且不超过 {} 小时", longest.num_hours()),
            format!("after the start and within {} hours", longest.num_hours()),
        );
    }
    Some(span)
}

/// The telephone of the watch.
fn phone(fields: &mut Fields, field: &str, text: &str) -> String {
    if text.is_empty() {
        fields.required(field, text);
    } else if !is_phone(text) {
        let (zh, en) = (
            "须为 7 至 20 位的电话号码",
            "must be a number of 7 to 20 digits",
        );
        fields.violation(field, zh, en);
    }
    text.to_owned()
}

/// Those who are on duty together: leader, others and posts, below the field `at`.
fn crew(
    fields: &mut Fields,
    at: &str,
    (leader, others, posts): (&str, &[String], &[pb::DutyPost]),
) -> Crew {
    let mut crew = Crew {
        leader: staff(fields, &format!("{at}leader"), leader),
        staff: Vec::new(),
        posts: Vec::new(),
        phone: String::new(),
    };
    few(fields, &format!("{at}staff"), others, PEOPLE);
    for (index, person) in others.iter().take(PEOPLE).enumerate() {
        let field = format!("{at}staff[{index}]");
        if person == leader || crew.staff.contains(person) {
            fields.violation(&*field, "人员重复", "named before");
        }
        crew.staff.push(staff(fields, &field, person));
    }
    few(fields, &format!("{at}posts"), posts, PEOPLE);
    for (index, post) in posts.iter().take(PEOPLE).enumerate() {
        let field = format!("{at}posts[{index}]");
        if PbPost::from_str_name(&format!("POST_{}", post.post)).is_none_or(unspecified) {
            fields.violation(format!("{field}.post"), "不是有效的岗位", "not a post");
        }
        crew.posts.push(Post {
            post: post.post.clone(),
            staff_member: staff(fields, &format!("{field}.staff_member"), &post.staff_member),
        });
    }
    crew
}

fn unspecified(post: PbPost) -> bool {
    post == PbPost::Unspecified
}

/// Teams in turn, and the days for which they are asked.
pub(in crate::grpc) fn generated(
    request: &pb::GenerateDutyRosterRequest,
) -> Result<Draft, Problem> {
    let mut fields = Fields::new();
    let first = fields.date("start_date", request.start_date);
    let last = fields.date("end_date", request.end_date);
    let days = first.zip(last);
    if days.is_some_and(|(first, last)| last < first || (last - first).num_days() > 61) {
        fields.violation(
            "end_date",
            "应不早于开始日期，且不超过 62 天",
            "not before the start and within 62 days",
        );
    }
    if request.teams.is_empty() {
        fields.violation("teams", "必填", "required");
    }
    few(&mut fields, "teams", &request.teams, TEAMS);
    let phone = phone(&mut fields, "phone", &request.phone);
    let teams = request.teams.iter().take(TEAMS).enumerate();
    let teams = teams
        .map(|(index, team): (usize, &PbTeam)| {
            let of = (&*team.leader, &*team.staff, &*team.posts);
            Crew {
                phone: phone.clone(),
                ..crew(&mut fields, &format!("teams[{index}]."), of)
            }
        })
        .collect();
    fields.finish()?;
    days.map(|days| Draft::Teams(days, teams))
        .ok_or_else(|| malformed("start_date"))
}

/// What is handed over.
pub(in crate::grpc) fn note(request: &pb::WriteHandoverRequest) -> Result<Note, Problem> {
    let mut fields = Fields::new();
    let summary = words(&mut fields, "summary", &request.summary, TEXT);
    few(&mut fields, "open_items", &request.open_items, ITEMS);
    let items = request.open_items.iter().take(ITEMS).enumerate();
    let open_items = items
        .map(|(index, item)| words(&mut fields, &format!("open_items[{index}]"), item, LINE))
        .collect();
    fields.finish()?;
    Ok(Note {
        summary,
        open_items,
    })
}

/// Leader, others, and why they are sent.
pub(in crate::grpc) fn stand_ins(
    request: &pb::ReplaceDutyShiftRequest,
) -> Result<(String, Vec<String>, String), Problem> {
    let mut fields = Fields::new();
    let crew = crew(&mut fields, "", (&request.leader, &request.staff, &[]));
    let reason = words(&mut fields, "reason", &request.reason, LINE);
    fields.finish()?;
    Ok((crew.leader, crew.staff, reason))
}

/// Who leaves a shift, who comes instead, and why.
pub(in crate::grpc) fn swap_of(
    request: &pb::RequestDutySwapRequest,
) -> Result<(String, String, String), Problem> {
    let mut fields = Fields::new();
    let staff_member = staff(&mut fields, "staff_member", &request.staff_member);
    let substitute = staff(&mut fields, "substitute", &request.substitute);
    if staff_member == substitute {
        fields.violation(
            "substitute",
            "不能与原值班人员相同",
            "must be somebody else",
        );
    }
    let reason = words(&mut fields, "reason", &request.reason, LINE);
    fields.finish()?;
    Ok((staff_member, substitute, reason))
}

/// A point on a round.
pub(in crate::grpc) fn point(point: &str) -> Result<String, Problem> {
    let mut fields = Fields::new();
    let point = spot(&mut fields, "point", point);
    fields.finish()?;
    Ok(point)
}
