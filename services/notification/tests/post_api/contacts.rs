//! Where people can be reached and when they want to be, and channels as whoever runs them sees them.

use crate::town;
use crate::town::on_both;
use kit::auth::Role;
use kit::scratch::Scratch;
use notification::ChannelConfig;
use notification::domain::channel::Kind;
use proto::notification as pb;
use sea_orm::ConnectionTrait;
use tonic::{Code, Request, Status};
use uuid::Uuid;

use crate::peers::sms;
use crate::peers::smtp::email;
use crate::town::post::Post;
use crate::town::world::{by, of, reason, told};
use crate::town::{BUREAU_PATH, OTHER_PATH, SCHOOL, SCHOOL_PATH, family, guardian, staff, student};

on_both!(
    an_address_is_set_masked_and_forgotten,
    an_address_stands_nowhere_in_the_database,
    people_speak_for_themselves_and_clerks_for_their_place,
    what_a_channel_cannot_use_is_refused,
    preferences_are_the_defaults_until_they_are_said,
    preferences_that_make_no_sense_are_refused,
    whoever_runs_the_service_sees_and_pauses_channels,
);

const PHONE: &str = "13800000000";
const CLERK: (Role, &str) = (Role::SchoolClerk, SCHOOL_PATH);

/// The town with four ways out, none of which leads anywhere.
async fn town(scratch: Scratch) -> Post {
    let cap = ChannelConfig {
        url: Some("http://127.0.0.1:9/cap".to_owned()),
        insecure: true,
        ..ChannelConfig::new("cap", Kind::Cap)
    };
    let exercise = ChannelConfig {
        exercise: true,
        ..sms("drill", "http://127.0.0.1:9/v1")
    };
    let real = ChannelConfig {
        budget_per_minute: 600,
        ..sms("sms", "http://127.0.0.1:9/v1")
    };
    Post::with(scratch, vec![real, email("mail", 9), cap, exercise]).await
}

fn point(party: &str, channel: &str, address: &str) -> pb::SetContactPointRequest {
    pb::SetContactPointRequest {
        party: party.to_owned(),
        channel: format!("channels/{channel}"),
        address: address.to_owned(),
        request_id: String::new(),
    }
}

async fn set(
    post: &mut Post,
    request: Request<pb::SetContactPointRequest>,
) -> Result<pb::ContactPoint, Status> {
    let set = post.world.channels.set_contact_point(request).await;
    set.map(tonic::Response::into_inner)
}

async fn listed(post: &mut Post, party: &str) -> Vec<pb::ContactPoint> {
    let request = pb::ListContactPointsRequest {
        party: party.to_owned(),
    };
    let request = by("clerk-1", CLERK.0, CLERK.1, request);
    let listed = post.world.channels.list_contact_points(request).await;
    listed.expect("listed").into_inner().contact_points
}

async fn an_address_is_set_masked_and_forgotten(scratch: Scratch) {
    let mut post = town(scratch).await;
    let ask = |request| by("clerk-1", CLERK.0, CLERK.1, request);
    let request_id = Uuid::new_v4().to_string();
    let once = pb::SetContactPointRequest {
        request_id: request_id.clone(),
        ..point(&staff(1), "sms", PHONE)
    };
    let first = set(&mut post, ask(once.clone())).await.expect("set");
    let expected = pb::ContactPoint {
        party: staff(1),
        channel: "channels/sms".to_owned(),
        masked_address: "138****0000".to_owned(),
        update_time: Some(kit::field::to_timestamp(town::morning())),
        unreachable: false,
    };
    assert_eq!(first, expected);
    post.world.clock.advance(chrono::Duration::hours(1));
    assert_eq!(set(&mut post, ask(once)).await.expect("repeated"), first);
    let other = pb::SetContactPointRequest {
        request_id,
        ..point(&staff(1), "sms", "13900000000")
    };
    let refused = set(&mut post, ask(other)).await.expect_err("another");
    assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
    let mail = point(&staff(1), "mail", "zhang.san@school.example");
    set(&mut post, ask(mail)).await.expect("set");
    let shown = listed(&mut post, &staff(1)).await;
    let shown: Vec<&str> = shown.iter().map(|one| &*one.masked_address).collect();
    assert_eq!(shown, ["z***@school.example", "138****0000"]);
    for _ in 0..2 {
        let request = pb::RemoveContactPointRequest {
            party: staff(1),
            channel: "channels/sms".to_owned(),
        };
        let request = by("clerk-1", CLERK.0, CLERK.1, request);
        let removed = post.world.channels.remove_contact_point(request).await;
        removed.expect("removed");
    }
    assert_eq!(listed(&mut post, &staff(1)).await.len(), 1);
}

async fn an_address_stands_nowhere_in_the_database(scratch: Scratch) {
    let mut post = town(scratch).await;
    let request = pb::SetContactPointRequest {
        request_id: Uuid::new_v4().to_string(),
        ..point(&staff(1), "sms", PHONE)
    };
    let request = by("clerk-1", CLERK.0, CLERK.1, request);
    set(&mut post, request).await.expect("set");
    let db = post.world.db.read();
    for (table, column) in [
        ("contact_points", "sealed"),
        ("requests", "request_hash"),
        ("requests", "response"),
    ] {
        let sql = format!("SELECT {column} FROM {table}");
        let rows = kit::db::statement(db, &sql, []);
        let rows = db.query_all_raw(rows).await.expect("read");
        assert!(!rows.is_empty(), "{table}");
        for row in rows {
            let bytes: Vec<u8> = row.try_get_by_index(0).expect("bytes");
            let phone = PHONE.as_bytes();
            assert!(!bytes.windows(phone.len()).any(|part| part == phone));
        }
    }
    // Nor does a hash that anybody can make of it.
    let guess = prost::Message::encode_to_vec(&point(&staff(1), "sms", PHONE));
    let guess = <sha2::Sha256 as sha2::Digest>::digest(guess).to_vec();
    let sql = kit::db::statement(
        db,
        "SELECT 1 FROM requests WHERE request_hash = $1",
        [guess.into()],
    );
    assert!(db.query_one_raw(sql).await.expect("read").is_none());
}

async fn people_speak_for_themselves_and_clerks_for_their_place(scratch: Scratch) {
    let mut post = town(scratch).await;
    let ask = |party: &str| point(party, "sms", PHONE);
    for request in [
        of(&family(101), Role::Guardian, SCHOOL_PATH, ask(&family(101))),
        of(
            &family(101),
            Role::Guardian,
            SCHOOL_PATH,
            ask(&guardian(101, 1)),
        ),
        of(
            &student(101),
            Role::Student,
            SCHOOL_PATH,
            ask(&student(101)),
        ),
        by("clerk-1", CLERK.0, CLERK.1, ask(&guardian(102, 2))),
        of(&staff(2), Role::ClassReporter, SCHOOL_PATH, ask(&staff(2))),
        by("clerk-1", CLERK.0, CLERK.1, ask(&family(102))),
        by("clerk-1", CLERK.0, CLERK.1, ask(SCHOOL)),
        by(
            "officer",
            Role::DistrictOfficer,
            BUREAU_PATH,
            ask(&staff(11)),
        ),
    ] {
        set(&mut post, request).await.expect("set");
    }
    for request in [
        of(&family(101), Role::Guardian, SCHOOL_PATH, ask(&family(102))),
        of(
            &family(101),
            Role::Guardian,
            SCHOOL_PATH,
            ask(&guardian(102, 1)),
        ),
        of(
            &student(101),
            Role::Guardian,
            SCHOOL_PATH,
            ask(&student(101)),
        ),
        of(&family(101), Role::Student, SCHOOL_PATH, ask(&family(101))),
        of(&staff(1), Role::Principal, SCHOOL_PATH, ask(&staff(2))),
        by("clerk-1", CLERK.0, CLERK.1, ask(&staff(21))),
        by("clerk-1", CLERK.0, CLERK.1, ask("organizations/350102")),
        by("clerk-2", Role::SchoolClerk, OTHER_PATH, ask(&family(101))),
        by("operator", Role::SystemAdmin, "", ask(&family(101))),
        // Whoever does not see the whole city learns nothing of who exists.
        by("clerk-1", CLERK.0, CLERK.1, ask(&family(999))),
    ] {
        let refused = set(&mut post, request).await.expect_err("refused");
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
    let unknown = by("officer", Role::CityOfficer, "fz", ask(&family(999)));
    let refused = set(&mut post, unknown).await.expect_err("unknown");
    assert_eq!(refused.code(), Code::NotFound);
}

async fn what_a_channel_cannot_use_is_refused(scratch: Scratch) {
    let mut post = town(scratch).await;
    for (channel, address, code, field) in [
        ("sms", "1380000000", Code::InvalidArgument, "address"),
        ("mail", PHONE, Code::InvalidArgument, "address"),
        (
            "cap",
            "https://a.example/",
            Code::InvalidArgument,
            "channel",
        ),
        ("pigeon", PHONE, Code::NotFound, "channels/pigeon"),
        ("inbox", PHONE, Code::NotFound, "channels/inbox"),
        ("", PHONE, Code::InvalidArgument, "channel"),
    ] {
        let request = by(
            "clerk-1",
            CLERK.0,
            CLERK.1,
            point(&staff(1), channel, address),
        );
        let refused = set(&mut post, request).await.expect_err("refused");
        assert_eq!(refused.code(), code, "{channel}");
        assert!(refused.message().contains(field), "{}", refused.message());
        assert!(!format!("{refused:?}").contains(PHONE));
    }
}

async fn preferences(post: &mut Post, party: &str) -> pb::Preferences {
    let request = pb::GetPreferencesRequest {
        party: party.to_owned(),
    };
    let request = of(party, Role::Guardian, SCHOOL_PATH, request);
    let found = post.world.channels.get_preferences(request).await;
    found.expect("preferences").into_inner()
}

async fn prefer(post: &mut Post, wanted: pb::Preferences) -> Result<pb::Preferences, Status> {
    let party = wanted.party.clone();
    let request = pb::UpdatePreferencesRequest {
        preferences: Some(wanted),
    };
    let request = of(&party, Role::Guardian, SCHOOL_PATH, request);
    let stored = post.world.channels.update_preferences(request).await;
    stored.map(tonic::Response::into_inner)
}

async fn preferences_are_the_defaults_until_they_are_said(scratch: Scratch) {
    let mut post = town(scratch).await;
    let party = family(101);
    let default = pb::Preferences {
        party: party.clone(),
        language: "zh-CN".to_owned(),
        plain_speech: false,
        quiet_start_minute: 1320,
        quiet_end_minute: 360,
        inbox_only_categories: Vec::new(),
        digest_minute: -1,
        update_time: None,
    };
    assert_eq!(preferences(&mut post, &party).await, default);
    let wanted = pb::Preferences {
        language: "en".to_owned(),
        plain_speech: true,
        quiet_start_minute: 0,
        quiet_end_minute: 1439,
        inbox_only_categories: vec!["REMINDER".to_owned(), "CONCERN".to_owned()],
        digest_minute: 0,
        ..default
    };
    let stored = prefer(&mut post, wanted.clone()).await.expect("stored");
    let expected = pb::Preferences {
        update_time: Some(kit::field::to_timestamp(town::morning())),
        ..wanted
    };
    assert_eq!(stored, expected);
    assert_eq!(preferences(&mut post, &party).await, expected);
    assert_eq!(preferences(&mut post, &family(102)).await.update_time, None);
}

async fn preferences_that_make_no_sense_are_refused(scratch: Scratch) {
    let mut post = town(scratch).await;
    let wrong = pb::Preferences {
        party: family(101),
        language: "fr".to_owned(),
        quiet_start_minute: 1440,
        quiet_end_minute: -1,
        inbox_only_categories: vec!["NOTICE".to_owned(), "GOSSIP".to_owned()],
        digest_minute: -2,
        ..Default::default()
    };
    let refused = prefer(&mut post, wrong).await.expect_err("refused");
    assert_eq!(reason(&refused), "INVALID_FIELD");
    for field in [
        "preferences.language",
        "preferences.quiet_start_minute",
        "preferences.quiet_end_minute",
        "preferences.inbox_only_categories[1]",
        "preferences.digest_minute",
    ] {
        assert!(refused.message().contains(field), "{}", refused.message());
    }
}

async fn whoever_runs_the_service_sees_and_pauses_channels(scratch: Scratch) {
    let mut post = town(scratch).await;
    let (mut names, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListChannelsRequest {
            page_size: 2,
            page_token,
        };
        let request = by("operator", Role::SystemAdmin, "", request);
        let page = post.world.channels.list_channels(request).await;
        let page = page.expect("a page").into_inner();
        names.extend(page.channels.into_iter().map(|channel| channel.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let ids = ["cap", "drill", "inbox", "mail", "sms"];
    assert_eq!(names, ids.map(|id| format!("channels/{id}")));
    let name = "channels/sms".to_owned();
    let pause = pb::PauseChannelRequest { name: name.clone() };
    let paused = post
        .world
        .channels
        .pause_channel(by("operator", Role::SystemAdmin, "", pause.clone()))
        .await;
    let expected = pb::Channel {
        name: name.clone(),
        kind: pb::channel::Kind::Sms.into(),
        paused: true,
        budget_per_minute: 600,
        ..Default::default()
    };
    assert_eq!(paused.expect("paused").into_inner(), expected);
    let get = pb::GetChannelRequest { name: name.clone() };
    let get = by("officer", Role::CityOfficer, "fz", get);
    let seen = post.world.channels.get_channel(get).await;
    assert!(seen.expect("seen").into_inner().paused);
    let resume = pb::ResumeChannelRequest { name };
    let resume = by("operator", Role::SystemAdmin, "", resume);
    let resumed = post.world.channels.resume_channel(resume).await;
    assert!(!resumed.expect("resumed").into_inner().paused);
    let officer = by("officer", Role::CityOfficer, "fz", pause);
    let refused = post.world.channels.pause_channel(officer).await;
    assert_eq!(refused.expect_err("denied").code(), Code::PermissionDenied);
    let get = pb::GetChannelRequest {
        name: "channels/pigeon".to_owned(),
    };
    let get = by("operator", Role::SystemAdmin, "", get);
    let unknown = post.world.channels.get_channel(get).await;
    let (code, reason, _) = told(&unknown.expect_err("unknown"));
    assert_eq!((code, &*reason), (Code::NotFound, "NOT_FOUND"));
}
