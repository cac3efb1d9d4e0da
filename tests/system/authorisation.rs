//! No method of any contract answers without a token, neither at the gateway nor at the service.

use prost_reflect::DescriptorPool;
use tests::city::{City, Store};
use tests::town::Town;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::verbs::told;

/// Which processes answer a package.
const ANSWERS: [(&str, &[&str]); 4] = [
    ("campus.roster.", &["gateway", "roster"]),
    ("campus.sampling.", &["gateway", "sampling"]),
    ("campus.safety.", &["gateway", "safety-inspection"]),
    ("campus.notification.", &["gateway", "notification"]),
];

async fn without_token(channel: Channel, path: &str) -> Result<(), Status> {
    let mut client = Grpc::new(channel);
    client
        .ready()
        .await
        .map_err(|_| Status::unavailable("nobody answers"))?;
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let path: PathAndQuery = path.parse().expect("a path");
    let call = client.server_streaming(Request::new(()), path, codec);
    call.await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_wants_a_token() {
    let city = City::open(Store::Sqlite, Town::of(1))
        .await
        .expect("SQLite is always there");
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts can be read");
    let mut asked = 0;
    for service in pool.services() {
        let Some((_, processes)) = ANSWERS
            .iter()
            .find(|(package, _)| service.full_name().starts_with(package))
        else {
            continue;
        };
        for process in *processes {
            let address = city.address(process).await;
            let channel = kit::channel::connect_lazy(&address).expect("an address");
            for method in service.methods() {
                let path = format!("/{}/{}", service.full_name(), method.name());
                let refused = without_token(channel.clone(), &path)
                    .await
                    .expect_err(&path);
                let expected = (Code::Unauthenticated, "TOKEN_INVALID".to_owned());
                assert_eq!(told(&refused), expected, "{path} at {process}");
                asked += 1;
            }
        }
    }
    assert!(asked > 100, "{asked} methods were asked");
}
