use proptest::prelude::*;

use super::*;

fn class(eligible: u32) -> ClassGroup<'static> {
    ClassGroup {
        school: "2135010001",
        grade: 3,
        eligible,
    }
}

fn cost(profile: &Profile, class_groups: &[ClassGroup<'_>]) -> (u64, u64) {
    let load = load(profile, class_groups.iter().copied()).expect("every key is there");
    (load.swabs, load.tubes)
}

#[test]
fn a_class_of_45_costs_nine_swabs_and_one_tube_a_class_of_51_eleven_and_two() {
    assert_eq!(cost(&fuzhou(), &[class(45)]), (9, 1));
    assert_eq!(cost(&fuzhou(), &[class(51)]), (11, 2));
    assert_eq!(cost(&fuzhou(), &[class(45), class(51), class(0)]), (20, 3));
}

#[test]
fn mixed_tubes_are_shared_within_a_school_only() {
    let mut profile = fuzhou();
    profile.set("pool.class_pure", Value::Flag(false));
    let other = ClassGroup {
        school: "2135010002",
        ..class(6)
    };
    assert_eq!(cost(&profile, &[class(21), class(21), other]), (12, 2));
    profile.set("pool.class_pure", Value::Flag(true));
    assert_eq!(cost(&profile, &[class(21), class(21), other]), (12, 3));
}

#[test]
fn quotas_are_rounded_up_in_the_unit_of_the_profile() {
    let classes = [
        class(41),
        class(41),
        ClassGroup {
            grade: 4,
            ..class(41)
        },
    ];
    let swabs = |unit: &str| {
        let mut profile = fuzhou();
        profile.set("sampling.unit", word(unit));
        cost(&profile, &classes).0
    };
    assert_eq!(
        [swabs("CLASS"), swabs("GRADE"), swabs("SCHOOL")],
        [27, 26, 25]
    );
}

#[test]
fn everybody_is_swabbed_when_the_strategy_says_so_and_nobody_when_sampling_is_off() {
    let mut profile = fuzhou();
    profile.set("sampling.strategy", word("ALL"));
    assert_eq!(cost(&profile, &[class(45)]), (45, 5));
    profile.set("sampling.enabled", Value::Flag(false));
    assert_eq!(cost(&profile, &[class(45)]), (0, 0));
}

#[test]
fn a_profile_without_the_keys_has_no_cost() {
    for key in [
        "sampling.enabled",
        "sampling.unit",
        "pool.pool_type",
        "pool.class_pure",
    ] {
        let mut profile = fuzhou();
        profile.take(key);
        assert_eq!(load(&profile, [class(45)]), None, "{key}");
        profile.set(key, word("SOMETHING"));
        assert_eq!(load(&profile, [class(45)]), None, "{key}");
    }
}

proptest! {
    #[test]
    fn a_class_pure_day_is_the_sum_of_the_rounded_quotas(
        sizes in proptest::collection::vec(0u32..80, 0..60),
        ratio in 1i64..=10_000,
    ) {
        let mut profile = fuzhou();
        profile.set("sampling.student_ratio_basis_points", Value::Number(ratio));
        let classes: Vec<_> = sizes.iter().map(|size| class(*size)).collect();
        let quota = |size: &u32| {
            let exact = f64::from(*size) * ratio as f64 / 10_000.0;
            (exact - 1e-9).ceil().max(0.0) as u64
        };
        let found = load(&profile, classes).expect("every key is there");
        prop_assert_eq!(found, Load {
            students: sizes.iter().map(|size| u64::from(*size)).sum(),
            class_groups: sizes.len() as u64,
            swabs: sizes.iter().map(quota).sum(),
            tubes: sizes.iter().map(|size| quota(size).div_ceil(10)).sum(),
        });
    }

    #[test]
    fn mixing_never_costs_more_tubes(sizes in proptest::collection::vec(0u32..80, 0..60)) {
        let classes: Vec<_> = sizes.iter().map(|size| class(*size)).collect();
        let mut mixed = fuzhou();
        mixed.set("pool.class_pure", Value::Flag(false));
        let (pure, mixed) = (cost(&fuzhou(), &classes), cost(&mixed, &classes));
        prop_assert_eq!(pure.0, mixed.0);
        prop_assert!(mixed.1 <= pure.1);
    }
}
