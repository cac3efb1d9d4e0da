//! Who returns later, and who may know.

use kit::auth::Role;
use proto::safety as pb;
use proto::safety::late_return::Reason;
use proto::sampling as spb;
use proto::sampling::clearance::Control;

use crate::city::tree::{BUREAU, BUREAU_PATH, SISTER, SISTER_PATH};
use crate::city::{clearance, held, released, student};
use crate::ground::{Ground, cities, denied};

cities!(
    clearances_say_who_returns_later_and_why,
    whoever_reads_no_holds_reads_no_list,
);

fn under(person: &str, control: Control) -> spb::ClearanceEvent {
    let mut event = held(person, 1);
    if let Some(clearance) = &mut event.clearance {
        clearance.control = control.into();
    }
    event
}

fn ask(parent: &str, page_size: i32, page_token: String) -> pb::ListLateReturnsRequest {
    pb::ListLateReturnsRequest {
        parent: parent.to_owned(),
        page_size,
        page_token,
    }
}

async fn clearances_say_who_returns_later_and_why(mut ground: Ground) {
    let (isolated, contact, observed) = (student(2000), student(2001), student(2002));
    let told = [
        under(&isolated, Control::Isolated),
        under(&contact, Control::CloseContact),
        under(&observed, Control::Observation),
        held(&student(3000), 1),
    ];
    clearance(&ground.world.db, &told, 1).await;
    let request = ground.principal(SISTER_PATH, ask(SISTER, 1, String::new()));
    let first = ground.client.list_late_returns(request).await;
    let first = first.expect("a page").into_inner();
    let seen = |page: &pb::ListLateReturnsResponse| -> Vec<(String, Reason)> {
        let people = page.late_returns.iter();
        people
            .map(|one| (one.person.clone(), one.reason()))
            .collect()
    };
    assert_eq!(seen(&first), [(isolated, Reason::Isolated)]);
    assert_eq!((first.late_returns[0].grade, first.counts.len()), (3, 2));
    assert!(first.facts_time.is_some());
    let request = ground.principal(SISTER_PATH, ask(SISTER, 1, first.next_page_token));
    let second = ground.client.list_late_returns(request).await;
    let second = second.expect("a page").into_inner();
    assert_eq!(seen(&second), [(contact.clone(), Reason::CloseContact)]);
    assert_eq!(second.next_page_token, "");
    let request = ground.district(ask(BUREAU, 0, String::new()));
    let all = ground.client.list_late_returns(request).await;
    assert_eq!(all.expect("a page").into_inner().late_returns.len(), 3);
    clearance(&ground.world.db, &[released(&contact, 2)], 1).await;
    let request = ground.principal(SISTER_PATH, ask(SISTER, 0, String::new()));
    let left = ground.client.list_late_returns(request).await;
    assert_eq!(left.expect("a page").into_inner().late_returns.len(), 1);
}

async fn whoever_reads_no_holds_reads_no_list(mut ground: Ground) {
    for (role, scope) in [
        (Role::Guard, SISTER_PATH),
        (Role::PartnerSystem, BUREAU_PATH),
        (Role::Principal, crate::city::OTHER_PATH),
    ] {
        let request = ask(SISTER, 0, String::new());
        let request = ground.world.by("somebody", role, scope, request);
        denied(ground.client.list_late_returns(request).await, scope);
    }
}
