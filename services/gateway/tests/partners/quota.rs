//! How often a partner may ask, with whatever it shows.

use std::time::Instant;

use kit::auth::Role;

use crate::stand::{AGREEMENTS, Stand, call, reason};

const GET: &str = "/campus.sampling.v1.TubeService/GetTube";
const LIST: &str = "/campus.sampling.v1.CaseService/ListCases";

#[tokio::test]
async fn all_tokens_and_connections_of_a_partner_share_what_was_agreed() {
    let few = AGREEMENTS.replacen("rate = 50\nburst = 500", "rate = 1\nburst = 4", 1);
    assert_ne!(few, AGREEMENTS);
    let stand = Stand::start(&few).await;
    let tokens = ["a", "b"].map(|subject| stand.token(subject, &[Role::Laboratory]));
    let began = Instant::now();
    let (mut passed, mut refused) = (0, 0);
    // Over two connections, with either token and with none.
    let channels = [(); 2].map(|()| stand.channel("laboratory-1"));
    for round in 0..30 {
        let shown = [None, Some(&tokens[0]), Some(&tokens[1])][round % 3];
        match call(&channels[round % 2], GET, shown.map(String::as_str)).await {
            Ok(_) => passed += 1,
            Err(status) => {
                assert_eq!(reason(&status), "RATE_LIMITED");
                refused += 1;
            }
        }
    }
    let most = 5 + began.elapsed().as_secs();
    assert!((4..=most).contains(&passed), "{passed} passed");
    assert!(refused > 0, "more than there was room for");
    // What another one has agreed to is its own.
    let other = stand.channel("city-disease-control");
    for _ in 0..20 {
        call(&other, LIST, None).await.expect("answered");
    }
}
