//! Alert rules on the wire.

use chrono::Duration;
use kit::field::Fields;
use kit::status::Problem;
use proto::notification as pb;
use proto::notification::alert_reaction::PolicySpan;

use super::alert::version;
use super::malformed;
use crate::domain::directive::Urgency;
use crate::domain::fact::{Kind, Severity};
use crate::domain::hearer::Hearer;
use crate::domain::rule::{Reaction, Rule, Within};
use crate::domain::rulebook::shipped;

/// How many kinds one field names at most.
const KINDS: usize = 20;

/// The kind in `alertRules/{kind}`.
pub(in crate::grpc) fn alert_rule_name(name: &str) -> Result<Kind, Problem> {
    let word = name.strip_prefix("alertRules/");
    word.and_then(Kind::parse)
        .ok_or_else(|| malformed("rule.name"))
}

/// The version of a rule as callers send it back.
pub(in crate::grpc) fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// A rule as callers see it.
pub(in crate::grpc) fn alert_rule(rule: Rule) -> pb::AlertRule {
    let Rule {
        kind,
        basis,
        ordinary,
        grave,
        duty,
        above,
        also,
        inhibited_by,
        group_wait,
        template,
        version: number,
    } = rule;
    pb::AlertRule {
        name: format!("alertRules/{}", kind.as_str()),
        kind: kind as i32,
        basis,
        ordinary: Some(reaction(ordinary)),
        grave: grave.map(reaction),
        duty,
        above,
        also: also.into_iter().map(|hearer| hearer as i32).collect(),
        inhibited_by: inhibited_by.into_iter().map(|kind| kind as i32).collect(),
        group_wait: Some(to_duration(group_wait)),
        template,
        version: version(number),
        etag: etag(number),
    }
}

fn reaction(reaction: Reaction) -> pb::AlertReaction {
    let Reaction {
        severity,
        within,
        escalate_after,
    } = reaction;
    let (within, policy_span) = match within {
        Within::Span(span) => (Some(to_duration(span)), PolicySpan::Unspecified),
        Within::HoldNotice => (None, PolicySpan::HoldNotice),
        Within::As(Urgency::Routine) => (None, PolicySpan::Routine),
        Within::As(Urgency::Urgent) => (None, PolicySpan::Urgent),
        Within::As(Urgency::ExtraUrgent) => (None, PolicySpan::ExtraUrgent),
    };
    pb::AlertReaction {
        severity: severity as i32,
        within,
        policy_span: policy_span.into(),
        escalate_after: escalate_after.into_iter().map(to_duration).collect(),
    }
}

fn to_duration(span: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: span.num_seconds(),
        nanos: 0,
    }
}

/// What the rule of a kind is to be. Whether it can be in force, the domain says.
pub(in crate::grpc) fn rule_change(kind: Kind, rule: &pb::AlertRule) -> Result<Rule, Problem> {
    let mut fields = Fields::new();
    fields.required("rule.etag", &rule.etag);
    fields.required("rule.duty", &rule.duty);
    let ordinary = match &rule.ordinary {
        Some(ordinary) => read_reaction(&mut fields, "rule.ordinary", ordinary),
        None => {
            fields.violation("rule.ordinary", "必填", "required");
            None
        }
    };
    let grave = rule.grave.as_ref();
    let grave = grave.map(|grave| read_reaction(&mut fields, "rule.grave", grave));
    let also = rule.also.iter().map(|code| Hearer::from_code(*code));
    let also: Option<Vec<Hearer>> = also.collect();
    if also.is_none() {
        fields.violation("rule.also", "请选择有效的选项", "not a known value");
    }
    let inhibited_by = kinds(&mut fields, "rule.inhibited_by", &rule.inhibited_by);
    let group_wait = rule.group_wait.as_ref();
    let group_wait = group_wait.and_then(|wait| span(&mut fields, "rule.group_wait", wait));
    if !rule.template.is_empty() && !is_template(&rule.template) {
        fields.violation("rule.template", "格式不正确", "malformed");
    }
    fields.finish()?;
    let unread = || malformed("rule");
    Ok(Rule {
        kind,
        basis: shipped(kind).rule.basis.clone(),
        ordinary: ordinary.ok_or_else(unread)?,
        grave: grave.map(|grave| grave.ok_or_else(unread)).transpose()?,
        duty: rule.duty.clone(),
        above: rule.above,
        also: also.unwrap_or_default(),
        inhibited_by,
        group_wait: group_wait.unwrap_or_else(Duration::zero),
        template: rule.template.clone(),
        version: 0,
    })
}

fn read_reaction(
    fields: &mut Fields,
    name: &str,
    reaction: &pb::AlertReaction,
) -> Option<Reaction> {
    let at = |field: &str| format!("{name}.{field}");
    let severity = Severity::ALL
        .into_iter()
        .find(|severity| *severity as i32 == reaction.severity);
    if severity.is_none() {
        fields.violation(at("severity"), "请选择有效的选项", "not a known value");
    }
    let within = match &reaction.within {
        Some(within) => span(fields, &at("within"), within).map(Within::Span),
        None => policy_span(fields, &at("policy_span"), reaction.policy_span),
    };
    let steps = reaction.escalate_after.iter();
    let steps: Vec<Option<Duration>> = steps
        .map(|step| span(fields, &at("escalate_after"), step))
        .collect();
    Some(Reaction {
        severity: severity?,
        within: within?,
        escalate_after: steps.into_iter().collect::<Option<_>>()?,
    })
}

fn policy_span(fields: &mut Fields, name: &str, number: i32) -> Option<Within> {
    match fields.enumeration::<PolicySpan>(name, number)? {
        PolicySpan::Unspecified => None,
        PolicySpan::HoldNotice => Some(Within::HoldNotice),
        PolicySpan::Routine => Some(Within::As(Urgency::Routine)),
        PolicySpan::Urgent => Some(Within::As(Urgency::Urgent)),
        PolicySpan::ExtraUrgent => Some(Within::As(Urgency::ExtraUrgent)),
    }
}

/// A span of whole seconds.
fn span(fields: &mut Fields, name: &str, span: &prost_types::Duration) -> Option<Duration> {
    let read = fields.span(name, *span)?;
    if read.subsec_nanos() > 0 {
        fields.violation(name, "必须是整秒", "must be whole seconds");
    }
    Duration::from_std(read).ok()
}

/// Kinds of facts, at most 20.
pub(super) fn kinds(fields: &mut Fields, name: &str, numbers: &[i32]) -> Vec<Kind> {
    let kinds: Option<Vec<Kind>> = numbers.iter().map(|kind| Kind::from_code(*kind)).collect();
    let kinds = kinds.filter(|_| numbers.len() <= KINDS);
    if kinds.is_none() {
        fields.violation(
            name,
            format!("最多 {KINDS} 项，且须为有效的选项"),
            format!("at most {KINDS}, each a known value"),
        );
    }
    kinds.unwrap_or_default()
}

/// Whether a text is `templates/{template}`.
fn is_template(name: &str) -> bool {
    let id = name.strip_prefix("templates/").unwrap_or_default();
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=40).contains(&id.len()) && id.bytes().all(letter)
}

#[cfg(test)]
mod tests {
    use proto::roster::responsibility_node::Subject;

    use super::*;
    use crate::domain::rule::DUTIES;

    #[test]
    fn every_shipped_rule_survives_the_wire() {
        for kind in Kind::ALL {
            let rule = shipped(*kind).rule.clone();
            let wire = alert_rule(rule.clone());
            assert_eq!(alert_rule_name(&wire.name).unwrap(), *kind);
            assert_eq!(rule_change(*kind, &wire).unwrap(), rule);
        }
    }

    #[test]
    fn duties_are_the_subjects_of_the_responsibility_chain() {
        let subjects = (1..).map_while(|number| Subject::try_from(number).ok());
        let subjects: Vec<String> = subjects
            .map(|subject| subject.as_str_name().replacen("SUBJECT_", "", 1))
            .collect();
        assert_eq!(subjects, DUTIES);
    }

    #[test]
    fn every_wrong_field_of_a_rule_is_named() {
        let wrong = pb::AlertRule {
            ordinary: Some(pb::AlertReaction {
                severity: 9,
                within: None,
                policy_span: 0,
                escalate_after: vec![prost_types::Duration {
                    seconds: 60,
                    nanos: 1,
                }],
            }),
            also: vec![0],
            inhibited_by: vec![0],
            template: "templates/A".to_owned(),
            ..Default::default()
        };
        let problem = rule_change(Kind::HoldPlaced, &wrong).unwrap_err();
        let fields: Vec<&str> = problem.fields().map(|(field, _)| field).collect();
        assert_eq!(
            fields,
            [
                "rule.etag",
                "rule.duty",
                "rule.ordinary.severity",
                "rule.ordinary.policy_span",
                "rule.ordinary.escalate_after",
                "rule.also",
                "rule.inhibited_by",
                "rule.template",
            ]
        );
    }
}
