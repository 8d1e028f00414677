//! Who may do what.

use bugle_domain::role::Role;
use bugle_domain::role::Role::{Admin, Manager, Responder, Viewer};

/// What a route asks of whoever calls it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Needs {
    /// At least this role in the tenant.
    Role(Role),
    /// To stand above tenants.
    Operator,
    /// The first role for one's own, the second for others'. The row is about somebody else's: who
    /// has the first only finds nothing.
    OwnOr(Role, Role),
    /// To be signed in. What the use case behind it refuses, the page says in a sentence; the use
    /// case has a row of its own in the API.
    Session,
}

use Needs::{Operator, OwnOr, Session};

const V: Needs = Needs::Role(Viewer);
const R: Needs = Needs::Role(Responder);
const M: Needs = Needs::Role(Manager);
const A: Needs = Needs::Role(Admin);

/// Method, path with the names of things in the world, body, needs. `{me}` in a body is the caller.
pub(super) type Row = (&'static str, &'static str, &'static str, Needs);

const POLICY: &str =
    r#"{"name":"P","levels":[{"targets":[{"type":"user","id":"{user}"}],"delay_s":60}]}"#;
const OVERRIDE: &str = r#"{"schedule":"{schedule}","user":"{me}",
    "from":"2026-12-01T00:00:00Z","until":"2026-12-02T00:00:00Z"}"#;
const TENANT: &str = r#"{"name":"T","time_zone":"Europe/Berlin","admin_name":"N",
    "admin_email":"n@t.example"}"#;
const USER: &str = r#"{"name":"U","email":"u@halden.example","role":"viewer"}"#;
const METHOD: &str = r#"{"channel":"sms","address":"+4930123456"}"#;
const NEW_INTEGRATION: &str = r#"{"name":"I","dialect":"native"}"#;

/// The API. What could change the world only says what it would do, where it can.
pub(super) const API: &[Row] = &[
    ("GET", "/api/v1/alerts", "", V),
    ("GET", "/api/v1/alerts/counts", "", V),
    ("GET", "/api/v1/alerts/{alert}", "", V),
    ("POST", "/api/v1/alerts/{alert}/acknowledge", "", R),
    ("POST", "/api/v1/alerts/{alert}/notes", r#"{"text":"n"}"#, R),
    ("POST", "/api/v1/alerts/{alert}/pass-on", "", R),
    ("POST", "/api/v1/alerts/{alert}/resolve", "", R),
    ("GET", "/api/v1/alerts/{alert}/why", "", V),
    ("GET", "/api/v1/api-keys", "", V),
    ("POST", "/api/v1/api-keys", r#"{"name":"k","role":"viewer"}"#, A),
    ("DELETE", "/api/v1/api-keys/{key}", "", OwnOr(Viewer, Admin)),
    ("POST", "/api/v1/apply?dry_run=1", "", M),
    ("GET", "/api/v1/audit", "", A),
    ("PATCH", "/api/v1/contact-methods/{method}", r#"{"name":"n"}"#, OwnOr(Responder, Admin)),
    ("POST", "/api/v1/contact-methods/{method}/code", "", OwnOr(Responder, Admin)),
    ("POST", "/api/v1/contact-methods/{method}/test", "", OwnOr(Responder, Admin)),
    (
        "POST",
        "/api/v1/contact-methods/{method}/verify",
        r#"{"code":"000000"}"#,
        OwnOr(Responder, Admin),
    ),
    ("GET", "/api/v1/changes", "", Operator),
    ("POST", "/api/v1/changes", r#"{"revision":1,"plan":true}"#, Operator),
    ("GET", "/api/v1/changes/1", "", Operator),
    ("POST", "/api/v1/changes/undo", "", Operator),
    ("GET", "/api/v1/doctor", "", Operator),
    ("GET", "/api/v1/events", "", V),
    ("GET", "/api/v1/events/{event}", "", V),
    ("GET", "/api/v1/events/{event}/raw", "", R),
    ("GET", "/api/v1/events/{event}/why", "", V),
    ("GET", "/api/v1/export", "", M),
    ("GET", "/api/v1/integrations", "", V),
    ("POST", "/api/v1/integrations?dry_run=1", NEW_INTEGRATION, M),
    ("GET", "/api/v1/integrations/{integration}", "", V),
    ("PUT", "/api/v1/integrations/{integration}?dry_run=1", NEW_INTEGRATION, M),
    ("DELETE", "/api/v1/integrations/{integration}?dry_run=1", "", M),
    ("POST", "/api/v1/integrations/{integration}/events", r#"{"summary":"s"}"#, R),
    ("PUT", "/api/v1/integrations/{integration}/key", "{}", M),
    ("GET", "/api/v1/integrations/{integration}/requests", "", M),
    ("GET", "/api/v1/integrations/{integration}/would-page", "", V),
    ("GET", "/api/v1/ledger", "", V),
    ("GET", "/api/v1/me", "", V),
    ("PUT", "/api/v1/me/password", r#"{"new":"short"}"#, V),
    ("GET", "/api/v1/notifications", "", V),
    ("GET", "/api/v1/notifications/{notification}", "", V),
    ("GET", "/api/v1/on-call", "", V),
    ("GET", "/api/v1/overrides", "", V),
    ("POST", "/api/v1/overrides?dry_run=1", OVERRIDE, R),
    ("GET", "/api/v1/overrides/{override}", "", V),
    ("PUT", "/api/v1/overrides/{override}?dry_run=1", OVERRIDE, M),
    ("DELETE", "/api/v1/overrides/{override}?dry_run=1", "", M),
    ("GET", "/api/v1/policies", "", V),
    ("POST", "/api/v1/policies?dry_run=1", POLICY, M),
    ("GET", "/api/v1/policies/{policy}", "", V),
    ("PUT", "/api/v1/policies/{policy}?dry_run=1", POLICY, M),
    ("DELETE", "/api/v1/policies/{policy}?dry_run=1", "", M),
    ("GET", "/api/v1/revisions", "", Operator),
    ("GET", "/api/v1/revisions/1", "", Operator),
    ("GET", "/api/v1/revisions/1/diff/1", "", Operator),
    ("GET", "/api/v1/schedules", "", V),
    ("POST", "/api/v1/schedules?dry_run=1", r#"{"name":"S"}"#, M),
    ("GET", "/api/v1/schedules/{schedule}", "", V),
    ("PUT", "/api/v1/schedules/{schedule}?dry_run=1", r#"{"name":"S"}"#, M),
    ("DELETE", "/api/v1/schedules/{schedule}?dry_run=1", "", M),
    ("GET", "/api/v1/schedules/{schedule}/gaps", "", V),
    ("GET", "/api/v1/schedules/{schedule}/on-call", "", V),
    ("GET", "/api/v1/schedules/{schedule}/shifts", "", V),
    ("GET", "/api/v1/services", "", V),
    ("POST", "/api/v1/services?dry_run=1", r#"{"name":"S"}"#, M),
    ("GET", "/api/v1/services/{service}", "", V),
    ("PUT", "/api/v1/services/{service}?dry_run=1", r#"{"name":"S"}"#, M),
    ("DELETE", "/api/v1/services/{service}?dry_run=1", "", M),
    ("GET", "/api/v1/sessions", "", V),
    ("GET", "/api/v1/teams", "", V),
    ("POST", "/api/v1/teams?dry_run=1", r#"{"name":"T"}"#, M),
    ("GET", "/api/v1/teams/{team}", "", V),
    ("PUT", "/api/v1/teams/{team}?dry_run=1", r#"{"name":"T"}"#, M),
    ("DELETE", "/api/v1/teams/{team}?dry_run=1", "", M),
    ("GET", "/api/v1/tenant", "", V),
    ("PUT", "/api/v1/tenant", r#"{"name":"","fallback_policy":"{policy}","time_zone":"UTC"}"#, A),
    ("GET", "/api/v1/tenants", "", Operator),
    ("POST", "/api/v1/tenants", TENANT, Operator),
    ("GET", "/api/v1/users", "", V),
    ("POST", "/api/v1/users", USER, A),
    ("GET", "/api/v1/users/{user}", "", V),
    ("PUT", "/api/v1/users/{user}?dry_run=1", USER, A),
    ("DELETE", "/api/v1/users/{user}?dry_run=1", "", A),
    ("GET", "/api/v1/users/{user}/contact-methods", "", A),
    ("POST", "/api/v1/users/{user}/contact-methods", METHOD, A),
    ("GET", "/api/v1/users/{user}/rules", "", V),
    ("PUT", "/api/v1/users/{user}/rules", r#"{"urgent":[],"normal":[]}"#, A),
    ("POST", "/api/v1/users/{user}/sign-in-link", "", A),
    // What removes what others in this table need comes last.
    ("DELETE", "/api/v1/contact-methods/{method}", "", OwnOr(Responder, Admin)),
    ("DELETE", "/api/v1/sessions/{session}", "", OwnOr(Viewer, Viewer)),
];

/// The pages, which are for people who have signed in.
pub(super) const PAGES: &[Row] = &[
    ("GET", "/live?topic=list", "", V),
    ("GET", "/alerts", "", V),
    ("POST", "/alerts/bulk", "action=acknowledge&alert={alert}", R),
    ("GET", "/alerts/{alert}", "", V),
    ("POST", "/alerts/{alert}/acknowledge", "", R),
    ("POST", "/alerts/{alert}/resolve", "", R),
    ("POST", "/alerts/{alert}/pass-on", "", R),
    ("POST", "/alerts/{alert}/note", "text=n", R),
    ("GET", "/alerts/{alert}/why", "", V),
    ("GET", "/events/{event}", "", V),
    ("GET", "/events/{event}/why", "", V),
    ("GET", "/ledger", "", V),
    ("GET", "/integrations", "", V),
    ("GET", "/integrations/new", "", M),
    ("POST", "/integrations/new", "name=&dialect=native", M),
    ("GET", "/integrations/{integration}", "", V),
    ("GET", "/integrations/{integration}/edit", "", M),
    ("POST", "/integrations/{integration}/edit", "name=&dialect=native", M),
    ("POST", "/integrations/{integration}/key", "", M),
    ("POST", "/integrations/{integration}/test", "severity=info&summary=s&ring=on", Session),
    ("POST", "/integrations/{integration}/delete", "", M),
    ("GET", "/schedules", "", V),
    ("GET", "/schedules/{schedule}", "", V),
    ("POST", "/schedules/{schedule}/cover", "", Session),
    ("POST", "/schedules/{schedule}/covers/{override}/delete", "", Session),
    ("GET", "/me", "", V),
    ("POST", "/me/ways", "channel=sms&address=1", Session),
    ("POST", "/me/ways/{method}/prove", "code=000000", Session),
    ("POST", "/me/ways/{method}/code", "", Session),
    ("POST", "/me/ways/{method}/test", "", Session),
    ("POST", "/me/ways/{method}/remove", "", Session),
    ("POST", "/me/rules/urgent", "", Session),
    ("POST", "/me/profile", "name=&time_zone=", Session),
    ("POST", "/me/password", "current=&password=x", Session),
    ("POST", "/me/keys", "name=&role=viewer", Session),
    ("POST", "/me/keys/{key}/revoke", "", Session),
    ("POST", "/me/sessions/{session}/end", "", Session),
    ("GET", "/services", "", V),
    ("GET", "/services/new", "", Session),
    ("POST", "/services/new", "name=", Session),
    ("GET", "/services/{service}", "", Session),
    ("POST", "/services/{service}", "name=", Session),
    ("POST", "/services/{service}/delete", "", Session),
    ("GET", "/policies", "", V),
    ("GET", "/policies/new", "", Session),
    ("POST", "/policies/new", "name=", Session),
    ("GET", "/policies/{policy}", "", Session),
    ("POST", "/policies/{policy}", "name=", Session),
    ("POST", "/policies/{policy}/delete", "", Session),
    ("GET", "/people", "", V),
    ("GET", "/people/new", "", Session),
    ("POST", "/people/new", "name=", Session),
    ("GET", "/people/{user}", "", Session),
    ("POST", "/people/{user}", "name=", Session),
    ("POST", "/people/{user}/delete", "", Session),
    ("GET", "/people/teams/{team}", "", Session),
    ("POST", "/people/teams/{team}", "name=", Session),
];

/// What is open to everybody, or has a credential of its own: a key in the request, a signature, a
/// single-use token, the demo.
pub(super) const PUBLIC: &[&str] = &[
    "POST /api/v1/events",
    "POST /v2/enqueue",
    "POST /v2/change/enqueue",
    "POST /alertmanager/webhook",
    "POST /api/v2/alerts",
    "GET /api/v2/status",
    "POST /callbacks/twilio/{provider}/sms",
    "POST /callbacks/twilio/{provider}/{kind}/{notification}",
    "GET /livez",
    "GET /readyz",
    "GET /metrics",
    "GET /",
    "GET /assets/{name}",
    "POST /theme",
    "POST /keys",
    "GET /sign-in",
    "GET /sign-in/{token}",
    "GET /s/{token}",
    "POST /sign-out",
    "GET /setup/{token}",
    "GET /a/{token}",
    "GET /handset",
    "POST /handset/reply",
    "POST /handset/calls/{call}/answer",
    "POST /handset/calls/{call}/voicemail",
    "POST /handset/calls/{call}/press",
    "POST /handset/calls/{call}/hang-up",
];
