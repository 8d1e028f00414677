//! Where decisions get new ids from.

use bugle_domain::{AlertId, NotificationId};

/// Gives out new ids and tokens, so that a decision repeats exactly under test.
pub trait Mint {
    /// A new alert's id.
    fn alert(&mut self) -> AlertId;
    /// A new notification's id.
    fn notification(&mut self) -> NotificationId;
    /// An unguessable text for a notification's link: at least 60 bits, only letters and digits.
    fn token(&mut self) -> String;
}
