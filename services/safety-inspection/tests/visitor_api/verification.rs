//! Who a visitor is, as far as the identity provider says.

use std::time::Duration;

use proto::provider::health_code::Colour as Told;
use proto::provider::verify_identity_response::Outcome;
use proto::safety as pb;
use proto::safety::ColourSource;
use proto::safety::gate_observation::Colour;
use proto::safety::visit::{State, Verification};
use tonic::Code as Grpc;

use crate::book::{Book, NUMBER, check_of, host, once};
use crate::city::provider::{Mood, Provider};
use crate::city::world::{World, told};

async fn world(address: &str) -> World {
    World::with(kit::scratch::sqlite(), |config| {
        config.providers.identity = Some(address.to_owned());
        config.providers.identity_deadline = Duration::from_millis(300);
        config.providers.health_code = Some(address.to_owned());
    })
    .await
}

fn confirm(name: &str, document_seen: bool) -> pb::ConfirmVisitRequest {
    pb::ConfirmVisitRequest {
        name: name.to_owned(),
        document_seen,
        request_id: once(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_nobody_verified_shows_the_document_first() {
    let provider = Provider::open(Mood::Slow).await;
    let world = world(&provider.address).await;
    let mut book = Book::of(&world).await;
    for mood in [
        Mood::Slow,
        Mood::Refuses,
        Mood::Nonsense,
        Mood::Says(Told::Green, Outcome::NotOnRecord),
    ] {
        provider.feels(mood);
        let visit = book.create(Book::wish(&world)).await.expect("asked for");
        let expected = match mood {
            Mood::Says(..) => Verification::NotOnRecord,
            _ => Verification::NotVerified,
        };
        assert_eq!(visit.verification(), expected, "{mood:?}");
        let unseen = book
            .client
            .confirm_visit(host(confirm(&visit.name, false)))
            .await;
        let (code, reason, zh) = told(&unseen.expect_err("nobody saw the document"));
        let refused = (Grpc::FailedPrecondition, "VISITOR_NOT_VERIFIED");
        assert_eq!((code, &*reason), refused, "{mood:?}");
        assert!(zh.contains("证件原件"), "{zh}");
        let seen = book
            .client
            .confirm_visit(host(confirm(&visit.name, true)))
            .await;
        let seen = seen.expect("seen").into_inner();
        assert_eq!(
            (seen.state(), seen.document_seen),
            (State::HostApproved, true)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_visitor_needs_no_more_and_another_s_document_is_never_enough() {
    let provider = Provider::open(Mood::Says(Told::Green, Outcome::Match)).await;
    let world = world(&provider.address).await;
    let mut book = Book::of(&world).await;
    let visit = book.create(Book::wish(&world)).await.expect("asked for");
    assert_eq!(visit.verification(), Verification::Match);
    let agreed = book
        .client
        .confirm_visit(host(confirm(&visit.name, false)))
        .await;
    assert_eq!(
        agreed.expect("confirmed").into_inner().state(),
        State::HostApproved
    );
    provider.feels(Mood::Says(Told::Green, Outcome::Mismatch));
    let visit = book.create(Book::wish(&world)).await.expect("asked for");
    let never = book
        .client
        .confirm_visit(host(confirm(&visit.name, true)))
        .await;
    assert_eq!(
        told(&never.expect_err("another's")).1,
        "VISITOR_NOT_VERIFIED"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_colour_of_a_visitor_without_a_phone_is_looked_up_by_a_reference() {
    let provider = Provider::open(Mood::Says(Told::Yellow, Outcome::Match)).await;
    let world = world(&provider.address).await;
    let mut book = Book::of(&world).await;
    let (name, _) = book.bring(&world, State::Arrived).await;
    let mut blind = check_of(&world, &name);
    blind.look_up_health_code = true;
    if let Some(seen) = &mut blind.observation {
        seen.colour = Colour::Unspecified.into();
    }
    let denied = book.check(blind).await.expect("checked");
    assert_eq!(denied.state(), State::Denied);
    let check = denied.check.expect("a check");
    assert_eq!(check.colour_source(), ColourSource::Provider);
    let seen = check.people[0].observation.as_ref().expect("seen");
    assert_eq!(seen.colour(), Colour::Yellow);
    // The provider hears a reference, never a number.
    let [reference] = &provider.references()[..] else {
        panic!("asked once");
    };
    assert_eq!(reference.len(), 64);
    assert!(!reference.contains(NUMBER));
}
