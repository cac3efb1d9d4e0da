//! E-mail against a small server in this process, and against aiosmtpd where Python has it.

use std::io::Write;
use std::time::{Duration, Instant};

use notification::channels::{Accepted, provider};
use notification::domain::attempt::Failed;
use notification::domain::delivery::Failure;

use crate::peers::aiosmtpd::Aiosmtpd;
use crate::peers::outgoing;
use crate::peers::smtp::{MailServer, Script, email};

const ADDRESS: &str = "zhang.san@school.example";

async fn sent_to(script: Script) -> Result<Accepted, Failed> {
    let server = MailServer::start(script).await;
    let provider = provider(&email("mail", server.port)).expect("a provider");
    provider.send(&outgoing("m~mail~staff~1", ADDRESS)).await
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let server = MailServer::start(|_| None).await;
    let provider = provider(&email("mail", server.port)).expect("a provider");
    let mut message = outgoing("m~mail~staff~1", ADDRESS);
    message.body = "第一行\n.\n..第三行\nFrom 第四行".to_owned();
    message.title = "晨检\r\nBcc: somebody@else.example".to_owned();
    for _ in 0..2 {
        assert_eq!(provider.send(&message).await, Ok(Accepted));
    }
    let mails = server.mails();
    let [mail, again] = &mails[..] else {
        panic!("two mails")
    };
    assert_eq!(mail.from, "<notice@campus.example>");
    assert_eq!(mail.to, [format!("<{ADDRESS}>")]);
    assert_eq!(mail.text().replace("\r\n", "\n"), message.body);
    let id = mail.header("message-id").expect("an id");
    assert_eq!(id, "<m.mail.staff.1@campus.example>");
    assert_eq!(again.header("message-id"), Some(id));
    assert_eq!(
        mail.header("auto-submitted").as_deref(),
        Some("auto-generated")
    );
    assert_eq!(mail.header("bcc"), None);
    let date = mail.header("date").expect("a date");
    assert!(date.starts_with("Wed, 06 Apr 2022 01:30:00"), "{date}");
}

#[tokio::test]
async fn every_answer_has_its_consequence() {
    fn at(command: &str, verb: &str, answer: &'static str) -> Option<Option<&'static str>> {
        command.starts_with(verb).then_some(Some(answer))
    }
    let never = |failure| Err(Failed::never(failure));
    let later = |failure| Err(Failed::later(failure));
    let throttled = Err(Failed::throttled(None));
    let cases: [(Script, _); 18] = [
        (
            |c| at(c, "RCPT", "550 5.1.1 no such user"),
            never(Failure::NoRecipient),
        ),
        (
            |c| at(c, "RCPT", "551 elsewhere"),
            never(Failure::NoRecipient),
        ),
        (
            |c| at(c, "RCPT", "550 no such user"),
            never(Failure::NoRecipient),
        ),
        (
            |c| at(c, "RCPT", "550-5.1.1 no such\r\n550 5.1.1 user"),
            never(Failure::NoRecipient),
        ),
        // The sender or the content is refused: that says nothing about who is at the address.
        (
            |c| at(c, "RCPT", "550 5.7.1 relaying denied"),
            never(Failure::Refused),
        ),
        (
            |c| at(c, "RCPT", "550 5.1.8 sender rejected"),
            never(Failure::Refused),
        ),
        (
            |c| at(c, "RCPT", "553 relaying denied"),
            never(Failure::Refused),
        ),
        (
            |c| at(c, "MAIL", "550 sender rejected"),
            never(Failure::Refused),
        ),
        (|c| at(c, ".", "550 5.1.1 spam"), never(Failure::Refused)),
        (|c| at(c, "RCPT", "450 greylisted"), throttled),
        (|c| at(c, "MAIL", "451 too many"), throttled),
        (
            |c| at(c, "RCPT", "431 no room"),
            later(Failure::Unreachable),
        ),
        (
            |c| at(c, "MAIL", "530 authenticate first"),
            Err(Failed::broken()),
        ),
        (|c| at(c, ".", "554 spam"), never(Failure::Refused)),
        (
            |c| at(c, "DATA", "this is no answer"),
            later(Failure::BadAnswer),
        ),
        (
            |c| c.starts_with("DATA").then_some(None),
            later(Failure::BadAnswer),
        ),
        (|c| c.is_empty().then_some(None), later(Failure::BadAnswer)),
        (|c| c.is_empty().then_some(Some("421 busy")), throttled),
    ];
    for (number, (script, expected)) in cases.into_iter().enumerate() {
        assert_eq!(sent_to(script).await, expected, "case {number}");
    }
}

#[tokio::test]
async fn a_server_that_is_silent_costs_no_more_than_the_time_out() {
    let silences: [Script; 3] = [
        |c| c.is_empty().then_some(Some("silence")),
        |c| c.starts_with("RCPT").then_some(Some("silence")),
        |c| (c == ".").then_some(Some("silence")),
    ];
    for script in silences {
        let began = Instant::now();
        let failed = sent_to(script).await;
        assert_eq!(failed, Err(Failed::later(Failure::Timeout)));
        assert!(began.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn a_password_is_shown_to_the_server_only() {
    let server = MailServer::start(|command| {
        let plain = "AUTH PLAIN AG5vdGljZQBzM2NyZXQtb2YtdGhlLW1haWwtc2VydmVy";
        let wrong = command.starts_with("AUTH") && command != plain;
        wrong.then_some(Some("535 wrong password"))
    })
    .await;
    let sent = async |password: &str| {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        writeln!(file, "{password}").expect("written");
        let mut config = email("mail", server.port);
        config.secret_file = Some(file.path().to_owned());
        config.smtp.as_mut().expect("a server").user = "notice".to_owned();
        let provider = provider(&config).expect("a provider");
        let outcome = provider.send(&outgoing("m~1", ADDRESS)).await;
        let shown = format!("{provider:?} {config:?} {outcome:?}");
        assert!(!shown.contains(password), "{shown}");
        outcome
    };
    assert_eq!(sent("s3cret-of-the-mail-server").await, Ok(Accepted));
    assert_eq!(sent("another-password").await, Err(Failed::broken()));
}

#[tokio::test]
async fn aiosmtpd_takes_a_mail() {
    let Some(mut server) = Aiosmtpd::start("plain", None).await else {
        return;
    };
    let provider = provider(&email("mail", server.port)).expect("a provider");
    let message = outgoing("m~mail~staff~1", ADDRESS);
    assert_eq!(provider.send(&message).await, Ok(Accepted));
    let mail = server.mail().await;
    assert_eq!(
        (&*mail.from, &mail.to[..]),
        ("notice@campus.example", &[ADDRESS.to_owned()][..])
    );
    assert_eq!(mail.text(), message.body);
    assert_eq!(mail.header("to").as_deref(), Some(ADDRESS));
}
