//! Somebody without a phone: the colour is looked up, and what nobody says is UNKNOWN.

use std::time::Duration;

use proto::provider::health_code::Colour as Told;
use proto::provider::verify_identity_response::Outcome as Verified;
use proto::safety as pb;
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::gate_observation::Colour;
use proto::safety::gate_reason::Code;
use proto::safety::{ColourSource, TravelCardSource};

use crate::city::provider::{Mood, Provider};
use crate::city::world::{World, codes, well};
use crate::city::{policy, roster, student};

fn says(colour: Told) -> Mood {
    Mood::Says(colour, Verified::Match)
}

/// A gate whose provider answers at `address` within a moment or not at all.
async fn gate(address: &str) -> World {
    World::with(kit::scratch::sqlite(), |config| {
        config.providers.health_code = Some(address.to_owned());
        config.providers.health_code_deadline = Duration::from_millis(300);
    })
    .await
}

/// Somebody who shows no code.
fn without_phone(person: u128) -> pb::CheckEntryRequest {
    let mut request = well(&student(person));
    request.look_up_health_code = true;
    if let Some(seen) = &mut request.observation {
        seen.colour = Colour::Unspecified.into();
    }
    request
}

fn colour(decision: &pb::GateDecision) -> (Outcome, Colour, ColourSource) {
    let seen = decision.observation.as_ref().expect("an observation");
    (decision.result(), seen.colour(), decision.colour_source())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_colour_of_somebody_without_a_phone_is_looked_up() {
    let provider = Provider::open(says(Told::Green)).await;
    let mut world = gate(&provider.address).await;
    let decided = world.check(without_phone(1)).await.expect("decided");
    let green = (Outcome::Admit, Colour::Green, ColourSource::Provider);
    assert_eq!(colour(&decided), green);
    assert_eq!(provider.references(), [student(1)]);
    // A minute long the answer holds; then it is asked again, and red is red.
    provider.feels(says(Told::Red));
    world.clock.advance(chrono::Duration::seconds(59));
    let kept = world.check(without_phone(1)).await.expect("decided");
    assert_eq!((colour(&kept), provider.asked()), (green, 1));
    world.clock.advance(chrono::Duration::seconds(1));
    let red = world.check(without_phone(1)).await.expect("decided");
    let denied = (Outcome::Deny, Colour::Red, ColourSource::Provider);
    assert_eq!(colour(&red), denied);
    assert_eq!(codes(&red), [Code::ColourRed]);
    // What was shown counts, and nobody is asked without being told to.
    let mut shown = without_phone(2);
    shown.observation = well("").observation;
    world.check(shown).await.expect("decided");
    let mut silent = without_phone(2);
    silent.look_up_health_code = false;
    let unknown = world.check(silent).await.expect("decided");
    assert_eq!(colour(&unknown).2, ColourSource::Shown);
    // Of somebody of another school as little is looked up as of somebody of none.
    for stranger in [11, 99] {
        let stranger = world.check(without_phone(stranger)).await;
        let stranger = stranger.expect("decided");
        assert_eq!(colour(&stranger).2, ColourSource::Shown);
    }
    assert_eq!(provider.asked(), 2);
    // Nobody asks about people of other schools.
    let other = world.check(without_phone(11)).await.expect("decided");
    assert_eq!(colour(&other).2, ColourSource::Shown);
    assert_eq!(provider.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_provider_says_is_unknown_and_the_policy_answers_for_it() {
    let provider = Provider::open(Mood::Slow).await;
    let mut world = gate(&provider.address).await;
    let unknown = (Outcome::Deny, Colour::Unknown, ColourSource::ProviderSilent);
    for mood in [Mood::Slow, Mood::Refuses, Mood::Nonsense] {
        provider.feels(mood);
        let decided = world.check(without_phone(1)).await.expect("decided");
        assert_eq!(colour(&decided), unknown, "{mood:?}");
        assert_eq!(codes(&decided), [Code::ColourUnknown], "{mood:?}");
    }
    // A policy that lets UNKNOWN in lets them in.
    let lenient = policy("", 2, |profile| {
        if let Some(gate) = &mut profile.gate {
            gate.deny_colours.truncate(2);
        }
    });
    roster(&world.db, &[lenient], 1).await;
    let admitted = world.until(without_phone(1), Outcome::Admit).await;
    assert_eq!(admitted.colour_source(), ColourSource::ProviderSilent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_is_left_alone_for_a_while() {
    let provider = Provider::open(Mood::Refuses).await;
    let mut world = gate(&provider.address).await;
    for person in [1, 2, 3, 4, 5, 1, 2, 3] {
        let decided = world.check(without_phone(person)).await.expect("decided");
        assert_eq!(decided.colour_source(), ColourSource::ProviderSilent);
    }
    assert_eq!(provider.asked(), 5);
    provider.feels(says(Told::Green));
    world.clock.advance(chrono::Duration::seconds(10));
    let decided = world.check(without_phone(1)).await.expect("decided");
    assert_eq!(decided.colour_source(), ColourSource::Provider);
    assert_eq!(provider.asked(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_decides_with_roster_sampling_and_the_provider_gone() {
    let mut world = gate("http://127.0.0.1:9").await;
    let decided = world.check(well(&student(1))).await.expect("decided");
    assert_eq!(decided.result(), Outcome::Admit);
    let decided = world.check(without_phone(1)).await.expect("decided");
    assert_eq!(decided.colour_source(), ColourSource::ProviderSilent);
    assert_eq!(codes(&decided), [Code::ColourUnknown]);
}

/// A gate whose travel card provider answers at `address` within a moment or not at all.
async fn gate_of_travellers(address: &str) -> World {
    World::with(kit::scratch::sqlite(), |config| {
        config.providers.travel_card = Some(address.to_owned());
        config.providers.travel_card_deadline = Duration::from_millis(300);
    })
    .await
}

/// Somebody who shows no travel card.
fn without_card(person: u128) -> pb::CheckEntryRequest {
    let mut request = well(&student(person));
    request.look_up_travel_card = true;
    if let Some(seen) = &mut request.observation {
        seen.travel_card = None;
    }
    request
}

fn window(version: i64, days: i32, admit_unknown: bool) -> proto::roster::RosterEvent {
    policy("", version, |profile| {
        if let Some(gate) = &mut profile.gate {
            gate.travel_window_days = days;
            gate.admit_travel_unknown = admit_unknown;
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_travel_card_of_somebody_without_a_phone_is_looked_up() {
    let provider = Provider::open(says(Told::Green)).await;
    let mut world = gate_of_travellers(&provider.address).await;
    // The provider tells of ten days ago in a marked city: within 14 days, not within 7.
    let decided = world.check(without_card(1)).await.expect("decided");
    assert_eq!(decided.result(), Outcome::Deny);
    assert_eq!(codes(&decided), [Code::TravelStarred]);
    assert_eq!(decided.travel_card_source(), TravelCardSource::Provider);
    let seen = decided.observation.as_ref().expect("an observation");
    let card = seen.travel_card.as_ref().expect("a card");
    assert_eq!(card.cities.len(), 2);
    assert_eq!(card.cities[1].division_code, "310100");
    assert_eq!(provider.references(), [student(1)]);
    assert_eq!(provider.windows(), [14]);
    let get = pb::GetGateDecisionRequest {
        name: decided.name.clone(),
    };
    let get = world.as_role(kit::auth::Role::Guard, crate::city::SCHOOL_PATH, get);
    let read = world.client.get_gate_decision(get).await.expect("read");
    assert_eq!(read.into_inner(), decided, "kept as it was said");
    roster(&world.db, &[window(2, 7, false)], 1).await;
    let admitted = world.until(without_card(1), Outcome::Admit).await;
    assert_eq!(admitted.travel_card_source(), TravelCardSource::Provider);
    // What was shown counts.
    let mut shown = without_card(2);
    shown.observation = well("").observation;
    let asked = provider.asked();
    let shown = world.check(shown).await.expect("decided");
    assert_eq!(shown.travel_card_source(), TravelCardSource::Shown);
    assert_eq!(provider.asked(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_travel_card_that_nobody_tells_is_unknown_and_the_policy_answers_for_it() {
    let provider = Provider::open(Mood::Slow).await;
    let mut world = gate_of_travellers(&provider.address).await;
    for mood in [Mood::Slow, Mood::Refuses, Mood::Nonsense] {
        provider.feels(mood);
        let decided = world.check(without_card(1)).await.expect("decided");
        assert_eq!(decided.result(), Outcome::Deny, "{mood:?}");
        assert_eq!(codes(&decided), [Code::TravelUnknown], "{mood:?}");
        let source = decided.travel_card_source();
        assert_eq!(source, TravelCardSource::ProviderSilent, "{mood:?}");
    }
    roster(&world.db, &[window(2, 14, true)], 1).await;
    let admitted = world.until(without_card(1), Outcome::Admit).await;
    assert_eq!(codes(&admitted), [Code::TravelUnknownAdmitted]);
    // Two more failures in a row, and it is left alone.
    for person in [2, 3, 4] {
        world.check(without_card(person)).await.expect("decided");
    }
    assert!(provider.asked() <= 5, "{}", provider.asked());
}
