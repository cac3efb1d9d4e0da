//! Closes draws: reveals the seed, and notes who was called and gave no swab.

use std::collections::HashMap;

use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::feed::announce;
use kit::request::{Once, once};
use proto::sampling::{CloseDayRequest, Draw};
use sea_orm::DbErr;

use super::App;
use crate::domain::commitment::closing;
use crate::domain::cycle::{CycleSeed, DaySeed};
use crate::domain::day::Day;
use crate::domain::plan::{DrawId, PlanId};
use crate::domain::roll::{Malformed, PersonId};
use crate::error::Error;
use crate::grpc::draw_convert;
use crate::publication::records::{self, Closing};
use crate::store::draws::DrawRow;
use crate::store::rolls::corrupt;
use crate::store::{coverage, draws, plans, rolls, rotation};

/// The seeds of cycles, read once each.
#[derive(Debug, Default)]
pub(crate) struct Seeds(HashMap<(PlanId, Day), CycleSeed>);

impl Seeds {
    /// The seed of a draw.
    pub(crate) async fn of(
        &mut self,
        connection: &impl sea_orm::ConnectionTrait,
        draw: &DrawRow,
    ) -> Result<DaySeed, DbErr> {
        let DrawId {
            plan,
            day,
            organization,
        } = &draw.id;
        let key = (plan.clone(), draw.cycle);
        let cycle = match self.0.get(&key) {
            Some(seed) => *seed,
            None => {
                let found = plans::cycle_at(connection, plan, draw.cycle).await?;
                let (_, seed) = found.ok_or_else(|| corrupt(Malformed))?;
                self.0.insert(key, seed);
                seed
            }
        };
        Ok(cycle.of_day(plan.as_str(), *day, organization))
    }
}

impl App {
    /// Closes one draw.
    pub(crate) async fn close_day(
        &self,
        caller: &Caller,
        id: &DrawId,
        request: &CloseDayRequest,
    ) -> Result<Draw, Error> {
        caller.allowed(Permission::DrawRun)?;
        let tx = self.db.begin().await?;
        let found = draws::lock(&tx, id).await?;
        let path = found.as_ref().map_or("", |draw| &draw.org_path);
        Self::check_path(caller, Permission::DrawRun, path)?;
        let ticket = match once(
            &tx,
            caller,
            "CloseDay",
            &request.request_id,
            request,
            self.clock.now(),
        )
        .await?
        {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let draw = found.ok_or_else(|| Error::NotFound(id.to_string()))?;
        if draw.closing.is_some() {
            return Err(Error::DrawClosed(id.to_string()));
        }
        let closed = self.close_in(&tx, vec![draw]).await?;
        let answer = closed
            .first()
            .map(draw_convert::draw)
            .ok_or_else(|| Error::NotFound(id.to_string()))?;
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Closes draws that are locked, oldest first, in the caller's transaction.
    pub(super) async fn close_in(
        &self,
        tx: &Tx,
        open: Vec<DrawRow>,
    ) -> Result<Vec<DrawRow>, Error> {
        if open.is_empty() {
            return Ok(open);
        }
        let schools: Vec<String> = open.iter().map(|draw| draw.org_path.clone()).collect();
        coverage::lock(tx, &schools).await?;
        let now = self.clock.now();
        let mut seeds = Seeds::default();
        let mut closed = Vec::with_capacity(open.len());
        for mut draw in open {
            note_absent(tx, &draw).await?;
            let seed = seeds.of(tx, &draw).await?;
            let last = match draw.replacements {
                0 => records::signature(&draw.record.signature),
                _ => {
                    let all = draws::replacements(tx, &draw.id).await?;
                    let last = all
                        .last()
                        .map(|last| last.signature.clone())
                        .unwrap_or_default();
                    records::signature(&last)
                }
            };
            let before = last.map_err(|_| corrupt(Malformed))?;
            let (count, time) = (draw.replacements.unsigned_abs(), now.timestamp());
            let signature = self.signer.sign(&closing(&seed, count, time, &before));
            let revealed = Closing {
                seed,
                replacements: count,
                time,
                signature,
            };
            draw.closing = Some(records::from_closing(&revealed));
            draw.version += 1;
            draws::update(tx, &draw).await?;
            closed.push(draw);
        }
        announce(
            tx,
            closed.iter().flat_map(draw_convert::draw_changes).collect(),
        )
        .await?;
        Ok(closed)
    }
}

/// Whoever was called and gave no swab comes first next time. The school is locked.
async fn note_absent(tx: &Tx, draw: &DrawRow) -> Result<(), Error> {
    let day = draw.id.day;
    let replacements = draws::replacements(tx, &draw.id).await?;
    let mut changed = Vec::new();
    let records = draws::groups(tx, &draw.id, "", u64::MAX >> 1).await?;
    let paths: Vec<String> = records
        .iter()
        .map(|(id, _)| format!("{}/{id}", draw.org_path))
        .collect();
    let stored = rolls::groups_at(tx, &paths).await?;
    let mut stored: HashMap<String, _> = stored
        .into_iter()
        .map(|group| (group.id.clone(), group))
        .collect();
    for (id, record) in records {
        let Some(mut group) = stored.remove(&id) else {
            continue;
        };
        let record = draws::decode_group(&record)?;
        let people: Vec<PersonId> = record
            .people
            .chunks_exact(16)
            .map(crate::domain::roll::person)
            .collect();
        let replaced = replacements.iter().filter(|one| one.class_group == id);
        let substitutes = replaced
            .filter(|one| one.replacement.len() == 16)
            .map(|one| crate::domain::roll::person(&one.replacement));
        let called: Vec<PersonId> = record
            .picks
            .iter()
            .filter_map(|place| people.get(*place as usize).copied())
            .chain(substitutes)
            .collect();
        let before = group.rotation()?;
        let mut after = before.clone();
        after.absent(&called, day);
        if after != before {
            group.entries = after.pack();
            changed.push(group);
        }
    }
    rotation::save(tx, &changed).await?;
    Ok(())
}
