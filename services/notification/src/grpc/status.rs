//! One match from what went wrong to what the caller is told.

use kit::status::Problem;
use proto::error::ErrorReason as Reason;
use tonic::Status;

use crate::domain::rule::Fault;
use crate::domain::{
    alert, attendance, care, concern, directive, meeting, message, recipient, support, template,
};
use crate::error::{Error, Unfit};

impl From<Error> for Problem {
    fn from(err: Error) -> Self {
        match err {
            Error::NotFound(name) => Problem::not_found(name),
            Error::Conflict => Problem::new(Reason::Conflict),
            Error::Alert(alert::Refused::State(state)) => {
                Problem::new(Reason::AlertState).meta("state", state.as_str())
            }
            Error::Alert(alert::Refused::FactStands(basis)) => {
                Problem::new(Reason::AlertFactStands).meta("basis", basis)
            }
            Error::Directive(directive::Refused::State(state)) => {
                Problem::new(Reason::DirectiveState).meta("state", state.as_str())
            }
            Error::Directive(directive::Refused::SelfApproval) => {
                Problem::new(Reason::DirectiveSelfApproval)
            }
            Error::Recipient(refused) => of_recipient(refused),
            Error::NoRecipients => Problem::new(Reason::DirectiveNoRecipients),
            Error::Audience(list, index) => Problem::invalid(
                format!("audience.{list}[{index}]"),
                "不是发文单位或其下级单位",
                "not at or below the orderer",
            ),
            Error::Replacement => Problem::invalid(
                "superseded_by",
                "不是本单位已发布的另一份通知",
                "not another issued directive of this organisation",
            ),
            Error::ItemUnknown(item) => {
                Problem::new(Reason::DirectiveItemUnknown).meta("item", item)
            }
            Error::Meeting(refused) => of_meeting(refused),
            Error::Attendance(refused) => of_attendance(refused),
            Error::MeetingField(field, unfit) => of_meeting_field(field, unfit),
            Error::RuleChanged(kind) => Problem::new(Reason::EtagMismatch)
                .meta("name", format!("alertRules/{}", kind.as_str())),
            Error::Rule(faults) => of_rule(faults),
            Error::Message(message::Refused(state)) => {
                Problem::new(Reason::MessageState).meta("state", state.as_str())
            }
            Error::Beyond(field) => Problem::invalid(
                field,
                "不是发送单位或其下级范围内的对象",
                "not at or below the sender",
            ),
            Error::TemplateUnknown => Problem::invalid(
                "message.template",
                "没有这个模板",
                "there is no such template",
            ),
            Error::Channel(index) => Problem::invalid(
                format!("message.channels[{index}]"),
                "没有这个通道",
                "there is no such channel",
            ),
            Error::DocumentsOnly(index) => Problem::invalid(
                format!("message.channels[{index}]"),
                "该通道只发送预警文档，请使用导出预警",
                "this channel carries documents of warnings only: export the warning",
            ),
            Error::Exercise(channel) => {
                Problem::new(Reason::ChannelExercise).meta("channel", channel)
            }
            Error::Concern(concern::Refused::State(state)) => {
                Problem::new(Reason::ConcernState).meta("state", state.as_str())
            }
            Error::Concern(concern::Refused::Assignee) => Problem::new(Reason::ConcernAssignee),
            Error::SupportCase(support::Refused::State(state)) => {
                Problem::new(Reason::SupportCaseState).meta("state", state.as_str())
            }
            Error::SupportCase(support::Refused::Grade(grade)) => {
                Problem::new(Reason::SupportCaseGrade).meta("grade", grade.as_str())
            }
            Error::SupportCase(support::Refused::Guardian) => {
                Problem::new(Reason::SupportCaseGuardian)
            }
            Error::CareTask(care::Refused(state)) => {
                Problem::new(Reason::CareTaskState).meta("state", state.as_str())
            }
            Error::Sealed(err) => Problem::new(Reason::Internal).source(err),
            Error::Stale(name) => Problem::new(Reason::EtagMismatch).meta("name", name),
            Error::Template(faults) => {
                let problem = Problem::new(Reason::InvalidField);
                faults.into_iter().fold(problem, |problem, fault| {
                    problem.field(format!("template.{}", fault.field), fault.zh, fault.en)
                })
            }
            Error::TemplateValues(template::Unfit(variable)) => {
                Problem::new(Reason::TemplateValues).meta("variable", variable)
            }
            Error::Document(faults) => {
                let problem = Problem::new(Reason::InvalidField);
                faults.into_iter().fold(problem, |problem, fault| {
                    problem.field(format!("document/{}", fault.path), fault.zh, fault.en)
                })
            }
            Error::WarningChain(identifier) => {
                Problem::new(Reason::WarningChain).meta("identifier", identifier)
            }
            Error::Database(err) => Problem::from(err),
            Error::Refused(problem) => problem,
        }
    }
}

fn of_rule(faults: Vec<Fault>) -> Problem {
    let invalid = Problem::new(Reason::InvalidField);
    faults.into_iter().fold(invalid, |problem, fault| {
        let Fault { field, zh, en } = fault;
        problem.field(format!("rule.{field}"), zh, en)
    })
}

fn of_recipient(refused: recipient::Refused) -> Problem {
    use recipient::Refused;
    match refused {
        Refused::State(state) => {
            Problem::new(Reason::DirectiveRecipientState).meta("state", state.as_str())
        }
        Refused::NotRelayed(upper) => {
            let upper = format!("organizations/{upper}");
            Problem::new(Reason::DirectiveNotRelayed).meta("upper", upper)
        }
        Refused::TextChanged => Problem::new(Reason::DirectiveTextChanged),
        Refused::ItemOutstanding(item) => {
            Problem::new(Reason::DirectiveItemsOutstanding).meta("item", item)
        }
        Refused::NobodyBelow => Problem::new(Reason::DirectiveNoRecipients),
        Refused::BelowOutstanding { accepted, required } => {
            Problem::new(Reason::DirectiveChildrenOutstanding)
                .meta("accepted", accepted)
                .meta("required", required)
        }
    }
}

fn of_meeting(meeting::Refused(state): meeting::Refused) -> Problem {
    Problem::new(Reason::MeetingState).meta("state", state.as_str())
}

fn of_attendance(refused: attendance::Refused) -> Problem {
    use attendance::Refused;
    match refused {
        Refused::Meeting(refused) => of_meeting(refused),
        Refused::State(state) => {
            Problem::new(Reason::AttendanceState).meta("state", state.as_str())
        }
        Refused::Substitute => Problem::new(Reason::AttendanceSubstitute),
    }
}

fn of_meeting_field(field: String, unfit: Unfit) -> Problem {
    let (zh, en) = match unfit {
        Unfit::VenueElsewhere => (
            "不是召集单位或其下级单位",
            "not at or below the organisation of the meeting",
        ),
        Unfit::VenueUnknown => ("会议没有该会场", "not a venue of the meeting"),
        Unfit::Notice => (
            "不是本单位已发布且未用于其他会议的通知",
            "not an issued directive of the same organisation that no other meeting has",
        ),
        Unfit::Substitute => ("不是本单位的教职工", "not of the staff of the organisation"),
        Unfit::NotLater => (
            "应晚于原定开始时间和当前时间",
            "later than it was to begin, and than now",
        ),
    };
    Problem::invalid(field, zh, en)
}

impl From<Error> for Status {
    fn from(err: Error) -> Self {
        Problem::from(err).into()
    }
}
