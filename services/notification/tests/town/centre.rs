//! Warnings of the town, issued to warning centres as documents.

use kit::auth::Role;
use notification::ChannelConfig;
use notification::domain::channel::Kind;
use proto::notification as pb;
use proto::notification::message::Category;
use proto::notification::warning_info::Severity;
use proto::notification::warning_reference::Type;

use super::BUREAU;
use super::post::{Post, notice, to_parties};
use super::world::by;

/// A channel for documents by the centre at `url`.
pub(crate) fn centre(id: &str, url: &str) -> ChannelConfig {
    ChannelConfig {
        url: Some(url.to_owned()),
        insecure: true,
        timeout: std::time::Duration::from_millis(500),
        ..ChannelConfig::new(id, Kind::Cap)
    }
}

impl Post {
    /// The city warns a bureau; the name of the message.
    pub(crate) async fn warn(&mut self, exercise: bool) -> String {
        let value = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let message = pb::Message {
            category: Category::Warning.into(),
            template: "templates/weather-warning".to_owned(),
            values: [
                value("headline", "台风橙色预警 & <紧急>"),
                value("instruction", "在校学生留在室内"),
                value("until", "2022-06-03T00:30:00Z"),
            ]
            .into(),
            exercise,
            ..notice(to_parties([BUREAU.to_owned()]))
        };
        self.city(message).await.expect("sent").name
    }

    /// Writes the next document of a warning.
    pub(crate) async fn export(&mut self, message: &str, of: Type) -> pb::ExportWarningResponse {
        let ask = pb::ExportWarningRequest {
            message: message.to_owned(),
            r#type: of.into(),
            event: "台风".to_owned(),
            severity: Severity::Severe.into(),
            ..Default::default()
        };
        self.export_as(ask).await
    }

    pub(crate) async fn export_as(
        &mut self,
        ask: pb::ExportWarningRequest,
    ) -> pb::ExportWarningResponse {
        let ask = by("officer", Role::CityOfficer, "fz", ask);
        let answer = self.world.warnings.export_warning(ask).await;
        answer.expect("written").into_inner()
    }
}
