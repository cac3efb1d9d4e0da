use chrono::DateTime;
use zeroize::Zeroizing;

use super::*;
use crate::domain::channel::Kind;
use crate::domain::message::{Category, Urgency};

fn config() -> ChannelConfig {
    ChannelConfig {
        url: Some("https://robots.example/v1".to_owned()),
        request: Some(RequestConfig {
            method: "POST".to_owned(),
            path: "/send/{id}".to_owned(),
            query: vec![("key".to_owned(), "{address}".to_owned())],
            headers: vec![("x-app".to_owned(), "campus {timestamp}".to_owned())],
            json: Some(r#"{"text": {"content": "{title}\n{body}"}, "n": 1}"#.to_owned()),
            form: None,
            sign: None,
        }),
        ..ChannelConfig::new("robot", Kind::DingtalkRobot)
    }
}

fn outgoing(address: &str) -> Outgoing {
    Outgoing {
        id: "m~robot~staff~1".to_owned(),
        address: Zeroizing::new(address.to_owned()),
        title: "\"标题\"".to_owned(),
        body: "第一行\n{secret}".to_owned(),
        category: Category::Notice,
        urgency: Urgency::Ordinary,
        exercise: false,
        document: None,
        at: DateTime::from_timestamp_millis(1_649_208_600_123).unwrap(),
    }
}

fn request(config: &ChannelConfig, address: &str) -> Request {
    let described = Described::new(config).unwrap();
    described.request(&outgoing(address)).unwrap()
}

fn body(request: &Request) -> &str {
    let bytes = request.body().unwrap().as_bytes().unwrap();
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_request_is_what_the_settings_describe() {
    let request = request(&config(), "k&y=/?#,secret-part");
    assert_eq!(
        request.url().as_str(),
        "https://robots.example/v1/send/m~robot~staff~1?key=k%26y%3D%2F%3F%23"
    );
    assert_eq!(request.headers()["x-app"], "campus 1649208600");
    assert_eq!(request.headers()[CONTENT_TYPE], "application/json");
    let json: Value = serde_json::from_str(body(&request)).unwrap();
    let expected = serde_json::json!({
        "text": {"content": "\"标题\"\n第一行\n{secret}"},
        "n": 1,
    });
    assert_eq!(json, expected);
}

#[test]
fn a_form_is_written_as_one() {
    let mut config = config();
    let request_config = config.request.as_mut().unwrap();
    request_config.json = None;
    request_config.form = Some(vec![("to".to_owned(), "+86{address}&x".to_owned())]);
    let request = request(&config, "13800000000");
    assert_eq!(body(&request), "to=%2B8613800000000%26x");
}

/// As DingTalk documents it: the key is the secret, the text is the time and the secret.
#[test]
fn a_signature_is_made_of_what_the_settings_say() {
    let mut config = config();
    let request_config = config.request.as_mut().unwrap();
    request_config
        .query
        .push(("sign".to_owned(), "{sign}".to_owned()));
    request_config.sign = Some(SignConfig {
        text: "{millis}\n{address_secret}".to_owned(),
        key: "{address_secret}".to_owned(),
        encoding: Encoding::Base64,
    });
    let request = request(&config, "0123456789,SECabc12345");
    let sign = request.url().query_pairs().find(|(name, _)| name == "sign");
    let mut mac = keyed(b"SECabc12345");
    mac.update(b"1649208600123\nSECabc12345");
    let expected = STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(sign.unwrap().1, expected);
}

#[test]
fn settings_that_cannot_work_are_named() {
    let refused = |change: fn(&mut RequestConfig)| {
        let mut config = config();
        change(config.request.as_mut().unwrap());
        Described::new(&config).unwrap_err()
    };
    assert!(refused(|r| r.method = "DELETE".to_owned()).starts_with("request.method: "));
    assert!(refused(|r| r.path = "/{nobody}".to_owned()).starts_with("request.path: "));
    assert!(refused(|r| r.query[0].1 = "{secret}{address}".to_owned()).starts_with("secret_file"));
    assert!(refused(|r| r.query[0].1 = "{address}{sign}".to_owned()).starts_with("request.sign"));
    assert!(refused(|r| r.query.clear()).starts_with("request: "));
    assert!(refused(|r| r.headers[0].0 = "x app".to_owned()).starts_with("request.headers: "));
    assert!(refused(|r| r.json = Some("{".to_owned())).starts_with("request.json: "));
    assert!(refused(|r| r.form = Some(vec![])).starts_with("request.form: "));
}

fn answer() -> AnswerConfig {
    let codes = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
    AnswerConfig {
        code: "/result/code".to_owned(),
        good: codes(&["0", "OK"]),
        throttled: codes(&["130101"]),
        no_recipient: codes(&["300001"]),
        later: codes(&["-1"]),
        broken: codes(&["310000"]),
        id: Some("/id".to_owned()),
    }
}

#[test]
fn an_answer_means_what_the_settings_say() {
    let judged = |body: &str| judge(&answer(), "m~1", body.as_bytes());
    let senseless = Err(Failed::later(Failure::BadAnswer));
    for (body, expected) in [
        (r#"{"result": {"code": 0}, "id": "m~1"}"#, Ok(Accepted)),
        (r#"{"result": {"code": "OK"}, "id": "m~1"}"#, Ok(Accepted)),
        (r#"{"result": {"code": 0}, "id": "m~2"}"#, senseless),
        (r#"{"result": {"code": 0}}"#, senseless),
        (
            r#"{"result": {"code": 130101}}"#,
            Err(Failed::throttled(None)),
        ),
        (
            r#"{"result": {"code": 300001}}"#,
            Err(Failed::never(Failure::NoRecipient)),
        ),
        (
            r#"{"result": {"code": -1}}"#,
            Err(Failed::later(Failure::Unreachable)),
        ),
        (r#"{"result": {"code": 310000}}"#, Err(Failed::broken())),
        (
            r#"{"result": {"code": 999}}"#,
            Err(Failed::never(Failure::Refused)),
        ),
        (r#"{"result": {"code": null}}"#, senseless),
        (r#"{"result": "OK"}"#, senseless),
        ("", senseless),
        ("<html>OK</html>", senseless),
        ("{\"result\"", senseless),
    ] {
        assert_eq!(judged(body), expected, "{body}");
    }
    assert_eq!(judge(&answer(), "m~1", b"\xff\xfe"), senseless);
}
