//! The acts of a day, each through the gateway with the token of whoever does it.

use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use chrono::TimeDelta;
use kit::clock::start_of;
use kit::field::to_timestamp;
use proto::gateway::overview_service_client::OverviewServiceClient;
use proto::gateway::section::State;
use proto::gateway::{GetOverviewRequest, Section};
use proto::roster::Symptom;
use proto::roster::check_policy::Slot;
use proto::safety::gate_decision::Result as Decided;
use proto::safety::gate_observation::Symptoms;
use proto::safety::offline_verdict::Outcome as Recorded;
use proto::safety::{GateObservation, OfflineDecision};
use proto::sampling::absence_service_client::AbsenceServiceClient;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::submit_check_response::Verdict;
use proto::sampling::{
    AbsenceReason, CheckAbsence, CheckFinding, ListAbsencesRequest, ResultValue,
    TraceAbsenceRequest, absence, trace,
};
use uuid::Uuid;

use super::super::coverage;
use super::super::gate::healthy;
use super::super::reporters::{Roll, submission};
use super::super::signing::{self, Signer};
use super::act::Act;
use super::shift::{Shift, Step};
use super::tally::Outcome;
use crate::city::CITY_ID;

/// What a gate reads of somebody with a fever, in tenths of a degree.
const FEVER: i32 = 376;
/// The readings of a recheck after the first, all normal (rule 3.3).
const FURTHER: [i32; 2] = [364, 366];
/// One guardian in so many is not reached.
const UNREACHED: usize = 4;
/// One tube in so many is positive, the first among them.
const POSITIVE_EVERY: u32 = 8_000;

/// What the ill have: most of it in no group of similar illnesses that the rules count (rule 1.15).
const ILLNESSES: [(&[Symptom], i32); 6] = [
    (&[Symptom::Cough, Symptom::SoreThroat], 368),
    (&[Symptom::Fever, Symptom::Cough], 381),
    (&[Symptom::Headache], 366),
    (&[Symptom::Diarrhoea], 367),
    (&[Symptom::Dizziness, Symptom::Fatigue], 365),
    (&[Symptom::AbdominalPain], 366),
];

impl Shift {
    /// Does one act.
    ///
    /// # Errors
    /// When it is refused, or answered with something that no client can go on from.
    pub(super) async fn perform(self: Arc<Self>, act: Act) -> anyhow::Result<Outcome> {
        match act {
            Act::Enter {
                school,
                place,
                fever,
            } => self.enter((school, place), fever).await,
            Act::Recheck { school, place } => self.recheck((school, place)).await,
            Act::Batch { batch } => self.record(batch).await,
            Act::Check { group, slot } => self.check(group, slot).await,
            Act::CheckRoom { room } => self.check_room(room).await,
            Act::Trace { group } => self.trace(group).await,
            Act::Order => self.issue().await,
            Act::Sign { school } => self.sign(school).await,
            Act::Open { tube } => {
                let (tube, journey) = self.tube(tube)?;
                journey.open(&tube.filling).await?;
                Ok(Outcome::Done)
            }
            Act::Scan { tube, place } => self.scan(tube, place).await,
            Act::Seal { tube } => self.seal(tube).await,
            Act::Deliver { tube } => self.deliver(tube).await,
            Act::Results { batch } => self.results(batch).await,
            Act::Coverage { desk } => self.coverage(desk).await,
            Act::Overview { desk } => self.overview(desk).await,
            Act::AskVisit { visit } => self.ask_visit(visit).await,
            Act::ConfirmVisit { visit } => self.confirm_visit(visit).await,
            Act::ApproveVisit { visit } => self.approve_visit(visit).await,
            Act::Arrive { visit } => self.arrive(visit).await,
            Act::Depart { visit } => self.depart(visit).await,
            Act::Report { hazard } => self.report(hazard).await,
            Act::Handle { hazard, step } => self.handle(hazard, step).await,
            Act::SignOn { school } => self.sign_on(school).await,
            Act::HandOver { school } => self.hand_over(school).await,
            Act::Patrol { school, round } => self.patrol(school, round).await,
            Act::Notify => self.notify().await,
            Act::ReadInbox { group, pupil } => self.read_inbox(group, pupil).await,
        }
    }

    async fn enter(&self, who: (u32, u32), fever: bool) -> anyhow::Result<Outcome> {
        let gate = self.crew.gates.get(who.0 as usize).context("a gate")?;
        let person = gate.person(who.1 as usize)?;
        let mut seen = healthy(self.today);
        if fever {
            seen.temperature_decidegrees = Some(FEVER);
        }
        let decision = gate.check(person, seen, String::new()).await?;
        match decision.effective_result() {
            Decided::Unspecified => bail!("NO_DECISION"),
            Decided::Observe => self.observe(who, decision.name),
            Decided::Admit | Decided::Deny => {}
        }
        Ok(Outcome::Done)
    }

    async fn recheck(&self, who: (u32, u32)) -> anyhow::Result<Outcome> {
        let Some(observed) = self.observed(who) else {
            return Ok(Outcome::Void);
        };
        let gate = self.crew.gates.get(who.0 as usize).context("a gate")?;
        let person = gate.person(who.1 as usize)?;
        let seen = GateObservation {
            further_temperatures_decidegrees: FURTHER.into(),
            symptoms: Symptoms::None.into(),
            ..healthy(self.today)
        };
        gate.check(person, seen, observed).await?;
        Ok(Outcome::Done)
    }

    /// A gate that had no network tells whom it let in.
    async fn record(&self, batch: u32) -> anyhow::Result<Outcome> {
        let batch = self.day.batches.get(batch as usize).context("a batch")?;
        let gate = self.crew.gates.get(batch.school as usize);
        let gate = gate.context("a gate")?;
        let mut decisions = Vec::with_capacity(batch.entries.len());
        for (place, at) in &batch.entries {
            let time = start_of(self.today) + TimeDelta::milliseconds((*at).into());
            decisions.push(OfflineDecision {
                client_id: Uuid::new_v4().to_string(),
                person: gate.person(*place as usize)?,
                observation: Some(healthy(self.today)),
                result: Decided::Admit.into(),
                decide_time: Some(to_timestamp(time)),
                ..OfflineDecision::default()
            });
        }
        for verdict in gate.record(decisions).await? {
            // Somebody who was let in may have been found ill by a check meanwhile.
            let stored = matches!(verdict.outcome(), Recorded::Recorded | Recorded::Conflict);
            ensure!(stored, "{:?}", verdict.outcome());
        }
        Ok(Outcome::Done)
    }

    async fn check(&self, group: u32, slot: Slot) -> anyhow::Result<Outcome> {
        let (reporters, place) = (&self.crew.reporters, group as usize);
        let found = self.day.found(slot, group).context("a check of the day")?;
        let finding = |pupil: &u32| {
            let (symptoms, tenths) = ILLNESSES[*pupil as usize % ILLNESSES.len()];
            CheckFinding {
                person: reporters.person(place, *pupil as usize),
                symptoms: symptoms.iter().map(|one| (*one).into()).collect(),
                temperature_tenths: tenths,
                ..CheckFinding::default()
            }
        };
        let absence = |pupil: &u32| CheckAbsence {
            person: reporters.person(place, *pupil as usize),
            reason: AbsenceReason::Unknown.into(),
        };
        let roll = Roll {
            findings: found.ill.iter().map(finding).collect(),
            absences: found.away.iter().map(absence).collect(),
        };
        stored(reporters.report(place, (self.today, slot), roll).await?)
    }

    /// Nobody in a room has symptoms.
    async fn check_room(&self, room: u32) -> anyhow::Result<Outcome> {
        let room = self.crew.rooms.get(room as usize).context("a room")?;
        let when = (self.today, Slot::Evening);
        let request = submission(room.scope.clone(), room.boarders, when, Roll::default());
        let mut reporter = ScreeningServiceClient::new(room.reporter.clone());
        stored(reporter.submit_check(request).await?.into_inner().verdict())
    }

    /// The head teacher calls the guardians of whoever is away.
    async fn trace(&self, group: u32) -> anyhow::Result<Outcome> {
        let (scope, door) = self.crew.reporters.at(group as usize);
        let mut teacher = AbsenceServiceClient::new(door);
        let request = ListAbsencesRequest {
            scope: scope.to_owned(),
            state: absence::State::Open.into(),
            ..ListAbsencesRequest::default()
        };
        let open = teacher.list_absences(request).await?.into_inner().absences;
        if open.is_empty() {
            return Ok(Outcome::Void);
        }
        for (number, one) in open.into_iter().enumerate() {
            let traced = TraceAbsenceRequest {
                name: one.name,
                request_id: Uuid::new_v4().to_string(),
                ..TraceAbsenceRequest::default()
            };
            let request = if (group as usize + number).is_multiple_of(UNREACHED) {
                TraceAbsenceRequest {
                    outcome: trace::Outcome::Unreachable.into(),
                    note: "两次拨打无人接听".to_owned(),
                    ..traced
                }
            } else {
                TraceAbsenceRequest {
                    outcome: trace::Outcome::Reached.into(),
                    reason: AbsenceReason::Personal.into(),
                    ..traced
                }
            };
            teacher.trace_absence(request).await?;
        }
        Ok(Outcome::Done)
    }

    async fn issue(&self) -> anyhow::Result<Outcome> {
        let issued = self.bureaus.clone().issue().await?;
        self.order.get_or_init(|| issued);
        Ok(Outcome::Done)
    }

    /// A principal takes in the order, reads it and signs it.
    async fn sign(&self, school: u32) -> anyhow::Result<Outcome> {
        let Some(order) = self.order.get() else {
            return Ok(Outcome::Void);
        };
        let principal = self.crew.principals.get(school as usize);
        let (id, client) = principal.context("a principal")?;
        let signer = Signer {
            client: client.clone(),
            name: format!("{order}/recipients/{id}"),
        };
        for act in signing::Act::ALL {
            signer.clone().act(act).await?;
        }
        Ok(Outcome::Done)
    }

    async fn scan(&self, tube: u32, place: u32) -> anyhow::Result<Outcome> {
        let (tube, journey) = self.tube(tube)?;
        let person = tube.filling.people.get(place as usize);
        let person = person.context("somebody of the tube")?;
        let _hand = tube.hand.read().await;
        if self.apart.contains(person) || tube.reached(Step::Sealed) {
            return Ok(Outcome::Void);
        }
        journey.swab(&tube.filling.tube(), person).await?;
        tube.reach(Step::Filled);
        Ok(Outcome::Done)
    }

    async fn seal(&self, tube: u32) -> anyhow::Result<Outcome> {
        let (tube, journey) = self.tube(tube)?;
        let _hand = tube.hand.write().await;
        if !tube.reached(Step::Filled) {
            return Ok(Outcome::Void);
        }
        journey.seal(&tube.filling.tube()).await?;
        tube.reach(Step::Sealed);
        Ok(Outcome::Done)
    }

    async fn deliver(&self, tube: u32) -> anyhow::Result<Outcome> {
        let (tube, journey) = self.tube(tube)?;
        if !tube.reached(Step::Sealed) {
            return Ok(Outcome::Void);
        }
        journey.deliver(&tube.filling.tube()).await?;
        tube.reach(Step::Delivered);
        Ok(Outcome::Done)
    }

    /// The laboratory tells the results of the tubes that have come.
    async fn results(&self, batch: u32) -> anyhow::Result<Outcome> {
        let batch = self.day.results.get(batch as usize).context("a batch")?;
        let (mut results, mut laboratory) = (Vec::with_capacity(batch.len()), None);
        for number in batch {
            let (tube, journey) = self.tube(*number)?;
            laboratory = Some(journey);
            if tube.reached(Step::Delivered) {
                let value = if number.is_multiple_of(POSITIVE_EVERY) {
                    ResultValue::Positive
                } else {
                    ResultValue::Negative
                };
                results.push((tube.filling.tube(), value));
            }
        }
        let Some(laboratory) = laboratory.filter(|_| !results.is_empty()) else {
            return Ok(Outcome::Void);
        };
        let verdicts = laboratory.submit(results).await?;
        let all = verdicts.iter().all(|verdict| verdict.accepted);
        ensure!(all, "RESULT_REFUSED");
        Ok(Outcome::Done)
    }

    /// The city looks at its own coverage, a district at its schools, the most silent first.
    async fn coverage(&self, desk: u32) -> anyhow::Result<Outcome> {
        let desk = self.crew.desks.get(desk as usize).context("a desk")?;
        if desk.bureau == CITY_ID {
            coverage::whole(desk.door.clone(), CITY_ID).await?;
        } else {
            coverage::list(desk.door.clone(), desk.bureau, "silence").await?;
        }
        Ok(Outcome::Done)
    }

    async fn overview(&self, desk: u32) -> anyhow::Result<Outcome> {
        let desk = self.crew.desks.get(desk as usize).context("a desk")?;
        let request = GetOverviewRequest {
            name: format!("organizations/{}/overview", desk.bureau),
            date: None,
        };
        let mut client = OverviewServiceClient::new(desk.door.clone());
        let overview = client.get_overview(request).await?.into_inner();
        let away = |section: &Section| section.state() == State::Unavailable;
        ensure!(!overview.sections.iter().any(away), "SECTION_UNAVAILABLE");
        Ok(Outcome::Done)
    }
}

/// A check must stand.
fn stored(verdict: Verdict) -> anyhow::Result<Outcome> {
    ensure!(verdict == Verdict::Stored, "{verdict:?}");
    Ok(Outcome::Done)
}
