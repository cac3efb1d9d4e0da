//! Transfers and advice, both ways.

use kit::field::Fields;
use kit::status::Problem;
use proto::safety as pb;

use super::super::{history, organization, quantity};
use super::level::held;
use super::{MOST, item, item_name};
use crate::app::supplies::{Advice, Sending, Sent};
use crate::store::records::resource_name;

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
    let Sent { row, lots, history } = sent;
    pb::SupplyTransfer {
        name: resource_name(&row.giver, "supplyTransfers", row.id),
        receiver: format!("organizations/{}", row.receiver),
        item: item_name(&row.item),
        lots: lots.iter().map(|(lot, there)| held(lot, *there)).collect(),
        state: row.state.into(),
        history: history::history(history),
    }
}

/// Advice for the wire.
pub(in crate::grpc) fn advice(advice: Advice) -> pb::PreviewSupplyTransfersResponse {
    let proposals = advice.proposals.into_iter();
    let proposals = proposals.map(|(giver, part)| pb::SupplyProposal {
        giver: format!("organizations/{}", giver.id),
        quantity: quantity(part),
        same_district: giver.nearness.same_district,
        mutual_aid: giver.nearness.mutual_aid,
    });
    pb::PreviewSupplyTransfersResponse {
        missing_quantity: quantity(advice.missing),
        proposals: proposals.collect(),
        uncovered_quantity: quantity(advice.uncovered),
    }
}
