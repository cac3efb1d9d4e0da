//! E-mail by SMTP: plain text, one recipient a message.

use std::time::Duration;

use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error as SmtpError, response::Severity};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::{Accepted, Outgoing, Provider, tls};
use crate::config::{ChannelConfig, Encryption, SmtpConfig};
use crate::domain::attempt::Failed;
use crate::domain::delivery::Failure;

/// Sends by one mail server.
pub(super) struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
    timeout: Duration,
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
        let hello = ClientId::Domain(from.domain().to_owned());
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
            .port(smtp.port)
            .tls(encryption(config, smtp)?)
            .hello_name(hello)
            .timeout(Some(config.timeout));
        let builder = if smtp.user.is_empty() {
            builder
        } else {
            let password = secret.expose().to_owned();
            builder.credentials(Credentials::new(smtp.user.clone(), password))
        };
        Ok(Self {
            transport: builder.build(),
            from,
            timeout: config.timeout,
        })
    }

    /// The envelope and the mail; none when the address cannot be used.
    fn mail(&self, outgoing: &Outgoing) -> Option<(Envelope, Vec<u8>)> {
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
        let envelope = Envelope::new(Some(self.from.clone()), vec![to]).ok()?;
        Some((envelope, mail.formatted()))
    }
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
        let (envelope, mail) = mail.ok_or(Failed::never(Failure::NoRecipient))?;
        // The transport bounds each step; this bounds all of them.
        let sending = self.transport.send_raw(&envelope, &mail);
        match tokio::time::timeout(self.timeout, sending).await {
            Ok(Ok(_)) => Ok(Accepted),
            Ok(Err(err)) => Err(of(&err)),
            Err(_) => Err(Failed::later(Failure::Timeout)),
        }
    }
}

/// What a mail server says (RFC 5321, 4.2.3; RFC 4954, 6).
fn of(err: &SmtpError) -> Failed {
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
        // No such mailbox, or one that is no longer here.
        550 | 551 | 553 | 556 => Failed::never(Failure::NoRecipient),
        421 | 450 | 451 | 452 => Failed::throttled(None),
        _ if transient => Failed::later(Failure::Unreachable),
        _ => Failed::never(Failure::Refused),
    }
}
