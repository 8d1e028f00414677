//! Somebody who sees everything that reaches phones, mailboxes and programs, as it arrives.

use std::fmt;
use std::sync::Arc;

/// By which way something came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum What {
    /// A text on a phone.
    Text,
    /// A phone rings.
    Call,
    /// A mail.
    Mail,
    /// A webhook.
    Hook,
}

/// Something has reached somebody.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// By which way.
    pub what: What,
    /// Number, mail address or path.
    pub to: &'a str,
    /// What the provider calls it; the subject of a mail.
    pub name: &'a str,
    /// What it says.
    pub body: &'a [u8],
}

/// Sees arrivals. It is called while nothing else can arrive, so it must be quick.
#[derive(Clone)]
pub struct Witness(Arc<dyn Fn(&Arrival<'_>) + Send + Sync>);

impl Witness {
    /// One that calls `see`.
    pub fn new(see: impl Fn(&Arrival<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(see))
    }

    pub(crate) fn see(&self, arrival: &Arrival<'_>) {
        (self.0)(arrival);
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Witness")
    }
}
