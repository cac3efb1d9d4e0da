//! What a cluster rule says in words, and the text it comes from.

use super::cluster_rule::{ClusterRule, Condition, Counted, Scope};
use super::disease::Severity;
use super::illness::Criterion;

/// The legal text behind each number of the rule book, where a policy does not give it.
const SOURCES: [(&str, &str); 7] = [
    (
        "1.12",
        "学校因病缺勤追查与登记制度：同一班级1日内出现3例及以上症状相似的病例，立即报告校长和疾病预防控制机构",
    ),
    (
        "1.15",
        "《学校和托幼机构传染病疫情报告工作规范（试行）》（卫办疾控发〔2006〕65号）：同一宿舍或者同一班级，1天内有3例或者连续3天内有5例以上学生出现症状相似的病例，应在24小时内报告属地疾病预防控制机构和教育行政部门",
    ),
    (
        "1.18",
        "《中华人民共和国传染病防治法》（2013）第三条、第四条：甲类传染病及按甲类管理的乙类传染病，应于2小时内报告",
    ),
    (
        "1.19",
        "《国家突发公共卫生事件相关信息报告管理工作规范（试行）》及学校聚集性疫情处置标准（暴发疫情报告标准表）",
    ),
    (
        "1.20",
        "《流感样病例暴发疫情处置指南（2018年版）》：班级当日新发流感样病例达5例及以上，或现患病例达30%及以上，或1周内发生2例及以上实验室确诊的住院或死亡病例，可停课4天",
    ),
    (
        "1.21",
        "《手足口病聚集性和暴发疫情处置工作规范（2012版）》（卫办疾控发〔2012〕80号）及地方规定：1周内同一班级出现2例及以上，或出现重症、死亡病例，班级停课10天；1周内累计10例及以上或3个班级分别出现2例及以上，园（校）停课10天",
    ),
    (
        "1.22",
        "《中华人民共和国传染病防治法》（2013）第四十二条：停课属于政府紧急措施，由有权机关听取疾病预防控制机构意见后决定",
    ),
];

const DISEASES: [&str; 16] = [
    "流感样病例",
    "水痘",
    "流行性腮腺炎",
    "手足口病",
    "诺如病毒感染（感染性腹泻）",
    "风疹",
    "麻疹",
    "猩红热",
    "细菌性痢疾",
    "急性出血性结膜炎",
    "甲型或戊型肝炎",
    "伤寒或副伤寒",
    "登革热",
    "食物中毒",
    "肺结核",
    "新型冠状病毒感染",
];

const SIMILAR: [&str; 7] = [
    "发热",
    "皮疹",
    "呕吐或腹泻",
    "黄疸",
    "结膜充血",
    "腮腺肿大",
    "呼吸道症状",
];

/// The legal text behind these numbers, Chinese; one sentence for each number of the rule book. What the
/// policy gives stands before what is shipped.
pub fn cited(numbers: &[String], given: &[(String, String)]) -> String {
    let texts = numbers.iter().filter_map(|number| {
        let own = given.iter().find(|(known, _)| known == number);
        let shipped = SOURCES.iter().find(|(known, _)| known == number);
        own.map(|(_, text)| text.as_str())
            .or(shipped.map(|(_, text)| *text))
    });
    texts.collect::<Vec<_>>().join("；")
}

impl ClusterRule {
    /// The rule as one Chinese sentence.
    pub fn sentence(&self) -> String {
        let scope = match self.scope {
            Scope::ClassGroup => "同一班级",
            Scope::Dormitory => "同一宿舍",
            Scope::School => "全校",
            Scope::Meal => "共同用餐者中",
            Scope::Water => "共用水源者中",
        };
        let what = named(self.criterion);
        let conditions: Vec<String> = self
            .conditions
            .iter()
            .map(|condition| condition.words(what))
            .collect();
        let hours = self.report_sla.as_secs() / 3600;
        let mut sentence = format!("{scope}{}，{hours}小时内报告", conditions.join("，或"));
        if self.suspend_days != 0 {
            sentence.push_str(&format!("，建议停课{}天", self.suspend_days));
        }
        sentence
    }
}

impl Condition {
    /// The condition as a part of a Chinese sentence.
    fn words(&self, what: &str) -> String {
        let days = match self.window_days {
            1 => "1日内".to_owned(),
            days => format!("连续{days}日内"),
        };
        let confirmed = if self.confirmed {
            "实验室确诊的"
        } else {
            ""
        };
        let severity = match self.severity {
            Severity::Mild => "",
            Severity::Hospitalised => "住院或死亡的",
            Severity::Dead => "死亡的",
        };
        match self.counted {
            Counted::Cases => {
                format!(
                    "{days}出现{}例及以上{confirmed}{severity}{what}",
                    self.count
                )
            }
            Counted::Share => format!("现患{what}达到{}%及以上", percent(self.count)),
            Counted::ClassGroups => format!(
                "{days}有{}个及以上班级各出现{}例及以上{what}",
                self.count, self.group_cases
            ),
        }
    }
}

fn percent(hundredths: u32) -> String {
    match hundredths % 100 {
        0 => (hundredths / 100).to_string(),
        rest => format!("{}.{rest:02}", hundredths / 100),
    }
}

fn named(criterion: Criterion) -> &'static str {
    let (names, number): (&[&str], i16) = match criterion {
        Criterion::Similar(group) => (&SIMILAR, group),
        Criterion::Disease(disease) => (&DISEASES, disease.0),
    };
    let place = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
    place
        .and_then(|place| names.get(place))
        .copied()
        .unwrap_or("病例")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::health::cluster_table::table;
    use crate::domain::health::disease::Disease;
    use crate::domain::health::rules::{HealthRules, HfmdSuspension, Similar};
    use crate::domain::health::symptom::Symptoms;

    #[test]
    fn a_rule_is_told_in_one_sentence_with_its_source() {
        let rules = HealthRules {
            one_day_cases: 3,
            three_day_cases: 5,
            report_sla: std::time::Duration::from_secs(86_400),
            similar: vec![Similar {
                group: 1,
                symptoms: Symptoms::NONE,
            }],
            hfmd: HfmdSuspension {
                class_cases: 2,
                school_cases: 10,
                school_classes: 3,
                window_days: 7,
                suspend_days: 10,
            },
            ..HealthRules::default()
        };
        let sentences: Vec<String> = table(&rules).iter().map(ClusterRule::sentence).collect();
        assert_eq!(
            sentences,
            [
                "同一班级1日内出现3例及以上发热，或连续3日内出现5例及以上发热，24小时内报告",
                "同一宿舍1日内出现3例及以上发热，或连续3日内出现5例及以上发热，24小时内报告",
                "同一班级连续7日内出现1例及以上住院或死亡的手足口病，或连续7日内出现2例及以上手足口病，24小时内报告，建议停课10天",
                "全校连续7日内出现10例及以上手足口病，或连续7日内有3个及以上班级各出现2例及以上手足口病，24小时内报告，建议停课10天",
            ]
        );
        assert!(table(&rules).iter().all(|rule| !rule.source.is_empty()));
        let given = [("1.21".to_owned(), "本市规定".to_owned())];
        let numbers = ["1.21".to_owned(), "1.22".to_owned()];
        assert!(cited(&numbers, &given).starts_with("本市规定；《中华人民共和国传染病防治法》"));
        assert_eq!(named(Criterion::Disease(Disease(99))), "病例");
    }
}
