use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::AtomicU64;

use chrono::Days;

use super::*;

fn city(students: u64, seed: u64) -> City {
    let date = NaiveDate::from_ymd_opt(2022, 4, 7).unwrap();
    City::new(Options {
        students,
        seed,
        date,
    })
}

#[test]
fn nobody_is_lost_at_any_size() {
    for students in [0, 1, 12, 999, 6_000, 100_000, 1_500_000] {
        assert_eq!(city(students, 1).plan().students(), students);
    }
}

#[test]
fn the_whole_city_has_the_planned_size() {
    let city = city(1_500_000, 1);
    let plan = city.plan();
    assert!(
        (2_800..3_200).contains(&plan.schools().len()),
        "{}",
        plan.schools().len()
    );
    assert!(
        (38_500..39_300).contains(&plan.classes()),
        "{}",
        plan.classes()
    );
    assert!(
        (105_000..115_000).contains(&plan.staff()),
        "{}",
        plan.staff()
    );
    let codes: HashSet<&str> = plan
        .schools()
        .iter()
        .map(|school| school.code.as_str())
        .collect();
    assert_eq!(codes.len(), plan.schools().len());
}

#[test]
fn districts_have_the_weights_of_the_yearbook() {
    let city = city(1_500_000, 1);
    for stage in [Stage::Primary, Stage::Junior, Stage::Senior] {
        let share = |district: &District| match stage {
            Stage::Senior => f64::from(district.senior) / 108_062.0,
            Stage::Junior => f64::from(district.junior) / 212_842.0,
            Stage::Kindergarten | Stage::Primary => f64::from(district.primary) / 551_035.0,
        };
        let of_stage = city
            .plan()
            .schools()
            .iter()
            .filter(|school| school.stage == stage);
        let total: u32 = of_stage.clone().map(SchoolPlan::students).sum();
        for district in &DISTRICTS {
            let here: u32 = of_stage
                .clone()
                .filter(|school| school.district == district)
                .map(SchoolPlan::students)
                .sum();
            let error = f64::from(here) / f64::from(total) - share(district);
            assert!(error.abs() < 1e-4, "{} {stage:?}: {error}", district.name);
        }
    }
}

#[test]
fn classes_have_the_sizes_of_their_stage() {
    let city = city(1_500_000, 3);
    for stage in Stage::ALL {
        let sizes: Vec<f64> = city
            .plan()
            .schools()
            .iter()
            .filter(|school| school.stage == stage)
            .flat_map(|school| &school.classes)
            .map(|class| f64::from(class.students))
            .collect();
        let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
        assert!((mean - stage.class_size()).abs() < 0.5, "{stage:?}: {mean}");
        let (low, high) = (stage.class_size() * 0.8, stage.class_size() * 1.2);
        assert!(
            sizes.iter().all(|size| (low..high).contains(size)),
            "{stage:?}"
        );
    }
}

#[test]
fn everybody_has_a_number_of_their_own_that_is_valid() {
    let city = city(20_000, 5);
    let (mut ids, mut uuids, mut phones) = (HashSet::new(), HashSet::new(), HashSet::new());
    for school in city.schools() {
        let stage = school.plan.stage;
        for class in &school.classes {
            let age = stage.entry_age() + class.plan.grade as i32 - 1;
            let youngest = NaiveDate::from_ymd_opt(2021 - age, 9, 1).unwrap();
            for student in &class.students {
                assert!(student.birth < youngest && student.birth + Days::new(367) > youngest);
                assert_eq!(
                    student.id_number[6..14],
                    student.birth.format("%Y%m%d").to_string()
                );
                assert_eq!(&student.id_number[..6], school.plan.district.division);
                let odd = student.id_number.as_bytes()[16] % 2 == 1;
                assert_eq!(odd, student.sex == Sex::Male);
                assert!(ids.insert(student.id_number.clone()) && uuids.insert(student.id));
                assert!(phones.insert(student.guardian.phone.clone()));
            }
        }
        for member in &school.staff {
            assert!(ids.insert(member.id_number.clone()) && uuids.insert(member.id));
            assert!(phones.insert(member.phone.clone()));
        }
        let heads = school
            .staff
            .iter()
            .filter(|member| member.class.is_some())
            .count();
        assert_eq!(heads, school.classes.len());
    }
    assert!(ids.iter().all(|id| checks(id)));
}

/// The check of GB 11643 written the other way round: the weighted sum is 1 modulo 11.
fn checks(id: &str) -> bool {
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2, 1];
    let value = |digit: char| digit.to_digit(10).unwrap_or(10);
    let sum: u32 = id
        .chars()
        .map(value)
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    id.len() == 18 && sum % 11 == 1
}

#[test]
fn the_published_examples_of_resident_ids_come_out() {
    let birth = NaiveDate::from_ymd_opt(1949, 12, 31).unwrap();
    assert_eq!(resident_id("110105", birth, 2), "11010519491231002X");
    let birth = NaiveDate::from_ymd_opt(1880, 1, 1).unwrap();
    assert_eq!(resident_id("440524", birth, 1), "440524188001010014");
}

#[test]
fn the_same_seed_writes_the_same_bytes_and_another_seed_other_people() {
    let files = |seed| {
        let folder = tempfile::tempdir().unwrap();
        let done = AtomicU64::new(0);
        let written = write::city(&city(2_000, seed), folder.path(), &done).unwrap();
        assert_eq!(done.into_inner(), 2_000);
        let names = [
            "oneroster/users.csv",
            "oneroster/enrollments.csv",
            "xueji.csv",
            "campus/staff.csv",
            "campus/responsibilities.csv",
        ];
        let bytes = names.map(|name| std::fs::read(folder.path().join(name)).unwrap());
        assert!(written.bytes > bytes.iter().map(|file| file.len() as u64).sum());
        bytes
    };
    let first = files(7);
    assert!(first == files(7), "the same seed gave other bytes");
    assert!(first != files(8), "another seed gave the same bytes");
}

#[test]
fn exactly_one_answers_for_each_subject() {
    for school in city(10_000, 2).schools() {
        let duties: Vec<_> = school
            .responsibilities()
            .map(|duty| (duty.subject, duty.class))
            .collect();
        let distinct: HashSet<_> = duties.iter().collect();
        assert_eq!(distinct.len(), duties.len());
        assert!(
            duties
                .iter()
                .any(|(subject, _)| *subject == "EPIDEMIC_CONTROL")
        );
    }
}

#[test]
fn rows_are_numbered_without_gaps_and_counted_beforehand() {
    let city = city(3_000, 4);
    let numbers: Vec<i64> = city.rows().map(|row| row.row).collect();
    assert_eq!(numbers.len() as u64, city.row_count());
    assert!(
        numbers
            .iter()
            .zip(1..)
            .all(|(row, expected)| *row == expected)
    );
}

#[test]
fn boarders_and_only_they_sleep_in_rooms_of_six_with_their_own_sex() {
    let city = city(20_000, 1);
    let (mut shared, mut rooms) = (0, HashSet::new());
    for school in city.schools() {
        let mut beds: BTreeMap<&str, Vec<(&str, Sex)>> = BTreeMap::new();
        for class in &school.classes {
            for student in &class.students {
                assert_eq!(student.boarder, !student.dormitory.is_empty());
                if student.boarder {
                    let beds = beds.entry(&student.dormitory).or_default();
                    beds.push((&class.id, student.sex));
                }
            }
        }
        for (room, beds) in beds {
            assert!(beds.len() <= 6, "{room}: {}", beds.len());
            assert!(beds.iter().all(|(_, sex)| *sex == beds[0].1), "{room}");
            shared += usize::from(beds.iter().any(|(class, _)| *class != beds[0].0));
            rooms.insert((school.plan.code.clone(), room.to_owned()));
        }
    }
    assert!(shared > 0, "a room across class groups");
    assert!(rooms.len() > 50, "{}", rooms.len());
}
