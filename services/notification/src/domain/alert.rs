//! Alerts: something that somebody must deal with.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use super::alert_moves::{FACT, Refused, State, Step, Verb};
use super::change::{Change, Event};
use super::fact::{Entity, Fact, Figures, Kind, Severity};
use super::hearer::Hearer;
use super::place::above;
use super::policy::Policy;
use super::rule::{Reaction, Rule};
use super::rulebook::{Shipped, shipped};

/// An alert for a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The organisation id of the school.
    pub organization: String,
    /// One episode of a fact has one id.
    pub id: Uuid,
    /// What happened.
    pub kind: Kind,
    /// It is the graver sort of its kind.
    pub grave: bool,
    /// How much it matters.
    pub severity: Severity,
    /// The organisation above must see to it from the start.
    pub above: bool,
    /// The place in the tree.
    pub org_path: String,
    /// Where it is in its life cycle.
    pub state: State,
    /// How many steps up the tree it has been escalated: 0 at the school.
    pub level: i32,
    /// The highest level at which somebody was told of it; -1 when nobody was.
    pub told_level: i32,
    /// The entity of the fact, such as `holds/{hold}`.
    pub basis: String,
    /// 1 for the first alert of a fact, 2 when the fact came back after that one had ended.
    pub episode: i32,
    /// Nothing but a change of the fact ends the alert.
    pub stands: bool,
    /// What it is about.
    pub subjects: Vec<String>,
    /// Whom the fact itself names to hear of it.
    pub named: Vec<Hearer>,
    /// Its numbers.
    pub figures: Figures,
    /// Who answers for it; empty when nobody is named.
    pub owner: String,
    /// When the fact came to be.
    pub occurred: DateTime<Utc>,
    /// When it was raised.
    pub raised: DateTime<Utc>,
    /// Somebody at the school must have acknowledged it by then.
    pub due: DateTime<Utc>,
    /// Unless somebody has acknowledged it by then, it goes further up; none when it stays, and as long as
    /// something keeps it from being told where it is.
    pub next: Option<DateTime<Utc>>,
    /// Who acknowledged it.
    pub acknowledged: Option<Step>,
    /// Who deals with it.
    pub taken: Option<Step>,
    /// Who ended it.
    pub resolved: Option<Step>,
    /// The name of the alert that speaks for it; empty when none does.
    pub inhibited_by: String,
    /// The name of the silence that keeps it from being told; empty when none does.
    pub silenced_by: String,
    /// The version of the rule that raised it; 0 for the shipped one.
    pub rule_version: i64,
    /// How many entries its history has; not counting those of a change that is not stored.
    pub entries: i32,
    /// The order in which alerts were raised; 0 before it is stored.
    pub sequence: i64,
    /// Grows with each change of any alert; 0 before it is stored.
    pub revision: i64,
}

impl Fact {
    /// Whether this fact raises an alert, given the latest one that it raised. A fact that comes
    /// back raises another one; what a person has ended stays ended unless the fact begins anew.
    pub fn raises(&self, latest: Option<&Alert>) -> bool {
        let Some(latest) = latest else { return true };
        let by_fact = latest.resolved.as_ref().is_some_and(Step::is_by_fact);
        latest.state == State::Resolved && (self.stands || by_fact)
    }
}

impl Alert {
    /// Raises the alert for a fact by the rule in force, after `latest` when the fact raised one
    /// before. A fact that comes back is due from then on, not from when it first was; none is due
    /// after its own limit.
    pub fn raise(
        fact: Fact,
        latest: Option<&Self>,
        rule: &Rule,
        owner: String,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Change {
        let Fact {
            kind,
            entity,
            subjects,
            named,
            figures,
            grave,
            occurred,
            limit,
            stands,
            seen,
        } = fact;
        let Entity {
            name,
            organization,
            org_path,
        } = entity;
        let episode = latest.map_or(0, |latest| latest.episode) + 1;
        let ended = latest.and_then(|latest| latest.resolved.as_ref());
        let occurred = ended.map_or(occurred, |ended| ended.time.max(occurred));
        let reaction = rule.reaction(grave);
        let due = occurred + reaction.within.span(policy);
        let due = limit.map_or(due, |limit| due.min(limit));
        let next = above(&org_path).next().map(|_| due);
        let raised = Self {
            id: alert_id(kind, &name, episode),
            kind,
            grave,
            severity: reaction.severity,
            above: rule.above,
            organization,
            org_path,
            state: State::Open,
            level: 0,
            told_level: -1,
            basis: name,
            episode,
            stands,
            subjects,
            named,
            figures,
            owner,
            occurred,
            raised: now,
            due,
            next,
            acknowledged: None,
            taken: None,
            resolved: None,
            inhibited_by: String::new(),
            silenced_by: String::new(),
            rule_version: rule.version,
            entries: 0,
            sequence: 0,
            revision: 0,
        };
        let owner = raised.owner.clone();
        let raised = Change::from(raised).entry(Event::Raised, &Step::by_fact(now), &owner);
        raised.seen(seen, now)
    }

    /// What the fact says now, by the rule that raised the alert; none when that is what the alert
    /// says already. An alert that becomes graver is open again: whoever saw it saw less, and everybody is
    /// told anew.
    pub fn corrected(
        &self,
        fact: &Fact,
        rule: &Rule,
        policy: &Policy,
        now: DateTime<Utc>,
    ) -> Option<Change> {
        if self.state == State::Resolved {
            return None;
        }
        let corrected = Self {
            figures: fact.figures,
            subjects: fact.subjects.clone(),
            named: fact.named.clone(),
            grave: fact.grave,
            severity: rule.reaction(fact.grave).severity,
            stands: fact.stands,
            ..self.clone()
        };
        let says_more = corrected != *self;
        let graver = fact.grave && !self.grave && rule.grave.is_some();
        let mut change = Change::from(match graver {
            true => corrected.reopened(rule.reaction(true), policy, fact.limit, now),
            false => corrected,
        });
        if says_more {
            change = change.entry(Event::Corrected, &Step::by_fact(now), "");
        }
        let change = change.seen(fact.seen && !graver, now);
        (change.alert != *self).then_some(change)
    }

    /// Open again under a reaction that is graver, with its deadlines from now on. Those of an alert that
    /// nobody has seen do not move away.
    fn reopened(
        self,
        reaction: &Reaction,
        policy: &Policy,
        limit: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Self {
        let open = self.state == State::Open;
        let due = now + reaction.within.span(policy);
        let due = limit.map_or(due, |limit| due.min(limit));
        let due = if open { due.min(self.due) } else { due };
        let next = self.next_of(reaction, due, now);
        let before = self.next.filter(|_| open);
        Self {
            state: State::Open,
            told_level: self.told_level.min(self.level - 1),
            due,
            next: before.into_iter().chain(next).min(),
            acknowledged: None,
            taken: None,
            ..self
        }
    }

    /// The resource name.
    pub fn name(&self) -> String {
        alert_name(&self.organization, self.id)
    }

    /// The organisation where it has to be seen to now: the school, or the one it was escalated to.
    pub fn seat(&self) -> &str {
        self.upwards(self.level).unwrap_or(&self.organization)
    }

    /// The organisation above, when it must see to the alert too.
    pub fn upper(&self) -> Option<&str> {
        self.upwards(self.level.max(i32::from(self.above)))
    }

    /// The organisation some steps above the school, at most the root; none at the school.
    pub(super) fn upwards(&self, steps: i32) -> Option<&str> {
        let steps = usize::try_from(steps).unwrap_or_default();
        above(&self.org_path).take(steps).last()
    }

    /// One sentence for people, Chinese and English: numbers and places only.
    pub fn title(&self) -> (String, String) {
        let Shipped { sentence, left, .. } = shipped(self.kind);
        let left = left.as_ref().filter(|_| !self.stands);
        left.unwrap_or(sentence).tell(&self.figures)
    }
}

impl Change {
    /// Whoever saw the fact where it was found has seen its alert.
    fn seen(self, seen: bool, now: DateTime<Utc>) -> Self {
        if !seen {
            return self;
        }
        // One that somebody has seen before stays as it is.
        match self
            .alert
            .clone()
            .apply(Verb::Acknowledge, Step::by_fact(now))
        {
            Ok(change) => self.then(change),
            Err(_) => self,
        }
    }
}

/// The resource name of an alert.
pub fn alert_name(organization: &str, id: Uuid) -> String {
    format!("organizations/{organization}/alerts/{}", id.hyphenated())
}

/// One fact raises one alert, however often it is told: the id comes from the fact.
pub fn alert_id(kind: Kind, basis: &str, episode: i32) -> Uuid {
    let digest = Sha256::new()
        .chain_update(b"campus/alert/")
        .chain_update((kind as i32).to_be_bytes())
        .chain_update(basis)
        .chain_update(b"/")
        .chain_update(episode.to_be_bytes())
        .finalize();
    let mut head = [0; 16];
    head.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(head).into_uuid()
}

#[cfg(test)]
#[path = "alert_tests.rs"]
mod tests;
