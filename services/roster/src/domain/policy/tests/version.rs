use super::*;

#[test]
fn a_version_is_named_by_its_profile_and_number() {
    let id: VersionId = "fuzhou-2022-04-1".parse().expect("a version");
    let expected = VersionId {
        profile: "fuzhou-2022-04".to_owned(),
        number: 1,
    };
    assert_eq!(id, expected);
    assert_eq!(id.name(), "policyProfiles/fuzhou-2022-04-1");
    assert_eq!(id.policy_version(), "fuzhou-2022-04@1");
}

#[test]
fn a_version_has_one_spelling() {
    let long = format!("{}-1", "a".repeat(33));
    for text in [
        "", "a", "-1", "a-", "a-0", "a-01", "a-+1", "a--", "A-1", "a/b-1", "a-1 ", &long,
    ] {
        assert_eq!(text.parse::<VersionId>(), Err(()), "{text}");
    }
    let odd: VersionId = "a--1".parse().expect("a hyphen may end a name");
    assert_eq!(odd.profile, "a-");
}

#[test]
fn only_a_proposal_comes_into_force_and_only_what_was_in_force_is_replaced() {
    use State::{Active, Proposed, Replaced};
    let moves = |state: State| (state.activated(), state.replaced());
    assert_eq!(moves(Proposed), (Some(Active), None));
    assert_eq!(moves(Active), (None, Some(Replaced)));
    assert_eq!(moves(Replaced), (None, None));
}

#[test]
fn states_are_read_back() {
    for state in [State::Proposed, State::Active, State::Replaced] {
        assert_eq!(State::from_code(state.code()), Some(state));
    }
    assert_eq!(State::from_code(0), None);
}
