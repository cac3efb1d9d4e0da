//! Channels, contact points and preferences, both ways.

use kit::field::{Fields, to_timestamp};
use kit::status::Problem;
use proto::notification as pb;

use super::{channel, party};
use crate::app::channels::{Standing, name};
use crate::app::contacts::ContactPoint;
use crate::domain::channel::Kind;
use crate::domain::message::Category;
use crate::domain::party::Party;
use crate::domain::preferences::{DAY, Preferences, Quiet};
use crate::domain::template::Language;

/// A channel with how it is doing.
pub(in crate::grpc) fn standing(standing: Standing) -> pb::Channel {
    let Standing {
        id,
        kind,
        exercise,
        budget_per_minute,
        row,
        backlog,
    } = standing;
    let breaker = row.breaker();
    pb::Channel {
        name: name(&id),
        kind: kind_number(kind).into(),
        paused: row.paused,
        budget_per_minute: i32::try_from(budget_per_minute).unwrap_or(i32::MAX),
        queued_count: backlog.queued,
        dead_count: backlog.dead,
        failures_in_row: row.failures_in_row,
        rest_until: breaker.rest_until.map(to_timestamp),
        oldest_time: backlog.oldest.map(to_timestamp),
        exercise,
    }
}

fn kind_number(kind: Kind) -> pb::channel::Kind {
    match kind {
        Kind::Inbox => pb::channel::Kind::Inbox,
        Kind::Webhook => pb::channel::Kind::Webhook,
        Kind::Email => pb::channel::Kind::Email,
        Kind::Sms => pb::channel::Kind::Sms,
        Kind::WecomRobot => pb::channel::Kind::WecomRobot,
        Kind::DingtalkRobot => pb::channel::Kind::DingtalkRobot,
        Kind::Cap => pb::channel::Kind::Cap,
    }
}

/// A contact point; its address masked.
pub(in crate::grpc) fn contact_point(point: ContactPoint) -> pb::ContactPoint {
    let ContactPoint { party, masked, row } = point;
    pb::ContactPoint {
        party: party.name(),
        channel: name(&row.channel),
        masked_address: masked,
        update_time: Some(to_timestamp(row.updated())),
        unreachable: row.unreachable,
    }
}

/// How many contact points one request sets at most.
const CONTACT_POINTS: usize = 1000;

/// Party, channel and address of a contact point.
pub(in crate::grpc) type Given<'a> = (Party, String, &'a str);

/// Each contact point of a batch, or why it is none.
pub(in crate::grpc) fn contact_points(
    request: &pb::BatchSetContactPointsRequest,
) -> Result<Vec<Result<Given<'_>, Problem>>, Problem> {
    if !(1..=CONTACT_POINTS).contains(&request.contact_points.len()) {
        let (zh, en) = ("请填写 1 至 1000 项", "1 to 1000");
        return Err(Problem::invalid("contact_points", zh, en));
    }
    let given = request.contact_points.iter().map(|one| {
        let channel = channel("channel", &one.channel)?;
        let required = || Problem::invalid("channel", "必填", "required");
        let channel = channel.ok_or_else(required)?.to_owned();
        Ok((party("party", &one.party)?, channel, &*one.address))
    });
    Ok(given.collect())
}

/// What became of a batch: of each why it was refused, if it was.
pub(in crate::grpc) fn stored_contact_points(
    outcome: Vec<Option<Problem>>,
) -> pb::BatchSetContactPointsResponse {
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let stored = outcome.iter().filter(|refused| refused.is_none()).count();
    let refused = outcome
        .into_iter()
        .enumerate()
        .filter_map(|(index, refused)| {
            let problem = refused?;
            let field = problem.fields().next().map_or("", |(field, _)| field);
            Some(pb::RefusedContactPoint {
                index: number(index),
                error_field: field.to_owned(),
                error_message: problem.chinese(),
                error_reason: reason_name(&problem),
            })
        });
    pb::BatchSetContactPointsResponse {
        refused: refused.collect(),
        stored_count: number(stored),
    }
}

/// The reason of a refusal as in `ErrorInfo.reason`.
fn reason_name(problem: &Problem) -> String {
    let name = problem.reason().as_str_name();
    name.trim_start_matches("ERROR_REASON_").to_owned()
}

/// What somebody prefers.
pub(in crate::grpc) fn preferences(party: &Party, preferences: Preferences) -> pb::Preferences {
    let Preferences {
        language,
        plain_speech,
        quiet,
        inbox_only,
        digest,
        updated,
    } = preferences;
    let categories = inbox_only.into_iter();
    pb::Preferences {
        party: party.name(),
        language: language.as_str().to_owned(),
        plain_speech,
        quiet_start_minute: quiet.start.into(),
        quiet_end_minute: quiet.end.into(),
        inbox_only_categories: categories
            .map(|category| category.as_str().to_owned())
            .collect(),
        digest_minute: digest.map_or(-1, Into::into),
        update_time: updated.map(to_timestamp),
    }
}

/// What somebody is to prefer.
pub(in crate::grpc) fn wanted(told: &pb::Preferences) -> Result<Preferences, Problem> {
    let mut fields = Fields::new();
    let language = match &*told.language {
        "" => Some(Language::default()),
        tag => Language::parse(tag),
    };
    if language.is_none() {
        fields.violation(
            "preferences.language",
            "应为 zh-CN 或 en",
            "must be zh-CN or en",
        );
    }
    let minutes = 0..=i32::from(DAY) - 1;
    fields.within(
        "preferences.quiet_start_minute",
        told.quiet_start_minute,
        minutes.clone(),
    );
    fields.within(
        "preferences.quiet_end_minute",
        told.quiet_end_minute,
        minutes.clone(),
    );
    fields.within(
        "preferences.digest_minute",
        told.digest_minute,
        -1..=*minutes.end(),
    );
    let mut inbox_only = Vec::new();
    for (index, text) in told.inbox_only_categories.iter().enumerate() {
        let known = Category::ALL.into_iter().find(|c| c.as_str() == text);
        match known {
            Some(category) if inbox_only.contains(&category) => {}
            Some(category) => inbox_only.push(category),
            None => fields.violation(
                format!("preferences.inbox_only_categories[{index}]"),
                "请选择有效的选项",
                "not a known value",
            ),
        }
    }
    fields.finish()?;
    let minute = |minute: i32| u16::try_from(minute).unwrap_or_default();
    Ok(Preferences {
        language: language.unwrap_or_default(),
        plain_speech: told.plain_speech,
        quiet: Quiet {
            start: minute(told.quiet_start_minute),
            end: minute(told.quiet_end_minute),
        },
        inbox_only,
        digest: u16::try_from(told.digest_minute).ok(),
        updated: None,
    })
}
