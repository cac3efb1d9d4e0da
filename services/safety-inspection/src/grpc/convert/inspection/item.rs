//! Items of checklists.

use kit::field::{Fields, to_date};
use proto::safety as pb;

use super::{choice, count};
use crate::domain::checklist::item::{Clause, Evidence, Item, Kind};
use crate::domain::hazard::report::Category;

const SECTION: usize = 40;
const TEXT: usize = 300;
const UNIT: usize = 16;
const LAW: usize = 100;
const ARTICLE: usize = 40;
/// A number in thousandths of its unit.
pub(super) const LARGEST: i64 = 1_000_000_000_000;

pub(in crate::grpc) fn item(item: &Item) -> pb::ChecklistItem {
    use pb::checklist_item::Grade;
    let grade = if item.major_rule.is_empty() {
        Grade::General
    } else {
        Grade::Major
    };
    pb::ChecklistItem {
        code: item.code.clone(),
        section: item.section.clone(),
        text: item.text.clone(),
        kind: item.kind as i32,
        evidence: item.evidence as i32,
        mandatory: item.mandatory,
        unit: item.unit.clone(),
        minimum_thousandths: item.minimum,
        maximum_thousandths: item.maximum,
        clause: Some(clause(&item.clause)),
        hazard_category: item.category as i32,
        grade: grade.into(),
        major_rule: item.major_rule.clone(),
        weight: count(item.weight),
    }
}

/// The law behind an item.
pub(in crate::grpc) fn clause(clause: &Clause) -> pb::Clause {
    pb::Clause {
        law: clause.law.clone(),
        article: clause.article.clone(),
        effective_date: Some(to_date(clause.effective)),
    }
}

/// An item of a request; none when something of it is wrong.
pub(super) fn read(fields: &mut Fields, at: &str, sent: &pb::ChecklistItem) -> Option<Item> {
    let field = |name: &str| format!("{at}.{name}");
    id(fields, &field("code"), &sent.code);
    fields.text(&field("section"), &sent.section, SECTION);
    super::words(fields, &field("text"), &sent.text, TEXT);
    fields.text(&field("unit"), &sent.unit, UNIT);
    fields.within(&field("weight"), sent.weight, 1..=100);
    let kind = choice(fields, &field("kind"), sent.kind, Kind::from_number);
    let evidence = choice(
        fields,
        &field("evidence"),
        sent.evidence,
        Evidence::from_number,
    );
    let of = Category::from_number;
    let category = choice(fields, &field("hazard_category"), sent.hazard_category, of);
    limits(fields, at, sent, kind);
    grade(fields, at, sent);
    let clause = sent.clause.clone().unwrap_or_default();
    super::words(fields, &field("clause.law"), &clause.law, LAW);
    fields.text(&field("clause.article"), &clause.article, ARTICLE);
    let effective = fields.date(&field("clause.effective_date"), clause.effective_date);
    Some(Item {
        code: sent.code.clone(),
        section: sent.section.clone(),
        text: sent.text.clone(),
        kind: kind?,
        evidence: evidence?,
        mandatory: sent.mandatory,
        unit: sent.unit.clone(),
        minimum: sent.minimum_thousandths,
        maximum: sent.maximum_thousandths,
        clause: Clause {
            law: clause.law,
            article: clause.article,
            effective: effective?,
        },
        category: category?,
        major_rule: sent.major_rule.clone(),
        weight: u32::try_from(sent.weight).ok()?,
    })
}

/// A code: 1 to 32 of `a-z 0-9 -`.
pub(super) fn id(fields: &mut Fields, field: &str, text: &str) {
    if !kit::org::is_id(text) {
        fields.violation(
            field,
            "应为 1 至 32 个小写字母、数字或短横线",
            "1 to 32 of a-z 0-9 -",
        );
    }
}

/// Numbers and days, and only those, have limits that leave something good.
fn limits(fields: &mut Fields, at: &str, sent: &pb::ChecklistItem, kind: Option<Kind>) {
    let (least, most) = (sent.minimum_thousandths, sent.maximum_thousandths);
    let numeric = matches!(kind, Some(Kind::Number | Kind::Days));
    let any = least.is_some() || most.is_some();
    let in_range = |number: i64| (0..=LARGEST).contains(&number);
    let in_order = least.zip(most).is_none_or(|(least, most)| least <= most);
    let good = least.is_none_or(in_range) && most.is_none_or(in_range) && in_order;
    if kind.is_some() && numeric != any || !good {
        fields.violation(
            format!("{at}.minimum_thousandths"),
            "数字和天数类项目须设置下限或上限，且下限不大于上限；其他项目不设",
            "numbers and days, and only those, have limits in order",
        );
    }
}

/// What is major by a rule, and only that, names it.
fn grade(fields: &mut Fields, at: &str, sent: &pb::ChecklistItem) {
    use pb::checklist_item::Grade;
    let known = fields.enumeration::<Grade>(&format!("{at}.grade"), sent.grade);
    let named = !sent.major_rule.is_empty();
    if named {
        id(fields, &format!("{at}.major_rule"), &sent.major_rule);
    }
    if known.is_some_and(|grade| (grade == Grade::Major) != named) {
        fields.violation(
            format!("{at}.major_rule"),
            "直接判定为重大隐患的项目须写明判定规则，其他项目不写",
            "what is major, and only that, names its rule",
        );
    }
}
