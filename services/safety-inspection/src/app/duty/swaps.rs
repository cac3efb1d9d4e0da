//! Swaps: asked for and decided.

use std::collections::BTreeSet;

use kit::auth::Caller;
use kit::db::Tx;
use kit::rows::Lock;
use prost::Message;
use uuid::Uuid;

use super::{Duty, Page, SHIFTS, SWAPS, Shown, created, record, there};
use crate::app::{Site, identity, new_id};
use crate::domain::duty::{Refused, Shift, ShiftState, Span, Swap, SwapState, SwapStep};
use crate::error::Error;
use crate::store::Store;
use crate::store::records::Record;

impl Duty {
    /// Asks for somebody to be put in place of another on a shift.
    pub(crate) async fn request_swap<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, shift): (&Site, Uuid),
        (staff_member, substitute, reason): (String, String, String),
        request: (&str, &impl Message),
        render: impl FnOnce(Shown<Swap>) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now| {
            let shift = self.locked_shift(tx, site, shift).await?;
            let swap = Swap {
                state: SwapState::Requested,
                shift: shift.name(SHIFTS),
                staff_member,
                substitute,
                reason,
                asker: identity(caller),
            };
            let swap = swap.request(&shift.value, now)?;
            let substitute = [&*swap.substitute];
            self.base.people.require(substitute).await?;
            free(tx, &shift, shift.value.span, substitute).await?;
            let swap = record(site, new_id(now), swap);
            Store::save_swap(tx, &swap).await?;
            let moved = created(swap.value.state.as_str(), "REQUEST");
            let by = (&*swap.value.asker, &*swap.value.reason);
            Store::note_move(tx, &swap.name(SWAPS), &moved, by, now).await?;
            Ok(render(Shown::of(tx, swap, SWAPS).await?))
        };
        self.base
            .act(caller, "RequestDutySwap", request, work)
            .await
    }

    /// Decides on a swap; when it is granted, the shift changes with it.
    pub(crate) async fn decide_swap<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        step: SwapStep,
        request: (&str, &impl Message),
        render: impl FnOnce(Shown<Swap>) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now| {
            let organization = &*site.organization.id;
            Store::hold_duty(tx, organization).await?;
            let swap = Store::swap(tx, organization, id, Lock::Yes).await?;
            let swap = there(swap, (organization, SWAPS, id))?;
            let actor = identity(caller);
            let (value, moved) = swap.value.clone().decide(&actor, step)?;
            let swap = swap.with(value);
            if step == SwapStep::Approve {
                let shift = shift_id(&swap.value.shift);
                let shift = self.locked_shift(tx, site, shift).await?;
                let substitute = [&*swap.value.substitute];
                self.base.people.require(substitute).await?;
                free(tx, &shift, shift.value.span, substitute).await?;
                let people = (&swap.value.staff_member, &swap.value.substitute);
                let (value, moved) = shift.value.clone().swap(people.0, people.1, now)?;
                let shift = shift.with(value);
                Store::save_shifts(tx, std::slice::from_ref(&shift)).await?;
                let by = (&*actor, &*swap.value.reason);
                Store::note_move(tx, &shift.name(SHIFTS), &moved, by, now).await?;
            }
            Store::save_swap(tx, &swap).await?;
            Store::note_move(tx, &swap.name(SWAPS), &moved, (&actor, ""), now).await?;
            Ok(render(Shown::of(tx, swap, SWAPS).await?))
        };
        self.base.act(caller, "DecideDutySwap", request, work).await
    }

    /// Swaps at and below an organisation.
    pub(crate) async fn swaps(
        &self,
        site: &Site,
        state: Option<SwapState>,
        (before, limit): Page,
    ) -> Result<Vec<Shown<Swap>>, Error> {
        let (db, place) = (
            self.base.store.database().read(),
            &site.organization.org_path,
        );
        let found = Store::swaps(db, place, state, before, limit).await?;
        let mut shown = Vec::with_capacity(found.len());
        for swap in found {
            shown.push(Shown::of(db, swap, SWAPS).await?);
        }
        Ok(shown)
    }
}

/// Refuses when somebody of `people` is on another shift than `shift` within `span`, wherever that is.
pub(super) async fn free(
    tx: &Tx,
    shift: &Record<Shift>,
    span: Span,
    people: impl IntoIterator<Item = &str>,
) -> Result<(), Error> {
    let people: BTreeSet<&str> = people.into_iter().collect();
    let organization = &shift.organization;
    let others = Store::shifts_within(tx, std::slice::from_ref(organization), span).await?;
    let mut others = others.iter().filter(|other| {
        let stands = other.value.state != ShiftState::Replaced;
        other.id != shift.id && stands
    });
    let busy = others.any(|other| people.iter().any(|person| other.value.crew.has(person)));
    if busy
        || !Store::busy_elsewhere(tx, organization, &people, span)
            .await?
            .is_empty()
    {
        return Err(Refused::Overlap(span.start).into());
    }
    Ok(())
}

/// The id at the end of the name of a shift, as this service wrote it.
fn shift_id(name: &str) -> Uuid {
    let id = name.rsplit('/').next().unwrap_or_default();
    Uuid::try_parse(id).unwrap_or_default()
}
