//! Which data of minors the methods of a contract show.

use proto::roster::MinorData;

/// Which data of minors a contract such as `campus.safety.v1.GateService` shows; none where it shows
/// none, or asks by itself, as the roster does.
pub(crate) fn shown_by(contract: &str) -> Option<MinorData> {
    let (package, service) = contract.rsplit_once('.')?;
    match (package, service) {
        (
            "campus.sampling.v1",
            "PlanService" | "DrawService" | "TubeService" | "ResultService" | "HoldService"
            | "ClearanceFeed" | "SamplingFeed",
        ) => Some(MinorData::Sampling),
        ("campus.sampling.v1", _) => Some(MinorData::Health),
        ("campus.safety.v1", _) => Some(MinorData::Safety),
        ("campus.notification.v1", _) => Some(MinorData::Messages),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_contract_shows_one_kind_of_data() {
        let shown = [
            ("campus.sampling.v1.HoldService", Some(MinorData::Sampling)),
            (
                "campus.sampling.v1.ClearanceFeed",
                Some(MinorData::Sampling),
            ),
            ("campus.sampling.v1.HealthService", Some(MinorData::Health)),
            ("campus.safety.v1.GateService", Some(MinorData::Safety)),
            (
                "campus.notification.v1.SupportService",
                Some(MinorData::Messages),
            ),
            ("campus.roster.v1.StudentService", None),
            ("campus.audit.v1.AuditLogService", None),
            // The roster asks for it, when it is asked whose data may be told.
            ("campus.subject.v1.HeldDataService", None),
            ("unknown", None),
        ];
        for (contract, data) in shown {
            assert_eq!(shown_by(contract), data, "{contract}");
        }
    }
}
