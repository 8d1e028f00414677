//! Reading and writing of configuration objects: the same five things for each kind.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bugle_app::objects::{Noun, WriteOptions};
use bugle_app::{App, Caller};
use http::Uri;
use serde::Serialize;

use super::schema::DeletedBody;
use super::wire::{List, ListParams, created, versioned};
use crate::problem::ApiError;

pub(crate) async fn list<T: Noun + Serialize>(
    State(app): State<App>,
    caller: Caller,
    params: ListParams,
    uri: Uri,
) -> Result<Response, ApiError> {
    Ok(List::part(app.list::<T>(&caller, &params.page()).await?, &uri))
}

pub(crate) async fn get<T: Noun + Serialize>(
    State(app): State<App>,
    caller: Caller,
    id: T::Id,
) -> Result<Response, ApiError> {
    Ok(versioned(app.get::<T>(&caller, id).await?))
}

pub(crate) async fn create<T: Noun + Serialize>(
    State(app): State<App>,
    caller: Caller,
    uri: Uri,
    draft: T::Draft,
    options: WriteOptions,
) -> Result<Response, ApiError> {
    let made = app.create::<T>(&caller, draft, options).await?;
    let path = format!("{}/{}", uri.path().trim_end_matches('/'), made.object.id());
    Ok(created(made.version, &path, Json(made.object).into_response()))
}

pub(crate) async fn replace<T: Noun + Serialize>(
    State(app): State<App>,
    caller: Caller,
    id: T::Id,
    draft: T::Draft,
    options: WriteOptions,
) -> Result<Response, ApiError> {
    Ok(versioned(app.replace::<T>(&caller, id, draft, options).await?))
}

pub(crate) async fn delete<T: Noun>(
    State(app): State<App>,
    caller: Caller,
    id: T::Id,
    options: WriteOptions,
) -> Result<Json<DeletedBody>, ApiError> {
    let deleted = app.delete::<T>(&caller, id, options).await?;
    Ok(Json(DeletedBody { deleted: !options.dry_run, also: deleted.also }))
}

/// The routes of one kind of object, as functions that `utoipa` can describe.
macro_rules! read_and_write {
    ($noun:ty, $draft:ty, $body:ty, $draft_body:ty, $tag:tt, $path:tt, $path_id:tt) => {
        #[doc = concat!("Lists ", $tag, ", oldest first.")]
        #[utoipa::path(
                            get, path = $path, tag = $tag,
                    summary = concat!("Lists ", $tag, ", oldest first."),
                    operation_id = concat!("list ", $tag),
                            params(ListParams), responses((status = 200, body = List<$body>))
                        )]
        pub(crate) async fn list(
            app: State<App>,
            caller: Caller,
            Asking(params): Asking<ListParams>,
            uri: Uri,
        ) -> Result<Response, ApiError> {
            crud::list::<$noun>(app, caller, params, uri).await
        }

        #[doc = concat!("Reads one of the ", $tag, ". Its `ETag` is its version.")]
        #[utoipa::path(
                            get, path = $path_id, tag = $tag,
                    summary = concat!("Reads one of the ", $tag, ". Its `ETag` is its version."),
                    operation_id = concat!("get ", $tag),
                            params(("id" = String, Path)), responses((status = 200, body = $body))
                        )]
        pub(crate) async fn get(
            app: State<App>,
            caller: Caller,
            Id(id): Id<<$noun as Noun>::Id>,
        ) -> Result<Response, ApiError> {
            crud::get::<$noun>(app, caller, id).await
        }

        #[doc = concat!("Changes one of the ", $tag, " to what the body says.")]
        #[utoipa::path(
                            put, path = $path_id, tag = $tag,
                    summary = concat!("Changes one of the ", $tag, " to what the body says."),
                    operation_id = concat!("replace ", $tag),
                            request_body = $draft_body,
                            params(("id" = String, Path), ("dry_run" = Option<String>, Query),
                                ("If-Match" = Option<String>, Header)),
                            responses((status = 200, body = $body))
                        )]
        pub(crate) async fn replace(
            app: State<App>,
            caller: Caller,
            Id(id): Id<<$noun as Noun>::Id>,
            Options(options): Options,
            Body(draft): Body<$draft>,
        ) -> Result<Response, ApiError> {
            crud::replace::<$noun>(app, caller, id, draft, options).await
        }

        #[doc = concat!("Deletes one of the ", $tag, " that nothing depends on.")]
        #[utoipa::path(
                            delete, path = $path_id, tag = $tag,
                    summary = concat!("Deletes one of the ", $tag, " that nothing depends on."),
                    operation_id = concat!("delete ", $tag),
                            params(("id" = String, Path), ("dry_run" = Option<String>, Query),
                                ("If-Match" = Option<String>, Header)),
                            responses((status = 200, body = DeletedBody))
                        )]
        pub(crate) async fn delete(
            app: State<App>,
            caller: Caller,
            Id(id): Id<<$noun as Noun>::Id>,
            Options(options): Options,
        ) -> Result<Json<DeletedBody>, ApiError> {
            crud::delete::<$noun>(app, caller, id, options).await
        }
    };
}
pub(crate) use read_and_write;

/// The route that makes an object, for kinds that need nothing special.
macro_rules! make {
    ($noun:ty, $draft:ty, $body:ty, $draft_body:ty, $tag:tt, $path:tt) => {
        #[doc = concat!("Adds to the ", $tag, ".")]
        #[utoipa::path(
                            post, path = $path, tag = $tag,
            summary = concat!("Adds to the ", $tag, "."),
            operation_id = concat!("create ", $tag),
                            request_body = $draft_body, params(("dry_run" = Option<String>, Query)),
                            responses((status = 201, body = $body))
                        )]
        pub(crate) async fn create(
            app: State<App>,
            caller: Caller,
            uri: Uri,
            Options(options): Options,
            Body(draft): Body<$draft>,
        ) -> Result<Response, ApiError> {
            crud::create::<$noun>(app, caller, uri, draft, options).await
        }
    };
}
pub(crate) use make;
