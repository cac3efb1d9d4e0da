//! What a check found, with the rule it comes from and the words for people.

/// The outcome of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing speaks against entry.
    Pass,
    /// Wait and check again.
    Observe,
    /// Must not enter.
    Deny,
    /// The policy does not ask.
    NotRequired,
}

macro_rules! findings {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $verdict:ident, $rule:literal, $zh:literal;)*) => {
        /// What one check found. The numbers are those of the contract and of the tables.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Finding { $($(#[$doc])* $name,)* }

        impl Finding {
            /// Every finding.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number in contracts and tables.
            pub fn number(self) -> u8 {
                match self { $(Self::$name => $number,)* }
            }

            /// The outcome it means for its check.
            pub fn verdict(self) -> Verdict {
                match self { $(Self::$name => Verdict::$verdict,)* }
            }

            /// The rule of the field.
            pub fn rule(self) -> &'static str {
                match self { $(Self::$name => $rule,)* }
            }

            /// One sentence for people.
            pub fn message(self) -> &'static str {
                match self { $(Self::$name => $zh,)* }
            }

            /// Sends to a recheck with a contact thermometer (rule 3.3).
    pub fn sends_to_recheck(self) -> bool {
        matches!(self, Self::TemperatureHigh | Self::SymptomsSeen) || self.continues_recheck()
    }

    /// A recheck that is not complete goes on without another wait.
    pub fn continues_recheck(self) -> bool {
        matches!(self, Self::TemperatureRepeat | Self::SymptomsNotAsked)
    }

    /// Ends the recheck with the fever clinic (rule 3.3).
    pub fn sends_to_clinic(self) -> bool {
        matches!(self, Self::TemperatureConfirmed | Self::SymptomsConfirmed)
    }

    /// The finding with this number.
            pub fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

findings! {
    /// Belongs to the school and is expected.
    Expected = 1, Pass, "3.1", "身份核验通过";
    /// Nobody known at this school.
    PersonUnknown = 2, Deny, "3.1", "未核实为本校人员，请办理访客登记，无关人员不得入校";
    /// The class group is not taught in person.
    ClassNotInPerson = 4, Deny, "4.1", "所在班级当前为线上教学或停课，今日不到校";
    /// On long leave.
    OnLeave = 5, Deny, "1.24", "处于请假期间，返校请先由校医核验";
    /// An emergency crew.
    Emergency = 6, Pass, "3.7", "紧急救援人员先行放行，事后补登记";
    /// A visitor whose visit was approved.
    VisitorApproved = 7, Pass, "3.7", "访客预约已审批，身份核验通过";
    /// Below the limit.
    TemperatureNormal = 10, Pass, "3.2", "体温正常";
    /// At or above the limit, first reading.
    TemperatureHigh = 11, Observe, "3.2", "体温达到或超过限值，请到临时隔离室等候复测";
    /// At or above the limit again.
    TemperatureConfirmed = 12, Deny, "3.3", "复测体温仍超过限值，请通知家长并到发热门诊就诊";
    /// No reading.
    TemperatureMissing = 13, Observe, "3.1", "未测量体温，请测量后再核验";
    /// Not asked for.
    TemperatureNotRequired = 14, NotRequired, "3.7", "本次不要求测温";
    /// Below the limit at the recheck, but too few readings.
    TemperatureRepeat = 15, Observe, "3.3", "复测体温正常，但次数不足，请继续复测";
    /// Symptoms.
    SymptomsSeen = 16, Observe, "3.3", "有不适症状，请到临时隔离室等候复测";
    /// Symptoms again.
    SymptomsConfirmed = 17, Deny, "3.3", "复测时仍有不适症状，请通知家长并到发热门诊就诊";
    /// Nobody asked at the recheck.
    SymptomsNotAsked = 18, Observe, "3.3", "请询问有无不适症状后再核验";
    /// May enter.
    ColourAllowed = 20, Pass, "3.4", "健康码符合入校要求";
    /// Denied by the policy, and not red.
    ColourDenied = 21, Deny, "3.4", "健康码颜色不符合入校要求，不得入校";
    /// Unknown, and the policy denies that.
    ColourUnknown = 22, Deny, "3.4", "未取得健康码，请由工作人员代查或出示纸质证明";
    /// The policy denies no colour.
    ColourNotRequired = 23, NotRequired, "3.4", "现行政策不查验健康码";
    /// Red: denied, and the school reports it to the community.
    ColourRed = 24, Deny, "3.4", "健康码为红码，不得入校，请立即报告所在社区（村）";
    /// No marked city.
    TravelClear = 30, Pass, "3.5", "行程卡未见风险地区";
    /// A marked city within the window.
    TravelStarred = 31, Deny, "3.5", "行程卡显示到过带星号的城市，请联系学校防疫组";
    /// Not shown.
    TravelMissing = 32, Observe, "3.5", "未出示行程卡，请出示后再核验";
    /// Not of today.
    TravelOutdated = 33, Observe, "3.5", "行程卡不是当日查询结果，请重新查询";
    /// The policy has no window.
    TravelNotRequired = 34, NotRequired, "3.5", "现行政策不查验行程卡";
    /// Looked up in vain, and the policy does not admit that.
    TravelUnknown = 35, Deny, "3.5", "未能查到行程信息，请出示纸质证明或联系学校防疫组";
    /// Looked up in vain, and the policy admits that.
    TravelUnknownAdmitted = 36, Pass, "3.5", "未能查到行程信息，按现行政策可入校";
    /// Clear on both axes.
    Clear = 40, Pass, "1.24", "无管控措施";
    /// Held with a tube.
    Held = 41, Deny, "2.19", "暂缓入校，等待单人复检，请联系校医";
    /// Another measure of control.
    UnderControl = 42, Deny, "1.24", "处于管控期，暂不得入校";
    /// Must not attend.
    NotAdmitted = 43, Deny, "1.24", "暂不符合入校条件，请联系校医";
    /// Watches the own health.
    HealthMonitoring = 44, Pass, "1.24", "健康监测期间，按现行政策可入校";
    /// Nobody to clear.
    ClearanceNotApplicable = 45, NotRequired, "1.24", "不适用";
    /// Observed as a contact.
    Observation = 46, Pass, "1.23", "密切接触者医学观察期内，准予入校，请做好每日晨午检观察";
    /// The facts are too old.
    FactsStale = 50, Pass, "3.9", "本地数据已过期，请转人工核验";
    /// Comes when the grade does.
    ArrivalInWindow = 60, Pass, "3.8", "在本年级错峰入校时段内";
    /// Comes before the grade does.
    ArrivalEarly = 61, Pass, "3.8", "未到本年级错峰入校时段，请提醒按时段到校，避免聚集";
    /// Comes after the grade did.
    ArrivalLate = 62, Pass, "3.8", "已过本年级错峰入校时段，可直接入校";
    /// Nobody staggers the arrival.
    ArrivalNotStaggered = 63, NotRequired, "3.8", "不分时段入校";
    /// Comes after the grade did, while the weather lets pupils come later.
    ArrivalWeatherDelay = 64, Pass, "5.27", "恶劣天气推迟到校，不计迟到，也不计旷课";
    /// Everybody wears a mask.
    MaskWorn = 70, Pass, "3.6", "已佩戴口罩";
    /// Somebody wears none.
    MaskMissing = 71, Observe, "3.6", "请佩戴口罩后再核验";
    /// The policy does not ask for masks.
    MaskNotRequired = 72, NotRequired, "3.6", "现行政策不要求佩戴口罩";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_every_finding_has_words() {
        for finding in Finding::ALL {
            assert_eq!(Finding::from_number(finding.number()), Some(*finding));
            assert!(!finding.message().is_ascii(), "{finding:?}");
        }
        assert_eq!(Finding::from_number(0), None);
    }
}
