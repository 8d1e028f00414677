//! The only HTTP server of Bugle: API, pages, dialects, callbacks; and the only SMTP server.
//!
//! Architecture invariant: nothing here touches the store or a channel. A handler parses, calls one
//! use case of `bugle-app`, and shapes the answer.

pub mod api;
pub mod auth;
mod callbacks;
mod intake;
mod layers;
pub mod ops;
pub mod pages;
pub mod problem;
mod router;
mod server;
mod smtp;
pub mod state;
mod watch;

pub use pages::status::render as render_status;
pub use router::router;
pub use server::{ServerLimits, serve};
pub use smtp::{MailLimits, serve_mail};
pub use state::{WebSettings, WebState};
pub use watch::answers;
