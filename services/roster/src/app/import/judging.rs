//! One stretch of rows: each is judged by itself, held against the register, and laid out for its
//! table.

use kit::status::Problem;
use proto::roster::import_row::Record as Row;
use proto::roster::{ImportRequest, ImportRow};
use uuid::Uuid;

use super::super::App;
use super::intake::Outcome;
use super::placing::{Placed, Refusal};
use super::register::{Register, Standing};
use super::sheets::{Raw, Sheets};
use crate::domain::division;
use crate::domain::import::{Context, Finding, Kind, Record, judge, normal};
use crate::error::Error;
use crate::grpc::import_convert;
use crate::store::import::jobs::{Counts, Job, Stretch};
use crate::store::import::verdicts::Verdict;
use crate::vault;

/// Rows of one message.
const MOST_ROWS: usize = 1000;
/// Raised when judging changes, so that rows which stand in the register are judged anew.
const JUDGEMENT: u8 = 1;

/// Judges the rows of one job.
#[derive(Debug)]
pub(super) struct Judging {
    pub(super) app: App,
    pub(super) job: Job,
    pub(super) register: Register,
    context: Context,
    scratch: Vec<u8>,
}

/// What is being gathered of one stretch.
struct Gathering {
    sheets: Sheets,
    verdicts: Vec<Verdict>,
    outcome: Outcome,
}

/// One row on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) row: i64,
    pub(super) kind: Kind,
}

impl Judging {
    /// Loads what the rows are held against.
    pub(super) async fn open(app: &App, job: Job) -> Result<Self, Error> {
        let register = Register::load(&app.db, &job).await?;
        let context = Context {
            today: app.clock.today(),
            division: division::for_import,
        };
        Ok(Self {
            app: app.clone(),
            job,
            register,
            context,
            scratch: Vec::new(),
        })
    }

    /// Judges the rows of some messages. Rows that are durable already are passed over.
    pub(super) fn take(
        &mut self,
        messages: Vec<ImportRequest>,
    ) -> Result<(Stretch, Outcome), Error> {
        let after = self.job.durable_row;
        let mut gathering = Gathering {
            sheets: Sheets::new(self.app.db.backend(), self.job.number),
            verdicts: Vec::new(),
            outcome: Outcome::default(),
        };
        for message in messages {
            if message.rows.len() > MOST_ROWS {
                let (zh, en) = ("一条消息最多 1000 行", "at most 1000 rows a message");
                return Err(Problem::invalid("rows", zh, en).into());
            }
            for (place, row) in message.rows.into_iter().enumerate() {
                self.row(place, row, &mut gathering)?;
            }
        }
        let Gathering {
            sheets,
            verdicts,
            mut outcome,
        } = gathering;
        self.job.update_time = self.app.now();
        outcome.durable_row = self.job.durable_row;
        let sheets = sheets.finish(self.job.durable_row, &verdicts);
        outcome.verdicts = verdicts;
        Ok((
            Stretch {
                job: self.job.clone(),
                after,
                sheets,
            },
            outcome,
        ))
    }

    fn row(&mut self, place: usize, row: ImportRow, to: &mut Gathering) -> Result<(), Error> {
        let ImportRow {
            row: number,
            removal,
            external_id,
            record,
        } = row;
        if number < 1 {
            let field = format!("rows[{place}].row");
            return Err(
                Problem::invalid(field, "行号从 1 开始", "rows are numbered from 1").into(),
            );
        }
        if number <= self.job.durable_row {
            return Ok(());
        }
        if number != self.job.durable_row + 1 {
            return Err(Error::Gap(self.job.durable_row));
        }
        let Some(record) = record else {
            let field = format!("rows[{place}].record");
            return Err(Problem::invalid(field, "必填", "required").into());
        };
        self.job.durable_row = number;
        let kind = import_convert::kind_of(&record);
        let at = Place { row: number, kind };
        self.counts(kind).received += 1;
        let person = self.person(kind, &external_id);
        let raw = self.raw_hash(&record);
        if let Some(id) = person {
            match self.register.people(kind).standing(id, raw) {
                Standing::Same if !removal => {
                    self.counts(kind).same += 1;
                    to.outcome.accepted += 1;
                    self.register.people(kind).name(id);
                    to.sheets.saw(kind, id);
                    return Ok(());
                }
                Standing::Known | Standing::Same if removal => {
                    to.outcome.accepted += 1;
                    self.register.people(kind).name(id);
                    to.sheets.saw(kind, id);
                    to.sheets.gone(kind, id);
                    return Ok(());
                }
                Standing::New if removal => {
                    // There is nobody to remove.
                    to.outcome.accepted += 1;
                    return Ok(());
                }
                Standing::Repeated => {
                    self.refuse(at, &[Refusal::DUPLICATE_ROW], to);
                    return Ok(());
                }
                Standing::New | Standing::Known | Standing::Same => {}
            }
        }
        let cells = import_convert::cells(record);
        let judged = judge(
            &Record {
                external_id,
                removal,
                cells,
            },
            &self.context,
        );
        let Some(clean) = judged.clean else {
            self.refuse(at, &judged.findings, to);
            self.keep(at, person, to);
            return Ok(());
        };
        let hash = half(clean.content_hash());
        // A row with remarks is judged anew each time, so that its remarks are made anew.
        let raw = judged.findings.is_empty().then_some(raw);
        let raw = Raw {
            removal,
            content_hash: hash,
            raw_hash: raw,
        };
        if removal && !self.is_present(&clean) {
            to.outcome.accepted += 1;
            return Ok(());
        }
        match self.place(clean, person, &judged.external_id, removal) {
            Ok(placed) => {
                self.stage(at, &placed, &raw, to);
                if !judged.findings.is_empty() {
                    self.counts(kind).remarked += 1;
                    say(at, &judged.findings, false, to);
                }
            }
            Err(refusal) => {
                let findings = [judged.findings.as_slice(), &[refusal]].concat();
                self.refuse(at, &findings, to);
                self.keep(at, person, to);
            }
        }
        Ok(())
    }

    fn stage(&mut self, at: Place, placed: &Placed, raw: &Raw, to: &mut Gathering) {
        to.outcome.accepted += 1;
        if let Some(id) = placed.person() {
            self.register.people(at.kind).name(id);
            to.sheets.saw(at.kind, id);
        }
        to.sheets.stage(at.row, placed, raw);
    }

    fn refuse(&mut self, at: Place, findings: &[Finding], to: &mut Gathering) {
        self.counts(at.kind).refused += 1;
        to.outcome.rejected += 1;
        say(at, findings, true, to);
    }

    /// Somebody whose row is refused is among the rows all the same, and has not vanished.
    fn keep(&mut self, at: Place, person: Option<Uuid>, to: &mut Gathering) {
        let people = self.register.people(at.kind);
        if let Some(id) = person.filter(|id| people.is_there(*id)) {
            people.name(id);
            to.sheets.saw(at.kind, id);
        }
    }

    pub(super) fn counts(&mut self, kind: Kind) -> &mut Counts {
        self.job.counts.entry(kind).or_default()
    }

    /// The identifier that follows from source and external id; none for what is no person.
    fn person(&self, kind: Kind, external_id: &str) -> Option<Uuid> {
        let word = match kind {
            Kind::StaffMember | Kind::Student | Kind::Guardian => kind.as_str(),
            Kind::Organization | Kind::ClassGroup => return None,
        };
        let external_id = normal(external_id);
        (!external_id.is_empty())
            .then(|| self.app.vault.person(word, &self.job.source, &external_id))
    }

    /// Tells whether a row is the very row that came before. Never 0, and never odd.
    fn raw_hash(&mut self, record: &Row) -> i64 {
        self.scratch.clear();
        self.scratch.push(JUDGEMENT);
        record.encode(&mut self.scratch);
        let digest = vault::digest(&self.scratch);
        let mut head = [0; 8];
        head.copy_from_slice(&digest[..8]);
        (i64::from_be_bytes(head) & !1) | 2
    }
}

fn half(hash: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    half
}

fn say(at: Place, findings: &[Finding], rejected: bool, to: &mut Gathering) {
    for (place, finding) in (0..100).zip(findings) {
        to.verdicts.push(Verdict {
            row: at.row,
            place,
            kind: at.kind,
            field: finding.column,
            reason: finding.reason,
            rejected: rejected && finding.reason.refuses(),
        });
    }
}
