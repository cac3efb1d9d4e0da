//! What an answer amounts to.

use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use tonic::Code;

use super::GATEWAY;
use super::cases::Case;

/// Methods that find something wrong with a request that is what its contract wants before they say that it is
/// nobody's to ask: of them it is not known here whether they look at the place at all. The list only shrinks.
pub(super) const EARLY: [&str; 1] = ["ConcernService.SubmitConcern"];

/// Methods that pass over what is not the caller's as if it were not there, and say how many they did
/// something about. The list only shrinks.
const PASS_OVER: [&str; 2] = [
    "DeliveryService.RecordReceipts",
    "DeliveryService.ResendDeadLetters",
];

/// Whoever may ask what is held about them and nothing about others.
const UNTOLD: &[&str] = &[
    "counsellor",
    "disease-control",
    "epidemic-reporter",
    "guard",
    "safety-officer",
    "sampler",
    "school-doctor",
    "security-admin",
];
/// They, and the head of a school, who files requests about data and reads none.
const UNSHOWN: &[&str] = &[
    "counsellor",
    "disease-control",
    "epidemic-reporter",
    "guard",
    "principal",
    "safety-officer",
    "sampler",
    "school-doctor",
    "security-admin",
];
/// They, and bureaus, which file and take back nothing for others.
const UNFILED: &[&str] = &[
    "city-officer",
    "counsellor",
    "disease-control",
    "district-officer",
    "epidemic-reporter",
    "guard",
    "safety-officer",
    "sampler",
    "school-doctor",
    "security-admin",
];
/// They, and who reports of a class group.
const ALONE: &[&str] = &[
    "city-officer",
    "class-reporter",
    "counsellor",
    "disease-control",
    "district-officer",
    "epidemic-reporter",
    "guard",
    "safety-officer",
    "sampler",
    "school-doctor",
    "security-admin",
];
/// A laboratory, of whose own none is there.
const LABORATORY: &[&str] = &["laboratory"];
/// A bureau, about what is not there.
const BUREAU: &[&str] = &["district-officer"];
/// Whoever keeps supplies.
const KEEPERS: &[&str] = &[
    "epidemic-reporter",
    "principal",
    "safety-officer",
    "school-doctor",
];
/// Whoever reads of supplies below the whole city.
const READERS: &[&str] = &[
    "disease-control",
    "district-officer",
    "epidemic-reporter",
    "principal",
    "safety-officer",
    "school-doctor",
];
/// Whoever handles directives below the whole city.
const DESKS: &[&str] = &[
    "district-officer",
    "epidemic-reporter",
    "principal",
    "safety-officer",
    "school-clerk",
    "school-doctor",
];
/// Whoever finds hazards and neither mends nor judges them.
const FINDERS: &[&str] = &[
    "counsellor",
    "epidemic-reporter",
    "guard",
    "school-clerk",
    "school-doctor",
];
/// Whoever has an inbox and does not keep the addresses of others.
const OTHERS: &[&str] = &[
    "class-reporter",
    "counsellor",
    "disease-control",
    "epidemic-reporter",
    "guard",
    "principal",
    "safety-officer",
    "sampler",
    "school-doctor",
    "security-admin",
];
/// Whoever may be heard and answers nobody.
const HEARD: &[&str] = &[
    "counsellor",
    "disease-control",
    "epidemic-reporter",
    "guard",
    "safety-officer",
    "sampler",
    "school-clerk",
    "school-doctor",
];
/// They, and whoever has an inbox and no concerns.
const UNHEARD: &[&str] = &[
    "counsellor",
    "disease-control",
    "epidemic-reporter",
    "guard",
    "safety-officer",
    "sampler",
    "school-clerk",
    "school-doctor",
    "security-admin",
];
/// Whoever has duties and does not look after those of others.
const UNJUDGED: &[&str] = &[
    "counsellor",
    "disease-control",
    "epidemic-reporter",
    "guard",
    "sampler",
    "school-clerk",
    "school-doctor",
    "security-admin",
];
/// Whoever has duties.
const DUTIFUL: &[&str] = &[
    "city-officer",
    "counsellor",
    "disease-control",
    "district-officer",
    "epidemic-reporter",
    "guard",
    "principal",
    "safety-officer",
    "sampler",
    "school-clerk",
    "school-doctor",
    "security-admin",
];
/// Whoever has an inbox.
const EVERYBODY: &[&str] = &[
    "city-officer",
    "class-reporter",
    "counsellor",
    "disease-control",
    "district-officer",
    "epidemic-reporter",
    "guard",
    "principal",
    "safety-officer",
    "sampler",
    "school-clerk",
    "school-doctor",
    "security-admin",
];

/// Methods for which a permission is not enough at one's own place: the thing must be one's own, or whoever
/// asks somebody in particular; each with those who are held back, and nobody else. The list only shrinks.
pub(super) const HELD_BACK: [(&str, &[&str]); 45] = [
    (
        "AccountabilityService.AcknowledgeAccountabilityRecord",
        DUTIFUL,
    ),
    ("AccountabilityService.ListAccountabilityRecords", UNJUDGED),
    ("ChannelService.GetPreferences", OTHERS),
    ("ChannelService.ListContactPoints", OTHERS),
    ("ConcernService.AnswerConcern", HEARD),
    ("ConcernService.AssignConcern", HEARD),
    ("ConcernService.GetConcern", HEARD),
    ("ConcernService.ListConcerns", UNHEARD),
    ("ConcernService.RateAnswer", HEARD),
    ("ConcernService.TriageConcern", HEARD),
    ("DeliveryService.WatchInbox", EVERYBODY),
    ("DirectiveService.AcceptReport", DESKS),
    ("DirectiveService.AcknowledgeDirective", DESKS),
    ("DirectiveService.ConfirmReceipt", DESKS),
    ("DirectiveService.RelayDirective", DESKS),
    ("DirectiveService.ReportItem", DESKS),
    ("DirectiveService.ReportProgress", DESKS),
    ("DirectiveService.ReturnReport", DESKS),
    ("HazardService.RectifyHazard", FINDERS),
    ("HazardService.ReportHazardProgress", FINDERS),
    ("HazardService.RequestHazardExtension", FINDERS),
    ("HazardService.SubmitHazard", FINDERS),
    ("HeldDataService.ExportHeldData", UNSHOWN),
    ("MeetingService.DecideSubstitute", BUREAU),
    ("MeetingService.RequestSubstitute", DESKS),
    ("MeetingService.SignIn", DESKS),
    ("MeetingService.SignOut", DESKS),
    ("ResultService.GetResult", LABORATORY),
    ("ResultService.ListResults", LABORATORY),
    ("SubjectDataService.ExportSubjectData", UNSHOWN),
    ("SubjectRequestService.FileSubjectRequest", ALONE),
    ("SubjectRequestService.GetSubjectData", UNSHOWN),
    ("SubjectRequestService.GetSubjectRequest", UNTOLD),
    ("SubjectRequestService.ListSubjectRequests", UNTOLD),
    ("SubjectRequestService.UseSubjectRequest", UNSHOWN),
    ("SubjectRequestService.WithdrawSubjectRequest", UNFILED),
    ("SupplyService.CancelSupplyTransfer", KEEPERS),
    ("SupplyService.GetSupplyTransfer", READERS),
    ("SupplyService.ReceiveSupplyTransfer", KEEPERS),
    ("TubeService.GetTube", LABORATORY),
    ("TubeService.ListCustodyEvents", LABORATORY),
    ("TubeService.ListSwabs", LABORATORY),
    ("TubeService.ReceiveTube", LABORATORY),
    ("TubeService.RejectTube", LABORATORY),
    ("TubeService.StartTesting", LABORATORY),
];

/// What an answer amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// Whoever asks may not.
    Denied,
    /// Nothing is there, as far as they are told.
    Hidden,
    /// Something else is wrong with the request.
    Early,
    /// They were answered, or told of the state of something.
    Reached(String),
}

/// Judges an answer, or the code and reason of a refusal.
pub(super) fn judge(case: &Case, answer: Result<Vec<DynamicMessage>, (Code, String)>) -> Judged {
    match answer {
        Err((Code::PermissionDenied, _)) => Judged::Denied,
        // The gateway refuses whoever may not at once, before anything is looked at.
        Err(refused) if !case.may && case.at == GATEWAY => Judged::Reached(format!("{refused:?}")),
        Err((Code::InvalidArgument, _)) => Judged::Early,
        Err((Code::NotFound, _)) if case.is_hidden() => Judged::Hidden,
        Err(refused) => Judged::Reached(format!("{refused:?}")),
        Ok(answers) if is_passed_over(case, &answers) => Judged::Hidden,
        Ok(answers) => {
            let mut reasons = Vec::new();
            answers.iter().for_each(|one| gather(one, &mut reasons));
            if !reasons.is_empty() && reasons.iter().all(|reason| reason == "SCOPE_DENIED") {
                Judged::Denied
            } else if reasons.iter().any(|reason| reason == "INVALID_FIELD") {
                Judged::Early
            } else if !reasons.is_empty() && reasons.iter().all(|reason| !reason.is_empty()) {
                Judged::Hidden
            } else {
                let told = answers
                    .iter()
                    .map(|answer| answer.descriptor().name().to_owned());
                Judged::Reached(told.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Whether nothing was done, as far as somebody is told who may ask for many things at once.
fn is_passed_over(case: &Case, answers: &[DynamicMessage]) -> bool {
    let says_nothing = |answer: &DynamicMessage| answer.fields().next().is_none();
    PASS_OVER.contains(&&*case.method.name()) && answers.iter().all(says_nothing)
}

/// The reasons for which items of an answer were refused; an empty one for an item that was taken.
fn gather(message: &DynamicMessage, reasons: &mut Vec<String>) {
    if let Some(field) = message.descriptor().get_field_by_name("error_reason") {
        let reason = message.get_field(&field);
        reasons.extend(reason.as_str().map(ToOwned::to_owned));
    }
    for (_, value) in message.fields() {
        let values = match value {
            Value::List(values) => &values[..],
            value => std::slice::from_ref(value),
        };
        let inner = values.iter().filter_map(Value::as_message);
        inner.for_each(|inner| gather(inner, reasons));
    }
}
