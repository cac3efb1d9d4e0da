//! What guards a hazard on its way: recurrence, extensions, second persons, pictures, lists.

use proto::safety as pb;
use proto::safety::hazard::{Grade, State};

use crate::city::hazards::*;
use crate::city::on_both;
use crate::city::roster;
use crate::city::tree::{self, enacted};
use crate::city::world::World;

on_both!(
    the_same_hazard_again_is_linked_and_major,
    all_of_a_school_is_no_place_to_recur_at,
    an_extension_is_granted_one_level_up,
    a_second_person_dismisses,
    a_removal_is_shown_by_a_picture_of_afterwards,
    a_picture_of_elsewhere_is_noticed,
    a_city_lists_lifts_and_watches,
);

async fn the_same_hazard_again_is_linked_and_major(world: World) {
    let mut desk = Desk::new(world).await;
    let first = desk.found("hall").await;
    desk.rectifying(&first, Grade::General).await;
    desk.closed(&first).await;
    let other = desk.found("gym").await;
    let other = desk.get(OFFICER, get(&other)).await.expect("read");
    assert_eq!(other.recurrence_of, "");
    let again = desk.found("hall").await;
    let again = desk
        .verify(OFFICER, verify(&again, Grade::General))
        .await
        .expect("verified");
    assert_eq!(
        (again.recurrence_of.clone(), again.grade()),
        (first, Grade::Major)
    );
    assert_eq!(again.ledger_number, "2022-0003");

    // The policy says how long one is remembered.
    let today = desk.day(0);
    let short = enacted("", 3, |profile| {
        profile.effective_date = Some(today);
        if let Some(hazard) = &mut profile.hazard {
            hazard.recurrence_days = 2;
        }
    });
    roster(&desk.world.db, &[short], 2).await;
    desk.world.clock.advance(chrono::Duration::days(4));
    let later = desk.found("hall").await;
    let later = desk.get(OFFICER, get(&later)).await.expect("read");
    assert_eq!(
        (&*later.recurrence_of, later.grade()),
        ("", Grade::Unspecified)
    );
}

async fn all_of_a_school_is_no_place_to_recur_at(world: World) {
    let mut desk = Desk::new(world).await;
    let first = desk.found("").await;
    desk.rectifying(&first, Grade::General).await;
    desk.closed(&first).await;
    let again = desk.found("").await;
    let again = desk
        .verify(OFFICER, verify(&again, Grade::General))
        .await
        .expect("verified");
    assert_eq!((&*again.recurrence_of, again.grade()), ("", Grade::General));
}

async fn an_extension_is_granted_one_level_up(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("hall").await;
    desk.rectifying(&name, Grade::General).await;
    let none = desk.decide(DISTRICT, decision(&name, true)).await;
    refused(none, "HAZARD_EXTENSION_STATE");
    let (far, due) = (extension(&name, desk.day(40)), desk.day(12));
    refused(desk.ask(OWNER, far).await, "HAZARD_DEADLINE");
    let asked = desk.ask(OWNER, extension(&name, due)).await;
    let asked = asked.expect("asked");
    assert_eq!(asked.due_date, Some(desk.day(5)));
    let school = desk.decide(PRINCIPAL, decision(&name, true)).await;
    refused(school, "HAZARD_LEVEL_TOO_LOW");
    let granted = desk.decide(DISTRICT, decision(&name, true)).await;
    let granted = granted.expect("granted");
    assert_eq!((granted.due_date, granted.extension_count), (Some(due), 1));
    let more = extension(&name, desk.day(13));
    refused(desk.ask(OWNER, more).await, "HAZARD_EXTENSION_LIMIT");
}

async fn a_second_person_dismisses(world: World) {
    let mut desk = Desk::new(world).await;
    let request = desk.blocked_exit("hall");
    let own = desk.report(OFFICER, request).await.expect("reported");
    let same = desk.dismiss(OFFICER, dismiss(&own.name)).await;
    refused(same, "HAZARD_SAME_PERSON");
    let other = desk.dismiss(PRINCIPAL, dismiss(&own.name)).await;
    assert_eq!(other.expect("dismissed").state(), State::Dismissed);
}

async fn a_removal_is_shown_by_a_picture_of_afterwards(world: World) {
    let mut desk = Desk::new(world).await;
    let name = desk.found("hall").await;
    desk.rectifying(&name, Grade::General).await;
    // The picture of the report shows nothing new.
    for photos in [vec![], vec![desk.photo(1)]] {
        let submit = desk.submission(&name, photos);
        let submitted = desk.submit(OWNER, submit).await;
        refused(submitted, "HAZARD_AFTER_PHOTO_MISSING");
    }
    let submit = desk.submission(&name, vec![desk.photo(2)]);
    desk.submit(OWNER, submit).await.expect("submitted");
}

async fn a_picture_of_elsewhere_is_noticed(world: World) {
    let mut desk = Desk::new(world).await;
    let mut request = desk.blocked_exit("hall");
    request.parent = tree::SISTER.to_owned();
    let sister = desk.report(DISTRICT, request).await.expect("reported");
    let name = desk.found("hall").await;
    let seen = desk.get(DISTRICT, get(&name)).await.expect("read");
    let photo = &seen.photos[0];
    assert_eq!(photo.seen_before, [sister.name]);
    assert_eq!(photo.seen_elsewhere_count, 1);
    // The school learns that, but not where.
    let seen = desk.get(OFFICER, get(&name)).await.expect("read");
    let photo = &seen.photos[0];
    assert!(photo.seen_before.is_empty() && photo.seen_elsewhere_count == 1);
}

async fn a_city_lists_lifts_and_watches(world: World) {
    let mut desk = Desk::new(world).await;
    let general = desk.found("gym").await;
    desk.rectifying(&general, Grade::General).await;
    let listed = desk.supervise(DISTRICT, supervise(&general)).await;
    refused(listed, "HAZARD_NOT_MAJOR");
    let name = desk.found("hall").await;
    desk.rectifying(&name, Grade::Major).await;
    desk.supervise(DISTRICT, supervise(&name))
        .await
        .expect("listed");
    let twice = desk.supervise(DISTRICT, supervise(&name)).await;
    refused(twice, "HAZARD_SUPERVISION_STATE");
    desk.supervise(CITY, supervise(&name))
        .await
        .expect("raised");
    let low = desk.watch(DISTRICT, watch(&name)).await;
    refused(low, "HAZARD_LEVEL_TOO_LOW");
    let watched = desk.watch(CITY, watch(&name)).await.expect("watched");
    let supervision = watched.supervision.expect("listed");
    assert_eq!(supervision.last_finding, "现场已停用");
    let request = pb::ListHazardsRequest {
        parent: tree::BUREAU.to_owned(),
        supervised: true,
        ..Default::default()
    };
    let on_list = async |desk: &mut Desk| {
        let list = desk.by(DISTRICT, request.clone());
        let found = desk.hazards.list_hazards(list).await.expect("listed");
        let found = found.into_inner().hazards.into_iter();
        found.map(|hazard| hazard.name).collect::<Vec<_>>()
    };
    assert_eq!(on_list(&mut desk).await, [&*name]);
    refused(desk.lift(CITY, lift(&name)).await, "HAZARD_STATE");
    desk.closed(&name).await;
    let lifted = desk.lift(CITY, lift(&name)).await.expect("lifted");
    assert!(lifted.supervision.expect("kept").lift_time.is_some());
    assert!(on_list(&mut desk).await.is_empty());
}
