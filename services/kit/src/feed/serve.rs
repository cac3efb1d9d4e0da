//! Snapshot and Watch as each service serves them over gRPC, for whatever its events are.

use std::sync::Arc;

use chrono::DateTime;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use prost::Message;
use proto::error::ErrorReason;
use tonic::{Response, Status};

use super::origin::Origin;
use super::reader::{Feed, Item, Page, Pages};
use crate::field::to_timestamp;
use crate::org::OrgPath;
use crate::status::Problem;

/// The answers of a streaming method.
pub type Answers<A> = BoxStream<'static, Result<A, Status>>;

/// A page of a feed as its service tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<E> {
    /// The events as they were announced, in commit order; in a snapshot, of the latest states.
    pub events: Vec<E>,
    /// In a snapshot, continues it after a cut; empty on its last page.
    pub page_token: String,
    /// Where to watch from; in a snapshot, on its last page only.
    pub resume_token: String,
    /// Where the events come from; in a snapshot, nobody knows any more.
    pub origin: Origin,
}

impl<E: Message + Default> TryFrom<Page> for Told<E> {
    type Error = Problem;

    /// # Errors
    /// INTERNAL when an event is not what the service announces.
    fn try_from(page: Page) -> Result<Self, Problem> {
        let internal = |err| Problem::new(ErrorReason::Internal).source(err);
        let items = page.items.iter();
        let events = items.map(|item| E::decode(item.payload.clone()).map_err(internal));
        Ok(Self {
            events: events.collect::<Result<_, _>>()?,
            origin: origin(&page.items),
            page_token: page.page_token,
            resume_token: page.resume_token,
        })
    }
}

fn origin(items: &[Arc<Item>]) -> Origin {
    let traced = items.iter().any(|item| !item.cause.is_empty());
    let traces = items
        .iter()
        .filter(|_| traced)
        .map(|item| item.cause.clone());
    let known = items
        .iter()
        .map(|item| item.announced_at)
        .filter(|at| *at > 0);
    let first = known.min().and_then(DateTime::from_timestamp_millis);
    Origin {
        traceparents: traces.collect(),
        announce_time: first.map(to_timestamp),
    }
}

impl Feed {
    /// Answers with the latest state of everything in `scope`, from the start or from `page_token`;
    /// `answer` makes an answer of a page.
    pub fn serve_snapshot<E: Message + Default + 'static, A: Send + 'static>(
        &self,
        scope: OrgPath,
        page_token: String,
        answer: fn(Told<E>) -> A,
    ) -> Response<Answers<A>> {
        answers(self.snapshot(scope, page_token), answer)
    }

    /// Answers with what happened in `scope` after `resume_token`, and then with what happens;
    /// `answer` makes an answer of a page.
    ///
    /// # Errors
    /// RESUME_TOKEN_EXPIRED when the place is no longer in the log.
    pub async fn serve_watch<E: Message + Default + 'static, A: Send + 'static>(
        &self,
        scope: OrgPath,
        resume_token: String,
        answer: fn(Told<E>) -> A,
    ) -> Result<Response<Answers<A>>, Status> {
        Ok(answers(self.watch(scope, resume_token).await?, answer))
    }
}

fn answers<E: Message + Default + 'static, A: Send + 'static>(
    pages: Pages,
    answer: fn(Told<E>) -> A,
) -> Response<Answers<A>> {
    let told = move |page| std::future::ready(Told::try_from(page).map(answer));
    Response::new(pages.and_then(told).map_err(Status::from).boxed())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use prost_types::Timestamp;
    use proto::Date;

    use super::*;

    fn page(payload: Bytes) -> Page {
        let item = Item {
            seq: 1,
            entity: "e".to_owned(),
            version: 1,
            removed: false,
            org_path: "fz".to_owned(),
            payload,
            cause: "t".to_owned(),
            announced_at: 1_500,
        };
        Page {
            items: vec![Arc::new(item)],
            page_token: "p".to_owned(),
            resume_token: "r".to_owned(),
        }
    }

    #[test]
    fn a_page_tells_what_was_announced_and_nothing_of_what_cannot_be_read() {
        let day = Date {
            year: 2022,
            month: 4,
            day: 6,
        };
        let told = Told::<Date>::try_from(page(day.encode_to_vec().into()));
        let expected = Told {
            events: vec![day],
            page_token: "p".to_owned(),
            resume_token: "r".to_owned(),
            origin: Origin {
                traceparents: vec!["t".to_owned()],
                announce_time: Some(Timestamp {
                    seconds: 1,
                    nanos: 500_000_000,
                }),
            },
        };
        assert_eq!(told.expect("readable"), expected);
        let broken = Told::<Date>::try_from(page(Bytes::from_static(b"\xff")));
        let problem = broken.expect_err("no message");
        assert_eq!(problem.reason(), ErrorReason::Internal);
    }
}
