//! What one kind of fact leads to: how much it matters, who must see to it, and by when.

use chrono::Duration;

use super::directive::Urgency;
use super::fact::{Kind, Severity};
use super::hearer::Hearer;
use super::policy::Policy;

/// How soon somebody must have acknowledged an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// Within a span of the rule's own.
    Span(Duration),
    /// As soon as a hold must be noticed (rule 2.19).
    HoldNotice,
    /// As soon as a directive of this urgency is signed for.
    As(Urgency),
}

impl Within {
    /// The span under a policy.
    pub fn span(self, policy: &Policy) -> Duration {
        match self {
            Self::Span(span) => span,
            Self::HoldNotice => policy.hold_notice,
            Self::As(urgency) => policy.acknowledge.of(urgency),
        }
    }
}

/// How much a fact matters, and how soon somebody must have seen it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// How much it matters.
    pub severity: Severity,
    /// How soon the school must have seen it.
    pub within: Within,
    /// How long each organisation above has; the last span counts for all further ones.
    pub escalate_after: Vec<Duration>,
}

impl Reaction {
    /// How long the organisation `level` steps above the school has before the alert goes further up;
    /// none when it stays there.
    pub fn stay(&self, level: i32) -> Option<Duration> {
        let place = usize::try_from(level - 1).ok()?;
        let spans = &self.escalate_after;
        spans.get(place).or(spans.last()).copied()
    }
}

/// The rule of one kind of fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The kind of fact.
    pub kind: Kind,
    /// The number in the rule book.
    pub basis: String,
    /// What an ordinary fact leads to.
    pub ordinary: Reaction,
    /// What a grave one leads to, where that differs.
    pub grave: Option<Reaction>,
    /// The duty whose answerable person owns the alert.
    pub duty: String,
    /// The organisation above must see to it from the start.
    pub above: bool,
    /// Who hears of it from the start besides the owner.
    pub also: Vec<Hearer>,
    /// While an alert of one of these kinds stands at the same school, one of this kind is not told.
    pub inhibited_by: Vec<Kind>,
    /// Alerts for the same owner within this span of the first are told together.
    pub group_wait: Duration,
    /// `templates/{template}` of the messages about it; empty for the shipped sentence.
    pub template: String,
    /// 0 for the shipped rule, else the number of the change.
    pub version: i64,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field, such as `grave.within`.
    pub field: String,
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
}

/// The most steps that a rule names.
const STEPS: usize = 5;

/// The subjects of the register's responsibility chain.
pub const DUTIES: &[&str] = &[
    "OVERALL_HEAD",
    "OVERALL_PARTY",
    "SAFETY",
    "EPIDEMIC_CONTROL",
    "FIRE",
    "FOOD",
    "BUILDINGS",
    "LABORATORIES",
    "TRAFFIC",
    "SECURITY",
    "DORMITORIES",
    "WEATHER",
    "PSYCHOLOGY",
    "DATA",
    "CLASS_GROUP",
];

/// 1 minute to 7 days.
fn in_bounds(span: Duration) -> bool {
    (Duration::minutes(1)..=Duration::days(7)).contains(&span)
}

impl Rule {
    /// What a fact leads to.
    pub fn reaction(&self, grave: bool) -> &Reaction {
        self.grave
            .as_ref()
            .filter(|_| grave)
            .unwrap_or(&self.ordinary)
    }

    /// What is wrong with it under any of the policies in use; nothing when it can be in force.
    pub fn faults(&self, policies: &[Policy]) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, zh, en| {
            let field = field.to_owned();
            faults.push(Fault { field, zh, en });
        };
        if !DUTIES.contains(&&*self.duty) {
            fault(
                "duty",
                "不是责任链中的职责",
                "not a duty of the responsibility chain",
            );
        }
        if !(Duration::zero()..=Duration::hours(1)).contains(&self.group_wait) {
            fault(
                "group_wait",
                "应在 0 到 1 小时之间",
                "must be between 0 and 1 hour",
            );
        }
        let mut also = self.also.clone();
        also.sort_unstable();
        also.dedup();
        if also.len() < self.also.len() {
            fault("also", "不能重复", "must name each once");
        }
        let mut kinds = self.inhibited_by.clone();
        kinds.sort_unstable();
        kinds.dedup();
        if kinds.len() < self.inhibited_by.len() || kinds.contains(&self.kind) {
            fault(
                "inhibited_by",
                "不能重复，也不能是本类",
                "must name each kind once, and not the kind itself",
            );
        }
        for (name, reaction) in [
            ("ordinary", Some(&self.ordinary)),
            ("grave", self.grave.as_ref()),
        ] {
            let Some(reaction) = reaction else { continue };
            if let Within::Span(span) = reaction.within
                && !in_bounds(span)
            {
                let field = format!("{name}.within");
                fault(
                    &field,
                    "应在 1 分钟到 7 天之间",
                    "must be between 1 minute and 7 days",
                );
            }
            let steps = &reaction.escalate_after;
            let field = format!("{name}.escalate_after");
            if steps.len() > STEPS || !steps.iter().all(|span| in_bounds(*span)) {
                fault(
                    &field,
                    "最多 5 级，每级 1 分钟到 7 天",
                    "at most 5, each between 1 minute and 7 days",
                );
            }
            if reaction.severity == Severity::Critical && steps.is_empty() {
                fault(
                    &field,
                    "最高级别的预警必须能上报到市级",
                    "a critical alert must reach the city",
                );
            }
        }
        if let Some(grave) = &self.grave {
            for (field, zh, en) in self.ordinary.outweighs(grave, policies) {
                fault(field, zh, en);
            }
        }
        faults
    }
}

impl Reaction {
    /// Where a grave reaction is weaker or later than this one.
    fn outweighs(
        &self,
        grave: &Self,
        policies: &[Policy],
    ) -> Vec<(&'static str, &'static str, &'static str)> {
        let mut found = Vec::new();
        if grave.severity < self.severity {
            found.push(("grave.severity", "不能轻于一般情形", "must not be weaker"));
        }
        let later = |policy| grave.within.span(policy) > self.within.span(policy);
        if policies.iter().any(later) {
            found.push(("grave.within", "不能晚于一般情形", "must not be later"));
        }
        let levels = 1..=i32::try_from(STEPS).unwrap_or(i32::MAX);
        let slower = |level| match (self.stay(level), grave.stay(level)) {
            (Some(ordinary), Some(grave)) => grave > ordinary,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if levels.into_iter().any(slower) {
            found.push((
                "grave.escalate_after",
                "不能晚于一般情形",
                "must not be later",
            ));
        }
        found
    }
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
