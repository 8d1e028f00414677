//! A whole application on a database of its own, set up by its first person, for tests.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bugle_channels::WebhookSettings;
use bugle_channels::{Channels, Limits as ChannelLimits, Roots, Settings as ChannelSettings};
use bugle_domain::alert::AlertStatus;
use bugle_domain::contact::{Address, Channel, ContactMethod};
use bugle_domain::object::Object;
use bugle_domain::revision::Revision;
use bugle_domain::user::User;
use bugle_domain::{AlertId, MethodId, NodeId, RequestId, UserId};
use bugle_store::{DatabaseUrl, ObjectChange, PoolSettings, Store};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use url::Url;

use crate::alerts::{AlertQuery, AlertRow};
use crate::app::{App, Parts, Settings};
use crate::caller::Caller;
use crate::clock::Clock;
use crate::entropy::bytes;
use crate::identity::{ClientInfo, SetupForm};
use crate::objects::WriteOptions;
use crate::objects::draft::UserDraft;
use crate::paging::Page;
use crate::tasks::Tasks;

const POOL: PoolSettings = PoolSettings {
    connections: 4,
    statement_timeout: Duration::from_secs(10),
    lock_timeout: Duration::from_secs(5),
    acquire_timeout: Duration::from_secs(5),
};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);
/// How far the clock is pushed at a time meanwhile.
const STEP: Duration = Duration::from_millis(50);

/// Everything writes as planned, whatever the version.
pub(crate) const WRITE: WriteOptions = WriteOptions { expected_version: None, dry_run: false };

/// An application, its first admin, and a program that takes its webhooks.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) clock: Clock,
    /// Priya Nair, who set it up: admin and operator.
    pub(crate) admin: Caller,
    /// Where webhooks may go.
    pub(crate) hook: Url,
    seen: mpsc::Receiver<String>,
    tasks: Tasks,
    _folder: tempfile::TempDir,
}

/// The password that everybody here has.
pub(crate) fn password() -> SecretString {
    "correct horse battery".into()
}

/// A browser.
pub(crate) fn client() -> ClientInfo {
    ClientInfo {
        ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: "Firefox".to_owned(),
        request: request(),
    }
}

pub(crate) fn request() -> RequestId {
    RequestId::new(Timestamp::UNIX_EPOCH, bytes())
}

/// What the first person types.
pub(crate) fn setup_form(token: &SecretString) -> SetupForm {
    SetupForm {
        token: token.clone(),
        tenant: "Halden Freight".to_owned(),
        name: "Priya Nair".to_owned(),
        email: "Priya@halden.example".to_owned(),
        password: password(),
        time_zone: "Europe/Berlin".to_owned(),
    }
}

/// An application that nobody has set up, at the sample's moment.
pub(crate) async fn bare(folder: &tempfile::TempDir) -> (App, Clock) {
    let path = folder.path().join("b.db");
    let url: DatabaseUrl = format!("sqlite:{}", path.display()).parse().unwrap();
    let store = Store::open(&url, POOL).await.unwrap();
    let clock = Clock::pushed(crate::sample::now());
    (start(store, clock.clone()).await, clock)
}

/// An application on `store` that may post to programs on this machine.
pub(crate) async fn start(store: Store, clock: Clock) -> App {
    let limits = ChannelLimits {
        connect: Duration::from_secs(1),
        request: Duration::from_secs(5),
        rate: None,
    };
    let allow = vec!["127.0.0.0/8".parse().unwrap()];
    let webhook = WebhookSettings { allow, limits };
    let channels = ChannelSettings {
        email: Vec::new(),
        sms: Vec::new(),
        voice: Vec::new(),
        webhook,
        roots: Roots::default(),
    };
    let public_url: Url = "http://localhost:7070/".parse().unwrap();
    let settings = Settings {
        node: NodeId::new(Timestamp::UNIX_EPOCH, bytes()),
        public_url: public_url.clone(),
        key: SecretBox::new(Box::new([7; 32])),
        stages: Revision::standard([(Channel::Webhook, vec!["webhook".to_owned()])].into()),
        operators_key: None,
        mail_domain: Some("in.example".to_owned()),
        rehearsal: crate::rehearsal::Rehearsal::default(),
        version: "test",
        demo: false,
    };
    let channels = Channels::new(channels, public_url).unwrap();
    let parts = Parts { store, channels, clock, handset: None };
    App::start(parts, settings).await.unwrap()
}

impl World {
    /// An application that Priya has set up.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (app, clock) = bare(&folder).await;
        let token = app.begin_setup().await.unwrap().unwrap();
        let signed_in = app.complete_setup(setup_form(&token), &client()).await.unwrap();
        let tasks = Tasks::new();
        let (hook, seen) = sink(&tasks).await;
        Self { app, clock, admin: signed_in.caller, hook, seen, tasks, _folder: folder }
    }

    /// Another person of the tenant, signed in.
    pub(crate) async fn person(&self, name: &str, role: bugle_domain::role::Role) -> Caller {
        let draft = user_draft(name, role);
        let invited = self.app.invite_user(&self.admin, draft).await.unwrap();
        let token = invited.link.token.expose_secret().to_owned();
        self.app.sign_in_with_link(&token, &client()).await.unwrap().caller
    }

    /// A contact method that is proven, without the way through a code.
    pub(crate) async fn proven(&self, user: UserId, address: Address) -> MethodId {
        let id = MethodId::new(self.app.now(), bytes());
        let name = address.channel().as_str().to_owned();
        let proven_at = Some(self.app.now());
        let object = Object::Method(ContactMethod { id, user, name, address, proven_at });
        let put = ObjectChange::Put { object, expected: None };
        self.app.save_configuration(&self.admin, &[put]).await.unwrap();
        id
    }

    /// The body of the next webhook.
    pub(crate) async fn next_hook(&mut self) -> serde_json::Value {
        let clock = self.clock.clone();
        let body = tokio::select! {
            body = self.seen.recv() => body.unwrap(),
            () = time_passes(&clock) => panic!("no webhook came"),
        };
        serde_json::from_str(&body).unwrap()
    }

    /// The only alert, as soon as it has this status.
    pub(crate) async fn alert(&self, status: AlertStatus) -> AlertId {
        let mut changes = self.app.changes();
        let query = AlertQuery { statuses: vec![status], ..AlertQuery::default() };
        let found = async {
            loop {
                let page = Page::first(2);
                let rows: Vec<AlertRow> =
                    self.app.alerts(&self.admin, &query, &page).await.unwrap().items;
                if let [only] = rows.as_slice() {
                    break only.alert.id;
                }
                let _ = tokio::time::timeout(Duration::from_millis(20), changes.recv()).await;
            }
        };
        tokio::select! {
            id = found => id,
            () = time_passes(&self.clock) => panic!("no alert is {status:?}"),
        }
    }

    /// Stops everything; the ledger must come out.
    pub(crate) async fn end(self) {
        let ledger = self.app.ledger_of_all(&self.admin).await.unwrap().ledger;
        assert!(ledger.total.balanced(), "{ledger:?}");
        self.app.stop().await;
        self.tasks.stop().await;
    }
}

/// Lets the clock run about as fast as real time, so that workers look around, and gives up after
/// [`PATIENCE`].
async fn time_passes(clock: &Clock) {
    let steps = PATIENCE.as_millis() / STEP.as_millis();
    for _ in 0..steps {
        tokio::time::sleep(STEP).await;
        clock.push(SignedDuration::try_from(STEP).unwrap());
    }
}

/// What a person of this name is made from.
pub(crate) fn user_draft(name: &str, role: bugle_domain::role::Role) -> UserDraft {
    let first = name.split(' ').next().unwrap().to_lowercase();
    UserDraft {
        name: name.to_owned(),
        email: format!("{first}@halden.example").parse().unwrap(),
        role,
        time_zone: String::new(),
        disabled: false,
    }
}

/// A draft that changes nothing of a user.
pub(crate) fn same_user(user: &User) -> UserDraft {
    UserDraft {
        name: user.name.clone(),
        email: user.email.clone(),
        role: user.role,
        time_zone: user.time_zone.clone(),
        disabled: user.disabled,
    }
}

/// A program that takes webhooks and shows their bodies.
async fn sink(tasks: &Tasks) -> (Url, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let (bodies, seen) = mpsc::channel(100);
    let stop = tasks.stop_token();
    let serve = async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                request.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&request).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n")
                    && head.to_lowercase().contains(&format!("content-length: {}", body.len()))
                {
                    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    stream.write_all(ok.as_bytes()).await.unwrap();
                    bodies.send(body.to_owned()).await.unwrap();
                    break;
                }
            }
        }
    };
    tasks.once(async move {
        tokio::select! { () = serve => (), () = stop.cancelled() => () }
    });
    (url, seen)
}
