//! Teams, overrides, policies, services and status pages: objects that need nothing special.

/// Imports that every kind needs.
macro_rules! kind {
    ($module:ident, $noun:ty, $draft:ty, $body:ty, $draft_body:ty, $tag:tt, $path:tt,
        $path_id:tt) => {
        pub(crate) mod $module {
            use axum::Json;
            use axum::extract::State;
            use axum::response::Response;
            use bugle_app::objects::Noun;
            use bugle_app::{App, Caller};
            use http::Uri;

            use crate::api::crud::{self, make, read_and_write};
            use crate::api::schema::{self, DeletedBody};
            use crate::api::wire::{Asking, Body, Id, List, ListParams, Options};
            use crate::problem::ApiError;

            read_and_write!($noun, $draft, $body, $draft_body, $tag, $path, $path_id);
            make!($noun, $draft, $body, $draft_body, $tag, $path);
        }
    };
}

kind!(
    teams,
    bugle_domain::user::Team,
    bugle_app::objects::draft::TeamDraft,
    schema::Team,
    schema::TeamDraft,
    "teams",
    "/teams",
    "/teams/{id}"
);
kind!(
    schedules,
    bugle_domain::schedule::Schedule,
    bugle_app::objects::draft::ScheduleDraft,
    schema::Schedule,
    schema::ScheduleDraft,
    "schedules",
    "/schedules",
    "/schedules/{id}"
);
kind!(
    overrides,
    bugle_domain::schedule::Override,
    bugle_app::objects::draft::OverrideDraft,
    schema::Override,
    schema::OverrideDraft,
    "overrides",
    "/overrides",
    "/overrides/{id}"
);
kind!(
    policies,
    bugle_domain::policy::Policy,
    bugle_app::objects::draft::PolicyDraft,
    schema::Policy,
    schema::PolicyDraft,
    "policies",
    "/policies",
    "/policies/{id}"
);
kind!(
    services,
    bugle_domain::service::Service,
    bugle_app::objects::draft::ServiceDraft,
    schema::Service,
    schema::ServiceDraft,
    "services",
    "/services",
    "/services/{id}"
);
kind!(
    status_pages,
    bugle_domain::status_page::StatusPage,
    bugle_app::objects::draft::StatusPageDraft,
    schema::StatusPage,
    schema::StatusPageDraft,
    "status pages",
    "/status-pages",
    "/status-pages/{id}"
);
