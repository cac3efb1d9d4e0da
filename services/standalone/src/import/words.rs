//! What the command says of a job.

use std::cmp::Reverse;
use std::path::Path;

use proto::roster::{ImportJob, ImportKind, import_job};

use super::Found;
use super::sealed::{Listed, Reason};
use crate::screen::{self, Align, Table, count};

/// How many reasons are shown; the list has all.
const SHOWN: usize = 20;

/// What became of a job that takes no rows any more.
pub(super) fn state(state: import_job::State) -> &'static str {
    use import_job::State;
    match state {
        State::Unspecified => "状态不明 (unknown state)",
        State::Receiving => "正在接收 (receiving)",
        State::Planned => "已比对 (planned)",
        State::Committed => "已经入册，无需再做 (committed before)",
        State::RolledBack => "已经撤回，请重新导入 (rolled back: import again)",
        State::Discarded => "已经放弃，请重新导入 (discarded: import again)",
    }
}

/// What a commit would do.
pub(super) fn plan(job: &ImportJob, found: Found) {
    let right = |name| (name, Align::Right);
    let mut table = Table::new([
        ("种类 kind", Align::Left),
        right("收到"),
        right("新增"),
        right("变更"),
        right("未变"),
        right("离册"),
        right("退回"),
    ]);
    for one in &job.counts {
        let kind = match one.kind() {
            ImportKind::Unspecified => continue,
            ImportKind::Organization => "机构 organisations",
            ImportKind::ClassGroup => "班级 class groups",
            ImportKind::StaffMember => "教职工 staff",
            ImportKind::Student => "学生 students",
            ImportKind::Guardian => "监护人 guardians",
        };
        let number = |value: i64| count(value.unsigned_abs());
        table.row([
            kind.to_owned(),
            number(one.received),
            number(one.created),
            number(one.changed),
            number(one.unchanged),
            number(one.vanished),
            number(one.rejected),
        ]);
    }
    table.print();
    if found.refused_lines > 0 {
        screen::line(format_args!(
            "   另有 {} 行未登记，原因见问题清单 (more lines are not registered: see the list of faults)",
            count(found.refused_lines)
        ));
    }
}

/// What there is to put right, the most frequent first; where the list is, and its seal.
pub(super) fn faults(listed: &Listed, path: &Path, may_add_schools: bool) {
    let mut reasons: Vec<_> = listed.reasons.iter().collect();
    reasons.sort_by_key(|(reason, count)| (Reverse(**count), *reason));
    for (
        Reason {
            word,
            outcome,
            hint,
        },
        number,
    ) in reasons.into_iter().take(SHOWN)
    {
        let number = count(*number);
        screen::line(format_args!("   {outcome} {number:>7}  {word}：{hint}"));
    }
    let unknown = |reason: &Reason| reason.word == "UNKNOWN_ORGANIZATION";
    if may_add_schools && listed.reasons.keys().any(unknown) {
        screen::line(
            "   提示：名册中没有的学校可用 --new-schools 由本表新增 (adds the schools of the sheet)",
        );
    }
    screen::line(format_args!(
        "   问题清单 {}：{} 条 (list of faults)",
        path.display(),
        count(listed.count)
    ));
    screen::line(format_args!("   SHA-256  {}", listed.seal.0));
}
