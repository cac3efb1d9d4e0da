//! Crews on duty enter at once; the book is filled in afterwards (rule 3.7).

use chrono::{DateTime, Utc};
use kit::auth::Caller;
use kit::clock::civil_date;
use kit::db::Tx;
use kit::status::is_transient;
use prost::Message;

use super::requests::begun;
use super::{Named, Opened, Visitors};
use crate::app::gate::{
    Emergency, Entry, Offline, Overridable, School, Verdict, Weighed, append_twice, kept,
};
use crate::app::{Site, place};
use crate::domain::visitor::card::Card;
use crate::domain::visitor::state::{State, Verb};
use crate::domain::visitor::visit::Visit;
use crate::error::Error;
use crate::store::Store;
use crate::store::gate::decisions::{Appended, Record};
use crate::store::visits::VisitEvent;

impl Visitors {
    /// A crew enters.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn admit_emergency<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        emergency: Emergency,
        once: (&str, &impl Message),
        render: impl FnOnce(Opened) -> R,
    ) -> Result<R, Error> {
        self.act(caller, "AdmitEmergency", once, async |tx, now| {
            let visit = begun(site.at(), State::AdmittedEmergency, civil_date(now), now);
            let guard = caller.subject.clone();
            let opened = self.let_in(tx, visit, emergency, (guard, now)).await?;
            Ok((render(opened), now))
        })
        .await
    }

    /// A crew enters at a gate that decides: the decision and the visit are one act, so nobody is let in
    /// whom the book does not know.
    ///
    /// # Errors
    /// When both cannot be stored in time, or the request id was used before for something else.
    pub(crate) async fn admit_at_gate(
        &self,
        school: &School,
        entry: Entry,
        emergency: Emergency,
    ) -> Result<Overridable, Error> {
        let gate = &self.gate;
        gate.within(async {
            let record = gate.decide(school, entry).await?;
            let appended = self.open_with(&record, &emergency).await?;
            kept(record, appended)
        })
        .await
    }

    /// Stores what a gate did without a network, each crew with its visit. Answers in the order of
    /// `decisions`.
    ///
    /// # Errors
    /// When the database fails; what was stored until then is recognised when the gate asks again.
    pub(crate) async fn record(
        &self,
        school: &School,
        by: (&str, &str),
        decisions: Vec<Offline>,
    ) -> Result<Vec<Verdict>, Error> {
        let weighed = self.gate.weigh_offline(school, by, decisions).await?;
        let mut verdicts = vec![Verdict::OutOfTime; weighed.len()];
        let (mut places, mut records, mut expectations) = (Vec::new(), Vec::new(), Vec::new());
        for (place, one) in weighed.into_iter().enumerate() {
            match one {
                Weighed::Not(why) => verdicts[place] = why,
                Weighed::One {
                    record,
                    expected,
                    emergency: Some(emergency),
                } => {
                    let appended = self.open_with(&record, &emergency).await?;
                    verdicts[place] = Verdict::of(&record, expected, appended);
                }
                Weighed::One {
                    record, expected, ..
                } => {
                    places.push(place);
                    records.push(*record);
                    expectations.push(expected);
                }
            }
        }
        let appended = append_twice(&self.base.store, &records).await?;
        let stored = records.iter().zip(expectations).zip(appended);
        for (place, ((record, expected), appended)) in places.into_iter().zip(stored) {
            verdicts[place] = Verdict::of(record, expected, appended);
        }
        Ok(verdicts)
    }

    /// Stores a decision with the visit that it opens; a transaction that met another one is tried once
    /// more.
    async fn open_with(&self, record: &Record, emergency: &Emergency) -> Result<Appended, Error> {
        match self.try_open_with(record, emergency).await {
            Err(Error::Database(err)) if is_transient(&err) => {
                self.try_open_with(record, emergency).await
            }
            opened => opened,
        }
    }

    async fn try_open_with(
        &self,
        record: &Record,
        emergency: &Emergency,
    ) -> Result<Appended, Error> {
        let tx = self.base.store.database().begin().await?;
        let appended = Store::append_one(&tx, record).await?;
        if matches!(appended, Appended::Stored) {
            let (entered, now) = (record.decide_time, record.record_time);
            let home = (&*record.school, &*record.org_path);
            let day = civil_date(entered);
            let visit = Visit {
                id: record.id,
                ..begun(home, State::AdmittedEmergency, day, now)
            };
            let guard = record.guard.clone();
            self.let_in(&tx, visit, emergency.clone(), (guard, entered))
                .await?;
        }
        tx.commit().await?;
        Ok(appended)
    }

    /// Keeps the visit of a crew that a guard let in at `entered`.
    async fn let_in(
        &self,
        tx: &Tx,
        mut visit: Visit,
        emergency: Emergency,
        (guard, entered): (String, DateTime<Utc>),
    ) -> Result<Opened, Error> {
        let now = visit.created;
        let policy = self.gate.policy(&place(&visit.org_path), now).visits;
        visit.urgent = true;
        visit.crew = Some(emergency.crew);
        visit.companions = emergency.people - 1;
        visit.companions_inside = emergency.people - 1;
        visit.entered = Some(entered);
        visit.after_due = Some(entered + policy.after_entry);
        visit.due = visit.due_after(now, &policy);
        let mut opened = Opened {
            visit,
            card: Card {
                plate: emergency.plate,
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
            actor: guard,
            note: String::new(),
            time: entered,
        };
        self.keep(tx, &mut opened, event).await?;
        Ok(opened)
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
