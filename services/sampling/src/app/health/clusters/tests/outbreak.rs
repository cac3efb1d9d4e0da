//! Outbreaks replayed through the service.

use kit::auth::Role;
use kit::db::Database;
use proto::sampling::SimulatedCluster;
use proto::sampling::simulated_cluster::Outcome;

use super::desk::{DISTRICT, Desk, ill, monday};
use crate::app::health::Simulated;
use crate::domain::health::cluster_rule::ClusterRule;
use crate::domain::health::derbyshire::children;
use crate::domain::health::sign::Sign;
use crate::domain::health::symptom::Symptom;
use crate::grpc::health::cluster_convert;

async fn replay(desk: &Desk, days: (i64, i64), rules: Vec<ClusterRule>) -> Vec<SimulatedCluster> {
    let day = |after| (monday() + chrono::Duration::days(after)).into();
    let simulated = Simulated {
        organization: "350102",
        days: (day(days.0), day(days.1)),
        rules,
    };
    let caller = Desk::caller(Role::DistrictOfficer, DISTRICT);
    let replayed = desk
        .app
        .simulate_clusters(&caller, simulated)
        .await
        .expect("a replay");
    replayed.iter().map(cluster_convert::simulated).collect()
}

/// The rule, the class group's identifier, the day after Monday by whose end it fires and how
/// many people it has then.
fn fires(told: &[SimulatedCluster]) -> Vec<(String, String, i64, i32)> {
    let fire = |one: &SimulatedCluster| {
        let date = one.tried_date.and_then(kit::field::from_date)?;
        let class = one
            .class_group
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let after = (date - monday()).num_days();
        Some((one.rule.clone(), class, after, one.fire_person_count))
    };
    told.iter().filter_map(fire).collect()
}

/// One or two a day in six classes, then three of one class at once.
pub(super) async fn an_outbreak_is_replayed(db: Database) {
    let desk = Desk::open(db).await;
    let creeping = (0..10).map(|n| ill(n, n % 6 + 1, i64::from(n / 2) + 1, Symptom::Vomiting));
    let sudden = (20..23).map(|n| ill(n, 2, 9, Symptom::Vomiting));
    let signs: Vec<Sign> = creeping.chain(sudden).collect();
    desk.say_daily(&signs).await;
    let present = replay(&desk, (0, 20), Vec::new()).await;
    let expected = [
        ("disease-5-alert-school".to_owned(), String::new(), 5, 10),
        ("similar-3-class".to_owned(), "c2".to_owned(), 9, 3),
    ];
    assert_eq!(fires(&present), expected);
    assert!(present.iter().all(|one| one.outcome() == Outcome::Both));
    // What stands is what a replay fires.
    assert_eq!(desk.standing().await.len(), 2);

    // Twice as many days, one case fewer in a school, and nothing for classes.
    let caller = Desk::caller(Role::DistrictOfficer, DISTRICT);
    let policy = desk
        .app
        .cluster_rules(&caller, "2135010001", monday().into())
        .await;
    let rules = policy
        .expect("rules")
        .health
        .clusters
        .iter()
        .cloned()
        .collect::<Vec<_>>();
    let tried = rules
        .into_iter()
        .filter(|rule| rule.code == "disease-5-alert-school");
    let tried: Vec<ClusterRule> = tried
        .map(|mut rule| {
            rule.conditions[0].count = 8;
            rule
        })
        .collect();
    let compared = replay(&desk, (0, 20), tried).await;
    let outcomes: Vec<_> = compared.iter().map(SimulatedCluster::outcome).collect();
    assert_eq!(outcomes, [Outcome::Both, Outcome::OnlyInForce]);
    assert_eq!(fires(&compared)[0].2, 4);
}

/// The norovirus outbreak of a primary school in Derbyshire in 2001 (O'Neill and Marks 2005), by
/// the first day of absence.
pub(super) async fn the_outbreak_of_derbyshire_is_replayed(db: Database) {
    let desk = Desk::open(db).await;
    let signs: Vec<Sign> = (1..)
        .zip(children())
        .map(|(number, (class, day))| {
            ill(number, u32::from(class), i64::from(day), Symptom::Vomiting)
        })
        .collect();
    desk.say_daily(&signs).await;
    let fired = fires(&replay(&desk, (1, 30), Vec::new()).await);
    let school = fired.iter().find(|one| one.0 == "disease-5-alert-school");
    assert_eq!(school.map(|one| (one.2, one.3)), Some((8, 10)));
    let classes: Vec<_> = fired
        .iter()
        .filter(|one| one.0 == "similar-3-class")
        .collect();
    let first = classes.iter().map(|one| one.2).min();
    let mut at_first: Vec<&str> = classes
        .iter()
        .filter(|one| Some(one.2) == first)
        .map(|one| one.1.as_str())
        .collect();
    at_first.sort_unstable();
    assert_eq!(
        (first, at_first),
        (Some(14), vec!["c1", "c11", "c15", "c9"])
    );
}

/// What is said later, of whatever day, fires nothing before it is said; and what is only said again
/// stays said when it was.
pub(super) async fn a_replay_knows_no_more_than_was_said_by_then(db: Database) {
    let desk = Desk::open(db).await;
    let fever = |number| ill(number, 1, 0, Symptom::Fever);
    desk.say(&[fever(1), fever(2)]).await;
    desk.clock.advance(chrono::Duration::days(2));
    desk.say(&[fever(3)]).await;
    desk.clock.advance(chrono::Duration::days(2));
    desk.say(&[fever(1), fever(2), fever(3)]).await;
    let present = replay(&desk, (0, 20), Vec::new()).await;
    let class = ("similar-1-class".to_owned(), "c1".to_owned(), 2, 3);
    assert!(fires(&present).contains(&class), "{:?}", fires(&present));
}
