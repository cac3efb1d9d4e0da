//! What recipients, and those above them, do with a directive.

use proto::notification::confirm_receipt_request::Receipt;
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::{
    AcceptReportRequest, AcknowledgeDirectiveRequest, ConfirmReceiptRequest, Directive,
    DirectiveProgress, DirectiveRecipient, GetDirectiveProgressRequest, GetDirectiveRequest,
    ListOutstandingRequest, ListRecipientsRequest, RelayDirectiveRequest, ReportItemRequest,
    ReportProgressRequest, ReturnReportRequest,
};
use tests::city::Door;
use tests::every;
use tonic::Status;

use crate::verbs::request_id;

/// What is done with a directive at one recipient.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    /// It came.
    Deliver,
    /// Somebody read it.
    Read,
    /// It is signed for.
    Sign,
    /// It is passed on with this hash, and with words of one's own.
    Relay(&'a [u8], &'a str),
    /// How far the work on an item is.
    Item(&'a str, i32),
    /// Everything is done.
    Finish,
    /// The one above accepts.
    Accept,
    /// The one above wants more, and says what.
    Return(&'a str),
}

/// From the arrival to the signature.
pub(super) const SIGN: [Step<'static>; 3] = [Step::Deliver, Step::Read, Step::Sign];

/// Does a step at a recipient of a directive.
pub(super) async fn step(
    door: &Door,
    directive: &str,
    recipient: &str,
    step: Step<'_>,
) -> Result<DirectiveRecipient, Status> {
    let name = format!("{directive}/recipients/{recipient}");
    let (request_id, mut client) = (request_id(), DirectiveServiceClient::new(door.clone()));
    let report = "已落实，台账在案".to_owned();
    let done = match step {
        Step::Deliver | Step::Read => {
            let receipt = match step {
                Step::Deliver => Receipt::Delivered,
                _ => Receipt::Read,
            };
            let request = ConfirmReceiptRequest {
                name,
                receipt: receipt.into(),
                request_id,
            };
            client.confirm_receipt(request).await
        }
        Step::Sign => {
            let request = AcknowledgeDirectiveRequest { name, request_id };
            client.acknowledge_directive(request).await
        }
        Step::Relay(hash, note) => {
            let request = RelayDirectiveRequest {
                name,
                text_sha256: hash.to_vec().into(),
                note: note.to_owned(),
                request_id,
            };
            client.relay_directive(request).await
        }
        Step::Item(item, progress_percent) => {
            let request = ReportItemRequest {
                name,
                item_id: item.to_owned(),
                report,
                progress_percent,
                request_id,
            };
            client.report_item(request).await
        }
        Step::Finish => {
            let request = ReportProgressRequest {
                name,
                report,
                progress_percent: 100,
                finished: true,
                request_id,
            };
            client.report_progress(request).await
        }
        Step::Accept => {
            let request = AcceptReportRequest { name, request_id };
            client.accept_report(request).await
        }
        Step::Return(reason) => {
            let request = ReturnReportRequest {
                name,
                reason: reason.to_owned(),
                request_id,
            };
            client.return_report(request).await
        }
    };
    Ok(done?.into_inner())
}

/// Does one step after the other; gives the recipient after the last.
pub(super) async fn steps(
    door: &Door,
    directive: &str,
    recipient: &str,
    all: &[Step<'_>],
) -> DirectiveRecipient {
    let mut after = DirectiveRecipient::default();
    for one in all {
        let done = step(door, directive, recipient, *one).await;
        after = done.unwrap_or_else(|refused| panic!("{one:?} at {recipient}: {refused:?}"));
    }
    after
}

/// A directive as somebody reads it.
pub(super) async fn read(door: &Door, name: &str) -> Result<Directive, Status> {
    let name = name.to_owned();
    let mut client = DirectiveServiceClient::new(door.clone());
    let directive = client.get_directive(GetDirectiveRequest { name }).await?;
    Ok(directive.into_inner())
}

/// How far a directive has come.
pub(super) async fn progress(door: &Door, name: &str) -> Result<DirectiveProgress, Status> {
    let name = name.to_owned();
    let mut client = DirectiveServiceClient::new(door.clone());
    let request = GetDirectiveProgressRequest { name };
    Ok(client.get_directive_progress(request).await?.into_inner())
}

/// The recipients of a directive whom somebody sees, page after page.
pub(super) async fn recipients(
    door: &Door,
    directive: &str,
) -> Result<Vec<DirectiveRecipient>, Status> {
    every(|page_token| {
        let request = ListRecipientsRequest {
            parent: directive.to_owned(),
            page_size: 3,
            page_token,
        };
        let mut client = DirectiveServiceClient::new(door.clone());
        async move {
            let page = client.list_recipients(request).await?.into_inner();
            Ok((page.recipients, page.next_page_token))
        }
    })
    .await
}

/// The ids of those at and below an organisation with whom something is overdue.
pub(super) async fn overdue(door: &Door, organization: &str) -> Result<Vec<String>, Status> {
    let owed = every(|page_token| {
        let request = ListOutstandingRequest {
            parent: format!("organizations/{organization}"),
            page_size: 2,
            page_token,
            overdue: true,
        };
        let mut client = DirectiveServiceClient::new(door.clone());
        async move {
            let page = client.list_outstanding(request).await?.into_inner();
            Ok((page.recipients, page.next_page_token))
        }
    });
    let id = |one: &DirectiveRecipient| one.name.rsplit('/').next().unwrap_or_default().to_owned();
    let mut late: Vec<String> = owed.await?.iter().map(id).collect();
    late.sort();
    Ok(late)
}
