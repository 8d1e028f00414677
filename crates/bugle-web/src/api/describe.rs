//! Completes the API's description, and serves the page to try it on.

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder};
use utoipa::openapi::security::{SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, ServerBuilder,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::problem::{FieldError, ProblemBody};
use crate::state::WebState;

const ABOUT: &str = "Events in, people told until somebody answers.\n\n\
    Times are RFC 3339. Ids have a prefix that says what they name. Lists take `limit` and \
    `after`, and give `next`. Objects have an `ETag`; send it back as `If-Match` so that nobody's \
    change is lost. `dry_run=1` checks a change and makes none. A `POST` with an `Idempotency-Key` \
    is done once, however often it is sent. Errors are `application/problem+json` with a stable \
    `code`.";
/// The explorer writes styles into its page.
const EXPLORER_POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; \
    frame-ancestors 'none'";

/// Adds what holds for every operation: title, credentials and errors.
pub(super) fn complete(mut api: OpenApi) -> OpenApi {
    api.info = InfoBuilder::new()
        .title("Bugle")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(utoipa::openapi::License::new("Apache-2.0")))
        .build();
    api.servers = Some(vec![ServerBuilder::new().url("/").build()]);
    let components = api.components.get_or_insert_default();
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key: `bgl_live_…`."))
        .build();
    components.add_security_scheme("key", SecurityScheme::Http(key));
    let session = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("bugle")));
    components.add_security_scheme("session", session);
    components.schemas.insert(ProblemBody::name().into(), ProblemBody::schema());
    components.schemas.insert(FieldError::name().into(), FieldError::schema());
    for path in api.paths.paths.values_mut() {
        let operations =
            [&mut path.get, &mut path.put, &mut path.post, &mut path.patch, &mut path.delete];
        operations.into_iter().flatten().for_each(errors);
    }
    let none: [&str; 0] = [];
    api.security = Some(vec![
        SecurityRequirement::new("key", none),
        SecurityRequirement::new("session", none),
    ]);
    api
}

/// Says of every `POST` that it may have a key.
pub(super) fn keyed(api: &mut OpenApi) {
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "The caller's own name for this request. Sent again within 24 h, it is not done again \
             and answered as the first, with `Idempotency-Replayed: true`.",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).max_length(Some(240))))
        .build();
    for operation in api.paths.paths.values_mut().filter_map(|path| path.post.as_mut()) {
        operation.parameters.get_or_insert_default().push(RefOr::T(key.clone()));
    }
}

fn errors(operation: &mut Operation) {
    let schema = RefOr::Ref(Ref::from_schema_name(ProblemBody::name()));
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new()
        .description("Any error, with a stable `code`.")
        .content("application/problem+json", content)
        .build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(response));
}

/// The page to try the API on, with all that it needs.
pub(super) fn explorer() -> Router<WebState> {
    let config = Config::from("/api/v1/openapi.json").validator_url("none");
    let page: Router<WebState> = SwaggerUi::new("/api/docs").config(config).into();
    page.layer(map_response(with_policy))
}

async fn with_policy(mut response: Response) -> Response {
    let policy = HeaderValue::from_static(EXPLORER_POLICY);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}
