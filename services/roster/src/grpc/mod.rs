//! The wire: requests to the domain, results to replies.

pub mod policy_convert;
