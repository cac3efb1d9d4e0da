//! What an incident is (rules 5.34, 5.37).

use chrono::TimeDelta;

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

/// For how long casualties can be supplemented (rule 5.33; 生产安全事故报告和调查处理条例 art. 13): 7 days
/// for traffic and fire, 30 days for all else.
pub fn supplement_span(kind: Option<report::Category>) -> TimeDelta {
    match kind {
        Some(report::Category::Fire | report::Category::Traffic) => TimeDelta::days(7),
        _ => TimeDelta::days(30),
    }
}
