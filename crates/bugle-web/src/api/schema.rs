//! The form of what the API takes and gives, for its description.
//!
//! Types here describe documents that other crates read and write themselves; a test holds the two
//! against each other.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// What was deleted.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedBody {
    /// False in a dry run.
    pub(crate) deleted: bool,
    /// What went with it, in sentences.
    pub(crate) also: Vec<String>,
}

/// How a person is told, by urgency. Empty: the defaults.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct NotificationRules {
    /// For critical and high alerts.
    urgent: Vec<NotificationRule>,
    /// For medium and low alerts.
    normal: Vec<NotificationRule>,
}

/// One step of how a person is told.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct NotificationRule {
    /// Seconds after the level began.
    #[schema(maximum = 86400)]
    delay_s: u32,
    /// Id of the contact method.
    #[schema(example = "cm_0198c0de0000700080000000000000aa")]
    method: String,
}

/// A person who can be told and who can act.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct User {
    id: String,
    name: String,
    email: String,
    role: Role,
    /// IANA name.
    time_zone: String,
    rules: NotificationRules,
    disabled: bool,
}

/// A user as wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct UserDraft {
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    email: String,
    role: Role,
    /// IANA name; left out: the tenant's.
    #[schema(required = false)]
    time_zone: String,
    #[schema(required = false)]
    disabled: bool,
}

/// What somebody may do.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes a document")]
pub(crate) enum Role {
    Viewer,
    Responder,
    Manager,
    Admin,
}

/// A group of users that can be told at once.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct Team {
    id: String,
    name: String,
    /// Ids of users.
    members: Vec<String>,
}

/// A team as wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct TeamDraft {
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    /// Ids of users.
    #[schema(required = false)]
    members: Vec<String>,
}

/// Who is on call when.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct Schedule {
    id: String,
    name: String,
    /// IANA name of the zone that its local times are in.
    time_zone: String,
    /// Where two are active, the later counts.
    layers: Vec<Layer>,
}

/// A schedule as wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct ScheduleDraft {
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    /// IANA name; left out: the tenant's.
    #[schema(required = false)]
    time_zone: String,
    #[schema(required = false, max_items = 20)]
    layers: Vec<Layer>,
}

/// A rotation: people who take turns.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct Layer {
    name: String,
    /// Ids of users, in order.
    #[schema(min_items = 1, max_items = 100)]
    participants: Vec<String>,
    /// Local date and time of the first handoff.
    #[schema(example = "2026-11-16T09:00:00")]
    start: String,
    length: ShiftLength,
    /// Parts of the week in which it is active; empty: always.
    #[schema(required = false)]
    restrictions: Vec<Restriction>,
}

/// How long one turn lasts.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct ShiftLength {
    unit: ShiftUnit,
    #[schema(minimum = 1)]
    count: u16,
}

/// A unit of turns.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes a document")]
pub(crate) enum ShiftUnit {
    Hours,
    Days,
    Weeks,
}

/// A part of the week.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct Restriction {
    /// 1 = Monday … 7 = Sunday; empty: every day.
    #[schema(required = false)]
    weekdays: Vec<u8>,
    #[schema(example = "09:00:00")]
    from: String,
    /// At or before `from`: on the next day.
    #[schema(example = "17:00:00")]
    to: String,
}

/// A cover: somebody else is on call for a while.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct Override {
    id: String,
    schedule: String,
    /// Null: nobody, on purpose.
    user: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    reason: String,
}

/// An override as wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct OverrideDraft {
    schedule: String,
    /// Null: nobody, on purpose.
    user: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    #[schema(required = false)]
    reason: String,
}

/// Somebody to tell.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct Target {
    #[schema(rename = "type")]
    r#type: TargetKind,
    id: String,
}

/// What kind of target.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes a document")]
pub(crate) enum TargetKind {
    User,
    Schedule,
    Team,
}

/// One step of a policy.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct Level {
    /// Who is told, all at once.
    #[schema(min_items = 1, max_items = 20)]
    targets: Vec<Target>,
    /// How long to wait for an answer before the next level, in seconds.
    #[schema(minimum = 10, maximum = 86400)]
    delay_s: u32,
}

/// Who is told, in what order, how long between.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct Policy {
    id: String,
    name: String,
    levels: Vec<Level>,
    /// How often the whole is gone through again.
    repeat: u8,
}

/// A policy as wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct PolicyDraft {
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    #[schema(min_items = 1, max_items = 20)]
    levels: Vec<Level>,
    #[schema(required = false, maximum = 9)]
    repeat: u8,
}

/// Something that can break.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct Service {
    id: String,
    name: String,
    /// Who is told when it breaks; null: the tenant's fallback policy.
    policy: Option<String>,
    team: Option<String>,
    description: String,
    runbook_url: Option<String>,
}

/// A service as wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct ServiceDraft {
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    policy: Option<String>,
    team: Option<String>,
    #[schema(required = false)]
    description: String,
    runbook_url: Option<String>,
}

/// A page on which the tenant tells the public how its services do.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct StatusPage {
    /// Its public address is `/status/p/ID/`.
    id: String,
    name: String,
    services: Vec<PublicService>,
    follow_alerts: bool,
    enabled: bool,
}

/// A status page as wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct StatusPageDraft {
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    /// In the order that is shown; each service once.
    #[schema(min_items = 1, max_items = 30)]
    services: Vec<PublicService>,
    /// Whether a service is as bad as its open alerts say; left out: it is.
    #[schema(required = false)]
    follow_alerts: bool,
    /// Whether it is public; left out: it is.
    #[schema(required = false)]
    enabled: bool,
}

/// A service as the public knows it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct PublicService {
    service: String,
    /// What the public calls it; null: its own name.
    name: Option<String>,
}

/// A way in for events.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct Integration {
    id: String,
    name: String,
    dialect: Dialect,
    /// Null: the tenant's fallback policy is told.
    service: Option<String>,
    /// The first 4 characters of the key.
    key_hint: String,
    quota_per_minute: u32,
    disabled: bool,
}

/// An integration as wanted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a document")]
pub(crate) struct IntegrationDraft {
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    dialect: Dialect,
    service: Option<String>,
    #[schema(required = false, minimum = 1, maximum = 1_000_000)]
    quota_per_minute: u32,
    #[schema(required = false)]
    disabled: bool,
}

/// What senders speak.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes a document")]
pub(crate) enum Dialect {
    Native,
    PagerdutyV2,
    PagerdutyV1,
    AlertmanagerWebhook,
    AlertmanagerApi,
    Email,
}
