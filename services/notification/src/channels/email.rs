//! E-mail by SMTP: plain text, one recipient a message.

use std::time::Duration;

use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Message};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, Tls, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::{Error as SmtpError, response::Severity};

use super::{Accepted, Outgoing, Provider, tls};
use crate::config::{ChannelConfig, Encryption, SmtpConfig};
use crate::domain::attempt::Failed;
use crate::domain::delivery::Failure;

/// Sends by one mail server.
pub(super) struct Email {
    host: String,
    port: u16,
    tls: Tls,
    hello: ClientId,
    credentials: Option<Credentials>,
    from: Address,
    timeout: Duration,
}

/// What a mail server was asked for when something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// To take mail for the recipient.
    Recipient,
    /// Anything else, which says nothing about the recipient.
    Other,
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Email").finish_non_exhaustive()
    }
}

impl Email {
    pub(super) fn new(config: &ChannelConfig) -> Result<Self, String> {
        let smtp = config.smtp.as_ref().ok_or("smtp: required for this kind")?;
        let from: Address = smtp.from.parse().map_err(|_| "smtp.from: not an address")?;
        let secret = config.secret()?;
        if smtp.user.is_empty() != secret.expose().is_empty() {
            return Err("smtp.user: goes with a secret".to_owned());
        }
        let credentials = (!smtp.user.is_empty())
            .then(|| Credentials::new(smtp.user.clone(), secret.expose().to_owned()));
        Ok(Self {
            host: smtp.host.clone(),
            port: smtp.port,
            tls: encryption(config, smtp)?,
            hello: ClientId::Domain(from.domain().to_owned()),
            credentials,
            from,
            timeout: config.timeout,
        })
    }

    /// A connection over which mail can be sent.
    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let wrapped = match &self.tls {
            Tls::Wrapper(parameters) => Some(parameters.clone()),
            _ => None,
        };
        let server = (self.host.as_str(), self.port);
        let timeout = Some(self.timeout);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, timeout, &self.hello, wrapped, None)
                .await?;
        if let Tls::Required(parameters) = &self.tls {
            connection.starttls(parameters.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    /// Sends one mail over a connection of its own.
    async fn post(&self, to: Address, mail: &[u8]) -> Result<(), Failed> {
        let other = |err: SmtpError| of(&err, Step::Other);
        let mut connection = self.connect().await.map_err(other)?;
        let posted = self.hand_over(&mut connection, to, mail).await;
        connection.abort().await;
        posted
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        to: Address,
        mail: &[u8],
    ) -> Result<(), Failed> {
        let other = |err: SmtpError| of(&err, Step::Other);
        let mut parameters = Vec::new();
        if ![&self.from, &to].into_iter().all(is_ascii) {
            let server = connection.server_info();
            if !server.supports_feature(Extension::SmtpUtfEight) {
                return Err(Failed::never(Failure::Refused));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let from = Mail::new(Some(self.from.clone()), parameters);
        connection.command(from).await.map_err(other)?;
        let to = connection.command(Rcpt::new(to, Vec::new())).await;
        to.map_err(|err| of(&err, Step::Recipient))?;
        connection.command(Data).await.map_err(other)?;
        connection.message(mail).await.map_err(other)?;
        Ok(())
    }

    /// To whom, and the mail; none when the address cannot be used.
    fn mail(&self, outgoing: &Outgoing) -> Option<(Address, Vec<u8>)> {
        let to: Address = outgoing.address.parse().ok()?;
        // A heading of two lines would be two headers.
        let subject = outgoing.title.replace(|c: char| c.is_control(), " ");
        // The same each time it is sent: who has it already passes a repeat over.
        let id = format!("<{}@{}>", outgoing.id.replace('~', "."), self.from.domain());
        // Keeps robots that answer mail from answering this (RFC 3834).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let automatic = HeaderValue::new(automatic, "auto-generated".to_owned());
        let body = Body::new_with_encoding(outgoing.body.clone(), ContentTransferEncoding::Base64);
        let mail = Message::builder()
            .from(self.from.clone().into())
            .to(to.clone().into())
            .subject(subject)
            .message_id(Some(id))
            .date(outgoing.at.into())
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN)
            .body(body.ok()?)
            .ok()?;
        Some((to, mail.formatted()))
    }
}

fn is_ascii(address: &Address) -> bool {
    let text: &str = address.as_ref();
    text.is_ascii()
}

fn encryption(config: &ChannelConfig, smtp: &SmtpConfig) -> Result<Tls, String> {
    let parameters = || {
        let mut builder = TlsParameters::builder(smtp.host.clone())
            .certificate_store(CertificateStore::WebpkiRoots);
        for authority in tls::authorities(config)? {
            let authority = Certificate::from_der(authority.to_vec());
            let authority = authority.map_err(|err| format!("ca_file: {err}"))?;
            builder = builder.add_root_certificate(authority);
        }
        builder
            .build_rustls()
            .map_err(|err| format!("smtp.encryption: {err}"))
    };
    Ok(match smtp.encryption {
        Encryption::Tls => Tls::Wrapper(parameters()?),
        Encryption::Starttls => Tls::Required(parameters()?),
        Encryption::None => Tls::None,
    })
}

#[async_trait::async_trait]
impl Provider for Email {
    async fn send(&self, outgoing: &Outgoing) -> Result<Accepted, Failed> {
        let mail = self.mail(outgoing);
        let (to, mail) = mail.ok_or(Failed::never(Failure::NoRecipient))?;
        match tokio::time::timeout(self.timeout, self.post(to, &mail)).await {
            Ok(Ok(())) => Ok(Accepted),
            Ok(Err(failed)) => Err(failed),
            Err(_) => Err(Failed::later(Failure::Timeout)),
        }
    }
}

/// What a mail server says (RFC 5321, 4.2.3; RFC 4954, 6).
fn of(err: &SmtpError, step: Step) -> Failed {
    let Some(code) = err.status() else {
        return Failed::later(if err.is_timeout() {
            Failure::Timeout
        } else if err.is_response() {
            Failure::BadAnswer
        } else {
            Failure::Unreachable
        });
    };
    let transient = code.severity == Severity::TransientNegativeCompletion;
    match u16::from(code) {
        // Authentication is needed, fails or is too weak; the domain is not taken here.
        530 | 534 | 535 | 538 => Failed::broken(),
        421 | 450 | 451 | 452 => Failed::throttled(None),
        _ if transient => Failed::later(Failure::Unreachable),
        number if step == Step::Recipient && is_nobody(number, err) => {
            Failed::never(Failure::NoRecipient)
        }
        _ => Failed::never(Failure::Refused),
    }
}

/// Whether the answer to a recipient says that nobody is at the address. A server that refuses the sender or
/// the content may say 550 as well: where it tells more, that counts.
fn is_nobody(code: u16, err: &SmtpError) -> bool {
    match detail(err) {
        // No such mailbox or system, no address at all, moved away, takes no mail (RFC 3463, 3.2; RFC 7505).
        Some((1, detail)) => matches!(detail, 0..=3 | 6 | 10),
        Some(_) => false,
        None => matches!(code, 550 | 551 | 556),
    }
}

/// Subject and detail of the enhanced status code; none where the server tells none (RFC 2034).
fn detail(err: &SmtpError) -> Option<(u16, u16)> {
    let text = std::error::Error::source(err)?.to_string();
    let code = text.split_whitespace().next()?.trim_start_matches('#');
    let (subject, detail) = code.strip_prefix("5.")?.split_once('.')?;
    Some((subject.parse().ok()?, detail.parse().ok()?))
}
