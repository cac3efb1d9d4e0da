//! The three administrators (rule 6.10): each shows a second factor for whatever they call, none does what is
//! another one's, and who holds two of the posts administers nothing.

use std::collections::{BTreeMap, BTreeSet};

use kit::auth::{Caller, Role};
use prost_reflect::DynamicMessage;
use tests::city::{City, Door, Store, caller};
use tests::town::{CITY, Town};
use tests::within;
use tonic::Code;

use crate::matrix::{GATEWAY, PACKAGES, granted};
use crate::verbs::told;
use crate::walk::{Method, methods};

const ADMINISTRATORS: [Role; 3] = [Role::SystemAdmin, Role::SecurityAdmin, Role::AuditAdmin];

/// Every permission of the group of administration, by the schema that operators read.
fn administration() -> BTreeSet<&'static str> {
    let schema = include_str!("../../deploy/policies/schema.cedarschema");
    let actions = schema.lines().filter_map(|line| {
        let (name, groups) = line
            .trim()
            .strip_prefix("action \"")?
            .split_once("\" in [")?;
        groups.contains("\"administration\"").then_some(name)
    });
    actions.collect()
}

/// Each method with who answers it and with the permissions that let somebody in.
fn all_methods() -> Vec<(&'static str, Method, &'static [String])> {
    let mut all = Vec::new();
    let packages = PACKAGES.into_iter().chain([("campus.gateway.v1", GATEWAY)]);
    for (package, service) in packages {
        for method in methods(package) {
            let access = proto::access(&method.path()).expect("every method has a rule");
            if !access.any_caller {
                all.push((service, method, &*access.permissions));
            }
        }
    }
    all
}

/// A way for the caller to the gateway and to each service behind it.
async fn doors(city: &City, caller: Caller) -> BTreeMap<&'static str, Door> {
    let mut doors = BTreeMap::new();
    for at in PACKAGES
        .into_iter()
        .map(|(_, service)| service)
        .chain([GATEWAY])
    {
        doors.insert(at, city.door_at(at, caller.clone()).await);
    }
    doors
}

fn about_the_city(method: &Method) -> DynamicMessage {
    let nobody = uuid::Uuid::new_v4().to_string();
    method.about(CITY, &nobody)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_of_an_administrator_wants_a_second_factor() {
    let city = City::open(Store::Sqlite, Town::of(1))
        .await
        .expect("SQLite is always there");
    let granted = granted();
    let mut asked = 0;
    for role in ADMINISTRATORS {
        let may = &granted[role.as_str()];
        let alone = Caller {
            second_factor: false,
            ..caller(role, CITY)
        };
        let doors = doors(&city, alone).await;
        for (service, method, permissions) in all_methods() {
            if !permissions.iter().any(|name| may.contains(&**name)) {
                continue;
            }
            for at in [GATEWAY, service] {
                let call = method.call(doors[at].clone(), about_the_city(&method));
                let refused = within(&method.name(), call).await.expect_err("refused");
                let expected = (Code::Unauthenticated, "SECOND_FACTOR_REQUIRED".to_owned());
                assert_eq!(
                    told(&refused),
                    expected,
                    "{} at {at}: {role}",
                    method.name()
                );
                asked += 1;
            }
        }
    }
    assert!(asked > 60, "{asked} questions");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_two_posts_of_administrators_administers_nothing() {
    let city = City::open(Store::Sqlite, Town::of(1))
        .await
        .expect("SQLite is always there");
    let (granted, administration) = (granted(), administration());
    let mut asked = 0;
    for pair in [
        [Role::SystemAdmin, Role::SecurityAdmin],
        [Role::SecurityAdmin, Role::AuditAdmin],
        [Role::AuditAdmin, Role::SystemAdmin],
    ] {
        let both = Caller {
            roles: pair.to_vec(),
            ..caller(pair[0], CITY)
        };
        let doors = doors(&city, both).await;
        for (service, method, permissions) in all_methods() {
            let held = |name: &String| {
                pair.iter()
                    .any(|role| granted[role.as_str()].contains(&**name))
            };
            let only = permissions
                .iter()
                .all(|name| administration.contains(&**name));
            if !only || !permissions.iter().any(held) {
                continue;
            }
            for at in [GATEWAY, service] {
                let call = method.call(doors[at].clone(), about_the_city(&method));
                let refused = within(&method.name(), call).await.expect_err("refused");
                let (code, _) = told(&refused);
                let what = format!("{} at {at}: {pair:?}", method.name());
                // Some methods look at the form first; the matrix lists them.
                let closed = code == Code::PermissionDenied
                    || (at != GATEWAY && code == Code::InvalidArgument);
                assert!(closed, "{what}: {refused:?}");
                asked += 1;
            }
        }
    }
    assert!(asked > 30, "{asked} questions");
}

#[test]
fn no_administrator_may_administer_what_is_another_ones() {
    let (granted, administration) = (granted(), administration());
    let held = ADMINISTRATORS.map(|role| {
        let may = &granted[role.as_str()];
        let held: BTreeSet<_> = may.intersection(&administration).copied().collect();
        held
    });
    assert!(held.iter().all(|held| !held.is_empty()), "{held:?}");
    for (first, second) in [(0, 1), (1, 2), (2, 0)] {
        assert!(held[first].is_disjoint(&held[second]), "{held:?}");
    }
    let people = [
        "people.read",
        "people.reveal",
        "health.read",
        "result.read",
        "case.read",
    ];
    for role in ADMINISTRATORS {
        let sees = people
            .iter()
            .filter(|name| granted[role.as_str()].contains(**name));
        assert_eq!(sees.count(), 0, "{role} reads people");
    }
}
