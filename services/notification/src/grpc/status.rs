//! One match from what went wrong to what the caller is told.

use kit::status::Problem;
use proto::error::ErrorReason as Reason;
use tonic::Status;

use crate::domain::{alert, directive, recipient};
use crate::error::Error;

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
            Error::Audience(index) => Problem::invalid(
                format!("audience[{index}]"),
                "不是发文单位或其下级单位",
                "not at or below the orderer",
            ),
            Error::Replacement => Problem::invalid(
                "superseded_by",
                "不是本单位已发布的另一份通知",
                "not another issued directive of this organisation",
            ),
            Error::Database(err) => Problem::from(err),
            Error::Refused(problem) => problem,
        }
    }
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
        Refused::NobodyBelow => Problem::new(Reason::DirectiveNoRecipients),
        Refused::BelowOutstanding { accepted, required } => {
            Problem::new(Reason::DirectiveChildrenOutstanding)
                .meta("accepted", accepted)
                .meta("required", required)
        }
    }
}

impl From<Error> for Status {
    fn from(err: Error) -> Self {
        Problem::from(err).into()
    }
}
