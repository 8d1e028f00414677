//! Channels: the only outbound network of Bugle. A message goes in, one outcome comes out.
//!
//! Nothing outside this crate knows what a provider's requests and answers look like. Nothing in
//! here decides *whether* to send: the caller has claimed the notification before it calls.

mod certificate;
mod channels;
mod guard;
mod health;
mod http;
mod message;
mod probe;
mod provider;
mod roots;
mod settings;
pub mod sms;
mod smtp;
pub mod twilio;
mod webhook;

pub use certificate::{CertificateError, Certificates};
pub use channels::{Channels, SetupError};
pub use guard::{Blocked, TargetGuard};
pub use health::BreakerState;
pub use message::{Content, Correspondence, Fault, Lookup, Outgoing, Sent};
pub use probe::{Probe, Probed};
pub use provider::ProviderStatus;
pub use roots::{Roots, RootsError};
pub use settings::{
    LONGEST_REQUEST, Limits, Login, Rate, Settings, SharedKey, SmtpSecurity, SmtpSettings,
    TwilioSettings, WebhookSettings,
};
pub use smtp::probe::{MailProbe, NotTaken};
pub use webhook::signature::{Secret as WebhookSecret, SecretError as WebhookSecretError};
