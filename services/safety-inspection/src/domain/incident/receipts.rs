//! Receipts, which receivers give themselves, and notices that they were told (rules 5.33 to 5.35).

use super::file::{Event, File};
use super::moves::{Doer, Refusal};
use super::state::Verb;
use super::step::{Kind, Medium, Receiver, Step};

impl File {
    /// A receiver says that it received. Saying so again changes nothing until there is something new to tell: a
    /// report, or a graver level.
    ///
    /// # Errors
    /// [`Refusal::Receiver`] for somebody to whom the incident does not go, [`Refusal::State`] for the
    /// receipt of a report that is not written, [`Refusal::OverLevel`].
    pub fn receive(
        &mut self,
        receiver: Receiver,
        medium: Medium,
        by: Doer<'_>,
    ) -> Result<Option<Event>, Refusal> {
        let incident = &self.incident;
        if receiver.is_level() {
            let levels = incident.chain.levels(incident.government_since != 0);
            let place = levels.iter().position(|level| *level == receiver);
            let Some(place) = place.filter(|place| *place > 0) else {
                return Err(Refusal::Receiver(receiver));
            };
            let below = levels[place - 1];
            let reached = place == 1 || self.has_received(below);
            let passes = receiver == Receiver::City && !incident.over_level_reason.is_empty();
            if !reached && !passes {
                return Err(Refusal::OverLevel(below));
            }
        } else if receiver == Receiver::Guardians {
            return Err(Refusal::Receiver(receiver));
        }
        if medium == Medium::Written && incident.first_reported == 0 {
            return Err(Refusal::State(incident.state));
        }
        self.reach(Kind::Received, (receiver, medium), "", by)
    }

    /// Somebody outside education was told. Saying so again changes nothing until there is something new.
    ///
    /// # Errors
    /// [`Refusal::Receiver`] for a level of the chain.
    pub fn tell(
        &mut self,
        to: (Receiver, Medium),
        reference: &str,
        by: Doer<'_>,
    ) -> Result<Option<Event>, Refusal> {
        if to.0.is_level() {
            return Err(Refusal::Receiver(to.0));
        }
        self.reach(Kind::Told, to, reference, by)
    }

    /// Whether this level said that it received, by whatever medium.
    pub(super) fn has_received(&self, level: Receiver) -> bool {
        self.first(|step| step.kind == Kind::Received && step.receiver == level)
            .is_some()
    }

    fn reach(
        &mut self,
        kind: Kind,
        (receiver, medium): (Receiver, Medium),
        reference: &str,
        by: Doer<'_>,
    ) -> Result<Option<Event>, Refusal> {
        let occasion = self.incident.occasions;
        let known = |step: &Step| {
            (step.kind, step.receiver, step.medium, step.occasion)
                == (kind, receiver, medium, occasion)
        };
        if self.steps.iter().any(known) {
            return Ok(None);
        }
        let verb = match kind {
            Kind::Received => Verb::Receive,
            Kind::Told => Verb::Tell,
        };
        let event = self.step(verb, by)?;
        self.steps.push(Step {
            kind,
            receiver,
            medium,
            occasion,
            time: by.time,
            actor: by.actor.to_owned(),
            reference: reference.to_owned(),
        });
        Ok(Some(event))
    }
}
