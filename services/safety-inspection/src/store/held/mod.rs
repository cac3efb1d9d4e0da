//! What is held about one student or member of staff (rules 6.2 and 6.14), and every table that is not told of, with
//! why.
//!
//! Other people are left out: guards, who overrode a decision, whoever held a drill.

mod gathered;
mod left_out;

use kit::auth::Permission;
use kit::said;
use kit::subject::{As, By, Field, Group, Rows, Section};
use proto::safety::gate_decision::Result as Outcome;
use proto::safety::{accountability_record, duty_shift};

pub use gathered::{clearances, drills, gate_decisions, roll};
pub use left_out::LEFT_OUT;

/// Where the register says that somebody is.
pub const ROLL: &str = "roll";
/// Whether somebody may enter, and might before.
pub const CLEARANCES: &str = "clearances";
/// What gates of the school decided.
pub const GATE_DECISIONS: &str = "gate_decisions";
/// Drills at which somebody was missing.
pub const DRILLS: &str = "drills_missing";

const BASIS: &str =
    "传染病防治法第十二条、未成年人保护法第三十五条；个人信息保护法第十三条第一款第三项、第四项";

const fn section(name: &'static str, titles: (&'static str, &'static str)) -> Section {
    let (title, title_en) = titles;
    Section {
        name,
        title,
        title_en,
        purpose: "校门核验与校园安全",
        basis: BASIS,
        retention: "三十日；应急期间的于应急结束后销毁（规则6.12、6.13）",
        guard: Some(Permission::GateRead),
        only: None,
        reserve: None,
        tables: &[],
        rows: None,
    }
}

/// What there is of those who work only.
const fn of_staff(name: &'static str, titles: (&'static str, &'static str)) -> Section {
    Section {
        purpose: "在岗值守与巡查",
        basis: "中小学幼儿园安全管理办法；个人信息保护法第十三条第一款第三项",
        retention: "五年以上，按档案管理规定",
        only: Some(Group::Staff),
        ..section(name, titles)
    }
}

/// Every section, in the order in which they are told.
pub static SECTIONS: [Section; 9] = [
    Section {
        retention: "在籍期间，随学籍变动更新",
        guard: None,
        tables: &["facts", "class_groups"],
        ..section(ROLL, ("在册信息", "roll"))
    },
    Section {
        retention: "当前状态随变动更新；此前状态八日",
        guard: Some(Permission::HealthRead),
        tables: &["facts", "clearances_before"],
        ..section(CLEARANCES, ("准入状态", "clearances"))
    },
    Section {
        tables: &["gate_decisions", "gate_overrides"],
        ..section(
            GATE_DECISIONS,
            ("入校核验记录", "decisions at the gates of the school"),
        )
    },
    // Whoever was simply let in at another school is found by that school only.
    Section {
        retention: "三十日；在其他学校正常放行的记录只按该校保存，不能按人检索，三十日后删除",
        tables: &["gate_decisions"],
        rows: Some(Rows {
            by: By::Name,
            from: "gate_decisions d WHERE d.person = $1 AND d.school <> $2 \
                   AND (d.outcome <> 1 OR d.recheck_of IS NOT NULL OR d.expected <> 1)",
            order: "d.id DESC",
            fields: &[
                Field("school", "d.school", As::Text),
                Field("decide_time", "d.decide_time", As::Instant),
                Field("outcome", "d.outcome", said!(Outcome)),
                Field("gate", "d.device", As::Text),
                Field("policy_version", "d.policy_version", As::Text),
            ],
        }),
        ..section(
            "gate_decisions_elsewhere",
            (
                "在其他学校被拦下的核验记录",
                "decisions at the gates of other schools",
            ),
        )
    },
    // The number of the card is not kept, only what stands for it.
    Section {
        purpose: "校园卡识别",
        retention: "在籍期间，换卡时更新",
        guard: None,
        tables: &["cards"],
        rows: Some(Rows {
            by: By::Name,
            from: "cards c WHERE c.person = $1",
            order: "c.bind_time DESC",
            fields: &[Field("bind_time", "c.bind_time", As::Instant)],
        }),
        ..section("cards", ("校园卡", "campus cards"))
    },
    Section {
        purpose: "应急疏散演练清点人数",
        basis: "中小学幼儿园应急疏散演练指南；个人信息保护法第十三条第一款第三项",
        retention: "五年以上，按档案管理规定",
        guard: Some(Permission::DrillRead),
        tables: &["drills"],
        ..section(
            DRILLS,
            (
                "演练清点时未到的记录",
                "drills at which the person was missing",
            ),
        )
    },
    Section {
        guard: Some(Permission::DutyRead),
        tables: &["duty_busy", "duty_shifts"],
        rows: Some(Rows {
            by: By::Name,
            from: "duty_busy b JOIN duty_shifts s ON s.id = b.shift WHERE b.person = $1",
            order: "s.start_at DESC, s.id",
            fields: &[
                Field("organization", "s.organization", As::Text),
                Field("start_time", "s.start_at", As::Millis),
                Field("end_time", "s.end_at", As::Millis),
                Field("state", "s.state", said!(duty_shift::State)),
            ],
        }),
        ..of_staff("duty_shifts", ("值班", "shifts on duty"))
    },
    Section {
        guard: Some(Permission::DutyRead),
        tables: &["patrols"],
        rows: Some(Rows {
            by: By::Name,
            from: "patrols p WHERE p.staff_member = $1 AND p.organization = $2",
            order: "p.passed_at DESC, p.id",
            fields: &[
                Field("point", "p.point", As::Text),
                Field("patrol_time", "p.passed_at", As::Millis),
            ],
        }),
        ..of_staff("patrols", ("巡查", "patrols"))
    },
    Section {
        purpose: "落实安全责任",
        guard: Some(Permission::AccountabilityRead),
        tables: &["accountability_records"],
        rows: Some(Rows {
            by: By::Name,
            from: "accountability_records a WHERE a.staff_member = $1",
            order: "a.told_at DESC, a.id",
            fields: &[
                Field("organization", "a.organization", As::Text),
                Field("act", "a.act", said!(accountability_record::Act)),
                Field("resource", "a.resource", As::Text),
                Field("tell_time", "a.told_at", As::Millis),
                Field("see_time", "a.seen_at", As::Millis),
            ],
        }),
        ..of_staff(
            "accountability",
            ("责任告知", "what the person was told as owner"),
        )
    },
];

#[cfg(test)]
mod tests {
    use kit::db::Database;
    use kit::subject::{miswritten, untold};

    use super::*;
    use crate::Migrator;

    kit::store_suite!(Migrator; every_table_is_told_or_left_out_with_a_reason);

    async fn every_table_is_told_or_left_out_with_a_reason(db: Database) {
        let wrong = untold(&db, &SECTIONS, LEFT_OUT).await.unwrap();
        assert_eq!(wrong, Vec::<String>::new());
    }

    #[test]
    fn every_section_has_a_name_of_its_own_and_its_law() {
        let gathered = [ROLL, CLEARANCES, GATE_DECISIONS, DRILLS];
        assert_eq!(miswritten(&SECTIONS, &gathered), Vec::<String>::new());
    }
}
