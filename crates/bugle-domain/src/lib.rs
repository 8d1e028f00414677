//! The words of Bugle: ids, times, contacts, policies, schedules, events, alerts, notifications.
//!
//! Types here hold only what is valid: text becomes a type at the edge and stays one. No I/O, no
//! clock, no randomness; nothing here decides anything (that is `bugle-engine`).

pub mod alert;
pub mod contact;
pub mod event;
pub mod ids;
pub mod integration;
pub mod ledger;
pub mod notification;
pub mod object;
pub mod policy;
pub mod revision;
pub mod role;
pub mod schedule;
pub mod service;
pub mod severity;
pub mod stage;
pub mod status_page;
pub mod tenant;
pub mod text;
pub mod units;
pub mod user;

pub use ids::{
    AlertId, ApiKeyId, AssistanceId, BulletinId, ClaimId, EventId, IncidentId, IntegrationId,
    MethodId, NodeId, NoticeId, NotificationId, OverrideId, ParseIdError, PolicyId, RequestId,
    ScheduleId, ServiceId, SessionId, StatusPageId, SubscriberId, TeamId, TenantId, UserId,
};
pub use severity::{Severity, Urgency};
pub use tenant::{AllTenants, TenantScope};
