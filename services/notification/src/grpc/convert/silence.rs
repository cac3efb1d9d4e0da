//! Silences on the wire.

use chrono::{DateTime, Utc};
use kit::field::{Fields, to_timestamp};
use kit::status::Problem;
use proto::notification as pb;

use super::alert_rule::kinds;
use super::malformed;
use crate::app::silences::Wish;
use crate::domain::silence::{LONGEST, Silence};

const REASON: usize = 500;

/// A silence as callers see it.
pub(in crate::grpc) fn silence(silence: Silence) -> pb::Silence {
    let name = silence.name();
    let Silence {
        organization: _,
        id: _,
        org_path: _,
        kinds,
        reason,
        author,
        created,
        expires,
        ended,
    } = silence;
    pb::Silence {
        name,
        kinds: kinds.into_iter().map(|kind| kind as i32).collect(),
        reason,
        create_time: Some(to_timestamp(created)),
        expire_time: Some(to_timestamp(expires)),
        author,
        ender: ended.map(|(ender, _)| ender).unwrap_or_default(),
    }
}

/// What somebody asks for.
pub(in crate::grpc) fn wish(
    silence: Option<&pb::Silence>,
    now: DateTime<Utc>,
) -> Result<Wish, Problem> {
    let mut fields = Fields::new();
    let unset = pb::Silence::default();
    let silence = silence.unwrap_or(&unset);
    let kinds = kinds(&mut fields, "silence.kinds", &silence.kinds);
    if silence.kinds.is_empty() {
        fields.violation("silence.kinds", "必填", "required");
    }
    fields.required("silence.reason", silence.reason.trim());
    fields.text("silence.reason", &silence.reason, REASON);
    let expires = fields.instant("silence.expire_time", silence.expire_time);
    if expires.is_some_and(|expires| !(now..=now + LONGEST).contains(&expires) || expires == now) {
        fields.violation(
            "silence.expire_time",
            "应在此刻之后的 7 天之内",
            "must be within 7 days from now",
        );
    }
    fields.finish()?;
    Ok(Wish {
        kinds,
        reason: silence.reason.clone(),
        expires: expires.ok_or_else(|| malformed("silence.expire_time"))?,
    })
}
