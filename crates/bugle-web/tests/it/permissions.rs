//! Every route for everybody: no credential, another tenant, each role, the operator.
//!
//! The table says who may; a route without a row fails the test, and so does a row without a route.

mod people;
mod table;

use std::collections::BTreeSet;

use axum::body::Body;
use bugle_domain::role::Role;
use http::{Request, StatusCode};

use self::people::People;
use self::table::{API, Needs, PAGES, PUBLIC};
use crate::world::Answer;

/// What somebody must be answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Must {
    /// Neither 401 nor 403: what else is wrong is not this test's business.
    BeLetIn,
    /// 403.
    BeForbidden,
    /// 404.
    FindNothing,
    /// 401, or a page to sign in on.
    SignIn,
}

impl Must {
    fn is_met(self, answer: &Answer) -> bool {
        let location = answer.headers.get("location").and_then(|it| it.to_str().ok());
        let to_sign_in = location.is_some_and(|to| to.contains("/sign-in"));
        match self {
            Self::BeLetIn => {
                !to_sign_in
                    && !matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            }
            Self::BeForbidden => answer.status == StatusCode::FORBIDDEN,
            Self::FindNothing => answer.status == StatusCode::NOT_FOUND,
            Self::SignIn => answer.status == StatusCode::UNAUTHORIZED || to_sign_in,
        }
    }
}

fn of_role(needs: Needs, role: Role) -> Must {
    let met = match needs {
        Needs::Role(least) => role >= least,
        Needs::Operator => false,
        Needs::Session => true,
        Needs::OwnOr(own, others) => {
            return match (role >= others, role >= own) {
                (true, _) => Must::BeLetIn,
                (false, true) => Must::FindNothing,
                (false, false) => Must::BeForbidden,
            };
        }
    };
    if met { Must::BeLetIn } else { Must::BeForbidden }
}

#[tokio::test]
async fn every_route_lets_in_whom_the_table_names_and_nobody_else() {
    let people = People::new().await;
    let mut wrong = Vec::new();
    for (method, path, body, needs) in API.iter().chain(PAGES) {
        let form = !path.starts_with("/api/");
        let mut check = async |who: &str, session: Option<&str>, must: Must| {
            let answer = people.ask((method, path, body, form), session).await;
            if !must.is_met(&answer) {
                let status = answer.status.as_u16();
                let text: String = answer.text.chars().take(120).collect();
                wrong.push(format!("{method} {path}: {who} must {must:?}: {status} {text}"));
            }
        };
        check("nobody", None, Must::SignIn).await;
        if *needs == Needs::Session {
            continue;
        }
        let names_one = path.contains('{');
        let other = match (needs, names_one) {
            (Needs::Operator, _) => Must::BeForbidden,
            (_, true) => Must::FindNothing,
            (_, false) => Must::BeLetIn,
        };
        check("another tenant's admin", Some(&people.other), other).await;
        for (role, session) in &people.sessions {
            check(role.as_str(), Some(session), of_role(*needs, *role)).await;
        }
        if *needs == Needs::Operator {
            check("the operator", Some(&people.operator), Must::BeLetIn).await;
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn being_an_operator_gives_nothing_inside_a_tenant() {
    let people = People::new().await;
    for (method, path, body, needs) in API {
        if matches!(needs, Needs::Role(least) if *least > Role::Viewer) {
            let answer = people.ask((method, path, body, false), Some(&people.operator)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn an_incident_of_the_installation_is_there_for_operators_only() {
    let people = People::new().await;
    for path in ["", "/report"] {
        let api = format!("/api/v1/incidents/{{incident}}{path}");
        let page = format!("/incidents/{{incident}}{path}");
        for (path, form) in [(api.as_str(), false), (page.as_str(), true)] {
            let (_, admin) = people.sessions.last().unwrap();
            let answer = people.ask(("GET", path, "", form), Some(admin)).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            let answer = people.ask(("GET", path, "", form), Some(&people.operator)).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
        }
    }
    let declare = r#"{"title":"db","installation":true}"#;
    let (_, admin) = people.sessions.last().unwrap();
    let asked = ("POST", "/api/v1/incidents", declare, false);
    assert_eq!(people.ask(asked, Some(admin)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(people.ask(asked, Some(&people.operator)).await.status, StatusCode::CREATED);
}

#[test]
fn every_route_of_the_api_has_a_row() {
    let document = serde_json::to_value(bugle_web::api::document()).unwrap();
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            routes.insert(format!("{} {}", method.to_uppercase(), named(path)));
        }
    }
    let row =
        |method: &str, path: &str| format!("{method} {}", named(path.split('?').next().unwrap()));
    let rows: BTreeSet<String> = API.iter().map(|(method, path, ..)| row(method, path)).collect();
    let public: BTreeSet<String> = PUBLIC
        .iter()
        .filter_map(|row| row.split_once(' '))
        .map(|(method, path)| format!("{method} {}", named(path)))
        .collect();
    let missing: Vec<_> = routes.iter().filter(|it| !rows.contains(*it)).collect();
    let missing: Vec<_> = missing.into_iter().filter(|it| !public.contains(*it)).collect();
    assert!(missing.is_empty(), "routes without a row: {missing:#?}");
    let gone: Vec<_> = rows.difference(&routes).collect();
    assert!(gone.is_empty(), "rows without a route: {gone:#?}");
}

#[test]
fn every_other_route_has_a_row() {
    let mut routes = BTreeSet::new();
    for file in
        ["pages.rs", "pages/incidents.rs", "callbacks.rs", "ops.rs", "watch.rs", "intake/routes.rs"]
    {
        let path = format!("{}/src/{file}", env!("CARGO_MANIFEST_DIR"));
        let source = std::fs::read_to_string(path).unwrap();
        for opening in [".route(\"", "both(router, \""] {
            for after in source.split(opening).skip(1) {
                routes.insert(named(after.split('"').next().unwrap()));
            }
        }
    }
    assert!(routes.len() > 30, "the sources are no longer read right: {routes:?}");
    let pages = PAGES.iter().map(|(_, path, ..)| named(path.split('?').next().unwrap()));
    let public = PUBLIC.iter().map(|row| named(row.split_once(' ').unwrap().1));
    let rows: BTreeSet<String> = pages.chain(public).collect();
    let missing: Vec<_> = routes.difference(&rows).collect();
    assert!(missing.is_empty(), "routes without a row: {missing:#?}");
}

/// The path with the same name for everything that has one, whatever router and table call it.
fn named(path: &str) -> String {
    let mut out = String::new();
    for part in path.split('/').skip(1) {
        out.push('/');
        let named = part.starts_with('{') || part == "urgent" || part.parse::<u32>().is_ok();
        out.push_str(if named { "{id}" } else { part });
    }
    out
}

#[tokio::test]
async fn a_session_is_not_enough_for_another_site() {
    let people = People::new().await;
    let (_, session) = people.sessions.last().unwrap();
    let request = Request::post("/api/v1/teams")
        .header("cookie", format!("bugle={session}"))
        .header("sec-fetch-site", "cross-site")
        .header("content-type", "application/json")
        .body(Body::from(r#"{"name":"Evil"}"#))
        .unwrap();
    let answer = people.world.send(request).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (StatusCode::FORBIDDEN, Some("cross_site"))
    );
}
