//! Tubes from issue to the laboratory.

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission, Role};
use kit::db::Tx;
use kit::feed::announce;
use kit::org::OrgPath;
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use proto::error::ErrorReason;
use proto::sampling::Tube;

use super::App;
use crate::domain::day::Day;
use crate::domain::policy::Policy;
use crate::domain::roll::PersonId;
use crate::domain::tube::{State, Verb};
use crate::error::{Error, state_name};
use crate::grpc::tube_convert;
use crate::store::tubes::{CustodyRow, Lock, MakeUpRow, SwabRow, TubeRow, execute_in};
use crate::store::{rolls, rotation};

/// What an act on one tube may change and note.
pub(crate) struct Act {
    pub(crate) verb: Verb,
    /// The verb's name in the custody.
    pub(crate) name: &'static str,
    pub(crate) permission: Permission,
    pub(crate) note: String,
}

/// What a tube is opened for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// Organisation and class group.
    Group(String, String),
    /// The tube whose hold orders singles.
    Hold(String),
}

impl TubeRow {
    /// Where the tube stands.
    pub(crate) fn stands(&self) -> Result<State, Error> {
        State::from_code(self.state)
            .ok_or_else(|| sea_orm::DbErr::Custom("unknown state of a tube".to_owned()).into())
    }

    /// Moves on, or is refused.
    pub(crate) fn apply(&mut self, verb: Verb) -> Result<(), Error> {
        self.state = self.stands()?.after(verb)?.code();
        Ok(())
    }
}

impl App {
    /// Whether the caller may act on this tube: a laboratory on its own, others within their scope.
    pub(crate) fn check_tube(
        caller: &Caller,
        permission: Permission,
        tube: Option<&TubeRow>,
        code: &str,
    ) -> Result<(), Error> {
        caller.allowed(permission)?;
        let denied = || Problem::new(ErrorReason::ScopeDenied).meta("permission", permission);
        if caller.is(Role::Laboratory) {
            let own = tube.is_some_and(|tube| caller.laboratory.as_ref() == Some(&tube.laboratory));
            return if own { Ok(()) } else { Err(denied().into()) };
        }
        match tube {
            Some(tube) => Self::check_path(caller, permission, &tube.org_path),
            None if caller.scope.ids().count() <= 1 => {
                Err(Error::NotFound(format!("tubes/{code}")))
            }
            None => Err(denied().into()),
        }
    }

    /// The policy that holds at a place today.
    pub(crate) async fn policy_at(&self, tx: &Tx, path: &str) -> Result<Policy, Error> {
        let facts = self.facts.get(tx).await?;
        let policy = facts.policy(path, self.today()).cloned();
        policy.ok_or_else(|| Error::NoPolicy(path.to_owned()))
    }

    /// Notes printed tubes; returns how many were new.
    pub(crate) async fn issue_tubes(
        &self,
        caller: &Caller,
        laboratory: &str,
        organization: &str,
        template: &TubeRow,
        codes: &[String],
    ) -> Result<usize, Error> {
        let place = self
            .place(caller, Permission::TubeIssue, organization)
            .await?;
        let laboratory = caller.laboratory.as_deref().unwrap_or(laboratory);
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let keys = codes.iter().map(|code| code.as_str().into()).collect();
        let known = TubeRow::find(&tx, "code", keys, Lock::Yes).await?;
        if let Some(other) = known.iter().find(|tube| tube.laboratory != laboratory) {
            return Err(Error::AlreadyExists(format!("tubes/{}", other.code)));
        }
        let known: std::collections::HashSet<&str> =
            known.iter().map(|tube| tube.code.as_str()).collect();
        let mut fresh: Vec<&String> = codes
            .iter()
            .filter(|code| !known.contains(code.as_str()))
            .collect();
        fresh.sort();
        fresh.dedup();
        let rows: Vec<TubeRow> = fresh
            .iter()
            .map(|code| TubeRow {
                code: (*code).clone(),
                laboratory: laboratory.to_owned(),
                state: State::Issued.code(),
                org_path: place.to_string(),
                version: 1,
                ..template.clone()
            })
            .collect();
        TubeRow::add(&tx, &rows).await?;
        let custody: Vec<_> = rows
            .iter()
            .map(|row| custody(row, "IssueTubes", caller, String::new(), now))
            .collect();
        CustodyRow::add(&tx, &custody).await?;
        tx.commit().await?;
        Ok(rows.len())
    }

    /// Takes a tube into use.
    pub(crate) async fn open_tube(
        &self,
        caller: &Caller,
        code: &str,
        purpose: Purpose,
        draw: &str,
        request_id: &str,
        request: &impl Message,
    ) -> Result<Tube, Error> {
        let now = self.clock.now();
        let today = self.today();
        let tx = self.db.begin().await?;
        let mut codes = vec![sea_orm::Value::from(code)];
        if let Purpose::Hold(parent) = &purpose {
            codes.push(parent.as_str().into());
        }
        let mut found = TubeRow::find(&tx, "code", codes, Lock::Yes).await?;
        let place = found.iter().position(|tube| tube.code == code);
        let tube = place.map(|place| found.swap_remove(place));
        Self::check_issued(caller, tube.as_ref(), code)?;
        let mut tube = tube.ok_or_else(|| Error::NotFound(format!("tubes/{code}")))?;
        let ticket = match once(&tx, caller, "OpenTube", request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        match &purpose {
            Purpose::Group(organization, group) => {
                let name = rolls::group_name(organization, group);
                let group = rolls::group_named(&tx, organization, group).await?;
                let path = group.as_ref().map_or("", |group| &group.path);
                Self::check_path(caller, Permission::TubeHandle, path)?;
                let group = group.ok_or(Error::NotFound(name.clone()))?;
                (tube.org_path, tube.class_group) = (group.path, name);
            }
            Purpose::Hold(parent) => {
                let hold = found.pop();
                let path = hold.as_ref().map_or("", |hold| &hold.org_path);
                Self::check_path(caller, Permission::TubeHandle, path)?;
                let mut hold = hold.ok_or_else(|| Error::NotFound(format!("holds/{parent}")))?;
                if tube.capacity != 1 {
                    return Err(Problem::new(ErrorReason::SingleOnly).into());
                }
                match hold.stands()? {
                    State::HoldActive => {
                        hold.apply(Verb::Recheck)?;
                        self.noted(
                            &tx,
                            caller,
                            std::slice::from_mut(&mut hold),
                            "Recheck",
                            "",
                            now,
                        )
                        .await?;
                    }
                    State::Recheck => {}
                    other => return Err(Error::TubeState(state_name(other))),
                }
                tube.parent = parent.clone();
                (tube.org_path, tube.class_group) = (hold.org_path, hold.class_group);
            }
        }
        tube.apply(Verb::Open)?;
        tube.day = i32::from(today.number());
        tube.draw = draw.to_owned();
        tube.policy_version = self.policy_at(&tx, &tube.org_path).await?.version;
        self.noted(
            &tx,
            caller,
            std::slice::from_mut(&mut tube),
            "OpenTube",
            "",
            now,
        )
        .await?;
        let answer = tube_convert::tube(&tube, now, false);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// An issued tube lies at a bureau: whoever works below it may take one.
    fn check_issued(caller: &Caller, tube: Option<&TubeRow>, code: &str) -> Result<(), Error> {
        let scope = caller.allowed(Permission::TubeHandle)?;
        if let Some(tube) = tube {
            let place: OrgPath = tube.org_path.parse().unwrap_or_default();
            if place.contains(scope) {
                return Ok(());
            }
        }
        Self::check_tube(caller, Permission::TubeHandle, tube, code)
    }

    /// One verb on one tube.
    pub(crate) async fn act(
        &self,
        caller: &Caller,
        code: &str,
        act: Act,
        request_id: &str,
        request: &impl Message,
        change: impl FnOnce(&mut TubeRow, &Policy, DateTime<Utc>) -> Result<(), Error>,
    ) -> Result<Tube, Error> {
        let Act {
            verb,
            name,
            permission,
            note,
        } = act;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let tube = TubeRow::find(&tx, "code", vec![code.into()], Lock::Yes)
            .await?
            .pop();
        Self::check_tube(caller, permission, tube.as_ref(), code)?;
        let mut tube = tube.ok_or_else(|| Error::NotFound(format!("tubes/{code}")))?;
        let ticket = match once(&tx, caller, name, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let policy = self.policy_at(&tx, &tube.org_path).await?;
        tube.apply(verb)?;
        change(&mut tube, &policy, now)?;
        match verb {
            Verb::Seal if tube.parent.is_empty() => {
                self.rotate(&tx, std::slice::from_ref(&tube), true).await?;
            }
            Verb::Void => {
                let sql = "UPDATE swabs SET counted = FALSE WHERE tube";
                execute_in(&tx, sql, vec![code.into()]).await?;
            }
            Verb::ReportLost => {
                self.resample(&tx, std::slice::from_mut(&mut tube), "LOST", now)
                    .await?
            }
            Verb::Reject => {
                self.resample(&tx, std::slice::from_mut(&mut tube), "REJECTED", now)
                    .await?
            }
            _ => {}
        }
        self.noted(
            &tx,
            caller,
            std::slice::from_mut(&mut tube),
            name,
            &note,
            now,
        )
        .await?;
        let answer = tube_convert::tube(&tube, now, caller.is(Role::Laboratory));
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Tells the rotation that the people of sealed tubes were swabbed, or takes it back.
    pub(crate) async fn rotate(
        &self,
        tx: &Tx,
        tubes: &[TubeRow],
        swabbed: bool,
    ) -> Result<(), Error> {
        let keys = tubes.iter().map(|tube| tube.code.as_str().into()).collect();
        let mut groups = std::collections::BTreeMap::<(String, i32), Vec<PersonId>>::new();
        for swab in SwabRow::find(tx, "tube", keys, Lock::No).await? {
            let person = crate::domain::roll::person(&swab.person);
            groups
                .entry((swab.org_path, swab.day))
                .or_default()
                .push(person);
        }
        for ((path, day), people) in groups {
            let day = Day::from_number(u16::try_from(day).unwrap_or_default());
            if swabbed {
                rotation::sampled(tx, &path, &people, day).await?;
            } else {
                rotation::put_back(tx, &path, &people, day).await?;
            }
        }
        Ok(())
    }

    /// Gives everybody of lost, rejected or invalid tubes a make-up task, and no hold.
    pub(crate) async fn resample(
        &self,
        tx: &Tx,
        tubes: &mut [TubeRow],
        cause: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let keys: Vec<sea_orm::Value> =
            tubes.iter().map(|tube| tube.code.as_str().into()).collect();
        let swabs = SwabRow::find(tx, "tube", keys.clone(), Lock::No).await?;
        let tasks: Vec<MakeUpRow> = swabs
            .into_iter()
            .map(|swab| MakeUpRow {
                tube: swab.tube,
                person: swab.person,
                kind: swab.kind,
                org_path: swab.org_path,
                cause: cause.to_owned(),
                create_time: now.timestamp_millis(),
            })
            .collect();
        MakeUpRow::save(tx, &tasks).await?;
        let regular: Vec<TubeRow> = tubes
            .iter()
            .filter(|tube| tube.parent.is_empty())
            .cloned()
            .collect();
        self.rotate(tx, &regular, false).await?;
        execute_in(tx, "UPDATE swabs SET counted = FALSE WHERE tube", keys).await?;
        for tube in tubes {
            tube.apply(Verb::Resample)?;
        }
        Ok(())
    }

    /// Stores changed tubes, adds the custody event and announces them.
    pub(crate) async fn noted(
        &self,
        tx: &Tx,
        caller: &Caller,
        tubes: &mut [TubeRow],
        verb: &str,
        note: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        for tube in tubes.iter_mut() {
            tube.version += 1;
        }
        let events: Vec<_> = tubes
            .iter()
            .map(|tube| custody(tube, verb, caller, note.to_owned(), now))
            .collect();
        TubeRow::save(tx, tubes).await?;
        CustodyRow::add(tx, &events).await?;
        announce(
            tx,
            tubes
                .iter()
                .map(|tube| tube_convert::change(tube, now))
                .collect(),
        )
        .await?;
        Ok(())
    }
}

fn custody(
    tube: &TubeRow,
    verb: &str,
    caller: &Caller,
    note: String,
    now: DateTime<Utc>,
) -> CustodyRow {
    CustodyRow {
        tube: tube.code.clone(),
        sequence: tube.version,
        time: now.timestamp_millis(),
        verb: verb.to_owned(),
        actor: caller.subject.clone(),
        state: tube.state,
        note,
    }
}
