//! Puts the service together.

use std::sync::Arc;

use kit::approvals::Approvals;
use kit::auth::Credentials;
use kit::channel::Channel;
use kit::clock::Clock;
use kit::db::Database;
use kit::destruction::{Reporter, Runner};
use kit::drain::Drain;
use kit::feed::{Feed, spawn_sequencer};
use kit::projection::follow;
use kit::server::{Running, ServeError, Server};
use kit::subject::{HeldDataGrpc, Requests};
use kit::upstream::{
    BreakGlassUpstream, ClearanceUpstream, RosterUpstream, SafetyUpstream, SamplingUpstream,
};
use kit::vault::{EmergencyVault, UnlockError, Vault};
use proto::notification::alert_service_server::AlertServiceServer;
use proto::notification::channel_service_server::ChannelServiceServer;
use proto::notification::concern_service_server::ConcernServiceServer;
use proto::notification::delivery_service_server::DeliveryServiceServer;
use proto::notification::directive_service_server::DirectiveServiceServer;
use proto::notification::meeting_service_server::MeetingServiceServer;
use proto::notification::notification_feed_server::NotificationFeedServer;
use proto::notification::support_service_server::SupportServiceServer;
use proto::notification::template_service_server::TemplateServiceServer;
use proto::notification::warning_service_server::WarningServiceServer;
use proto::subject::held_data_service_server::HeldDataServiceServer;
use sea_orm::DbErr;
use tokio::sync::Notify;

use crate::app::alerts::Alerts;
use crate::app::care::Care;
use crate::app::channels::Channels;
use crate::app::concerns::Concerns;
use crate::app::contacts::Contacts;
use crate::app::destruction::{self, Gathered};
use crate::app::directives::Directives;
use crate::app::figures;
use crate::app::glass::{Glass, Log};
use crate::app::held::Kept;
use crate::app::meetings::Meetings;
use crate::app::messages::Messages;
use crate::app::overdue::Overdue;
use crate::app::retention::Retention;
use crate::app::sending::Sending;
use crate::app::support::Support;
use crate::app::telling::Teller;
use crate::app::templates::Templates;
use crate::app::voices::Voices;
use crate::app::warnings::Warnings;
use crate::app::words::Wording;
use crate::app::{Base, announcing};
use crate::domain::rulebook;
use crate::feeds::{RosterProjection, SafetyProjection, SamplingProjection};
use crate::grpc::announced::FEED;
use crate::seal::{SERVICE, Seal};
use crate::store::Store;
use crate::store::register::AuditFloors;
use crate::voice_feeds::ClearanceProjection;
use crate::{Config, Migrator, grpc, shipped};

/// The service cannot start or stopped with an error.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used. The text names the key.
    #[error("configuration: {0}")]
    Config(String),
    /// The database cannot be used.
    #[error("database.url: the database cannot be used")]
    Database(#[from] DbErr),
    /// The data keys cannot be taken up.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// The server failed.
    #[error(transparent)]
    Server(#[from] ServeError),
    /// A template that comes with the service is malformed.
    #[error("a shipped template cannot be read")]
    Template(#[from] toml::de::Error),
    /// A neighbour's address is malformed.
    #[error("a neighbour's address cannot be used")]
    Address(#[from] tonic::transport::Error),
    /// The shipped alert rules cannot be used.
    #[error("rules/alerts.toml cannot be used")]
    Rules(#[from] rulebook::Unreadable),
}

/// Opens the database, brings it up to date, follows the neighbours and answers calls.
///
/// # Errors
/// When the shipped rules or the database cannot be used, the address cannot be listened at, or a
/// setting is malformed.
pub async fn start(
    config: Config,
    clock: Arc<dyn Clock>,
    drain: Drain,
) -> Result<Running, StartError> {
    rulebook::check()?;
    config.check_sender().map_err(StartError::Config)?;
    let masters = config.master_keys().map_err(StartError::Config)?;
    let db = Database::connect(&config.database).await?;
    db.migrate::<Migrator>().await?;
    db.observe("notification");
    db.keep_time(clock.clone(), drain.clone()).await?;
    let mut vault = Vault::new(&masters, SERVICE);
    vault.unlock(&db, config.crypto.suite, clock.now()).await?;
    let vault = Arc::new(vault);
    // Apart from those of other services: what each destroys is its own.
    let folder = config.emergencies.secret_folder.as_deref();
    let folder = folder.map(|folder| folder.join(destruction::SERVICE));
    let suite = config.crypto.suite;
    let emergencies = EmergencyVault::new(vault.clone(), suite, folder.as_deref());
    emergencies.refresh(&db).await?;
    emergencies.keep_fresh(db.clone(), drain.clone());
    let seal = Seal::new(vault, emergencies.clone());
    let server = Server::bind(&config.server, &config.auth, clock.clone(), drain.clone()).await?;
    let server = server.observed("notification", &config.telemetry).await?;
    let server = server.resting_on(&db);
    let server = server.audited(&db, "notification", &config.audit)?;
    let server = server.keeping(AuditFloors);
    let changed = Arc::new(Notify::new());
    let store = Store::new(db.clone());
    let base = Base {
        store: store.clone(),
        clock: clock.clone(),
    };
    let alerts = Alerts::start(base.clone(), &config.alerts, changed.clone(), drain.clone());
    let templates = Templates::new(base.clone());
    templates.ship(shipped::templates()?).await?;
    let channels = Channels::start(base.clone(), config.channels.clone()).await?;
    let directives = Directives::new(base.clone(), channels.told());
    let meetings = Meetings::new(base.clone(), channels.told());
    let wording = Wording::new(store.clone());
    let messages = Messages::start(
        base.clone(),
        channels.clone(),
        wording.clone(),
        &config.deliveries,
        drain.clone(),
    );
    let poll = config.deliveries.poll;
    Teller::start(
        base.clone(),
        messages.clone(),
        channels.told(),
        poll,
        drain.clone(),
    );
    Overdue::start(
        base.clone(),
        channels.told(),
        messages.work.clone(),
        drain.clone(),
    );
    let sending = Sending::new(
        base.clone(),
        seal.clone(),
        wording,
        &config.sending,
        drain.clone(),
    );
    let work = sending.start(&channels).map_err(StartError::Config)?;
    let contacts = Contacts::new(base.clone(), channels.clone(), seal.clone());
    let concerns = Concerns::new(base.clone(), seal.clone());
    let held = Kept::new(base.clone(), seal.clone());
    let support = Support::new(base.clone(), seal.clone());
    let care = Care::new(base.clone());
    Voices::start(base.clone(), drain.clone());
    figures::start(base.clone(), &channels, drain.clone());
    Retention::start(base.clone(), config.retention, drain.clone());
    spawn_sequencer(db.clone(), drain.clone());
    announcing::start(base.clone(), server.latch("feed"), drain.clone());
    let feed = Feed::new(db.clone(), FEED, drain.clone());
    let warnings = Warnings::new(base.clone(), config.warnings.sender, channels.clone());

    let credentials = Credentials::new(&config.auth, "notification", clock.clone());
    let channel = Channel::to(&config.roster, config.auth.client_tls.as_ref())?;
    let server = server.approving(Approvals::new(channel.clone()));
    let runner = Runner {
        db: db.clone(),
        clock: clock.clone(),
        destroyer: Gathered::new(seal),
        vault: Some(emergencies),
        reporter: Reporter::new(destruction::SERVICE, channel.clone(), credentials.clone()),
    };
    runner.start(drain.clone());
    let held = HeldDataGrpc::new(held, Requests::new(channel.clone()));
    let roster = RosterUpstream::new(channel.clone(), credentials.clone());
    let watch = |service, log| {
        let glass = Glass {
            base: base.clone(),
            service,
            log,
            changed: changed.clone(),
        };
        glass.start(drain.clone());
    };
    let log = |channel| Log::Of(BreakGlassUpstream::new(channel, credentials.clone()));
    watch("notification", Log::Own);
    watch("roster", log(channel));
    let projection = RosterProjection::new(store, clock.clone(), changed.clone());
    let projection = Arc::new(projection);
    follow(
        db.clone(),
        roster,
        projection,
        Some(server.latch("roster-feed")),
        drain.clone(),
    );
    let channel = Channel::to(&config.sampling, config.auth.client_tls.as_ref())?;
    watch("sampling", log(channel.clone()));
    let sampling = SamplingUpstream::new(channel.clone(), credentials.clone());
    let projection = Arc::new(SamplingProjection::new(clock.clone(), changed.clone()));
    follow(
        db.clone(),
        sampling,
        projection,
        Some(server.latch("sampling-feed")),
        drain.clone(),
    );
    let safety = Channel::to(&config.safety_inspection, config.auth.client_tls.as_ref())?;
    watch("safety-inspection", log(safety.clone()));
    let safety = SafetyUpstream::new(safety, credentials.clone());
    let projection = Arc::new(SafetyProjection::new(clock.clone(), changed.clone()));
    follow(
        db.clone(),
        safety,
        projection,
        Some(server.latch("safety-feed")),
        drain.clone(),
    );
    let clearance = ClearanceUpstream::new(channel, credentials);
    let projection = Arc::new(ClearanceProjection::new(clock));
    follow(
        db,
        clearance,
        projection,
        Some(server.latch("clearance-feed")),
        drain,
    );

    let alerts = AlertServiceServer::new(grpc::AlertGrpc::new(alerts));
    let directives = DirectiveServiceServer::new(grpc::DirectiveGrpc::new(directives));
    let meetings = MeetingServiceServer::new(grpc::MeetingGrpc::new(meetings));
    let deliveries = DeliveryServiceServer::new(grpc::DeliveryGrpc::new(messages));
    let channels = ChannelServiceServer::new(grpc::ChannelGrpc::new(channels, contacts));
    let concerns = ConcernServiceServer::new(grpc::ConcernGrpc::new(concerns));
    let support = SupportServiceServer::new(grpc::SupportGrpc::new(support, care));
    let templates = TemplateServiceServer::new(grpc::TemplateGrpc::new(templates));
    let warnings = WarningServiceServer::new(grpc::WarningGrpc::new(warnings));
    let held = HeldDataServiceServer::new(held);
    let feed = NotificationFeedServer::new(grpc::FeedGrpc::new(feed));
    let routes = tonic::service::Routes::new(alerts)
        .add_service(directives)
        .add_service(meetings)
        .add_service(deliveries)
        .add_service(channels)
        .add_service(templates)
        .add_service(warnings)
        .add_service(concerns)
        .add_service(support)
        .add_service(held)
        .add_service(feed);
    Ok(server.serve(routes).with(work))
}
