//! The policies of the release against the matrix, and what is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use tempfile::TempDir;

use super::policies::Policies;
use super::source::{self, Source};
use super::{AuthConfig, Authority, Caller, Department, Permission, PolicyError, Purpose, Role};
use crate::clock::ManualClock;
use crate::org::OrgPath;

const MATRIX: &str = include_str!("../../../../deploy/policies/matrix.csv");
const OWN: &str = "fz/350102/2135010001";
const ELSEWHERE: [&str; 4] = ["fz/350102/2135010002", "fz/350102", "fz/350103", ""];

/// What each role may do.
static GRANTED: LazyLock<BTreeMap<&'static str, BTreeSet<&'static str>>> = LazyLock::new(|| {
    let mut lines = MATRIX
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>());
    let roles = lines.next().expect("a heading");
    let mut granted: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for line in lines {
        assert_eq!(line.len(), roles.len(), "{line:?}");
        for (role, cell) in roles.iter().zip(&line).skip(1) {
            let of_role = granted.entry(*role).or_default();
            match *cell {
                "x" => assert!(of_role.insert(line[0]), "{} stands there twice", line[0]),
                "" => {}
                other => panic!("{other} is neither x nor nothing"),
            }
        }
    }
    granted
});

fn shipped() -> Policies {
    Policies::read(&source::shipped()).unwrap()
}

fn path(text: &str) -> OrgPath {
    text.parse().unwrap()
}

fn caller(roles: &[Role]) -> Caller {
    Caller {
        subject: "somebody".to_owned(),
        roles: roles.to_vec(),
        scope: path(OWN),
        ..Caller::default()
    }
}

fn in_matrix(role: Role, permission: Permission) -> bool {
    GRANTED[role.as_str()].contains(permission.as_str())
}

#[test]
fn the_matrix_names_every_role_and_every_permission() {
    let mut lines = MATRIX.lines();
    let heading = lines.next().unwrap().split(',').skip(1);
    assert!(heading.eq(Role::ALL.iter().map(|role| role.as_str())));
    let named = lines.map(|line| line.split(',').next().unwrap());
    assert!(named.eq(Permission::ALL.iter().map(|permission| permission.as_str())));
}

#[test]
fn the_policies_say_what_the_matrix_says() {
    let policies = shipped();
    for role in Role::ALL {
        let caller = caller(&[*role]);
        for permission in Permission::ALL {
            let granted = in_matrix(*role, *permission);
            let answer = policies.ask(&caller, *permission, &caller.scope, 0);
            assert_eq!(answer, granted, "{role} {permission}");
            if granted {
                let below = caller.scope.join("c07");
                assert!(
                    policies.ask(&caller, *permission, &below, 0),
                    "{role} {permission}"
                );
                for place in ELSEWHERE {
                    let answer = policies.ask(&caller, *permission, &path(place), 0);
                    assert!(!answer, "{role} {permission} at {place}");
                }
            }
        }
    }
}

#[test]
fn the_policies_of_the_release_name_nobody_and_no_time() {
    let policies = shipped();
    let one = caller(&[Role::Guard]);
    let other = Caller {
        subject: "somebody else".to_owned(),
        scope: path("fz/350103"),
        ..one.clone()
    };
    // The second answer is the first one's, though the place is another.
    fn never() -> i64 {
        panic!("the time is not asked for")
    }
    assert!(policies.permit(&one, Permission::GateCheck, &one.scope, never));
    assert!(policies.permit(&other, Permission::GateCheck, &other.scope, never));
}

#[test]
fn nobody_but_the_counsellor_keeps_support() {
    let authority = Authority::default();
    for role in Role::ALL {
        let keeps = authority.grants(*role, Permission::SupportHandle);
        assert_eq!(keeps, *role == Role::Counsellor, "{role}");
    }
}

#[test]
fn confidential_incidents_are_for_the_head_and_the_bureaus_only() {
    let authority = Authority::default();
    for role in Role::ALL {
        let opens = authority.grants(*role, Permission::IncidentConfidential);
        let may = [Role::Principal, Role::DistrictOfficer, Role::CityOfficer].contains(role);
        assert_eq!(opens, may, "{role}");
    }
}

#[test]
fn whoever_prepares_a_school_neither_inspects_nor_approves_it() {
    let prepares = [Permission::ResumptionPrepare, Permission::ResumptionSignOff];
    let judges = [Permission::ResumptionInspect, Permission::ResumptionApprove];
    let policies = shipped();
    for role in Role::ALL {
        // Not even together with whoever may.
        let caller = caller(&[*role, Role::CityOfficer]);
        let may = |permission: &Permission| policies.ask(&caller, *permission, &caller.scope, 0);
        let both = prepares.iter().any(may) && judges.iter().any(may);
        assert!(!both, "{role}");
    }
}

#[test]
fn a_laboratory_never_sees_people_whatever_else_it_is() {
    let policies = shipped();
    let people = [
        Permission::RosterRead,
        Permission::PeopleReveal,
        Permission::HealthRead,
        Permission::CaseRead,
        Permission::VisitorReveal,
    ];
    for role in Role::ALL {
        let caller = caller(&[*role, Role::Laboratory]);
        for permission in people {
            let answer = policies.ask(&caller, permission, &caller.scope, 0);
            assert!(!answer, "{role} {permission}");
        }
    }
}

#[test]
fn administrators_who_are_two_administer_nothing() {
    let policies = shipped();
    let administrators = [Role::SystemAdmin, Role::SecurityAdmin, Role::AuditAdmin];
    for one in administrators {
        for other in administrators {
            let caller = caller(&[one, other]);
            for permission in [Permission::PolicyWrite, Permission::AuditRead] {
                let answer = policies.ask(&caller, permission, &caller.scope, 0);
                let alone = one == other && in_matrix(one, permission);
                assert_eq!(answer, alone, "{one} {other} {permission}");
            }
        }
    }
}

/// The limits, said once more.
fn is_beyond_limits(roles: &[Role], permission: Permission) -> bool {
    use Permission as P;
    let is = |role| roles.contains(&role);
    let administers = [Role::SystemAdmin, Role::SecurityAdmin, Role::AuditAdmin];
    let administers = administers.into_iter().filter(|role| is(*role)).count();
    let machine = [
        Role::Laboratory,
        Role::PartnerSystem,
        Role::SystemAdmin,
        Role::AuditAdmin,
        Role::Service,
    ];
    let prepares = [
        Role::SchoolDoctor,
        Role::EpidemicReporter,
        Role::SafetyOfficer,
        Role::Principal,
    ];
    match permission {
        P::SupportHandle if !is(Role::Counsellor) => true,
        P::InboxRead | P::ConcernSubmit | P::SubjectOwn => machine.into_iter().any(is),
        P::ResumptionInspect | P::ResumptionApprove => prepares.into_iter().any(is),
        P::OrganizationWrite
        | P::PolicyWrite
        | P::CalendarWrite
        | P::AlertRuleWrite
        | P::TemplateWrite
        | P::ChannelManage
        | P::DestructionApprove
        | P::DestructionSecure
        | P::DestructionRun
        | P::DestructionCertify
        | P::AccessApprove
        | P::AccessRead
        | P::AuditRead => administers > 1,
        P::RosterRead
        | P::PeopleRead
        | P::SubjectFile
        | P::SubjectHandle
        | P::PeopleReveal
        | P::DrawRead
        | P::HoldRead
        | P::CheckRead
        | P::AbsenceRead
        | P::HealthRead
        | P::ClusterRead
        | P::CaseRead
        | P::CaseExport
        | P::GateRead
        | P::VisitRead
        | P::VisitorReveal
        | P::IncidentRead
        | P::IncidentConfidential
        | P::MessageRead
        | P::ConcernHandle
        | P::SupportHandle
        | P::CareHandle => is(Role::Laboratory),
        _ => false,
    }
}

fn roles() -> impl Strategy<Value = Vec<Role>> {
    proptest::collection::vec(proptest::sample::select(Role::ALL), 0..4)
}

fn permission() -> impl Strategy<Value = Permission> {
    proptest::sample::select(Permission::ALL)
}

fn place() -> impl Strategy<Value = OrgPath> {
    let places = vec![
        "",
        "fz",
        "fz/350102",
        OWN,
        "fz/350102/2135010002",
        "fz/350103",
    ];
    proptest::sample::select(places).prop_map(path)
}

fn anybody() -> impl Strategy<Value = Caller> {
    let named = proptest::option::of(proptest::sample::select(vec!["fz-lab-1", "fz-lab-2"]));
    let department = proptest::option::of(proptest::sample::select(Department::ALL));
    let of = (named, department);
    let purpose = proptest::option::of(proptest::sample::select(Purpose::ALL));
    let flags = (any::<bool>(), any::<bool>());
    let who = proptest::sample::select(vec!["a", "b"]);
    (roles(), place(), of, purpose, flags, who).prop_map(
        |(roles, scope, (named, department), purpose, (second_factor, broken), who)| Caller {
            subject: who.to_owned(),
            roles,
            scope,
            laboratory: named.map(str::to_owned),
            department,
            second_factor,
            purpose,
            break_glass: broken.then(|| "an emergency at the school".to_owned()),
            ..Caller::default()
        },
    )
}

/// Policies of a city that speak of everything there is.
const PARTICULAR: &str = r#"
@id("a") @doc("a") @doc_zh("甲")
permit (principal in Campus::Role::"guard", action, resource in Campus::Place::"fz/350102");
@id("b") @doc("b") @doc_zh("乙")
permit (principal == Campus::Caller::"b", action == Campus::Action::"gate.check", resource);
@id("c") @doc("c") @doc_zh("丙")
permit (principal, action, resource)
when { principal has laboratory && principal.laboratory == "fz-lab-2" && context.now < 1000 };
@id("d") @doc("d") @doc_zh("丁")
forbid (principal, action in Campus::Action::"people", resource)
unless { context has purpose && context.purpose == Campus::Purpose::"care" };
@id("e") @doc("e") @doc_zh("戊")
permit (principal, action, resource)
when { resource in principal.scope && principal.second_factor && context.break_glass };
@id("f") @doc("f") @doc_zh("己")
permit (principal, action == Campus::Action::"inspection.run", resource)
when { principal has department && principal.department == "fire" };
"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn several_roles_may_what_each_may_within_the_limits(
        roles in roles(), permission in permission(), at in place(),
    ) {
        static POLICIES: LazyLock<Policies> = LazyLock::new(shipped);
        let caller = caller(&roles);
        let granted = roles.iter().any(|role| in_matrix(*role, permission));
        let expected = granted
            && caller.scope.contains(&at)
            && !is_beyond_limits(&roles, permission);
        prop_assert_eq!(POLICIES.ask(&caller, permission, &at, 0), expected);
    }

    #[test]
    fn a_remembered_answer_is_the_one_that_would_be_given(
        caller in anybody(), permission in permission(), at in place(), now in 0_i64..400,
    ) {
        static PLAIN: LazyLock<Policies> = LazyLock::new(shipped);
        static OF_A_CITY: LazyLock<Policies> =
            LazyLock::new(|| Policies::read(&[source_of("city.cedar", PARTICULAR)]).unwrap());
        // Whole steps of five seconds: within one, an answer may be the one before.
        let now = now * 5;
        for policies in [&*PLAIN, &*OF_A_CITY] {
            let asked = policies.ask(&caller, permission, &at, now);
            prop_assert_eq!(policies.permit(&caller, permission, &at, || now), asked);
            prop_assert_eq!(policies.permit(&caller, permission, &at, || now), asked);
        }
    }

    #[test]
    fn a_broken_glass_opens_reads_within_the_scope_only(
        roles in roles(), permission in permission(), at in place(),
    ) {
        static POLICIES: LazyLock<Policies> = LazyLock::new(shipped);
        let usual = caller(&roles);
        let broken = Caller {
            break_glass: Some("an emergency at the school".to_owned()),
            ..usual.clone()
        };
        let may = |caller| POLICIES.ask(caller, permission, &at, 0);
        if may(&broken) && !may(&usual) {
            let name = permission.as_str();
            prop_assert!(name.ends_with(".read") || name.ends_with(".reveal"), "{}", name);
            prop_assert!(usual.scope.contains(&at));
        }
        prop_assert!(may(&broken) || !may(&usual));
    }
}

fn source_of(file: &str, text: &str) -> Source {
    Source {
        file: file.to_owned(),
        text: text.to_owned(),
    }
}

fn refused(text: &str) -> String {
    let sources = [source_of("school.cedar", text)];
    let refused = Policies::read(&sources).err();
    refused.expect("is refused").to_string()
}

const GOOD: &str = r#"@id("a") @doc("a") @doc_zh("甲")
permit (principal, action, resource) when { resource in principal.scope };
"#;

#[test]
fn a_mistake_is_told_with_its_file_and_line() {
    for (line, text) in [
        (
            4,
            "\npermit (principal, action, resource) when { resource im principal.scope };",
        ),
        (
            5,
            "@id(\"b\") @doc(\"b\") @doc_zh(\"b\")\n\npermit (principal, action == Campus::Action::\"roster.raed\", resource);",
        ),
        (
            4,
            "@id(\"b\") @doc(\"b\") @doc_zh(\"b\")\npermit (principal in Campus::Role::\"gaurd\", action, resource);",
        ),
        (
            4,
            "@id(\"b\") @doc(\"b\") @doc_zh(\"b\")\npermit (principal, action, resource) when { principal.laboratory == \"x\" };",
        ),
        (
            4,
            "@id(\"b\") @doc(\"b\") @doc_zh(\"b\")\npermit (principal, action, resource) when { context.purpose == \"care\" };",
        ),
        (
            3,
            "@id(\"b\") @doc(\"b\")\npermit (principal, action, resource);",
        ),
        (3, "permit (principal, action, resource);"),
        (
            3,
            "@id(\"b\") @doc(\"b\") @doc_zh(\"b\")\npermit (principal == ?principal, action, resource);",
        ),
    ] {
        let told = refused(&format!("{GOOD}{text}\n"));
        assert!(
            told.starts_with(&format!("school.cedar:{line}: ")),
            "{text}: {told}"
        );
    }
    assert!(refused(&format!("{GOOD}{GOOD}")).starts_with("school.cedar:"));
}

#[test]
fn the_example_of_the_handbook_is_a_policy() {
    let handbook = include_str!("../../../../deploy/policies/README.md");
    let (_, example) = handbook.split_once("```cedar\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let policies = Policies::read(&[source_of("README.md", &format!("{GOOD}{example}"))]).unwrap();
    let guard = caller(&[Role::Guard]);
    let for_safety = Caller {
        purpose: Some(Purpose::Safety),
        ..guard.clone()
    };
    let reads = |caller: &Caller| policies.ask(caller, Permission::GateRead, &caller.scope, 0);
    assert!(!reads(&guard) && reads(&for_safety));
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        fs::write(folder.path().join(file), text).unwrap();
    }
    folder
}

fn load(folder: &TempDir, clock: &ManualClock) -> Result<Authority, PolicyError> {
    let config = AuthConfig {
        policies: Some(folder.path().to_owned()),
        ..AuthConfig::development()
    };
    Authority::load(&config, Arc::new(clock.clone()))
}

fn clock() -> ManualClock {
    ManualClock::at("2022-04-06T00:00:00Z".parse().unwrap())
}

#[test]
fn a_service_does_not_start_with_policies_that_cannot_be_used() {
    let folder = folder(&[("school.cedar", "permit (principal, action, resource)")]);
    let config = AuthConfig {
        policies: Some(folder.path().to_owned()),
        ..AuthConfig::development()
    };
    let told = config.check().unwrap_err();
    assert!(
        told.starts_with("auth.policies: school.cedar:1: "),
        "{told}"
    );
    let nowhere = AuthConfig {
        policies: Some(folder.path().join("nowhere")),
        ..AuthConfig::development()
    };
    assert!(nowhere.check().unwrap_err().contains("cannot be read"));
    fs::remove_file(folder.path().join("school.cedar")).unwrap();
    assert!(
        config
            .check()
            .unwrap_err()
            .contains("no file that ends with .cedar")
    );
}

#[test]
fn changed_policies_take_effect_and_bad_ones_do_not() {
    let folder = folder(&[("all.cedar", GOOD)]);
    let file = folder.path().join("all.cedar");
    let authority = load(&folder, &clock()).unwrap();
    let may = || authority.grants(Role::Student, Permission::OverviewRead);
    assert!(may());
    assert_eq!(authority.refresh(), Ok(false));
    fs::write(&file, "permit (").unwrap();
    assert!(authority.refresh().is_err());
    assert!(may(), "the last good ones stay");
    assert_eq!(authority.refresh(), Ok(false), "told once");
    fs::write(
        &file,
        GOOD.replace("action,", "action == Campus::Action::\"draw.read\","),
    )
    .unwrap();
    assert_eq!(authority.refresh(), Ok(true));
    assert!(!may(), "what was answered before is forgotten");
    fs::remove_file(&file).unwrap();
    assert!(authority.refresh().is_err());
    assert!(authority.grants(Role::Student, Permission::DrawRead));
}

#[test]
fn no_folder_lifts_the_limits_of_the_release() {
    let folder = folder(&[
        ("all.cedar", GOOD),
        ("limits.cedar", ""),
        ("schema.cedarschema", ""),
        ("README.md", "not a policy"),
    ]);
    let authority = load(&folder, &clock()).unwrap();
    assert!(authority.grants(Role::Laboratory, Permission::GateCheck));
    assert!(!authority.grants(Role::Laboratory, Permission::HealthRead));
    assert!(!authority.grants(Role::Principal, Permission::SupportHandle));
}

#[test]
fn a_policy_about_the_time_is_asked_again_after_five_seconds() {
    let until = "2022-04-06T00:00:10Z".parse::<chrono::DateTime<chrono::Utc>>();
    let until = until.unwrap().timestamp();
    let policy = GOOD.replace(
        "principal.scope",
        &format!("principal.scope && context.now < {until}"),
    );
    let clock = clock();
    let authority = load(&folder(&[("all.cedar", &policy)]), &clock).unwrap();
    let may = || authority.grants(Role::Guard, Permission::GateCheck);
    assert!(may());
    clock.advance(chrono::Duration::seconds(9));
    assert!(may());
    clock.advance(chrono::Duration::seconds(5));
    assert!(!may());
}
