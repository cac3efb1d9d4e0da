//! Whether somebody is told of an alert, who, and together with what.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::alert::{Alert, State, Step};
use super::change::{Change, Entry, Event};
use super::fact::{Figures, Kind, Severity};
use super::hearer::{Hearer, hearers};
use super::party::Party;
use super::rule::Rule;
use super::silence::Silence;

/// Marks what those besides the owner have in common.
pub const BESIDES: &str = "besides/";

/// How many names one message about several alerts carries at most.
const BASES: usize = 100;

/// An alert that is not resolved, as far as it may speak for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The resource name.
    pub name: String,
    /// The organisation id of the school.
    pub organization: String,
    /// What happened.
    pub kind: Kind,
}

/// What may keep alerts from being told.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// The alerts that stand at the schools in question.
    pub standing: Vec<Standing>,
    /// The silences.
    pub silences: Vec<Silence>,
}

/// Somebody to be told of an alert, once for each level that it reaches, and anew when it becomes graver or
/// has another owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// Follows from the alert, the level, the gravity and the party.
    pub id: Uuid,
    /// The alert.
    pub alert: Uuid,
    /// Its resource name.
    pub basis: String,
    /// What happened.
    pub kind: Kind,
    /// Who is told: the owner, or the organisation when nobody is named.
    pub party: Party,
    /// How much it matters.
    pub severity: Severity,
    /// The shipped sentence, Chinese.
    pub title: String,
    /// The same in English.
    pub title_en: String,
    /// `templates/{template}` of the message; empty for the shipped sentence.
    pub template: String,
    /// What a template is filled with.
    pub figures: Figures,
    /// How long it may wait for others of its kind; none when it is told at once.
    pub wait: Option<Duration>,
    /// Heard besides the owner: it stays with the party, whoever becomes the owner.
    pub besides: bool,
    /// By when somebody must have seen the alert.
    pub due: DateTime<Utc>,
}

impl Alert {
    /// Whether nobody has seen it, and nobody at its level was told of it.
    pub fn is_untold(&self) -> bool {
        self.state == State::Open && self.told_level < self.level
    }

    /// What keeps it from being told: an alert that speaks for it, or else a silence. Nothing keeps
    /// a critical one.
    fn kept(&self, rule: &Rule, scene: &Scene, now: DateTime<Utc>) -> (String, String) {
        let none = (String::new(), String::new());
        if self.severity == Severity::Critical {
            return none;
        }
        let speaks = scene.standing.iter().find(|other| {
            other.organization == self.organization && rule.inhibited_by.contains(&other.kind)
        });
        if let Some(speaks) = speaks {
            return (speaks.name.clone(), String::new());
        }
        let silence = scene.silences.iter().find(|one| one.covers(self, now));
        silence.map_or(none, |silence| (String::new(), silence.name()))
    }

    /// Who is told of it: the owner, or the organisation when nobody is named.
    pub fn told_to(&self) -> Party {
        let owner = Party::parse(&self.owner);
        owner.unwrap_or_else(|| Party::Organization(self.seat().to_owned()))
    }

    /// Who hears of it now besides its owner: nobody once it has gone up.
    pub fn hearers(&self, rule: &Rule) -> Vec<Hearer> {
        if self.level > 0 {
            return Vec::new();
        }
        hearers(&rule.also, &self.named)
    }

    /// Lets go of what kept it from being told.
    #[must_use]
    pub fn freed(self) -> Self {
        Self {
            inhibited_by: String::new(),
            silenced_by: String::new(),
            ..self
        }
    }
}

impl Change {
    /// Whether somebody is to be told: nobody was at the level of the alert, or it has another owner now.
    pub fn is_to_tell(&self) -> bool {
        let stands = self.alert.state != State::Resolved;
        self.alert.is_untold() || (stands && self.is_handed_over())
    }

    /// Whether the alert has another owner by this change.
    pub fn is_handed_over(&self) -> bool {
        let handed = |entry: &Entry| entry.event == Event::HandedOver;
        self.entries.iter().any(handed)
    }

    /// Tells the alert to who must see to it, unless they were told or something keeps it from being
    /// told: then it says what, and stays where it is until that is over. Nobody is passed by.
    pub fn tell(self, rule: &Rule, scene: &Scene, now: DateTime<Utc>) -> (Self, Option<Telling>) {
        if !self.is_to_tell() {
            return (self, None);
        }
        let (inhibited_by, silenced_by) = self.alert.kept(rule, scene, now);
        let keeper = format!("{inhibited_by}{silenced_by}");
        let Change { mut alert, entries } = self;
        let kept_before = (&alert.inhibited_by, &alert.silenced_by);
        let as_before = kept_before == (&inhibited_by, &silenced_by);
        alert.inhibited_by = inhibited_by;
        alert.silenced_by = silenced_by;
        if !keeper.is_empty() {
            // A new owner of what was told is told once it is over too.
            alert.told_level = alert.told_level.min(alert.level - 1);
            let alert = alert.paused();
            let change = Change { alert, entries };
            if as_before {
                return (change, None);
            }
            let step = Step {
                comment: keeper,
                ..Step::by_clock(now)
            };
            return (change.entry(Event::Withheld, &step, ""), None);
        }
        alert.told_level = alert.level;
        let alert = alert.resumed(rule, now);
        let telling = Telling::of(&alert, rule);
        let party = telling.party.name();
        let change = Change { alert, entries };
        let change = change.entry(Event::Told, &Step::by_clock(now), &party);
        (change, Some(telling))
    }
}

impl Telling {
    fn of(alert: &Alert, rule: &Rule) -> Self {
        let (title, title_en) = alert.title();
        let waits = alert.severity < Severity::Critical && !rule.group_wait.is_zero();
        Self {
            id: telling_id(alert),
            alert: alert.id,
            basis: alert.name(),
            kind: alert.kind,
            party: alert.told_to(),
            severity: alert.severity,
            title,
            title_en,
            template: rule.template.clone(),
            figures: alert.figures,
            wait: waits.then_some(rule.group_wait),
            besides: false,
            due: alert.due,
        }
    }

    /// The same for whoever hears of the alert besides its owner, as it is raised; `parties` says who
    /// each of them is.
    pub fn besides(
        &self,
        alert: &Alert,
        rule: &Rule,
        parties: impl Fn(&Alert, Hearer) -> Vec<Party>,
    ) -> Vec<Self> {
        let heard = alert.hearers(rule).into_iter();
        let heard = heard.flat_map(|hearer| parties(alert, hearer));
        let heard: BTreeSet<Party> = heard.filter(|party| *party != self.party).collect();
        let telling = |party: Party| Self {
            id: hearing_id(alert, &party),
            party,
            besides: true,
            ..self.clone()
        };
        heard.into_iter().map(telling).collect()
    }

    /// What tellings that wait have in common when they are told together.
    pub fn group(&self) -> String {
        let of = if self.besides { BESIDES } else { "" };
        match self.wait {
            Some(_) => format!("{of}{}/{}", self.kind as i16, self.party.name()),
            None => self.id.hyphenated().to_string(),
        }
    }
}

/// An alert at a level is told to its owner once, however often it is tried.
fn telling_id(alert: &Alert) -> Uuid {
    let of = of_gravity(b"campus/telling/", alert);
    let of = of.chain_update(alert.level.to_be_bytes());
    id(of.chain_update(alert.told_to().name()))
}

/// Whoever hears of an alert besides its owner hears of it once.
fn hearing_id(alert: &Alert, party: &Party) -> Uuid {
    id(of_gravity(b"campus/hearing/", alert).chain_update(party.name()))
}

/// What tellings of an alert have in common. Each time it becomes graver there are others: its history is
/// longer then.
fn of_gravity(what: &[u8], alert: &Alert) -> Sha256 {
    let of = Sha256::new()
        .chain_update(what)
        .chain_update(alert.id.as_bytes());
    match alert.grave {
        true => of
            .chain_update(b"grave/")
            .chain_update(alert.entries.to_be_bytes()),
        false => of,
    }
}

fn id(digest: Sha256) -> Uuid {
    let mut head = [0; 16];
    head.copy_from_slice(&digest.finalize()[..16]);
    uuid::Builder::from_custom_bytes(head).into_uuid()
}

/// What is to be told to somebody in one message: one alert, or several of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// That of the first telling: whoever sends the message can use it to send it
    /// once.
    pub id: Uuid,
    /// The resource names of the alerts, at most a hundred.
    pub bases: Vec<String>,
    /// How many alerts there are.
    pub count: usize,
    /// What happened.
    pub kind: Kind,
    /// Who is told.
    pub party: Party,
    /// How much the gravest matters: notice is ordinary, warning is urgent, critical an emergency.
    pub severity: Severity,
    /// One sentence, Chinese.
    pub title: String,
    /// The same in English.
    pub title_en: String,
    /// `templates/{template}` of the message; empty for the sentence.
    pub template: String,
    /// What a template is filled with: the figures of the first.
    pub figures: Figures,
    /// By when somebody must have seen the first of them that is due.
    pub due: DateTime<Utc>,
}

impl Told {
    /// What several tellings say together; none when there are none.
    pub fn together(tellings: Vec<Telling>) -> Option<Self> {
        let count = tellings.len();
        let severity = tellings.iter().map(|telling| telling.severity).max()?;
        let due = tellings.iter().map(|telling| telling.due).min()?;
        let bases = tellings.iter().take(BASES);
        let bases = bases.map(|telling| telling.basis.clone()).collect();
        let first = tellings.into_iter().next()?;
        let (mut title, mut title_en) = (first.title, first.title_en);
        if count > 1 {
            let others = count - 1;
            title = format!("{title}（另有同类预警 {others} 条）");
            title_en = format!("{title_en} (and {others} more of the kind)");
        }
        Some(Self {
            id: first.id,
            bases,
            count,
            kind: first.kind,
            party: first.party,
            severity,
            title,
            title_en,
            template: first.template,
            figures: first.figures,
            due,
        })
    }
}

#[cfg(test)]
#[path = "telling_tests.rs"]
mod tests;
