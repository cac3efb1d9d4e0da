//! Encrypted ways to providers: whose certificate is trusted, and that nothing is told to anybody else.

use notification::channels::{Accepted, provider};
use notification::domain::attempt::Failed;
use notification::domain::channel::Kind;
use notification::domain::delivery::Failure;
use notification::{ChannelConfig, Encryption};
use tempfile::NamedTempFile;

use crate::peers::aiosmtpd::Aiosmtpd;
use crate::peers::smtp::{MailServer, email};
use crate::peers::tls::{Authority, Identity, Name, Term};
use crate::peers::{Answer, Peer, outgoing, sms, taken};

const ADDRESS: &str = "zhang.san@school.example";
const PHONE: &str = "13800000000";
const ELSEWHERE: Name = Name::Dns("elsewhere.example");

type Sent = Result<Accepted, Failed>;

/// Nobody is there who is trusted.
fn refused() -> Sent {
    Err(Failed::later(Failure::Unreachable))
}

/// A server of each kind: whether whoever trusts `trusted` takes it.
struct Case {
    identity: Identity,
    trusted: NamedTempFile,
    taken: bool,
}

fn cases() -> Vec<Case> {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let case = |by: &Authority, name, term, taken| Case {
        identity: by.vouch(name, term),
        trusted: authority.file(),
        taken,
    };
    vec![
        case(&authority, Name::Loopback, Term::Now, true),
        case(&authority, ELSEWHERE, Term::Now, false),
        case(&stranger, Name::Loopback, Term::Now, false),
        case(&authority, Name::Loopback, Term::Over, false),
    ]
}

/// What becomes of a message by a channel that trusts the authority of a case.
async fn sent_by(mut config: ChannelConfig, case: &Case, address: &str) -> Sent {
    config.insecure = false;
    config.ca_file = Some(case.trusted.path().to_owned());
    let mut message = outgoing("m~1", address);
    if config.kind == Kind::Cap {
        message.document = Some(b"<alert/>".to_vec());
    }
    let provider = provider(&config).expect("a provider");
    provider.send(&message).await
}

fn expected(case: &Case) -> Sent {
    if case.taken { Ok(Accepted) } else { refused() }
}

#[tokio::test]
async fn a_provider_is_told_only_what_it_proves_to_be() {
    for case in cases() {
        let peer = Peer::encrypted(&case.identity, taken).await;
        let sent = sent_by(sms("sms", &peer.url), &case, PHONE).await;
        assert_eq!(sent, expected(&case));
        assert_eq!(peer.received().len(), usize::from(case.taken));
    }
}

#[tokio::test]
async fn a_warning_centre_is_told_only_what_it_proves_to_be() {
    for case in cases() {
        let peer = Peer::encrypted(&case.identity, |_| Answer::ok("")).await;
        let config = ChannelConfig {
            url: Some(peer.url.clone()),
            ..ChannelConfig::new("cap", Kind::Cap)
        };
        assert_eq!(sent_by(config, &case, "").await, expected(&case));
        assert_eq!(peer.received().len(), usize::from(case.taken));
    }
}

#[tokio::test]
async fn a_webhook_is_told_only_what_it_proves_to_be() {
    let secret = NamedTempFile::new().expect("a file");
    std::fs::write(secret.path(), "a-secret-of-more-than-24-bytes").expect("written");
    for case in cases() {
        let peer = Peer::encrypted(&case.identity, |_| Answer::ok("")).await;
        let config = ChannelConfig {
            secret_file: Some(secret.path().to_owned()),
            private: true,
            ..ChannelConfig::new("hook", Kind::Webhook)
        };
        assert_eq!(sent_by(config, &case, &peer.url).await, expected(&case));
        assert_eq!(peer.received().len(), usize::from(case.taken));
    }
}

#[tokio::test]
async fn without_an_authority_of_the_settings_only_the_public_ones_are_trusted() {
    let identity = Authority::new().vouch(Name::Loopback, Term::Now);
    let peer = Peer::encrypted(&identity, taken).await;
    let mut config = sms("sms", &peer.url);
    config.insecure = false;
    let https = provider(&config).expect("a provider");
    assert_eq!(https.send(&outgoing("m~1", PHONE)).await, refused());
    let server = MailServer::encrypted(&identity).await;
    let mut config = mail(server.port, Encryption::Tls);
    config.insecure = false;
    let smtps = provider(&config).expect("a provider");
    assert_eq!(smtps.send(&outgoing("m~1", ADDRESS)).await, refused());
    assert!(peer.received().is_empty() && server.mails().is_empty());
}

fn mail(port: u16, encryption: Encryption) -> ChannelConfig {
    let mut config = email("mail", port);
    config.smtp.as_mut().expect("a server").encryption = encryption;
    config
}

#[tokio::test]
async fn a_mail_server_is_told_only_what_it_proves_to_be() {
    for encryption in [Encryption::Tls, Encryption::Starttls] {
        for case in cases() {
            let server = match encryption {
                Encryption::Starttls => MailServer::upgraded(&case.identity).await,
                Encryption::Tls | Encryption::None => MailServer::encrypted(&case.identity).await,
            };
            let sent = sent_by(mail(server.port, encryption), &case, ADDRESS).await;
            assert_eq!(sent, expected(&case), "{encryption:?}");
            assert_eq!(server.mails().len(), usize::from(case.taken));
        }
    }
}

/// Whoever sits on the way and leaves the offer out gets no mail.
#[tokio::test]
async fn a_mail_server_that_offers_no_encryption_gets_nothing() {
    let server = MailServer::start(|_| None).await;
    let authority = Authority::new().file();
    for encryption in [Encryption::Tls, Encryption::Starttls] {
        let mut config = mail(server.port, encryption);
        config.insecure = false;
        config.ca_file = Some(authority.path().to_owned());
        let provider = provider(&config).expect("a provider");
        let failed = provider.send(&outgoing("m~1", ADDRESS)).await;
        assert!(failed.is_err(), "{encryption:?}");
    }
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn aiosmtpd_takes_a_mail_by_either_encryption_and_only_as_itself() {
    for (mode, encryption) in [("tls", Encryption::Tls), ("starttls", Encryption::Starttls)] {
        for case in cases() {
            let file = case.identity.file();
            let Some(mut server) = Aiosmtpd::start(mode, Some(file.path())).await else {
                return;
            };
            let mut config = mail(server.port, encryption);
            config.timeout = std::time::Duration::from_secs(5);
            let sent = sent_by(config, &case, ADDRESS).await;
            assert_eq!(sent, expected(&case), "{mode}");
            if case.taken {
                assert_eq!(server.mail().await.to, [ADDRESS]);
            }
        }
    }
}
