//! Why there is no overview.

use kit::status::Problem;
use tonic::Status;

use crate::inside::retold;

/// Why there is no overview.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The gateway refuses.
    Own(Problem),
    /// The register refuses, in its words.
    Register(Status),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Own(problem)
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Own(problem) => problem.into(),
            Refusal::Register(told) => retold(&told),
        }
    }
}
