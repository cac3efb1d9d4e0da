//! What is done about an incident: each move checked against the table of rule 5.36 and what the rules
//! demand besides, and written into the history. A move that is refused changes nothing.

use kit::hop::millis;

use super::category::{Confidential, supplement_end};
use super::file::{Event, File};
use super::harm::{Casualties, Level, Tables};
use super::state::{State, Verb};
use super::step::Receiver;
use super::terms::Terms;

/// Why a move is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The verb does not start from this state.
    State(State),
    /// The level is milder than what the casualties demand.
    LevelFloor(Level, Level),
    /// It is of this level.
    SameLevel(Level),
    /// Casualties could be supplemented until then, in milliseconds since 1970.
    SupplementOver(i64),
    /// This level has not received, and no over-level reason was given.
    OverLevel(Receiver),
    /// Whoever noticed or handled an incident neither dismisses nor reviews it.
    SecondPerson,
    /// A school does not review an incident of this level.
    ReviewLevel(Level),
    /// This receiver does not know of a confidential incident.
    Untold(Receiver),
    /// Somebody or something came to harm.
    HasCasualties,
    /// Not somebody whom this incident goes to this way.
    Receiver(Receiver),
}

/// Who does something, and when in milliseconds since 1970: the server's time.
#[derive(Clone, Copy, Debug)]
pub struct Doer<'a> {
    /// An account.
    pub actor: &'a str,
    /// When.
    pub time: i64,
    /// Why, in words; may be empty.
    pub reason: &'a str,
}

/// By what levels are told.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// The tables.
    pub tables: &'a Tables,
    /// The numbers in force when the incident was noticed.
    pub terms: &'a Terms,
}

/// What a report raised the level with.
const RAISED: &str = "伤亡或损失达到该级别";

impl File {
    /// The level that the casualties demand.
    fn floor(&self, judge: Judge<'_>) -> Level {
        let incident = &self.incident;
        judge.tables.level(incident.limits.table, &incident.harm)
    }

    /// Where `verb` leads.
    fn after(&self, verb: Verb) -> Result<State, Refusal> {
        let state = self.incident.state;
        state.after(verb).ok_or(Refusal::State(state))
    }

    /// Moves to `to` and to `level`, and notes it. What is late by now stays so.
    fn enter(&mut self, verb: Verb, to: State, level: Level, by: Doer<'_>) -> Event {
        self.incident.late = self.is_late(by.time);
        let incident = &mut self.incident;
        incident.events += 1;
        let event = Event {
            sequence: incident.events,
            verb,
            from_state: Some(incident.state),
            to_state: to,
            from_level: Some(incident.level),
            to_level: level,
            time: by.time,
            actor: by.actor.to_owned(),
            reason: by.reason.to_owned(),
        };
        incident.state = to;
        incident.set_level(level, by.time);
        if to.is_over() && incident.ended == 0 {
            incident.ended = by.time;
        }
        event
    }

    /// A level that rose since the first report is something new: the level above is told by telephone as the
    /// graver one demands, from now on (rule 5.33). The limits of the first report count from when the
    /// incident was noticed, whatever level it tells of.
    fn rise(&mut self, from: Level, judge: Judge<'_>, time: i64) {
        let incident = &mut self.incident;
        if incident.reports == 0 || !incident.level.is_graver_than(from) {
            return;
        }
        incident.occasions += 1;
        if let Some(phone) = judge.terms.sla(incident.level, &incident.harm).phone {
            incident.raised = time;
            incident.raised_phone = millis(phone);
            incident.raised_occasion = incident.occasions;
        }
    }

    pub(super) fn step(&mut self, verb: Verb, by: Doer<'_>) -> Result<Event, Refusal> {
        let to = self.after(verb)?;
        Ok(self.enter(verb, to, self.incident.level, by))
    }

    /// Takes the casualties as they are now; a level that they demand is taken too.
    fn suffer(&mut self, harm: Casualties, judge: Judge<'_>, by: Doer<'_>) -> Option<Event> {
        self.incident.harm = harm;
        let floor = self.floor(judge);
        let raises = floor.is_graver_than(self.incident.level);
        let by = Doer {
            reason: RAISED,
            ..by
        };
        raises.then(|| {
            let from = self.incident.level;
            let event = self.enter(Verb::Relevel, self.incident.state, floor, by);
            self.rise(from, judge, by.time);
            event
        })
    }

    /// Writes a report of a kind (`FirstReport`, `FollowUp` or `FinalReport`), and returns when it was
    /// due (0 when by no time). The limit of the first one is that of the level it tells of.
    ///
    /// # Errors
    /// [`Refusal::State`].
    pub fn report(
        &mut self,
        verb: Verb,
        harm: Casualties,
        judge: Judge<'_>,
        by: Doer<'_>,
    ) -> Result<(i64, Vec<Event>), Refusal> {
        let to = self.after(verb)?;
        let mut due = match verb {
            Verb::FollowUp => self.incident.follow_due,
            Verb::FinalReport => self.incident.final_due,
            _ => 0,
        };
        if verb == Verb::FirstReport {
            let level = judge.tables.level(self.incident.limits.table, &harm);
            let incident = &mut self.incident;
            let level = level.graver(incident.level);
            incident.limits.tighten(judge.terms.sla(level, &harm));
            incident.first_reported = by.time;
            due = incident.detected + incident.limits.written;
        }
        let mut events = vec![self.enter(verb, to, self.incident.level, by)];
        events.extend(self.suffer(harm, judge, by));
        let incident = &mut self.incident;
        incident.reports += 1;
        incident.occasions += 1;
        incident.reported = by.time;
        incident.reported_occasion = incident.occasions;
        if verb == Verb::FinalReport {
            incident.final_due = 0;
        }
        if incident.follow_due != 0 {
            incident.follow_due = by.time + incident.limits.follow_up;
        }
        Ok((due, events))
    }

    /// Confirms the incident at a level (the present one when none is said), and as confidential
    /// where it is found to be.
    ///
    /// # Errors
    /// [`Refusal::State`], [`Refusal::LevelFloor`].
    pub fn confirm(
        &mut self,
        level: Option<Level>,
        confidential: Option<Confidential>,
        judge: Judge<'_>,
        by: Doer<'_>,
    ) -> Result<Event, Refusal> {
        let to = self.after(Verb::Confirm)?;
        let level = level.unwrap_or(self.incident.level);
        self.no_milder(level, judge)?;
        let incident = &mut self.incident;
        if incident.confidential.is_none() && confidential.is_some() {
            incident.confidential = confidential;
            incident.confidential_since = by.time;
        }
        let from = self.incident.level;
        let event = self.enter(Verb::Confirm, to, level, by);
        self.rise(from, judge, by.time);
        Ok(event)
    }

    /// Makes the incident confidential, in whatever open state it is found to be so (rule 5.34), or says why
    /// it is in other words; the clock of the police begins once. Saying the same again changes nothing.
    ///
    /// # Errors
    /// [`Refusal::State`].
    pub fn make_confidential(
        &mut self,
        why: Confidential,
        by: Doer<'_>,
    ) -> Result<Option<Event>, Refusal> {
        self.after(Verb::MakeConfidential)?;
        let incident = &mut self.incident;
        if incident.confidential == Some(why) {
            return Ok(None);
        }
        if incident.confidential.is_none() {
            incident.confidential_since = by.time;
        }
        incident.confidential = Some(why);
        self.step(Verb::MakeConfidential, by).map(Some)
    }

    fn no_milder(&self, level: Level, judge: Judge<'_>) -> Result<(), Refusal> {
        let floor = self.floor(judge);
        if floor.is_graver_than(level) {
            return Err(Refusal::LevelFloor(level, floor));
        }
        Ok(())
    }

    /// Begins or resumes the response.
    ///
    /// # Errors
    /// [`Refusal::State`].
    pub fn respond(&mut self, by: Doer<'_>) -> Result<Event, Refusal> {
        self.step(Verb::Respond, by)
    }

    /// The danger is over; from now on the final report is owed.
    ///
    /// # Errors
    /// [`Refusal::State`].
    pub fn control(&mut self, by: Doer<'_>) -> Result<Event, Refusal> {
        let event = self.step(Verb::Control, by)?;
        let incident = &mut self.incident;
        if incident.limits.final_report != 0 {
            incident.final_due = by.time + incident.limits.final_report;
        }
        Ok(event)
    }

    /// There was none. `handled` says whether the actor noticed or handled it.
    ///
    /// # Errors
    /// [`Refusal::State`], [`Refusal::SecondPerson`], [`Refusal::HasCasualties`].
    pub fn dismiss(&mut self, handled: bool, by: Doer<'_>) -> Result<Event, Refusal> {
        self.after(Verb::Dismiss)?;
        if !self.incident.harm.is_none() {
            return Err(Refusal::HasCasualties);
        }
        if handled {
            return Err(Refusal::SecondPerson);
        }
        self.step(Verb::Dismiss, by)
    }

    /// Sets another level.
    ///
    /// # Errors
    /// [`Refusal::State`], [`Refusal::SameLevel`], [`Refusal::LevelFloor`].
    pub fn relevel(
        &mut self,
        level: Level,
        judge: Judge<'_>,
        by: Doer<'_>,
    ) -> Result<Event, Refusal> {
        let to = self.after(Verb::Relevel)?;
        if level == self.incident.level {
            return Err(Refusal::SameLevel(level));
        }
        self.no_milder(level, judge)?;
        let from = self.incident.level;
        let event = self.enter(Verb::Relevel, to, level, by);
        self.rise(from, judge, by.time);
        Ok(event)
    }

    /// Supplements casualties.
    ///
    /// # Errors
    /// [`Refusal::State`], [`Refusal::SupplementOver`].
    pub fn supplement(
        &mut self,
        harm: Casualties,
        judge: Judge<'_>,
        by: Doer<'_>,
    ) -> Result<Vec<Event>, Refusal> {
        let to = self.after(Verb::Supplement)?;
        let end = supplement_end(self.incident.hazard_category, self.incident.occurred);
        if by.time >= end {
            return Err(Refusal::SupplementOver(end));
        }
        let mut events = vec![self.enter(Verb::Supplement, to, self.incident.level, by)];
        events.extend(self.suffer(harm, judge, by));
        Ok(events)
    }

    /// Causes and accountability are found. `handled` says whether the actor noticed or handled it,
    /// `is_bureau` whether the actor works for a bureau.
    ///
    /// # Errors
    /// [`Refusal::State`], [`Refusal::SecondPerson`], [`Refusal::ReviewLevel`].
    pub fn review(
        &mut self,
        handled: bool,
        is_bureau: bool,
        by: Doer<'_>,
    ) -> Result<Event, Refusal> {
        self.after(Verb::Review)?;
        if handled {
            return Err(Refusal::SecondPerson);
        }
        if self.incident.level < Level::IV && !is_bureau {
            return Err(Refusal::ReviewLevel(self.incident.level));
        }
        self.step(Verb::Review, by)
    }

    /// Over. The police and the level above know of a confidential one (rule 5.34).
    ///
    /// # Errors
    /// [`Refusal::State`], [`Refusal::Untold`].
    pub fn close(&mut self, by: Doer<'_>) -> Result<Event, Refusal> {
        self.after(Verb::Close)?;
        if self.incident.confidential.is_some() {
            let police = self.first(|step| step.receiver == Receiver::Police);
            if police.is_none() {
                return Err(Refusal::Untold(Receiver::Police));
            }
            let levels = self.incident.chain.levels(false);
            let above = levels.iter().skip(1).copied();
            let unreached = above.clone().all(|level| !self.has_received(level));
            if let Some(next) = above.clone().next().filter(|_| unreached) {
                return Err(Refusal::Untold(next));
            }
        }
        self.step(Verb::Close, by)
    }
}
