//! Cluster rules, replays and who may ask for what, over the wire. What fires is tested where
//! signs are said (`src/app/health/clusters/tests`).

use kit::auth::Role;
use proto::roster::OutbreakPolicy;
use proto::roster::cluster_policy::Scope;
use proto::roster::outbreak_policy::Level;
use proto::sampling::cluster_rule::{Condition, Counted, Criterion};
use proto::sampling::cluster_service_client::ClusterServiceClient;
use proto::sampling::decide_suspension_request::Decision;
use proto::sampling::suspension::Scope as SuspensionScope;
use proto::sampling::suspension_service_client::SuspensionServiceClient;
use proto::sampling::{
    AmendSuspensionRequest, ClusterRule, DecideSuspensionRequest, GetClusterRequest,
    ListClusterRulesRequest, ListClustersRequest, ListSuspensionsRequest, SimulateClustersRequest,
};
use tonic::Code;

use super::town::{
    Authorised, CITY, DISTRICT, Roster, SCHOOL, Town, class, on_both_databases, reason, school_path,
};

on_both_databases!(
    the_rules_in_force_are_told_in_pages,
    a_replay_reads_its_rules_and_refuses_what_is_no_rule,
    who_may_not_see_a_place_is_not_told_what_is_there,
);

async fn open(database: kit::scratch::Scratch) -> Town {
    let roster = Roster::town();
    roster.class(class(SCHOOL, "p2019-01", 1, 30));
    Town::start(database, roster).await
}

fn clusters(town: &Town, role: Role, scope: &str) -> ClusterServiceClient<Authorised> {
    ClusterServiceClient::new(town.authorised(&[role], scope))
}

fn invalid() -> (Code, String) {
    (Code::InvalidArgument, "INVALID_FIELD".to_owned())
}

async fn the_rules_in_force_are_told_in_pages(database: kit::scratch::Scratch) {
    let town = open(database).await;
    let mut client = clusters(&town, Role::SchoolDoctor, &school_path(SCHOOL));
    let mut request = ListClusterRulesRequest {
        organization: format!("organizations/{SCHOOL}"),
        page_size: 20,
        ..Default::default()
    };
    let mut rules: Vec<ClusterRule> = Vec::new();
    loop {
        let page = client.list_cluster_rules(request.clone()).await;
        let page = page.expect("rules").into_inner();
        assert!(!page.policy_version.is_empty());
        rules.extend(page.cluster_rules);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert!(rules.is_sorted_by_key(|rule| rule.code.clone()));
    assert!(
        rules
            .iter()
            .all(|rule| !rule.source.is_empty() && !rule.sentence.is_empty())
    );
    let find = |code: &str| rules.iter().find(|rule| rule.code == code).expect(code);
    let covid = find("disease-16-event-school");
    assert_eq!(covid.report_sla.map(|sla| sla.seconds), Some(7200));
    assert_eq!(
        (covid.numbers.join(" "), covid.level()),
        ("1.18 1.19".to_owned(), Level::EventReport)
    );
    let fever = find("similar-1-dormitory");
    let counts: Vec<_> = fever
        .conditions
        .iter()
        .map(|one| (one.window_days, one.count))
        .collect();
    assert_eq!(counts, [(1, 3), (3, 5)]);
    assert_eq!(find("suspend-1-class").suspend_days, 4);
    assert_eq!(find("suspend-4-school").suspend_days, 10);
    // Every row of the outbreak table is among them.
    let policy = super::town::roster::policy();
    let OutbreakPolicy { rules: rows, .. } = policy.outbreak.expect("a table");
    for row in rows {
        let level = if row.level() == Level::EventReport {
            "event"
        } else {
            "alert"
        };
        find(&format!("disease-{}-{level}-school", row.disease));
    }
}

async fn a_replay_reads_its_rules_and_refuses_what_is_no_rule(database: kit::scratch::Scratch) {
    let town = open(database).await;
    let mut client = clusters(&town, Role::DistrictOfficer, &format!("{CITY}/{DISTRICT}"));
    let rule = ClusterRule {
        code: "tried-1".to_owned(),
        scope: Scope::ClassGroup.into(),
        criterion: Some(Criterion::SymptomGroup(1)),
        conditions: vec![Condition {
            counted: Counted::Cases.into(),
            window_days: 1,
            count: 2,
            ..Condition::default()
        }],
        ..ClusterRule::default()
    };
    let request = |rules: Vec<ClusterRule>, days: i64| SimulateClustersRequest {
        organization: format!("organizations/{DISTRICT}"),
        start_date: Some(town.date()),
        end_date: Some(kit::field::to_date(
            town.today() + chrono::Duration::days(days),
        )),
        rules,
    };
    let answer = client
        .simulate_clusters(request(vec![rule.clone()], 91))
        .await;
    assert_eq!(answer.expect("a replay").into_inner().clusters, []);
    let wrong = |change: fn(&mut ClusterRule)| {
        let mut rule = rule.clone();
        change(&mut rule);
        request(vec![rule], 0)
    };
    for request in [
        request(Vec::new(), 92),
        request(Vec::new(), -1),
        request(vec![rule.clone(), rule.clone()], 0),
        request(vec![rule.clone(); 201], 0),
        wrong(|rule| rule.code = "Not a code".to_owned()),
        wrong(|rule| rule.criterion = None),
        wrong(|rule| rule.criterion = Some(Criterion::Disease(-7))),
        wrong(|rule| rule.conditions.clear()),
        wrong(|rule| rule.conditions[0].window_days = 32),
        wrong(|rule| rule.conditions[0].count = i32::MIN),
        wrong(|rule| rule.conditions[0].counted = Counted::ClassGroups.into()),
        wrong(|rule| rule.scope = 99),
    ] {
        let refused = client
            .simulate_clusters(request)
            .await
            .expect_err("no rule");
        assert_eq!(reason(&refused), invalid());
    }
}

async fn who_may_not_see_a_place_is_not_told_what_is_there(database: kit::scratch::Scratch) {
    let town = open(database).await;
    let denied = (Code::PermissionDenied, "SCOPE_DENIED".to_owned());
    let nothing = GetClusterRequest {
        name: format!("clusters/{}", uuid::Uuid::new_v4()),
    };
    let mut doctor = clusters(&town, Role::SchoolDoctor, &school_path(SCHOOL));
    let refused = doctor
        .get_cluster(nothing.clone())
        .await
        .expect_err("no cluster");
    assert_eq!(reason(&refused), denied);
    let mut city = clusters(&town, Role::CityOfficer, "");
    let refused = city.get_cluster(nothing).await.expect_err("no cluster");
    assert_eq!(reason(&refused), (Code::NotFound, "NOT_FOUND".to_owned()));
    let other = ListClustersRequest {
        organization: format!("organizations/{DISTRICT}"),
        ..Default::default()
    };
    let refused = doctor
        .list_clusters(other.clone())
        .await
        .expect_err("the district");
    assert_eq!(reason(&refused), denied);
    let mut guard = clusters(&town, Role::Guard, &school_path(SCHOOL));
    let refused = guard.list_clusters(other).await.expect_err("a guard");
    assert_eq!(reason(&refused), denied);
    let refused = doctor
        .simulate_clusters(SimulateClustersRequest::default())
        .await
        .expect_err("a doctor");
    assert_eq!(reason(&refused), denied);

    let officer = town.authorised(&[Role::DistrictOfficer], &format!("{CITY}/{DISTRICT}"));
    let mut suspensions = SuspensionServiceClient::new(officer);
    let list = ListSuspensionsRequest {
        organization: format!("organizations/{SCHOOL}"),
        ..Default::default()
    };
    let none = suspensions.list_suspensions(list).await.expect("a list");
    assert_eq!(none.into_inner().suspensions, []);
    let decide = DecideSuspensionRequest {
        name: "suspensions/none".to_owned(),
        suspend_days: 31,
        ..Default::default()
    };
    let refused = suspensions
        .decide_suspension(decide)
        .await
        .expect_err("malformed");
    assert_eq!(reason(&refused), invalid());
    let named = |number: usize| format!("organizations/{SCHOOL}/classGroups/p2019-{number:02}");
    let decide = DecideSuspensionRequest {
        name: format!("suspensions/{}", uuid::Uuid::new_v4()),
        decision: Decision::Approve.into(),
        decided_by: "陈局长".to_owned(),
        reason: "班级流感样病例达到停课标准".to_owned(),
        advice: "区疾控建议停课4天".to_owned(),
        class_groups: vec![named(1), named(2)],
        ..Default::default()
    };
    let wrong = |change: fn(&mut DecideSuspensionRequest)| {
        let mut request = decide.clone();
        change(&mut request);
        request
    };
    let many = DecideSuspensionRequest {
        class_groups: (0..51).map(named).collect(),
        ..decide.clone()
    };
    for request in [
        many,
        wrong(|request| request.scope = SuspensionScope::Grade.into()),
        wrong(|request| request.decision = Decision::Reject.into()),
        wrong(|request| request.class_groups.push("classGroups/p2019-03".to_owned())),
    ] {
        let refused = suspensions.decide_suspension(request).await;
        let refused = refused.expect_err("none that the caller may see");
        assert_eq!(reason(&refused), denied, "before what is wrong");
    }
    let refused = suspensions.decide_suspension(decide.clone()).await;
    let refused = refused.expect_err("none that the caller may see");
    assert_eq!(reason(&refused), denied);
    let amend = AmendSuspensionRequest {
        name: format!("suspensions/{}", uuid::Uuid::new_v4()),
        amended_by: "陈局长".to_owned(),
        ..Default::default()
    };
    let refused = suspensions.amend_suspension(amend.clone()).await;
    let refused = refused.expect_err("none that the caller may see");
    assert_eq!(reason(&refused), denied, "before what is wrong");
    let amend = AmendSuspensionRequest {
        reason: "区疾控建议调整".to_owned(),
        ..amend
    };
    let refused = suspensions.amend_suspension(amend.clone()).await;
    let refused = refused.expect_err("none that the caller may see");
    assert_eq!(reason(&refused), denied);
    let doctor = town.authorised(&[Role::SchoolDoctor], &school_path(SCHOOL));
    let refused = SuspensionServiceClient::new(doctor)
        .amend_suspension(amend)
        .await
        .expect_err("a doctor");
    assert_eq!(reason(&refused), denied);
}
