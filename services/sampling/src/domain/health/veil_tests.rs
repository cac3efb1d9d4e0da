//! What is hidden follows from nothing that is shown: over places, and of symptoms and those ill.

use proptest::prelude::*;

use super::*;
use crate::domain::health::absence_tally::AbsenceTally;

const K: u32 = 4;
const CITY: &str = "fz";
const ILL: Measure = Measure::Ill(Days::One);

fn veils() -> Veils {
    Veils {
        ill: Veil::below(K),
        ..Veils::NONE
    }
}

fn symptom(at: usize) -> Measure {
    Measure::Symptom(Days::One, at)
}

fn counts(ill: u32, symptoms: &[u32]) -> Counts {
    let mut day = SymptomCounts {
        ill,
        ..SymptomCounts::default()
    };
    for (count, told) in day.symptoms.iter_mut().zip(symptoms) {
        *count = *told;
    }
    Counts::of_class_group(&day, &SymptomCounts::default(), &[])
}

fn city(schools: &[(&str, u32, &[u32])]) -> BTreeMap<String, Counts> {
    schools
        .iter()
        .map(|(path, ill, symptoms)| ((*path).to_owned(), counts(*ill, symptoms)))
        .collect()
}

#[test]
fn a_school_is_not_computed_from_its_district() {
    let schools = city(&[
        ("fz/a/1", 12, &[10, 4]),
        ("fz/a/2", 2, &[2]),
        ("fz/a/3", 30, &[25, 9]),
    ]);
    let hidden = |at| veils().hidden_at(&schools, CITY, at);
    assert!(!hidden("fz/a").has(ILL) && !hidden("fz/a/3").has(ILL));
    assert!(hidden("fz/a/2").has(ILL) && hidden("fz/a/1").has(ILL));
    // Whoever sees one school alone is told what the others would give away.
    assert!(!veils().hidden_at(&schools, "fz/a/1", "fz/a/1").has(ILL));
    assert_eq!(
        hidden("fz/b"),
        Hidden::default(),
        "nobody was counted there"
    );
}

#[test]
fn where_those_ill_are_hidden_every_symptom_is() {
    let schools = city(&[
        ("fz/a/1", 20, &[20]),
        ("fz/a/2", 3, &[3]),
        ("fz/a/3", 9, &[5, 9]),
    ]);
    let first = veils().hidden_at(&schools, CITY, "fz/a/3");
    assert!(first.has(ILL) && first.has(symptom(1)));
    assert!(first.has(symptom(2)), "though nobody has it");
    let last = veils().hidden_at(&schools, CITY, "fz/a/1");
    assert_eq!(last, Hidden::default());
}

#[test]
fn one_symptom_alone_is_not_read_from_those_ill() {
    // The fever of the second is hidden, so that of the first is: it must not be read from its ill.
    let schools = city(&[("fz/a/1", 20, &[20]), ("fz/a/2", 32, &[3, 30])]);
    let first = veils().hidden_at(&schools, CITY, "fz/a/1");
    assert!(first.has(symptom(0)) && first.has(ILL));
}

#[test]
fn whoever_may_read_whom_a_count_counts_sees_it() {
    let mut tally = DayTally::default();
    tally.ill = 1;
    let open = Open {
        absences: AbsenceTally::of(Reason::Illness, AbsenceState::Open, true, false),
        clusters: 1,
        cases: 2,
        late_cases: 1,
    };
    let counts = Counts::of_school(&tally, &SymptomCounts::default(), &open);
    let judge = |veils: Veils| veils.judge(&[&counts], None).remove(0);
    assert_eq!(judge(Veils::NONE), Hidden::default());
    let ill = judge(veils());
    assert!(ill.has(ILL) && !ill.has(Measure::Clusters));
    let rest = judge(Veils {
        absences: Veil::below(K),
        cases: Veil::below(K),
        ..Veils::NONE
    });
    let open = Measure::Absences(Reason::Illness, AbsenceState::Open);
    assert!(rest.has(open) && rest.has(Measure::UploadsOverdue));
    assert!(rest.has(Measure::Cases) && rest.has(Measure::LateCases));
    assert!(!rest.has(ILL) && !rest.has(Measure::Clusters) && !rest.has(Measure::InterviewsDue));
}

#[test]
fn of_few_who_are_absent_nobody_learns_whether_they_are_ill() {
    let nobody = SymptomCounts::default();
    let with = |absent, ill| Counts::of_class_group(&nobody, &nobody, &[(Slot::Noon, absent, ill)]);
    let hidden = |absent, ill| {
        let counts = with(absent, ill);
        let judged = veils().judge(&[&counts], None).remove(0);
        assert!(!judged.has(Measure::Absent(Slot::Noon)));
        judged.has(Measure::IllAbsent(Slot::Noon))
    };
    assert!(hidden(1, 1) && hidden(1, 0) && hidden(9, 3));
    assert!(!hidden(0, 0) && !hidden(9, 0) && !hidden(9, 4));
}

#[test]
fn what_is_left_of_a_school_is_told_by_nobody_and_counts() {
    let school = counts(14, &[14]);
    let classes = [counts(6, &[6]), counts(6, &[6])];
    let left = school.without(&classes);
    assert_eq!(left.get(ILL), 2);
    let group = [&classes[0], &classes[1], &left];
    let judged = veils().judge(&group, Some(&Hidden::default()));
    assert!(judged[0].has(ILL), "else who is left would be known");
}

/// How many symptoms are told apart in trees.
const SYMPTOMS: usize = 3;
/// A field in which linear equations are solved exactly.
const P: i64 = 1_000_003;

fn inverse(value: i64) -> i64 {
    let (mut base, mut power, mut result) = (value.rem_euclid(P), P - 2, 1);
    while power > 0 {
        if power & 1 == 1 {
            result = result * base % P;
        }
        base = base * base % P;
        power >>= 1;
    }
    result
}

/// Sums of unknowns that are known, each with a leading one at its place.
#[derive(Default)]
struct Known(Vec<(usize, Vec<i64>)>);

impl Known {
    fn reduce(&self, mut row: Vec<i64>) -> Vec<i64> {
        for (lead, known) in &self.0 {
            let factor = row[*lead];
            if factor != 0 {
                for (value, known) in row.iter_mut().zip(known) {
                    *value = (*value - factor * known).rem_euclid(P);
                }
            }
        }
        row
    }

    fn learn(&mut self, row: Vec<i64>) {
        let row = self.reduce(row);
        if let Some(lead) = row.iter().position(|value| *value != 0) {
            let scale = inverse(row[lead]);
            let row = row.iter().map(|value| value * scale % P);
            self.0.push((lead, row.collect()));
        }
    }

    fn follows(&self, row: Vec<i64>) -> bool {
        self.reduce(row).iter().all(|value| *value == 0)
    }
}

fn measures() -> Vec<Measure> {
    (0..SYMPTOMS).map(symptom).chain([ILL]).collect()
}

/// Between as many ill as have the commonest symptom and as many as there are symptoms.
fn a_school() -> impl Strategy<Value = Counts> {
    let symptoms = prop::array::uniform3(prop_oneof![Just(0), 0_u32..13]);
    (symptoms, 0_u32..1000).prop_map(|(symptoms, share)| {
        let most: u32 = symptoms.iter().sum();
        let least = symptoms.iter().copied().max().unwrap_or_default();
        counts(least + (most - least) * share / 999, &symptoms)
    })
}

fn a_city() -> impl Strategy<Value = BTreeMap<String, Counts>> {
    let path = (0_u8..3, 0_u8..3).prop_map(|(bureau, school)| format!("{CITY}/{bureau}/{school}"));
    prop::collection::btree_map(path, a_school(), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_that_is_hidden_follows_from_what_is_shown(schools in a_city()) {
        let mut places: BTreeMap<&str, Counts> = BTreeMap::new();
        for (path, counts) in &schools {
            let ends = path.match_indices('/').map(|(end, _)| end);
            for end in ends.chain([path.len()]) {
                places.entry(&path[..end]).or_default().add(counts);
            }
        }
        let hidden: BTreeMap<&str, Hidden> = places
            .keys()
            .map(|place| (*place, veils().hidden_at(&schools, CITY, place)))
            .collect();
        // Where nobody is ill nothing is unknown.
        let unknown: Vec<(&str, Measure)> = schools
            .iter()
            .filter(|(_, counts)| counts.get(ILL) > 0)
            .flat_map(|(path, _)| measures().into_iter().map(move |one| (path.as_str(), one)))
            .collect();
        let row = |place: &str, measure: Measure| -> Vec<i64> {
            let cell = |(path, one): &(&str, Measure)| {
                i64::from(*one == measure && below(place, path).is_some())
            };
            unknown.iter().map(cell).collect()
        };
        let mut known = Known::default();
        for place in places.keys() {
            for measure in measures() {
                if !hidden[place].has(measure) {
                    known.learn(row(place, measure));
                }
            }
        }
        // Where nobody has another symptom, as shown there or above, those with one are those ill.
        let is_nobody = |place: &str, measure: Measure| {
            places.iter().any(|(above, counts)| {
                let shown = !hidden[above].has(measure);
                below(above, place).is_some() && shown && counts.get(measure) == 0
            })
        };
        for (place, counts) in &places {
            for only in (0..SYMPTOMS).map(symptom) {
                let mut others = Days::One.symptoms().filter(|other| *other != only);
                if counts.get(ILL) > 0 && others.all(|other| is_nobody(place, other)) {
                    let ill = row(place, ILL);
                    let same = ill.iter().zip(row(place, only)).map(|(one, other)| one - other);
                    known.learn(same.map(|value| value.rem_euclid(P)).collect());
                }
            }
        }
        for (place, counts) in &places {
            for measure in measures() {
                if hidden[place].has(measure) {
                    let row = row(place, measure);
                    prop_assert!(!known.follows(row), "{measure:?} of {place} in {schools:?}");
                } else {
                    let count = counts.get(measure);
                    prop_assert!(count == 0 || count >= K, "{measure:?} of {place}");
                }
            }
        }
    }
}
