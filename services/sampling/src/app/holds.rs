//! What follows from positive tubes: holds, single swabs, audit lines, and everybody's control.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use kit::auth::Caller;
use kit::db::Tx;
use kit::feed::announce;
use sea_orm::Value as SqlValue;

use super::App;
use super::controls::Controls;
use super::health::case_files::school_of;
use super::health::findings::{Decided, Finding, lone_findings};
use super::tube_steps::millis;
use crate::domain::hold::{Control, Facts, HoldState, Outcome, Single, decide, hand_over};
use crate::domain::laboratory_result::Value;
use crate::domain::policy::Policy;
use crate::domain::tube::State;
use crate::error::Error;
use crate::grpc::announced::hold_change;
use crate::grpc::tube_convert::member;
use crate::store::controls::ControlRow;
use crate::store::health::contacts;
use crate::store::holds::{self, HoldEventRow, HoldRow, RecheckRow, SingleRow};
use crate::store::swabs::SwabRow;
use crate::store::tubes::TubeRow;
use kit::rows::{Lock, Row};

/// The rule that holds and releases without a human.
const RULE: &str = "rule 2.22";
/// The rule by which tubes hold people.
const CONTROL_RULE: &str = "2.19";
const CORRECTED: &str = "the result was corrected";

/// Tubes of which something must follow.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    /// Their holds are decided anew.
    pub(super) holds: BTreeSet<String>,
    /// They hold nobody, but may open a case.
    pub(super) lone: BTreeSet<String>,
    /// They became negative, which may end the control of a contact.
    pub(super) negative: BTreeSet<String>,
}

/// What is stored about tubes that hold, or held, their people.
#[derive(Debug, Default)]
struct Known {
    members: HashMap<String, Vec<SwabRow>>,
    holds: HashMap<String, HoldRow>,
    /// What is known of each member's single swab.
    singles: HashMap<(String, Vec<u8>), Single>,
    /// The sum of the versions of each member's singles that are positive or suspect.
    evidence: HashMap<(String, Vec<u8>), i64>,
    /// Of whom cases decide.
    decided: Decided,
    /// Tubes whose first single was opened.
    rechecked: HashSet<String>,
    /// The control of each member before.
    had: HashMap<(String, Vec<u8>), i16>,
    /// How many audit lines each hold has.
    lines: HashMap<String, i64>,
}

/// What a hold becomes.
#[derive(Debug, Default)]
struct Settled {
    holds: Vec<HoldRow>,
    orders: Vec<RecheckRow>,
    events: Vec<HoldEventRow>,
    changes: Vec<kit::feed::Change>,
    controls: Controls,
}

impl App {
    /// Makes holds, cases, controls and clearance of these tubes what their results and those of
    /// their singles say, whatever came before. `tubes` are locked and hold what changed already;
    /// those of `unsettled` are among them.
    pub(super) async fn settle(
        &self,
        tx: &Tx,
        caller: &Caller,
        tubes: &mut BTreeMap<String, TubeRow>,
        unsettled: &Unsettled,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Unsettled {
            holds: codes,
            lone,
            negative,
        } = unsettled;
        let waiting = contacts::waiting(tx, values(negative)).await?;
        if codes.is_empty() && lone.is_empty() && waiting.is_empty() {
            return Ok(());
        }
        let mut known = Known::load(tx, tubes, codes).await?;
        let mut findings = known.findings(tubes);
        findings.extend(lone_findings(tx, tubes, lone).await?);
        let schools = known.members.values().flatten();
        let mut schools: Vec<&str> = schools.map(|swab| school_of(&swab.org_path)).collect();
        schools.extend(findings.iter().map(|finding| school_of(&finding.org_path)));
        let of_contacts = Self::schools_of_contacts(tx, &waiting).await?;
        schools.extend(of_contacts.iter().map(String::as_str));
        self.lock_health(tx, &schools).await?;
        Self::wake_contacts(tx, &waiting, now).await?;
        self.note_findings(tx, findings, now).await?;
        let sources = codes.iter().map(|code| basis(code).into()).collect();
        known.decided = self.decided_by_cases(tx, sources).await?;
        let mut settled = Settled::default();
        for code in codes {
            let Some(tube) = tubes.get_mut(code) else {
                continue;
            };
            let policy = self.policy_at(tx, &tube.org_path).await?;
            settled.settle(&mut known, tube, &policy, &caller.subject, now)?;
        }
        let Settled {
            holds,
            orders,
            events,
            changes,
            controls,
        } = settled;
        HoldRow::save(tx, &holds).await?;
        RecheckRow::save(tx, &orders).await?;
        HoldEventRow::add(tx, &events).await?;
        announce(tx, changes).await?;
        self.move_controls(tx, controls, now).await
    }
}

impl Known {
    async fn load(
        tx: &Tx,
        tubes: &BTreeMap<String, TubeRow>,
        codes: &BTreeSet<String>,
    ) -> Result<Self, Error> {
        let keys = values(codes);
        let mut known = Self::default();
        for swab in SwabRow::find(tx, "tube", keys.clone(), Lock::No).await? {
            known
                .members
                .entry(swab.tube.clone())
                .or_default()
                .push(swab);
        }
        for hold in HoldRow::find(tx, "tube", keys.clone(), Lock::Yes).await? {
            known.holds.insert(hold.tube.clone(), hold);
        }
        for single in holds::singles(tx, &keys).await? {
            known.rechecked.insert(single.hold.clone());
            let (state, result, version) = tubes.get(&single.tube).map_or(
                (single.state, single.result, single.result_version),
                |tube| (tube.state, tube.result, tube.result_version),
            );
            let one = of_tube(state, result);
            if let SingleRow {
                hold,
                person: Some(person),
                ..
            } = single
            {
                let key = (hold, person);
                if Value::from_code(result).is_some_and(Value::holds) {
                    *known.evidence.entry(key.clone()).or_default() += i64::from(version);
                }
                let of_person = known.singles.entry(key).or_insert(one);
                *of_person = of_person.or(one);
            }
        }
        let bases = codes.iter().map(|code| basis(code).into()).collect();
        for row in ControlRow::find(tx, "basis", bases, Lock::No).await? {
            known.had.insert((row.basis, row.person), row.control);
        }
        known.lines = holds::lines(tx, &keys).await?;
        Ok(known)
    }

    /// What the singles of these holds say of each member.
    fn findings(&self, tubes: &BTreeMap<String, TubeRow>) -> Vec<Finding> {
        let members = self.members.values().flatten();
        let finding = |swab: &SwabRow| {
            let key = (swab.tube.clone(), swab.person.clone());
            Finding {
                source: basis(&swab.tube),
                person: swab.person.clone(),
                kind: swab.kind,
                org_path: swab.org_path.clone(),
                disease: tubes.get(&swab.tube).map_or(0, |tube| tube.disease),
                evidence: self.evidence.get(&key).copied().unwrap_or_default(),
            }
        };
        let mut findings: Vec<Finding> = members.map(finding).collect();
        findings
            .sort_by(|one, other| (&one.source, &one.person).cmp(&(&other.source, &other.person)));
        findings
    }

    /// Whether a case decides of this member, whose single says `single`.
    fn is_decided(&self, code: &str, swab: &SwabRow, single: Single) -> bool {
        let key = (basis(code), swab.person.clone());
        match single {
            Single::Found(value) if value.holds() => self.decided.over.contains(&key),
            _ => self.decided.contacts.contains(&key),
        }
    }
}

impl Settled {
    fn settle(
        &mut self,
        known: &mut Known,
        tube: &mut TubeRow,
        policy: &Policy,
        subject: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let code = tube.code.clone();
        let Some(result) = Value::from_code(tube.result) else {
            return Ok(());
        };
        let mut hold = match known.holds.remove(&code) {
            Some(hold) => hold,
            None if !result.holds() => return Ok(()),
            None => HoldRow {
                tube: code.clone(),
                org_path: tube.org_path.clone(),
                class_group: tube.class_group.clone(),
                ..HoldRow::default()
            },
        };
        let members = known.members.remove(&code).unwrap_or_default();
        let single = |swab: &SwabRow| {
            let key = (code.clone(), swab.person.clone());
            known.singles.get(&key).copied().unwrap_or(Single::Ordered)
        };
        let singles: Vec<Single> = members.iter().map(single).collect();
        let facts = Facts {
            result,
            rechecked: known.rechecked.contains(&code),
            by_hand: hold.released_version != 0 && hold.released_version == tube.result_version,
            auto_release: policy.auto_release,
        };
        let mut outcome = decide(facts, &singles);
        let pairs = members.iter().zip(&singles);
        let settled = pairs.map(|(swab, single)| known.is_decided(&code, swab, *single));
        hand_over(&mut outcome, &settled.collect::<Vec<_>>());
        if let Some(state) = outcome.tube.filter(|_| tube.state != State::Closed.code()) {
            tube.state = state.code();
        }
        tube.positives = i32::try_from(outcome.positives).unwrap_or(i32::MAX);
        hold.positives = tube.positives;
        let released = HoldState::Released.code();
        let begins =
            hold.state == 0 || (hold.state == released && outcome.hold == HoldState::Active);
        if begins {
            begin(&mut hold, policy, now);
            let order = |swab: &SwabRow| RecheckRow {
                hold: code.clone(),
                person: swab.person.clone(),
                kind: swab.kind,
                due_time: hold.recheck_due,
            };
            self.orders.extend(members.iter().map(order));
        }
        end(&mut hold, outcome.hold, result, now);
        self.move_members(known, &hold, &members, &outcome, subject, now);
        hold.version += 1;
        self.changes.push(hold_change(&hold, &members));
        self.holds.push(hold);
        Ok(())
    }

    /// Notes whose control changes, with one audit line each.
    fn move_members(
        &mut self,
        known: &mut Known,
        hold: &HoldRow,
        members: &[SwabRow],
        outcome: &Outcome,
        subject: &str,
        now: DateTime<Utc>,
    ) {
        let basis = basis(&hold.tube);
        let by_rule = outcome.hold != HoldState::Released;
        let lines = known.lines.entry(hold.tube.clone()).or_default();
        for (swab, control) in members.iter().zip(&outcome.controls) {
            let key = (basis.clone(), swab.person.clone());
            if known.had.get(&key).copied() == control.map(Control::code) {
                continue;
            }
            *lines += 1;
            let name = member(swab.kind, &swab.person);
            self.events.push(HoldEventRow {
                hold: hold.tube.clone(),
                sequence: *lines,
                time: now.timestamp_millis(),
                kind: kind_of(*control).to_owned(),
                person: name.clone(),
                actor: if by_rule { RULE } else { subject }.to_owned(),
                reason: reason_of(*control, hold),
            });
            match control {
                Some(control) => self.controls.set(
                    name,
                    ControlRow {
                        person: swab.person.clone(),
                        basis: basis.clone(),
                        control: control.code(),
                        since: now.timestamp_millis(),
                        org_path: swab.org_path.clone(),
                        policy_version: hold.policy_version.clone(),
                        rule: CONTROL_RULE.to_owned(),
                        until: 0,
                    },
                ),
                None => self.controls.lift(name, swab.person.clone(), basis.clone()),
            }
        }
    }
}

/// What a single tube tells. One that was void, lost or refused, or must be taken again, tells
/// nothing unless it has a result.
pub(super) fn of_tube(state: i16, result: i16) -> Single {
    let lives = match State::from_code(state) {
        None | Some(State::Voided | State::Lost | State::Rejected | State::ResampleRequired) => {
            false
        }
        Some(_) => true,
    };
    Single::of(Value::from_code(result), lives)
}

fn values(codes: &BTreeSet<String>) -> Vec<SqlValue> {
    codes.iter().map(|code| code.as_str().into()).collect()
}

fn basis(code: &str) -> String {
    format!("holds/{code}")
}

fn begin(hold: &mut HoldRow, policy: &Policy, now: DateTime<Utc>) {
    hold.start_time = now.timestamp_millis();
    hold.notify_due = hold.start_time + millis(policy.positive_notify);
    hold.recheck_due = hold.start_time + millis(policy.positive_resample);
    hold.policy_version.clone_from(&policy.version);
}

/// Ends a hold, or begins it again; why a human ended it was noted before.
fn end(hold: &mut HoldRow, state: HoldState, result: Value, now: DateTime<Utc>) {
    if hold.state == state.code() {
        return;
    }
    hold.state = state.code();
    hold.end_time = now.timestamp_millis();
    match state {
        HoldState::Active => (hold.end_time, hold.end_reason) = (0, String::new()),
        HoldState::ResolvedNegative => hold.end_reason = "all singles are negative".to_owned(),
        HoldState::ResolvedPositive => hold.end_reason = "some singles are positive".to_owned(),
        HoldState::Released if !result.holds() => hold.end_reason = CORRECTED.to_owned(),
        HoldState::Released => {}
    }
}

fn kind_of(control: Option<Control>) -> &'static str {
    match control {
        None => "RELEASED",
        Some(Control::PoolHold) => "HELD",
        Some(Control::Isolated) => "ISOLATED",
        Some(_) => "CONTACT",
    }
}

fn reason_of(control: Option<Control>, hold: &HoldRow) -> String {
    match control {
        None if hold.state == HoldState::ResolvedPositive.code() => {
            "the case decides now".to_owned()
        }
        None => hold.end_reason.clone(),
        Some(Control::PoolHold) => format!("tubes/{} is positive or suspect", hold.tube),
        Some(Control::Isolated) => "the single is positive".to_owned(),
        Some(_) => format!("shared tubes/{} with somebody positive", hold.tube),
    }
}
