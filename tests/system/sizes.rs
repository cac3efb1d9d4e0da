//! How large a message may be: each method of every contract takes one of exactly the size that its contract
//! says, and refuses a longer one before it is read, at the gateway and at the service itself.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use kit::auth::Role;
use prost::Message;
use prost_reflect::DescriptorPool;
use tests::city::{City, Door, Store, caller};
use tests::town::{Town, school_path};
use tests::within;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::authorisation::ANSWERS;
use crate::matrix::granted;
use crate::verbs::told;

/// How many calls are under way at once.
const AT_ONCE: usize = 8;

/// A message whose only field no contract knows: every service passes it over.
#[derive(Clone, PartialEq, Message)]
struct Padding {
    #[prost(bytes = "vec", tag = "536870911")]
    filling: Vec<u8>,
}

impl Padding {
    /// One that has so many bytes.
    fn of(size: usize) -> Self {
        let mut message = Self {
            filling: vec![0; size],
        };
        let more = message.encoded_len() - size;
        message.filling.truncate(size - more);
        assert_eq!(
            message.encoded_len(),
            size,
            "a length has always as many bytes"
        );
        message
    }
}

/// A method at one of the processes that answer it.
struct Question {
    process: &'static str,
    path: String,
    /// The answer begins with a head and may never end.
    watches: bool,
    /// Who may call it.
    roles: Vec<Role>,
}

impl Question {
    /// Sends a message of this size.
    async fn send(&self, door: &Door, size: usize) -> Result<(), Status> {
        let mut client = Grpc::new(door.clone());
        let ready = client.ready().await;
        ready.map_err(|_| Status::unavailable("nobody answers"))?;
        let codec = tonic_prost::ProstCodec::<Padding, ()>::default();
        let path: PathAndQuery = self.path.parse().expect("a path");
        // One message is sent alike, whatever else the caller might send.
        let answer = client.server_streaming(Request::new(Padding::of(size)), path, codec);
        let mut answers = answer.await?.into_inner();
        if !self.watches {
            while answers.message().await?.is_some() {}
        }
        Ok(())
    }

    /// What is wrong with how large messages are answered.
    async fn fault(&self, city: &City) -> Option<String> {
        let most = proto::max_request_bytes(&self.path);
        let large = Err((Code::ResourceExhausted, "MESSAGE_TOO_LARGE".to_owned()));
        for role in &self.roles {
            // Somebody of a school that is not there: what they ask for has no effect.
            let who = caller(*role, &school_path(99));
            let door = city.door_at(self.process, who).await;
            let answer = self.send(&door, most + 1).await;
            let answer = answer.map_err(|refused| told(&refused));
            if matches!(answer, Err((Code::PermissionDenied, _))) {
                continue;
            }
            if answer != large {
                return Some(format!("{} bytes: {answer:?}", most + 1));
            }
            let answer = self.send(&door, most).await;
            let reason = answer.err().and_then(|refused| {
                let info = refused.get_details_error_info()?;
                Some(info.reason)
            });
            let refused = reason.as_deref() == Some("MESSAGE_TOO_LARGE");
            return refused.then(|| format!("{most} bytes are refused"));
        }
        Some("nobody may call it".to_owned())
    }
}

/// Every method at every process that answers it.
fn questions() -> Vec<Question> {
    let granted = granted();
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).expect("the contracts can be read");
    let mut questions = Vec::new();
    for service in pool.services() {
        let name = service.full_name();
        let answering = ANSWERS
            .iter()
            .find(|(package, _)| name.starts_with(package));
        let Some((_, processes)) = answering else {
            continue;
        };
        for method in service.methods() {
            let path = format!("/{name}/{}", method.name());
            let access = proto::access(&path).expect("every method has a rule");
            let may = |role: &Role| {
                let granted = &granted[role.as_str()];
                let mut needed = access.permissions.iter();
                access.any_caller || needed.any(|one| granted.contains(one.as_str()))
            };
            let roles: Vec<Role> = Role::ALL.iter().copied().filter(may).collect();
            questions.extend(processes.iter().map(|process| Question {
                process,
                path: path.clone(),
                watches: method.is_server_streaming() && !method.is_client_streaming(),
                roles: roles.clone(),
            }));
        }
    }
    questions
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_takes_what_its_contract_says_and_nothing_larger() {
    let city = City::open(Store::Sqlite, Town::of(1))
        .await
        .expect("SQLite is always there");
    let questions = questions();
    let asked: BTreeSet<String> = questions.iter().map(|one| one.path.clone()).collect();
    let known: BTreeSet<String> = proto::rules().map(|(path, _)| path.to_owned()).collect();
    assert_eq!(asked, known, "every method of the contracts");
    assert!(questions.len() > 1_000, "{} questions", questions.len());
    let city = &city;
    let answered = questions.into_iter().map(|question| async move {
        let fault = within(&question.path, question.fault(city)).await;
        fault.map(|fault| format!("{} at {}: {fault}", question.path, question.process))
    });
    let answered = futures_util::stream::iter(answered).buffer_unordered(AT_ONCE);
    let faults: Vec<Option<String>> = answered.collect().await;
    let faults: Vec<String> = faults.into_iter().flatten().collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
