//! Order and repetition do not matter, and each cluster fires once.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{cases_of, fuzhou, sets, sign};
use crate::domain::day::Day;
use crate::domain::health::cluster::{Around, find, longest};
use crate::domain::health::cluster_state::ClusterState;
use crate::domain::health::disease::Severity;
use crate::domain::health::illness::Case;
use crate::domain::health::reconcile::{Known, Verdict, horizon, reconcile};
use crate::domain::health::sign::Sign;
use crate::domain::health::symptom::Symptom;
use crate::domain::roll::PersonId;

/// An app in memory: submissions one by one, each looking no further than its horizon.
#[derive(Default)]
struct Desk {
    signs: BTreeMap<(String, PersonId), Sign>,
    known: Vec<Known>,
    fires: usize,
    /// Fires again what it knows, as a faulty one would.
    forgets: bool,
}

impl Desk {
    fn hear(&mut self, sign: &Sign) {
        let before = cases_of(&self.all());
        self.signs
            .insert((sign.source.clone(), sign.person), sign.clone());
        let after = cases_of(&self.all());
        let changed = |one: &[Case], other: &[Case]| -> Vec<(Day, Day)> {
            let gone = one.iter().filter(|case| !other.contains(case));
            gone.map(|case| (case.day, case.last)).collect()
        };
        let days = [changed(&before, &after), changed(&after, &before)].concat();
        let Some(first) = days.iter().map(|(first, _)| *first).min() else {
            return;
        };
        let last = days.iter().map(|(_, last)| *last).max().unwrap_or(first);
        self.look((first, last), &after);
    }

    fn look(&mut self, changed: (Day, Day), cases: &[Case]) {
        let sets = sets(&fuzhou());
        if self.forgets {
            self.known.clear();
        }
        let horizon = horizon(changed, longest(&sets), &self.known);
        let near = |case: &&Case| horizon.load.0 <= case.last && case.day <= horizon.load.1;
        let cases: Vec<Case> = cases.iter().filter(near).cloned().collect();
        let findings = find(&sets, &cases, &Around::default(), &self.known);
        for verdict in reconcile(&self.known, findings, horizon.core) {
            let fired = i64::try_from(self.known.len()).unwrap_or(i64::MAX);
            let at = |id: &str| self.known.iter().position(|one| one.id == id).unwrap();
            match verdict {
                Verdict::Fires(one) => {
                    self.fires += 1;
                    self.known.push(Known {
                        id: fired.to_string(),
                        rule: one.rule.code.clone(),
                        place: one.place,
                        first: one.first,
                        last: one.last,
                        state: ClusterState::Open,
                        stands: true,
                        fired,
                        used_up: one.people.keys().copied().collect(),
                    });
                }
                Verdict::Is(id, one) => {
                    let place = at(&id);
                    let cluster = &mut self.known[place];
                    (cluster.first, cluster.last, cluster.stands) = (one.first, one.last, true);
                    cluster.used_up = one.people.keys().copied().collect();
                }
                Verdict::Merges(id, _) => {
                    let place = at(&id);
                    self.known[place].state = ClusterState::Merged;
                }
                Verdict::Falls(id) => {
                    let place = at(&id);
                    self.known[place].stands = false;
                }
            }
        }
    }

    fn all(&self) -> Vec<Sign> {
        self.signs.values().cloned().collect()
    }

    fn standing(&self) -> BTreeSet<(String, String, Day, Day)> {
        let stands = self
            .known
            .iter()
            .filter(|one| one.stands && one.state.lives());
        stands
            .map(|one| (one.rule.clone(), one.place.clone(), one.first, one.last))
            .collect()
    }
}

fn submissions() -> impl Strategy<Value = Vec<Sign>> {
    let symptom = prop_oneof![Just(Symptom::Fever), Just(Symptom::Vomiting)];
    let one = (
        0_u16..14,
        100_u16..125,
        symptom,
        0_u8..4,
        0_u16..3,
        0_u8..20,
    );
    let sign = one.prop_map(|(person, day, symptom, extra, onset, grave)| {
        let mut sign = sign(person, u8::try_from(person % 3).unwrap_or(0), day, symptom);
        sign.source = format!("checks/{day}-{person}-{extra}");
        if extra == 0 {
            sign.onset = Day::from_number(day - onset);
        }
        if person % 2 == 0 {
            sign.dormitory = "r1".to_owned();
        }
        if grave == 0 {
            sign.severity = Severity::Dead;
        }
        sign
    });
    prop::collection::vec(sign, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What stands follows from the facts alone, and each finding is one cluster.
    #[test]
    fn order_and_repetition_do_not_matter(
        signs in submissions(),
        order in any::<u64>(),
    ) {
        let mut straight = Desk::default();
        for sign in &signs {
            straight.hear(sign);
        }
        // What a source says last of a person stands, so of each only the last is shuffled.
        let mut shuffled: Vec<Sign> = straight.all();
        let again = shuffled.clone();
        shuffled.sort_by_key(|sign| {
            let mix = u64::from(sign.day.number()) * 31 + u64::from(sign.person.0[1]) * 17;
            mix.wrapping_mul(order | 1).rotate_left(17)
        });
        let mut other = Desk::default();
        for sign in shuffled.iter().chain(&again) {
            other.hear(sign);
        }
        prop_assert_eq!(straight.standing(), other.standing());
        let sets = sets(&fuzhou());
        let cases = cases_of(&straight.all());
        let found = find(&sets, &cases, &Around::default(), &[]);
        let found: Vec<_> = found
            .into_iter()
            .map(|one| (one.rule.code.clone(), one.place, one.first, one.last))
            .collect();
        let lives = straight.known.iter().filter(|one| one.stands && one.state.lives());
        prop_assert_eq!(lives.count(), found.len(), "a rule, place and window fires once");
        prop_assert_eq!(straight.standing(), found.into_iter().collect::<BTreeSet<_>>());
        let fires = other.fires;
        for sign in &again {
            other.hear(sign);
        }
        prop_assert_eq!(other.fires, fires, "a repetition fires nothing");
    }

    /// A case of somebody else takes no cluster away: each goes on in one that holds all of it.
    #[test]
    fn a_further_case_removes_no_cluster(signs in submissions(), class in 0_u8..3, day in 95_u16..130) {
        let none = Around::default();
        let sets = sets(&fuzhou());
        let mut cases = cases_of(&signs);
        let before = find(&sets, &cases, &none, &[]);
        cases.extend(cases_of(&[sign(999, class, day, Symptom::Fever)]));
        let after = find(&sets, &cases, &none, &[]);
        for one in before {
            let goes_on = after.iter().any(|other| {
                (&other.rule.code, &other.place) == (&one.rule.code, &one.place)
                    && other.first <= one.first
                    && one.last <= other.last
                    && one.people.keys().all(|person| other.people.contains_key(person))
            });
            prop_assert!(goes_on, "{:?}", one);
        }
    }
}

/// The law could be broken: a desk that forgets what fired fires it once more with each case.
#[test]
fn a_desk_that_forgets_is_found_out() {
    let fires = |forgets| {
        let mut desk = Desk {
            forgets,
            ..Desk::default()
        };
        for person in 1..=5 {
            desk.hear(&sign(person, 1, 100, Symptom::Fever));
        }
        desk.fires
    };
    assert_eq!((fires(false), fires(true)), (1, 3));
}

#[test]
fn clusters_that_grow_together_go_on_as_the_oldest() {
    let mut desk = Desk::default();
    for person in 1..=3 {
        desk.hear(&sign(person, 1, 104, Symptom::Fever));
    }
    for person in 4..=6 {
        desk.hear(&sign(person, 1, 100, Symptom::Fever));
    }
    assert_eq!((desk.fires, desk.standing().len()), (2, 2));
    for person in 7..=8 {
        desk.hear(&sign(person, 1, 102, Symptom::Fever));
    }
    let states: Vec<_> = desk
        .known
        .iter()
        .map(|one| (one.state, one.first.number()))
        .collect();
    assert_eq!(
        states,
        [(ClusterState::Open, 100), (ClusterState::Merged, 100)]
    );
    assert_eq!(desk.fires, 2);
}

#[test]
fn a_closed_cluster_has_used_up_the_cases_of_its_people_alone() {
    let mut desk = Desk::default();
    for person in 1..=3 {
        desk.hear(&sign(person, 1, 100, Symptom::Fever));
    }
    (desk.known[0].state, desk.known[0].last) = (ClusterState::Closed, Day::from_number(101));
    // Its people, still ill or said to have been so before, and two others make no other one.
    for (person, day) in [(1, 101), (2, 102), (3, 99)] {
        desk.hear(&sign(person, 1, day, Symptom::Fever));
    }
    for person in 4..=5 {
        desk.hear(&sign(person, 1, 100, Symptom::Fever));
    }
    assert_eq!(desk.fires, 1);
    // A third one of the very day does, though that day is over for those of the first.
    desk.hear(&sign(6, 1, 100, Symptom::Fever));
    assert_eq!(desk.fires, 2);
    let others: Vec<PersonId> = desk.known[1].used_up.iter().copied().collect();
    let four_to_six = (4..=6).map(|person| sign(person, 1, 100, Symptom::Fever).person);
    assert_eq!(others, four_to_six.collect::<Vec<_>>());
}

#[test]
fn who_falls_ill_again_after_a_closed_cluster_is_counted_anew() {
    let mut desk = Desk::default();
    for person in 1..=3 {
        desk.hear(&sign(person, 1, 100, Symptom::Fever));
    }
    (desk.known[0].state, desk.known[0].last) = (ClusterState::Closed, Day::from_number(101));
    for person in 1..=3 {
        desk.hear(&sign(person, 1, 108, Symptom::Fever));
    }
    assert_eq!(desk.fires, 2);
}

#[test]
fn a_correction_lets_a_cluster_fall_and_rise_again_without_a_second_fire() {
    let mut desk = Desk::default();
    for person in 1..=3 {
        desk.hear(&sign(person, 1, 100, Symptom::Fever));
    }
    desk.hear(&sign(3, 1, 100, Symptom::Headache));
    assert_eq!((desk.fires, desk.known[0].stands), (1, false));
    desk.hear(&sign(3, 1, 100, Symptom::Fever));
    assert_eq!((desk.fires, desk.known[0].stands), (1, true));
}
