//! A tenant with one of everything, its people in every role, another tenant, and an operator.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use axum::body::Body;
use bugle_app::identity::{ClientInfo, SetupForm, SignedIn};
use bugle_app::objects::draft::UserDraft;
use bugle_app::store::ObjectChange;
use bugle_app::tenants::NewTenant;
use bugle_app::{App, Caller};
use bugle_domain::contact::{Address, ContactMethod};
use bugle_domain::object::Object;
use bugle_domain::role::Role;
use bugle_domain::{BulletinId, IncidentId, MethodId, NodeId, RequestId, SubscriberId};
use bugle_engine::incident;
use bugle_engine::watch::{Hop, Verdict};
use http::Request;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Answer, World, now};

pub(super) struct People {
    pub(super) world: World,
    /// A session for each role, least first.
    pub(super) sessions: Vec<(Role, String)>,
    /// A session of another tenant's admin.
    pub(super) other: String,
    /// A session of a viewer who is an operator.
    pub(super) operator: String,
    /// Ids of one of everything, by what the table calls it.
    ids: BTreeMap<&'static str, String>,
    /// Who holds a session.
    users: BTreeMap<String, String>,
}

fn client(n: u8) -> ClientInfo {
    ClientInfo {
        ip: IpAddr::V4(Ipv4Addr::new(192, 0, 2, n)),
        user_agent: String::new(),
        request: RequestId::new(now(), [n; 10]),
    }
}

async fn invite(app: &App, admin: &Caller, role: Role, n: u8) -> SignedIn {
    let draft = UserDraft {
        name: format!("Person {n}"),
        email: format!("person{n}@halden.example").parse().unwrap(),
        role,
        time_zone: String::new(),
        disabled: false,
    };
    let invited = app.invite_user(admin, draft).await.unwrap();
    let token = invited.link.token.expose_secret().to_owned();
    app.sign_in_with_link(&token, &client(n)).await.unwrap()
}

async fn found(app: &App) -> SignedIn {
    let token = app.begin_setup().await.unwrap().unwrap();
    let form = SetupForm {
        token,
        tenant: "Halden Freight".to_owned(),
        name: "Mara Lind".to_owned(),
        email: "mara@halden.example".to_owned(),
        password: "correct horse battery".to_owned().into(),
        time_zone: "Europe/Berlin".to_owned(),
    };
    app.complete_setup(form, &client(1)).await.unwrap()
}

async fn other_admin(app: &App, operator: &Caller) -> SignedIn {
    let new = NewTenant {
        name: "Other".to_owned(),
        time_zone: "UTC".to_owned(),
        admin_name: "Otto Other".to_owned(),
        admin_email: "otto@other.example".to_owned(),
    };
    let made = app.create_tenant(operator, new).await.unwrap();
    let token = made.link.token.expose_secret().to_owned();
    app.sign_in_with_link(&token, &client(2)).await.unwrap()
}

impl People {
    pub(super) async fn new() -> Self {
        let world = World::empty().await;
        let app = world.app.clone();
        let founder = found(&app).await;
        let admin = &founder.caller;
        let other = other_admin(&app, admin).await;
        let mut sessions = Vec::new();
        let mut users = BTreeMap::new();
        let mut remember = |signed_in: &SignedIn| {
            let token = signed_in.token.expose_secret().to_owned();
            users.insert(token.clone(), signed_in.caller.user.unwrap().to_string());
            token
        };
        for (n, role) in (10..).zip(Role::ALL) {
            let signed_in = invite(&app, admin, role, n).await;
            sessions.push((role, remember(&signed_in)));
        }
        let operator = invite(&app, admin, Role::Viewer, 20).await;
        let id = operator.caller.user.unwrap();
        world.store.set_operator(admin.scope, id, true, now()).await.unwrap();
        let (operator, other) = (remember(&operator), remember(&other));
        let mut people = Self { world, sessions, other, operator, ids: BTreeMap::new(), users };
        let target = invite(&app, admin, Role::Responder, 30).await;
        people.fill(admin, &target).await;
        people
    }

    /// Makes one of everything, in the name of the admin.
    async fn fill(&mut self, admin: &Caller, target: &SignedIn) {
        let user = target.caller.user.unwrap();
        self.ids.insert("user", user.to_string());
        self.ids.insert("session", target.caller.session.unwrap().to_string());
        let method = MethodId::from_stored(Uuid::from_u128(77));
        let object = Object::Method(ContactMethod {
            id: method,
            user,
            name: "phone".to_owned(),
            address: Address::Sms("+4930123456".parse().unwrap()),
            proven_at: Some(now()),
        });
        let put = [ObjectChange::Put { object, expected: None }];
        self.world.store.save_objects(admin.scope, &put, now(), "test").await.unwrap();
        self.ids.insert("method", method.to_string());
        let cover = json!({"schedule":"{schedule}","user":null,
            "from":"2026-12-24T00:00:00Z","until":"2026-12-25T00:00:00Z"});
        let policy = json!({"name":"Payments","levels":[{"delay_s":300,
            "targets":[{"type":"user","id":"{user}"}]}]});
        for (name, path, body) in [
            ("team", "/teams", json!({"name":"Payments"})),
            ("schedule", "/schedules", json!({"name":"Payments"})),
            ("override", "/overrides", cover),
            ("policy", "/policies", policy),
            ("service", "/services", json!({"name":"Payments","policy":"{policy}"})),
        ] {
            let made = self.make(path, &body).await;
            self.ids.insert(name, made["id"].as_str().unwrap().to_owned());
        }
        let shown = json!([{"service":"{service}"}]);
        let page = self.make("/status-pages", &json!({"name":"Halden","services":shown})).await;
        self.ids.insert("status_page", page["id"].as_str().unwrap().to_owned());
        let told = json!({"title":"Slow","text":"We look.","components":["{service}"],
            "state":"degraded_performance"});
        let told = self.make("/status-pages/{status_page}/bulletins", &told).await;
        self.ids.insert("page_bulletin", told["id"].as_str().unwrap().to_owned());
        let new = json!({"name":"Prometheus","dialect":"native","service":"{service}"});
        let integration = self.make("/integrations", &new).await;
        let id = integration["integration"]["id"].as_str().unwrap().to_owned();
        self.ids.insert("integration", id);
        let key = self.make("/api-keys", &json!({"name":"deploys","role":"viewer"})).await;
        self.ids.insert("key", key["key"]["id"].as_str().unwrap().to_owned());
        self.raise().await;
        let asked = json!({"expected":"a text","integration":"{integration}"});
        let asked = self.make("/assistance", &asked).await;
        self.ids.insert("assistance", asked["id"].as_str().unwrap().to_owned());
        self.declare().await;
        let room = self.make("/incidents", &json!({"title":"it is bad"})).await;
        self.ids.insert("room", room["incident"]["id"].as_str().unwrap().to_owned());
    }

    /// Has the watch declare an incident.
    async fn declare(&mut self) {
        let verdict = Verdict {
            hop: Hop::Store,
            since: now(),
            evidence: "it does not answer".to_owned(),
            waiting: 0,
            tenants: Vec::new(),
            nodes: Vec::new(),
            harmless: false,
        };
        let id = IncidentId::new(now(), [1; 10]);
        let incident = incident::declare(id, &[verdict], true, now()).unwrap();
        let node = NodeId::new(now(), [1; 10]);
        self.world.store.declare_incident(node, &incident, &[1; 32]).await.unwrap();
        self.ids.insert("incident", id.to_string());
        self.ids.insert("bulletin", BulletinId::new(now(), [1; 10]).to_string());
        self.ids.insert("subscriber", SubscriberId::new(now(), [1; 10]).to_string());
    }

    /// Has an event open an alert and a notification be owed.
    async fn raise(&mut self) {
        let sent = self.make("/integrations/{integration}/events", &json!({"summary":"s"})).await;
        self.ids.insert("event", sent["id"].as_str().unwrap().to_owned());
        self.world.until_decided().await;
        let first = |list: Value| list["data"][0]["id"].as_str().unwrap().to_owned();
        let alert = first(self.read("/api/v1/alerts").await);
        self.ids.insert("alert", alert);
        let notification = first(self.read("/api/v1/notifications").await);
        self.ids.insert("notification", notification);
    }

    fn admin(&self) -> &str {
        &self.sessions.last().unwrap().1
    }

    async fn make(&self, path: &str, body: &Value) -> Value {
        let (path, body) = (format!("/api/v1{path}"), body.to_string());
        let answer = self.ask(("POST", &path, &body, false), Some(self.admin())).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        answer.json()
    }

    async fn read(&self, path: &str) -> Value {
        self.ask(("GET", path, "", false), Some(self.admin())).await.json()
    }

    /// Sends a row of the table in the name of whoever holds the session.
    pub(super) async fn ask(
        &self,
        (method, path, body, form): (&str, &str, &str, bool),
        session: Option<&str>,
    ) -> Answer {
        let (mut path, mut body) = (path.to_owned(), body.to_owned());
        for (name, id) in &self.ids {
            let name = format!("{{{name}}}");
            (path, body) = (path.replace(&name, id), body.replace(&name, id));
        }
        if let Some(me) = session.and_then(|session| self.users.get(session)) {
            body = body.replace("{me}", me);
        }
        let kind = if form { "application/x-www-form-urlencoded" } else { "application/json" };
        let mut request = Request::builder().method(method).uri(path).header("content-type", kind);
        if let Some(session) = session {
            request = request.header("cookie", format!("bugle={session}"));
        }
        self.world.send(request.body(Body::from(body)).unwrap()).await
    }
}
