//! A school brings the addresses of its families: many in one call, each stored or refused alone.

use crate::town::on_both;
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use sea_orm::ConnectionTrait;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::town::post::{Post, to_parties};
use crate::town::ways::phone;
use crate::town::world::{by, reason};
use crate::town::{OTHER_PATH, SCHOOL_PATH, family, guardian, staff, student};

on_both!(
    addresses_are_stored_in_one_call_and_once,
    each_that_cannot_be_stored_is_named_with_its_reason,
    a_batch_is_bounded_and_asks_for_the_right_to_write,
);

const CLERK: (Role, &str) = (Role::SchoolClerk, SCHOOL_PATH);

fn setting(party: &str, number: u128) -> pb::ContactPointSetting {
    pb::ContactPointSetting {
        party: party.to_owned(),
        channel: "channels/sms".to_owned(),
        address: phone(number),
    }
}

async fn set(
    post: &mut Post,
    (role, scope): (Role, &str),
    settings: Vec<pb::ContactPointSetting>,
    request_id: &str,
) -> Result<pb::BatchSetContactPointsResponse, Status> {
    let request = pb::BatchSetContactPointsRequest {
        contact_points: settings,
        request_id: request_id.to_owned(),
    };
    let request = by("clerk-1", role, scope, request);
    let answer = post.world.channels.batch_set_contact_points(request).await;
    answer.map(tonic::Response::into_inner)
}

async fn masked(post: &mut Post, party: &str) -> Vec<String> {
    let request = pb::ListContactPointsRequest {
        party: party.to_owned(),
    };
    let request = by("clerk-1", CLERK.0, CLERK.1, request);
    let listed = post.world.channels.list_contact_points(request).await;
    let listed = listed.expect("listed").into_inner().contact_points;
    listed.into_iter().map(|one| one.masked_address).collect()
}

async fn addresses_are_stored_in_one_call_and_once(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let parties = [family(101), guardian(101, 1), student(102), staff(1)];
    let settings: Vec<_> = (1..)
        .zip(&parties)
        .map(|(number, party)| setting(party, number))
        .collect();
    let request_id = Uuid::new_v4().to_string();
    let all = pb::BatchSetContactPointsResponse {
        stored_count: 4,
        refused: Vec::new(),
    };
    for _ in 0..2 {
        let answer = set(&mut post, CLERK, settings.clone(), &request_id).await;
        assert_eq!(answer.expect("stored"), all);
    }
    for party in &parties {
        assert_eq!(masked(&mut post, party).await.len(), 1, "{party}");
    }
    // What it is told first stands, and another batch replaces it.
    let other = set(
        &mut post,
        CLERK,
        vec![setting(&family(101), 9)],
        &request_id,
    )
    .await;
    assert_eq!(reason(&other.expect_err("another")), "REQUEST_ID_REUSED");
    let again = set(&mut post, CLERK, settings, "").await;
    assert_eq!(again.expect("stored"), all);
    // They open again: a message finds each of them.
    let message = pb::Message {
        channels: vec!["channels/sms".to_owned()],
        ..crate::town::post::notice(to_parties([student(102), staff(1)]))
    };
    let sent = post.city(message).await.expect("sent");
    let counts = post.expanded(&sent.name).await.counts.expect("counts");
    assert_eq!(counts.queued, 2);
    let db = post.world.db.read();
    let sql = "SELECT response, request_hash FROM requests";
    let rows = kit::db::statement(db, sql, []);
    for row in db.query_all_raw(rows).await.expect("read") {
        for place in 0..2 {
            let bytes: Vec<u8> = row.try_get_by_index(place).expect("bytes");
            let shown = phone(1);
            assert!(!bytes.windows(11).any(|part| part == shown.as_bytes()));
        }
    }
}

async fn each_that_cannot_be_stored_is_named_with_its_reason(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let to = |channel: &str, address: &str| pb::ContactPointSetting {
        channel: channel.to_owned(),
        address: address.to_owned(),
        ..setting(&staff(2), 1)
    };
    let settings = vec![
        setting(&family(101), 1),
        setting("students/1", 2),
        setting(&family(131), 3),
        setting(&family(999), 4),
        to("channels/sms", "1380000000"),
        to("", &phone(5)),
        to("channels/pigeon", &phone(5)),
        setting(&family(101), 6),
        setting(&guardian(101, 1), 7),
    ];
    let answer = set(&mut post, CLERK, settings, "").await.expect("answered");
    assert_eq!(answer.stored_count, 2);
    let refused: Vec<_> = answer
        .refused
        .iter()
        .map(|one| (one.index, &*one.error_reason, &*one.error_field))
        .collect();
    let expected = [
        (1, "INVALID_FIELD", "party"),
        (2, "SCOPE_DENIED", ""),
        (3, "SCOPE_DENIED", ""),
        (4, "INVALID_FIELD", "address"),
        (5, "INVALID_FIELD", "channel"),
        (6, "NOT_FOUND", ""),
        (7, "INVALID_FIELD", "party"),
    ];
    assert_eq!(refused, expected);
    assert!(
        answer
            .refused
            .iter()
            .all(|one| !one.error_message.is_empty())
    );
    assert_eq!(masked(&mut post, &family(101)).await, ["138****0001"]);
    assert_eq!(masked(&mut post, &guardian(101, 1)).await, ["138****0007"]);
}

async fn a_batch_is_bounded_and_asks_for_the_right_to_write(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let whole = (0..1001).map(|number| setting(&family(101), number));
    for settings in [Vec::new(), whole.collect()] {
        let refused = set(&mut post, CLERK, settings, "")
            .await
            .expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
    let one = || vec![setting(&family(101), 1)];
    for who in [(Role::Guardian, SCHOOL_PATH), (Role::SystemAdmin, "")] {
        let refused = set(&mut post, who, one(), "").await.expect_err("denied");
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
    let elsewhere = (Role::SchoolClerk, OTHER_PATH);
    let answer = set(&mut post, elsewhere, one(), "")
        .await
        .expect("answered");
    assert_eq!((answer.stored_count, answer.refused.len()), (0, 1));
}
