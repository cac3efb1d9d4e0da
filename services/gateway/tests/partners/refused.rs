//! What the gateway tells the services of calls of partners that it refuses.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kit::auth::Role;
use serde_json::Value;

use crate::spy::Told;
use crate::stand::{AGREEMENTS, Stand, call, reason};

/// A laboratory may call it, and it is not among what was agreed with this one.
const NOT_AGREED: &str = "/campus.sampling.v1.ResultService/ListResults";

/// What the gateway says of a caller for whom it vouches.
fn vouched(told: &Told) -> Value {
    let shown = told.headers.get("authorization").expect("a token");
    let mut parts = shown.to_str().expect("text").split('.');
    let claims = URL_SAFE_NO_PAD.decode(parts.nth(1).expect("claims"));
    serde_json::from_slice(&claims.expect("base64")).expect("JSON")
}

#[tokio::test]
async fn a_service_hears_what_was_not_agreed_with_the_word_of_the_gateway_for_the_partner() {
    let mut stand = Stand::start(AGREEMENTS).await;
    let channel = stand.channel("laboratory-1");
    let token = stand.token("somebody", &[Role::Laboratory]);
    for (shown, subject) in [(None, "laboratory-1"), (Some(&*token), "somebody")] {
        let refused = call(&channel, NOT_AGREED, shown).await;
        assert_eq!(reason(&refused.expect_err("refused")), "SCOPE_DENIED");
        let told = stand.ear.next().await;
        assert_eq!((&*told.path, told.is_empty), (NOT_AGREED, true));
        let claims = vouched(&told);
        let who = ["iss", "sub", "partner"].map(|name| claims[name].as_str());
        assert_eq!(who, ["campus-gateway", subject, "laboratory-1"].map(Some));
    }
    assert!(stand.ear.is_quiet() && stand.came().is_empty());
}

#[tokio::test]
async fn what_was_not_agreed_counts_among_how_often_a_partner_may_ask() {
    let few = AGREEMENTS.replacen("rate = 50\nburst = 500", "rate = 1\nburst = 4", 1);
    assert_ne!(few, AGREEMENTS);
    let mut stand = Stand::start(&few).await;
    let channel = stand.channel("laboratory-1");
    let mut reasons = Vec::new();
    for _ in 0..30 {
        let refused = call(&channel, NOT_AGREED, None).await;
        reasons.push(reason(&refused.expect_err("refused")));
    }
    let denied = reasons.iter().filter(|reason| *reason == "SCOPE_DENIED");
    let denied = denied.count();
    reasons.retain(|reason| reason != "SCOPE_DENIED");
    assert!(denied >= 4, "{denied} were denied");
    assert!(!reasons.is_empty(), "more than there was room for");
    assert!(reasons.iter().all(|reason| reason == "RATE_LIMITED"));
    for _ in 0..denied {
        stand.ear.next().await;
    }
    assert!(stand.ear.is_quiet(), "what is slowed is not told of");
}
