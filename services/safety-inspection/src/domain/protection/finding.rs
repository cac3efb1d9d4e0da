//! What is missing in the protection of a campus, and how it is said.

use crate::domain::numbered::numbered;

numbered! {
    /// A part of the protection; the numbers are those of the contract.
    PartKind {
        /// Rule 5.10.
        FullTimeGuards = 1,
        /// Rule 5.10.
        ClosedManagement = 2,
        /// Rule 5.10.
        OneKeyAlarm = 3,
        /// Rules 5.11, 5.12.
        Guards = 4,
        /// Rule 5.13.
        Patrol = 5,
        /// Rule 5.13.
        Entrance = 6,
        /// Rule 5.14.
        Video = 7,
        /// Rule 5.13.
        KeyParts = 8,
        /// Rule 5.15.
        SchoolBuses = 9,
        /// Rule 5.17.
        Food = 10,
    }
}

impl PartKind {
    /// The number of the rule that demands it.
    pub fn rule(self) -> &'static str {
        match self {
            Self::FullTimeGuards | Self::ClosedManagement | Self::OneKeyAlarm => "5.10",
            Self::Guards => "5.12",
            Self::Patrol | Self::Entrance | Self::KeyParts => "5.13",
            Self::Video => "5.14",
            Self::SchoolBuses => "5.15",
            Self::Food => "5.17",
        }
    }
}

numbered! {
    /// What is missing; the numbers are those of the contract.
    Code {
        /// Declared as not met.
        DeclaredNotMet = 1,
        /// The evidence has expired.
        EvidenceExpired = 2,
        /// Fewer guards than required.
        TooFewGuards = 3,
        /// Guards older than 60 years.
        GuardOverAge = 4,
        /// Guards without a certificate that is good.
        GuardUncertified = 5,
        /// The gatehouse is not occupied 24 hours.
        GatehouseUnoccupied = 6,
        /// Fewer patrols than the policy demands.
        TooFewPatrols = 7,
        /// The patrol passes no point.
        NoPatrolPoints = 8,
        /// Nothing stops vehicles.
        NoAntiRamming = 9,
        /// Vehicles and people enter together.
        SharedEntry = 10,
        /// Recordings are kept too short a time.
        RetentionTooShort = 11,
        /// Video is not linked to police and bureau.
        VideoNotLinked = 12,
        /// A key part is not mentioned.
        KeyPartMissing = 13,
        /// A key part is not both guarded and monitored.
        KeyPartUnprotected = 14,
        /// The inspection of a bus is overdue.
        BusInspectionOverdue = 15,
        /// The licence of a bus has expired.
        BusLicenceExpired = 16,
        /// A bus without an attendant.
        BusUnattended = 17,
        /// Leaders do not dine with pupils.
        LeadersAbsent = 18,
        /// Samples are too small or kept too short a time.
        SamplesInsufficient = 19,
        /// Nothing was declared.
        NotDeclared = 20,
        /// Devices that were reported are offline.
        DevicesOffline = 21,
        /// Devices were not reported for too long.
        DevicesSilent = 22,
        /// Buses or their drivers are known, but none was declared.
        BusesUndeclared = 23,
    }
}

/// One thing that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub code: Code,
    /// Which one, empty for the whole part.
    pub subject: String,
    /// What is demanded, where it is a number.
    pub required: u32,
    /// What is there, where it is a number.
    pub actual: u32,
    /// The number of the rule.
    pub rule: &'static str,
}

impl Finding {
    /// Something is missing that is no number.
    pub fn of(code: Code, rule: &'static str) -> Self {
        Self::short(code, rule, 0, 0)
    }

    /// Something is missing of `subject`.
    pub fn about(code: Code, rule: &'static str, subject: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            ..Self::of(code, rule)
        }
    }

    /// There is less, or more, than demanded.
    pub fn short(code: Code, rule: &'static str, required: u32, actual: u32) -> Self {
        Self {
            code,
            subject: String::new(),
            required,
            actual,
            rule,
        }
    }

    /// The sentence for people.
    pub fn text(&self) -> String {
        let Self {
            code,
            subject,
            required,
            actual,
            ..
        } = self;
        match code {
            Code::NotDeclared => "单位尚未填报".to_owned(),
            Code::DeclaredNotMet => "单位填报尚未达到".to_owned(),
            Code::EvidenceExpired => "证明材料已过期".to_owned(),
            Code::TooFewGuards => format!("合格专职保安应有 {required} 人，实有 {actual} 人"),
            Code::GuardOverAge => format!("{actual} 名保安超过 60 周岁"),
            Code::GuardUncertified => format!("{actual} 名保安没有有效的保安员证"),
            Code::GatehouseUnoccupied => "门卫室未做到 24 小时值守".to_owned(),
            Code::TooFewPatrols => format!("每日巡逻应不少于 {required} 次，现为 {actual} 次"),
            Code::NoPatrolPoints => "巡逻未设巡查点".to_owned(),
            Code::NoAntiRamming => "校门未设置硬质防冲撞设施".to_owned(),
            Code::SharedEntry => "校门未做到人车分流".to_owned(),
            Code::RetentionTooShort => {
                format!("视频应保存不少于 {required} 天，现为 {actual} 天")
            }
            Code::VideoNotLinked => "视频未与公安、教育部门联网".to_owned(),
            Code::KeyPartMissing => format!("重点部位未填报：{subject}"),
            Code::KeyPartUnprotected => format!("重点部位防范不到位：{subject}"),
            Code::BusInspectionOverdue => format!("校车 {subject} 安全技术检验已逾期"),
            Code::BusLicenceExpired => format!("校车 {subject} 校车标牌已过期"),
            Code::BusUnattended => format!("校车 {subject} 未配备照管人员"),
            Code::LeadersAbsent => "未落实学校负责人陪餐".to_owned(),
            Code::DevicesOffline => format!("{actual} 台安防设备离线"),
            Code::DevicesSilent => format!("{actual} 台安防设备长时间未上报状态"),
            Code::BusesUndeclared => "已登记校车或校车驾驶员，但填报为没有校车".to_owned(),
            Code::SamplesInsufficient => "食品留样未达到每样不少于 125 克、48 小时".to_owned(),
        }
    }
}
