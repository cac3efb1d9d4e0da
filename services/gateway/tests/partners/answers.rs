//! What partners are told: of answers in which nothing is left out, what `golden.json` says.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Full};
use kit::auth::{AuthConfig, PartnerConfig};
use kit::channel::Channel;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use serde_json::{Value, json};
use tonic::body::Body;

use crate::contracts;
use crate::stand::{AGREEMENTS, Stand, call, read, request, send};

/// What each partner is told, by the method.
fn golden() -> BTreeMap<String, BTreeMap<String, Value>> {
    serde_json::from_str(include_str!("golden.json")).expect("JSON")
}

/// The methods of an agreement.
fn agreed(pool: &DescriptorPool, partner: &PartnerConfig) -> Vec<(String, MethodDescriptor)> {
    let find = |name: &String| {
        let mut all = contracts::methods(pool).into_iter();
        let found = all.find(|method| contracts::path(method)[1..] == **name);
        (name.clone(), found.expect("a method"))
    };
    partner.methods.iter().map(find).collect()
}

/// What a partner is told by HTTP with JSON; of a stream the first message.
async fn as_json(
    pool: &DescriptorPool,
    channel: &Channel,
    method: &MethodDescriptor,
) -> Option<Value> {
    let (verb, path) = contracts::place(pool, method)?;
    let body = match &*verb {
        "GET" => Body::empty(),
        _ => Body::new(Full::new(Bytes::from_static(b"{}"))),
    };
    let asked = request(&verb, &path, "application/json", None, body);
    let answer = send(channel, asked).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    let mut body = answer.into_body();
    if !method.is_server_streaming() {
        let whole = body.collect().await.expect("whole").to_bytes();
        return Some(serde_json::from_slice(&whole).expect("JSON"));
    }
    let mut text = Vec::new();
    while !text.contains(&b'\n') {
        let frame = body.frame().await.expect("more").expect("whole");
        text.extend_from_slice(&frame.into_data().expect("a line"));
    }
    let line = text
        .split(|letter| *letter == b'\n')
        .next()
        .expect("a line");
    let mut line: Value = serde_json::from_slice(line).expect("JSON");
    Some(line["result"].take())
}

fn decoded(method: &MethodDescriptor, message: Bytes) -> Value {
    let message = DynamicMessage::decode(method.output(), message).expect("a message");
    serde_json::to_value(&message).expect("JSON")
}

#[tokio::test]
async fn each_partner_is_told_what_was_agreed_and_nothing_else() {
    let stand = Stand::start(AGREEMENTS).await;
    let pool = contracts::pool();
    let mut told = BTreeMap::new();
    for partner in read(AGREEMENTS) {
        let channel = stand.channel(&partner.subject);
        let answers: &mut BTreeMap<_, _> = told.entry(partner.subject.clone()).or_default();
        for (name, method) in agreed(&pool, &partner) {
            let path = contracts::path(&method);
            let answer = call(&channel, &path, None).await.expect("answered");
            let by_grpc = decoded(&method, answer);
            if let Some(by_json) = as_json(&pool, &channel, &method).await {
                assert_eq!(by_json, by_grpc, "{path}");
            }
            answers.insert(name, by_grpc);
        }
    }
    assert_eq!(json!(told), json!(golden()), "told {:#}", json!(told));
}

#[tokio::test]
async fn a_browser_is_told_no_more() {
    let stand = Stand::start(AGREEMENTS).await;
    let channel = stand.channel("laboratory-1");
    let path = "/campus.sampling.v1.TubeService/GetTube";
    let by_grpc = call(&channel, path, None).await.expect("answered");
    let body = Body::new(Full::new(Bytes::from_static(&[0; 5])));
    let asked = request("POST", path, "application/grpc-web+proto", None, body);
    let answer = send(&channel, asked).await.into_body();
    let answer = answer.collect().await.expect("whole").to_bytes();
    let (head, rest) = answer.split_at(5);
    assert_eq!(head[0], 0);
    let (message, _trailers) = rest.split_at(by_grpc.len());
    assert_eq!(message, &by_grpc[..]);
}

#[test]
fn the_examples_are_agreements_of_production() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("partners.toml");
    let check = |agreements: &str| {
        std::fs::write(&file, agreements).unwrap();
        let config = AuthConfig {
            production: true,
            development: false,
            keys: [(
                "a".to_owned(),
                "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=".to_owned(),
            )]
            .into(),
            partners_file: Some(file.clone()),
            ..AuthConfig::default()
        };
        config.check()
    };
    assert_eq!(check(AGREEMENTS), Ok(()));
    for (right, wrong, said) in [
        ("/GetTube\"", "/GetTubes\"", "partners[0].methods[4]: "),
        (
            "\"cases.person_count\"",
            "\"cases.people\"",
            "cases.people: campus.sampling.v1.Case has no field people",
        ),
        (
            "\"cases.hops.late\"",
            "\"cases.hops\"",
            "hops is a campus.sampling.v1.ReportHop: name the fields",
        ),
        ("burst = 500", "burst = 0", "partners[0].rate: "),
        (
            "department = \"fire\"",
            "department = \"navy\"",
            "partners[2].department: ",
        ),
    ] {
        let refused = check(&AGREEMENTS.replacen(right, wrong, 1)).unwrap_err();
        assert!(refused.starts_with("auth.partners_file: "), "{refused}");
        assert!(refused.contains(said), "{refused}");
    }
}
