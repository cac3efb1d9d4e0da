//! Files that nobody here wrote, where they are at hand, and what becomes of each line of them; then
//! what happens when a delivery is wrong.

use std::path::{Path, PathBuf};

use proto::roster::{ImportKind, import_job};
use standalone::import::Grade;

use crate::desk::{Desk, counts};
use crate::invented;

/// The folder with the samples: beside one of the folders above this crate.
fn sample(name: &str) -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut found = above.map(|folder| folder.join("shared/data/oneroster").join(name));
    let found = found.find(|path| path.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: the sample {name} is not at hand");
    }
    found
}

fn line(file: &str, line: u64, column: &str, outcome: &str, reason: &str) -> crate::desk::Fault {
    let owned = str::to_owned;
    (
        owned(file),
        line,
        owned(column),
        owned(outcome),
        owned(reason),
    )
}

#[tokio::test]
async fn the_sample_of_version_1p2_is_imported_with_each_line_explained() {
    let Some(path) = sample("catalyst_v1p2_full_dataset.zip") else {
        return;
    };
    let desk = Desk::open().await;
    let job = desk.import(&path).await;
    assert_eq!(job.state(), import_job::State::Committed);
    assert_eq!(counts(&job, ImportKind::Organization), [2, 0, 0, 0, 0]);
    assert_eq!(counts(&job, ImportKind::StaffMember), [3, 0, 0, 0, 0]);
    assert_eq!(counts(&job, ImportKind::Student), [0, 0, 0, 0, 3]);
    let (users, enrolments) = ("users.csv", "enrollments.csv");
    let mut expected = vec![
        line("orgs.csv", 2, "parentSourcedId", "提示", "UNKNOWN_PARENT"),
        line("classes.csv", 2, "classType", "提示", "COURSE_CLASS"),
        line(enrolments, 3, "role", "退回", "ENROLMENT_ROLE"),
        line(
            enrolments,
            5,
            "classSourcedId",
            "提示",
            "ENROLMENT_IN_REMOVED",
        ),
        line(enrolments, 6, "role", "退回", "ENROLMENT_ROLE"),
        line(
            enrolments,
            7,
            "classSourcedId",
            "提示",
            "ENROLMENT_IN_REMOVED",
        ),
        line(users, 3, "sourcedId", "退回", "NO_CLASS_GROUP"),
        line(users, 6, "sourcedId", "退回", "CLASS_REMOVED"),
        line(users, 7, "sourcedId", "退回", "NO_CLASS_GROUP"),
        line(users, 2, "agentSourcedIds", "退回", "UNKNOWN_STUDENT"),
    ];
    for number in [2, 4, 5] {
        expected.push(line(
            users,
            number,
            "dateLastModified",
            "提示",
            "MODIFIED_DATE",
        ));
        expected.push(line(users, number, "phone", "提示", "PHONE"));
    }
    // The line of somebody who is both staff and guardian is told of twice.
    expected.push(line(users, 2, "phone", "提示", "PHONE"));
    let mut found = desk.faults();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);

    let mut args = desk.args(&path);
    args.unassigned = true;
    let job = desk.run(args).await.expect("it is imported");
    assert_eq!(counts(&job, ImportKind::Student), [3, 0, 0, 0, 0]);
    assert_eq!(counts(&job, ImportKind::Guardian), [2, 0, 0, 0, 0]);
    assert_eq!(counts(&job, ImportKind::StaffMember), [0, 0, 3, 0, 0]);
    desk.close().await;
}

#[tokio::test]
async fn the_minimal_sample_of_version_1p1_is_imported_with_each_line_explained() {
    let Some(path) = sample("catalyst_Test_minimal_data_set.zip") else {
        return;
    };
    let desk = Desk::open().await;
    let mut args = desk.args(&path);
    args.assume_grade = Grade::from_number(10);
    let job = desk.run(args).await.expect("it is imported");
    assert_eq!(counts(&job, ImportKind::ClassGroup), [1, 0, 0, 0, 0]);
    assert_eq!(counts(&job, ImportKind::StaffMember), [2, 0, 0, 0, 0]);
    assert_eq!(counts(&job, ImportKind::Student), [1, 0, 0, 0, 2]);
    let users = "users.csv";
    assert_eq!(
        desk.faults(),
        [
            line("classes.csv", 2, "classType", "提示", "COURSE_CLASS"),
            line("enrollments.csv", 3, "role", "退回", "ENROLMENT_ROLE"),
            line("enrollments.csv", 6, "role", "退回", "ENROLMENT_ROLE"),
            line(users, 3, "sourcedId", "退回", "NO_CLASS_GROUP"),
            line(users, 7, "sourcedId", "退回", "NO_CLASS_GROUP"),
            line(
                users,
                4,
                "agentSourcedIds",
                "退回",
                "GUARDIAN_WITHOUT_STUDENT"
            ),
        ]
    );
    let mut args = desk.args(&path);
    args.dry_run = true;
    args.allow_vanishing = true;
    let job = desk.run(args).await.expect("it is planned");
    assert_eq!(job.state(), import_job::State::Planned);
    assert!(
        desk.faults()
            .contains(&line("classes.csv", 3, "grades", "退回", "GRADE_UNKNOWN"))
    );
    desk.close().await;
}

/// The sheet of an invented city without the lines that `leave` names.
fn sheet(folder: &Path, leave: impl Fn(usize) -> bool) -> PathBuf {
    let text = std::fs::read_to_string(folder.join("xueji.csv")).expect("a sheet");
    let lines = text.lines().enumerate();
    let kept: Vec<&str> = lines
        .filter(|(at, _)| !leave(*at))
        .map(|(_, line)| line)
        .collect();
    let path = folder.join("part.csv");
    std::fs::write(&path, kept.join("\n")).expect("it is written");
    path
}

#[tokio::test]
async fn half_a_delivery_is_held_back_until_that_is_meant() {
    let desk = Desk::open().await;
    let files = invented::files(200);
    desk.import(&files.path().join("campus")).await;
    desk.import(&files.path().join("xueji.csv")).await;
    let before = desk.register().await;
    let half = sheet(files.path(), |at| at > 100);

    let err = desk
        .run(desk.args(&half))
        .await
        .expect_err("too many leave");
    let said = standalone::screen::failure(&err);
    assert!(said.contains("--allow-vanishing"), "{said}");
    assert_eq!(desk.register().await, before);

    // The plan waits: it is committed under its name, without sending the rows again.
    let name = said
        .split_whitespace()
        .find(|word| word.starts_with("importJobs/"));
    let mut args = desk.args(&half);
    args.resume = name.map(str::to_owned);
    args.allow_vanishing = true;
    let job = desk.run(args).await.expect("it is committed");
    assert_eq!(counts(&job, ImportKind::Student), [0, 0, 100, 100, 0]);

    // Changes only: whoever is missing stays.
    let mut args = desk.args(&sheet(files.path(), |at| at > 0 && at != 150));
    args.delta = true;
    let job = desk.run(args).await.expect("it is committed");
    assert_eq!(counts(&job, ImportKind::Student), [1, 0, 0, 0, 0]);
    desk.close().await;
}

#[tokio::test]
async fn people_whose_lines_are_refused_do_not_vanish() {
    let desk = Desk::open().await;
    let files = invented::files(200);
    desk.import(&files.path().join("campus")).await;
    desk.import(&files.path().join("xueji.csv")).await;
    let sheet = files.path().join("xueji.csv");
    let text = std::fs::read_to_string(&sheet).expect("a sheet");
    let broken = files.path().join("broken.csv");
    std::fs::write(&broken, text.replace("年级,", "念级,")).expect("it is written");
    let job = desk.import(&broken).await;
    let [created, changed, unchanged, vanished, rejected] = counts(&job, ImportKind::Student);
    assert_eq!((created, changed, vanished), (0, 0, 0));
    assert!(rejected > 50 && unchanged + rejected == 200, "{rejected}");
    desk.close().await;
}

#[tokio::test]
async fn a_sheet_alone_fills_an_empty_register_when_its_schools_may_be_added() {
    let desk = Desk::open().await;
    let files = invented::files(200);
    let sheet = files.path().join("xueji.csv");
    let mut args = desk.args(&sheet);
    args.dry_run = true;
    let job = desk.run(args).await.expect("it is planned");
    assert_eq!(counts(&job, ImportKind::Student)[4], 200);
    let unknown = |fault: &crate::desk::Fault| fault.4 == "UNKNOWN_ORGANIZATION";
    assert_eq!(
        desk.faults().iter().filter(|fault| unknown(fault)).count(),
        200
    );

    let mut args = desk.args(&sheet);
    args.new_schools = true;
    let job = desk.run(args).await.expect("it is imported");
    assert_eq!(counts(&job, ImportKind::Student), [200, 0, 0, 0, 0]);
    assert_eq!(desk.faults(), []);
    desk.close().await;
}
