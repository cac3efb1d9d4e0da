//! Transfers and advice, both ways.

use kit::field::{Fields, to_timestamp};
use kit::status::Problem;
use proto::safety as pb;

use super::super::{big, organization};
use super::level::held;
use super::{MOST, item, item_name};
use crate::app::supplies::{Advice, Sending, Sent};

/// What somebody sends. `parent` was read before.
pub(in crate::grpc) fn sending(
    request: &pb::SendSupplyTransferRequest,
) -> Result<Sending, Problem> {
    let mut fields = Fields::new();
    let receiver = organization("receiver", &request.receiver).ok();
    if receiver.is_none() {
        fields.violation("receiver", "格式不正确", "malformed");
    }
    let item = item(&mut fields, "item", &request.item);
    let quantity = fields.within("quantity", request.quantity, 1..=MOST);
    fields.finish()?;
    match (receiver, item) {
        (Some(receiver), Some(item)) => Ok(Sending {
            receiver,
            item,
            quantity: quantity.unsigned_abs(),
        }),
        _ => Err(Problem::invalid("item", "必填", "required")),
    }
}

/// A transfer for the wire.
pub(in crate::grpc) fn transfer(sent: Sent) -> pb::SupplyTransfer {
    let moves = sent.moves.into_iter();
    let moves = moves.map(|moved| pb::supply_transfer::Move {
        former_state: moved.former.into(),
        state: moved.state.into(),
        actor: moved.actor,
        move_time: Some(to_timestamp(moved.at)),
    });
    let id = sent.row.id.hyphenated();
    pb::SupplyTransfer {
        name: format!("organizations/{}/supplyTransfers/{id}", sent.row.giver),
        receiver: format!("organizations/{}", sent.row.receiver),
        item: item_name(&sent.row.item),
        lots: sent
            .lots
            .iter()
            .map(|(lot, there)| held(lot, *there))
            .collect(),
        state: sent.state as i32,
        moves: moves.collect(),
    }
}

/// Advice for the wire.
pub(in crate::grpc) fn advice(advice: Advice) -> pb::PreviewSupplyTransfersResponse {
    let proposals = advice.proposals.into_iter();
    let proposals = proposals.map(|proposal| pb::SupplyProposal {
        giver: format!("organizations/{}", proposal.giver),
        quantity: big(proposal.quantity),
        same_district: proposal.near,
    });
    pb::PreviewSupplyTransfersResponse {
        missing_quantity: big(advice.missing),
        proposals: proposals.collect(),
        uncovered_quantity: big(advice.uncovered),
    }
}
