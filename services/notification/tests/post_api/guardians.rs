//! Several guardians of one pupil: each is told, by preferences of their own, and no address twice.

use crate::town::on_both;
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::recipients::Group;

use crate::town::post::{Post, notice, to_parties};
use crate::town::ways::phone;
use crate::town::world::{by, of};
use crate::town::{CITY, SCHOOL_PATH, SISTER_PATH, family, guardian};

on_both!(
    each_guardian_is_told_and_no_address_twice,
    each_guardian_is_told_by_their_own_preferences,
    a_school_sees_what_went_to_its_own_guardians,
);

/// Who can be reached at which telephone.
async fn reachable(post: &mut Post, points: &[(String, u128)]) {
    let settings = points
        .iter()
        .map(|(party, number)| pb::ContactPointSetting {
            party: party.clone(),
            channel: "channels/sms".to_owned(),
            address: phone(*number),
        });
    let request = pb::BatchSetContactPointsRequest {
        contact_points: settings.collect(),
        request_id: String::new(),
    };
    let request = by("officer", Role::CityOfficer, "fz", request);
    let set = post.world.channels.batch_set_contact_points(request).await;
    assert_eq!(set.expect("set").into_inner().refused, []);
}

fn everybody() -> pb::Recipients {
    pb::Recipients {
        audience: Some(pb::Audience {
            organizations: vec![CITY.to_owned()],
            ..Default::default()
        }),
        groups: vec![Group::Families.into()],
        ..Default::default()
    }
}

async fn sent(post: &mut Post, recipients: pb::Recipients) -> String {
    let message = pb::Message {
        channels: vec!["channels/sms".to_owned()],
        ..notice(recipients)
    };
    let sent = post.city(message).await.expect("sent").name;
    post.expanded(&sent).await;
    sent
}

/// Those who have a delivery by the channel, and how many have one in the inbox, as somebody sees it.
async fn ledger(post: &mut Post, name: &str, scope: &str, role: Role) -> (Vec<String>, usize) {
    let ledger = post.ledger(name, scope, role).await.expect("the ledger");
    let by_sms = ledger.iter().filter(|one| one.channel == "channels/sms");
    let by_sms: Vec<String> = by_sms.map(|one| one.recipient.clone()).collect();
    let inboxes = ledger.len() - by_sms.len();
    (by_sms, inboxes)
}

/// Rows are written four pupils at a time: those with the same address are of one part, and of several.
async fn each_guardian_is_told_and_no_address_twice(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let points = [
        (guardian(101, 1), 1),
        (guardian(101, 2), 2),
        (family(102), 3),
        // The same as another's of one part, as the family's, and as those of another part.
        (guardian(102, 3), 1),
        (guardian(103, 4), 3),
        (guardian(132, 5), 2),
        (family(141), 1),
        (guardian(142, 6), 6),
    ];
    reachable(&mut post, &points).await;
    let expected = [
        family(102),
        guardian(101, 1),
        guardian(101, 2),
        guardian(142, 6),
    ];
    let name = sent(&mut post, everybody()).await;
    let (by_sms, inboxes) = ledger(&mut post, &name, "fz", Role::CityOfficer).await;
    assert_eq!((&by_sms[..], inboxes), (&expected[..], 18));
    let counts = post.expanded(&name).await.counts.expect("counts");
    assert_eq!((counts.sent, counts.queued), (18, 4));
    // Named one by one, and besides as part of the audience.
    let some = to_parties([family(101), family(132)]);
    let name = sent(&mut post, some.clone()).await;
    let (by_sms, inboxes) = ledger(&mut post, &name, "fz", Role::CityOfficer).await;
    assert_eq!(
        (by_sms, inboxes),
        (vec![guardian(101, 1), guardian(101, 2)], 2)
    );
    let twice = pb::Recipients {
        parties: some.parties,
        ..everybody()
    };
    let name = sent(&mut post, twice).await;
    let (by_sms, inboxes) = ledger(&mut post, &name, "fz", Role::CityOfficer).await;
    assert_eq!((&by_sms[..], inboxes), (&expected[..], 18));
    // A single guardian has no inbox to write to.
    let refused = post.city(notice(to_parties([guardian(101, 1)]))).await;
    let refused = refused.expect_err("refused");
    assert!(refused.message().contains("message.recipients.parties[0]"));
}

async fn each_guardian_is_told_by_their_own_preferences(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let points = [
        (guardian(101, 1), 1),
        (guardian(101, 2), 1),
        (guardian(101, 3), 1),
    ];
    reachable(&mut post, &points).await;
    let request = pb::UpdatePreferencesRequest {
        preferences: Some(pb::Preferences {
            party: guardian(101, 2),
            language: "en".to_owned(),
            quiet_start_minute: 0,
            quiet_end_minute: 1439,
            digest_minute: -1,
            ..Default::default()
        }),
    };
    let request = of(&family(101), Role::Guardian, SCHOOL_PATH, request);
    let stored = post.world.channels.update_preferences(request).await;
    stored.expect("stored");
    let name = sent(&mut post, to_parties([family(101)])).await;
    let (by_sms, _) = ledger(&mut post, &name, "fz", Role::CityOfficer).await;
    assert_eq!(by_sms, [guardian(101, 1), guardian(101, 2)]);
}

async fn a_school_sees_what_went_to_its_own_guardians(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let points = [
        (guardian(101, 1), 1),
        (guardian(131, 2), 2),
        (guardian(132, u128::MAX), 3),
    ];
    reachable(&mut post, &points).await;
    let name = sent(&mut post, everybody()).await;
    let (by_sms, inboxes) = ledger(&mut post, &name, SISTER_PATH, Role::Principal).await;
    let expected = vec![guardian(131, 2), guardian(132, u128::MAX)];
    assert_eq!((by_sms, inboxes), (expected, 2));
}
