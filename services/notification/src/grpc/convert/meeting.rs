//! Meetings and attendances on the wire.

use chrono::{DateTime, Duration, Utc};
use kit::field::{Fields, to_timestamp};
use kit::status::Problem;
use proto::notification as pb;
use proto::roster::staff_member::Post;
use uuid::Uuid;

use super::audience::{audience, to_audience};
use super::directive::{directive_text, items, urgency};
use super::{child, comment, is_short_id, long_text, malformed, organization, unknown_value};
use crate::app::attendances::{Act, AttendanceName};
use crate::app::meetings::{Call, meeting_name};
use crate::app::minutes::Minutes;
use crate::domain::attendance::{Attendance, State};
use crate::domain::meeting::{Meeting, Venue, Verb};
use crate::domain::party::Party;
use crate::store::attendances::{Filter, Turnout};

const TITLE: usize = 100;
const AGENDA: usize = 5_000;
const VENUES: usize = 100;
const VENUE_ID: usize = 20;
const POSTS: usize = 10;
/// What a value of a template holds.
const REASON: usize = 200;

/// The parts of the name of an attendance.
pub(in crate::grpc) fn attendance_name(name: &str) -> Result<AttendanceName, Problem> {
    let (meeting, attendance) = name
        .split_once("/attendances/")
        .ok_or_else(|| malformed("name"))?;
    let (organization, meeting) = child("name", "meetings", meeting)?;
    let of_post = attendance.split_once('~');
    if !of_post.is_some_and(|(one, post)| kit::org::is_id(one) && kit::org::is_id(post)) {
        return Err(malformed("name"));
    }
    Ok(AttendanceName {
        organization,
        meeting,
        attendance: attendance.to_owned(),
    })
}

/// The meeting that a request calls at the organisation `convener`.
pub(in crate::grpc) fn call(
    convener: &str,
    meeting: Option<&pb::Meeting>,
) -> Result<Call, Problem> {
    let meeting = meeting.ok_or_else(|| Problem::invalid("meeting", "必填", "required"))?;
    let mut fields = Fields::new();
    fields.required("meeting.title", meeting.title.trim());
    fields.text("meeting.title", &meeting.title, TITLE);
    long_text(&mut fields, "meeting.agenda", &meeting.agenda, AGENDA);
    let start = fields.instant("meeting.start_time", meeting.start_time);
    let end = fields.instant("meeting.end_time", meeting.end_time);
    within_a_day(&mut fields, "meeting.end_time", start.zip(end));
    let venues = venues(&mut fields, &meeting.venues);
    let audience = audience(&mut fields, "meeting.audience", meeting.audience.as_ref());
    posts(&mut fields, &meeting.posts);
    let notice = notice(&mut fields, convener, &meeting.notice);
    fields.finish()?;
    Ok(Call {
        title: meeting.title.clone(),
        agenda: meeting.agenda.clone(),
        start: start.ok_or_else(|| malformed("meeting.start_time"))?,
        end: end.ok_or_else(|| malformed("meeting.end_time"))?,
        venues,
        audience,
        posts: meeting.posts.clone(),
        notice,
    })
}

fn within_a_day(fields: &mut Fields, field: &str, span: Option<(DateTime<Utc>, DateTime<Utc>)>) {
    if span.is_some_and(|(start, end)| end <= start || end > start + Duration::days(1)) {
        let (zh, en) = ("应在开始之后一天之内", "after the begin and within a day");
        fields.violation(field, zh, en);
    }
}

/// The time to which a meeting is postponed.
pub(in crate::grpc) fn postpone(request: &pb::PostponeMeetingRequest) -> Result<Verb, Problem> {
    let mut fields = Fields::new();
    let start = fields.instant("start_time", request.start_time);
    let end = fields.instant("end_time", request.end_time);
    within_a_day(&mut fields, "end_time", start.zip(end));
    fields.text("reason", &request.reason, REASON);
    fields.finish()?;
    Ok(Verb::Postpone {
        start: start.ok_or_else(|| malformed("start_time"))?,
        end: end.ok_or_else(|| malformed("end_time"))?,
        reason: request.reason.trim().to_owned(),
    })
}

/// Why a meeting is called off.
pub(in crate::grpc) fn cancel(request: &pb::CancelMeetingRequest) -> Result<Verb, Problem> {
    let mut fields = Fields::new();
    fields.text("reason", &request.reason, REASON);
    fields.finish()?;
    Ok(Verb::Cancel {
        reason: request.reason.trim().to_owned(),
    })
}

fn venues(fields: &mut Fields, venues: &[pb::Venue]) -> Vec<Venue> {
    if !(1..=VENUES).contains(&venues.len()) {
        fields.violation("meeting.venues", "请填写 1 至 100 个会场", "1 to 100");
    }
    if venues.iter().filter(|venue| venue.main).count() != 1 {
        let (zh, en) = ("应有且只有一个主会场", "exactly one is the main one");
        fields.violation("meeting.venues", zh, en);
    }
    let mut kept: Vec<Venue> = Vec::with_capacity(venues.len().min(VENUES));
    for (index, venue) in venues.iter().enumerate().take(VENUES) {
        let of = |field: &str| format!("meeting.venues[{index}].{field}");
        if !is_short_id(&venue.venue_id, VENUE_ID, b"-") {
            fields.violation(
                of("venue_id"),
                "应为 1 至 20 个小写字母、数字或连字符",
                "1 to 20 of a-z, 0-9 and -",
            );
        }
        if kept.iter().any(|other| other.id == venue.venue_id) {
            fields.violation(of("venue_id"), "重复", "not unique");
        }
        fields.required(&of("display_name"), venue.display_name.trim());
        fields.text(&of("display_name"), &venue.display_name, TITLE);
        let organization = match (&*venue.organization, venue.main) {
            ("", true) => String::new(),
            ("", false) => {
                fields.violation(of("organization"), "分会场必填", "required for a branch");
                String::new()
            }
            (name, _) => organization("name", name).unwrap_or_else(|_| {
                fields.violation(of("organization"), "格式不正确", "malformed");
                String::new()
            }),
        };
        kept.push(Venue {
            id: venue.venue_id.clone(),
            display_name: venue.display_name.clone(),
            main: venue.main,
            organization,
            org_path: String::new(),
        });
    }
    kept
}

fn posts(fields: &mut Fields, posts: &[String]) {
    if !(1..=POSTS).contains(&posts.len()) {
        fields.violation("meeting.posts", "请填写 1 至 10 个岗位", "1 to 10 posts");
    }
    for (index, post) in posts.iter().enumerate().take(POSTS) {
        let field = format!("meeting.posts[{index}]");
        let known = Post::from_str_name(&format!("POST_{post}"));
        if known.is_none_or(|known| known == Post::Unspecified) {
            fields.violation(field, "请选择有效的选项", "not a known value");
        } else if posts[..index].contains(post) {
            fields.violation(field, "重复", "not unique");
        }
    }
}

fn notice(fields: &mut Fields, convener: &str, name: &str) -> Option<Uuid> {
    if name.is_empty() {
        return None;
    }
    let named = child("name", "directives", name).ok();
    let ours = named.filter(|(organization, _)| organization == convener);
    if ours.is_none() {
        let (zh, en) = ("不是本单位的通知", "not a directive of the organisation");
        fields.violation("meeting.notice", zh, en);
    }
    ours.map(|(_, id)| id)
}

/// The minutes of a meeting.
pub(in crate::grpc) fn minutes(request: &pb::PublishMinutesRequest) -> Result<Minutes, Problem> {
    let mut fields = Fields::new();
    directive_text(&mut fields, "minutes", &request.minutes);
    if request.items.is_empty() {
        fields.violation("items", "请填写 1 至 100 项", "1 to 100");
    }
    let items = items(&mut fields, &request.items);
    let urgency = urgency(&mut fields, request.urgency);
    fields.finish()?;
    Ok(Minutes {
        minutes: request.minutes.clone(),
        items,
        urgency: urgency.ok_or_else(|| unknown_value("urgency"))?,
        to_class_groups: request.to_class_groups,
    })
}

pub(in crate::grpc) fn sign_in(request: &pb::SignInRequest) -> Result<Act, Problem> {
    let attendee = staff("attendee", &request.attendee)?;
    if !request.venue_id.is_empty() && !is_short_id(&request.venue_id, VENUE_ID, b"-") {
        return Err(malformed("venue_id"));
    }
    let venue = request.venue_id.clone();
    Ok(Act::SignIn { attendee, venue })
}

pub(in crate::grpc) fn substitute(request: &pb::RequestSubstituteRequest) -> Result<Act, Problem> {
    Ok(Act::RequestSubstitute {
        substitute: staff("substitute", &request.substitute)?,
        reason: comment("reason", &request.reason, true)?,
    })
}

fn staff(field: &'static str, name: &str) -> Result<Uuid, Problem> {
    match Party::parse(name) {
        Some(Party::Staff(id)) => Ok(id),
        Some(
            Party::Student(_) | Party::Family(_) | Party::Guardian(..) | Party::Organization(_),
        )
        | None => Err(malformed(field)),
    }
}

/// Which attendances a list is of.
pub(in crate::grpc) fn filter(request: &pb::ListAttendancesRequest) -> Result<Filter, Problem> {
    let mut states = State::ALL.into_iter();
    let state = match request.state {
        0 => None,
        number => {
            let known = states.find(|state| *state as i32 == number);
            Some(known.ok_or_else(|| unknown_value("state"))?)
        }
    };
    Ok(Filter {
        state,
        requested: request.substitution_requested,
    })
}

/// A meeting as callers see it.
pub(in crate::grpc) fn meeting(meeting: Meeting, turnout: Turnout) -> pb::Meeting {
    let Meeting {
        organization,
        id,
        org_path: _,
        state,
        title,
        agenda,
        start,
        end,
        venues,
        audience,
        posts,
        notice,
        convener,
        created,
        closed,
        minutes,
        directive,
        change_reason,
        version: _,
    } = meeting;
    let venue = |venue: Venue| pb::Venue {
        venue_id: venue.id,
        display_name: venue.display_name,
        main: venue.main,
        organization: match &*venue.organization {
            "" => String::new(),
            id => format!("organizations/{id}"),
        },
    };
    pb::Meeting {
        name: meeting_name(&organization, id),
        state: state as i32,
        title,
        agenda,
        start_time: Some(to_timestamp(start)),
        end_time: Some(to_timestamp(end)),
        venues: venues.into_iter().map(venue).collect(),
        audience: Some(to_audience(audience)),
        posts,
        notice,
        convener,
        create_time: Some(to_timestamp(created)),
        close_time: closed.map(to_timestamp),
        expected_count: turnout.expected,
        attended_count: turnout.attended,
        late_count: turnout.late,
        substitute_count: turnout.substitutes,
        absent_count: turnout.absent,
        minutes,
        directive,
        change_reason,
    }
}

/// An attendance of the meeting `meeting` as callers see it.
pub(in crate::grpc) fn attendance(meeting: &str, attendance: Attendance) -> pb::Attendance {
    let Attendance {
        id,
        organization,
        org_path: _,
        post,
        venue,
        state,
        substitution,
        substitute,
        substitute_reason,
        substitute_decider,
        attendee,
        sign_in_venue,
        signed_in,
        signed_out,
        late,
        left_unsigned,
        version: _,
    } = attendance;
    pb::Attendance {
        name: format!("{meeting}/attendances/{id}"),
        organization: format!("organizations/{organization}"),
        post,
        venue_id: venue,
        state: state as i32,
        substitution: substitution as i32,
        substitute,
        substitute_reason,
        substitute_decider,
        attendee,
        sign_in_venue_id: sign_in_venue,
        sign_in_time: signed_in.map(to_timestamp),
        sign_out_time: signed_out.map(to_timestamp),
        late,
        left_unsigned,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{attendance, meeting};

    #[test]
    fn states_have_the_numbers_and_names_of_the_contract() {
        for state in meeting::State::ALL {
            let pb = pb::meeting::State::try_from(state as i32).unwrap();
            assert_eq!(pb.as_str_name(), format!("STATE_{}", state.as_str()));
        }
        for state in attendance::State::ALL {
            let pb = pb::attendance::State::try_from(state as i32).unwrap();
            assert_eq!(pb.as_str_name(), format!("STATE_{}", state.as_str()));
        }
        for substitution in attendance::Substitution::ALL {
            assert!(pb::attendance::Substitution::try_from(substitution as i32).is_ok());
        }
    }
}
