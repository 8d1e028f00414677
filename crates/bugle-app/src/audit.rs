//! Who changed what.

use jiff::Timestamp;
use serde::Serialize;

/// One change of the configuration.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct AuditLine {
    /// When.
    pub at: Timestamp,
    /// Who, as [`crate::caller::Caller::audit_name`].
    pub actor: String,
    /// What was done, in words: `put policy "Payments"`.
    pub text: String,
}
