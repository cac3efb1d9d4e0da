//! A city behind a gateway with certificates, and a folder with what a client must know to call it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Datelike;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use gateway::{Config, UpstreamsConfig};
use kit::auth::{AuthConfig, Caller, Issuer, PartnerConfig, Role};
use kit::clock::{Clock, SystemClock};
use kit::config::Settings;
use kit::drain::Drain;
use kit::server::{Running, ServerConfig, TlsConfig};
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::city::{City, Store, caller};
use tests::town::{CITY, DISTRICT, Town, school, school_path};

use super::pki::{self, Authority};

/// Each day has a school of its own.
const SCHOOLS: u32 = 4;
/// The laboratory, by its code.
const LABORATORY: &str = "lab-01";
/// For how long tokens and agreements are valid.
const TERM: Duration = Duration::from_secs(3600);
/// Who works at a school.
const AT_SCHOOL: [Role; 5] = [
    Role::SchoolDoctor,
    Role::EpidemicReporter,
    Role::Principal,
    Role::Guard,
    Role::Sampler,
];

/// A city that clients from outside can call.
pub(super) struct Stand {
    folder: TempDir,
    gateway: Running,
    _city: City,
}

impl Stand {
    /// Opens a city, puts a gateway with certificates before it, and writes `stand.json`.
    pub(super) async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder for a moment");
        let path = folder.path();
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = STANDARD.encode(key.verifying_key().as_bytes());
        let city = City::open_behind(Store::Sqlite, Town::of(SCHOOLS), &public);
        let city = city.await.expect("SQLite is always there");

        let pem = key.to_pkcs8_pem(Default::default()).expect("a key");
        let key_file = pki::write(path, "gateway.pem", &pem);
        let authority = Authority::new("trial");
        let ca = authority.write(path, "ca.pem");
        let config = settings(&city, &authority, path, &ca, key_file).await;
        assert_eq!(config.check(), Ok(()));
        let gateway = gateway::start(config, Arc::new(SystemClock), Drain::new());
        let gateway = gateway.await.expect("the gateway starts");

        let stand = json!({
            "address": gateway.addr.to_string(),
            "ca": ca,
            "today": {
                "year": city.town.today.year(),
                "month": city.town.today.month(),
                "day": city.town.today.day(),
            },
            "city": format!("organizations/{CITY}"),
            "district": format!("organizations/{DISTRICT}"),
            "tokens": tokens(),
            "certificates": certificates(&authority, path),
            "schools": (1..=SCHOOLS).map(|at| of_school(&city, at)).collect::<Vec<_>>(),
        });
        pki::write(path, "stand.json", &stand.to_string());
        Self {
            folder,
            gateway,
            _city: city,
        }
    }

    /// Where everything is written.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) async fn close(self) {
        self.gateway.stop().await.expect("the gateway stops");
    }
}

/// A gateway that asks for certificates, and knows a laboratory and disease control by theirs.
async fn settings(
    city: &City,
    authority: &Authority,
    folder: &Path,
    ca: &Path,
    key_file: PathBuf,
) -> Config {
    let (certificate, key) = authority.server().write(folder, "gateway");
    let listen = ServerConfig {
        tls: Some(TlsConfig {
            certificate,
            key,
            client_ca: Some(ca.to_owned()),
            client_required: false,
        }),
        ..ServerConfig::loopback()
    };
    let partner = |name: &str, laboratory: Option<&str>| PartnerConfig {
        certificate: format!("cn:{name}"),
        subject: format!("partner-{name}"),
        role: name.to_owned(),
        scope: CITY.to_owned(),
        laboratory: laboratory.map(ToOwned::to_owned),
        expires: SystemClock.now() + TERM,
        ..PartnerConfig::default()
    };
    let auth = AuthConfig {
        partners: vec![
            partner("laboratory", Some(LABORATORY)),
            partner("disease-control", None),
        ],
        ..AuthConfig::development()
    };
    let upstreams = UpstreamsConfig {
        roster: city.address("roster").await,
        sampling: city.address("sampling").await,
        safety_inspection: city.address("safety-inspection").await,
        notification: city.address("notification").await,
    };
    let mut config = Config::new(listen, auth, upstreams);
    config.internal_token_key_file = Some(key_file);
    config.cors_origins = vec!["https://board.example.cn".to_owned()];
    config
}

fn signed(caller: Caller) -> String {
    Issuer::development().issue(caller, SystemClock.now(), TERM)
}

/// Tokens of those who work at no school, and one that is over.
fn tokens() -> Value {
    let district = format!("{CITY}/{DISTRICT}");
    let laboratory = Caller {
        laboratory: Some(LABORATORY.to_owned()),
        ..caller(Role::Laboratory, CITY)
    };
    let began = SystemClock.now() - 2 * TERM;
    let over = Issuer::development().issue(caller(Role::CityOfficer, CITY), began, TERM);
    json!({
        "city-officer": signed(caller(Role::CityOfficer, CITY)),
        "district-officer": signed(caller(Role::DistrictOfficer, &district)),
        "disease-control": signed(caller(Role::DiseaseControl, CITY)),
        "laboratory": signed(laboratory),
        "expired": over,
    })
}

/// Certificates of two partners and of somebody who is none.
fn certificates(authority: &Authority, folder: &Path) -> Value {
    let written = ["laboratory", "disease-control", "stranger"].map(|name| {
        let (certificate, key) = authority.client(name).write(folder, name);
        (
            name.to_owned(),
            json!({"certificate": certificate, "key": key}),
        )
    });
    Value::Object(written.into_iter().collect())
}

/// A school with its class groups, its students, and the tokens of those who work there.
fn of_school(city: &City, at: u32) -> Value {
    let classes = (1..=city.town.classes).map(|class| {
        let place = format!("{}/{}", school_path(at), city.town.class_id(class));
        let students = (1..=city.town.students).map(|place| city.student(at, class, place));
        json!({
            "name": city.town.class_group(at, class),
            "reporter": signed(caller(Role::ClassReporter, &place)),
            "students": students.collect::<Vec<_>>(),
        })
    });
    let tokens = AT_SCHOOL.map(|role| {
        let token = signed(caller(role, &school_path(at)));
        (role.as_str().to_owned(), Value::String(token))
    });
    json!({
        "name": format!("organizations/{}", school(at)),
        "classGroups": classes.collect::<Vec<_>>(),
        "tokens": Value::Object(tokens.into_iter().collect()),
    })
}
