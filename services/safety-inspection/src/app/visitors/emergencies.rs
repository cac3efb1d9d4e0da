//! Crews on duty enter at once; the book is filled in afterwards (rule 3.7).

use kit::auth::Caller;
use kit::clock::civil_date;
use prost::Message;

use super::requests::begun;
use super::{Named, Opened, Visitors};
use crate::app::Site;
use crate::domain::gate::observation::Crew;
use crate::domain::visitor::card::Card;
use crate::domain::visitor::state::{State, Verb};
use crate::error::Error;
use crate::store::visits::VisitEvent;

impl Visitors {
    /// A crew of `people` enters.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn admit_emergency<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        (crew, people, plate): (Crew, i32, String),
        once: (&str, &impl Message),
        render: impl FnOnce(Opened) -> R,
    ) -> Result<R, Error> {
        self.base
            .act(caller, "AdmitEmergency", once, async |tx, now| {
                let policy = self.gate.policy(&site.path, now).visits;
                let mut visit = begun(site, State::AdmittedEmergency, civil_date(now), now);
                visit.urgent = true;
                visit.crew = Some(crew);
                visit.companions = people - 1;
                visit.companions_inside = people - 1;
                visit.entered = Some(now);
                visit.after_due = Some(now + policy.after_entry);
                let mut opened = Opened {
                    visit,
                    card: Card {
                        plate,
                        ..Card::default()
                    },
                    checked: None,
                    events: Vec::new(),
                    now,
                };
                let event = VisitEvent {
                    verb: Verb::AdmitEmergency,
                    from: None,
                    to: State::AdmittedEmergency,
                    actor: caller.subject.clone(),
                    note: String::new(),
                    time: now,
                };
                self.keep(tx, &mut opened, event).await?;
                Ok(render(opened))
            })
            .await
    }

    /// The book is filled in.
    ///
    /// # Errors
    /// When it was no emergency, or the book is filled in already.
    pub(crate) async fn after_entry<R: Message + Default>(
        &self,
        caller: &Caller,
        named: &Named,
        card: Card,
        once: (&str, &impl Message),
        render: impl FnOnce(Opened) -> R,
    ) -> Result<R, Error> {
        let change = |opened: &mut Opened| {
            let plate = std::mem::take(&mut opened.card.plate);
            opened.card = card;
            if opened.card.plate.is_empty() {
                opened.card.plate = plate;
            }
            Ok((Verb::AfterEntry, String::new()))
        };
        self.step(caller, named, "RecordAfterEntry", once, change, render)
            .await
    }
}
