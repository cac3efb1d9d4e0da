//! What an incident is (rules 5.34, 5.37).

use crate::domain::hazard::report;
use crate::domain::numbered::numbered;

numbered! {
    /// The category (rule 5.37); the numbers are those of the contract.
    Category {
        /// Social security: violence, intrusion, bullying.
        SocialSecurity = 1,
        /// Accidents.
        Accident = 2,
        /// Public health.
        PublicHealth = 3,
        /// Natural disasters.
        NaturalDisaster = 4,
        /// Networks and data.
        NetworkSecurity = 5,
        /// Examinations.
        ExamSecurity = 6,
        /// Public opinion.
        PublicOpinion = 7,
    }
}

numbered! {
    /// Why an incident is confidential (rule 5.34; 未成年人保护法 art. 39, 40).
    Confidential {
        /// Serious bullying.
        SeriousBullying = 1,
        /// Sexual assault or harassment.
        SexualAssault = 2,
    }
}

numbered! {
    /// What was done about somebody who answers for an incident.
    Measure {
        /// 提醒谈话.
        Reminded = 1,
        /// 通报批评.
        Criticised = 2,
        /// 处分.
        Disciplined = 3,
        /// Removed from the post.
        Removed = 4,
        /// 移送.
        Referred = 5,
    }
}

const DAY: i64 = 24 * 60 * 60 * 1000;
/// By how much the clocks of the city are ahead of UTC.
const AHEAD: i64 = 8 * 60 * 60 * 1000;

/// Until when casualties of an incident of this instant can be supplemented (rule 5.33;
/// 生产安全事故报告和调查处理条例 art. 13), both in milliseconds since 1970: the midnight in the city that ends
/// the 7th civil day after the day of the incident for traffic and fire, the 30th for all else. The day
/// itself does not count (民法典 art. 201).
pub fn supplement_end(kind: Option<report::Category>, occurred: i64) -> i64 {
    let days = match kind {
        Some(report::Category::Fire | report::Category::Traffic) => 7,
        _ => 30,
    };
    let day = (occurred + AHEAD).div_euclid(DAY);
    (day + days + 1) * DAY - AHEAD
}
