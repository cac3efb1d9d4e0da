//! Rolls, draws, swabs, results, holds and what bears on entering the school.

use kit::auth::Permission;
use kit::said;
use kit::subject::{As, By, Field, Rows, Section};
use proto::sampling::clearance::{Control, Medical};
use proto::sampling::{ResultValue, hold};

use super::words::DAY;

const BASIS: &str =
    "传染病防治法、突发公共卫生事件应急条例；个人信息保护法第十三条第一款第三项、第四项";
/// For how long records are kept is a setting of each place; this is the period that is shipped.
const UNTIL: &str = "六个月，未了结的至了结后（规则6.13，以当地政策为准）；应急期间收集的于应急结束后销毁（规则6.12）";
const IN_FORCE: &str = "限制期间，解除时删除";
const ENROLLED: &str = "在籍期间，随学籍变动更新";

const fn section(name: &'static str, titles: (&'static str, &'static str)) -> Section {
    let (title, title_en) = titles;
    Section {
        name,
        title,
        title_en,
        purpose: "师生核酸采样与疫情防控",
        basis: BASIS,
        retention: UNTIL,
        guard: None,
        only: None,
        reserve: None,
        tables: &[],
        rows: None,
    }
}

pub(super) const ROLL: Section = Section {
    retention: ENROLLED,
    purpose: "确定采样、检查的应到人员",
    tables: &["people", "class_rolls", "dormitories"],
    ..section(super::ROLL, ("在册信息", "roll"))
};

pub(super) const TURNS: Section = Section {
    retention: ENROLLED,
    purpose: "按最久未采样者优先安排抽样",
    guard: Some(Permission::DrawRead),
    tables: &["rotation"],
    ..section(super::TURNS, ("抽样轮次", "turn to be swabbed"))
};

pub(super) const DRAWS: Section = Section {
    purpose: "每日抽样，可事后验证",
    guard: Some(Permission::DrawRead),
    tables: &["draws", "draw_groups", "draw_replacements"],
    ..section(super::DRAWS, ("参与的抽样", "draws"))
};

pub(super) const SWABS: Section = Section {
    guard: Some(Permission::TubeRead),
    tables: &["swabs", "tubes"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "swabs s JOIN tubes t ON t.code = s.tube WHERE s.person = $1 AND s.counted",
        order: "s.scan_time DESC, s.tube",
        fields: SWAB,
    }),
    ..section("swabs", ("采样记录", "swabs"))
};

/// Swabs of tubes that were void, lost or rejected.
pub(super) const UNCOUNTED: Section = Section {
    guard: Some(Permission::TubeRead),
    tables: &["swabs", "tubes"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "swabs s JOIN tubes t ON t.code = s.tube WHERE s.person = $1 AND NOT s.counted",
        order: "s.scan_time DESC, s.tube",
        fields: SWAB,
    }),
    ..section(
        "uncounted_swabs",
        ("未计入的采样记录", "swabs that do not count"),
    )
};

const SWAB: &[Field] = &[
    Field("tube", "s.tube", As::Text),
    Field("date", "s.day", DAY),
    Field("scan_time", "s.scan_time", As::Millis),
    Field("class_group", "s.org_path", As::Text),
    Field("laboratory", "t.laboratory", As::Text),
    Field("seal_time", "t.seal_time", As::Millis),
    Field("receive_time", "t.receive_time", As::Millis),
];

pub(super) const RESULTS: Section = Section {
    guard: Some(Permission::ResultRead),
    tables: &["results"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "swabs s JOIN results r ON r.tube = s.tube WHERE s.person = $1 AND s.counted",
        order: "r.receive_time DESC, r.tube, r.version DESC",
        fields: &[
            Field("tube", "r.tube", As::Text),
            Field("version", "r.version", As::Number),
            Field("value", "r.value", said!(ResultValue)),
            Field("test_time", "r.test_time", As::Millis),
            Field("receive_time", "r.receive_time", As::Millis),
        ],
    }),
    ..section("results", ("检测结果", "results of the tubes"))
};

pub(super) const MAKE_UPS: Section = Section {
    guard: Some(Permission::DrawRead),
    tables: &["make_ups"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "make_ups m WHERE m.person = $1",
        order: "m.create_time DESC",
        fields: &[
            Field("tube", "m.tube", As::Text),
            Field("cause", "m.cause", As::Text),
            Field("create_time", "m.create_time", As::Millis),
        ],
    }),
    ..section("make_ups", ("补采任务", "swabs to be taken again"))
};

pub(super) const HOLDS: Section = Section {
    guard: Some(Permission::HoldRead),
    tables: &["holds", "hold_events"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "swabs s JOIN holds h ON h.tube = s.tube WHERE s.person = $1 AND s.counted",
        order: "h.start_time DESC",
        fields: &[
            Field("tube", "h.tube", As::Text),
            Field("state", "h.state", said!(hold::State)),
            Field("start_time", "h.start_time", As::Millis),
            Field("end_time", "h.end_time", As::Millis),
            Field("policy_version", "h.policy_version", As::Text),
        ],
    }),
    ..section("holds", ("混检异常后的管控", "holds of the tubes"))
};

pub(super) const RECHECKS: Section = Section {
    guard: Some(Permission::HoldRead),
    tables: &["rechecks"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "rechecks r WHERE r.person = $1",
        order: "r.due_time DESC",
        fields: &[
            Field("hold", "r.hold", As::Text),
            Field("due_time", "r.due_time", As::Millis),
        ],
    }),
    ..section("rechecks", ("单采复核", "single swabs that were ordered"))
};

pub(super) const CLEARANCE: Section = Section {
    purpose: "判断能否进入校园",
    retention: IN_FORCE,
    guard: Some(Permission::HealthRead),
    tables: &["clearances", "control_versions"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "clearances c WHERE c.person = $1",
        order: "c.effective_time DESC",
        fields: &[
            Field("control", "c.control", said!(Control)),
            Field("medical", "c.medical", said!(Medical)),
            Field("effective_time", "c.effective_time", As::Millis),
            Field("rule", "c.rule", As::Text),
            Field("policy_version", "c.policy_version", As::Text),
        ],
    }),
    ..section("clearance", ("准入状态", "clearance"))
};

/// What each control rests on is the name of a hold or of a case, which may be somebody else's.
pub(super) const CONTROLS: Section = Section {
    purpose: "判断能否进入校园",
    retention: IN_FORCE,
    guard: Some(Permission::HealthRead),
    tables: &["control_states"],
    rows: Some(Rows {
        by: By::Bytes,
        from: "control_states c WHERE c.person = $1",
        order: "c.since DESC",
        fields: &[
            Field("control", "c.control", said!(Control)),
            Field("since", "c.since", As::Millis),
            Field("until", "c.until", As::Millis),
            Field("rule", "c.rule", As::Text),
            Field("policy_version", "c.policy_version", As::Text),
        ],
    }),
    ..section("controls", ("管控状态", "controls in force"))
};
