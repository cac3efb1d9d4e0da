//! DeliveryService.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use kit::auth::{Permission, caller};
use kit::page;
use proto::notification as pb;
use proto::notification::delivery_service_server::DeliveryService;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert;
use crate::app::inbox::Place;
use crate::app::messages::Messages;
use crate::store::ledger::{DeadKey, LedgerKey};

/// Serves DeliveryService.
#[derive(Debug)]
pub(crate) struct DeliveryGrpc {
    app: Messages,
}

impl DeliveryGrpc {
    pub(crate) fn new(app: Messages) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl DeliveryService for DeliveryGrpc {
    async fn send_message(
        &self,
        request: Request<pb::SendMessageRequest>,
    ) -> Result<Response<pb::Message>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let sender = convert::organization("parent", &request.parent)?;
        let given = request.message.as_ref();
        let emergency = given.is_some_and(|one| one.urgency() == pb::message::Urgency::Emergency);
        let sender = self.app.sender(&caller, &sender, emergency).await?;
        let now = self.app.now();
        let message = convert::new_message(sender, &caller.subject, given, now)?;
        let once = (&*request.request_id, &request);
        let sent = self
            .app
            .send(&caller, message, once, convert::message)
            .await?;
        Ok(Response::new(sent))
    }

    async fn get_message(
        &self,
        request: Request<pb::GetMessageRequest>,
    ) -> Result<Response<pb::Message>, Status> {
        let caller = caller(&request)?;
        let (organization, id) = convert::child("name", "messages", &request.into_inner().name)?;
        let permission = Permission::MessageRead;
        let (message, figures) = self
            .app
            .message(&caller, permission, (&organization, id))
            .await?;
        Ok(Response::new(convert::message(message, figures)))
    }

    async fn list_messages(
        &self,
        request: Request<pb::ListMessagesRequest>,
    ) -> Result<Response<pb::ListMessagesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let sender = convert::organization("parent", &request.parent)?;
        let permission = Permission::MessageRead;
        let sender = self.app.organization(&caller, permission, &sender).await?;
        let size = page::size(request.page_size)?;
        let binding = [&*request.parent];
        let before: Option<Uuid> = page::after(&request.page_token, &binding)?;
        let mut found = self.app.messages(&sender, before, size + 1).await?;
        let next_page_token = super::cut(&mut found, size, &binding, |(last, _)| last.id);
        let messages = found
            .into_iter()
            .map(|(message, figures)| convert::message(message, figures))
            .collect();
        Ok(Response::new(pb::ListMessagesResponse {
            messages,
            next_page_token,
        }))
    }

    async fn cancel_message(
        &self,
        request: Request<pb::CancelMessageRequest>,
    ) -> Result<Response<pb::Message>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("name", "messages", &request.name)?;
        let once = (&*request.request_id, &request);
        let stopped = self
            .app
            .cancel(&caller, (&organization, id), once, convert::message)
            .await?;
        Ok(Response::new(stopped))
    }

    async fn list_deliveries(
        &self,
        request: Request<pb::ListDeliveriesRequest>,
    ) -> Result<Response<pb::ListDeliveriesResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let (organization, id) = convert::child("parent", "messages", &request.parent)?;
        let (message, within) = self.app.readable(&caller, (&organization, id)).await?;
        let state = convert::delivery_state(request.state)?;
        let size = page::size(request.page_size)?;
        let number = request.state.to_string();
        let binding = [&*request.parent, &*number];
        let after: Option<LedgerKey> = page::after(&request.page_token, &binding)?;
        let mut found = self
            .app
            .deliveries(id, within.as_deref(), state, after, size + 1)
            .await?;
        let next_page_token = super::cut(&mut found, size, &binding, |last| {
            LedgerKey::from(&last.key)
        });
        Ok(Response::new(pb::ListDeliveriesResponse {
            deliveries: convert::deliveries(&message, found),
            next_page_token,
        }))
    }

    async fn list_dead_letters(
        &self,
        request: Request<pb::ListDeadLettersRequest>,
    ) -> Result<Response<pb::ListDeadLettersResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ChannelManage)?;
        let request = request.into_inner();
        let channel = convert::channel("channel", &request.channel)?;
        let size = page::size(request.page_size)?;
        let binding = ["dead", &*request.channel];
        let after: Option<DeadKey> = page::after(&request.page_token, &binding)?;
        let mut found = self
            .app
            .dead_letters(&caller, channel, after, size + 1)
            .await?;
        let next_page_token = super::cut(&mut found, size, &binding, |(_, last)| {
            DeadKey::from(&last.key)
        });
        Ok(Response::new(pb::ListDeadLettersResponse {
            deliveries: found.into_iter().map(convert::dead_letter).collect(),
            next_page_token,
        }))
    }

    async fn resend_dead_letters(
        &self,
        request: Request<pb::ResendDeadLettersRequest>,
    ) -> Result<Response<pb::ResendDeadLettersResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(Permission::ChannelManage)?;
        let request = request.into_inner();
        let letters = convert::letters(&request.names)?;
        let once = (&*request.request_id, &request);
        let render = |queued| pb::ResendDeadLettersResponse {
            queued_count: i32::try_from(queued).unwrap_or(i32::MAX),
        };
        let queued = self.app.resend(&caller, letters, once, render).await?;
        Ok(Response::new(queued))
    }

    async fn record_receipts(
        &self,
        request: Request<pb::RecordReceiptsRequest>,
    ) -> Result<Response<pb::RecordReceiptsResponse>, Status> {
        let caller = caller(&request)?;
        self.app.may_record(&caller)?;
        let receipts = convert::receipts(&request.into_inner().receipts, self.app.now())?;
        let changed = self.app.record(&caller, receipts).await?;
        Ok(Response::new(pb::RecordReceiptsResponse {
            changed_count: i32::try_from(changed).unwrap_or(i32::MAX),
        }))
    }

    type WatchInboxStream = BoxStream<'static, Result<pb::WatchInboxResponse, Status>>;

    async fn watch_inbox(
        &self,
        request: Request<pb::WatchInboxRequest>,
    ) -> Result<Response<Self::WatchInboxStream>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let party = convert::party("recipient", &request.recipient)?;
        self.app.open_inbox(&caller, &party).await?;
        let binding = ["inbox", &*request.recipient];
        let resume: Option<Place> = page::after(&request.resume_token, &binding)?;
        let mail = ReceiverStream::new(self.app.watch(party.clone(), resume));
        let recipient = request.recipient;
        let answers = mail.map_err(Status::from).map_ok(move |mail| {
            let items = mail.messages.into_iter();
            pb::WatchInboxResponse {
                items: items
                    .map(|(message, text)| convert::inbox_item(message, text, &party))
                    .collect(),
                resume_token: page::next(&mail.place, &["inbox", &recipient]),
            }
        });
        Ok(Response::new(answers.boxed()))
    }
}
