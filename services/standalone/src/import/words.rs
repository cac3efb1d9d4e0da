//! What the command says of a job.

use std::path::Path;

use proto::roster::{ImportJob, ImportKind, import_job};

use super::{Found, Seal};
use crate::screen::{self, Align, Table, count};

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
        right("收到 rows"),
        right("新增 new"),
        right("变更 changed"),
        right("未变 same"),
        right("离册 leave"),
        right("退回 refused"),
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
            "   另有 {} 行读不成记录，未送 ({} lines are no records)",
            count(found.refused_lines),
            count(found.refused_lines)
        ));
    }
}

/// Where the list of faults is, and its seal.
pub(super) fn faults(faults: u64, path: &Path, seal: &Seal) {
    screen::line(format_args!(
        "   问题清单 {}：{} 条 (list of faults)",
        path.display(),
        count(faults)
    ));
    screen::line(format_args!("   SHA-256  {}", seal.0));
}
