//! What a city makes of alerts: rules of its own, and silences.

use crate::town::on_both;
use chrono::Duration;
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_timestamp;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::alert::{Kind, Severity};
use proto::notification::alert_entry::Event;
use tonic::Code;
use uuid::Uuid;

use crate::town::world::{World, by, reason, told};
use crate::town::{BUREAU, BUREAU_PATH, CITY, SCHOOL, SCHOOL_PATH, staff};

on_both!(
    rules_are_changed_for_new_alerts_only,
    a_rule_out_of_bounds_is_refused,
    a_silence_has_a_reason_and_an_end,
    a_silence_out_of_bounds_is_refused,
);

async fn rules_are_changed_for_new_alerts_only(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    world.cluster("C1").await;
    let rule = world.rule(Kind::ClusterFound).await;
    assert_eq!(
        (&*rule.name, &*rule.version, &*rule.basis, &*rule.duty),
        (
            "alertRules/cluster-found",
            "shipped",
            "1.15",
            "EPIDEMIC_CONTROL"
        )
    );
    let changed = pb::AlertRule {
        ordinary: Some(pb::AlertReaction {
            severity: Severity::Critical.into(),
            within: Some(prost_types::Duration {
                seconds: 600,
                nanos: 0,
            }),
            escalate_after: vec![prost_types::Duration {
                seconds: 900,
                nanos: 0,
            }],
            ..Default::default()
        }),
        grave: None,
        duty: "SAFETY".to_owned(),
        ..rule.clone()
    };
    let city = (Role::CityOfficer, "fz");
    for who in [
        (Role::Principal, SCHOOL_PATH),
        (Role::DistrictOfficer, BUREAU_PATH),
        (Role::CityOfficer, BUREAU_PATH),
    ] {
        let denied = world.update(who, changed.clone()).await;
        assert_eq!(reason(&denied.expect_err("denied")), "SCOPE_DENIED");
    }
    let stored = world.update(city, changed.clone()).await.expect("changed");
    let expected = pb::AlertRule {
        version: "1".to_owned(),
        etag: stored.etag.clone(),
        ..changed.clone()
    };
    assert_eq!(stored, expected);
    assert_eq!(world.rule(Kind::ClusterFound).await, stored);
    let stale = world.update(city, changed).await.expect_err("stale");
    let (code, why, zh) = told(&stale);
    assert_eq!((code, &*why), (Code::Aborted, "ETAG_MISMATCH"));
    assert_eq!(zh, "alertRules/cluster-found 已被他人修改，请刷新后再试");
    world.cluster("C2").await;
    let listed = world.list(Role::Principal, SCHOOL_PATH, SCHOOL).await;
    let alerts = listed.expect("listed");
    let of = |alert: &pb::Alert| (alert.rule_version.clone(), alert.severity());
    assert_eq!(of(&alerts[0]), ("1".to_owned(), Severity::Critical));
    assert_eq!(of(&alerts[1]), ("shipped".to_owned(), Severity::Warning));
    let due = |alert: &pb::Alert| alert.due_time.expect("an instant").seconds;
    assert_eq!(due(&alerts[1]) - due(&alerts[0]), 7200 - 600);
    // Nobody answers for safety at the school.
    assert_eq!((&*alerts[0].owner, &alerts[1].owner), ("", &staff(1)));
}

async fn a_rule_out_of_bounds_is_refused(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let rule = world.rule(Kind::ReportOverdue).await;
    let mut refused = async |rule: pb::AlertRule| {
        let city = (Role::CityOfficer, "fz");
        let refused = world.update(city, rule).await.expect_err("refused");
        assert_eq!(reason(&refused), "INVALID_FIELD");
        refused.message().to_owned()
    };
    let message = refused(pb::AlertRule {
        etag: String::new(),
        ..rule.clone()
    });
    assert!(message.await.contains("rule.etag"));
    let mut weaker = rule.clone();
    weaker.grave.as_mut().expect("a reaction").severity = Severity::Notice.into();
    assert!(refused(weaker).await.contains("rule.grave.severity"));
    let message = refused(pb::AlertRule {
        inhibited_by: vec![Kind::FollowUpOverdue.into()],
        ..rule.clone()
    });
    assert!(message.await.contains("rule.inhibited_by"));
    for template in ["templates/nowhere", "templates/notice"] {
        let message = refused(pb::AlertRule {
            template: template.to_owned(),
            ..rule.clone()
        });
        assert!(message.await.contains("rule.template"), "{template}");
    }
    let message = refused(pb::AlertRule {
        name: "alertRules/nothing".to_owned(),
        ..rule
    });
    assert!(message.await.contains("rule.name"));
}

fn quiet(world: &World, minutes: i64) -> pb::Silence {
    let until = world.clock.now() + Duration::minutes(minutes);
    pb::Silence {
        kinds: vec![Kind::ClusterFound.into()],
        reason: "设备检修".to_owned(),
        expire_time: Some(to_timestamp(until)),
        ..Default::default()
    }
}

async fn a_silence_has_a_reason_and_an_end(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let wish = quiet(&world, 60);
    let district = (Role::DistrictOfficer, BUREAU_PATH);
    let silence = world.silence(district, BUREAU, wish).await.expect("made");
    assert_eq!((&*silence.author, &*silence.ender), ("officer-1", ""));
    world.clock.advance(Duration::minutes(1));
    let wish = quiet(&world, 5);
    let later = world.silence(district, SCHOOL, wish).await.expect("made");
    assert_eq!(
        world.silences(CITY).await,
        [later.name.clone(), silence.name.clone()]
    );
    world.clock.advance(Duration::minutes(5));
    assert_eq!(
        world.silences(CITY).await,
        std::slice::from_ref(&silence.name)
    );
    assert_eq!(world.silences("organizations/350103").await, [""; 0]);
    world.cluster("C1").await;
    let alert = world.the_alert().await;
    assert_eq!(alert.silenced_by, silence.name);
    assert_eq!(
        world.events(&alert.name).await,
        [Event::Raised, Event::Withheld]
    );
    let end = || pb::EndSilenceRequest {
        name: silence.name.clone(),
        ..Default::default()
    };
    let ask = by("officer-2", Role::DistrictOfficer, "fz/350103", end());
    let denied = world.alerts.end_silence(ask).await.expect_err("elsewhere");
    assert_eq!(reason(&denied), "SCOPE_DENIED");
    for _ in 0..2 {
        let ask = by("officer-2", Role::DistrictOfficer, BUREAU_PATH, end());
        let ended = world.alerts.end_silence(ask).await.expect("ended");
        assert_eq!(ended.into_inner().ender, "officer-2");
    }
    assert_eq!(world.silences(CITY).await, [""; 0]);
    for _ in 0..800 {
        if world.events(&alert.name).await.len() == 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert_eq!(world.events(&alert.name).await[2..], [Event::Told]);
    assert_eq!(world.the_alert().await.silenced_by, "");
}

async fn a_silence_out_of_bounds_is_refused(scratch: Scratch) {
    let mut world = World::new(scratch).await;
    let wish = quiet(&world, 60);
    let district = (Role::DistrictOfficer, BUREAU_PATH);
    for (who, parent) in [
        ((Role::Principal, SCHOOL_PATH), SCHOOL),
        (district, CITY),
        (district, "organizations/nowhere"),
    ] {
        let denied = world.silence(who, parent, wish.clone()).await;
        assert_eq!(reason(&denied.expect_err("denied")), "SCOPE_DENIED");
    }
    let none = pb::Silence {
        kinds: Vec::new(),
        ..wish.clone()
    };
    let unknown = pb::Silence {
        kinds: vec![99],
        ..wish.clone()
    };
    let many = pb::Silence {
        kinds: vec![1; 21],
        ..wish.clone()
    };
    let silent = pb::Silence {
        reason: " ".to_owned(),
        ..wish.clone()
    };
    let endless = pb::Silence {
        expire_time: None,
        ..wish
    };
    let (past, long) = (quiet(&world, 0), quiet(&world, 7 * 24 * 60 + 1));
    for wish in [none, unknown, many, silent, endless, past, long] {
        let refused = world.silence(district, BUREAU, wish.clone()).await;
        let refused = refused.expect_err("out of bounds");
        assert_eq!(reason(&refused), "INVALID_FIELD", "{wish:?}");
    }
    let missing = pb::EndSilenceRequest {
        name: format!("{BUREAU}/silences/{}", Uuid::new_v4().hyphenated()),
        ..Default::default()
    };
    let ask = by("officer-1", Role::DistrictOfficer, BUREAU_PATH, missing);
    let missing = world.alerts.end_silence(ask).await.expect_err("none");
    assert_eq!(reason(&missing), "NOT_FOUND");
}
