//! Campuses help each other out: nobody below their own minimum, each transfer in both ledgers once.

use kit::auth::Role;
use proto::safety as pb;
use proto::safety::supply_movement::Kind;
use proto::safety::supply_transfer::State;
use tonic::{Code as Grpc, Status};
use uuid::Uuid;

use crate::city::on_both;
use crate::city::tree::{KINDERGARTEN, SISTER, SISTER_PATH, TRAINING, TRAINING_PATH};
use crate::city::world::{World, told};
use crate::city::{OTHER_PATH, SCHOOL, SCHOOL_PATH};
use crate::desk::{Desk, day, masks};

on_both!(
    advice_asks_the_neighbours_first_and_spares_their_minimum,
    the_mutual_aid_group_is_asked_before_the_neighbours,
    a_transfer_reaches_both_ledgers_once,
    a_transfer_can_be_taken_back_once,
    each_end_does_its_own_part,
);

const OTHER: &str = "organizations/2135010002";
const GIVER: (&str, &str) = (SISTER, SISTER_PATH);
const RECEIVER: (&str, &str) = (SCHOOL, SCHOOL_PATH);
/// 30 pupils, 14 days.
const MINIMUM: i64 = 30 * 14;

fn send(quantity: i64) -> pb::SendSupplyTransferRequest {
    pb::SendSupplyTransferRequest {
        parent: SISTER.to_owned(),
        receiver: SCHOOL.to_owned(),
        item: "supplyItems/mask".to_owned(),
        quantity,
        request_id: Uuid::new_v4().to_string(),
    }
}

fn receive(name: &str) -> pb::ReceiveSupplyTransferRequest {
    pb::ReceiveSupplyTransferRequest {
        name: name.to_owned(),
        request_id: Uuid::new_v4().to_string(),
    }
}

fn cancel(name: &str) -> pb::CancelSupplyTransferRequest {
    pb::CancelSupplyTransferRequest {
        name: name.to_owned(),
        request_id: Uuid::new_v4().to_string(),
    }
}

/// The giver has 500 masks in two lots, 80 of them to spare.
async fn stocked(world: World) -> Desk {
    let mut desk = Desk::open(world).await;
    for expires in [day(2022, 9, 1), day(2023, 9, 1)] {
        desk.enter(GIVER, masks(Kind::Receipt, 250, expires))
            .await
            .expect("entered");
    }
    desk
}

async fn sent(desk: &mut Desk, quantity: i64) -> Result<pb::SupplyTransfer, Status> {
    let request = desk.officer_at(SISTER_PATH, send(quantity));
    Ok(desk
        .supply
        .send_supply_transfer(request)
        .await?
        .into_inner())
}

async fn quantities(desk: &mut Desk) -> (i64, i64, i64) {
    let giver = desk.level(GIVER, "mask").await;
    let receiver = desk.level(RECEIVER, "mask").await;
    (
        giver.quantity,
        receiver.incoming_quantity,
        receiver.quantity,
    )
}

async fn advice_asks_the_neighbours_first_and_spares_their_minimum(world: World) {
    let mut desk = stocked(world).await;
    // Two pupils are on the roll of this school, so it can spare nearly everything.
    let far = masks(Kind::Receipt, 100_000, day(2023, 9, 1));
    desk.enter((OTHER, OTHER_PATH), far).await.expect("entered");
    let preview = pb::PreviewSupplyTransfersRequest {
        parent: SCHOOL.to_owned(),
        item: "supplyItems/mask".to_owned(),
    };
    let request = desk.officer(preview);
    let advice = desk.supply.preview_supply_transfers(request).await;
    let advice = advice.expect("advised").into_inner();
    assert_eq!(
        (advice.missing_quantity, advice.uncovered_quantity),
        (137 * 14, 0)
    );
    let found: Vec<_> = advice
        .proposals
        .iter()
        .map(|p| (&*p.giver, p.quantity, p.same_district))
        .collect();
    let near = (SISTER, 500 - MINIMUM, true);
    let far = (OTHER, 137 * 14 - (500 - MINIMUM), false);
    assert_eq!(found, [near, far]);
}

/// Rule 5.26: the group helps first, although others have more to spare.
async fn the_mutual_aid_group_is_asked_before_the_neighbours(world: World) {
    let mut desk = stocked(world).await;
    let far = masks(Kind::Receipt, 100_000, day(2023, 9, 1));
    desk.enter((OTHER, OTHER_PATH), far).await.expect("entered");
    // Nobody is on the roll of the training institution, so that it keeps none back.
    let aid = (TRAINING, TRAINING_PATH);
    let few = masks(Kind::Receipt, 10, day(2023, 9, 1));
    desk.enter(aid, few).await.expect("entered");
    let advised = async |desk: &mut Desk| {
        let request = desk.officer(pb::PreviewSupplyTransfersRequest {
            parent: SCHOOL.to_owned(),
            item: "supplyItems/mask".to_owned(),
        });
        let advice = desk.supply.preview_supply_transfers(request).await;
        let proposals = advice.expect("advised").into_inner().proposals.into_iter();
        let told = proposals.map(|one| (one.giver, one.mutual_aid, one.same_district));
        told.collect::<Vec<_>>()
    };
    let (sister, training) = (SISTER.to_owned(), TRAINING.to_owned());
    let other = OTHER.to_owned();
    let alone = advised(&mut desk).await;
    let expected = [
        (sister.clone(), false, true),
        (training.clone(), false, true),
        (other.clone(), false, false),
    ];
    assert_eq!(alone, expected, "most to spare first");
    desk.group([SCHOOL, TRAINING, KINDERGARTEN]).await;
    let together = advised(&mut desk).await;
    let expected = [
        (training, true, true),
        (sister, false, true),
        (other, false, false),
    ];
    assert_eq!(together, expected);
}

async fn a_transfer_reaches_both_ledgers_once(world: World) {
    let mut desk = stocked(world).await;
    let transfer = sent(&mut desk, 80).await.expect("sent");
    assert_eq!(transfer.state(), State::Sent);
    assert_eq!(quantities(&mut desk).await, (420, 80, 0));
    let again = receive(&transfer.name);
    for _ in 0..2 {
        let request = desk.officer(again.clone());
        let answer = desk.supply.receive_supply_transfer(request).await;
        assert_eq!(
            answer.expect("received").into_inner().state(),
            State::Received
        );
        assert_eq!(quantities(&mut desk).await, (420, 0, 80));
    }
    let request = desk.officer(receive(&transfer.name));
    let status = desk.supply.receive_supply_transfer(request).await;
    let zh = "调拨单当前状态为 RECEIVED，不能进行该操作".to_owned();
    let expected = (
        Grpc::FailedPrecondition,
        "SUPPLY_TRANSFER_STATE".to_owned(),
        zh,
    );
    assert_eq!(told(&status.expect_err("received before")), expected);
    let request = desk.officer_at(SISTER_PATH, cancel(&transfer.name));
    let status = desk.supply.cancel_supply_transfer(request).await;
    assert_eq!(told(&status.expect_err("received before")), expected);
    let lot = |level: pb::SupplyLevel| level.lots[0].lot.clone();
    // What expires first has moved.
    let (giver, receiver) = (
        desk.level(GIVER, "mask").await,
        desk.level(RECEIVER, "mask").await,
    );
    assert_eq!(lot(giver), lot(receiver));
    let out = desk.movements(GIVER).await;
    let inward = desk.movements(RECEIVER).await;
    assert_eq!((out[0].kind(), out[0].change), (Kind::TransferOut, -80));
    assert_eq!((inward[0].kind(), inward[0].change), (Kind::TransferIn, 80));
    assert_eq!(
        (&out[0].transfer, &inward[0].transfer),
        (&transfer.name, &transfer.name)
    );
}

async fn a_transfer_can_be_taken_back_once(world: World) {
    let mut desk = stocked(world).await;
    let status = sent(&mut desk, 81).await.expect_err("below the minimum");
    let zh = "调出后将低于本单位最低储备，最多可调出 80".to_owned();
    let expected = (
        Grpc::FailedPrecondition,
        "SUPPLY_BELOW_MINIMUM".to_owned(),
        zh,
    );
    assert_eq!(told(&status), expected);
    let status = sent(&mut desk, 501).await.expect_err("not there");
    assert_eq!(told(&status).1, "SUPPLY_INSUFFICIENT");
    let transfer = sent(&mut desk, 80).await.expect("sent");
    let request = desk.officer_at(SISTER_PATH, cancel(&transfer.name));
    let answer = desk.supply.cancel_supply_transfer(request).await;
    let answer = answer.expect("taken back").into_inner();
    assert_eq!(answer.state(), State::Cancelled);
    let steps: Vec<_> = answer.history.iter().map(|line| &*line.step).collect();
    assert_eq!(steps, ["SEND", "CANCEL"]);
    assert_eq!(quantities(&mut desk).await, (500, 0, 0));
    let request = desk.officer(receive(&transfer.name));
    let status = desk.supply.receive_supply_transfer(request).await;
    assert_eq!(
        told(&status.expect_err("taken back")).1,
        "SUPPLY_TRANSFER_STATE"
    );
    let own = pb::SendSupplyTransferRequest {
        receiver: SISTER.to_owned(),
        ..send(1)
    };
    let request = desk.officer_at(SISTER_PATH, own);
    let status = desk.supply.send_supply_transfer(request).await;
    assert_eq!(
        told(&status.expect_err("to itself")).0,
        Grpc::InvalidArgument
    );
}

async fn each_end_does_its_own_part(world: World) {
    let mut desk = stocked(world).await;
    let transfer = sent(&mut desk, 10).await.expect("sent");
    let denied = |status: Status| assert_eq!(told(&status).1, "SCOPE_DENIED");
    let request = desk.officer_at(SISTER_PATH, receive(&transfer.name));
    denied(
        desk.supply
            .receive_supply_transfer(request)
            .await
            .expect_err("the giver"),
    );
    let request = desk.officer(cancel(&transfer.name));
    denied(
        desk.supply
            .cancel_supply_transfer(request)
            .await
            .expect_err("the receiver"),
    );
    let get = pb::GetSupplyTransferRequest {
        name: transfer.name.clone(),
    };
    let request = desk.world.by("x", Role::Principal, OTHER_PATH, get.clone());
    denied(
        desk.supply
            .get_supply_transfer(request)
            .await
            .expect_err("a third"),
    );
    for place in [SCHOOL_PATH, SISTER_PATH] {
        let request = desk.officer_at(place, get.clone());
        let read = desk.supply.get_supply_transfer(request).await;
        assert_eq!(read.expect("an end").into_inner(), transfer);
    }
    let list = pb::ListSupplyTransfersRequest {
        parent: "organizations/fz".to_owned(),
        under_way: true,
        ..Default::default()
    };
    let request = desk.bureau("fz", list);
    let listed = desk.supply.list_supply_transfers(request).await;
    let unhistoried = pb::SupplyTransfer {
        history: Vec::new(),
        ..transfer
    };
    assert_eq!(
        listed.expect("listed").into_inner().supply_transfers,
        [unhistoried]
    );
}
