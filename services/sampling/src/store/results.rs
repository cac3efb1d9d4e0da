//! What laboratories reported.

use kit::rows::row;

row! {
    /// One version of a result.
    ResultRow in "results" by ["tube", "report", "version"] {
        /// The tube.
        tube: String,
        /// The report.
        report: String,
        /// The version.
        version: i32,
        /// What was found.
        value: i16,
        /// When tested; 0 when the laboratory did not say.
        test_time: i64,
        /// Why corrected.
        reason: String,
        /// When taken in.
        receive_time: i64,
    }
}
