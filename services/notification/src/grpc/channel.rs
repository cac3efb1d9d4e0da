//! ChannelService.

use kit::auth::{Permission, caller};
use kit::page;
use kit::status::Problem;
use proto::notification as pb;
use proto::notification::channel_service_server::ChannelService;
use tonic::{Request, Response, Status};

use super::convert;
use crate::app::channels::Channels;
use crate::app::contacts::{Contacts, Setting};
use crate::error::Error;

/// Serves ChannelService.
#[derive(Debug)]
pub(crate) struct ChannelGrpc {
    channels: Channels,
    contacts: Contacts,
}

impl ChannelGrpc {
    pub(crate) fn new(channels: Channels, contacts: Contacts) -> Self {
        Self { channels, contacts }
    }
}

#[tonic::async_trait]
impl ChannelService for ChannelGrpc {
    async fn list_channels(
        &self,
        request: Request<pb::ListChannelsRequest>,
    ) -> Result<Response<pb::ListChannelsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        self.channels.authorize(&caller)?;
        let size = page::size(request.page_size)?;
        let after: Option<String> = page::after(&request.page_token, &["channels"])?;
        let limit = usize::try_from(size).unwrap_or(usize::MAX) + 1;
        let mut found = self.channels.list(after.as_deref(), limit).await?;
        let next_page_token = super::cut(&mut found, size, &["channels"], |last| last.id.clone());
        Ok(Response::new(pb::ListChannelsResponse {
            channels: found.into_iter().map(convert::standing).collect(),
            next_page_token,
        }))
    }

    async fn get_channel(
        &self,
        request: Request<pb::GetChannelRequest>,
    ) -> Result<Response<pb::Channel>, Status> {
        let caller = caller(&request)?;
        let id = channel("name", &request.into_inner().name)?;
        let standing = self.channels.channel(&caller, &id).await?;
        Ok(Response::new(convert::standing(standing)))
    }

    async fn pause_channel(
        &self,
        request: Request<pb::PauseChannelRequest>,
    ) -> Result<Response<pb::Channel>, Status> {
        let caller = caller(&request)?;
        let id = channel("name", &request.into_inner().name)?;
        let standing = self.channels.pause(&caller, &id, true).await?;
        Ok(Response::new(convert::standing(standing)))
    }

    async fn resume_channel(
        &self,
        request: Request<pb::ResumeChannelRequest>,
    ) -> Result<Response<pb::Channel>, Status> {
        let caller = caller(&request)?;
        let id = channel("name", &request.into_inner().name)?;
        let standing = self.channels.pause(&caller, &id, false).await?;
        Ok(Response::new(convert::standing(standing)))
    }

    async fn set_contact_point(
        &self,
        request: Request<pb::SetContactPointRequest>,
    ) -> Result<Response<pb::ContactPoint>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let party = convert::party("party", &request.party)?;
        self.contacts.authorize(&caller, &party).await?;
        let channel = channel("channel", &request.channel)?;
        let address = self.contacts.address(&channel, &request.address)?;
        let veiled = pb::SetContactPointRequest {
            address: self.contacts.veil(&request.address),
            ..request
        };
        let to = (&*channel, &party);
        let once = (&*veiled.request_id, &veiled);
        let point = self
            .contacts
            .set(&caller, to, &address, once, convert::contact_point)
            .await?;
        Ok(Response::new(point))
    }

    async fn batch_set_contact_points(
        &self,
        request: Request<pb::BatchSetContactPointsRequest>,
    ) -> Result<Response<pb::BatchSetContactPointsResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        caller.allowed(Permission::ContactWrite)?;
        let given = convert::contact_points(&request)?;
        let setting = |given: Result<convert::Given<'_>, Problem>| -> Result<Setting, Error> {
            let (party, channel, address) = given?;
            let address = self.contacts.address(&channel, address);
            Ok(Setting {
                party,
                channel,
                address,
            })
        };
        let settings = given.into_iter().map(setting).collect();
        let veiled = pb::BatchSetContactPointsRequest {
            contact_points: request
                .contact_points
                .iter()
                .map(|one| pb::ContactPointSetting {
                    address: self.contacts.veil(&one.address),
                    ..one.clone()
                })
                .collect(),
            request_id: request.request_id.clone(),
        };
        let once = (&*veiled.request_id, &veiled);
        let stored = self
            .contacts
            .set_many(&caller, settings, once, convert::stored_contact_points)
            .await?;
        Ok(Response::new(stored))
    }

    async fn remove_contact_point(
        &self,
        request: Request<pb::RemoveContactPointRequest>,
    ) -> Result<Response<pb::RemoveContactPointResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let party = convert::party("party", &request.party)?;
        self.contacts.authorize(&caller, &party).await?;
        let channel = channel("channel", &request.channel)?;
        self.contacts.remove(&caller, &channel, &party).await?;
        Ok(Response::new(pb::RemoveContactPointResponse {}))
    }

    async fn list_contact_points(
        &self,
        request: Request<pb::ListContactPointsRequest>,
    ) -> Result<Response<pb::ListContactPointsResponse>, Status> {
        let caller = caller(&request)?;
        let party = convert::party("party", &request.into_inner().party)?;
        self.contacts.authorize(&caller, &party).await?;
        let points = self.contacts.list(&party).await?;
        Ok(Response::new(pb::ListContactPointsResponse {
            contact_points: points.into_iter().map(convert::contact_point).collect(),
        }))
    }

    async fn get_preferences(
        &self,
        request: Request<pb::GetPreferencesRequest>,
    ) -> Result<Response<pb::Preferences>, Status> {
        let caller = caller(&request)?;
        let party = convert::party("party", &request.into_inner().party)?;
        self.contacts.authorize(&caller, &party).await?;
        let preferences = self.contacts.preferences(&party).await?;
        Ok(Response::new(convert::preferences(&party, preferences)))
    }

    async fn update_preferences(
        &self,
        request: Request<pb::UpdatePreferencesRequest>,
    ) -> Result<Response<pb::Preferences>, Status> {
        let caller = caller(&request)?;
        let told = request.into_inner().preferences.unwrap_or_default();
        let party = convert::party("preferences.party", &told.party)?;
        self.contacts.authorize(&caller, &party).await?;
        let wanted = convert::wanted(&told)?;
        let preferences = self.contacts.prefer(&caller, &party, wanted).await?;
        Ok(Response::new(convert::preferences(&party, preferences)))
    }
}

/// The id in `channels/{channel}`, which must be there.
fn channel(field: &'static str, name: &str) -> Result<String, Problem> {
    let id = convert::channel(field, name)?;
    id.map(ToOwned::to_owned)
        .ok_or_else(|| Problem::invalid(field, "必填", "required"))
}
