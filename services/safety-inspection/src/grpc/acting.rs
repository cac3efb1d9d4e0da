//! What requests to do something to one hazard have in common.

use prost::Message;
use proto::safety as pb;

/// A request to do something to one hazard.
pub(super) trait Acting: Message {
    /// The hazard.
    fn name(&self) -> &str;
    /// The id of the request.
    fn request_id(&self) -> &str;
}

macro_rules! acting {
    ($($request:ident),+ $(,)?) => {
        $(impl Acting for pb::$request {
            fn name(&self) -> &str {
                &self.name
            }

            fn request_id(&self) -> &str {
                &self.request_id
            }
        })+
    };
}

acting!(
    VerifyHazardRequest,
    DismissHazardRequest,
    ControlHazardRequest,
    AssignHazardRequest,
    HandOverHazardRequest,
    RemindHazardRequest,
    RectifyHazardRequest,
    SubmitHazardRequest,
    ReviewHazardRequest,
    CloseHazardRequest,
    ReturnHazardRequest,
    ReportHazardProgressRequest,
    RequestHazardExtensionRequest,
    DecideHazardExtensionRequest,
    SuperviseHazardRequest,
    RecordHazardSupervisionRequest,
    LiftHazardSupervisionRequest,
);
