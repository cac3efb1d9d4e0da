//! Gives the place of somebody absent to the next in the queue of the same group.

use kit::auth::{Caller, Permission};
use kit::feed::announce;
use kit::request::{Once, once};
use proto::sampling::{ReplaceAssignmentRequest, Replacement};

use super::App;
use super::close::Seeds;
use super::draws::{kind_of, school_of};
use crate::domain::commitment::Replaced;
use crate::domain::cycle::DaySeed;
use crate::domain::draw::Standing;
use crate::domain::plan::DrawId;
use crate::domain::roll::{Malformed, PersonId, person};
use crate::error::Error;
use crate::grpc::draw_convert;
use crate::publication::check::{Queue, School};
use crate::publication::records;
use crate::store::draws::DrawRow;
use crate::store::rolls::corrupt;
use crate::store::{coverage, draws, people, rolls, rotation};

impl App {
    /// Gives the place of somebody absent to the next in the queue.
    pub(crate) async fn replace(
        &self,
        caller: &Caller,
        id: &DrawId,
        absent: PersonId,
        request: &ReplaceAssignmentRequest,
    ) -> Result<Replacement, Error> {
        caller.allowed(Permission::DrawRun)?;
        let now = self.clock.now();
        let located = people::locate(self.db.read(), absent).await?;
        let tx = self.db.begin().await?;
        let found = draws::lock(&tx, id).await?;
        let path = found.as_ref().map_or("", |draw| &draw.org_path);
        Self::check_path(caller, Permission::DrawRun, path)?;
        let mut draw = found.ok_or_else(|| Error::NotFound(id.to_string()))?;
        let ticket = match once(
            &tx,
            caller,
            "ReplaceAssignment",
            &request.request_id,
            request,
            now,
        )
        .await?
        {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        if draw.closing.is_some() {
            return Err(Error::DrawClosed(id.to_string()));
        }
        let not_assigned = || Error::NotAssigned(id.to_string());
        // Whoever left the school since the draw is found in no group of it, and is absent too.
        let group = match located.filter(|found| found.group.organization == id.organization) {
            Some(found) => found.group.id,
            None => group_with(&tx, id, absent)
                .await?
                .ok_or_else(not_assigned)?,
        };
        coverage::lock(&tx, std::slice::from_ref(&draw.org_path)).await?;
        let seed = Seeds::default().of(&tx, &draw).await?;
        let school = school_of(&tx, &draw, Some(&group)).await?;
        let replaced = self
            .next_for(&tx, &draw, &school, &seed, &group, absent)
            .await?
            .ok_or_else(not_assigned)?;

        let signature = self
            .signer
            .sign(&replaced.canonical(school.last_signature()));
        draws::add_replacement(&tx, id, &records::from_replaced(&replaced, &signature)).await?;
        let group_path = format!("{}/{group}", draw.org_path);
        rotation::absent(&tx, &group_path, &[absent], id.day).await?;
        draw.replacements += 1;
        draw.version += 1;
        draws::update(&tx, &draw).await?;
        announce(&tx, draw_convert::draw_changes(&draw)).await?;
        let answer = draw_convert::replacement(id, &replaced, &signature, kind_of(&group));
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Replays the replacements so far, then finds the next for `absent`; none when they are not
    /// called.
    async fn next_for(
        &self,
        tx: &kit::db::Tx,
        draw: &DrawRow,
        school: &School,
        seed: &DaySeed,
        group: &str,
        absent: PersonId,
    ) -> Result<Option<Replaced>, Error> {
        let Some(record) = school.groups.iter().find(|record| record.id == group) else {
            return Ok(None);
        };
        let (candidates, picks) = records::to_group(record).map_err(|_| corrupt(Malformed))?;
        let terms = school.terms();
        let mut queue = Queue::new(&picks);
        for (earlier, _) in school
            .replacements
            .iter()
            .filter(|(one, _)| one.group == group)
        {
            let over = |person| earlier.passed_over.contains(&person);
            queue.replace(&terms, seed, &candidates, earlier.absent, over);
        }
        let path = format!("{}/{group}", draw.org_path);
        let stored = rolls::groups_at(tx, &[path]).await?.pop();
        let day = draw.id.day;
        let facts = self.facts.get(tx).await?;
        let schools = (draw.org_path.as_str(), draw.org_path.as_str());
        let held = self.not_drawn(tx, &facts, schools, day).await?;
        let (roll, rotation, taught) = match &stored {
            Some(stored) => (stored.roll()?, stored.rotation()?, stored.taught),
            None => Default::default(),
        };
        if rotation.last(absent) == day {
            return Err(Error::AlreadySampled(draw.id.to_string()));
        }
        let cannot = |person: PersonId| {
            let standing = roll
                .get(person)
                .map(|member| people::standing(member, taught));
            standing != Some(Standing::Eligible)
                || held.contains(&person)
                || rotation.last(person) == day
        };
        let Some(next) = queue.replace(&terms, seed, &candidates, absent, cannot) else {
            return Ok(None);
        };
        Ok(Some(Replaced {
            sequence: draw.replacements.unsigned_abs() + 1,
            group: group.to_owned(),
            absent,
            replacement: next.replacement,
            passed_over: next.passed_over,
            time: self.clock.now().timestamp(),
        }))
    }
}

/// The group of a draw that has somebody among its candidates.
async fn group_with(tx: &kit::db::Tx, id: &DrawId, who: PersonId) -> Result<Option<String>, Error> {
    for (group, record) in draws::groups(tx, id, "", u64::MAX >> 1).await? {
        let record = draws::decode_group(&record)?;
        if record.people.chunks_exact(16).any(|one| person(one) == who) {
            return Ok(Some(group));
        }
    }
    Ok(None)
}
