use proptest::prelude::*;

use super::super::content::tests::content;
use super::*;

fn now() -> DateTime<Utc> {
    "2022-04-06T01:00:00Z".parse().unwrap()
}

fn draft() -> Directive {
    Directive {
        organization: "fz".to_owned(),
        id: Uuid::from_u128(1),
        org_path: "fz".to_owned(),
        state: State::Draft,
        urgency: Urgency::Urgent,
        content: content(),
        text_hash: content().hash(),
        audience: Audience::of(vec!["350102".to_owned()]),
        to_class_groups: true,
        meeting: String::new(),
        author: "author".to_owned(),
        approver: String::new(),
        created: "2022-04-06T00:00:00Z".parse().unwrap(),
        issued: None,
        superseded_by: String::new(),
        revoke_reason: String::new(),
        version: 1,
    }
}

#[test]
fn exactly_the_legal_moves_are_taken() {
    for state in State::ALL {
        let at = || Directive { state, ..draft() };
        let to = |moved: Result<Directive, Refused>| moved.map(|directive| directive.state);
        let only = |from: &[State], then: State| {
            let legal = from.contains(&state);
            if legal {
                Ok(then)
            } else {
                Err(Refused::State(state))
            }
        };
        let approved = only(&[State::Draft], State::Approved);
        assert_eq!(to(at().approve("other")), approved);
        assert_eq!(
            to(at().issue(now())),
            only(&[State::Approved], State::Issued)
        );
        let closed = only(&[State::Issued], State::Closed);
        assert_eq!(to(at().end(End::Closed)), closed);
        let before_its_end = [State::Draft, State::Approved, State::Issued];
        let revoked = only(&before_its_end, State::Revoked);
        assert_eq!(to(at().end(End::Revoked("已过期".to_owned()))), revoked);
        let superseded = only(&[State::Issued], State::Superseded);
        assert_eq!(to(at().end(End::Superseded("x".to_owned()))), superseded);
    }
    assert_eq!(draft().approve("author"), Err(Refused::SelfApproval));
}

#[test]
fn whoever_withdraws_says_why() {
    let approved = draft().approve("other").unwrap();
    let revoked = approved.end(End::Revoked("数字有误".to_owned())).unwrap();
    assert_eq!(revoked.revoke_reason, "数字有误");
}

proptest! {
    /// Golden test T19: whatever is tried in whatever order, what is said stays, and nothing is issued
    /// that somebody else has not approved.
    #[test]
    fn no_path_touches_the_content_or_skips_a_step(verbs in prop::collection::vec(0..6_usize, 0..30)) {
        let mut directive = draft();
        let mut seen = vec![directive.state];
        for verb in verbs {
            let before = directive.clone();
            let moved = match verb {
                0 => before.approve("other"),
                1 => before.approve("author"),
                2 => before.issue(now()),
                3 => before.end(End::Closed),
                4 => before.end(End::Revoked("已过期".to_owned())),
                _ => before.end(End::Superseded("x".to_owned())),
            };
            if let Ok(moved) = moved {
                seen.push(moved.state);
                directive = moved;
            }
        }
        prop_assert_eq!(&directive.content, &content());
        prop_assert_eq!(directive.text_hash, content().hash());
        prop_assert_eq!(&directive.audience, &draft().audience);
        if directive.issued.is_some() {
            prop_assert_eq!(&*directive.approver, "other");
            prop_assert_eq!(&seen[..3], &[State::Draft, State::Approved, State::Issued][..]);
        }
    }
}
