//! Histories.

use kit::field::to_timestamp;
use proto::safety as pb;

use crate::domain::history::Moved;

pub(super) fn history(moves: Vec<Moved>) -> Vec<pb::StateMove> {
    let moves = moves.into_iter().map(|moved| {
        let Moved {
            from,
            to,
            step,
            actor,
            at,
            note,
        } = moved;
        pb::StateMove {
            from_state: from,
            to_state: to,
            step,
            actor,
            move_time: Some(to_timestamp(at)),
            note,
        }
    });
    moves.collect()
}
