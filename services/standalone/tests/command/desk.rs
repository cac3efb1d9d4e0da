//! A house on SQLite for a moment, and somebody at its desk who imports files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use calamine::{DataType as _, Reader as _, Xlsx};
use chrono::NaiveDate;
use kit::auth::Role;
use kit::clock::ManualClock;
use kit::drain::Drain;
use proto::roster::{ImportJob, ImportKind};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use standalone::house::{Databases, Door, House, Options};
use standalone::import::{self, Client, ImportArgs};
use tempfile::TempDir;

/// The day on which everything happens.
pub(crate) fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, 4, 7).expect("a day")
}

/// A house that answers.
pub(crate) struct Desk {
    house: House,
    folder: TempDir,
}

/// What is on the list of faults: file, line, column, outcome and reason.
pub(crate) type Fault = (String, u64, String, String, String);

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::within(tempfile::tempdir().expect("a folder")).await
    }

    /// Two with the same keys, so that what they hold can be compared.
    pub(crate) async fn twins() -> [Self; 2] {
        let Self { house, folder } = Self::open().await;
        house.close().await.expect("it closes");
        let other = tempfile::tempdir().expect("a folder");
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let from = entry.expect("a file").path();
            let name = from.file_name().expect("a name");
            if from.is_file() {
                std::fs::copy(&from, other.path().join(name)).expect("it is copied");
            }
        }
        [Self::within(folder).await, Self::within(other).await]
    }

    async fn within(folder: TempDir) -> Self {
        let options = Options::trial(Databases::sqlite(folder.path()));
        let clock = Arc::new(ManualClock::morning_of(today()));
        let house = House::open(&options, clock, Drain::new())
            .await
            .expect("the house opens");
        Self { house, folder }
    }

    pub(crate) fn officer(&self) -> Door {
        let scope = "fz".parse().expect("a place");
        let door = self.house.caller(Role::CityOfficer, &scope);
        door.expect("an address")
    }

    /// What the command is asked for; the list of faults goes into the folder of the house.
    pub(crate) fn args(&self, path: &Path) -> ImportArgs {
        ImportArgs {
            path: path.to_owned(),
            organization: "fz".to_owned(),
            source: None,
            delta: false,
            dry_run: false,
            vanish_threshold: 0.05,
            allow_vanishing: false,
            assume_grade: None,
            unassigned: false,
            new_schools: false,
            date: None,
            resume: None,
            errors: Some(self.errors()),
        }
    }

    fn errors(&self) -> PathBuf {
        self.folder.path().join("faults.xlsx")
    }

    pub(crate) async fn run(&self, args: ImportArgs) -> anyhow::Result<ImportJob> {
        let _ = std::fs::remove_file(self.errors());
        import::run(args, today(), Client::new(self.officer())).await
    }

    /// Imports a file as it is.
    pub(crate) async fn import(&self, path: &Path) -> ImportJob {
        self.run(self.args(path)).await.expect("it is imported")
    }

    /// The list of faults that the last import left.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let path = self.errors();
        if !path.exists() {
            return Vec::new();
        }
        let mut book: Xlsx<_> = calamine::open_workbook(path).expect("a spreadsheet opens it");
        let mut faults = Vec::new();
        for (_, range) in book.worksheets() {
            for row in range.rows().skip(1) {
                let cell = |place: usize| row[place].as_string().unwrap_or_default();
                let line = cell(1).parse().expect("the number of a line");
                assert!(!cell(5).is_ascii(), "a hint in Chinese");
                faults.push((cell(0), line, cell(2), cell(3), cell(4)));
            }
        }
        faults
    }

    /// Everything in the register but what follows from the source: ids and instants.
    pub(crate) async fn register(&self) -> Vec<String> {
        let file = self.folder.path().join("roster.sqlite");
        let options = SqliteConnectOptions::new().filename(file).read_only(true);
        let pool = SqlitePool::connect_with(options).await.expect("it opens");
        let mut all = Vec::new();
        for sql in [
            "SELECT 'o ' || org_path || ' ' || kind || ' ' || display_name || ' ' || division_code \
             || ' ' || coalesce(school_code, '') FROM organizations WHERE state = 1",
            "SELECT 'c ' || c.org_path || ' ' || c.display_name || ' ' || c.state || ' ' || \
             coalesce(w.display_name, '') FROM class_groups c LEFT JOIN staff w ON w.id = c.head_teacher",
            "SELECT 'w ' || org_path || ' ' || display_name || ' ' || source_posts || ' ' || \
             hex(id_hash) FROM staff WHERE state <> 3",
            "SELECT 's ' || org_path || ' ' || display_name || ' ' || sex || ' ' || birth_month || \
             ' ' || boarder || ' ' || hex(id_hash) FROM students WHERE state = 1",
            "SELECT 'g ' || g.display_name || ' ' || g.relation || ' ' || g.priority || ' ' || \
             hex(s.id_hash) FROM guardians g JOIN students s ON s.id = g.student",
        ] {
            let rows = sqlx::query_scalar::<_, String>(sql).fetch_all(&pool).await;
            all.extend(rows.expect("it is read"));
        }
        all.sort_unstable();
        all
    }

    pub(crate) async fn close(self) {
        self.house.close().await.expect("it closes");
    }
}

/// What a job did: created, changed, unchanged, vanished, rejected of a kind.
pub(crate) fn counts(job: &ImportJob, kind: ImportKind) -> [i64; 5] {
    let found = job.counts.iter().find(|one| one.kind() == kind);
    found.map_or([0; 5], |one| {
        [
            one.created,
            one.changed,
            one.unchanged,
            one.vanished,
            one.rejected,
        ]
    })
}
