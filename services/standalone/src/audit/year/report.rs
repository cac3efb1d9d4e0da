//! The report of a year in Chinese, for people. It says nothing that does not stand in the files beside it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::folder::{Listed, Manifest};
use super::lines::Chain;
use super::tally::{Sum, Tally, Told};
use crate::screen::count;

/// How many methods are shown, those most used first.
const METHODS: usize = 20;
/// How many single records are shown; the files hold all.
const SINGLE: usize = 200;

/// The report as Markdown. `logs` are the exported logs.
pub(super) fn text(
    manifest: &Manifest,
    chains: &[Chain],
    tally: &Tally,
    logs: &[Listed],
) -> String {
    let mut report = Report::default();
    report.line(&format!("# {} 年度个人信息合规审计报告", manifest.year));
    report.line(&format!(
        "依据规则 6.8、6.9、6.10。审计范围为 {0} 年 1 月 1 日至 12 月 31 日（北京时间）各服务的审计日志，\
         报告生成于 {1}。",
        manifest.year, manifest.made
    ));
    verdict(&mut report, chains);
    integrity(&mut report, chains);
    reads(&mut report, tally);
    refusals(&mut report, tally);
    singles(
        &mut report,
        "四、紧急调阅",
        "break-glass.jsonl",
        &tally.glass,
    );
    singles(
        &mut report,
        "五、未成年人数据查阅审批",
        "approvals.jsonl",
        &tally.approvals,
    );
    report.line("审批内容、批准人及每次使用，见名册所载 `access.jsonl`。");
    disclosures(&mut report, tally);
    retention(&mut report, manifest);
    digests(&mut report, logs);
    report.0
}

/// A text that grows by paragraphs and tables.
#[derive(Debug, Default)]
struct Report(String);

impl Report {
    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push_str("\n\n");
    }

    fn table<const N: usize>(
        &mut self,
        heads: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) {
        let mut any = false;
        let mut text = format!("| {} |\n|{}\n", heads.join(" | "), " --- |".repeat(N));
        for row in rows {
            any = true;
            let row = row.map(|cell| plain(&cell));
            // Writing to a text never fails.
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        if any {
            self.line(text.trim_end());
        } else {
            self.line("无。");
        }
    }
}

/// A text that neither breaks a table nor is taken for markup.
fn plain(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    for letter in cell.chars() {
        match letter {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' => {
                text.push('\\');
                text.push(letter);
            }
            letter if letter.is_control() => text.push(' '),
            letter => text.push(letter),
        }
    }
    text
}

fn number(count_of: i64) -> String {
    count(count_of.unsigned_abs())
}

fn verdict(report: &mut Report, chains: &[Chain]) {
    let wrong: Vec<&str> = chains
        .iter()
        .filter(|chain| chain.fault.is_some())
        .map(|chain| chain.service.as_str())
        .collect();
    report.line(&if wrong.is_empty() {
        format!("**结论：{} 个服务的审计日志完好。**", chains.len())
    } else {
        format!(
            "**结论：{} 的审计日志与写入时不一致，须立即查明。**",
            wrong.join("、")
        )
    });
}

fn integrity(report: &mut Report, chains: &[Chain]) {
    report.line("## 一、日志完整性");
    report.line(
        "每条记录以 SHA-256 与前一条相接，检查点由服务签名。下表为本报告所附日志逐条重算的结果。",
    );
    report.table(
        [
            "服务",
            "自",
            "至记录",
            "记录数",
            "检查点数",
            "最后检查点",
            "结论",
        ],
        chains.iter().map(|chain| {
            let from = match (&chain.begins_after, &chain.cut_at) {
                (Some(head), _) => format!("记录 {} 之后（{} 签名）", head.sequence, head.time),
                (None, Some(cut)) => format!("期满删除处：记录 {}（{}）", cut.sequence, cut.time),
                (None, None) => "日志开端".to_owned(),
            };
            let verdict = match &chain.fault {
                None => "完好".to_owned(),
                Some((fault, sequence)) => format!("第 {sequence} 条：{fault}"),
            };
            let end = chain.ends_at.as_ref();
            [
                chain.service.clone(),
                from,
                chain.last.to_string(),
                number(chain.records),
                number(chain.checkpoints),
                end.map_or_else(String::new, |end| end.time.clone()),
                verdict,
            ]
        }),
    );
}

/// Sums by something that many keys have in common.
fn by<'a, K: 'a>(
    sums: impl IntoIterator<Item = (&'a K, &'a Sum)>,
    of: impl Fn(&K) -> String,
) -> BTreeMap<String, Sum> {
    let mut all: BTreeMap<String, Sum> = BTreeMap::new();
    for (key, sum) in sums {
        all.entry(of(key)).or_default().add(sum);
    }
    all
}

fn rows(sums: BTreeMap<String, Sum>) -> impl Iterator<Item = [String; 4]> {
    sums.into_iter().map(|(key, sum)| {
        [
            key,
            number(sum.records),
            number(sum.calls),
            number(sum.resources),
        ]
    })
}

/// What was left out is written so.
fn said(text: &str) -> String {
    match text {
        "" => "未说明".to_owned(),
        text => text.to_owned(),
    }
}

fn reads(report: &mut Report, tally: &Tally) {
    report.line("## 二、个人信息查阅");
    report.line("按角色：");
    let roles = by(&tally.reads, |key| said(&key.roles.join(" ")));
    report.table(["角色", "记录数", "调用次数", "涉及对象"], rows(roles));
    report.line("按用途：");
    let purposes = by(&tally.reads, |key| said(&key.purpose));
    report.table(["用途", "记录数", "调用次数", "涉及对象"], rows(purposes));
    report.line("按地点层级：");
    let levels = by(&tally.reads, |key| key.level.chinese().to_owned());
    report.table(["层级", "记录数", "调用次数", "涉及对象"], rows(levels));
    report.line(&format!("按方法（前 {METHODS}）："));
    let methods = by(&tally.reads, |key| key.method.clone());
    let mut methods: Vec<(String, Sum)> = methods.into_iter().collect();
    methods.sort_by(|(one, by_one), (other, by_other)| {
        (by_other.calls, one).cmp(&(by_one.calls, other))
    });
    methods.truncate(METHODS);
    report.table(
        ["方法", "记录数", "调用次数"],
        methods
            .into_iter()
            .map(|(method, sum)| [method, number(sum.records), number(sum.calls)]),
    );
    report.line("明细见 `reads.jsonl`。");
    report.line("操作按服务：");
    let acts = by(&tally.acts, Clone::clone);
    report.table(["服务", "记录数", "调用次数", "涉及对象"], rows(acts));
}

fn refusals(report: &mut Report, tally: &Tally) {
    report.line("## 三、拒绝");
    let reasons = by(&tally.refusals, |key| {
        format!("{}：{}", said(&key.roles.join(" ")), said(&key.reason))
    });
    report.table(
        ["角色：原因", "记录数", "调用次数", "涉及对象"],
        rows(reasons),
    );
    report.line("明细见 `refusals.jsonl`。");
}

fn singles(report: &mut Report, head: &str, file: &str, all: &[Told]) {
    report.line(&format!("## {head}"));
    report.line(&format!(
        "共 {} 次，明细见 `{file}`。",
        count(all.len() as u64)
    ));
    report.table(
        [
            "时间", "服务", "记录", "谁", "角色", "地点", "方法", "对象", "理由",
        ],
        all.iter().take(SINGLE).map(|one| {
            [
                one.time.clone(),
                one.service.clone(),
                one.sequence.to_string(),
                one.subject.clone(),
                one.roles.join(" "),
                one.scope.clone(),
                one.method.rsplit('.').next().unwrap_or_default().to_owned(),
                one.resources.join(" "),
                one.reason.clone(),
            ]
        }),
    );
}

fn disclosures(report: &mut Report, tally: &Tally) {
    report.line("## 六、向合作方提供");
    report.table(
        ["合作方", "服务", "方法", "用途", "记录数", "涉及对象"],
        tally.disclosures.iter().map(|(key, sum)| {
            [
                key.partner.clone(),
                key.service.clone(),
                key.method.clone(),
                said(&key.purpose),
                number(sum.records),
                number(sum.resources),
            ]
        }),
    );
}

fn retention(report: &mut Report, manifest: &Manifest) {
    report.line("## 七、日志保存期限");
    report.table(
        ["服务", "一般记录（天）", "合作方与检测机构（天）"],
        manifest.retention.iter().map(|one| {
            [
                one.service.clone(),
                one.days.to_string(),
                one.partner_days.to_string(),
            ]
        }),
    );
    report.line("期限短于一年的，期满记录已按签名删除，不在本报告之内；起点见第一节。");
}

fn digests(report: &mut Report, logs: &[Listed]) {
    report.line("## 八、所附日志摘要");
    report.table(
        ["文件", "字节", "SHA-256"],
        logs.iter()
            .map(|one| [one.name.clone(), count(one.bytes), one.sha256.clone()]),
    );
    report.line(
        "核验：`campus audit verify 文件夹 --key 公钥`，不需任何服务。除 `access.jsonl` 和保存期限外，\
         各文件和本报告均由日志重算并逐字比对。",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callers_typed_is_never_markup() {
        let cell = plain("a|b\n<script>*x*");
        assert_eq!(cell, "a\\|b \\<script\\>\\*x\\*");
    }

    #[test]
    fn a_table_without_rows_says_so() {
        let mut report = Report::default();
        report.table(["甲"], Vec::<[String; 1]>::new());
        report.table(["甲"], [["乙".to_owned()]]);
        assert_eq!(report.0, "无。\n\n| 甲 |\n| --- |\n| 乙 |\n\n");
    }
}
