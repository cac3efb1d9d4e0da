//! The ledger as a table: CSV that spreadsheets open, with all fields of rule 5.7.

use chrono::{DateTime, NaiveDate, Utc};

use crate::app::hazards::LedgerLine;
use crate::domain::hazard::course::Measure;
use crate::domain::hazard::entry::Hazard;
use crate::domain::hazard::report::{Category, Source};
use crate::domain::hazard::state::{Bureau, Grade, State};
use crate::domain::photo::Photo;

const COLUMNS: [&str; 30] = [
    "台账编号",
    "单位",
    "地点",
    "类别",
    "等级",
    "直接判定依据",
    "隐患描述",
    "整改前照片",
    "发现人",
    "发现时间",
    "来源",
    "来源编号",
    "临时管控措施",
    "临时管控说明",
    "管控开始时间",
    "管控解除时间",
    "整改责任人",
    "整改措施",
    "整改资金（元）",
    "整改期限",
    "应急预案",
    "延期次数",
    "整改进度（%）",
    "整改情况",
    "整改后照片",
    "复查人",
    "销号时间",
    "重复隐患",
    "状态",
    "逾期上报与挂牌督办",
];

/// The line of the names of columns, after the byte order mark.
pub(in crate::grpc) fn heading() -> String {
    format!("\u{feff}{}\r\n", COLUMNS.map(cell).join(","))
}

/// A hazard as a line.
pub(in crate::grpc) fn line(line: &LedgerLine) -> String {
    let LedgerLine {
        hazard,
        before,
        after,
    } = line;
    let course = &hazard.course;
    let control = course.control.as_ref();
    let fixes = course.fixes.as_ref();
    let values: [String; 30] = [
        hazard.number.to_string(),
        hazard.home.organization.clone(),
        hazard.place.clone(),
        category(hazard.category).to_owned(),
        hazard.grade.map_or("", grade).to_owned(),
        hazard.major_rules.join(" "),
        hazard.description.clone(),
        photos(before),
        hazard.finder.clone(),
        time(Some(hazard.found)),
        source(hazard.source).to_owned(),
        hazard.origin.clone(),
        control.map_or_else(String::new, |control| {
            let measures: Vec<_> = control.measures.iter().copied().map(measure).collect();
            measures.join("、")
        }),
        control.map_or_else(String::new, |control| control.description.clone()),
        time(control.map(|control| control.start)),
        time(control.and_then(|control| control.end)),
        hazard.owner().to_owned(),
        fixes.map_or_else(String::new, |fixes| fixes.measures.clone()),
        fixes.map_or_else(String::new, |fixes| yuan(fixes.budget_fen)),
        day(hazard.due),
        fixes.map_or_else(String::new, |fixes| fixes.contingency_plan.clone()),
        course.extensions.to_string(),
        course.percent.to_string(),
        course
            .submission
            .as_ref()
            .map_or_else(String::new, |last| last.statement.clone()),
        photos(after),
        course.reviewer.clone(),
        time(hazard.closed),
        hazard.recurrence_of.clone(),
        state(hazard.state).to_owned(),
        raised(hazard),
    ];
    let cells = values.iter().map(|value| cell(value));
    format!("{}\r\n", cells.collect::<Vec<_>>().join(","))
}

/// A value that no spreadsheet takes for a formula.
fn cell(value: &str) -> String {
    let value = if value.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{value}")
    } else {
        value.to_owned()
    };
    if value.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value
    }
}

fn photos(photos: &[Photo]) -> String {
    let hashes = photos.iter().map(|photo| hex::encode(photo.sha256));
    hashes.collect::<Vec<_>>().join(" ")
}

fn time(instant: Option<DateTime<Utc>>) -> String {
    instant.map_or_else(String::new, |instant| {
        let local = instant.with_timezone(&kit::clock::shanghai());
        local.format("%Y-%m-%d %H:%M").to_string()
    })
}

fn day(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

fn raised(hazard: &Hazard) -> String {
    let up = hazard.escalation.map(|bureau| match bureau {
        Bureau::District => "已上报区县",
        Bureau::City => "已上报市",
    });
    let listed = hazard.course.supervision.as_ref();
    let listed = listed.map(
        |supervision| match (supervision.bureau, supervision.lifted) {
            (Bureau::District, None) => "区县挂牌",
            (Bureau::City, None) => "市挂牌",
            (Bureau::District, Some(_)) => "区县已摘牌",
            (Bureau::City, Some(_)) => "市已摘牌",
        },
    );
    [up, listed]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("；")
}

fn category(category: Category) -> &'static str {
    match category {
        Category::Fire => "消防",
        Category::Building => "校舍建筑",
        Category::Food => "食品",
        Category::Laboratory => "实验实训",
        Category::Traffic => "校车与校园交通",
        Category::Crowd => "拥挤踩踏",
        Category::SpecialEquipment => "特种设备",
        Category::Utilities => "水电气暖",
        Category::Perimeter => "校门周界与安防",
        Category::GeologyFlood => "地质与洪涝",
        Category::Drowning => "溺水",
        Category::Violence => "欺凌与暴力",
        Category::Network => "网络与数据",
        Category::Psychology => "心理",
        Category::Training => "培训机构",
        Category::OffCampusBase => "校外基地",
        Category::Epidemic => "疫情防控",
    }
}

fn source(source: Source) -> &'static str {
    match source {
        Source::Own => "自查",
        Source::Parent => "家长",
        Source::Bureau => "教育主管部门",
        Source::OtherDepartment => "其他部门",
        Source::Inspection => "检查",
        Source::Drill => "演练复盘",
        Source::Incident => "事件复盘",
        Source::Weather => "灾后排查",
    }
}

fn grade(grade: Grade) -> &'static str {
    match grade {
        Grade::General => "一般",
        Grade::Major => "重大",
    }
}

fn measure(measure: Measure) -> &'static str {
    match measure {
        Measure::StopUse => "停用",
        Measure::Evacuate => "撤离人员",
        Measure::Cordon => "设置警戒",
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Reported => "已上报",
        State::Verified => "已核实",
        State::Dismissed => "不予认定",
        State::InterimControl => "临时管控",
        State::Assigned => "已落实五项",
        State::Rectifying => "整改中",
        State::Submitted => "已提交",
        State::Reviewing => "复查中",
        State::Closed => "已销号",
        State::Returned => "退回",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_no_formulas_and_hold_what_was_written() {
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("墙,\"裂\"\n缝"), "\"墙,\"\"裂\"\"\n缝\"");
        assert_eq!(cell("-2 层"), "'-2 层");
        assert_eq!(cell("2022-0001"), "2022-0001");
        assert_eq!(yuan(120_005), "1200.05");
        assert!(heading().starts_with("\u{feff}台账编号,单位,"));
    }
}
