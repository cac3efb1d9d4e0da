//! What is held about one student or member of staff (rules 6.2 and 6.14), and every table that is not told of, with
//! why.
//!
//! Other people are left out: who wrote, decided or completed something, and the addresses of guardians beyond
//! their last digits. What is confidential between a recipient and this service is told to that recipient only,
//! and of psychological support no more than that there is a case.

mod gathered;
mod left_out;

use kit::auth::Permission;
use kit::said;
use kit::subject::{As, By, Field, Group, Rows, Section};
use proto::notification::care_task;

pub use gathered::letters;
pub use left_out::LEFT_OUT;

/// Where somebody can be reached.
pub const CONTACT_POINTS: &str = "contact_points";
/// What was sent.
pub const MESSAGES: &str = "messages";
/// What the reader handed in.
pub const CONCERNS: &str = "concerns";
/// Psychological support.
pub const SUPPORT: &str = "support";

const BASIS: &str =
    "未成年人保护法、突发公共卫生事件应急条例；个人信息保护法第十三条第一款第三项、第四项";
const CONFIDENTIAL: &str = "内容属当事人与处理人之间的保密内容，由提出人用自己的账号在诉求中查阅\
    （个人信息保护法第十八条、第四十五条）";
const SUPPORTED: &str = "心理教师的工作记录涉及他人并依法保密，只告知存在，内容由心理教师当面说明\
    （精神卫生法第二十三条，个人信息保护法第十八条、第四十五条）";

const fn section(name: &'static str, titles: (&'static str, &'static str)) -> Section {
    let (title, title_en) = titles;
    Section {
        name,
        title,
        title_en,
        purpose: "通知、预警与家校沟通",
        basis: BASIS,
        retention: "按消息保存期限（默认六个月）",
        guard: Some(Permission::MessageRead),
        only: None,
        reserve: None,
        tables: &[],
        rows: None,
    }
}

/// Every section, in the order in which they are told.
pub static SECTIONS: [Section; 10] = [
    Section {
        retention: "在籍期间，随学籍变动更新",
        guard: None,
        tables: &["people"],
        rows: Some(Rows {
            by: By::Uuid,
            from: "people p WHERE p.kind = 1 AND p.person = $1",
            order: "p.place",
            fields: &[
                Field("class_group", "p.place", As::Text),
                Field("organization", "p.organization", As::Text),
            ],
        }),
        only: Some(Group::Students),
        ..section("roll", ("在册信息", "roll"))
    },
    Section {
        retention: "在职期间，随任职变动更新",
        guard: None,
        tables: &["people"],
        rows: Some(Rows {
            by: By::Uuid,
            from: "people p WHERE p.kind = 2 AND p.person = $1",
            order: "p.place",
            fields: &[
                Field("place", "p.place", As::Text),
                Field("organization", "p.organization", As::Text),
            ],
        }),
        only: Some(Group::Staff),
        ..section("staff_roll", ("任职名册", "roll of staff"))
    },
    Section {
        purpose: "送达通知",
        retention: "在籍期间，可随时更改",
        guard: Some(Permission::ContactWrite),
        tables: &["contact_points"],
        ..section(CONTACT_POINTS, ("联系方式", "contact points"))
    },
    Section {
        purpose: "按本人意愿送达通知",
        retention: "在籍期间，可随时更改",
        guard: Some(Permission::ContactWrite),
        tables: &["preferences"],
        rows: Some(Rows {
            by: By::Bytes,
            from: "preferences p WHERE p.party_kind IN (1, 2, 6) AND p.party = $1",
            order: "p.party_kind",
            fields: &[
                Field("family", "p.party_kind = 1", As::YesNo),
                Field("plain_speech", "p.plain_speech", As::YesNo),
                Field("quiet_start_minute", "p.quiet_start", As::Number),
                Field("quiet_end_minute", "p.quiet_end", As::Number),
                Field("update_time", "p.update_time", As::Millis),
            ],
        }),
        ..section("preferences", ("接收偏好", "preferences"))
    },
    Section {
        tables: &["messages", "deliveries"],
        ..section(
            MESSAGES,
            (
                "发送给本人及家庭的消息",
                "messages to the person and the family",
            ),
        )
    },
    Section {
        guard: Some(Permission::SupportHandle),
        tables: &["notices"],
        rows: Some(Rows {
            by: By::Name,
            from: "notices n WHERE n.party IN ($1, CAST($1 AS TEXT) || '/guardians/-')",
            order: "n.create_at DESC",
            fields: &[
                Field("create_time", "n.create_at", As::Millis),
                Field("sent", "n.done", As::YesNo),
            ],
        }),
        ..section("notices", ("待发送的告知", "what is about to be told"))
    },
    Section {
        purpose: "隔离与居家学生的关爱",
        retention: "管控解除后一段时间，供核对",
        guard: Some(Permission::CareHandle),
        tables: &["controlled"],
        rows: Some(Rows {
            by: By::Uuid,
            from: "controlled c WHERE c.student = $1",
            order: "c.since_at DESC",
            fields: &[
                Field("under_control", "c.under", As::YesNo),
                Field("since", "c.since_at", As::Millis),
                Field("free_time", "c.free_at", As::Millis),
            ],
        }),
        only: Some(Group::Students),
        ..section("controlled", ("需关爱的状态", "being kept away"))
    },
    Section {
        purpose: "隔离与居家学生的关爱",
        retention: "一学年",
        guard: Some(Permission::CareHandle),
        tables: &["care_tasks"],
        rows: Some(Rows {
            by: By::Uuid,
            from: "care_tasks c WHERE c.student = $1",
            order: "c.due_at DESC, c.id",
            fields: &[
                Field("kind", "c.kind", said!(care_task::Kind)),
                Field("state", "c.state", said!(care_task::State)),
                Field("date", "c.day", As::Text),
                Field("due_time", "c.due_at", As::Millis),
                Field("complete_time", "c.complete_at", As::Millis),
                Field("late", "c.late", As::YesNo),
            ],
        }),
        only: Some(Group::Students),
        ..section("care_tasks", ("关爱任务", "care tasks"))
    },
    Section {
        purpose: "师生家长诉求办理",
        retention: "办结后按档案管理规定",
        guard: None,
        reserve: Some(CONFIDENTIAL),
        tables: &["concerns"],
        ..section(
            CONCERNS,
            ("用本账号提出的诉求", "concerns that this account handed in"),
        )
    },
    Section {
        purpose: "心理健康支持",
        basis: "精神卫生法第十六条、第二十三条，未成年人保护法第三十条；个人信息保护法第十三条第一款第三项",
        retention: "在校期间及档案规定的年限",
        guard: None,
        reserve: Some(SUPPORTED),
        tables: &["support_cases", "support_entries", "support_accesses"],
        ..section(SUPPORT, ("心理支持", "psychological support"))
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
        let gathered = [CONTACT_POINTS, MESSAGES, CONCERNS, SUPPORT];
        assert_eq!(miswritten(&SECTIONS, &gathered), Vec::<String>::new());
    }
}
